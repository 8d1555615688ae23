"""Questions to the database.  Every function takes the scope first and answers in frozen values.

The customer is filtered for in plain sight, though the guard of scope.py would do it as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam
from sqlalchemy.exc import DBAPIError
from sqlmodel import cast, col, func, or_, select

from data.errors import InvalidPeriod, NotFound, StoreUnavailable
from data.models import (
    SYSTEM_CUSTOMER,
    TABLES,
    Account,
    ClosedStatement,
    CreditLot,
    Customer,
    MoneyCredit,
    PlanChange,
    StatementAdjustment,
    Subscription,
    SyncRun,
)
from data.periods import BillingPeriod, period_of, previous_period
from data.plans import stored_plans
from data.pricing import Plan
from data.scope import EveryTenant, Scope, reading
from data.service_rows import accounts_by_number


@dataclass(frozen=True, slots=True)
class CustomerView:
    id: int
    slug: str
    name: str
    email: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    sid: str
    name: str
    application: str
    kind: str
    status: str
    starts_on: date
    ends_on: date | None
    as_of: datetime | None
    synced_at: datetime | None
    sync_error: str | None
    withdrawn_at: datetime | None = None  # when the customer took back the consent to read it


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    key: str
    plan: str | None  # the name of the newest plan; None where the customer pays Twilio itself
    currency: str | None
    starts_on: date
    ends_on: date | None
    anchor_day: int
    accounts: tuple[AccountView, ...]

    @property
    def connected(self) -> bool:
        return self.plan is None


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    id: int
    slug: str
    name: str
    email: str | None
    external_id: str | None
    plan: str | None
    accounts: tuple[AccountView, ...]
    waiting: bool  # the system customer: its accounts wait for an owner


def check_store(scope: EveryTenant) -> None:
    """StoreUnavailable unless every table is there with all its columns."""
    with reading(scope) as session:
        for table in TABLES:
            try:
                session.exec(select(table).limit(0))
            except DBAPIError as error:
                raise StoreUnavailable(
                    "The database cannot be used; run `python -m data migrate`"
                ) from error


def customer(scope: Scope) -> CustomerView:
    with reading(scope) as session:
        row = session.exec(select(Customer).where(Customer.id == scope.customer_id)).first()
    if row is None:
        raise NotFound("There is no such customer.")
    return CustomerView(scope.customer_id, row.slug, row.name, row.email, row.external_id)


def customer_by_slug(scope: EveryTenant, slug: str) -> CustomerView:
    with reading(scope) as session:
        row = session.exec(select(Customer).where(Customer.slug == slug)).first()
    if row is None or row.id is None:
        raise NotFound(f"There is no customer {slug!r}; import customers.yaml first.")
    return CustomerView(row.id, row.slug, row.name, row.email, row.external_id)


def _account_view(row: Account) -> AccountView:
    return AccountView(
        row.sid,
        row.name or row.application or row.sid,
        row.application,
        row.kind,
        row.status,
        row.starts_on,
        row.ends_on,
        row.as_of,
        row.synced_at,
        row.sync_error,
        row.withdrawn_at,
    )


def subscriptions(scope: Scope) -> tuple[SubscriptionView, ...]:
    with reading(scope) as session:
        owner = scope.customer_id
        rows = session.exec(select(Subscription).where(Subscription.customer_id == owner)).all()
        accounts = session.exec(select(Account).where(Account.customer_id == owner)).all()
        changes = session.exec(select(PlanChange).where(PlanChange.customer_id == owner)).all()
        plans = stored_plans(session)
    return tuple(
        _subscription_view(row, accounts, changes, plans)
        for row in sorted(rows, key=lambda row: (row.key != "main", row.key))
    )


def _subscription_view(
    row: Subscription,
    accounts: Sequence[Account],
    changes: Sequence[PlanChange],
    plans: dict[tuple[str, int], Plan],
) -> SubscriptionView:
    agreed = sorted((c for c in changes if c.subscription == row.key), key=lambda c: c.starts_on)
    plan = plans[agreed[-1].plan, agreed[-1].version] if agreed else None
    own = [account for account in accounts if account.subscription == row.key]
    return SubscriptionView(
        row.key,
        plan.name if plan else None,
        plan.currency if plan else None,
        row.starts_on,
        row.ends_on,
        row.anchor_day,
        tuple(_account_view(a) for a in sorted(own, key=lambda a: (a.application, a.name, a.sid))),
    )


def subscription(scope: Scope, key: str) -> SubscriptionView:
    """One of the customer's subscriptions; NotFound if it is absent or another customer's."""
    for view in subscriptions(scope):
        if view.key == key:
            return view
    raise NotFound("There is no such subscription.")


def periods(scope: Scope, key: str, *, today: date) -> tuple[BillingPeriod, ...]:
    """The subscription's periods, newest first; the first and last may be parts."""
    view = subscription(scope, key)
    last = min(today, view.ends_on or today)
    found = []
    period = period_of(last, view.anchor_day)
    while period.end > view.starts_on:
        if view.ends_on is None or period.start < view.ends_on:
            found.append(period.clipped(view.starts_on, view.ends_on))
        period = previous_period(period, view.anchor_day)
    return (*_after_the_end(scope, view), *found)


