"""The page Keys and what it does: who may, what is shown once, which frames are open."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dashboard.access import Role, administration
from dashboard.views import keys as page
from data import identity
from data.errors import AccessError, Conflict, InputError, NotFound, NotSignedIn
from data.identity import Asked
from tests.staffed import (
    ADMIN,
    ANNA,
    ARON,
    BILLING,
    DEVELOPER,
    NOW,
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

PORTAL = "https://portal.isv.test"
HOUR = timedelta(hours=1)
ACTS = {
    "list keys": administration.keys,
    "list frames": lambda who: administration.frames(who, NOW),
    "make": lambda who: administration.create_key(who, "new", None, NOW),
    "rotate": lambda who: administration.rotate_key(who, "portal", HOUR, NOW),
    "revoke": lambda who: administration.revoke_key(who, "portal", NOW),
    "end a frame": lambda who: administration.end_frame(who, "0" * 64, NOW),
}


def frame_of(store, secret, customer="acme", *, now=NOW, visitor="u-1"):
    """The key of the session of a frame."""
    key = identity.authenticate(store.app, secret, now)
    wanted = Asked(customer, Role.VIEWER, None, PORTAL, visitor)
    code = identity.issue_code(store.app, key, wanted, now, origins=[PORTAL])
    return identity.hashed(identity.enter_by_code(store.app, code, now, life=HOUR).secret)


@pytest.fixture
def filled(store):
    put_people(store)
    return store


@pytest.fixture
def app(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    with app_on(sqlite_store, monkeypatch) as ready:
        yield ready


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nobody_but_who_manages_keys_may(filled, act):
    identity.create_key(filled.app, "portal", None, NOW)
    members = (BILLING, SUPPORT, ANNA, ARON)
    refused = [*(viewer(filled, one) for one in members), looking_on(filled, DEVELOPER)]
    before = identity.api_keys(filled.app), [*identity.entries(filled.app)]
    for who in refused:
        with pytest.raises(AccessError):
            act(who)
    assert (identity.api_keys(filled.app), [*identity.entries(filled.app)]) == before


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("member", [ADMIN, DEVELOPER], ids=["administrator", "developer"])
def test_administrators_and_developers_may(filled, act, member):
    identity.create_key(filled.app, "portal", None, NOW)
    act(viewer(filled, member))


def test_a_key_acts_for_the_customers_chosen_and_no_other(filled):
    secret = administration.create_key(viewer(filled, DEVELOPER), "crm", [BETA], NOW)
    assert frame_of(filled, secret, "beta")
    with pytest.raises(NotFound):
        frame_of(filled, secret, "acme")


@pytest.mark.parametrize(
    ("name", "customers", "kind"),
    [("No Name!", None, InputError), ("new", [], InputError), ("taken", None, Conflict)],
    ids=["a name with a blank", "for nobody", "a name in use"],
)
def test_a_wrong_key_is_not_made(filled, name, customers, kind):
    me = viewer(filled, DEVELOPER)
    administration.create_key(me, "taken", None, NOW)
    with pytest.raises(kind):
        administration.create_key(me, name, customers, NOW)
    assert [one.name for one in identity.api_keys(filled.app)] == ["taken"]


def test_after_a_rotation_both_work_until_the_overlap_ends(filled):
    me = viewer(filled, DEVELOPER)
    first = administration.create_key(me, "portal", None, NOW)
    second = administration.rotate_key(me, "portal", HOUR, NOW)
    assert frame_of(filled, first)
    assert frame_of(filled, second, now=NOW + HOUR)
    with pytest.raises(NotSignedIn):
        frame_of(filled, first, now=NOW + HOUR)


def test_revoking_a_key_ends_the_frames_that_it_opened(filled):
    me = viewer(filled, DEVELOPER)
    frame = frame_of(filled, administration.create_key(me, "portal", None, NOW))
    other = frame_of(filled, administration.create_key(me, "crm", None, NOW), "beta")
    administration.revoke_key(me, "portal", NOW)
    assert [one.key for one in administration.frames(me, NOW)] == [other]
    assert identity.resolve(filled.app, frame, NOW) is None


def test_a_developer_ends_a_frame_and_no_session_of_a_person(filled):
    me, anna = viewer(filled, DEVELOPER), key_of(filled, ANNA, NOW)
    frame = frame_of(filled, administration.create_key(me, "portal", None, NOW))
    administration.end_frame(me, frame, NOW)
    assert administration.frames(me, NOW) == ()
    with pytest.raises(AccessError):
        administration.end_frame(me, anna, NOW)
    assert identity.resolve(filled.app, anna, NOW)


# The page


@pytest.mark.parametrize("member", [ADMIN, BILLING, DEVELOPER, SUPPORT, ANNA, ARON])
def test_only_who_manages_keys_gets_the_page(app, member):
    identity.create_key(app.app, "portal-backend", None, datetime.now(UTC))
    shown = "portal-backend" in text_of(opened(app, member, "keys"))
    assert shown == (member in (ADMIN, DEVELOPER))


def test_before_the_first_key_it_says_what_one_is_for(app):
    text = text_of(opened(app, DEVELOPER, "keys"))
    assert "No key is in use" in text
    assert "No frame of your own product is open." in text


def test_a_key_is_shown_once_and_its_state_ever_after(app):
    test = opened(app, DEVELOPER, "keys")
    asked(test, partial(page._do_make, "portal", [ACME]))
    assert "dash_1_" in text_of(test)
    text = text_of(test.run())
    assert "dash_1_" not in text
    assert "For Acme" in text
    assert "Never used" in text


def test_a_wrong_name_is_answered_where_it_was_typed(app):
    test = opened(app, DEVELOPER, "keys")
    text = text_of(asked(test, partial(page._do_make, "No Name!", None)))
    assert "Name: " in text
    assert "Make it" in text


def test_a_rotated_key_says_until_when_and_only_the_newest_has_buttons(app):
    identity.create_key(app.app, "portal", None, datetime.now(UTC))
    test = opened(app, DEVELOPER, "keys")
    asked(test, partial(page._do_rotate, "portal", HOUR))
    text = text_of(test.run())
    assert "Replaced, works until" in text
    assert sum(one.label.startswith("Rotate ") for one in test.button) == 1


def test_revoking_says_so_and_puts_the_key_away(app):
    identity.create_key(app.app, "portal", None, datetime.now(UTC))
    test = opened(app, DEVELOPER, "keys")
    asked(test, partial(page._do_revoke, "portal"))
    text = text_of(test)
    assert " is revoked." in text
    assert "1 that no longer work" in text
    assert "portal" in text_of(test.run())


def test_frames_are_listed_with_who_looks_where(app):
    now = datetime.now(UTC)
    secret = identity.create_key(app.app, "portal", None, now)
    frame_of(app, secret, "acme", now=now, visitor="<b>u-1")
    frame_of(app, secret, "beta", now=now, visitor="u-2")
    text = text_of(opened(app, DEVELOPER, "keys"))
    assert "2 open: " in text
    assert "&lt;b&gt;u-1" in text
    assert f"In a frame at {PORTAL}" in text
