"""Customers, their accounts and their usage."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from data.models.base import COST, QUANTITY, Instant, Table, TenantTable

SYSTEM_CUSTOMER = "unassigned"  # slug of the customer whose accounts wait for an owner


class Customer(Table, table=True):
    """The ISV's customer: the tenant."""

    tenant_key: ClassVar[str | None] = "id"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    email: str | None = Field(default=None, index=True)
    external_id: str | None = Field(default=None, index=True)
    # Who may frame its pages: null, whoever the deployment allows; empty, nobody.
    embed_origins: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


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
    closed_on: date | None = None  # when the sync first saw it closed
    named_by: str = "file"  # or "connect": the customer connected it, no file need name it
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)  # consent to read it
    as_of: datetime | None = Field(default=None, sa_type=Instant)  # Twilio's own, of its usage
    synced_at: datetime | None = Field(default=None, sa_type=Instant)
    sync_error: str | None = None
    # Earliest day whose figures have changed since closed statements were held against them.
    changed_from: date | None = None


class UsageRecord(TenantTable, table=True):
    """One category, one UTC day, one account; parents and children of a category side by side."""

    __tablename__ = "usage_record"
    # The key leads with tenant and day: a page reads one dense range of it.
    # What the sync asks for is one account's days, whoever owns it.
    __table_args__ = (
        Index("usage_record_by_account", "account_sid", "day"),
        {"sqlite_with_rowid": False},
    )

    day: date = Field(primary_key=True)
    category: str = Field(primary_key=True)
    account_sid: str = Field(primary_key=True)
    count: Decimal | None = Field(default=None, sa_type=QUANTITY)  # events
    usage: Decimal | None = Field(default=None, sa_type=QUANTITY)  # billed units
    cost: Decimal | None = Field(default=None, sa_type=COST)  # what Twilio charges the ISV
    cost_currency: str = "USD"
