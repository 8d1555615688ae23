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

from data.billed import Billed
from data.meters import OTHER
from data.money import ONE, ZERO, exact, total
from data.periods import DAY, BillingPeriod, days_between
from data.pricing import (
    ALL_USAGE,
    Bundles,
    DayUsage,
    Line,
    LineKind,
    Plan,
    TiersWithOverage,
    UsageByMeter,
    segments,
)
from data.projection import DRAWS, WEEKDAY_DAYS, Projection, project
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
    cost_floor: Mapping[str, Decimal]  # what that cost

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
        rest, share = self.rest(meter, draw), piece.shares[meter]
        cost = max(rest * self.unit_cost[meter], self.cost_floor[meter])
        return DayUsage(piece.last_day, rest * share, cost * share)


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
    known_days = list(days_between(period.start, min(since, period.end)))
    by_meter, unit_cost, floor, cost_floor = {}, {}, {}, {}
    for meter in (*meters, OTHER):
        values = measured.cost[OTHER] if meter == OTHER else measured.quantity.get(meter, {})
        if not values and meter != OTHER:
            continue
        early = [(day, values.get(day, ZERO)) for day in known_days if day < since]
        history = early + [(day, values.get(day, ZERO)) for day in days]
        by_meter[meter] = project(history, period.start, period.last_day, settled_through)
        unit_cost[meter] = ONE if meter == OTHER else _unit_cost(measured, meter, settled_through)
        costs = measured.cost.get(meter, {})
        moving = [d for d in {*values, *costs} if d in period and d > settled_through]
        floor[meter] = total(values.get(day, ZERO) for day in moving)
        cost_floor[meter] = total(costs.get(day, ZERO) for day in moving)
    return Ahead(period, settled_through, by_meter, unit_cost, floor, cost_floor)


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
    draws = _rated_draws(billed, ahead)
    amounts = [total(line.amount for line in lines) for lines in draws]
    overages = [
        total(line.amount for line in lines if line.kind is LineKind.OVERAGE) for lines in draws
    ]
    projection = ahead.by_meter.get(lead)
    totals = [ahead.total(lead, i) for i in range(DRAWS)] if projection else [ZERO] * DRAWS
    plan = _closing_plan(billed, ahead.period)
    bundle = bundle_of(plan, lead)
    parts = segments(billed.stretches, ahead.period)
    limited = any(bundle_of(each, lead) for each, _ in parts)
    priced = any(isinstance(bundle_of(each, lead), TiersWithOverage) for each, _ in parts)
    return Outlook(
        amount=_range(amounts) if amounts else None,
        quantity=_range(totals),
        unit=unit,
        label=label,
        chance_of_overage=sum(_beyond(ls, lead) for ls in draws) / DRAWS if limited else None,
        expected_overage=_mean(overages) if priced else None,
        allowance_ends=_ends(billed, ahead, lead),
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


def _beyond(lines: Iterable[Line], meter: str) -> bool:
    """Whether more of the meter was used than a bundle included."""
    beyond = (LineKind.OVERAGE, LineKind.UNPRICED)
    return any(line.kind in beyond and line.meter == meter for line in lines)


def _rated_draws(billed: Billed, ahead: Ahead) -> list[list[Line]]:
    """The period's lines under each draw; none where no plan was agreed."""
    settled = ahead.settled_through + DAY
    known = {
        part.start: billed.priced[plan.id].usages(
            plan.meters_priced, part.start, min(part.end, max(settled, part.start))
        )
        for plan, part in segments(billed.stretches, ahead.period)
    }
    pieces = _pieces_to_come(billed, ahead)
    found = []
    for draw in range(DRAWS if known else 0):

        def drawn(_: Plan, part: BillingPeriod, draw: int = draw) -> UsageByMeter:
            ours = [piece for piece in pieces if piece.last_day in part]
            return {
                meter: usage.plus(ahead.drawn(meter, draw, ours))
                for meter, usage in known[part.start].items()
            }

        found.append(list(billed.rate(ahead.period, drawn).lines))
    return found


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
    """Whole millionths, and the last piece takes what is left: the pieces sum to 1."""

    def before(day: date) -> Decimal:
        gone = np.array([each < day for each in projection.days], dtype=bool)
        return ONE if gone.all() else Decimal(float(projection.profile[gone].sum())).quantize(MICRO)

    return before(end) - before(start)


def _closing_plan(billed: Billed, period: BillingPeriod) -> Plan | None:
    parts = segments(billed.stretches, period)
    return parts[-1][0] if parts else None


def bundle_of(plan: Plan | None, meter: str) -> Bundles | None:
    """The plan's bundle of the meter, where it has one."""
    for price in plan.prices if plan else ():
        if isinstance(price, Bundles) and price.meter == meter:
            return price
    return None


def _ends(billed: Billed, ahead: Ahead, meter: str) -> DayRange | None:
    """The day the last plan's allowance is passed: already, or as a range over the draws."""
    projection, period = ahead.by_meter.get(meter), ahead.period
    parts = segments(billed.stretches, period)
    bundle = bundle_of(parts[-1][0], meter) if parts else None
    if bundle is None or projection is None:
        return None
    part = parts[-1][1]
    if period.start < part.start > ahead.settled_through + DAY:
        return None  # what the days before leave to the plan that follows is not known yet
    running = billed.shown.usage(meter, period.start, part.start).quantity
    rated = billed.rated(period, part.last_day).parts[-1]
    limit = running + (bundle.included(rated.basis) or ZERO)
    for day in billed.shown.usage(meter, part.start, part.end).days:
        running += day.quantity
        if running > limit:
            return DayRange(day.day, day.day, day.day)
    early, likely, late = (_passes(projection, float(limit), share) for share in (0.9, 0.5, 0.1))
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
    basis = billed.rated(ahead.period, ahead.settled_through).parts[0].basis
    mean = {
        tier.name: _mean([bundle.cost_on(tier, one, basis) for one in totals[::4]])
        for tier in bundle.tiers
    }
    best = min(mean, key=lambda name: (mean[name], name != bundle.chosen))
    saves = mean[bundle.chosen] - mean[best]
    return Advice(best, saves) if saves > 0 else None
