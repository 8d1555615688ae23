"""The terms of credits: what comes with every period, what rolls over, and the bill of it all."""

import json
from datetime import date
from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import Conflict, InvalidTerms
from data.periods import period_of
from data.pricing import Basis, LineKind, parse_plan
from data.pricing.ledger import EntryKind, run_out_day
from data.pricing.recurring import RecurringGrant
from data.pricing.strategy import Run
from tests.bills import (
    MARCH,
    SIGN_UP,
    agreed,
    credit_price,
    days,
    large_pack,
    lines,
    lot,
    small_pack,
)

APRIL = period_of(MARCH.end)
MAY = period_of(APRIL.end)


def monthly(**terms):
    """100 credits a month at 5 segments each."""
    return {"name": "monthly", "credits": "100", "units_per_credit": {"sms": "5"}, **terms}


def price_of(*recurring, **terms):
    return agreed(credit_price(recurring=list(recurring), **terms)).prices[0]


def chain(price, *used, first=MARCH, **basis):
    """The ledgers of consecutive periods, of so many segments on the first day of each."""
    ledgers, period, opening = [], first, None
    for units in used:
        given = Basis("USD", period, lots=basis.get("lots", ()), opening=opening)
        ledgers.append(price.ledger({"sms": days(units, start=period.start)}, given))
        period, opening = period_of(period.end), ledgers[-1].closing
    return ledgers


def grants(ledger):
    found = ledger.of_kind(EntryKind.GRANT)
    return [(entry.lot, entry.day, entry.credits) for entry in found]


@pytest.mark.parametrize(
    ("terms", "left", "issued"),
    [
        pytest.param({}, 30, 100, id="use it or lose it"),
        pytest.param({"rollover_max": "50"}, 30, 130, id="what is left, below the most"),
        pytest.param({"rollover_max": "50"}, 80, 150, id="the most"),
        pytest.param({"rollover_max": None}, 80, 180, id="everything"),
        pytest.param({"rollover_min": "20", "rollover_max": "50"}, 0, 120, id="the least"),
        pytest.param({"rollover_min": "20", "rollover_max": None}, 30, 130, id="above the least"),
        pytest.param({"refill": True, "rollover_max": None}, 80, 100, id="filled up"),
        pytest.param(
            {"refill": True, "rollover_min": "120", "rollover_max": None}, 0, 120, id="more"
        ),
    ],
)
def test_what_is_left_rolls_over_as_agreed(terms, left, issued):
    ledger = chain(price_of(monthly(**terms)), 500 - left * 5, 0)[1]
    assert grants(ledger) == [("monthly:2026-04-01", APRIL.start, issued)]
    assert [entry.credits for entry in ledger.expiries] == ([left] if left else [])


def test_the_old_lot_leaves_before_the_new_one_comes():
    ledger = chain(price_of(monthly(rollover_max="50")), 350, 10)[1]
    assert [(entry.kind.value, entry.lot) for entry in ledger.entries] == [
        ("expire", "monthly:2026-03-01"),
        ("grant", "monthly:2026-04-01"),
        ("draw", "monthly:2026-04-01"),
    ]


def test_nothing_rolls_into_the_first_lot():
    ledger = chain(price_of(monthly(rollover_min="20", rollover_max="50")), 0)[0]
    assert grants(ledger) == [("monthly:2026-03-01", MARCH.start, 100)]


def test_what_is_rolled_may_be_rolled_again():
    ledgers = chain(price_of(monthly(rollover_max=None)), 400, 0, 0)
    assert [grants(ledger)[0][2] for ledger in ledgers] == [100, 120, 220]


def test_nothing_rolls_over_a_month_without_the_plan():
    price = price_of(monthly(rollover_max=None))
    opening = chain(price, 100)[0].closing
    ledger = price.ledger({}, Basis("USD", MAY, opening=opening))
    assert [(entry.kind.value, entry.day, entry.credits) for entry in ledger.entries] == [
        ("expire", MAY.start, 80),
        ("grant", MAY.start, 100),
    ]


