"""Every page as each kind of person gets it, run by Streamlit's own test runner.

The demo's world is read once through its Twilio API; two customers stand against each other on
every page.  States that the demo does not show are made by changing a copy of its database.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update
from streamlit.testing.v1 import AppTest

from dashboard.views.customers import ASKED, GOING_TO
from dashboard.views.page import configuration
from data.identity import hashed, members, open_session, resolve, revoke
from data.models import Account, AuditEntry, UsageRecord
from data.scope import EveryTenant, Scope, engine, reading, writing
from data.settings import ROOT
from data.statement import staff_statement
from data.store import periods
from tests.demo_app import demo

BIRCH, FJORD = "Birch Bakery", "Fjord Optik"
CUSTOMER_PAGES = (
    *("overview", "usage", "plan", "spend", "credits", "what-if", "service", "company"),
    *("accounts", "access"),
)
MARKS = {  # what gives a customer away: name, e-mail, external id, plan, currency
    BIRCH: ("Birch", "birch-bakery", "OWL-1004", "overage · Small", "Orders"),
    FJORD: ("Fjord", "fjord-optik", "OWL-1003", "bundle · Medium", "€", "EUR", "Appointments"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The environment of a demo whose API has answered and is gone."""
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder) as environment:
        pass
    return environment


@pytest.fixture
def app(filled, tmp_path, monkeypatch):
    """Opens the app as a person, on a copy of the demo's database."""
    source = Path(filled["DATABASE_URL"].removeprefix("sqlite:///"))
    copied = tmp_path / "demo.sqlite"
    # Not the file alone: what was written last may still be in the log beside it.
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(copied)) as copy:
        whole.backup(copy)
    url = f"sqlite:///{copied}"
    for name, value in {**filled, "DATABASE_URL": url}.items():
        monkeypatch.setenv(name, value)
    configuration.cache_clear()
    yield App(EveryTenant(url))
    configuration.cache_clear()
    engine(url).dispose()


class App:
    def __init__(self, scope: EveryTenant) -> None:
        self.scope = scope

    def sign_in(self, person: str) -> str:
        """The key of a new session of the person of this name."""
        member = next(one for one in members(self.scope) if one.name == person)
        life = timedelta(hours=1)
        now = datetime.now(UTC)
        return hashed(open_session(self.scope, member.membership_id, "demo", now, life=life))

    def open(self, person: str | None, page: str | None = None) -> AppTest:
        test = AppTest.from_file(ROOT / "dashboard" / "main.py", default_timeout=30)
        test.user = {"session": self.sign_in(person)} if person else {}
        return go(test.run(), page) if page else test.run()

    def change_accounts(self, customer: str, **values) -> None:
        with writing(self.scope) as session:
            owner = next(m.customer.id for m in members(self.scope) if m.name == customer)
            session.exec(update(Account).where(col(Account.customer_id) == owner).values(**values))


def go(test: AppTest, page: str) -> AppTest:
    test.session_state[GOING_TO] = page
    return test.run()


def everything(test: AppTest) -> str:
    """All that was sent to the browser, charts and labels included."""
    assert not test.exception
    return "\n".join(str(getattr(one, "proto", "")) for one in _nodes(test._tree))


def _nodes(node):
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def press(test: AppTest, label: str) -> AppTest:
    # Where a list has many, each says in grey whose it is.
    next(one for one in test.button if one.label.split(" :gray")[0] == label).click()
    return test.run()


@pytest.mark.parametrize("page", CUSTOMER_PAGES)
@pytest.mark.parametrize(("mine", "other"), [(BIRCH, FJORD), (FJORD, BIRCH)])
def test_a_page_shows_its_customer_and_nothing_of_the_other(app, page, mine, other):
    text = everything(app.open(mine, page))
    assert mine in text
    assert [mark for mark in MARKS[other] if mark in text] == []


@pytest.mark.parametrize("page", CUSTOMER_PAGES)
def test_no_page_of_a_customer_says_cost_or_margin(app, page):
    member = next(one for one in members(app.scope) if one.name == "Cedar Logistics")
    scope = Scope(member.customer.id, app.scope.url)
    period = periods(scope, "main", today=date(2026, 11, 21))[0]
    bill = staff_statement(scope, "main", period, today=period.last_day)
    text = everything(app.open("Cedar Logistics", page))
    assert "Gross margin" not in text
    assert f"{bill.cost:.2f}" not in text
    assert (f"{bill.amount:.2f}" in text) == (page in ("overview", "plan", "spend", "company"))


@pytest.mark.parametrize(
    ("customer", "sentence"),
    [
        (BIRCH, "SMS bundle with overage · Small includes"),
        (FJORD, "of 200 SMS segments"),
        ("Cedar Logistics", "Pay as you go"),
        ("Dune Travel", "to the next price step"),
        ("Elm Fitness", "credits left"),
        ("Grove Vets", "Prorated: 22 of 30 days."),
        ("Harbor Events", "This account is closed."),
        ("Iris Studio", "You pay Twilio directly"),
    ],
)
def test_the_overview_says_what_the_plan_is_about(app, customer, sentence):
    assert sentence in everything(app.open(customer, "overview"))


def test_a_prorated_fee_is_shown_with_its_arithmetic(app):
    assert "22/30 × $59.99" in everything(app.open("Grove Vets", "spend"))


