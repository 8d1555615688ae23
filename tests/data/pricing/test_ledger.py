"""Credits: which lot burns first, what expires, what is owed, and what the books recognise."""

from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidTerms
from data.money import exact
from data.periods import period_of
from data.pricing import Basis, CreditLots, CreditUse, LineKind, replay
from data.pricing.ledger import run_out_day
from tests.bills import MARCH, agreed, credit_price, days, large_pack, lines, lot, small_pack

START, END = MARCH.start, MARCH.end


def march(day):
    return date(2026, 3, day)


def use(day, units, meter="sms"):
    return CreditUse(march(day), meter, D(units))


def order(*lots):
    """The keys of lots of 5 segments each, as 5 segments a day burn them."""
    uses = [use(20 + n, 5) for n in range(len(lots))]
    return [draw.lot for draw in replay(lots, uses, START, END).draws]


def one(key, **terms):
    return lot(key, "1", terms.pop("price", "1"), **terms)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"priority": 1}, {"priority": 2}, id="lower priority"),
        pytest.param({"priority": 9}, {}, id="a priority before none"),
        pytest.param({"priority": 0}, {"priority": 1}, id="priority zero is one"),
        pytest.param({"expires_on": march(29)}, {"expires_on": march(30)}, id="earlier expiry"),
        pytest.param({"expires_on": march(29)}, {}, id="an expiry before none"),
        pytest.param({"price": "0"}, {"price": "1"}, id="free before paid"),
        pytest.param({"bought": 2}, {"bought": 3}, id="earlier effective"),
        pytest.param({"created": 1}, {"created": 2}, id="created earlier"),
        pytest.param({"priority": 2}, {"priority": 3, "expires_on": march(29)}, id="over expiry"),
        pytest.param({"expires_on": march(29)}, {"price": "0"}, id="expiry over free"),
        pytest.param({"price": "0", "bought": 3}, {"bought": 2}, id="free over effective"),
        pytest.param({"bought": 2, "created": 9}, {"bought": 3}, id="effective over created"),
    ],
)
def test_lots_burn_key_by_key(first, second):
    # The first is named so that its name alone would put it last.
    assert order(one("a", **second), one("z", **first)) == ["z", "a"]


def test_the_key_decides_what_nothing_else_does():
    assert order(one("b"), one("a")) == ["a", "b"]


def test_an_expiry_is_exclusive():
    ledger = replay([one("a", expires_on=march(10))], [use(10, 5)], START, END)
    assert (ledger.draws, ledger.shortfall) == ((), {"sms": 5})


def test_a_day_burns_whole_before_an_expiry_at_its_end():
    ledger = replay([one("a", expires_on=march(11))], [use(10, 5)], START, END)
    assert (ledger.shortfall, ledger.expiries) == ({}, ())


def test_only_the_rest_expires_on_the_day_of_expiry():
    lots = [lot("a", "10", expires_on=march(11))]
    ledger = replay(lots, [use(10, 15)], START, END)
    assert [(draw.day, draw.lot, draw.credits) for draw in ledger.expiries] == [
        (march(11), "a", F(7))
    ]


def test_an_expiry_on_the_first_day_of_the_next_period_belongs_to_it():
    lots = [lot("a", "10", expires_on=END)]
    march_ledger = replay(lots, [], START, END)
    april = replay(lots, [], END, END + timedelta(days=30), opening=march_ledger.closing)
    assert [len(march_ledger.expiries), len(april.expiries)] == [0, 1]


def test_effective_on_is_inclusive():
    ledger = replay([one("a", bought=10)], [use(9, 1), use(10, 1)], START, END, carry=False)
    assert [draw.day for draw in ledger.draws] == [march(10)]


def test_a_use_spans_lots_each_at_its_own_rate():
    ledger = replay([small_pack(), large_pack(bought=2)], [use(9, 1250)], START, END)
    assert [(draw.lot, draw.units, draw.credits) for draw in ledger.draws] == [
        ("small", 500, F(100)),
        ("large", 750, F(100)),
    ]


