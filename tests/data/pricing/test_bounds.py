"""Prices at their edges: where a band ends, above the last, at nothing, at very much."""

from decimal import Decimal as D

import pytest

from data.pricing import Basis, LineKind
from tests.bills import (
    MARCH,
    TIERS,
    agreed,
    bill,
    days,
    graduated,
    lines,
    margin,
    overage,
    package,
    per_unit,
    steps,
    tiers,
    volume,
)

CLOSED = [{"up_to": "100", "markup": "0.50"}, {"up_to": "200", "markup": "0.20"}]
OPEN = [*CLOSED, {"markup": "0"}]


def figures(plan, *days_used):
    return [(line.kind, line.quantity, line.amount) for line in lines(plan, days(*days_used))]


@pytest.mark.parametrize(
    ("units", "quantities"),
    [
        pytest.param(99, [99], id="below"),
        pytest.param(100, [100], id="at up_to"),
        pytest.param("100.000001", [100, D("0.000001")], id="a millionth above"),
        pytest.param(200, [100, 100], id="at the last up_to"),
    ],
)
def test_up_to_is_inclusive(units, quantities):
    found = lines(agreed(graduated(*CLOSED)), days(units))
    assert [line.quantity for line in found] == quantities


@pytest.mark.parametrize(
    ("above_last", "last"),
    [
        pytest.param("continue", (LineKind.USAGE, 150, D("180.00")), id="continue"),
        pytest.param("at_cost", (LineKind.USAGE, 50, D("50.00")), id="at cost"),
        pytest.param("unpriced", (LineKind.UNPRICED, 50, D(0)), id="unpriced"),
    ],
)
def test_above_a_closed_last_band(above_last, last):
    plan = agreed(graduated(*CLOSED, above_last=above_last))
    assert figures(plan, 250)[-1] == last


def test_an_open_last_band_takes_the_rest():
    assert figures(agreed(graduated(*OPEN)), 1000)[-1] == (LineKind.USAGE, 800, D("800.00"))


def test_units_fall_into_bands_in_day_order():
    plan = agreed(graduated(*CLOSED))
    cheap_first = days((100, "1.00"), (100, "100.00"))
    assert [line.amount for line in lines(plan, cheap_first)] == [D("1.50"), D("120.00")]


def test_the_cost_of_a_day_is_spread_evenly_over_its_units():
    # 150 units at 0.02: 100 of them at 50 %, 50 at 20 %
    assert [line.amount for line in lines(agreed(graduated(*CLOSED)), days((150, "3.00")))] == [
        D("3.00"),
        D("1.20"),
    ]


@pytest.mark.parametrize(
    ("before", "amounts"),
    [
        pytest.param(0, [D("1.50")], id="in the first band"),
        pytest.param(50, [D("76.50")], id="in the band reached"),
        pytest.param(100, [D("150.00"), D("1.20")], id="in the band that the next unit falls into"),
        pytest.param(200, [D("150.00"), D("121.20")], id="above the last"),
    ],
)
def test_a_charge_without_units_is_priced(before, amounts):
    found = lines(agreed(graduated(*CLOSED)), days(before, (0, "1.00")))
    assert [line.amount for line in found] == amounts


def test_a_credit_from_twilio_lowers_the_bill():
    assert bill(agreed(graduated(*CLOSED)), days(50, (0, "-10"))) == D("60.00")


@pytest.mark.parametrize(
    "terms", [{"gross_margin": "0.03"}, {"markup": "0.03"}], ids=["gross margin", "markup"]
)
def test_a_negative_cost_makes_a_negative_amount(terms):
    assert bill(agreed(margin(**terms)), days((0, "-100"))) < -100


@pytest.mark.parametrize(
    "price", [margin(markup="0.1"), graduated(*CLOSED)], ids=["fixed margin", "bands"]
)
def test_no_usage_makes_no_line_of_a_margin(price):
    assert lines(agreed(price), days()) == ()