def test_a_third_of_a_credit_rolls_over_rounded_up():
    third = monthly(credits="1", units_per_credit={"sms": "3"}, rollover_max=None)
    assert grants(chain(price_of(third), 2, 0)[1])[0][2] == F(D("1.333333333333333334"))


def test_lots_that_are_over_are_forgotten():
    closing = chain(price_of(monthly(rollover_max=None)), 0, 0, 0)[-1].closing
    assert [each.key for each in closing.issued] == ["monthly:2026-05-01"]
    assert closing.credits == {"monthly:2026-05-01": 300}


def test_what_is_owed_is_taken_from_the_next_lot_issued():
    ledgers = chain(price_of(monthly()), 600, 0)
    assert (ledgers[0].closing.owed, ledgers[1].closing.owed) == ({"sms": 100}, {})
    assert ledgers[1].closing.credits["monthly:2026-04-01"] == 80


def test_what_comes_with_the_period_burns_before_what_was_bought():
    ledger = chain(price_of(monthly()), 600, lots=(small_pack(),))[0]
    assert [(draw.lot, draw.units) for draw in ledger.draws] == [
        ("monthly:2026-03-01", 500),
        ("small", 100),
    ]


def test_a_lot_bought_under_the_key_of_one_issued_is_a_conflict():
    with pytest.raises(Conflict, match="monthly:2026-03-01"):
        chain(price_of(monthly()), 0, lots=(lot("monthly:2026-03-01"),))


@pytest.mark.parametrize(
    ("prorate", "credits", "price"),
    [
        pytest.param("days", 55, "17.00", id="its share"),
        pytest.param("none", 100, "31.00", id="all"),
    ],
)
def test_a_part_of_a_period_brings_a_share(prorate, credits, price):
    plan = agreed(credit_price(recurring=[monthly(price="31")]), prorate=prorate)
    basis = Basis("USD", SIGN_UP, plan.prorate == "days")
    ledger = plan.prices[0].ledger({}, basis)
    assert grants(ledger) == [("monthly:2026-03-15", SIGN_UP.start, credits)]
    assert [(line.kind, line.amount) for line in plan.rate({}, basis)] == [
        (LineKind.PACK, D(price))
    ]


def test_a_share_is_never_more_than_the_whole():
    half = price_of(monthly(credits="0.5"))
    assert grants(half.ledger({}, Basis("USD", SIGN_UP)))[0][2] == F(1, 2)


def test_a_price_that_a_change_of_plan_leaves_as_it_was_issues_once():
    plan = agreed(credit_price(recurring=[monthly(price="31")]))
    price, runs = plan.prices[0], {"sms": Run(MARCH)}
    first, second = MARCH.clipped(MARCH.start, date(2026, 3, 15)), SIGN_UP
    before = Basis("USD", first, runs=runs)
    closing = price.ledger({"sms": days(50)}, before).closing
    after = Basis("USD", second, opening=closing, runs=runs)
    assert [line.amount for line in plan.rate({}, before)] == [D("31.00")]
    assert plan.rate({}, after) == ()
    assert price.ledger({}, after).closing.credits == {"monthly:2026-03-01": 90}


def test_a_new_price_within_the_period_issues_anew():
    first = MARCH.clipped(MARCH.start, date(2026, 3, 15))
    opening = price_of(monthly()).ledger({}, Basis("USD", first)).closing
    changed = price_of(monthly(credits="200", rollover_max=None))
    ledger = changed.ledger({}, Basis("USD", SIGN_UP, opening=opening))
    assert [(entry.kind.value, entry.credits) for entry in ledger.entries] == [
        ("expire", 46),  # 100 × 14/31, rounded up
        ("grant", 156),  # 200 × 17/31, rounded up, and the 46
    ]


def test_nothing_is_issued_before_its_day():
    basis = Basis("USD", APRIL, known_until=APRIL.start)
    assert price_of(monthly()).begun(basis).issued == ()


