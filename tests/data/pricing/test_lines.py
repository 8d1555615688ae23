"""The rows a price makes, word for word: what a statement shows, and what names a row."""

from datetime import date
from decimal import Decimal as D

import pytest

from data.periods import period_of
from data.pricing import (
    ALL_USAGE,
    Arithmetic,
    Basis,
    DayUsage,
    Line,
    LineKind,
    Run,
    Usage,
)
from tests.bills import (
    MARCH,
    SIGN_UP,
    agreed,
    days,
    graduated,
    lines,
    march,
    margin,
    overage,
    package,
    per_unit,
    steps,
    tiers,
    volume,
)

CLOSED = [{"up_to": "100", "unit_amount": "0.02"}, {"up_to": "120", "unit_amount": "0.01"}]
MARGINS = [{"up_to": "100", "markup": "0.5"}, {"up_to": "120", "markup": "0"}]
FEE = LineKind.FEE
USAGE = LineKind.USAGE
UNPRICED = LineKind.UNPRICED


def line(kind, label, amount, meter="sms", quantity=None, unit_amount=None, **more):
    numbers = [None if n is None else D(str(n)) for n in (quantity, unit_amount)]
    return Line(kind, label, D(str(amount)), meter, *numbers, **more)


# 130 units at a cost of 26.00
ROWS = {
    "per unit": (per_unit("0.012"), [line(USAGE, "Usage", "1.56", "sms", 130, "0.012")]),
    "steps": (
        steps({"up_to": "100", "unit_amount": "0.02", "flat_fee": "3"}, {"unit_amount": "0.01"}),
        [
            line(LineKind.FLAT, "Flat fee: Units 1–100", "3.00", "sms", None, 3),
            line(USAGE, "Units 1–100", "2.00", "sms", 100, "0.02"),
            line(USAGE, "Above 100", "0.30", "sms", 30, "0.01"),
        ],
    ),
    "steps, at cost above them": (
        steps(*CLOSED, above_last="at_cost"),
        [
            line(USAGE, "Units 1–100", "2.00", "sms", 100, "0.02"),
            line(USAGE, "Units 101–120", "0.20", "sms", 20, "0.01"),
            line(USAGE, "Above 120", "2.00", "sms", 10, cost=D(2)),
        ],
    ),
    "steps, unpriced above them": (
        steps(*CLOSED, above_last="unpriced"),
        [
            line(USAGE, "Units 1–100", "2.00", "sms", 100, "0.02"),
            line(USAGE, "Units 101–120", "0.20", "sms", 20, "0.01"),
            line(UNPRICED, "Above 120", "0", "sms", 10, cost=D(2)),
        ],
    ),
    "a fee of the last step that goes on": (
        steps(CLOSED[0], {**CLOSED[1], "flat_fee": "3"}),
        [
            line(USAGE, "Units 1–100", "2.00", "sms", 100, "0.02"),
            line(LineKind.FLAT, "Flat fee: Above 100", "3.00", "sms", None, 3),
            line(USAGE, "Above 100", "0.30", "sms", 30, "0.01"),
        ],
    ),
    "volume": (
        volume({"up_to": "100", "unit_amount": "0.02"}, {"unit_amount": "0.01", "flat_fee": "3"}),
        [
            line(LineKind.FLAT, "Flat fee", "3.00", "sms", None, 3),
            line(USAGE, "All units", "1.30", "sms", 130, "0.01"),
        ],
    ),
    "volume, unpriced above it": (
        volume(*CLOSED, above_last="unpriced"),
        [
            line(USAGE, "All units", "1.20", "sms", 120, "0.01"),
            line(UNPRICED, "Above 120", "0", "sms", 10, cost=D(2)),
        ],
    ),
    "packages": (
        package("20", "5", free="100"),
        [
            line(LineKind.INCLUDED, "Free units", "0", "sms", 100),
            line(USAGE, "Packages of 20", "10.00", "sms", 30, arithmetic=Arithmetic(D(5), D(2))),
        ],
    ),
    "tiers": (
        tiers("small"),
        [
            line(FEE, "small", "49.99", "sms", 1, "49.99"),
            line(LineKind.INCLUDED, "Within the allowance", "0", "sms", 100),
            line(UNPRICED, "Beyond the allowance", "0", "sms", 30),
        ],
    ),
    "tiers with overage": (
        overage("small"),
        [
            line(FEE, "small", "49.99", "sms", 1, "49.99"),
            line(LineKind.INCLUDED, "Within the allowance", "0", "sms", 100),
            line(LineKind.OVERAGE, "Overage", "15.00", "sms", 30, "0.50"),
        ],
    ),
    "a margin over all usage": (
        margin(markup="0.5"),
        [line(USAGE, "Usage", "39.00", ALL_USAGE, cost=D(26), together=(ALL_USAGE,))],
    ),
    "a margin over one meter": (
        margin(markup="0.5", meters=["sms"]),
        [line(USAGE, "Usage of sms", "39.00", "sms", 130, cost=D(26))],
    ),
    "a margin over two meters": (
        margin(markup="0.5", meters=["sms", "mms"]),
        [line(USAGE, "Usage", "78.00", ALL_USAGE, cost=D(52), together=("sms", "mms"))],
    ),
    "margins by bands": (
        graduated(*MARGINS),
        [
            line(USAGE, "Units 1–100", "30.00", "sms", 100, cost=D(20)),
            line(USAGE, "Above 100", "6.00", "sms", 30, cost=D(6)),
        ],
    ),
    "margins by bands, unpriced above them": (
        graduated(*MARGINS, above_last="unpriced"),
        [
            line(USAGE, "Units 1–100", "30.00", "sms", 100, cost=D(20)),
            line(USAGE, "Units 101–120", "4.00", "sms", 20, cost=D(4)),
            line(UNPRICED, "Above 120", "0.00", "sms", 10, cost=D(2)),
        ],
    ),
}


