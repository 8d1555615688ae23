"""What past periods would have cost under another plan, for the days the subscription had one."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.errors import AccessError, InputError, InvalidPeriod, NotFound
from data.models import Subscription
from data.periods import period_of
from data.pricing import CreditLots, LineKind
from data.simulation import cheapest_tier, offered_plans, simulate
from tests.bills import (
    agreed,
    graduated,
    margin,
    overage,
    per_unit,
    steps,
    tiers,
)
from tests.stores import (
    ACME,
    BETA,
    close_on,
    credit_row,
    customers,
    money_row,
    on_plan,
    record,
    recount,
    sms_days,
    version,
)

JANUARY, FEBRUARY, MARCH, APRIL = (period_of(date(2026, month, 1)) for month in range(1, 5))
PAST = (MARCH, FEBRUARY)  # newest first, as the store gives them
TODAY = date(2026, 4, 20)
SMALL = agreed(overage("small"), plan="small", offered=True)
MEDIUM = agreed(overage("medium"), plan="medium", offered=True)
PACKS = agreed(CreditLots.example, plan="packs", offered=True)


@pytest.fixture
def two(store):
    """Both are on small; Acme used 112 in February and 155 in March, Beta seven times as much."""
    store.put(*customers(), *(version(plan) for plan in (SMALL, MEDIUM, PACKS)))
    for owner, times in ((ACME, 1), (BETA, 7)):
        store.put(on_plan(owner, SMALL))
        store.put(*sms_days(owner, FEBRUARY.start, [4 * times] * 28))
        store.put(*sms_days(owner, MARCH.start, [5 * times] * 31))
    return store


def trial(store, plan=MEDIUM, periods=PAST, scope=None, today=TODAY, **terms):
    return simulate(scope or store.acme, "main", plan, periods, today=today, **terms)


def figures(found):
    return [(one.period.start.month, one.actual, one.amount) for one in found.periods]


def test_the_periods_are_priced_as_if_the_plan_had_been_agreed(two):
    found = trial(two)
    assert figures(found) == [  # 49.99 + 12 × 0.50, 49.99 + 55 × 0.50
        (2, D("55.99"), D("59.99")),
        (3, D("77.49"), D("59.99")),
    ]
    assert (found.actual, found.amount, found.difference) == (D("133.48"), D("119.98"), D("-13.50"))


def test_each_customer_is_told_of_its_own_usage(two):
    amounts = [trial(two, scope=scope).amount for scope in (two.acme, two.beta)]
    assert amounts == [D("119.98"), D("560.68")]  # 584 and 885 over


def test_a_subscription_that_is_not_there_is_not_found(two):
    two.put(Subscription(customer_id=BETA, key="second", starts_on=date(2026, 1, 1)))
    for ask in (offered_plans, lambda *named: cheapest_tier(*named, PAST, today=TODAY)):
        with pytest.raises(NotFound):
            ask(two.acme, "second")
    with pytest.raises(NotFound):
        simulate(two.acme, "second", MEDIUM, PAST, today=TODAY, staff=True)


def test_the_lines_are_those_of_a_statement_and_have_no_cost(two):
    lines = trial(two).periods[1].lines
    assert [(line.kind, line.quantity, line.amount) for line in lines] == [
        (LineKind.FEE, 1, D("59.99")),
        (LineKind.INCLUDED, 155, D(0)),
    ]
    assert not any(hasattr(line, "cost") for line in lines)


def test_usage_is_measured_by_the_meters_of_the_plan_tried(two):
    two.put(*(record(ACME, MARCH.start, "mms", 9), record(BETA, MARCH.start, "mms", 70)))
    plan = agreed(per_unit("0.02", meter="mms"), plan="mms", offered=True)
    two.put(version(plan))
    assert [one.amount for one in trial(two, plan).periods] == [D(0), D("0.18")]


def test_only_the_days_with_a_plan_are_compared(store):
    store.put(*customers(), version(SMALL), version(MEDIUM))
    for owner in (ACME, BETA):
        store.put(on_plan(owner, SMALL, date(2026, 3, 15)))
        store.put(*sms_days(owner, MARCH.start, [10] * 31))
    found = trial(store, periods=(JANUARY, FEBRUARY, MARCH))
    # 17/31: 27.41 + (170 − 55) × 0.50 and 32.90 + (170 − 110) × 0.30
    assert figures(found) == [(3, D("84.91"), D("50.90"))]


def test_a_change_of_plan_within_a_period_does_not_cut_the_plan_tried(two):
    two.put(on_plan(ACME, MEDIUM, date(2026, 3, 11)))
    assert trial(two, periods=[MARCH]).amount == D("59.99")


def test_tax_and_money_credits_are_left_out(two):
    taxed = agreed(
        overage("medium"), plan="taxed", offered=True, tax={"name": "VAT", "rate": "0.25"}
    )
    two.put(version(taxed))
    for owner in (ACME, BETA):
        two.put(money_row(owner, "welcome", 50))
    assert figures(trial(two, taxed, [MARCH])) == [(3, D("77.49"), D("59.99"))]


def test_a_period_that_is_still_open_counts_so_far(two):
    found = trial(two, periods=[MARCH, APRIL], today=date(2026, 3, 10))
    assert figures(found) == [(3, D("49.99"), D("59.99"))]
    assert [line.quantity for line in found.periods[0].lines] == [1, 50]


def test_a_closed_period_cost_what_it_was_billed_and_adjusted_since(two):
    close_on(two, TODAY)
    recount(two, date(2026, 3, 9), 15, seen=date(2026, 4, 21))  # were 5: 10 more at 0.50
    assert trial(two).actual == D("133.48")
    close_on(two, date(2026, 4, 27))
    assert trial(two).actual == D("138.48")


@pytest.mark.parametrize(
    ("pack", "bills", "used"),
    [
        # 112 then 155 of 500: one pack of 10.00, at 0.02 a segment
        pytest.param("small", [D(10), D(0)], [D("2.24"), D("3.10")], id="a pack lasts on"),
        pytest.param("large", [D(15), D(0)], [D("1.12"), D("1.55")], id="a larger one"),
    ],
)
def test_credits_are_bought_when_they_run_out(two, pack, bills, used):
    found = trial(two, PACKS, pack=pack).periods
    assert [one.amount for one in found] == bills
    assert [one.credits_used for one in found] == used


def test_as_many_packs_as_a_day_needs_are_bought_on_that_day(two):
    two.put(record(ACME, date(2026, 4, 2), "sms", 1300), record(BETA, date(2026, 4, 2), "sms", 9))
    found = trial(two, PACKS, (FEBRUARY, MARCH, APRIL), pack="small").periods[2]
    # 500 − 267 are left of the first; 1067 more are 3 packs of 500
    assert [(line.kind, line.amount) for line in found.lines] == [
        (LineKind.CREDITS, D(0)),
        (LineKind.PACK, D(30)),
        (LineKind.CREDITS, D(0)),
    ]
    assert (found.amount, found.credits_used) == (D(30), D("26.00"))


def test_a_pack_is_bought_again_and_again(two):
    found = trial(two, PACKS, scope=two.beta, pack="small")
    assert [one.amount for one in found.periods] == [D(20), D(20)]  # 784 and 1085 of 4 × 500
    assert found.amount - sum(one.credits_used for one in found.periods) == D("2.62")


def test_nothing_is_owed_and_no_lot_of_the_customer_is_touched(two):
    two.put(credit_row(ACME, "own", date(2026, 1, 1)), credit_row(BETA, "own", date(2026, 1, 1)))
    found = trial(two, PACKS, pack="small")
    kinds = {line.kind for one in found.periods for line in one.lines}
    assert (kinds, found.amount) == ({LineKind.PACK, LineKind.CREDITS}, D(10))


def test_recurring_credits_come_before_packs(two):
    recurring = {"name": "monthly", "credits": "20", "units_per_credit": {"sms": "5"}, "price": "1"}
    packs = PACKS.prices[0].model_dump(mode="json")
    plan = agreed({**packs, "recurring": [recurring]}, plan="monthly", offered=True)
    two.put(version(plan))
    found = trial(two, plan, pack="small").periods
    # 100 of 112 and 100 of 155 are covered; a pack is bought for the rest in February
    assert [one.amount for one in found] == [D(11), D(1)]
    assert [one.credits_used for one in found] == [D("1.24"), D("2.10")]


def test_without_packs_there_is_none_to_name(two):
    with pytest.raises(InputError, match=r"say which .*small, large"):
        trial(two, PACKS)
    with pytest.raises(InputError, match=r"'huge' is not one .*small, large"):
        trial(two, PACKS, pack="huge")
    with pytest.raises(InputError, match=r"'small' is not one .*none"):
        trial(two, MEDIUM, pack="small")


NOT_FOR_CUSTOMERS = {
    "not offered": agreed(overage("medium"), plan="secret"),
    "a margin over all": agreed(margin(markup="0.1"), plan="margin", offered=True),
    "bands of margins": agreed(graduated(), plan="bands", offered=True),
    "at cost above the last band": agreed(
        steps({"up_to": "100", "unit_amount": "1"}, above_last="at_cost"), plan="mix", offered=True
    ),
    "another currency": agreed(overage("medium"), currency="EUR", plan="euro", offered=True),
    "not in the store": agreed(overage("large"), plan="forged", offered=True),
}


@pytest.mark.parametrize("plan", NOT_FOR_CUSTOMERS.values(), ids=NOT_FOR_CUSTOMERS)
def test_a_customer_may_try_only_what_is_offered_and_not_cost_based(two, plan):
    if plan.plan != "forged":
        two.put(version(plan))
    with pytest.raises(AccessError, match="can't be tried"):
        trial(two, plan)
    assert plan not in offered_plans(two.acme, "main")


def test_staff_may_try_any_plan(two):
    found = trial(two, NOT_FOR_CUSTOMERS["a margin over all"], staff=True)
    assert [one.amount for one in found.periods] == [D("1.23"), D("1.71")]  # 1.12 and 1.55 + 10 %


def test_a_margin_needs_its_cost_in_its_own_currency(two):
    plan = agreed(margin(markup="0.1"), currency="EUR", plan="margin")
    with pytest.raises(InputError, match="follows a cost in USD"):
        trial(two, plan, staff=True)


def test_amounts_in_two_currencies_have_no_difference(two):
    found = trial(two, NOT_FOR_CUSTOMERS["another currency"], staff=True)
    assert (found.currency, found.actual_currency, found.difference) == ("EUR", "USD", None)


def test_the_newest_version_says_whether_a_plan_is_offered(two):
    withdrawn = agreed(overage("medium"), plan="medium", version=2)
    changed = agreed(overage("small", minimum="50"), plan="small", version=2, offered=True)
    two.put(version(withdrawn), version(changed))
    assert [plan.id for plan in offered_plans(two.acme, "main")] == ["packs@1", "small@2"]


def test_without_a_contract_there_is_nothing_to_compare(store):
    store.put(*customers(), version(SMALL), on_plan(BETA, SMALL))
    assert offered_plans(store.acme, "main") == ()
    with pytest.raises(NotFound, match="nothing to compare"):
        trial(store, SMALL, staff=True)
    with pytest.raises(InvalidPeriod, match="No plan was agreed"):
        trial(store, SMALL, [APRIL], scope=store.beta, today=MARCH.start)


def advice(store, periods=PAST, scope=None, **terms):
    return cheapest_tier(scope or store.acme, "main", periods, today=TODAY, **terms)


def test_the_tier_that_would_have_cost_least(two):
    found = advice(two)
    assert (found.chosen, found.cheapest, found.saves) == ("small", "medium", D("13.50"))
    assert found.amounts == {"small": D("133.48"), "medium": D("119.98"), "large": D("131.98")}
    assert (advice(two, scope=two.beta).cheapest, advice(two, [FEBRUARY]).cheapest) == (
        "large",
        "small",
    )


def test_a_tier_without_overage_must_cover_every_period(two):
    plan = agreed(tiers("small"), plan="bundle")
    two.put(version(plan), on_plan(ACME, plan, MARCH.start), on_plan(BETA, plan, MARCH.start))
    found = advice(two)
    assert (found.cheapest, found.beyond) == ("medium", {"small"})
    far = advice(two, scope=two.beta)
    assert (far.cheapest, far.beyond) == ("large", {"small", "medium", "large"})


def test_a_meter_without_a_bundle_has_no_advice(two):
    assert advice(two, meter="voice") is None
    assert advice(two, meter="sms").meter == "sms"
