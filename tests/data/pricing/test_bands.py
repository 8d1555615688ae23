"""Prices by bands: which unit falls where, what reaching a band costs, what lies above the last."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.pricing import Basis, LineKind, Run
from tests.bills import (
    MARCH,
    SIGN_UP,
    agreed,
    bill,
    days,
    graduated,
    lines,
    per_unit,
    steps,
    volume,
)

CLOSED = [{"up_to": "100", "unit_amount": "0.02"}, {"up_to": "300", "unit_amount": "0.01"}]
FEES = [
    {"up_to": "100", "unit_amount": "0.02", "flat_fee": "3"},
    {"unit_amount": "0.01", "flat_fee": "1"},
]
FREE = [{"up_to": "100", "unit_amount": "0"}, {"unit_amount": "0.01"}]


def figures(plan, *used, **basis):
    found = lines(plan, days(*used), **basis)
    return [(line.kind.value, line.quantity, str(line.amount)) for line in found]


def amounts(plan, *used, **basis):
    return [str(line.amount) for line in lines(plan, days(*used), **basis)]


def after(before):
    """The second half of March, after so many units in its first half at the same price."""
    return {"period": SIGN_UP, "runs": {"sms": Run(MARCH, D(before))}}


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        pytest.param(99, ["1.98"], id="below the edge"),
        pytest.param(100, ["2.00"], id="at the edge"),
        pytest.param(101, ["2.00", "0.01"], id="one above"),
        pytest.param("100.5", ["2.00", "0.01"], id="half a unit above"),
        pytest.param(250, ["2.00", "1.50"], id="far above"),
    ],
)
def test_each_unit_has_the_price_of_its_band(units, expected):
    assert amounts(agreed(steps()), units) == expected


@pytest.mark.parametrize(
    ("units", "amount"),
    [
        pytest.param(99, "1.98", id="below the edge"),
        pytest.param(100, "2.00", id="at the edge"),
        pytest.param(101, "1.01", id="one above"),
        pytest.param("100.5", "1.01", id="half a unit above"),  # 1.005, away from zero
        pytest.param(250, "2.50", id="far above"),
    ],
)
def test_all_units_have_the_price_of_the_band_reached(units, amount):
    assert amounts(agreed(volume()), units) == [amount]


def test_a_volume_line_says_the_price_reached():
    [line] = lines(agreed(volume()), days(250))
    assert (line.label, line.quantity, line.unit_amount) == ("All units", 250, D("0.01"))


@pytest.mark.parametrize("kind", [steps, volume, per_unit], ids=["steps", "volume", "per unit"])
def test_no_usage_makes_no_line(kind):
    assert lines(agreed(kind()), days()) == ()


@pytest.mark.parametrize("units", ["0.02", "0.5", "333.333"])
@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
def test_one_open_band_is_a_price_per_unit(kind, units):
    one = kind({"unit_amount": "0.0125"})
    assert amounts(agreed(one), units) == amounts(agreed(per_unit("0.0125")), units)


@given(st.decimals("0", "9", places=6), st.lists(st.integers(0, 900), max_size=5))
def test_one_open_band_is_a_price_per_unit_whatever_was_used(price, units):
    found = [
        bill(agreed(one), days(*units))
        for one in (steps({"unit_amount": str(price)}), per_unit(str(price)))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("bands", "labels"),
    [
        pytest.param(CLOSED, ["Units 1–100", "Above 100"], id="a closed last band goes on"),
        pytest.param(
            [{"up_to": "1500", "unit_amount": "1"}, {"unit_amount": "2"}],
            ["Units 1–1,500", "Above 1,500"],
            id="thousands",
        ),
        pytest.param([{"unit_amount": "1"}], ["All units"], id="one open band"),
        pytest.param([{"up_to": "9", "unit_amount": "1"}], ["All units"], id="one that goes on"),
        pytest.param(
            [*CLOSED, {"up_to": "500", "unit_amount": "1"}],
            ["Units 1–100", "Units 101–300", "Above 300"],
            id="three",
        ),
    ],
)
def test_a_line_is_named_after_its_band(bands, labels):
    assert [line.label for line in lines(agreed(steps(*bands)), days(2000))] == labels


@pytest.mark.parametrize(
    ("above_last", "expected"),
    [
        pytest.param("continue", [("usage", 250, "2.50")], id="continue"),
        pytest.param("at_cost", [("usage", 200, "2.00"), ("usage", 50, "50.00")], id="at cost"),
        pytest.param("unpriced", [("usage", 200, "2.00"), ("unpriced", 50, "0")], id="unpriced"),
    ],
)
def test_units_above_a_closed_last_step(above_last, expected):
    plan = agreed(steps(*CLOSED, above_last=above_last))
    assert figures(plan, 350) == [("usage", 100, "2.00"), *expected]


@pytest.mark.parametrize(
    ("above_last", "expected"),
    [
        pytest.param("continue", [("usage", 350, "3.50")], id="continue"),
        pytest.param("at_cost", [("usage", 300, "3.00"), ("usage", 50, "50.00")], id="at cost"),
        pytest.param("unpriced", [("usage", 300, "3.00"), ("unpriced", 50, "0")], id="unpriced"),
    ],
)
def test_units_above_a_closed_last_band_of_a_volume_price(above_last, expected):
    assert figures(agreed(volume(*CLOSED, above_last=above_last)), 350) == expected


def test_a_volume_price_goes_on_at_that_of_its_last_band():
    bands = [*CLOSED, {"up_to": "500", "unit_amount": "0.005"}]
    assert amounts(agreed(volume(*bands)), 1000) == ["5.00"]


def test_a_step_above_the_last_is_named_by_its_edge():
    plan = agreed(steps(*CLOSED, above_last="unpriced"))
    assert [line.label for line in lines(plan, days(350))][-1] == "Above 300"


@pytest.mark.parametrize("kind", [steps, volume, graduated])
def test_units_above_the_last_band_show_their_cost_to_staff(kind):
    bands = CLOSED if kind is not graduated else []
    found = lines(agreed(kind(*bands, above_last="at_cost")), days((350, "7")))
    assert found[-1].cost == 1


@pytest.mark.parametrize("above_last", ["continue", "at_cost", "unpriced"])
@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
def test_a_price_follows_our_cost_only_where_it_is_at_cost(kind, above_last):
    assert agreed(kind(*CLOSED, above_last=above_last)).cost_based == (above_last == "at_cost")


def test_a_third_of_a_cost_is_exactly_half_a_cent():
    # 0.015 over 3 units: 0.005 for the first, 0.010 for the two above it
    cost = {"markup": "0"}
    plan = agreed(graduated({"up_to": "1", **cost}, cost))
    assert amounts(plan, (3, "0.015")) == ["0.01", "0.01"]


@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
def test_an_open_last_band_has_nothing_above_it_to_follow_our_cost(kind):
    assert not agreed(kind(above_last="at_cost")).cost_based


@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
def test_a_charge_without_units_has_no_price_in_a_band(kind):
    assert lines(agreed(kind()), days((0, "5.00"))) == ()


@pytest.mark.parametrize(
    ("above_last", "expected"),
    [
        pytest.param("at_cost", ("usage", 0, "5.00"), id="at cost"),
        pytest.param("unpriced", ("usage", 200, "2.00"), id="unpriced makes no line"),
    ],
)
def test_a_charge_without_units_above_the_last_band(above_last, expected):
    plan = agreed(steps(*CLOSED, above_last=above_last))
    assert figures(plan, 300, (0, "5.00"))[-1] == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        pytest.param(0, [], id="nothing"),
        pytest.param(1, ["3.00", "0.02"], id="the first unit"),
        pytest.param(100, ["3.00", "2.00"], id="at the edge"),
        pytest.param(101, ["3.00", "2.00", "1.00", "0.01"], id="one in the second band"),
    ],
)
def test_a_step_costs_its_fee_once_it_is_reached(units, expected):
    assert amounts(agreed(steps(*FEES)), units) == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        pytest.param(0, [], id="nothing"),
        pytest.param(100, ["3.00", "2.00"], id="at the edge"),
        pytest.param(101, ["1.00", "1.01"], id="one in the second band"),
    ],
)
def test_a_volume_price_has_the_fee_of_the_band_reached(units, expected):
    assert amounts(agreed(volume(*FEES)), units) == expected


@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
def test_the_first_fee_is_due_without_usage_if_the_terms_say_so(kind):
    plan = agreed(kind(*FEES, flat_fee_when_unused=True))
    assert figures(plan) == [("flat", None, "3.00")]


def test_a_fee_due_without_usage_is_due_once():
    plan = agreed(steps(*FEES, flat_fee_when_unused=True))
    assert amounts(plan, 1) == ["3.00", "0.02"]


@pytest.mark.parametrize("kind", [steps, volume], ids=["steps", "volume"])
@pytest.mark.parametrize(("when_unused", "fee"), [(True, 3), (False, 0)])
def test_only_a_fee_due_without_usage_is_fixed(kind, when_unused, fee):
    assert agreed(kind(*FEES, flat_fee_when_unused=when_unused)).fixed_fee == fee


def test_a_flat_fee_names_its_band_and_what_was_agreed():
    fees = [one for one in lines(agreed(steps(*FEES)), days(150)) if one.kind is LineKind.FLAT]
    assert [(one.label, one.unit_amount, one.meter) for one in fees] == [
        ("Flat fee: Units 1–100", 3, "sms"),
        ("Flat fee: Above 100", 1, "sms"),
    ]


def test_a_flat_fee_of_a_volume_price_says_what_was_agreed():
    fee = lines(agreed(volume(*FEES)), days(150))[0]
    assert (fee.kind, fee.label, fee.unit_amount, fee.meter) == (
        *(LineKind.FLAT, "Flat fee", 1, "sms"),
    )


def test_a_flat_fee_is_not_prorated():
    assert amounts(agreed(steps(*FEES)), 1, period=SIGN_UP) == ["3.00", "0.02"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(0, ["3.00", "2.00", "1.00", "0.20"], id="nothing was used before"),
        pytest.param(60, ["0.80", "1.00", "0.80"], id="the first band was begun"),
        pytest.param(100, ["1.00", "1.20"], id="the first band was filled"),
        pytest.param(101, ["1.20"], id="the second was begun"),
    ],
)
def test_steps_count_on_over_a_change_of_plan(before, expected):
    assert amounts(agreed(steps(*FEES)), 120, **after(before)) == expected


def test_the_fee_of_a_first_step_is_not_due_again_where_the_last_is_closed():
    plan = agreed(steps({**CLOSED[0], "flat_fee": "3"}, CLOSED[1]))
    assert amounts(plan, 20, **after(60)) == ["0.40"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(0, ["1.00", "1.20"], id="nothing was used before"),
        pytest.param(60, ["-2.00", "0.60"], id="the dearer fee and price are given back"),
        pytest.param(200, ["1.20"], id="the band was reached before"),
    ],
)
def test_a_volume_price_counts_on_by_differences(before, expected):
    # 60 + 120 units are 1.80, of which 1.20 was paid
    assert amounts(agreed(volume(*FEES)), 120, **after(before)) == expected


def test_a_volume_price_that_counts_on_shows_how():
    line = lines(agreed(volume()), days(120), **after(60))[-1]
    assert str(line.arithmetic) == "180 × 0.01 − 1.2"


def test_a_volume_price_that_begins_needs_no_arithmetic():
    assert lines(agreed(volume()), days(120))[-1].arithmetic is None


def test_a_fee_paid_without_usage_is_not_paid_again_after_a_change_of_plan():
    for kind in (steps, volume):
        plan = agreed(kind(*FEES, flat_fee_when_unused=True))
        assert amounts(plan, 50, **after(0)) == ["1.00"]


def test_a_fee_due_without_usage_is_not_due_again_in_a_later_part():
    for kind in (steps, volume):
        assert amounts(agreed(kind(*FEES, flat_fee_when_unused=True)), **after(0)) == []


def test_a_volume_price_above_its_last_band_counts_on_at_cost():
    plan = agreed(volume(*CLOSED, above_last="at_cost"))
    assert figures(plan, (20, "1.50"), **after(300)) == [("usage", 20, "1.50")]


@pytest.mark.parametrize("kind", [steps, volume, graduated])
def test_the_edges_of_bands_are_where_the_price_changes(kind):
    bands = CLOSED if kind is not graduated else []
    edges = agreed(kind(*bands)).prices[0].edges(Basis("USD", MARCH))
    assert edges == (100, 300)


def test_free_units_in_a_band_are_shown_with_their_quantity():
    assert figures(agreed(steps(*FREE)), 130) == [("usage", 100, "0.00"), ("usage", 30, "0.30")]
