"""Connecting one's own Twilio account in a browser, through the demo's page of consent.

A stage of its own: Acme and Beta with accounts in every state, and the emulator's side of Connect.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect
from sqlmodel import col, delete
from starlette.applications import Starlette
from starlette.routing import Mount

from data.demo.connect_api import connect_routes, connectable
from data.demo.twilio_api import twilio_api
from data.demo.world import World
from data.identity import Role, add_membership, add_person
from data.migrations import migrate
from data.models import Account, Customer, Subscription
from data.scope import EveryTenant, engine, writing
from data.settings import Settings
from tests.browser.stage import WAIT, Live, settle, sign_in, visit
from tests.servers import serving
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers
from tests.streamlit_client import serving as serving_app

TODAY = date(2026, 3, 20)
READ = datetime(2026, 3, 20, 6, 5, tzinfo=UTC)
CLEO = 103  # has a contract, and no account yet
CONNECT = "Connect your Twilio account"
PEOPLE = (
    ("Mia Manager", Role.MANAGER, ACME),
    ("Vic Viewer", Role.VIEWER, ACME),
    ("Ben Beta", Role.MANAGER, BETA),
    ("Cleo Coffee", Role.MANAGER, CLEO),
    ("Sam Support", Role.SUPPORT, None),
)


@dataclass
class Later:
    """An app whose address must be known before it can be made."""

    app: Starlette | None = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Live]:
    url = f"sqlite:///{tmp_path_factory.mktemp('connect') / 'store.sqlite'}"
    migrate(Settings(database_url=url, demo=True, _env_file=None))
    _fill(EveryTenant(url))
    emulator = Later()
    with serving(emulator) as api:
        environment = {
            "DEMO": "1",
            "DEMO_TODAY": str(TODAY),
            "DATABASE_URL": url,
            "TWILIO_API_BASE": api,
        }
        with serving_app("streamlit_app:app", **environment) as base:
            world = World(1, TODAY)
            routes = connect_routes(world, base)
            emulator.app = Starlette(routes=[*routes, Mount("/", twilio_api(world))])
            yield Live(base, api, url)
    engine(url).dispose()


def _fill(scope: EveryTenant) -> None:
    # Accounts of Acme's in every state; Beta has one.
    more = {
        "c": {"application": "Shop", "name": "Acme Shop", "status": "suspended"},
        "d": {"name": "Acme Old", "status": "closed", "closed_on": date(2026, 2, 3)},
        "e": {"name": "Acme Lab", "sync_error": "401 from api.twilio.com"},
        "f": {"name": "Acme New", "synced_at": None, "as_of": None},
    }
    with writing(scope) as session:
        for row in customers():
            session.add(row)
            session.flush()
            if isinstance(row, Account):
                row.name = "Acme Main" if row.sid == ACME_SID else "Beta Main"
                row.synced_at = row.as_of = READ
        for letter, terms in more.items():
            session.add(account(ACME, "AC" + letter * 32, **terms))
        session.add(Customer(id=CLEO, slug="cleo", name="Cleo Coffee"))
        session.flush()
        session.add(Subscription(customer_id=CLEO, key="main", starts_on=date(2026, 3, 1)))
    for name, role, customer in PEOPLE:
        person = add_person(scope, f"{name.split()[0].lower()}@x.example", name)
        add_membership(scope, person, role, customer)


@pytest.fixture(autouse=True)
def _as_before(place):
    """What one test connects, the next one does not find."""
    yield
    with writing(EveryTenant(place.database)) as session:
        session.execute(delete(Account).where(col(Account.named_by) == "connect"))


def entry(page, name):
    return page.locator("li.u-account", has=page.get_by_role("heading", name=name, exact=True))


def at_twilio(page):
    page.get_by_role("button", name=CONNECT).click()
    expect(page.get_by_role("heading", name="Owl Inc. asks to read your account")).to_be_visible()


def allow(page, name="Juniper Shop"):
    at_twilio(page)
    page.get_by_label(name).check()
    page.get_by_role("button", name="Allow").click()
    settle(page)


STATES = {
    "Acme Main": ("Active", "Read 20 Mar 06:05 UTC"),
    "Shop": ("Suspended", "Read"),
    "Acme Old": ("Closed on 3 Feb 2026", "Read"),
    "Acme Lab": ("Active", "The last reading failed"),
    "Acme New": ("Active", "Not read yet"),
}


def test_each_account_says_how_it_is_and_how_far_it_is_read(browser, place):
    page = visit(browser, place, "Mia Manager", "accounts")
    for name, sentences in STATES.items():
        for text in sentences:
            expect(entry(page, name)).to_contain_text(text)
        expect(entry(page, name)).to_contain_text("Yours since 1 Jan 2026")
    expect(entry(page, "Acme Main")).to_contain_text(ACME_SID)
    content = page.content()
    assert "Beta" not in content
    assert BETA_SID not in content
    assert "401 from" not in content
    assert page.complaints == []


def test_a_customer_without_accounts_reads_so_and_may_connect_one(browser, place):
    page = visit(browser, place, "Cleo Coffee", "accounts")
    expect(page.get_by_text("No Twilio account belongs to Cleo Coffee yet.")).to_be_visible()
    allow(page, "Kestrel Cabs")
    expect(entry(page, "Kestrel Cabs")).to_contain_text("Active")
    expect(page.get_by_text("No Twilio account belongs")).to_have_count(0)
    assert page.complaints == []


def test_a_manager_connects_an_account_and_sees_it(browser, place):
    page = visit(browser, place, "Mia Manager", "accounts")
    allow(page)
    expect(page.locator(".u-callout")).to_contain_text("Juniper Shop is connected.")
    one = entry(page, "Juniper Shop")
    expect(one).to_contain_text("Not read yet")
    expect(one).to_contain_text("You pay Twilio")
    opened = connectable(World(1, TODAY))[0].opened_on
    expect(one).to_contain_text(f"Yours since {opened.day} Oct {opened.year}")
    assert page.complaints == []
    other = visit(browser, place, "Ben Beta", "accounts")
    expect(entry(other, "Beta Main")).to_be_visible()
    assert "Juniper" not in other.content()


def test_connecting_the_same_account_again_is_no_mistake(browser, place):
    page = visit(browser, place, "Mia Manager", "accounts")
    allow(page)
    allow(page)
    expect(entry(page, "Juniper Shop")).to_have_count(1)


def test_a_person_who_denies_reads_that_nothing_happened(browser, place):
    page = visit(browser, place, "Mia Manager", "accounts")
    at_twilio(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="No account was connected")).to_be_visible()
    expect(page.get_by_text("You chose not to share your account at Twilio.")).to_be_visible()
    page.get_by_role("link", name="Back to your accounts").click()
    settle(page)
    expect(page.get_by_role("button", name=CONNECT)).to_be_visible()
    expect(entry(page, "Juniper Shop")).to_have_count(0)


def test_an_account_of_another_customer_is_refused_without_a_word_about_it(browser, place):
    allow(visit(browser, place, "Mia Manager", "accounts"))
    page = visit(browser, place, "Ben Beta", "accounts")
    at_twilio(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("This Twilio account cannot be connected here.")).to_be_visible()
    assert "Acme" not in page.content()


@pytest.mark.parametrize("how", ["forged", "used"])
def test_an_answer_that_is_not_fresh_is_refused(browser, place, how):
    page = visit(browser, place, "Mia Manager", "accounts")
    sid, state = connectable(World(1, TODAY))[0].sid, "forged"
    if how == "used":
        at_twilio(page)
        state = page.locator("input[name=state]").input_value()
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("heading", name="No account was connected")).to_be_visible()
    page.goto(f"{place.base}/connect/callback?AccountSid={sid}&state={state}")
    expect(page.get_by_role("heading", name="Please start again")).to_be_visible()
    page.goto(f"{place.base}/accounts?connected={sid}")
    settle(page)
    expect(page.locator(".u-callout")).to_have_count(0)
    expect(entry(page, "Juniper Shop")).to_have_count(0)


def test_a_viewer_sees_the_accounts_and_no_button(browser, place):
    page = visit(browser, place, "Vic Viewer", "accounts")
    expect(entry(page, "Acme Main")).to_be_visible()
    expect(page.get_by_role("button", name=CONNECT)).to_have_count(0)


def test_staff_who_view_the_customer_see_no_button(browser, place):
    page = visit(browser, place, "Sam Support", "customers")
    page.get_by_role("button", name="Open Acme").click()
    page.get_by_label("Reason").fill("Ticket 4711")
    page.get_by_label("Reason").press("Enter")
    page.get_by_role("button", name="Open read-only").click()
    expect(page.locator(".st-key-viewing")).to_be_visible(timeout=WAIT)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Accounts").click()
    expect(entry(page, "Acme Main")).to_be_visible()
    expect(page.get_by_role("button", name=CONNECT)).to_have_count(0)


def test_consent_taken_back_at_twilio_stands_on_the_page(browser, place):
    page = visit(browser, place, "Mia Manager", "accounts")
    allow(page)
    console = page.context.new_page()
    console.goto(f"{place.api}/console/connect")
    console.get_by_label("Juniper Shop").check()
    console.get_by_role("button", name="Withdraw consent").click()
    expect(console.get_by_text("The app was told.")).to_be_visible()
    sign_in(page, place, "Mia Manager", "accounts")
    one = entry(page, "Juniper Shop")
    expect(one).to_contain_text(re.compile("Consent withdrawn since 20 Mar 2026"))
    expect(one).to_contain_text("No longer read; what was read stays")
