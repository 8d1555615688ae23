"""Laws of the projection: never below what is known, ordered, in proportion, wide on little."""

from datetime import date, timedelta
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.projection import DRAWS, project

START, LAST = date(2026, 3, 1), date(2026, 3, 31)
AS_OF = date(2026, 3, 16)
DAY = timedelta(days=1)


def history(values, until=AS_OF):
    first = until - (len(values) - 1) * DAY
    return [(first + n * DAY, value) for n, value in enumerate(values)]


def projected(values, start=START, last=LAST, as_of=AS_OF, **terms):
    return project(history(values, as_of), start, last, as_of, **terms)


def moving(values):
    """What settling days have used, from the day after the last settled one on."""
    return {AS_OF + (1 + n) * DAY: value for n, value in enumerate(values)}


def width(found):
    return found.p90 - found.p10


RNG = np.random.default_rng(5)
RESTLESS = [int(x) for x in RNG.poisson(30, 120)]
WEEKLY = [10, 12, 11, 13, 12, 3, 2]
counts = st.lists(st.one_of(st.just(0), st.integers(0, 500)), min_size=1, max_size=90)
parts = st.lists(st.floats(0, 1e6).map(lambda x: round(x, 6)), min_size=1, max_size=60)
histories = st.one_of(counts, parts)
floors = st.lists(st.integers(0, 2000), max_size=4).map(moving)
chances = st.floats(0, 1)

# Quantiles, chances and draws


@given(histories, floors, chances)
def test_no_quantile_lies_below_what_is_known(values, floor, chance):
    found = projected(values, floor=floor)
    slack = 1e-9 * (1 + sum(floor.values()))
    assert found.quantile(chance) >= found.known + sum(floor.values()) - slack
    assert found.known == pytest.approx(sum(values[-16:]))


@given(histories, floors, chances, chances)
def test_quantiles_ascend(values, floor, one, other):
    low, high = sorted((one, other))
    found = projected(values, floor=floor)
    assert found.quantile(low) <= found.quantile(high) < np.inf


@given(histories, floors, st.floats(0, 20_000), st.floats(0, 20_000))
def test_a_higher_limit_is_passed_less_often(values, floor, one, other):
    low, high = sorted((one, other))
    found = projected(values, floor=floor)
    assert 0 <= found.prob_over(high) <= found.prob_over(low) <= 1


@given(histories, floors, st.floats(0.02, 0.98))
def test_the_chance_to_pass_a_quantile_is_what_the_quantile_says(values, floor, chance):
    found = projected(values, floor=floor)
    total = found.quantile(chance)
    step = 0.5 if found.whole else 1e-6 * (1 + total)
    assert found.prob_over(total + step) <= 1 - chance + 0.01
    if total - step > found.known + sum(floor.values()):
        assert found.prob_over(total - 2 * step) >= 1 - chance - 0.01


@given(histories, floors)
def test_draws_are_courses_of_the_days_to_come(values, floor):
    found = projected(values, floor=floor)
    least = [floor.get(day, 0) for day in found.days]
    assert found.paths.shape == (DRAWS, 15)
    assert (found.paths >= least).all()
    assert (np.diff(found.totals) >= 0).all()
    assert np.allclose(found.paths.sum(axis=1), found.totals)


@given(counts, floors, chances)
def test_counts_stay_whole(values, floor, chance):
    found = projected(values, floor=floor)
    assert found.whole
    assert (found.paths == np.floor(found.paths)).all()
    if not any(floor.values()):
        assert found.quantile(chance) == round(found.quantile(chance))


@given(histories)
def test_equal_input_has_equal_draws(values):
    assert (projected(values).paths == projected(values).paths).all()


@given(histories)
def test_decimals_and_floats_agree(values):
    exact = projected([D(str(value)) for value in values])
    assert exact.quantile(0.7) == pytest.approx(projected(values).quantile(0.7))


@pytest.mark.parametrize("values", [RESTLESS, RESTLESS[:5], WEEKLY * 12], ids=str)
def test_the_draws_have_the_distributions_mean(values):
    found = projected(values)
    expected = found.rest.mean_if_active * found.rest.active
    assert found.paths.sum(axis=1).mean() == pytest.approx(expected, rel=0.03)


def test_the_middle_is_passed_half_the_time():
    found = projected(RESTLESS)
    assert found.prob_over(found.p50) == pytest.approx(0.5, abs=0.02)


# Proportion and time


@pytest.mark.parametrize("factor", [10, 1000])
@given(counts)
def test_more_of_everything_is_as_much_more_of_the_total(factor, values):
    one, more = projected(values), projected([factor * value for value in values])
    assert more.rest.mean_if_active == pytest.approx(factor * one.rest.mean_if_active)
    assert more.p90 == pytest.approx(factor * one.p90, abs=factor * 0.51)


@pytest.mark.parametrize("factor", [1e-3, 0.37, 60])
@given(parts)
def test_the_unit_of_measure_does_not_matter(factor, values):
    one, other = projected(values), projected([factor * value for value in values])
    if not (one.whole or other.whole):
        assert other.p90 == pytest.approx(factor * one.p90, rel=1e-4)
        assert np.allclose(other.paths, factor * one.paths, rtol=1e-4, atol=1e-6 * other.p90)


@pytest.mark.parametrize("days", [7, 70])
@given(counts)
def test_whole_weeks_later_nothing_differs(days, values):
    later = days * DAY
    found = projected(values, START + later, LAST + later, AS_OF + later)
    assert (found.paths == projected(values).paths).all()
    assert found.components == projected(values).components


