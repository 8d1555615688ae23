"""What a page shows of a period, against figures worked out here, and what it can never hold."""

from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import pytest
from sqlmodel import select

from data.models import Account, Subscription
from data.overview import Overview, freshness, overview
from data.periods import period_of
from data.pricing import Line
from data.scope import writing
from data.statement import MeterAmount, StaffStatement, Statement
from data.store import AccountView, period_at
from data.usage import breakdown
from tests.bills import agreed, credit_price, graduated, margin, overage, tiers
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    BETA_SID,
    SYNCED,
    account,
    customers,
    on_plan,
    record,
    sms_days,
    version,
)

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def two(sqlite_store):
    """Acme: 4 segments a day in February, 10 in March up to today; Beta: always 70."""
    sqlite_store.put(*customers())
    sqlite_store.put(*sms_days(ACME, FEBRUARY, [4] * 28), *sms_days(ACME, MARCH, [10] * 20))
    sqlite_store.put(*sms_days(BETA, FEBRUARY, [70] * 48))
    return sqlite_store


def agree(store, *prices, since=date(2026, 1, 1), owner=ACME, **terms):
    plan = agreed(*prices, **terms)
    store.put(version(plan), on_plan(owner, plan, since))


def shown(store, scope=None, today=TODAY, day=None):
    scope = scope or store.acme
    period = period_at(scope, "main", day or today)
    return overview(scope, "main", period, today=today, now=NOW, settling_days=3)


STRATEGIES = {
    "fixed margin": (margin(markup="0.5"), D("3.00")),  # 2.00 × 1.5
    "bands of margins": (graduated(), D("2.08")),  # 1.00 / 0.95 and 1.00 / 0.97
    "tiers": (tiers("small"), D("49.99")),
    "tiers with overage": (overage("small"), D("99.99")),  # 49.99 + 100 × 0.50
    "credits": (credit_price(shortfall="overage_price", overage_amount="0.1"), D("20.00")),
}


@pytest.mark.parametrize(("price", "so_far"), STRATEGIES.values(), ids=STRATEGIES)
def test_so_far_is_what_was_used_with_settling_days(two, price, so_far):
    agree(two, price)
    assert shown(two).statement.total == so_far


@pytest.mark.parametrize("price", [p for p, _ in STRATEGIES.values()], ids=STRATEGIES)
def test_no_figure_depends_on_the_other_customer(two, price):
    agree(two, price)
    before = shown(two)
    two.put(*sms_days(BETA, date(2026, 1, 1), [999] * 31))
    assert shown(two) == before


def test_a_series_has_a_value_for_every_day_up_to_today(two):
    (series,) = shown(two).series
    assert (series.days[0], series.days[-1], series.quantity) == (MARCH, TODAY, 200)
    assert set(series.quantities) == {10}


def test_a_series_knows_the_period_before(two):
    (series,) = shown(two).series
    assert (len(series.previous), series.previous_quantity) == (28, 112)


def test_without_a_period_before_there_is_none_to_compare(two):
    agree(two, tiers("small"), since=MARCH)
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).starts_on = MARCH
    page = shown(two)
    assert (page.comparison, page.series[0].previous_quantity) == (None, None)


def test_a_comparison_is_of_settled_days_up_to_the_same_day(two):
    agree(two, overage("small"))
    found = shown(two).comparison
    assert (found.through, found.quantity, found.quantity_before) == (date(2026, 3, 16), 160, 64)
    assert (found.amount, found.amount_before) == (D("79.99"), D("49.99"))  # 49.99 + 60 × 0.50


def test_an_allowance_says_what_is_gone(two):
    agree(two, overage("small"))
    found = shown(two).allowance
    assert (found.included, found.used, found.left, found.beyond) == (100, 200, 0, 100)
    assert (found.settled, found.share_gone) == (160, D(16) / 31)
    assert (found.next_tier, found.overage_amount) == ("medium", D("50.00"))


def test_the_largest_tier_has_none_above(two):
    agree(two, tiers("large"))
    found = shown(two).allowance
    assert (found.next_tier, found.has_overage_price) == (None, False)


