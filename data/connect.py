"""A customer's own Twilio account, connected by its manager through Twilio Connect.

We send the manager to Twilio with a one-time state; Twilio sends back the SID of an account made
for our app under the customer's (https://www.twilio.com/docs/iam/connect).  The SID comes through
the browser, where anybody can write another: it counts only once our token opens that account and
the account is nobody's here, neither the ISV's own nor another customer's.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from secrets import token_urlsafe

from sqlmodel import col, delete, select, update

from data.assignment import FOREVER, Owner, move_account, system_customer
from data.errors import AccessError, LinkRejected, NotFound, TwilioError, TwilioRefused
from data.identity.audit import Action, note
from data.identity.secrets import hashed
from data.models import Account, AccountEvent, AuditEntry, ConnectRequest, Subscription
from data.scope import EveryTenant, Scope, ScopedSession, reading, writing
from data.twilio.client import Credentials, Transport
from data.twilio.service_intake import move_service_rows

STATE_LIFE = timedelta(minutes=15)
SUBSCRIPTION = "connected"  # never one with a plan: the customer pays Twilio for it, not the ISV
ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
PATIENCE, ATTEMPTS = 8.0, 2  # seconds and requests while a person waits
# One sentence for every reason: another would say who else is a customer here.
NOT_THIS_ONE = "This Twilio account cannot be connected here. Contact us if it should be."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who connects, and for which customer."""

    customer_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """An account as Twilio describes it to us."""

    sid: str
    name: str
    status: str
    opened_on: date  # UTC


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account as its customer's page shows it."""

    sid: str
    name: str
    application: str
    kind: str
    named_by: str
    status: str
    starts_on: date
    ends_on: date | None  # exclusive
    closed_on: date | None
    withdrawn_at: datetime | None
    as_of: datetime | None
    synced_at: datetime | None
    failed: bool  # the last reading did; why is for staff


def own_accounts(scope: Scope) -> tuple[OwnAccount, ...]:
    """The customer's accounts by name, those with an end last."""
    with reading(scope) as session:
        rows = session.exec(select(Account).where(Account.customer_id == scope.customer_id)).all()
    ordered = sorted(rows, key=lambda a: (a.ends_on is not None, a.application or a.name, a.sid))
    return tuple(
        OwnAccount(
            **row.model_dump(include=set(OwnAccount.__slots__) - {"name", "failed"}),
            name=row.name or row.application or row.sid,
            failed=row.sync_error is not None,
        )
        for row in ordered
    )


# The way to Twilio and back


def begin(scope: EveryTenant, asker: Asker, *, now: datetime) -> str:
    """A state for the way to Twilio: good once, for this person and customer, for 15 minutes."""
    state = token_urlsafe(32)
    with writing(scope) as session:
        session.execute(delete(ConnectRequest).where(col(ConnectRequest.expires_at) <= now))
        session.add(
            ConnectRequest(
                state_hash=hashed(state),
                customer_id=asker.customer_id,
                person_id=asker.person_id,
                expires_at=now + STATE_LIFE,
            )
        )
        _note(session, now, Action.CONNECT_STARTED, asker)
    return state


def use(scope: EveryTenant, asker: Asker, state: str, *, now: datetime) -> None:
    """Use a state up; LinkRejected does not say whether it was forged, used, old or another's."""
    usable = (
        update(ConnectRequest)
        .where(
            col(ConnectRequest.state_hash) == hashed(state),
            col(ConnectRequest.customer_id) == asker.customer_id,
            col(ConnectRequest.person_id) == asker.person_id,
            col(ConnectRequest.used_at).is_(None),
            col(ConnectRequest.expires_at) > now,
        )
        .values(used_at=now)
    )
    with writing(scope) as session:
        # One statement decides, so of two answers one counts.
        if session.exec(usable).rowcount == 1:
            return
        _note(session, now, Action.CONNECT_REJECTED, asker)
    raise LinkRejected("This answer from Twilio is used already, too old, or not for you.")


def decline(scope: EveryTenant, asker: Asker, why: str, *, now: datetime) -> None:
    """Note that Twilio sent no account: the person said no there, or something failed."""
    with writing(scope) as session:
        _note(session, now, Action.CONNECT_DECLINED, asker, why[:100])


def proven(parent: Credentials, base: str, sid: str, *, today: date) -> ConnectedAccount:
    """The account, as our token opens it under its own SID; AccessError if it is not a connected
    one.  TwilioError where Twilio cannot be asked right now.
    """
    if not ACCOUNT_SID.fullmatch(sid) or sid == parent.account_sid:
        raise AccessError(NOT_THIS_ONE)
    transport = Transport({"api": base}, timeout=PATIENCE, attempts=ATTEMPTS)
    try:
        body = transport.client(Credentials(sid, parent.secret)).fetch(f"Accounts/{sid}.json")
    except (TwilioRefused, NotFound):
        raise AccessError(NOT_THIS_ONE) from None
    except TwilioError as error:
        raise type(error)("Twilio did not answer. Nothing was connected; try again.") from error
    if body.get("sid") != sid or body.get("owner_account_sid") in (None, sid, parent.account_sid):
        raise AccessError(NOT_THIS_ONE)
    name, status = str(body.get("friendly_name") or sid), str(body.get("status") or "active")
    return ConnectedAccount(sid, name, status, _opened_on(body.get("date_created"), today))


