"""Acme and Beta with people of their own, a member of the staff in each role, and the app."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.access import Viewer, start_viewing, viewer_of
from dashboard.views.acts import ASKED
from dashboard.views.customers import GOING_TO
from dashboard.views.page import configuration
from data.identity import hashed, open_session
from data.models import Membership, Person
from data.settings import ROOT
from tests.stores import ACME, BETA, Store, customers

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIFE = timedelta(hours=12)
# Ids of memberships, and of the people in them.
ADMIN, BILLING, DEVELOPER, SUPPORT, ANNA, ARON, BEA, BOTH = range(1, 9)
BOTH_AT_BETA = 9
STAFF = {
    ADMIN: "administrator",
    BILLING: "billing_manager",
    DEVELOPER: "developer",
    SUPPORT: "support",
}
PEOPLE = {ANNA: ("Anna", "manager", ACME), ARON: ("Aron", "viewer", ACME)}
PEOPLE |= {BEA: ("Bea", "manager", BETA), BOTH: ("Both <b>", "viewer", ACME)}


def put_people(store: Store) -> None:
    """In the order of their numbers, which the database gives."""
    store.put(*customers())
    for id, role in STAFF.items():
        store.put(Person(email=f"{role}@isv.test", name=role.capitalize()))
        store.put(Membership(person_id=id, role=role))
    for id, (name, role, owner) in PEOPLE.items():
        store.put(Person(email=f"{name[:4].lower()}@people.test", name=name))
        store.put(Membership(person_id=id, role=role, customer_id=owner))
    store.put(Membership(person_id=BOTH, role="manager", customer_id=BETA))


def key_of(store: Store, member: int, now: datetime) -> str:
    return hashed(open_session(store.app, member, "link", now, life=LIFE))


def viewer(store: Store, member: int, now: datetime = NOW) -> Viewer:
    found = viewer_of(key_of(store, member, now), store.app.url, now)
    assert found is not None
    return found


def looking_on(store: Store, member: int, customer: int = ACME, now: datetime = NOW) -> Viewer:
    """Staff who view a customer's pages."""
    staff = viewer(store, member, now)
    start_viewing(staff, customer, "ticket 7", now)
    found = viewer_of(staff.key, staff.url, now)
    assert found is not None
    return found


@contextmanager
def app_on(store: Store, monkeypatch: pytest.MonkeyPatch, **more: str) -> Iterator[Store]:
    given = {"DEMO": "1", "DATABASE_URL": store.settings.database_url, **more}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    configuration.cache_clear()
    st.cache_data.clear()  # databases follow each other under one name
    st.cache_resource.clear()
    yield store
    configuration.cache_clear()


def opened(store: Store, member: int, page: str) -> AppTest:
    return opened_as(key_of(store, member, datetime.now(UTC)), page)


def opened_as(key: str, page: str) -> AppTest:
    test = AppTest.from_file(ROOT / "dashboard" / "main.py", default_timeout=30)
    test.user = {"session": key}
    test.run()
    test.session_state[GOING_TO] = page
    return test.run()


def asked(test: AppTest, act: object) -> AppTest:
    """As after a dialog, which leaves what it was asked for to the next run."""
    test.session_state[ASKED] = act
    return test.run()


def text_of(test: AppTest) -> str:
    """All that was sent to the browser."""
    assert not test.exception
    return "\n".join(str(getattr(one, "proto", "")) for one in _nodes(test._tree))


def _nodes(node):
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)
