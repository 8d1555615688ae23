"""The staff's page Sync in a real browser: who gets it, with cost and without, and its address."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import FAULTS
from tests.browser.stage import WAIT, settle, visit

ADMIN, DEVELOPER = "Alex Admin", "Dev Developer"
MONEY = re.compile(r"[$€]\s?\d|\bUSD\b|\bEUR\b")


def shown(page) -> str:
    """All of the page's text, folded parts included."""
    return page.locator(".stMain").text_content() or ""


def test_an_administrator_sees_runs_accounts_and_corrections_with_cost(browser, live):
    page = visit(browser, live, ADMIN, "sync")
    text = shown(page)
    for word in ("Requests by run", "Everything read", "Birch Bakery", "Cedar Logistics"):
        assert word in text
    assert "Balance" in text
    assert re.search(r"12 Sep rose by \$\d", text)
    assert re.search(r"\d+ of \d+ months are equal", text)
    assert page.complaints == []


def test_a_developer_sees_the_same_without_any_amount(browser, live):
    page = visit(browser, live, DEVELOPER, "sync")
    text = shown(page)
    assert "12 Sep changed" in text
    assert "Everything read" in text
    assert MONEY.findall(text) == []
    assert "Balance" not in text


@pytest.mark.parametrize("person", ["Sam Support", "Billie Billing", "Birch Bakery", "Fjord Optik"])
def test_nobody_else_gets_the_page(browser, live, person):
    page = visit(browser, live, person, "")
    expect(page.get_by_test_id("stSidebarNav").get_by_text("Sync", exact=True)).to_have_count(0)
    page.goto(f"{live.base}/sync")
    settle(page)
    assert "Requests by run" not in shown(page)


def test_which_accounts_are_listed_stands_in_the_address(browser, live):
    page = visit(browser, live, ADMIN, "sync")
    page.get_by_role("radio", name=re.compile("Waiting for an owner")).click()
    expect(page.get_by_text("Every account has an owner.")).to_be_visible(timeout=WAIT)
    expect(page).to_have_url(re.compile(r"/sync\?accounts=waiting$"))
    page.reload()
    settle(page)
    expect(page.get_by_text("Every account has an owner.")).to_be_visible(timeout=WAIT)
    page.goto(f"{live.base}/sync?accounts=nonsense&leaf=-7")
    settle(page)
    expect(page.get_by_role("heading", name="Birch Bakery")).to_be_visible(timeout=WAIT)


def test_a_run_opens_to_its_answers(browser, live):
    page = visit(browser, live, DEVELOPER, "sync")
    page.locator("details.u-run summary").first.click()
    expect(page.locator("details.u-run").first.get_by_text("answered")).to_be_visible()


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_or_overlaps_or_scrolls_sideways(browser, live, size, scheme):
    page = visit(browser, live, ADMIN, "sync", size=size, scheme=scheme)
    assert page.evaluate(FAULTS) == []
