"""Laws every strategy keeps.  Registering a strategy in `Price` is what tests it here."""

import json
from decimal import Decimal as D
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidTerms
from data.money import rounded
from data.pricing import Basis, CreditLots, Price, parse_plan, total
from tests.bills import MARCH, SIGN_UP, agreed, days, large_pack, lines, lot, small_pack

STRATEGIES = get_args(get_args(Price)[0])
LADDER = (0, 1, 99, 100, 101, 299, 300, 301, 9_999, 10_001, 150_000)
LOTS = (small_pack(), large_pack())


@pytest.fixture(params=STRATEGIES, ids=lambda strategy: strategy.__name__)
def plan(request):
    return agreed(request.param.example)


def priced(plan, *figures, period=MARCH):
    lots = LOTS if isinstance(plan.prices[0], CreditLots) else ()
    return lines(plan, days(*figures), period, lots=lots)


def test_more_usage_never_costs_less(plan):
    if plan.prices[0].falls:
        pytest.skip("a volume price may fall, and says so")
    totals = [total(priced(plan, units)) for units in LADDER]
    assert totals == sorted(totals)


@given(data=st.data())
def test_one_more_unit_never_costs_less(plan, data):
    if plan.prices[0].falls:
        return
    unit_cost = data.draw(st.decimals("0", "2", places=5))
    before = data.draw(st.lists(st.integers(0, 400), max_size=6))
    more = data.draw(st.integers(0, 400))
    first = [(units, units * unit_cost) for units in before]
    assert total(priced(plan, *first, (more, more * unit_cost))) >= total(priced(plan, *first))


@given(data=st.data())
def test_a_day_cut_in_two_costs_the_same(plan, data):
    unit_cost = data.draw(st.decimals("0", "2", places=5))
    units, rest = data.draw(st.tuples(st.integers(1, 900), st.integers(0, 900)))
    whole = [(units + rest, (units + rest) * unit_cost)]
    cut = [(units, units * unit_cost), (rest, rest * unit_cost)]
    assert total(priced(plan, *whole)) == total(priced(plan, *cut))


@pytest.mark.parametrize("period", [MARCH, SIGN_UP], ids=["a whole month", "a part of one"])
def test_no_line_is_empty(plan, period):
    for units in LADDER:
        assert all(line.quantity or line.amount for line in priced(plan, units, period=period))


def test_every_amount_is_in_whole_cents(plan):
    amounts = [line.amount for line in priced(plan, ("333", "7.77777"))]
    assert amounts == [rounded(amount, "USD") for amount in amounts]


def test_a_total_is_the_sum_of_its_lines(plan):
    found = priced(plan, 333, 77)
    assert total(found) == sum(line.amount for line in found)


def test_terms_survive_storage(plan):
    stored = json.loads(json.dumps(plan.model_dump(mode="json")))
    assert parse_plan(stored) == plan


def test_rating_is_pure(plan):
    assert priced(plan, 333, 77) == priced(plan, 333, 77)


def test_what_follows_our_cost_shows_no_unit_price(plan):
    if plan.cost_based:
        assert all(line.unit_amount is None for line in priced(plan, 333))


def test_only_what_follows_our_cost_carries_it(plan):
    carried = [line.cost for line in priced(plan, 333)]
    assert all((cost is not None) == plan.cost_based for cost in carried)


def test_the_edges_of_a_price_ascend(plan):
    edges = plan.prices[0].edges(Basis("USD", MARCH))
    assert list(edges) == sorted(edges)


def test_an_unknown_term_is_refused(plan):
    with pytest.raises(InvalidTerms, match=r"prices\.0\.surcharge.*typo"):
        agreed({**plan.prices[0].example, "surcharge": "1"})


def test_no_two_strategies_share_a_kind():
    kinds = [strategy.model_fields["kind"].default for strategy in STRATEGIES]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("units", ["0.5", "1000000000000000"], ids=["half a unit", "10^15 units"])
def test_any_quantity_can_be_priced(plan, units):
    assert total(priced(plan, (units, "1"))) >= 0


def test_lots_of_another_order_make_the_same_bill():
    plan = agreed(CreditLots.example)
    lots = (small_pack(), large_pack(), lot("extra", bought=9))
    bills = [lines(plan, days(900), lots=order) for order in (lots, lots[::-1])]
    assert bills[0] == bills[1]


def test_a_price_by_day_order_does_not_mind_a_zero_day(plan):
    assert total(priced(plan, 50, 0, D(60))) == total(priced(plan, 50, 60))
