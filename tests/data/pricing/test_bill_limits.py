"""The limits of a whole bill over a change of plan: they are one for as long as they stand."""

from decimal import Decimal as D

import pytest

from data.pricing import LineKind
from tests.bills import agreed, days, per_unit, rated, stretch

TEN_A_DAY = days(*[10] * 31)  # 310 units


def two_versions(first, second, day=15, **limits):
    """March under one price until the 14th, under another from that day on; the same limits."""
    return [
        stretch(agreed(per_unit(first), plan="before", **limits), 1, day),
        stretch(agreed(per_unit(second), plan="after", **limits), day),
    ]


@pytest.mark.parametrize(
    ("prices", "limits", "total"),
    [
        pytest.param(("1", "2"), {"maximum": "100"}, "100.00", id="a maximum reached before"),
        pytest.param(("0.5", "1"), {"maximum": "100"}, "100.00", id="a maximum reached after"),
        pytest.param(("0.1", "0.2"), {"maximum": "100"}, "48.00", id="a maximum not reached"),
        pytest.param(("0.1", "0.2"), {"minimum": "100"}, "100.00", id="a minimum not reached"),
        pytest.param(("1", "0.1"), {"minimum": "150"}, "157.00", id="a minimum reached in all"),
        pytest.param(("1", "1"), {"discount": "0.1"}, "279.00", id="a discount"),
    ],
)
def test_limits_that_stand_are_those_of_the_whole_period(prices, limits, total):
    assert rated(two_versions(*prices, **limits), TEN_A_DAY).total == D(total)


def test_limits_that_change_are_those_of_their_days():
    plans = [
        stretch(agreed(per_unit("1"), plan="before", maximum="100"), 1, 15),
        stretch(agreed(per_unit("1"), plan="after", maximum="120"), 15),
    ]
    assert rated(plans, TEN_A_DAY).total == D("220.00")


def test_what_is_above_the_maximum_stands_with_the_version_that_passed_it():
    parts = rated(two_versions("1", "2", maximum="100"), TEN_A_DAY).parts
    caps = [[one.amount for one in part.lines if one.kind is LineKind.CAP] for part in parts]
    assert caps == [[D("-40.00")], [D("-340.00")]]


@pytest.mark.parametrize(
    ("terms", "total"),
    [
        pytest.param({"monthly_fee": "31"}, "100.00", id="a fee counts towards it"),
        pytest.param({"tax": {"name": "VAT", "rate": "0.1"}}, "110.00", id="tax comes on top"),
    ],
)
def test_a_maximum_that_stands_bounds_all_but_tax(terms, total):
    plans = two_versions("0.5", "1", maximum="100", **terms)
    assert rated(plans, TEN_A_DAY).total == D(total)


def test_a_maximum_of_the_bill_counts_what_prices_ask_for_after_their_own_limits():
    plans = [
        stretch(agreed(per_unit("1", discount="0.5"), plan="before", maximum="100"), 1, 15),
        stretch(agreed(per_unit("2", discount="0.5"), plan="after", maximum="100"), 15),
    ]
    assert rated(plans, TEN_A_DAY).total == D("100.00")
