"""A case's bills as a document: the shape of `rate --json`, field by field in docs/rating.md.

Figures are text without an exponent; amounts have the currency's digits.  Only what no currency
rounds (a share of a cost, a third of a credit) is cut, at twelve decimals.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from data.meters import CATALOGUE
from data.money import ZERO, exact, plain, rounded
from data.periods import BillingPeriod
from data.pricing import (
    Arithmetic,
    CreditLot,
    CreditLots,
    Line,
    LineKind,
    Plan,
    RatedPart,
    TimelineEntry,
)
from data.pricing.explanation import DayShare, days_of
from data.pricing.ledger import LedgerEntry, as_decimal
from data.pricing.posting import recognized
from data.rating.bills import Bill, Bills

Answer = dict[str, Any]

FINEST = Decimal("0.000000000001")
COUNTS_OTHER_THINGS = (LineKind.FEE, LineKind.FLAT, LineKind.PACK)  # than units of the meter


def answer(bills: Bills) -> Answer:
    case, currency = bills.case, bills.case.currency
    last = bills.periods[-1].rated.parts[-1].plan
    return {
        "plan": last.plan,
        "version": last.version,
        "currency": currency,
        "timeline": [_change(entry) for entry in case.timeline],
        "periods": _periods(bills),
        "total": money_text(bills.total, currency),
        "money_credits": [
            {
                "key": credit.key,
                "name": credit.name,
                "currency": credit.currency,
                "amount": money_text(credit.amount, credit.currency),
                "left": money_text(bills.money_left[credit.key], credit.currency),
                "effective_on": _day(credit.effective_on),
                "expires_on": _day(credit.expires_on),
            }
            for credit in case.money_credits
        ],
        "left_out": [_day(day) for day in case.left_out],
    }


def _change(entry: TimelineEntry) -> Answer:
    return {
        "plan": entry.plan.plan,
        "version": entry.plan.version,
        "asked_on": _day(entry.asked_on),
        "starts_on": _day(entry.starts_on),
        "ends_on": _day(entry.ends_on),
        "billed": entry.billed,
        "waited": entry.waited,
    }


def _periods(bills: Bills) -> list[Answer]:
    currency = bills.case.currency
    posted: list[LedgerEntry] = []
    lots: dict[str, CreditLot] = {}
    found = []
    for bill in bills.periods:
        entries = [entry for part in bill.rated.parts for entry in _entries(part)]
        posted += entries
        lots |= _lots(bill)
        credits = _credits(bill, lots, entries, posted, currency)
        found.append({**_period(bill, currency), "credits": credits})
    return found


def _period(bill: Bill, currency: str) -> Answer:
    return {
        **_days(bill.rated.period),
        "parts": [
            {"plan": part.plan.plan, "version": part.plan.version, **_days(part.period)}
            for part in bill.rated.parts
        ],
        "lines": [
            *(line for n, part in enumerate(bill.rated.parts) for line in _part_lines(part, n)),
            *(_line(line, None, None, currency) for line in bill.payments),
        ],
        "net": money_text(bill.net, currency),
        "tax": money_text(bill.tax, currency),
        "credited": money_text(bill.credited, currency),
        "total": money_text(bill.total, currency),
    }


def _days(period: BillingPeriod) -> Answer:
    return {
        "start": _day(period.start),
        "end": _day(period.end),
        "days": period.days,
        "full_days": period.full_days,
    }


def _part_lines(part: RatedPart, number: int) -> Iterator[Answer]:
    by_day = days_of(part)
    for line in part.lines:
        yield _line(line, number, part.plan, part.plan.currency, by_day.get(line.key, ()))


def _line(
    line: Line,
    part: int | None,
    plan: Plan | None,
    currency: str,
    days: Iterable[DayShare] = (),
) -> Answer:
    return {
        "key": line.key,
        "kind": line.kind.value,
        "label": line.label,
        "meter": line.meter,
        "unit": _unit(line, plan),
        "quantity": figure_text(line.quantity),
        "unit_amount": figure_text(line.unit_amount, cut=False),
        "amount": money_text(line.amount, currency),
        "cost": figure_text(line.cost, cut=False),
        "recognized": None if line.recognized is None else money_text(line.recognized, currency),
        "lot": line.lot,
        "part": part,
        "arithmetic": _arithmetic(line.arithmetic),
        "days": [_day_share(share, currency) for share in days],
    }


def _unit(line: Line, plan: Plan | None) -> str | None:
    if line.kind is LineKind.EXPIRED:
        return "credits"
    if plan is None or line.meter is None or line.quantity is None:
        return None
    if line.kind in COUNTS_OTHER_THINGS:
        return None
    meter = plan.meters.get(line.meter) or CATALOGUE.get(line.meter)
    return meter.unit if meter else None


def _arithmetic(how: Arithmetic | None) -> Answer | None:
    if how is None:
        return None
    parts = {name: getattr(how, name) for name in ("of", "numerator", "denominator", "less")}
    return {"text": str(how)} | {name: figure_text(part, cut=False) for name, part in parts.items()}


def _day_share(share: DayShare, currency: str) -> Answer:
    value = share.recognized
    return {
        "day": _day(share.day),
        "quantity": figure_text(share.quantity),
        "amount": money_text(share.amount, currency),
        "cost": figure_text(share.cost, cut=False),
        "recognized": None if value is None else money_text(value, currency),
    }


def _prices(part: RatedPart) -> Iterator[CreditLots]:
    return (price for price in part.plan.prices if isinstance(price, CreditLots))


def _entries(part: RatedPart) -> Iterator[LedgerEntry]:
    for price in _prices(part):
        yield from price.ledger(part.usage, part.basis).entries


def _lots(bill: Bill) -> dict[str, CreditLot]:
    """Those that its plans know, in burn order."""
    found: dict[str, CreditLot] = {}
    for part in bill.rated.parts:
        for price in _prices(part):
            found |= {lot.key: lot for lot in price.lots(part.basis)}
    return found


def _credits(
    bill: Bill,
    lots: Mapping[str, CreditLot],
    entries: Iterable[LedgerEntry],
    posted: Iterable[LedgerEntry],
    currency: str,
) -> Answer | None:
    """Credits at the period's end, what moved them within it, and the revenue they recognise."""
    closing, period = bill.rated.closing, bill.rated.period
    if closing is None:
        return None
    earned = recognized(posted, lots.values(), currency, period.start, period.end)
    return {
        "lots": [
            _lot(lot, closing.credits.get(lot.key, Fraction(0)), currency)
            for lot in lots.values()
            if lot.effective_on < period.end and lot.ends_on >= period.start
        ],
        "owed": {meter: figure_text(units) for meter, units in closing.owed.items()},
        "entries": [
            {
                "kind": entry.kind.value,
                "lot": entry.lot,
                "day": _day(entry.day),
                "credits": _credits_text(entry.credits),
                "meter": entry.meter,
                "units": figure_text(entry.units) if entry.meter else None,
            }
            for entry in entries
        ],
        "recognized": money_text(earned, currency),
    }


def _lot(lot: CreditLot, left: Fraction, currency: str) -> Answer:
    return {
        "lot": lot.key,
        "name": lot.name,
        "price": money_text(lot.price, currency),
        "credits": figure_text(lot.credits),
        "left": _credits_text(left),
        "units_left": {
            meter: _credits_text(left * Fraction(rate))
            for meter, rate in lot.units_per_credit.items()
        },
        "effective_on": _day(lot.effective_on),
        "expires_on": _day(lot.expires_on),
        "voided_on": _day(lot.voided_on),
    }


def money_text(amount: Decimal, currency: str) -> str:
    """0 in USD is 0.00; a zero has no sign."""
    value = rounded(amount, currency)
    return f"{value if value else abs(value):f}"


def figure_text(value: Decimal | None, *, cut: bool = True) -> str | None:
    """A figure as it is; with `cut`, without zeros that say nothing."""
    if value is None:
        return None
    with exact():
        if value != value.quantize(FINEST):
            return plain(value.quantize(FINEST))
    value = value if value else abs(value)
    return plain(value) if cut else f"{value:f}"


def _credits_text(value: Fraction) -> str:
    with exact():
        return figure_text(as_decimal(value)) or plain(ZERO)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
