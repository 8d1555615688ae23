"""What a customer may try: its own past months on other tiers, plans and packs, and other use.

The past is replayed by simulation.py.  For the next period the average of the last whole months is
taken as its usage, from half of it to three times as much, and every step is priced by the price
engine; what is drawn from credits counts at what they were bought for.  No plan here follows our
cost, so no value here can reveal it.

Small 49.99 for 100 + 0.50 and medium 59.99 for 200 + 0.30: from 121 units on medium costs less.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import floor

from data.agreements import plan_stretches
from data.grants import CreditEntry, lot_of
from data.meters import TOTAL, meters_of, shown_meters
from data.money import ONE, ZERO, total
from data.periods import BillingPeriod, period_of
from data.pricing import (
    ALL_USAGE,
    Basis,
    Bundles,
    CreditLots,
    DayUsage,
    LineKind,
    Meter,
    Plan,
    Switch,
    Usage,
    break_even,
    net,
)
from data.scope import Scope
from data.simulation import Simulation, offered_plans, own_tiers, packs_for, simulate_each
from data.store import SubscriptionView, periods, subscription
from data.usage import lead_meter, measured
from data.usage_rows import day_totals

BASE_MONTHS = 3
LEAST, MOST, STEP = -50, 200, 5  # percent
GROWTH = tuple(range(LEAST, MOST + STEP, STEP))


@dataclass(frozen=True, slots=True)
class Option:
    """A plan to try: a tier of the customer's own, another plan, or one of credits with a pack."""

    plan: Plan
    tier: str | None = None
    pack: str | None = None
    own: bool = False  # what the customer is on; of its own credits, any pack

    @property
    def code(self) -> str:
        """Short, stable and without language: sms-bundle, sms-bundle.medium, credits.large."""
        return ".".join(part for part in (self.plan.plan, self.tier or self.pack) if part)


@dataclass(frozen=True, slots=True)
class Tried:
    option: Option
    past: Simulation
    left_out: tuple[str, ...] = ()  # labels of meters used that it does not price, and today's does
    short: bool = False  # some use had no price on it: its amount is no price for that use


@dataclass(frozen=True, slots=True)
class Point:
    amount: Decimal
    covered: bool  # False: some of the use has no price on this plan