def test_a_lot_without_a_rate_for_the_meter_is_passed_over():
    lots = [lot("a", rates={"mms": D(1)}), lot("b")]
    ledger = replay(lots, [use(9, 10)], START, END)
    assert [draw.lot for draw in ledger.draws] == ["b"]


def test_a_lot_serves_two_meters_from_one_stock():
    lots = [lot("a", "100", rates={"sms": D(5), "mms": D(2)})]
    ledger = replay(lots, [use(9, 250), use(9, 200, "mms")], START, END)
    assert (ledger.closing.credits["a"], ledger.shortfall) == (0, {"mms": 100})


def owing(shortfall="owed", **terms):
    return agreed(credit_price(shortfall=shortfall, **terms))


def test_a_shortfall_is_carried_onto_the_next_lot():
    ledger = replay([small_pack(bought=20)], [use(10, 60)], START, END)
    assert [(draw.day, draw.units) for draw in ledger.draws] == [(march(20), 60)]
    assert not ledger.closing.owed


def test_what_was_owed_is_taken_before_the_days_own_use():
    ledger = replay([small_pack(bought=20)], [use(10, 490), use(20, 60)], START, END)
    assert [draw.units for draw in ledger.draws] == [490, 10]
    assert ledger.closing.owed == {"sms": 50}


def test_what_was_owed_before_the_period_is_taken_from_a_new_lot():
    april = period_of(END)
    before = replay([], [use(10, 60)], START, END).closing
    lots = [lot("new", bought=1, rates={"sms": D(5)})]
    ledger = replay(lots, [], april.start, april.end, opening=before)
    assert [draw.units for draw in ledger.draws] == [60]


def test_a_debt_repaid_leaves_no_empty_line():
    before = replay([], [use(10, 60)], START, END).closing
    lots = (lot("new", bought=1, rates={"sms": D(5)}),)
    april = period_of(END)
    found = lines(owing(), days(start=END), april, lots=lots, opening=before)
    assert [line.kind for line in found] == [LineKind.CREDITS]


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        pytest.param(owing(), (LineKind.UNPRICED, D(0)), id="owed"),
        pytest.param(owing("unpriced"), (LineKind.UNPRICED, D(0)), id="unpriced"),
        pytest.param(
            owing("overage_price", overage_amount="0.025"),
            (LineKind.OVERAGE, D("2.50")),
            id="overage price",
        ),
    ],
)
def test_beyond_all_lots(plan, line):
    last = lines(plan, days(600), lots=(small_pack(),))[-1]
    assert (last.kind, last.amount, last.quantity) == (*line, 100)


@pytest.mark.parametrize("shortfall", ["overage_price", "unpriced"])
def test_only_what_is_owed_is_carried(shortfall):
    terms = {"overage_amount": "1"} if shortfall == "overage_price" else {}
    found = lines(owing(shortfall, **terms), days(60), lots=(small_pack(bought=20),))
    assert [line.kind for line in found if line.kind is LineKind.CREDITS] == []


def test_a_pack_given_for_nothing_is_no_line_of_the_bill():
    assert lines(owing(), days(), lots=(lot("gift", price="0"),)) == ()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        pytest.param({"credits": "0"}, "credits must be above 0", id="no credits"),
        pytest.param({"rates": {}}, "units_per_credit", id="no rate"),
        pytest.param({"rates": {"sms": D(0)}}, "units_per_credit", id="a rate of zero"),
        pytest.param({"expires_on": march(1)}, "expires_on", id="expires as it begins"),
    ],
)
def test_a_lot_that_cannot_be_is_refused(terms, message):
    with pytest.raises(InvalidTerms, match=f"credit lot bad: {message}"):
        lot("bad", **terms)


def test_the_day_on_which_credits_run_out():
    opening = replay([small_pack()], [], START, START).closing
    pace = [D(100)] * 10
    assert run_out_day([small_pack()], "sms", pace, march(2), opening) == march(7)


def test_credits_that_expire_do_not_last():
    lots = [small_pack(expires_on=march(4))]
    opening = replay(lots, [], START, START).closing
    assert run_out_day(lots, "sms", [D(1)] * 10, march(2), opening) == march(4)


