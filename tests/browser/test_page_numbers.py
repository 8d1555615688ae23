"""The figures of each page are what the store holds and the plan's terms make of it.

Usage is summed here by a query of its own, terms are worked out in a line; the product's engine
takes no part.
"""

import sqlite3
from contextlib import closing
from decimal import Decimal as D
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.stage import rows_of, visit
from tests.browser.twilio import FIRST, TODAY, with_overage

BIRCH, FJORD, ELM, CEDAR = "Birch Bakery", "Fjord Optik", "Elm Fitness", "Cedar Logistics"
TIERS = (("49.99", 100, "0.50"), ("59.99", 200, "0.30"), ("65.99", 300, "0.10"))
MONTHS = [f"2026-{month:02}-01" for month in range(5, 12)]  # six that are over, the running one
MILLIONTHS = 10**6


def ask(live, query, *values):
    with closing(sqlite3.connect(live.database.removeprefix("sqlite:///"))) as rows:
        return rows.execute(query, values).fetchall()


def segments(live, customer, first=FIRST, before="2026-12-01"):
    """SMS segments by application, of days from `first`."""
    found = ask(
        live,
        "SELECT a.application, SUM(u.usage) FROM usage_record u"
        " JOIN customer c ON c.id = u.customer_id"
        " JOIN account a ON a.customer_id = u.customer_id AND a.sid = u.account_sid"
        " WHERE c.name = ? AND u.category = 'sms' AND u.day >= ? AND u.day < ?"
        " GROUP BY a.application",
        *(customer, first, before),
    )
    return {application: D(units) / MILLIONTHS for application, units in found}


def used(live, customer, first=FIRST, before="2026-12-01"):
    return sum(segments(live, customer, first, before).values())


def months(live, customer):
    """Segments of each of the last six months, newest first."""
    return [used(live, customer, *span) for span in reversed(list(pairwise(MONTHS)))]


def grid(page, label):
    """Rows of a table as texts, its heads first."""
    table = page.get_by_role("region", name=label, exact=True).first
    return table.evaluate(
        "frame => [...frame.querySelector('table').rows].map(row => "
        "[...row.cells].map(cell => cell.innerText.split('\\n')[0].trim()))"
    )


def column(rows, name):
    at = rows[0].index(name)
    return [row[at] for row in rows[1:]]


def test_each_tier_is_priced_at_the_use_so_far(browser, live):
    page = visit(browser, live, BIRCH, "plan")
    units = used(live, BIRCH)
    expect(page.locator(".u-card").first).to_contain_text(f"{units:f} of 100 SMS segments")
    priced = column(grid(page, "Tiers of SMS"), "With use so far")
    assert priced == [f"${with_overage(units, *terms):.2f}" for terms in TIERS]


def test_a_bundle_without_overage_costs_its_fee_whatever_is_used(browser, live):
    page = visit(browser, live, FJORD, "plan")
    units = used(live, FJORD)
    expect(page.locator(".u-card").first).to_contain_text(f"{units:f} of 200 SMS segments")
    expect(page.locator(".u-card").first).to_contain_text(f"{200 - units:f} SMS segments")
    priced = column(grid(page, "Tiers of SMS"), "With use so far")
    assert priced == [f"€{fee}" for fee, *_ in TIERS]


def test_the_ledger_draws_what_was_used_and_ends_in_the_balance(browser, live):
    page = visit(browser, live, ELM, "credits")
    heads, *rows = rows_of(page, "Ledger (CSV)")
    kind, units, credits, balance = (
        heads.index(name) for name in ("Kind", "Units", "Credits", "Balance")
    )
    drawn = [row for row in rows if row[units]]
    assert {row[kind] for row in drawn} == {"draw"}
    assert sum(abs(D(row[units])) for row in drawn) == used(live, ELM, "2025-01-01")
    left = D(rows[-1][balance])
    assert abs(sum(D(row[credits]) for row in rows) - left) < D("0.001")  # rounded in the file
    figure = page.locator(".u-card .u-figure").first.inner_text().split()[0]
    assert D(figure) == left.quantize(D("0.01"))


def test_who_has_no_credits_is_told_so(browser, live):
    page = visit(browser, live, BIRCH, "credits")
    expect(page.locator(".u-state")).to_contain_text("Your plan has no credits")


