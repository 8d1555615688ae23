"""Several accounts side by side: what each used, and what of the bill is its own."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.company import lines_total, subscription_line, totals
from data.overview import overview
from data.store import period_at, subscription
from tests.bills import agreed, margin, overage, per_unit
from tests.stores import ACME, BETA, account, customers, on_plan, read_on, sms_days, version

TODAY, NOW = date(2026, 5, 20), datetime(2026, 5, 20, 12, tzinfo=UTC)
SECOND = "AC" + "c" * 32
APRIL = date(2026, 4, 1)


def shown(scope):
    period, view = period_at(scope, "main", TODAY), subscription(scope, "main")
    given = {"today": TODAY, "now": NOW, "settling_days": 3}
    return subscription_line(scope, view, overview(scope, "main", period, **given), **given)


def put(store, price, **terms):
    """Acme has two accounts, of 30 and 10 a day; Beta one of 7."""
    plan = agreed(price, **terms)
    store.put(*customers(), version(plan), on_plan(ACME, plan), on_plan(BETA, plan))
    store.put(account(ACME, SECOND, application="Second"))
    store.put(*sms_days(ACME, APRIL, [30] * 50, unit_cost="0.007"))
    store.put(*sms_days(ACME, APRIL, [10] * 50, unit_cost="0.007", sid=SECOND))
    store.put(*sms_days(BETA, APRIL, [7] * 50))
    read_on(store, TODAY)


@pytest.mark.parametrize("price", [per_unit("0.013"), margin(gross_margin="0.3", meters=["sms"])])
def test_where_prices_are_by_the_unit_the_spend_of_each_account_is_its_own(store, price):
    put(store, price)
    one = shown(store.acme)
    assert one.own_spend
    assert [account.quantity for account in one.accounts] == [D(600), D(200)]
    assert sum(account.amount for account in one.accounts) == lines_total(one.statement)
    assert one.accounts[1].name == "Second"


def test_a_shared_allowance_is_divided_by_usage_and_not_said_to_be_anyones_own(store):
    put(store, overage("small"))
    one = shown(store.acme)
    assert not one.own_spend
    assert [round(account.share, 4) for account in one.accounts] == [D("0.75"), D("0.25")]
    assert sum(account.amount for account in one.accounts) == lines_total(one.statement)


def test_a_single_account_bears_its_bill_whatever_the_plan(store):
    put(store, overage("small"))
    one = shown(store.beta)
    assert one.own_spend
    assert [account.share for account in one.accounts] == [D(1)]


def test_each_account_is_held_against_the_same_settled_days_before(store):
    put(store, per_unit())
    first, second = shown(store.acme).accounts
    assert (first.settled, first.settled_before) == (D(480), D(480))
    assert (second.settled, second.settled_before) == (D(160), D(160))


def test_totals_are_by_currency_and_their_expected_sum_is_of_means(store):
    put(store, per_unit())
    acme, beta = shown(store.acme), shown(store.beta)
    (both,) = totals([acme, beta])
    assert both.so_far == acme.statement.total + beta.statement.total
    means = [one.overview.outlook.mean_amount for one in (acme, beta)]
    assert (both.expected, both.subscriptions) == (sum(means), 2)