def test_credits_that_suffice_run_out_on_no_day():
    opening = replay([small_pack()], [], START, START).closing
    assert run_out_day([small_pack()], "sms", [D(1)] * 10, march(2), opening) is None


prices = st.decimals("0", "50", places=2)
rates = st.sampled_from(["1", "2.5", "3", "5", "7", "7.5"]).map(D)
uses = st.lists(
    st.builds(use, st.integers(1, 31), st.integers(0, 400), st.sampled_from(["sms", "mms"])),
    max_size=12,
).map(lambda found: sorted(found, key=lambda each: each.day))


@st.composite
def some_lots(draw, largest=4):
    return tuple(
        lot(
            f"lot-{n}",
            draw(st.integers(1, 120)),
            draw(prices),
            bought=(bought := draw(st.integers(1, 28))),
            rates=draw(st.dictionaries(st.sampled_from(["sms", "mms"]), rates, min_size=1)),
            expires_on=draw(st.none() | st.integers(bought + 1, 31).map(march)),
            priority=draw(st.none() | st.integers(0, 2)),
            created=n,
        )
        for n in range(draw(st.integers(0, largest)))
    )


@given(some_lots(), uses, st.integers(2, 31), st.booleans())
def test_a_replay_in_two_pieces_equals_the_replay_at_once(lots, used, cut, carry):
    with exact():
        whole = replay(lots, used, START, END, carry=carry)
        first = replay(lots, used, START, march(cut), carry=carry)
        second = replay(lots, used, march(cut), END, opening=first.closing, carry=carry)
    assert (first.draws + second.draws, first.expiries + second.expiries) == (
        whole.draws,
        whole.expiries,
    )
    assert second.closing == whole.closing


@given(some_lots(), uses)
def test_every_credit_is_drawn_expired_or_left(lots, used):
    ledger = replay(lots, used, START, END)
    gone = {each.key: F(0) for each in lots}
    for draw in (*ledger.draws, *ledger.expiries):
        gone[draw.lot] += draw.credits
    left = ledger.closing.credits
    assert all(gone[each.key] + left[each.key] == F(each.credits) for each in lots)


@given(some_lots(), uses)
def test_no_lot_is_drawn_below_nothing(lots, used):
    ledger = replay(lots, used, START, END)
    assert all(credits >= 0 for credits in ledger.closing.credits.values())
    assert all(draw.credits > 0 for draw in ledger.draws)


@given(some_lots(), uses)
def test_the_recognised_values_of_a_burnt_lot_sum_to_its_price(lots, used):
    plan = agreed({**CreditLots.example, "meters": ["sms", "mms"], "packs": []})
    by_meter = {
        meter: days(*[(each.quantity, 0) for each in used if each.meter == meter])
        for meter in ("sms", "mms")
    }
    recognized = {each.key: D(0) for each in lots}
    opening = None
    for period in (MARCH, period_of(END)):
        basis = Basis("USD", period, lots=lots, opening=opening)
        in_period = by_meter if period is MARCH else {}
        for line in plan.rate(in_period, basis):
            if line.recognized is not None:
                recognized[line.label] += line.recognized
        opening = plan.prices[0].ledger(in_period, basis).closing
    burnt = [each for each in lots if not opening.credits[each.key]]
    assert {each.key: recognized[each.key] for each in burnt} == {
        each.key: each.price for each in burnt
    }


def test_a_replay_in_two_months_recognises_each_cent_once():
    plan = agreed(credit_price())
    lots = (lot("thirds", "3", "10", "1"),)  # 3.33, 6.67, 10.00 so far
    ledger = plan.prices[0]
    recognized, opening = [], None
    for start in (START, END, period_of(END).end):
        basis = Basis("USD", period_of(start), lots=lots, opening=opening)
        usage = {"sms": days((1, 0), start=start)}
        recognized += [line.recognized for line in plan.rate(usage, basis) if line.recognized]
        opening = ledger.ledger(usage, basis).closing
    assert recognized == [D("3.33"), D("3.34"), D("3.33")]