def _after_the_end(scope: Scope, view: SubscriptionView) -> tuple[BillingPeriod, ...]:
    """Periods of a contract that is over which are billed for late usage, newest first."""
    if view.ends_on is None:
        return ()
    with reading(scope) as session:
        starts = session.exec(
            select(col(StatementAdjustment.billed_in))
            .where(
                StatementAdjustment.customer_id == scope.customer_id,
                StatementAdjustment.subscription == view.key,
                col(StatementAdjustment.billed_in) >= view.ends_on,
            )
            .distinct()
        ).all()
    return tuple(period_of(start, view.anchor_day) for start in sorted(starts, reverse=True))


def period_at(scope: Scope, key: str, day: date) -> BillingPeriod:
    """The subscription's period that holds the day; InvalidPeriod before it began or after."""
    view = subscription(scope, key)
    if day < view.starts_on or (view.ends_on is not None and day >= view.ends_on):
        span = f"{view.starts_on} – {view.ends_on or 'today'}"
        raise InvalidPeriod(f"There is no period on {day}: the account's days are {span}.")
    return period_of(day, view.anchor_day).clipped(view.starts_on, view.ends_on)


def data_version(scope: Scope) -> str:
    """Changes whenever a sync or an import stored something for the customer: part of every
    cache's key."""
    with reading(scope) as session:
        row = session.exec(_version_asked(), params={"owner": scope.customer_id}).one()
    return "/".join(str(value) for value in row)


@lru_cache(maxsize=1)
def _version_asked() -> Any:
    """Asked on every run of a page, and slower to build than to answer: built once."""
    owner: Any = bindparam("owner")
    dated = cast(PlanChange.starts_on, String) + cast(PlanChange.version, String)
    dated = dated + func.coalesce(PlanChange.takes_effect, "") + col(PlanChange.plan)
    agreed = (
        select(func.aggregate_strings(dated, ","))
        .where(PlanChange.customer_id == owner)
        .scalar_subquery()
    )
    appended = (
        select(func.count()).where(table.customer_id == owner).scalar_subquery()
        for table in (CreditLot, MoneyCredit, ClosedStatement, StatementAdjustment)
    )
    voided = (
        select(func.count(col(CreditLot.voided_on)))
        .where(CreditLot.customer_id == owner)
        .scalar_subquery()
    )
    return select(  # type: ignore[call-overload]  # its types stop at four columns
        func.max(Account.synced_at),
        func.count(col(Account.sync_error)),
        func.max(Account.ends_on),
        func.count(),
        agreed,
        voided,
        *appended,
    ).where(Account.customer_id == owner)


def find_customers(scope: EveryTenant, text: str, *, limit: int = 200) -> tuple[FoundCustomer, ...]:
    """Customers by name, slug, e-mail, external id, an account's SID or number; all for no text."""
    pattern = f"%{_escaped(text.strip().lower())}%"
    by_number = {one.customer_id for one in accounts_by_number(scope, text)}
    with reading(scope) as session:
        by_account = select(Account.customer_id).where(
            or_(
                func.lower(Account.sid).like(pattern, escape="\\"),
                func.lower(Account.name).like(pattern, escape="\\"),
                func.lower(Account.application).like(pattern, escape="\\"),
            )
        )
        fields = (Customer.name, Customer.slug, Customer.email, Customer.external_id)
        rows = session.exec(
            select(Customer)
            .where(
                or_(
                    *(func.lower(one).like(pattern, escape="\\") for one in fields),
                    col(Customer.id).in_(by_account),
                    col(Customer.id).in_(by_number),
                )
            )
            .order_by(col(Customer.name))
            .limit(limit)
        ).all()
        ids = [row.id for row in rows]
        accounts = session.exec(select(Account).where(col(Account.customer_id).in_(ids))).all()
        changes = session.exec(select(PlanChange).where(col(PlanChange.customer_id).in_(ids))).all()
        plans = stored_plans(session)
    found = (_found(row, accounts, changes, plans) for row in rows)
    return tuple(one for one in found if one.accounts or not one.waiting)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _found(
    row: Customer,
    accounts: Sequence[Account],
    changes: Sequence[PlanChange],
    plans: dict[tuple[str, int], Plan],
) -> FoundCustomer:
    agreed = sorted((c for c in changes if c.customer_id == row.id), key=lambda c: c.starts_on)
    assert row.id is not None
    return FoundCustomer(
        row.id,
        row.slug,
        row.name,
        row.email,
        row.external_id,
        plans[agreed[-1].plan, agreed[-1].version].name if agreed else None,
        tuple(_account_view(account) for account in accounts if account.customer_id == row.id),
        row.slug == SYSTEM_CUSTOMER,
    )


@dataclass(frozen=True, slots=True)
class RunView:
    started_at: datetime
    finished_at: datetime | None
    status: str
    accounts: int
    planned: int  # requests that the plan expected
    requests: int
    rows: int
    error: str | None


def last_run(scope: EveryTenant) -> RunView | None:
    with reading(scope) as session:
        runs = select(SyncRun).where(SyncRun.folded == 0)  # not the sum of old ones
        row = session.exec(runs.order_by(col(SyncRun.id).desc())).first()
    if row is None:
        return None
    return RunView(
        row.started_at,
        row.finished_at,
        row.status,
        row.accounts,
        row.planned,
        row.requests,
        row.rows,
        row.error,
    )
