"""Changes of plan: upgrades at once, downgrades from the next period, none in a final one."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.errors import InputError
from data.periods import period_of
from data.pricing import LineKind
from data.statement import Status, statement
from tests.bills import agreed, graduated, overage
from tests.customer_files import FILE, importer, scope_of
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    OPENED,
    close_on,
    customers,
    on_plan,
    sms_days,
    version,
)

FEBRUARY, MARCH, APRIL = (period_of(date(2026, month, 1)) for month in (2, 3, 4))
SMALL, MEDIUM, LARGE = (agreed(overage(size), plan=size) for size in ("small", "medium", "large"))
TODAY = date(2026, 4, 20)
TENTH, MIDDLE = date(2026, 3, 10), date(2026, 3, 15)


@pytest.fixture
def two(store):
    """Acme begins on the small bundle and Beta on the large one; both use 2 segments a day."""
    store.put(*customers(), *(version(plan) for plan in (SMALL, MEDIUM, LARGE)))
    store.put(on_plan(ACME, SMALL), on_plan(BETA, LARGE))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, OPENED, [2] * 150))
    return store


def bill(store, period=MARCH, scope=None):
    return statement(scope or store.acme, "main", period, today=TODAY)


def stretches(found):
    return [(part.start.day, part.end.day) for part in found.parts]


def fees(found):
    """Each fixed fee with how it came about."""
    return [
        (str(line.arithmetic or "whole"), line.amount)
        for line in found.lines
        if line.kind is LineKind.FEE
    ]


def steps(found):
    return [(one.asked_on.day, one.starts_on, one.ends_on, one.billed) for one in found.timeline]


def test_an_upgrade_takes_effect_on_its_day(two):
    two.put(on_plan(ACME, MEDIUM, MIDDLE))
    found = bill(two)
    assert stretches(found) == [(1, 15), (15, 1)]
    assert fees(found) == [("14/31 × 49.99", D("22.58")), ("17/31 × 59.99", D("32.90"))]
    assert steps(found) == [(15, MIDDLE, None, True)]
    assert fees(bill(two, APRIL)) == [("whole", D("59.99"))]


def test_a_sign_up_pays_the_days_from_its_own_on(store):
    store.put(*customers(), version(SMALL), on_plan(ACME, SMALL, MIDDLE))
    assert fees(bill(store)) == [("17/31 × 49.99", D("27.41"))]


def test_a_downgrade_waits_for_the_next_period(two):
    two.put(on_plan(BETA, SMALL, TENTH))
    march, april = (bill(two, period, two.beta) for period in (MARCH, APRIL))
    assert fees(march) == [("whole", D("65.99"))]
    assert fees(april) == [("whole", D("49.99"))]
    assert steps(march) == steps(april) == [(10, APRIL.start, None, True)]


def test_a_downgrade_may_be_at_once(two):
    two.put(on_plan(BETA, SMALL, TENTH, takes_effect="at_once"))
    found = bill(two, scope=two.beta)
    assert fees(found) == [("9/31 × 65.99", D("19.16")), ("22/31 × 49.99", D("35.48"))]


def test_an_upgrade_may_wait(two):
    two.put(on_plan(ACME, LARGE, TENTH, takes_effect="next_period"))
    assert fees(bill(two)) == [("whole", D("49.99"))]
    assert fees(bill(two, APRIL)) == [("whole", D("65.99"))]


def test_of_several_changes_on_one_day_the_last_is_billed_and_all_stand(two):
    two.put(on_plan(ACME, LARGE, MIDDLE, number=0), on_plan(ACME, MEDIUM, MIDDLE, number=1))
    found = bill(two)
    assert [part.plan for part in found.parts] == [SMALL.name, MEDIUM.name]
    assert fees(found)[-1] == ("17/31 × 59.99", D("32.90"))
    assert steps(found) == [(15, MIDDLE, MIDDLE, False), (15, MIDDLE, None, True)]


def test_a_later_change_cancels_one_that_waits(two):
    two.put(on_plan(BETA, SMALL, TENTH), on_plan(BETA, MEDIUM, MIDDLE, takes_effect="at_once"))
    found = bill(two, scope=two.beta)
    assert fees(found) == [("14/31 × 65.99", D("29.80")), ("17/31 × 59.99", D("32.90"))]
    assert [billed for *_, billed in steps(found)] == [False, True]
    assert fees(bill(two, APRIL, two.beta)) == [("whole", D("59.99"))]


def test_a_change_of_one_customer_is_not_anothers(two):
    before = bill(two, scope=two.beta)
    two.put(on_plan(ACME, MEDIUM, MIDDLE))
    assert bill(two, scope=two.beta) == before


def test_bands_count_on_over_a_change_that_leaves_them_as_they_were(store):
    old = agreed(graduated(), plan="old", monthly_fee="5")
    new = agreed(graduated(), plan="new", monthly_fee="9")
    store.put(*customers(), version(old), version(new), *sms_days(ACME, MARCH.start, [10] * 30))
    store.put(on_plan(ACME, old), on_plan(ACME, new, MIDDLE))
    used = [line.quantity for line in bill(store).lines if line.kind is LineKind.USAGE]
    assert used == [100, 40, 160]  # the first band of 100 is not begun anew


def test_a_final_statement_keeps_its_timeline(two):
    two.put(on_plan(ACME, MEDIUM, MIDDLE))
    before = bill(two)
    close_on(two, TODAY)
    found = bill(two)
    assert found.status is Status.FINAL
    assert (steps(found), fees(found)) == (steps(before), fees(before))


BUNDLED = FILE.replace("plan: credits", "plan: bundle").replace(
    "    credits:\n      - {key: first, pack: small, bought_on: 2026-01-05}\n", ""
)
AGREED = "      - {plan: bundle, from: 2026-01-01}\n"
assert AGREED in BUNDLED


def with_plans(*lines):
    return BUNDLED.replace(AGREED, "".join(f"      - {{{line}}}\n" for line in lines))


@pytest.fixture
def closed(store, tmp_path):
    """January to March are final: Acme is on a bundle, Beta on a margin since 10 February."""
    imported = importer(store, tmp_path)
    imported(BUNDLED)
    acme = scope_of(store, "acme").customer_id
    store.put(*sms_days(acme, OPENED, [2] * 120, sid=ACME_SID))
    close_on(store, TODAY)
    return imported


FINAL = "and the statements of the days before 2026-04-01 are final"
INTO_FINAL = {
    "a change within a final month": (
        with_plans(
            "plan: bundle, from: 2026-01-01", "plan: margin, from: 2026-03-31, when: at_once"
        ),
        rf"customers.yaml, line 8: customers\.0\.plans: the plans of .main. change .*{FINAL}",
    ),
    "another plan from the beginning": (
        with_plans("plan: margin, from: 2026-01-01"),
        rf"line 8: customers\.0\.plans: .*{FINAL}",
    ),
    "a plan that began earlier": (
        with_plans("plan: bundle, from: 2025-12-01"),
        rf"line 8: customers\.0\.plans: .*{FINAL}",
    ),
    "an end within a final month": (
        with_plans("plan: bundle, from: 2026-01-01, to: 2026-03-09"),
        rf"line 8: customers\.0\.plans: .*{FINAL}",
    ),
    "no plan any more": (
        BUNDLED.replace("    plans:\n" + AGREED, ""),
        rf"customers\.0\.plans: .*{FINAL}",
    ),
    "months cut on another day": (
        BUNDLED.replace("    name: Acme\n", "    name: Acme\n    anchor_day: 15\n"),
        rf"line 4: customers\.0\.anchor_day: the periods of 'main' would be cut elsewhere, {FINAL}",
    ),
}


@pytest.mark.parametrize(("text", "message"), INTO_FINAL.values(), ids=INTO_FINAL)
def test_what_changes_a_final_month_is_refused_by_file_line_and_field(closed, text, message):
    acme = scope_of(closed.store, "acme")
    before = bill(closed.store, scope=acme)
    with pytest.raises(InputError, match=message):
        closed(text)
    assert bill(closed.store, scope=acme) == before


LATER = {
    "a change from the first open day on": "plan: margin, from: 2026-04-01",
    "a change in an open month": "plan: margin, from: 2026-04-09, when: at_once",
    "a downgrade asked for in a final month that waits": "plan: margin, from: 2026-03-09",
}


@pytest.mark.parametrize("line", LATER.values(), ids=LATER)
def test_a_change_that_leaves_final_months_alone_is_taken(closed, line):
    acme = scope_of(closed.store, "acme")
    before = bill(closed.store, scope=acme)
    closed(with_plans("plan: bundle, from: 2026-01-01", line))
    assert bill(closed.store, scope=acme) == before
    assert bill(closed.store, APRIL, acme).parts[-1].plan == "Agreed"
    assert close_on(closed.store, date(2026, 5, 6)).closed == (
        "acme (main): 2026-04-01 – 2026-04-30",
        "beta (main): 2026-04-01 – 2026-04-30",
    )


def test_a_subscription_that_ended_within_a_final_month_does_not_go_on_in_it(store, tmp_path):
    imported = importer(store, tmp_path)
    imported(with_plans("plan: bundle, from: 2026-01-01, to: 2026-03-20"))
    close_on(store, TODAY)
    with pytest.raises(InputError, match="'main' would go on within its last period"):
        imported(BUNDLED)
    imported(with_plans("plan: bundle, from: 2026-01-01, to: 2026-03-20"))


def test_a_downgrade_of_the_file_waits_unless_it_is_at_once(store, tmp_path):
    imported = importer(store, tmp_path)
    plans = ("plan: bundle, from: 2026-01-01", "plan: margin, from: 2026-03-10")
    imported(with_plans(*plans))
    acme = scope_of(store, "acme")
    assert stretches(bill(store, scope=acme)) == [(1, 1)]
    said = imported(with_plans(plans[0], plans[1] + ", when: at_once"))
    assert said[0].endswith("margin v1 from 2026-03-10 (main), at_once")
    assert stretches(bill(store, scope=acme)) == [(1, 10), (10, 1)]
