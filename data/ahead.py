"""The rest of a period as draws, exact from here on: courses of days in whole parts of a unit.

Floats of the projection become whole numbers once, here.  A margin price needs cost too: units
ahead take the trailing unit cost of their meter (28 days), Other has draws of its own, in cost, and
no day uses or costs less than it has already.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

import numpy as np

from data.billed import Billed
from data.meters import OTHER
from data.money import ONE, ZERO, exact, total
from data.periods import DAY, BillingPeriod, days_between
from data.pricing import (
    ALL_USAGE,
    segments,
)
from data.pricing.bulk import UsageColumns
from data.pricing.burning import PLACES, Courses
from data.pricing.columns import (
    FITS,
    Column,
    Ints,
    added,
    decimals,
    narrowed,
    objects,
    product,
    quotient,
    rescaled,
    whole,
    zeros,
)
from data.projection import (
    DRAWS,
    HISTORY_DAYS,
    LITTLE_HISTORY_DAYS,
    Floats,
    Projection,
    joint_paths,
    project,
)
from data.projection.calibration import IDENTITY, Calibration, usage_class
from data.usage import Measured

TRAILING_DAYS = 28
FINE = 9  # decimals of a unit cost ahead: a thousandth of what is stored
NO_DAYS: Floats = np.zeros((DRAWS, 0))
READ_AS_IS: Mapping[str, Calibration] = MappingProxyType({})

History = Sequence[tuple[date, Decimal]]
ByDay = Mapping[date, Decimal]


@dataclass(frozen=True)
class Course:
    """One meter: what is settled of the period, and 200 equally likely courses of the rest."""

    history: History
    moving: ByDay  # known already of days that are still settling
    projection: Projection
    quantity: Column  # shape (DRAWS, days to come)
    known: Decimal
    unit_cost: Decimal
    cost_floor: Ints  # millionths, by day to come

    @cached_property
    def cost(self) -> Column:
        """What Twilio would charge, in millionths."""
        values = product(self.quantity.values, whole(self.unit_cost, FINE))
        spread = quotient(values, 10 ** (self.quantity.scale + FINE - PLACES))
        return Column(np.maximum(spread, self.cost_floor), PLACES)

    @cached_property
    def totals(self) -> Column:
        """Of the whole period, by draw."""
        rest = rescaled(Column(self.quantity.values.sum(axis=1), self.quantity.scale), PLACES)
        return Column(plus(rest.values, whole(self.known, PLACES)), PLACES)


@dataclass(frozen=True)
class Ahead:
    """The projections of one subscription's period, by meter (Other: in cost)."""

    period: BillingPeriod
    settled_through: date
    opened_on: date
    courses: Mapping[str, Course]
    holidays: Collection[date] = ()

    @property
    def by_meter(self) -> Mapping[str, Projection]:
        return {meter: one.projection for meter, one in self.courses.items()}

    @property
    def little_history(self) -> bool:
        """Fewer than 14 settled days since the customer's first."""
        return (self.settled_through - self.opened_on).days + 1 < LITTLE_HISTORY_DAYS

    @property
    def first_day(self) -> date:
        """Of those to come."""
        return max(self.period.start, self.settled_through + DAY)

    def calibration(self, meter: str) -> Calibration:
        """What the meter is read by, in all that is projected of it."""
        one = self.courses.get(meter)
        return one.projection.calibration if one else IDENTITY

    def total(self, meter: str, draw: int) -> Decimal:
        return self.courses[meter].totals.figure(draw)

    def columns(self, meter: str, start: date, end: date, *, costs: bool) -> UsageColumns:
        """The draws of the days `[start, end)`; of all usage, only its cost is known."""
        if meter == ALL_USAGE:
            each = [_sums(one.cost, self._days(start, end)) for one in self.courses.values()]
            return UsageColumns(Column(zeros(DRAWS)), _together(each))
        if meter not in self.courses:
            return UsageColumns(Column(zeros(DRAWS)))
        one, days = self.courses[meter], self._days(start, end)
        return UsageColumns(_sums(one.quantity, days), _sums(one.cost, days) if costs else None)

    def by_day(self, meters: Iterable[str], start: date, end: date) -> Courses:
        """Millionths of a unit, shape (DRAWS, days)."""
        days = self._days(start, end)
        none = np.zeros((DRAWS, days.stop - days.start), dtype=np.int64)
        return {
            meter: rescaled(self.courses[meter].quantity, PLACES).values[:, days]
            if meter in self.courses
            else none
            for meter in meters
        }

    def _days(self, start: date, end: date) -> slice:
        first, until = ((day - self.first_day).days for day in (start, end))
        return slice(max(first, 0), max(until, 0))


