"""One person at several customers, and signing out everywhere, in a browser."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from data import identity
from data.identity import Role
from data.models import Customer
from data.scope import EveryTenant, reading
from tests.browser.stage import WAIT, settle


@pytest.fixture(scope="module")
def scope(live):
    return EveryTenant(live.database)


@pytest.fixture(scope="module")
def person(scope):
    """A bookkeeper of two customers of the demo."""
    with reading(scope) as session:
        rows = session.exec(select(Customer.slug, Customer.id)).all()
    ids = dict(rows)
    found = identity.add_person(scope, "books@keeper.test", "Bea Books")
    for slug in ("birch-bakery", "grove-vets"):
        identity.add_membership(scope, found, Role.VIEWER, ids[slug])
    return found


def entered(live, scope, person, browser):
    page = browser.new_context().new_page()
    link = identity.create_link(scope, person, datetime.now(UTC))
    page.goto(f"{live.base}/auth/link?token={link}")
    page.get_by_role("button", name="Sign in").click()
    settle(page)
    return page


def test_a_person_of_two_customers_sees_one_at_a_time_and_changes_over(
    live, scope, person, browser
):
    page = entered(live, scope, person, browser)
    who = page.locator(".u-who")
    expect(who).to_have_text("Birch Bakery", timeout=WAIT)
    page.get_by_role("combobox", name="Signed in at").click()
    page.get_by_role("option", name="Grove Vets").click()
    expect(who).to_have_text("Grove Vets", timeout=WAIT)
    settle(page)
    assert "Birch" not in page.locator(".stMain").inner_text()
    page.reload()
    settle(page)
    expect(who).to_have_text("Grove Vets", timeout=WAIT)


def test_signing_out_everywhere_takes_the_other_browser_along(live, scope, person, browser):
    here, there = (entered(live, scope, person, browser) for _ in range(2))
    here.get_by_role("button", name="End all my sessions").click()
    for page in (here, there):
        expect(page.get_by_role("heading", name="Sign in to")).to_be_visible(timeout=WAIT)
