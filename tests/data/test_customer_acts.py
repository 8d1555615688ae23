"""What staff agree on a page: plans and credits by the file's own checks, once, with a reason."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
import yaml

from data import identity
from data.agreements import credit_lots, plan_timeline
from data.closing import close_period, next_to_close
from data.customer_acts import (
    agreement,
    all_agreements,
    assign_plan,
    grant_credits,
    void_credits,
    withdraw_plan,
)
from data.customers_file import PlanEntry
from data.errors import Conflict, InputError, NotFound, StaleVersion
from data.grants import CreditEntry
from data.identity.audit import By
from data.models import Person
from data.plan_preview import holders, preview
from data.plans import all_plans, save_version
from tests.bills import agreed, overage, tiers
from tests.customer_files import FILE, importer, scope_of
from tests.stores import close_on, customers, noon, on_plan, read_on, sms_days, version

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
BILLIE = By("Billie", None, "ticket 7", NOW)


@pytest.fixture
def imported(store, tmp_path):
    run = importer(store, tmp_path)
    run()
    return run


def change(plan, since, when=None, **terms):
    return PlanEntry.model_validate({"plan": plan, "from": since, "when": when, **terms})


def told(store):
    return [
        (one.actor, one.action, one.customer, one.detail)
        for one in identity.entries(store.app)
        if one.actor == "Billie"
    ]


def test_what_stands_is_what_the_file_says(imported, tmp_path):
    content = all_agreements(imported.store.owner)
    text = yaml.safe_dump(content.model_dump(mode="json", by_alias=True), sort_keys=False)
    assert imported(text) == ()
    assert [one.slug for one in content.customers] == ["acme", "beta"]


def test_a_plan_is_agreed_from_a_day_on_and_stands_in_the_log(imported):
    store = imported.store
    found = assign_plan(store.app, "beta", change("bundle", "2026-04-01"), by=BILLIE)
    days = [(one.plan.plan, one.starts_on, one.ends_on) for one in found.after]
    assert days == [
        ("margin", date(2026, 2, 10), date(2026, 4, 1)),
        ("bundle", date(2026, 4, 1), None),
    ]
    assert found.after == plan_timeline(scope_of(store, "beta"), "main")
    assert [one.plan.plan for one in found.before] == ["margin"]
    (entry,) = told(store)
    assert entry[:3] == ("Billie", "agreement_changed", "Beta")
    assert "bundle v1 from 2026-04-01" in entry[3]
    assert entry[3].endswith("(ticket 7)")
    assert [one.plan for one in agreement(store.app, "acme").plans] == ["credits"]


def test_agreed_twice_is_agreed_once(imported):
    terms = (imported.store.app, "beta", change("bundle", "2026-04-01"))
    assert assign_plan(*terms, by=BILLIE).lines
    assert assign_plan(*terms, by=BILLIE).lines == ()
    assert len(told(imported.store)) == 1


def test_a_dry_run_tells_the_same_and_stores_nothing(imported):
    terms = (imported.store.app, "beta", change("bundle", "2026-04-01"))
    dry = assign_plan(*terms, by=BILLIE, dry_run=True)
    assert [one.plan for one in agreement(imported.store.app, "beta").plans] == ["margin"]
    assert told(imported.store) == []
    assert assign_plan(*terms, by=BILLIE) == dry


def test_a_change_for_the_next_period_waits_for_it(imported):
    found = assign_plan(
        imported.store.app, "beta", change("bundle", "2026-04-07", "next_period"), by=BILLIE
    )
    assert found.after[-1].starts_on == date(2026, 5, 1)


def test_a_change_that_is_taken_back_was_never_billed(imported):
    store = imported.store
    new = change("bundle", "2026-04-01")
    assign_plan(store.app, "beta", new, by=BILLIE)
    found = withdraw_plan(store.app, "beta", new, by=BILLIE)
    assert [one.plan.plan for one in found.after] == ["margin"]
    with pytest.raises(StaleVersion):
        withdraw_plan(store.app, "beta", new, by=BILLIE)


def test_two_who_change_the_same_agreement_learn_of_each_other(imported):
    store = imported.store
    seen = agreement(store.app, "beta").plans
    assign_plan(store.app, "beta", change("bundle", "2026-04-01"), by=BILLIE, seen=seen)
    with pytest.raises(StaleVersion, match="changed since"):
        assign_plan(store.app, "beta", change("bundle", "2026-05-01"), by=BILLIE, seen=seen)


@pytest.mark.parametrize(
    ("slug", "plan", "kind", "what"),
    [
        ("beta", change("nothing", "2026-04-01"), InputError, "no plan"),
        ("beta", change("margin", "2026-04-01", version=9), InputError, "version 9"),
        ("nobody", change("bundle", "2026-04-01"), NotFound, "no such"),
        ("unassigned", change("bundle", "2026-04-01"), NotFound, "no such"),
    ],
)
def test_what_cannot_be_agreed_is_refused(imported, slug, plan, kind, what):
    with pytest.raises(kind, match=what):
        assign_plan(imported.store.app, slug, plan, by=BILLIE)
    assert told(imported.store) == []


def test_nothing_is_agreed_without_a_reason(imported):
    by = By("Billie", None, "  ", NOW)
    with pytest.raises(InputError, match="why"):
        assign_plan(imported.store.app, "beta", change("bundle", "2026-04-01"), by=by)


def pack(key="gift", **terms):
    return CreditEntry.model_validate(
        {"key": key, "pack": "small", "bought_on": "2026-03-01", **terms}
    )


def test_a_grant_sent_twice_counts_once(imported):
    store = imported.store
    (line,) = grant_credits(store.app, "acme", pack(), by=BILLIE).lines
    assert "100 credits (gift)" in line
    assert grant_credits(store.app, "acme", pack(), by=BILLIE).lines == ()
    lots = {one.key: one for one in credit_lots(scope_of(store, "acme"), "main")}
    assert set(lots) == {"first", "gift"}
    assert (lots["gift"].price, lots["gift"].units_per_credit) == (D(10), {"sms": D(5)})
    assert [one[1] for one in told(store)] == ["credits_granted"]
    assert credit_lots(scope_of(store, "beta"), "main") == ()
    with pytest.raises(Conflict, match="key of its own"):
        grant_credits(store.app, "acme", pack(quantity=2), by=BILLIE)


def test_credits_may_be_given_free(imported):
    terms = {"name": "Sorry", "credits": "20", "price": "0", "units_per_credit": {"sms": "5"}}
    grant = CreditEntry.model_validate({"key": "sorry", "bought_on": "2026-03-01", **terms})
    grant_credits(imported.store.app, "acme", grant, by=BILLIE)
    lots = {one.key: one.price for one in credit_lots(scope_of(imported.store, "acme"), "main")}
    assert lots["sorry"] == 0


def test_credits_need_a_plan_of_credits(imported):
    with pytest.raises(InputError, match="no plan with credit_lots"):
        grant_credits(imported.store.app, "beta", pack(), by=BILLIE)


def test_a_lot_is_taken_back_from_a_day_on(imported):
    store = imported.store
    lot = agreement(store.app, "acme").credits[0]
    void = lot.model_copy(update={"voided_on": date(2026, 3, 20)})
    void_credits(store.app, "acme", void, by=BILLIE)
    assert credit_lots(scope_of(store, "acme"), "main")[0].voided_on == date(2026, 3, 20)
    assert [one[1] for one in told(store)] == ["credits_voided"]


def test_an_import_of_the_file_does_not_undo_what_a_person_agreed(imported):
    store = imported.store
    person = By("Billie", _person(store), "ticket 7", NOW)
    assign_plan(store.app, "beta", change("bundle", "2026-04-01"), by=person)
    with pytest.raises(Conflict, match=r"beta: changed by Billie"):
        imported()
    assert [one.plan for one in agreement(store.app, "beta").plans] == ["margin", "bundle"]
    assert any("beta" in line for line in imported(dry_run=True))
    assert any("beta" in line for line in imported(overwrite=True))
    assert [one.plan for one in agreement(store.app, "beta").plans] == ["margin"]
    assert imported(FILE.replace("name: Beta", "name: Beta Ltd"))


def _person(store):
    store.put(Person(id=7, email="billie@isv.test", name="Billie"))
    return 7


# Versions of plans


SMALL = agreed(overage("small"), plan="small")


def test_an_edit_of_a_plan_is_its_next_version(store):
    first = save_version(store.app, SMALL, after=0, by=BILLIE)
    dearer = SMALL.model_copy(update={"monthly_fee": D(5)})
    second = save_version(store.app, dearer, after=1, by=BILLIE)
    assert (first.version, second.version) == (1, 2)
    assert all_plans(store.app) == {("small", 1): first, ("small", 2): second}
    assert [one[1] for one in told(store)] == ["plan_saved", "plan_saved"]


@pytest.mark.parametrize("after", [0, 2])
def test_who_saves_after_another_is_told_and_stores_nothing(store, after):
    save_version(store.app, SMALL, after=0, by=BILLIE)
    with pytest.raises(StaleVersion):
        save_version(store.app, SMALL, after=after, by=BILLIE)
    assert len(all_plans(store.app)) == 1
    assert len(told(store)) == 1


# The preview on real months, and closing


@pytest.fixture
def two(store):
    """Both are on small; Acme used 140 in February, Beta 420."""
    store.put(*customers(), version(SMALL))
    for owner, units in ((101, 5), (102, 15)):
        store.put(on_plan(owner, SMALL))
        store.put(*sms_days(owner, date(2026, 2, 1), [units] * 28))
    return store


TODAY = date(2026, 3, 20)


def test_the_preview_bills_each_holder_by_its_own_months(two):
    medium = agreed(overage("medium"), plan="medium")
    held = holders(two.app, today=TODAY)
    assert [(one.name, one.plan.id) for one in held] == [("Acme", "small@1"), ("Beta", "small@1")]
    found = preview(two.app, medium, held, months=1, today=TODAY)
    figures = {one.holder.name: (one.before, one.after) for one in found.compared}
    assert figures == {  # 49.99 + 40 × 0.50; 49.99 + 320 × 0.50, and 59.99 + 220 × 0.30
        "Acme": (D("69.99"), D("59.99")),
        "Beta": (D("209.99"), D("125.99")),
    }
    assert found.totals == {"USD": (D("279.98"), D("185.98"))}
    assert [one.holder.name for one in found.compared] == ["Acme", "Beta"]


def test_currencies_are_never_added(two):
    euro = agreed(tiers("small"), plan="euro", currency="EUR")
    found = preview(two.app, euro, holders(two.app, today=TODAY), months=1, today=TODAY)
    assert found.compared == ()
    assert ["another currency" in why for _, why in found.left_out] == [True, True]


def test_what_closes_next_says_what_it_waits_for_and_then_closes_by_a_person(two):
    terms = {"settling_days": 3, "today": TODAY, "now": noon(TODAY)}
    close_on(two, date(2026, 2, 20))
    found = next_to_close(two.acme, "main", **{**terms, "today": date(2026, 3, 2)})
    assert found.period.start == date(2026, 2, 1)
    assert "still settling" in found.why_not
    read_on(two, TODAY)
    assert next_to_close(two.acme, "main", **terms).why_not is None
    frozen = close_period(two.acme, "main", found.period, **terms, by=BILLIE)
    assert frozen.content.total == found.content.total == D("69.99")
    assert [one[1] for one in told(two)] == ["period_closed"]
    assert next_to_close(two.acme, "main", **terms) is None
    assert next_to_close(two.beta, "main", **terms).content.total == D("209.99")