def test_a_lot_issued_counts_when_credits_run_out():
    opening = chain(price_of(monthly()), 400)[0].closing
    assert run_out_day([], "sms", [D(50)] * 9, date(2026, 3, 2), opening) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("pace", "terms", "day"),
    [
        pytest.param(10, {}, None, id="what comes every month suffices"),
        pytest.param(20, {}, date(2026, 3, 26), id="within the month"),
        pytest.param(16, {"rollover_max": None}, None, id="31 days of 16"),
        pytest.param(17, {"rollover_max": None}, date(2026, 3, 30), id="31 days of 17"),
    ],
)
def test_the_lots_of_later_periods_count_when_credits_run_out(pace, terms, day):
    price = price_of(monthly(**terms))
    later = (APRIL, MAY)
    basis = Basis("USD", MARCH)
    assert price.runs_out_on("sms", [D(pace)] * 92, MARCH.start, basis, later) == day


def test_what_was_bought_fills_the_gap_before_credits_run_out():
    price, lots = price_of(monthly()), (lot("a", "20"),)
    opening = chain(price, 0, lots=lots)[0].closing
    basis = Basis("USD", MARCH, lots=lots, opening=opening)
    # From 31 March on: 20 of the lot that expires, 25 days of April's, 5 days of the one bought.
    assert price.runs_out_on("sms", [D(20)] * 92, MARCH.last_day, basis, (APRIL,)) is None
    assert price.runs_out_on("sms", [D(20)] * 92, MARCH.last_day, basis, (APRIL, MAY)) == date(
        2026, 5, 26
    )


def test_a_run_out_day_without_recurring_lots_looks_beyond_the_period():
    basis = Basis("USD", MARCH, lots=(small_pack(),))
    found = agreed(credit_price()).prices[0].runs_out_on("sms", [D(10)] * 99, MARCH.start, basis)
    assert found == date(2026, 4, 20)


def test_a_lot_issued_can_be_void():
    price = price_of(monthly())
    opening = chain(price, 0)[0].closing
    void = lot(
        "monthly:2026-03-01",
        price="0",
        name="monthly",
        expires_on=APRIL.start,
        voided_on=date(2026, 3, 20),
    )
    rest = MARCH.clipped(date(2026, 3, 10), None)
    basis = Basis("USD", rest, lots=(void,), opening=opening, runs={"sms": Run(MARCH)})
    ledger = price.ledger({}, basis)
    assert [(entry.kind.value, entry.day.day) for entry in ledger.entries] == [("void", 20)]


def test_a_recurring_lot_is_billed_when_issued_and_earned_when_burnt():
    plan = agreed(credit_price(recurring=[monthly(price="10")]))
    opening, found = None, []
    for period in (MARCH, APRIL):
        basis = Basis("USD", period, opening=opening)
        usage = {"sms": days(335, start=period.start)}
        found += plan.rate(usage, basis)
        opening = plan.prices[0].ledger(usage, basis).closing
    assert [(line.kind.value, line.lot[-5:], line.amount, line.recognized) for line in found] == [
        ("pack", "03-01", D("10.00"), None),
        ("credits", "03-01", D(0), D("6.70")),
        ("expired", "03-01", D(0), D("3.30")),
        ("pack", "04-01", D("10.00"), None),
        ("credits", "04-01", D(0), D("6.70")),
    ]


def test_a_free_recurring_lot_is_no_line_until_it_is_drawn():
    assert lines(agreed(credit_price(recurring=[monthly()])), days()) == ()


def test_a_void_shows_what_left_and_earns_nothing():
    void = small_pack(voided_on=date(2026, 3, 20))
    found = lines(agreed(credit_price()), days(200), lots=(void,))
    assert [(line.label, line.amount, line.quantity, line.recognized) for line in found] == [
        ("small", D("10.00"), 1, None),
        ("small", 0, 200, D("4.00")),
        ("small, voided", 0, 60, 0),
    ]


def test_a_plan_may_burn_in_another_order():
    lots = (small_pack(created=1), large_pack(created=2, expires_on=date(2026, 3, 30)))
    drawn = {
        order: lines(agreed(credit_price(burn_order=order.split())), days(600), lots=lots)[1].label
        for order in ("expires_on", "created")
    }
    assert drawn == {"expires_on": "large", "created": "small"}