@dataclass(frozen=True, slots=True)
class Course:
    """What the next period costs on an option, a point for each step of growth."""

    option: Option
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From which use an option costs less than another, among 0 … `upto` units of the meter."""

    option: Option
    than: Option
    upto: int
    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """The next period at other amounts of use; amounts are before tax."""

    period: BillingPeriod
    currency: str
    meter: str  # in whose units the steps are given
    label: str
    unit: str
    months: tuple[BillingPeriod, ...]  # whose average is taken, oldest first
    average: Decimal  # units a month, in whole units
    units: tuple[Decimal, ...]  # of each step
    courses: tuple[Course, ...]
    break_evens: tuple[BreakEven, ...]
    own_in_it: bool  # False: today's price follows use as it is metered, and is not projected


def options(scope: Scope, key: str, *, today: date) -> tuple[Option, ...]:
    """What may be tried, the customer's own tier first; NotFound for another's subscription."""
    if subscription(scope, key).currency is None:
        return ()
    own = _in_force(scope, key, today)
    found = [
        Option(plan, tier=_tier(plan), own=plan == own)
        for plan in own_tiers(scope, key, today=today)
    ]
    if own and not own.cost_based and not found:
        found = [Option(own, pack=pack, own=True) for pack in _packs(own)]
    known = [_terms(one.plan) for one in found]
    for plan in offered_plans(scope, key):
        if _terms(plan) not in known and not (own and plan.plan == own.plan):
            found += [Option(plan, pack=pack) for pack in _packs(plan)]
    return tuple(sorted(found, key=lambda one: not one.own))


def _in_force(scope: Scope, key: str, today: date) -> Plan | None:
    """The plan of today, of a contract that is over its last one."""
    begun = [one.plan for one in plan_stretches(scope, key) if one.starts_on <= today]
    return begun[-1] if begun else None


def _tier(plan: Plan) -> str | None:
    return next((price.chosen for price in plan.prices if isinstance(price, Bundles)), None)


def _packs(plan: Plan) -> Sequence[str | None]:
    """Of a plan of credits its packs; otherwise nothing to choose."""
    credits = [price for price in plan.prices if isinstance(price, CreditLots)]
    return [pack.name for price in credits for pack in price.packs] or [None]


def _terms(plan: Plan) -> dict[str, object]:
    """What it comes to, whatever it is called."""
    return plan.model_dump(exclude={"plan", "version", "name", "offered"})


def whole_periods(scope: Scope, key: str, *, today: date) -> tuple[BillingPeriod, ...]:
    """The periods that are over, newest first."""
    return tuple(one for one in periods(scope, key, today=today) if one.end <= today)


def tried(
    scope: Scope,
    key: str,
    chosen: Sequence[Option],
    past: Sequence[BillingPeriod],
    *,
    today: date,
) -> tuple[Tried, ...]:
    """The periods on each option; errors as `simulate` has them."""
    found = simulate_each(scope, key, [(one.plan, one.pack) for one in chosen], past, today=today)
    own, used = _in_force(scope, key, today), _used(scope, key, past)
    return tuple(
        Tried(option, simulation, _left_out(option.plan, own, used), _is_short(simulation))
        for option, simulation in zip(chosen, found, strict=True)
    )


def _is_short(past: Simulation) -> bool:
    lines = (line for one in past.periods for line in one.lines)
    return any(line.kind is LineKind.UNPRICED for line in lines)


def _used(scope: Scope, key: str, past: Sequence[BillingPeriod]) -> Mapping[str, Meter]:
    """The meters used in the periods."""
    shown, view = shown_meters(None), subscription(scope, key)
    rows = day_totals(scope, view.accounts, min(past).start, max(past).end)
    quantity = measured(rows, shown).quantity
    return {name: meter for name, meter in shown.items() if any(quantity.get(name, {}).values())}


def _left_out(plan: Plan, own: Plan | None, used: Mapping[str, Meter]) -> tuple[str, ...]:
    priced = own.meters_priced if own else ()
    return tuple(
        meter.label
        for name, meter in used.items()
        if (name in priced or ALL_USAGE in priced) and name not in plan.meters_priced
    )


def growth(scope: Scope, key: str, chosen: Sequence[Option], *, today: date) -> Growth | None:
    """The next period at each step of growth; None without a whole month, or where none follows."""
    view = subscription(scope, key)
    period = period_of(period_of(today, view.anchor_day).end, view.anchor_day)
    over = view.ends_on is not None and view.ends_on <= period.start
    months = [
        one
        for one in whole_periods(scope, key, today=today)
        if (one.start, one.end) == (one.full_start, one.full_end)
    ][:BASE_MONTHS]
    if over or not months or not chosen:
        return None
    months = sorted(months)
    averages = {one.plan.id: _averages(scope, view, one.plan, months) for one in chosen}
    meter = lead_meter(chosen[0].plan, {})
    shown = shown_meters(chosen[0].plan)[meter]
    average = averages[chosen[0].plan.id].get(meter, ZERO)
    courses = tuple(_course(one, averages[one.plan.id], period) for one in chosen)
    units = tuple(_grown(average, percent) for percent in GROWTH)
    return Growth(
        period=period,
        currency=chosen[0].plan.currency,
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        months=tuple(months),
        average=_grown(average, 0),
        units=units,
        courses=tuple(one for one in courses if one is not None),
        break_evens=tuple(_break_evens(chosen, meter, period, int(units[-1]))),
        own_in_it=any(one.own for one in chosen),
    )


def _averages(
    scope: Scope, view: SubscriptionView, plan: Plan, months: Sequence[BillingPeriod]
) -> Mapping[str, Decimal]:
    """Units a month of each meter, as the plan measures it; unrounded."""
    meters = meters_of(plan)
    names = {TOTAL, *(id for meter in meters.values() for id in meter.categories)}
    rows = day_totals(scope, view.accounts, months[0].start, months[-1].end, categories=names)
    found = measured(rows, meters)
    return {name: total(found.quantity.get(name, {}).values()) / len(months) for name in meters}


def _grown(average: Decimal, percent: int) -> Decimal:
    """In whole units."""
    return (average * (100 + percent) / 100).quantize(ONE, ROUND_HALF_UP)


def _course(option: Option, average: Mapping[str, Decimal], period: BillingPeriod) -> Course | None:
    """None for credits that come anew with each period: what is left of the last ones matters."""
    if any(isinstance(price, CreditLots) and price.recurring for price in option.plan.prices):
        return None
    return Course(option, tuple(_point(option, average, percent, period) for percent in GROWTH))


def _point(
    option: Option, average: Mapping[str, Decimal], percent: int, period: BillingPeriod
) -> Point:
    units = {meter: _grown(one, percent) for meter, one in average.items()}
    return priced(option, units, period)


def priced(option: Option, units: Mapping[str, Decimal], period: BillingPeriod) -> Point:
    """A period's use on an option, before tax.

    Credits drawn count at what they were bought for, not as the packs that must be bought.
    """
    plan = option.plan
    usage = {m: Usage((DayUsage(period.start, one),) if one else ()) for m, one in units.items()}
    basis = Basis(plan.currency, period, plan.prorate == "days")
    for price in plan.prices:
        if isinstance(price, CreditLots) and option.pack and price.pack(option.pack):
            count = packs_for(price, option.pack, price.ledger(usage, basis).shortfall)
            if count:
                entry = CreditEntry(
                    key=option.pack, pack=option.pack, quantity=count, bought_on=period.start
                )
                basis = replace(basis, lots=(*basis.lots, lot_of(entry, price)))
    lines = plan.rate(usage, basis)
    drawn = (line.recognized for line in lines if line.kind is LineKind.CREDITS)
    packs = total(line.amount for line in lines if line.kind is LineKind.PACK)
    worth = total(value for value in drawn if value is not None)
    covered = not any(line.kind is LineKind.UNPRICED for line in lines)
    return Point(net(lines) - packs + worth, covered)


def _break_evens(
    chosen: Sequence[Option], meter: str, period: BillingPeriod, units: int
) -> Iterable[BreakEven]:
    """Each tier and plan against the customer's own; where that is not here, against the one
    before it.  Only as far as both have a price."""
    by_unit = [one for one in chosen if not one.pack and meter in one.plan.meters_priced]
    own = next((one for one in by_unit if one.own), None)
    pairs = [(own, one) for one in by_unit if one is not own] if own else list(pairwise(by_unit))
    for than, option in pairs:
        bases = [Basis(one.plan.currency, period) for one in (than, option)]
        edges = [_edges(one.plan, meter, bases[0]) for one in (than, option)]
        upto = max(units, *(int(edge) * 2 for found in edges for edge in found), 1)
        limits = [limit(one.plan, meter, period) for one in (than, option)]
        upto = min([upto, *(floor(one) for one in limits if one is not None)])
        found = break_even(than.plan, option.plan, meter, bases[0], upto=upto)
        yield BreakEven(option, than, upto, found)


def _edges(plan: Plan, meter: str, basis: Basis) -> tuple[Decimal, ...]:
    price = plan.price_of(meter)
    return price.edges(basis) if price else ()


def limit(plan: Plan, meter: str, period: BillingPeriod) -> Decimal | None:
    """The units above which the plan has no price for the meter; None where it always has one."""
    basis = Basis(plan.currency, period, plan.prorate == "days")
    for edge in sorted(_edges(plan, meter, basis)):
        above = {meter: Usage((DayUsage(period.start, edge + ONE),))}
        if any(line.kind is LineKind.UNPRICED for line in plan.rate(above, basis)):
            return edge
    return None
