"""The sample portal in Chromium: a frame of another site, with its cookies allowed and not."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from data import identity
from data.identity import hashed
from data.scope import EveryTenant
from tests.browser.stage import CHROMIUM, FLAGS, WAIT
from tests.servers import serving
from tests.streamlit_client import ROOT, START_SECONDS

EXAMPLE = ROOT / "examples" / "embed" / "portal.py"


@pytest.fixture(scope="module")
def scope(live):
    return EveryTenant(live.database)


@pytest.fixture(scope="module")
def key(scope):
    return identity.create_key(scope, "portal", None, datetime.now(UTC))


@contextmanager
def portal(live, key, customer="birch-bakery", pages=""):
    environment = {
        **os.environ,
        "DASHBOARD_URL": live.base,
        "DASHBOARD_KEY": key,
        "PORTAL_PORT": str(live.portal),
        "CUSTOMER": customer,
        "PAGES": pages,
    }
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE)], env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{live.portal}/"
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}nowhere", timeout=5)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def chromium_that(browser, tmp_path):
    """A profile of its own; `blocked` are (site, site around it) where it keeps no cookies."""
    opened = []

    def launched(*flags, blocked=()):
        rules = {",".join(pair): {"setting": 2} for pair in blocked}
        preferences = {"profile": {"content_settings": {"exceptions": {"cookies": rules}}}}
        (tmp_path / "Default").mkdir()
        (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
        opened.append(
            browser.browser_type.launch_persistent_context(
                tmp_path, executable_path=CHROMIUM, args=[*FLAGS, *flags]
            )
        )
        return opened[-1].new_page()

    yield launched
    for context in opened:
        context.close()


def framed(page, address):
    page.goto(address)
    return page.frame_locator("iframe")


def shows(frame, words):
    expect(frame.get_by_text(words).first).to_be_visible(timeout=WAIT)


def frames_open(scope):
    found = identity.sessions(scope, datetime.now(UTC))
    return [one for one in found if one.door == "embed"]


@pytest.mark.parametrize("flags", [(), ("--test-third-party-cookie-phaseout",)], ids=["", "no 3p"])
def test_a_frame_shows_its_own_customer_also_where_third_party_cookies_are_blocked(
    live, scope, key, chromium_that, flags
):
    with portal(live, key) as address:
        page = chromium_that(*flags)
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        frame = framed(page, address)
        shows(frame, "Birch Bakery")
        expect(frame.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT)
        assert "code" not in page.frames[1].url
        assert complaints == []
        assert "Grove Vets" not in frame.locator("body").inner_text()
        (cookie,) = [c for c in page.context.cookies() if c["name"] == "__Host-dash_frame"]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "None")
        assert hashed(cookie["value"]) in [one.key for one in frames_open(scope)]


def test_a_frame_of_some_pages_has_no_others(live, key, chromium_that):
    with portal(live, key, "grove-vets", "usage") as address:
        page = chromium_that()
        frame = framed(page, address)
        expect(frame.get_by_role("heading", name="Usage", level=1)).to_be_visible(timeout=WAIT)
        expect(frame.get_by_text("Sign out")).to_have_count(0)
        page.frames[1].goto(f"{live.base}/spend")
        expect(frame.get_by_role("heading", name="Usage", level=1)).to_be_visible(timeout=WAIT)


def test_an_ended_session_takes_the_frame_away_and_says_so(live, scope, key, chromium_that):
    with portal(live, key) as address:
        frame = framed(chromium_that(), address)
        shows(frame, "Birch Bakery")
        for one in frames_open(scope):
            identity.revoke(scope, one.key, datetime.now(UTC))
        shows(frame, "This view has ended")


def test_where_the_cookie_is_blocked_the_frame_says_so_and_a_window_shows_it(
    live, key, chromium_that
):
    with portal(live, key) as address:
        page = chromium_that(blocked=[(live.base, address.rstrip("/"))])
        frame = framed(page, address)
        shows(frame, "This browser blocks the view")
        with page.context.expect_page() as window:
            frame.get_by_role("link", name="Open in a new window").click()
        shows(window.value, "Birch Bakery")
        assert window.value.url == f"{live.base}/"


def test_another_site_cannot_frame_the_page(live, key, chromium_that):
    """A page of another origin gets a frame with a right code, and the browser shows nothing."""
    with portal(live, key) as address:
        page = chromium_that()
        html = urllib.request.urlopen(address).read().decode()
        given = html.partition('<iframe src="')[2].partition('"')[0].replace("&amp;", "&")
        evil = Starlette(routes=[Route("/", lambda _: HTMLResponse(f'<iframe src="{given}">'))])
        with serving(evil) as host:
            with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
                page.goto(host)
            assert "Birch Bakery" not in page.frame_locator("iframe").locator("body").inner_text()
