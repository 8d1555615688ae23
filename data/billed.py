"""What the bill of a period needs, read once: the plans in force, the usage, the credits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from data.agreements import credit_lots, money_credits, plan_stretches, plan_timeline
from data.meters import TOTAL, meters_of, shown_meters
from data.periods import DAY, BillingPeriod, period_of, periods_between
from data.pricing import (
    CreditLot,
    CreditLots,
    LedgerEntry,
    Meter,
    MoneyCredit,
    Opening,
    Plan,
    PlanStretch,
    RatedPart,
    RatedPeriod,
    TimelineEntry,
    UsageByMeter,
    rate_period,
    segments,
    stretches,
)
from data.pricing.bill import UsageOf
from data.scope import Scope
from data.store import SubscriptionView, subscription
from data.usage import Measured, measured
from data.usage_rows import day_totals


@dataclass(frozen=True)
class Billed:
    """One period of one subscription.

    `opening` are the lots before the period, so that a period's ledger need not replay them all.
    """

    entries: tuple[TimelineEntry, ...]  # every change of plan, the superseded ones included
    stretches: tuple[PlanStretch, ...]
    lots: tuple[CreditLot, ...]
    money: tuple[MoneyCredit, ...]
    meters: Mapping[str, Meter]  # those a page shows
    shown: Measured
    priced: Mapping[str, Measured]  # by plan, as its own meters measure it
    opening: Opening | None

    def rate(
        self, period: BillingPeriod, usage_of: UsageOf, known_until: date | None = None
    ) -> RatedPeriod:
        """The period's bill, given the usage of each part."""
        return rate_period(
            self.stretches,
            period,
            usage_of,
            lots=self.lots,
            opening=self.opening,
            known_until=known_until,
        )

    def rated(self, period: BillingPeriod, through: date) -> RatedPeriod:
        """The bill of what has happened up to and with the day `through`."""

        def used(plan: Plan, part: BillingPeriod) -> UsageByMeter:
            end = min(part.end, through + DAY)
            return self.priced[plan.id].usages(plan.meters_priced, part.start, end)

        return self.rate(period, used, through + DAY)


def part_on(parts: Sequence[RatedPart], day: date) -> RatedPart | None:
    """The part of a period that the day lies in, or the nearest one; None without a plan."""
    begun = [one for one in parts if one.period.start <= day]
    return (begun[-1] if begun else parts[0]) if parts else None


def plan_on(stretches: tuple[PlanStretch, ...], period: BillingPeriod, day: date) -> Plan | None:
    """The plan in force on a day of the period, or the nearest one in it."""
    parts = segments(stretches, period)
    begun = [plan for plan, part in parts if part.start <= day]
    return (begun[-1] if begun else parts[0][0]) if parts else None


@dataclass(frozen=True, slots=True)
class CreditHistory:
    """The ledger of a subscription from its first day on, and what it leaves."""

    entries: tuple[LedgerEntry, ...] = ()
    closing: Opening | None = None


def credit_history(scope: Scope, key: str, until: date) -> CreditHistory:
    """Replay every period from the first plan to the day `until` (exclusive)."""
    agreed, view = plan_stretches(scope, key), subscription(scope, key)
    return _replayed(scope, view, agreed, credit_lots(scope, key), until)


def _replayed(
    scope: Scope,
    view: SubscriptionView,
    agreed: tuple[PlanStretch, ...],
    lots: tuple[CreditLot, ...],
    until: date,
) -> CreditHistory:
    prices = [p for one in agreed for p in one.plan.prices if isinstance(p, CreditLots)]
    if not (prices and (lots or any(price.recurring for price in prices))):
        return CreditHistory()
    paid_for = {meter for price in prices for meter in price.meters}
    metered = [meters_of(one.plan) for one in agreed]
    named = [meter for found in metered for name, meter in found.items() if name in paid_for]
    names = {id for meter in named for id in meter.categories}
    rows = day_totals(scope, view.accounts, agreed[0].starts_on, until, categories=names)
    priced = {one.plan.id: measured(rows, meters_of(one.plan)) for one in agreed}

    def used(plan: Plan, part: BillingPeriod) -> UsageByMeter:
        return priced[plan.id].usages(plan.meters_priced, part.start, part.end)

    entries: list[LedgerEntry] = []
    opening: Opening | None = None
    for period in periods_between(view.starts_on, until, view.anchor_day):
        whole = period_of(period.start, view.anchor_day).clipped(view.starts_on, view.ends_on)
        rated = rate_period(agreed, whole, used, lots=lots, opening=opening, known_until=until)
        for part in rated.parts:
            for price in part.plan.prices:
                if isinstance(price, CreditLots):
                    entries += price.ledger(part.usage, part.basis).entries
        opening = rated.closing
    return CreditHistory(tuple(entries), opening)


def billed_usage(
    scope: Scope,
    key: str,
    period: BillingPeriod,
    *,
    since: date | None = None,
    glance: date | None = None,
    on: date | None = None,
) -> Billed:
    """Read what the period's bill needs; usage from `since` on, if earlier than the period.

    From `glance` on, if that is earlier still, `shown` has what the meters add up to, and priced
    nothing.  The meters shown are those of the plan in force `on` a day, by default the last.
    """
    entries, lots = plan_timeline(scope, key), credit_lots(scope, key)
    agreed = stretches(entries)
    view = subscription(scope, key)
    shown = shown_meters(plan_on(agreed, period, on or period.last_day))
    start = min(since or period.start, period.start)
    rows = day_totals(scope, view.accounts, start, period.end)
    priced = {plan.id: measured(rows, meters_of(plan)) for plan, _ in segments(agreed, period)}
    if glance and glance < start:
        names = {TOTAL, *(id for meter in shown.values() for id in meter.categories)}
        rows = [*day_totals(scope, view.accounts, glance, start, categories=names), *rows]
    return Billed(
        entries,
        agreed,
        lots,
        money_credits(scope, key),
        shown,
        measured(rows, shown),
        priced,
        _replayed(scope, view, agreed, lots, period.start).closing,
    )
