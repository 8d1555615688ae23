"""How far a customer is through its plan: allowances, steps of price, other tiers, changes.

Everything here may be handed to a customer.  Ranges come from the draws of the projection, each
priced by the price engine over the days for which the price stands; four of five lie between their
ends.  What a tier would cost is of its meter alone and before tax.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from data.ahead import Ahead, look_ahead, meters_ahead, plus
from data.allowance import Allowance, allowance_of
from data.billed import Billed, billed_usage, part_on
from data.freshness import freshness
from data.holidays import holidays_between
from data.money import ZERO, digits, exact, rounded, total
from data.outlook import EARLY, LATE, LIKELY, DayRange, Range, bundle_of, outlook, rank
from data.periods import BillingPeriod
from data.plan_terms import PlanTerms, Step, plan_terms, steps_of
from data.pricing import (
    Basis,
    Bundles,
    DayUsage,
    LineKind,
    Meter,
    Plan,
    RatedPart,
    TimelineEntry,
    Usage,
)
from data.pricing.bulk import UsageColumns, rate_rows
from data.pricing.burning import PLACES
from data.pricing.columns import Column, rescaled, whole
from data.pricing.compare import best_tier
from data.projection import DRAWS, HISTORY_DAYS, WEEKDAY_DAYS
from data.projection.fan import Fan, fan
from data.scope import Scope
from data.statement_content import PlanStep
from data.store import subscription
from data.track_record import calibrations

COVERED = Fraction(9, 10)  # of the draws: nothing is cheaper by being too small


@dataclass(frozen=True, slots=True)
class TierOffer:
    """What a tier of the ladder costs for the same days and the same use; before tax."""

    name: str
    fee: Decimal  # of a full period
    included: Decimal  # for the days compared
    unit_amount: Decimal | None  # beyond it; None: it has no price
    so_far: Decimal  # exact: its fee, and what is counted so far
    expected: Range
    mean: Decimal
    outgrown: float  # 0–1: the chance that use goes beyond it; it matters where that has no price
    chosen: bool
    cheapest: bool

    @property
    def short(self) -> bool:
        """Whether it has no price for what is likely to be used."""
        return self.unit_amount is None and self.outgrown > 1 - COVERED


@dataclass(frozen=True, slots=True)
class AllowanceProgress:
    """One allowance over the days for which its price stands."""

    allowance: Allowance
    days: BillingPeriod
    agreed: Decimal  # included in a full period
    chance: float | None  # 0–1, of going beyond it
    ends: DayRange | None
    beyond: Range  # units beyond it at the end
    overage: Range | None  # their amount; None: they have no price
    mean_overage: Decimal | None
    tiers: tuple[TierOffer, ...]  # smallest first
    fan: Fan | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps of a price that changes with use, and where the customer stands."""

    meter: str
    label: str
    unit: str
    kind: str
    used: Decimal
    steps: tuple[Step, ...]

    @property
    def at(self) -> int:
        """The step that the next unit falls into."""
        open_ended = len(self.steps) - 1
        found = (
            n for n, one in enumerate(self.steps) if one.up_to is None or self.used < one.up_to
        )
        return next(found, open_ended)

    @property
    def to_next(self) -> Decimal | None:
        """Units left in this step; None in the last."""
        up_to = self.steps[self.at].up_to
        return None if up_to is None or self.at == len(self.steps) - 1 else up_to - self.used

    def within(self, step: Step) -> Decimal:
        """Units used of the step."""
        top = self.used if step.up_to is None else min(self.used, step.up_to)
        return max(top - step.start, ZERO)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the period under one version; an allowance takes its share, rounded up."""

    name: str
    start: date
    end: date  # exclusive
    full_days: int
    shares: tuple[tuple[Decimal, Decimal, str], ...]  # (agreed, included, unit)


@dataclass(frozen=True, slots=True)
class PlanProgress:
    period: BillingPeriod
    currency: str
    terms: PlanTerms
    allowances: tuple[AllowanceProgress, ...]
    ladders: tuple[Ladder, ...]
    stretches: tuple[Stretch, ...]
    changes: tuple[PlanStep, ...]  # asked for, or in force since, a day of the period
    scheduled: tuple[PlanStep, ...]  # agreed, and still to come
    ends_on: date | None = None  # of the contract


def plan_progress(
    scope: Scope,
    key: str,
    period: BillingPeriod,
    *,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str = "",
) -> PlanProgress | None:
    """The plan in force at the end of the period's known days; None where none was agreed."""
    view = subscription(scope, key)
    fresh = freshness(view.accounts, today=today, now=now, settling_days=settling_days)
    shown_through, seen = min(period.last_day, today), fresh.settled_through
    over = seen >= period.last_day
    since = period.start if over else seen - timedelta(days=HISTORY_DAYS)
    billed = billed_usage(
        *(scope, key, period),
        since=period.start - timedelta(days=WEEKDAY_DAYS),
        glance=since,
        on=shown_through,
    )
    parts = billed.rated(period, shown_through).parts
    part = part_on(parts, shown_through)
    if part is None:
        return None
    meters = [p.meter for p in part.plan.prices if isinstance(p, Bundles)]
    lead = meters[0] if meters else ""
    ahead = look_ahead(
        billed.shown,
        meters_ahead(billed, period, lead) if meters else [],
        period,
        opened_on=view.starts_on,
        settled_through=seen,
        holidays=holidays_between(calendar, since, period.end),
        calibrations=calibrations(scope),
    )
    return PlanProgress(
        period,
        part.plan.currency,
        plan_terms(part.plan, _since(billed, part), part.basis),
        tuple(_progress(billed, ahead, parts, part, m, view.anchor_day) for m in meters),
        tuple(_ladders(billed, part)),
        tuple(_stretch(billed, one) for one in parts),
        tuple(_step(one) for one in billed.entries if _concerns(one, period)),
        tuple(_step(one) for one in billed.entries if one.starts_on > today and one.billed),
        view.ends_on,
    )