def test_a_sign_up_in_mid_month_has_its_share_of_the_allowance(two):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).starts_on = date(2026, 3, 15)
    agree(two, overage("medium"), since=date(2026, 3, 15))
    page = shown(two)
    assert (page.period.start, page.allowance.included) == (date(2026, 3, 15), 110)
    assert page.allowance.used == 60


def test_a_plan_that_changed_in_mid_month_shows_two_parts_and_the_last_allowance(two):
    agree(two, overage("small"), plan="old")
    agree(two, overage("large"), since=date(2026, 3, 11), plan="new")
    page = shown(two)
    assert len(page.statement.parts) == 2
    assert (page.allowance.tier, page.allowance.included, page.allowance.used) == (
        "large",
        204,  # 300 × 21/31, rounded up
        100,
    )


def test_until_a_plan_changes_the_old_one_is_shown(two):
    agree(two, overage("small"), plan="old", name="Old")
    agree(two, margin(markup="0"), since=date(2026, 3, 28), plan="new", name="New")
    page = shown(two)
    assert (page.plan, page.allowance.tier) == ("Old", "small")


def test_a_plan_to_come_may_have_meters_of_its_own(two):
    texts = {"texts": {"unit": "texts", "categories": ["sms"]}}
    agree(two, graduated(meter="texts"), plan="old", meters=texts)
    agree(two, tiers("small"), since=date(2026, 3, 28), plan="new")
    assert shown(two).lead == "texts"


def test_edges_are_where_the_price_changes(two):
    agree(two, graduated())
    assert shown(two).edges == (100, 300)


def connect(store):
    with writing(store.owner) as session:
        session.exec(select(Account).where(Account.sid == ACME_SID)).one().kind = "connected"


def test_a_connected_account_has_usage_and_no_amount(two):
    connect(two)
    page = shown(two)
    assert (page.connected, page.plan, page.statement, page.allowance) == (True, None, None, None)
    assert page.series[0].quantity == 200
    assert (page.outlook.amount, page.outlook.expected_overage) == (None, None)
    assert page.comparison.amount is None


def test_a_period_that_is_over_is_a_fact(two):
    agree(two, overage("small"))
    page = shown(two, day=date(2026, 2, 10))
    end = page.outlook
    assert (end.over, end.quantity.low, end.quantity.high) == (True, 112, 112)
    assert end.amount.low == end.amount.high == page.statement.total == D("55.99")


def test_a_period_long_over_is_a_fact_for_a_meter_that_is_not_the_first(two):
    agree(two, margin(markup="0"))
    two.put(*(record(ACME, date(2026, 1, day), "calls", 50, "1") for day in range(1, 32)))
    two.put(record(ACME, date(2026, 1, 5), "sms", 3, "0.03"))
    page = shown(two, today=date(2026, 8, 20), day=date(2026, 1, 10))
    assert (page.lead, page.outlook.quantity.low) == ("voice", 1550)


def hold(**terms):
    """An open account, read this morning."""
    given = {
        "sid": ACME_SID,
        "name": "x",
        "application": "",
        "kind": "subaccount",
        "status": "active",
        "starts_on": MARCH,
        "ends_on": None,
        "as_of": SYNCED,
        "synced_at": SYNCED,
        "sync_error": None,
    }
    return AccountView(**{**given, **terms})


def fresh(*accounts, now=NOW):
    return freshness(accounts, today=now.date(), now=now, settling_days=3)


DAY_BEFORE = SYNCED - timedelta(days=1)


def test_today_and_the_settling_days_are_not_settled():
    assert fresh(hold()).settled_through == date(2026, 3, 16)


def test_the_oldest_account_decides():
    found = fresh(hold(), hold(as_of=DAY_BEFORE, synced_at=DAY_BEFORE))
    assert (found.as_of, found.synced_at, found.settled_through) == (
        DAY_BEFORE,
        DAY_BEFORE,
        date(2026, 3, 15),
    )


@pytest.mark.parametrize(
    ("hours", "stale"),
    [pytest.param(26, False, id="a daily sync"), pytest.param(27, True, id="one that is late")],
)
def test_figures_become_stale(hours, stale):
    assert fresh(hold(), now=SYNCED + timedelta(hours=hours)).stale is stale


