"""Billing periods: anchors, leap years, parts, and that every day lies in exactly one."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidPeriod
from data.periods import BillingPeriod, days_between, period_of, previous_period

DAY = timedelta(days=1)
some_day = st.dates(date(1999, 1, 1), date(2101, 12, 31))
anchor_days = st.integers(1, 31)


def iso(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "anchor", "start", "end"),
    [
        pytest.param("2026-03-15", 1, "2026-03-01", "2026-04-01", id="a calendar month"),
        pytest.param("2026-12-31", 1, "2026-12-01", "2027-01-01", id="december"),
        pytest.param("2027-01-31", 31, "2027-01-31", "2027-02-28", id="anchor 31 into february"),
        pytest.param("2027-02-28", 31, "2027-02-28", "2027-03-31", id="anchor 31 from february"),
        pytest.param("2027-04-29", 31, "2027-03-31", "2027-04-30", id="anchor 31 in april"),
        pytest.param("2028-02-29", 31, "2028-02-29", "2028-03-31", id="leap year"),
        pytest.param("2028-02-28", 30, "2028-01-30", "2028-02-29", id="day before a leap day"),
        pytest.param("2026-01-20", 15, "2026-01-15", "2026-02-15", id="anchor 15"),
        pytest.param("2026-01-14", 15, "2025-12-15", "2026-01-15", id="before the anchor"),
    ],
)
def test_the_period_of_a_day(day, anchor, start, end):
    period = period_of(iso(day), anchor)
    assert (period.start, period.end) == (iso(start), iso(end))


@given(some_day, anchor_days)
def test_a_period_holds_its_day(day, anchor):
    assert day in period_of(day, anchor)


@given(some_day, anchor_days)
def test_every_day_of_a_period_has_that_period(day, anchor):
    period = period_of(day, anchor)
    assert {period_of(each, anchor) for each in days_between(period.start, period.end)} == {period}


@given(some_day, anchor_days)
def test_the_next_period_begins_where_one_ends(day, anchor):
    period = period_of(day, anchor)
    assert period_of(period.end, anchor).start == period.end


@given(some_day, anchor_days)
def test_the_previous_period_ends_where_one_begins(day, anchor):
    period = period_of(day, anchor)
    assert previous_period(period, anchor).end == period.start


@given(some_day, anchor_days)
def test_a_full_period_has_28_to_31_days(day, anchor):
    assert 28 <= period_of(day, anchor).days <= 31


@pytest.mark.parametrize("anchor", [0, 32, -1])
def test_an_anchor_outside_the_month_is_refused(anchor):
    with pytest.raises(InvalidPeriod, match="from 1 to 31"):
        period_of(date(2026, 3, 1), anchor)


def test_a_sign_up_begins_a_part_with_the_full_months_days():
    part = period_of(date(2026, 3, 15)).clipped(date(2026, 3, 15), None)
    assert (part.days, part.full_days) == (17, 31)


def test_a_part_cut_at_both_ends():
    part = period_of(date(2026, 3, 15)).clipped(date(2026, 3, 10), date(2026, 3, 20))
    assert (part.start, part.last_day, part.days) == (date(2026, 3, 10), date(2026, 3, 19), 10)


def test_a_cut_outside_changes_nothing():
    period = period_of(date(2026, 3, 15))
    assert period.clipped(date(2025, 1, 1), date(2027, 1, 1)) == period


def test_a_part_without_a_day_is_refused():
    with pytest.raises(InvalidPeriod, match="no day"):
        period_of(date(2026, 3, 15)).clipped(date(2026, 4, 1), None)


def test_a_part_of_a_part_keeps_the_full_days():
    part = period_of(date(2026, 3, 15)).clipped(date(2026, 3, 10), None)
    assert part.clipped(date(2026, 3, 20), None).full_days == 31


def test_the_period_before_a_part_is_a_full_one():
    part = period_of(date(2026, 3, 15)).clipped(date(2026, 3, 15), None)
    assert previous_period(part) == period_of(date(2026, 2, 1))


@pytest.mark.parametrize(
    ("through", "elapsed"),
    [
        pytest.param("2026-02-28", 0, id="before"),
        pytest.param("2026-03-01", 1, id="the first day"),
        pytest.param("2026-03-31", 31, id="the last day"),
        pytest.param("2026-05-01", 31, id="long after"),
    ],
)
def test_days_elapsed_and_left(through, elapsed):
    period = period_of(date(2026, 3, 1))
    assert (period.days_elapsed(iso(through)), period.days_left(iso(through))) == (
        elapsed,
        31 - elapsed,
    )


def test_the_end_is_exclusive():
    period = BillingPeriod(*(date(2026, 3, 1), date(2026, 4, 1)) * 2)
    assert (date(2026, 3, 31) in period, date(2026, 4, 1) in period) == (True, False)


def test_days_between_leaves_out_the_end():
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
    ]
