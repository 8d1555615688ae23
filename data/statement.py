"""The statement of a period: its lines as a customer may see them, summing to the total.

A customer's line has no field for what Twilio charged the ISV: `StaffLine`, for those who may see
cost and margin, is another type.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from data.meters import OTHER, meters_of, shown_meters
from data.money import split, total
from data.periods import DAY, BillingPeriod
from data.pricing import (
    ALL_USAGE,
    Basis,
    CreditLot,
    CreditLots,
    Line,
    LineKind,
    Meter,
    Opening,
    Plan,
    UsageByMeter,
    replay,
)
from data.scope import Scope
from data.store import (
    PlanStretch,
    cost_currencies,
    credit_lots,
    day_totals,
    plan_stretches,
    subscription,
)
from data.usage import Measured, measured

SETTLED_FOR_DAYS = 2  # a period is final when its last day has been settled this long


class Status(StrEnum):
    OPEN = "open"  # so far
    SETTLING = "settling"  # the period is over, its last days may still move
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class MeterAmount:
    """A meter's part of an amount that was rounded once for several."""

    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StatementLine:
    kind: LineKind
    label: str
    amount: Decimal
    meter: str | None
    unit: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    breakdown: tuple[MeterAmount, ...] = ()  # by meter, largest first; sums to the amount


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the period under one version of a plan."""

    plan: str  # its name
    start: date
    end: date  # exclusive
    full_days: int  # denominator of proration
    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    currency: str
    period: BillingPeriod
    status: Status
    parts: tuple[Part, ...]

    @property
    def lines(self) -> tuple[StatementLine, ...]:
        return tuple(line for part in self.parts for line in part.lines)

    @property
    def total(self) -> Decimal:
        return total(line.amount for line in self.lines)

    @property
    def overage(self) -> Decimal:
        return total(line.amount for line in self.lines if line.kind is LineKind.OVERAGE)

    @property
    def prorated(self) -> bool:
        return any((part.end - part.start).days < part.full_days for part in self.parts)


@dataclass(frozen=True, slots=True)
class StaffStatement:
    """The same period with what Twilio charges the ISV: for billing managers and administrators."""

    amount: Decimal
    currency: str
    cost: Decimal
    cost_currency: str
    gross_margin: Decimal | None  # share of the price; None in two currencies, or without a price
    lines: tuple[Line, ...]


def segments(
    stretches: Iterable[PlanStretch], period: BillingPeriod
) -> list[tuple[Plan, BillingPeriod]]:
    """The period cut where the plan changes; a change day belongs to the new plan."""
    return [
        (stretch.plan, period.clipped(stretch.starts_on, stretch.ends_on))
        for stretch in stretches
        if stretch.starts_on < period.end
        and (stretch.ends_on is None or stretch.ends_on > period.start)
    ]


def part_on(
    stretches: Iterable[PlanStretch], period: BillingPeriod, day: date
) -> tuple[Plan, BillingPeriod] | None:
    """The part of the period that the day lies in, or the nearest one; None without a plan."""
    parts = segments(stretches, period)
    begun = [one for one in parts if one[1].start <= day]
    return (begun[-1] if begun else parts[0]) if parts else None


@dataclass(frozen=True)
class Billed:
    """What billing a period of one subscription needs, read once.

    `opening` are the lots before the period, so that a period's ledger need not replay them all.
    """

    stretches: tuple[PlanStretch, ...]
    lots: tuple[CreditLot, ...]
    meters: Mapping[str, Meter]  # those a page shows
    shown: Measured
    priced: Mapping[str, Measured]  # by plan, as its own meters measure it
    opening: Opening | None

    def basis(
        self,
        plan: Plan,
        part: BillingPeriod,
        opening: Opening | None,
        known_until: date | None = None,
    ) -> Basis:
        prorate = plan.prorate == "days"
        return Basis(plan.currency, part, prorate, self.lots, opening, known_until)

    def rate(
        self,
        period: BillingPeriod,
        usage_of: Callable[[Plan, BillingPeriod], UsageByMeter],
        known_until: date | None = None,
    ) -> Iterator[tuple[Plan, BillingPeriod, tuple[Line, ...]]]:
        """The lines of each part of the period, given the usage of a part."""
        opening = self.opening
        parts = segments(self.stretches, period)
        for number, (plan, part) in enumerate(parts, start=1):
            usage = usage_of(plan, part)
            basis = self.basis(plan, part, opening, known_until)
            yield plan, part, plan.rate(usage, basis)
            if number < len(parts):
                opening = closing(plan, usage, basis)

    def opening_of(self, part: BillingPeriod, period: BillingPeriod) -> Opening | None:
        """The lots before a part of the period: after those that come before it."""
        opening = self.opening
        for plan, earlier in segments(self.stretches, period):
            if earlier.start < part.start:
                measured = self.priced[plan.id]
                usage = measured.usages(plan.meters_priced, earlier.start, earlier.end)
                opening = closing(plan, usage, self.basis(plan, earlier, opening))
        return opening

    def rate_known(
        self, period: BillingPeriod, through: date
    ) -> list[tuple[Plan, BillingPeriod, tuple[Line, ...]]]:
        """The lines of what has happened up to and with the day `through`."""

        def used(plan: Plan, part: BillingPeriod) -> UsageByMeter:
            end = min(part.end, through + DAY)
            return self.priced[plan.id].usages(plan.meters_priced, part.start, end)

        return list(self.rate(period, used, through + DAY))


def closing(plan: Plan, usage: UsageByMeter, basis: Basis) -> Opening | None:
    """The lots after the part of a period; a plan without credits leaves them alone."""
    for price in plan.prices:
        if isinstance(price, CreditLots):
            return price.ledger(usage, basis).closing
    return basis.opening


def opening_before(
    scope: Scope,
    key: str,
    stretches: tuple[PlanStretch, ...],
    lots: tuple[CreditLot, ...],
    day: date,
) -> Opening | None:
    """Replay the credits from the first plan on up to the day."""
    sids = [account.sid for account in subscription(scope, key).accounts]
    opening: Opening | None = None
    for stretch in stretches:
        prices = [price for price in stretch.plan.prices if isinstance(price, CreditLots)]
        end = min(stretch.ends_on or day, day)
        if not prices or stretch.starts_on >= end:
            continue
        meters = meters_of(stretch.plan)
        names = {id for meter in meters.values() for id in meter.categories}
        rows = day_totals(scope, sids, stretch.starts_on, end, categories=names)
        usage = measured(rows, meters).usages(meters, stretch.starts_on, end)
        uses = prices[0].uses(usage)
        carry = prices[0].shortfall == "owed"
        replayed = replay(lots, uses, stretch.starts_on, end, opening=opening, carry=carry)
        opening = replayed.closing
    return opening


def billed_usage(
    scope: Scope,
    key: str,
    period: BillingPeriod,
    *,
    since: date | None = None,
    on: date | None = None,
) -> Billed:
    """Read what the period's bill needs; usage from `since` on, if earlier than the period.

    The meters shown are those of the plan in force `on` a day, by default the period's last.
    """
    stretches = plan_stretches(scope, key)
    lots = credit_lots(scope, key)
    sids = [one.sid for one in subscription(scope, key).accounts]
    current = [plan for plan, _ in segments(stretches, period)]
    in_force = part_on(stretches, period, on or period.last_day)
    shown = shown_meters(in_force[0] if in_force else None)
    start = min(since or period.start, period.start)
    rows = day_totals(scope, sids, start, period.end)
    opening = opening_before(scope, key, stretches, lots, period.start) if lots else None
    priced = {plan.id: measured(rows, meters_of(plan)) for plan in current}
    return Billed(stretches, lots, shown, measured(rows, shown), priced, opening)


def status(period: BillingPeriod, *, today: date, settling_days: int) -> Status:
    """Open, settling (over, and for 48 h after its last day has settled), or final."""
    if today < period.end:
        return Status.OPEN
    settled_on = period.end + DAY * (settling_days + SETTLED_FOR_DAYS)
    return Status.SETTLING if today < settled_on else Status.FINAL


def statement(
    scope: Scope, key: str, period: BillingPeriod, *, today: date, settling_days: int
) -> Statement | None:
    """The period's statement so far; None where no plan was agreed (a connected account)."""
    return statement_of(
        billed_usage(scope, key, period), period, today=today, settling_days=settling_days
    )