def test_an_account_whose_consent_is_withdrawn_is_not_stale_but_says_so():
    found = fresh(hold(withdrawn_at=SYNCED), hold(), now=SYNCED + timedelta(hours=20))
    old = fresh(hold(withdrawn_at=SYNCED), now=SYNCED + timedelta(days=9))
    assert (found.stale, old.stale) == (False, False)
    assert old.withdrawn_on == SYNCED.date()


def test_an_account_never_read_is_stale():
    found = fresh(hold(), hold(synced_at=None, as_of=None))
    assert (found.stale, found.synced_at) == (True, None)


@pytest.mark.parametrize(
    "gone",
    [{"status": "closed"}, {"ends_on": date(2026, 3, 10)}],
    ids=["closed", "moved away"],
)
def test_what_is_gone_does_not_make_the_rest_stale(gone):
    old = SYNCED - timedelta(days=40)
    assert fresh(hold(), hold(synced_at=old, as_of=old, **gone)).stale is False


def test_an_account_that_is_to_leave_still_counts():
    old = SYNCED - timedelta(days=40)
    assert fresh(hold(synced_at=old, ends_on=date(2026, 3, 28))).stale is True


def test_of_a_failed_reading_a_customer_learns_that_it_failed_and_no_more():
    found = fresh(hold(sync_error="Twilio refuses the credentials of account AC…"), hold())
    assert (found.failed, fresh(hold()).failed) == (True, False)
    assert "credentials" not in repr(found)


def test_only_closed_accounts_have_settled():
    assert fresh(hold(status="closed", synced_at=None)).stale is False


def inner_types(kind, seen):
    """Every dataclass that a value of the type can hold."""
    if get_origin(kind) in (Union, UnionType, tuple, list, dict) or get_args(kind):
        for part in get_args(kind):
            inner_types(part, seen)
    elif is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            inner_types(hint, seen)
    return seen


@pytest.mark.parametrize("root", [Overview, Statement], ids=lambda kind: kind.__name__)
def test_a_customers_value_cannot_hold_a_cost_or_a_margin(root):
    held = inner_types(root, set())
    assert not held & {Line, StaffStatement}
    names = {f"{kind.__name__}.{one.name}" for kind in held for one in fields(kind)}
    assert len(held) > 3
    assert not [name for name in names if any(w in name for w in ("cost", "margin", "recogni"))]


def test_a_breakdown_of_an_amount_has_amounts_only():
    assert {one.name for one in fields(MeterAmount)} == {"label", "amount"}


def test_the_parts_of_a_meter_are_shown_largest_first(two):
    two.put(
        record(ACME, MARCH, "sms-outbound", 3),
        record(ACME, MARCH, "sms-inbound", 7),
        record(BETA, MARCH, "sms-outbound", 99),
    )
    period = period_of(MARCH)
    found = breakdown(two.acme, "main", period, meter="sms")
    assert [(one.category, one.quantity) for one in found] == [
        ("sms-inbound", 7),
        ("sms-outbound", 3),
    ]


def test_one_account_can_be_shown_alone(two):
    second = "AC" + "d" * 32
    two.put(account(ACME, second), record(ACME, MARCH, "sms", 3, sid=second))
    period = period_of(MARCH)
    found = breakdown(two.acme, "main", period, meter="sms", account=second)
    assert [one.quantity for one in found] == [3]
    assert BETA_SID not in str(found)


def test_an_allowance_counts_its_own_meters_overage_alone(two):
    voice = {"kind": "tiers_with_overage", "meter": "voice", "chosen": "some"}
    tier = {"name": "some", "fee": "10", "allowance": "10", "overage_amount": "1"}
    two.put(record(ACME, date(2026, 3, 2), "calls", 30))
    agree(two, overage("small"), {**voice, "tiers": [tier]})
    page = shown(two)
    assert (page.lead, page.allowance.overage_amount) == ("sms", D("50.00"))


def test_an_allowance_goes_on_over_a_version_that_leaves_it_as_it_is(two):
    agree(two, overage("small"), plan="old")
    agree(two, overage("small"), since=date(2026, 3, 11), plan="new", monthly_fee="5")
    found = shown(two).allowance
    assert (found.included, found.used, found.overage_amount) == (100, 200, D("50.00"))
    assert found.share_gone == D(16) / 31
