"""Credits as lots: who bought what, in which order it burns, and what is left on any day.

A credit has no fixed value: each lot carries its own units per credit.  100 credits = 500 segments
for 10.00 and 200 credits = 1500 segments for 15.00: 600 segments taken in that order leave 0 + 1400
and recognise 11.00; in the other order 900 + 500 and 6.00.

The ledger is a replay of grants and uses, day by day, so equal input gives the equal ledger.
Elsewhere: grants and consumption (Lago, Orb), credit blocks (Metronome).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from heapq import heappop, heappush
from math import lcm
from typing import Literal, get_args

from data.errors import Conflict, InvalidTerms
from data.money import ZERO, exact
from data.periods import DAY

FOREVER = date.max
GRID = 18  # decimals of the finest unit that is counted
_PER_UNIT = 10**GRID

BurnKey = Literal["priority", "expires_on", "free_first", "effective_on", "created", "key"]
BURN_ORDER: tuple[BurnKey, ...] = get_args(BurnKey)


@dataclass(frozen=True, slots=True)
class CreditLot:
    """Credits bought (or given, at price 0) together.

    `expires_on` is exclusive.  From `voided_on` on nothing is left: earlier draws stand.
    """

    key: str
    name: str
    credits: Decimal
    units_per_credit: Mapping[str, Decimal]  # by meter; a lot without the meter is passed over
    price: Decimal
    effective_on: date
    expires_on: date | None = None
    priority: int | None = None
    created: int = 0  # order of creation
    voided_on: date | None = None

    def __post_init__(self) -> None:
        rates = self.units_per_credit
        if self.credits <= 0:
            self._refuse("credits must be above 0")
        if not rates:
            self._refuse("units_per_credit converts no meter")
        if wrong := [meter for meter, rate in rates.items() if rate <= 0]:
            self._refuse(f"units_per_credit must be above 0, and {wrong[0]} is {rates[wrong[0]]}")
        if self.expires_on is not None and self.expires_on <= self.effective_on:
            self._refuse("expires_on must come after effective_on")
        if self.voided_on is not None and self.voided_on < self.effective_on:
            self._refuse("voided_on must not come before effective_on")

    def _refuse(self, reason: str) -> None:
        raise InvalidTerms(f"credit lot {self.key}: {reason}", lot=self.key)

    def burn_order(self, keys: Sequence[BurnKey] = BURN_ORDER) -> tuple[object, ...]:
        """What lots are sorted by.  By default: priority, earliest expiry, free before paid,
        effective, created, key.  The last two always decide: the order is total."""
        parts: dict[str, tuple[object, ...]] = {
            "priority": (self.priority is None, self.priority or 0),
            "expires_on": (self.expires_on or FOREVER,),
            "free_first": (self.price > 0,),
            "effective_on": (self.effective_on,),
            "created": (self.created,),
            "key": (self.key,),
        }
        return tuple(part for key in (*keys, "created", "key") for part in parts[key])

    @property
    def ends_on(self) -> date:
        """The first day on which nothing is left of it, whatever was used."""
        return min(self.expires_on or FOREVER, self.voided_on or FOREVER)

    def usable_on(self, day: date) -> bool:
        return self.effective_on <= day < self.ends_on


@dataclass(frozen=True, slots=True)
class CreditUse:
    day: date
    meter: str
    quantity: Decimal


class EntryKind(StrEnum):
    GRANT = "grant"
    DRAW = "draw"
    RETURN = "return"  # takes back another entry; nothing is ever edited
    EXPIRE = "expire"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """So many credits into a lot (a grant) or out of it; `credits` is never negative.

    Only a draw, and the return of one, has a meter and its units.
    """

    kind: EntryKind
    lot: str
    day: date
    credits: Fraction
    meter: str | None = None
    units: Decimal = ZERO
    returns: EntryKind | None = None  # of a return: what it takes back

    @property
    def counts_as(self) -> EntryKind:
        """The kind whose sum it changes; a return that does not say is of a draw or an expiry."""
        if self.kind is not EntryKind.RETURN:
            return self.kind
        return self.returns or (EntryKind.EXPIRE if self.meter is None else EntryKind.DRAW)

    @property
    def sign(self) -> int:
        return -1 if self.kind is EntryKind.RETURN else 1


CreditDraw = LedgerEntry


@dataclass(frozen=True, slots=True)
class Opening:
    """Credits left by lot and units owed by meter, before a day.

    `issued` are the lots that a recurring grant made, while they may still be drawn or rolled over.
    """

    credits: Mapping[str, Fraction] = field(default_factory=dict)
    owed: Mapping[str, Decimal] = field(default_factory=dict)
    issued: tuple[CreditLot, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    entries: tuple[LedgerEntry, ...]  # in the order in which they happened
    shortfall: Mapping[str, Decimal]  # units of the days replayed that no lot covered then
    closing: Opening

    def of_kind(self, kind: EntryKind) -> tuple[LedgerEntry, ...]:
        return tuple(entry for entry in self.entries if entry.kind is kind)

    @property
    def draws(self) -> tuple[LedgerEntry, ...]:
        return self.of_kind(EntryKind.DRAW)

    @property
    def expiries(self) -> tuple[LedgerEntry, ...]:
        return self.of_kind(EntryKind.EXPIRE)


def unique_grants(lots: Iterable[CreditLot]) -> tuple[CreditLot, ...]:
    """A grant given twice under one key counts once; Conflict names what differs.

    The first stands, with its order of creation; a lot voided in either is voided.
    """
    found: dict[str, CreditLot] = {}
    for lot in lots:
        first = found.setdefault(lot.key, lot)
        if first is lot:
            continue
        voided_on = first.voided_on or lot.voided_on
        again = replace(lot, created=first.created, voided_on=lot.voided_on or voided_on)
        found[lot.key] = first = replace(first, voided_on=voided_on)
        for term in CreditLot.__slots__:
            if getattr(first, term) != getattr(again, term):
                message = f"credit lot {lot.key} was granted before with another {term}"
                raise Conflict(message, lot=lot.key, field=term)
    return tuple(found.values())


class _Stock:
    """What is left of a lot, as an integer: `scale` to the credit, `cost[meter]` to the finest
    unit.  Integers are as exact as fractions and five times as fast."""

    __slots__ = ("cost", "left", "lot", "scale")

    def __init__(self, lot: CreditLot, left: Fraction) -> None:
        rates = {meter: Fraction(rate) for meter, rate in lot.units_per_credit.items()}
        whole = lcm(*(rate.numerator for rate in rates.values()))
        self.lot = lot
        self.scale = lcm(whole * _PER_UNIT, left.denominator)
        self.left = int(left * self.scale)
        self.cost = {meter: int(self.scale / rate) // _PER_UNIT for meter, rate in rates.items()}

    @property
    def credits(self) -> Fraction:
        return Fraction(self.left, self.scale)


class _Replay:
    """The running state of a replay: opens one day after another and takes its uses.

    Per meter the lots that may be drawn stand in a heap by burn order.  Each enters once, when it
    becomes effective, and leaves once it is found empty: time is linear in uses and lots.
    """

    def __init__(
        self, lots: Iterable[CreditLot], opening: Opening, start: date, order: Sequence[BurnKey]
    ) -> None:
        lots = unique_grants((*lots, *opening.issued))
        in_order = sorted(lots, key=lambda lot: lot.burn_order(order))
        self.stocks = [_Stock(lot, _left_before(lot, opening, start)) for lot in in_order]
        self.start = start
        ranks = range(len(self.stocks))
        self.to_come = sorted(ranks, key=lambda n: (in_order[n].effective_on, n), reverse=True)
        self.to_end = sorted(ranks, key=lambda n: (in_order[n].ends_on, n), reverse=True)
        self.usable: dict[str, list[int]] = defaultdict(list)
        self.owed = defaultdict(Decimal, opening.owed)
        self.shortfall: dict[str, Decimal] = defaultdict(Decimal)
        self.entries: list[LedgerEntry] = []

    def days(self) -> set[date]:
        """The days on which something happens without a use, the first day among them."""
        lots = [stock.lot for stock in self.stocks]
        return {self.start, *(lot.effective_on for lot in lots), *(lot.ends_on for lot in lots)}

    def open(self, day: date) -> None:
        """What ends leaves before what is granted enters; a lot may be granted and void at once."""
        ended = self._ended(day)
        for stock in ended:
            if stock.lot.effective_on < day:
                self._empty(stock, day)
        while self.to_come and self.stocks[self.to_come[-1]].lot.effective_on <= day:
            rank = self.to_come.pop()
            stock = self.stocks[rank]
            if stock.lot.effective_on >= self.start:
                granted = Fraction(stock.lot.credits)
                self._post(EntryKind.GRANT, stock.lot.key, day, granted)
            for meter in stock.cost:
                heappush(self.usable[meter], rank)
        for stock in ended:
            self._empty(stock, day)

    def _ended(self, day: date) -> list[_Stock]:
        found = []
        while self.to_end and self.stocks[self.to_end[-1]].lot.ends_on <= day:
            found.append(self.stocks[self.to_end.pop()])
        return found

    def _empty(self, stock: _Stock, day: date) -> None:
        if stock.left:
            expired = stock.lot.ends_on == stock.lot.expires_on
            kind = EntryKind.EXPIRE if expired else EntryKind.VOID
            self._post(kind, stock.lot.key, day, stock.credits)
            stock.left = 0

    def _post(self, kind: EntryKind, lot: str, day: date, credits: Fraction) -> None:
        self.entries.append(LedgerEntry(kind, lot, day, credits))

    def take(self, day: date, meter: str, quantity: Decimal) -> Decimal:
        """Draw the units from the lots in burn order; returns those that no lot covers.

        The units that empty a lot are rounded up to the grid, in the customer's favour.
        """
        wanted = int(quantity.scaleb(GRID))
        heap = self.usable[meter]
        untouched = True
        while wanted > 0 and heap:
            stock = self.stocks[heap[0]]
            cost = stock.cost[meter]
            taken = wanted * cost
            if taken < stock.left:
                units = quantity if untouched else _units(wanted)
                wanted = 0
            else:
                heappop(heap)
                if not (taken := stock.left):
                    continue
                covered = -(-taken // cost)
                units, wanted, untouched = _units(covered), wanted - covered, False
            stock.left -= taken
            credits = Fraction(taken, stock.scale)
            entry = LedgerEntry(EntryKind.DRAW, stock.lot.key, day, credits, meter, units)
            self.entries.append(entry)
        return _units(wanted) if wanted > 0 else ZERO

    def repay(self, day: date) -> None:
        """What was owed is taken from lots as they become usable, before the day's own use.

        Meter by meter in the order of their names: an opening does not tell which is older.
        """
        for meter in sorted(self.owed):
            if units := self.owed[meter]:
                self.owed[meter] = self.take(day, meter, units)

    def use(self, use: CreditUse) -> None:
        if missing := self.take(use.day, use.meter, use.quantity):
            self.owed[use.meter] += missing
            self.shortfall[use.meter] += missing

    def closing(self, issued: Iterable[CreditLot], end: date, *, carry: bool) -> Opening:
        """Lots issued that are over are forgotten; on its last day one may still be rolled over."""
        left = {stock.lot.key: stock.credits for stock in self.stocks}
        owed = {meter: units for meter, units in self.owed.items() if units and carry}
        over = {lot.key for lot in issued if lot.ends_on < end}
        return Opening(
            {key: credits for key, credits in left.items() if key not in over},
            owed,
            tuple(lot for lot in issued if lot.key not in over),
        )


def _left_before(lot: CreditLot, opening: Opening, start: date) -> Fraction:
    """An opening that does not know the lot says that nothing was drawn; nor is it of use later."""
    over = lot.ends_on < start
    return opening.credits.get(lot.key, Fraction(0) if over else Fraction(lot.credits))


def _units(grid: int) -> Decimal:
    whole, rest = divmod(grid, _PER_UNIT)
    return Decimal(grid).scaleb(-GRID).normalize() if rest else Decimal(whole)


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
    burn_order: Sequence[BurnKey] = BURN_ORDER,
) -> Ledger:
    """The ledger of the days `[start, end)`, over the lots and those the opening has issued.

    A whole day burns before an expiry at its end; within a day uses burn in the order given.
    With `carry`, units that no lot covered are owed and taken from later lots first.
    """
    opening = opening or Opening()
    by_day: dict[date, list[CreditUse]] = defaultdict(list)
    for use in uses:
        by_day[use.day].append(use)
    with exact():
        state = _Replay(lots, opening, start, burn_order)
        for day in sorted(day for day in state.days() | set(by_day) if start <= day < end):
            state.open(day)
            if carry:
                state.repay(day)
            for use in by_day[day]:
                state.use(use)
        closing = state.closing(opening.issued, end, carry=carry)
    return Ledger(tuple(state.entries), dict(state.shortfall), closing)


def run_out_day(
    lots: Iterable[CreditLot],
    meter: str,
    pace: Iterable[Decimal],
    start: date,
    opening: Opening,
    *,
    burn_order: Sequence[BurnKey] = BURN_ORDER,
) -> date | None:
    """The first day on which the lots cannot cover the pace (units a day from `start` on), and
    what was owed before."""
    with exact():
        state = _Replay(lots, opening, start, burn_order)
        for number, quantity in enumerate(pace):
            day = start + DAY * number
            state.open(day)
            state.repay(day)
            state.use(CreditUse(day, meter, quantity))
            if state.owed[meter]:
                return day
    return None
