"""View as customer: staff look at one customer's own pages, for a reason and for half an hour."""

from datetime import datetime, timedelta

from data.errors import AccessError, InputError
from data.identity.audit import Action, note
from data.identity.people import Role, customer_name
from data.identity.sessions import Viewing, end_viewing, live_row, person_of
from data.models import LoginSession, Membership
from data.scope import EveryTenant, ScopedSession, writing

VIEWING_LIFE = timedelta(minutes=30)
LONGEST_REASON = 300  # characters


def start_viewing(
    scope: EveryTenant, key: str, customer_id: int, reason: str, now: datetime
) -> Viewing:
    """Let a live session of staff see one customer's pages; the caller checks the permission.

    A second start replaces the first.  Nobody at a customer can ever do this.
    """
    why = " ".join(reason.split())
    if not 0 < len(why) <= LONGEST_REASON:
        raise InputError("Say in a few words why you look at this customer.", field="reason")
    with writing(scope) as session:
        row = _staff_session(session, key, now)
        viewing = Viewing(customer_name(session, customer_id), why, now + VIEWING_LIFE)
        end_viewing(session, row, now)
        row.viewing_customer_id = customer_id
        row.viewing_reason, row.viewing_until = why, viewing.until
        session.add(row)
        detail = f"until {viewing.until:%H:%M} UTC unless stopped: {why}"
        note(
            session,
            now,
            Action.VIEW_AS_START,
            person_id=person_of(session, row),
            customer_id=customer_id,
            detail=detail,
        )
    return viewing


def note_page(scope: EveryTenant, key: str, page: str, now: datetime) -> None:
    """Log which of the customer's pages is seen; nothing if nobody is being viewed."""
    with writing(scope) as session:
        row = session.get(LoginSession, key)
        if row is None or row.viewing_customer_id is None:
            return
        note(
            session,
            now,
            Action.VIEW_AS_PAGE,
            person_id=person_of(session, row),
            customer_id=row.viewing_customer_id,
            detail=page,
        )


def stop_viewing(scope: EveryTenant, key: str, now: datetime) -> None:
    """Back to the staff's own pages; does nothing if nobody is being viewed."""
    with writing(scope) as session:
        if row := session.get(LoginSession, key):
            end_viewing(session, row, now)


def _staff_session(session: ScopedSession, key: str, now: datetime) -> LoginSession:
    row = live_row(session, key, now)
    membership = session.get(Membership, row.membership_id) if row and row.membership_id else None
    if row is None or membership is None or not Role(membership.role).is_staff:
        raise AccessError("Only staff can look at a customer's pages.")
    return row
