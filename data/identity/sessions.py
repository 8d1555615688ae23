"""Sessions: the one way to be signed in, whichever door was used.

The browser has a random secret in a cookie, the database its hash; role and customer are looked
up on every call, so that whatever ends here ends everywhere at once: a revoked session, one too
old or idle for too long, a disabled person, a role taken away, a revoked key.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import aliased
from sqlmodel import col, func, or_, select, true, update

from data.errors import AccessError, NotFound
from data.identity.audit import Action, note
from data.identity.people import CustomerName, Member, Role, existing_person, member_of
from data.identity.secrets import hashed, new_secret
from data.models import ApiKey, Customer, EmbedCode, LoginSession, Membership, Person
from data.scope import EveryTenant, ScopedSession, reading, writing

EMBED = "embed"
SEEN_EVERY = timedelta(minutes=10)  # how exactly it is kept when somebody was last here
VISITOR = "visitor of a frame"  # to whom the portal has given no name


@dataclass(frozen=True, slots=True)
class Viewing:
    """Staff looking at a customer's own pages."""

    customer: CustomerName
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A browser that is signed in; `key` is the hash of its cookie, harmless by itself.

    Of a frame, `pages` are the url paths that alone may be seen (None: all of the role), `origin`
    is of the page around and `opened_by` the name of the key that asked for it.
    """

    key: str
    member: Member
    door: str
    created_at: datetime
    expires_at: datetime
    idle_until: datetime
    viewing: Viewing | None
    pages: tuple[str, ...] | None
    origin: str | None
    opened_by: str | None
    seen_before_at: datetime | None = None  # the member's visit before; of a frame none is known
    last_seen_at: datetime | None = None  # the member, on any page, to about ten minutes


def open_session(
    scope: EveryTenant,
    membership_id: int,
    door: str,
    now: datetime,
    *,
    life: timedelta,
    idle: timedelta | None = None,
    address: str = "",
) -> str:
    """The secret for the browser's cookie.  `door` says how the person came in."""
    with writing(scope) as session:
        return opened(session, membership_id, door, now, life=life, idle=idle, address=address)


def opened(
    session: ScopedSession,
    membership_id: int,
    door: str,
    now: datetime,
    *,
    life: timedelta,
    idle: timedelta | None,
    address: str,
) -> str:
    """A member's session, in the caller's transaction; without `idle`, `life` alone ends it."""
    membership = _membership(session, membership_id)
    person = existing_person(session, membership.person_id)
    person.last_sign_in_at = now
    session.add(person)
    note(
        session,
        now,
        Action.SIGN_IN,
        person_id=person.id,
        customer_id=membership.customer_id,
        detail=door,
        address=address,
    )
    return stored(
        *(session, now, life, idle or life),
        membership_id=membership_id,
        door=door,
        seen_before_at=membership.last_seen_at,
    )


def stored(
    session: ScopedSession, now: datetime, life: timedelta, idle: timedelta, **values: Any
) -> str:
    """The secret of a new session."""
    secret = new_secret()
    session.add(
        LoginSession(
            secret_hash=hashed(secret),
            created_at=now,
            expires_at=now + life,
            idle_until=now + min(idle, life),
            idle_seconds=int(idle.total_seconds()),
            **values,
        )
    )
    return secret


def resolve(scope: EveryTenant, key: str, now: datetime) -> LiveSession | None:
    """The session behind the hash of a cookie, or None: forged, expired, revoked, shut out."""
    with reading(scope) as session:
        row = session.exec(_one_live_session(), params={"key": key, "now": now}).first()
        return row and _live_session(*row, now=now)


def sessions(scope: EveryTenant, now: datetime) -> tuple[LiveSession, ...]:
    """All that are signed in now, newest first."""
    with reading(scope) as session:
        rows = session.exec(_live_sessions(now).order_by(col(LoginSession.created_at).desc()))
        return tuple(_live_session(*row, now=now) for row in rows)


def live_keys(scope: EveryTenant, keys: Collection[str], now: datetime) -> frozenset[str]:
    """Which of these sessions are still alive: one question for all open sockets."""
    alive = _alive(select(col(LoginSession.secret_hash)), now)
    with reading(scope) as session:
        return frozenset(session.exec(alive.where(col(LoginSession.secret_hash).in_(keys))).all())


def touch(scope: EveryTenant, keys: Iterable[str], now: datetime) -> None:
    """Somebody acts in these sessions: their idle time begins anew."""
    with writing(scope) as session:
        rows = _alive(select(LoginSession), now)
        for row in session.exec(rows.where(col(LoginSession.secret_hash).in_(list(keys)))):
            row.idle_until = min(now + timedelta(seconds=row.idle_seconds), row.expires_at)
            session.add(row)


def saw(scope: EveryTenant, membership_id: int, now: datetime) -> None:
    """Somebody in this role has a page before them; the visit before stays with the session."""
    with writing(scope) as session:
        row = session.get(Membership, membership_id)
        if row is not None and (row.last_seen_at is None or row.last_seen_at < now):
            row.last_seen_at = now
            session.add(row)


def origin_of(scope: EveryTenant, key: str) -> str | None:
    """The origin around a frame's session, dead ones included: it may be told that it ended."""
    with reading(scope) as session:
        row = session.get(LoginSession, key)
        return row.origin if row else None


def revoke(scope: EveryTenant, key: str, now: datetime, *, actor: str = "") -> None:
    """End a session; ending it again, or one that never was, does nothing."""
    with writing(scope) as session:
        row = session.get(LoginSession, key)
        if row is not None:
            _end(session, row, now, actor)


