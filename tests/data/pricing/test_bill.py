"""A period under several plans, priced part by part."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.periods import period_of
from data.pricing import (
    LineKind,
    PlanChange,
    rate_period,
    segments,
    stretches,
    timeline,
)
from tests.bills import (
    MARCH,
    OVERAGE_TIERS,
    agreed,
    credit_price,
    days,
    large_pack,
    march,
    margin,
    overage,
    package,
    per_unit,
    rated,
    small_pack,
    steps,
    stretch,
    tiers,
    volume,
)

APRIL_FIRST = MARCH.end
FORTY_A_DAY = days(*[40] * 31)
TEN_A_DAY = days(*[10] * 31)


def changed(before, after, day=15, **terms):
    """March under one price until the 14th, under the other from that day on."""
    return [
        stretch(agreed(before, plan="before", **terms), 1, day),
        stretch(agreed(after, plan="after", **terms), day),
    ]


def shown(period):
    """By part: the kind, quantity and amount of each line."""
    return [
        [(one.kind.value, one.quantity, str(one.amount)) for one in part.lines]
        for part in period.parts
    ]


def days_of_parts(plans, period=MARCH):
    return [(part.start, part.end) for _, part in segments(plans, period)]


@pytest.mark.parametrize(
    ("plans", "parts"),
    [
        pytest.param([(1, None)], [(1, 32)], id="one plan"),
        pytest.param([(1, 15), (15, None)], [(1, 15), (15, 32)], id="a change"),
        pytest.param([(15, None)], [(15, 32)], id="a sign-up"),
        pytest.param([(1, 15)], [(1, 15)], id="a cancellation"),
        pytest.param([(1, 10), (20, None)], [(1, 10), (20, 32)], id="a gap"),
        pytest.param([(31, None)], [(31, 32)], id="the last day"),
        pytest.param([(1, 2)], [(1, 2)], id="the first day"),
    ],
)
def test_a_period_is_cut_where_plans_change(plans, parts):
    plan = agreed(per_unit())
    found = days_of_parts([stretch(plan, *days) for days in plans])
    assert [((a - MARCH.start).days + 1, (b - MARCH.start).days + 1) for a, b in found] == parts


@pytest.mark.parametrize("other", ["february", "april"])
def test_a_plan_of_another_period_has_no_part(other):
    plan = agreed(per_unit())
    changes = [PlanChange(plan, date(2026, 2, 1)), PlanChange(plan, date(2026, 4, 1))]
    found = stretches(timeline(changes[:1], ends_on=MARCH.start))
    if other == "april":
        found = stretches(timeline(changes[1:]))
    assert days_of_parts(found) == []


def test_a_plan_that_began_long_ago_has_the_whole_period():
    found = stretches(timeline([PlanChange(agreed(per_unit()), date(2024, 2, 29))]))
    assert days_of_parts(found) == [(MARCH.start, MARCH.end)]


def test_a_period_without_a_plan_costs_nothing():
    period = rated([], TEN_A_DAY)
    assert (period.parts, period.lines, period.total, period.closing) == ((), (), 0, None)


def test_used_volume_stays_with_the_plan_under_which_it_was_used():
    period = rated(changed(per_unit("1"), per_unit("2")), TEN_A_DAY)
    assert shown(period) == [[("usage", 140, "140.00")], [("usage", 170, "340.00")]]


def test_a_total_is_the_sum_of_the_parts_lines():
    period = rated(changed(per_unit("1"), per_unit("2")), TEN_A_DAY)
    assert period.total == sum(line.amount for line in period.lines) == 480


def test_a_part_carries_what_it_was_priced_on():
    [_, part] = rated(changed(per_unit("1"), per_unit("2")), TEN_A_DAY).parts
    assert (part.plan.plan, part.period.start, part.usage["sms"].quantity, part.basis.period) == (
        *("after", march(15), 170, part.period),
    )


def test_an_upgrade_shares_fee_and_allowance_by_days():
    # 14/31 × 49.99 and 46 of 100; 17/31 × 59.99 and 110 of 200
    assert shown(rated(changed(tiers("small"), tiers("medium")), TEN_A_DAY)) == [
        [("fee", 1, "22.58"), ("included", 46, "0"), ("unpriced", 94, "0")],
        [("fee", 1, "32.90"), ("included", 110, "0"), ("unpriced", 60, "0")],
    ]


def test_without_proration_each_new_price_has_its_whole_fee():
    plans = changed(tiers("small"), tiers("medium"), prorate="none")
    assert shown(rated(plans, TEN_A_DAY)) == [
        [("fee", 1, "49.99"), ("included", 100, "0"), ("unpriced", 40, "0")],
        [("fee", 1, "59.99"), ("included", 170, "0")],
    ]


def test_an_allowance_that_stays_is_one_for_the_whole_period():
    # 200 in 31 days: 140 until the 14th, 60 after
    period = rated(changed(tiers("medium"), tiers("medium")), TEN_A_DAY)
    assert shown(period) == [
        [("fee", 1, "27.09"), ("included", 140, "0")],
        [("fee", 1, "32.90"), ("included", 60, "0"), ("unpriced", 110, "0")],
    ]


def test_an_allowance_used_up_stays_used_up():
    period = rated(changed(overage("small"), overage("small")), TEN_A_DAY)
    assert shown(period)[1] == [("fee", 1, "27.41"), ("overage", 170, "85.00")]


def test_without_proration_a_price_that_stays_has_its_fee_once():
    period = rated(changed(tiers("medium"), tiers("medium"), prorate="none"), TEN_A_DAY)
    assert shown(period) == [
        [("fee", 1, "59.99"), ("included", 140, "0")],
        [("included", 60, "0"), ("unpriced", 110, "0")],
    ]


def test_an_allowance_that_stays_after_a_sign_up_is_the_share_of_all_its_days():
    # 22 of 31 days of 200 are 142 (rounded up once)
    plans = [stretch(agreed(tiers("medium")), 10, 20), stretch(agreed(tiers("medium")), 20)]
    included = [
        one.quantity for one in rated(plans, TEN_A_DAY).lines if one.kind is LineKind.INCLUDED
    ]
    assert included == [100, 42]


@pytest.mark.parametrize(
    ("price", "parts"),
    [
        pytest.param(
            steps(), [[(100, "2.00"), (40, "0.40")], [(170, "1.70")]], id="steps do not restart"
        ),
        pytest.param(volume(), [[(140, "1.40")], [(170, "1.70")]], id="a volume goes on"),
        pytest.param(
            package("200", "5"), [[(140, "5.00")], [(170, "5.00")]], id="a package is filled up"
        ),
        pytest.param(
            package("400", "5"), [[(140, "5.00")], [(170, "0.00")]], id="a package begun suffices"
        ),
        pytest.param(
            package("100", "5", free="150"),
            [[(140, "0")], [(10, "0"), (160, "10.00")]],
            id="free units are one allowance",
        ),
    ],
)
def test_a_price_that_stays_counts_on(price, parts):
    found = rated(changed(price, price), TEN_A_DAY)
    assert [[figures[1:] for figures in part] for part in shown(found)] == parts


def test_a_price_that_changes_counts_from_its_first_day():
    found = shown(rated(changed(steps(), steps(above_last="at_cost")), TEN_A_DAY))
    assert found[1] == [("usage", 100, "2.00"), ("usage", 70, "0.70")]


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"prorate": "none"}, id="proration"),
        pytest.param(
            {"meters": {"sms": {"unit": "messages", "categories": ["sms"]}}}, id="the meter"
        ),
    ],
)
def test_a_price_counts_anew_if_what_it_means_changes(terms):
    plans = [stretch(agreed(steps()), 1, 15), stretch(agreed(steps(), **terms), 15)]
    assert shown(rated(plans, TEN_A_DAY))[1][0] == ("usage", 100, "2.00")


def test_a_price_over_several_meters_counts_anew_if_one_of_them_changes():
    price = margin(markup="0", meters=["mms", "texts"], maximum="100")
    plans = [
        stretch(agreed(price, meters={"texts": {"unit": "x", "categories": [category]}}), *days_)
        for category, days_ in (("sms", (1, 15)), ("sms-inbound", (15, None)))
    ]
    assert rated(plans, TEN_A_DAY).total == 200


def test_a_price_counts_anew_after_days_without_a_plan():
    plans = [stretch(agreed(steps()), 1, 15), stretch(agreed(steps()), 16)]
    assert shown(rated(plans, TEN_A_DAY))[1][0] == ("usage", 100, "2.00")


def test_a_price_counts_anew_after_days_under_another():
    one, other = agreed(steps()), agreed(per_unit())
    plans = [stretch(one, 1, 10), stretch(other, 10, 20), stretch(one, 20)]
    assert shown(rated(plans, TEN_A_DAY))[2][0] == ("usage", 100, "2.00")


def test_a_price_counts_anew_after_days_on_which_its_meter_had_none():
    one, other = agreed(steps()), agreed(per_unit(meter="mms"))
    plans = [stretch(one, 1, 10), stretch(other, 10, 20), stretch(one, 20)]
    assert shown(rated(plans, TEN_A_DAY))[2][0] == ("usage", 100, "2.00")


def test_a_price_counts_on_over_three_parts():
    plan = agreed(steps())
    plans = [stretch(plan, 1, 6), stretch(plan, 6, 11), stretch(plan, 11)]
    assert [part[0][1:] for part in shown(rated(plans, TEN_A_DAY))] == [
        *((50, "1.00"), (50, "1.00"), (210, "2.10")),
    ]


@pytest.mark.parametrize("stays", [0, 1], ids=["the first stays", "the second stays"])
def test_one_price_counts_on_while_the_one_beside_it_changes(stays):
    prices = [steps(), steps(meter="mms")]
    before = agreed(*prices)
    prices[1 - stays] = per_unit("1", meter=prices[1 - stays]["meter"])
    found = rated([stretch(before, 1, 15), stretch(agreed(*prices), 15)], TEN_A_DAY)
    assert shown(found)[1][stays] == ("usage", 170, "1.70")
    assert shown(found)[1][1 - stays] == ("usage", 170, "170.00")


def test_a_price_over_a_meter_of_the_plan_counts_on():
    texts = {"texts": {"unit": "messages", "categories": ["sms"]}}
    price = steps(meter="texts")
    found = rated(changed(price, price, meters=texts), TEN_A_DAY)
    assert shown(found)[1] == [("usage", 170, "1.70")]


def test_a_meter_without_usage_in_the_first_part_counts_on_from_nothing():
    plans = changed(steps(), steps())

    def usage_of(plan, part):
        return {"sms": days(60, start=part.start)} if part.start == march(15) else {}

    assert shown(rate_period(plans, MARCH, usage_of)) == [[], [("usage", 60, "1.20")]]


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "4"), ("USD", "3.50"), ("KWD", "3.500")])
def test_a_period_is_priced_in_the_currency_of_its_plan(currency, amount):
    plan = agreed(per_unit("3.5"), currency=currency)
    assert str(rated([stretch(plan, 1)], days(1)).total) == amount


def test_a_rated_period_says_which_it_is():
    assert rated([stretch(agreed(per_unit()), 15)], days()).period == MARCH


def test_a_margin_over_several_meters_counts_its_minimum_on():
    price = margin(markup="0", meters=["sms", "mms"], minimum="310")
    found = shown(rated(changed(price, price), days((10, 20), *[(10, 0)] * 13, (10, 400))))
    assert found == [
        [("usage", None, "40.00"), ("minimum", None, "100.00")],
        [("usage", None, "800.00"), ("minimum", None, "-100.00")],
    ]


def test_the_maximum_of_a_price_that_stays_is_one_for_the_period():
    price = per_unit("1", maximum="200")
    assert rated(changed(price, price), TEN_A_DAY).total == 200


def test_the_maximum_of_a_price_that_changes_is_one_for_each():
    plans = changed(per_unit("2", maximum="200"), per_unit("1", maximum="150"))
    assert rated(plans, TEN_A_DAY).total == 350


def test_tax_is_due_on_each_part():
    vat = {"name": "VAT", "rate": "0.10"}
    found = shown(rated(changed(per_unit("1"), per_unit("1"), tax=vat), TEN_A_DAY))
    assert [part[-1] for part in found] == [("tax", None, "14.00"), ("tax", None, "17.00")]


def test_monthly_fees_of_two_plans_sum_to_one_if_they_are_equal():
    plans = changed(per_unit("0"), per_unit("0"), monthly_fee="31")
    fees = [one.amount for one in rated(plans, days()).lines]
    assert fees == [14, 17]


def test_a_fee_says_which_share_it_is():
    fee = rated(changed(tiers("small"), tiers("medium")), days()).parts[1].lines[0]
    assert str(fee.arithmetic) == "17/31 × 59.99"


def test_a_whole_fee_needs_no_arithmetic():
    assert rated([stretch(agreed(tiers("small")), 1)], days()).lines[0].arithmetic is None


def test_credits_are_handed_on_from_part_to_part():
    plans = changed(credit_price(), credit_price(shortfall="unpriced"))
    period = rated(plans, days(300, *[0] * 19, 250), lots=(small_pack(),))
    drawn = [one.quantity for one in period.lines if one.kind is LineKind.CREDITS]
    assert drawn == [300, 200]


def test_the_credits_left_are_those_after_the_last_part():
    period = rated([stretch(agreed(credit_price()), 1)], days(300), lots=(small_pack(),))
    assert period.closing.credits == {"small": 40}


def test_a_plan_without_credits_leaves_them_alone():
    plans = changed(credit_price(), per_unit())
    period = rated(plans, days(300, *[0] * 19, 250), lots=(small_pack(),))
    assert period.closing.credits == {"small": 40}


def test_the_bill_so_far_has_no_pack_of_a_later_day():
    plans = [stretch(agreed(credit_price()), 1)]
    lots = (small_pack(), large_pack(bought=20))
    bills = [rated(plans, days(), lots=lots, known_until=march(day)).total for day in (20, 21)]
    assert bills == [10, 25]


def test_a_downgrade_that_waits_is_billed_from_the_next_period_on():
    ladder = OVERAGE_TIERS
    large = agreed(overage("large", ladder), plan="large")
    small = agreed(overage("small", ladder), plan="small")
    changes = [PlanChange(large, march(1)), PlanChange(small, march(10))]
    plans = stretches(timeline(changes))
    april = period_of(APRIL_FIRST)
    assert [rated(plans, days(), period).total for period in (MARCH, april)] == [
        *(D("65.99"), D("49.99")),
    ]


def test_an_upgrade_is_billed_from_its_day_on():
    changes = [
        PlanChange(agreed(overage("small"), plan="small"), march(1)),
        PlanChange(agreed(overage("large"), plan="large"), march(15)),
    ]
    # 14/31 × 49.99 + 17/31 × 65.99
    assert rated(stretches(timeline(changes)), days()).total == D("22.58") + D("36.19")


def test_of_two_changes_on_a_day_only_the_last_is_billed():
    changes = [
        PlanChange(agreed(overage("small"), plan="small"), march(1)),
        PlanChange(agreed(overage("medium"), plan="medium"), march(15)),
        PlanChange(agreed(overage("large"), plan="large"), march(15)),
    ]
    period = rated(stretches(timeline(changes)), FORTY_A_DAY)
    assert [part.plan.plan for part in period.parts] == ["small", "large"]
