"""Notes of the staff on a customer, for the next colleague; the customer never sees them.

They are only ever added: what was wrong is put right by another note.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from data.errors import InputError, NotFound
from data.identity.audit import Action, note
from data.models import Customer, CustomerNote
from data.scope import EveryTenant, reading, writing

LONGEST_NOTE = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Note:
    author: str
    written_at: datetime
    text: str


def notes(scope: EveryTenant, customer_id: int, *, limit: int = 20) -> tuple[Note, ...]:
    """The newest first."""
    with reading(scope) as session:
        rows = session.exec(
            select(CustomerNote)
            .where(CustomerNote.customer_id == customer_id)
            .order_by(col(CustomerNote.written_at).desc(), col(CustomerNote.id).desc())
            .limit(limit)
        ).all()
    return tuple(Note(row.author, row.written_at, row.text) for row in rows)


def add_note(
    scope: EveryTenant,
    customer_id: int,
    text: str,
    *,
    author: str,
    person_id: int | None,
    now: datetime,
) -> None:
    """InputError for an empty or too long text, NotFound for an unknown customer."""
    text = text.strip()
    if not text:
        raise InputError("Write what the next colleague should know.", field="note")
    if len(text) > LONGEST_NOTE:
        raise InputError(f"A note has at most {LONGEST_NOTE} letters.", field="note")
    with writing(scope) as session:
        if session.get(Customer, customer_id) is None:
            raise NotFound("There is no such customer.")
        session.add(CustomerNote(customer_id=customer_id, author=author, written_at=now, text=text))
        note(session, now, Action.NOTE_WRITTEN, person_id=person_id, customer_id=customer_id)
