"""The pages Plans, Agreements and Import: who may, what they show, what their acts leave behind."""

from datetime import date
from functools import partial

import pytest

from dashboard.views import agreement_credits, agreements, import_customers, plans
from dashboard.views.agreement_parts import timeline_table
from dashboard.views.plan_words import place_in_words
from data import identity
from data.agreements import credit_lots, plan_timeline
from data.customer_acts import agreement
from data.customers_file import PlanEntry
from data.grants import CreditEntry
from data.plans import all_plans
from data.pricing import PlanChange, timeline
from tests.bills import agreed, credit_price, overage
from tests.staffed import (
    ANNA,
    BILLING,
    DEVELOPER,
    SUPPORT,
    app_on,
    asked,
    opened,
    put_people,
    text_of,
)
from tests.stores import ACME, BETA, on_plan, sms_days, version

PACK = {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}}
SMALL = agreed(overage("small"), plan="small", name="Small bundle")
CREDITS = agreed(credit_price(packs=[PACK]), plan="credits", name="Credits")
PATHS = ("plans", "agreements", "import")


@pytest.fixture
def app(sqlite_store, monkeypatch):
    put_people(sqlite_store)
    sqlite_store.put(version(SMALL), version(CREDITS))
    sqlite_store.put(on_plan(ACME, SMALL), on_plan(BETA, CREDITS))
    sqlite_store.put(*sms_days(ACME, date(2026, 2, 1), [5] * 28))
    plans.forget()
    with app_on(sqlite_store, monkeypatch) as ready:
        yield ready
    plans.forget()


def press(test, label):
    next(one for one in test.button if one.label == label).click()
    return test.run()


def told(store):
    return [(one.actor, one.action, one.detail) for one in identity.entries(store.app)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("member", [SUPPORT, DEVELOPER, ANNA])
def test_nobody_without_the_right_gets_the_page(app, member, path):
    text = text_of(opened(app, member, path))
    marks = ("New plan", "No customer is chosen", "Import customers")
    assert [one for one in marks if one in text] == []


def test_the_list_says_which_version_how_many_have(app):
    text = text_of(opened(app, BILLING, "plans"))
    assert "Small bundle" in text
    assert "Tiers with overage" in text
    assert "Version 1: 1 customer" in text


def test_the_form_shows_the_terms_and_names_what_is_wrong_and_loses_nothing(app):
    test = press(opened(app, BILLING, "plans"), "Edit small")
    assert "You are writing version 2" in text_of(test)
    fee = next(one for one in test.text_input if one.value == "49.99")
    fee.set_value("a lot")
    test.run()
    assert "Prices 1 · Tiers 1 · Fee" in text_of(test)
    assert "a lot" in [one.value for one in test.text_input]
    save = next(one for one in test.button if one.label.startswith("Save as version"))
    assert save.disabled


def test_a_version_is_saved_with_who_and_why_and_the_second_of_two_is_told(app):
    test = opened(app, BILLING, "plans")
    dearer = agreed(overage("small"), plan="small", name="Small bundle", monthly_fee="5")
    test = asked(test, partial(plans._save, dearer, 1, "new prices"))
    assert "is saved as version 2" in text_of(test)
    assert all_plans(app.app)["small", 2].monthly_fee == 5
    assert told(app)[0][1:] == ("plan_saved", "small version 2: Small bundle (new prices)")
    test = asked(test, partial(plans._save, dearer, 1, "too late"))
    assert "Version 2 of small has been saved since" in text_of(test)
    assert ("small", 3) not in all_plans(app.app)


def test_a_right_taken_away_stops_the_act(app):
    test = opened(app, SUPPORT, "customers")
    before = all_plans(app.app)
    asked(test, partial(plans._save, SMALL, 1, "no right"))
    assert all_plans(app.app) == before


def test_the_terms_on_real_months_say_what_each_would_have_paid(app):
    test = press(opened(app, BILLING, "plans"), "Edit small")
    fee = next(one for one in test.text_input if one.value == "49.99")
    fee.set_value("59.99")
    test.run()
    text = text_of(press(test, "Compare"))
    assert "Acme" in text
    assert "+$30.00" in text  # ten more in each of three months


def _agreements(app, slug):
    test = opened(app, BILLING, "agreements")
    test.query_params["customer"] = slug
    return test.run()


def test_a_link_opens_the_customer_and_only_that_one(app):
    text = text_of(_agreements(app, "acme"))
    assert "Small bundle" in text
    assert "Credits granted" not in text
    assert "No customer is chosen" in text_of(_agreements(app, "nobody"))


def test_a_plan_is_agreed_and_credits_are_granted_once(app):
    test = _agreements(app, "beta")
    entry = agreement(app.app, "beta")
    change = PlanEntry.model_validate({"plan": "small", "from": "2027-01-01"})
    text = text_of(asked(test, partial(agreements._do_agree, entry, change, "ticket 7")))
    assert "is agreed with" in text
    assert [one.plan.plan for one in plan_timeline(app.beta, "main")] == ["credits", "small"]
    assert [one.plan.plan for one in plan_timeline(app.acme, "main")] == ["small"]
    grant = CreditEntry.model_validate({"key": "k", "pack": "small", "bought_on": "2026-03-01"})
    act = partial(agreement_credits._do_grant, agreement(app.app, "beta"), grant, "sorry")
    assert "is granted to" in text_of(asked(test, act))
    assert "counts once" in text_of(asked(test, act))
    assert [one.key for one in credit_lots(app.beta, "main")] == ["k"]
    assert [one[1] for one in told(app)][:2] == ["credits_granted", "agreement_changed"]


def test_rows_are_judged_before_they_are_stored(app):
    test = opened(app, BILLING, "import")
    rows = "slug,name,plan,starts_on\nacme,Acme Ltd,,\nnew,New Co,small,2026-04-01\n"
    test.text_area(key="import_text").set_value(rows)
    text = text_of(press(test.run(), "Check the rows"))
    assert "name changed" in text
    assert "New" in text
    assert agreement(app.app, "acme").name == "Acme"
    text = text_of(asked(test, partial(import_customers._store, rows, "first list")))
    assert "2 rows are stored" in text
    assert agreement(app.app, "acme").name == "Acme Ltd"
    assert [one.plan for one in agreement(app.app, "new").plans] == ["small"]


def test_a_wrong_row_is_named_and_none_can_be_stored(app):
    test = opened(app, BILLING, "import")
    test.text_area(key="import_text").set_value("slug,plan\nacme,nothing\n")
    test = press(test.run(), "Check the rows")
    assert "plan: there is no" in text_of(test)
    assert not [one for one in test.button if one.label.startswith("Store them")]


def test_the_place_of_a_mistake_is_said_in_words():
    assert place_in_words("prices.0.tiers.1.fee") == "Prices 1 · Tiers 2 · Fee"


def test_a_lot_has_its_currency_and_its_last_day():
    days = {"bought_on": "2026-03-01", "expires_on": "2026-06-01"}
    lot = CreditEntry.model_validate({"key": "k", **PACK, **days})
    shown = agreement_credits.lots_table([lot], "EUR")
    assert "€10.00" in shown
    assert "31 May 2026" in shown


def test_a_plan_is_shown_until_its_last_day():
    changes = [PlanChange(SMALL, date(2026, 1, 1)), PlanChange(CREDITS, date(2026, 4, 1))]
    shown = timeline_table("Plans", timeline(changes, ends_on=None, anchor_day=1))
    assert "31 Mar 2026" in shown
