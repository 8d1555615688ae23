"""People, their roles and sessions, the ISV's keys, and who did what.

Secrets are kept as hashes alone: a copy of the database signs nobody in.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from data.models.base import Instant, Table


class Person(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)  # lower case
    name: str
    disabled: bool = False
    language: str | None = None  # chosen in the app; null: the browser's
    last_sign_in_at: datetime | None = Field(default=None, sa_type=Instant)


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
    last_seen_at: datetime | None = Field(default=None, sa_type=Instant)  # on any page


class FederatedIdentity(Table, table=True):
    """A person as an identity provider knows it: issuer and subject never change, e-mails do."""

    __tablename__ = "federated_identity"
    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    linked_at: datetime = Field(sa_type=Instant)


class LoginAttempt(Table, table=True):
    """What a browser on its way to an identity provider must bring back: state, nonce, verifier."""

    __tablename__ = "login_attempt"
    secret_hash: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    expires_at: datetime = Field(sa_type=Instant)


class LoginLink(Table, table=True):
    """A one-time link: an invitation, or a way back in."""

    __tablename__ = "login_link"
    secret_hash: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiKey(Table, table=True):
    """A key of the ISV's own backend.  Keys of one name follow each other."""

    __tablename__ = "api_key"
    __table_args__ = (
        Index(
            "one_live_key",
            "name",
            unique=True,
            sqlite_where=text("expires_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=text("expires_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    secret_hash: str
    customers: list[int] | None = Field(sa_column=Column(JSON(none_as_null=True)))  # null: all
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)  # after a rotation
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)


class EmbedCode(Table, table=True):
    """A one-time code for a frame in the ISV's own product."""

    __tablename__ = "embed_code"
    secret_hash: str = Field(primary_key=True)
    api_key_id: int = Field(foreign_key="api_key.id")
    customer_id: int = Field(foreign_key="customer.id")
    role: str
    pages: list[str] | None = Field(sa_column=Column(JSON(none_as_null=True)))  # null: all
    origin: str  # of the page that frames it
    visitor: str = ""  # the ISV's own name for who looks
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    # A second code, for a window of its own, ends the session that the first one opened.
    replaces: str | None = None


class LoginSession(Table, table=True):
    """A signed-in browser: of a member, or (membership_id null) of a frame.

    Ends when it is revoked, too old, idle for too long, or when the person is disabled or the key
    behind the frame revoked.
    """

    __tablename__ = "login_session"
    secret_hash: str = Field(primary_key=True)
    membership_id: int | None = Field(default=None, foreign_key="membership.id")
    door: str  # "demo", "link", "oidc" or "embed"
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    idle_until: datetime = Field(sa_type=Instant)
    idle_seconds: int
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    seen_before_at: datetime | None = Field(default=None, sa_type=Instant)  # the visit before
    # A support person may look at one customer's pages, read-only, for a while.
    viewing_customer_id: int | None = Field(default=None, foreign_key="customer.id")
    viewing_until: datetime | None = Field(default=None, sa_type=Instant)
    viewing_reason: str | None = None
    # Of a frame, as its code said.
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    role: str | None = None
    pages: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    origin: str | None = None
    visitor: str = ""
    api_key_id: int | None = Field(default=None, foreign_key="api_key.id")


class AuditEntry(Table, table=True):
    """Who did what to whose data.  Append-only; names stay as they were."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("audit_entry_by_customer", "customer_id", "at"),)
    tenant_key: ClassVar[str | None] = "customer_id"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    actor: str = ""
    action: str
    detail: str = ""
    address: str = ""  # of the network, where a browser or a backend asked