def test_the_demo_is_marked_on_every_page(app):
    for page in CUSTOMER_PAGES:
        assert "Demo data" in everything(app.open(BIRCH, page))


def test_a_stranger_sees_that_they_are_signed_out(app):
    text = everything(app.open(None))
    assert "You are signed out" in text
    assert "Birch" not in text


def test_a_revoked_session_ends_on_its_next_run(app):
    test = app.open(BIRCH)
    key = test.user["session"]
    revoke(app.scope, key, datetime.now(UTC))
    assert "You are signed out" in everything(test.run())


def test_support_has_the_list_of_customers_and_no_margin(app):
    text = everything(app.open("Sam Support"))
    assert BIRCH in text
    assert FJORD in text
    assert "Margin" not in text


@pytest.mark.parametrize(
    "words", ["birch", "office@birch", "OWL-1004", "sid"], ids=["name", "e-mail", "id", "SID"]
)
def test_support_finds_a_customer_by_what_the_caller_gives(app, words):
    if words == "sid":
        with reading(app.scope) as session:
            words = session.exec(select(Account.sid).where(Account.name == BIRCH)).one()
    test = app.open("Sam Support")
    test.text_input[0].set_value(words)
    text = everything(test.run())
    assert BIRCH in text
    assert FJORD not in text


def test_a_search_without_a_match_says_so_with_the_words_escaped(app):
    test = app.open("Sam Support")
    test.text_input[0].set_value("<b>nobody</b>")
    text = everything(test.run())
    assert "No customer matches" in text
    assert "&lt;b&gt;nobody" in text


def view_birch_as(app: App, person: str) -> AppTest:
    """As after the dialog, which is a fragment and closes when all of the script runs."""
    test = app.open(person)
    birch = next(one.customer.id for one in members(app.scope) if one.name == BIRCH)
    test.session_state[ASKED] = (birch, "Ticket 7 <i>")
    return test.run()


def test_opening_asks_for_a_reason_first(app):
    test = app.open("Sam Support")
    text = everything(press(test, "Open"))
    assert "The reason is recorded." in text
    assert next(one for one in test.button if one.label == "Open read-only").disabled


def test_a_customer_cannot_view_another_by_asking_for_it(app):
    test = app.open(FJORD)
    birch = next(one.customer.id for one in members(app.scope) if one.name == BIRCH)
    test.session_state[ASKED] = (birch, "curious")
    for page in (*CUSTOMER_PAGES, "customers"):
        assert "Birch" not in everything(go(test, page))


def test_staff_see_the_customers_own_page_under_a_banner(app):
    text = everything(view_birch_as(app, "Sam Support"))
    assert "You are viewing" in text
    assert "as support · read-only · Ticket 7 &lt;i&gt;" in text
    assert "SMS bundle with overage · Small includes" in text
    assert "Fjord" not in text


def test_viewing_is_noted_and_ends_with_the_button(app):
    test = view_birch_as(app, "Sam Support")
    assert "You are viewing" not in everything(press(test, "Stop viewing"))
    assert resolve(app.scope, test.user["session"], datetime.now(UTC)).viewing is None
    with reading(app.scope) as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry)).all()]
    assert actions.count("view_as_start") == actions.count("view_as_stop") == 1


def test_a_customers_page_has_no_margin_even_for_those_who_may_see_it(app):
    test = view_birch_as(app, "Billie Billing")
    for page in CUSTOMER_PAGES:
        assert "Twilio costs us" not in everything(go(test, page))


def test_a_billing_manager_opens_cost_and_margin_from_the_list(app):
    test = app.open("Billie Billing")
    text = everything(press(test, "Margin"))
    assert "Staff only" in text
    assert "Twilio costs us" in text


def test_old_figures_say_that_they_are_old(app):
    app.change_accounts(BIRCH, synced_at=datetime(2026, 11, 18, tzinfo=UTC))
    assert "more than a day old" in everything(app.open(BIRCH))


def test_a_failed_reading_says_so_without_details(app):
    app.change_accounts(BIRCH, sync_error="401 from api.twilio.com with token 123")
    text = everything(app.open(BIRCH))
    assert "Not up to date" in text
    assert "token 123" not in text


def test_before_the_first_reading_the_page_says_that_it_will_fill(app):
    app.change_accounts(BIRCH, synced_at=None, as_of=None)
    with writing(app.scope) as session:
        for row in session.exec(select(UsageRecord)).all():
            session.delete(row)
    for page in ("overview", "usage", "spend"):
        assert "No usage has been read yet." in everything(app.open(BIRCH, page))
    assert "Not read yet" in everything(app.open(BIRCH, "accounts"))


def test_a_suspended_account_is_named(app):
    app.change_accounts(BIRCH, status="suspended")
    assert "Suspended: Orders." in everything(app.open(BIRCH))


def test_a_database_without_tables_is_a_sentence(app, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite'}")
    configuration.cache_clear()
    test = AppTest.from_file(ROOT / "dashboard" / "main.py", default_timeout=30)
    test.user = {"session": "0" * 64}
    text = everything(test.run())
    assert "The data cannot be read right now" in text
    assert "sqlite" not in text


def test_what_breaks_on_a_page_is_not_shown(app, monkeypatch):
    def explode(*_, **__):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("dashboard.views.overview.cards", explode)
    text = everything(app.open(BIRCH))
    assert "Something went wrong on our side" in text
    assert "secret detail" not in text
