"""Requests for a change: recorded once, ended once, and never another customer's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import delete

from data import requests
from data.errors import AccessError, Conflict, InputError, NotFound, StaleVersion
from data.identity.audit import entries
from data.models import TABLES
from data.scope import Scope, writing
from tests.bills import agreed, overage
from tests.stores import ACME, BETA, customers, on_plan, version

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
PLAN = agreed(overage("small"), plan="bundle")


@pytest.fixture
def two(store):
    store.put(version(PLAN), *customers(), on_plan(ACME, PLAN))
    return store


def asked(scope, wanted="Medium", kind="tier", message="", now=NOW, **terms):
    given = {"asked_by": "Anna", "person_id": None, **terms}
    requests.ask(scope, "main", kind, wanted, message, now=now, **given)
    return next(one for one in requests.requests_of(scope) if one.wanted == wanted.strip())


def answered(store, one, words="Done.", *, granted=True, by="Billie"):
    requests.answer(store.app, one.id, granted=granted, words=words, by=by, now=NOW)


def log(store):
    return [(one.actor, one.action, one.customer, one.detail) for one in entries(store.app)]


def test_a_request_is_open_until_staff_answer_it(two):
    one = asked(two.acme, " Medium ", message=" from May ")
    assert (one.wanted, one.message, one.status, one.is_open) == (
        "Medium",
        "from May",
        "open",
        True,
    )
    answered(two, one, " From 1 May. ")
    (now,) = requests.requests_of(two.acme)
    assert (now.status, now.answer, now.answered_at) == ("granted", "From 1 May.", NOW)


def test_what_is_done_to_a_request_stands_in_the_audit_log(two):
    answered(two, asked(two.acme), granted=False)
    requests.withdraw(two.beta, asked(two.beta, "Pack 500", "pack").id, by="Bea", now=NOW)
    assert log(two) == [
        ("Bea", "change_withdrawn", "Beta", "pack: Pack 500"),
        ("Anna", "change_asked", "Beta", "pack: Pack 500"),
        ("Billie", "change_declined", "Acme", "tier: Medium"),
        ("Anna", "change_asked", "Acme", "tier: Medium"),
    ]


def test_the_same_is_not_asked_for_twice_while_it_is_open(two):
    first = asked(two.acme)
    with pytest.raises(Conflict, match="Medium is asked for already"):
        asked(two.acme)
    asked(two.acme, kind="plan")
    asked(two.beta)
    answered(two, first)
    asked(two.acme)
    assert len(requests.requests_of(two.acme)) == 3


def test_one_customer_cannot_leave_more_than_twenty_unanswered(two):
    for number in range(requests.MOST_OPEN):
        asked(two.acme, f"Pack {number}", "pack")
    with pytest.raises(Conflict, match="20 requests wait"):
        asked(two.acme, "One more", "pack")
    assert asked(two.beta, "One more", "pack").is_open


@pytest.mark.parametrize(
    ("kind", "wanted", "message"),
    [
        pytest.param("discount", "Medium", "", id="a kind that there is not"),
        pytest.param("tier", "  ", "", id="nothing"),
        pytest.param("tier", "x" * 121, "", id="a name too long"),
        pytest.param("tier", "Medium", "x" * 501, id="a message too long"),
    ],
)
def test_what_is_no_request_is_refused(two, kind, wanted, message):
    with pytest.raises(InputError):
        asked(two.acme, wanted, kind, message)
    assert requests.requests_of(two.acme) == ()
    assert log(two) == []


def test_whoever_only_looks_on_asks_and_withdraws_nothing(two):
    one = asked(two.acme)
    guest = Scope(ACME, two.settings.database_url, read_only=True)
    with pytest.raises(AccessError):
        asked(guest, "Large")
    with pytest.raises(AccessError):
        requests.withdraw(guest, one.id, by="Sam", now=NOW)
    assert requests.requests_of(guest) == (one,)


def test_anothers_request_is_not_found_like_one_that_does_not_exist(two):
    one = asked(two.beta)
    refusals = []
    for id in (one.id, 999_999):
        with pytest.raises(NotFound) as refusal:
            requests.withdraw(two.acme, id, by="Anna", now=NOW)
        refusals.append(str(refusal.value))
    assert refusals[0] == refusals[1]
    assert requests.requests_of(two.beta) == (one,)
    assert requests.requests_of(two.acme) == ()


def test_an_answer_without_words_is_no_answer(two):
    one = asked(two.acme)
    for words in ("  ", "x" * 1001):
        with pytest.raises(InputError):
            answered(two, one, words)
    assert requests.requests_of(two.acme) == (one,)


def test_the_second_of_two_answers_is_told_so_and_the_first_stays(two):
    one = asked(two.acme)
    answered(two, one, "Yes.")
    with pytest.raises(StaleVersion):
        answered(two, one, "No.", granted=False, by="Alex")
    with pytest.raises(StaleVersion):
        requests.withdraw(two.acme, one.id, by="Anna", now=NOW)
    (now,) = requests.requests_of(two.acme)
    assert (now.status, now.answer) == ("granted", "Yes.")
    assert [action for _, action, _, _ in log(two)] == ["change_granted", "change_asked"]


def test_of_many_who_end_a_request_at_once_one_does(two):
    one = asked(two.acme)

    def end(number):
        try:
            if number % 3:
                answered(two, one, f"Answer {number}", granted=bool(number % 2), by=f"{number}")
            else:
                requests.withdraw(two.acme, one.id, by=f"{number}", now=NOW)
        except StaleVersion:
            return None
        return number

    with ThreadPoolExecutor(6) as pool:
        won = [number for number in pool.map(end, range(6)) if number is not None]
    assert len(won) == 1
    assert [actor for actor, *_ in log(two)] == [f"{won[0]}", "Anna"]


def test_of_two_tabs_that_ask_the_same_at_once_one_does(two):
    def press(_):
        try:
            return asked(two.acme) is not None
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]
    assert len(requests.requests_of(two.acme)) == 1


def test_staff_see_the_longest_waiting_first_with_what_the_customer_has(two):
    asked(two.beta, "Pack 500", "pack", now=NOW)
    asked(two.acme, now=NOW - timedelta(days=3))
    found = requests.open_requests(two.app, TODAY)
    shown = [(one.customer, one.request.wanted, one.plan, one.slug) for one in found]
    assert shown == [
        ("Acme", "Medium", PLAN.name, "acme"),
        ("Beta", "Pack 500", None, "beta"),
    ]


def test_staff_see_what_was_ended_last_first_and_by_whom(two):
    for wanted in ("Medium", "Large"):
        answered(two, asked(two.acme, wanted), by="Billie")
    withdrawn = asked(two.beta)
    requests.withdraw(two.beta, withdrawn.id, by="Bea", now=NOW + timedelta(hours=1))
    found = requests.ended_requests(two.app, TODAY, limit=2)
    assert [(o.customer, o.request.status, o.answered_by) for o in found] == [
        ("Beta", "withdrawn", ""),
        ("Acme", "granted", "Billie"),
    ]
    assert requests.open_requests(two.app, TODAY) == ()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "withdraw", "grant", "decline"]),
        st.sampled_from([ACME, BETA]),
        st.sampled_from(["Medium", "Large"]),
    ),
    max_size=12,
)


@settings(max_examples=12)
@given(acts=ACTS)
def test_whatever_is_done_at_most_one_of_a_kind_is_open_and_nothing_is_lost(store, acts):
    with writing(store.owner) as session:
        for table in reversed(TABLES):
            session.execute(delete(table))
    store.put(*customers())
    scopes = {ACME: store.acme, BETA: store.beta}
    number = {ACME: 0, BETA: 0}
    for act, owner, wanted in acts:
        mine = requests.requests_of(scopes[owner])
        waiting = next((one for one in mine if one.wanted == wanted and one.is_open), None)
        if act == "ask" and waiting is None:
            asked(scopes[owner], wanted)
            number[owner] += 1
        elif act == "ask":
            with pytest.raises(Conflict):
                asked(scopes[owner], wanted)
        elif waiting is not None and act == "withdraw":
            requests.withdraw(scopes[owner], waiting.id, by="Anna", now=NOW)
        elif waiting is not None:
            answered(store, waiting, granted=act == "grant")
        for owner, scope in scopes.items():
            assert len(requests.requests_of(scope)) == number[owner]
            waiting_for = [one.wanted for one in requests.requests_of(scope) if one.is_open]
            assert len(waiting_for) == len(set(waiting_for))
