"""Works out what needs attention at each customer, and keeps it for the staff's list.

After a sync, and only where something was read or agreed since, or the day has changed; stored in
batches.  What goes wrong with one subscription is kept in its row and stops no other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import String
from sqlmodel import cast, col, delete, func, select, tuple_

from data.errors import AppError
from data.fleet import LOW_DAYS, SOON_DAYS, Reason
from data.models import (
    Account,
    Alert,
    ClosedStatement,
    CreditLot,
    Customer,
    CustomerHealth,
    MoneyCredit,
    PlanChange,
    Reconciliation,
    StatementAdjustment,
    Subscription,
)
from data.overview import Overview, overview
from data.periods import DAY, BillingPeriod, period_of
from data.scope import EveryTenant, Scope, ScopedSession, reading, writing
from data.statement import staff_statement
from data.store import SubscriptionView, subscription

BATCH = 100  # customers a transaction
RECENT = timedelta(days=7)
MANY_ERRORS, TIMES = 10, 2
RECONCILED = timedelta(days=93)  # older months are history
LIKELY = 0.5
MICRO, NANO = Decimal("0.000001"), Decimal("0.000000001")  # what the columns hold

_Key = tuple[int, str]
"""A customer's id and a subscription's key."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a run has done."""

    computed: int
    kept: int  # nothing has changed since
    removed: int  # subscriptions that are no more
    failed: tuple[str, ...]  # a line for each that could not be worked out


@dataclass(frozen=True, slots=True)
class _Day:
    """The day as which everything is judged."""

    today: date
    now: datetime
    settling_days: int
    calendar: str


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is read for a whole batch at once."""

    errors: Mapping[int, tuple[int, int]]  # of the last seven days, of the seven before
    differs_in: Mapping[int, date]


def refresh_health(
    scope: EveryTenant,
    *,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str = "",
    again: bool = False,
) -> Refreshed:
    """Bring the rows up to date; `again` works out all of them.

    `calendar` is whose holidays are quiet days, as in the setting HOLIDAYS.
    """
    day = _Day(today, now, settling_days, calendar)
    with reading(scope) as session:
        held, versions = _held(session), _versions(session)
        known = _known(session)
    removed = _remove(scope, [key for key in known if key not in held])
    due = [key for key in held if again or known.get(key) != (versions.get(key[0], ""), today)]
    failed: list[str] = []
    for batch in _batches(due):
        failed += _refresh(scope, batch, held, versions, day)
    return Refreshed(len(due), len(held) - len(due), removed, tuple(failed))


def _held(session: ScopedSession) -> dict[_Key, str]:
    """Every subscription, with its customer's slug."""
    question: Any = (
        select(Subscription.customer_id, Subscription.key, Customer.slug)
        .join(Customer, col(Customer.id) == Subscription.customer_id)
        .order_by(col(Subscription.customer_id), col(Subscription.key))
    )
    return {(owner, key): slug for owner, key, slug in session.execute(question)}


def _known(session: ScopedSession) -> dict[_Key, tuple[str, date]]:
    """By which data, and as of which day, each row was worked out."""
    question: Any = select(
        CustomerHealth.customer_id,
        CustomerHealth.subscription,
        CustomerHealth.version,
        CustomerHealth.computed_on,
    )
    return {(owner, key): (made, on) for owner, key, made, on in session.execute(question)}


def _versions(session: ScopedSession) -> dict[int, str]:
    """As the store's `data_version`, for everybody in a few questions."""
    dated = cast(PlanChange.starts_on, String) + cast(PlanChange.version, String)
    dated = dated + func.coalesce(PlanChange.takes_effect, "") + col(PlanChange.plan)
    figures: tuple[tuple[Any, ...], ...] = (
        (
            *(Account, func.max(Account.synced_at), func.count(col(Account.sync_error))),
            *(
                func.count(),
                func.max(Account.ends_on),
                func.count(col(Account.withdrawn_at)),
                func.min(Account.status),
                func.max(Account.status),
            ),
        ),
        (PlanChange, func.count(), func.max(dated), func.min(dated)),
        (CreditLot, func.count(), func.count(col(CreditLot.voided_on))),
        *((table, func.count()) for table in (MoneyCredit, ClosedStatement, StatementAdjustment)),
        (Subscription, func.count(), func.max(Subscription.ends_on)),
    )
    found: dict[int, list[str]] = {}
    for number, (table, *values) in enumerate(figures):
        for owner, *row in session.execute(
            select(table.customer_id, *values).group_by(table.customer_id)
        ):
            found.setdefault(owner, []).append(f"{number}:{','.join(map(str, row))}")
    return {owner: "/".join(parts) for owner, parts in found.items()}


