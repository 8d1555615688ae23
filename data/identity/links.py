"""One-time links: an invitation to hand over, and the way in where there is no provider."""

from datetime import datetime, timedelta

from sqlmodel import col, update

from data.errors import Conflict, LinkRejected
from data.identity.audit import Action, note, record_stranger
from data.identity.people import (
    Role,
    existing_person,
    first_membership,
    membership_in_role,
    note_role,
    one_at_a_time,
    person_by_email,
)
from data.identity.secrets import hashed, new_secret
from data.identity.sessions import opened
from data.models import LoginLink
from data.scope import EveryTenant, ScopedSession, reading, writing

LINK_LIFE = timedelta(hours=24)


def invite(
    scope: EveryTenant,
    email: str,
    role: Role,
    customer_id: int | None,
    now: datetime,
    *,
    name: str = "",
    actor: str = "",
    life: timedelta = LINK_LIFE,
) -> str:
    """Add a person, or give one this role, too: the secret of a link to hand over."""
    with one_at_a_time(), writing(scope) as session:
        person_id = person_by_email(session, email, name)
        membership_in_role(session, person_id, role, customer_id)
        note_role(session, person_id, role, customer_id, now, actor=actor)
        return _created(session, person_id, now, life, actor)


def create_link(
    scope: EveryTenant,
    person_id: int,
    now: datetime,
    *,
    life: timedelta = LINK_LIFE,
    actor: str = "",
) -> str:
    """A secret that signs this person in once; it cannot be shown again.

    Conflict for a person who is disabled: no link would work.
    """
    with writing(scope) as session:
        return _created(session, person_id, now, life, actor)


def _created(
    session: ScopedSession, person_id: int, now: datetime, life: timedelta, actor: str
) -> str:
    person, secret = existing_person(session, person_id), new_secret()
    if person.disabled:
        raise Conflict(f"{person.name} is disabled: enable them first.", field="email")
    session.add(LoginLink(secret_hash=hashed(secret), person_id=person_id, expires_at=now + life))
    detail = f"for {person.email}, until {now + life:%Y-%m-%d %H:%M} UTC"
    note(session, now, Action.LINK_CREATED, person_id=person_id, actor=actor, detail=detail)
    return secret


def enter_by_link(
    scope: EveryTenant,
    secret: str,
    now: datetime,
    *,
    life: timedelta,
    idle: timedelta | None = None,
    address: str = "",
) -> str:
    """Use up a link and open a session: its secret.  LinkRejected does not say what was wrong."""
    key = hashed(secret)
    with reading(scope) as session:
        link = session.get(LoginLink, key)
    if link is None:  # a stranger's guess takes no lock
        record_stranger(scope, now, Action.LINK_REJECTED, address=address)
    else:
        with writing(scope) as session:
            membership_id = _use(session, key, now)
            if membership_id is not None:
                return opened(
                    session, membership_id, "link", now, life=life, idle=idle, address=address
                )
            note(session, now, Action.LINK_REJECTED, person_id=link.person_id, address=address)
    raise LinkRejected("This sign-in link does not work: it may be used already, or too old.")


def _use(session: ScopedSession, key: str, now: datetime) -> int | None:
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
    link = session.get(LoginLink, key)
    return first_membership(session, link.person_id) if link else None
