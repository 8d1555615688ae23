"""What may be tried, the past on it, the next period at other use, and where another costs less."""

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import NotFound
from data.models import Subscription
from data.periods import period_of
from data.pricing import Basis, CreditLots, DayUsage, Usage, net
from data.simulation import simulate
from data.what_if import (
    GROWTH,
    Option,
    _break_evens,
    growth,
    options,
    priced,
    tried,
    whole_periods,
)
from tests.bills import agreed, graduated, margin, overage, tiers
from tests.stores import ACME, BETA, customers, on_plan, record, sms_days, version

FEBRUARY, MARCH = period_of(date(2026, 2, 1)), period_of(date(2026, 3, 1))
APRIL, MAY = period_of(date(2026, 4, 1)), period_of(date(2026, 5, 1))
TODAY = date(2026, 4, 20)
SMALL = agreed(overage("small"), plan="small", offered=True)
MEDIUM = agreed(overage("medium"), plan="medium", offered=True)
CLOSED = agreed(tiers("small"), plan="closed", offered=True)
PACKS = agreed(CreditLots.example, plan="packs", offered=True)


@pytest.fixture
def two(store):
    """Both are on small; Acme used 112 in February and 155 in March, Beta seven times as much."""
    store.put(*customers(), *(version(plan) for plan in (SMALL, MEDIUM, CLOSED, PACKS)))
    for owner, times in ((ACME, 1), (BETA, 7)):
        store.put(on_plan(owner, SMALL))
        store.put(*sms_days(owner, FEBRUARY.start, [4 * times] * 28))
        store.put(*sms_days(owner, MARCH.start, [5 * times] * 31))
    return store


def codes(store, scope=None):
    return [one.code for one in options(scope or store.acme, "main", today=TODAY)]


def test_what_may_be_tried_are_own_tiers_then_other_plans_and_packs(two):
    own = ["small.small", "small.medium", "small.large"]  # the plan medium is one of them
    assert codes(two) == [*own, "closed", "packs.small", "packs.large"]
    assert [one.own for one in options(two.acme, "main", today=TODAY)][:2] == [True, False]


def test_nothing_that_follows_our_cost_may_be_tried(two):
    secret = agreed(margin(gross_margin="0.3"), plan="secret", offered=True)
    bands = agreed(graduated(), plan="bands", offered=True)
    two.put(version(secret), version(bands), on_plan(ACME, secret, MARCH.start))
    assert codes(two) == ["closed", "medium", "packs.small", "packs.large", "small"]


def test_without_a_contract_nothing_may_be_tried(store):
    store.put(*customers(), version(SMALL), on_plan(BETA, SMALL))
    assert codes(store) == []
    assert codes(store, store.beta) == ["small.small", "small.medium", "small.large"]


def test_another_customers_subscription_is_not_found(two):
    two.put(Subscription(customer_id=BETA, key="second", starts_on=date(2026, 1, 1)))
    for ask in (options, growth):
        with pytest.raises(NotFound):
            ask(two.acme, "second", **({"chosen": ()} if ask is growth else {}), today=TODAY)


@pytest.mark.parametrize("owner", ["acme", "beta"])
def test_the_past_is_what_simulate_says(two, owner):
    scope = getattr(two, owner)
    chosen, past = options(scope, "main", today=TODAY), [FEBRUARY, MARCH]
    for one in tried(scope, "main", chosen, past, today=TODAY):
        plan, pack = one.option.plan, one.option.pack
        assert one.past == simulate(scope, "main", plan, past, today=TODAY, pack=pack)


def test_use_that_a_plan_leaves_out_is_named(two):
    wide = agreed(overage("small"), {**overage("small"), "meter": "voice"}, plan="wide")
    two.put(version(wide), on_plan(ACME, wide, MARCH.start), record(ACME, MARCH.start, "calls", 3))
    chosen = options(two.acme, "main", today=TODAY)
    left = {
        one.option.code: (one.left_out, one.short)
        for one in tried(two.acme, "main", chosen, [MARCH], today=TODAY)
    }
    assert left["wide.small"] == ((), False)
    assert left["medium"] == (("Voice",), False)
    assert left["closed"] == (("Voice",), True)  # 155 of 100


def test_the_next_period_is_priced_by_the_engine_at_every_step(two):
    for scope, average in ((two.acme, D(89)), (two.beta, D(623))):
        found = growth(scope, "main", options(scope, "main", today=TODAY), today=TODAY)
        assert (found.period, found.average) == (MAY, average)  # January 0, 112, 155; thirds
        small = next(one for one in found.courses if one.option.own)
        for units, point in zip(found.units, small.points, strict=True):
            usage = Usage((DayUsage(MAY.start, units),))
            assert point.amount == net(SMALL.rate({"sms": usage}, Basis("USD", MAY)))
    assert found.units[GROWTH.index(100)] == D(1246)


def test_credits_count_at_what_they_were_bought_for():
    option = Option(PACKS, pack="large")
    point = priced(option, {"sms": D(750)}, MAY)  # half of 1500 for 15
    assert (point.amount, point.covered) == (D("7.50"), True)


def test_a_plan_without_a_price_for_the_use_does_not_cover_it():
    found = [priced(Option(CLOSED), {"sms": D(n)}, MAY).covered for n in (100, 101)]
    assert found == [True, False]


def test_without_a_whole_month_there_is_no_growth(two):
    chosen = options(two.acme, "main", today=TODAY)
    assert growth(two.acme, "main", chosen, today=date(2026, 1, 20)) is None
    assert [one.start.month for one in whole_periods(two.acme, "main", today=TODAY)] == [3, 2, 1]


def test_where_another_tier_costs_less(two):
    found = growth(two.acme, "main", options(two.acme, "main", today=TODAY), today=TODAY)
    said = {
        one.option.code: [(switch.quantity, switch.cheaper) for switch in one.switches]
        for one in found.break_evens
    }
    assert said["small.medium"] == [(121, True)]  # 120 are 59.99 on both
    assert said["small.large"] == [(133, True)]
    assert next(one.upto for one in found.break_evens if one.option.code == "closed") == 100


fees = st.decimals("0", "90", places=2)
ladders = st.lists(
    st.tuples(fees, st.integers(0, 300), st.decimals("0", "2", places=3)), min_size=2, max_size=3
)


@settings(max_examples=30)
@given(ladders)
def test_at_a_break_even_the_order_of_the_prices_turns(drawn):
    ladder = [
        {"name": f"t{n}", "fee": str(fee), "allowance": str(units), "overage_amount": str(each)}
        for n, (fee, units, each) in enumerate(drawn)
    ]
    chosen = [Option(agreed(overage(tier["name"], ladder)), tier["name"]) for tier in ladder]
    for one in _break_evens([Option(chosen[0].plan, own=True), *chosen[1:]], "sms", MAY, 700):
        for switch in one.switches:
            order = [
                priced(one.option, {"sms": D(at)}, MAY).amount
                < priced(one.than, {"sms": D(at)}, MAY).amount
                for at in (switch.quantity - 1, switch.quantity)
                if at >= 0
            ]
            assert order[-1] == switch.cheaper
            assert order[:-1] in ([], [not switch.cheaper])
