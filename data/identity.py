"""Who is it?  Every look-up made before a tenant is known: person, one-time link, session.

All take `EveryTenant`, and this is the one module a stranger's request reaches; everything after
it works under a customer's `Scope`.  Secrets are 256 random bits shown once; only their SHA-256 is
kept, so that a copy of the database signs nobody in.  The clock is always an argument.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update

from data.errors import AccessError, InputError, LinkRejected, NotFound, StoreUnavailable
from data.models import TABLES, AuditEntry, Customer, LoginLink, LoginSession, Membership, Person
from data.scope import EveryTenant, ScopedSession, reading, writing

LINK_LIFE = timedelta(hours=24)
VIEWING_LIFE = timedelta(minutes=30)
LONGEST_REASON = 300  # characters


class Role(StrEnum):
    """At one customer, or among the ISV's staff, whose roles follow Twilio's own."""

    VIEWER = "viewer"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    BILLING_MANAGER = "billing_manager"
    DEVELOPER = "developer"
    SUPPORT = "support"

    @property
    def is_staff(self) -> bool:
        return self not in (Role.VIEWER, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class CustomerName:
    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one role; `customer` is None for the ISV's staff."""

    membership_id: int
    person_id: int
    name: str
    email: str
    role: Role
    customer: CustomerName | None


