"""Notes of the staff: kept by customer, signed, never changed, and in the audit log."""

from datetime import UTC, datetime, timedelta

import pytest

from data.errors import InputError, NotFound, ScopeViolation
from data.identity import entries
from data.models import CustomerNote
from data.notes import LONGEST_NOTE, add_note, notes
from data.scope import reading
from tests.stores import ACME, BETA, customers

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def write(store, text, customer_id=ACME, at=NOW):
    add_note(store.app, customer_id, text, author="Sam", person_id=None, now=at)


def test_notes_stand_newest_first_under_their_customer_alone(store):
    store.put(*customers())
    write(store, " first ")
    write(store, "second", at=NOW + timedelta(hours=1))
    write(store, "of Beta", BETA)
    assert [one.text for one in notes(store.app, ACME)] == ["second", "first"]
    assert [(one.author, one.text) for one in notes(store.app, BETA)] == [("Sam", "of Beta")]


def test_a_note_stands_in_the_audit_log_without_its_text(store):
    store.put(*customers())
    write(store, "secret")
    [entry] = entries(store.app, action="note_written")
    assert (entry.customer, entry.at) == ("Acme", NOW)
    assert "secret" not in entry.detail


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_NOTE + 1)])
def test_an_empty_or_endless_note_is_refused_and_leaves_no_trace(store, text):
    store.put(*customers())
    with pytest.raises(InputError):
        write(store, text)
    assert (notes(store.app, ACME), list(entries(store.app))) == ((), [])


def test_nobody_can_be_written_about_who_is_not_there(store):
    store.put(*customers())
    with pytest.raises(NotFound):
        write(store, "text", 999)


def test_a_customer_cannot_read_notes_on_itself(store):
    store.put(*customers())
    write(store, "difficult")
    with reading(store.acme) as session, pytest.raises(ScopeViolation):
        session.get(CustomerNote, 1)
