"""Draws of the days to come: exact sums, weekdays' shares, and meters that move together."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.projection import DRAWS, joint_paths, project
from data.projection.paths import day_paths, paired

DAY = timedelta(days=1)
AS_OF = date(2026, 3, 15)  # a Sunday
RNG = np.random.default_rng(11)


def projected(values, **terms):
    first = AS_OF - (len(values) - 1) * DAY
    history = [(first + n * DAY, value) for n, value in enumerate(values)]
    return project(history, date(2026, 3, 1), date(2026, 3, 31), AS_OF, **terms)


totals = st.lists(st.integers(0, 10**9), min_size=1, max_size=20).map(sorted)


@given(totals, st.integers(1, 40), st.floats(0, 30), st.booleans())
def test_a_paths_days_add_up_to_its_total(amounts, count, variation, whole):
    amounts = np.array(amounts, dtype=float)
    paths = day_paths(amounts, np.full(count, 1 / count), variation, whole=whole)
    assert paths.shape == (len(amounts), count)
    assert np.allclose(paths.sum(axis=1), amounts)
    assert (paths >= 0).all()
    if whole:
        assert (paths == np.floor(paths)).all()


def test_no_days_are_no_paths():
    assert day_paths(np.zeros(3), np.zeros(0), 1.0, whole=True).shape == (3, 0)


@pytest.mark.parametrize("variation", [0.1, 1.0, 4.0], ids=["steady", "restless", "in bursts"])
def test_days_have_their_share_on_average(variation):
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    paths = day_paths(np.full(4000, 100.0), shares, variation, whole=False)
    assert paths.mean(axis=0) == pytest.approx(100 * shares, abs=3)


def test_bursts_put_a_total_on_few_days():
    steady, bursts = (
        day_paths(np.full(DRAWS, 100.0), np.full(20, 0.05), one, whole=False).max(axis=1).mean()
        for one in (0.3, 5.0)
    )
    assert steady < 15 < 50 < bursts


def test_equal_projections_have_equal_paths():
    values = RNG.poisson(20, 90)
    assert (projected(values).paths == projected(values).paths).all()


# Meters together


def weeks_of(correlation, count=26):
    first, other = RNG.standard_normal((2, count))
    return [first, correlation * first + np.sqrt(1 - correlation**2) * other]


def correlation_of(ranks):
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


@pytest.mark.parametrize("meters", [1, 2, 5])
def test_pairing_uses_each_draw_once(meters):
    for ranks in paired([RNG.poisson(50, 20) * 1.0 for _ in range(meters)]):
        assert sorted(ranks) == list(range(DRAWS))


def test_meters_that_rose_together_are_drawn_together():
    assert correlation_of(paired(weeks_of(1.0))) > 0.7


def test_meters_that_took_turns_are_drawn_so():
    assert correlation_of(paired(weeks_of(-1.0))) < -0.4


def test_independent_meters_hardly_go_together():
    found = [correlation_of(paired(weeks_of(0.0))) for _ in range(20)]
    assert abs(np.mean(found)) < 0.2


@pytest.mark.parametrize(
    "weeks",
    [
        pytest.param([[], []], id="no week"),
        pytest.param([[1.0, 2], [5.0] * 26], id="two weeks beside many"),
        pytest.param([[5.0] * 26, [5.0] * 26], id="constant"),
        pytest.param([[0.0] * 26, list(range(26))], id="no use beside growth"),
    ],
)
def test_where_weeks_say_nothing_the_usual_dependence_is_assumed(weeks):
    found = correlation_of(paired([np.array(one, dtype=float) for one in weeks]))
    assert 0.1 < found < 0.5


def test_sparse_meters_are_not_together_for_their_silence():
    """Weeks without use are equal: their order says nothing."""
    found = [
        correlation_of(paired(list((RNG.random((2, 26)) < 0.15) * RNG.poisson(50, (2, 26)) * 1.0)))
        for _ in range(20)
    ]
    assert abs(np.mean(found)) < 0.2


@given(st.lists(st.lists(st.integers(0, 3), min_size=26, max_size=26), min_size=1, max_size=8))
def test_any_meters_can_be_paired(meters):
    weeks = [np.array(one, dtype=float) for one in meters]
    mirrored = [-one for one in weeks]
    assert len(paired([*weeks, *mirrored, np.ones(26), np.ones(26)])) == 2 * len(weeks) + 2


def test_equal_meters_many_times_can_be_paired():
    weeks = np.arange(26.0)
    ranks = paired([weeks, weeks, weeks, -weeks])
    assert correlation_of(ranks[:2]) > 0.7
    assert correlation_of(ranks[2:]) < -0.4


def test_each_meter_keeps_its_own_distribution():
    one, other = projected(RNG.poisson(20, 90)), projected(RNG.gamma(2, 5, 90))
    joint = joint_paths({"sms": one, "voice": other})
    for meter, alone in (("sms", one), ("voice", other)):
        found = joint[meter][np.lexsort(joint[meter].T[::-1])]
        assert (found == alone.paths[np.lexsort(alone.paths.T[::-1])]).all()


def test_meters_that_rose_together_have_totals_that_do():
    shape = np.repeat(RNG.gamma(3, 10, 26), 7)
    joint = joint_paths({"sms": projected(RNG.poisson(shape)), "mms": projected(shape / 10)})
    sums = [paths.sum(axis=1) for paths in joint.values()]
    assert np.corrcoef(*sums)[0, 1] > 0.5


def test_no_meter_has_no_joint_paths():
    assert joint_paths({}) == {}
