"""What the sync writes beside usage: alerts, triggers, numbers, counts of the logs, incidents.

A row carries the owner of its day, or of today where it has none.  What was read and how far
reading has come are stored in one transaction: all of it, or nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import col, delete, select

from data.assignment import Owner, owner_on, owners, system_customer
from data.models import (
    Account,
    Alert,
    Incident,
    LogDay,
    PhoneNumber,
    SyncCursor,
    UsageRevision,
    UsageTrigger,
)
from data.scope import EveryTenant, ScopedSession, reading, writing
from data.twilio.lease import Lease

CHUNK = 500  # values in one condition


@dataclass(frozen=True, slots=True)
class WindowRead:
    """What was read of a resource, and when: the days `first` to `through`, both included."""

    resource: str
    first: date
    through: date
    now: datetime
    lease: Lease | None = None  # confirmed in the transaction that stores it


@dataclass(frozen=True, slots=True)
class TwilioAlert:
    sid: str
    at: datetime
    code: str  # of Twilio's error dictionary; may be empty
    level: str  # error, warning, notice, debug
    resource_sid: str | None


@dataclass(frozen=True, slots=True)
class TwilioTrigger:
    sid: str
    name: str
    category: str
    trigger_by: str  # count, usage, price
    trigger_value: Decimal
    current_value: Decimal
    recurring: str | None  # daily, monthly, yearly, alltime; None: once
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class TwilioNumber:
    sid: str
    number: str  # E.164
    name: str


@dataclass(frozen=True, slots=True)
class LogCount:
    """Records of one day, direction and status."""

    day: date
    direction: str
    status: str
    records: int
    units: Decimal  # segments; minutes, each call rounded up
    seconds: int | None  # of calls


@dataclass(frozen=True, slots=True)
class TwilioIncident:
    sid: str
    name: str
    impact: str
    status: str
    started_at: datetime
    resolved_at: datetime | None
    components: tuple[str, ...]  # what it touches, by name
    url: str  # may be empty


def read_through(scope: EveryTenant, sid: str, resource: str) -> date | None:
    """The last day of the account's resource that was read; None before the first reading.

    A cursor that ends before it begins says that reading was tried, and nothing was read.
    """
    with reading(scope) as session:
        cursor = session.get(SyncCursor, (sid, resource))
    return cursor.through if cursor and cursor.first_day <= cursor.through else None


def move_cursor(
    session: ScopedSession, sid: str, resource: str, first: date, through: date, now: datetime
) -> None:
    """Note that the days `first` to `through` are stored, in the transaction that stores them."""
    cursor = session.get(SyncCursor, (sid, resource)) or SyncCursor(
        account_sid=sid, resource=resource, first_day=first, through=through, read_at=now
    )
    cursor.first_day = min(cursor.first_day, first)
    cursor.through, cursor.read_at = through, now
    session.add(cursor)


def store_alerts(
    scope: EveryTenant, sid: str, window: WindowRead, alerts: Iterable[TwilioAlert]
) -> int:
    """Add the alerts that are new and say how many; known ones stay, nothing is deleted."""
    found = {alert.sid: alert for alert in alerts}
    with writing(scope) as session:
        earliest = min((alert.at.date() for alert in found.values()), default=window.first)
        known = select(Alert.sid).where(Alert.account_sid == sid, col(Alert.day) >= earliest)
        new = [found[one] for one in found.keys() - set(session.exec(known).all())]
        owner = _owner(session, sid)
        for alert in new:
            day = alert.at.date()
            row = Alert(customer_id=owner(day), account_sid=sid, day=day, **asdict(alert))
            session.add(row)
        _move(session, sid, window)
    return len(new)


def replace_triggers(
    scope: EveryTenant, sid: str, window: WindowRead, triggers: Iterable[TwilioTrigger]
) -> int:
    """The account's usage triggers are these and no others."""
    return _replace(scope, UsageTrigger, sid, window, triggers)


def replace_numbers(
    scope: EveryTenant, sid: str, window: WindowRead, numbers: Iterable[TwilioNumber]
) -> int:
    """The account's phone numbers are these and no others."""
    return _replace(scope, PhoneNumber, sid, window, numbers)


