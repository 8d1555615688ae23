"""What Twilio says beside usage: alerts, triggers, numbers, incidents, counts of the logs.

No message body and no number of a called or texted person is stored anywhere.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import JSON
from sqlmodel import Field

from data.models.base import QUANTITY, Instant, Table, TenantTable


class Alert(TenantTable, table=True):
    """An error or warning of an account (Monitor alerts); Twilio keeps them for 30 days."""

    sid: str = Field(primary_key=True)
    account_sid: str = Field(index=True)
    day: date  # UTC
    at: datetime = Field(sa_type=Instant)
    code: str  # of Twilio's error dictionary
    level: str  # error, warning, notice, debug
    resource_sid: str | None = None


class UsageTrigger(TenantTable, table=True):
    """A threshold set at Twilio, with its current value."""

    __tablename__ = "usage_trigger"
    sid: str = Field(primary_key=True)
    account_sid: str = Field(index=True)
    name: str
    category: str
    trigger_by: str  # count, usage, price
    trigger_value: Decimal = Field(sa_type=QUANTITY)
    current_value: Decimal = Field(sa_type=QUANTITY)
    recurring: str | None = None  # daily, monthly, yearly, alltime; none: once
    fired_at: datetime | None = Field(default=None, sa_type=Instant)


class PhoneNumber(TenantTable, table=True):
    """A number that the account itself holds."""

    __tablename__ = "phone_number"
    sid: str = Field(primary_key=True)
    account_sid: str = Field(index=True)
    number: str = Field(index=True)  # E.164
    name: str = ""


class LogDay(TenantTable, table=True):
    """Message or call records of a day, counted: why logs differ from billed usage."""

    __tablename__ = "log_day"
    day: date = Field(primary_key=True)
    account_sid: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)  # messages, calls
    direction: str = Field(primary_key=True)
    status: str = Field(primary_key=True)
    records: int
    units: Decimal = Field(sa_type=QUANTITY)  # segments; minutes, each call rounded up
    seconds: int | None = None  # calls


class Incident(Table, table=True):
    """An incident of Twilio's status page; the same for everyone."""

    shared: ClassVar[bool] = True

    sid: str = Field(primary_key=True)
    name: str
    impact: str  # none, minor, major, critical
    status: str  # investigating, identified, monitoring, resolved, postmortem
    started_at: datetime = Field(sa_type=Instant)
    resolved_at: datetime | None = Field(default=None, sa_type=Instant)
    components: list[str] = Field(default_factory=list, sa_type=JSON)
    url: str = ""
