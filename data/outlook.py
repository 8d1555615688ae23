"""Where a period will end, in money: every draw of the usage is rated by the price engine.

Rating draws, not the ends of an interval, is what keeps the figures right: prices need not be
monotone, and the expected overage is the mean over draws, not the overage of the mean.  Every
figure here comes from the same draws; the chance of passing the allowance in force is the share of
those that have a day on which it ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import numpy as np

from data.advice import Advice, advice, bundle_of, next_advice
from data.ahead import Ahead, Course, exact_paths, look_ahead, meters_ahead
from data.billed import Billed
from data.drawn import rated_draws
from data.money import ZERO, digits, rounded, total
from data.periods import DAY, BillingPeriod
from data.pricing import RatedPart, TiersWithOverage, segments
from data.pricing.columns import Column, Ints, objects, rescaled, whole
from data.projection import DRAWS, Components, project

__all__ = [
    "Advice",
    "Ahead",
    "Change",
    "DayRange",
    "Outlook",
    "Range",
    "bundle_of",
    "look_ahead",
    "meters_ahead",
    "outlook",
]

EARLY, LIKELY, LATE = 0.1, 0.5, 0.9
Due = Callable[[Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class DayRange:
    """A day that lies between `early` and `late` in four cases of five; None is "not in sight"."""

    early: date | None
    likely: date | None
    late: date | None


@dataclass(frozen=True, slots=True)
class Range:
    """Four periods out of five end between low and high."""

    low: Decimal
    likely: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """Why the projection moved since the day before: `quantity` = `settled` + `pace`."""

    since: date  # the last settled day that the projection before knew
    quantity: Decimal  # by which the likely total moved, in units
    settled: Decimal  # of that: the day that settled, against what was expected of it
    pace: Decimal  # of that: the days to come


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where the period will end."""

    amount: Range | None
    quantity: Range  # of the meter that matters most
    unit: str
    label: str
    chance_of_overage: float | None  # 0–1; None: nothing can be exceeded
    expected_overage: Decimal | None  # mean over all draws, in money
    allowance_ends: DayRange | None
    little_history: bool  # fewer than 14 settled days: a wide guess
    advice: Advice | None = None
    over: bool = False  # the period is complete and settled: these are facts
    mean_amount: Decimal | None = None
    next_advice: Advice | None = None  # for the period that follows
    components: Components | None = None  # of the lead meter; None: it was never used
    changed: Change | None = None  # None: there was no day before
    overage: Range | None = None  # of the whole period, in money before tax


def outlook(
    billed: Billed,
    ahead: Ahead,
    lead: str,
    label: str,
    unit: str,
    *,
    due: Due | None = None,
    anchor_day: int = 1,
    on: date | None = None,
) -> Outlook:
    """The period's end: the amount's range and the lead meter's, the chance of overage.

    The allowance is that in force `on` a day, by default the first to come.  `due` says what is
    paid of an amount (adjustments, money credits); a larger amount never less.
    """
    rated, course = rated_draws(billed, ahead), ahead.courses.get(lead)
    parts = [plan for plan, _ in segments(billed.stretches, ahead.period)]
    bundles = [found for found in (bundle_of(plan, lead) for plan in parts) if found]
    priced = any(isinstance(found, TiersWithOverage) for found in bundles)
    over = ahead.settled_through >= ahead.period.last_day
    chance, ends = _passing(billed, ahead, lead, on or ahead.first_day)
    little = course.projection.little_history if course else ahead.little_history
    amounts = _money(rated.amounts, rated.currency, due) if rated else []
    beyond = _money(rated.overage, rated.currency) if rated and priced else []
    found = Outlook(
        amount=_range(amounts) if rated else None,
        quantity=_quantities(course) if course else Range(ZERO, ZERO, ZERO),
        unit=unit,
        label=label,
        chance_of_overage=chance,
        expected_overage=_mean(beyond, rated.currency) if rated and priced else None,
        overage=_range(beyond) if rated and priced else None,
        allowance_ends=ends,
        little_history=little and not over,
        over=over,
        mean_amount=_mean(amounts, rated.currency) if rated else None,
        components=course.projection.components if course else None,
    )
    if over:
        return found
    return replace(
        found,
        advice=advice(billed, ahead, lead),
        next_advice=next_advice(billed, ahead, lead, anchor_day),
        changed=_changed(ahead, lead),
    )


def _money(amounts: Ints, currency: str, due: Due | None = None) -> list[Decimal]:
    """Ascending, in the currency."""
    places = digits(currency)
    found = [Decimal(int(one)).scaleb(-places) for one in np.sort(amounts)]
    return [due(one) for one in found] if due else found


