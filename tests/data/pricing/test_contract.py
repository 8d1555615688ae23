"""Laws every strategy keeps.  Registering a strategy in `Price` is what tests it here."""

import json
from copy import deepcopy
from datetime import date
from decimal import Decimal as D
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidTerms
from data.money import rounded
from data.periods import period_of
from data.pricing import (
    Basis,
    CreditLots,
    LineKind,
    Price,
    RatedPart,
    days_of,
    net,
    parse_plan,
    total,
)
from tests.bills import (
    MARCH,
    SIGN_UP,
    STEPS,
    agreed,
    credit_price,
    days,
    graduated,
    large_pack,
    lines,
    lot,
    margin,
    package,
    rated,
    small_pack,
    steps,
    stretch,
    volume,
)

STRATEGIES = get_args(get_args(Price)[0])
CLOSED = [{"up_to": "100", "unit_amount": "0.02"}, {"up_to": "300", "unit_amount": "0.01"}]
EXAMPLES = {strategy.__name__: strategy.example for strategy in STRATEGIES}
VARIANTS = {
    **EXAMPLES,
    "a margin over one meter": margin(markup="0.1", meters=["sms"]),
    "margins at cost above the last band": graduated(above_last="at_cost"),
    "margins unpriced above the last band": graduated(above_last="unpriced"),
    "steps at cost above the last band": steps(*CLOSED, above_last="at_cost"),
    "steps unpriced above the last band": steps(*CLOSED, above_last="unpriced"),
    "steps with a fee in any case": steps(
        {**STEPS[0], "flat_fee": "3"}, STEPS[1], flat_fee_when_unused=True
    ),
    "volume at cost above the last band": volume(*CLOSED, above_last="at_cost"),
    "volume unpriced above the last band": volume(*CLOSED, above_last="unpriced"),
    "volume with fees": volume({**STEPS[0], "flat_fee": "3"}, {**STEPS[1], "flat_fee": "1"}),
    "packages without free units": package(),
    "credits with a price beyond": credit_price(shortfall="overage_price", overage_amount="0.03"),
}
LIMITS = {"discount": "0.15", "minimum": "12", "maximum": "250"}
BOUNDED = {f"{name}, bounded": {**price, **LIMITS} for name, price in VARIANTS.items()}
LADDER = (0, 1, 99, 100, 101, 299, 300, 301, 9_999, 10_001, 150_000)
FIGURES = [*LADDER, (0, "0.001"), (0, "-4"), (500, 0), ("0.25", "0.1")]
LOTS = (small_pack(), large_pack())
COUNTED = {
    *(LineKind.USAGE, LineKind.INCLUDED, LineKind.OVERAGE, LineKind.UNPRICED, LineKind.CREDITS),
}


@pytest.fixture(params=EXAMPLES.values(), ids=EXAMPLES)
def plan(request):
    return agreed(request.param)


@pytest.fixture(params=(VARIANTS | BOUNDED).values(), ids=VARIANTS | BOUNDED)
def any_plan(request):
    return agreed(request.param, tax={"name": "VAT", "rate": "0.19"})


def lots_of(plan):
    return LOTS if isinstance(plan.prices[0], CreditLots) else ()


def priced(plan, *figures, period=MARCH):
    return lines(plan, days(*figures), period, lots=lots_of(plan))


def test_more_usage_never_costs_less(any_plan):  # before tax, whose lines are rounded apart
    totals = [net(priced(any_plan, units)) for units in LADDER]
    assert totals == sorted(totals) or any_plan.prices[0].falls


@given(data=st.data())
def test_one_more_unit_never_costs_less(any_plan, data):
    if any_plan.prices[0].falls:
        return
    unit_cost = data.draw(st.decimals("0", "2", places=5))
    before = data.draw(st.lists(st.integers(0, 400), max_size=6))
    more = data.draw(st.integers(0, 400))
    first = [(units, units * unit_cost) for units in before]
    increased = net(priced(any_plan, *first, (more, more * unit_cost)))
    assert increased >= net(priced(any_plan, *first))


