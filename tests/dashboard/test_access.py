"""Viewer, roles and permissions: who sees whose pages, and what staff may do there."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access import MAY, Permission, Role, start_viewing, stop_viewing, viewer_of
from data import identity
from data.errors import AccessError
from data.identity import hashed
from tests.doors import ACME, BETA, make_world

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAFF = {role for role in Role if role.is_staff}


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def viewer(world):
    def of(membership_id, now=NOW):
        return viewer_of(hashed(world.sign_in(membership_id, now)), world.scope.url, now)

    return of


def again(viewer, now=NOW):
    return viewer_of(viewer.key, viewer.url, now)


def test_every_role_stands_in_the_table():
    assert set(MAY) == set(Role)


def test_cost_is_for_two_roles_only():
    may_see = {role for role in Role if Permission.VIEW_COST in MAY[role]}
    assert may_see == {Role.ADMINISTRATOR, Role.BILLING_MANAGER}


@pytest.mark.parametrize("permission", [Permission.LOOKUP, Permission.VIEW_AS], ids=str)
def test_only_staff_look_at_customers(permission):
    assert {role for role in Role if permission in MAY[role]} == STAFF


def test_support_never_operates():
    assert {role for role in Role if Permission.OPERATE in MAY[role]} == {
        Role.ADMINISTRATOR,
        Role.DEVELOPER,
    }


def test_people_of_a_customer_have_its_scope_and_no_other(viewer, world):
    assert viewer(world.ada).scope.customer_id == ACME
    assert viewer(world.ben).scope.customer_id == BETA


def test_staff_have_no_scope_until_they_view_someone(viewer, world):
    sue = viewer(world.sue)
    assert sue.customer is None
    assert not sue.may(Permission.VIEW_OWN)
    with pytest.raises(AccessError):
        _ = sue.scope


def test_staff_who_view_a_customer_see_its_pages_for_thirty_minutes(viewer, world):
    sue = viewer(world.sue)
    start_viewing(sue, BETA, "ticket 12", NOW)
    viewing = again(sue)
    assert viewing.scope.customer_id == BETA
    assert viewing.viewing.reason == "ticket 12"
    assert again(sue, NOW + timedelta(minutes=30)).customer is None


def test_stopping_takes_the_pages_away_at_once(viewer, world):
    sue = viewer(world.sue)
    start_viewing(sue, ACME, "ticket 12", NOW)
    stop_viewing(again(sue), NOW)
    assert again(sue).customer is None


def test_a_billing_manager_who_views_a_customer_sees_no_cost_and_changes_nothing(viewer, world):
    bill = viewer(world.bill)
    assert bill.may(Permission.VIEW_COST)
    start_viewing(bill, ACME, "screen shared", NOW)
    assert again(bill).permissions == {
        Permission.VIEW_OWN,
        Permission.EXPORT,
        Permission.LOOKUP,
        Permission.VIEW_AS,
    }


def test_customers_cannot_view_each_other(viewer, world):
    with pytest.raises(AccessError):
        start_viewing(viewer(world.ben), ACME, "curious", NOW)


def test_a_role_taken_away_ends_the_view(viewer, world):
    sue = viewer(world.sue)
    start_viewing(sue, ACME, "ticket 12", NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MAY, Role.SUPPORT, frozenset({Permission.LOOKUP}))
        assert again(sue).customer is None


def test_a_viewer_is_gone_with_the_session(viewer, world):
    ada = viewer(world.ada)
    identity.revoke(world.scope, ada.key, NOW)
    assert again(ada) is None


def test_what_a_viewer_may_not_do_is_refused_by_name(viewer, world):
    with pytest.raises(AccessError) as caught:
        viewer(world.ada).require(Permission.OPERATE)
    assert caught.value.params == {"permission": "operate"}


def test_neither_key_nor_database_shows_in_a_printed_viewer(viewer, world):
    ada = viewer(world.ada)
    assert ada.key not in repr(ada)
    assert "sqlite" not in repr(ada)


def _script(url):
    from datetime import UTC, datetime

    import streamlit as st

    from dashboard.access import current_viewer

    viewer = current_viewer(url, datetime.now(UTC))
    st.write(viewer.name if viewer else "nobody")


def test_the_page_knows_its_viewer_from_st_user_on_every_rerun(world):
    app = AppTest.from_function(_script, default_timeout=30, args=(world.scope.url,))
    assert app.run().markdown[0].value == "nobody"
    key = hashed(world.sign_in(world.ada))
    app.user = {"session": key}
    assert app.run().markdown[0].value == "Ada"
    identity.revoke(world.scope, key, datetime.now(UTC))
    assert app.run().markdown[0].value == "nobody"


def test_a_forged_key_is_nobody(world):
    app = AppTest.from_function(_script, default_timeout=30, args=(world.scope.url,))
    app.user = {"session": "0" * 64}
    assert app.run().markdown[0].value == "nobody"
