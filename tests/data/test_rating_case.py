"""A whole case through the door: the domain's numbers, proration, changes of plan, credits."""

import json
from decimal import Decimal as D

import pytest
import yaml

from tests.bills import credit_price, graduated, margin, overage, tiers
from tests.cases import (
    FROM_15_MARCH,
    GRADUATED,
    MARCH,
    MEDIUM,
    PACKAGE,
    PER_UNIT,
    SMALL,
    VOLUME,
    asked,
    case,
    change,
    line,
    plan,
    rated,
    used,
)
from tests.command_line import run

PACKS = [
    {"name": "small", "credits": 100, "price": 10, "units_per_credit": {"sms": 5}},
    {"name": "large", "credits": 200, "price": 15, "units_per_credit": {"sms": "7.5"}},
]
NUMBERS = {
    "gross margin": (margin(gross_margin="0.03"), used((1, "100.00")), "103.09"),
    "gross margin, odd cents": (margin(gross_margin="0.03"), used((1, "1234.56")), "1272.74"),
    "markup": (margin(markup="0.03"), used((1, "100.00")), "103.00"),
    "bands of margin, 250": (graduated(), used((250, 250)), "259.90"),
    "bands of margin, 300": (graduated(), used((300, 300)), "311.45"),
    "tiers, small": (tiers("small"), used(250), "49.99"),
    "tiers, medium": (tiers("medium"), used(250), "59.99"),
    "tiers, large": (tiers("large"), used(250), "65.99"),
    "130 on small": (overage("small"), used(130), "64.99"),
    "250 on medium": (overage("medium"), used(250), "74.99"),
    "450 on large": (overage("large"), used(450), "80.99"),
    "120 on small": (overage("small"), used(120), "59.99"),
    "121 on small": (overage("small"), used(121), "60.49"),
    "121 on medium": (overage("medium"), used(121), "59.99"),
    "per unit": (PER_UNIT, used(250), "3.00"),
    "graduated with a flat fee": (GRADUATED, used(250), "5.00"),
    "volume at the edge": (VOLUME, used(100), "2.00"),
    "volume above it": (VOLUME, used(101), "1.01"),
    "a started package": ({**PACKAGE, "free_units": 100}, used(1101), "10.00"),
    "only free units": ({**PACKAGE, "free_units": 100}, used(100), "0.00"),
    "discount": ({**PER_UNIT, "discount": "0.10"}, used(250), "2.70"),
    "cap": ({**PER_UNIT, "maximum": 2}, used(250), "2.00"),
    "minimum": ({**PER_UNIT, "minimum": 5}, used(250), "5.00"),
    "discount, then minimum": ({**PER_UNIT, "discount": "0.10", "minimum": 3}, used(250), "3.00"),
}


