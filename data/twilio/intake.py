"""What was read of Twilio, into the store: many accounts in one transaction, each account whole.

Only what differs is written, and a day that was over and has changed leaves a revision.  The
cursor, the freshness and the rows of an account are stored together or not at all: a page never
sees half a day, and a process that dies leaves what was there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, func, select, update

from data.assignment import Owner, mark_each_changed, owner_on, system_customer
from data.meters import TOTAL
from data.models import USAGE_RECORDS, Account, SyncCursor, Table, UsageRecord, UsageRevision
from data.money import ZERO
from data.scope import EveryTenant, ScopedSession, reading, writing
from data.twilio.bulk import Figures, Key, UsageTable
from data.twilio.lease import Lease
from data.twilio.reading import AccountRead
from data.twilio.usage_records import COST_PLACES, QUANTITY_PLACES


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that Twilio sent, and figures of past days among them that it had changed."""

    rows: int = 0
    revisions: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(self.rows + other.rows, self.revisions + other.revisions)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one account's reading changes."""

    changed: list[tuple[Key, Figures]]
    gone: list[Key]
    before: dict[Key, Figures]

    def __iter__(self) -> Iterator[Key]:
        yield from (key for key, _ in self.changed)
        yield from self.gone


def store_reads(
    scope: EveryTenant, reads: Sequence[AccountRead], now: datetime, lease: Lease | None = None
) -> Stored:
    """Replace the days that were read, move the cursors: all of it, or nothing.

    With a `lease` its holder is confirmed in the same transaction: SyncInProgress if it is lost.
    """
    with writing(scope) as session:
        stored = _replace_rows(session, reads, now, lease)
        _move_cursors(session, reads, now)
        _note_freshness(session, reads, now)
    return stored


def store_again(
    scope: EveryTenant, read: AccountRead, now: datetime, lease: Lease | None = None
) -> Stored:
    """Replace days that were read once more; how far and when the account was read stays."""
    with writing(scope) as session:
        return _replace_rows(session, [read], now, lease)


def _replace_rows(
    session: ScopedSession, reads: Sequence[AccountRead], now: datetime, lease: Lease | None
) -> Stored:
    if lease:
        lease.renew(session)
    table = UsageTable(session)
    waiting, holds = _owners(session, [read.account.sid for read in reads])
    differences = [
        _difference(table, read, holds.get(read.account.sid, []), waiting) for read in reads
    ]
    table.delete([key for one in differences for key in one.gone])
    table.upsert([row for one in differences for row in one.changed])
    both = list(zip(reads, differences, strict=True))
    first = {read.account.sid: min(key[1] for key in one) for read, one in both if any(one)}
    mark_each_changed(session, {sid: table.day(day) for sid, day in first.items()})
    revisions = sum(_keep_revisions(session, table, *each, now) for each in both)
    return Stored(sum(len(read.rows) for read in reads), revisions)


def _owners(session: ScopedSession, sids: Sequence[str]) -> tuple[int, dict[str, list[Owner]]]:
    """The system customer, and who else holds or held these accounts.

    An import that gives them away meanwhile waits, and then moves what is stored here, too.
    """
    waiting = system_customer(session)
    rows = session.execute(
        select(
            col(Account.sid), col(Account.customer_id), col(Account.starts_on), col(Account.ends_on)
        )
        .where(col(Account.sid).in_(sids))
        .order_by(col(Account.sid), col(Account.customer_id), col(Account.starts_on))
        .with_for_update()
    )
    found: dict[str, list[Owner]] = {}
    for sid, customer_id, starts_on, ends_on in rows:
        if customer_id != waiting:
            found.setdefault(sid, []).append(Owner(customer_id, starts_on, ends_on))
    return waiting, found


def _difference(
    table: UsageTable, read: AccountRead, holds: Sequence[Owner], waiting: int
) -> Difference:
    sid = read.account.sid
    before: dict[Key, Figures] = {}
    for window in read.windows:
        before |= table.stored(sid, window.first, window.last)
    after = table.rows(sid, read.rows, lambda day: owner_on(day, holds, waiting))
    changed = [(key, figures) for key, figures in after.items() if before.get(key) != figures]
    gone = [key for key in before if key not in after]
    if read.account.status == "closed":  # Twilio deletes its usage in time: ours stays
        again = {key[1:] for key in after}
        gone = [key for key in gone if key[1:] in again]  # the same row, of another owner
    return Difference(changed, gone, before)


