"""The forecast on real pages: its range, its days, how it is worked out, and the fan of a chart."""

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import FAULTS
from tests.browser.stage import visit

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
FOLD = "How this is worked out"
ENDS = """(chart) => chart.querySelector('.js-plotly-plot').data.slice(1, 3)
    .map((edge) => [...edge.y].pop())"""
LOWEST = """Math.max(...[...document.querySelectorAll('.u-card')]
    .map((card) => card.getBoundingClientRect().bottom))"""


@pytest.mark.parametrize("person", ["Birch Bakery", "Cedar Logistics", "Elm Fitness"])
def test_the_four_answers_stand_above_the_fold(browser, live, person):
    page = visit(browser, live, person)
    assert page.evaluate(LOWEST) <= SIZES["desktop"][1]


@pytest.mark.parametrize("path", ["overview", "spend"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_how_a_forecast_is_worked_out_unfolds_without_a_fault(browser, live, path, scheme, size):
    page = visit(browser, live, "Birch Bakery", path, size=size, scheme=scheme)
    reasons = page.locator(".u-card details")
    expect(reasons).to_have_count(1)
    expect(reasons.get_by_text("four in five end in the range")).to_be_hidden()
    page.get_by_text(FOLD).click()
    expect(reasons.get_by_text("four in five end in the range")).to_be_visible()
    expect(reasons).to_contain_text("9 days to go.")
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
    assert [fault for fault in page.evaluate(FAULTS) if "u-demo" not in fault] == []
    assert page.complaints == []


def test_the_fan_ends_in_the_range_of_the_card(browser, live):
    page = visit(browser, live, "Birch Bakery")
    rows = page.locator(".u-card").nth(3).locator(".u-row")
    low, high = rows.filter(has_text="SMS segments").locator(".u-value").inner_text().split(" – ")
    page.get_by_text("Adding up", exact=True).click()
    expect(page.get_by_text("Four cases in five")).to_be_visible()
    chart = page.locator("[data-testid=stPlotlyChart]")
    expect(chart.locator(".scatterlayer .trace")).to_have_count(6)
    ends = chart.evaluate(ENDS)
    assert [f"{end:,.0f}" for end in ends] == [low, high]


def test_a_day_out_of_the_ordinary_is_marked_and_named(browser, live):
    page = visit(browser, live, "Cedar Logistics")
    expect(page.get_by_text("Unusual day", exact=True)).to_be_visible()
    expect(page.get_by_text("Unusual: 11 Nov in SMS")).to_be_visible()
    page.goto(f"{live.base}/usage?meter=sms")
    expect(page.get_by_text("Unusual: 11 Nov with 338 SMS segments, usually")).to_be_visible()


def test_one_customer_s_forecast_says_nothing_of_another(browser, live):
    own = visit(browser, live, "Birch Bakery").locator(".u-card").nth(3).inner_text()
    other = visit(browser, live, "Fjord Optik").locator(".u-card").nth(3).inner_text()
    assert "$" in own
    assert "$" not in other
