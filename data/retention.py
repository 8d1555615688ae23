"""How long rows are kept that no bill needs, and their deletion in small batches.

Usage, plans, statements and ledgers are never deleted: bills are derived from them again.  What has
a policy here is told in advance by a dry run, and goes a thousand rows at a time, each batch in a
transaction of its own, so that no page and no sync waits for it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, and_, tuple_
from sqlmodel import col, delete, func, select

from data.errors import InputError
from data.models import (
    AccountEvent,
    Alert,
    AuditEntry,
    ConnectRequest,
    EmbedCode,
    Incident,
    LogDay,
    LoginAttempt,
    LoginLink,
    LoginSession,
    SyncRun,
    Table,
    UsageRevision,
)
from data.scope import EveryTenant, ScopedSession, reading, writing

BATCH = 1_000
LEAST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows of `table` go once `column` lies `days` days back."""

    table: type[Table]
    column: str
    days: int

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)


POLICIES: tuple[Policy, ...] = (
    Policy(UsageRevision, "seen_at", 400),
    Policy(Alert, "at", 400),
    Policy(LogDay, "day", 400),
    Policy(Incident, "started_at", 400),
    Policy(AccountEvent, "at", 800),
    Policy(AuditEntry, "at", 800),
    Policy(SyncRun, "started_at", 100),
    Policy(LoginSession, "expires_at", 100),
    Policy(LoginLink, "expires_at", 30),
    Policy(LoginAttempt, "expires_at", 7),
    Policy(EmbedCode, "expires_at", 30),
    Policy(ConnectRequest, "expires_at", 30),
)


@dataclass(frozen=True, slots=True)
class Expired:
    """What a policy would delete, or has deleted."""

    policy: Policy
    before: date
    rows: int


def policies(changed: Mapping[str, int]) -> tuple[Policy, ...]:
    """The policies with other days for the tables named; InputError names what is wrong."""
    names = {one.name for one in POLICIES}
    for name, days in changed.items():
        if name not in names:
            known = ", ".join(sorted(names))
            raise InputError(f"retention: {name!r} has no policy; there are {known}")
        if days < LEAST_DAYS:
            raise InputError(f"retention: {name} must be kept for {LEAST_DAYS} days at least")
    return tuple(Policy(one.table, one.column, changed.get(one.name, one.days)) for one in POLICIES)


def expired(scope: EveryTenant, policy: Policy, now: datetime) -> Expired:
    """How many rows the policy would delete now."""
    with reading(scope) as session:
        rows = session.exec(
            select(func.count()).select_from(policy.table).where(_old(policy, now))
        ).one()
    return Expired(policy, _limit(policy, now).date(), rows)


def delete_expired(scope: EveryTenant, policy: Policy, now: datetime) -> Expired:
    """Delete them, batch by batch."""
    rows = sum(_batches(scope, policy, now))
    return Expired(policy, _limit(policy, now).date(), rows)


def _batches(scope: EveryTenant, policy: Policy, now: datetime) -> Iterator[int]:
    table = policy.table
    names = table.__table__.primary_key  # type: ignore[attr-defined]  # SQLModel leaves it untyped
    key = [col(getattr(table, one.name)) for one in names]
    while True:
        with writing(scope) as session:
            old: Any = select(*key).where(_old(policy, now)).limit(BATCH)
            keys = [tuple(row) for row in session.execute(old)]
            if keys and table is SyncRun:
                _fold(session, [id for (id,) in keys])
            if keys:
                session.execute(delete(table).where(tuple_(*key).in_(keys)))
        if not keys:
            return
        yield len(keys)


def _fold(session: ScopedSession, ids: Sequence[int]) -> None:
    """Add the runs to the row that is the sum of all old ones of their status: no counter falls."""
    for run in session.exec(select(SyncRun).where(col(SyncRun.id).in_(ids))).all():
        sums = session.exec(
            select(SyncRun).where(SyncRun.status == run.status, col(SyncRun.folded) > 0)
        ).first() or SyncRun(started_at=run.started_at, status=run.status)
        sums.folded += 1
        for name in ("requests", "retries", "rows", "revisions"):
            setattr(sums, name, getattr(sums, name) + getattr(run, name))
        sums.answers = dict(Counter(sums.answers) + Counter(run.answers))
        sums.finished_at = max(
            sums.finished_at or run.started_at, run.finished_at or run.started_at
        )
        session.add(sums)
        session.flush()


def _old(policy: Policy, now: datetime) -> Any:
    column: Any = col(getattr(policy.table, policy.column))
    limit = _limit(policy, now)
    old = column < (limit.date() if isinstance(column.type, Date) else limit)
    return and_(old, col(SyncRun.folded) == 0) if policy.table is SyncRun else old


def _limit(policy: Policy, now: datetime) -> datetime:
    return now - timedelta(days=policy.days)
