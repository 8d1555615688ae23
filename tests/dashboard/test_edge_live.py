"""Raw websocket handshakes against real servers: origins, identity, revocation, both launchers."""

import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dashboard.sockets import LEAVE
from data import identity
from data.identity import hashed
from tests.doors import make_world, write_app
from tests.streamlit_client import connect, serving

MAIN = """
from datetime import UTC, datetime
import streamlit as st
from dashboard.access import current_viewer
from data.settings import load_settings

viewer = current_viewer(load_settings().database_url, datetime.now(UTC))
st.write(f"key {st.user.get('session')}")
st.write(f"viewer {viewer.name if viewer else None}")
st.write(f"memory {st.session_state.setdefault('first', viewer and viewer.name)}")
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def base(world, tmp_path_factory):
    folder = write_app(tmp_path_factory.mktemp("app"), MAIN)
    with serving("probe_app:app", folder=folder, DATABASE_URL=world.scope.url) as address:
        yield address


def cookie(secret):
    return f"dash_session={secret}"


def test_the_identity_of_the_cookie_arrives_in_st_user(base, world):
    for member, name in ((world.ada, "Ada"), (world.ben, "Ben")):
        secret = world.sign_in(member)
        with connect(base, cookie(secret)) as page:
            page.rerun()
            assert page.texts[:2] == [f"key {hashed(secret)}", f"viewer {name}"]


def test_a_spoofed_identity_never_arrives(base, world):
    ben = hashed(world.sign_in(world.ben))
    spoofed = {"X-Dash-Session": ben, "x_dash_session": ben}
    with connect(base, headers=spoofed) as page:
        assert page.closed_with() == 1012
        assert [frame.WhichOneof("type") for frame in page.frames] == ["auth_redirect"]
    secret = world.sign_in(world.ada)
    with connect(base, cookie(secret), headers=spoofed) as page:
        page.rerun()
        assert page.texts[1] == "viewer Ada"


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.test", "http://localhost:1", "https://localhost"],
    ids=["none", "null", "foreign", "another port", "another scheme"],
)
def test_a_handshake_from_elsewhere_is_refused_at_once(base, world, origin):
    begun = time.monotonic()
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(base, cookie(world.sign_in(world.ada)), origin=origin),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert time.monotonic() - begun < 1  # Streamlit would ask the network for its own address


def test_two_sign_ins_never_share_a_session_of_streamlit(base, world):
    first = world.sign_in(world.ada)
    with connect(base, cookie(first)) as page:
        page.rerun()
        known = page.session_id
    for member, remembered in ((world.ben, "Ben"), (world.ada, "Ada")):
        with connect(base, cookie(world.sign_in(member)), session_id=known) as page:
            page.rerun()
            assert page.session_id != known
            assert page.texts[2] == f"memory {remembered}"
    with connect(base, cookie(first), session_id=known) as page:
        page.rerun()
        assert page.texts[2] == "memory Ada"


def test_revocation_closes_the_live_socket_and_no_other_opens(base, world):
    secret, other = world.sign_in(world.ada), world.sign_in(world.ben)
    with connect(base, cookie(secret)) as page, connect(base, cookie(other)) as stays:
        page.rerun()
        stays.rerun()
        identity.revoke(world.scope, hashed(secret), datetime.now(UTC))
        assert page.closed_with() == 1012
        assert page.sent_to == "/auth/over"
        stays.rerun()
        assert stays.texts[1] == "viewer Ben"
    with connect(base, cookie(secret), session_id=page.session_id) as again:
        assert again.closed_with() == 1012
        assert again.elements == []


def test_a_rerun_after_revocation_shows_nothing_even_before_the_socket_closes(base, world):
    secret = world.sign_in(world.ada)
    with connect(base, cookie(secret)) as page:
        page.rerun()
        assert page.texts[1] == "viewer Ada"
        identity.revoke(world.scope, hashed(secret), datetime.now(UTC))
        with suppress(ConnectionClosed):  # whichever comes first: the answer or the end
            page.rerun()
            assert page.texts[1] == "viewer None"
            return
        assert "viewer Ada" not in page.texts


def test_an_expired_session_closes_its_socket(base, world):
    now, life = datetime.now(UTC), timedelta(seconds=2)
    secret = identity.open_session(world.scope, world.ada, "link", now, life=life)
    with connect(base, cookie(secret)) as page:
        page.rerun()
        assert page.texts[1] == "viewer Ada"
        assert page.closed_with() == 1012


def test_the_message_to_leave_is_the_one_that_streamlit_sends():
    message = ForwardMsg()
    message.auth_redirect.url = "/auth/over"
    assert message.SerializeToString() == LEAVE


@pytest.mark.parametrize("launcher", ["streamlit_app:app", "streamlit_app.py"])
def test_the_app_starts_and_the_brand_reaches_the_browser(world, launcher, tmp_path):
    log = tmp_path / "log"
    with serving(launcher, log=log, DATABASE_URL=world.scope.url) as address:
        person = identity.add_person(world.scope, "ada@real.test", "Ada")
        token = identity.create_link(world.scope, person, datetime.now(UTC))
        urllib.request.urlopen(f"{address}/auth/link?token={token}")
        assert urllib.request.urlopen(f"{address}/readyz").status == 200
        with connect(address, cookie(world.sign_in(world.ada))) as page:
            page.rerun()
        message = next(f for f in page.frames if f.WhichOneof("type") == "new_session")
        theme = message.new_session.custom_theme
        assert (theme.light.primary_color, theme.dark.primary_color) == ("#0b7a75", "#11837a")
        for mode in (theme.light, theme.dark):
            assert len(mode.chart_categorical_colors) == 10
            assert mode.chart_categorical_colors[0] == mode.primary_color
    lines = log.read_text()
    assert token not in lines
    assert "Traceback" not in lines


def test_a_wrong_setting_ends_the_start_with_its_name(tmp_path):
    log = tmp_path / "log"
    with (
        pytest.raises(RuntimeError),
        serving("streamlit_app:app", log=log, PUBLIC_ORIGIN="http://usage.owl.test"),
    ):
        pass
    assert "PUBLIC_ORIGIN: http:// is for localhost only" in log.read_text()
    assert "Traceback" not in log.read_text()
