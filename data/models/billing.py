"""What was agreed and what was billed: plans, subscriptions, credits, statements."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from data.models.base import AMOUNT, QUANTITY, Instant, Table, TenantTable


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