@pytest.mark.parametrize(("price", "expected"), ROWS.values(), ids=ROWS)
def test_the_rows_of_a_price(price, expected):
    assert list(lines(agreed(price), days((130, "26")))) == expected


@pytest.mark.parametrize("price", [price for price, _ in ROWS.values()], ids=ROWS)
def test_a_meter_that_was_never_used_is_like_one_of_no_usage(price):
    plan = agreed(price)
    assert plan.rate({}, Basis("USD", MARCH)) == lines(plan, days())


def test_the_rows_of_a_plan():
    terms = {"discount": "0.10", "minimum": "31", "tax": {"name": "VAT", "rate": "0.10"}}
    plan = agreed(per_unit("0.012"), monthly_fee="6.20", **terms)
    fee = Arithmetic(D("6.20"), D(17), D(31))
    assert list(lines(plan, days(130), SIGN_UP)) == [
        line(FEE, "Monthly fee", "3.40", None, None, "6.20", arithmetic=fee),
        line(USAGE, "Usage", "1.56", "sms", 130, "0.012"),
        line(
            *(LineKind.DISCOUNT, "10 % off", "-0.50", None),
            arithmetic=Arithmetic(D("4.96"), D("-0.10"), less=D(0)),
        ),
        line(
            *(LineKind.MINIMUM, "Up to the agreed minimum", "12.54", None),
            arithmetic=Arithmetic(D(17), less=D("4.46")),
        ),
        line(LineKind.TAX, "VAT 10 %", "1.70", None),  # 0.34 + 0.16 − 0.05 + 1.25
    ]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        pytest.param(line(USAGE, "Usage", 1), "usage/sms/Usage", id="a meter"),
        pytest.param(line(FEE, "Monthly fee", 1, None), "fee/Monthly fee", id="no meter"),
        pytest.param(
            line(LineKind.CREDITS, "small", 1, lot="lot-1"), "credits/sms/lot-1/small", id="a lot"
        ),
        pytest.param(
            line(USAGE, "Usage", 1, ALL_USAGE, together=(ALL_USAGE,)),
            "usage/total/Usage",
            id="all usage",
        ),
        pytest.param(
            line(USAGE, "Usage", 1, ALL_USAGE, together=("sms", "mms")),
            "usage/sms+mms/Usage",
            id="several meters",
        ),
    ],
)
def test_the_name_of_a_row(row, key):
    assert row.key == key


def test_margins_by_bands_begin_in_the_band_that_the_next_unit_falls_into():
    basis = {"period": SIGN_UP, "runs": {"sms": Run(MARCH, D(100))}}
    found = lines(agreed(graduated()), days(50), **basis)
    assert [one.label for one in found] == ["Above 100"]


def test_later_days_follow_the_earlier_ones():
    later = [DayUsage(march(9), D(4), D(5))]
    assert days(1, 2).plus(later) == Usage((*days(1, 2).days, *later))


def test_usage_sums_its_days():
    used = days((1, "0.1"), (2, "0.2"))
    assert (used.quantity, used.cost) == (3, D("0.3"))


@pytest.mark.parametrize(
    ("allowance", "share"),
    [
        pytest.param("200", 110, id="rounded up"),
        pytest.param("310", 170, id="whole as it is"),
        pytest.param("0", 0, id="none"),
        pytest.param("0.1", 1, id="less than a unit"),
    ],
)
def test_an_allowance_takes_its_share_rounded_up(allowance, share):
    assert Basis("USD", SIGN_UP).allowance(D(allowance), "sms") == share


def test_an_allowance_of_a_whole_period_is_not_rounded():
    assert Basis("USD", MARCH).allowance(D("0.5"), "sms") == D("0.5")


@pytest.mark.parametrize(
    ("known_until", "until"),
    [
        pytest.param(None, march(31).replace(month=4, day=1), id="the whole part"),
        pytest.param(march(20), march(20), id="a day of it"),
        pytest.param(march(2), march(15), id="before it"),
        pytest.param(date(2026, 5, 1), date(2026, 4, 1), id="after it"),
    ],
)
def test_a_bill_knows_its_part_up_to_a_day(known_until, until):
    assert Basis("USD", SIGN_UP, known_until=known_until).until == until


@pytest.mark.parametrize(
    ("run", "begins"),
    [
        pytest.param({}, True, id="no run"),
        pytest.param({"sms": Run(SIGN_UP)}, True, id="a run that begins here"),
        pytest.param({"sms": Run(MARCH)}, False, id="a run that began before"),
        pytest.param({"mms": Run(MARCH)}, True, id="a run of another meter"),
    ],
)
def test_a_price_begins_with_its_run(run, begins):
    assert Basis("USD", SIGN_UP, runs=run).begins("sms") is begins


def test_a_whole_february_is_no_part():
    february = period_of(date(2026, 2, 1))
    assert Basis("USD", february).sharing(D(1)) is None
