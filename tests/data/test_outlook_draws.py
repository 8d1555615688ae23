"""What an outlook says of its draws: days, chances, advice and changes from the same ones."""

from datetime import date
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.drawn import rated_draws
from data.outlook import outlook
from data.periods import DAY
from data.projection import DRAWS
from tests.bills import MARCH, agreed, credit_price, margin, overage, tiers
from tests.outlooks import JANUARY, SETTLED, TODAY, ahead_of, billed, measured

usages = st.lists(st.integers(0, 14), min_size=20, max_size=90)


def end(bill, ahead=None, **terms):
    return outlook(bill, ahead or ahead_of(bill, **terms), "sms", "SMS", "segments")


def on(price, figures, **terms):
    return billed(measured(figures, **terms), (agreed(price), JANUARY))


@settings(max_examples=25)
@given(usages, st.sampled_from(["small", "medium", "large"]))
def test_the_chance_of_overage_is_the_share_of_draws_with_a_day_beyond(figures, tier):
    bill = on(overage(tier), figures)
    ahead = ahead_of(bill)
    found = end(bill, ahead)
    if "sms" not in ahead.courses:
        assert (found.chance_of_overage, found.allowance_ends) == (0, None)
        return
    limit = {"small": 100, "medium": 200, "large": 300}[tier]
    one = ahead.courses["sms"]
    running = int(one.known) + one.quantity.values.cumsum(axis=1)
    beyond = (running > limit).any(axis=1) | (one.known > limit)
    assert found.chance_of_overage == beyond.sum() / DRAWS
    ends = found.allowance_ends
    never = [day is None for day in (ends.early, ends.likely, ends.late)]
    if one.known + sum(one.moving.values()) <= limit:
        ranks = [round((DRAWS - 1) * share) for share in (0.1, 0.5, 0.9)]
        assert never == [beyond.sum() <= rank for rank in ranks]


def test_the_day_of_each_draw_is_its_own_first_day_beyond():
    bill = on(overage("medium"), [2, 9, 12] * 26 + [7])
    ahead = ahead_of(bill)
    one, found = ahead.courses["sms"], end(bill).allowance_ends
    firsts = []
    for course in one.quantity.values:
        running = int(one.known) + np.cumsum(course)
        over = [day for day, units in zip(one.projection.days, running, strict=True) if units > 200]
        firsts.append(over[0] if over else date.max)
    ordered = sorted(firsts)
    asked = [ordered[round((DRAWS - 1) * share)] for share in (0.1, 0.5, 0.9)]
    given = [day or date.max for day in (found.early, found.likely, found.late)]
    assert given == asked


def test_a_plan_that_ends_before_its_allowance_does_has_no_day():
    plans = (agreed(overage("large")), JANUARY), (agreed(margin(markup="0"), plan="n"), SETTLED)
    assert end(billed(measured([10] * 79), *plans)).allowance_ends is None


def test_an_allowance_that_goes_on_over_a_change_of_plan_is_one():
    change = date(2026, 3, 24)
    plans = (agreed(overage("medium")), JANUARY), (agreed(overage("medium"), version=2), change)
    one, other = end(billed(measured([10] * 79), *plans)), end(on(overage("medium"), [10] * 79))
    assert one.allowance_ends == other.allowance_ends
    assert one.chance_of_overage == other.chance_of_overage


EARLIER, LATER = date(2026, 3, 12), date(2026, 3, 18)  # settled, settling


@pytest.mark.parametrize(("change", "today"), [(EARLIER, None), (LATER, TODAY)])
def test_after_a_change_of_plan_the_chance_and_the_day_are_of_the_new_allowance(change, today):
    """The old one was passed before; of the new one 160 of 194 go, or 112 of 136."""
    plans = (agreed(overage("small")), JANUARY), (agreed(overage("large"), plan="n"), change)
    bill = billed(measured([8] * 79), *plans)
    found = outlook(bill, ahead_of(bill), "sms", "", "", on=today)
    assert found.expected_overage > 0
    assert found.chance_of_overage < 0.5
    assert found.allowance_ends.likely is None


def test_a_plan_that_begins_within_a_period_is_advised_from_the_next_one_on():
    found = end(billed(measured([10] * 79), (agreed(overage("small")), date(2026, 3, 12))))
    assert (found.advice, found.next_advice.tier) == (None, "large")


@pytest.mark.parametrize(
    ("opened", "settled", "little"),
    [
        pytest.param(JANUARY, SETTLED, False, id="months without use"),
        pytest.param(SETTLED, SETTLED, True, id="a first day without use"),
        pytest.param(MARCH.last_day, MARCH.last_day, False, id="over, which is no guess"),
    ],
)
def test_little_history_is_of_days_not_of_use(opened, settled, little):
    bill = on(overage("small"), [])
    assert end(bill, opened=opened, settled=settled).little_history is little


