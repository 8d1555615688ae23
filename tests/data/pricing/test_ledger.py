"""Credits: which lot burns first, what expires, what is owed, and what the books recognise."""

from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from data.errors import Conflict, InvalidTerms
from data.periods import period_of
from data.pricing import Basis, CreditUse, LineKind, replay
from data.pricing.ledger import EntryKind, run_out_day, unique_grants
from data.pricing.posting import balance, corrections, recognized
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


def test_debts_of_several_meters_are_repaid_in_the_order_of_their_names():
    lots = [lot("a", "10", bought=20, rates={"sms": D(1), "mms": D(1)})]
    ledger = replay(lots, [use(9, 8), use(10, 8, "mms")], START, END)
    assert [(draw.meter, draw.units) for draw in ledger.draws] == [("mms", 8), ("sms", 2)]


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
        pytest.param(
            {"rates": {"sms": D(5), "mms": D(0)}}, "units_per_credit.*mms", id="the second"
        ),
        pytest.param({"expires_on": march(1)}, "expires_on", id="expires as it begins"),
        pytest.param({"bought": 5, "voided_on": march(4)}, "voided_on", id="void before it begins"),
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


def kinds(ledger):
    return short(ledger.entries)


def test_the_ledger_tells_what_happened_in_its_order():
    lots = [lot("a", "10", expires_on=march(9)), lot("b", "20", bought=4, voided_on=march(12))]
    ledger = replay(lots, [use(8, 5), use(10, 15)], START, END)
    assert kinds(ledger) == [
        ("grant", "a", 1, 10),
        ("grant", "b", 4, 20),
        ("draw", "a", 8, 1),
        ("expire", "a", 9, 9),
        ("draw", "b", 10, 3),
        ("void", "b", 12, 17),
    ]


def test_what_was_granted_before_the_days_replayed_is_no_entry_of_theirs():
    assert replay([lot("a", bought=1)], [], march(2), END).entries == ()


def test_of_a_void_lot_nothing_is_left_from_that_day_on():
    lots = [one("a", voided_on=march(10))]
    ledger = replay(lots, [use(9, 2), use(10, 3)], START, END)
    assert [(draw.day, draw.units) for draw in ledger.draws] == [(march(9), 2)]
    assert (ledger.shortfall, ledger.closing.credits) == ({"sms": 3}, {"a": 0})


def test_a_lot_may_be_void_from_its_first_day():
    ledger = replay([one("a", voided_on=march(1))], [use(1, 1)], START, END)
    assert [entry.kind for entry in ledger.entries] == [EntryKind.GRANT, EntryKind.VOID]


@pytest.mark.parametrize("voided_on", [10, 20], ids=["on the day of its expiry", "later"])
def test_what_has_expired_can_no_longer_be_void(voided_on):
    lots = [one("a", expires_on=march(10), voided_on=march(voided_on))]
    assert [entry.kind for entry in replay(lots, [], START, END).entries[1:]] == [EntryKind.EXPIRE]


def test_a_lot_that_was_over_before_the_first_day_known_is_no_longer_there():
    ledger = replay([one("a", expires_on=march(3))], [use(9, 5)], march(9), END)
    assert (ledger.entries, ledger.shortfall) == ((), {"sms": 5})


def test_what_an_opening_still_holds_past_the_expiry_leaves_on_the_first_day():
    opening = replay([one("a")], [], START, march(2)).closing
    ledger = replay([one("a", expires_on=march(3))], [], march(9), END, opening=opening)
    assert kinds(ledger) == [("expire", "a", 9, 1)]


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        pytest.param(("effective_on",), "old", id="first in, first out"),
        pytest.param(("expires_on", "priority"), "soon", id="expiry before priority"),
        pytest.param(("free_first",), "free", id="free first"),
        pytest.param(("created",), "soon", id="as created"),
        pytest.param((), "soon", id="no key is as created"),
        pytest.param(("key",), "a", id="by key"),
    ],
)
def test_a_plan_may_burn_in_another_order(keys, first):
    lots = [
        lot("old", bought=1, created=3, priority=5),
        lot("free", price="0", bought=2, created=2),
        lot("soon", bought=3, created=1, expires_on=march(20)),
        lot("a", bought=4, created=4),
    ]
    assert replay(lots, [use(9, 1)], START, END, burn_order=keys).draws[0].lot == first


