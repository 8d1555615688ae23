"""Money credits: granted in advance, they pay bills after tax until they are used or expire."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.closing import close_period
from data.errors import Conflict, InputError
from data.models import Subscription
from data.periods import period_of, periods_between
from data.pricing import LineKind
from data.statement import Status, statement
from data.statement_archive import money_paid
from data.store import data_version
from tests.bills import agreed, margin, per_unit
from tests.customer_files import FILE, importer, scope_of
from tests.stores import (
    ACME,
    BETA,
    OPENED,
    account,
    close_on,
    customers,
    money_row,
    noon,
    on_plan,
    read_on,
    recount,
    sms_days,
    version,
)

MONTHS = JANUARY, FEBRUARY, MARCH, APRIL = tuple(periods_between(OPENED, date(2026, 5, 1)))
PLAN = agreed(per_unit("0.10"), monthly_fee="10", tax={"name": "VAT", "rate": "0.20"})
TODAY = date(2026, 4, 30)


@pytest.fixture
def two(store):
    """Each month costs 10.00 and 10 segments of 0.10, with 20 % of tax: 13.20."""
    store.put(*customers(), version(PLAN), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    for month in MONTHS:
        for owner in (ACME, BETA):
            store.put(*sms_days(owner, month.start, [10]))
    return store


def grant(store, key="gift", amount="20", since=OPENED, owner=ACME, **terms):
    store.put(money_row(owner, key, amount, since, **terms))


def bill(store, period, scope=None):
    return statement(scope or store.acme, "main", period, today=TODAY)


def paid(store, scope=None):
    """What money credits paid, month by month."""
    return [
        [-line.amount for line in bill(store, month, scope).lines if line.kind == "money_credit"]
        for month in MONTHS
    ]


def totals(store, scope=None):
    return [bill(store, month, scope).total for month in MONTHS]


def test_a_credit_pays_after_tax_until_it_is_used(two):
    grant(two)
    assert paid(two) == [[D("13.20")], [D("6.80")], [], []]
    assert totals(two) == [0, D("6.40"), D("13.20"), D("13.20")]


def test_a_credit_is_ones_own(two):
    grant(two)
    assert totals(two, two.beta) == [D("13.20")] * 4


def test_the_last_line_says_what_was_paid(two):
    grant(two, name="Welcome")
    line = bill(two, FEBRUARY).lines[-1]
    assert (line.kind, line.label, line.amount) == (LineKind.MONEY_CREDIT, "Welcome", D("-6.80"))


@pytest.mark.parametrize("closed", range(4), ids=lambda n: f"{n} months closed")
def test_closed_months_and_open_ones_pay_the_same(two, closed):
    grant(two, amount="30")
    read_on(two, TODAY)
    for month in MONTHS[:closed]:
        close_period(two.acme, "main", month, settling_days=3, today=TODAY, now=noon(TODAY))
    assert [bill(two, month).status is Status.FINAL for month in MONTHS[:3]] == [
        n < closed for n in range(3)
    ]
    assert paid(two) == [[D("13.20")], [D("13.20")], [D("3.60")], []]


def test_what_closed_statements_took_is_remembered(two):
    grant(two)
    grant(two, "second", 3, FEBRUARY.start)
    close_on(two, TODAY)
    assert money_paid(two.acme, "main") == {"gift": 20, "second": 3}
    assert money_paid(two.beta, "main") == {}


def test_a_credit_granted_later_pays_no_closed_statement(two):
    close_on(two, date(2026, 3, 20))  # January and February
    grant(two)
    assert paid(two) == [[], [], [D("13.20")], [D("6.80")]]


EXPIRY = {
    "on the last day of a month": (date(2026, 2, 28), [[D("13.20")], [], [], []]),
    "on the first of the next": (date(2026, 3, 1), [[D("13.20")], [D("6.80")], [], []]),
}


@pytest.mark.parametrize(("day", "expected"), EXPIRY.values(), ids=EXPIRY)
def test_a_credit_pays_bills_made_before_it_expires(two, day, expected):
    grant(two, expires_on=day)
    assert paid(two) == expected
    close_on(two, TODAY)
    assert paid(two) == expected


def test_a_credit_pays_bills_made_from_its_first_day_on(two):
    grant(two, since=date(2026, 2, 28))
    assert paid(two) == [[], [D("13.20")], [D("6.80")], []]


def test_the_credit_that_expires_first_pays_first(two):
    grant(two, "late", 5)
    grant(two, "early", 5, expires_on=date(2026, 4, 15))
    lines = [line for line in bill(two, JANUARY).lines if line.kind is LineKind.MONEY_CREDIT]
    assert [line.amount for line in lines] == [D(-5), D(-5)]
    close_on(two, date(2026, 2, 20))
    assert money_paid(two.acme, "main") == {"early": 5, "late": 5}
    assert totals(two)[0] == D("3.20")


def test_another_currency_is_passed_over(two):
    grant(two, "euro", 100, currency="EUR")
    grant(two)
    assert totals(two) == [0, D("6.40"), D("13.20"), D("13.20")]
    assert bill(two, JANUARY).credit == 20


def test_another_subscription_is_not_paid(two):
    two.put(
        Subscription(customer_id=ACME, key="shop", starts_on=OPENED),
        account(ACME, "AC" + "d" * 32, subscription="shop"),
        on_plan(ACME, PLAN, subscription="shop"),
    )
    grant(two, subscription="shop")
    assert totals(two) == [D("13.20")] * 4
    assert statement(two.acme, "shop", JANUARY, today=TODAY).total == 0


@pytest.mark.parametrize("amount", ["0.01", "13.19", "13.20", "13.21", "52.80", "1000"])
def test_no_bill_is_below_zero_and_no_credit_pays_twice(two, amount):
    grant(two, amount=amount)
    spent = sum(sum(month) for month in paid(two))
    assert min(totals(two)) >= 0
    assert spent == min(D(amount), D("52.80"))
    assert sum(totals(two)) == D("52.80") - spent


def test_a_negative_bill_takes_no_credit(store):
    plan = agreed(margin(markup="0"))
    store.put(*customers(), version(plan), on_plan(ACME, plan))
    store.put(*sms_days(ACME, OPENED, [100], unit_cost="-0.05"))
    grant(store)
    assert paid(store) == [[], [], [], []]
    assert bill(store, JANUARY).total == D("-5.00")


def test_usage_that_rises_in_an_open_month_leaves_less_for_the_next(two):
    grant(two, amount="40")
    before = paid(two)
    recount(two, FEBRUARY.start, 30, seen=TODAY)  # 2.40 more
    assert before == [[D("13.20")], [D("13.20")], [D("13.20")], [D("0.40")]]
    assert paid(two) == [[D("13.20")], [D("15.60")], [D("11.20")], []]


def test_a_correction_of_a_closed_month_leaves_its_payment_as_it_was(two):
    grant(two)
    close_on(two, date(2026, 4, 20))
    recount(two, JANUARY.start, 30, seen=date(2026, 4, 27))
    close_on(two, date(2026, 4, 27))
    assert paid(two) == [[D("13.20")], [D("6.80")], [], []]
    assert bill(two, APRIL).total == D("13.20") + D("2.40")


GIVEN = """\
    money_credits:
      - {key: gift, amount: "20", currency: usd, effective_on: 2026-01-01}
