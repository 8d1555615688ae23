"""Customers, a customer's page and the fleet: found, ranked, and cost for two roles alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest

from dashboard.exports import as_csv
from dashboard.views.fleet import fleet_rows, margin_line, margin_rows
from dashboard.views.fleet_readings import read_counts, read_index
from dashboard.views.fleet_words import CODES, REASONS, flags
from data.fleet import FleetRow, MarginRow, Reason, fleet, margins
from data.health import refresh_health
from data.identity import entries
from data.models import Alert
from data.notes import notes
from tests.bills import agreed, overage
from tests.staffed import (
    ADMIN,
    ANNA,
    BILLING,
    DEVELOPER,
    SUPPORT,
    app_on,
    opened,
    put_people,
    text_of,
)
from tests.stores import ACME, ACME_SID, BETA, on_plan, read_on, sms_days, version

NOW = datetime.now(UTC)  # the app's clock is the real one
TODAY = NOW.date()
FIRST = TODAY - timedelta(days=60)


@pytest.fixture
def app(sqlite_store, monkeypatch):
    """Acme far beyond its bundle, Beta within it; a cost that nobody else has."""
    put_people(sqlite_store)
    plan = agreed(overage("small"), plan="bundle", name="Bundle of 100")
    sqlite_store.put(version(plan), on_plan(ACME, plan, FIRST), on_plan(BETA, plan, FIRST))
    sqlite_store.put(*sms_days(ACME, FIRST, [400] * 61, "0.0173"))
    sqlite_store.put(*sms_days(BETA, FIRST, [1] * 61))
    read_on(sqlite_store, TODAY, synced_at=NOW, as_of=NOW)
    refresh_health(sqlite_store.owner, today=TODAY, now=NOW, settling_days=3)
    for cached in (read_index, read_counts):
        cached.clear()
    with app_on(sqlite_store, monkeypatch) as ready:
        yield ready


def at(store, member, page, **asked):
    test = opened(store, member, page)
    for name, value in asked.items():
        test.query_params[name] = value
    return test.run()


def test_a_search_in_the_address_finds_and_says_why(app):
    text = text_of(at(app, SUPPORT, "customers", q=ACME_SID.lower()))
    assert f"account {ACME_SID}" in text
    assert "Acme" in text
    assert "Beta" not in text


def test_what_is_typed_goes_into_the_address(app):
    test = opened(app, SUPPORT, "customers")
    test.text_input(key="customer_search").set_value("Btea")
    text = text_of(test.run())
    assert "Nothing is spelt like that" in text
    assert "Acme" not in text
    assert test.query_params["q"] == "Btea"


def test_the_list_shows_what_is_amiss(app):
    assert "Expected overage" in text_of(opened(app, SUPPORT, "customers"))


@pytest.mark.parametrize("member", [ADMIN, BILLING, DEVELOPER, SUPPORT, ANNA])
def test_only_staff_get_the_pages_and_two_roles_the_margin(app, member):
    staff, cost = member != ANNA, member in (ADMIN, BILLING)
    shown = text_of(opened(app, member, "fleet"))
    assert ("need" in shown and "Bundle of 100" in shown) == staff
    assert ("Margin" in shown) == cost
    again = text_of(at(app, member, "fleet", view="margin"))
    assert ("Gross margin" in again) == cost
    page = text_of(at(app, member, "customer", customer="beta"))
    assert ("office@beta.test" in page) == staff
    assert ("Margin" in page) == cost


def test_the_cost_itself_stands_on_no_page_without_the_right(app):
    [acme] = [one for one in margins(app.app) if one.slug == "acme"]
    for page in ("fleet", "customers", "customer"):
        text = text_of(at(app, SUPPORT, page, customer="acme", view="margin"))
        assert f"{acme.cost:,.2f}" not in text
    assert f"{acme.cost:,.2f}" in text_of(at(app, BILLING, "fleet", view="margin"))


def test_a_filter_in_the_address_cuts_the_list(app):
    assert "Beta" not in text_of(opened(app, SUPPORT, "fleet"))
    shown = text_of(at(app, SUPPORT, "fleet", show="all", sort="name"))
    assert shown.index("customer=acme") < shown.index("customer=beta")
    assert "Nobody is in this list" in text_of(at(app, SUPPORT, "fleet", show="errors"))
    odd = text_of(at(app, SUPPORT, "fleet", show="nonsense", sort="x", leaf="-9", plan="'"))
    assert "Acme" in odd


def test_an_empty_fleet_says_what_will_fill_it(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    read_counts.clear()
    with app_on(sqlite_store, monkeypatch) as ready:
        assert "Nothing has been worked out yet" in text_of(opened(ready, SUPPORT, "fleet"))


def test_a_customers_page_has_what_a_call_needs(app):
    app.put(
        Alert(
            customer_id=ACME, sid="NO1", account_sid=ACME_SID, day=TODAY, at=NOW, code="30007",
            level="error",
        )
    )  # fmt: skip
    text = text_of(at(app, SUPPORT, "customer", customer="acme"))
    for words in (
        *("Acme", "office@acme.test", "Anna", ACME_SID, "Bundle of 100", "Expected overage"),
        *("Error 30007", "Used and left", "Where it will end", "Last statements", "No note yet"),
    ):
        assert words in text
    assert "office@beta.test" not in text


def test_an_account_in_the_address_leads_to_its_customer(app):
    assert "office@acme.test" in text_of(at(app, SUPPORT, "customer", account=ACME_SID))


def test_an_unknown_customer_leads_nowhere(app):
    assert "Choose a customer" in text_of(at(app, SUPPORT, "customer", customer="nobody"))


def test_a_note_is_kept_under_the_writers_name_and_stays_text(app):
    test = at(app, SUPPORT, "customer", customer="acme")
    test.text_area[0].set_value("Prefers <b>mail</b>")
    next(one for one in test.button if one.label == "Add note").click()
    text = text_of(test.run())
    [kept] = notes(app.app, ACME)
    assert (kept.author, kept.text) == ("Support", "Prefers <b>mail</b>")
    assert "&lt;b&gt;mail" in text
    assert [one.actor for one in entries(app.app, action="note_written")] == ["Support"]


def test_viewing_as_the_customer_asks_for_a_reason_first(app):
    test = at(app, SUPPORT, "customer", customer="acme")
    next(one for one in test.button if one.label == "View as customer").click()
    text = text_of(test.run())
    assert "The reason is recorded." in text
    assert next(one for one in test.button if one.label == "Open read-only").disabled


def test_the_export_holds_every_row_and_no_cost(app):
    class At:
        today = TODAY

    rows = fleet(app.app, now=NOW)
    text = as_csv(fleet_rows(rows, At)).decode()
    assert len(text.splitlines()) == 1 + len(rows) == 3
    [acme] = [one for one in margins(app.app) if one.slug == "acme"]
    assert f"{acme.cost.normalize():f}" not in text
    assert f"{acme.cost.normalize():f}" in as_csv(margin_rows([acme])).decode()


def test_every_reason_has_a_code_and_words():
    assert set(CODES.values()) == set(REASONS) == set(Reason)


def row(reasons, **values) -> FleetRow:
    empty = dict.fromkeys(FleetRow.__dataclass_fields__)
    given = {"customer_id": 1, "chance": 0, "errors": 0, "errors_before": 0, "requests": 0}
    given |= {"ends": "", "unusual_meter": "", "failing": False, "resting": False}
    return FleetRow(**{**empty, **given, "reasons": reasons, **values})


CREDITS = {"ends": "credits", "ends_early": date(2026, 11, 24), "ends_late": date(2026, 11, 28)}
GONE = {"ends": "allowance", "ends_early": date(2026, 11, 12), "ends_late": date(2026, 11, 12)}


@pytest.mark.parametrize(
    ("reason", "values", "words"),
    [
        (
            Reason.STALE,
            {"synced_at": datetime(2026, 11, 19, 8, tzinfo=UTC)},
            "No data since 19 Nov",
        ),
        (Reason.STALE, {}, "Never read"),
        (Reason.STALE, {"failing": True}, "Last reading failed"),
        (Reason.RUNS_OUT, {**CREDITS, "credits_left": D(9)}, "Credits end 24–28 Nov"),
        (Reason.RUNS_OUT, {**CREDITS, "credits_left": D(0)}, "Credits used up"),
        (Reason.RUNS_OUT, GONE, "Allowance used up"),
        (Reason.OVERAGE, {"overage": D(150), "currency": "USD", "chance": 83}, "$150, 83% likely"),
        (Reason.REQUEST, {"requests": 2}, "2 open requests"),
        (Reason.LOW_CREDITS, {**CREDITS, "credits_left": D(9)}, "Credits end 24–28 Nov"),
        (
            Reason.UNUSUAL,
            {"unusual_on": date(2026, 11, 18), "unusual_meter": "SMS"},
            "Unusual 18 Nov: SMS",
        ),
        (Reason.ERRORS, {"errors": 40, "errors_before": 3}, "40 errors in 7 days, 3 before"),
        (Reason.RECONCILIATION, {"differs_in": date(2026, 10, 1)}, "October 2026 differs"),
    ],
)
def test_a_reason_is_said_in_words(reason, values, words):
    assert words in flags(row(reason, **values), date(2026, 11, 20)).replace("&#x27;", "'")


def test_the_most_urgent_reason_is_said_first():
    said = flags(row(Reason.STALE | Reason.ERRORS | Reason.REQUEST), date(2026, 11, 20))
    assert said.index("Never read") < said.index("request") < said.index("error")


def test_a_margin_names_the_days_of_a_period_that_begins_in_mid_month():
    days = (date(2026, 3, 15), date(2026, 4, 15))
    row = MarginRow(ACME, "acme", "Acme", "main", "Bundle", *days, "USD", D(10), D(4), "USD")
    assert "15 Mar – 14 Apr 2026" in margin_line(row)
