"""Whole numbers in columns: exact at the last number that fits 64 bits, and at the first that does
not."""

from decimal import Decimal as D
from fractions import Fraction

import numpy as np
import pytest

from data.pricing.columns import (
    FITS,
    Column,
    added,
    column,
    comparable,
    decimals,
    holding,
    largest,
    narrowed,
    objects,
    product,
    quotient,
    rescaled,
    taken,
    times,
    whole,
    zeros,
)

LAST = FITS - 1  # the last number that is kept in 64 bits
INT, BIG = np.dtype(np.int64), np.dtype(np.object_)


def ints(*numbers):
    return np.array(numbers, dtype=np.int64)


def shown(values):
    return list(values), values.dtype


def test_figures_are_whole_numbers_at_their_finest_scale():
    found = column([D("1.5"), D(20), D("-0.25")])
    assert (shown(found.values), found.scale) == (([150, 2000, -25], INT), 2)


def test_no_figures_are_a_column_without_rows():
    found = column([])
    assert (shown(found.values), found.scale) == (([], INT), 0)


def test_a_figure_is_read_at_the_scale_of_its_column():
    assert [Column(ints(2505, -3), 1).figure(row) for row in (0, 1)] == [D("250.5"), D("-0.3")]


def test_a_column_without_a_scale_is_of_whole_units():
    assert Column(ints(7)).figure(0) == D(7)


def test_some_rows_of_a_column_keep_its_scale():
    found = Column(ints(1, 2, 3), 4)[ints(2, 0)]
    assert (list(found.values), found.scale) == ([3, 1], 4)


def test_zeros_are_64_bit():
    assert shown(zeros(3)) == ([0, 0, 0], INT)


def test_objects_are_integers_of_any_size():
    assert shown(objects(iter([1, 10**30]))) == ([1, 10**30], BIG)


@pytest.mark.parametrize(
    ("term", "found"),
    [("1", 0), ("1.50", 1), ("0.012", 3), ("1E+3", 0), ("1E-12", 12), ("-2.25", 2)],
)
def test_decimals_are_the_digits_that_say_something(term, found):
    assert decimals(D(term)) == found


def test_a_term_is_a_whole_number_at_its_scale():
    assert (whole(D("0.012"), 3), whole(D("-2.5"), 4), whole(D(7), 0)) == (12, -25000, 7)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param(-7, 7, id="a number below nothing"),
        pytest.param(7, 7, id="a number"),
        pytest.param(ints(1, 5, -3), 5, id="the greatest"),
        pytest.param(ints(1, 5, -9), 9, id="the least"),
        pytest.param(ints(-1, -2), 2, id="all below nothing"),
        pytest.param(ints(-(2**63)), 2**63, id="the least of 64 bits"),
        pytest.param(ints(), 0, id="none"),
    ],
)
def test_the_largest_is_the_farthest_from_nothing(values, found):
    assert largest(values) == found


@pytest.mark.parametrize(
    ("number", "dtype"), [(LAST, INT), (-LAST, INT), (FITS, BIG), (-FITS, BIG), (10**30, BIG)]
)
def test_values_are_64_bit_where_they_fit(number, dtype):
    assert shown(narrowed(objects([1, number]))) == ([1, number], dtype)


def test_64_bit_values_too_large_to_be_added_become_objects():
    assert narrowed(ints(FITS)).dtype == BIG


def test_what_is_narrow_already_is_not_copied():
    values = ints(1)
    assert narrowed(values) is values


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        pytest.param((), INT, id="none"),
        pytest.param((1, LAST), INT, id="the last that fits"),
        pytest.param((1, FITS), BIG, id="the first that does not"),
        pytest.param((1, -FITS), BIG, id="below nothing"),
    ],
)
def test_values_can_hold_the_numbers_they_meet(numbers, dtype):
    assert shown(holding(ints(1, 2), *numbers)) == ([1, 2], dtype)


@pytest.mark.parametrize(
    ("values", "factor", "dtype"),
    [
        pytest.param([3, -4], 5, INT, id="small"),
        pytest.param([1], LAST, INT, id="the last that fits"),
        pytest.param([2**31], 2**31, BIG, id="the first that does not"),
        pytest.param([-(2**31)], 2**31, BIG, id="the first below nothing"),
        pytest.param([0], FITS, BIG, id="a factor that does not fit"),
        pytest.param([3], 10**30, BIG, id="a factor beyond 64 bits"),
    ],
)
def test_products_are_exact(values, factor, dtype):
    expected = [value * factor for value in values]
    assert shown(product(ints(*values), factor)) == (expected, dtype)