def _opened_on(text: object, today: date) -> date:
    """RFC 2822, in UTC; Twilio may leave it out, and then its days count from today."""
    try:
        return parsedate_to_datetime(str(text)).astimezone(UTC).date()
    except ValueError:
        return today


def connect(
    scope: EveryTenant, asker: Asker, account: ConnectedAccount, *, now: datetime, today: date
) -> None:
    """Make it the customer's; connected again, its consent is back.

    AccessError where somebody else has it.  It starts on the day Twilio opened it, so that all of
    its history counts and no period before it is shown.
    """
    with writing(scope) as session:
        taken = _refused(session, asker, account, today)
        if taken:
            _note(session, now, Action.CONNECT_REFUSED, asker, account.sid)
        else:
            _take(session, asker, account, today)
            _note(session, now, Action.ACCOUNT_CONNECTED, asker, account.sid)
            session.add(AccountEvent(account_sid=account.sid, at=now, kind="connected"))
    if taken:
        raise AccessError(NOT_THIS_ONE)


def refuse(scope: EveryTenant, asker: Asker, sid: str, *, now: datetime) -> None:
    """Note an account that did not prove to be a connected one."""
    with writing(scope) as session:
        _note(session, now, Action.CONNECT_REFUSED, asker, sid[:40])


def _refused(session: ScopedSession, asker: Asker, account: ConnectedAccount, today: date) -> bool:
    """Whether the account is another's from today on, or waits here for somebody else."""
    waiting = system_customer(session)
    for row in session.exec(select(Account).where(Account.sid == account.sid)).all():
        if row.customer_id == waiting:
            if not _connected_before(session, asker, account.sid):
                return True
        elif row.customer_id != asker.customer_id and (row.ends_on or FOREVER) > today:
            return True
    return False


def _connected_before(session: ScopedSession, asker: Asker, sid: str) -> bool:
    """Only its old owner takes an account back that waits; to others the ISV assigns it."""
    entries = select(AuditEntry.id).where(
        AuditEntry.action == Action.ACCOUNT_CONNECTED,
        AuditEntry.customer_id == asker.customer_id,
        AuditEntry.detail == sid,
    )
    return session.exec(entries).first() is not None


def _take(session: ScopedSession, asker: Asker, account: ConnectedAccount, today: date) -> None:
    rows = session.exec(select(Account).where(Account.sid == account.sid)).all()
    mine = [row for row in rows if row.customer_id == asker.customer_id]
    for row in mine:
        row.withdrawn_at = None
        session.add(row)
    if any(Owner(row.customer_id, row.starts_on, row.ends_on).on(today) for row in mine):
        return
    ended = [row.ends_on for row in rows if row.ends_on]
    starts_on = max([min(account.opened_on, today), *ended])
    session.add(
        Account(
            customer_id=asker.customer_id,
            sid=account.sid,
            starts_on=starts_on,
            subscription=SUBSCRIPTION,
            name=account.name,
            kind="connected",
            status=account.status,
            named_by="connect",
        )
    )
    _subscribe(session, asker.customer_id, starts_on)
    session.flush()
    move_account(session, account.sid)
    move_service_rows(session, today=today, only=account.sid)


def _subscribe(session: ScopedSession, customer_id: int, starts_on: date) -> None:
    """What pages show is a subscription: this one has no plan, as nothing is billed for it."""
    found = session.exec(select(Subscription).where(Subscription.customer_id == customer_id)).all()
    row = next((one for one in found if one.key == SUBSCRIPTION), None) or Subscription(
        customer_id=customer_id,
        key=SUBSCRIPTION,
        anchor_day=found[0].anchor_day if found else 1,
        starts_on=starts_on,
    )
    row.starts_on = min(row.starts_on, starts_on)
    session.add(row)


def withdraw(scope: EveryTenant, sid: str, *, now: datetime) -> bool:
    """Note that Twilio's customer took the consent back: reading stops, what was read stays.

    Whether something changed: False for an account that is unknown or withdrawn already.
    """
    with writing(scope) as session:
        rows = session.exec(
            select(Account).where(
                Account.sid == sid,
                Account.kind == "connected",
                col(Account.withdrawn_at).is_(None),
            )
        ).all()
        for row in rows:
            row.withdrawn_at = now
            session.add(row)
            _note(session, now, Action.ACCOUNT_WITHDRAWN, Asker(row.customer_id, 0), sid)
        if rows:
            session.add(AccountEvent(account_sid=sid, at=now, kind="withdrawn"))
        return bool(rows)


def _note(
    session: ScopedSession, at: datetime, action: str, asker: Asker, detail: str = ""
) -> None:
    note(
        session,
        at,
        action,
        person_id=asker.person_id or None,
        customer_id=asker.customer_id,
        actor="" if asker.person_id else "Twilio",
        detail=detail,
    )
