"""Where a period will end: draws bounded by what is known, rated one by one, and said as ranges."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.ahead import look_ahead
from data.models import Subscription
from data.overview import overview
from data.periods import period_of
from data.projection import DRAWS
from data.scope import writing
from data.statement import billed_usage
from tests.bills import agreed, credit_price, margin, overage, tiers
from tests.stores import ACME, BETA, customers, on_plan, record, sms_days, version

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
SETTLED, MARCH = date(2026, 3, 16), period_of(TODAY)
JANUARY = date(2026, 1, 1)


@pytest.fixture
def two(sqlite_store):
    sqlite_store.put(*customers())
    sqlite_store.put(*sms_days(BETA, JANUARY, [500] * 79))
    return sqlite_store


def used(store, figures, until=TODAY, **terms):
    first = until.toordinal() - len(figures) + 1
    store.put(*sms_days(ACME, date.fromordinal(first), figures, **terms))


def agree(store, price, since=JANUARY, **terms):
    plan = agreed(price, **terms)
    store.put(version(plan), on_plan(ACME, plan, since))


def end(store):
    page = overview(store.acme, "main", MARCH, today=TODAY, now=NOW, settling_days=3)
    return page.outlook


def parts(store):
    """The bill and the projections that an outlook is made of."""
    billed = billed_usage(store.acme, "main", MARCH, since=JANUARY)
    ahead = look_ahead(
        billed.shown, billed.meters, MARCH, opened_on=JANUARY, settled_through=SETTLED
    )
    return billed, ahead


def each_bill(store):
    """The amount and overage of each draw, rated here from its total alone."""
    billed, ahead = parts(store)
    plan = billed.stretches[0].plan
    for draw in range(DRAWS):
        units = ahead.total("sms", draw)
        tier = plan.prices[0].tier
        over = max(units - tier.allowance, 0) * tier.overage_amount
        yield tier.fee + round(over, 2), round(over, 2)


RESTLESS = [2, 9, 4, 7, 3, 8] * 13


def test_quantities_lie_in_order(two):
    used(two, RESTLESS)
    agree(two, overage("small"))
    found = end(two)
    assert sum(RESTLESS[-20:]) < found.quantity.low < found.quantity.likely < found.quantity.high


def test_the_expected_overage_is_the_mean_over_draws(two):
    used(two, RESTLESS)
    agree(two, overage("small"))
    expected = sum(over for _, over in each_bill(two)) / DRAWS
    assert abs(end(two).expected_overage - expected) <= D("0.01")


def test_the_amounts_range_is_of_rated_draws(two):
    used(two, RESTLESS)
    agree(two, overage("small"))
    amounts = sorted(amount for amount, _ in each_bill(two))
    found = end(two).amount
    assert [found.low, found.likely, found.high] == [
        amounts[round((DRAWS - 1) * share)] for share in (0.1, 0.5, 0.9)
    ]


def test_the_expected_overage_is_not_the_overage_of_the_mean(two):
    used(two, [*RESTLESS, 5])  # about 5.5 a day: heading for 171 of 200
    agree(two, overage("medium"))
    _, ahead = parts(two)
    mean = sum(ahead.total("sms", draw) for draw in range(DRAWS)) / DRAWS
    assert mean < 200
    assert end(two).expected_overage > 0


def test_settling_days_bound_the_draws_from_below(two):
    used(two, [1] * 75 + [300] * 4)
    agree(two, overage("small"))
    assert end(two).quantity.low >= 16 + 4 * 300


def test_the_chance_is_one_once_the_allowance_is_passed(two):
    used(two, [1] * 75 + [300] * 4)
    agree(two, overage("small"))
    assert end(two).chance_of_overage == 1


def test_the_chance_is_that_of_the_allowance_in_force(two):
    used(two, [10] * 79)
    agree(two, overage("small"), plan="old")  # 10 of 31 days: 33 included, 100 used
    agree(two, tiers("large", [_tier("large", 9000)]), since=date(2026, 3, 11), plan="new")
    assert end(two).chance_of_overage == 0


def _tier(name, allowance):
    return {"name": name, "fee": "65.99", "allowance": str(allowance)}


def test_the_chance_is_nothing_far_below_the_allowance(two):
    used(two, [1] * 79)
    agree(two, overage("large"))
    assert end(two).chance_of_overage == 0


@pytest.mark.parametrize("price", [margin(markup="0"), credit_price()], ids=["margin", "credits"])
def test_without_an_allowance_there_is_no_chance(two, price):
    used(two, RESTLESS)
    agree(two, price)
    assert end(two).chance_of_overage is None


def test_without_an_overage_price_there_is_a_chance_and_no_expected_overage(two):
    used(two, RESTLESS)
    agree(two, tiers("small"))
    found = end(two)
    assert found.chance_of_overage > 0
    assert (found.expected_overage, found.amount.low, found.amount.high) == (
        None,
        D("49.99"),
        D("49.99"),
    )


def test_the_day_an_allowance_was_passed_is_a_fact(two):
    used(two, [10] * 79)
    agree(two, overage("small"))
    ends = end(two).allowance_ends
    assert (ends.early, ends.likely, ends.late) == (date(2026, 3, 11),) * 3


def test_the_day_an_allowance_ends_is_a_range_ahead(two):
    used(two, [9, 11] * 39)
    agree(two, overage("large"))  # 160 on the 16th, about 10 a day: on the 31st
    ends = end(two).allowance_ends
    assert SETTLED < ends.early <= date(2026, 3, 31)
    assert ends.late is None or ends.early < ends.late


def test_an_allowance_that_lasts_ends_on_no_day(two):
    used(two, [1] * 79)
    agree(two, overage("large"))
    assert end(two).allowance_ends.early is None


def test_a_change_of_plan_counts_its_allowance_from_its_day(two):
    used(two, [10] * 79)
    agree(two, margin(markup="0", meters=["sms"]), plan="old")
    agree(two, overage("small"), since=date(2026, 3, 11), plan="new")  # 68 included from then
    assert end(two).allowance_ends.likely == date(2026, 3, 17)


def test_a_plan_to_come_has_no_day_yet(two):
    used(two, [10] * 79)
    agree(two, margin(markup="0", meters=["sms"]), plan="old")
    agree(two, overage("small"), since=date(2026, 3, 28), plan="new")
    assert end(two).allowance_ends is None


def test_a_cheaper_tier_is_advised_with_what_it_saves(two):
    used(two, [10] * 79)  # 310 in March: large costs about 67, small about 155
    agree(two, overage("small"))
    advice = end(two).advice
    assert (advice.tier, advice.saves > 70) == ("large", True)


def test_the_cheapest_tier_is_no_advice(two):
    used(two, [10] * 79)
    agree(two, overage("large"))
    assert end(two).advice is None


def test_a_margin_is_projected_by_the_trailing_unit_cost(two):
    used(two, [100] * 79, unit_cost="0.02")
    agree(two, margin(markup="0.5"))
    assert end(two).amount.likely == pytest.approx(D(93), rel=D("0.03"))  # 3100 × 0.02 × 1.5


def test_other_cost_has_draws_of_its_own(two):
    days = _days(JANUARY, 79)
    two.put(*(record(ACME, day, "sms", 100, "1") for day in days))
    two.put(*(record(ACME, day, "totalprice", 0, "3") for day in days))
    agree(two, margin(markup="0"))
    assert end(two).amount.likely == pytest.approx(D(93), rel=D("0.03"))


def _days(first, count):
    return [date.fromordinal(first.toordinal() + n) for n in range(count)]


def test_dear_settling_days_are_in_the_amount(two):
    used(two, [10] * 75, until=SETTLED, unit_cost="0.01")
    two.put(*sms_days(ACME, date(2026, 3, 17), [10] * 4, unit_cost="5"))
    agree(two, margin(markup="0", meters=["sms"]))
    page = overview(two.acme, "main", MARCH, today=TODAY, now=NOW, settling_days=3)
    assert page.outlook.amount.low >= page.statement.total == D("201.60")


def test_little_history_is_said(two):
    used(two, [5] * 7)
    agree(two, overage("small"), since=date(2026, 3, 14))
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).starts_on = date(2026, 3, 14)
    part = MARCH.clipped(date(2026, 3, 14), None)
    page = overview(two.acme, "main", part, today=TODAY, now=NOW, settling_days=3)
    assert page.outlook.little_history


def test_nothing_settled_yet_is_no_outlook(two):
    with writing(two.owner) as session:
        session.get(Subscription, (ACME, "main")).starts_on = date(2026, 3, 18)
    part = MARCH.clipped(date(2026, 3, 18), None)
    page = overview(two.acme, "main", part, today=TODAY, now=NOW, settling_days=3)
    assert page.outlook is None
