"""Twilio's list of accounts against ours: who is new, renamed, suspended, closed or open again.

An account that nobody named belongs to the system customer until someone names it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col, insert, update

from data.assignment import system_customer
from data.models import USAGE_RECORDS, Account, AccountEvent, SyncCursor
from data.scope import EveryTenant, reading, writing
from data.twilio.accounts import TwilioAccount
from data.twilio.planner import UNKNOWN, Habit
from data.twilio.reading import KnownAccount

ALWAYS = date(1970, 1, 1)
CHUNK = 500  # rows a statement
HAPPENED = {"suspended": "suspended", "closed": "closed", "active": "reopened"}

_Known = tuple[str, str, str, date | None]  # SID, name, status, closed on


def store_accounts(
    scope: EveryTenant, listed: Sequence[TwilioAccount], *, today: date, now: datetime
) -> int:
    """Take in names and status as they are at Twilio now; returns how many accounts differ."""
    with writing(scope) as session:
        waiting = system_customer(session)
        known: dict[str, _Known] = {
            row[0]: row
            for row in session.execute(
                select(
                    col(Account.sid), col(Account.name), col(Account.status), col(Account.closed_on)
                )
            )
        }
        new = [one for one in listed if one.sid not in known]
        moved = [one for one in listed if one.sid in known and _differs(one, known[one.sid])]
        events = [_event(one, "created", one.name, now) for one in new]
        events += [event for one in moved for event in _events(one, known[one.sid], now)]
        for chunk in _chunks([_row(one, waiting, today) for one in new]):
            session.execute(insert(Account), chunk)
        if moved:
            table = Account.__table__  # type: ignore[attr-defined]  # SQLModel leaves it untyped
            session.connection().execute(
                update(table)
                .where(table.c.sid == bindparam("account"))
                .values(
                    {name: bindparam(f"new_{name}") for name in ("name", "status", "closed_on")}
                ),
                [_update(one, known[one.sid], today) for one in moved],
            )
        for chunk in _chunks(events):
            session.execute(insert(AccountEvent), chunk)
    return len(new) + len(moved)


def _differs(one: TwilioAccount, known: _Known) -> bool:
    _, name, status, closed_on = known
    return (one.name, one.status) != (name, status) or (one.is_closed != (closed_on is not None))


def _events(one: TwilioAccount, known: _Known, now: datetime) -> Iterator[dict[str, Any]]:
    _, name, status, _ = known
    if name and name != one.name:
        yield _event(one, "renamed", f"{name} → {one.name}", now)
    if status != one.status:
        yield _event(one, HAPPENED.get(one.status, one.status), f"was {status}", now)


def _event(one: TwilioAccount, kind: str, detail: str, now: datetime) -> dict[str, Any]:
    return {"account_sid": one.sid, "at": now, "kind": kind, "detail": detail}


def _row(one: TwilioAccount, waiting: int, today: date) -> dict[str, Any]:
    return {
        "customer_id": waiting,
        "sid": one.sid,
        "starts_on": ALWAYS,
        "name": one.name,
        "status": one.status,
        "closed_on": today if one.is_closed else None,
    }


def _update(one: TwilioAccount, known: _Known, today: date) -> dict[str, Any]:
    closed_on = (known[3] or today) if one.is_closed else None
    return {
        "account": one.sid,
        "new_name": one.name,
        "new_status": one.status,
        "new_closed_on": closed_on,
    }


def _chunks(values: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def known_accounts(
    scope: EveryTenant, listed: Iterable[TwilioAccount] = (), *, today: date
) -> list[KnownAccount]:
    """Every account to read, once, with its cursor: never read first, then the longest unread.

    `listed` is Twilio's list where it was not stored yet: its names and status count.  Left out are
    accounts whose owner withdrew the consent to read them.
    """
    with reading(scope) as session:
        cursors = {
            row.account_sid: row
            for row in session.execute(
                select(SyncCursor.__table__).where(  # type: ignore[attr-defined]  # untyped
                    col(SyncCursor.resource) == USAGE_RECORDS
                )
            )
        }
        rows = session.execute(
            select(
                col(Account.sid),
                col(Account.name),
                col(Account.kind),
                col(Account.status),
                col(Account.closed_on),
                col(Account.withdrawn_at),
            )
        ).all()
    known = {row[0]: _known(row[:5], cursors.get(row[0])) for row in rows}
    for one in listed:
        before = known.get(one.sid) or KnownAccount(one.sid, one.name)
        closed_on = (before.closed_on or today) if one.is_closed else None
        known[one.sid] = replace(before, name=one.name, status=one.status, closed_on=closed_on)
    for sid in {row[0] for row in rows if row[5] is not None}:
        del known[sid]
    return sorted(known.values(), key=lambda one: (one.read_at is not None, one.read_at, one.sid))


def _known(row: Sequence[Any], cursor: Any) -> KnownAccount:
    sid, name, kind, status, closed_on = row
    if cursor is None:
        return KnownAccount(sid, name or sid, kind, status, closed_on)
    return KnownAccount(
        sid,
        name or sid,
        kind,
        status,
        closed_on,
        cursor.first_day,
        cursor.through,
        cursor.whole_on,
        cursor.read_at,
        Habit(cursor.rows_per_day, cursor.categories) if cursor.rows_per_day else UNKNOWN,
    )


def note_failures(
    scope: EveryTenant, failures: Mapping[str, str], *, unread: Mapping[str, date] | None = None
) -> None:
    """Remember why accounts could not be read, by SID.

    `unread` is the first day that was to be read of some: their next reading begins there.
    """
    accounts, cursors = Account.__table__, SyncCursor.__table__  # type: ignore[attr-defined]  # untyped
    with writing(scope) as session:
        if failures:
            session.connection().execute(
                update(accounts)
                .where(accounts.c.sid == bindparam("account"))
                .values(sync_error=bindparam("why")),
                [{"account": sid, "why": why} for sid, why in failures.items()],
            )
        if unread:
            session.connection().execute(
                update(cursors)
                .where(
                    cursors.c.account_sid == bindparam("account"),
                    cursors.c.resource == USAGE_RECORDS,
                    cursors.c.through > bindparam("day"),
                )
                .values(through=bindparam("day")),
                [{"account": sid, "day": day} for sid, day in unread.items()],
            )


def note_outage(scope: EveryTenant, why: str) -> None:
    """No account can be read, and why."""
    with writing(scope) as session:
        session.execute(update(Account).values(sync_error=why))
