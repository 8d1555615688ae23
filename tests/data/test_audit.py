"""The audit log: what stands in it, that it only grows, and whose part each customer sees."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, delete, update

from data import identity
from data.errors import LinkRejected, NotSignedIn
from data.identity import Action, Role, hashed
from data.models import AuditEntry, Person
from data.scope import writing
from tests.stores import ACME, BETA, customers

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIFE = timedelta(hours=12)
REFUSED = "append-only|permission denied"  # of a trigger; of a right that the app has not


@pytest.fixture
def world(store):
    store.put(*customers())
    return store


def staff(store, name="Sue", role=Role.SUPPORT):
    person = identity.add_person(store.app, f"{name}@isv.test".lower(), name)
    return identity.add_membership(store.app, person, role)


def viewing(store, customer, reason, *pages):
    key = hashed(identity.open_session(store.app, staff(store), "link", NOW, life=LIFE))
    identity.start_viewing(store.app, key, customer, reason, NOW)
    for page in pages:
        identity.note_page(store.app, key, page, NOW)
    identity.stop_viewing(store.app, key, NOW)
    return key


def actions(store, **asked):
    return [entry.action for entry in identity.entries(store.app, **asked)][::-1]


def test_a_customer_sees_who_looked_at_its_own_pages_and_at_nobody_elses(world):
    viewing(world, ACME, "ticket 1", "overview", "spend")
    viewing(world, BETA, "ticket 2", "usage")
    seen = [(one.action, one.actor, one.detail) for one in identity.viewings(world.acme)][::-1]
    assert seen == [
        ("view_as_start", "Sue", "until 12:30 UTC unless stopped: ticket 1"),
        ("view_as_page", "Sue", "overview"),
        ("view_as_page", "Sue", "spend"),
        ("view_as_stop", "Sue", ""),
    ]
    assert [one.detail for one in identity.viewings(world.beta)][1:2] == ["usage"]


def test_a_page_is_noted_only_while_somebody_is_viewed(world):
    key = viewing(world, ACME, "ticket 1")
    identity.note_page(world.app, key, "overview", NOW)
    identity.note_page(world.app, "f" * 64, "overview", NOW)
    assert "view_as_page" not in actions(world)


@pytest.mark.parametrize("days", [0, 6], ids=["now", "six days old"])
def test_what_is_recent_is_neither_changed_nor_removed(world, days):
    identity.record(world.app, datetime.now(UTC) - timedelta(days=days), "test", customer_id=ACME)
    for act in (update(AuditEntry).values(detail="nothing"), delete(AuditEntry)):
        for whose in (world.app, world.owner):
            with pytest.raises(DBAPIError, match=REFUSED), writing(whose) as session:
                session.execute(act)
    assert actions(world) == ["test"]


def test_what_is_old_goes_but_cannot_be_changed(world):
    identity.record(world.app, NOW - timedelta(days=30), "test", customer_id=BETA)
    with pytest.raises(DBAPIError), writing(world.owner) as session:
        session.execute(update(AuditEntry).values(detail="nothing"))
    with writing(world.owner) as session:
        session.execute(delete(AuditEntry).where(col(AuditEntry.at) < NOW))
    assert actions(world) == []


def test_entries_are_found_by_day_customer_and_action(world):
    for day, customer, action in ((1, ACME, "one"), (2, BETA, "two"), (3, ACME, "two")):
        at = NOW + timedelta(days=day)
        identity.record(world.app, at, action, customer_id=customer)
    assert actions(world, customer_id=ACME) == ["one", "two"]
    assert actions(world, action="two") == ["two", "two"]
    since, until = NOW + timedelta(days=2), NOW + timedelta(days=3)
    assert actions(world, since=since, until=until) == ["two"]
    assert actions(world, limit=1) == ["two"]


def test_a_long_log_is_read_to_its_end(world, monkeypatch):
    monkeypatch.setattr("data.identity.audit.AT_ONCE", 3)
    for number in range(10):
        identity.record(world.app, NOW, f"{number}", customer_id=ACME if number % 2 else BETA)
    assert actions(world) == [str(number) for number in range(10)]
    assert actions(world, limit=4) == ["6", "7", "8", "9"]


def test_a_flood_of_strangers_leaves_one_entry_a_minute(world):
    for second in range(120):
        now = NOW + timedelta(seconds=second)
        with pytest.raises(LinkRejected):
            identity.enter_by_link(world.app, "forged", now, life=LIFE)
        with pytest.raises(NotSignedIn):
            identity.authenticate(world.app, "forged", now)
        with pytest.raises(LinkRejected):
            identity.enter_by_code(world.app, "forged", now, life=LIFE)
    said = actions(world)
    for action in (Action.LINK_REJECTED, Action.KEY_REFUSED, Action.EMBED_CODE_REJECTED):
        assert said.count(action) == 2


def test_the_name_of_who_did_it_stays_as_it_was(world):
    viewing(world, ACME, "ticket 1")
    with writing(world.owner) as session:
        session.execute(update(Person).values(name="Susan"))
    assert {one.actor for one in identity.viewings(world.acme)} == {"Sue"}


@pytest.mark.parametrize("end", ["disabled", "role taken", "signed out"])
def test_the_end_of_a_view_is_noted_however_it_comes(world, end):
    membership = staff(world)
    (person,) = (one for one in identity.people(world.app) if one.name == "Sue")
    key = hashed(identity.open_session(world.app, membership, "link", NOW, life=LIFE))
    identity.start_viewing(world.app, key, ACME, "ticket 1", NOW)
    act = {
        "disabled": lambda: identity.disable_person(world.app, person.id, NOW),
        "role taken": lambda: identity.remove_membership(world.app, membership, NOW),
        "signed out": lambda: identity.revoke_person(world.app, person.id, NOW),
    }[end]
    act()
    assert [one.action for one in identity.viewings(world.acme)] == [
        *("view_as_stop", "view_as_start")
    ]
    assert identity.viewings(world.beta) == ()
