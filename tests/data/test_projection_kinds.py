"""Kinds of customer: from the first day to the one who stopped, each with a range that is sane."""

from datetime import date, timedelta

import numpy as np
import pytest

from data.projection import project

START, LAST = date(2026, 3, 1), date(2026, 3, 31)
AS_OF = date(2026, 3, 16)
DAY = timedelta(days=1)
RESTLESS = np.random.default_rng(5).poisson(30, 120).tolist()


def projected(values, start=START, last=LAST, as_of=AS_OF):
    first = as_of - (len(values) - 1) * DAY
    history = [(first + n * DAY, value) for n, value in enumerate(values)]
    return project(history, start, last, as_of)


def width(found):
    return found.p90 - found.p10


def test_a_constant_history_is_projected_on_and_narrowly():
    found = projected([100] * 84)
    assert found.p50 == pytest.approx(3100, rel=0.01)
    assert 0 < width(found) < 0.2 * 1500


def test_a_restless_history_is_wider_than_a_constant_one():
    assert width(projected([0, 100] * 42)) > 2 * width(projected([50] * 84))


@pytest.mark.parametrize("values", [[50], [50, 50], [50, 60, 40]], ids=["day 1", "day 2", "day 3"])
def test_a_new_customer_has_a_wide_range_around_its_run_rate(values):
    found = projected(values)
    assert found.little_history
    assert found.known < found.p10 < found.known + 15 * 50 < found.p90 < 5 * 15 * 50
    assert width(found) > 0.4 * 15 * 50


@pytest.mark.parametrize(("days", "little"), [(13, True), (14, False)])
def test_a_fortnight_is_enough(days, little):
    assert projected([5] * days).little_history is little


@pytest.mark.parametrize("values", [[0] * 40, []], ids=["only zeros", "no day"])
def test_no_usage_projects_none(values):
    as_of = AS_OF if values else START - DAY
    found = projected(values, as_of=as_of)
    assert (found.p90, found.prob_over(0), found.paths.max()) == (0, 0, 0)


GROWING = [round(100 * 1.1 ** (n / 7)) for n in range(140)]
STEADY_KINDS = [
    pytest.param([0] * 85 + [7] + [0] * 5, id="one single use"),
    pytest.param([0] * 85 + [7], id="one single use yesterday"),
    pytest.param([0] * 30 + [30] * 3, id="three days of use after silence"),
    pytest.param([100] * 5 + [0] * 2, id="five days, then silence"),
    pytest.param(RESTLESS + [0] * 5, id="silent for 5 days"),
    pytest.param(RESTLESS + [0] * 10, id="silent for 10 days"),
    pytest.param(RESTLESS + [300] * 7, id="ten times as much since a week"),
    pytest.param([0, 100] * 60, id="every second day"),
    pytest.param([100, 100, 100, 100, 100, 0, 0] * 17, id="office hours"),
    pytest.param(([5] * 29 + [10_000]) * 6, id="a monthly blast"),
    pytest.param(GROWING, id="growth"),
    pytest.param(GROWING[::-1], id="decline"),
    pytest.param([10**9] * 90, id="a thousand million a day"),
    pytest.param([1e-6, 2e-6, 3e-6] * 30, id="millionths"),
    pytest.param([30] * 80 + [30_000] + [30] * 39, id="a thousandfold day"),
    pytest.param([20] * 100 + [-300] + [20] * 25, id="a correction"),
]


@pytest.mark.parametrize("values", STEADY_KINDS)
def test_any_use_of_late_has_a_range_that_is_finite(values):
    found = projected(values)
    assert found.known <= found.p10 <= found.p50 <= found.p90 < np.inf
    assert width(found) > 0
    assert np.isfinite(found.paths).all()
    assert found.p90 - found.known <= 15 * 3 * max(values)


@pytest.mark.parametrize(("days", "chance"), [(5, 1), (10, 0.6), (40, 0.25), (100, 0.05)])
def test_who_has_stopped_is_expected_back_less_and_less(days, chance):
    assert projected(RESTLESS + [0] * days).prob_over(sum(RESTLESS[-16:])) <= chance
    back = projected(RESTLESS + [0] * days)
    assert back.prob_over(back.known) <= chance


def test_a_thousandfold_day_is_an_accident():
    """It counts where it was used, and is not expected again."""
    found = projected([30] * 80 + [30_000] + [30] * 39)
    assert found.p10 < 480 + 15 * 30 < found.p90 < 1100


def test_a_new_level_lies_between_the_old_range_and_the_new():
    found = projected([30] * 100 + [300] * 7)
    assert found.p10 - found.known < 15 * 100
    assert found.p90 - found.known > 15 * 300


def test_a_growing_history_is_followed():
    to_come = projected(GROWING).p50 - projected(GROWING).known
    assert to_come > 15 * np.mean(GROWING[-28:])


# How often the range is right


def poisson(rng):
    return rng.poisson(rng.lognormal(2, 1.5), 140)


def negative_binomial(rng):
    mean, shape = rng.lognormal(2, 1), rng.uniform(0.3, 3)
    return rng.poisson(rng.gamma(shape, mean / shape, 140))


def bursts(rng):
    """On for three days and off for six, on average."""
    turns = np.cumsum(rng.geometric([0.33, 0.17] * 70))
    on = np.searchsorted(turns, np.arange(140), side="right") % 2 == 0
    return rng.poisson(rng.lognormal(3, 1), 140) * on


@pytest.mark.parametrize("usage", [poisson, negative_binomial, bursts])
def test_four_in_five_totals_end_inside_the_range(usage):
    inside = []
    for seed in range(300):
        values = usage(np.random.default_rng(seed)).tolist()
        if any(values[:120]):
            found = projected(values[:120], AS_OF + DAY, AS_OF + 20 * DAY)
            inside.append(found.p10 <= sum(values[120:]) <= found.p90)
    assert 0.65 <= np.mean(inside) <= 0.97
