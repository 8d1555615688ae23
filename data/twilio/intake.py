"""What the sync writes, and what it must know to read on: cursors, runs, accounts, usage.

The one bulk writer: rows go to the database as plain values, a window in one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, delete, func, select, update

from data.assignment import Owner, mark_changed, owner_on, owners, system_customer
from data.errors import NotFound
from data.meters import TOTAL
from data.models import Account, SyncCursor, SyncRun, UsageRecord
from data.money import ZERO
from data.scope import EveryTenant, ScopedSession, reading, writing
from data.twilio.accounts import TwilioAccount
from data.twilio.usage_records import DailyUsage

USAGE = "usage_records"
ALWAYS = date(1970, 1, 1)
CHUNK = 5_000  # rows a statement
FIGURES = ("count", "usage", "cost", "cost_currency")


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account to read, and how far it was read."""

    sid: str
    name: str
    kind: str
    status: str
    first_day: date | None
    through: date | None


@dataclass(frozen=True, slots=True)
class Window:
    """Days that were read whole, both ends included."""

    first: date
    last: date


def start_run(scope: EveryTenant, now: datetime) -> int:
    with writing(scope) as session:
        run = SyncRun(started_at=now)
        session.add(run)
        session.flush()
        assert run.id is not None
        return run.id


def finish_run(
    scope: EveryTenant,
    id: int,
    finished_at: datetime,
    *,
    status: str,
    accounts: int,
    rows: int,
    requests: int,
    error: str | None,
) -> None:
    with writing(scope) as session:
        run = session.get(SyncRun, id)
        if run is None:
            raise NotFound("The sync run is gone.")
        run.status, run.accounts, run.rows = status, accounts, rows
        run.requests, run.error = requests, error
        run.finished_at = finished_at
        session.add(run)


def store_accounts(scope: EveryTenant, listed: Iterable[TwilioAccount]) -> None:
    """Names and states as Twilio has them; accounts nobody named wait under the system customer."""
    with writing(scope) as session:
        waiting = system_customer(session)
        known: dict[str, list[Account]] = {}
        for row in session.exec(select(Account)).all():
            known.setdefault(row.sid, []).append(row)
        for account in listed:
            rows = known.get(account.sid) or [
                Account(customer_id=waiting, sid=account.sid, starts_on=ALWAYS)
            ]
            for row in rows:
                row.name, row.status = account.name, account.status
                session.add(row)


def known_accounts(scope: EveryTenant) -> list[KnownAccount]:
    """Every account of every customer, once, with its cursor."""
    with reading(scope) as session:
        cursors = {
            row.account_sid: row
            for row in session.exec(select(SyncCursor).where(SyncCursor.resource == USAGE)).all()
        }
        rows = session.exec(select(Account).order_by(col(Account.sid))).all()
    accounts: dict[str, KnownAccount] = {}
    for row in rows:
        cursor = cursors.get(row.sid)
        accounts[row.sid] = KnownAccount(
            row.sid,
            row.name or row.sid,
            row.kind,
            row.status,
            cursor.first_day if cursor else None,
            cursor.through if cursor else None,
        )
    return list(accounts.values())


def note_failure(scope: EveryTenant, sid: str | None, why: str) -> None:
    """Remember why an account (or, without a SID, every account) could not be read."""
    statement = update(Account).values(sync_error=why)
    with writing(scope) as session:
        session.execute(statement if sid is None else statement.where(col(Account.sid) == sid))


def stored_totals(scope: EveryTenant, sid: str, first: date, last: date) -> dict[date, Decimal]:
    """Twilio's total by day, as stored, whoever owned the account then."""
    with reading(scope) as session:
        rows = session.exec(
            select(col(UsageRecord.day), func.sum(UsageRecord.cost))
            .where(
                UsageRecord.account_sid == sid,
                UsageRecord.category == TOTAL,
                col(UsageRecord.day) >= first,
                col(UsageRecord.day) <= last,
            )
            .group_by(col(UsageRecord.day))
        ).all()
    return {day: cost or ZERO for day, cost in rows}


