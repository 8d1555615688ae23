"""What changed since a visit: settled days counted anew, plans, statements, credits, accounts."""

from datetime import date, datetime, timedelta
from decimal import Decimal as D

import pytest

from data.models import UsageRevision
from data.periods import DAY
from data.since import Changes, changes_since
from tests.bills import agreed, credit_price, per_unit
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    account,
    close_on,
    credit_row,
    customers,
    noon,
    on_plan,
    read_on,
    recount,
    sms_days,
    version,
)

TODAY = date(2026, 5, 20)
MAY = date(2026, 5, 1)
PLAN = agreed(per_unit("0.10"), plan="units")
VISIT = noon(date(2026, 5, 15))


@pytest.fixture
def world(store):
    store.put(*customers(), version(PLAN), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, MAY, [100] * 20))
    read_on(store, TODAY)
    return store


def counted_anew(store, day, units, *, seen):
    """100 messages of a day become so many; the sync keeps both figures."""
    recount(store, day, units, seen=seen)
    old, new = D(100), D(units)
    figures = {
        "sms": {"old_count": old, "old_usage": old, "new_count": new, "new_usage": new},
        "totalprice": {"old_usage": old / 100, "new_usage": new / 100},
    }
    for category, given in figures.items():
        costs = {"old_cost": old / 100, "new_cost": new / 100, "account_sid": ACME_SID}
        row = {"customer_id": ACME, "day": day, "category": category, "seen_at": noon(seen)}
        store.put(UsageRevision(**row, **given, **costs))


def since(scope, at: datetime = VISIT) -> Changes:
    return changes_since(scope, "main", at, today=TODAY, settling_days=3)


def test_a_settled_day_that_is_counted_anew_says_by_how_much_units_and_money(world):
    counted_anew(world, date(2026, 5, 3), 112, seen=date(2026, 5, 18))
    counted_anew(world, date(2026, 5, 5), 90, seen=date(2026, 5, 18))
    later, earlier = since(world.acme).restated
    assert (earlier.day, earlier.amount, earlier.currency) == (date(2026, 5, 3), D("1.20"), "USD")
    assert [(one.label, one.by) for one in earlier.moved] == [("SMS", D(12))]
    assert (later.amount, later.moved[0].by) == (D("-1.00"), D(-10))
    assert since(world.beta) == Changes()


def test_what_was_corrected_before_the_visit_is_no_news(world):
    counted_anew(world, date(2026, 5, 3), 112, seen=date(2026, 5, 10))
    assert since(world.acme) == Changes()


def test_a_day_that_was_still_settling_at_the_visit_is_expected_to_move(world):
    counted_anew(world, date(2026, 5, 12), 112, seen=date(2026, 5, 18))
    counted_anew(world, date(2026, 5, 11), 112, seen=date(2026, 5, 18))
    assert [one.day for one in since(world.acme).restated] == [date(2026, 5, 11)]


def test_a_day_of_a_closed_period_has_no_amount_but_its_adjustment_has(world):
    world.put(*sms_days(ACME, date(2026, 4, 1), [100] * 30))
    close_on(world, date(2026, 5, 14))
    assert since(world.acme, noon(date(2026, 5, 14))).closed[0].amount == D("300.00")
    counted_anew(world, date(2026, 4, 3), 112, seen=date(2026, 5, 18))
    close_on(world, date(2026, 5, 19))
    found = since(world.acme)
    assert [(one.day, one.amount) for one in found.restated] == [(date(2026, 4, 3), None)]
    assert [one.amount for one in found.adjusted] == [D("1.20")]
    assert found.closed == ()
    assert since(world.beta).adjusted == ()


def test_a_new_plan_credits_and_accounts_are_told_and_the_first_of_each_are_not(world):
    new = agreed(credit_price(), plan="credits")
    world.put(version(new), on_plan(ACME, new, date(2026, 5, 16)))
    world.put(credit_row(ACME, "large", date(2026, 5, 17)))
    world.put(account(ACME, "AC" + "c" * 32, starts_on=date(2026, 5, 18), application="Second"))
    found = since(world.acme)
    assert [(one.name, one.starts_on) for one in found.plans] == [("Agreed", date(2026, 5, 16))]
    assert [(one.name, one.amount) for one in found.granted] == [("large", D(100))]
    assert found.opened == (("Second", date(2026, 5, 18)),)
    assert since(world.beta) == Changes()
    assert since(world.acme, noon(TODAY + DAY)).plans == ()


def test_credits_that_expired_unused_are_told_with_what_was_left(store):
    plan = agreed(credit_price(), plan="credits")
    store.put(*customers(), version(plan), on_plan(ACME, plan), on_plan(BETA, plan))
    store.put(*sms_days(ACME, MAY, [10]))
    store.put(credit_row(ACME, "small", MAY, expires_on=date(2026, 5, 18)))
    read_on(store, TODAY)
    (gone,) = since(store.acme).expired
    assert (gone.name, gone.on, gone.amount) == ("small", date(2026, 5, 18), D(98))
    assert since(store.acme, noon(TODAY) - timedelta(days=1)).expired == ()
    assert since(store.beta).expired == ()
