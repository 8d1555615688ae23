"""A statement as a customer reads it: every line opens, and what it opens to sums to it."""

import re
from decimal import Decimal as D

import pytest
from playwright.sync_api import expect

from tests.browser.stage import rows_of, visit

CUSTOMERS = (
    *("Birch Bakery", "Fjord Optik", "Cedar Logistics", "Dune Travel", "Elm Fitness"),
    *("Grove Vets", "Harbor Events"),
)


def opened(page):
    """Unfold every line of the statement."""
    for fold in page.locator(".u-explained summary").all():
        fold.click()
    return page.locator(".u-explained table")


def chosen(page, period: str):
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name=period).click()
    expect(page.locator(".u-total")).to_contain_text("Total final")
    return page


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_the_days_of_all_lines_sum_to_the_bill(browser, live, customer):
    page = visit(browser, live, customer, "spend")
    heads, *rows, last = rows_of(page, "By day")
    amount = heads.index("Amount")
    assert last[0] == "Total"
    assert sum(D(row[amount]) for row in rows) == D(last[amount])
    assert page.complaints == []


def test_a_line_opens_to_its_days_and_their_records(browser, live):
    page = visit(browser, live, "Birch Bakery", "spend")
    overage = opened(page).nth(1).locator("tr")
    expect(overage.first.locator("td").nth(0)).to_contain_text("Nov")
    expect(overage.first.locator("td").nth(1)).to_contain_text("SMS")
    expect(overage.first.locator("td").nth(3)).to_contain_text("$")
    amounts = [D(cell[1:]) for cell in overage.locator("td:last-child").all_inner_texts()]
    line = page.locator(".u-table > tbody > tr", has_text=re.compile("^Overage"))
    expect(line.locator("td").last).to_have_text(f"${sum(amounts):,.2f}")


def test_a_margin_opens_to_products_and_days_and_to_no_cost(browser, live):
    page = visit(browser, live, "Cedar Logistics", "spend")
    expect(page.locator(".u-explained summary").first).to_contain_text("SMS")
    opened(page)
    expect(page.locator(".u-explained .u-records").first).to_have_text("")
    assert "cost" not in page.locator(".st-key-statement_card").inner_text().lower()


def test_late_usage_of_a_closed_month_is_a_dated_line_of_the_running_one(browser, live):
    page = visit(browser, live, "Dune Travel", "spend")
    line = page.locator(".u-table > tbody > tr", has_text="Adjustment for September 2026")
    expect(line).to_contain_text("noticed on 21 Nov")
    adjusted = D(line.locator("td").last.inner_text()[1:])
    days = opened(page).last.locator("tr")
    expect(days.first).to_contain_text("640 SMS segments")
    found = days.locator("td:last-child").all_inner_texts()
    assert sum(D(amount.replace("$", "")) for amount in found) == adjusted


def test_a_closed_month_is_final_and_has_a_fingerprint(browser, live):
    page = chosen(visit(browser, live, "Dune Travel", "spend"), "September 2026")
    expect(page.get_by_text("Final: it no longer changes.")).to_be_visible()
    assert "Adjustment" not in page.locator(".st-key-statement_card").inner_text()


def test_a_change_of_plan_is_a_timeline_with_its_arithmetic(browser, live):
    page = chosen(visit(browser, live, "Fjord Optik", "spend"), "October 2026")
    card = page.locator(".st-key-statement_card")
    expect(card.locator(".u-steps")).to_contain_text("From 12 Oct: SMS bundle · Medium")
    expect(card).to_contain_text("11/31 × €49.99")
    expect(card).to_contain_text("20/31 × €59.99")
    expect(card).to_contain_text("VAT 25 %")


def test_credits_of_two_packs_are_drawn_at_their_own_worth(browser, live):
    page = chosen(visit(browser, live, "Elm Fitness", "spend"), "September 2026")
    card = page.locator(".st-key-statement_card")
    expect(card).to_contain_text("From the small pack")
    expect(card).to_contain_text("From the large pack")
    kinds = {(row[0], row[4]) for row in rows_of(page, "By day")}
    assert {("small", "SMS segments"), ("large", "SMS segments")} <= kinds