@pytest.mark.parametrize("at", range(3), ids=["small", "medium", "large"])
def test_past_months_on_another_tier_are_those_months_at_its_terms(browser, live, at):
    page = visit(browser, live, BIRCH, "what-if")
    shown = grid(page, "Your past on each plan")
    name = ("Small", "Medium", "Large")[at]
    row = next(one for one in shown if one[0].startswith(name))
    own = [with_overage(units, *TIERS[0]) for units in months(live, BIRCH)]
    bills = [with_overage(units, *TIERS[at]) for units in months(live, BIRCH)]
    assert row[1] == f"${sum(bills):,.2f}"
    difference = sum(bills) - sum(own)
    assert row[2] == ("$0.00" if not difference else f"−${-difference:,.2f}")


def test_past_months_of_another_customer_are_its_own(browser, live):
    page = visit(browser, live, FJORD, "what-if")
    heads, *rows = rows_of(page, "CSV by month")
    whole = [row for row in rows if row[0] < "2026-10-01"]  # a change of plan came in October
    assert len(whole) == 5
    assert [D(row[1]) for row in whole] == [D("49.99")] * 5
    # The cheapest that has a price for all of its use is compared first.
    assert heads[2] == "Large"
    assert [D(row[2]) for row in rows] == [D("65.99")] * 6


def test_accounts_of_a_company_are_counted_one_by_one(browser, live):
    page = visit(browser, live, CEDAR, "company")
    rows = grid(page, "Pay as you go")
    by_account = segments(live, CEDAR)
    assert len(by_account) == 3
    counted = dict(zip(column(rows, "Account"), column(rows, "SMS segments"), strict=True))
    assert counted == {
        **{name: f"{units:,f}" for name, units in by_account.items()},
        "Together": f"{sum(by_account.values()):,f}",
    }
    *spent, together = (D(amount[1:].replace(",", "")) for amount in column(rows, "Spend so far"))
    assert sum(spent) == together


def test_who_has_one_account_is_sent_to_its_overview(browser, live):
    page = visit(browser, live, BIRCH, "company")
    expect(page.locator(".u-state")).to_contain_text("One account, nothing to compare")


@pytest.mark.parametrize("customer", [BIRCH, ELM])
def test_errors_are_those_that_twilio_has_reported(browser, live, customer):
    ((number,),) = ask(
        live,
        "SELECT COUNT(*) FROM alert a JOIN customer c ON c.id = a.customer_id"
        " WHERE c.name = ? AND a.day BETWEEN ? AND ?",
        *(customer, FIRST, TODAY),
    )
    page = visit(browser, live, customer, "service")
    assert number
    expect(page.get_by_text(f"{number} report", exact=False).first).to_be_visible()
    rows = rows_of(page)
    assert sum(int(row[rows[0].index("Count")]) for row in rows[1:]) == number


def test_the_bill_of_another_currency_is_its_fee_and_tax(browser, live):
    page = visit(browser, live, FJORD, "spend")
    total = D("59.99") + round(D("59.99") * D("0.25"), 2)
    expect(page.locator(".u-total")).to_contain_text(f"€{total}")
    assert D(rows_of(page)[-1][8]) == total


@pytest.mark.parametrize(("customer", "sign", "included"), [(BIRCH, "$", 100), (FJORD, "€", 200)])
def test_support_reads_the_figures_that_the_customer_reads(browser, live, customer, sign, included):
    units = used(live, customer)
    bill = with_overage(units, *TIERS[0]) if customer == BIRCH else D("74.99")
    slug = customer.lower().replace(" ", "-")
    page = visit(browser, live, "Sam Support", "")
    page.goto(f"{live.base}/customer?customer={slug}")
    cards = page.locator(".u-card")
    expect(cards.nth(0)).to_contain_text(f"{units:f} of {included} SMS segments")
    expect(cards.nth(1)).to_contain_text(f"{sign}{bill:.2f}")
    page.goto(f"{live.base}/fleet?show=all")
    heads, *rows = rows_of(page, "CSV of all that match")
    row = next(one for one in rows if one[0] == customer)
    assert D(row[heads.index("So far")]) == bill
