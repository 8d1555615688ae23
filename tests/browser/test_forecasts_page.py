"""The staff's page Forecasts in a real browser, once the demo's past periods have been checked."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import FAULTS
from tests.browser.stage import WAIT, settle, visit
from tests.demo_app import TODAY, command

SUPPORT = "Sam Support"
MONEY = re.compile(r"[$€]\s?\d|\bUSD\b|\bEUR\b")


@pytest.fixture(scope="module")
def checked(live):
    """The demo with its past periods checked; doing so twice changes nothing."""
    environment = {"DEMO": "1", "DEMO_TODAY": TODAY, "DATABASE_URL": live.database}
    command("backtest", environment=environment)
    return live


def shown(page) -> str:
    """All of the page's text, folded parts included."""
    return page.locator(".stMain").text_content() or ""


@pytest.mark.parametrize("person", [SUPPORT, "Billie Billing", "Dev Developer", "Alex Admin"])
def test_all_staff_see_how_good_past_projections_were_and_no_amount(browser, checked, person):
    page = visit(browser, checked, person, "forecasts")
    text = shown(page)
    for words in ("Inside the 80% range", "By settled days", "Calibration in force"):
        assert words in text
    assert MONEY.findall(text) == []
    assert page.complaints == []


@pytest.mark.parametrize("person", ["Birch Bakery", "Fjord Optik"])
def test_no_customer_gets_the_page(browser, checked, person):
    page = visit(browser, checked, person, "")
    page.goto(f"{checked.base}/forecasts")
    settle(page)
    assert "Calibration in force" not in shown(page)


def test_the_chart_opens_to_its_table(browser, checked):
    page = visit(browser, checked, SUPPORT, "forecasts")
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("columnheader", name="Chance given")).to_be_visible(timeout=WAIT)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_or_overlaps_or_scrolls_sideways(browser, checked, size, scheme):
    page = visit(browser, checked, SUPPORT, "forecasts", size=size, scheme=scheme)
    assert page.evaluate(FAULTS) == []
