"""A customer's credits: what is left in which lot, when it runs out, and what will expire unused.

The balance counts every day known, settling ones too (they are provisional).  Ahead, 200 courses of
the days to come are burnt on the lots; of a settling day only what it is expected to have used
beyond what is known is still to be drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np

from data.ahead import Ahead, History, exact_paths, history_of
from data.billed import Billed
from data.money import ZERO, total
from data.outlook import EARLY, LATE, LIKELY, DayRange, day_range, rank
from data.periods import DAY, period_of, periods_between
from data.pricing import Basis, CreditLot, CreditLots, Meter, Opening, RatedPart
from data.pricing.burning import PLACES, Burning, Courses
from data.pricing.columns import narrowed, objects, rescaled, whole
from data.pricing.credit_lots import Pack
from data.pricing.ledger import as_decimal
from data.projection import joint_paths, project
from data.projection.fan import Fan

HORIZON_DAYS = 366  # beyond a year a run-out day is not in sight
DAILY, WEEK = 14, 7  # the balance ahead is noted each day for two weeks, then each week
WARN_DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Buys:
    """What credits still pay for, if they were all used for one meter."""

    meter: str
    label: str
    unit: str
    units: Decimal


@dataclass(frozen=True, slots=True)
class LotLeft:
    name: str
    bought_on: date
    expires_on: date | None
    credits: Decimal
    credits_left: Decimal
    units_left: Decimal  # of the meter shown
    units_per_credit: Decimal
    price: Decimal
    expected_unused: tuple[Decimal, Decimal] | None = None  # credits expiring at this pace: range
    key: str = ""
    buys: tuple[Buys, ...] = ()  # by meter: one or the other, not all of them


@dataclass(frozen=True, slots=True)
class Credits:
    """Lots that still hold credits, in the order in which they burn."""

    meter: str
    label: str
    unit: str
    lots: tuple[LotLeft, ...]
    used: Decimal  # units in this period
    owed: Decimal  # units that no lot covered
    runs_out: DayRange
    all_expire_on: date | None = None  # the last lot's day; None: one stays, or new ones come
    packs: tuple["PackOffer", ...] = ()  # that the plan sells, in its order
    currency: str = ""  # of the packs and what was paid for lots
    ahead: Fan | None = None  # credits left as each day ahead begins; a day of steps stands twice

    @property
    def credits_left(self) -> Decimal:
        return sum((lot.credits_left for lot in self.lots), Decimal(0))

    @property
    def used_up(self) -> bool:
        """Nothing is left; `owed` says whether more was used than there was."""
        return not self.credits_left

    @property
    def units_left(self) -> Decimal:
        return sum((lot.units_left for lot in self.lots), Decimal(0))

    @property
    def buys(self) -> tuple[Buys, ...]:
        """All lots together, by meter."""
        found: dict[str, Buys] = {}
        for one in (one for lot in self.lots for one in lot.buys):
            known = found.get(one.meter)
            units = one.units + (known.units if known else ZERO)
            found[one.meter] = replace(one, units=units)
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class PackOffer:
    name: str
    credits: Decimal
    price: Decimal
    buys: tuple[Buys, ...]


class Concern(StrEnum):
    USED_UP = "used_up"  # nothing is left, or more was used than there was
    RUNS_OUT = "runs_out"
    EXPIRES = "expires"  # a lot, with some of it unused at this pace


@dataclass(frozen=True, slots=True)
class CreditWarning:
    """What a customer should hear of: `within` 1, 7 or 30 days.  Used up: 0."""

    concern: Concern
    within: int
    on: DayRange
    lot: str = ""  # its name
    credits: tuple[Decimal, Decimal] | None = None  # that expire unused: from few to many


def credit_warnings(own: Credits, *, today: date) -> tuple[CreditWarning, ...]:
    """The most pressing first; the one list for page, message and export.

    A run-out counts by its likely day, an expiry where a whole credit may be left of the lot.
    """
    found = []
    if own.used_up:
        found.append(CreditWarning(Concern.USED_UP, 0, DayRange(today, today, today)))
    elif own.runs_out.likely and (within := _within(own.runs_out.likely, today)):
        found.append(CreditWarning(Concern.RUNS_OUT, within, own.runs_out))
    for lot in own.lots:
        on, unused = lot.expires_on, lot.expected_unused
        if on and unused and unused[1] >= 1 and (within := _within(on, today)):
            ends = DayRange(on, on, on)
            found.append(CreditWarning(Concern.EXPIRES, within, ends, lot.name, unused))
    return tuple(sorted(found, key=lambda one: one.within))


def _within(day: date, today: date) -> int | None:
    return next((most for most in WARN_DAYS if (day - today).days <= most), None)


class _Noted(Burning):
    """Burning that notes what all lots hold as a day begins, before and after its steps."""

    def __init__(
        self, price: CreditLots, basis: Basis, start: date, courses: Courses, noted: Iterable[date]
    ) -> None:
        super().__init__(price, basis, start, courses)
        self.noted = set(noted)
        self.balances: list[tuple[date, np.typing.NDArray[np.float64]]] = []

    def _cuts(self, end: date, periods: Iterable[date]) -> list[date]:
        inside = {day for day in self.noted if self.start < day < end}
        return sorted({*super()._cuts(end, periods), *inside})

    def _open(self, day: date) -> None:
        before = self._held(day - DAY)
        super()._open(day)
        after = self._held(day)
        if day != self.start and (before != after).any():
            self.balances.append((day, before))
        self.balances.append((day, after))

    def _held(self, day: date) -> np.typing.NDArray[np.float64]:
        held = np.zeros(self.size)
        for stock in self.stocks:
            if stock.lot.effective_on <= day:
                held += stock.left / stock.scale
        return held


def _balance_ahead(burnt: _Noted) -> Fan | None:
    """Up to the day from which nothing is left in any course: for a chart, to the hundredth."""
    rows = [(day, np.sort(values)) for day, values in burnt.balances]
    used = [number for number, (_, values) in enumerate(rows) if values[rank(LATE)] > 0]
    shown = rows[: used[-1] + 2] if used else []
    if not shown:
        return None
    ends = (
        tuple(Decimal(repr(round(float(values[rank(share)]), 2))) for _, values in shown)
        for share in (EARLY, LIKELY, LATE)
    )
    return Fan(tuple(day for day, _ in shown), *ends)


def _noted_days(start: date) -> tuple[date, ...]:
    weekly = range(DAILY, HORIZON_DAYS, WEEK)
    return tuple(start + DAY * number for number in (*range(DAILY), *weekly))


def credit_balance(
    billed: Billed, ahead: Ahead, part: RatedPart | None, *, today: date, anchor_day: int = 1
) -> Credits | None:
    """The credits as of the end of `today`, the part's last known day."""
    prices = part.plan.prices if part else ()
    price = next((price for price in prices if isinstance(price, CreditLots)), None)
    if part is None or price is None:
        return None
    meter, tomorrow = price.meters[0], today + DAY
    closing = price.ledger(part.usage, part.basis).closing
    basis = replace(part.basis, opening=closing, known_until=None)
    until = tomorrow + DAY * HORIZON_DAYS
    courses = _courses(billed, ahead, price, today, until)
    burnt = _Noted(price, basis, tomorrow, courses, _noted_days(tomorrow))
    burnt.burn(periods_between(basis.period.end, until, anchor_day))
    shown = billed.meters[meter]
    lots = price.in_burn_order((*basis.lots, *closing.issued))
    return Credits(
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        lots=tuple(
            _lot_left(lot, meter, closing, burnt, billed)
            for lot in lots
            if lot.usable_on(tomorrow) and closing.credits.get(lot.key)
        ),
        used=part.usage[meter].quantity,
        owed=closing.owed.get(meter, ZERO),
        runs_out=day_range(burnt.runs_out, tomorrow, HORIZON_DAYS),
        all_expire_on=None if price.recurring else _all_expire_on(lots, tomorrow),
        packs=tuple(_offer(billed, pack) for pack in price.packs),
        currency=part.plan.currency,
        ahead=_balance_ahead(burnt),
    )