def test_what_is_too_fine_to_count_is_given_to_the_customer():
    # 1/3 credit is left for MMS at 7 a credit: 2.333… units, the last of them rounded up.
    lots = [lot("a", "1", rates={"sms": D(3), "mms": D(7)})]
    ledger = replay(lots, [use(1, 2), use(2, 7, "mms")], START, END)
    assert ledger.draws[-1].units == D("2.333333333333333334")
    assert ledger.closing.credits == {"a": 0}
    assert ledger.closing.owed == {"mms": D("4.666666666666666666")}


def test_a_grant_given_twice_counts_once():
    again = lot("a", created=7)
    assert unique_grants([lot("a"), again, lot("b")]) == (lot("a"), lot("b"))
    assert replay([lot("a"), again], [], START, END).closing.credits == {"a": 100}


def test_a_grant_repeated_after_its_void_stays_void():
    void = lot("a", voided_on=march(5))
    assert unique_grants([void, lot("a")]) == unique_grants([lot("a"), void]) == (void,)


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        pytest.param({"credits": "99"}, "credits", id="credits"),
        pytest.param({"rate": "6"}, "units_per_credit", id="conversion"),
        pytest.param({"price": "11"}, "price", id="price"),
        pytest.param({"expires_on": march(9)}, "expires_on", id="expiry"),
        pytest.param({"voided_on": march(9)}, "voided_on", id="another void"),
    ],
)
def test_a_key_used_for_another_grant_is_a_conflict(terms, name):
    first = lot("a", voided_on=march(8)) if name == "voided_on" else lot("a")
    with pytest.raises(Conflict, match=f"credit lot a .*{name}"):
        unique_grants([first, lot("a", **terms)])


def restated(lots, posted, *used):
    """What is posted, and what a restatement appends to it."""
    return corrections(posted, replay(lots, used, START, END).entries)


def short(entries):
    return [(entry.kind.value, entry.lot, entry.day.day, entry.credits) for entry in entries]


def test_less_use_of_a_lot_that_has_expired_is_returned_and_expires_again():
    lots = [lot("a", expires_on=march(20))]
    posted = replay(lots, [use(5, 50)], START, END).entries
    appended = restated(lots, posted, use(5, 30))
    assert short(appended) == [("return", "a", 5, 4), ("expire", "a", 20, 4)]
    assert (appended[0].meter, appended[0].units) == ("sms", 20)
    assert balance(posted + appended, march(20)) == {"a": 94}
    assert balance(posted + appended, march(21)) == {"a": 0}


def test_more_use_of_a_lot_that_has_expired_returns_of_the_expiry():
    lots = [lot("a", expires_on=march(20))]
    posted = replay(lots, [use(5, 50)], START, END).entries
    appended = restated(lots, posted, use(5, 70))
    assert short(appended) == [("return", "a", 20, 4), ("draw", "a", 5, 4)]
    assert (appended[0].meter, appended[0].returns) == (None, EntryKind.EXPIRE)


def test_returns_go_back_in_reverse_and_draws_come_in_order():
    lots = [lot("a", "10"), lot("b", "10", bought=2)]
    posted = replay(lots, [use(3, 60), use(4, 10)], START, END).entries
    assert short(restated(lots, posted)) == [
        ("return", "b", 4, 2),
        ("return", "b", 3, 2),
        ("return", "a", 3, 10),
    ]
    earlier = restated(lots, posted, use(2, 60), use(4, 10))
    assert short(earlier)[2:] == [("draw", "a", 2, 10), ("draw", "b", 2, 2)]


def test_a_restated_month_is_earned_anew():
    lots = [lot("a", "3", "10", "1", expires_on=march(20))]
    posted = replay(lots, [use(5, 2)], START, END).entries
    posted += restated(lots, posted, use(5, 1))
    first, second = (START, march(10)), (march(10), END)
    assert [recognized(posted, lots, "USD", *days) for days in (first, second)] == [
        D("3.33"),
        D("6.67"),
    ]


def test_a_lot_to_come_pays_what_is_owed_before_it_runs_out():
    lots = [lot("a", "1"), lot("b", "10", bought=4)]
    opening = replay(lots, [use(1, 8)], START, march(2)).closing
    assert opening.owed == {"sms": 3}
    assert run_out_day(lots, "sms", [D(10)] * 10, march(4), opening) == march(8)


def test_a_void_lot_does_not_last():
    lots = [small_pack(voided_on=march(4))]
    opening = replay(lots, [], START, march(2)).closing
    assert run_out_day(lots, "sms", [D(1)] * 10, march(2), opening) == march(4)


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
