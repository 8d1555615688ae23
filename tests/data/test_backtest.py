"""Past projections: which periods are checked, on what they rest, and how they are counted."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from operator import attrgetter

import numpy as np
import pytest
from sqlmodel import select

from data.backtest.cases import CUT_OFFS, Series, overage_limit, past_projections
from data.backtest.quality import (
    Doubtful,
    Quality,
    doubtful_customers,
    qualities,
)
from data.backtest.run import back_test
from data.errors import ScopeViolation
from data.models import (
    USAGE_RECORDS,
    ForecastCalibration,
    PastProjection,
    Subscription,
    SyncCursor,
)
from data.periods import period_of
from data.projection import project
from data.projection.calibration import IDENTITY, Calibration, recalibrated
from data.scope import reading, writing
from data.track_record import TrackRecord, calibrations, track_record
from tests.bills import agreed, margin, overage, stretch
from tests.forecasts import STARTS, past
from tests.readings import rows_of
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    OPENED,
    account,
    customers,
    on_plan,
    read_on,
    recount,
    sms_days,
    version,
)

TODAY = date(2026, 6, 20)
NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
MARCH = period_of(date(2026, 3, 1))
DAYS = (TODAY - OPENED).days


def daily(seed: int, mean: float = 100) -> list[int]:
    return [int(each) for each in np.random.default_rng(seed).poisson(mean, DAYS)]


@pytest.fixture
def two(store):
    """Acme has a bundle of 200, Beta a margin; both have used SMS since January."""
    bundle, share = agreed(overage("medium"), plan="bundle"), agreed(margin(markup="0"))
    store.put(*customers(), version(bundle), version(share))
    store.put(on_plan(ACME, bundle), on_plan(BETA, share))
    store.put(*sms_days(ACME, OPENED, daily(1, 7)), *sms_days(BETA, OPENED, daily(2)))
    read_on(store, TODAY)
    return store


def checked(store, *, today: date = TODAY, **terms):
    now = datetime.combine(today, NOW.timetz())
    return back_test(store.owner, today=today, now=now, settling_days=3, **terms)


def cases(store, owner=None) -> list[PastProjection]:
    with reading(store.owner) as session:
        rows = session.exec(select(PastProjection)).all()
    kept = (row for row in rows if owner in (None, row.customer_id))
    return sorted(kept, key=attrgetter("customer_id", "period_start", "cut_off"))


def test_every_whole_settled_period_is_checked_after_six_of_its_days(two):
    done = checked(two)
    assert (done.customers, done.periods, done.cases, done.failed) == (2, 10, 60, ())
    assert {row.period_start for row in cases(two, ACME)} == set(STARTS)
    assert [row.cut_off for row in cases(two, BETA)][:6] == list(CUT_OFFS)


def test_a_second_run_adds_nothing_and_a_month_later_one_period_a_customer(two):
    checked(two)
    assert checked(two).cases == 0
    later = date(2026, 7, 20)
    two.put(*sms_days(ACME, TODAY, [7] * 30), *sms_days(BETA, TODAY, [100] * 30))
    read_on(two, later)
    done = checked(two, today=later)
    assert (done.periods, done.cases) == (2, 12)


def test_a_period_that_has_not_settled_is_left_alone(two):
    checked(two, today=date(2026, 6, 3))
    assert {row.period_start for row in cases(two)} == set(STARTS[:-1])


def test_what_is_stored_is_what_the_pages_function_says(two):
    checked(two)
    row = next(r for r in cases(two, BETA) if r.period_start == MARCH.start and r.cut_off == 10)
    used = daily(2)
    known = [(OPENED + timedelta(days=n), D(units)) for n, units in enumerate(used)]
    as_of = date(2026, 3, 10)
    history = [one for one in known if as_of - timedelta(days=84) < one[0] <= as_of]
    made = project(history, MARCH.start, MARCH.last_day, as_of)
    assert (row.p10, row.p50, row.p90) == tuple(
        D(round(each)) for each in (made.p10, made.p50, made.p90)
    )
    assert row.actual == sum(units for day, units in known if day in MARCH)
    assert row.run_rate == round(sum(D(u) for d, u in history if d in MARCH) * 31 / 10, 6)
    assert row.usage_class == "regular"


def series(owner: int, days) -> Series:
    return Series.of(owner, "main", "sms", OPENED, days, [MARCH])


def test_days_after_the_cut_off_change_nothing_but_the_outcome():
    first = series(ACME, {OPENED + timedelta(days=n): D(9) for n in range(70)})
    later = {**first.quantities, date(2026, 3, 11): D(999)}
    changed = series(ACME, later)
    one, other = (
        [row for row in past_projections(each, MARCH, D(300), {}) if row.cut_off <= 10]
        for each in (first, changed)
    )
    seen = ("p10", "p50", "p90", "run_rate", "overage_chance", "usage_class")
    for a, b in zip(one, other, strict=True):
        assert [getattr(a, name) for name in seen] == [getattr(b, name) for name in seen]
        assert a.actual != b.actual


def test_overage_is_the_allowance_or_a_twentieth_more_than_the_period_before(two):
    checked(two)
    assert {row.overage_limit for row in cases(two, ACME)} == {D(200)}
    betas = {row.period_start: row for row in cases(two, BETA)}
    assert betas[STARTS[0]].overage_limit is None
    assert betas[STARTS[2]].overage_limit == betas[STARTS[1]].actual * D("1.05")


@pytest.mark.parametrize(
    ("first", "until", "limit"),
    [(1, None, 200), (10, None, None), (1, 20, None)],
    ids=["all of the period", "a plan that begins in it", "one that ends in it"],
)
def test_an_allowance_is_that_of_a_plan_of_the_whole_period(first, until, limit):
    plan = stretch(agreed(overage("medium")), first, until)
    assert overage_limit([plan], MARCH, "sms", D(500)) == limit


def test_a_first_period_is_a_cold_start(two):
    checked(two)
    assert {row.period_start for row in cases(two) if row.cold_start} == {STARTS[0]}


def test_a_part_of_a_period_is_not_checked(two):
    began, sid = date(2026, 2, 10), "AC" + "d" * 32
    two.put(Subscription(customer_id=BETA, key="other", starts_on=began))
    two.put(account(BETA, sid, starts_on=began, subscription="other"))
    two.put(*sms_days(BETA, began, [9] * 90, sid=sid))
    read_on(two, TODAY)
    checked(two)
    other = [row for row in cases(two, BETA) if row.subscription == "other"]
    assert {row.period_start for row in other} == set(STARTS[2:])
    assert {row.period_start for row in other if row.cold_start} == {MARCH.start}


def test_days_that_were_never_read_are_not_projected(two):
    read_since_march = {"first_day": MARCH.start, "through": TODAY, "read_at": NOW}
    two.put(SyncCursor(account_sid=ACME_SID, resource=USAGE_RECORDS, **read_since_march))
    checked(two)
    assert {row.period_start for row in cases(two, ACME)} == set(STARTS[2:])
    assert {row.period_start for row in cases(two, BETA)} == set(STARTS)


def test_new_cases_are_read_with_the_calibration_before_them(two):
    two.put(
        ForecastCalibration(
            usage_class="regular",
            low=0.02,
            middle=0.5,
            high=0.98,
            cases=900,
            computed_on=TODAY,
        )
    )
    checked(two)
    wide = cases(two, BETA)
    checked(two, again=True)
    own = cases(two, BETA)
    assert all(a.p10 < b.p10 and a.p90 > b.p90 for a, b in zip(wide, own, strict=True))
    assert [a.transform for a in wide] == [b.transform for b in own]


def test_the_calibration_in_force_is_the_rule_on_the_transforms_of_all_customers(two):
    checked(two)
    usual = [row.transform for row in cases(two) if not row.cold_start]
    expected = recalibrated(usual, on=TODAY)
    for scope in (two.acme, two.beta, two.app):
        assert calibrations(scope) == {"regular": expected}


def test_checking_one_customer_again_leaves_the_other_alone(two):
    checked(two)
    recount(two, date(2026, 3, 30), 5000, seen=TODAY)
    before = cases(two, BETA)
    done = checked(two, customer="acme", again=True)
    assert (done.customers, done.cases) == (1, 30)
    assert cases(two, BETA) == before
    assert any(row.actual > 5000 for row in cases(two, ACME))


def test_a_customer_that_uses_nothing_is_idle_and_counted_apart(store):
    store.put(*customers())
    store.put(*sms_days(ACME, OPENED, [0] * DAYS), *sms_days(BETA, OPENED, daily(3)))
    read_on(store, TODAY)
    checked(store)
    found = qualities(store.app, today=TODAY)
    assert {row.usage_class for row in cases(store, ACME)} == {"idle"}
    assert found.of().cases == 24
    assert found.of("cold start").cases == 12
    assert found.of("idle").cases == 24
    assert set(calibrations(store.app)) == {"regular"}


def test_transforms_of_right_forecasts_of_counts_are_spread_evenly():
    """Zero or one a day: without a point inside its jump, each would be far too high."""
    rng, found = np.random.default_rng(5), []
    for customer in range(150):
        values = (rng.random(90) < 0.02).astype(int)
        days = {OPENED + timedelta(days=n): D(int(each)) for n, each in enumerate(values)}
        rows = past_projections(series(customer, days), MARCH, None, {})
        found += [row.transform for row in rows]
    assert np.mean(found) == pytest.approx(0.5, abs=0.15)


# What is counted


@pytest.fixture
def customers_only(store):
    store.put(*customers())
    return store


def test_errors_are_over_the_usual_period_and_skill_is_against_the_run_rate(customers_only):
    customers_only.put(past(ACME), past(BETA, p50=D(120), usual=D(1000)))
    found = qualities(customers_only.app, today=TODAY).of()
    assert found.error == pytest.approx((0.1 + 0.01) / 2)
    assert found.run_rate_error == pytest.approx((0.4 + 0.04) / 2)
    assert found.skill == pytest.approx(0.75)


def test_a_total_on_the_edge_of_the_range_is_inside(customers_only):
    customers_only.put(
        past(ACME, 0, actual=D(80)),
        past(ACME, 1, actual=D(130)),
        past(ACME, 2, actual=D(79)),
        past(BETA, 0, actual=D(131)),
    )
    found = qualities(customers_only.app, today=TODAY).of()
    assert (found.inside, found.below, found.above, found.coverage) == (2, 1, 1, 0.5)


def test_the_brier_score_is_the_mean_square_of_the_chances_error(customers_only):
    limits = {"overage_limit": D(105)}
    customers_only.put(
        past(ACME, 0, overage_chance=0.8, **limits),  # went over
        past(BETA, 0, overage_chance=0.4, actual=D(105), **limits),  # did not
        past(BETA, 1),
    )
    found = qualities(customers_only.app, today=TODAY)
    assert found.of().brier == pytest.approx((0.04 + 0.16) / 2)
    assert [(one.chances, one.chance, one.happened) for one in found.reliability] == [
        (1, pytest.approx(0.4), 0),
        (1, pytest.approx(0.8), 1),
    ]


def test_periods_that_ended_over_a_year_ago_are_not_counted(customers_only):
    old = {"period_start": date(2025, 3, 1), "period_end": date(2025, 4, 1)}
    customers_only.put(past(ACME, 0, **old), past(BETA))
    assert qualities(customers_only.app, today=TODAY).of().cases == 1


def test_without_a_case_there_is_no_figure(customers_only):
    found = qualities(customers_only.app, today=TODAY)
    assert (found.of(), found.newest, found.classes) == (Quality(), None, ())
    assert found.of().coverage is found.of().error is found.of().skill is found.of().brier is None


@pytest.mark.parametrize(
    ("cases", "outside", "drifts"),
    [
        pytest.param(30, 6, False, id="four of five"),
        pytest.param(30, 10, True, id="too narrow"),
        pytest.param(30, 1, True, id="too wide"),
        pytest.param(29, 29, False, id="too few to say so"),
        pytest.param(30, 9, False, id="just 70 %"),
        pytest.param(30, 3, False, id="just 90 %"),
    ],
)
def test_coverage_outside_70_to_90_percent_of_30_cases_is_a_drift(cases, outside, drifts):
    assert Quality(cases=cases, above=outside).drifts is drifts


def test_customers_outside_are_listed_the_lowest_coverage_first(customers_only):
    customers_only.put(
        *(past(ACME, n) for n in range(12)),
        *(past(BETA, n, actual=D(10 if n < 5 else 110)) for n in range(12)),
    )
    assert doubtful_customers(customers_only.app, today=TODAY) == (
        Doubtful(BETA, "beta", "Beta", 12, 5, 0),
        Doubtful(ACME, "acme", "Acme", 12, 0, 0),
    )


def test_a_customer_with_few_cases_is_not_listed(customers_only):
    customers_only.put(*(past(ACME, n) for n in range(11)))
    assert doubtful_customers(customers_only.app, today=TODAY) == ()


# The customer's own record


def test_the_track_record_counts_the_range_shown_on_day_ten(customers_only):
    customers_only.put(
        *(past(ACME, n, subscription="main", actual=D(110 if n < 18 else 10)) for n in range(30)),
        *(past(BETA, n, subscription="main", actual=D(10)) for n in range(30)),
    )
    assert track_record(customers_only.acme, "main") == TrackRecord(periods=5, inside=3)
    assert track_record(customers_only.beta, "main") == TrackRecord(periods=5, inside=0)


def test_there_is_no_track_record_without_a_period(customers_only):
    customers_only.put(past(BETA, 2, subscription="main"))
    assert track_record(customers_only.acme, "main") is None
    assert track_record(customers_only.beta, "other") is None


def test_the_track_record_is_of_the_last_twelve_periods(customers_only):
    months = [date(2025, 1, 1)]
    while len(months) < 15:
        months.append(period_of(months[-1]).end)
    rows = [
        past(ACME, 2, subscription="main", period_start=one, actual=D(10 if n < 3 else 110))
        for n, one in enumerate(months)
    ]
    customers_only.put(*rows)
    assert track_record(customers_only.acme, "main") == TrackRecord(periods=12, inside=12)


def test_a_class_without_a_calibration_is_read_as_it_is(customers_only):
    assert calibrations(customers_only.acme).get("regular", IDENTITY) == Calibration()


def test_a_customers_session_cannot_change_the_calibration(two):
    checked(two)
    row = ForecastCalibration(
        usage_class="sparse", low=0.1, middle=0.5, high=0.9, cases=1, computed_on=TODAY
    )
    with pytest.raises(ScopeViolation):
        add(two.acme, row)
    assert rows_of(two, ForecastCalibration, "usage_class") == [("regular",)]


def add(scope, row):
    with writing(scope) as session:
        session.add(row)
