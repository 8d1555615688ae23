"""Frames in the ISV's own product: its backend asks for a code, the browser trades it in.

A code works once, within a minute, and says all that the session may be: which customer, in which
role, at which pages, framed by which origin.  Nobody signs in; `visitor` is the ISV's own name for
who looks and goes into the audit log.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, or_, select, update

from data.errors import InputError, LinkRejected, NotFound
from data.identity.api_keys import Key
from data.identity.audit import Action, note, record_stranger
from data.identity.people import Role
from data.identity.secrets import hashed, new_secret
from data.identity.sessions import EMBED, VISITOR, stored
from data.models import ApiKey, Customer, EmbedCode, LoginSession
from data.scope import EveryTenant, ScopedSession, reading, writing

CODE_LIFE = timedelta(seconds=60)
LONGEST_VISITOR = 100  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """What the ISV's backend asks for.  `customer` is a slug or an external id."""

    customer: str
    role: Role
    pages: tuple[str, ...] | None
    origin: str
    visitor: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """`secret` is for the cookie.  `again` is a code for a window of its own, where the browser
    lets no cookie into a frame; none for a window."""

    secret: str
    origin: str
    pages: tuple[str, ...] | None
    again: str | None


def issue_code(
    scope: EveryTenant,
    key: Key,
    asked: Asked,
    now: datetime,
    *,
    origins: Collection[str],
    address: str = "",
) -> str:
    """A code for this frame.  `origins` may frame every customer that has none of its own.

    NotFound for a customer that is absent or not this key's; InputError names what is wrong.
    """
    if asked.role.is_staff:
        raise InputError("A frame is for a role at a customer: viewer or manager.", field="role")
    with writing(scope) as session:
        customer = _customer(session, key, asked.customer)
        allowed = customer.embed_origins if customer.embed_origins is not None else origins
        if asked.origin not in allowed:
            raise InputError("This origin may not frame this customer's pages.", field="origin")
        note(
            session,
            now,
            Action.EMBED_CODE_ISSUED,
            customer_id=customer.id,
            actor=f"key {key.name}",
            detail=f"{asked.role} {asked.visitor} at {asked.origin}".replace("  ", " "),
            address=address,
        )
        return _stored_code(
            session,
            now,
            api_key_id=key.id,
            customer_id=customer.id,
            role=asked.role.value,
            pages=None if asked.pages is None else list(asked.pages),
            origin=asked.origin,
            visitor=asked.visitor[:LONGEST_VISITOR],
        )


def enter_by_code(
    scope: EveryTenant,
    code: str,
    now: datetime,
    *,
    life: timedelta,
    idle: timedelta | None = None,
    address: str = "",
) -> Entered:
    """Use up a code and open a session.  LinkRejected does not say what was wrong with it."""
    if code_origin(scope, code) is not None:  # a stranger's guess takes no lock
        with writing(scope) as session:
            row = _use(session, hashed(code), now)
            if row is not None:
                return _entered(session, row, now, life, idle or life, address)
    record_stranger(scope, now, Action.EMBED_CODE_REJECTED, address=address)
    raise LinkRejected("This frame's code does not work: it may be used already, or too old.")


def drop_code(scope: EveryTenant, code: str, now: datetime) -> None:
    """Use up a code without entering: the window it was for is not needed."""
    with writing(scope) as session:
        _use(session, hashed(code), now)


def code_origin(scope: EveryTenant, code: str) -> str | None:
    """Which origin a code was made for, used or too old included; None if there is no such code."""
    with reading(scope) as session:
        row = session.get(EmbedCode, hashed(code))
        return row.origin if row else None


def _customer(session: ScopedSession, key: Key, name: str) -> Customer:
    found = session.exec(
        select(Customer).where(or_(Customer.slug == name, Customer.external_id == name))
    ).all()
    allowed = [one for one in found if key.customers is None or one.id in key.customers]
    if len(allowed) != 1:
        raise NotFound("There is no such customer.", field="customer")
    return allowed[0]


def _stored_code(session: ScopedSession, now: datetime, **values: Any) -> str:
    code = new_secret()
    session.add(EmbedCode(secret_hash=hashed(code), expires_at=now + CODE_LIFE, **values))
    return code


def _use(session: ScopedSession, key: str, now: datetime) -> EmbedCode | None:
    """One statement decides, so of two requests with one code one enters."""
    usable = (
        update(EmbedCode)
        .where(
            col(EmbedCode.secret_hash) == key,
            col(EmbedCode.used_at).is_(None),
            col(EmbedCode.expires_at) > now,
        )
        .values(used_at=now)
    )
    if session.exec(usable).rowcount != 1:
        return None
    row = session.get(EmbedCode, key)
    issuer = session.get(ApiKey, row.api_key_id) if row else None
    if row is None or issuer is None or issuer.revoked_at is not None:
        return None
    # A window takes the place of a frame that lives: one that was ended stays ended.
    before = session.get(LoginSession, row.replaces) if row.replaces else None
    return row if row.replaces is None or (before and before.revoked_at is None) else None


def _entered(
    session: ScopedSession,
    row: EmbedCode,
    now: datetime,
    life: timedelta,
    idle: timedelta,
    address: str,
) -> Entered:
    bound = row.model_dump(
        include={"api_key_id", "customer_id", "role", "pages", "origin", "visitor"}
    )
    secret = stored(session, now, life, idle, door=EMBED, **bound)
    again = None
    if row.replaces is None:
        again = _stored_code(session, now, replaces=hashed(secret), **bound)
    elif before := session.get(LoginSession, row.replaces):
        before.revoked_at = before.revoked_at or now
        session.add(before)
    note(
        session,
        now,
        Action.SIGN_IN,
        customer_id=row.customer_id,
        actor=row.visitor or VISITOR,
        detail=EMBED,
        address=address,
    )
    return Entered(secret, row.origin, None if row.pages is None else tuple(row.pages), again)