def store_window(
    scope: EveryTenant,
    account: KnownAccount,
    windows: Sequence[Window],
    rows: Sequence[DailyUsage],
    *,
    through: date,
    now: datetime,
) -> int:
    """Replace the windows' days, move the cursor and note the freshness: all of it, or nothing."""
    with writing(scope) as session:
        holds = owners(session).get(account.sid, [])
        waiting = system_customer(session)
        values = list(_merged(_values(row, account.sid, holds, waiting) for row in rows))
        _mark_changes(session, account.sid, windows, values)
        _clear(session, account, windows, rows)
        for start in range(0, len(values), CHUNK):
            _upsert(session, values[start : start + CHUNK])
        first = min((window.first for window in windows), default=through)
        _move_cursor(session, account, first, through, now)
        as_of = max((row.as_of for row in rows if row.as_of), default=None)
        fresh: dict[str, Any] = {"synced_at": now, "sync_error": None}
        if as_of:
            fresh["as_of"] = as_of
        session.execute(update(Account).where(col(Account.sid) == account.sid).values(**fresh))
    return len(values)


def _values(row: DailyUsage, sid: str, holds: Sequence[Owner], waiting: int) -> dict[str, Any]:
    return {
        "customer_id": owner_on(row.day, holds, waiting),
        "day": row.day,
        "category": row.category,
        "account_sid": sid,
        "count": row.count,
        "usage": row.usage,
        "cost": row.cost,
        "cost_currency": row.cost_currency,
    }


def _merged(values: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """One row a key: a listing that shifted between two pages may send one twice, the same."""
    return {(value["day"], value["category"]): value for value in values}.values()


def _mark_changes(
    session: ScopedSession, sid: str, windows: Sequence[Window], values: Sequence[dict[str, Any]]
) -> None:
    """Note the earliest day that reads otherwise now: closed statements are held against it."""
    if not windows:
        return
    first = min(window.first for window in windows)
    last = max(window.last for window in windows)
    stored = session.exec(
        select(*(col(getattr(UsageRecord, name)) for name in ("day", "category", *FIGURES))).where(
            UsageRecord.account_sid == sid,
            col(UsageRecord.day) >= first,
            col(UsageRecord.day) <= last,
        )
    ).all()
    before = {(day, category): tuple(figures) for day, category, *figures in stored}
    after = {
        (value["day"], value["category"]): tuple(value[name] for name in FIGURES)
        for value in values
    }
    days = [
        day
        for day, category in before.keys() | after.keys()
        if before.get((day, category)) != after.get((day, category))
    ]
    if days:
        mark_changed(session, sid, min(days))


def _clear(
    session: ScopedSession,
    account: KnownAccount,
    windows: Sequence[Window],
    rows: Sequence[DailyUsage],
) -> None:
    if account.status == "closed":  # Twilio deletes its usage in time: what it sends not, stays
        windows = [Window(day, day) for day in sorted({row.day for row in rows})]
    for window in windows:
        session.execute(
            delete(UsageRecord).where(
                col(UsageRecord.account_sid) == account.sid,
                col(UsageRecord.day) >= window.first,
                col(UsageRecord.day) <= window.last,
            )
        )


def _upsert(session: ScopedSession, values: list[dict[str, Any]]) -> None:
    postgres = session.get_bind().dialect.name == "postgresql"
    statement: Any = (postgres_insert if postgres else sqlite_insert)(UsageRecord)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id", "day", "category", "account_sid"],
            set_={name: statement.excluded[name] for name in FIGURES},
        ),
        values,
    )


def _move_cursor(
    session: ScopedSession, account: KnownAccount, first: date, through: date, now: datetime
) -> None:
    cursor = session.get(SyncCursor, (account.sid, USAGE)) or SyncCursor(
        account_sid=account.sid, resource=USAGE, first_day=first, through=through, read_at=now
    )
    cursor.first_day = min(cursor.first_day, first)
    cursor.through, cursor.read_at = through, now
    session.add(cursor)
