"""The gamma distribution of what is to come, held against closed forms, to its outermost shapes."""

from math import erf, exp, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection.rest import Rest

SHAPES = [2e-3, 0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 30.0, 500.0, 5e3]
LEVELS = np.array([0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])

CLOSED = [
    pytest.param(0.5, lambda x: erf(sqrt(x)), id="a half: chi-square of one degree"),
    pytest.param(1.0, lambda x: 1 - exp(-x), id="one: exponential"),
    pytest.param(2.0, lambda x: 1 - exp(-x) * (1 + x), id="two: Erlang"),
    pytest.param(3.0, lambda x: 1 - exp(-x) * (1 + x + x * x / 2), id="three: Erlang"),
]


def of_scale_one(shape, active=1.0):
    return Rest(shape, shape, active)


@pytest.mark.parametrize(("shape", "below"), CLOSED)
def test_probabilities_are_those_of_the_closed_form(shape, below):
    rest = of_scale_one(shape)
    for x in (1e-9, 1e-4, 0.01, 0.3, 1, 2, 4, 7, 12, 25):
        assert 1 - rest.above(x) == pytest.approx(below(x), abs=5e-4)


@pytest.mark.parametrize(("shape", "below"), CLOSED)
def test_quantiles_are_those_of_the_closed_form(shape, below):
    for level, x in zip(LEVELS, of_scale_one(shape).quantile(LEVELS), strict=True):
        assert below(x) == pytest.approx(level, abs=5e-4)


def test_a_high_shape_is_nearly_normal():
    normal = NormalDist(5000, sqrt(5000))
    for level, x in zip(LEVELS, of_scale_one(5000.0).quantile(LEVELS), strict=True):
        assert x == pytest.approx(normal.inv_cdf(level), abs=0.07 * sqrt(5000))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("active", [1.0, 0.6, 0.02])
def test_more_than_a_quantile_comes_as_often_as_was_said(shape, active):
    rest = of_scale_one(shape, active)
    for level, x in zip(LEVELS, rest.quantile(LEVELS), strict=True):
        said = 1 - max(level, 1 - active)
        if x > 0:  # a smaller one than any number is 0
            assert rest.above(x) == pytest.approx(said, abs=2e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_of_all_quantiles_is_the_mean(shape):
    levels = (np.arange(400_000) + 0.5) / 400_000
    assert Rest(70.0, shape, 1.0).quantile(levels).mean() == pytest.approx(70, rel=0.02)


@given(
    st.floats(2e-3, 5e3),
    st.floats(1e-9, 1e15),
    st.floats(1e-6, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_quantiles_ascend_and_stay_finite(shape, mean, active, one, other):
    low, high = Rest(mean, shape, active).quantile(np.array(sorted((one, other))))
    assert 0 <= low <= high < np.inf


@given(
    st.floats(2e-3, 5e3),
    st.floats(1e-9, 1e15),
    st.floats(1e-6, 1),
    st.floats(0, 5),
    st.floats(0, 5),
)
def test_more_comes_less_often(shape, mean, active, one, other):
    less, more = sorted((one, other))
    rest = Rest(mean, shape, active)
    assert 0 <= rest.above(more * mean) <= rest.above(less * mean) <= active


def test_with_the_probability_that_use_has_stopped_nothing_comes():
    rest = Rest(100.0, 4.0, 0.3)
    assert list(rest.quantile(np.array([0.0, 0.5, 0.7]))) == [0, 0, 0]
    assert rest.quantile(np.array([0.71]))[0] > 0
    assert rest.above(0) == pytest.approx(0.3)


def test_nothing_expected_is_nothing():
    rest = Rest(0.0, 1.0, 1.0)
    assert (rest.above(0), rest.quantile(LEVELS).max()) == (0, 0)
