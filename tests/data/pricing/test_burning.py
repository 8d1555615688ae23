"""Lots burnt by many courses at once are what the ledger's replay makes of each course."""

from datetime import date
from decimal import Decimal as D
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.periods import DAY, period_of, periods_between
from data.pricing import Basis, CreditLot, CreditUse, Opening, replay
from data.pricing.burning import MILLION, NEVER, Burning
from tests.bills import agreed, credit_price

START, DAYS = date(2026, 3, 10), 40
END = START + DAY * DAYS
MARCH = period_of(START)
RATES = [{"sms": D("7.5")}, {"sms": D(5), "mms": D(2)}, {"mms": D(3)}]
A_MILLIONTH = Fraction(1, MILLION)


@st.composite
def lots(draw, rates=RATES):
    found = []
    for n in range(draw(st.integers(0, 5))):
        effective = START + DAY * draw(st.integers(-20, 35))
        expiry = draw(st.one_of(st.none(), st.integers(1, 60)))
        found.append(
            CreditLot(
                f"lot-{n}",
                f"lot-{n}",
                D(draw(st.integers(1, 60))),
                draw(st.sampled_from(rates)),
                D(draw(st.sampled_from([0, 10]))),
                effective,
                effective + DAY * expiry if expiry else None,
                draw(st.sampled_from([None, 1, 2])),
                n,
                effective + DAY * 9 if draw(st.integers(0, 5)) == 0 else None,
            )
        )
    return tuple(found)


def drawn(seed, meters, size=4, places=2):
    random, step = np.random.default_rng(seed), MILLION // 10**places
    return {meter: random.poisson(9, (size, DAYS)).astype(np.int64) * step for meter in meters}


def uses(courses, row):
    return [
        CreditUse(START + DAY * day, meter, D(int(units[row, day])).scaleb(-6))
        for day in range(DAYS)
        for meter, units in courses.items()
    ]


def price_of(meters, **terms):
    return agreed(credit_price(meters=meters, **terms)).prices[0]


def burning(price, lots, courses, opening=None):
    return Burning(price, Basis("USD", MARCH, lots=lots, opening=opening), START, courses).burn()


def compare(price, lots, courses, opening=None, *, within=Fraction(0)):
    """What expired of each lot, and what no lot covered, course by course."""
    found = burning(price, lots, courses, opening)
    for row in range(found.size):
        carry, order = price.shortfall == "owed", price.burn_order
        ledger = replay(
            lots, uses(courses, row), START, END, opening=opening, carry=carry, burn_order=order
        )
        expired = {one.lot: one.credits for one in ledger.entries if one.kind in ("expire", "void")}
        for lot in lots:
            parts, scale = found.expired(lot.key)
            assert abs(Fraction(int(parts[row]), scale) - expired.get(lot.key, 0)) <= within
        for meter, units in found.missing().items():
            missing = Fraction(units.figure(row)) - Fraction(ledger.shortfall.get(meter, 0))
            assert abs(missing) <= within


@given(lots(RATES[:1]), st.integers(0, 99), st.sampled_from(["owed", "unpriced"]))
def test_lots_of_one_meter_burn_as_in_the_ledger(lots, seed, shortfall):
    compare(price_of(["sms"], shortfall=shortfall), lots, drawn(seed, ["sms"]))


@settings(max_examples=30)
@given(lots(), st.integers(0, 99), st.sampled_from(["owed", "unpriced"]))
def test_lots_of_several_meters_burn_within_a_few_millionths(lots, seed, shortfall):
    courses = drawn(seed, ["sms", "mms"], places=0)
    compare(price_of(["sms", "mms"], shortfall=shortfall), lots, courses, within=99 * A_MILLIONTH)


@given(lots(RATES[:1]), st.integers(0, 99), st.integers(0, 30))
def test_what_was_left_and_owed_before_counts(lots, seed, owed):
    left = {lot.key: Fraction(lot.credits) / 3 for lot in lots if lot.effective_on < START}
    opening = Opening(left, {"sms": D(owed)} if owed else {})
    compare(price_of(["sms"]), lots, drawn(seed, ["sms"]), opening)


def test_terms_of_another_burn_order_are_kept():
    early = CreditLot("a", "a", D(10), RATES[0], D(9), START, START + DAY * 20)
    late = CreditLot("b", "b", D(10), RATES[0], D(0), START, START + DAY * 30)
    price = price_of(["sms"], burn_order=["free_first", "expires_on"])
    compare(price, (early, late), drawn(3, ["sms"]))


GRANT = {"name": "monthly", "credits": "9", "units_per_credit": {"sms": "7.5"}}
GRANTS = [
    pytest.param([], id="no grants"),
    pytest.param([GRANT], id="use it or lose it"),
    pytest.param([{**GRANT, "rollover_max": "4", "rollover_min": "1"}], id="some are rolled over"),
    pytest.param([{**GRANT, "rollover_max": None}], id="all are rolled over"),
    pytest.param([{**GRANT, "refill": True, "rollover_max": None}], id="refilled"),
]


@pytest.mark.parametrize("recurring", GRANTS)
@settings(max_examples=25)
@given(lots=lots(RATES[:1]), seed=st.integers(0, 99))
def test_the_day_on_which_credits_run_out_is_the_ledgers(recurring, lots, seed):
    price = price_of(["sms"], recurring=recurring)
    courses = {"sms": drawn(seed, ["sms"])["sms"] // 2}
    opening = price.begun(Basis("USD", MARCH, lots=lots))
    basis = Basis("USD", MARCH, lots=lots, opening=opening)
    later = list(periods_between(MARCH.end, END))
    found = Burning(price, basis, START, courses).burn(later)
    for row, day in enumerate(found.runs_out):
        pace = [D(int(units)).scaleb(-6) for units in courses["sms"][row]]
        expected = price.runs_out_on("sms", pace, START, basis, later)
        assert (None if day == NEVER else START + DAY * int(day)) == expected


@given(lots(RATES[:1]), st.integers(0, 99))
def test_more_use_runs_out_no_later(lots, seed):
    price, less = price_of(["sms"]), drawn(seed, ["sms"])
    more = {"sms": less["sms"] * 2}
    assert (burning(price, lots, more).runs_out <= burning(price, lots, less).runs_out).all()


def test_lots_beyond_64_bits_stay_whole():
    lot = CreditLot("a", "a", D(10**15), RATES[0], D(9), START, START + DAY * 20)
    compare(price_of(["sms"]), (lot,), drawn(3, ["sms"]))
