"""What bounds an amount: discount, then maximum, then minimum, then tax; of prices and of plans."""

from decimal import Decimal as D

import pytest

from data.money import rounded
from data.pricing import Arithmetic, Basis, LineKind, Run
from tests.bills import MARCH, SIGN_UP, agreed, bill, days, lines, margin, overage, per_unit, steps

AT_COST = margin(markup="0")
VAT = {"name": "VAT", "rate": "0.19"}


def amounts(plan, *figures, period=MARCH, **basis):
    found = lines(plan, days(*figures), period, **basis)
    return [(line.kind.value, str(line.amount)) for line in found]


def on_cost(cost, **terms):
    """The lines that a plan adds to a usage billed at its cost."""
    return amounts(agreed(AT_COST, **terms), (1, cost))[1:]


@pytest.mark.parametrize(
    ("cost", "terms", "expected"),
    [
        pytest.param("80", {}, [], id="nothing agreed"),
        pytest.param("80", {"discount": "0.10"}, [("discount", "-8.00")], id="a discount"),
        pytest.param("80", {"discount": "1"}, [("discount", "-80.00")], id="all of it off"),
        pytest.param("80", {"discount": "0"}, [], id="nothing off"),
        pytest.param("0.05", {"discount": "0.10"}, [("discount", "-0.01")], id="half a cent off"),
        pytest.param("0.04", {"discount": "0.10"}, [], id="less than half a cent off"),
        pytest.param("-80", {"discount": "0.10"}, [("discount", "8.00")], id="off a credit"),
        pytest.param("80", {"maximum": "50"}, [("cap", "-30.00")], id="above the maximum"),
        pytest.param("80", {"maximum": "80"}, [], id="at the maximum"),
        pytest.param("80", {"maximum": "79.99"}, [("cap", "-0.01")], id="a cent above"),
        pytest.param("80", {"maximum": "0"}, [("cap", "-80.00")], id="a maximum of nothing"),
        pytest.param("80", {"minimum": "100"}, [("minimum", "20.00")], id="below the minimum"),
        pytest.param("80", {"minimum": "80"}, [], id="at the minimum"),
        pytest.param("80", {"minimum": "80.01"}, [("minimum", "0.01")], id="a cent below"),
        pytest.param("-5", {"minimum": "10"}, [("minimum", "15.00")], id="a credit and a minimum"),
        pytest.param("-5", {"maximum": "10"}, [], id="a credit below the maximum"),
    ],
)
def test_a_limit(cost, terms, expected):
    assert on_cost(cost, **terms) == expected


@pytest.mark.parametrize(
    ("cost", "terms", "expected"),
    [
        pytest.param(
            "100",
            {"discount": "0.50", "maximum": "60"},
            [("discount", "-50.00")],
            id="a discount before the maximum",
        ),
        pytest.param(
            "200",
            {"discount": "0.50", "maximum": "60"},
            [("discount", "-100.00"), ("cap", "-40.00")],
            id="a discount and the rest above the maximum",
        ),
        pytest.param(
            "100",
            {"discount": "0.50", "minimum": "70"},
            [("discount", "-50.00"), ("minimum", "20.00")],
            id="a discount before the minimum",
        ),
        pytest.param(
            "100",
            {"maximum": "70", "minimum": "70"},
            [("cap", "-30.00")],
            id="a maximum that is the minimum",
        ),
        pytest.param(
            "10",
            {"maximum": "70", "minimum": "70"},
            [("minimum", "60.00")],
            id="a minimum that is the maximum",
        ),
        pytest.param(
            "200",
            {"discount": "0.50", "maximum": "60", "tax": VAT},
            # 38.00 − 19.00 − 7.60
            [("discount", "-100.00"), ("cap", "-40.00"), ("tax", "11.40")],
            id="tax after all of them",
        ),
        pytest.param(
            "1",
            {"discount": "0.50", "minimum": "60", "tax": VAT},
            # 0.19 − 0.10 + 11.31 (of 59.50: 11.305)
            [("discount", "-0.50"), ("minimum", "59.50"), ("tax", "11.40")],
            id="tax on what the minimum added",
        ),
    ],
)
def test_the_order_is_discount_maximum_minimum_tax(cost, terms, expected):
    assert on_cost(cost, **terms) == expected


def test_the_limits_of_a_price_come_before_those_of_its_plan():
    limits = {"discount": "0.10"}
    plan = agreed({**AT_COST, **limits}, **limits)
    assert amounts(plan, (1, "100")) == [
        ("usage", "100.00"),
        ("discount", "-10.00"),
        ("discount", "-9.00"),
    ]


