"""Questions about what is read beside usage: alerts, triggers, numbers, log counts, incidents.

Every function takes the scope first, filters by customer and answers in frozen values.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sqlmodel import col, func, or_, select

from data.meters import TOTAL
from data.models import Account, Alert, Incident, LogDay, PhoneNumber, SyncCursor, UsageTrigger
from data.periods import DAY
from data.scope import EveryTenant, Scope, reading


@dataclass(frozen=True, slots=True)
class AlertCount:
    """Alerts of one day (UTC) with one code and level."""

    day: date
    code: str  # of Twilio's error dictionary; may be empty
    level: str  # error, warning, notice, debug
    count: int


@dataclass(frozen=True, slots=True)
class IncidentView:
    sid: str
    name: str
    impact: str  # none, minor, major, critical
    status: str  # investigating, identified, monitoring, resolved, postmortem
    started_at: datetime
    resolved_at: datetime | None
    components: tuple[str, ...]  # what it touches, by name
    url: str  # may be empty


@dataclass(frozen=True, slots=True)
class PhoneNumberView:
    sid: str
    account_sid: str
    number: str  # E.164
    name: str


@dataclass(frozen=True, slots=True)
class TriggerView:
    """A threshold on events or billed units; one on what Twilio charges would show its price."""

    sid: str
    account_sid: str
    name: str
    category: str
    trigger_by: str  # count, usage
    trigger_value: Decimal
    current_value: Decimal
    recurring: str | None  # daily, monthly, yearly, alltime; None: once
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogCountView:
    """Records of one day (UTC), account, log, direction and status."""

    day: date
    account_sid: str
    kind: str  # messages, calls
    direction: str
    status: str
    records: int
    units: Decimal  # segments; minutes, each call rounded up
    seconds: int | None  # of calls


@dataclass(frozen=True, slots=True)
class ReadThrough:
    """How far one resource of one account has been read at Twilio."""

    account_sid: str
    resource: str
    first_day: date
    through: date  # the last day read
    read_at: datetime


@dataclass(frozen=True, slots=True)
class NumberOwner:
    """Whose a phone number is."""

    number: str  # E.164
    account_sid: str
    customer_id: int


def alerts_by_day(
    scope: Scope, sids: Collection[str], first: date, last: date
) -> tuple[AlertCount, ...]:
    """Alerts of the accounts from `first` to `last`, both included, by day, code and level."""
    place = (col(Alert.day), col(Alert.code), col(Alert.level))
    with reading(scope) as session:
        rows = session.exec(
            select(*place, func.count())
            .where(
                Alert.customer_id == scope.customer_id,
                col(Alert.account_sid).in_(sids),
                col(Alert.day) >= first,
                col(Alert.day) <= last,
            )
            .group_by(*place)
            .order_by(*place)
        ).all()
    return tuple(AlertCount(*row) for row in rows)


def incidents(scope: Scope, first: date, last: date) -> tuple[IncidentView, ...]:
    """Twilio's incidents that lasted into the days `first` to `last`, newest first."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + DAY))
    with reading(scope) as session:
        rows = session.exec(
            select(Incident)
            .where(
                col(Incident.started_at) < end,
                or_(col(Incident.resolved_at).is_(None), col(Incident.resolved_at) >= begin),
            )
            .order_by(col(Incident.started_at).desc(), col(Incident.sid))
        ).all()
    return tuple(
        IncidentView(**{**row.model_dump(), "components": tuple(row.components)}) for row in rows
    )


def phone_numbers(scope: Scope) -> tuple[PhoneNumberView, ...]:
    """The numbers of the customer's accounts, by account."""
    with reading(scope) as session:
        rows = session.exec(
            select(PhoneNumber)
            .where(PhoneNumber.customer_id == scope.customer_id)
            .order_by(col(PhoneNumber.account_sid), col(PhoneNumber.number))
        ).all()
    return tuple(PhoneNumberView(**row.model_dump(exclude={"customer_id"})) for row in rows)


def usage_triggers(scope: Scope) -> tuple[TriggerView, ...]:
    """The thresholds set at Twilio on use of the customer's accounts, by account.

    Those on money are left out: their values are what Twilio charges, which is cost.
    """
    with reading(scope) as session:
        rows = session.exec(
            select(UsageTrigger)
            .where(
                UsageTrigger.customer_id == scope.customer_id,
                col(UsageTrigger.trigger_by) != "price",
                col(UsageTrigger.category) != TOTAL,
            )
            .order_by(col(UsageTrigger.account_sid), col(UsageTrigger.name), col(UsageTrigger.sid))
        ).all()
    return tuple(TriggerView(**row.model_dump(exclude={"customer_id"})) for row in rows)


def log_days(scope: Scope, first: date, last: date) -> tuple[LogCountView, ...]:
    """The customer's message and call records from `first` to `last`, both included, counted."""
    place = (LogDay.day, LogDay.account_sid, LogDay.kind, LogDay.direction, LogDay.status)
    with reading(scope) as session:
        rows = session.exec(
            select(LogDay)
            .where(
                LogDay.customer_id == scope.customer_id,
                col(LogDay.day) >= first,
                col(LogDay.day) <= last,
            )
            .order_by(*(col(one) for one in place))
        ).all()
    return tuple(LogCountView(**row.model_dump(exclude={"customer_id"})) for row in rows)


def read_through(scope: Scope, sids: Collection[str]) -> tuple[ReadThrough, ...]:
    """How far each resource of the customer's accounts has been read, others' left out.

    A cursor belongs to an account, whoever has it: whose it is, is asked under the scope.
    """
    with reading(scope) as session:
        own = session.exec(
            select(Account.sid)
            .where(Account.customer_id == scope.customer_id, col(Account.sid).in_(sids))
            .distinct()
        ).all()
    with reading(EveryTenant(scope.url)) as session:
        rows = session.exec(
            select(SyncCursor)
            .where(col(SyncCursor.account_sid).in_(own))
            .order_by(col(SyncCursor.account_sid), col(SyncCursor.resource))
        ).all()
    names = ("account_sid", "resource", "first_day", "through", "read_at")
    return tuple(ReadThrough(**row.model_dump(include=set(names))) for row in rows)


def accounts_by_number(
    scope: EveryTenant, text: str, *, limit: int = 200
) -> tuple[NumberOwner, ...]:
    """Whose a number is, by any part of it of four digits or more, however it is spaced.

    Empty where the text is no part of a number, such as "OWL-1001".
    """
    digits = "".join(letter for letter in text if letter in "0123456789")
    if len(digits) < 4 or not set(text) <= set("0123456789+-.() "):
        return ()
    with reading(scope) as session:
        rows = session.exec(
            select(PhoneNumber)
            .where(col(PhoneNumber.number).contains(digits))
            .order_by(col(PhoneNumber.number))
            .limit(limit)
        ).all()
    return tuple(NumberOwner(row.number, row.account_sid, row.customer_id) for row in rows)