def _since(billed: Billed, part: RatedPart) -> date:
    """The first day on which this version of the plan is in force without a break."""
    found = [one for one in billed.stretches if one.plan == part.plan]
    begun = [one.starts_on for one in found if one.starts_on <= part.period.start]
    return max(begun, default=part.period.start)


def _stretch(billed: Billed, part: RatedPart) -> Stretch:
    shares = tuple(
        (price.tier.allowance, part.basis.allowance(price.tier.allowance, price.meter), unit)
        for price in part.plan.prices
        if isinstance(price, Bundles)
        for unit in [billed.meters[price.meter].unit if price.meter in billed.meters else ""]
    )
    days = part.period
    return Stretch(part.plan.name, days.start, days.end, days.full_days, shares)


def _concerns(entry: TimelineEntry, period: BillingPeriod) -> bool:
    return entry.asked_on in period or entry.starts_on in period


def _step(entry: TimelineEntry) -> PlanStep:
    return PlanStep(entry.plan.name, entry.asked_on, entry.starts_on, entry.ends_on, entry.billed)


def _progress(
    billed: Billed,
    ahead: Ahead,
    parts: Sequence[RatedPart],
    part: RatedPart,
    meter: str,
    anchor_day: int,
) -> AllowanceProgress:
    bundle = bundle_of(part.plan, meter)
    assert bundle is not None  # the meters are those of the plan's bundles
    allowance = allowance_of(billed, parts, part, bundle, ahead.settled_through)
    span = part.basis.span(meter)
    named = (allowance.label, allowance.unit)
    ends = outlook(*(billed, ahead, meter, *named), anchor_day=anchor_day, on=part.period.start)
    draws = _use(billed, ahead, meter, span)
    offers = tuple(_offers(part.plan, bundle, allowance.used, draws, span))
    own = next(one for one in offers if one.chosen)
    over = _overage(part.plan, bundle, draws, span) if allowance.has_overage_price else None
    course = ahead.by_meter.get(meter)
    whole_period = span == ahead.period
    return AllowanceProgress(
        allowance,
        span,
        bundle.tier.allowance,
        ends.chance_of_overage,
        ends.allowance_ends,
        _beyond(draws, own.included),
        _range(over, part.plan.currency) if over else None,
        _mean(over, part.plan.currency) if over else None,
        offers,
        fan(course) if course and whole_period else None,
    )