def test_a_price_that_says_it_may_fall_does(plan):
    falls = total(priced(plan, 101)) < total(priced(plan, 100))
    assert falls == plan.prices[0].falls


@given(data=st.data())
def test_a_day_cut_in_two_costs_the_same(any_plan, data):
    unit_cost = data.draw(st.decimals("0", "2", places=5))
    units, rest = data.draw(st.tuples(st.integers(1, 900), st.integers(0, 900)))
    whole = [(units + rest, (units + rest) * unit_cost)]
    cut = [(units, units * unit_cost), (rest, rest * unit_cost)]
    assert total(priced(any_plan, *whole)) == total(priced(any_plan, *cut))


def is_empty(line):
    """Nothing used, billed or spent; units of several meters would mix, and are not counted."""
    return not (line.quantity or line.amount or line.cost or line.together)


@pytest.mark.parametrize("period", [MARCH, SIGN_UP], ids=["a whole month", "a part of one"])
def test_no_line_is_empty(any_plan, period):
    for figure in FIGURES:
        found = lines(any_plan, days(figure, start=period.start), period, lots=lots_of(any_plan))
        assert [one for one in found if is_empty(one)] == []


def test_the_quantities_of_the_lines_sum_to_the_usage(any_plan):
    for figure in FIGURES:
        counted = [line for line in priced(any_plan, figure, 7) if line.kind in COUNTED]
        used = D(figure[0] if isinstance(figure, tuple) else figure) + 7
        # A price over all usage has no quantity: units would mix.
        assert sum(line.quantity or used for line in counted) == used


def test_each_line_has_a_name_of_its_own(any_plan):
    for figure in FIGURES:
        keys = [line.key for line in priced(any_plan, figure, 40, 260)]
        assert sorted(set(keys)) == sorted(keys)


def test_lines_of_prices_side_by_side_have_names_of_their_own():
    plan = agreed(
        margin(markup="0", meters=["mms", "chat"], **LIMITS),
        margin(markup="0", meters=["voice", "lookups"], **LIMITS),
        steps(**LIMITS),
        monthly_fee="1",
        **LIMITS,
    )
    keys = [line.key for line in lines(plan, days(150))]
    assert sorted(set(keys)) == sorted(keys)


def test_every_amount_is_in_whole_cents(any_plan):
    amounts = [line.amount for line in priced(any_plan, ("333", "7.77777"))]
    assert amounts == [rounded(amount, "USD") for amount in amounts]


def test_a_total_is_the_sum_of_its_lines(any_plan):
    found = priced(any_plan, 333, 77)
    assert total(found) == sum(line.amount for line in found)


@pytest.mark.parametrize("figures", [(150,), (), (0, 350, 2)], ids=["one day", "none", "three"])
def test_an_amount_is_what_its_arithmetic_says(any_plan, figures):
    explained = [line for line in priced(any_plan, *figures, period=SIGN_UP) if line.arithmetic]
    amounts = [rounded(line.arithmetic.value, "USD") for line in explained]
    assert amounts == [line.amount for line in explained]


def test_an_amount_by_the_unit_is_quantity_times_price(any_plan):
    found = priced(any_plan, 333)
    by_unit = [one for one in found if one.kind in COUNTED and one.unit_amount is not None]
    amounts = [rounded(one.quantity * one.unit_amount, "USD") for one in by_unit]
    assert amounts == [one.amount for one in by_unit]


def test_terms_survive_storage(any_plan):
    stored = json.loads(json.dumps(any_plan.model_dump(mode="json")))
    assert parse_plan(stored) == any_plan


def test_rating_twice_gives_the_same(any_plan):
    assert priced(any_plan, 333, 77) == priced(any_plan, 333, 77)


