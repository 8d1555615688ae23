"""Tables behind the pages of statements and credits, at full length.

Credits are exact: a fraction such as 2/15 stands as it is, beside the decimal that it is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from dashboard.exports.table import Table, Value
from dashboard.words import _
from data.credit_ledger import LedgerLine, LotStory
from data.credits import Credits
from data.pricing.ledger import as_decimal
from data.projection.fan import Fan

PLACES = 6


def credit_ledger(lines: Iterable[LedgerLine], lots: Mapping[str, str]) -> Table:
    """An entry a row, oldest first; `lots` are their names by key."""
    columns = (
        *(_("Number"), _("Day (UTC)"), _("Kind"), _("Returns"), _("Lot"), _("Lot's key")),
        *(_("Meter"), _("Units"), _("Credits"), _("Credits, exact")),
        *(_("Left in the lot, exact"), _("Balance"), _("Balance, exact"), _("State")),
    )
    rows = tuple(_entry(line, lots) for line in lines)
    return Table(columns, rows)


def _entry(line: LedgerLine, lots: Mapping[str, str]) -> tuple[Value, ...]:
    entry = line.entry
    return (
        *(None if line.number is None else Decimal(line.number), entry.day, entry.kind.value),
        *(entry.returns.value if entry.returns else None, lots.get(entry.lot, entry.lot)),
        *(entry.lot, entry.meter, entry.units if entry.meter else None),
        *(about(line.credits), exact(line.credits), exact(line.left)),
        *(about(line.balance), exact(line.balance)),
        "settling" if line.number is None else "posted",
    )


def about(credits: Fraction) -> Decimal:
    return round(as_decimal(credits), PLACES)


def exact(credits: Fraction) -> str:
    """2/15, or 4 2/15 as a whole and a rest would be two numbers: 62/15."""
    return str(credits)


def credit_lots(lots: Sequence[LotStory], own: Credits | None) -> Table:
    """A lot a row, with what has become of its credits."""
    left = {lot.key: lot for lot in own.lots} if own else {}
    columns = (
        *(_("Lot"), _("Lot's key"), _("State"), _("Valid from"), _("Expires"), _("Price")),
        *(_("Currency"), _("Credits"), _("Used"), _("Expired"), _("Voided"), _("Left")),
        *(_("Left, exact"), _("Still buys"), _("Unit")),
    )
    rows = []
    for lot in lots:
        now = left.get(lot.key)
        rows.append(
            (
                *(lot.name, lot.key, lot.state.value, lot.effective_on, lot.expires_on, lot.price),
                own.currency if own and lot.price is not None else None,
                *(about(part) for part in (lot.granted, lot.drawn, lot.expired, lot.voided)),
                *(about(lot.left), exact(lot.left)),
                *((now.units_left, own.unit) if now and own else (None, None)),
            )
        )
    return Table(columns, tuple(rows))


def balance_by_day(days: Sequence[object], past: Sequence[Fraction], ahead: Fan | None) -> Table:
    """The balance as it was and as it may become: the numbers behind the burn-down."""
    columns = (*(_("Day (UTC)"), _("Credits at its end"), _("From"), _("Most likely"), _("To")),)
    rows: list[tuple[Value, ...]] = [
        (day, about(left), None, None, None)  # type: ignore[misc]  # days are dates
        for day, left in zip(days, past, strict=True)
    ]
    if ahead:
        steps = zip(ahead.days, ahead.low, ahead.likely, ahead.high, strict=True)
        rows += [(day, None, low, likely, high) for day, low, likely, high in steps]
    return Table(columns, tuple(rows))