"""
PLACE = FILE.index("  - slug: beta")
WITH_CREDIT = FILE[:PLACE] + GIVEN + FILE[PLACE:]


def test_a_grant_imported_twice_counts_once(store, tmp_path):
    imported = importer(store, tmp_path)
    assert "customer acme: 20 USD of credit (gift)" in imported(WITH_CREDIT)
    assert imported(WITH_CREDIT) == ()


def test_a_grant_makes_a_new_version_of_the_data(store, tmp_path):
    imported = importer(store, tmp_path)
    imported()
    acme, beta = scope_of(store, "acme"), scope_of(store, "beta")
    before = data_version(acme), data_version(beta)
    imported(WITH_CREDIT)
    assert data_version(acme) != before[0]
    assert data_version(beta) == before[1]


def test_a_grant_is_never_changed(store, tmp_path):
    imported = importer(store, tmp_path)
    imported(WITH_CREDIT)
    with pytest.raises(Conflict, match="money credit gift was granted with other terms"):
        imported(WITH_CREDIT.replace('"20"', '"25"'))


WRONG = {
    "no such currency": (
        ("usd", "xxx"),
        r"line 12: customers\.0\.money_credits\.0: 'xxx' is not a",
    ),
    "finer than the currency": (('"20"', '"20.005"'), r"line 12: .*20\.005 is finer than USD is"),
    "nothing": (('"20"', '"0"'), r"line 12: customers\.0\.money_credits\.0\.amount: "),
    "over before it begins": (
        ("effective_on: 2026-01-01", "effective_on: 2026-01-01, expires_on: 2026-01-01"),
        r"line 12: .*expires_on must come after effective_on",
    ),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_grant_is_refused_on_its_line(store, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        importer(store, tmp_path)(WITH_CREDIT.replace(*change))


def test_periods_follow_a_sign_up_within_a_month(store):
    plan = on_plan(ACME, PLAN, date(2026, 1, 15))
    store.put(*customers(), version(PLAN), plan)
    grant(store, amount="10")
    first = period_of(OPENED)
    assert bill(store, first).total == 0  # 17/31 × 10.00 and tax: 6.58
    assert bill(store, FEBRUARY).total == D("12.00") - (10 - D("6.58"))
