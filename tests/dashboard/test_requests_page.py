"""Requests: asked by managers, answered by who may change plans, seen by nobody else's customer."""

from datetime import UTC, datetime

import pytest

from data import requests
from tests.bills import agreed, overage
from tests.staffed import (
    ADMIN,
    ANNA,
    ARON,
    BEA,
    BILLING,
    DEVELOPER,
    SUPPORT,
    app_on,
    opened,
    put_people,
    text_of,
)
from tests.stores import ACME, BETA, on_plan, version

PLAN = agreed(overage("small"), plan="bundle")


@pytest.fixture
def app(store, monkeypatch):
    put_people(store)
    store.put(version(PLAN), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    with app_on(store, monkeypatch) as opened_store:
        yield opened_store


def asked(scope, wanted="medium", message="From May <b>please</b>"):
    now = datetime.now(UTC)
    by = {"asked_by": "Anna", "person_id": None}
    requests.ask(scope, "main", "tier", wanted, message, now=now, **by)
    return requests.requests_of(scope)[0]


def keys(test):
    return {one.key for one in test.button}


@pytest.mark.parametrize(
    ("member", "answers"), [(SUPPORT, False), (DEVELOPER, False), (BILLING, True), (ADMIN, True)]
)
def test_staff_see_what_is_asked_and_who_may_change_plans_answers(app, member, answers):
    one = asked(app.acme)
    test = opened(app, member, "requests")
    shown = text_of(test)
    for part in ("Acme", "Medium", PLAN.name, "From May &lt;b&gt;please&lt;/b&gt;"):
        assert part in shown
    assert (f"answer_{one.id}" in keys(test)) is answers


@pytest.mark.parametrize("member", [ANNA, ARON])
def test_a_customer_has_no_page_of_requests(app, member):
    asked(app.beta, message="Beta only")
    assert "Beta only" not in text_of(opened(app, member, "requests"))


def test_without_requests_the_page_says_where_they_come_from(app):
    assert "Nobody has asked for anything yet" in text_of(opened(app, BILLING, "requests"))


# The button on the customer's pages


def test_anothers_request_is_not_seen(app):
    asked(app.acme, "large")
    assert "not answered yet" not in text_of(opened(app, BEA, "plan"))