def test_columns_are_multiplied_row_by_row():
    assert shown(product(ints(2, 2**40), ints(3, 2**40))) == ([6, 2**80], BIG)


def test_a_column_is_scaled_up():
    found = rescaled(Column(ints(5, -1), 1), 3)
    assert (shown(found.values), found.scale) == (([500, -100], INT), 3)


@pytest.mark.parametrize("scale", [2, 1])
def test_a_column_as_fine_as_asked_stays(scale):
    given = Column(ints(5), 2)
    assert rescaled(given, scale) is given


@pytest.mark.parametrize(
    ("over", "under", "found"),
    [
        pytest.param([5, -5], 2, [3, -3], id="halves go away from zero"),
        pytest.param([4, -4, 0], 3, [1, -1, 0], id="below a half"),
        pytest.param([5, -5], 3, [2, -2], id="above a half"),
        pytest.param([7, -7], 1, [7, -7], id="by one"),
        pytest.param([10**30 + 1], 2, [5 * 10**29 + 1], id="beyond 64 bits"),
    ],
)
def test_quotients_are_rounded_half_away_from_zero(over, under, found):
    assert list(quotient(narrowed(objects(over)), under)) == found


def test_quotients_of_columns_are_made_row_by_row():
    assert list(quotient(ints(5, -7), ints(2, 3))) == [3, -2]


def test_nothing_is_divided_by_one():
    values = ints(FITS)
    assert quotient(values, 1) is values


def test_quotients_close_to_the_largest_do_not_overflow():
    values = ints(2**63 - 1, -(2**63 - 1))
    assert list(quotient(values, 2)) == [2**62, -(2**62)]


@pytest.mark.parametrize(
    ("over", "dtype"),
    [
        pytest.param(2**61 - 2, INT, id="the last that fits"),
        pytest.param(2**61 - 1, BIG, id="the first that does not"),
    ],
)
def test_twice_a_sum_is_exact(over, dtype):
    values, under = comparable(ints(over), 1)
    assert (values.dtype, under) == (dtype, 1)


def test_both_columns_of_a_sum_become_objects():
    over, under = comparable(ints(2**61), ints(3))
    assert (shown(over), shown(under)) == (([2**61], BIG), ([3], BIG))


def test_columns_that_fit_are_left_alone():
    over, under = ints(4), ints(3)
    assert comparable(over, under) == (over, under)


def test_amounts_times_a_factor_are_whole_numbers():
    assert shown(times(ints(2505, -5), Fraction(1, 10))) == ([251, -1], INT)


def test_amounts_that_fit_again_are_64_bit():
    assert shown(times(ints(10**15), Fraction(10**10, 10**12))) == ([10**13], INT)


@pytest.mark.parametrize(
    ("sums", "amounts", "dtype"),
    [
        pytest.param(2**61, 2**61 - 1, INT, id="the last that fits"),
        pytest.param(2**61, 2**61, BIG, id="the first that does not"),
        pytest.param(-(2**61), -(2**61), BIG, id="the first below nothing"),
    ],
)
def test_sums_are_exact(sums, amounts, dtype):
    assert shown(added(ints(sums), slice(None), ints(amounts))) == ([sums + amounts], dtype)


def test_amounts_are_added_at_their_places_to_a_copy():
    sums = ints(1, 2, 3)
    found = added(sums, np.array([2, 0]), ints(10, 20))
    assert (list(found), list(sums)) == ([21, 2, 13], [1, 2, 3])


def test_objects_are_added_to_64_bit_sums_and_64_bit_amounts_to_objects():
    everywhere = slice(None)
    assert shown(added(ints(1), everywhere, objects([2]))) == ([3], BIG)
    assert shown(added(objects([1]), everywhere, ints(2))) == ([3], BIG)


@pytest.mark.parametrize(("number", "dtype"), [(7, INT), (LAST, INT), (FITS, BIG), (10**30, BIG)])
def test_a_single_amount_is_everybodys(number, dtype):
    assert shown(taken(number, np.array([4, 9]))) == ([number, number], dtype)


def test_the_amounts_of_chosen_rows_are_taken():
    assert list(taken(ints(1, 2, 3), np.array([0, 2]))) == [1, 3]
