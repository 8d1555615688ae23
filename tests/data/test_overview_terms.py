"""What a deployment sets reaches a page's forecast: its holidays, the calibration in force."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.models import ForecastCalibration
from data.overview import Overview, overview
from data.periods import DAY, days_between
from data.store import period_at
from tests.bills import agreed, credit_price, overage
from tests.stores import (
    ACME,
    BETA,
    credit_row,
    customers,
    on_plan,
    read_on,
    sms_days,
    version,
)

TODAY, NOW = date(2026, 5, 20), datetime(2026, 5, 20, 12, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
DAYS = list(days_between(JANUARY, TODAY + DAY))
QUIET = {date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16)}  # holidays in the US
SUNDAY = 6


def put(store, owner: int, figures, price=None, **terms) -> None:
    plan = agreed(price or overage("small"), plan=f"plan-{owner}")
    store.put(version(plan), on_plan(owner, plan, JANUARY))
    store.put(*sms_days(owner, JANUARY, figures))


def shown(scope, **terms) -> Overview:
    period = period_at(scope, "main", TODAY)
    return overview(scope, "main", period, today=TODAY, now=NOW, settling_days=3, **terms)


def likely(view: Overview) -> D:
    return view.outlook.quantity.likely


def width(view: Overview) -> D:
    return view.outlook.quantity.high - view.outlook.quantity.low


@pytest.fixture
def calendars(store):
    """Acme works on no Sunday and no holiday of the US, Beta every day."""
    store.put(*customers())
    closed = [day.weekday() == SUNDAY or day in QUIET for day in DAYS]
    put(store, ACME, [0 if one else 100 + n % 3 for n, one in enumerate(closed)])
    put(store, BETA, [100 + n % 3 for n in range(len(DAYS))])
    read_on(store, TODAY)
    return store


def test_on_a_holiday_to_come_as_little_is_expected_as_on_a_sunday(calendars):
    """Memorial Day, the Monday after, is one of ten working days to come."""
    less = likely(shown(calendars.acme)) - likely(shown(calendars.acme, calendar="US"))
    assert 70 < less < 110


def test_a_holiday_of_the_next_period_counts_in_what_is_advised_for_it(calendars):
    """On 19 June 100 messages less go over, which is 0.40 dearer on the small tier."""
    plain, quiet = (shown(calendars.acme, **terms) for terms in ({}, {"calendar": "US"}))
    assert 20 < plain.outlook.next_advice.saves - quiet.outlook.next_advice.saves < 60


def test_one_who_works_on_sundays_does_on_holidays(calendars):
    less = likely(shown(calendars.beta)) - likely(shown(calendars.beta, calendar="US"))
    assert abs(less) < 10


@pytest.fixture
def kinds(store):
    """Acme uses something every day, Beta on two days of five."""
    store.put(*customers())
    put(store, ACME, [100 + 7 * (n * n % 5) for n in range(len(DAYS))])
    put(store, BETA, [100 + n % 7 if n % 5 < 2 else 0 for n in range(len(DAYS))])
    read_on(store, TODAY)
    return store


def calibrate(store, low: float, middle: float, high: float, kind: str = "regular") -> None:
    found = {"usage_class": kind, "low": low, "middle": middle, "high": high}
    store.put(ForecastCalibration(**found, cases=900, computed_on=TODAY))


def test_a_calibration_that_widens_widens_the_ranges_of_its_class_alone(kinds):
    acme, beta = shown(kinds.acme), shown(kinds.beta)
    calibrate(kinds, 0.02, 0.5, 0.98)
    wider = shown(kinds.acme)
    assert width(wider) > D("1.3") * width(acme) > 0
    assert abs(likely(wider) - likely(acme)) <= 2
    assert shown(kinds.beta) == beta
    calibrate(kinds, 0.02, 0.5, 0.98, "intermittent")
    assert width(shown(kinds.beta)) > width(beta)


@pytest.mark.parametrize("levels", [None, (0.02, 0.6, 0.98)], ids=["as it is", "calibrated"])
def test_the_charts_end_is_the_cards_range(kinds, levels):
    if levels:
        calibrate(kinds, *levels)
    for scope in (kinds.acme, kinds.beta):
        view = shown(scope)
        found = view.outlook.quantity
        ends = (view.fan.low[-1], view.fan.likely[-1], view.fan.high[-1])
        assert ends == (found.low, found.likely, found.high)


def test_a_new_calibration_is_no_news_of_the_customer(kinds):
    before = shown(kinds.acme)
    calibrate(kinds, 0.1, 0.7, 0.9)
    after = shown(kinds.acme)
    shift = likely(after) - likely(before)
    assert shift > 5
    assert abs(after.outlook.changed.quantity - before.outlook.changed.quantity) < shift / 2


def test_credits_last_as_long_as_the_calibration_has_it(store):
    store.put(*customers())
    for owner in (ACME, BETA):
        used = [10 + n % 3 if owner == ACME or n % 5 < 2 else 0 for n in range(len(DAYS))]
        put(store, owner, used, credit_price())
        store.put(credit_row(owner, "first", JANUARY, credits=D(400)))
    read_on(store, TODAY)
    acme, beta = shown(store.acme).credits, shown(store.beta).credits
    calibrate(store, 0.02, 0.5, 0.98)
    wider = shown(store.acme).credits.runs_out
    assert wider.late - wider.early > acme.runs_out.late - acme.runs_out.early
    assert shown(store.beta).credits == beta
