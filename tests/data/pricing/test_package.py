"""Packages: a price for each started one, after free units; and tiers, which include units too."""

from decimal import Decimal as D

import pytest

from data.pricing import Basis, LineKind, Run
from tests.bills import MARCH, OVERAGE_TIERS, SIGN_UP, agreed, days, lines, overage, package, tiers


def figures(price, *used, period=MARCH, **terms):
    found = lines(agreed(price, **terms), days(*used), period)
    return [(line.kind.value, line.quantity, str(line.amount)) for line in found]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        pytest.param(0, [], id="nothing"),
        pytest.param(40, [("included", 40, "0")], id="some of the free units"),
        pytest.param(100, [("included", 100, "0")], id="all of them"),
        pytest.param(
            "100.5", [("included", 100, "0"), ("usage", D("0.5"), "5.00")], id="half a unit more"
        ),
        pytest.param(1100, [("included", 100, "0"), ("usage", 1000, "5.00")], id="a full package"),
        pytest.param(
            1101, [("included", 100, "0"), ("usage", 1001, "10.00")], id="a second one begun"
        ),
    ],
)
def test_free_units_then_packages(units, expected):
    assert figures(package(free="100"), units) == expected


def test_without_free_units_the_first_begins_a_package():
    assert figures(package(), 1) == [("usage", 1, "5.00")]


@pytest.mark.parametrize(
    ("size", "units", "amount"),
    [
        pytest.param("0.5", "1.2", "15.00", id="packages of half a unit"),
        pytest.param("3", "9", "15.00", id="three packages to the unit"),
        pytest.param("3", "9.000001", "20.00", id="a millionth more"),
    ],
)
def test_a_package_has_any_size(size, units, amount):
    assert figures(package(size), units)[0][2] == amount


def test_a_package_that_costs_nothing_is_shown():
    assert figures(package(amount="0"), 5) == [("usage", 5, "0.00")]


@pytest.mark.parametrize(
    ("prorate", "expected"),
    [
        pytest.param("days", [("included", 110, "0"), ("usage", 90, "5.00")], id="by days"),
        pytest.param("none", [("included", 200, "0")], id="not at all"),
    ],
)
def test_free_units_take_their_share_of_the_period(prorate, expected):
    assert figures(package(free="200"), 200, period=SIGN_UP, prorate=prorate) == expected


def test_the_lines_of_packages_say_what_they_are():
    found = lines(agreed(package("1500", free="100")), days(4000))
    assert [(one.kind, one.label, one.meter, str(one.arithmetic)) for one in found] == [
        (LineKind.INCLUDED, "Free units", "sms", "None"),
        (LineKind.USAGE, "Packages of 1,500", "sms", "3 × 5"),
    ]


@pytest.mark.parametrize(("period", "edge"), [(MARCH, 200), (SIGN_UP, 110)])
def test_packages_begin_where_the_free_units_end(period, edge):
    price = agreed(package(free="200")).prices[0]
    assert price.edges(Basis("USD", period)) == (edge,)


@pytest.mark.parametrize(("period", "left"), [(MARCH, 200), (SIGN_UP, 110)])
@pytest.mark.parametrize("price", [tiers("medium"), overage("medium")], ids=["tiers", "overage"])
def test_a_tier_includes_its_allowance(price, period, left):
    assert agreed(price).prices[0].included(Basis("USD", period)) == left


# The second half of March, after 40 units in its first half at the same price.
HALF_WAY = Basis("USD", SIGN_UP, runs={"sms": Run(MARCH, D(40))})


@pytest.mark.parametrize("price", [tiers("medium"), overage("medium")], ids=["tiers", "overage"])
def test_a_tier_that_stays_includes_what_earlier_days_have_left(price):
    assert agreed(price).prices[0].included(HALF_WAY) == 160


@pytest.mark.parametrize(
    ("price", "edges"),
    [
        pytest.param(tiers("medium"), (100, 200, 300), id="tiers"),
        pytest.param(overage("medium"), (100, 200, 300), id="overage"),
        pytest.param(package(free="200"), (200,), id="packages"),
    ],
)
def test_the_edges_of_a_price_that_stays_are_those_of_all_its_days(price, edges):
    assert agreed(price).prices[0].edges(HALF_WAY) == edges


def test_a_tier_that_stays_costs_what_lies_beyond_the_allowance_of_all_its_days():
    price = agreed(overage("small")).prices[0]
    # 17/31 × 49.99, and 10 of 70 beyond the 60 that are left
    assert price.cost_on(price.tier, D(70), HALF_WAY) == D("27.41") + D("5.00")


@pytest.mark.parametrize("price", [tiers("medium"), overage("medium")], ids=["tiers", "overage"])
def test_the_edges_of_a_ladder_are_all_its_allowances(price):
    assert agreed(price).prices[0].edges(Basis("USD", MARCH)) == (100, 200, 300)


def test_the_edges_of_a_ladder_ascend_in_whatever_order_it_is_written():
    price = agreed(tiers("medium", tiers("small")["tiers"][::-1])).prices[0]
    assert price.edges(Basis("USD", SIGN_UP)) == (55, 110, 165)


def test_other_prices_include_no_limited_number_of_units():
    assert agreed(package(free="200")).prices[0].included(Basis("USD", MARCH)) is None


@pytest.mark.parametrize(
    ("price", "beyond"),
    [
        pytest.param(
            tiers("small"),
            ("Beyond the allowance", "sms", "None"),
            id="tiers",
        ),
        pytest.param(
            overage("small"),
            ("Overage", "sms", "0.50"),
            id="with overage",
        ),
    ],
)
def test_the_lines_of_a_tier_say_what_they_are(price, beyond):
    found = lines(agreed(price), days(130))
    assert [(one.label, one.meter, str(one.unit_amount)) for one in found] == [
        ("small", "sms", "49.99"),
        ("Within the allowance", "sms", "None"),
        beyond,
    ]


@pytest.mark.parametrize(
    ("units", "cost"), [(0, "49.99"), (100, "49.99"), (101, "50.49"), (130, "64.99")]
)
def test_what_a_quantity_would_cost_on_a_tier(units, cost):
    price = agreed(overage("large")).prices[0]
    assert price.cost_on(price.tiers[0], D(units), Basis("USD", MARCH)) == D(cost)


def test_a_tier_of_no_allowance_has_only_overage():
    ladder = [{**OVERAGE_TIERS[0], "allowance": "0"}]
    assert figures(overage("small", ladder), 10)[1:] == [("overage", 10, "5.00")]


def test_a_plans_fixed_fee_is_all_that_is_due_without_usage():
    plan = agreed(tiers("medium"), package(meter="mms"), monthly_fee="10")
    assert plan.fixed_fee == D("69.99")
