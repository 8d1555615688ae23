"""A lot of credits by itself: the days on which it may be drawn, and what it refuses to be."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.errors import Conflict, InvalidTerms
from data.periods import period_of
from data.pricing import Basis, replay
from data.pricing.ledger import unique_grants
from tests.bills import MARCH, agreed, credit_price, lot, march


@pytest.mark.parametrize(
    ("terms", "usable"),
    [
        pytest.param({}, [10, 11, 20, 31], id="without an end"),
        pytest.param({"expires_on": march(20)}, [10, 11], id="until it expires"),
        pytest.param({"voided_on": march(11)}, [10], id="until it is voided"),
        pytest.param({"voided_on": march(10)}, [], id="voided at once"),
        pytest.param({"expires_on": march(11), "voided_on": march(20)}, [10], id="the earlier"),
    ],
)
def test_a_lot_is_usable_from_its_first_day_to_before_its_end(terms, usable):
    one = lot("small", bought=10, **terms)
    assert [day for day in (9, 10, 11, 20, 31) if one.usable_on(march(day))] == usable


def test_a_lot_granted_and_voided_at_once_stands_in_the_ledger_with_its_day():
    lots = [lot("mistake", bought=10, voided_on=march(10))]
    entries = replay(lots, [], MARCH.start, MARCH.end).entries
    assert [(one.kind.value, one.day, one.credits) for one in entries] == [
        ("grant", march(10), 100),
        ("void", march(10), 100),
    ]


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"credits": "0"}, id="no credits"),
        pytest.param({"rates": {}}, id="no meter"),
        pytest.param({"rate": "0"}, id="no units"),
        pytest.param({"bought": 9, "expires_on": march(9)}, id="an expiry at its start"),
        pytest.param({"bought": 9, "voided_on": march(8)}, id="a void before its start"),
    ],
)
def test_a_refused_lot_is_named_for_whoever_translates_the_refusal(terms):
    with pytest.raises(InvalidTerms) as refusal:
        lot("po-4711", **terms)
    assert refusal.value.params == {"lot": "po-4711"}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        pytest.param({"credits": "99"}, "credits", id="credits"),
        pytest.param({"price": "99"}, "price", id="price"),
        pytest.param({"bought": 9}, "effective_on", id="first day"),
    ],
)
def test_a_grant_given_twice_in_two_ways_is_named_with_what_differs(terms, field):
    with pytest.raises(Conflict) as refusal:
        unique_grants([lot("po-4711"), lot("po-4711", **terms)])
    assert refusal.value.params == {"lot": "po-4711", "field": field}


APRIL = period_of(date(2026, 4, 1))
OF_ANOTHER_METER = {
    "name": "monthly",
    "credits": "1",
    "price": "0",
    "units_per_credit": {"mms": "1"},
}


@pytest.mark.parametrize("recurring", [[], [OF_ANOTHER_METER]], ids=["alone", "beside a grant"])
@pytest.mark.parametrize(
    ("order", "runs_out_on"),
    [
        pytest.param(["expires_on"], date(2026, 4, 22), id="what ends first is used"),
        pytest.param(["created"], date(2026, 4, 1), id="what was bought first is used"),
    ],
)
def test_when_credits_run_out_depends_on_what_burns_first(order, runs_out_on, recurring):
    # Five a day: one lot lasts for 31 days and stays, the other for 21 and ends with March.
    lots = lot("stays", "31", created=0), lot("ends", "21", created=1, expires_on=APRIL.start)
    terms = credit_price(meters=["sms", "mms"], burn_order=order, recurring=recurring)
    basis = Basis("USD", MARCH, lots=lots)
    found = agreed(terms).prices[0].runs_out_on("sms", [D(5)] * 61, march(1), basis, [APRIL])
    assert found == runs_out_on


@pytest.mark.parametrize("recurring", [[], [OF_ANOTHER_METER]], ids=["alone", "beside a grant"])
@pytest.mark.parametrize(
    ("order", "day"),
    [
        pytest.param(["expires_on"], 21, id="what ends first is used"),
        pytest.param(["created"], 11, id="what was bought first is used"),
    ],
)
def test_credits_that_run_out_within_the_period(order, day, recurring):
    # Five a day: each lot lasts for ten days, and one ends after ten.
    lots = lot("stays", "10", created=0), lot("ends", "10", created=1, expires_on=march(11))
    terms = credit_price(meters=["sms", "mms"], burn_order=order, recurring=recurring)
    basis = Basis("USD", MARCH, lots=lots)
    found = agreed(terms).prices[0].runs_out_on("sms", [D(5)] * 31, march(1), basis)
    assert found == march(day)
