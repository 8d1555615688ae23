"""Laws of the projection: never below what is known, ordered, in proportion, wide on little."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection import DRAWS, project

START, LAST = date(2026, 3, 1), date(2026, 3, 31)
AS_OF = date(2026, 3, 16)
DAY = timedelta(days=1)


def history(values, until=AS_OF):
    first = until - (len(values) - 1) * DAY
    return [(first + n * DAY, value) for n, value in enumerate(values)]


def projected(values, start=START, last=LAST, as_of=AS_OF):
    return project(history(values, as_of), start, last, as_of)


weekly = [10, 12, 11, 13, 12, 3, 2]
histories = st.lists(st.integers(0, 500), min_size=1, max_size=90)


@given(histories)
def test_no_draw_lies_below_what_is_known(values):
    assert projected(values).draws.min() >= 0


@given(histories)
def test_draws_ascend(values):
    assert (np.diff(projected(values).draws) >= 0).all()


@given(histories)
def test_quantiles_are_ordered(values):
    found = projected(values)
    assert found.known <= found.p10 <= found.p50 <= found.p90


@given(histories)
def test_the_days_to_come_share_a_draw_whole(values):
    found = projected(values)
    assert found.profile.sum() == pytest.approx(1)
    assert found.days == tuple(AS_OF + n * DAY for n in range(1, 16))


@given(histories, st.sampled_from([2, 10, 1000]))
def test_twice_the_usage_is_twice_the_projection(values, factor):
    one, more = projected(values), projected([factor * value for value in values])
    assert np.allclose(more.draws, factor * one.draws)


@given(histories)
def test_equal_history_gives_equal_draws(values):
    assert (projected(values).draws == projected(values).draws).all()


@given(histories, st.integers(0, 12_000))
def test_a_higher_limit_is_passed_less_often(values, limit):
    found = projected(values)
    assert 0 <= found.prob_over(limit + 1) <= found.prob_over(limit) <= 1


def test_what_is_known_counts_the_periods_days_only():
    assert projected([5] * 40).known == 16 * 5


def test_days_after_the_period_are_not_of_it():
    found = projected([5] * 60, last=date(2026, 3, 10))
    assert (found.known, found.days) == (50, ())


def test_a_period_that_is_over_is_known():
    found = projected([5] * 60, as_of=date(2026, 4, 3))
    assert found.p10 == found.p90 == found.known == 31 * 5


def test_no_usage_projects_none():
    assert projected([0] * 40).p90 == 0


def test_no_history_at_all_projects_none():
    assert project([], START, LAST, START - DAY).p90 == 0


def test_a_constant_history_is_projected_on_and_narrowly():
    found = projected([100] * 84)
    assert found.p50 == pytest.approx(3100, rel=0.02)
    assert found.p90 - found.p10 < 0.2 * (found.p50 - found.known) * 2


def test_a_restless_history_is_wider_than_a_constant_one():
    calm, restless = projected([50] * 84), projected([0, 100] * 42)
    assert restless.p90 - restless.p10 > calm.p90 - calm.p10


def test_little_history_is_wide_and_says_so():
    little, much = projected([50, 60, 40, 50]), projected([50, 60, 40, 50] * 21)
    assert (little.little_history, much.little_history) == (True, False)
    assert little.p90 - little.p10 > 2 * (much.p90 - much.p10)


@pytest.mark.parametrize(("days", "little"), [(13, True), (14, False)])
def test_a_fortnight_is_enough(days, little):
    assert projected([5] * days).little_history is little


def test_weekends_weigh_as_they_did():
    as_of = date(2026, 3, 15)  # a Sunday; the history ends with its week
    found = projected(weekly * 12, as_of=as_of)
    by_weekday = dict(zip((day.weekday() for day in found.days[:7]), found.profile, strict=False))
    assert by_weekday[6] < by_weekday[5] < by_weekday[0] / 2


def test_a_growing_history_is_followed():
    assert projected([10] * 60 + [40] * 28).p50 > projected([40] * 4 + [10] * 84).p50 * 2


def test_draws_are_evenly_likely():
    found = projected(weekly * 12)
    assert found.draws.shape == (DRAWS,)
    assert found.prob_over(found.p50) == pytest.approx(0.5, abs=0.01)


def test_the_mean_of_the_draws_is_the_level_times_the_days():
    found = projected([20] * 84)
    assert found.mean == pytest.approx(31 * 20, rel=0.01)


@pytest.mark.parametrize(
    ("values", "whole"),
    [([1, 2, 3], True), ([1, 2.5], False)],
    ids=["whole units", "parts of a unit"],
)
def test_it_knows_whether_units_are_whole(values, whole):
    assert projected(values).whole is whole
