"""Statements: what was agreed, cut where it changes, in states, and without a word of cost."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.errors import InvalidPeriod, NotFound
from data.models import Subscription
from data.periods import period_of
from data.pricing import LineKind
from data.scope import writing
from data.statement import Status, staff_statement, statement
from data.store import period_at, periods
from tests.bills import agreed, credit_price, graduated, margin, overage, tiers
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    account,
    credit_row,
    customers,
    on_plan,
    record,
    sms_days,
    version,
)

MARCH = period_of(date(2026, 3, 1))
FIRST = MARCH.start


@pytest.fixture
def two(store):
    """Both customers used SMS in March, Beta always seven times as much."""
    store.put(*customers())
    store.put(*sms_days(ACME, FIRST, [10] * 31), *sms_days(BETA, FIRST, [70] * 31))
    return store


def agree(store, *changes, owner=ACME):
    """(plan, first day) in order."""
    for plan, since in changes:
        store.put(version(plan), on_plan(owner, plan, since))


def march(store, today=date(2026, 4, 20), scope=None):
    return statement(scope or store.acme, "main", MARCH, today=today)


SIMPLE = {
    "margin over all": (margin(gross_margin="0.03"), D("3.20")),  # 3.10 / 0.97
    "bands of margins": (graduated(), D("3.21")),  # 1.00 / 0.95 and 2.10 / 0.97
    "tiers": (tiers("medium"), D("59.99")),
    "tiers with overage": (overage("small"), D("154.99")),  # 49.99 + 210 × 0.50
    "credits without a lot": (credit_price(), D(0)),
}


@pytest.mark.parametrize(("price", "amount"), SIMPLE.values(), ids=SIMPLE)
def test_a_month_is_billed_by_what_was_agreed(two, price, amount):
    agree(two, (agreed(price), FIRST))
    assert march(two).total == amount


def test_each_customer_is_billed_its_own_usage(two):
    agree(two, (agreed(margin(markup="0")), FIRST))
    two.put(on_plan(BETA, agreed(margin(markup="0")), FIRST))
    assert [march(two, scope=scope).total for scope in (two.acme, two.beta)] == [
        D("3.10"),
        D("21.70"),
    ]


def test_without_a_plan_there_is_no_statement(two):
    assert march(two) is None


def test_a_sign_up_pays_from_its_day(two):
    agree(two, (agreed(overage("medium")), date(2026, 3, 15)))
    bill = march(two)
    assert (bill.total, bill.prorated) == (D("50.90"), True)  # 32.90 + (170 − 110) × 0.30


def test_a_change_day_belongs_to_the_new_plan(two):
    agree(
        two,
        (agreed(overage("small"), plan="small"), FIRST),
        (agreed(overage("large"), plan="large"), date(2026, 3, 11)),
    )
    parts = march(two).parts
    assert [(part.start.day, part.end.day, part.full_days) for part in parts] == [
        (1, 11, 31),
        (11, 1, 31),
    ]


def test_used_volume_stays_with_the_version_that_was_active(two):
    agree(
        two,
        (agreed(overage("small"), plan="small"), FIRST),
        (agreed(overage("large"), plan="large"), date(2026, 3, 11)),
    )
    figures = [
        [(line.kind, line.quantity, line.amount) for line in part.lines]
        for part in march(two).parts
    ]
    # 10/31 of 49.99 and of 100; 21/31 of 65.99 and of 300
    assert figures == [
        [
            (LineKind.FEE, 1, D("16.13")),
            (LineKind.INCLUDED, 33, D(0)),
            (LineKind.OVERAGE, 67, D("33.50")),
        ],
        [
            (LineKind.FEE, 1, D("44.70")),
            (LineKind.INCLUDED, 204, D(0)),
            (LineKind.OVERAGE, 6, D("0.60")),
        ],
    ]


def test_a_total_is_the_sum_of_the_parts_lines(two):
    agree(
        two,
        (agreed(overage("small"), plan="small"), FIRST),
        (agreed(overage("large"), plan="large"), date(2026, 3, 11)),
    )
    bill = march(two)
    assert bill.total == sum(line.amount for line in bill.lines) == D("94.93")
    assert bill.overage == D("34.10")


def test_credits_drawn_before_a_change_are_gone_after_it(two):
    old, new = agreed(credit_price()), agreed(credit_price(), version=2)
    agree(two, (old, FIRST), (new, date(2026, 3, 11)))
    two.put(credit_row(ACME, "first", FIRST))
    drawn = [
        (line.kind, line.quantity) for line in march(two).lines if line.kind is not LineKind.PACK
    ]
    assert drawn == [(LineKind.CREDITS, 100), (LineKind.CREDITS, 210)]


def test_credits_drawn_in_an_earlier_month_are_gone(two):
    agree(two, (agreed(credit_price()), date(2026, 1, 1)))
    two.put(credit_row(ACME, "first", date(2026, 2, 1)))
    two.put(*sms_days(ACME, date(2026, 2, 1), [10] * 28))
    kinds = {line.kind: line.quantity for line in march(two).lines}
    assert kinds == {LineKind.CREDITS: 220, LineKind.UNPRICED: 90}


@pytest.mark.parametrize(
    ("today", "state"),
    [
        pytest.param(date(2026, 3, 31), Status.OPEN, id="the last day"),
        pytest.param(date(2026, 4, 1), Status.SETTLING, id="over"),
        pytest.param(date(2026, 5, 9), Status.SETTLING, id="settled long ago and not closed yet"),
    ],
)
def test_a_statement_that_nobody_closed_is_open_then_settling(two, today, state):
    agree(two, (agreed(tiers("small")), FIRST))
    assert march(two, today).status is state


def test_other_meters_are_not_in_a_meters_price(two):
    agree(two, (agreed(margin(markup="0", meters=["sms"])), FIRST))
    two.put(record(ACME, FIRST, "calls", 5, "100"))
    assert march(two).total == D("3.10")


def test_all_usage_is_twilios_total(two):
    agree(two, (agreed(margin(markup="0")), FIRST))
    two.put(record(ACME, FIRST, "calls", 5, "100"))
    assert march(two).total == D("3.10")


def test_an_allowance_is_pooled_over_the_accounts_of_a_subscription(two):
    second = "AC" + "d" * 32
    agree(two, (agreed(overage("large")), FIRST))
    two.put(account(ACME, second), *sms_days(ACME, FIRST, [10] * 31, sid=second))
    assert march(two).total == D("97.99")  # 65.99 + 320 × 0.10


def test_an_account_of_another_subscription_is_not_billed_here(two):
    second = "AC" + "d" * 32
    agree(two, (agreed(overage("large")), FIRST))
    two.put(
        Subscription(customer_id=ACME, key="shop", starts_on=FIRST),
        account(ACME, second, subscription="shop"),
        *sms_days(ACME, FIRST, [10] * 31, sid=second),
    )
    assert march(two).total == D("66.99")


def test_another_customers_account_is_not_billed_here(two):
    agree(two, (agreed(margin(markup="0")), FIRST))
    two.put(account(BETA, ACME_SID, starts_on=FIRST))
    assert march(two).total == D("3.10")


def test_staff_see_cost_and_margin(two):
    agree(two, (agreed(margin(gross_margin="0.03")), FIRST))
    found = staff_statement(two.acme, "main", MARCH, today=MARCH.last_day)
    assert (found.amount, found.cost) == (D("3.20"), D("3.10"))
    assert found.gross_margin == D("0.10") / D("3.20")


def test_no_margin_is_told_in_two_currencies(two):
    agree(two, (agreed(tiers("small"), currency="EUR"), FIRST))
    found = staff_statement(two.acme, "main", MARCH, today=MARCH.last_day)
    assert (found.gross_margin, found.currency, found.cost_currency) == (None, "EUR", "USD")


def test_staff_of_a_customer_without_a_plan_see_none(two):
    assert staff_statement(two.acme, "main", MARCH, today=MARCH.last_day) is None


@pytest.mark.parametrize(
    "day", [date(2025, 12, 31), date(2026, 3, 20)], ids=["before it opened", "after it closed"]
)
def test_a_day_outside_the_subscription_has_no_period(two, day):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).ends_on = date(2026, 3, 20)
    with pytest.raises(InvalidPeriod, match=rf"no period on {day}.*2026-01-01 – 2026-03-20"):
        period_at(two.acme, "main", day)


def test_the_last_period_of_a_closed_subscription_is_a_part(two):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).ends_on = date(2026, 3, 20)
    newest, *_ = periods(two.acme, "main", today=date(2026, 5, 5))
    assert (newest.start, newest.end, newest.full_end) == (FIRST, date(2026, 3, 20), MARCH.end)


def test_periods_go_back_to_the_first_day_newest_first(two):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).starts_on = date(2026, 1, 15)
    found = periods(two.acme, "main", today=date(2026, 3, 2))
    assert [period.start for period in found] == [
        date(2026, 3, 1),
        date(2026, 2, 1),
        date(2026, 1, 15),
    ]


def test_periods_follow_the_anchor(two):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).anchor_day = 15
    found = period_at(two.acme, "main", date(2026, 3, 2))
    assert (found.start, found.end) == (date(2026, 2, 15), date(2026, 3, 15))


def test_another_customers_subscription_is_not_found(two):
    two.put(Subscription(customer_id=BETA, key="shop", starts_on=FIRST))
    with pytest.raises(NotFound):
        statement(two.acme, "shop", MARCH, today=FIRST)
