"""customers.yaml: dry run, import, import again, and what is refused on which line."""

from datetime import date

import pytest
from sqlmodel import select

from data.agreements import credit_lots, plan_stretches, plan_timeline
from data.customers import import_customers
from data.errors import Conflict, InputError, NotFound
from data.models import SYSTEM_CUSTOMER, TABLES, Customer
from data.scope import reading, writing
from data.store import data_version, subscription, subscriptions
from tests.bills import agreed, margin, tiers
from tests.customer_files import FILE, PLANS, importer, scope_of
from tests.stores import ACME_SID, BETA_SID, SYNCED


@pytest.fixture
def imported(store, tmp_path):
    return importer(store, tmp_path)


def rows(store):
    with reading(store.owner) as session:
        return {
            table.__tablename__: sorted(
                str(row.model_dump()) for row in session.exec(select(table)).all()
            )
            for table in TABLES
        }


def test_a_dry_run_stores_nothing(imported):
    before = rows(imported.store)
    imported(dry_run=True)
    assert rows(imported.store) == before


def test_a_dry_run_says_what_an_import_does(imported):
    assert imported(dry_run=True) == imported()


def test_an_import_names_each_thing_that_is_new(imported):
    assert imported() == (
        "plan margin version 1: new",
        "plan bundle version 1: new",
        "plan credits version 1: new",
        "customer acme: new",
        f"customer acme: account {ACME_SID} from 2026-01-01",
        "customer acme: plans are now credits v1 from 2026-01-01 (main)",
        "customer acme: 100 credits (first)",
        "customer beta: new",
        f"customer beta: account {BETA_SID} from 2026-02-10",
        "customer beta: plans are now margin v1 from 2026-02-10 (main)",
    )


def test_an_import_again_changes_nothing(imported):
    imported()
    before = rows(imported.store)
    assert (imported(), rows(imported.store)) == ((), before)


def test_each_customer_has_its_own(imported):
    imported()
    acme, beta = (scope_of(imported.store, slug) for slug in ("acme", "beta"))
    assert [account.sid for account in subscription(acme, "main").accounts] == [ACME_SID]
    assert [account.sid for account in subscription(beta, "main").accounts] == [BETA_SID]
    assert [len(credit_lots(scope, "main")) for scope in (acme, beta)] == [1, 0]