@pytest.mark.parametrize(("price", "usage", "total"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_of_the_domain(price, usage, total):
    assert rated(case(price, usage=usage))["total"] == total


@pytest.mark.parametrize(
    ("chosen", "total", "text"),
    [
        ("small", "27.41", "17/31 × 49.99"),
        ("medium", "32.90", "17/31 × 59.99"),
        ("large", "36.19", "17/31 × 65.99"),
    ],
)
def test_a_sign_up_on_15_march_pays_17_of_31_days(chosen, total, text):
    document = rated(case(tiers(chosen), **FROM_15_MARCH))
    (period,) = document["periods"]
    assert (document["total"], period["days"], period["full_days"]) == (total, 17, 31)
    assert line(document, "fee")["arithmetic"]["text"] == text


def test_the_allowance_takes_the_same_share_rounded_up():
    usage = [{"day": "2026-03-20", "meter": "sms", "quantity": 111}]
    document = rated(case(overage("medium"), usage=usage, **FROM_15_MARCH))
    assert line(document, "included")["quantity"] == "110"
    assert (line(document, "overage")["quantity"], document["total"]) == ("1", "33.20")


def test_an_anchored_period_has_its_own_days_as_the_denominator():
    document = rated(
        case(tiers("medium"), anchor_day=15, **{"from": "2026-01-29", "to": "2026-02-15"})
    )
    assert line(document, "fee")["arithmetic"]["text"] == "17/31 × 59.99"


def test_prorate_none_charges_the_whole():
    document = case(tiers("medium"), terms={"prorate": "none"}, **FROM_15_MARCH)
    assert rated(document)["total"] == "59.99"


@pytest.mark.parametrize(
    ("bought", "left", "recognized"),
    [
        pytest.param(("2026-03-01", "2026-03-02"), ["0", "1400"], "11.00", id="small first"),
        pytest.param(("2026-03-02", "2026-03-01"), ["900", "500"], "6.00", id="large first"),
    ],
)
def test_credits_burn_and_recognise_in_the_order_bought(bought, left, recognized):
    credits = [
        {"key": "a", "pack": "small", "bought_on": bought[0]},
        {"key": "b", "pack": "large", "bought_on": bought[1]},
    ]
    usage = [{"day": "2026-03-10", "meter": "sms", "quantity": 600}]
    document = rated(case(credit_price(packs=PACKS), usage=usage, credits=credits))
    balance = document["periods"][0]["credits"]
    assert [lot["units_left"]["sms"] for lot in balance["lots"]] == left
    assert (balance["recognized"], document["total"]) == (recognized, "25.00")


def test_credits_are_chained_from_period_to_period():
    credits = [{"key": "a", "pack": "small", "bought_on": "2026-03-01"}]
    usage = [*used(300), *used(300, month="2026-04")]
    document = rated(case(credit_price(packs=PACKS), usage=usage, credits=credits))
    march, april = (period["credits"] for period in document["periods"])
    assert [march["lots"][0]["left"], april["lots"][0]["left"]] == ["40", "0"]
    assert [march["recognized"], april["recognized"]] == ["6.00", "4.00"]
    assert (april["owed"], document["total"]) == ({"sms": "100"}, "10.00")


def test_a_lot_that_expires_or_is_voided_says_so_in_the_ledger():
    ends = {"expires_on": "2026-03-20"}, {"voided_on": "2026-03-20"}
    credits = [
        {"key": f"lot-{n}", "pack": "small", "bought_on": "2026-03-01", **end}
        for n, end in enumerate(ends)
    ]
    document = rated(case(credit_price(packs=PACKS), credits=credits, **MARCH))
    balance = document["periods"][0]["credits"]
    assert [entry["kind"] for entry in balance["entries"]] == ["grant", "grant", "expire", "void"]
    assert balance["recognized"] == "10.00"


def test_an_upgrade_counts_from_its_day():
    usage = [
        {"day": "2026-03-02", "meter": "sms", "quantity": 60},
        {"day": "2026-03-20", "meter": "sms", "quantity": 130},
    ]
    document = rated({"plans": [SMALL, MEDIUM], "usage": usage})
    (period,) = document["periods"]
    assert [(part["plan"], part["days"]) for part in period["parts"]] == [
        ("small", 14),
        ("medium", 17),
    ]
    amounts = [one["amount"] for one in period["lines"]]
    assert amounts == ["22.58", "0.00", "7.00", "32.90", "0.00", "6.00"]
    assert [one["part"] for one in period["lines"]] == [0, 0, 0, 1, 1, 1]


DOWN = change("2026-03-15", overage("small"), plan="small", version=2)


@pytest.mark.parametrize(
    ("when", "starts_on", "waited"),
    [(None, "2026-04-01", True), ("at_once", "2026-03-15", False)],
)
def test_a_downgrade_waits_unless_it_is_said_otherwise(when, starts_on, waited):
    plans = [{**MEDIUM, "from": "2026-03-01"}, {**DOWN, "when": when}]
    document = rated({"plans": plans, "usage": used(10)})
    last = document["timeline"][-1]
    assert (last["asked_on"], last["starts_on"], last["waited"]) == (
        "2026-03-15",
        starts_on,
        waited,
    )


def test_of_several_changes_on_a_day_the_last_is_billed_and_all_are_told():
    large = {**MEDIUM, "plan": plan(overage("large"), plan="large")}
    document = rated({"plans": [SMALL, MEDIUM, large], "usage": used(10)})
    assert [entry["billed"] for entry in document["timeline"]] == [True, False, True]
    assert [part["plan"] for part in document["periods"][0]["parts"]] == ["small", "large"]


def test_a_plan_may_refer_to_an_earlier_entry():
    back = {"from": "2026-04-01", "plan": {"plan": "small", "version": 1}}
    document = rated({"plans": [SMALL, MEDIUM, back], "usage": used(10, month="2026-04")})
    assert document["periods"][-1]["total"] == "49.99"


def test_the_first_bill_begins_with_the_sign_up_and_the_last_ends_with_the_contract():
    plans = [{**SMALL, "from": "2026-03-15"}]
    (period,) = rated({"plans": plans, "ends_on": "2026-03-25", "usage": []})["periods"]
    assert (period["start"], period["end"], period["days"]) == ("2026-03-15", "2026-03-25", 10)


def test_tax_then_money_credits_and_what_is_left_goes_on():
    terms = {"tax": {"name": "VAT", "rate": "0.19"}}
    money = [{"key": "w", "name": "Welcome", "amount": 100, "effective_on": "2026-03-01"}]
    usage = [*used(1), *used(1, month="2026-04")]
    document = rated(case(tiers("medium"), usage=usage, terms=terms, money_credits=money))
    march, april = document["periods"]
    figures = ("net", "tax", "credited", "total")
    assert [march[name] for name in figures] == ["59.99", "11.40", "-71.39", "0.00"]
    assert [april[name] for name in figures] == ["59.99", "11.40", "-28.61", "42.78"]
    assert (document["total"], document["money_credits"][0]["left"]) == ("42.78", "0.00")


def test_the_days_of_a_line_sum_to_it():
    price = {"kind": "per_unit", "meter": "sms", "unit_amount": "0.0033"}
    document = rated(case(price, usage=used(1, 1, 1, 1, 1)))
    days = line(document, "usage")["days"]
    assert [day["amount"] for day in days] == ["0.00", "0.01", "0.00", "0.00", "0.01"]
    assert str(sum(D(day["amount"]) for day in days)) == document["total"] == "0.02"


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "4"), ("USD", "3.70"), ("KWD", "3.700")], ids=str
)
def test_amounts_have_the_digits_of_their_currency(currency, total):
    price = {**PER_UNIT, "unit_amount": "0.37"}
    document = rated(case(price, usage=used(10), terms={"currency": currency}))
    assert document["total"] == total


