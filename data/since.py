"""What has changed for a customer since a moment: days counted anew, plans, statements, credits.

Of usage only days that had settled by then count: a day that is still settling is expected to
move.  Each such day's amount is what the bill of its period came to with its correction less what
it came to without, the days before it corrected already: together they are the bill's own move.
No value here has a field for cost, though revisions are priced by it where a plan is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import col, select

from data.agreements import credit_lots, money_credits, plan_timeline
from data.billed import Billed, billed_usage, credit_history, plan_on
from data.meters import meters_of, shown_meters
from data.models import ClosedStatement, StatementAdjustment, UsageRevision
from data.money import ZERO, rounded
from data.periods import DAY, BillingPeriod, period_of
from data.pricing import segments
from data.pricing.ledger import EntryKind, as_decimal
from data.scope import Scope, reading
from data.statement_archive import closed_starts
from data.store import SubscriptionView, subscription
from data.usage import Measured, measured
from data.usage_rows import DayTotals


@dataclass(frozen=True, slots=True)
class Moved:
    """By how much a meter's day has risen or fallen, in billed units."""

    label: str
    unit: str
    by: Decimal


@dataclass(frozen=True, slots=True)
class RestatedDay:
    day: date
    moved: tuple[Moved, ...]
    amount: Decimal | None  # None: its period is closed, or no plan prices it
    currency: str | None


@dataclass(frozen=True, slots=True)
class NewPlan:
    name: str
    asked_on: date
    starts_on: date
    billed: bool  # a later change may replace one before its first day


@dataclass(frozen=True, slots=True)
class BilledPeriod:
    """A closed statement, or what a closed period turned out to cost more or less."""

    period: BillingPeriod
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Credit:
    """Credits (`currency` None) or money, granted or expired on a day."""

    name: str
    on: date
    amount: Decimal
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Newest first in each."""

    restated: tuple[RestatedDay, ...] = ()
    plans: tuple[NewPlan, ...] = ()
    closed: tuple[BilledPeriod, ...] = ()
    adjusted: tuple[BilledPeriod, ...] = ()
    granted: tuple[Credit, ...] = ()
    expired: tuple[Credit, ...] = ()
    opened: tuple[tuple[str, date], ...] = ()  # accounts with their first day
    ended: tuple[tuple[str, date], ...] = ()  # and with the last


def changes_since(
    scope: Scope, key: str, since: datetime, *, today: date, settling_days: int
) -> Changes:
    """What is other for one subscription than it was at `since`, in whole days where days are
    all that is known: what came on the day of `since` itself is told again rather than missed."""
    view, first = subscription(scope, key), since.date()
    granted, expired = _credits(scope, key, first, today)
    opened, ended = _accounts(view, first, today)
    return Changes(
        _restated(scope, view, since, first - (settling_days + 1) * DAY, today),
        _plans(scope, key, first, today),
        _closed(scope, view, since),
        _adjusted(scope, view, first),
        granted,
        expired,
        opened,
        ended,
    )


# Days counted anew


def _restated(
    scope: Scope, view: SubscriptionView, since: datetime, settled: date, today: date
) -> tuple[RestatedDay, ...]:
    deltas: dict[BillingPeriod, list[DayTotals]] = defaultdict(list)
    for row in _revised(scope, view, since, settled):
        deltas[period_of(row.day, view.anchor_day)].append(row)
    if not deltas:
        return ()
    closed = closed_starts(scope, view.key)
    found: list[RestatedDay] = []
    for period, rows in deltas.items():
        own = period.clipped(view.starts_on, view.ends_on)
        is_open = own.start not in closed
        found += _days(billed_usage(scope, view.key, own), own, rows, today, is_open=is_open)
    return tuple(sorted(found, key=lambda one: one.day, reverse=True))


def _revised(
    scope: Scope, view: SubscriptionView, since: datetime, settled: date
) -> list[DayTotals]:
    """By day and category: how much more there is than before the first correction."""
    with reading(scope) as session:
        rows = session.exec(
            select(UsageRevision)
            .where(
                UsageRevision.customer_id == scope.customer_id,
                col(UsageRevision.seen_at) >= since,
                col(UsageRevision.day) >= view.starts_on,
                col(UsageRevision.day) <= settled,
                col(UsageRevision.account_sid).in_([one.sid for one in view.accounts]),
            )
            .order_by(col(UsageRevision.seen_at))
        ).all()
    by_day: dict[tuple[date, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for row in rows:  # of several corrections of a day each adds to the one before
        figures = by_day[row.day, row.category]
        figures[0] += (row.new_count or ZERO) - (row.old_count or ZERO)
        figures[1] += (row.new_usage or ZERO) - (row.old_usage or ZERO)
        figures[2] += (row.new_cost or ZERO) - (row.old_cost or ZERO)
    return [DayTotals(day, name, *figures) for (day, name), figures in sorted(by_day.items())]


def _days(
    billed: Billed, period: BillingPeriod, rows: list[DayTotals], today: date, *, is_open: bool
) -> Iterable[RestatedDay]:
    """In the order of days; one of which only the cost has changed is none of them."""
    plan = plan_on(billed.stretches, period, period.last_day)
    units = measured(rows, shown_meters(plan)).quantity
    days = sorted({row.day for row in rows})
    amounts = _amounts(billed, period, rows, days, today) if plan and is_open else {}
    for day in days:
        moved = tuple(
            Moved(billed.meters[name].label or name, billed.meters[name].unit, by[day])
            for name, by in units.items()
            if name in billed.meters and by.get(day)
        )
        if moved or amounts.get(day):
            yield RestatedDay(day, moved, amounts.get(day), plan.currency if plan else None)


def _amounts(
    billed: Billed, period: BillingPeriod, rows: list[DayTotals], days: list[date], today: date
) -> Mapping[date, Decimal]:
    """The bill's move by day, the earlier days corrected first."""
    plans = {plan.id: meters_of(plan) for plan, _ in segments(billed.stretches, period)}
    found, through = {}, min(today, period.last_day)
    after = billed.rated(period, through).total
    for day in reversed(days):
        later = [row for row in rows if row.day >= day]
        before = {
            id: _less(billed.priced[id], measured(later, meters)) for id, meters in plans.items()
        }
        was = replace(billed, priced=before).rated(period, through).total
        found[day], after = after - was, was
    return found