def meters_ahead(billed: Billed, period: BillingPeriod, lead: str) -> list[str]:
    """Those whose projection a page or the bill needs: for a price of all usage, every one."""
    priced = {
        meter for plan, _ in segments(billed.stretches, period) for meter in plan.meters_priced
    }
    if ALL_USAGE in priced:
        return [*billed.meters, OTHER]
    return [meter for meter in billed.meters if meter == lead or meter in priced]


def look_ahead(
    measured: Measured,
    meters: Iterable[str],
    period: BillingPeriod,
    *,
    opened_on: date,
    settled_through: date,
    holidays: Collection[date] = (),
    calibrations: Mapping[str, Calibration] = READ_AS_IS,
) -> Ahead:
    """Project each of the meters (Other: its cost) that was ever used.

    Holidays are quiet days; `calibrations`, by class of use, are those in force.
    """
    given = _used(measured, meters)
    histories = {
        meter: history_of(values, period, opened_on, settled_through)
        for meter, values in given.items()
    }
    moving = {
        meter: {day: value for day, value in values.items() if day > settled_through}
        for meter, values in given.items()
    }
    projections = {
        meter: project(
            *(history, period.start, period.last_day, settled_through),
            floor=moving[meter],
            holidays=holidays,
            calibration=calibrations.get(usage_class([one for _, one in history]), IDENTITY),
        )
        for meter, history in histories.items()
    }
    to_come = settled_through < period.last_day
    paths = joint_paths(projections) if to_come else dict.fromkeys(projections, NO_DAYS)
    courses = {}
    for meter, projection in projections.items():
        costs = given[meter] if meter == OTHER else measured.cost.get(meter, {})
        courses[meter] = Course(
            histories[meter],
            moving[meter],
            projection,
            exact_paths(paths[meter], projection, moving[meter]),
            total(value for day, value in histories[meter] if day in period),
            ONE if meter == OTHER else _unit_cost(measured, meter, settled_through),
            narrowed(objects(whole(costs.get(day, ZERO), PLACES) for day in projection.days)),
        )
    return Ahead(period, settled_through, opened_on, courses, holidays)


def _used(measured: Measured, meters: Iterable[str]) -> dict[str, ByDay]:
    of_each = {
        meter: (measured.cost if meter == OTHER else measured.quantity).get(meter, {})
        for meter in meters
    }
    return {meter: values for meter, values in of_each.items() if any(values.values())}


def history_of(
    values: ByDay, period: BillingPeriod, opened_on: date, settled_through: date
) -> History:
    """A value a day, zeros explicit: all that a projection looks at, and the period so far."""
    looked_at = settled_through - timedelta(days=HISTORY_DAYS - 1)
    start = max(opened_on, min(looked_at, period.start))
    return [(day, values.get(day, ZERO)) for day in days_between(start, settled_through + DAY)]


def exact_paths(paths: Floats, projection: Projection, moving: ByDay) -> Column:
    """The paths in whole parts of a unit, none below what a settling day has used already."""
    floors = [moving.get(day, ZERO) for day in projection.days]
    fine = not projection.whole or any(decimals(one) for one in floors if one)
    scale = PLACES if fine else 0
    figures = np.rint(paths * 10**scale)
    fits = float(np.abs(figures).sum(axis=1).max(initial=0)) < FITS
    values: Ints = figures.astype(np.int64) if fits else objects_of(figures)
    least = narrowed(objects(whole(one, scale) if one else 0 for one in floors))
    return Column(np.maximum(values, least) if len(floors) else values, scale)


def objects_of(figures: Floats) -> Ints:
    return np.asarray(np.frompyfunc(int, 1, 1)(figures), dtype=np.object_)


def _unit_cost(measured: Measured, meter: str, settled_through: date) -> Decimal:
    """Cost of a unit over the trailing days; over all days where those had none."""
    costs, units = measured.cost.get(meter, {}), measured.quantity.get(meter, {})
    start = settled_through - timedelta(days=TRAILING_DAYS - 1)
    trailing = list(days_between(start, settled_through + DAY))
    with exact():
        for days in (trailing, sorted({*costs, *units})):
            quantity = sum((units.get(day, ZERO) for day in days), ZERO)
            if quantity:
                return sum((costs.get(day, ZERO) for day in days), ZERO) / quantity
    return ZERO


def _sums(given: Column, days: slice) -> Column:
    return Column(given.values[:, days].sum(axis=1), given.scale)


def _together(columns: Sequence[Column]) -> Column:
    found = zeros(DRAWS)
    for one in columns:
        found = added(found, slice(None), one.values)
    return Column(found, PLACES)


def plus(values: Ints, number: int) -> Ints:
    """Each with the number added."""
    return added(values, slice(None), narrowed(objects([number])))
