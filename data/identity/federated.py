"""People whom an identity provider vouches for (OpenID Connect).

A person is known by issuer and subject, which never change (OpenID Connect Core 1.0, section 2,
"sub").  An e-mail address counts once: the first time, if the provider has verified it, and if an
address of ours was waiting for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, delete, select

from data.errors import AccessError
from data.identity.audit import Action, note, noted_lately
from data.identity.people import first_membership
from data.identity.secrets import hashed, new_secret
from data.identity.sessions import opened
from data.models import FederatedIdentity, LoginAttempt, Person
from data.scope import EveryTenant, ScopedSession, reading, writing

ATTEMPT_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of a person, in an ID token that was checked."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False


def start_attempt(scope: EveryTenant, content: dict[str, Any], now: datetime) -> str:
    """Keep what a browser must bring back from its provider: the secret for its cookie."""
    secret = new_secret()
    with writing(scope) as session:
        session.exec(delete(LoginAttempt).where(col(LoginAttempt.expires_at) <= now))
        session.add(
            LoginAttempt(secret_hash=hashed(secret), content=content, expires_at=now + ATTEMPT_LIFE)
        )
    return secret


def take_attempt(scope: EveryTenant, secret: str, now: datetime) -> dict[str, Any] | None:
    """What was kept, once; None if it is unknown, taken already or too old."""
    with reading(scope) as session:
        if session.get(LoginAttempt, hashed(secret)) is None:
            return None  # a stranger's guess takes no lock
    with writing(scope) as session:
        row = session.get(LoginAttempt, hashed(secret), with_for_update=True)
        if row is None:
            return None
        session.delete(row)
        return row.content if row.expires_at > now else None


def enter_by_identity(
    scope: EveryTenant,
    claims: Claims,
    now: datetime,
    *,
    life: timedelta,
    idle: timedelta | None = None,
    address: str = "",
) -> str:
    """Open a session for the person behind the claims: its secret.

    AccessError for everybody unknown, disabled or without a role, in the same words.
    """
    with writing(scope) as session:
        person_id = _known(session, claims) or _first_match(session, claims, now)
        membership_id = first_membership(session, person_id) if person_id is not None else None
        if membership_id is not None:
            return opened(
                session, membership_id, "oidc", now, life=life, idle=idle, address=address
            )
        if person_id is not None or not noted_lately(session, Action.SIGN_IN_REFUSED, now):
            note(
                session,
                now,
                Action.SIGN_IN_REFUSED,
                person_id=person_id,
                detail=f"{claims.issuer} {claims.email or claims.subject}",
                address=address,
            )
    raise AccessError("There is no dashboard for this account.")


def _known(session: ScopedSession, claims: Claims) -> int | None:
    found = session.get(FederatedIdentity, (claims.issuer, claims.subject))
    return found.person_id if found else None


def _first_match(session: ScopedSession, claims: Claims, now: datetime) -> int | None:
    """The person with this verified address, who from now on has this identity.

    Only a person without an identity of this issuer: an address that went to somebody else at the
    provider must not take the place of whoever had it before.
    """
    if not (claims.email_verified and claims.email):
        return None
    person = session.exec(
        select(Person)
        .where(Person.email == claims.email.strip().lower(), col(Person.disabled).is_(False))
        .with_for_update()  # two first sign-ins at once: the second finds what the first did
    ).first()
    if person is None or person.id is None or first_membership(session, person.id) is None:
        return None
    same_issuer = session.exec(
        select(FederatedIdentity.subject).where(
            FederatedIdentity.person_id == person.id, FederatedIdentity.issuer == claims.issuer
        )
    ).first()
    if same_issuer is not None:
        return person.id if same_issuer == claims.subject else None
    session.add(
        FederatedIdentity(
            issuer=claims.issuer, subject=claims.subject, person_id=person.id, linked_at=now
        )
    )
    return person.id
