"""Where a period will end, in money: every draw of the usage is rated by the price engine.

Rating draws, not the ends of an interval, is what keeps the figures right: prices need not be
monotone, and the expected overage is the mean over draws, not the overage of the mean.  A margin
price needs cost too: units ahead take the trailing unit cost of their meter (28 days), and Other
has draws of its own, in cost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from data.meters import OTHER
from data.money import ONE, ZERO, exact, total
from data.periods import DAY, BillingPeriod, days_between
from data.pricing import (
    ALL_USAGE,
    Bundles,
    DayUsage,
    LineKind,
    Plan,
    TiersWithOverage,
    UsageByMeter,
)
from data.projection import DRAWS, WEEKDAY_DAYS, Projection, project
from data.statement import Billed, segments
from data.usage import Measured

TRAILING_DAYS = 28
MICRO = Decimal("0.000001")


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
class Advice:
    """A tier that would cost less at this pace."""

    tier: str
    saves: Decimal


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


@dataclass(frozen=True, slots=True)
class Piece:
    """Days to come that are priced together, and the share of a meter's draw that falls there."""

    last_day: date
    shares: Mapping[str, Decimal]


@dataclass(frozen=True)
class Ahead:
    """The projections of one subscription's period, by meter (Other: in cost)."""

    period: BillingPeriod
    settled_through: date
    by_meter: Mapping[str, Projection]
    unit_cost: Mapping[str, Decimal]
    floor: Mapping[str, Decimal]  # used on settling days already, by meter

    def rest(self, meter: str, draw: int) -> Decimal:
        """What draw `draw` of a meter adds to its settled days; never less than is known."""
        projection = self.by_meter[meter]
        value = Decimal(float(projection.draws[draw]))
        value = value.quantize(ONE if projection.whole else MICRO)
        return max(value, self.floor.get(meter, ZERO))

    def total(self, meter: str, draw: int) -> Decimal:
        known = Decimal(self.by_meter[meter].known).quantize(MICRO)
        return known + self.rest(meter, draw)

    def drawn(self, meter: str, draw: int, pieces: Iterable[Piece]) -> Iterator[DayUsage]:
        """The draw as usage of the days to come; of all usage, only its cost is known."""
        for piece in pieces:
            if meter == ALL_USAGE:
                parts = (self._piece(one, draw, piece) for one in self.by_meter)
                yield DayUsage(piece.last_day, ZERO, total(part.cost for part in parts))
            elif meter in self.by_meter:
                yield self._piece(meter, draw, piece)

    def _piece(self, meter: str, draw: int, piece: Piece) -> DayUsage:
        quantity = self.rest(meter, draw) * piece.shares[meter]
        return DayUsage(piece.last_day, quantity, quantity * self.unit_cost[meter])


def look_ahead(
    measured: Measured,
    meters: Iterable[str],
    period: BillingPeriod,
    *,
    opened_on: date,
    settled_through: date,
) -> Ahead:
    """Project each meter that was ever used, and Other's cost."""
    since = max(opened_on, settled_through - timedelta(days=WEEKDAY_DAYS - 1))
    days = list(days_between(min(since, settled_through + DAY), settled_through + DAY))
    known_days = days_between(period.start, min(since, period.end))
    by_meter, unit_cost, floor = {}, {}, {}
    for meter in (*meters, OTHER):
        values = measured.cost[OTHER] if meter == OTHER else measured.quantity.get(meter, {})
        if not values and meter != OTHER:
            continue
        early = [(day, values.get(day, ZERO)) for day in known_days if day < since]
        history = early + [(day, values.get(day, ZERO)) for day in days]
        by_meter[meter] = project(history, period.start, period.last_day, settled_through)
        unit_cost[meter] = ONE if meter == OTHER else _unit_cost(measured, meter, settled_through)
        moving = (d for d in values if d in period and d > settled_through)
        floor[meter] = total(values[day] for day in moving)
    return Ahead(period, settled_through, by_meter, unit_cost, floor)


def _unit_cost(measured: Measured, meter: str, settled_through: date) -> Decimal:
    """Cost of a unit over the trailing days; over all days where those had none."""
    start = settled_through - timedelta(days=TRAILING_DAYS - 1)
    for usage in (
        measured.usage(meter, start, settled_through + DAY),
        measured.usage(meter, date.min, date.max),
    ):
        if usage.quantity:
            with exact():
                return usage.cost / usage.quantity
    return ZERO


def outlook(billed: Billed, ahead: Ahead, lead: str, label: str, unit: str) -> Outlook:
    """The period's end: the amount's range and the lead meter's, the chance of overage."""
    amounts, overages = _rated_draws(billed, ahead)
    projection = ahead.by_meter.get(lead)
    totals = [ahead.total(lead, i) for i in range(DRAWS)] if projection else [ZERO] * DRAWS
    plan = _closing_plan(billed, ahead.period)
    bundle = bundle_of(plan, lead)
    included = _included(billed, ahead.period, lead)
    chance = None
    if included is not None:
        chance = sum(one > included for one in totals) / DRAWS
    priced = isinstance(bundle, TiersWithOverage)
    return Outlook(
        amount=_range(amounts) if amounts else None,
        quantity=_range(totals),
        unit=unit,
        label=label,
        chance_of_overage=chance,
        expected_overage=_mean(overages) if priced and overages else None,
        allowance_ends=_ends(billed, ahead, lead, included),
        little_history=projection.little_history if projection else True,
        advice=_advice(billed, ahead, bundle, totals),
        over=ahead.settled_through >= ahead.period.last_day,
    )