def _use(billed: Billed, ahead: Ahead, meter: str, span: BillingPeriod) -> Column:
    """All units of the span by draw, in millionths: those settled and those still to come."""
    known = billed.shown.usage(meter, span.start, min(ahead.first_day, span.end)).quantity
    start = max(span.start, ahead.first_day)
    rest = ahead.columns(meter, start, max(span.end, start), costs=False).quantity
    return Column(plus(rescaled(rest, PLACES).values, whole(known, PLACES)), PLACES)


def _beyond(draws: Column, included: Decimal) -> Range:
    limit = whole(included, PLACES)
    ordered = sorted(max(int(one) - limit, 0) for one in draws.values)
    ends = (Decimal(ordered[rank(share)]).scaleb(-PLACES) for share in (EARLY, LIKELY, LATE))
    return Range(*ends)


def _on(plan: Plan, bundle: Bundles, tier: str) -> Plan:
    """The bundle alone, on another of its tiers."""
    return plan.model_copy(
        update={
            "prices": (bundle.model_copy(update={"chosen": tier}),),
            "monthly_fee": ZERO,
            "discount": ZERO,
            "maximum": None,
            "minimum": ZERO,
            "tax": None,
        }
    )


def _offers(
    plan: Plan, bundle: Bundles, used: Decimal, draws: Column, span: BillingPeriod
) -> Iterator[TierOffer]:
    found = []
    basis = Basis(plan.currency, span, plan.prorate == "days")
    use = {bundle.meter: Usage((DayUsage(span.start, used),))}
    for tier in sorted(bundle.ladder, key=lambda one: one.allowance):
        alone = _on(plan, bundle, tier.name)
        (rows,) = rate_rows(alone, {bundle.meter: UsageColumns(draws)}, span)
        included = basis.allowance(tier.allowance, bundle.meter)
        outgrown = sum(int(one) > whole(included, PLACES) for one in draws.values)
        amounts = [int(one) for one in rows.totals]
        offer = TierOffer(
            name=tier.name,
            fee=tier.fee,
            included=included,
            unit_amount=getattr(tier, "overage_amount", None),
            so_far=total(line.amount for line in alone.rate(use, basis)),
            expected=_range(amounts, plan.currency),
            mean=_mean(amounts, plan.currency),
            outgrown=outgrown / DRAWS,
            chosen=tier.name == bundle.chosen,
            cheapest=False,
        )
        found.append(offer)
    best = best_tier(bundle, {one.name: (one.mean, one.short) for one in found}).name
    enough = any(not one.short for one in found)
    yield from (replace(one, cheapest=enough and one.name == best) for one in found)


def _overage(plan: Plan, bundle: Bundles, draws: Column, span: BillingPeriod) -> list[int]:
    """The amount beyond the allowance by draw, in smallest units."""
    (rows,) = rate_rows(_on(plan, bundle, bundle.chosen), {bundle.meter: UsageColumns(draws)}, span)
    found = [0] * DRAWS
    for line in rows.lines:
        if line.kind is LineKind.OVERAGE:
            for row, amount in zip(line.rows, line.amounts, strict=True):
                found[int(row)] += int(amount)
    return found


def _range(amounts: Sequence[int], currency: str) -> Range:
    ordered, places = sorted(amounts), digits(currency)
    ends = (Decimal(ordered[rank(share)]).scaleb(-places) for share in (EARLY, LIKELY, LATE))
    return Range(*ends)


def _mean(amounts: Sequence[int], currency: str) -> Decimal:
    return rounded(Fraction(sum(amounts), len(amounts) * 10 ** digits(currency)), currency)


def _ladders(billed: Billed, part: RatedPart) -> Iterator[Ladder]:
    """Of each price of one meter that changes with use."""
    for price in part.plan.prices:
        meter = price.meters_priced[0]
        steps = tuple(steps_of(price, part.basis))
        if meter not in billed.meters or not steps:
            continue
        shown: Meter = billed.meters[meter]
        with exact():
            used = part.basis.before(meter) + part.usage[meter].quantity
        yield Ladder(meter, shown.label or meter, shown.unit, price.kind, used, steps)
