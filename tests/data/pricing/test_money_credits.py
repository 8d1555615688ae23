"""Money granted in advance: what it pays of a bill after tax, in which order, on which days."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from data.errors import InvalidTerms
from data.pricing import Line, LineKind, MoneyCredit, net, pay
from tests.bills import MARCH, march


def credit(key="goodwill", amount="10", currency="USD", **terms):
    terms = {"effective_on": march(1), **terms}
    return MoneyCredit(key, terms.pop("name", key), D(amount), currency, **terms)


def paid(amount, *credits, left=None, currency="USD", day=MARCH.last_day):
    found = pay(D(amount), currency, credits, day, left or {})
    return {line.lot: str(line.amount) for line in found.lines}, found.left


@pytest.mark.parametrize(
    ("amount", "lines", "left"),
    [
        pytest.param("30", {"goodwill": "-10"}, 0, id="a bill above it"),
        pytest.param("10", {"goodwill": "-10"}, 0, id="a bill of its amount"),
        pytest.param("4.50", {"goodwill": "-4.50"}, D("5.50"), id="a bill below it"),
        pytest.param("0.01", {"goodwill": "-0.01"}, D("9.99"), id="a bill of a cent"),
        pytest.param("0", {}, 10, id="a bill of nothing"),
        pytest.param("-3", {}, 10, id="a bill in the customer's favour"),
    ],
)
def test_a_money_credit_pays_what_it_can(amount, lines, left):
    assert paid(amount, credit()) == (lines, {"goodwill": left})


def test_a_money_credit_used_before_pays_with_what_is_left():
    assert paid("30", credit(), left={"goodwill": D(2)}) == ({"goodwill": "-2"}, {"goodwill": 0})


def test_a_money_credit_used_up_pays_nothing():
    assert paid("30", credit(), left={"goodwill": D(0)})[0] == {}


def test_what_is_left_is_told_and_not_changed():
    left = {"goodwill": D(7)}
    paid("30", credit(), left=left)
    assert left == {"goodwill": 7}


def test_several_money_credits_pay_one_after_another():
    credits = credit("a"), credit("b"), credit("c")
    assert paid("15", *credits) == ({"a": "-10", "b": "-5"}, {"a": 0, "b": 5, "c": 10})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"expires_on": march(30)}, {}, id="an expiry before none"),
        pytest.param({"expires_on": march(29)}, {"expires_on": march(30)}, id="earlier expiry"),
        pytest.param({}, {"effective_on": march(2)}, id="earlier granted"),
        pytest.param({"created": 1}, {"created": 2}, id="created earlier"),
        pytest.param(
            {"expires_on": march(29), "effective_on": march(3)}, {}, id="expiry over granted"
        ),
        pytest.param({"created": 2}, {"effective_on": march(2)}, id="granted over created"),
    ],
)
def test_money_credits_pay_in_order(first, second):
    # The first is named so that its name alone would put it last.
    credits = credit("a", **second), credit("z", **first)
    assert list(paid("15", *credits, day=march(20))[0]) == ["z", "a"]


def test_names_decide_between_money_credits_otherwise_equal():
    assert list(paid("15", credit("b"), credit("a"))[0]) == ["a", "b"]


@pytest.mark.parametrize(
    ("day", "lines"),
    [
        pytest.param(9, {}, id="before it is effective"),
        pytest.param(10, {"goodwill": "-10"}, id="on its first day"),
        pytest.param(19, {"goodwill": "-10"}, id="on its last day"),
        pytest.param(20, {}, id="on the day of expiry"),
    ],
)
def test_a_money_credit_pays_on_its_days(day, lines):
    terms = {"effective_on": march(10), "expires_on": march(20)}
    assert paid("30", credit(**terms), day=march(day))[0] == lines


def test_a_money_credit_in_another_currency_is_passed_over():
    credits = credit("a euro", currency="EUR"), credit("dollar")
    assert paid("30", *credits) == ({"dollar": "-10"}, {"a euro": 10, "dollar": 0})


def test_a_payment_is_a_line_with_the_credits_name():
    [line] = pay(D(30), "USD", [credit(name="Goodwill")], march(31), {}).lines
    assert line == Line(LineKind.MONEY_CREDIT, "Goodwill", D(-10), lot="goodwill")


def test_no_credit_pays_nothing():
    assert paid("30") == ({}, {})


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        pytest.param({"amount": "0"}, "amount must be above 0", id="of nothing"),
        pytest.param({"amount": "-1"}, "amount must be above 0", id="below nothing"),
        pytest.param({"amount": "0.005"}, "amount 0.005 is finer than USD", id="half a cent"),
        pytest.param(
            {"amount": "1.5", "currency": "JPY"}, "amount 1.5 is finer than JPY", id="half a yen"
        ),
        pytest.param(
            {"expires_on": march(1)}, "expires_on must come after effective_on", id="at its start"
        ),
        pytest.param(
            {"expires_on": march(1) - timedelta(days=1)},
            "expires_on must come after effective_on",
            id="before its start",
        ),
    ],
)
def test_a_money_credit_is_refused_by_field(terms, message):
    with pytest.raises(InvalidTerms, match=f"money credit goodwill: {message}"):
        credit(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"amount": "0.01"},
        {"amount": "0.001", "currency": "KWD"},
        {"expires_on": march(2)},
    ],
    ids=["a cent", "a fils", "a day"],
)
def test_a_small_money_credit_is_accepted(terms):
    assert credit(**terms).pays_on(march(1))


def test_the_sum_before_tax_and_credits_leaves_both_out():
    kinds = [LineKind.FEE, LineKind.MINIMUM, LineKind.TAX, LineKind.MONEY_CREDIT]
    found = [Line(kind, "x", D(10**n)) for n, kind in enumerate(kinds)]
    assert net(found) == 11
