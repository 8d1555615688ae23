"""Credits as lots: who bought what, in which order it burns, and what is left on any day.

A credit has no fixed value: each lot carries its own units per credit.  100 credits = 500 segments
for 10.00 and 200 credits = 1500 segments for 15.00: 600 segments taken in that order leave 0 + 1400
and recognise 11.00; in the other order 900 + 500 and 6.00.

The ledger is a replay of grants and uses, day by day, so equal input gives the equal ledger.
Inside a replay credits are fractions: 1 segment of a 7.5-per-credit lot is exactly 2/15 credit.

Elsewhere: grants and consumption (Lago, Orb), credit blocks (Metronome).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from data.errors import InvalidTerms
from data.periods import days_between

FOREVER = date.max


@dataclass(frozen=True, slots=True)
class CreditLot:
    """Credits bought (or given, at price 0) together.  `expires_on` is exclusive."""

    key: str
    name: str
    credits: Decimal
    units_per_credit: Mapping[str, Decimal]  # by meter; a lot without the meter is passed over
    price: Decimal
    effective_on: date
    expires_on: date | None = None
    priority: int | None = None
    created: int = 0  # order of creation

    def __post_init__(self) -> None:
        if self.credits <= 0:
            raise InvalidTerms(f"credit lot {self.key}: credits must be above 0")
        if not self.units_per_credit or min(self.units_per_credit.values()) <= 0:
            raise InvalidTerms(f"credit lot {self.key}: units_per_credit must be above 0")
        if self.expires_on is not None and self.expires_on <= self.effective_on:
            raise InvalidTerms(f"credit lot {self.key}: expires_on must come after effective_on")

    def burn_order(self) -> tuple[object, ...]:
        """Priority, earliest expiry, free before paid, effective, created, key: a total order."""
        return (
            self.priority is None,
            self.priority or 0,
            self.expires_on or FOREVER,
            self.price > 0,
            self.effective_on,
            self.created,
            self.key,
        )

    def usable_on(self, day: date) -> bool:
        return self.effective_on <= day < (self.expires_on or FOREVER)


@dataclass(frozen=True, slots=True)
class CreditUse:
    day: date
    meter: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class CreditDraw:
    """One use of one lot; an expiry is a draw without a meter."""

    day: date
    lot: str
    credits: Fraction
    meter: str | None = None
    units: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """Credits left by lot and units owed by meter, before a day."""

    credits: Mapping[str, Fraction] = field(default_factory=dict)
    owed: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    draws: tuple[CreditDraw, ...]
    expiries: tuple[CreditDraw, ...]
    shortfall: Mapping[str, Decimal]  # units of the days replayed that no lot covered then
    closing: Opening


class _Balance:
    """The running state of a replay."""

    def __init__(self, lots: Iterable[CreditLot], opening: Opening) -> None:
        self.lots = sorted(lots, key=CreditLot.burn_order)
        self.left = {lot.key: opening.credits.get(lot.key, Fraction(lot.credits)) for lot in lots}
        self.owed = defaultdict(Decimal, opening.owed)
        self.shortfall: dict[str, Decimal] = defaultdict(Decimal)

    def expire(self, day: date) -> Iterator[CreditDraw]:
        for lot in self.lots:
            if lot.expires_on is not None and lot.expires_on <= day and self.left[lot.key]:
                yield CreditDraw(day, lot.key, self.left[lot.key])
                self.left[lot.key] = Fraction(0)

    def take(self, use: CreditUse) -> Iterator[CreditDraw]:
        """Draw the use from the lots in burn order; what is left over is owed."""
        wanted = use.quantity
        for lot in self.lots:
            rate = lot.units_per_credit.get(use.meter)
            if wanted <= 0:
                return
            if rate is None or not lot.usable_on(use.day) or not self.left[lot.key]:
                continue
            available = self.left[lot.key] * Fraction(rate)
            if wanted >= available:
                credits, units = self.left[lot.key], as_decimal(available)
            else:
                credits, units = Fraction(wanted) / Fraction(rate), wanted
            self.left[lot.key] -= credits
            wanted -= units
            yield CreditDraw(use.day, lot.key, credits, use.meter, units)
        if wanted > 0:
            self.owed[use.meter] += wanted
            self.shortfall[use.meter] += wanted

    def repay(self, day: date) -> Iterator[CreditDraw]:
        """What was owed is carried onto lots as they become usable."""
        for meter, units in list(self.owed.items()):
            self.owed[meter] = Decimal(0)
            before = self.shortfall[meter]
            yield from self.take(CreditUse(day, meter, units))
            self.shortfall[meter] = before  # owed again is not a new shortfall


def as_decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def replay(
    lots: Iterable[CreditLot],
    uses: Iterable[CreditUse],
    start: date,
    end: date,
    *,
    opening: Opening | None = None,
    carry: bool = True,
) -> Ledger:
    """The ledger of the days `[start, end)`.

    A whole day burns before an expiry at its end; within a day uses burn in the order given.
    With `carry`, units that no lot covered are owed and taken from later lots first.
    """
    balance = _Balance(tuple(lots), opening or Opening())
    by_day: dict[date, list[CreditUse]] = defaultdict(list)
    for use in uses:
        by_day[use.day].append(use)
    events = set(by_day) | {lot.expires_on for lot in balance.lots if lot.expires_on}
    events |= {max(start, lot.effective_on) for lot in balance.lots}
    draws: list[CreditDraw] = []
    expiries: list[CreditDraw] = []
    for day in sorted(day for day in events if start <= day < end):
        expiries += balance.expire(day)
        if carry:
            draws += balance.repay(day)
        for use in by_day[day]:
            draws += balance.take(use)
    owed = {meter: units for meter, units in balance.owed.items() if units and carry}
    closing = Opening(dict(balance.left), owed)
    shortfall = {meter: units for meter, units in balance.shortfall.items() if units}
    return Ledger(tuple(draws), tuple(expiries), shortfall, closing)


def run_out_day(
    lots: Iterable[CreditLot], meter: str, pace: Iterable[Decimal], start: date, opening: Opening
) -> date | None:
    """The first day on which the lots cannot cover the pace (units a day from `start` on)."""
    balance = _Balance(tuple(lots), opening)
    quantities = list(pace)
    days = days_between(start, date.fromordinal(start.toordinal() + len(quantities)))
    for day, quantity in zip(days, quantities, strict=True):
        list(balance.expire(day))
        list(balance.take(CreditUse(day, meter, quantity)))
        if balance.owed[meter] > 0:
            return day
    return None
