"""A customer's credits: what is left, in which lots, until when, and what will expire unused."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from sqlmodel import select

from data.models import UsageRecord
from data.overview import overview
from data.periods import period_of
from data.pricing import LineKind
from data.scope import writing
from data.statement import statement
from tests.bills import agreed, credit_price, margin, tiers
from tests.stores import ACME, BETA, credit_row, customers, on_plan, record, sms_days, version

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
JANUARY, MARCH = date(2026, 1, 1), period_of(TODAY)
LARGE = {"credits": D(200), "price": D(15), "units_per_credit": {"sms": "7.5"}}
PLAN = agreed(credit_price())


@pytest.fixture
def two(sqlite_store):
    """Both use 10 segments a day since the year began; only Beta has credits in plenty."""
    sqlite_store.put(version(PLAN), *customers(), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    for owner in (ACME, BETA):
        sqlite_store.put(*sms_days(owner, JANUARY, [10] * 79))
    sqlite_store.put(credit_row(BETA, "plenty", JANUARY, credits=D(99_999)))
    return sqlite_store


def grant(store, key, bought=JANUARY, **terms):
    store.put(credit_row(ACME, key, bought, **terms))


def credits(store, period=MARCH, today=TODAY):
    return overview(store.acme, "main", period, today=today, now=NOW, settling_days=3).credits


def test_the_balance_counts_settling_days(two):
    grant(two, "first", **LARGE)  # 1500 segments, 790 used
    found = credits(two)
    assert (found.units_left, found.used, found.owed) == (710, 200, 0)


def test_credits_left_are_the_lots_own(two):
    grant(two, "first", **LARGE)
    (lot,) = credits(two).lots
    assert (lot.credits, round(lot.credits_left, 4)) == (200, D("94.6667"))


def test_lots_are_shown_in_the_order_in_which_they_burn(two):
    grant(two, "second", date(2026, 3, 1))
    grant(two, "first", **LARGE)
    assert [lot.name for lot in credits(two).lots] == ["first", "second"]


def test_a_burnt_lot_is_not_shown(two):
    grant(two, "first")  # 500
    grant(two, "second", **LARGE)
    assert [lot.name for lot in credits(two).lots] == ["second"]


def test_credits_last_no_longer_than_their_last_lot(two):
    grant(two, "first", **LARGE, expires_on=date(2026, 5, 1))
    assert credits(two).all_expire_on == date(2026, 5, 1)
    grant(two, "later", date(2026, 4, 1), **LARGE, expires_on=date(2026, 7, 1))
    assert credits(two).all_expire_on == date(2026, 7, 1)
    grant(two, "for ever", **LARGE)
    assert credits(two).all_expire_on is None


def test_a_lot_that_expires_tomorrow_is_shown_no_more(two):
    grant(two, "first", **LARGE, expires_on=date(2026, 3, 21))
    assert credits(two).lots == ()


def test_what_no_lot_covered_is_owed(two):
    grant(two, "first")
    found = credits(two)
    assert (found.units_left, found.owed) == (0, 290)


def test_a_lot_of_later_repays_what_was_owed(two):
    grant(two, "first")
    grant(two, "second", date(2026, 3, 19))  # 500, of which 290 are owed
    found = credits(two)
    assert (found.units_left, found.owed) == (210, 0)


def test_credits_run_out_at_the_pace_of_use(two):
    grant(two, "first", **LARGE)  # 710 left at 10 a day: on day 72 from tomorrow
    runs_out = credits(two).runs_out
    assert runs_out.early <= runs_out.likely <= runs_out.late
    assert abs((runs_out.likely - date(2026, 5, 31)).days) <= 4


def test_credits_for_more_than_a_year_run_out_on_no_day_in_sight(two):
    grant(two, "first", **{**LARGE, "credits": D(2000)})
    assert credits(two).runs_out.likely is None


def test_what_will_expire_unused_is_a_range(two):
    grant(two, "first", **LARGE, expires_on=date(2026, 4, 1))  # 110 of 710 used by then
    (lot,) = credits(two).lots
    least, most = lot.expected_unused
    assert D(70) < least <= most < D(90)


def test_what_expires_in_more_than_a_year_is_not_in_sight(two):
    grant(two, "first", **LARGE, expires_on=date(2027, 12, 1))
    assert credits(two).lots[0].expected_unused is None


def test_settling_days_are_not_drawn_twice(two):
    grant(two, "first", **LARGE)
    before = credits(two)
    two.put(*(record(ACME, date(2026, 3, 18), "sms-inbound", 0),))
    assert credits(two) == before
    assert abs((before.runs_out.likely - date(2026, 5, 31)).days) <= 4


def test_what_a_settling_day_has_yet_to_use_is_drawn_tomorrow(two):
    """The last settling day has hardly been read: 10 more are to be expected of it."""
    with writing(two.owner) as session:
        for row in session.exec(select(UsageRecord).where(UsageRecord.customer_id == ACME)):
            if row.day == TODAY and row.category == "sms":
                row.usage = row.count = D(1)
    grant(two, "first", **LARGE)
    found = credits(two)
    assert found.units_left == 719
    assert abs((found.runs_out.likely - date(2026, 5, 31)).days) <= 4


def test_lots_that_expire_in_different_periods_are_left_in_each(two):
    grant(two, "first", **LARGE, expires_on=date(2026, 4, 1))
    grant(two, "second", **LARGE, expires_on=date(2026, 6, 1))
    first, second = (lot.expected_unused for lot in credits(two).lots)
    assert D(70) < first[0] < first[1] < D(90)  # of 94.7, 11 days at 10 segments
    assert D(95) < second[0] < second[1] < D(140)  # of 200, 61 days


def test_grants_of_later_periods_put_the_day_off(two):
    monthly = {"name": "monthly", "credits": "40", "units_per_credit": {"sms": "5"}}
    new = agreed(credit_price(recurring=[monthly]), plan="other")
    two.put(version(new), on_plan(ACME, new, JANUARY, number=1))
    grant(two, "first", **LARGE)  # 200 a month come in addition, of 300 or so used
    runs_out = credits(two).runs_out
    assert runs_out.early > date(2026, 9, 1)


def test_a_lot_of_two_meters_is_burnt_by_both(two):
    both = {"sms": "5", "voice": "5"}
    new = agreed(credit_price(meters=["sms", "voice"]), plan="other")
    two.put(version(new), on_plan(ACME, new, JANUARY, number=1))
    days = (date.fromordinal(JANUARY.toordinal() + n) for n in range(79))
    two.put(*(record(ACME, day, "calls", 10) for day in days))
    grant(two, "first", **{**LARGE, "credits": D(400), "units_per_credit": both})  # 2000
    found = credits(two)  # 1580 used; 420 at 20 a day
    assert found.units_left == 420
    assert abs((found.runs_out.likely - date(2026, 4, 10)).days) <= 2


def test_a_lot_without_expiry_expects_none_unused(two):
    grant(two, "first", **LARGE)
    assert credits(two).lots[0].expected_unused is None


def test_a_change_between_credit_plans_keeps_what_was_drawn_before_it(two):
    grant(two, "first", **LARGE)
    new = agreed(credit_price(), version=2)
    two.put(version(new), on_plan(ACME, new, date(2026, 3, 11)))
    assert credits(two).units_left == 710


def test_a_change_from_another_plan_begins_with_the_lots_whole(two):
    other = agreed(margin(markup="0"), plan="other")
    two.put(version(other), on_plan(ACME, other, date(2026, 1, 2)))
    back = agreed(credit_price(), version=3)
    two.put(version(back), on_plan(ACME, back, date(2026, 3, 11)))
    grant(two, "first", **LARGE)
    assert credits(two).units_left == 1500 - 10 - 100


def test_a_period_that_is_over_shows_the_balance_at_its_end(two):
    grant(two, "first", **LARGE)
    found = credits(two, period_of(date(2026, 2, 1)))
    assert (found.units_left, found.used) == (1500 - 59 * 10, 280)


def test_a_period_that_is_over_shows_the_pace_of_its_end(two):
    grant(two, "first", **LARGE)  # 910 left on the last of February
    runs_out = credits(two, period_of(date(2026, 2, 1)), today=date(2026, 7, 1)).runs_out
    assert abs((runs_out.likely - date(2026, 5, 30)).days) <= 4


def test_a_plan_without_credits_has_none(two):
    other = agreed(tiers("small"), plan="other")
    two.put(version(other), on_plan(ACME, other, date(2026, 3, 2)))
    assert credits(two) is None


def test_a_bill_so_far_expires_nothing_ahead_of_its_day(two):
    grant(two, "first", **LARGE, expires_on=date(2026, 3, 28))
    kinds = {
        day: [line.kind for line in bill(two, day).lines]
        for day in (TODAY, date(2026, 3, 27), date(2026, 3, 28))
    }
    assert [LineKind.EXPIRED in found for found in kinds.values()] == [False, False, True]


def bill(store, day):
    return statement(store.acme, "main", MARCH, today=day)
