"""Re-calibration by rule: what it does to forecasts that are too narrow, too wide, or right."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection.calibration import BOUNDS, IDENTITY, Calibration, recalibrated, usage_class

LEVELS = st.floats(0, 1)
TRANSFORMS = st.lists(LEVELS, max_size=400)
FORECAST = NormalDist()


def what_happened(periods, *, spread=1.0, shift=0.0, seed=1):
    """Transforms of totals that a standard normal forecast was given for."""
    totals = np.random.default_rng(seed).normal(shift, spread, periods)
    return [FORECAST.cdf(total) for total in totals]


def coverage(calibration: Calibration, transforms) -> float:
    """The share of totals inside the range that is read with the calibration."""
    low, high = calibration.level(0.1), calibration.level(0.9)
    return sum(low <= one <= high for one in transforms) / len(transforms)


@pytest.mark.parametrize(
    ("drift", "before"),
    [
        pytest.param({"spread": 1.5}, 0.61, id="ranges too narrow"),
        pytest.param({"spread": 0.6}, 0.97, id="ranges too wide"),
        pytest.param({"shift": 0.7}, 0.69, id="use grows"),
        pytest.param({"shift": -0.5, "spread": 1.2}, 0.67, id="use fades and varies more"),
    ],
)
def test_a_drift_is_brought_within_three_points_on_the_periods_that_follow(drift, before):
    past, ahead = (what_happened(4000, seed=seed, **drift) for seed in (1, 2))
    assert coverage(IDENTITY, ahead) == pytest.approx(before, abs=0.02)
    assert coverage(recalibrated(past), ahead) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("periods", [50, 300, 4000])
def test_what_is_calibrated_stays_within_two_points(periods):
    past, ahead = what_happened(periods, seed=3), what_happened(20_000, seed=4)
    assert coverage(recalibrated(past), ahead) == pytest.approx(0.8, abs=0.02)


def test_a_few_bad_cases_change_little():
    found = recalibrated([0.999] * 5)
    assert found.high < 0.91
    assert found.low < 0.15


def test_without_a_case_nothing_changes():
    assert recalibrated([]) is IDENTITY


@given(TRANSFORMS)
def test_levels_stay_within_their_bounds(transforms):
    found = recalibrated(transforms)
    for shown, (least, most) in BOUNDS.items():
        assert least <= found.level(shown) <= most


@given(TRANSFORMS, LEVELS, LEVELS)
def test_a_larger_probability_is_never_read_lower(transforms, one, other):
    found = recalibrated(transforms)
    low, high = sorted((one, other))
    assert found.level(low) <= found.level(high)
    assert found.probability(low) <= found.probability(high)


@given(TRANSFORMS, LEVELS)
def test_the_probability_of_a_level_is_where_it_came_from(transforms, probability):
    found = recalibrated(transforms)
    assert found.probability(found.level(probability)) == pytest.approx(probability, abs=1e-9)


@given(TRANSFORMS)
def test_the_order_of_the_cases_does_not_matter(transforms):
    assert recalibrated(transforms) == recalibrated(transforms[::-1])


@given(LEVELS)
def test_the_identity_changes_nothing(probability):
    assert IDENTITY.level(probability) == pytest.approx(probability)
    assert IDENTITY.probability(probability) == pytest.approx(probability)


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        pytest.param([5] * 90, "regular", id="every day"),
        pytest.param([5] * 9 + [0], "regular", id="nine days of ten"),
        pytest.param([5, 5, 0], "intermittent", id="two days of three"),
        pytest.param([1, 0, 0, 0], "sparse", id="one day of four"),
        pytest.param([5] * 90 + [0] * 84, "idle", id="nothing for twelve weeks"),
        pytest.param([0] * 90 + [5] * 84, "regular", id="older days do not count"),
        pytest.param([], "idle", id="no history"),
    ],
)
def test_the_class_is_the_share_of_days_with_use(history, kind):
    assert usage_class(history) == kind
