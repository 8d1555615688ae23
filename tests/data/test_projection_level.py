"""The level: in proportion, on the weekdays' courses, and not led astray by one day."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection.level import HISTORY_DAYS, estimate

MONDAY = date(2026, 3, 16)
AHEAD = np.arange(14) % 7
RNG = np.random.default_rng(7)
RESTLESS = RNG.poisson(50, 120)


def level_of(values, ahead=AHEAD, known_days=None):
    """The level after values that end on a Sunday."""
    values = np.array(values, dtype=float)
    weekdays = (np.arange(len(values)) - len(values)) % 7
    return estimate(values, weekdays, ahead, known_days or len(values))


def expected(values):
    return level_of(values).level * level_of(values).active


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 0.37, 10, 1e3, 1e12])
def test_the_unit_of_measure_does_not_matter(factor):
    one, other = level_of(RESTLESS), level_of(RESTLESS * factor)
    assert other.level == pytest.approx(one.level * factor)
    assert other.before == pytest.approx(one.before * factor)
    assert (other.variance, other.variation, other.active, other.memory) == pytest.approx(
        (one.variance, one.variation, one.active, one.memory)
    )
    assert np.allclose(other.weekdays, one.weekdays)


@given(st.lists(st.one_of(st.just(0), st.integers(1, 10**6)), min_size=1, max_size=120))
def test_every_part_is_finite_and_positive(values):
    found = level_of(values)
    if not any(values):
        assert found is None
        return
    for part in (found.level, found.active, found.memory, found.season, found.variance):
        assert 0 < part < np.inf
    assert 0 <= found.before < np.inf
    assert (found.weekdays > 0).all()
    assert found.active <= 1


@pytest.mark.parametrize("days", [1, 2, 6, 13, 14, 27, 28, 29, 83, 84, 85, 364, 391, 392, 395])
def test_a_constant_is_its_level_at_any_length_of_history(days):
    assert level_of([20] * days).level == pytest.approx(20, rel=0.1)


def test_little_history_is_less_sure():
    variances = [level_of([20] * days).variance for days in (1, 2, 3, 7, 14, 60)]
    assert variances == sorted(variances, reverse=True)


def test_weekdays_keep_their_proportion():
    weekdays = level_of([10, 10, 10, 10, 10, 0, 0] * 20).weekdays
    assert weekdays[:5] == pytest.approx([1.4] * 5, rel=0.08)
    assert max(weekdays[5:]) < 0.25


@pytest.mark.parametrize("ago", [1, 5, 40, 100])
@pytest.mark.parametrize("times", [10, 1000, 10**6])
def test_one_day_far_above_all_others_hardly_changes_the_level(ago, times):
    odd = RESTLESS.copy()
    odd[-ago] *= times
    usual, shaken = level_of(RESTLESS), level_of(odd)
    assert shaken.level == pytest.approx(usual.level, rel=0.25)
    assert shaken.variance < 10 * usual.variance


def test_days_that_recur_are_no_accident():
    monthly = ([5] * 29 + [10_000]) * 6
    assert level_of(monthly).level == pytest.approx(np.mean(monthly), rel=0.3)


def test_a_new_level_is_not_taken_for_noise():
    """After a week at ten times the usual, the level has left the old and not quite believes."""
    found = level_of([30] * 100 + [300] * 7)
    assert 100 < found.level < 300
    assert found.memory < 28


@pytest.mark.parametrize(
    ("silent", "least", "most"), [(0, 1, 1), (5, 0.5, 0.8), (10, 0.3, 0.6), (40, 0, 0.25)]
)
def test_hope_fades_with_silence(silent, least, most):
    assert least <= level_of(list(RESTLESS) + [0] * silent).active <= most


def test_silence_of_the_usual_length_is_no_silence():
    assert level_of([7] + [0] * 20 + [7] + [0] * 20).active > 0.8


def test_growth_is_followed_and_decline_too():
    weeks = np.arange(140) / 7
    assert level_of(100 * 1.1**weeks).level > np.mean(100 * 1.1 ** weeks[-28:])
    assert level_of(1e6 * 0.9**weeks).level < np.mean(1e6 * 0.9 ** weeks[-28:])


def test_last_years_rise_comes_again_in_part():
    year = np.full(364, 20.0)
    last = np.full(28, 20.0)
    seasonal = np.concatenate((last, year))
    seasonal[28:42] = 100  # a year before the days ahead
    assert level_of(seasonal).season > 1.5
    assert level_of(np.concatenate((last, year))).season == 1


def test_less_than_a_year_has_no_season():
    assert level_of(RNG.poisson(50, 391)).season == 1


def test_a_longer_horizon_is_relatively_less_sure_beyond_a_month():
    month, year = (level_of(RESTLESS, np.arange(days) % 7) for days in (31, 366))
    assert year.variance > 5 * month.variance


def test_what_lies_before_the_history_looked_at_only_makes_it_known_longer():
    recent = RNG.poisson(50, HISTORY_DAYS)
    longer = level_of(recent, known_days=800)
    assert longer.level == pytest.approx(level_of(recent).level, rel=0.001)