def test_the_lines_of_a_bill_have_names_of_their_own():
    lots = (small_pack(voided_on=date(2026, 3, 20)), large_pack(expires_on=date(2026, 3, 30)))
    plan = agreed(credit_price(recurring=[monthly(price="1")]))
    keys = [line.key for line in lines(plan, days(300, 0, 900), lots=lots)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        pytest.param(
            {"recurring": [monthly(rollover_min="9", rollover_max="8")]},
            r"recurring\.0: rollover_min 9 lies above rollover_max 8",
            id="more at least than at most",
        ),
        pytest.param(
            {"recurring": [monthly(rollover_min="9")]}, "rollover_max 0", id="at least, and nothing"
        ),
        pytest.param(
            {"recurring": [monthly(units_per_credit={"fax": "1"})]},
            "recurring grant 'monthly' converts 'fax'",
            id="a meter not priced",
        ),
        pytest.param(
            {"recurring": [monthly(units_per_credit={})]},
            r"recurring\.0\.units_per_credit",
            id="no conversion",
        ),
        pytest.param(
            {"recurring": [monthly(credits="0")]}, r"recurring\.0\.credits", id="no credits"
        ),
        pytest.param({"recurring": [monthly(), monthly()]}, "named 'monthly'", id="twice"),
        pytest.param(
            {"packs": [monthly(price="1")], "recurring": [monthly()]},
            "two packs or recurring grants are named 'monthly'",
            id="the name of a pack",
        ),
        pytest.param(
            {"burn_order": ["created", "priority", "created"]},
            "burn_order: 'created' is named twice",
            id="a burn key twice",
        ),
        pytest.param({"burn_order": ["cheapest"]}, r"burn_order\.0", id="an unknown burn key"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(terms, message):
    with pytest.raises(InvalidTerms, match=message):
        agreed(credit_price(**terms))


def test_all_terms_survive_storage():
    plan = agreed(
        credit_price(
            recurring=[monthly(price="5", refill=True, rollover_min="1", rollover_max=None)],
            burn_order=["expires_on", "free_first"],
        )
    )
    assert parse_plan(json.loads(json.dumps(plan.model_dump(mode="json")))) == plan


def test_the_fixed_fee_is_what_comes_with_every_period():
    assert price_of(monthly(price="5"), monthly(name="other", price="2")).fixed_fee == 7


amounts = st.integers(0, 90)


@given(
    st.lists(st.integers(0, 700), min_size=1, max_size=6),
    amounts,
    st.none() | amounts,
    st.booleans(),
)
def test_every_rollover_follows_the_formula(used, least, most, refill):
    most = most if most is None or most >= least else least
    terms = {"rollover_min": str(least), "rollover_max": most if most is None else str(most)}
    price = price_of(monthly(refill=refill, **terms), shortfall="unpriced")
    left = None
    for ledger, units in zip(chain(price, *used), used, strict=True):
        issued = F(100)
        if left is not None:
            rolled = max(left, F(least)) if most is None else min(max(left, F(least)), F(most))
            issued = max(issued, rolled) if refill else issued + rolled
        assert [each[2] for each in grants(ledger)] == [issued]
        assert sum((each.credits for each in ledger.expiries), F(0)) == (left or 0)
        left = max(issued - F(units, 5), F(0))


@given(st.lists(st.integers(0, 700), min_size=1, max_size=5), st.integers(0, 99))
def test_each_issued_lot_earns_its_price_exactly(used, cents):
    amount = D(cents) / 100 + 9
    plan = agreed(credit_price(recurring=[monthly(price=str(amount), rollover_max="33")]))
    opening, earned, period = None, D(0), MARCH
    for units in (*used, 10_000):  # the last period burns all
        basis = Basis("USD", period, opening=opening)
        usage = {"sms": days(units, start=period.start)}
        earned += sum(line.recognized or D(0) for line in plan.rate(usage, basis))
        opening, period = plan.prices[0].ledger(usage, basis).closing, period_of(period.end)
    assert earned == amount * (len(used) + 1)


def test_a_recurring_grant_rolls_by_its_own_terms():
    grant = RecurringGrant.model_validate(monthly(rollover_min="5", rollover_max="50"))
    assert [grant.rolled(F(left)) for left in (0, 5, 30, 51)] == [5, 5, 30, 50]