@pytest.mark.parametrize("price", [tiers("small"), overage("small")], ids=["tiers", "overage"])
def test_no_usage_still_pays_the_fee(price):
    assert [(line.kind, line.amount) for line in lines(agreed(price), days())] == [
        (LineKind.FEE, D("49.99"))
    ]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        pytest.param("JPY", "28", id="yen have no digits"),
        pytest.param("USD", "27.55", id="dollars have two"),
        pytest.param("KWD", "27.550", id="dinars have three"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(currency, amount):
    found = bill(agreed(margin(markup="0.1019"), currency=currency), days((0, "25.0023")))
    assert str(found) == amount


@pytest.mark.parametrize(
    ("cost", "amount"),
    [
        pytest.param("0.005", "0.01", id="up"),
        pytest.param("-0.005", "-0.01", id="down below zero"),
        pytest.param("0.00499999999999", "0.00", id="just short of half"),
    ],
)
def test_halves_are_rounded_away_from_zero(cost, amount):
    assert bill(agreed(margin(markup="0")), days((0, cost))) == D(amount)


def test_each_line_is_rounded_once_and_the_total_adds_them():
    plan = agreed(margin(markup="0", meters=["sms"]), margin(markup="0", meters=["mms"]))
    assert bill(plan, days((1, "0.005"))) == D("0.02")


def test_unit_prices_of_twelve_decimals_are_not_rounded():
    ladder = [{**TIERS[0], "fee": "0", "allowance": "0", "overage_amount": "0.000000123456"}]
    # 10^15 × 0.000000123456 = 123456000
    assert bill(agreed(overage("small", ladder)), days(("1000000000000000", 0))) == D(123456000)


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        # 10^15 × 0.000000123456 = 123456000
        pytest.param(per_unit("0.000000123456"), "123456000.00", id="per unit"),
        pytest.param(volume({"unit_amount": "0.000000123456"}), "123456000.00", id="volume"),
        pytest.param(
            steps({"up_to": "1", "unit_amount": "0"}, {"unit_amount": "0.000000000009"}),
            "9000.00",  # less 0.000000000009
            id="steps",
        ),
        pytest.param(package("3", "0.000000000003"), "1000.00", id="packages of three"),
        pytest.param(
            per_unit("0.123456789012"), "123456789012000.00", id="as many digits as there are"
        ),
        pytest.param(per_unit("0.000000000000000005"), "0.01", id="half a cent"),
        pytest.param(per_unit("0.000000000000000004999"), "0.00", id="just short of half a cent"),
    ],
)
def test_10_to_the_15_units_are_priced_exactly(price, amount):
    assert str(bill(agreed(price), days(("1000000000000000", 0)))) == amount


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "3"), ("USD", "2.50"), ("KWD", "2.499"), ("CLP", "2")]
)
@pytest.mark.parametrize(
    "kind", ["per unit", "volume", "steps", "package", "flat", "flat volume", "at cost", "minimum"]
)
def test_every_strategy_has_the_digits_of_its_currency(kind, currency, amount):
    price = {"JPY": "2.5", "USD": "2.4985", "KWD": "2.49949", "CLP": "2.49"}[currency]
    terms = {
        "per unit": agreed(per_unit(price), currency=currency),
        "volume": agreed(volume({"unit_amount": price}), currency=currency),
        "steps": agreed(steps({"unit_amount": price}), currency=currency),
        "package": agreed(package("1", price), currency=currency),
        "flat": agreed(steps({"unit_amount": "0", "flat_fee": price}), currency=currency),
        "flat volume": agreed(volume({"unit_amount": "0", "flat_fee": price}), currency=currency),
        "at cost": agreed(
            steps({"up_to": "0.5", "unit_amount": "0"}, above_last="at_cost"), currency=currency
        ),
        "minimum": agreed(per_unit("0", minimum=price), currency=currency),
    }
    assert str(bill(terms[kind], days((1, 2 * D(price))))) == amount


def test_very_many_units_fall_into_bands_without_loss():
    found = lines(agreed(graduated(*OPEN)), days(("1000000000000000.000001", 0)))
    assert sum(line.quantity for line in found) == D("1000000000000000.000001")


def test_a_margin_over_named_meters_leaves_the_others_alone():
    plan = agreed(margin(markup="1", meters=["sms", "mms"]))
    found = plan.rate({"sms": days((1, 2)), "voice": days((1, 50))}, Basis("USD", MARCH))
    assert [line.amount for line in found] == [D("4.00")]


def test_a_margin_over_several_meters_names_no_quantity():
    plan = agreed(margin(markup="1", meters=["sms", "mms"]))
    assert [line.quantity for line in lines(plan, days(3))] == [None]