def _keep_revisions(
    session: ScopedSession,
    table: UsageTable,
    read: AccountRead,
    difference: Difference,
    now: datetime,
) -> int:
    """Old beside new, of days that were over when they were read before."""
    account = read.account
    if account.first_day is None or account.read_at is None:
        return 0
    over = account.read_at.date()
    after = dict(difference.changed)
    values = [
        _revision(table, key, difference.before.get(key), after.get(key), now)
        for key in difference
        if account.first_day <= table.day(key[1]) < over
    ]
    if values:
        statement = _insert(session, UsageRevision)
        latest = {name: statement.excluded[name] for name in ("new_count", "new_usage", "new_cost")}
        key = ["customer_id", "day", "category", "account_sid", "seen_at"]
        statement = statement.on_conflict_do_update(index_elements=key, set_=latest)
        session.connection().execute(statement, values)
    return len(values)


def _insert(session: ScopedSession, table: type[Table]) -> Any:
    """The database's own INSERT, which can say what to do with a key that is there."""
    postgres = session.get_bind().dialect.name == "postgresql"
    known = table.__table__  # type: ignore[attr-defined]  # SQLModel leaves it untyped
    return (postgres_insert if postgres else sqlite_insert)(known)


def _revision(
    table: UsageTable, key: Key, old: Figures | None, new: Figures | None, now: datetime
) -> dict[str, Any]:
    customer_id, day, category, sid = key
    named = {"customer_id": customer_id, "day": table.day(day), "category": category}
    places = (QUANTITY_PLACES, QUANTITY_PLACES, COST_PLACES)
    figures = {
        f"{age}_{name}": table.number(figures[n], places[n]) if figures else None
        for age, figures in (("old", old), ("new", new))
        for n, name in enumerate(("count", "usage", "cost"))
    }
    return {**named, "account_sid": sid, "seen_at": now, **figures}


def _move_cursors(session: ScopedSession, reads: Sequence[AccountRead], now: datetime) -> None:
    statement = _insert(session, SyncCursor)
    moved = ("first_day", "through", "read_at", "whole_on", "rows_per_day", "categories")
    statement = statement.on_conflict_do_update(
        index_elements=["account_sid", "resource"],
        set_={name: statement.excluded[name] for name in moved},
    )
    session.connection().execute(statement, [_cursor(read, now) for read in reads])


def _cursor(read: AccountRead, now: datetime) -> dict[str, Any]:
    account = read.account
    return {
        "account_sid": account.sid,
        "resource": USAGE_RECORDS,
        "first_day": min(read.first, account.first_day or read.first),
        "through": read.through,
        "read_at": now,
        "whole_on": read.through if read.whole else account.whole_on,
        "rows_per_day": read.habit.rows_per_day,
        "categories": read.habit.categories,
    }


def _note_freshness(session: ScopedSession, reads: Sequence[AccountRead], now: datetime) -> None:
    table = Account.__table__  # type: ignore[attr-defined]  # SQLModel leaves it untyped
    statement = (
        update(table)
        .where(table.c.sid == bindparam("account"))
        .values(
            synced_at=now,
            sync_error=None,
            as_of=func.coalesce(bindparam("seen", type_=table.c.as_of.type), table.c.as_of),
        )
    )
    values = [{"account": read.account.sid, "seen": _as_of(read)} for read in reads]
    session.connection().execute(statement, values)


def _as_of(read: AccountRead) -> datetime | None:
    return max((row.as_of for row in read.rows if row.as_of), default=None)


def stored_totals(scope: EveryTenant, sid: str, first: date, last: date) -> dict[date, Decimal]:
    """Twilio's total by day, as stored, whoever owned the account then."""
    with reading(scope) as session:
        rows: Iterable[tuple[date, Decimal | None]] = session.execute(
            select(col(UsageRecord.day), func.sum(UsageRecord.cost))
            .where(
                UsageRecord.account_sid == sid,
                UsageRecord.category == TOTAL,
                col(UsageRecord.day) >= first,
                col(UsageRecord.day) <= last,
            )
            .group_by(col(UsageRecord.day))
        )
        return {day: cost or ZERO for day, cost in rows}
