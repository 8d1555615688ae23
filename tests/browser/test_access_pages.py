"""People, Keys, Audit and Access in a real browser, and the band over a customer's pages."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import FAULTS
from tests.browser.stage import WAIT, go, rows_of, settle, visit

ADMIN, SUPPORT, BIRCH, FJORD = "Alex Admin", "Sam Support", "Birch Bakery", "Fjord Optik"
STAFF_PAGES = ("people", "keys", "audit")
SIZES = [(1440, 900), (390, 844)]


def row(page, words):
    return page.locator("[class*=st-key-row_]", has_text=words)


def fill(page, label, text):
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")


def choose(page, label, option):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def secret_in(page):
    """What a dialog hands over; it goes with its button."""
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Copy to clipboard")).to_be_visible(timeout=WAIT)
    secret = dialog.get_by_test_id("stCode").inner_text().strip()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    return secret


def invite(page, email, name):
    page.get_by_role("button", name="Invite a person").click()
    fill(page, "E-mail", email)
    fill(page, "Name", name)
    choose(page, "Customer", BIRCH)
    page.get_by_role("button", name="Make the invitation").click()
    return secret_in(page)


def enter(browser, link):
    """Somebody else's browser, signed in by a link."""
    page = browser.new_context().new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    settle(page)
    return page


def test_who_is_invited_enters_and_leaves_when_the_session_or_the_person_is_ended(browser, live):
    page = visit(browser, live, ADMIN, "people")
    other = enter(browser, invite(page, "pat@birch.test", "Pat Miller"))
    expect(other.locator(".stMain")).to_contain_text("SMS segments")
    page.get_by_role("radio", name="Signed in now").click()
    row(page, "pat@birch.test").get_by_role("button", name="End").click()
    other.wait_for_url(f"{live.base}/sign-in", timeout=5_000)
    expect(row(page, "pat@birch.test")).to_have_count(0)
    page.get_by_role("radio", name="Everybody").click()
    row(page, "Pat Miller").get_by_role("button", name="Manage").click()
    page.get_by_role("button", name="New sign-in link").click()
    other = enter(browser, secret_in(page))
    row(page, "Pat Miller").get_by_role("button", name="Manage").click()
    page.get_by_role("button", name="Disable…").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable", exact=True).click()
    other.wait_for_url(f"{live.base}/sign-in", timeout=5_000)
    expect(page.get_by_role("status").filter(has_text="Pat Miller is disabled")).to_be_visible()
    expect(row(page, "pat@birch.test")).to_contain_text("Disabled")
    assert page.complaints == []


def test_what_is_wrong_is_named_and_what_was_typed_is_kept(browser, live):
    page = visit(browser, live, ADMIN, "people")
    page.get_by_role("button", name="Invite a person").click()
    fill(page, "E-mail", "nonsense")
    fill(page, "Name", "Kim Kept")
    choose(page, "Role", "Support, staff")
    page.get_by_role("button", name="Make the invitation").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("E-mail: 'nonsense' is not an e-mail address", timeout=WAIT)
    expect(dialog.get_by_label("Name")).to_have_value("Kim Kept")
    expect(dialog.get_by_label("E-mail")).to_have_value("nonsense")
    fill(page, "E-mail", "kim@staff.test")
    page.get_by_role("button", name="Make the invitation").click()
    assert "/auth/link?token=" in secret_in(page)
    expect(row(page, "kim@staff.test")).to_contain_text("Support")
    assert page.complaints == []


def test_a_key_is_made_and_revoked_and_the_log_says_so(browser, live):
    page = visit(browser, live, ADMIN, "keys")
    page.get_by_role("button", name="Make a key").click()
    fill(page, "Name", "browser-test")
    page.get_by_role("button", name="Make it").click()
    assert secret_in(page).startswith("dash_")
    expect(row(page, "browser-test")).to_contain_text("For every customer")
    row(page, "browser-test").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status").filter(has_text="is revoked")).to_be_visible(timeout=WAIT)
    go(page, "Audit")
    for words in ("Made a key", "Revoked a key"):
        entry = page.get_by_role("row", name=re.compile(f"{ADMIN}.*{words}.*browser-test"))
        expect(entry).to_have_count(1)
    made = rows_of(page, "CSV of all that match")
    assert [row[3] for row in made[1:]].count("key_revoked") == 1
    again = rows_of(page, "CSV of all that match")
    assert again[1][2:4] == [ADMIN, "export"]
    assert page.complaints == []


def test_a_customer_gets_none_of_the_staffs_pages_by_their_addresses(browser, live):
    page = visit(browser, live, BIRCH, "accounts")
    for path in STAFF_PAGES:
        page.goto(f"{live.base}/{path}")
        settle(page)
        expect(page.get_by_role("heading", name=path.capitalize(), exact=True)).to_have_count(0)
        assert "alex.admin@" not in page.content()
    names = page.get_by_test_id("stSidebarNav").inner_text().split()
    assert not {path.capitalize() for path in STAFF_PAGES} & set(names)


def test_the_band_over_a_customers_pages_stays_in_sight_on_the_phone(browser, live):
    page = visit(browser, live, SUPPORT, "customers", size=SIZES[1])
    row = page.locator("[class*=st-key-customer_]", has_text=FJORD)
    row.get_by_role("button", name="Open").click()
    fill(page, "Reason", "Ticket 9")
    page.get_by_role("button", name="Open read-only").click()
    band = page.locator(".st-key-viewing")
    expect(band).to_contain_text(f"{FJORD} as support · read-only · Ticket 9", timeout=WAIT)
    expect(band).to_contain_text(f"signed in as {SUPPORT}")
    settle(page)
    main = page.locator(".stMain")
    main.evaluate("main => main.scrollTo(0, main.scrollHeight)")
    assert main.evaluate("main => main.scrollTop") > 200
    box = band.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] < 200
    under = "([x, y]) => document.elementFromPoint(x, y).closest('.st-key-viewing') !== null"
    assert page.evaluate(under, [box["x"] + 20, box["y"] + box["height"] / 2])
    # Streamlit's head lies above it and lets clicks through: it must let the eye through, too.
    painted = "element => getComputedStyle(element).backgroundColor"
    assert page.locator(".stAppHeader").evaluate(painted) == "rgba(0, 0, 0, 0)"
    band.get_by_role("button", name="Stop viewing").click()
    expect(band).to_have_count(0, timeout=WAIT)
    assert page.complaints == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(SIZES[0], "light"), (SIZES[1], "dark")], ids=["desktop", "phone"]
)
def test_nothing_is_cut_or_overlaps_or_scrolls_sideways(browser, live, size, scheme):
    page = visit(browser, live, ADMIN, "people", size=size, scheme=scheme)
    for path in STAFF_PAGES:
        page.goto(f"{live.base}/{path}")
        settle(page)
        assert page.evaluate(FAULTS) == []
    page = visit(browser, live, BIRCH, "access", size=size, scheme=scheme)
    expect(page.get_by_text("office@birch-bakery.example")).to_be_visible()
    assert page.evaluate(FAULTS) == []
