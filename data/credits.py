"""A customer's credits: what is left in which lot, when it runs out, and what will expire unused.

The balance counts every day known, settling ones too (they are provisional).  Ahead, 200 courses of
the days to come are burnt on the lots; of a settling day only what it is expected to have used
beyond what is known is still to be drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np

from data.ahead import Ahead, History, exact_paths, history_of
from data.billed import Billed
from data.money import ZERO, total
from data.outlook import EARLY, LATE, DayRange, day_range, rank
from data.periods import DAY, period_of, periods_between
from data.pricing import CreditLot, CreditLots, Opening, RatedPart
from data.pricing.burning import PLACES, Burning, Courses
from data.pricing.columns import narrowed, objects, rescaled, whole
from data.pricing.ledger import as_decimal
from data.projection import joint_paths, project

HORIZON_DAYS = 366  # beyond a year a run-out day is not in sight


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

    @property
    def credits_left(self) -> Decimal:
        return sum((lot.credits_left for lot in self.lots), Decimal(0))

    @property
    def used_up(self) -> bool:
        """Nothing is left, and more was used than there was."""
        return bool(self.owed) and not self.credits_left

    @property
    def units_left(self) -> Decimal:
        return sum((lot.units_left for lot in self.lots), Decimal(0))


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
    burnt = Burning(price, basis, tomorrow, courses)
    burnt.burn(periods_between(basis.period.end, until, anchor_day))
    shown = billed.meters[meter]
    lots = price.in_burn_order((*basis.lots, *closing.issued))
    return Credits(
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        lots=tuple(
            _lot_left(lot, meter, closing, burnt)
            for lot in lots
            if lot.usable_on(tomorrow) and closing.credits.get(lot.key)
        ),
        used=part.usage[meter].quantity,
        owed=closing.owed.get(meter, ZERO),
        runs_out=day_range(burnt.runs_out, tomorrow, HORIZON_DAYS),
        all_expire_on=None if price.recurring else _all_expire_on(lots, tomorrow),
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


def _lot_left(lot: CreditLot, meter: str, closing: Opening, burnt: Burning) -> LotLeft:
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
    )


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
