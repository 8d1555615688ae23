"""Nothing of one customer reaches another's browser: not the page, the socket, a download."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data.demo.world import PARENT_SID
from tests.browser.stage import WAIT, go, settle, sign_in, visit
from tests.browser.twilio import accounts

BIRCH, FJORD, CEDAR = "Birch Bakery", "Fjord Optik", "Cedar Logistics"
WORDS = {
    BIRCH: ("Birch", "birch-bakery", "OWL-1004", "overage · Small"),
    FJORD: ("Fjord", "fjord-optik", "OWL-1003", "bundle · Medium", "EUR", "€"),
    CEDAR: ("Cedar", "cedar-logistics", "OWL-1001", "Pay as you go", "Driver App"),
}


@pytest.fixture(scope="module")
def marks(live):
    """What gives each customer away, its SIDs and its own amounts included."""
    sids = accounts(live.api, PARENT_SID)
    own = {name: [sid for key, sid in sids.items() if key.startswith(name)] for name in WORDS}
    return {name: [*WORDS[name], *own[name]] for name in WORDS}


def received(browser, live, person: str) -> bytes:
    """Every byte that the browser gets while a person opens all pages and downloads all."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    got: list[bytes] = []

    def keep(data: str | bytes) -> None:
        got.append(data if isinstance(data, bytes) else data.encode())

    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    sign_in(page, live, person, "overview")
    for title in ("Overview", "Usage", "Spend"):
        go(page, title)
        got.append(page.content().encode())
        page.wait_for_timeout(1000)  # a button clicked while its page is replaced does nothing
        for button in page.get_by_test_id("stDownloadButton").get_by_role("button").all():
            with page.expect_download() as download:
                button.click()
            got.append(Path(download.value.path()).read_bytes())
            got.append(download.value.suggested_filename.encode())
    assert len(got) > 20
    return b"\n".join(got)


@pytest.mark.parametrize("mine", WORDS)
def test_nothing_of_others_reaches_a_customers_browser(browser, live, marks, mine):
    everything = received(browser, live, mine)
    assert mine.encode() in everything
    for other in WORDS.keys() - {mine}:
        assert [mark for mark in marks[other] if mark.encode() in everything] == []


def test_a_customer_who_asks_for_the_staffs_page_gets_none_of_it(browser, live):
    page = visit(browser, live, BIRCH, "customers")
    expect(page.get_by_text(FJORD)).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNav").get_by_text("Customers")).to_have_count(0)
    page.goto(f"{live.base}/customers?customer=2&period_2_main=x")
    settle(page)
    assert FJORD not in page.content()


def test_support_sees_a_customers_own_page_and_goes_back(browser, live):
    page = visit(browser, live, "Sam Support", "customers")
    page.locator("[class*=st-key-customer_]", has_text=BIRCH).get_by_role("button").click()
    page.get_by_label("Reason").fill("Ticket 4711")
    page.get_by_label("Reason").press("Enter")
    page.get_by_role("button", name="Open read-only").click()
    banner = page.locator(".st-key-viewing")
    expect(banner).to_contain_text(
        re.compile(
            rf"You are viewing {BIRCH} as support · read-only · Ticket 4711 · ends \d\d:\d\d"
        )
    )
    go(page, "Usage")
    expect(banner).to_be_visible()
    assert FJORD not in page.content()
    page.get_by_role("button", name="Stop viewing").click()
    expect(banner).to_have_count(0)
    settle(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.complaints == []


def test_every_page_has_an_address_of_its_own(browser, live):
    page = visit(browser, live, BIRCH)
    for path, title in (("", "Overview"), ("overview", "Overview"), ("spend", "Spend")):
        page.goto(f"{live.base}/{path}")
        expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible(
            timeout=WAIT
        )
    assert page.complaints == []
