"""What each day added to a line: differences of rounded totals, which sum to the line."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.pricing import LineKind, RatedPart, days_of
from tests.bills import (
    agreed,
    credit_price,
    days,
    graduated,
    large_pack,
    march,
    overage,
    per_unit,
    rated,
    small_pack,
    steps,
    stretch,
    tiers,
    volume,
)


def part(price, *figures, **basis) -> RatedPart:
    return rated([stretch(agreed(price), 1)], days(*figures), **basis).parts[0]


def shares(price, *figures, **basis):
    """By line: the day of March, what was used on it, and what that added."""
    return {
        key: [(one.day.day, one.quantity, str(one.amount)) for one in found]
        for key, found in days_of(part(price, *figures, **basis)).items()
    }


def test_three_days_of_a_third_each():
    third = D(100) / D(3)
    found = shares(per_unit("0.01"), *[(f"{third:.6f}", 0)] * 3)
    assert [amount for _, _, amount in found["usage/sms/Usage"]] == ["0.33", "0.34", "0.33"]


def test_a_day_without_usage_adds_nothing():
    assert shares(per_unit("1"), 5, 0, 7) == {
        "usage/sms/Usage": [(1, 5, "5.00"), (3, 7, "7.00")],
    }


def test_no_usage_adds_nothing():
    assert shares(per_unit("1")) == {}


def test_each_band_has_its_days():
    assert shares(steps(), 60, 60, 60) == {
        "usage/sms/Units 1–100": [(1, 60, "1.20"), (2, 40, "0.80")],
        "usage/sms/Above 100": [(2, 20, "0.20"), (3, 60, "0.60")],
    }


def test_a_volume_price_that_falls_gives_back():
    assert shares(volume(), 100, 1)["usage/sms/All units"] == [(1, 100, "2.00"), (2, 1, "-0.99")]


def test_a_flat_fee_belongs_to_the_day_that_reached_its_band():
    price = steps({"up_to": "100", "unit_amount": "0"}, {"unit_amount": "0", "flat_fee": "3"})
    assert shares(price, 60, 60)["flat/sms/Flat fee: Above 100"] == [(2, 0, "3.00")]


def test_a_fee_belongs_to_no_day():
    keys = shares(overage("small", minimum="500"), 130)
    assert sorted(keys) == ["included/sms/Within the allowance", "overage/sms/Overage"]


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param({"discount": "0.1"}, id="discount"),
        pytest.param({"maximum": "1"}, id="maximum"),
        pytest.param({"minimum": "500"}, id="minimum"),
        pytest.param({"tax": {"name": "VAT", "rate": "0.1"}}, id="tax"),
        pytest.param({"monthly_fee": "5"}, id="monthly fee"),
    ],
)
def test_what_bounds_a_bill_belongs_to_no_day(limit):
    plan = agreed(per_unit("1"), **limit)
    [found] = rated([stretch(plan, 1)], days(50)).parts
    assert list(days_of(found)) == ["usage/sms/Usage"]


def test_the_days_within_and_beyond_an_allowance():
    assert shares(tiers("small"), 60, 60, 60) == {
        "included/sms/Within the allowance": [(1, 60, "0"), (2, 40, "0")],
        "unpriced/sms/Beyond the allowance": [(2, 20, "0"), (3, 60, "0")],
    }


def test_a_day_of_a_margin_shows_staff_its_cost():
    found = days_of(part(graduated(), (60, "1.5"), (60, "3")))
    assert [one.cost for one in found["usage/sms/Units 1–100"]] == [D("1.5"), D("2.0")]


def test_a_day_of_a_price_without_cost_has_none():
    found = days_of(part(per_unit("1"), (60, "1.5")))
    assert [(one.cost, one.recognized) for one in found["usage/sms/Usage"]] == [(None, None)]


def test_a_cost_without_units_is_a_day_of_its_own():
    found = days_of(part(graduated(), (60, "60"), (0, "2")))
    assert [(one.day.day, one.quantity, one.cost) for one in found["usage/sms/Units 1–100"]] == [
        (1, 60, 60),
        (2, 0, 2),
    ]


def test_a_cost_of_less_than_half_a_cent_is_a_day_of_its_own():
    found = days_of(part(graduated(), (60, "60"), (0, "0.001")))["usage/sms/Units 1–100"]
    assert [(one.amount, one.cost) for one in found] == [(D("63.16"), 60), (0, D("0.001"))]


def test_a_pack_belongs_to_the_day_it_was_bought():
    found = days_of(part(credit_price(), lots=(small_pack(), large_pack(bought=20))))
    bought = {key: [(one.day.day, one.amount) for one in days_] for key, days_ in found.items()}
    assert sorted(bought.values()) == [[(1, 10)], [(20, 15)]]


def test_a_day_of_credits_has_its_recognised_value():
    found = days_of(part(credit_price(), 100, 0, 50, lots=(small_pack(),)))
    [drawn] = [one for key, one in found.items() if key.startswith("credits")]
    assert [(one.day.day, one.quantity, one.recognized) for one in drawn] == [
        (1, 100, 2),
        (3, 50, 1),
    ]


def test_what_expires_belongs_to_the_day_of_its_expiry():
    lots = (small_pack(expires_on=march(20)),)
    found = days_of(part(credit_price(), 100, lots=lots))
    [expired] = [one for key, one in found.items() if key.startswith("expired")]
    assert [(one.day.day, one.quantity, one.recognized) for one in expired] == [(20, 80, 8)]


def test_the_days_of_a_later_part_count_on():
    plans = [stretch(agreed(steps()), 1, 15), stretch(agreed(steps()), 15)]
    second = rated(plans, days(*[40] * 31)).parts[1]
    [found] = days_of(second).values()
    assert (found[0].day, found[0].amount, len(found)) == (march(15), D("0.40"), 17)


def test_the_bill_so_far_has_no_later_days():
    found = days_of(part(per_unit("1"), 5, 6, 7, known_until=march(3)))
    assert [one.day.day for one in found["usage/sms/Usage"]] == [1, 2]


PRICES = {
    "per unit": per_unit("0.0123"),
    "steps": steps(),
    "volume": volume(),
    "tiers with overage": overage("small"),
    "margins": graduated(),
}


@pytest.mark.parametrize("price", PRICES.values(), ids=PRICES)
@given(st.lists(st.decimals("0", "90", places=2), max_size=31))
def test_the_days_sum_to_their_line(price, units):
    found = part(price, *units)
    by_day = days_of(found)
    for line in found.lines:
        if line.kind is not LineKind.FEE:
            days_ = by_day[line.key]
            assert sum(one.amount for one in days_) == line.amount
            assert sum(one.quantity for one in days_) == line.quantity
