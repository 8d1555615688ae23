"""A page's days: those out of the ordinary, and the fan of those to come, each customer's own."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest

from data.overview import overview
from data.store import period_at
from tests.bills import agreed, overage
from tests.stores import ACME, BETA, customers, on_plan, read_on, sms_days, version

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
SETTLED, LATER = date(2026, 3, 16), date(2026, 4, 20)
JANUARY, SPIKE = date(2026, 1, 1), date(2026, 3, 10)
DAYS = (TODAY - JANUARY).days + 1


def figures(usual: int, spike: int) -> list[int]:
    found = [usual + n % 3 for n in range(DAYS)]
    found[(SPIKE - JANUARY).days] = spike
    return found


@pytest.fixture
def two(store):
    """Acme uses about 20 a day and 400 once; Beta about 300 a day, so that 400 is not so much."""
    plan = agreed(overage("small"))
    store.put(*customers(), version(plan))
    for owner, usual in ((ACME, 20), (BETA, 300)):
        store.put(*sms_days(owner, JANUARY, figures(usual, usual + 380)))
        store.put(on_plan(owner, plan, JANUARY))
    return store


def shown(scope, today=TODAY, **terms):
    period = period_at(scope, "main", min(today, TODAY))
    return overview(scope, "main", period, today=today, now=NOW, settling_days=3, **terms)


def test_a_spike_of_ones_own_is_marked_and_the_others_is_not(two):
    for scope, quantity in ((two.acme, D(400)), (two.beta, D(680))):
        (series,) = shown(scope).series
        (one,) = series.unusual
        assert (one.day, one.quantity) == (SPIKE, quantity)
        assert one.high < quantity


def test_a_days_mark_stays_when_the_period_is_over(two):
    (now,) = shown(two.acme).series
    read_on(two, LATER)
    (later,) = shown(two.acme, LATER).series
    assert later.unusual != now.unusual  # days without use have settled since
    assert now.unusual == tuple(one for one in later.unusual if one.day <= SETTLED)


def test_a_spike_is_not_judged_before_it_has_settled(two):
    (series,) = shown(two.acme, SPIKE + timedelta(days=2)).series
    assert series.unusual == ()


def test_the_fan_opens_after_the_last_settled_day_and_ends_in_the_expected_range(two):
    for scope in (two.acme, two.beta):
        page = shown(scope)
        assert page.fan.days[0] == SETTLED + timedelta(days=1)
        assert page.fan.days[-1] == page.period.last_day
        ends = (page.fan.low[-1], page.fan.likely[-1], page.fan.high[-1])
        expected = page.outlook.quantity
        assert ends == (expected.low, expected.likely, expected.high)


def test_the_fan_is_never_below_what_settling_days_have_used(two):
    page = shown(two.acme)
    (series,) = page.series
    so_far = sum(series.quantities)
    assert page.fan.low[(TODAY - SETTLED).days - 1] >= so_far


def test_a_period_that_is_over_and_settled_has_no_fan(two):
    read_on(two, LATER)
    assert shown(two.acme, LATER).fan is None


def test_nothing_is_said_of_earlier_projections_where_none_was_checked(two):
    assert shown(two.acme).record is None


def test_a_calendar_of_holidays_leaves_what_is_known_as_it_is(two):
    plain, quiet = shown(two.acme), shown(two.acme, calendar="DE-BY")
    assert plain.statement == quiet.statement
    assert plain.series[0].quantities == quiet.series[0].quantities
