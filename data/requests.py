"""What customers ask for and staff answer: another tier, another plan, a pack of credits.

A request changes nothing that is agreed.  It is open until it is granted, declined or withdrawn,
once; of two who end it at the same moment one is told that it was ended already.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select, update

from data.errors import Conflict, InputError, NotFound, StaleVersion
from data.identity.audit import Action, note
from data.models import ChangeRequest, Customer, PlanChange, PlanVersion
from data.scope import AnyScope, EveryTenant, Scope, ScopedSession, reading, writing

KINDS = ("tier", "plan", "pack")
OPEN, GRANTED, DECLINED, WITHDRAWN = "open", "granted", "declined", "withdrawn"
LONGEST_NAME, LONGEST_MESSAGE, LONGEST_ANSWER = 120, 500, 1_000  # characters
MOST_OPEN = 20  # of one customer: more is a loop or a joke
ENDED = "This request was answered or withdrawn a moment ago."


@dataclass(frozen=True, slots=True)
class RequestView:
    """As the customer sees it; who of the staff answered is not part of it."""

    id: int
    subscription: str
    kind: str  # one of KINDS
    wanted: str  # the tier's, plan's or pack's name
    message: str
    asked_by: str
    asked_at: datetime
    status: str  # open, granted, declined, withdrawn
    answer: str
    answered_at: datetime | None  # or withdrawn

    @property
    def is_open(self) -> bool:
        return self.status == OPEN


@dataclass(frozen=True, slots=True)
class StaffRequest:
    """As staff see it: whose it is, and what that customer has now."""

    request: RequestView
    customer_id: int
    customer: str
    slug: str
    email: str | None  # of the customer
    plan: str | None  # what the subscription is on; None: it pays Twilio itself
    answered_by: str


def requests_of(scope: Scope, *, limit: int = 50) -> tuple[RequestView, ...]:
    """What the customer has asked for, newest first."""
    with reading(scope) as session:
        rows = session.exec(
            select(ChangeRequest)
            .where(ChangeRequest.customer_id == scope.customer_id)
            .order_by(col(ChangeRequest.asked_at).desc(), col(ChangeRequest.id).desc())
            .limit(limit)
        ).all()
    return tuple(_view(row) for row in rows)


def ask(
    scope: Scope,
    subscription: str,
    kind: str,
    wanted: str,
    message: str = "",
    *,
    asked_by: str,
    person_id: int | None,
    now: datetime,
) -> None:
    """Record a request.  Conflict where the same is open already, InputError for what is no
    request, AccessError under a read-only scope.
    """
    wanted, message = wanted.strip(), message.strip()
    if kind not in KINDS or not wanted or len(wanted) > LONGEST_NAME:
        raise InputError("There is nothing of this name to ask for.")
    if len(message) > LONGEST_MESSAGE:
        raise InputError(f"A message has {LONGEST_MESSAGE} characters at most.", field="message")
    with writing(scope) as session:
        _one_at_a_time(session, scope)
        _may_be_asked(session, scope, subscription, kind, wanted)
        session.add(
            ChangeRequest(
                customer_id=scope.customer_id,
                subscription=subscription,
                kind=kind,
                wanted=wanted,
                message=message,
                asked_by=asked_by,
                person_id=person_id,
                asked_at=now,
            )
        )
        _note(session, now, Action.CHANGE_ASKED, scope.customer_id, asked_by, kind, wanted)


def _one_at_a_time(session: ScopedSession, scope: Scope) -> None:
    """Two tabs that ask at once follow each other, and the second sees what the first did."""
    own = select(Customer).where(Customer.id == scope.customer_id).with_for_update()
    if session.exec(own).first() is None:
        raise NotFound("There is no such customer.")


def _may_be_asked(
    session: ScopedSession, scope: Scope, subscription: str, kind: str, wanted: str
) -> None:
    waiting = session.exec(
        select(ChangeRequest).where(
            ChangeRequest.customer_id == scope.customer_id, ChangeRequest.status == OPEN
        )
    ).all()
    if any((o.subscription, o.kind, o.wanted) == (subscription, kind, wanted) for o in waiting):
        raise Conflict(f"{wanted} is asked for already and not answered yet.", reason="asked")
    if len(waiting) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} requests wait for an answer: withdraw one.", reason="many")


def withdraw(scope: Scope, request_id: int, *, by: str, now: datetime) -> None:
    """The customer takes an open request back.  NotFound if it is absent or another customer's,
    StaleVersion if it was answered in the meantime.
    """
    with writing(scope) as session:
        row = _end(session, scope, request_id, status=WITHDRAWN, answered_at=now)
        _note(session, now, Action.CHANGE_WITHDRAWN, row.customer_id, by, row.kind, row.wanted)


def answer(
    scope: EveryTenant, request_id: int, *, granted: bool, words: str, by: str, now: datetime
) -> None:
    """Staff end an open request, in words that the customer reads.

    It changes no plan and grants no credits.  StaleVersion if somebody ended it before.
    """
    words = words.strip()
    if not words:
        raise InputError("Write what the customer should know.", field="answer")
    if len(words) > LONGEST_ANSWER:
        raise InputError(f"An answer has {LONGEST_ANSWER} characters at most.", field="answer")
    status = GRANTED if granted else DECLINED
    action = Action.CHANGE_GRANTED if granted else Action.CHANGE_DECLINED
    with writing(scope) as session:
        row = _end(
            *(session, scope, request_id),
            status=status,
            answer=words,
            answered_by=by,
            answered_at=now,
        )
        _note(session, now, action, row.customer_id, by, row.kind, row.wanted)


def _end(
    session: ScopedSession, scope: AnyScope, request_id: int, **values: object
) -> ChangeRequest:
    """One statement decides, so of two who end a request one does."""
    own = [col(ChangeRequest.id) == request_id]
    if isinstance(scope, Scope):
        own.append(col(ChangeRequest.customer_id) == scope.customer_id)
    ended = update(ChangeRequest).where(*own, col(ChangeRequest.status) == OPEN).values(**values)
    won = session.exec(ended).rowcount == 1
    row = session.exec(select(ChangeRequest).where(*own)).first()
    if row is None:
        raise NotFound("There is no such request.")
    if not won:
        raise StaleVersion(ENDED)
    return row


def _note(
    session: ScopedSession,
    now: datetime,
    action: Action,
    customer_id: int,
    actor: str,
    kind: str,
    wanted: str,
) -> None:
    note(session, now, action, customer_id=customer_id, actor=actor, detail=f"{kind}: {wanted}")


# Staff


def open_requests(scope: EveryTenant, today: date) -> tuple[StaffRequest, ...]:
    """All that wait for an answer, the longest first."""
    with reading(scope) as session:
        rows = session.exec(
            select(ChangeRequest, Customer)
            .join(Customer, col(Customer.id) == ChangeRequest.customer_id)
            .where(ChangeRequest.status == OPEN)
            .order_by(col(ChangeRequest.asked_at), col(ChangeRequest.id))
        ).all()
        return _for_staff(session, rows, today)


def ended_requests(scope: EveryTenant, today: date, *, limit: int) -> tuple[StaffRequest, ...]:
    """The last that were answered or withdrawn, newest first."""
    with reading(scope) as session:
        rows = session.exec(
            select(ChangeRequest, Customer)
            .join(Customer, col(Customer.id) == ChangeRequest.customer_id)
            .where(ChangeRequest.status != OPEN)
            .order_by(col(ChangeRequest.answered_at).desc(), col(ChangeRequest.id).desc())
            .limit(limit)
        ).all()
        return _for_staff(session, rows, today)


def _for_staff(
    session: ScopedSession, rows: Sequence[tuple[ChangeRequest, Customer]], today: date
) -> tuple[StaffRequest, ...]:
    plans = _plan_names(session, {row.customer_id for row, _ in rows}, today)
    return tuple(
        StaffRequest(
            _view(row),
            row.customer_id,
            customer.name,
            customer.slug,
            customer.email,
            plans.get((row.customer_id, row.subscription)),
            row.answered_by,
        )
        for row, customer in rows
    )


def _plan_names(
    session: ScopedSession, customers: Collection[int], today: date
) -> dict[tuple[int, str], str]:
    """The name of the plan agreed last until today, by customer and subscription."""
    found = session.exec(
        select(PlanChange, PlanVersion)
        .join(
            PlanVersion,
            (col(PlanVersion.plan) == PlanChange.plan)
            & (col(PlanVersion.version) == PlanChange.version),
        )
        .where(col(PlanChange.customer_id).in_(customers), PlanChange.starts_on <= today)
        .order_by(col(PlanChange.starts_on), col(PlanChange.number))
    ).all()
    return {
        (change.customer_id, change.subscription): str(version.terms.get("name", version.plan))
        for change, version in found
    }


def _view(row: ChangeRequest) -> RequestView:
    return RequestView(
        row.id or 0,
        row.subscription,
        row.kind,
        row.wanted,
        row.message,
        row.asked_by,
        row.asked_at,
        row.status,
        row.answer,
        row.answered_at,
    )
