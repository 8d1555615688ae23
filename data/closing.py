"""Closing a period: its statement is frozen with a hash, and what changes later is an adjustment.

A period closes 48 hours after its last day has settled, the earlier ones first.  Closing it again
gives the same statement.  Usage that changes afterwards prices the closed period anew, with the
plan that was valid then; the difference to what was billed becomes a dated line on the statement
of the first period that is still open.  A final statement is never touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import col, select, update

from data.agreements import plan_stretches
from data.billed import billed_usage
from data.credit_ledger import lock_subscription, post_credits
from data.errors import AppError, Conflict, NotFound
from data.freshness import freshness
from data.identity.audit import Action, By
from data.models import (
    USAGE_RECORDS,
    Account,
    ClosedStatement,
    Customer,
    StatementAdjustment,
    Subscription,
    SyncCursor,
)
from data.periods import DAY, BillingPeriod, period_of, periods_between
from data.pricing import segments
from data.scope import EveryTenant, Scope, reading, writing
from data.statement import open_content
from data.statement_archive import (
    Frozen,
    closed_starts,
    frozen_statement,
    periods_with_adjustments,
    revisions_of,
)
from data.statement_content import Content, content_hash, priced_content, to_text
from data.store import AccountView, SubscriptionView, subscription

CLOSES_AFTER = timedelta(days=2)  # the 48 hours


@dataclass(frozen=True, slots=True)
class Closings:
    """What a step has written, a line for each thing."""

    closed: tuple[str, ...]
    adjusted: tuple[str, ...]
    failed: tuple[str, ...]
    posted: int  # entries of the credit ledger


def close_period(
    scope: Scope,
    key: str,
    period: BillingPeriod,
    *,
    settling_days: int,
    today: date,
    now: datetime,
    by: By | None = None,
) -> Frozen:
    """Freeze the period's statement; the one that is frozen already is returned as it is.

    `by`: the person who closes it, for the log; without, the scheduled step does.

    Conflict says what it has to wait for; NotFound where no plan was agreed in the period.
    """
    with writing(scope) as session:
        lock_subscription(session, scope, key)
        if frozen := frozen_statement(scope, key, period.start):
            return frozen
        view = subscription(scope, key)
        _may_close(scope, view, period, settling_days=settling_days, today=today, now=now)
        billed = billed_usage(scope, key, period)
        content = open_content(scope, key, billed, period, today=today, explained=True)
        if content is None:
            raise NotFound(f"No plan was agreed for {period.start} – {period.last_day}.")
        text = to_text(content)
        session.add(_row(scope, key, content, text, now))
        detail = f"{key}: {period.start} – {period.last_day}"
        closer = by or By("closing", None, "", now)
        closer.note(session, Action.PERIOD_CLOSED, detail, customer_id=scope.customer_id)
    return Frozen(content, content_hash(text), now)


@dataclass(frozen=True, slots=True)
class ToClose:
    """The oldest period that is over and not closed: as it would be frozen now."""

    period: BillingPeriod
    content: Content
    settled_through: date
    why_not: str | None  # what its closing has to wait for


def next_to_close(
    scope: Scope, key: str, *, settling_days: int, today: date, now: datetime
) -> ToClose | None:
    """What `close_period` would freeze next; None where every period that is over is closed."""
    view = subscription(scope, key)
    terms = {"settling_days": settling_days, "today": today, "now": now}
    over = today + CLOSES_AFTER  # as if all before today had settled
    for period in due_periods(scope, view, over):
        if period.end > today:
            continue
        billed = billed_usage(scope, key, period)
        content = open_content(scope, key, billed, period, today=today, explained=False)
        if content is None:
            continue
        settled = settled_through(view, settling_days=settling_days, today=today, now=now)
        return ToClose(period, content, settled, _why_not(scope, view, period, terms))
    return None


def _why_not(scope: Scope, view: SubscriptionView, period: BillingPeriod, terms: Any) -> str | None:
    try:
        _may_close(scope, view, period, **terms)
    except Conflict as error:
        return str(error)
    return None


def _row(scope: Scope, key: str, content: Content, text: str, now: datetime) -> ClosedStatement:
    return ClosedStatement(
        customer_id=scope.customer_id,
        subscription=key,
        period_start=content.period.start,
        period_end=content.period.end,
        currency=content.currency,
        total=content.total,
        paid={line.lot or "": f"{-line.amount:f}" for line in content.payments},
        content=text,
        content_hash=content_hash(text),
        closed_at=now,
    )


def _may_close(
    scope: Scope,
    view: SubscriptionView,
    period: BillingPeriod,
    *,
    settling_days: int,
    today: date,
    now: datetime,
) -> None:
    settled = settled_through(view, settling_days=settling_days, today=today, now=now)
    if settled < period.last_day + CLOSES_AFTER:
        due = period.last_day + CLOSES_AFTER
        raise Conflict(
            f"The period {period.start} – {period.last_day} is still settling: usage must be read "
            f"and settled through {due}, and is through {settled}."
        )
    known_from = read_from(scope, view)
    if period.start < known_from:
        raise Conflict(f"Usage before {known_from} was never read: sync it with --since first.")
    for earlier in due_periods(scope, view, settled):
        if earlier.start < period.start:
            raise Conflict(f"Close the period from {earlier.start} first: bills build on another.")


def settled_through(
    view: SubscriptionView, *, settling_days: int, today: date, now: datetime
) -> date:
    """The last day of which the figures of all its accounts are complete."""
    fresh = freshness(view.accounts, today=today, now=now, settling_days=settling_days)
    bounds = (_complete_through(one, settling_days) for one in view.accounts)
    return min((fresh.settled_through, *bounds))


def _complete_through(account: AccountView, settling_days: int) -> date:
    """A bill waits, as a page does not, for accounts never read or not read to their end."""
    if account.synced_at is None:
        return account.starts_on - DAY
    through = account.synced_at.date() - (settling_days + 1) * DAY
    over = account.ends_on is not None and account.ends_on <= through + DAY
    closed = account.status == "closed" and account.sync_error is None
    return date.max if over or closed else through


def read_from(scope: Scope, view: SubscriptionView) -> date:
    """The first day of which the usage of all its accounts was read; bills before it are not ours.

    How far back an account was read is the deployment's own affair, hence the wider scope.
    """
    with reading(EveryTenant(scope.url)) as session:
        rows = session.exec(
            select(SyncCursor).where(
                SyncCursor.resource == USAGE_RECORDS,
                col(SyncCursor.account_sid).in_([one.sid for one in view.accounts]),
            )
        ).all()
    first = {row.account_sid: row.first_day for row in rows}
    late = (first[a.sid] for a in view.accounts if first.get(a.sid, date.min) > a.starts_on)
    return max(late, default=date.min)


def close_due(scope: EveryTenant, *, settling_days: int, today: date, now: datetime) -> Closings:
    """The scheduled step: post credits, close every period that is due, adjust closed ones.

    What goes wrong with one subscription is told in `failed` and stops no other.
    """
    closed: list[str] = []
    adjusted: list[str] = []
    failed: list[str] = []
    posted = 0
    for one, slug, key in _all_subscriptions(scope):
        try:
            view, before = subscription(one, key), closed_starts(one, key)
            settled = settled_through(view, settling_days=settling_days, today=today, now=now)
            posted += post_credits(one, key, through=settled, now=now)
            for period in tuple(due_periods(one, view, settled)):
                close_period(one, key, period, settling_days=settling_days, today=today, now=now)
                closed.append(f"{slug} ({key}): {period.start} – {period.last_day}")
            found = adjust(one, key, today=today, among=before)
            adjusted += [f"{slug} ({key}): {line}" for line in found]
            _changes_seen(one, view)
        except AppError as error:
            failed.append(f"{slug} ({key}): {error}")
    return Closings(tuple(closed), tuple(adjusted), tuple(failed), posted)


def due_periods(scope: Scope, view: SubscriptionView, settled: date) -> Iterator[BillingPeriod]:
    """Those that could be closed and are not yet, oldest first: with a plan, or an adjustment."""
    closed, agreed = closed_starts(scope, view.key), plan_stretches(scope, view.key)
    carrying, known_from = periods_with_adjustments(scope, view.key), read_from(scope, view)
    last = settled - CLOSES_AFTER + DAY
    for period in periods_between(view.starts_on, last, view.anchor_day):
        whole = whole_period(view, period.start)
        if whole.start in closed or whole.end > last or whole.start < known_from:
            continue
        if whole.start in carrying or segments(agreed, whole):
            yield whole


def whole_period(view: SubscriptionView, day: date) -> BillingPeriod:
    """The subscription's period of the day; after its end, the calendar's."""
    period = period_of(day, view.anchor_day)
    ends_on = view.ends_on if view.ends_on and view.ends_on > period.start else None
    return period.clipped(view.starts_on, ends_on)


def adjust(
    scope: Scope, key: str, *, today: date, among: frozenset[date] | None = None
) -> list[str]:
    """Price the closed periods anew that have changed since; returns a line for each adjustment.

    `among`: the starts of those that may have; by default all that are closed.
    """
    view = subscription(scope, key)
    since = _changed_from(scope, view)
    if since is None:
        return []
    found = []
    for start in sorted(closed_starts(scope, key) if among is None else among):
        period = whole_period(view, start)
        if period.end > since and (line := _adjust(scope, view, period, today)):
            found.append(line)
    return found


def _adjust(scope: Scope, view: SubscriptionView, period: BillingPeriod, today: date) -> str | None:
    key = view.key
    with writing(scope) as session:
        lock_subscription(session, scope, key)
        known = revisions_of(scope, key, period.start)
        billed = billed_usage(scope, key, period)
        content = priced_content(billed, billed.rated(period, period.last_day), explained=True)
        difference = content.usage_total - known[-1].usage_total if content else None
        if content is None or not difference:
            return None
        session.add(
            StatementAdjustment(
                customer_id=scope.customer_id,
                subscription=key,
                period_start=period.start,
                number=len(known),
                billed_in=_first_open(scope, view),
                noticed_on=today,
                amount=difference,
                currency=content.currency,
                content=to_text(content),
            )
        )
    return f"{period.start:%B %Y} changes by {difference} {content.currency}"


def _first_open(scope: Scope, view: SubscriptionView) -> date:
    """The start of the period after the last closed one."""
    last = max(closed_starts(scope, view.key))
    return whole_period(view, last).full_end


def _changed_from(scope: Scope, view: SubscriptionView) -> date | None:
    if not view.accounts:  # the last one was taken away: there is none that could be marked
        return view.starts_on
    with reading(scope) as session:
        days = session.exec(
            select(col(Account.changed_from)).where(
                Account.customer_id == scope.customer_id, Account.subscription == view.key
            )
        ).all()
    return min((day for day in days if day), default=None)


def _changes_seen(scope: Scope, view: SubscriptionView) -> None:
    with writing(scope) as session:
        for one in view.accounts:  # what was read since the view was taken is left for next time
            session.execute(
                update(Account)
                .where(
                    col(Account.customer_id) == scope.customer_id,
                    col(Account.sid) == one.sid,
                    col(Account.starts_on) == one.starts_on,
                    col(Account.synced_at) == one.synced_at,  # None: `IS NULL`
                )
                .values(changed_from=None)
            )


def _all_subscriptions(scope: EveryTenant) -> list[tuple[Scope, str, str]]:
    with reading(scope) as session:
        rows = session.exec(
            select(Subscription.customer_id, Customer.slug, Subscription.key)
            .where(Subscription.customer_id == Customer.id)
            .order_by(col(Customer.slug), col(Subscription.key))
        ).all()
    return [(Scope(id, scope.url), slug, key) for id, slug, key in rows]