def test_the_largest_figures_are_priced_exactly():
    price = {**PER_UNIT, "unit_amount": "0.000000000001"}
    assert rated(case(price, usage=used(10**15)))["total"] == "1000.00"
    dear = {**PER_UNIT, "unit_amount": "123456.789012345678"}
    exactly = f"{D('123456.789012345678') * 10**15:.2f}"
    document = rated(case(dear, usage=used(10**15)))
    assert (document["total"], line(document, "usage")["quantity"]) == (exactly, "1" + "0" * 15)


def test_numbers_and_text_are_the_same_figure():
    text = json.dumps(case(overage("small"), usage=used("130")))
    for figure in ("49.99", "100", "0.50", "130"):
        assert f'"{figure}"' in text
        text = text.replace(f'"{figure}"', figure)
    assert rated(text) == rated(case(overage("small"), usage=used("130")))


def test_a_file_of_json_and_one_of_yaml_say_what_standard_input_says(tmp_path):
    document = case(overage("small"), usage=used(130))
    as_json, as_yaml = tmp_path / "case.json", tmp_path / "case.yaml"
    as_json.write_text(json.dumps(document))
    as_yaml.write_text(yaml.safe_dump(document))
    said = [run("rate", "--case", path, "--json").out for path in (as_json, as_yaml)]
    assert said == [asked(document).out] * 2
    assert run("rate", "--case", as_json).out.splitlines()[-1].split() == ["Total", "64.99"]


def test_categories_are_measured_as_twilio_sends_them():
    usage = [
        {"day": "2026-03-01", "category": "totalprice", "cost": "100.00"},
        {"day": "2026-03-01", "category": "sms", "usage": "10", "cost": "40.00"},
        {"day": "2026-03-01", "category": "sms-inbound", "usage": "4", "cost": "10.00"},
    ]
    assert rated(case(margin(gross_margin="0.03"), usage=usage))["total"] == "103.09"


def test_all_lines_and_days_foot():
    terms = {"tax": {"name": "VAT", "rate": "0.19"}, "discount": "0.10", "monthly_fee": "9.99"}
    document = rated(case(graduated(), usage=used(*[(7, "3.33")] * 28), terms=terms))
    for period in document["periods"]:
        amounts = [D(one["amount"]) for one in period["lines"]]
        parts = [D(period[name]) for name in ("net", "tax", "credited")]
        assert sum(amounts) == D(period["total"]) == sum(parts)
        for one in period["lines"]:
            if one["days"]:
                assert sum(D(day["amount"]) for day in one["days"]) == D(one["amount"])
