"""Every number that the domain rules give, to the cent."""

from datetime import date
from decimal import Decimal as D
from fractions import Fraction

import pytest

from data.periods import period_of
from data.pricing import Basis, LineKind, TiersWithOverage, cheapest
from tests.bills import (
    MARCH,
    SIGN_UP,
    agreed,
    bill,
    credit_price,
    days,
    graduated,
    large_pack,
    lines,
    margin,
    overage,
    package,
    per_unit,
    small_pack,
    steps,
    tiers,
    volume,
)


@pytest.mark.parametrize(
    ("terms", "cost", "amount"),
    [
        pytest.param({"gross_margin": "0.03"}, "100.00", "103.09", id="gross margin of 100"),
        pytest.param({"gross_margin": "0.03"}, "1234.56", "1272.74", id="gross margin of 1234.56"),
        pytest.param({"markup": "0.03"}, "100.00", "103.00", id="markup of 100"),
    ],
)
def test_a_fixed_margin_over_all_usage(terms, cost, amount):
    assert bill(agreed(margin(**terms)), days((0, cost))) == D(amount)


@pytest.mark.parametrize(("units", "amount"), [(250, "259.90"), (300, "311.45")])
def test_bands_of_margins(units, amount):
    assert bill(agreed(graduated()), days(units)) == D(amount)


@pytest.mark.parametrize(
    ("chosen", "amount"), [("small", "49.99"), ("medium", "59.99"), ("large", "65.99")]
)
def test_a_bundle_costs_its_fee_whatever_was_used(chosen, amount):
    assert bill(agreed(tiers(chosen)), days(1000)) == D(amount)


def test_use_beyond_a_bundle_without_overage_is_shown_and_not_priced():
    beyond = lines(agreed(tiers("medium")), days(230))[-1]
    assert (beyond.kind, beyond.quantity, beyond.amount) == (LineKind.UNPRICED, 30, 0)


@pytest.mark.parametrize(
    ("chosen", "units", "amount"),
    [("small", 130, "64.99"), ("medium", 250, "74.99"), ("large", 450, "80.99")],
)
def test_overage_is_priced_by_the_bundle_chosen(chosen, units, amount):
    assert bill(agreed(overage(chosen)), days(units)) == D(amount)


@pytest.mark.parametrize(
    ("units", "tier"),
    [
        pytest.param(100, "small", id="within"),
        pytest.param(120, "small", id="a tie stays"),
        pytest.param(121, "medium", id="from 121 on"),
        pytest.param(221, "large", id="from 221 on"),
    ],
)
def test_the_cheapest_tier(units, tier):
    price = agreed(overage("small")).prices[0]
    assert isinstance(price, TiersWithOverage)
    assert cheapest(price, D(units), Basis("USD", MARCH)).name == tier


def test_a_tie_on_medium_stays_on_medium():
    price = agreed(overage("medium")).prices[0]
    assert cheapest(price, D(120), Basis("USD", MARCH)).name == "medium"


@pytest.mark.parametrize(
    ("lots", "left", "recognized"),
    [
        pytest.param(
            (small_pack(created=0), large_pack(created=1)),
            {"small": 0, "large": 1400},
            "11.00",
            id="small then large",
        ),
        pytest.param(
            (small_pack(created=1, bought=2), large_pack(created=0)),
            {"small": 500, "large": 900},
            "6.00",
            id="large then small",
        ),
    ],
)
def test_600_segments_from_two_packs(lots, left, recognized):
    price = agreed(credit_price()).prices[0]
    basis = Basis("USD", MARCH, lots=lots)
    closing = price.ledger({"sms": days(0, 600)}, basis).closing
    rates = {one.key: one.units_per_credit["sms"] for one in lots}
    units = {key: float(left * int(rates[key] * 2)) / 2 for key, left in closing.credits.items()}
    drawn = lines(agreed(credit_price()), days(0, 600), lots=lots)
    assert units == left
    assert sum(line.recognized for line in drawn if line.recognized) == D(recognized)


@pytest.mark.parametrize(
    ("lot", "segments", "credits", "recognized"),
    [
        pytest.param(small_pack(), 500, 100, "10.00", id="all 500 of the small pack"),
        pytest.param(small_pack(), 5, 1, "0.10", id="a credit of it"),
        pytest.param(small_pack(), 1, D("0.2"), "0.02", id="a segment of it"),
        pytest.param(large_pack(), 1500, 200, "15.00", id="all 1500 of the large pack"),
        pytest.param(large_pack(), 15, 2, "0.15", id="two credits of it"),
        pytest.param(large_pack(), 3, D("0.4"), "0.03", id="three segments of it"),
    ],
)
def test_what_a_credit_buys_is_its_lots_affair(lot, segments, credits, recognized):
    plan = agreed(credit_price())
    ledger = plan.prices[0].ledger({"sms": days(segments)}, Basis("USD", MARCH, lots=(lot,)))
    drawn = [one for one in lines(plan, days(segments), lots=(lot,)) if one.recognized]
    assert (sum(one.credits for one in ledger.draws), str(drawn[0].recognized)) == (
        *(Fraction(credits), recognized),
    )