def _batches(keys: Sequence[_Key]) -> Iterator[Sequence[_Key]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def _remove(scope: EveryTenant, keys: Sequence[_Key]) -> int:
    for batch in _batches(keys):
        with writing(scope) as session:
            session.execute(delete(CustomerHealth).where(_named(batch)))
    return len(keys)


def _named(keys: Collection[_Key]) -> Any:
    return tuple_(col(CustomerHealth.customer_id), col(CustomerHealth.subscription)).in_(keys)


def _refresh(
    scope: EveryTenant,
    batch: Collection[_Key],
    held: Mapping[_Key, str],
    versions: Mapping[int, str],
    day: _Day,
) -> Iterator[str]:
    """Works out a batch and stores it; yields what could not be worked out."""
    with reading(scope) as session:
        beside = _beside(session, {owner for owner, _ in batch}, day.today)
    found: dict[_Key, dict[str, Any]] = {}
    for owner, key in batch:
        made = {"version": versions.get(owner, ""), "computed_on": day.today}
        try:
            values = _worked_out(Scope(owner, scope.url, read_only=True), key, beside, day)
        except AppError as error:
            values = {"problem": str(error)}
            yield f"{held[owner, key]} ({key}): {error}"
        found[owner, key] = {**values, **made, "computed_at": day.now}
    _store(scope, found)


def _store(scope: EveryTenant, found: Mapping[_Key, Mapping[str, Any]]) -> None:
    """Rows that failed keep their older figures."""
    with writing(scope) as session:
        rows = session.exec(select(CustomerHealth).where(_named(list(found)))).all()
        stored = {(row.customer_id, row.subscription): row for row in rows}
        for (owner, key), values in found.items():
            row = stored.get((owner, key))
            if row is None:
                session.add(CustomerHealth(customer_id=owner, subscription=key, **values))
            else:
                row.sqlmodel_update(dict(values))


def _beside(session: ScopedSession, owners: Collection[int], today: date) -> _Beside:
    week, before = today - RECENT, today - 2 * RECENT
    counted: Any = (
        select(col(Alert.customer_id), col(Alert.day), func.count())
        .where(
            col(Alert.customer_id).in_(owners),
            col(Alert.day) > before,
            col(Alert.day) <= today,
            Alert.level == "error",
        )
        .group_by(col(Alert.customer_id), col(Alert.day))
    )
    errors: dict[int, tuple[int, int]] = {}
    for owner, day, number in session.execute(counted):
        now, earlier = errors.get(owner, (0, 0))
        errors[owner] = (now + number, earlier) if day > week else (now, earlier + number)
    differing: Any = (
        select(Account.customer_id, func.max(Reconciliation.month))
        .join(Account, col(Account.sid) == Reconciliation.account_sid)
        .where(
            col(Account.customer_id).in_(owners),
            cast(col(Reconciliation.differences), String) != "[]",
            col(Reconciliation.month) > today - RECONCILED,
            Account.starts_on <= Reconciliation.month,
        )
        .group_by(col(Account.customer_id))
    )
    return _Beside(errors, dict(session.execute(differing).all()))


# One subscription


def _worked_out(scope: Scope, key: str, beside: _Beside, day: _Day) -> dict[str, Any]:
    """The values of its row."""
    view = subscription(scope, key)
    owner = scope.customer_id
    values = {
        **_reading_of(view, day.today),
        **_nothing(),
        "differs_in": beside.differs_in.get(owner),
        "plan": view.plan,
        "currency": view.currency,
    }
    values["errors"], values["errors_before"] = beside.errors.get(owner, (0, 0))
    period = _period(view, day.today)
    if period is not None:
        shown = overview(
            *(scope, key, period),
            today=day.today,
            now=day.now,
            settling_days=day.settling_days,
            calendar=day.calendar,
        )
        values |= {"period_start": period.start, "period_end": period.end}
        values |= _figures(shown) | _margin(scope, key, period, day.today)
    values["reasons"] = int(_reasons(values, day.today))
    return values


def _nothing() -> dict[str, Any]:
    """What a row says where nothing is known: figures of an earlier run do not stay."""
    empty = (
        *("period_start", "period_end", "amount", "expected_low", "expected_high", "overage"),
        *("ends_early", "ends_late", "credits_left", "unusual_on", "problem"),
        *("cost", "cost_currency", "earned"),
    )
    return {**dict.fromkeys(empty), "chance": 0, "ends": "", "unusual_meter": ""}


def _period(view: SubscriptionView, today: date) -> BillingPeriod | None:
    """The one that runs, or the last of a contract that is over."""
    last = min(today, (view.ends_on or today + DAY) - DAY)
    if last < view.starts_on:
        return None
    return period_of(last, view.anchor_day).clipped(view.starts_on, view.ends_on)


def _reading_of(view: SubscriptionView, today: date) -> dict[str, Any]:
    """How current it is: the oldest reading of the accounts of which news is expected."""
    read = [
        one
        for one in view.accounts
        if one.status != "closed"
        and one.withdrawn_at is None
        and (one.ends_on is None or one.ends_on > today)
    ]
    at = [one.synced_at for one in read if one.synced_at]
    return {
        "resting": not read or (view.ends_on is not None and view.ends_on <= today),
        "failing": any(one.sync_error for one in read),
        "synced_at": min(at) if at and len(at) == len(read) else None,
    }


def _figures(shown: Overview) -> dict[str, Any]:
    ahead, bill = shown.outlook, shown.statement
    values: dict[str, Any] = {}
    if bill is not None:
        values["amount"] = bill.total
    if ahead is not None:
        if ahead.amount is not None:
            values["expected_low"] = ahead.amount.low
            values["expected_high"] = ahead.amount.high
        values["overage"] = ahead.expected_overage
        values["chance"] = round(100 * (ahead.chance_of_overage or 0))
    return values | _ending(shown) | _unusual(shown)


def _ending(shown: Overview) -> dict[str, Any]:
    """What runs out, and between which days: credits, or what a bundle includes."""
    ahead = shown.outlook
    if shown.credits is not None:
        when, what = shown.credits.runs_out, "credits"
        left: dict[str, Any] = {"credits_left": shown.credits.credits_left.quantize(MICRO)}
    elif ahead is not None and ahead.allowance_ends is not None and not ahead.over:
        when, what, left = ahead.allowance_ends, "allowance", {}
    else:
        return {}
    if when.early is None:
        return left
    return {**left, "ends": what, "ends_early": when.early, "ends_late": when.late}


def _unusual(shown: Overview) -> dict[str, Any]:
    since = shown.freshness.settled_through - RECENT
    days = [(one.day, series.label) for series in shown.series for one in series.unusual]
    recent = [found for found in days if found[0] > since]
    if not recent:
        return {}
    on, meter = max(recent)
    return {"unusual_on": on, "unusual_meter": meter}


def _margin(scope: Scope, key: str, period: BillingPeriod, today: date) -> dict[str, Any]:
    bill = staff_statement(scope, key, period, today=today)
    if bill is None:
        return {}
    return {
        "earned": bill.amount,
        "cost": bill.cost.quantize(NANO),
        "cost_currency": bill.cost_currency,
    }


def _reasons(values: Mapping[str, Any], today: date) -> Reason:
    found = Reason(0)
    if values["differs_in"]:
        found |= Reason.RECONCILIATION
    if values["errors"] >= max(MANY_ERRORS, TIMES * values["errors_before"]):
        found |= Reason.ERRORS
    if values["unusual_on"]:
        found |= Reason.UNUSUAL
    over = values["period_end"] is None or values["period_end"] <= today
    return found if over else found | _money_reasons(values, today)


def _money_reasons(values: Mapping[str, Any], today: date) -> Reason:
    """Of a period that runs.  A bundle with a price beyond it costs more; one without just ends."""
    early, overage = values["ends_early"], values["overage"]
    likely = values["chance"] >= 100 * LIKELY
    if overage is not None:
        return Reason.OVERAGE if overage > 0 and likely else Reason(0)
    if early is None or (values["ends"] == "allowance" and not likely):
        return Reason(0)
    if early <= today + SOON_DAYS * DAY:
        return Reason.RUNS_OUT
    low = values["ends"] == "credits" and early <= today + LOW_DAYS * DAY
    return Reason.LOW_CREDITS if low else Reason(0)