WRONG = {
    "unknown plan": (
        ("plan: margin", "plan: dear"),
        r"line 16: customers\.1\.plans\.0\.plan: no plan 'dear' with version 1",
    ),
    "unknown version": (
        ("plan: margin, ", "plan: margin, version: 7, "),
        r"line 16: .*no plan 'margin' with version 7",
    ),
    "bad SID": (
        (BETA_SID, "AC123"),
        r"line 14: customers\.1\.accounts\.0\.sid: ",
    ),
    "two owners on one day": (
        (BETA_SID, ACME_SID),
        rf"line 14: customers\.1\.accounts\.0\.sid: {ACME_SID} has two owners on one day",
    ),
    "margin over a cost in another currency": (
        ("customers:", "cost_currency: EUR\ncustomers:"),
        r"line 17: .*margin is in USD and follows a cost in EUR",
    ),
    "credits without a plan for them": (
        ("plan: credits", "plan: bundle"),
        r"line 10: customers\.0\.credits\.0: bought_on: no plan with credit_lots is in force",
    ),
    "an unknown pack": (("pack: small", "pack: huge"), r"line 10: .*'huge' is not one of the plan"),
    "a key of credits twice": (
        (
            "  - slug: beta",
            "      - {key: first, pack: small, bought_on: 2026-02-05}\n  - slug: beta",
        ),
        r"line 11: customers\.0\.credits\.1\.key: 'first' is used twice",
    ),
    "a slug twice": (("slug: beta", "slug: acme"), r"line 11: .*'acme' is used twice"),
    "the system's slug": (
        ("slug: beta", f"slug: {SYSTEM_CUSTOMER}"),
        r"line 11: .*accounts that w",
    ),
    "an end before its beginning": (
        ("from: 2026-02-10, app", "from: 2026-02-10, to: 2026-02-10, app"),
        r"line 14: customers\.1\.accounts\.0\.to: must come after from",
    ),
    "a plan that ends before the next": (
        (
            "      - {plan: margin",
            "      - {plan: bundle, from: 2026-01-01, to: 2026-01-20}\n      - {plan: margin",
        ),
        r"line 16: customers\.1\.plans\.0\.to: the next plan begins on 2026-02-10",
    ),
    "an account that no plan pays for": (
        ("application: Shop", "subscription: shop"),
        r"line 14: customers\.1\.accounts\.0\.subscription: no plan is for 'shop'",
    ),
    "no day": (("from: 2026-02-10, app", "from: February, app"), r"line 14: .*'February' is not a"),
    "a typo": (("email:", "emial:"), r"line 4: customers\.0\.emial: .*typo"),
    "pack and own terms": (
        ("pack: small,", "pack: small, price: 3,"),
        r"line 10: .*give either pack, or name",
    ),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_on_its_line(imported, change, message):
    with pytest.raises(Exception, match=message):
        imported(FILE.replace(*change))


def test_a_refused_file_stores_nothing(imported):
    before = rows(imported.store)
    with pytest.raises(Exception, match="no plan 'dear'"):
        imported(FILE.replace("plan: margin", "plan: dear"))
    assert rows(imported.store) == before


CURRENCY = (
    r"line 16: customers\.1\.plans: .*EUR differs from the USD before it; another currency is"
)


def test_a_second_currency_needs_a_subscription_of_its_own(store, tmp_path):
    euro = agreed(tiers("small"), plan="euro", currency="EUR")
    path = tmp_path / "customers.yaml"
    later = "      - {plan: euro, from: 2026-03-01}\n"
    path.write_text(FILE + later)
    with pytest.raises(Exception, match=CURRENCY):
        import_customers(store.owner, path, [*PLANS, euro], now=SYNCED)
    path.write_text(FILE + later.replace("euro,", "euro, subscription: second,"))
    import_customers(store.owner, path, [*PLANS, euro], now=SYNCED)
    assert [one.currency for one in subscriptions(scope_of(store, "beta"))] == ["USD", "EUR"]


def test_two_versions_of_a_plan_from_one_day_are_refused(store, tmp_path):
    path = tmp_path / "customers.yaml"
    path.write_text(FILE + "      - {plan: margin, version: 2, from: 2026-02-10}\n")
    second = agreed(margin(markup="0.2"), plan="margin", version=2)
    said = r"line 16: customers\.1\.plans: plan margin: two versions \(1 and 2\) are agreed from"
    with pytest.raises(InputError, match=said):
        import_customers(store.owner, path, [*PLANS, second], now=SYNCED)


def test_of_two_plans_from_one_day_the_last_one_is_billed(imported):
    two = "      - {plan: bundle, from: 2026-02-10}\n"
    imported(FILE + two)
    beta = scope_of(imported.store, "beta")
    assert [(one.plan.plan, one.billed) for one in plan_timeline(beta, "main")] == [
        ("margin", False),
        ("bundle", True),
    ]
    assert [one.plan.plan for one in plan_stretches(beta, "main")] == ["bundle"]


def test_credits_granted_are_never_changed(imported):
    imported()
    with pytest.raises(Conflict, match="credits first were granted with other terms"):
        imported(FILE.replace("bought_on: 2026-01-05", "bought_on: 2026-01-06"))


def test_a_plan_change_cuts_the_agreement_in_two(imported):
    imported(FILE + "      - {plan: bundle, from: 2026-03-15}\n")
    stretches = plan_stretches(scope_of(imported.store, "beta"), "main")
    assert [(one.plan.plan, one.starts_on.day, one.ends_on) for one in stretches] == [
        ("margin", 10, date(2026, 3, 15)),
        ("bundle", 15, None),
    ]


def test_a_changed_account_is_named(imported):
    imported()
    assert imported(FILE.replace("application: Shop", "application: Kiosk")) == (
        f"customer beta: account {BETA_SID}: application changed",
    )


def test_a_change_of_plan_on_the_same_day_makes_a_new_version_of_the_data(imported):
    imported()
    beta = scope_of(imported.store, "beta")
    before = data_version(beta)
    imported(FILE.replace("plan: margin", "plan: bundle"))
    assert data_version(beta) != before


def test_another_customers_subscription_is_not_found(imported):
    text = FILE.replace("plan: margin, ", "plan: margin, subscription: shop, ")
    imported(text.replace("application: Shop", "subscription: shop"))
    with pytest.raises(NotFound):
        subscription(scope_of(imported.store, "acme"), "shop")


def test_an_import_under_one_customers_scope_is_impossible(imported):
    imported()
    with (
        pytest.raises(Exception, match="another tenant"),
        writing(scope_of(imported.store, "acme")) as session,
    ):
        session.add(Customer(slug="gamma", name="Gamma"))