def _range(values: Sequence[Decimal]) -> Range:
    ordered = sorted(values)
    last = len(ordered) - 1
    low, likely, high = (ordered[round(last * share)] for share in (0.1, 0.5, 0.9))
    return Range(low, likely, high)


def _mean(values: Sequence[Decimal]) -> Decimal:
    with exact():
        return (total(values) / len(values)).quantize(Decimal("0.01"))


def _rated_draws(billed: Billed, ahead: Ahead) -> tuple[list[Decimal], list[Decimal]]:
    """(amount, overage) of the period under each draw."""
    settled = ahead.settled_through + DAY
    known = {
        plan.id: billed.priced[plan.id].usages(
            plan.meters_priced, part.start, min(part.end, max(settled, part.start))
        )
        for plan, part in segments(billed.stretches, ahead.period)
    }
    pieces = _pieces_to_come(billed, ahead)
    amounts, overages = [], []
    for draw in range(DRAWS if known else 0):

        def drawn(plan: Plan, part: BillingPeriod, draw: int = draw) -> UsageByMeter:
            ours = [piece for piece in pieces if piece.last_day in part]
            return {
                meter: usage.plus(ahead.drawn(meter, draw, ours))
                for meter, usage in known[plan.id].items()
            }

        lines = [line for _, _, part in billed.rate(ahead.period, drawn) for line in part]
        amounts.append(total(line.amount for line in lines))
        overages.append(total(line.amount for line in lines if line.kind is LineKind.OVERAGE))
    return amounts, overages


def _pieces_to_come(billed: Billed, ahead: Ahead) -> list[Piece]:
    """The days to come in pieces that no plan change and no lot's first or last day cuts."""
    cuts = {stretch.starts_on for stretch in billed.stretches}
    for lot in billed.lots:
        cuts |= {lot.effective_on, lot.expires_on or lot.effective_on}
    first = max(ahead.period.start, ahead.settled_through + DAY)
    if first >= ahead.period.end:
        return []
    inner = sorted(day for day in cuts if first < day < ahead.period.end)
    return [
        Piece(
            end - DAY,
            {meter: _share(one, start, end) for meter, one in ahead.by_meter.items()},
        )
        for start, end in pairwise([first, *inner, ahead.period.end])
    ]


def _share(projection: Projection, start: date, end: date) -> Decimal:
    inside = np.array([start <= day < end for day in projection.days], dtype=bool)
    return ONE if inside.all() else Decimal(float(projection.profile[inside].sum()))


def _closing_plan(billed: Billed, period: BillingPeriod) -> Plan | None:
    parts = segments(billed.stretches, period)
    return parts[-1][0] if parts else None


def bundle_of(plan: Plan | None, meter: str) -> Bundles | None:
    """The plan's bundle of the meter, where it has one."""
    for price in plan.prices if plan else ():
        if isinstance(price, Bundles) and price.meter == meter:
            return price
    return None


def _included(billed: Billed, period: BillingPeriod, meter: str) -> Decimal | None:
    """Units of the meter that the period's fixed fees cover, over all its parts."""
    found = []
    for plan, part in segments(billed.stretches, period):
        bundle = bundle_of(plan, meter)
        if bundle:
            found.append(bundle.included(billed.basis(plan, part, None)) or ZERO)
    return total(found) if found else None


def _ends(billed: Billed, ahead: Ahead, meter: str, included: Decimal | None) -> DayRange | None:
    """The day the allowance is passed: already, or as a range over the draws."""
    projection = ahead.by_meter.get(meter)
    if included is None or projection is None:
        return None
    days = billed.shown.usage(meter, ahead.period.start, ahead.period.end).days
    running = ZERO
    for day in days:
        running += day.quantity
        if running > included:
            return DayRange(day.day, day.day, day.day)
    early, likely, late = (_passes(projection, float(included), share) for share in (0.9, 0.5, 0.1))
    return DayRange(early, likely, late)


def _passes(projection: Projection, limit: float, probability: float) -> date | None:
    running = projection.known + np.cumsum(projection.path(probability))
    over = np.flatnonzero(running > limit)
    return projection.days[int(over[0])] if len(over) else None


def _advice(
    billed: Billed, ahead: Ahead, bundle: Bundles | None, totals: Sequence[Decimal]
) -> Advice | None:
    """The tier that would cost least on average over the draws, if that is another one."""
    if (
        not isinstance(bundle, TiersWithOverage)
        or len(segments(billed.stretches, ahead.period)) > 1
    ):
        return None
    plan, part = segments(billed.stretches, ahead.period)[0]
    basis = billed.basis(plan, part, None)
    mean = {
        tier.name: _mean([bundle.cost_on(tier, one, basis) for one in totals[::4]])
        for tier in bundle.tiers
    }
    best = min(mean, key=lambda name: (mean[name], name != bundle.chosen))
    saves = mean[bundle.chosen] - mean[best]
    return Advice(best, saves) if saves > 0 else None