def test_a_credit_bill_is_the_packs_bought_in_the_period():
    plan = agreed(credit_price())
    assert bill(plan, days(600), lots=(small_pack(), large_pack())) == D("25.00")


@pytest.mark.parametrize(
    ("chosen", "amount"), [("small", "27.41"), ("medium", "32.90"), ("large", "36.19")]
)
def test_a_sign_up_on_15_march_pays_17_of_31_days(chosen, amount):
    assert bill(agreed(tiers(chosen)), days(5), SIGN_UP) == D(amount)


def test_a_sign_up_on_15_march_has_its_share_of_the_allowance_rounded_up():
    price = agreed(tiers("medium")).prices[0]
    assert price.included(Basis("USD", SIGN_UP)) == 110


def test_an_anchored_month_has_31_days_as_denominator():
    period = period_of(MARCH.start.replace(month=1, day=20), 15)  # 15 Jan – 15 Feb
    part = period.clipped(period.start.replace(day=30), None)  # 16 days
    assert bill(agreed(tiers("medium")), days(), part) == D("30.96")  # 59.99 × 16/31


def test_without_proration_a_part_pays_in_full():
    plan = agreed(tiers("medium"), prorate="none")
    assert bill(plan, days(230), SIGN_UP) == D("59.99")


def test_without_proration_a_part_has_the_whole_allowance():
    found = lines(agreed(tiers("medium"), prorate="none"), days(230), SIGN_UP)
    assert [line.quantity for line in found[1:]] == [200, 30]


def test_overage_begins_beyond_the_prorated_allowance():
    # 17/31 of 59.99 for 110 segments, and 20 more at 0.30
    assert bill(agreed(overage("medium")), days(130), SIGN_UP) == D("38.90")


def test_a_monthly_fee_and_a_minimum_take_their_share():
    plan = agreed(margin(markup="0"), monthly_fee="31", minimum="62")
    assert [line.amount for line in lines(plan, days((0, 3)), SIGN_UP)] == [D(17), D(3), D(14)]


@pytest.mark.parametrize(
    ("cost", "amount"),
    [
        pytest.param("0", "50.00", id="nothing used"),
        pytest.param("20", "50.00", id="below"),
        pytest.param("50", "50.00", id="reached"),
        pytest.param("50.01", "50.01", id="above"),
    ],
)
def test_a_minimum_tops_the_bill_up(cost, amount):
    plan = agreed(margin(markup="0"), minimum="50")
    assert bill(plan, days((0, cost))) == D(amount)


def test_the_minimum_is_the_last_line():
    found = lines(agreed(margin(markup="0"), minimum="50"), days((0, 20)))
    assert (found[-1].kind, found[-1].amount) == (LineKind.MINIMUM, D("30.00"))


@pytest.mark.parametrize(
    ("price", "units", "amount"),
    [
        pytest.param(per_unit("0.012"), 250, "3.00", id="per unit"),
        pytest.param(steps(), 250, "3.50", id="steps"),
        pytest.param(volume(), 100, "2.00", id="volume at its edge"),
        pytest.param(volume(), 101, "1.01", id="volume above it"),
        pytest.param(package(free="100"), 100, "0", id="free units"),
        pytest.param(package(free="100"), 101, "5.00", id="a package begun"),
        pytest.param(package(free="100"), 1100, "5.00", id="a package used up"),
        pytest.param(package(free="100"), 1101, "10.00", id="another begun"),
    ],
)
def test_a_price_of_the_field(price, units, amount):
    assert bill(agreed(price), days(units)) == D(amount)


def test_19_percent_of_59_99_are_11_40():
    plan = agreed(tiers("medium"), tax={"name": "VAT", "rate": "0.19"})
    assert bill(plan, days()) == D("59.99") + D("11.40")


@pytest.mark.parametrize(
    ("day", "anchor_day", "full_days"),
    [
        pytest.param(date(2026, 3, 15), 1, 31, id="March"),
        pytest.param(date(2026, 1, 20), 15, 31, id="15 January to 15 February"),
        pytest.param(date(2026, 2, 20), 15, 28, id="15 February to 15 March"),
        pytest.param(date(2028, 2, 10), 1, 29, id="a leap February"),
    ],
)
def test_the_denominator_is_the_days_of_the_full_period(day, anchor_day, full_days):
    period = period_of(day, anchor_day)
    one_day = period.clipped(period.last_day, None)
    assert bill(agreed(monthly_fee=str(full_days)), days(), one_day) == 1


def test_the_day_of_sign_up_counts():
    last_day = MARCH.clipped(date(2026, 3, 31), None)
    assert bill(agreed(monthly_fee="31"), days(), last_day) == 1