def statement_of(
    billed: Billed, period: BillingPeriod, *, today: date, settling_days: int
) -> Statement | None:
    rated = billed.rate_known(period, today)
    if not rated:
        return None
    parts = tuple(
        Part(
            plan.name,
            part.start,
            part.end,
            part.full_days,
            tuple(_customers_line(billed, plan, part, line) for line in lines),
        )
        for plan, part, lines in rated
    )
    state = status(period, today=today, settling_days=settling_days)
    return Statement(rated[-1][0].currency, period, state, parts)


def _customers_line(billed: Billed, plan: Plan, part: BillingPeriod, line: Line) -> StatementLine:
    meters = meters_of(plan)
    return StatementLine(
        line.kind,
        line.label,
        line.amount,
        line.meter,
        meters[line.meter].unit if line.meter and line.meter in meters else None,
        line.quantity,
        line.unit_amount,
        _breakdown(billed, plan, part, line),
    )


def _breakdown(
    billed: Billed, plan: Plan, part: BillingPeriod, line: Line
) -> tuple[MeterAmount, ...]:
    """The line's amount by meter, in proportion to what each cost."""
    if not line.together:
        return ()
    everything = ALL_USAGE in line.together
    measured = billed.shown if everything else billed.priced[plan.id]
    names = (*billed.meters, OTHER) if everything else line.together
    costs = {name: measured.usage(name, part.start, part.end).cost for name in names}
    costs = {name: cost for name, cost in costs.items() if cost}
    amounts = split(line.amount, list(costs.values()), plan.currency) if costs else []
    meters = {**billed.meters, **meters_of(plan)}
    found = [
        MeterAmount((meters[name].label or name) if name in meters else "Other", amount)
        for name, amount in zip(costs, amounts, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -one.amount))


def staff_statement(
    scope: Scope, key: str, period: BillingPeriod, *, today: date
) -> StaffStatement | None:
    """Amount, cost and margin of the period so far.  Only for who may see cost."""
    billed = billed_usage(scope, key, period)
    rated = billed.rate_known(period, today)
    if not rated:
        return None
    lines = tuple(line for _, _, part in rated for line in part)
    amount, currency = total(line.amount for line in lines), rated[-1][0].currency
    sids = [one.sid for one in subscription(scope, key).accounts]
    charged = cost_currencies(scope, sids, period.start, period.end)
    cost = billed.shown.usage(ALL_USAGE, period.start, period.end).cost
    comparable = amount and charged in ((), (currency,))
    margin = (amount - cost) / amount if comparable else None
    return StaffStatement(amount, currency, cost, "/".join(charged) or currency, margin, lines)