def _replace(
    scope: EveryTenant,
    table: type[UsageTrigger] | type[PhoneNumber],
    sid: str,
    window: WindowRead,
    listed: Iterable[TwilioTrigger] | Iterable[TwilioNumber],
) -> int:
    values = {one.sid: asdict(one) for one in listed}
    with writing(scope) as session:
        owner = _owner(session, sid)(window.through)
        session.execute(delete(table).where(col(table.account_sid) == sid))
        # What has come from another account is still listed there until that one is read.
        sids = list(values)
        for start in range(0, len(sids), CHUNK):
            chunk = sids[start : start + CHUNK]
            session.execute(delete(table).where(col(table.sid).in_(chunk)))
        for value in values.values():
            session.add(table(customer_id=owner, account_sid=sid, **value))
        _move(session, sid, window)
    return len(values)


def replace_log_days(
    scope: EveryTenant, sid: str, kind: str, window: WindowRead, counts: Iterable[LogCount]
) -> int:
    """The window's days of one log ("messages", "calls") hold these counts and no others."""
    rows = list(counts)
    with writing(scope) as session:
        owner = _owner(session, sid)
        session.execute(
            delete(LogDay).where(
                col(LogDay.account_sid) == sid,
                col(LogDay.kind) == kind,
                col(LogDay.day) >= window.first,
                col(LogDay.day) <= window.through,
            )
        )
        for row in rows:
            ours = owner(row.day)
            session.add(LogDay(customer_id=ours, account_sid=sid, kind=kind, **asdict(row)))
        _move(session, sid, window)
    return len(rows)


def store_incidents(scope: EveryTenant, incidents: Iterable[TwilioIncident]) -> int:
    """Incidents as they are told now; those no longer told stay."""
    found = {incident.sid: incident for incident in incidents}
    with writing(scope) as session:
        for incident in found.values():
            components = list(incident.components)
            session.merge(Incident(**{**asdict(incident), "components": components}))
    return len(found)


def _move(session: ScopedSession, sid: str, window: WindowRead) -> None:
    if window.lease:
        window.lease.renew(session)
    move_cursor(session, sid, window.resource, window.first, window.through, window.now)


def _owner(session: ScopedSession, sid: str) -> Callable[[date], int]:
    """Whose the account is on a day."""
    waiting = system_customer(session)
    rows = session.exec(
        select(Account).where(Account.sid == sid, Account.customer_id != waiting)
    ).all()
    holds = [Owner(row.customer_id, row.starts_on, row.ends_on) for row in rows]
    return lambda day: owner_on(day, holds, waiting)


def move_service_rows(session: ScopedSession, *, today: date, only: str | None = None) -> int:
    """Give revisions, alerts and counts to the owner of their day, triggers and numbers to today's.

    For when accounts (or the one named) change hands; says how many rows moved.  The tenant is
    part of the key, so a row is written anew.
    """
    held, waiting = owners(session), system_customer(session)
    moved = 0
    tables: tuple[Any, ...] = (UsageRevision, Alert, LogDay, UsageTrigger, PhoneNumber)
    for table in tables:
        day = [table.day] if "day" in table.model_fields else []
        places = select(table.account_sid, table.customer_id, *day).distinct()
        if only is not None:
            places = places.where(table.account_sid == only)
        for sid, customer, *days in session.exec(places).all():
            right = owner_on(days[0] if days else today, held.get(sid, []), waiting)
            if right != customer:
                chosen = (table.account_sid == sid, table.customer_id == customer)
                on = [one == value for one, value in zip(day, days, strict=True)]
                moved += _give(session, table, right, [*chosen, *on])
    return moved


def _give(session: ScopedSession, table: Any, owner: int, chosen: Iterable[Any]) -> int:
    rows = session.exec(select(table).where(*chosen)).all()
    values = [{**row.model_dump(), "customer_id": owner} for row in rows]
    for row in rows:
        session.delete(row)
    session.flush()
    session.add_all(table(**value) for value in values)
    session.flush()
    return len(values)