def revoke_person(scope: EveryTenant, person_id: int, now: datetime, *, actor: str = "") -> int:
    """Sign a person out everywhere; how many sessions ended."""
    own = select(col(Membership.id)).where(Membership.person_id == person_id)
    return _end_all(scope, now, actor, col(LoginSession.membership_id).in_(own))


def revoke_all(scope: EveryTenant, now: datetime, *, actor: str) -> int:
    """Sign everybody out, frames and their waiting codes included; how many sessions ended."""
    with writing(scope) as session:
        session.exec(update(EmbedCode).where(col(EmbedCode.used_at).is_(None)).values(used_at=now))
    return _end_all(scope, now, actor, true())


def _end_all(scope: EveryTenant, now: datetime, actor: str, which: Any) -> int:
    with writing(scope) as session:
        rows = session.exec(_alive(select(LoginSession), now).where(which)).all()
        for row in rows:
            _end(session, row, now, actor)
        return len(rows)


def _end(session: ScopedSession, row: LoginSession, now: datetime, actor: str) -> None:
    """`actor` is given where it is somebody else who ends the session."""
    if row.revoked_at is not None:
        return
    end_viewing(session, row, now)
    row.revoked_at = now
    session.add(row)
    action = Action.SESSIONS_ENDED if actor else Action.SIGN_OUT
    person_id = person_of(session, row)
    whose = existing_person(session, person_id).name if person_id else row.visitor or VISITOR
    note(
        session,
        now,
        action,
        person_id=person_id,
        customer_id=row.customer_id,
        actor=actor or whose,
        detail=f"of {whose}" if actor else "",
    )


def choose_membership(scope: EveryTenant, key: str, membership_id: int, now: datetime) -> None:
    """Go on in another role of the same person; AccessError if it is anybody else's."""
    with writing(scope) as session:
        row = live_row(session, key, now)
        wanted = session.get(Membership, membership_id)
        person_id = person_of(session, row) if row else None
        if row is None or wanted is None or person_id is None or wanted.person_id != person_id:
            raise AccessError("You have no such role.")
        end_viewing(session, row, now)
        row.membership_id, row.seen_before_at = membership_id, wanted.last_seen_at
        session.add(row)
        note(
            session,
            now,
            Action.MEMBERSHIP_CHOSEN,
            person_id=person_id,
            customer_id=wanted.customer_id,
            detail=wanted.role,
        )


def end_viewing(session: ScopedSession, row: LoginSession, now: datetime) -> None:
    if row.viewing_customer_id is None or row.viewing_until is None:
        return
    note(
        session,
        min(now, row.viewing_until),  # it may have run out long ago
        Action.VIEW_AS_STOP,
        person_id=person_of(session, row),
        customer_id=row.viewing_customer_id,
    )
    row.viewing_customer_id = row.viewing_until = row.viewing_reason = None
    session.add(row)


def person_of(session: ScopedSession, row: LoginSession) -> int | None:
    """None for a frame, where nobody signed in."""
    if row.membership_id is None:
        return None
    return _membership(session, row.membership_id).person_id


def live_row(session: ScopedSession, key: str, now: datetime) -> LoginSession | None:
    alive = _alive(select(LoginSession), now).where(LoginSession.secret_hash == key)
    row: LoginSession | None = session.exec(alive).first()
    return row


def _membership(session: ScopedSession, membership_id: int) -> Membership:
    membership = session.get(Membership, membership_id)
    if membership is None:
        raise NotFound("There is no such membership.")
    return membership


def _alive(asked: Any, now: Any) -> Any:
    """Narrow a question about sessions to those that have not ended, for whatever reason.

    `now` is a moment, or a parameter for it.
    """
    return (
        asked.outerjoin(Membership, col(Membership.id) == LoginSession.membership_id)
        .outerjoin(Person, col(Person.id) == Membership.person_id)
        .outerjoin(ApiKey, col(ApiKey.id) == LoginSession.api_key_id)
        .where(
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.expires_at) > now,
            col(LoginSession.idle_until) > now,
            or_(col(Person.disabled).is_(False), col(LoginSession.membership_id).is_(None)),
            col(ApiKey.revoked_at).is_(None),
        )
    )


@lru_cache(maxsize=1)
def _one_live_session() -> Any:
    """Asked on every run of a page, and slower to build than to answer: built once."""
    return _live_sessions(bindparam("now")).where(LoginSession.secret_hash == bindparam("key"))


def _live_sessions(now: Any) -> Any:
    own, viewed = aliased(Customer), aliased(Customer)
    asked = select(LoginSession, Membership, Person, own, viewed, ApiKey)  # type: ignore[call-overload]  # its types stop at four entities
    return (
        _alive(asked.select_from(LoginSession), now)
        .outerjoin(own, own.id == func.coalesce(Membership.customer_id, LoginSession.customer_id))
        .outerjoin(viewed, viewed.id == LoginSession.viewing_customer_id)
    )


def _live_session(
    row: Any, membership: Any, person: Any, customer: Any, viewed: Any, key: Any, *, now: datetime
) -> LiveSession:
    viewing = None
    if viewed is not None and row.viewing_until > now:
        name = CustomerName(viewed.id, viewed.slug, viewed.name)
        viewing = Viewing(name, row.viewing_reason, row.viewing_until)
    member = member_of(membership, person, customer) if membership else _visitor(row, customer)
    return LiveSession(
        row.secret_hash,
        member,
        row.door,
        row.created_at,
        row.expires_at,
        row.idle_until,
        viewing,
        tuple(row.pages) if row.pages is not None else None,
        row.origin,
        key and key.name,
        row.seen_before_at,
        membership and membership.last_seen_at,
    )


def _visitor(row: Any, customer: Any) -> Member:
    at = CustomerName(customer.id, customer.slug, customer.name)
    return Member(None, None, row.visitor or customer.name, "", Role(row.role), at)