@dataclass(frozen=True, slots=True)
class Viewing:
    """Staff looking at a customer's own pages."""

    customer: CustomerName
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A browser that is signed in; `key` is the hash of its cookie, harmless by itself."""

    key: str
    member: Member
    door: str
    created_at: datetime
    expires_at: datetime
    viewing: Viewing | None


def hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


# People


def add_person(scope: EveryTenant, email: str, name: str) -> int:
    """The id of the person with this e-mail address, who is added if new; the name is kept."""
    address = email.strip().lower()
    if "@" not in address:
        raise InputError(f"{email!r} is not an e-mail address", field="email")
    with writing(scope) as session:
        known = session.exec(select(Person.id).where(Person.email == address)).first()
        return known or _added(session, Person(email=address, name=name.strip() or address))


def add_membership(
    scope: EveryTenant, person_id: int, role: Role, customer_id: int | None = None
) -> int:
    """The id of the membership; given again with another role, it changes the role."""
    if role.is_staff != (customer_id is None):
        raise InputError(f"{role} is a role {'of staff' if role.is_staff else 'at a customer'}")
    with writing(scope) as session:
        if session.get(Person, person_id) is None:
            raise NotFound("There is no such person.")
        if customer_id is not None:
            _customer(session, customer_id)
        at = select(Membership).where(Membership.person_id == person_id)
        # "= NULL" finds nothing, and no unique key holds two nulls apart.
        known = session.exec(
            at.where(col(Membership.customer_id).is_not_distinct_from(customer_id))
        )
        row = known.first() or Membership(
            person_id=person_id, customer_id=customer_id, role=role.value
        )
        row.role = role.value
        return _added(session, row)


def disable_person(scope: EveryTenant, person_id: int) -> None:
    """Shut a person out: every session and link of theirs is dead from this moment."""
    with writing(scope) as session:
        session.exec(update(Person).where(col(Person.id) == person_id).values(disabled=True))


def members(scope: EveryTenant) -> tuple[Member, ...]:
    """Everyone who may sign in: customers by name, then staff."""
    with reading(scope) as session:
        rows = session.exec(
            select(Membership, Person, Customer)
            .join(Person, col(Person.id) == Membership.person_id)
            .outerjoin(Customer, col(Customer.id) == Membership.customer_id)
            .where(col(Person.disabled).is_(False))
            .order_by(col(Customer.name).is_(None), col(Customer.name), col(Person.name))
        )
        return tuple(_member(*row) for row in rows)


def check_store(scope: EveryTenant) -> None:
    """StoreUnavailable unless every table is there with all its columns."""
    with reading(scope) as session:
        for table in TABLES:
            try:
                session.exec(select(table).limit(0))
            except DBAPIError as error:
                raise StoreUnavailable(
                    "The database cannot be used; run `python -m data migrate`"
                ) from error


def _added(session: ScopedSession, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)


def _customer(session: ScopedSession, customer_id: int) -> CustomerName:
    row = session.get(Customer, customer_id)
    if row is None:
        raise NotFound("There is no such customer.")
    return CustomerName(customer_id, row.slug, row.name)


def _member(membership: Any, person: Any, customer: Any) -> Member:
    at = customer and CustomerName(customer.id, customer.slug, customer.name)
    return Member(membership.id, person.id, person.name, person.email, Role(membership.role), at)


# One-time links


def create_link(
    scope: EveryTenant, person_id: int, now: datetime, *, life: timedelta = LINK_LIFE
) -> str:
    """A secret that signs this person in once; it cannot be shown again."""
    secret = token_urlsafe(32)
    with writing(scope) as session:
        if session.get(Person, person_id) is None:
            raise NotFound("There is no such person.")
        session.add(
            LoginLink(secret_hash=hashed(secret), person_id=person_id, expires_at=now + life)
        )
        _note(session, now, "link_created", person_id)
    return secret


def enter_by_link(scope: EveryTenant, secret: str, now: datetime, *, life: timedelta) -> str:
    """Use up a link and open a session: its secret.  LinkRejected does not say what was wrong."""
    key = hashed(secret)
    with writing(scope) as session:
        membership_id = _use_link(session, key, now)
        if membership_id is not None:
            return _opened(session, membership_id, "link", now, life)
        _note_rejected(session, key, now)
    raise LinkRejected("This sign-in link does not work: it may be used already, or too old.")


def _use_link(session: ScopedSession, key: str, now: datetime) -> int | None:
    """The membership the link leads to.  One statement decides, so of two clicks one wins."""
    usable = (
        update(LoginLink)
        .where(
            col(LoginLink.secret_hash) == key,
            col(LoginLink.used_at).is_(None),
            col(LoginLink.expires_at) > now,
        )
        .values(used_at=now)
    )
    if session.exec(usable).rowcount != 1:
        return None
    # A person with several roles enters as staff, else by the oldest.
    return session.exec(
        select(Membership.id)
        .join(Person, col(Person.id) == Membership.person_id)
        .join(LoginLink, col(LoginLink.person_id) == Person.id)
        .where(LoginLink.secret_hash == key, col(Person.disabled).is_(False))
        .order_by(col(Membership.customer_id).is_not(None), col(Membership.id))
    ).first()


def _note_rejected(session: ScopedSession, key: str, now: datetime) -> None:
    """A known link has its owner; forged ones share an entry a minute, or they fill the disk."""
    link = session.get(LoginLink, key)
    if link is None:
        forged = select(AuditEntry.at).where(AuditEntry.action == "link_rejected")
        last = session.exec(
            forged.where(col(AuditEntry.person_id).is_(None)).order_by(col(AuditEntry.id).desc())
        ).first()
        if last and now - last < timedelta(minutes=1):
            return
    _note(session, now, "link_rejected", link.person_id if link else None)


# Sessions


def open_session(
    scope: EveryTenant, membership_id: int, door: str, now: datetime, *, life: timedelta
) -> str:
    """The secret for the browser's cookie.  `door` says how the person came in."""
    with writing(scope) as session:
        return _opened(session, membership_id, door, now, life)


def resolve(scope: EveryTenant, key: str, now: datetime) -> LiveSession | None:
    """The session behind the hash of a cookie, or None: forged, expired, revoked, shut out."""
    with reading(scope) as session:
        row = session.exec(_live_sessions(now).where(LoginSession.secret_hash == key)).first()
        return row and _live_session(*row, now=now)


def sessions(scope: EveryTenant, now: datetime) -> tuple[LiveSession, ...]:
    """All that are signed in now, newest first."""
    with reading(scope) as session:
        rows = session.exec(_live_sessions(now).order_by(col(LoginSession.created_at).desc()))
        return tuple(_live_session(*row, now=now) for row in rows)


def live_keys(scope: EveryTenant, keys: Collection[str], now: datetime) -> frozenset[str]:
    """Which of these sessions are still alive: one question for all open sockets."""
    with reading(scope) as session:
        rows = session.exec(_live_sessions(now).where(col(LoginSession.secret_hash).in_(keys)))
        return frozenset(row[0].secret_hash for row in rows)


