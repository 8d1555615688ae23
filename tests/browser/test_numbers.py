"""What a customer reads is what Twilio's API says and the plan's terms make of it."""

from decimal import Decimal as D

import pytest
from playwright.sync_api import expect

from data.demo.world import PARENT_SID
from tests.browser.stage import go, rows_of, visit
from tests.browser.twilio import accounts, used, with_overage


@pytest.fixture(scope="module")
def sids(live):
    return accounts(live.api, PARENT_SID)


def units(live, sids, name: str) -> D:
    return used(live.api, PARENT_SID, sids[name], "sms")


def test_a_bundle_with_overage_is_counted_and_priced(browser, live, sids):
    segments = units(live, sids, "Birch Bakery")
    bill = with_overage(segments, "49.99", 100, "0.50")
    page = visit(browser, live, "Birch Bakery")
    cards = page.locator(".u-card")
    expect(cards.nth(0)).to_contain_text(f"{segments:f} of 100 SMS segments")
    expect(cards.nth(1)).to_contain_text(f"${bill:.2f}")
    go(page, "Spend")
    expect(page.locator(".u-total")).to_contain_text(f"${bill:.2f}")
    amounts = [D(row[8]) for row in rows_of(page)[1:]]
    assert sum(amounts[:-1]) == amounts[-1] == bill
    assert page.complaints == []


def test_a_bundle_in_another_currency_is_counted_and_priced(browser, live, sids):
    segments = units(live, sids, "Fjord Optik")
    page = visit(browser, live, "Fjord Optik")
    cards = page.locator(".u-card")
    expect(cards.nth(0)).to_contain_text(f"{segments:f} of 200 SMS segments")
    expect(cards.nth(1)).to_contain_text("€59.99")
    assert page.complaints == []


def test_a_margin_over_everything_is_three_percent_of_the_price(browser, live, sids):
    names = [name for name in sids if name.startswith("Cedar Logistics")]
    cost = sum(
        (used(live.api, PARENT_SID, sids[name], "totalprice", "price") for name in names), D(0)
    )
    page = visit(browser, live, "Cedar Logistics")
    price = page.locator(".u-card").nth(1).locator(".u-figure").inner_text()
    assert abs(D(price.removeprefix("$").replace(",", "")) - cost / D("0.97")) < D("0.005")


def test_the_days_in_the_download_sum_to_the_card(browser, live, sids):
    segments = units(live, sids, "Birch Bakery")
    page = visit(browser, live, "Birch Bakery")
    rows = rows_of(page)
    assert rows[0][:2] == ["Day (UTC)", "SMS segments"]
    assert len(rows) == 22
    assert sum(D(row[1]) for row in rows[1:]) == segments


def test_events_stand_beside_billed_units(browser, live, sids):
    messages = used(live.api, PARENT_SID, sids["Birch Bakery"], "sms", "count")
    page = visit(browser, live, "Birch Bakery", "usage")
    facts = page.locator(".u-facts")
    expect(facts).to_contain_text(f"{messages:f}messages")
    expect(facts).to_contain_text("billed, as several segments")


def test_categories_sum_to_the_product(browser, live, sids):
    page = visit(browser, live, "Birch Bakery", "usage")
    head, *rows = rows_of(page)
    all_units, all_messages = (
        head.index(name) for name in ("All (SMS segments)", "All (messages)")
    )
    for row in rows:
        assert sum(D(number) for number in row[2:all_units]) == D(row[all_units])
    assert sum(D(row[all_units]) for row in rows) == units(live, sids, "Birch Bakery")
    messages = used(live.api, PARENT_SID, sids["Birch Bakery"], "sms", "count")
    assert sum(D(row[all_messages]) for row in rows) == messages


def test_an_earlier_period_can_be_chosen_and_stays_on_the_next_page(browser, live):
    page = visit(browser, live, "Birch Bakery")
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name="October 2026").click()
    expect(page.locator(".u-summary")).to_contain_text("In October 2026 you used")
    expect(page.locator(".u-card").nth(1)).to_contain_text("final")
    go(page, "Spend")
    expect(page.locator(".u-total")).to_contain_text("Total final")


def test_usage_can_be_seen_for_one_of_several_accounts(browser, live, sids):
    page = visit(browser, live, "Cedar Logistics", "usage")
    page.goto(f"{live.base}/usage?meter=sms")
    expect(page.locator(".u-here")).to_have_text("SMS")
    figure = page.locator(".u-fact-number").first
    whole = D(figure.inner_text().replace(",", ""))
    parts = []
    for name in ("Dispatch", "Driver App", "Support Line"):
        part = used(live.api, PARENT_SID, sids[f"Cedar Logistics {name}"], "sms")
        page.get_by_role("combobox", name="Account").click()
        page.get_by_role("option", name=name).click()
        expect(figure).to_have_text(f"{part:,f}")
        parts.append(part)
    assert sum(parts) == whole
