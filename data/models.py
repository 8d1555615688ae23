"""All tables.  They stand on our own registry, or a hot reload would define them twice.

A tenant table names the column that says whose row it is (`tenant_key`); the guard of scope.py
and the row-level security of PostgreSQL both read it from here.  Tables without one hold the
deployment's own affairs and are never read under a customer's scope; `shared` tables (plans) may
be read by all and hold nothing of a tenant.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from data.errors import InputError

SYSTEM_CUSTOMER = "unassigned"  # slug of the customer whose accounts wait for an owner


class Exact(TypeDecorator[Decimal]):
    """A Decimal with a fixed number of places.

    SQLite's NUMERIC is a float (98765432.10 came back as 98765432.099999994), so there it is a
    64-bit integer of the smallest unit.  What does not fit is refused, never rounded.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.unit = Decimal(1).scaleb(-scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(18 + 1, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.scale)
        whole = int(scaled)
        if whole != scaled or abs(whole) >= 2**63:
            raise InputError(f"{value} does not fit: at most {self.scale} decimals and 18 digits")
        return whole if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            value = Decimal(value).scaleb(-self.scale)
        return Decimal(value).quantize(self.unit)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


QUANTITY = Exact(6)  # up to 10^12 units
COST = Exact(9)  # Twilio's unit prices have five decimals and more
AMOUNT = Exact(6)


class Table(SQLModel, registry=registry()):
    tenant_key: ClassVar[str | None] = None
    shared: ClassVar[bool] = False


class TenantTable(Table):
    tenant_key: ClassVar[str | None] = "customer_id"

    customer_id: int = Field(foreign_key="customer.id", primary_key=True)


class Customer(Table, table=True):
    """The ISV's customer: the tenant."""

    tenant_key: ClassVar[str | None] = "id"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    email: str | None = Field(default=None, index=True)
    external_id: str | None = Field(default=None, index=True)


class Account(TenantTable, table=True):
    """A Twilio account for the days `[starts_on, ends_on)` that it belongs to this customer.

    An account that moves has a row for each owner; the days before the move stay with the old one.
    """

    __table_args__ = (Index("account_by_sid", "sid"),)

    sid: str = Field(primary_key=True)
    starts_on: date = Field(primary_key=True)
    ends_on: date | None = None
    subscription: str = "main"  # key of the subscription that pays for it
    name: str = ""
    application: str = ""  # free text from the ISV
    kind: str = "subaccount"  # or "connected"
    status: str = "active"  # Twilio's: active, suspended, closed
    as_of: datetime | None = Field(default=None, sa_type=Instant)  # Twilio's own, of its usage
    synced_at: datetime | None = Field(default=None, sa_type=Instant)
    sync_error: str | None = None
    # Earliest day whose figures have changed since closed statements were held against them.
    changed_from: date | None = None


class UsageRecord(TenantTable, table=True):
    """One category, one UTC day, one account; parents and children of a category side by side."""

    __tablename__ = "usage_record"
    # The key leads with tenant and day: a page reads one dense range of it.
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: date = Field(primary_key=True)
    category: str = Field(primary_key=True)
    account_sid: str = Field(primary_key=True)
    count: Decimal | None = Field(default=None, sa_type=QUANTITY)  # events
    usage: Decimal | None = Field(default=None, sa_type=QUANTITY)  # billed units
    cost: Decimal | None = Field(default=None, sa_type=COST)  # what Twilio charges the ISV
    cost_currency: str = "USD"


class PlanVersion(Table, table=True):
    """What was agreed, as data.  A version never changes; a new price is a new version."""

    __tablename__ = "plan_version"
    shared: ClassVar[bool] = True

    plan: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    terms: dict[str, Any] = Field(sa_type=JSON)


class Subscription(TenantTable, table=True):
    """Who is billed for which accounts, by which month; `PlanChange` says on what plan."""

    key: str = Field(primary_key=True)
    anchor_day: int = 1
    starts_on: date
    ends_on: date | None = None  # exclusive


class PlanChange(TenantTable, table=True):
    """A plan agreed from a day on; when it takes effect is pricing/timeline.py's affair."""

    __tablename__ = "plan_change"
    subscription: str = Field(primary_key=True)
    starts_on: date = Field(primary_key=True)
    number: int = Field(default=0, primary_key=True)  # of several on one day
    plan: str
    version: int
    takes_effect: str | None = None  # at_once, next_period; none: by the rule


class CreditLot(TenantTable, table=True):
    """Credits bought together, with their own conversion into units."""

    __tablename__ = "credit_lot"
    __table_args__ = (CheckConstraint("credits > 0", name="credit_lot_has_credits"),)

    key: str = Field(primary_key=True)  # the grant's idempotency key: sent twice it counts once
    subscription: str = "main"
    name: str
    credits: Decimal = Field(sa_type=QUANTITY)
    units_per_credit: dict[str, str] = Field(sa_type=JSON)  # by meter
    price: Decimal = Field(sa_type=AMOUNT)  # 0 for a free grant
    currency: str
    effective_on: date
    expires_on: date | None = None  # exclusive
    priority: int | None = None  # lower burns earlier; none burns last
    voided_on: date | None = None  # from then on nothing is left of it


class CreditEntry(TenantTable, table=True):
    """The ledger of credits, append-only: what was granted, drawn, returned, expired or voided.

    Credits are exact fractions: one segment of a 7.5-per-credit lot is "2/15".  Units are Decimals
    as text: what a lot of two meters has left may need eighteen places.
    """

    __tablename__ = "credit_entry"
    __table_args__ = (UniqueConstraint("customer_id", "subscription", "key"),)

    subscription: str = Field(primary_key=True)
    number: int = Field(primary_key=True)  # in the order of posting
    key: str  # idempotency: what was posted for a lot, day and meter is posted once
    kind: str
    returns: str | None = None  # the kind of entry that a return takes back
    lot: str
    day: date
    meter: str | None = None
    credits: str
    units: str
    posted_at: datetime = Field(sa_type=Instant)


class MoneyCredit(TenantTable, table=True):
    """Money granted in advance: it pays bills after tax."""

    __tablename__ = "money_credit"
    __table_args__ = (CheckConstraint("amount > 0", name="money_credit_has_an_amount"),)

    key: str = Field(primary_key=True)
    subscription: str = "main"
    name: str
    amount: Decimal = Field(sa_type=AMOUNT)
    currency: str
    effective_on: date
    expires_on: date | None = None  # exclusive


class ClosedStatement(TenantTable, table=True):
    """A final statement.  Written once; its hash is over the text of `content`."""

    __tablename__ = "closed_statement"

    subscription: str = Field(primary_key=True)
    period_start: date = Field(primary_key=True)
    period_end: date  # exclusive
    currency: str
    total: Decimal = Field(sa_type=AMOUNT)
    paid: dict[str, str] = Field(sa_type=JSON)  # what it took from each money credit, by key
    content: str  # canonical JSON (data/statement_content.py)
    content_hash: str  # SHA-256, hexadecimal
    closed_at: datetime = Field(sa_type=Instant)


class StatementAdjustment(TenantTable, table=True):
    """What a closed period turned out to cost more or less, billed in a later period."""

    __tablename__ = "statement_adjustment"

    subscription: str = Field(primary_key=True)
    period_start: date = Field(primary_key=True)  # of the period that changed
    number: int = Field(primary_key=True)  # 1 is the first
    billed_in: date  # start of the period whose statement carries it
    noticed_on: date
    amount: Decimal = Field(sa_type=AMOUNT)
    currency: str
    content: str  # the period as it is priced now: the next adjustment starts from here


class Person(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)  # lower case
    name: str
    disabled: bool = False


class Membership(Table, table=True):
    """A role: at one customer, or (customer_id null) among the ISV's staff."""

    __table_args__ = (
        UniqueConstraint("person_id", "customer_id"),
        # No unique key holds two nulls apart: staff roles need one of their own.
        Index(
            "one_staff_membership",
            "person_id",
            unique=True,
            sqlite_where=text("customer_id IS NULL"),
            postgresql_where=text("customer_id IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    role: str


class LoginLink(Table, table=True):
    """A one-time link; only the hash of its secret is kept."""

    __tablename__ = "login_link"
    secret_hash: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class LoginSession(Table, table=True):
    """A signed-in browser; only the hash of its cookie is kept.  Listed and revocable."""

    __tablename__ = "login_session"
    secret_hash: str = Field(primary_key=True)
    membership_id: int = Field(foreign_key="membership.id")
    door: str  # "demo" or "link"
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    # A support person may look at one customer's pages, read-only, for a while.
    viewing_customer_id: int | None = Field(default=None, foreign_key="customer.id")
    viewing_until: datetime | None = Field(default=None, sa_type=Instant)
    viewing_reason: str | None = None


class AuditEntry(Table, table=True):
    """Who did what to whose data.  Append-only."""

    __tablename__ = "audit_entry"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    action: str
    detail: str = ""


class SyncRun(Table, table=True):
    """One run of the sync: what it asked, what it stored, how it ended."""

    __tablename__ = "sync_run"
    id: int | None = Field(default=None, primary_key=True)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    status: str = "running"  # running, ok, partial, failed
    accounts: int = 0
    requests: int = 0
    rows: int = 0
    error: str | None = None


class SyncCursor(Table, table=True):
    """How far one resource of one account has been read; it survives a change of owner."""

    __tablename__ = "sync_cursor"
    account_sid: str = Field(primary_key=True)
    resource: str = Field(primary_key=True)
    first_day: date
    through: date  # last day read, settled or not
    read_at: datetime = Field(sa_type=Instant)


TABLES: tuple[type[Table], ...] = (
    *(Customer, Account, UsageRecord, PlanVersion, Subscription, PlanChange),
    *(CreditLot, CreditEntry, MoneyCredit, ClosedStatement, StatementAdjustment),
    *(Person, Membership, LoginLink, LoginSession, AuditEntry, SyncRun, SyncCursor),
)