def revoke(scope: EveryTenant, key: str, now: datetime) -> None:
    """End a session; ending it again, or one that never was, does nothing."""
    with writing(scope) as session:
        row = session.get(LoginSession, key)
        if row is None or row.revoked_at is not None:
            return
        _end_viewing(session, row, now)
        row.revoked_at = now
        _note(session, now, "sign_out", _person_id(session, row))


def _opened(
    session: ScopedSession, membership_id: int, door: str, now: datetime, life: timedelta
) -> str:
    secret = token_urlsafe(32)
    row = LoginSession(
        secret_hash=hashed(secret),
        membership_id=membership_id,
        door=door,
        created_at=now,
        expires_at=now + life,
    )
    person_id = _person_id(session, row)
    session.add(row)
    _note(session, now, "sign_in", person_id, detail=door)
    return secret


def _live_sessions(now: datetime) -> Any:
    viewed = aliased(Customer)
    return (
        select(  # type: ignore[call-overload]  # its types stop at four entities
            LoginSession, Membership, Person, Customer, viewed
        )
        .join(Membership, col(Membership.id) == LoginSession.membership_id)
        .join(Person, col(Person.id) == Membership.person_id)
        .outerjoin(Customer, col(Customer.id) == Membership.customer_id)
        .outerjoin(viewed, viewed.id == LoginSession.viewing_customer_id)
        .where(
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.expires_at) > now,
            col(Person.disabled).is_(False),
        )
    )


def _live_session(
    row: Any, membership: Any, person: Any, customer: Any, viewed: Any, *, now: datetime
) -> LiveSession:
    viewing = None
    if viewed is not None and row.viewing_until > now:
        name = CustomerName(viewed.id, viewed.slug, viewed.name)
        viewing = Viewing(name, row.viewing_reason, row.viewing_until)
    member = _member(membership, person, customer)
    return LiveSession(row.secret_hash, member, row.door, row.created_at, row.expires_at, viewing)


def _person_id(session: ScopedSession, row: LoginSession) -> int:
    membership = session.get(Membership, row.membership_id)
    if membership is None:
        raise NotFound("There is no such membership.")
    return membership.person_id


# View as customer


def start_viewing(
    scope: EveryTenant, key: str, customer_id: int, reason: str, now: datetime
) -> Viewing:
    """Let a session of staff see one customer's pages for 30 minutes; the caller checks the role.

    A second start replaces the first.  Nobody at a customer can ever do this.
    """
    why = " ".join(reason.split())
    if not 0 < len(why) <= LONGEST_REASON:
        raise InputError("Say in a few words why you look at this customer.", field="reason")
    with writing(scope) as session:
        found = session.exec(_live_sessions(now).where(LoginSession.secret_hash == key)).first()
        if found is None or not Role(found[1].role).is_staff:
            raise AccessError("Only staff can look at a customer's pages.")
        row, person_id = found[0], found[2].id
        viewing = Viewing(_customer(session, customer_id), why, now + VIEWING_LIFE)
        _end_viewing(session, row, now)
        row.viewing_customer_id = customer_id
        row.viewing_reason, row.viewing_until = why, viewing.until
        detail = f"until {viewing.until:%H:%M} UTC unless stopped: {why}"
        _note(session, now, "view_as_start", person_id, customer_id, detail)
    return viewing


def stop_viewing(scope: EveryTenant, key: str, now: datetime) -> None:
    """Back to the staff's own pages; does nothing if nobody is being viewed."""
    with writing(scope) as session:
        if row := session.get(LoginSession, key):
            _end_viewing(session, row, now)


def _end_viewing(session: ScopedSession, row: LoginSession, now: datetime) -> None:
    if row.viewing_customer_id is None or row.viewing_until is None:
        return
    ended_at = min(now, row.viewing_until)  # it may have run out long ago
    person_id = _person_id(session, row)
    _note(session, ended_at, "view_as_stop", person_id, row.viewing_customer_id)
    row.viewing_customer_id = row.viewing_until = row.viewing_reason = None


def _note(
    session: ScopedSession,
    at: datetime,
    action: str,
    person_id: int | None,
    customer_id: int | None = None,
    detail: str = "",
) -> None:
    session.add(
        AuditEntry(
            at=at, action=action, person_id=person_id, customer_id=customer_id, detail=detail
        )
    )
