"""What the credits page stands on: the ledger with its balances, lots, warnings, money credits."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from fractions import Fraction

import pytest

from data.credit_ledger import LotState, balances, ledger_lines, lot_stories, post_credits
from data.credits import Concern, Credits, LotLeft, credit_warnings
from data.outlook import DayRange
from data.overview import overview
from data.periods import period_of
from data.pricing.ledger import as_decimal
from data.scope import Scope
from data.statement import money_left
from data.statement_archive import closed_bills
from tests.bills import agreed, credit_price, per_unit
from tests.stores import (
    ACME,
    BETA,
    close_on,
    credit_row,
    customers,
    money_row,
    on_plan,
    recount,
    sms_days,
    version,
)

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
JANUARY, MARCH = date(2026, 1, 1), period_of(TODAY)
PLAN = agreed(credit_price())
LARGE = {"credits": D(200), "price": D(15), "units_per_credit": {"sms": "7.5"}}
NEVER = DayRange(None, None, None)


@pytest.fixture
def two(store):
    """Acme draws 10 segments a day from two lots, the first of which expires; Beta from its own."""
    store.put(version(PLAN), *customers(), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, JANUARY, [10] * 79))
    store.put(credit_row(ACME, "first", JANUARY, expires_on=date(2026, 2, 1)))
    store.put(credit_row(ACME, "second", date(2026, 1, 15), **LARGE))
    store.put(credit_row(BETA, "plenty", JANUARY, credits=D(99_999)))
    return store


def credits(scope: Scope) -> Credits:
    found = overview(scope, "main", MARCH, today=TODAY, now=NOW, settling_days=3).credits
    assert found is not None
    return found


def post(store, through: date) -> None:
    post_credits(store.acme, "main", through=through, now=NOW)


def lines(store, scope=None):
    return ledger_lines(scope or store.acme, "main", through=TODAY)


@pytest.mark.parametrize("posted", [None, date(2026, 2, 10), date(2026, 3, 16)])
def test_the_ledger_replayed_gives_the_balance_shown(two, posted):
    if posted:
        post(two, posted)
    shown = credits(two.acme)
    replayed = sum((line.credits for line in lines(two)), Fraction(0))
    assert lines(two)[-1].balance == replayed
    assert as_decimal(replayed) == shown.credits_left
    (lot,) = shown.lots
    assert as_decimal(lines(two)[-1].left) == lot.credits_left


def test_days_that_settle_are_told_apart_from_what_is_posted(two):
    post(two, date(2026, 3, 16))
    waiting = [line.entry.day for line in lines(two) if line.number is None]
    assert waiting == [date(2026, 3, n) for n in (17, 18, 19, 20)]


def test_a_late_count_is_returned_and_the_balance_still_agrees(two):
    post(two, date(2026, 3, 16))
    recount(two, date(2026, 3, 2), 4, seen=date(2026, 3, 19))
    post(two, date(2026, 3, 16))
    assert [line.entry.kind.value for line in lines(two) if line.credits > 0] == [
        *("grant", "grant", "return")
    ]
    assert as_decimal(lines(two)[-1].balance) == credits(two.acme).credits_left


def test_the_balance_of_each_day_counts_its_own_entries(two):
    days = (date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), TODAY)
    found = balances(lines(two), days)
    assert found[0] == 98  # 100 less 2 for 10 segments
    assert found[1] == Fraction(100 - 2 * 31 + 200)
    assert found[2] == 200 - Fraction(10) / Fraction("7.5")  # the first lot's 38 have expired
    assert found[3] == lines(two)[-1].balance


def test_every_lot_has_its_story(two):
    two.put(credit_row(ACME, "later", date(2026, 4, 1)))
    two.put(credit_row(ACME, "back", date(2026, 3, 1), voided_on=date(2026, 3, 5)))
    stories = lot_stories(two.acme, "main", lines(two), through=TODAY)
    assert [(one.name, one.state) for one in stories] == [
        ("later", LotState.LATER),
        ("back", LotState.VOIDED),
        ("second", LotState.OPEN),
        ("first", LotState.EXPIRED),
    ]
    first = stories[-1]
    assert (first.granted, first.drawn, first.expired, first.left) == (100, 62, 38, 0)
    assert all(one.granted == one.drawn + one.expired + one.voided + one.left for one in stories)


def test_each_customer_has_its_own_ledger(two):
    assert {line.entry.lot for line in lines(two)} == {"first", "second"}
    assert {line.entry.lot for line in lines(two, two.beta)} == {"plenty"}


def test_the_course_ahead_begins_at_the_balance_and_ends_at_nothing(two):
    shown = credits(two.acme)
    ahead = shown.ahead
    assert ahead is not None
    assert ahead.days[0] == TODAY + timedelta(days=1)
    assert ahead.low[0] == ahead.high[0] == round(shown.credits_left, 2)
    assert ahead.high[-1] == 0
    for low, likely, high in zip(ahead.low, ahead.likely, ahead.high, strict=True):
        assert low <= likely <= high
    assert sorted(ahead.high, reverse=True) == list(ahead.high)


def test_an_expiry_is_a_step_of_the_course(two):
    on = date(2026, 3, 25)
    two.put(credit_row(ACME, "short", date(2026, 3, 19), expires_on=on))
    ahead = credits(two.acme).ahead
    assert ahead is not None
    assert ahead.days.count(on) == 2
    at = ahead.days.index(on)
    assert ahead.high[at] - ahead.low[at + 1] > 50


def test_credits_buy_one_meter_or_the_other(two):
    shown = credits(two.acme)
    assert [(one.label, one.units) for one in shown.buys] == [("SMS", shown.units_left)]


def lot(expires_on: date | None, unused: tuple[str, str] | None) -> LotLeft:
    low_high = (D(unused[0]), D(unused[1])) if unused else None
    return LotLeft("pack", JANUARY, expires_on, D(100), D(40), D(200), D(5), D(10), low_high)


def account(*lots: LotLeft, owed="0", runs_out=NEVER) -> Credits:
    return Credits("sms", "SMS", "SMS segments", lots, D(10), D(owed), runs_out)


def likely(days: int) -> DayRange:
    on = TODAY + timedelta(days=days)
    return DayRange(on - timedelta(days=2), on, on + timedelta(days=2))


@pytest.mark.parametrize(
    ("days", "within"), [(0, 1), (1, 1), (2, 7), (7, 7), (8, 30), (30, 30), (31, None)]
)
def test_run_out_warns_at_30_7_and_1_days(days, within):
    found = credit_warnings(account(lot(None, None), runs_out=likely(days)), today=TODAY)
    assert [one.within for one in found] == ([] if within is None else [within])


@pytest.mark.parametrize(
    ("days", "unused", "warned"),
    [
        (9, ("25", "29"), True),
        (9, ("0", "3"), True),
        (9, ("0", "0.4"), False),
        (31, ("25", "29"), False),
        (9, None, False),
    ],
)
def test_an_expiry_warns_where_credits_are_left_unused(days, unused, warned):
    on = TODAY + timedelta(days=days)
    found = credit_warnings(account(lot(on, unused)), today=TODAY)
    assert [one.concern for one in found] == ([Concern.EXPIRES] if warned else [])


def test_used_up_comes_first():
    (found,) = credit_warnings(account(owed="12"), today=TODAY)
    assert (found.concern, found.within) == (Concern.USED_UP, 0)


def test_money_credits_are_left_as_the_bills_leave_them(store):
    plan = agreed(per_unit("0.10"))
    store.put(version(plan), *customers(), on_plan(ACME, plan), on_plan(BETA, plan))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, date(2026, 3, 1), [10] * 10))
    store.put(money_row(ACME, "gift", 100), money_row(BETA, "other", 7))
    (acme,) = money_left(store.acme, "main", MARCH, today=TODAY)
    (beta,) = money_left(store.beta, "main", MARCH, today=TODAY)
    assert (acme.amount, acme.left) == (100, 90)  # 100 segments at 0.10
    assert (beta.amount, beta.left) == (7, 0)


def test_closed_statements_are_listed_with_what_was_billed_later(store):
    plan = agreed(per_unit("0.10"))
    store.put(version(plan), *customers(), on_plan(ACME, plan), on_plan(BETA, plan))
    for owner in (ACME, BETA):
        store.put(*sms_days(owner, JANUARY, [10] * 59))
    close_on(store, date(2026, 3, 12))
    recount(store, date(2026, 2, 3), 14, seen=date(2026, 3, 19))
    close_on(store, date(2026, 3, 19))
    february, january = closed_bills(store.acme, "main")
    assert (february.start, february.total, january.total) == (date(2026, 2, 1), 28, 31)
    assert [(one.amount, one.billed_in) for one in february.adjusted] == [(D("0.40"), MARCH.start)]
    assert january.adjusted == ()
    assert [one.adjusted for one in closed_bills(store.beta, "main")] == [(), ()]
    assert february.closed_at.date() == date(2026, 3, 12)
    assert len(february.content_hash) == 64
