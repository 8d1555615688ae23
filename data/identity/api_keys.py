"""Keys of the ISV's own backend: named, scoped to customers, rotated with an overlap.

A key reads `dash_<number>_<secret>`: the number finds the row, the secret is compared with its
hash in constant time.  Keys of one name follow each other.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, or_, select, update

from data.errors import Conflict, InputError, NotFound, NotSignedIn
from data.identity.audit import Action, note, record_stranger
from data.identity.people import added, one_at_a_time
from data.identity.secrets import LONGEST, hashed, is_same, new_secret
from data.models import ApiKey, Customer
from data.scope import EveryTenant, ScopedSession, reading, writing

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
KEY = re.compile(r"dash_([0-9]{1,9})_[A-Za-z0-9_-]{20,100}", re.ASCII)
USED_EVERY = timedelta(minutes=1)  # how exactly the last use is known
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Key:
    """`customers` are the ids it may act for, None for all."""

    id: int
    name: str
    customers: frozenset[int] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def create_key(
    scope: EveryTenant,
    name: str,
    customers: Collection[int] | None,
    now: datetime,
    *,
    actor: str = "",
) -> str:
    """The key itself, which cannot be shown again.  Conflict if the name has a live key."""
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name of a key: small letters, digits, -", field="name")
    with one_at_a_time(), writing(scope) as session:
        if customers is not None:
            _must_exist(session, customers)
        if _live(session, name, now):
            raise Conflict(f"There is a key {name!r} already: rotate it, or revoke it first.")
        whom = "every customer" if customers is None else f"customers: {len(customers)}"
        note(session, now, Action.KEY_CREATED, actor=actor, detail=f"{name}, {whom}")
        return _stored(session, name, customers, now)


def rotate_key(
    scope: EveryTenant, name: str, now: datetime, *, overlap: timedelta = OVERLAP, actor: str = ""
) -> str:
    """The next key of this name; the one before it works on for `overlap`."""
    with one_at_a_time(), writing(scope) as session:
        live = _live(session, name, now)
        if not live:
            raise NotFound(f"There is no live key {name!r}.")
        for row in live:
            row.expires_at = min(row.expires_at or now + overlap, now + overlap)
            session.add(row)
        session.flush()  # before the next: one live key a name
        note(session, now, Action.KEY_ROTATED, actor=actor, detail=name)
        return _stored(session, name, live[0].customers, now)


def revoke_key(scope: EveryTenant, name: str, now: datetime, *, actor: str = "") -> None:
    """End every key of this name, and every frame that it opened, at once."""
    with writing(scope) as session:
        rows = session.exec(
            select(ApiKey).where(ApiKey.name == name, col(ApiKey.revoked_at).is_(None))
        ).all()
        if not rows:
            raise NotFound(f"There is no key {name!r}.")
        for row in rows:
            row.revoked_at = now
            session.add(row)
        note(session, now, Action.KEY_REVOKED, actor=actor, detail=name)


def api_keys(scope: EveryTenant) -> tuple[Key, ...]:
    """All keys ever made, newest first; none can be shown."""
    with reading(scope) as session:
        rows = session.exec(select(ApiKey).order_by(col(ApiKey.id).desc())).all()
        return tuple(_key(row) for row in rows)


def authenticate(scope: EveryTenant, text: str, now: datetime, *, address: str = "") -> Key:
    """The key behind this text.  NotSignedIn, in the same words, for every other text."""
    found = KEY.fullmatch(text) if len(text) <= LONGEST else None
    with reading(scope) as session:
        row = session.get(ApiKey, int(found[1])) if found else None
        # Something is compared even where nothing was found: the time says nothing either way.
        right = is_same(text[:LONGEST], row.secret_hash if row else hashed(""))
        key = _key(row) if row is not None and right else None
    if key is not None and key.is_live(now):
        if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
            _note_use(scope, key.id, now)
        return key
    name = key.name if key else "unknown"
    record_stranger(scope, now, Action.KEY_REFUSED, detail=name, address=address)
    raise NotSignedIn("This API key is not valid.")


def _note_use(scope: EveryTenant, key_id: int, now: datetime) -> None:
    with writing(scope) as session:
        session.exec(update(ApiKey).where(col(ApiKey.id) == key_id).values(last_used_at=now))


def _live(session: ScopedSession, name: str, now: datetime) -> list[ApiKey]:
    """Newest first."""
    rows = session.exec(
        select(ApiKey)
        .where(
            ApiKey.name == name,
            col(ApiKey.revoked_at).is_(None),
            or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > now),
        )
        .order_by(col(ApiKey.id).desc())
    )
    return list(rows.all())


def _stored(
    session: ScopedSession, name: str, customers: Collection[int] | None, now: datetime
) -> str:
    row = ApiKey(
        name=name,
        secret_hash="",  # nosec B106 # set below, when the key has its number
        customers=None if customers is None else sorted(customers),
        created_at=now,
    )
    text = f"dash_{added(session, row)}_{new_secret()}"
    row.secret_hash = hashed(text)
    session.add(row)
    return text


def _must_exist(session: ScopedSession, customers: Collection[int]) -> None:
    if not customers:
        raise InputError("A key for no customer opens nothing: name one, or all.", field="customer")
    known = session.exec(select(col(Customer.id)).where(col(Customer.id).in_(customers))).all()
    if set(customers) - set(known):
        raise NotFound("There is no such customer.")


def _key(row: Any) -> Key:
    return Key(
        row.id,
        row.name,
        None if row.customers is None else frozenset(row.customers),
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )
