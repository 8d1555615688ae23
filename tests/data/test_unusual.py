"""Unusual days: what is flagged, what is not, and what a flagged day does to those after it."""

from datetime import date, timedelta
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection.unusual import LEAST_HISTORY_DAYS, UnusualDay, unusual_days

FIRST = date(2026, 1, 5)  # a Monday
WEEK = (120, 110, 115, 112, 130, 20, 10)


def history(values) -> list[tuple[date, D]]:
    return [(FIRST + timedelta(days=n), D(int(value))) for n, value in enumerate(values)]


def steady(days: int, seed: int = 1) -> np.ndarray:
    """A week of its own, with the noise of counts."""
    means = np.resize(WEEK, days).astype(float)
    return np.random.default_rng(seed).poisson(means)


def flagged(values, since: int) -> tuple[UnusualDay, ...]:
    days = history(values)
    return unusual_days(days, days[since][0], days[-1][0])


def test_a_spike_is_flagged_with_what_was_usual():
    values = steady(84)
    values[70] = 900
    (one,) = flagged(values, 60)
    assert (one.day, one.quantity, one.above) == (FIRST + timedelta(days=70), D(900), True)
    assert 0 <= one.low < one.high < 400
    assert one.high == one.high.to_integral_value()


def test_a_day_without_use_is_flagged_where_there_always_is_some():
    values = steady(84)
    values[70] = 0  # a Monday
    (one,) = flagged(values, 60)
    assert (one.quantity, one.above) == (D(0), False)
    assert one.low > 0


def test_a_quiet_weekend_is_usual():
    assert [one for one in flagged(steady(84), 60) if one.day.weekday() > 4] == []


def test_a_second_spike_is_not_hidden_by_the_first_and_the_days_between_are_usual():
    values = steady(84)
    values[70] = values[73] = 900
    assert [one.day.day for one in flagged(values, 60)] == [
        (FIRST + timedelta(days=n)).day for n in (70, 73)
    ]


def test_a_new_level_is_flagged_for_some_days_and_is_then_how_things_are():
    values = np.concatenate([steady(60), steady(60) * 3])
    days = [(one.day - FIRST).days for one in flagged(values, 56)]
    assert days[0] in (60, 61)
    assert len(days) <= 14
    assert max(days) < 60 + 28


@pytest.mark.parametrize(
    "values", [[0] * 60, [5] * 60, [0] * 40 + [1] + [0] * 19], ids=["nothing", "same", "one"]
)
def test_what_never_moves_is_never_silly(values):
    for one in flagged(values, 30):
        assert 0 <= one.low <= one.high < one.quantity


def test_a_day_with_little_history_behind_it_is_never_flagged():
    values = steady(LEAST_HISTORY_DAYS + 1)
    values[LEAST_HISTORY_DAYS - 1] = 5000
    assert flagged(values, 0) == ()
    values[LEAST_HISTORY_DAYS - 1], values[LEAST_HISTORY_DAYS] = 100, 5000
    assert len(flagged(values, 0)) == 1


def test_days_outside_of_those_asked_for_are_not_judged():
    values = steady(84)
    values[50] = values[80] = 900
    days = history(values)
    assert unusual_days(days, days[60][0], days[75][0]) == ()


def test_ordinary_noise_is_flagged_about_once_in_a_hundred_days():
    judged = [flagged(steady(144, seed), 84) for seed in range(40)]
    assert sum(map(len, judged)) / (40 * 60) < 0.02


@given(st.lists(st.integers(0, 500), min_size=30, max_size=70))
def test_a_flagged_day_lies_outside_its_range_and_what_is_ahead_never_matters(values):
    found = flagged(values, 28)
    assert all(not one.low <= one.quantity <= one.high for one in found)
    assert all(0 <= one.low <= one.high for one in found)
    assert flagged(values[:-1], 28) == tuple(
        one for one in found if (one.day - FIRST).days < len(values) - 1
    )
