"""The sync's own affairs: who may run, what a run did, how far accounts are read, what changed."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from data.models.base import AMOUNT, COST, QUANTITY, Instant, Table, TenantTable

USAGE_RECORDS = "usage_records"  # the resource that bills are made of


class SyncLease(Table, table=True):
    """Who may sync now.  One row; a holder that died is recognised by the time it left."""

    __tablename__ = "sync_lease"
    name: str = Field(primary_key=True)
    holder: str  # host:process:number of ours
    taken_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)


class SyncRun(Table, table=True):
    """One run of the sync: what it asked, what it stored, how it ended."""

    __tablename__ = "sync_run"
    id: int | None = Field(default=None, primary_key=True)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    folded: int = 0  # of how many old runs this row is the sum; 0: it is a run itself
    status: str = "running"  # running, ok, partial, failed
    accounts: int = 0
    planned: int = 0  # requests that the plan expected
    requests: int = 0  # requests sent, repeated ones included
    retries: int = 0
    answers: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # by status or fault
    rows: int = 0
    revisions: int = 0
    twilio_seconds: Decimal | None = Field(default=None, sa_type=AMOUNT)  # in Twilio's own words
    concurrent: int | None = None  # the most at once, in Twilio's own words
    balance: Decimal | None = Field(default=None, sa_type=AMOUNT)  # of the parent, for all
    balance_currency: str | None = None
    error: str | None = None


class SyncCursor(Table, table=True):
    """How far one resource of one account has been read; it survives a change of owner."""

    __tablename__ = "sync_cursor"
    account_sid: str = Field(primary_key=True)
    resource: str = Field(primary_key=True)
    first_day: date
    through: date  # last day read, settled or not
    read_at: datetime = Field(sa_type=Instant)
    whole_on: date | None = None  # when the whole history was last read
    # What the planner expects of the next listing: rows a day, and categories that say something.
    rows_per_day: int = 0
    categories: int = 0


class FleetDay(Table, table=True):
    """Twilio's total of a day over the parent and all its subaccounts, as last seen."""

    __tablename__ = "fleet_day"
    day: date = Field(primary_key=True)
    cost: Decimal = Field(sa_type=COST)


class UsageRevision(TenantTable, table=True):
    """A figure of a day that was over, and that Twilio has changed since it was read."""

    __tablename__ = "usage_revision"

    day: date = Field(primary_key=True)
    category: str = Field(primary_key=True)
    account_sid: str = Field(primary_key=True)
    seen_at: datetime = Field(primary_key=True, sa_type=Instant)
    old_count: Decimal | None = Field(default=None, sa_type=QUANTITY)
    old_usage: Decimal | None = Field(default=None, sa_type=QUANTITY)
    old_cost: Decimal | None = Field(default=None, sa_type=COST)
    new_count: Decimal | None = Field(default=None, sa_type=QUANTITY)
    new_usage: Decimal | None = Field(default=None, sa_type=QUANTITY)
    new_cost: Decimal | None = Field(default=None, sa_type=COST)


class Reconciliation(Table, table=True):
    """One account's month: what we hold beside what Twilio says of the month as a whole."""

    account_sid: str = Field(primary_key=True)
    month: date = Field(primary_key=True)  # its first day
    checked_at: datetime = Field(sa_type=Instant)
    ours: Decimal = Field(sa_type=COST)  # totalprice, summed over our days
    theirs: Decimal = Field(sa_type=COST)  # totalprice of the month
    roots: Decimal = Field(sa_type=COST)  # the chosen roots; the rest is Other
    differences: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class AccountEvent(Table, table=True):
    """What happened to an account: created, renamed, suspended, closed, reopened, moved."""

    __tablename__ = "account_event"
    id: int | None = Field(default=None, primary_key=True)
    account_sid: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    kind: str
    detail: str = ""


class AccountCredential(Table, table=True):
    """A key that reads one account; its secret is encrypted (data/secrets.py)."""

    __tablename__ = "account_credential"
    account_sid: str = Field(primary_key=True)
    key_sid: str
    secret: str = Field(repr=False)
    added_at: datetime = Field(sa_type=Instant)


class ConnectRequest(Table, table=True):
    """A customer's manager was sent to Twilio to connect an account; only a hash is kept."""

    __tablename__ = "connect_request"
    state_hash: str = Field(primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    person_id: int = Field(foreign_key="person.id")
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
