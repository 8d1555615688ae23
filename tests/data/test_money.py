"""Money: currencies and their digits, rounding, and what counts as a number."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.money import currency_code, decimal_from, digits, exact, rounded, split, total


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        pytest.param("27.415", "USD", "27.42", id="half a cent up"),
        pytest.param("-0.125", "EUR", "-0.13", id="half a cent away from zero"),
        pytest.param("27.4149999", "USD", "27.41", id="less than half"),
        pytest.param("0.5", "JPY", "1", id="half a yen"),
        pytest.param("1.0005", "KWD", "1.001", id="half a fils"),
        pytest.param("100", "USD", "100.00", id="written with its digits"),
        pytest.param("999999999999999999999.995", "USD", "1000000000000000000000.00", id="large"),
    ],
)
def test_amounts_are_rounded_to_the_currency(amount, currency, expected):
    assert str(rounded(D(amount), currency)) == expected


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3)]
)
def test_digits_of_a_currency(currency, places):
    assert digits(currency) == places


@pytest.mark.parametrize("text", ["usd", " USD ", "Usd"])
def test_a_currency_is_read_in_any_case(text):
    assert currency_code(text) == "USD"


@pytest.mark.parametrize("text", ["", "US", "DOLLAR", "XXX", "€"])
def test_what_is_no_currency_is_refused(text):
    with pytest.raises(InputError, match="is not a currency"):
        currency_code(text)


@pytest.mark.parametrize("text", ["2192.84855", " 25 ", "-0.0075", "0", 7, D("0.1"), "1e3"])
def test_numbers_in_text_are_exact(text):
    assert decimal_from(text, "price") == D(str(text).strip())


@pytest.mark.parametrize(
    "text",
    [0.1, True, "", "much", "NaN", "Infinity", "sNaN", None, "1,5", "1e400", "1e-400"],
    ids=str,
)
def test_what_is_no_number_is_refused_by_name(text):
    with pytest.raises(InputError, match=r"^price: "):
        decimal_from(text, "price")


@given(st.lists(st.decimals("-1e15", "1e15", places=12), max_size=20))
def test_a_sum_loses_nothing(amounts):
    assert total(amounts) == D(sum(int(amount.scaleb(12)) for amount in amounts)).scaleb(-12)


def test_products_of_large_numbers_and_small_prices_lose_nothing():
    with exact():
        assert D(10**15) * D("0.000000123456") == D("123456000")


@given(st.decimals("-1e9", "1e9", places=6), st.sampled_from(["USD", "JPY", "KWD"]))
def test_rounding_twice_is_rounding_once(amount, currency):
    once = rounded(amount, currency)
    assert rounded(once, currency) == once


@given(st.decimals("-1e9", "1e9", places=6), st.sampled_from(["USD", "JPY", "KWD"]))
def test_rounding_is_the_same_on_both_sides_of_zero(amount, currency):
    assert rounded(-amount, currency) == -rounded(amount, currency)


weights = st.lists(st.decimals("0", "1e6", places=4), min_size=1, max_size=8)


@given(st.decimals("-1e6", "1e6", places=2), weights)
def test_a_split_sums_to_the_amount(amount, parts):
    assert sum(split(amount, parts, "USD")) == amount


@given(st.decimals("0", "1e6", places=2), weights)
def test_each_part_of_a_split_is_less_than_a_cent_from_its_share(amount, parts):
    if whole := sum(parts):
        found = split(amount, parts, "USD")
        assert all(
            abs(part - amount * weight / whole) < D("0.010001")
            for part, weight in zip(found, parts, strict=True)
        )


@pytest.mark.parametrize(
    ("amount", "parts", "found"),
    [
        pytest.param("10.00", [1, 1, 1], ["3.34", "3.33", "3.33"], id="the earlier part first"),
        pytest.param("0.05", [1, 3], ["0.01", "0.04"], id="the largest remainder first"),
        pytest.param("-10.00", [1, 1, 1], ["-3.33", "-3.33", "-3.34"], id="below zero"),
        pytest.param("10.00", [2, -1], ["20.00", "-10.00"], id="a credit among them"),
        pytest.param("10.00", [1, -1], ["10.00", "0.00"], id="weights that cancel out"),
    ],
)
def test_a_split_by_largest_remainder(amount, parts, found):
    assert [str(part) for part in split(D(amount), [D(w) for w in parts], "USD")] == found
