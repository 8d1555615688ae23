"""The rows of a credit bill, word for word, and the revenue of the days between two others."""

from datetime import date
from decimal import Decimal as D
from fractions import Fraction

import pytest

from data.money import plain
from data.pricing import Basis, CreditLots, LineKind, Run, replay
from data.pricing.ledger import CreditUse
from data.pricing.posting import recognized, value
from tests.bills import (
    MARCH,
    SIGN_UP,
    agreed,
    credit_price,
    days,
    lines,
    lot,
    march,
    small_pack,
)


def text(number):
    return None if number is None else str(number)


def row(line):
    quantity = None if line.quantity is None else plain(line.quantity)
    numbers = text(line.amount), quantity, text(line.unit_amount), text(line.recognized)
    return line.kind.value, line.label, line.meter, line.lot, *numbers


def rows(price, *figures, currency="USD", **basis):
    found = lines(agreed(price, currency=currency), days(*figures), **basis)
    return [row(line) for line in found]


BOUGHT = ("pack", "small", None, "small", "10.00", "1", "10", None)
DRAWN = ("credits", "small", "sms", "small", "0", "500", None, "10.00")


@pytest.mark.parametrize(
    ("terms", "beyond"),
    [
        pytest.param(
            {},
            ("unpriced", "Owed, taken from the next pack", "sms", None, "0", "30", None, None),
            id="owed",
        ),
        pytest.param(
            {"shortfall": "unpriced"},
            ("unpriced", "Not covered", "sms", None, "0", "30", None, None),
            id="unpriced",
        ),
        pytest.param(
            {"shortfall": "overage_price", "overage_amount": "0.03"},
            ("overage", "Beyond the credits", "sms", None, "0.90", "30", "0.03", None),
            id="a price beyond",
        ),
    ],
)
def test_the_rows_of_credits_and_what_they_do_not_cover(terms, beyond):
    assert rows(credit_price(**terms), 530, lots=(small_pack(),)) == [BOUGHT, DRAWN, beyond]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            {"expires_on": march(20)},
            ("expired", "small", None, "small", "0", "80", None, "8.00"),
            id="expired",
        ),
        pytest.param(
            {"voided_on": march(20)},
            ("expired", "small, voided", None, "small", "0", "80", None, "0"),
            id="voided",
        ),
    ],
)
def test_the_row_of_credits_that_ended(terms, expected):
    assert rows(credit_price(), 100, lots=(small_pack(**terms),))[-1] == expected


@pytest.mark.parametrize(
    ("credits", "shown"),
    [
        pytest.param("1", "0.333333", id="a third"),
        pytest.param("2", "0.666667", id="two thirds"),
    ],
)
def test_credits_that_end_are_shown_to_six_places(credits, shown):
    # three units a credit: one or two units of a lot of one credit are left
    lots = (lot("only", "1", "1", "3", expires_on=march(20)),)
    found = lines(agreed(credit_price()), days(3 - int(credits)), lots=lots)
    [expired] = [one for one in found if one.kind is LineKind.EXPIRED]
    assert str(expired.quantity) == shown


@pytest.mark.parametrize(
    ("currency", "figures"),
    [
        pytest.param("JPY", ["10", "3", "1"], id="yen"),
        pytest.param("USD", ["10.00", "2.50", "0.75"], id="dollars"),
        pytest.param("KWD", ["10.000", "2.500", "0.750"], id="dinars"),
    ],
)
def test_credits_have_the_digits_of_their_currency(currency, figures):
    # a quarter of the credits, and 25 units that no lot covers
    bought, drawn = rows(credit_price(), 125, currency=currency, lots=(small_pack(),))
    beyond = rows(
        credit_price(shortfall="overage_price", overage_amount="0.03"), 25, currency=currency
    )[0]
    assert [bought[4], drawn[7], beyond[4]] == figures


@pytest.mark.parametrize(("name", "found"), [("small", "small"), ("large", "large"), ("x", None)])
def test_a_pack_is_found_by_its_name(name, found):
    pack = agreed(CreditLots.example).prices[0].pack(name)
    assert (pack and pack.name) == found


def test_a_later_part_with_the_same_price_brings_no_recurring_grant_again():
    grant = {"name": "monthly", "credits": "10", "price": "5", "units_per_credit": {"sms": "1"}}
    price = agreed(credit_price(recurring=[grant])).prices[0]
    opening = price.ledger({}, Basis("USD", MARCH.clipped(march(1), march(15)))).closing
    later = Basis("USD", SIGN_UP, opening=opening, runs={"sms": Run(MARCH)})
    assert len(price.begun(later).issued) == 1


USES = [CreditUse(march(day), "sms", D(50)) for day in (1, 10, 20)]
ENTRIES = replay([small_pack()], USES, MARCH.start, MARCH.end).entries


@pytest.mark.parametrize(
    ("start", "end", "revenue"),
    [
        pytest.param(march(1), date(2026, 4, 1), "3.00", id="the whole month"),
        pytest.param(march(1), march(10), "1.00", id="up to the day of a draw"),
        pytest.param(march(10), march(11), "1.00", id="that day"),
        pytest.param(march(11), march(20), "0.00", id="days without a draw"),
        pytest.param(march(20), march(21), "1.00", id="the day of the last"),
    ],
)
def test_revenue_is_of_the_days_from_the_first_to_before_the_last(start, end, revenue):
    assert recognized(ENTRIES, [small_pack()], "USD", start, end) == D(revenue)


@pytest.mark.parametrize(
    ("currency", "first", "second"),
    [
        pytest.param("JPY", "1", "2", id="yen"),
        pytest.param("USD", "1.25", "1.25", id="dollars"),
        pytest.param("KWD", "1.250", "1.250", id="dinars"),
    ],
)
def test_revenue_has_the_digits_of_its_currency(currency, first, second):
    uses = [CreditUse(march(day), "sms", D("62.5")) for day in (1, 20)]
    entries = replay([small_pack()], uses, MARCH.start, MARCH.end).entries
    parts = (march(1), march(10)), (march(10), march(31))
    found = [str(recognized(entries, [small_pack()], currency, *part)) for part in parts]
    assert found == [first, second]


@pytest.mark.parametrize(("currency", "worth"), [("JPY", "3"), ("USD", "2.50"), ("KWD", "2.500")])
def test_the_value_of_credits_has_the_digits_of_its_currency(currency, worth):
    assert str(value(small_pack(), Fraction(25), currency)) == worth


def test_no_revenue_without_entries():
    assert recognized([], [small_pack()], "USD", march(1), march(31)) == 0
