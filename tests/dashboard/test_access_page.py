"""The customer's page Access: who sees whom, and who of the staff looked, put together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.access import Role, administration, viewer_of
from dashboard.views.sign_ins import looks
from data import identity
from data.errors import AccessError
from data.identity import VIEWING_LIFE, Asked, Entry
from tests.staffed import (
    ADMIN,
    ANNA,
    ARON,
    BEA,
    BOTH,
    BOTH_AT_BETA,
    NOW,
    SUPPORT,
    app_on,
    looking_on,
    opened,
    opened_as,
    put_people,
    text_of,
    viewer,
)
from tests.stores import ACME, BETA

PORTAL = "https://portal.isv.test"
STARTED = "until 12:30 UTC unless stopped: "
HALF = timedelta(minutes=15)


@pytest.fixture
def filled(store):
    put_people(store)
    return store


@pytest.fixture
def app(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch, SHOW_VIEWINGS="1") as ready:
        yield ready


def framed(store, role, now):
    """The session of a frame of Acme's."""
    secret = identity.create_key(store.app, f"portal-{role}", None, now)
    key = identity.authenticate(store.app, secret, now)
    wanted = Asked("acme", role, None, PORTAL, "u-1")
    code = identity.issue_code(store.app, key, wanted, now, origins=[PORTAL])
    entered = identity.enter_by_code(store.app, code, now, life=timedelta(hours=1))
    return identity.hashed(entered.secret)


@pytest.mark.parametrize(
    ("member", "names"),
    [
        pytest.param(ANNA, {"Anna", "Aron", "Both <b>"}, id="manager"),
        pytest.param(ARON, set(), id="viewer"),
        pytest.param(BOTH, set(), id="viewer here, manager elsewhere"),
        pytest.param(BEA, {"Bea", "Both <b>"}, id="the other customer's manager"),
        pytest.param(BOTH_AT_BETA, {"Bea", "Both <b>"}, id="manager here, viewer elsewhere"),
    ],
)
def test_managers_see_the_people_of_their_customer_and_viewers_nobody(filled, member, names):
    assert {one.name for one in administration.own_people(viewer(filled, member))} == names


def test_staff_who_look_on_see_what_managers_see(filled):
    found = administration.own_people(looking_on(filled, SUPPORT, BETA))
    assert {one.name for one in found} == {"Bea", "Both <b>"}


@pytest.mark.parametrize("read", [administration.own_people, administration.own_viewings])
def test_staff_who_look_at_nobody_get_nothing(filled, read):
    with pytest.raises(AccessError):
        read(viewer(filled, ADMIN))


def test_who_looked_is_told_to_the_customer_looked_at(filled):
    looking_on(filled, SUPPORT, ACME)
    assert [one.actor for one in administration.own_viewings(viewer(filled, ARON))] == ["Support"]
    assert administration.own_viewings(viewer(filled, BEA)) == ()


def test_a_manager_gets_the_page_with_its_own_people_alone(app):
    text = text_of(opened(app, ANNA, "access"))
    assert "aron@people.test" in text
    assert "Both &lt;b&gt;" in text
    assert "bea@people.test" not in text
    assert "Beta" not in text
    assert "No sign-in recorded" in text


def test_a_viewer_gets_the_page_with_oneself_alone(app):
    text = text_of(opened(app, ARON, "access"))
    assert "aron@people.test" in text
    assert "anna@people.test" not in text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MANAGER], ids=str)
def test_a_frame_lists_nobody(app, role):
    now = datetime.now(UTC)
    key = framed(app, role, now)
    assert administration.own_people(viewer_of(key, app.app.url, now)) == ()
    text = text_of(opened_as(key, "access"))
    assert "Nobody signs in here" in text
    assert "@people.test" not in text


def test_nobody_having_looked_is_a_sentence(app):
    assert "has looked at your pages." in text_of(opened(app, ARON, "access"))


def test_who_looked_is_shown_with_the_reason_and_no_address(app):
    looking_on(app, SUPPORT, ACME, datetime.now(UTC))
    text = text_of(opened(app, ARON, "access"))
    assert "ticket 7" in text
    assert "still looking" in text
    assert "ticket 7" not in text_of(opened(app, BEA, "access"))


def test_who_looked_is_not_shown_unless_the_isv_wants_it(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch) as app:
        looking_on(app, SUPPORT, ACME, datetime.now(UTC))
        text = text_of(opened(app, ANNA, "access"))
    assert "Who may sign in" in text
    assert "looked at your pages" not in text
    assert "ticket 7" not in text


# Entries put together


def entry(actor, action, minutes, detail=""):
    return Entry(NOW + timedelta(minutes=minutes), actor, f"view_as_{action}", "", detail, "")


def test_pages_of_two_who_look_at_once_are_kept_apart():
    found = looks(
        [
            entry("Sue", "start", 0, STARTED + "high bill: why?"),
            entry("Dev", "start", 1, STARTED + "ticket 8"),
            entry("Sue", "page", 2, "usage"),
            entry("Dev", "page", 2, "spend"),
            entry("Sue", "page", 3, "usage"),
            entry("Sue", "stop", 5),
        ][::-1],
        NOW + HALF,
    )
    assert [(one.who, one.reason, one.pages) for one in found] == [
        ("Dev", "ticket 8", ("spend",)),
        ("Sue", "high bill: why?", ("usage",)),
    ]
    assert [one.ended_at for one in found] == [None, NOW + timedelta(minutes=5)]


def test_looking_ends_after_half_an_hour_though_nothing_was_noted():
    (one,) = looks([entry("Sue", "start", 0, STARTED + "x")], NOW + timedelta(hours=5))
    assert one.ended_at == NOW + VIEWING_LIFE


def test_what_began_before_the_oldest_entry_is_left_out():
    assert looks([entry("Sue", "stop", 1), entry("Sue", "page", 0, "usage")], NOW) == ()


LOGS = st.lists(
    st.tuples(
        st.sampled_from(["Sue", "Dev"]),
        st.sampled_from(["start", "page", "stop"]),
        st.integers(0, 40),
        st.sampled_from(["usage", "spend"]),
    ),
    max_size=30,
)


@given(LOGS, st.integers(0, 60))
def test_every_start_is_one_look_of_at_most_half_an_hour(steps, wait):
    minutes, log = 0, []
    for actor, action, pause, page in steps:
        minutes += pause
        detail = {"start": STARTED + "why", "page": page}.get(action, "")
        log.append(entry(actor, action, minutes, detail))
    now = NOW + timedelta(minutes=minutes + wait)
    found = looks(log[::-1], now)
    starts = [(one.at, one.actor) for one in log if one.action == "view_as_start"]
    assert sorted((one.began_at, one.who) for one in found) == sorted(starts)
    for one in found:
        assert one.ended_at is not None or now < one.began_at + VIEWING_LIFE
        assert one.ended_at is None or one.began_at <= one.ended_at <= one.began_at + VIEWING_LIFE
