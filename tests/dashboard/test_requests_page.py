"""Requests: asked by managers, answered by who may change plans, seen by nobody else's customer."""

from datetime import UTC, datetime

import pytest

from data import requests
from data.identity.audit import entries
from data.models import Membership
from data.scope import writing
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


def test_an_answer_is_stored_with_its_words_and_logged(app):
    one = asked(app.acme)
    test = opened(app, BILLING, "requests")
    test.button(key=f"answer_{one.id}").click().run()
    test.button(key="answer_grant").click().run()
    assert "Write what the customer should know." in text_of(test)
    test.text_area(key=f"answer_words_{one.id}").set_value("From 1 May.").run()
    test.button(key="answer_grant").click().run()
    (now,) = requests.requests_of(app.acme)
    assert (now.status, now.answer) == ("granted", "From 1 May.")
    newest = next(entries(app.app))
    assert (newest.actor, newest.action, newest.customer) == (
        *("Billing_manager", "change_granted"),
        "Acme",
    )


def test_an_answer_that_comes_second_changes_nothing_and_keeps_its_words(app):
    one = asked(app.acme)
    test = opened(app, BILLING, "requests")
    test.button(key=f"answer_{one.id}").click().run()
    requests.withdraw(app.acme, one.id, by="Anna", now=datetime.now(UTC))
    test.text_area(key=f"answer_words_{one.id}").set_value("Too late").run()
    test.button(key="answer_decline").click().run()
    assert "It was answered or withdrawn a moment ago." in text_of(test)
    assert test.text_area(key=f"answer_words_{one.id}").value == "Too late"
    assert requests.requests_of(app.acme)[0].status == "withdrawn"


def test_who_may_no_longer_change_plans_answers_nothing(app):
    one = asked(app.acme)
    test = opened(app, BILLING, "requests")
    test.button(key=f"answer_{one.id}").click().run()
    test.text_area(key=f"answer_words_{one.id}").set_value("Yes").run()
    with writing(app.owner) as session:
        session.get(Membership, BILLING).role = "support"
    test.button(key="answer_grant").click().run()
    assert requests.requests_of(app.acme)[0].is_open


# The button on the customer's pages


def ask_key(test):
    return next(key for key in sorted(filter(None, keys(test))) if key.startswith("ask_"))


def test_a_manager_asks_once_and_then_sees_its_state(app):
    asked(app.beta, "large")
    test = opened(app, ANNA, "plan")
    if not any(key and key.startswith("ask_") for key in keys(test)):
        pytest.skip("this plan's page has nothing to ask for")
    test.button(key=ask_key(test)).click().run()
    test.button(key="ask_send").click().run()
    (own,) = requests.requests_of(app.acme)
    assert (own.asked_by, own.is_open) == ("Anna", True)
    assert "not answered yet" in text_of(test)


def test_a_viewer_and_anothers_manager_see_no_button_for_it(app):
    own = asked(app.acme)
    for member in (ARON, BEA):
        shown = text_of(opened(app, member, "plan"))
        assert "ask_send" not in shown
        assert own.message not in shown