def _mean(values: Sequence[Decimal], currency: str) -> Decimal:
    return rounded(Fraction(total(values)) / len(values), currency)


def rank(share: float, count: int = DRAWS) -> int:
    return round((count - 1) * share)


def _range(ordered: Sequence[Decimal]) -> Range:
    low, likely, high = (ordered[rank(share, len(ordered))] for share in (EARLY, LIKELY, LATE))
    return Range(low, likely, high)


def _quantities(course: Course) -> Range:
    totals = course.totals
    ordered = Column(np.sort(totals.values), totals.scale)
    low, likely, high = (ordered.figure(rank(share)) for share in (EARLY, LIKELY, LATE))
    return Range(low, likely, high)


def _passing(
    billed: Billed, ahead: Ahead, meter: str, on: date
) -> tuple[float | None, DayRange | None]:
    """The chance that the allowance in force is passed, and the day: already, or draw by draw."""
    course, part = ahead.courses.get(meter), _in_force(billed, ahead, on)
    bundle = bundle_of(part.plan, meter) if part else None
    if part is None or bundle is None:
        return None, None
    if course is None:
        return 0.0, None
    span = part.basis.span(meter)  # a change that leaves the price alone does not end it
    limit = part.basis.allowance(bundle.tier.allowance, meter)
    used = billed.shown.usage(meter, span.start, span.end)
    if used.quantity > limit:
        running = accumulate(day.quantity for day in used.days)
        beyond = zip(used.days, running, strict=True)
        passed = next(day.day for day, total_then in beyond if total_then > limit)
        return 1.0, DayRange(passed, passed, passed)
    settled = billed.shown.usage(meter, span.start, min(ahead.first_day, span.end)).quantity
    return _passes(ahead, course, limit - settled, span)


def _in_force(billed: Billed, ahead: Ahead, on: date) -> RatedPart | None:
    """The part of the period that the day lies in, or the last one before it."""
    parts = billed.rated(ahead.period, ahead.settled_through).parts
    begun = [part for part in parts if part.period.start <= on]
    return begun[-1] if begun else None


def _passes(
    ahead: Ahead, course: Course, left: Decimal, span: BillingPeriod
) -> tuple[float, DayRange]:
    """Each draw's first day beyond what is left, within the days of the span."""
    start = max(span.start, ahead.first_day)
    first = (start - ahead.first_day).days
    days = course.quantity.values[:, first : max((span.end - ahead.first_day).days, first)]
    units = rescaled(Column(days.cumsum(axis=1), course.quantity.scale), 6)
    beyond = np.asarray(units.values > whole(left, 6), dtype=np.bool_)
    never = beyond.shape[1]
    when = np.where(beyond.any(axis=1), beyond.argmax(axis=1), never) if never else np.zeros(DRAWS)
    return float((when < never).mean()), day_range(when, start, never)


def day_range(when: Ints, start: date, never: int) -> DayRange:
    """From each draw's day, counted from `start`; `never` and later is not in sight."""
    ordered = np.sort(when)
    early, likely, late = (int(ordered[rank(share, len(when))]) for share in (EARLY, LIKELY, LATE))
    found = [start + DAY * one if one < never else None for one in (early, likely, late)]
    return DayRange(*found)


def _changed(ahead: Ahead, lead: str) -> Change | None:
    """Against the projection that did not know the last settled day."""
    course, period = ahead.courses.get(lead), ahead.period
    if course is None or len(course.history) < 2:
        return None
    last, settled = course.history[-1]
    before = project(
        course.history[:-1],
        period.start,
        period.last_day,
        last - DAY,
        floor=course.moving,
        holidays=ahead.holidays,
        calibration=ahead.calibration(lead),
    )
    paths = exact_paths(before.paths, before, course.moving)
    known = course.known - settled if last in period else course.known
    sums = Column(np.sort(paths.values.sum(axis=1)), paths.scale)
    moved = _quantities(course).likely - known - sums.figure(rank(LIKELY))
    of_the_day = ZERO
    if last in period:
        expected = rescaled(Column(objects([int(paths.values[:, 0].sum())]), paths.scale), 6)
        of_the_day = settled - _whole_mean(expected, paths.scale)
    return Change(last - DAY, moved, of_the_day, moved - of_the_day)


def _whole_mean(given: Column, places: int) -> Decimal:
    """The mean over the draws, in whole parts of a unit."""
    mean = Fraction(int(given.values[0]), DRAWS * 10**given.scale)
    return Decimal(round(mean * 10**places)).scaleb(-places)