def test_rating_leaves_what_it_was_given_alone(any_plan):
    usage = dict.fromkeys(any_plan.meters_priced, days(333, 77))
    basis = Basis("USD", MARCH, lots=lots_of(any_plan))
    given = deepcopy((usage, basis, any_plan.model_dump()))
    any_plan.rate(usage, basis)
    assert (usage, basis, any_plan.model_dump()) == given


def test_a_line_that_carries_our_cost_shows_no_unit_price(any_plan):
    found = [line for line in priced(any_plan, 333) if line.cost is not None]
    assert [line for line in found if line.unit_amount is not None] == []


def test_only_what_follows_our_cost_carries_it(plan):
    carried = [line.cost for line in priced(plan, 333)]
    assert all((cost is not None) == plan.cost_based for cost in carried)


def test_a_price_follows_our_cost_exactly_if_it_says_so(any_plan):
    cheap, dear = ([(350, cost)] for cost in ("1", "5"))
    found = [[one.amount for one in priced(any_plan, *figures)] for figures in (cheap, dear)]
    assert (found[0] != found[1]) == any_plan.cost_based


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


def test_a_price_by_day_order_does_not_mind_a_zero_day(any_plan):
    assert total(priced(any_plan, 50, 0, D(60))) == total(priced(any_plan, 50, 60))


@pytest.mark.parametrize("figures", [(33, 0, 80, 250, 9), (350, 1)], ids=["slowly", "at once"])
def test_the_days_of_a_line_sum_to_it(any_plan, figures):
    usage = dict.fromkeys(any_plan.meters_priced, days(*figures))
    basis = Basis("USD", MARCH, lots=lots_of(any_plan))
    part = RatedPart(any_plan, MARCH, any_plan.rate(usage, basis), basis, usage)
    by_day = {key: sum(day.amount for day in shares) for key, shares in days_of(part).items()}
    assert by_day == {one.key: one.amount for one in part.lines if one.key in by_day}


def test_rating_day_by_day_adds_up_to_the_period(any_plan):
    figures = (33, 0, 80, (250, "7.77"), 9)
    bills = [total(priced(any_plan, *figures[:until])) for until in range(len(figures) + 1)]
    added = [after - before for before, after in pairwise(bills)]
    assert bills[0] + sum(added) == total(priced(any_plan, *figures))


def quantities(found):
    sums = {}
    for line in found:
        if line.kind in COUNTED and line.quantity is not None:
            sums[line.key] = sums.get(line.key, 0) + line.quantity
    return sums


@pytest.mark.parametrize("prorate", ["days", "none"])
@given(
    st.lists(st.integers(0, 130), min_size=31, max_size=31), st.sets(st.integers(2, 31), max_size=3)
)
def test_a_change_of_plan_that_leaves_the_price_leaves_the_bill(any_plan, prorate, units, changes):
    plan = any_plan.model_copy(update={"prorate": prorate})
    cuts = [1, *sorted(changes), None]
    renamed = [
        stretch(plan.model_copy(update={"version": first}), first, until)
        for first, until in pairwise(cuts)
    ]
    whole = rated([stretch(plan, 1)], days(*units), lots=lots_of(plan)).lines
    parts = rated(renamed, days(*units), lots=lots_of(plan)).lines
    assert quantities(parts) == quantities(whole)
    assert abs(net(parts) - net(whole)) <= D("0.005") * (len(parts) + len(whole))


@pytest.mark.parametrize("month", range(1, 13))
@given(st.sets(st.integers(2, 28), max_size=4))
def test_the_shares_of_the_parts_of_a_period_sum_to_one(month, cuts):
    period = period_of(date(2026, month, 1))
    edges = [period.start, *(period.start.replace(day=day) for day in sorted(cuts)), None]
    parts = [period.clipped(first, until) for first, until in pairwise(edges)]
    whole = D(period.full_days)
    assert sum(Basis("USD", part).share_of(whole) for part in parts) == whole
