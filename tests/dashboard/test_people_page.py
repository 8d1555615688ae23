"""The page People and what it does: who may, what is refused, what the log says of it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dashboard.access import Role, administration
from dashboard.views import people as page
from data import identity
from data.errors import AccessError, Conflict, InputError, LinkRejected, NotFound
from data.identity.people import members_at
from data.models import Membership, Person
from tests.staffed import (
    ADMIN,
    ANNA,
    ARON,
    BEA,
    BOTH,
    BOTH_AT_BETA,
    DEVELOPER,
    LIFE,
    NOW,
    STAFF,
    SUPPORT,
    app_on,
    asked,
    key_of,
    looking_on,
    opened,
    put_people,
    text_of,
    viewer,
)
from tests.stores import ACME, BETA

LATER = NOW + timedelta(minutes=5)
OWN_EMAIL = "administrator@isv.test"
ACTS = {
    "list people": administration.everybody,
    "list sessions": lambda who: administration.live_sessions(who, NOW),
    "invite": lambda who: administration.invite(who, "x@y.test", "X", Role.VIEWER, ACME, NOW),
    "give a role": lambda who: administration.give_role(who, ARON, Role.MANAGER, BETA, NOW),
    "take a role": lambda who: administration.take_role(who, BEA, NOW),
    "make a link": lambda who: administration.new_link(who, BEA, NOW),
    "disable": lambda who: administration.disable_person(who, BEA, NOW),
    "enable": lambda who: administration.enable_person(who, BEA, NOW),
    "end a session": lambda who: administration.end_session(who, who.key, NOW),
    "end all": lambda who: administration.end_sessions_of(who, who.person_id, NOW),
    "read the log": lambda who: list(administration.audit_entries(who)),
}


@pytest.fixture
def filled(store):
    put_people(store)
    return store


@pytest.fixture
def app(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch) as ready:
        yield ready


def state_of(store):
    return (
        identity.people(store.app),
        identity.sessions(store.app, NOW),
        [*identity.entries(store.app)],
    )


def others(store):
    """Everybody who administers nothing, and the administrator while viewing a customer."""
    members = (*(one for one in STAFF if one != ADMIN), ANNA, ARON, BEA)
    return [*(viewer(store, one) for one in members), looking_on(store, ADMIN)]


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nobody_but_an_administrator_may(filled, act):
    refused = others(filled)
    before = state_of(filled)
    for who in refused:
        with pytest.raises(AccessError):
            act(who)
    assert state_of(filled) == before


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_administrator_may(filled, act):
    act(viewer(filled, ADMIN))


OWN = {
    "disable oneself": lambda me: administration.disable_person(me, ADMIN, NOW),
    "take it away": lambda me: administration.take_role(me, ADMIN, NOW),
    "give another in its place": lambda me: administration.give_role(
        me, ADMIN, Role.SUPPORT, None, NOW
    ),
    "invite oneself as another": lambda me: administration.invite(
        me, f" {OWN_EMAIL.upper()} ", "", Role.SUPPORT, None, NOW
    ),
}


@pytest.mark.parametrize("act", OWN.values(), ids=OWN)
def test_nobody_ends_their_own_administration(filled, act):
    me = viewer(filled, ADMIN)
    before = state_of(filled)
    with pytest.raises(Conflict, match="your"):
        act(me)
    assert state_of(filled) == before


def test_an_administrator_may_have_roles_at_customers_beside_it(filled):
    me = viewer(filled, ADMIN)
    administration.give_role(me, ADMIN, Role.VIEWER, ACME, NOW)
    roles = {one.role for one in identity.memberships_of(filled.app, ADMIN)}
    assert roles == {Role.ADMINISTRATOR, Role.VIEWER}


def test_an_invitation_is_a_link_that_signs_in_once(filled):
    me = viewer(filled, ADMIN)
    link = administration.invite(me, "New@Beta.test", "  New   Person ", Role.VIEWER, BETA, NOW)
    session = identity.resolve(
        filled.app,
        identity.hashed(identity.enter_by_link(filled.app, link, LATER, life=LIFE)),
        LATER,
    )
    assert (session.member.name, session.member.customer.id) == ("New Person", BETA)
    with pytest.raises(LinkRejected):
        identity.enter_by_link(filled.app, link, LATER, life=LIFE)


WRONG = {
    "no e-mail": ("nonsense", Role.SUPPORT, None, InputError, "email"),
    "no customer": ("a@b.test", Role.VIEWER, None, InputError, "customer"),
    "a customer that is not there": ("a@b.test", Role.VIEWER, 4711, NotFound, None),
}


@pytest.mark.parametrize(("email", "role", "at", "kind", "field"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_an_invitation_names_its_field(filled, email, role, at, kind, field):
    me = viewer(filled, ADMIN)
    before = state_of(filled)
    with pytest.raises(kind) as caught:
        administration.invite(me, email, "", role, at, NOW)
    assert caught.value.params.get("field") == field
    assert state_of(filled) == before


def test_who_is_disabled_gets_no_link_by_any_way(filled):
    me = viewer(filled, ADMIN)
    administration.disable_person(me, BEA, NOW)
    with pytest.raises(Conflict, match="enable"):
        administration.new_link(me, BEA, NOW)
    with pytest.raises(Conflict, match="enable"):
        administration.invite(me, "bea@people.test", "", Role.MANAGER, BETA, NOW)


def test_disabling_ends_every_session_and_link_at_once(filled):
    me, key = viewer(filled, ADMIN), key_of(filled, BEA, NOW)
    link = administration.new_link(me, BEA, NOW)
    administration.disable_person(me, BEA, NOW)
    assert identity.resolve(filled.app, key, NOW) is None
    administration.enable_person(me, BEA, NOW)
    assert identity.resolve(filled.app, key, NOW) is None
    with pytest.raises(LinkRejected):
        identity.enter_by_link(filled.app, link, NOW, life=LIFE)


def test_every_act_stands_in_the_log_under_the_name_of_who_did_it(filled):
    me, key = viewer(filled, ADMIN), key_of(filled, ARON, NOW)
    administration.invite(me, "x@y.test", "X", Role.VIEWER, ACME, LATER)
    administration.give_role(me, ARON, Role.MANAGER, BETA, LATER)
    administration.end_session(me, key, LATER)
    administration.disable_person(me, BEA, LATER)
    administration.enable_person(me, BEA, LATER)
    administration.take_role(me, BEA, LATER)
    found = [*identity.entries(filled.app, since=LATER)]
    assert {one.actor for one in found} == {"Administrator"}
    assert [one.action for one in reversed(found)] == [
        *("role_given", "link_created", "role_given", "sessions_ended"),
        *("person_disabled", "person_enabled", "role_taken"),
    ]


def test_who_may_sign_in_at_a_customer_are_its_own_people_in_their_role_there(filled):
    at_acme = {one.name: [m.role for m in one.members] for one in members_at(filled.app, ACME)}
    assert at_acme == {"Anna": [Role.MANAGER], "Aron": [Role.VIEWER], "Both <b>": [Role.VIEWER]}
    assert {one.name for one in members_at(filled.app, BETA)} == {"Bea", "Both <b>"}


def test_a_sign_in_at_one_customer_is_unknown_at_the_other(filled):
    key_of(filled, BOTH_AT_BETA, NOW)
    last = {one.name: one.last_sign_in_at for one in members_at(filled.app, BETA)}
    assert last == {"Bea": None, "Both <b>": NOW}
    assert {one.last_sign_in_at for one in members_at(filled.app, ACME)} == {None}


def test_who_is_disabled_may_not_sign_in_anywhere(filled):
    administration.disable_person(viewer(filled, ADMIN), BOTH, NOW)
    assert {one.name for one in members_at(filled.app, ACME)} == {"Anna", "Aron"}


# The page


@pytest.mark.parametrize("member", [*STAFF, ANNA, ARON])
def test_only_administrators_get_the_page(app, member):
    assert ("bea@people.test" in text_of(opened(app, member, "people"))) == (member == ADMIN)


def test_people_are_shown_with_their_roles_and_escaped(app):
    text = text_of(opened(app, ADMIN, "people"))
    assert "Viewer at Acme, Manager at Beta" in text
    assert "Both &lt;b&gt;" in text
    assert "Never signed in" in text


def test_a_search_finds_by_customer_and_says_when_nobody_matches(app):
    test = opened(app, ADMIN, "people")
    test.text_input(key="people_search").set_value("manager beta")
    text = text_of(test.run())
    assert "bea@people.test" in text
    assert "anna@people.test" not in text
    test.text_input(key="people_search").set_value("<i>zed")
    assert "Nobody was found for “&lt;i&gt;zed”." in text_of(test.run())


def test_of_five_hundred_people_some_are_shown_and_all_are_counted(app):
    app.put(*(Person(id=n, email=f"p{n}@many.test", name=f"P{n}") for n in range(100, 600)))
    app.put(*(Membership(person_id=n, role="viewer", customer_id=BETA) for n in range(100, 600)))
    test = opened(app, ADMIN, "people")
    assert "25 of 508 are shown" in text_of(test)
    assert len([one for one in test.button if one.label.startswith("Manage ")]) == 25
    test.text_input(key="people_search").set_value("p599@")
    assert "p599@many.test" in text_of(test.run())


def test_a_wrong_invitation_is_answered_where_it_was_typed(app):
    test = opened(app, ADMIN, "people")
    text = text_of(asked(test, partial(page._do_invite, "nonsense", "", Role.SUPPORT, None)))
    assert "E-mail: " in text
    assert "is not an e-mail address" in text
    assert "Make the invitation" in text


def test_a_link_is_shown_once(app):
    test = opened(app, ADMIN, "people")
    asked(test, partial(page._do_invite, "a@b.test", "Ada", Role.SUPPORT, None))
    assert "/auth/link?token=" in text_of(test)
    assert "signs in once, until" in text_of(test)
    assert "/auth/link?token=" not in text_of(test.run())


def test_disabling_oneself_is_answered_with_the_reason(app):
    test = opened(app, ADMIN, "people")
    me = next(one for one in identity.people(app.app) if one.id == ADMIN)
    for act in (page._confirm_disable, page._disable):
        assert "You cannot disable yourself" in text_of(asked(test, partial(act, me)))
    assert "Signed in now" in text_of(test.run())


@pytest.mark.parametrize("member", [SUPPORT, DEVELOPER, ANNA])
def test_an_act_that_was_asked_for_is_not_done_for_whoever_may_not(app, member):
    test = opened(app, member, "people")
    bea = next(one for one in identity.people(app.app) if one.id == BEA)
    asked(test, partial(page._disable, bea))
    assert not next(one for one in identity.people(app.app) if one.id == BEA).disabled


def test_a_session_is_ended_from_the_list(app):
    key = key_of(app, BEA, datetime.now(UTC))
    test = opened(app, ADMIN, "people")
    test.segmented_control(key="people_which").set_value(page.SIGNED_IN)
    test.run()
    assert "By a personal link" in text_of(test)
    test.button(key=f"end_{key[:16]}").click()
    assert "has ended" in text_of(test.run())
    assert identity.resolve(app.app, key, datetime.now(UTC)) is None