def _less(now: Measured, more: Measured) -> Measured:
    parts = ("quantity", "events", "cost")
    return Measured(*(_subtracted(getattr(now, one), getattr(more, one)) for one in parts))


def _subtracted(
    now: Mapping[str, Mapping[date, Decimal]], more: Mapping[str, Mapping[date, Decimal]]
) -> dict[str, dict[date, Decimal]]:
    found = {name: dict(days) for name, days in now.items()}
    for name, days in more.items():
        for day, by in days.items():
            found.setdefault(name, {})[day] = found.get(name, {}).get(day, ZERO) - by
    return found


# What was agreed and billed


def _plans(scope: Scope, key: str, first: date, today: date) -> tuple[NewPlan, ...]:
    """Asked for or begun since; the plan that a subscription began with is no change."""
    _, *later = plan_timeline(scope, key) or (None,)
    found = [
        NewPlan(one.plan.name, one.asked_on, one.starts_on, one.billed)
        for one in later
        if one and (first <= one.asked_on <= today or first <= one.starts_on <= today)
    ]
    return tuple(reversed(found))


def _closed(scope: Scope, view: SubscriptionView, since: datetime) -> tuple[BilledPeriod, ...]:
    with reading(scope) as session:
        rows = session.exec(
            select(ClosedStatement)
            .where(
                ClosedStatement.customer_id == scope.customer_id,
                ClosedStatement.subscription == view.key,
                col(ClosedStatement.closed_at) >= since,
            )
            .order_by(col(ClosedStatement.period_start).desc())
        ).all()
    return tuple(_of_period(view, row.period_start, row.total, row.currency) for row in rows)


def _adjusted(scope: Scope, view: SubscriptionView, first: date) -> tuple[BilledPeriod, ...]:
    with reading(scope) as session:
        rows = session.exec(
            select(StatementAdjustment)
            .where(
                StatementAdjustment.customer_id == scope.customer_id,
                StatementAdjustment.subscription == view.key,
                col(StatementAdjustment.noticed_on) >= first,
            )
            .order_by(col(StatementAdjustment.period_start).desc())
        ).all()
    return tuple(
        _of_period(view, row.period_start, row.amount, row.currency) for row in rows if row.amount
    )


def _of_period(view: SubscriptionView, start: date, amount: Decimal, currency: str) -> BilledPeriod:
    period = period_of(start, view.anchor_day).clipped(view.starts_on, view.ends_on)
    return BilledPeriod(period, rounded(amount, currency), currency)


def _credits(
    scope: Scope, key: str, first: date, today: date
) -> tuple[tuple[Credit, ...], tuple[Credit, ...]]:
    """Granted, and expired with something left in them."""
    lots, money = credit_lots(scope, key), money_credits(scope, key)
    granted = [
        *(Credit(one.name, one.effective_on, one.credits) for one in lots),
        *(Credit(one.name, one.effective_on, one.amount, one.currency) for one in money),
    ]
    names, gone = {one.key: one.name for one in lots}, []
    if any(first <= one.ends_on <= today for one in lots):
        gone = [
            Credit(names[one.lot], one.day, as_decimal(one.credits))
            for one in credit_history(scope, key, today + DAY).entries
            if one.kind is EntryKind.EXPIRE and one.lot in names and one.credits
        ]
    within = [
        tuple(sorted((o for o in found if first <= o.on <= today), key=lambda o: o.on)[::-1])
        for found in (granted, gone)
    ]
    return within[0], within[1]


def _accounts(
    view: SubscriptionView, first: date, today: date
) -> tuple[tuple[tuple[str, date], ...], tuple[tuple[str, date], ...]]:
    """Those that came after the subscription began, and those that left it."""
    opened = [
        (one.application or one.name, one.starts_on)
        for one in view.accounts
        if first <= one.starts_on <= today and one.starts_on > view.starts_on
    ]
    ended = [
        (one.application or one.name, one.ends_on - DAY)
        for one in view.accounts
        if one.ends_on and first <= one.ends_on <= today
    ]
    return tuple(opened), tuple(ended)
