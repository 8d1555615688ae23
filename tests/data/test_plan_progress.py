"""A plan's progress: the figures are those of the price engine and of the overview."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.overview import overview
from data.periods import period_of
from data.plan_progress import Ladder, plan_progress
from data.plan_terms import Step
from data.simulation import cheapest_tier
from data.statement import statement
from tests.bills import agreed, graduated, margin, overage, package, per_unit, steps, tiers, volume
from tests.stores import (
    ACME,
    BETA,
    customers,
    on_plan,
    read_on,
    record,
    sms_days,
    version,
)

FEBRUARY, MARCH = period_of(date(2026, 2, 1)), period_of(date(2026, 3, 1))
TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
SMALL = agreed(overage("small"), plan="small", offered=True)
MEDIUM = agreed(overage("medium"), plan="medium", offered=True)
CLOSED = agreed(tiers("small"), plan="closed", offered=True)


@pytest.fixture
def two(store):
    """Both are on small since January; Acme uses 6 a day, Beta seven times as much."""
    store.put(*customers(), *(version(plan) for plan in (SMALL, MEDIUM, CLOSED)))
    for owner, times in ((ACME, 1), (BETA, 7)):
        store.put(on_plan(owner, SMALL))
        store.put(*sms_days(owner, date(2026, 1, 1), [6 * times] * 79))
    read_on(store, TODAY)
    return store


def progress(scope, period=MARCH, today=TODAY):
    return plan_progress(scope, "main", period, today=today, now=NOW, settling_days=3)


def seen(scope, period=MARCH):
    return overview(scope, "main", period, today=TODAY, now=NOW, settling_days=3)


def test_the_allowance_is_the_overviews(two):
    for scope in (two.acme, two.beta):
        one, view = progress(scope).allowances[0], seen(scope)
        assert one.allowance == view.allowance
        assert (one.chance, one.ends) == (
            view.outlook.chance_of_overage,
            view.outlook.allowance_ends,
        )
        assert one.mean_overage == view.outlook.expected_overage


def test_each_customer_sees_its_own_use(two):
    used = [progress(scope).allowances[0].allowance.used for scope in (two.acme, two.beta)]
    assert used == [D(20 * 6), D(20 * 42)]


def test_a_range_of_a_tier_lies_where_the_bill_will(two):
    view, own = seen(two.acme), progress(two.acme).allowances[0]
    chosen = next(one for one in own.tiers if one.chosen)
    assert chosen.expected == view.outlook.amount  # nothing beside the tier is billed


def test_tiers_on_the_use_so_far_are_exact(two):
    own = progress(two.acme).allowances[0]
    assert own.allowance.used == D(120)
    assert [(one.name, one.so_far) for one in own.tiers] == [
        ("small", D("59.99")),  # 20 × 0.50
        ("medium", D("59.99")),
        ("large", D("65.99")),
    ]
    far = progress(two.beta).allowances[0]
    assert [one.so_far for one in far.tiers] == [  # 840: 740 × 0.50, 640 × 0.30, 540 × 0.10
        D("419.99"),
        D("251.99"),
        D("119.99"),
    ]


@pytest.mark.parametrize("owner", ["acme", "beta"])
def test_of_a_period_that_is_over_the_cheapest_tier_is_the_one_replayed(two, owner):
    scope = getattr(two, owner)
    own = progress(scope, FEBRUARY).allowances[0]
    replayed = cheapest_tier(scope, "main", [FEBRUARY], today=TODAY)
    assert {one.name: one.expected.likely for one in own.tiers} == replayed.amounts
    assert [one.name for one in own.tiers if one.cheapest] == [replayed.cheapest]
    assert statement(scope, "main", FEBRUARY, today=TODAY).total == own.tiers[0].so_far


def test_a_tier_without_a_price_beyond_it_is_said_to_be_short(two):
    two.put(on_plan(ACME, CLOSED, MARCH.start), on_plan(BETA, CLOSED, MARCH.start))
    mine, far = (progress(scope).allowances[0] for scope in (two.acme, two.beta))
    assert [one.short for one in mine.tiers] == [True, False, False]  # 186 of 100, 200, 300
    assert [one.cheapest for one in mine.tiers] == [False, True, False]
    assert mine.overage is None
    assert [one.short for one in far.tiers] == [True, True, True]
    assert not any(one.cheapest for one in far.tiers)  # none is enough


def test_a_change_within_the_period_shares_the_allowance(two):
    two.put(on_plan(ACME, MEDIUM, date(2026, 3, 15)))
    own = progress(two.acme)
    one = own.allowances[0]
    assert (one.agreed, one.allowance.included) == (D(200), D(110))  # 17/31, rounded up
    assert one.allowance.used == D(6 * 6)
    assert [(part.name, part.shares[0][:2]) for part in own.stretches] == [
        ("Agreed", (D(100), D(46))),
        ("Agreed", (D(200), D(110))),
    ]
    assert [step.starts_on for step in own.changes] == [date(2026, 3, 15)]


def test_a_change_to_come_is_known(two):
    two.put(on_plan(ACME, MEDIUM, date(2026, 4, 1)))
    assert [one.starts_on for one in progress(two.acme).scheduled] == [date(2026, 4, 1)]
    assert progress(two.beta).scheduled == ()


def test_several_allowances_stand_beside_each_other(two):
    both = agreed(overage("small"), {**overage("large"), "meter": "voice"}, plan="both")
    two.put(version(both), on_plan(ACME, both, MARCH.start))
    two.put(*(record(ACME, date(2026, 3, n), "calls", 9) for n in range(1, 11)))
    found = progress(two.acme).allowances
    assert [(one.allowance.meter, one.allowance.used) for one in found] == [
        ("sms", D(120)),
        ("voice", D(90)),
    ]
    assert [one.allowance.included for one in found] == [D(100), D(300)]


LADDERS = {
    "bands": (steps(), [(0, 100, "0.02"), (100, None, "0.01")]),
    "volume": (volume(), [(0, 100, "0.02"), (100, None, "0.01")]),
    "one price": (per_unit("0.5"), [(0, None, "0.5")]),
    "packages": (package(free="10"), [(0, 10, "0"), (10, None, None)]),
    "bands of margins": (graduated(), [(0, 100, None), (100, None, None)]),
}


@pytest.mark.parametrize(("price", "expected"), LADDERS.values(), ids=LADDERS)
def test_the_steps_of_a_price(two, price, expected):
    plan = agreed(price, plan="stepped")
    two.put(version(plan), on_plan(ACME, plan, MARCH.start))
    found = progress(two.acme).ladders[0]
    assert [(step.start, step.up_to, step.unit_amount) for step in found.steps] == [
        (D(start), up_to if up_to is None else D(up_to), None if unit is None else D(unit))
        for start, up_to, unit in expected
    ]
    assert found.used == D(120)


def test_the_distance_to_the_next_step():
    edges = (Step(D(0), D(100), D("0.02")), Step(D(100), None, D("0.01")))
    at = [Ladder("sms", "SMS", "SMS segments", "graduated", D(n), edges) for n in (0, 99, 100)]
    assert [(one.at, one.to_next) for one in at] == [(0, D(100)), (0, D(1)), (1, None)]
    assert [at[2].within(step) for step in edges] == [D(100), D(0)]


@pytest.mark.parametrize("price", [margin(gross_margin="0.03"), graduated()], ids=["all", "bands"])
def test_no_margin_is_reachable(two, price):
    plan = agreed(price, plan="secret")
    two.put(version(plan), on_plan(ACME, plan, MARCH.start))
    text = repr(progress(two.acme))
    assert [word for word in ("0.03", "0.05", "gross", "markup", "cost") if word in text] == []


def test_without_a_plan_there_is_no_progress(store):
    store.put(*customers(), version(SMALL), on_plan(BETA, SMALL))
    read_on(store, TODAY)
    assert progress(store.acme) is None
    assert progress(store.beta) is not None
