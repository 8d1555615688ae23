"""People, their roles and sessions, and who did what."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from data.models.base import Instant, Table


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
