"""Roles taken away and people shut out: whatever they had open ends in the same transaction."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, delete, select

from data.errors import NotFound
from data.identity.audit import Action, note
from data.identity.people import existing_person
from data.identity.sessions import end_viewing
from data.models import FederatedIdentity, LoginLink, LoginSession, Membership
from data.scope import EveryTenant, ScopedSession, writing


def remove_membership(
    scope: EveryTenant, membership_id: int, now: datetime, *, actor: str = ""
) -> None:
    """Take a role away; every session in it ends at once.  NotFound if there is none."""
    with writing(scope) as session:
        row = session.get(Membership, membership_id)
        if row is None:
            raise NotFound("There is no such membership.")
        person = existing_person(session, row.person_id)
        detail = f"{person.email} is no longer {row.role}"
        customer_id = row.customer_id
        _end_sessions(session, [membership_id], now)
        session.exec(delete(LoginSession).where(col(LoginSession.membership_id) == membership_id))
        session.delete(row)
        note(session, now, Action.ROLE_TAKEN, customer_id=customer_id, actor=actor, detail=detail)


def disable_person(scope: EveryTenant, person_id: int, now: datetime, *, actor: str = "") -> None:
    """Shut a person out: every session and link of theirs is dead from this moment."""
    with writing(scope) as session:
        person = existing_person(session, person_id)
        person.disabled = True
        session.add(person)
        own = session.exec(select(Membership.id).where(Membership.person_id == person_id)).all()
        _end_sessions(session, [one for one in own if one is not None], now)
        session.exec(delete(LoginLink).where(col(LoginLink.person_id) == person_id))
        note(session, now, Action.PERSON_DISABLED, actor=actor, detail=person.email)


def enable_person(scope: EveryTenant, person_id: int, now: datetime, *, actor: str = "") -> None:
    """Let a person in again; the sessions and links of before stay dead."""
    with writing(scope) as session:
        person = existing_person(session, person_id)
        person.disabled = False
        session.add(person)
        note(session, now, Action.PERSON_ENABLED, actor=actor, detail=person.email)


def forget_identities(scope: EveryTenant, person_id: int, now: datetime, *, actor: str = "") -> int:
    """Let the person's verified address count once more, after its account at a provider was made
    anew; how many identities are forgotten."""
    with writing(scope) as session:
        person = existing_person(session, person_id)
        gone = session.exec(
            delete(FederatedIdentity).where(col(FederatedIdentity.person_id) == person_id)
        )
        note(session, now, Action.IDENTITY_FORGOTTEN, actor=actor, detail=person.email)
        return int(gone.rowcount)


def _end_sessions(session: ScopedSession, memberships: Collection[int], now: datetime) -> None:
    rows = session.exec(
        select(LoginSession).where(
            col(LoginSession.membership_id).in_(memberships),
            col(LoginSession.revoked_at).is_(None),
        )
    ).all()
    for row in rows:
        end_viewing(session, row, now)
        row.revoked_at = now
        session.add(row)
    session.flush()