def _courses(billed: Billed, ahead: Ahead, price: CreditLots, today: date, until: date) -> Courses:
    """Millionths of a unit a day from tomorrow on; the first day takes what is still to be drawn
    of settling days.

    The running period and the time after it are projected apart: a year ahead is less sure than
    the days at hand, of which the rest of the page says the same.
    """
    seen = min(ahead.settled_through, today)
    histories = {meter: _history(billed, ahead, meter, seen) for meter in price.meters}
    known = {meter: _known(billed, meter, seen, today) for meter in price.meters}
    parts = []
    for start, end in ((seen + DAY, ahead.period.end), (ahead.period.end, until)):
        projections = {
            meter: project(
                *(history, start, end - DAY, seen),
                floor=known[meter],
                holidays=ahead.holidays,
                calibration=ahead.calibration(meter),
            )
            for meter, history in histories.items()
        }
        paths = joint_paths(projections)
        parts.append(
            {
                meter: rescaled(exact_paths(paths[meter], one, known[meter]), PLACES).values
                for meter, one in projections.items()
            }
        )
    settling = (today - seen).days
    courses = {}
    for meter in price.meters:
        units = np.concatenate([part[meter] for part in parts], axis=1)
        drawn = narrowed(objects([whole(total(known[meter].values()), PLACES)]))
        to_come = units[:, settling:].copy()
        to_come[:, 0] += units[:, :settling].sum(axis=1) - drawn
        courses[meter] = to_come
    return courses


