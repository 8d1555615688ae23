"""What the sync did and how far it has come: the questions of the staff's page and of /metrics.

Lists are cut in SQL and counted in SQL, so that ten thousand accounts cost no more than ten.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement
from sqlmodel import and_, case, col, func, or_, select

from data.freshness import STALE_AFTER
from data.models import (
    SYSTEM_CUSTOMER,
    USAGE_RECORDS,
    Account,
    AccountEvent,
    Customer,
    SyncCursor,
    SyncLease,
    SyncRun,
)
from data.money import ZERO
from data.scope import EveryTenant, reading

TOO_MANY = "429"  # Twilio's answer to more requests at once than it takes

Which = Literal["all", "failing", "stale", "waiting"]


# Runs


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the sync.  `answers` are counted by HTTP status, or by the fault's name."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    status: str  # running, ok, partial, failed
    accounts: int
    planned: int
    requests: int
    retries: int
    answers: Mapping[str, int]
    rows: int
    revisions: int
    twilio_seconds: Decimal | None  # all requests together, in Twilio's own words
    concurrent: int | None
    balance: Decimal | None  # what the parent has left at Twilio
    balance_currency: str | None
    error: str | None

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None

    @property
    def too_many(self) -> Decimal:
        """The share of requests that Twilio refused as too many at once."""
        return Decimal(self.answers.get(TOO_MANY, 0)) / max(self.requests, 1)

    @property
    def per_second(self) -> Decimal | None:
        """Requests a second; None for a run that took no time or is not over."""
        seconds = Decimal(str(self.took.total_seconds())) if self.took else ZERO
        return self.requests / seconds if seconds else None

    @property
    def twilio_seconds_each(self) -> Decimal | None:
        if not self.twilio_seconds or not self.requests:
            return None
        return self.twilio_seconds / self.requests


def recent_runs(scope: EveryTenant, *, limit: int = 20) -> tuple[Run, ...]:
    """The last runs, newest first."""
    columns = [getattr(SyncRun, name) for name in Run.__dataclass_fields__]
    with reading(scope) as session:
        rows: Iterable[Any] = session.execute(
            select(*columns)
            .where(SyncRun.folded == 0)
            .order_by(col(SyncRun.id).desc())
            .limit(limit)
        )
        return tuple(Run(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class SyncTotals:
    """Sums over all runs that are over; they only ever grow."""

    answers: Mapping[str, int]
    retries: int
    rows: int
    revisions: int
    runs: Mapping[str, int]  # by status
    last_success: datetime | None  # the end of a run that got through, whatever single accounts did


def sync_totals(scope: EveryTenant) -> SyncTotals:
    figures = (SyncRun.retries, SyncRun.rows, SyncRun.revisions)
    answers: dict[str, int] = {}
    over = col(SyncRun.finished_at).is_not(None)
    with reading(scope) as session:
        by_status: Sequence[Any] = session.execute(
            select(
                col(SyncRun.status),
                func.sum(case((col(SyncRun.folded) == 0, 1), else_=col(SyncRun.folded))),
                func.max(SyncRun.finished_at),
                *(func.sum(one) for one in figures),
            )
            .where(over)
            .group_by(col(SyncRun.status))
        ).all()
        for (counted,) in session.execute(select(col(SyncRun.answers)).where(over)):
            for name, number in (counted or {}).items():
                answers[name] = answers.get(name, 0) + number
    retries, rows, revisions = (sum(int(row[n]) for row in by_status) for n in (3, 4, 5))
    through = [row[2] for row in by_status if row[0] in ("ok", "partial")]
    runs = {row[0]: int(row[1]) for row in by_status}
    return SyncTotals(answers, retries, rows, revisions, runs, max(through, default=None))


@dataclass(frozen=True, slots=True)
class Holder:
    """Who syncs right now."""

    name: str  # host:process:number
    taken_at: datetime
    expires_at: datetime


def lease_holder(scope: EveryTenant, *, now: datetime) -> Holder | None:
    """`now` is the real one, in a demo too; None while nobody syncs."""
    with reading(scope) as session:
        row = session.execute(
            select(col(SyncLease.holder), col(SyncLease.taken_at), col(SyncLease.expires_at)).where(
                col(SyncLease.expires_at) > now
            )
        ).first()
    return Holder(*row) if row else None


# Accounts


@dataclass(frozen=True, slots=True)
class AccountFreshness:
    """How current one account is, and whose it is today."""

    sid: str
    name: str
    customer: str
    waiting: bool  # for somebody to name its customer
    kind: str
    status: str
    withdrawn_at: datetime | None  # the customer's consent to read it
    synced_at: datetime | None
    as_of: datetime | None
    sync_error: str | None
    through: date | None  # last day read

    @property
    def resting(self) -> bool:
        """Nothing new is expected of it."""
        return self.status == "closed" or self.withdrawn_at is not None

    def stale(self, now: datetime) -> bool:
        old = self.synced_at is None or now - self.synced_at > STALE_AFTER
        return old and not self.resting


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """Accounts by state.  Fresh, stale, failing and resting ones foot; waiting are some of them."""

    fresh: int
    stale: int
    failing: int
    resting: int
    waiting: int

    @property
    def all(self) -> int:
        return self.fresh + self.stale + self.failing + self.resting


def account_counts(scope: EveryTenant, *, today: date, now: datetime) -> AccountCounts:
    states = _states(now)
    with reading(scope) as session:
        row = session.execute(
            select(*(func.count(case((one, 1))) for one in states.values()))
            .select_from(Account)
            .join(Customer, col(Customer.id) == Account.customer_id)
            .where(_held(today))
        ).one()
    return AccountCounts(**dict(zip(states, row, strict=True)))


def account_freshness(
    scope: EveryTenant,
    *,
    today: date,
    now: datetime,
    which: Which = "all",
    limit: int = 50,
    offset: int = 0,
) -> tuple[AccountFreshness, ...]:
    """A page of accounts, the worst first: failing, then stale, then the longest unread."""
    states = _states(now)
    rank = case((states["failing"], 0), (states["stale"], 1), (states["resting"], 3), else_=2)
    read = and_(SyncCursor.account_sid == Account.sid, SyncCursor.resource == USAGE_RECORDS)
    question: Any = (
        select(  # type: ignore[call-overload]  # its types stop at four columns
            *(Account.sid, _name(), Customer.name, Customer.slug == SYSTEM_CUSTOMER),
            *(Account.kind, Account.status, Account.withdrawn_at),
            *(Account.synced_at, Account.as_of, Account.sync_error, SyncCursor.through),
        )
        .join(Customer, col(Customer.id) == Account.customer_id)
        .join(SyncCursor, read, isouter=True)
        .where(_held(today), *([] if which == "all" else [states[which]]))
        .order_by(rank, col(Account.synced_at).asc().nulls_first(), col(Account.sid))
    )
    with reading(scope) as session:
        rows = session.execute(question.limit(limit).offset(offset)).all()
    return tuple(AccountFreshness(*row) for row in rows)


def synced_ats(scope: EveryTenant, *, today: date) -> dict[str, datetime]:
    """When each account of which news is expected was last read, by SID; those never read lack."""
    with reading(scope) as session:
        rows = session.execute(
            select(col(Account.sid), col(Account.synced_at)).where(
                _held(today), ~_resting(), col(Account.synced_at).is_not(None)
            )
        )
        return {sid: at for sid, at in rows if at is not None}


def _name() -> ColumnElement[str]:
    """What an account is called: at Twilio, by the ISV, or by its SID."""
    given = (func.nullif(one, "") for one in (Account.name, Account.application))
    return func.coalesce(*given, Account.sid)


def _held(today: date) -> ColumnElement[bool]:
    """An account that moved has a row for each owner: the one of today."""
    return and_(
        col(Account.starts_on) <= today,
        or_(col(Account.ends_on).is_(None), col(Account.ends_on) > today),
    )


def _resting() -> ColumnElement[bool]:
    return or_(col(Account.status) == "closed", col(Account.withdrawn_at).is_not(None))


def _states(now: datetime) -> dict[str, ColumnElement[bool]]:
    """Conditions by state; `waiting` needs the customer joined."""
    resting, failed = _resting(), col(Account.sync_error).is_not(None)
    old = or_(col(Account.synced_at).is_(None), col(Account.synced_at) < now - STALE_AFTER)
    return {
        "fresh": ~resting & ~failed & ~old,
        "stale": ~resting & ~failed & old,
        "failing": ~resting & failed,
        "resting": resting,
        "waiting": col(Customer.slug) == SYSTEM_CUSTOMER,
    }


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an account: created, renamed, suspended, closed, connected …"""

    at: datetime
    kind: str
    detail: str
    account_sid: str
    account: str
    customer: str  # who has the account now


def account_events(scope: EveryTenant, *, limit: int = 30) -> tuple[Event, ...]:
    """Newest first."""
    with reading(scope) as session:
        rows: Sequence[Any] = session.execute(
            select(
                col(AccountEvent.at),
                col(AccountEvent.kind),
                col(AccountEvent.detail),
                col(AccountEvent.account_sid),
            )
            .order_by(col(AccountEvent.at).desc(), col(AccountEvent.id).desc())
            .limit(limit)
        ).all()
    names = account_names(scope, (row[3] for row in rows))
    return tuple(Event(*row, *names.get(row[3], (row[3], ""))) for row in rows)


def account_names(scope: EveryTenant, sids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """(account, customer) by SID; of several owners the last."""
    with reading(scope) as session:
        rows = session.execute(
            select(col(Account.sid), _name(), col(Customer.name))
            .join(Customer, col(Customer.id) == Account.customer_id)
            .where(col(Account.sid).in_(set(sids)))
            .order_by(col(Account.starts_on))
        )
        return {sid: (name, customer) for sid, name, customer in rows}
