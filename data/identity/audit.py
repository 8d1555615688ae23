"""The audit log: who did what to whose data, when, and from where.  Entries are only ever added.

The database itself refuses a change, and the removal of what is younger than a week (migration
0005); the policy of `retention` removes what has grown old.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import col, select

from data.models import AuditEntry, Customer, Person
from data.scope import EveryTenant, Scope, ScopedSession, reading, writing

LONGEST_DETAIL = 2_000  # characters
AT_ONCE = 1_000  # entries read at a time
STRANGERS_EVERY = timedelta(minutes=1)  # or a flood of attempts fills the disk


class Action(StrEnum):
    SIGN_IN = "sign_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_OUT = "sign_out"
    SESSIONS_ENDED = "sessions_ended"
    MEMBERSHIP_CHOSEN = "membership_chosen"
    LINK_CREATED = "link_created"
    LINK_REJECTED = "link_rejected"
    PERSON_DISABLED = "person_disabled"
    PERSON_ENABLED = "person_enabled"
    ROLE_GIVEN = "role_given"
    ROLE_TAKEN = "role_taken"
    IDENTITY_FORGOTTEN = "identity_forgotten"
    VIEW_AS_START = "view_as_start"
    VIEW_AS_PAGE = "view_as_page"
    VIEW_AS_STOP = "view_as_stop"
    KEY_CREATED = "key_created"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    KEY_REFUSED = "key_refused"
    EMBED_CODE_ISSUED = "embed_code_issued"
    EMBED_CODE_REJECTED = "embed_code_rejected"
    EXPORT = "export"
    AGREEMENT_CHANGED = "agreement_changed"
    PLAN_SAVED = "plan_saved"
    CREDITS_GRANTED = "credits_granted"
    CREDITS_VOIDED = "credits_voided"
    CHANGE_ASKED = "change_asked"
    CHANGE_WITHDRAWN = "change_withdrawn"
    CHANGE_GRANTED = "change_granted"
    CHANGE_DECLINED = "change_declined"
    NOTE_WRITTEN = "note_written"
    PERIOD_CLOSED = "period_closed"
    CONNECT_STARTED = "connect_started"
    CONNECT_REJECTED = "connect_rejected"
    CONNECT_DECLINED = "connect_declined"
    CONNECT_REFUSED = "connect_refused"
    ACCOUNT_CONNECTED = "account_connected"
    ACCOUNT_WITHDRAWN = "account_withdrawn"
    CREDENTIAL_ADDED = "credential_added"
    CREDENTIAL_REMOVED = "credential_removed"
    CREDENTIALS_ROTATED = "credentials_rotated"
    ROWS_DELETED = "rows_deleted"


VIEWING = (Action.VIEW_AS_START, Action.VIEW_AS_PAGE, Action.VIEW_AS_STOP)


@dataclass(frozen=True, slots=True)
class By:
    """Who of the staff acts, when and why: what goes into the log with the act."""

    name: str
    person_id: int | None
    reason: str
    at: datetime

    def note(
        self, session: ScopedSession, action: str, detail: str, *, customer_id: int | None = None
    ) -> None:
        """In the transaction of the act; the reason stands behind what was done."""
        why = " ".join(self.reason.split())
        detail = f"{_cut(detail, LONGEST_DETAIL - len(why) - 3)} ({why})" if why else detail
        note(
            *(session, self.at, action),
            person_id=self.person_id,
            customer_id=customer_id,
            actor=self.name,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """`customer` is the name of the customer concerned; `actor` whoever did it."""

    at: datetime
    actor: str
    action: str
    customer: str
    detail: str
    address: str


def note(
    session: ScopedSession,
    at: datetime,
    action: str,
    *,
    person_id: int | None = None,
    customer_id: int | None = None,
    actor: str = "",
    detail: str = "",
    address: str = "",
) -> None:
    """Add an entry to a transaction, so that nothing happens without it."""
    person = session.get(Person, person_id) if person_id is not None and not actor else None
    session.add(
        AuditEntry(
            at=at,
            person_id=person_id,
            customer_id=customer_id,
            actor=person.name if person else actor,
            action=str(action),
            detail=_cut(detail),
            address=address,
        )
    )


def _cut(detail: str, longest: int = LONGEST_DETAIL) -> str:
    return detail if len(detail) <= longest else f"{detail[: longest - 1]}…"


def record(
    scope: EveryTenant,
    at: datetime,
    action: str,
    *,
    person_id: int | None = None,
    customer_id: int | None = None,
    actor: str = "",
    detail: str = "",
    address: str = "",
) -> None:
    """Add an entry of its own, for what changes nothing else: an export, a refusal."""
    with writing(scope) as session:
        note(
            session,
            at,
            action,
            person_id=person_id,
            customer_id=customer_id,
            actor=actor,
            detail=detail,
            address=address,
        )


def record_stranger(
    scope: EveryTenant, at: datetime, action: str, *, detail: str = "", address: str = ""
) -> None:
    """Add an entry of what somebody unknown has tried, at most one of its kind a minute."""
    with reading(scope) as session:
        lately = noted_lately(session, action, at)
    if not lately:
        record(scope, at, action, detail=detail, address=address)


def noted_lately(session: ScopedSession, action: str, now: datetime) -> bool:
    """Whether a stranger's attempt of this kind stands in the log since a minute ago."""
    lately = select(AuditEntry.id).where(
        col(AuditEntry.customer_id).is_(None),  # with the time, what the log's index is by
        AuditEntry.at > now - STRANGERS_EVERY,
        AuditEntry.action == action,
        col(AuditEntry.person_id).is_(None),
    )
    return session.exec(lately.limit(1)).first() is not None


def entries(
    scope: EveryTenant,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    customer_id: int | None = None,
    action: str | None = None,
    limit: int | None = None,
) -> Iterator[Entry]:
    """The log, newest first, `since` included and `until` not; read in parts, however long."""
    asked = (
        select(AuditEntry, Customer.name)
        .outerjoin(Customer, col(Customer.id) == AuditEntry.customer_id)
        .order_by(col(AuditEntry.id).desc())
    )
    if since is not None:
        asked = asked.where(AuditEntry.at >= since)
    if until is not None:
        asked = asked.where(AuditEntry.at < until)
    if customer_id is not None:
        asked = asked.where(AuditEntry.customer_id == customer_id)
    if action:
        asked = asked.where(AuditEntry.action == action)
    left, below = limit, None
    while left is None or left > 0:
        size = AT_ONCE if left is None else min(left, AT_ONCE)
        part = asked if below is None else asked.where(col(AuditEntry.id) < below)
        with reading(scope) as session:
            found = session.exec(part.limit(size)).all()
        yield from (_entry(*row) for row in found)
        if len(found) < size:
            return
        below = found[-1][0].id
        left = None if left is None else left - len(found)


def viewings(scope: Scope, *, limit: int = 200) -> tuple[Entry, ...]:
    """When the ISV's staff looked at this customer's pages, who, why and at which; newest first."""
    with reading(scope) as session:
        rows = session.exec(
            select(AuditEntry)
            .where(
                AuditEntry.customer_id == scope.customer_id,
                col(AuditEntry.action).in_([str(one) for one in VIEWING]),
            )
            .order_by(col(AuditEntry.id).desc())
            .limit(limit)
        ).all()
    return tuple(_entry(row, None) for row in rows)


def _entry(row: AuditEntry, customer: str | None) -> Entry:
    """Without its number: from numbers a customer could tell how much others do."""
    return Entry(row.at, row.actor, row.action, customer or "", row.detail, row.address)