def test_a_limit_of_a_price_leaves_the_other_prices_alone():
    plan = agreed(per_unit("1", maximum="5"), per_unit("1", meter="mms"))
    assert amounts(plan, 8) == [("usage", "8.00"), ("cap", "-3.00"), ("usage", "8.00")]


def test_a_limit_of_a_price_names_its_meter_and_that_of_a_plan_none():
    found = lines(agreed(per_unit("1", maximum="5"), maximum="3"), days(8))
    assert [line.meter for line in found if line.kind is LineKind.CAP] == ["sms", None]


def test_a_plans_limits_include_its_monthly_fee():
    plan = agreed(AT_COST, monthly_fee="30", maximum="100")
    assert amounts(plan, (1, "80"))[-1] == ("cap", "-10.00")


def test_several_prices_share_the_limit_of_their_plan():
    plan = agreed(per_unit("1"), per_unit("1", meter="mms"), minimum="30")
    assert amounts(plan, 8)[-1] == ("minimum", "14.00")


def test_a_maximum_is_not_prorated():
    assert bill(agreed(AT_COST, maximum="31"), days((1, "80")), SIGN_UP) == 31


@pytest.mark.parametrize(("prorate", "amount"), [("days", "17.00"), ("none", "31.00")])
def test_a_minimum_takes_its_share_of_the_period_unless_it_is_not_to(prorate, amount):
    assert bill(agreed(AT_COST, minimum="31", prorate=prorate), days(), SIGN_UP) == D(amount)


def test_limits_are_rounded_to_the_currency():
    plan = agreed(per_unit("1", maximum="2.5"), currency="JPY")
    assert bill(plan, days(9)) == 3


@pytest.mark.parametrize(
    ("terms", "label"),
    [
        pytest.param({"discount": "0.10"}, "10 % off", id="whole percents"),
        pytest.param({"discount": "0.125"}, "12.5 % off", id="a fraction"),
        pytest.param({"maximum": "5"}, "Above the maximum", id="a maximum"),
        pytest.param({"minimum": "500"}, "Up to the agreed minimum", id="a minimum"),
    ],
)
def test_a_limit_says_what_it_is(terms, label):
    assert lines(agreed(AT_COST, **terms), days((1, "80")))[-1].label == label


@pytest.mark.parametrize(
    ("terms", "arithmetic"),
    [
        pytest.param({"discount": "0.10"}, "-0.1 × 80", id="a discount"),
        pytest.param({"maximum": "5"}, "5 − 80", id="a maximum"),
        pytest.param({"minimum": "500"}, "500 − 80", id="a minimum"),
    ],
)
def test_a_limit_says_how_it_came_about(terms, arithmetic):
    [line] = lines(agreed(AT_COST, **terms), days((1, "80.00")))[1:]
    assert str(line.arithmetic) == arithmetic


# The second half of March, after 40 units at 1.00 in its first half at the same price.
HALF_WAY = {"period": SIGN_UP, "runs": {"sms": Run(MARCH, D(40), D(40))}}


@pytest.mark.parametrize(
    ("terms", "units", "expected"),
    [
        pytest.param({"maximum": "100"}, 30, [], id="below the maximum so far"),
        pytest.param({"maximum": "60"}, 30, [("cap", "-10.00")], id="above it now"),
        pytest.param({"maximum": "30"}, 30, [("cap", "-30.00")], id="above it before"),
        pytest.param({"discount": "0.10"}, 30, [("discount", "-3.00")], id="a discount"),
        pytest.param({"minimum": "62"}, 30, [], id="above the minimum"),
        pytest.param({"minimum": "62"}, 0, [("minimum", "22.00")], id="below the minimum now"),
        # 14/31 of 124.00 were due at first: 16.00 were added to the 40.00, and 68.00 are missing.
        pytest.param({"minimum": "124"}, 0, [("minimum", "68.00")], id="below it all along"),
        pytest.param({"minimum": "124"}, 100, [("minimum", "-16.00")], id="below it at first"),
    ],
)
def test_the_limits_of_a_price_count_on_over_a_change_of_plan(terms, units, expected):
    found = amounts(agreed(per_unit("1", **terms)), *([units] if units else []), **HALF_WAY)
    assert [one for one in found if one[0] != "usage"] == expected


def test_limits_that_count_on_say_how():
    found = lines(agreed(per_unit("1", discount="0.10", maximum="50")), days(30), **HALF_WAY)[1:]
    values = [str(rounded(one.arithmetic.value, "USD")) for one in found]
    assert values == [str(one.amount) for one in found] == ["-3.00", "-13.00"]


