"""Laws of the credit ledger, and the same rules written a second time, slowly."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction as F
from itertools import pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from data.money import exact
from data.pricing import CreditLot, CreditUse, replay
from data.pricing.ledger import BURN_ORDER, BurnKey, EntryKind, LedgerEntry
from data.pricing.posting import balance, corrections, recognized

START = date(2026, 3, 1)
LAST = 90
END = START + timedelta(days=LAST)
METERS = ("sms", "mms")
DUST = F(1, 10**15)  # what rounding to the finest unit may come to


def on(number):
    return START + timedelta(days=number)


numbers = st.integers(0, LAST - 1)
rates = st.sampled_from(["1", "2.5", "3", "5", "7", "7.5", "0.125"]).map(D)
uses = st.lists(
    st.builds(
        CreditUse,
        numbers.map(on),
        st.sampled_from(METERS),
        st.integers(0, 400).map(D) | st.decimals("0", "400", places=6),
    ),
    max_size=15,
).map(lambda found: sorted(found, key=lambda use: use.day))
orders = st.lists(st.sampled_from(get_args(BurnKey)), unique=True).map(tuple)


@st.composite
def one_lot(draw, number):
    begins = draw(numbers)
    later = st.none() | st.integers(begins + 1, LAST + 20).map(on)
    return CreditLot(
        key=f"lot-{number}",
        name="pack",
        credits=draw(st.integers(1, 120).map(D) | st.decimals("0.1", "120", places=3)),
        units_per_credit=draw(st.dictionaries(st.sampled_from(METERS), rates, min_size=1)),
        price=draw(st.decimals("0", "50", places=2)),
        effective_on=on(begins),
        expires_on=draw(later),
        priority=draw(st.none() | st.integers(0, 2)),
        created=draw(st.integers(0, 2)),
        voided_on=draw(st.none() | later),
    )


some_lots = st.integers(0, 5).flatmap(lambda n: st.tuples(*(one_lot(each) for each in range(n))))


def nets(entries):
    """Credits and units by what they are netted by, without what nets to nothing."""
    sums = defaultdict(lambda: (F(0), F(0)))
    for each in entries:
        sign = -1 if each.kind is EntryKind.RETURN else 1
        kind = each.returns if each.kind is EntryKind.RETURN else each.kind
        credits, units = sums[kind, each.lot, each.day, each.meter]
        sums[kind, each.lot, each.day, each.meter] = (
            credits + sign * each.credits,
            units + sign * F(each.units),
        )
    return {key: found for key, found in sums.items() if any(found)}


@given(some_lots, uses, st.sets(st.integers(1, LAST - 1), max_size=4), st.booleans(), orders)
def test_a_replay_in_pieces_equals_the_replay_at_once(lots, used, cuts, carry, order):
    terms = {"carry": carry, "burn_order": order}
    whole = replay(lots, used, START, END, **terms)
    days = [START, *(on(cut) for cut in sorted(cuts)), END]
    entries, opening, shortfall = (), None, defaultdict(D)
    for start, end in pairwise(days):
        piece = replay(lots, used, start, end, opening=opening, **terms)
        entries, opening = entries + piece.entries, piece.closing
        for meter, units in piece.shortfall.items():
            shortfall[meter] += units
    assert (entries, opening, shortfall) == (whole.entries, whole.closing, whole.shortfall)


@given(some_lots, uses, st.integers(2, 7))
def test_a_use_cut_in_several_nets_to_the_same(lots, used, pieces):
    cut = []
    for use in used:
        part = (use.quantity / pieces).quantize(D("0.000001"))
        parts = [part] * (pieces - 1)
        cut += [replace(use, quantity=units) for units in (*parts, use.quantity - sum(parts))]
    whole, several = (replay(lots, found, START, END) for found in (used, cut))
    assert nets(several.entries) == nets(whole.entries)
    assert (several.closing, several.shortfall) == (whole.closing, whole.shortfall)


@given(some_lots, uses)
def test_every_credit_granted_is_drawn_expired_void_or_left(lots, used):
    ledger = replay(lots, used, START, END)
    gone = defaultdict(F)
    for each in ledger.entries:
        gone[each.lot, each.kind is EntryKind.GRANT] += each.credits
    for lot in lots:
        assert gone[lot.key, True] == F(lot.credits)
        assert gone[lot.key, False] + ledger.closing.credits[lot.key] == F(lot.credits)


@given(some_lots, uses)
def test_every_unit_used_is_drawn_or_owed(lots, used):
    ledger = replay(lots, used, START, END)
    for meter in METERS:
        drawn = sum(F(draw.units) for draw in ledger.draws if draw.meter == meter)
        owed = F(ledger.closing.owed.get(meter, D(0)))
        assert drawn + owed == sum(F(use.quantity) for use in used if use.meter == meter)


@given(some_lots, uses)
def test_no_lot_is_ever_drawn_below_nothing(lots, used):
    left = defaultdict(F)
    for each in replay(lots, used, START, END).entries:
        assert each.credits > 0
        left[each.lot] += each.credits if each.kind is EntryKind.GRANT else -each.credits
        assert left[each.lot] >= 0


@given(some_lots, orders, st.randoms())
def test_a_burn_order_is_total(lots, order, random):
    shuffled = list(lots)
    random.shuffle(shuffled)

    def key(lot):
        return lot.burn_order(order)

    assert sorted(shuffled, key=key) == sorted(lots, key=key)
    assert len({key(lot) for lot in lots}) == len(lots)


@given(some_lots, uses, uses)
def test_the_order_of_the_lots_given_does_not_matter(lots, used, more):
    found = [replay(each, used + more, START, END) for each in (lots, lots[::-1])]
    assert found[0] == found[1]


@given(some_lots, uses, numbers.map(on))
def test_the_balance_of_a_day_is_what_a_replay_until_then_leaves(lots, used, day):
    with_uses = replay(lots, used, START, END).entries
    closing = replay(lots, used, START, day).closing
    known = {lot.key for lot in lots if lot.effective_on < day}
    left = {key: credits for key, credits in closing.credits.items() if key in known}
    assert balance(with_uses, day) == left


@given(some_lots, st.lists(uses, min_size=2, max_size=4))
def test_corrections_net_to_each_restatement_in_turn(lots, states):
    posted = ()
    for used in states:
        wanted = replay(lots, used, START, END).entries
        posted += corrections(posted, wanted)
        assert nets(posted) == nets(wanted)
        assert corrections(posted, wanted) == ()
        assert balance(posted, END) == balance(wanted, END)


entries = st.lists(
    st.builds(
        LedgerEntry,
        st.sampled_from([kind for kind in EntryKind if kind is not EntryKind.RETURN]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 2).map(on),
        st.fractions(0, 5, max_denominator=7),
        st.none() | st.sampled_from(METERS),
        st.integers(0, 3).map(D),
    ),
    max_size=8,
)


@given(entries, entries, entries)
def test_any_entries_can_be_corrected_into_any_others(first, second, third):
    posted = tuple(first)
    for wanted in (second, third):
        appended = corrections(posted, wanted)
        returned = [each.kind is EntryKind.RETURN for each in appended]
        assert returned == sorted(returned, reverse=True)
        posted += appended
        assert nets(posted) == nets(wanted)
        assert corrections(posted, wanted) == ()


@given(some_lots, uses, uses, st.sets(st.integers(1, LAST + 30), max_size=5))
def test_what_is_recognised_of_a_lot_that_is_gone_sums_to_its_price(lots, used, more, cuts):
    lots = tuple(replace(lot, voided_on=None) for lot in lots)
    end = on(LAST + 40)
    days = [START, *(on(cut) for cut in sorted(cuts)), end]
    posted = replay(lots, more, START, end).entries
    posted += corrections(posted, replay(lots, used, START, end).entries)
    left = balance(posted, end)
    for lot in lots:
        own = [each for each in posted if each.lot == lot.key]
        found = sum(recognized(own, lots, "USD", first, last) for first, last in pairwise(days))
        assert found == lot.price if not left[lot.key] else found <= lot.price


@given(some_lots, uses)
def test_what_is_void_is_not_recognised(lots, used):
    entries = replay(lots, used, START, END).entries
    earning = [each for each in entries if each.kind is not EntryKind.VOID]
    assert recognized(entries, lots, "USD", START, END) == recognized(
        earning, lots, "USD", START, END
    )


def burn(lots, used):
    """Every day, every use, every lot in turn; fractions throughout."""
    forever = date.max
    queue = sorted(
        lots,
        key=lambda lot: (
            99 if lot.priority is None else lot.priority,
            lot.expires_on or forever,
            lot.price != 0,
            (lot.effective_on, lot.created, lot.key),
        ),
    )
    left = {lot.key: F(lot.credits) for lot in lots}
    drawn, lost, owed = defaultdict(F), {}, dict.fromkeys(METERS, F(0))
    for day in map(on, range(LAST)):
        for lot in lots:
            for reason, ends in (("expire", lot.expires_on), ("void", lot.voided_on)):
                if ends == day and left[lot.key]:
                    lost[lot.key] = (reason, day, left[lot.key])
                    left[lot.key] = F(0)
        debts = [(meter, owed.pop(meter)) for meter in sorted(owed)]
        for meter, units in debts + [(u.meter, F(u.quantity)) for u in used if u.day == day]:
            for lot in queue:
                if lot.effective_on <= day and meter in lot.units_per_credit:
                    rate = F(lot.units_per_credit[meter])
                    taken = min(units, left[lot.key] * rate)
                    left[lot.key] -= taken / rate
                    drawn[lot.key, day, meter] += taken
                    units -= taken
            owed[meter] = owed.get(meter, F(0)) + units
    return left, drawn, lost, owed


def close(found, expected):
    keys = found.keys() | expected.keys()
    return all(abs(found.get(key, F(0)) - expected.get(key, F(0))) < DUST for key in keys)


@given(some_lots, uses)
def test_the_engine_agrees_with_the_rules_written_plainly(lots, used):
    ledger = replay(lots, used, START, END)
    left, drawn, lost, owed = burn(lots, used)
    units = defaultdict(F)
    for draw in ledger.draws:
        units[draw.lot, draw.day, draw.meter] += F(draw.units)
    gone = {
        (each.lot, each.kind.value, each.day): each.credits
        for each in ledger.entries
        if each.kind in (EntryKind.EXPIRE, EntryKind.VOID)
    }
    expected = {(key, reason, day): credits for key, (reason, day, credits) in lost.items()}
    assert close(units, drawn)
    assert close(gone, expected)
    assert close(ledger.closing.credits, left)
    assert close({meter: F(units) for meter, units in ledger.closing.owed.items()}, owed)


def test_the_arithmetic_around_it_does_not_change_a_replay():
    lots = (
        CreditLot("a", "pack", D(7), {"sms": D(3), "mms": D(7)}, D("9.99"), START),
        CreditLot("b", "pack", D(7), {"sms": D("0.7")}, D("9.99"), START),
    )
    used = [CreditUse(START, "mms", D("0.000001")), CreditUse(START, "sms", D("1e15"))]
    plain = replay(lots, used, START, END)
    with exact():
        assert replay(lots, used, START, END) == plain


def test_the_default_order_is_the_one_of_the_rules():
    names = "priority expires_on free_first effective_on created key"
    assert " ".join(BURN_ORDER) == names
