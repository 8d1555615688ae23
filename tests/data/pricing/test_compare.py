"""Where one plan becomes cheaper than another, against trying every quantity."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.money import total
from data.pricing import ALL_USAGE, Basis, DayUsage, Plan, Run, Usage, net
from data.pricing.compare import Switch, break_even, cheapest
from tests.bills import (
    MARCH,
    OVERAGE_TIERS,
    SIGN_UP,
    agreed,
    credit_price,
    graduated,
    lines,
    margin,
    overage,
    package,
    per_unit,
    small_pack,
    steps,
    tiers,
    volume,
)
from tests.terms import STRATEGIES, limits, terms_of

USD = Basis("USD", MARCH)
SMALL, MEDIUM, LARGE = (agreed(overage(name)) for name in ("small", "medium", "large"))


def switches(one, other, upto=2000, basis=USD, **terms):
    found = break_even(one, other, "sms", basis, upto=upto, **terms)
    return [(switch.quantity, switch.cheaper) for switch in found]


def amount(plan, quantity, unit_cost, basis):
    units = D(quantity)
    usage = Usage((DayUsage(basis.period.start, units, units * unit_cost),))
    return net(plan.rate({"sms": usage, ALL_USAGE: usage}, basis))


def scanned(one, other, upto, unit_cost, basis=USD):
    found, cheaper = [], False
    for quantity in range(upto + 1):
        now = amount(other, quantity, unit_cost, basis) < amount(one, quantity, unit_cost, basis)
        if now != cheaper:
            found.append((quantity, now))
            cheaper = now
    return found


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        pytest.param(SMALL, MEDIUM, [(121, True)], id="medium from 121 on"),
        pytest.param(MEDIUM, SMALL, [(0, True), (120, False)], id="small up to 119"),
        pytest.param(MEDIUM, LARGE, [(221, True)], id="large from 221 on"),
        pytest.param(SMALL, SMALL, [], id="the same plan"),
        pytest.param(
            agreed(volume()),
            agreed(per_unit("0.015")),
            [(2, True), (101, False)],
            id="volume falls",
        ),
        pytest.param(
            agreed(package()),
            agreed(per_unit("0.008")),
            [(1, True), (625, False), (1001, True), (1250, False)],
            id="a staircase and a slope",
        ),
        pytest.param(
            agreed(per_unit("0.10")),
            agreed(per_unit("0.20", maximum="5")),
            [(51, True)],
            id="a maximum",
        ),
    ],
)
def test_where_another_plan_becomes_cheaper(one, other, found):
    assert switches(one, other) == found


def test_a_margin_is_compared_at_the_unit_cost_given():
    found = switches(agreed(margin(markup="0.10")), SMALL, unit_cost=D("0.7"))
    assert found == [(65, True)]  # 64 × 0.77 = 49.28, 65 × 0.77 = 50.05


@pytest.fixture
def few_prices(monkeypatch):
    """At most two thousand quantities are priced: a search through all of them would hang."""
    left, rate = iter(range(2000)), Plan.rate

    def counted(plan, usage, basis):
        assert next(left, None) is not None
        return rate(plan, usage, basis)

    monkeypatch.setattr(Plan, "rate", counted)


@pytest.mark.usefixtures("few_prices")
def test_a_plan_of_the_same_prices_is_never_cheaper():
    assert switches(SMALL, agreed(overage("small"), plan="other", name="Other"), upto=10**15) == []


@pytest.mark.usefixtures("few_prices")
def test_far_quantities_cost_no_more_work():
    one, other = agreed(per_unit("0.02")), agreed(per_unit("0.01"), monthly_fee="1000000")
    assert switches(one, other, upto=10**15) == [(100_000_001, True)]


def test_a_part_of_a_period_has_its_share_of_the_allowance():
    basis = Basis("USD", SIGN_UP)
    assert switches(SMALL, MEDIUM, 300, basis) == scanned(SMALL, MEDIUM, 300, D(0), basis)


def test_units_of_the_run_before_count():
    run = Run(MARCH, D("30.5"), D("0.61"))
    basis = Basis("USD", SIGN_UP, runs={"sms": run})
    one, other = agreed(volume()), agreed(per_unit("0.011"))
    assert switches(one, other, 300, basis) == scanned(one, other, 300, D(0), basis)


@given(
    data=st.data(),
    unit_cost=st.decimals("0", "2", places=5),
    bounds=st.lists(limits, min_size=2, max_size=2),
    fees=st.lists(st.sampled_from(["0", "5", "49.99"]), min_size=2, max_size=2),
)
def test_every_quantity_tried_says_the_same(data, unit_cost, bounds, fees):
    kinds = st.sampled_from(STRATEGIES)
    one, other = (
        agreed(data.draw(kinds.flatmap(terms_of)), monthly_fee=fee, **bound)
        for fee, bound in zip(fees, bounds, strict=True)
    )
    assert switches(one, other, 400, unit_cost=unit_cost) == scanned(one, other, 400, unit_cost)


@given(
    data=st.data(),
    unit_cost=st.decimals("0", "2", places=5),
    bounds=st.lists(limits, min_size=2, max_size=2),
    last=st.decimals("0", "0.5", places=3),
)
def test_plans_that_differ_in_part_only(data, unit_cost, bounds, last):
    terms = data.draw(st.sampled_from(STRATEGIES).flatmap(terms_of))
    changed = dict(terms)
    if terms["kind"] in ("graduated", "volume"):
        changed["bands"] = [*terms["bands"][:-1], {**terms["bands"][-1], "unit_amount": str(last)}]
    one, other = agreed(terms, **bounds[0]), agreed(changed, **bounds[1])
    assert switches(one, other, 400, unit_cost=unit_cost) == scanned(one, other, 400, unit_cost)


@pytest.mark.usefixtures("few_prices")
def test_a_band_in_common_is_not_gone_through():
    common = {"up_to": "1000000000", "unit_amount": "0.01"}
    one, other = (agreed(steps(common, {"unit_amount": last})) for last in ("0.02", "0.015"))
    assert switches(one, other, 10**12) == [(10**9 + 2, True)]  # one unit more is 0.02 on both


@pytest.mark.parametrize(
    ("one", "other", "terms", "reason"),
    [
        pytest.param(
            SMALL,
            agreed(per_unit(), currency="EUR"),
            {},
            "USD and EUR",
            id="two currencies",
        ),
        pytest.param(SMALL, agreed(graduated()), {}, "unit_cost", id="no cost of a unit"),
        pytest.param(
            SMALL, MEDIUM, {"unit_cost": D(-1)}, "^unit_cost: must not", id="a cost below nothing"
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(one, other, terms, reason):
    with pytest.raises(InputError, match=reason):
        switches(one, other, **terms)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(SMALL, agreed(margin(markup="0"), plan="by-cost"), id="the other"),
        pytest.param(agreed(margin(markup="0"), plan="by-cost"), SMALL, id="the one"),
    ],
)
def test_the_plan_that_follows_the_cost_is_named(one, other):
    with pytest.raises(InputError, match=r"plan by-cost\b.* follows our cost"):
        switches(one, other)


def test_units_may_cost_nothing():
    free = agreed(margin(markup="0.10"))
    assert switches(SMALL, free, unit_cost=D(0)) == [(0, True)]


@pytest.mark.parametrize(
    ("upto", "found"), [(121, [(121, True)]), (120, []), (0, [])], ids=["within", "beyond", "none"]
)
def test_the_last_quantity_asked_for_is_looked_at(upto, found):
    assert switches(SMALL, MEDIUM, upto) == found


def test_an_amount_may_fall_at_the_last_quantity():
    assert switches(agreed(volume()), agreed(per_unit("0.015")), 101) == [(2, True), (101, False)]


def test_an_amount_may_fall_at_the_first_unit():
    bands = ({"up_to": "0.5", "unit_amount": "0", "flat_fee": "3"}, {"unit_amount": "0.01"})
    falling = agreed(volume(*bands, flat_fee_when_unused=True))
    assert switches(falling, agreed(per_unit("1")), 2) == [(0, True), (1, False)]


def test_units_are_used_on_a_day_on_which_credits_hold():
    basis = Basis("USD", MARCH, lots=(small_pack(),))
    plan = agreed(credit_price(shortfall="overage_price", overage_amount="0.05"))
    assert switches(agreed(per_unit("0.03")), plan, 600, basis) == scanned(
        agreed(per_unit("0.03")), plan, 600, D(0), basis
    )


def test_a_plan_may_be_cheaper_without_usage_only():
    assert switches(agreed(per_unit("1"), monthly_fee="1"), agreed(per_unit("5")), 50) == [
        (0, True),
        (1, False),
    ]


def test_amounts_are_compared_before_tax():
    taxed = agreed(per_unit("0.01"), tax={"name": "VAT", "rate": "0.9"})
    assert switches(agreed(per_unit("0.015")), taxed, 1) == [(1, True)]


def test_margins_that_round_alike_at_both_ends_are_looked_at_between_them():
    one, other = agreed(margin(markup="0.1")), agreed(margin(markup="0.09"))
    found = switches(one, other, 50, unit_cost=D("0.01"))
    assert found[:2] == [(5, True), (6, False)]  # 0.055 and 0.0545, but 0.55 and 0.545 for 50
    assert found == scanned(one, other, 50, D("0.01"))


def tier_for(price, quantity, basis=USD):
    return cheapest(agreed(price).prices[0], D(quantity), basis).name


@pytest.mark.parametrize(
    ("quantity", "name"),
    [
        (0, "small"),
        (120, "small"),
        (121, "medium"),
        (220, "medium"),
        (221, "large"),
        (999, "large"),
    ],
)
def test_the_tier_with_overage_that_costs_least(quantity, name):
    assert tier_for(overage("small"), quantity) == name


@pytest.mark.parametrize(
    ("quantity", "name"),
    [(0, "small"), (100, "small"), ("100.5", "medium"), (201, "large"), (301, "large")],
)
def test_the_cheapest_tier_that_covers_the_quantity_or_the_largest(quantity, name):
    assert tier_for(tiers("medium"), quantity) == name


def test_the_chosen_tier_wins_a_tie():
    assert tier_for(overage("medium"), 120) == "medium"


def test_a_maximum_can_make_tiers_equal():
    assert tier_for(overage("small", maximum="50"), 5000) == "small"


def test_the_allowance_of_a_part_is_what_covers():
    assert tier_for(tiers("small"), 60, Basis("USD", SIGN_UP)) == "medium"  # 17/31 of 100 are 55


@given(st.integers(0, 700), st.sampled_from([MARCH, SIGN_UP]))
def test_no_tier_costs_less_than_the_cheapest(quantity, period):
    def cost(name):
        usage = Usage((DayUsage(period.start, D(quantity)),))
        return total(line.amount for line in lines(agreed(overage(name)), usage, period))

    best = tier_for(overage("small"), quantity, Basis("USD", period))
    assert cost(best) == min(cost(tier["name"]) for tier in OVERAGE_TIERS)


def test_a_switch_says_from_where_and_which_way():
    assert break_even(SMALL, MEDIUM, "sms", USD, upto=200) == (Switch(121, True),)