def test_days_beyond_a_year_and_a_month_only_say_how_long_a_customer_is_known():
    recent = [int(x) for x in RNG.poisson(30, 395)]
    one, other = projected(recent), projected([900] * 400 + recent)
    assert other.p50 == pytest.approx(one.p50, rel=0.01)
    assert width(other) <= width(one) + 1


# Periods


def test_what_is_known_counts_the_periods_days_only():
    assert projected([5] * 40).known == 16 * 5


@pytest.mark.parametrize("values", [[5] * 60, RESTLESS, [0] * 60, [0.25] * 50], ids=str)
def test_a_period_without_days_to_come_is_a_fact(values):
    found = projected(values, as_of=LAST)
    assert found.days == ()
    assert found.p10 == found.p90 == found.mean == found.known == sum(values[-31:])
    assert (found.prob_over(found.known - 1), found.prob_over(found.known)) == (1, 0)


def test_days_after_the_period_are_not_of_it():
    found = projected([5] * 60, last=date(2026, 3, 10))
    assert (found.known, found.days) == (50, ())


def test_a_whole_period_ahead_is_all_to_come():
    found = projected(RESTLESS, date(2026, 4, 1), date(2026, 4, 30))
    assert (found.known, len(found.days)) == (0, 30)
    assert found.p10 < 30 * 30 < found.p90


def test_a_history_may_begin_inside_the_period():
    found = projected([30] * 8)
    assert found.known == 240
    assert found.p10 < 240 + 15 * 30 < found.p90


def test_a_year_ahead_is_wide_and_finite():
    found = projected(RESTLESS, last=date(2027, 3, 17))
    assert 0.5 < (found.p50 - found.known) / (366 * 30) < 1.5
    assert width(found) > 0.3 * 366 * 30


def test_one_day_ahead_is_about_a_day():
    found = projected(RESTLESS, date(2026, 3, 17), date(2026, 3, 17))
    assert 15 < found.p10 < 30 < found.p90 < 45


# Weekdays and holidays


def mean_by_day(found):
    return dict(zip(found.days, found.paths.mean(axis=0), strict=True))


def test_weekends_weigh_as_they_did():
    sunday = date(2026, 3, 15)
    found = mean_by_day(projected(WEEKLY * 12, as_of=sunday))
    assert found[date(2026, 3, 22)] < found[date(2026, 3, 16)] / 2


def test_a_holiday_to_come_is_a_sunday():
    sunday, holiday = date(2026, 3, 15), date(2026, 3, 18)
    found = projected(WEEKLY * 12, as_of=sunday, holidays=[holiday])
    by_day = dict(zip(found.days, found.shares, strict=True))
    assert by_day[holiday] == by_day[date(2026, 3, 22)] < by_day[date(2026, 3, 25)]
    assert found.p50 < projected(WEEKLY * 12, as_of=sunday).p50


def test_a_holiday_behind_says_nothing_of_its_weekday():
    sunday, holiday = date(2026, 3, 15), date(2026, 3, 11)
    values = WEEKLY * 12
    values[-5] = 0  # that Wednesday
    known, unknown = (
        projected(values, as_of=sunday, holidays=days).components.weekdays
        for days in ([holiday], [])
    )
    assert known[2] > unknown[2]


def test_one_weekday_a_week_is_used_on_that_weekday():
    found = projected(([40] + [0] * 6) * 17, as_of=date(2026, 3, 15))  # Mondays
    by_day = mean_by_day(found)
    assert by_day[date(2026, 3, 23)] > 5 * by_day[date(2026, 3, 24)]
    assert found.p10 <= found.known + 3 * 40 <= found.p90


# What is settling


def test_use_of_settling_days_alone_is_something_to_go_by():
    """A customer whose first use is still settling is not one that will use nothing."""
    for values in ([], [0] * 60):
        found = projected(values, floor=moving([50, 40]))
        assert found.p50 > 90
        assert width(found) > 100
        assert found.little_history


def test_settling_days_lift_what_would_lie_below_them():
    assert projected(RESTLESS, floor=moving([900])).p10 > projected(RESTLESS).p10 + 700


def test_a_settling_day_without_use_yet_changes_nothing():
    assert projected(RESTLESS, floor=moving([0, 0])).p10 == projected(RESTLESS).p10


# What is refused


@pytest.mark.parametrize(
    "days",
    [
        pytest.param([14, 16], id="a gap"),
        pytest.param([14, 14, 16], id="a day twice and a gap"),
        pytest.param([15, 15, 16], id="a day twice"),
        pytest.param([14, 16, 15], id="unordered"),
        pytest.param([13, 15, 14, 16], id="unordered between its ends"),
        pytest.param([13, 14, 15], id="ending early"),
        pytest.param([15, 16, 17], id="ending late"),
    ],
)
def test_a_history_that_is_not_day_after_day_is_refused(days):
    entries = [(date(2026, 3, day), 1) for day in days]
    with pytest.raises(InputError, match="one entry a day, ascending, and end on 2026-03-16"):
        project(entries, START, LAST, AS_OF)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), D("NaN"), D("-Infinity")], ids=str)
def test_a_quantity_that_is_no_number_is_refused_by_name(value):
    with pytest.raises(InputError, match=r"history .* 2026-03-16"):
        projected([1, 2, value])
    with pytest.raises(InputError, match=r"floor .* 2026-03-18"):
        projected([1, 2], floor=moving([1, value]))


@pytest.mark.parametrize(
    ("values", "whole"),
    [([1, 2, 3], True), ([1, 2.5], False)],
    ids=["whole units", "parts of a unit"],
)
def test_it_knows_whether_units_are_whole(values, whole):
    assert projected(values).whole is whole