@pytest.mark.parametrize(
    ("terms", "units", "arithmetic"),
    [
        pytest.param({"maximum": "30"}, 30, ["30 − 60"], id="10 of 40 were above it before"),
        pytest.param({"minimum": "124"}, 0, ["124 − 56"], id="16 were added to 40 before"),
        pytest.param(
            {"minimum": "124", "maximum": "130"},
            200,
            ["130 − 240", "130 − 146"],
            id="what was added is given back",
        ),
    ],
)
def test_limits_that_count_on_say_what_was_billed_before(terms, units, arithmetic):
    plan = agreed(per_unit("1", **terms))
    found = lines(plan, days(*([units] if units else [])), **HALF_WAY)
    limits = [str(one.arithmetic) for one in found if one.kind is not LineKind.USAGE]
    assert limits == arithmetic


def test_the_limits_of_a_plan_do_not_count_on():
    plan = agreed(per_unit("1"), maximum="20")
    assert amounts(plan, 30, **HALF_WAY)[-1] == ("cap", "-10.00")


@pytest.mark.parametrize(
    ("currency", "rate", "costs", "tax"),
    [
        pytest.param("USD", "0.19", ["59.99"], "11.40", id="one line"),
        pytest.param("USD", "0.19", ["0.03", "0.03"], "0.02", id="each line by itself"),
        pytest.param("USD", "0.5", ["0.01", "-0.01"], None, id="a charge and its credit"),
        pytest.param("USD", "0.1", ["0.04"], None, id="less than half a cent"),
        pytest.param("USD", "0.1", ["-2.00"], "-0.20", id="of a credit"),
        pytest.param("JPY", "0.10", ["15"], "2", id="yen, half away from zero"),
        pytest.param("KWD", "0.05", ["1.230"], "0.062", id="dinars"),
        pytest.param("USD", "0", ["100"], None, id="a rate of zero"),
    ],
)
def test_the_tax_is_the_sum_of_rounded_line_taxes(currency, rate, costs, tax):
    prices = [margin(markup="0", meters=[meter]) for meter in ("sms", "mms")[: len(costs)]]
    plan = agreed(*prices, currency=currency, tax={"name": "VAT", "rate": rate})
    usage = {m: days((1, cost)) for m, cost in zip(("sms", "mms"), costs, strict=False)}
    found = plan.rate(usage, Basis(currency, MARCH))
    taxes = [one for one in found if one.kind is LineKind.TAX]
    assert [str(one.amount) for one in taxes] == ([tax] if tax else [])


@pytest.mark.parametrize(
    ("rate", "label"), [("0.19", "VAT 19 %"), ("0.0825", "VAT 8.25 %"), ("0.2", "VAT 20 %")]
)
def test_a_tax_is_named_with_its_rate(rate, label):
    plan = agreed(AT_COST, tax={"name": "VAT", "rate": rate})
    assert lines(plan, days((1, "80")))[-1].label == label


def test_tax_is_the_last_line():
    plan = agreed(overage("small", minimum="70"), monthly_fee="5", minimum="100", tax=VAT)
    assert [kind for kind, _ in amounts(plan, 130)] == [
        *("fee", "fee", "included", "overage", "minimum", "minimum", "tax"),
    ]


def test_a_total_includes_tax():
    assert bill(agreed(steps(), tax=VAT), days(250)) == D("4.17")  # 2.00 + 1.50 + 0.38 + 0.29


@pytest.mark.parametrize(
    ("arithmetic", "text", "value"),
    [
        pytest.param(Arithmetic(D("49.99")), "49.99", "49.99", id="as it is"),
        pytest.param(Arithmetic(D("50.00"), D(3)), "3 × 50", "150.00", id="times"),
        pytest.param(Arithmetic(D(62), D(17), D(31)), "17/31 × 62", "34", id="a share"),
        pytest.param(Arithmetic(D(62), D(1), D(31)), "1/31 × 62", "2", id="one day's share"),
        pytest.param(Arithmetic(D(80), less=D("30.50")), "80 − 30.5", "49.50", id="less"),
        pytest.param(Arithmetic(D(8), D(3), less=D(4)), "3 × 8 − 4", "20", id="times, less"),
        pytest.param(Arithmetic(D(100), D("2.0")), "2 × 100", "200.0", id="zeros say nothing"),
    ],
)
def test_arithmetic_is_written_as_it_is_computed(arithmetic, text, value):
    assert (str(arithmetic), str(arithmetic.value)) == (text, value)


def test_arithmetic_is_multiplied_first_and_kept_exact():
    value = Arithmetic(D("49.99"), D(17), D(31)).value
    assert abs(value * 31 - D("849.83")) < D("1e-25")