def _history(billed: Billed, ahead: Ahead, meter: str, seen: date) -> History:
    """As the period was projected from, or up to the end of one that is over."""
    if meter in ahead.courses and ahead.settled_through == seen:
        return ahead.courses[meter].history
    values = billed.shown.quantity.get(meter, {})
    return history_of(values, period_of(seen), min(values, default=seen), seen)


def _known(billed: Billed, meter: str, seen: date, today: date) -> dict[date, Decimal]:
    values = billed.shown.quantity.get(meter, {})
    return {day: value for day, value in values.items() if seen < day <= today}


def _lot_left(
    lot: CreditLot, meter: str, closing: Opening, burnt: Burning, billed: Billed
) -> LotLeft:
    left, rate = closing.credits[lot.key], lot.units_per_credit.get(meter, ZERO)
    return LotLeft(
        name=lot.name,
        bought_on=lot.effective_on,
        expires_on=lot.expires_on,
        credits=lot.credits,
        credits_left=as_decimal(left),
        units_left=as_decimal(left * Fraction(rate)),
        units_per_credit=rate,
        price=lot.price,
        expected_unused=_unused(lot, burnt),
        key=lot.key,
        buys=_buys(billed, left, lot.units_per_credit),
    )


def _buys(billed: Billed, credits: Fraction, rates: Mapping[str, Decimal]) -> tuple[Buys, ...]:
    found = []
    for name, rate in rates.items():
        meter, units = billed.meters.get(name), as_decimal(credits * Fraction(rate))
        found.append(Buys(name, meter.label or name if meter else name, _unit(meter, name), units))
    return tuple(found)


def _unit(meter: Meter | None, name: str) -> str:
    return meter.unit if meter else name


def _offer(billed: Billed, pack: Pack) -> PackOffer:
    buys = _buys(billed, Fraction(pack.credits), pack.units_per_credit)
    return PackOffer(pack.name, pack.credits, pack.price, buys)


def _all_expire_on(lots: Sequence[CreditLot], tomorrow: date) -> date | None:
    """Lots bought for later count: credits last until those are gone."""
    ends = [lot.expires_on for lot in lots if lot.ends_on > tomorrow]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _unused(lot: CreditLot, burnt: Burning) -> tuple[Decimal, Decimal] | None:
    """Credits that expire, from few to many; None where that is not in sight."""
    if lot.expires_on is None or lot.expires_on >= burnt.start + DAY * burnt.days:
        return None
    parts, scale = burnt.expired(lot.key)
    ordered = np.sort(parts)
    low, high = (Fraction(int(ordered[rank(share)]), scale) for share in (EARLY, LATE))
    return as_decimal(low), as_decimal(high)