@settings(max_examples=25)
@given(usages)
def test_a_settled_period_has_no_width(figures):
    bill = on(overage("small"), figures, until=MARCH.last_day)
    found = end(bill, settled=MARCH.last_day)
    assert found.over
    assert found.quantity.low == found.quantity.high
    assert found.amount.low == found.amount.high == found.mean_amount
    assert found.amount.low == bill.rated(MARCH, MARCH.last_day).total
    assert found.chance_of_overage in (0, 1)
    assert (found.next_advice, found.changed) == (None, None)


@settings(max_examples=25)
@given(usages)
def test_the_mean_lies_within_what_the_draws_cost(figures):
    bill = on(overage("small"), figures)
    ahead = ahead_of(bill)
    amounts = rated_draws(bill, ahead).amounts.tolist()
    mean = end(bill, ahead).mean_amount
    assert min(amounts) <= mean * 100 <= max(amounts)
    assert abs(mean * 100 - D(sum(amounts)) / DRAWS) <= D("0.5")


def test_what_is_paid_of_an_amount_is_taken_of_every_draw():
    bill = on(overage("small"), [6, 9, 2] * 26)
    ahead = ahead_of(bill)
    plain = end(bill, ahead)
    paid = outlook(bill, ahead, "sms", "", "", due=lambda one: max(one - 70, D(0)))
    assert paid.amount.high == max(plain.amount.high - 70, D(0))
    assert paid.mean_amount >= plain.mean_amount - 70


ADVISED = [
    pytest.param(overage("small"), 10, "large", id="overage dearer than a larger tier"),
    pytest.param(overage("large"), 1, "small", id="a tier too large"),
    pytest.param(overage("large"), 10, None, id="the best one"),
    pytest.param(tiers("large"), 1, "small", id="a bundle too large"),
    pytest.param(tiers("small"), 10, None, id="a bundle too small, which nothing is cheaper than"),
    pytest.param(tiers("large"), 5, "medium", id="not a bundle that would not last"),
    pytest.param(margin(markup="0"), 10, None, id="no tiers"),
]


@pytest.mark.parametrize(("price", "daily", "tier"), ADVISED)
def test_the_cheapest_tier_is_advised_for_this_period_and_the_next(price, daily, tier):
    found = end(on(price, [daily] * 79))
    advised = [one and one.tier for one in (found.advice, found.next_advice)]
    assert advised == [tier, tier]


def test_the_next_period_is_advised_on_the_plan_agreed_for_it():
    plans = (agreed(overage("small")), JANUARY), (agreed(overage("large"), plan="n"), MARCH.end)
    found = end(billed(measured([10] * 79), *plans))
    assert (found.advice.tier, found.next_advice) == ("large", None)


def test_a_change_is_the_day_that_settled_and_the_days_to_come():
    changed = end(on(overage("small"), [10] * 74 + [60] + [10] * 4)).changed
    assert changed.since == SETTLED - DAY
    assert changed.quantity == changed.settled + changed.pace
    assert changed.settled > 40
    assert changed.pace > 0


@settings(max_examples=40)
@given(usages)
def test_a_change_always_adds_up_to_what_moved(figures):
    bill, before = on(overage("small"), figures), on(overage("small"), figures)
    found = end(bill).changed
    if found is None:
        return
    for day in list(before.shown.quantity["sms"]):
        if day == SETTLED:
            before.shown.quantity["sms"][day] = D(0)  # as the day before knew it
    earlier = end(before, settled=SETTLED - DAY)
    assert found.quantity == found.settled + found.pace
    assert found.quantity == end(bill).quantity.likely - earlier.quantity.likely


def test_there_is_no_change_on_the_first_day():
    bill = on(overage("small"), [10] * 5)
    assert end(bill, opened=SETTLED).changed is None


@pytest.mark.parametrize("figures", [[], [0] * 79], ids=["no days", "nothing used"])
def test_a_meter_never_used_has_an_outlook_of_nothing(figures):
    found = end(on(overage("small"), figures))
    assert (found.quantity.high, found.amount.high, found.components) == (0, D("49.99"), None)


@settings(max_examples=20)
@given(
    usages, st.sampled_from([overage("small"), tiers("large"), credit_price(), margin(markup="1")])
)
def test_ranges_are_in_order_and_above_what_is_known(figures, price):
    bill = on(price, figures)
    found = end(bill)
    assert found.amount.low <= found.amount.likely <= found.amount.high
    assert found.quantity.low <= found.quantity.likely <= found.quantity.high
    assert found.quantity.low >= bill.shown.usage("sms", MARCH.start, MARCH.end).quantity
    assert found.amount.low >= bill.rated(MARCH, MARCH.last_day).total
