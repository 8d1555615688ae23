"""Files and idleness on live sockets: whoever was shown an address may fetch it, nobody else."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from data import identity
from data.identity import hashed
from data.models import LoginSession
from data.scope import reading, writing
from tests.doors import make_world, write_app
from tests.streamlit_client import connect, serving

MAIN = """
from datetime import UTC, datetime
import streamlit as st
from dashboard.access import current_viewer
from data.settings import load_settings

viewer = current_viewer(load_settings().database_url, datetime.now(UTC))
st.write(f"viewer {viewer.name if viewer else None}")
said = st.text_input("Say", key="say")
st.write(f"You said {said}")
if viewer:
    st.download_button("At once", data=f"figures of {viewer.customer.name}", file_name="a.csv")
    st.download_button("Later", data=lambda: f"later {viewer.customer.name}", file_name="b.csv")
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


def fetched(base, path, secret=""):
    """Status and body of a file, as a browser with this cookie gets it."""
    request = urllib.request.Request(base + path, headers={"cookie": cookie(secret)})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def addresses(page):
    """Of the file that is there at once, and of the one that is written when asked for."""
    at_once, later = (one for one in page.elements if hasattr(one, "deferred_file_id"))
    return at_once.url, page.download(later.deferred_file_id)


def test_a_file_belongs_to_the_session_that_was_shown_it(base, world):
    ada, ben, again = (world.sign_in(one) for one in (world.ada, world.ben, world.ada))
    with connect(base, cookie(ada)) as page, connect(base, cookie(ben)) as other:
        page.rerun()
        other.rerun()
        mine, his = addresses(page), addresses(other)
        assert [fetched(base, path, ada)[1] for path in mine] == ["figures of Acme", "later Acme"]
        assert fetched(base, his[0], ben) == (200, "figures of Beta & Sons")
        for path in mine:
            for stranger in (ben, again, "", "forged"):
                assert fetched(base, path, stranger) == (404, "")
        assert not {*mine} & {*his}


def test_a_file_goes_with_the_session(base, world):
    ada = world.sign_in(world.ada)
    with connect(base, cookie(ada)) as page:
        page.rerun()
        path = addresses(page)[0]
        assert fetched(base, path, ada)[0] == 200
        identity.revoke(world.scope, hashed(ada), datetime.now(UTC))
        assert fetched(base, path, ada)[0] == 404
        assert page.closed_with() == 1012


def idle_until(world, secret):
    with reading(world.scope) as session:
        return session.get(LoginSession, hashed(secret)).idle_until


def test_an_idle_session_closes_its_socket(base, world):
    secret, busy = world.sign_in(world.ada), world.sign_in(world.ben)
    with connect(base, cookie(secret)) as page, connect(base, cookie(busy)) as other:
        page.rerun()
        with writing(world.scope) as session:
            row = session.get(LoginSession, hashed(secret))
            row.idle_until = datetime.now(UTC)
            session.add(row)
        assert page.closed_with() == 1012
        other.rerun()


def test_what_a_person_does_moves_the_end_of_idleness(base, world):
    secret, quiet = world.sign_in(world.ada), world.sign_in(world.ben)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    with writing(world.scope) as session:
        for one in (secret, quiet):
            row = session.get(LoginSession, hashed(one))
            row.idle_until = soon
            session.add(row)
    with connect(base, cookie(secret)) as page, connect(base, cookie(quiet)):
        page.rerun()
    # The last socket of the process writes down who has acted.
    for _ in range(100):
        if idle_until(world, secret) != soon:
            break
        urllib.request.urlopen(f"{base}/healthz")
    assert idle_until(world, secret) > soon
    assert idle_until(world, quiet) == soon


def test_a_download_waits_for_its_browser_however_many_pages_run_meanwhile(base, world):
    ada, ben = world.sign_in(world.ada), world.sign_in(world.ben)
    with connect(base, cookie(ada)) as page, connect(base, cookie(ben)) as busy:
        page.rerun()
        path = addresses(page)[1]
        for _ in range(4):
            busy.rerun()
        assert fetched(base, path, ada) == (200, "later Acme")
        assert fetched(base, path, ben) == (404, "")


def test_what_a_browser_sends_and_gets_repeated_opens_no_file(base, world):
    ada, ben = world.sign_in(world.ada), world.sign_in(world.ben)
    with connect(base, cookie(ada)) as page, connect(base, cookie(ben)) as other:
        page.rerun()
        at_once, later = (one for one in page.elements if hasattr(one, "deferred_file_id"))
        other.rerun()
        (box,) = (one for one in other.elements if getattr(one, "label", "") == "Say")
        for name in (at_once.url, later.deferred_file_id, f"b {later.deferred_file_id}"):
            other.rerun(page=name)
            other.rerun(query=f"page={name}")
            other.rerun(**{box.id: name})
            assert f"You said {name}" in other.texts
        assert fetched(base, at_once.url, ben) == (404, "")
        assert fetched(base, at_once.url, ada) == (200, "figures of Acme")
        with pytest.raises(TimeoutError):
            other.download(later.deferred_file_id, timeout=2)
