"""What is posted to a ledger of credits that is never edited, and what can be read from it.

A use of 10 credits restated to 6 after its lot has expired: what stands is a draw of 10 and an
expiry of 90; a return of 4 is appended, and an expiry of 4 at once.  A correction bears the day
that it corrects, so what is left on any day, and the revenue of any period, follow from the sum.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from data.money import ZERO, exact, rounded
from data.pricing.ledger import CreditLot, EntryKind, LedgerEntry, as_decimal

EARNS = (EntryKind.DRAW, EntryKind.EXPIRE)

_Key = tuple[EntryKind, str, date, str | None]  # kind, lot, day, meter: what is netted
_Net = tuple[Fraction, Decimal]  # credits and units
_NOTHING: _Net = (Fraction(0), ZERO)


def corrections(
    posted: Iterable[LedgerEntry], wanted: Iterable[LedgerEntry]
) -> tuple[LedgerEntry, ...]:
    """What to append to the entries posted so that they net to those wanted.

    Compared by kind, lot, day and meter.  Surplus is returned, the latest day first and within a
    day in reverse order; what is missing follows in the order wanted.  A second time gives nothing.
    Both are of the same days: what stands and is not wanted is returned.
    """
    with exact():
        had, wants = _nets(posted), _nets(wanted)
        surplus = [
            LedgerEntry(EntryKind.RETURN, lot, day, credits, meter, units, kind)
            for (kind, lot, day, meter), (credits, units) in _more(had, wants)
        ]
        missing = [
            LedgerEntry(kind, lot, day, credits, meter, units)
            for (kind, lot, day, meter), (credits, units) in _more(wants, had)
        ]
    surplus.sort(key=lambda entry: entry.day)
    return (*reversed(surplus), *missing)


def _nets(entries: Iterable[LedgerEntry]) -> dict[_Key, _Net]:
    """The sums by key, in the order in which the keys first occur."""
    nets: dict[_Key, _Net] = {}
    for entry in entries:
        key = (entry.counts_as, entry.lot, entry.day, entry.meter)
        credits, units = nets.get(key, _NOTHING)
        nets[key] = (credits + entry.sign * entry.credits, units + entry.sign * entry.units)
    return nets


def _more(these: dict[_Key, _Net], those: dict[_Key, _Net]) -> Iterator[tuple[_Key, _Net]]:
    """By how much these exceed those."""
    for key in these | those:
        (credits, units), (less, fewer) = these.get(key, _NOTHING), those.get(key, _NOTHING)
        if (more := (credits - less, units - fewer)) > _NOTHING:
            yield key, more


def balance(entries: Iterable[LedgerEntry], on: date) -> dict[str, Fraction]:
    """Credits by lot as the day `on` begins: every entry of an earlier day counts, none of its own.

    A lot that expires on that day therefore still holds what is about to expire.
    """
    left: dict[str, Fraction] = defaultdict(Fraction)
    for entry in entries:
        if entry.day < on:
            into = 1 if entry.counts_as is EntryKind.GRANT else -1
            left[entry.lot] += into * entry.sign * entry.credits
    return dict(left)


def value(lot: CreditLot, credits: Fraction, currency: str) -> Decimal:
    """What so many of the lot's credits were sold for, rounded: a cumulative value to subtract."""
    with exact():
        share = credits / Fraction(lot.credits) * Fraction(lot.price)
        return rounded(as_decimal(share), currency)


def recognized(
    entries: Iterable[LedgerEntry],
    lots: Iterable[CreditLot],
    currency: str,
    start: date,
    end: date,
) -> Decimal:
    """Revenue of the days `[start, end)`: differences of the lots' rounded cumulative values.

    So a lot's periods sum to its price exactly.  Draws and expiries recognise, their returns take
    it back.  A void recognises nothing: the sale of what was left is cancelled.
    """
    before: dict[str, Fraction] = defaultdict(Fraction)
    after: dict[str, Fraction] = defaultdict(Fraction)
    for entry in entries:
        if entry.counts_as in EARNS and entry.day < end:
            after[entry.lot] += entry.sign * entry.credits
            if entry.day < start:
                before[entry.lot] += entry.sign * entry.credits
    known = {lot.key: lot for lot in lots}
    with exact():
        return sum(
            (
                value(known[key], burnt, currency) - value(known[key], before[key], currency)
                for key, burnt in after.items()
            ),
            ZERO,
        )
