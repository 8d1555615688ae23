"""`rate`: the domain's numbers from files, the shape of its JSON, and errors by line."""

import json
import re
from pathlib import Path

import pytest
import yaml

from data.rating.usage_file import read_usage
from tests.bills import agreed, credit_price, graduated, margin, overage, tiers
from tests.command_line import run

EXAMPLES = Path(__file__).parents[3] / "examples" / "rating"
PACKS = ("--credits", EXAMPLES / "packs-bought.yaml")

NUMBERS = {
    "fixed margin": ("fixed-margin", "cost-100", (), "103.09"),
    "fixed markup": ("fixed-markup", "cost-100", (), "103.00"),
    "bands": ("graduated-margin", "sms-250", (), "259.90"),
    "tiers": ("tiers", "sms-250", (), "59.99"),
    "tiers from 15 march": ("tiers", "sms-250", ("--from", "2026-03-15"), "32.90"),
    "overage": ("tiers-with-overage", "sms-130", (), "64.99"),
    "credits": ("credits", "sms-600", PACKS, "25.00"),
    "recurring credits": ("credits-recurring", "sms-two-months", (), "20.00"),
    "per unit": ("per-unit", "sms-250", (), "3.00"),
    "graduated": ("graduated", "sms-250", (), "5.50"),
    "volume": ("volume", "sms-250", (), "2.50"),
    "packages": ("package", "sms-250", (), "3.00"),
    "limits": ("limits", "sms-250", (), "100.00"),
    "the least": ("limits", "sms-30", (), "20.00"),
}
CASES = {
    "upgrade": ("upgrade.json", "68.48"),
    "downgrade": ("downgrade.yaml", "109.98"),
    "tax-and-money-credit": ("tax-and-money-credit.yaml", "42.78"),
}


def rate(plan, usage, *options):
    return run("rate", "--plan", plan, "--usage", usage, *options)


@pytest.mark.parametrize(("plan", "usage", "options", "total"), NUMBERS.values(), ids=NUMBERS)
def test_an_example_gives_the_number_it_promises(plan, usage, options, total):
    files = (EXAMPLES / f"{plan}.yaml", EXAMPLES / f"{usage}.csv")
    assert json.loads(rate(*files, *options, "--json").out)["total"] == total
    assert total in (EXAMPLES / f"{plan}.yaml").read_text()


@pytest.mark.parametrize(("name", "total"), CASES.values(), ids=CASES)
def test_a_case_of_the_examples_gives_its_number(name, total):
    assert json.loads(run("rate", "--case", EXAMPLES / name, "--json").out)["total"] == total


def test_every_example_is_rated_here():
    beside = {"packs-bought", *CASES}
    plans = {path.stem for path in EXAMPLES.glob("*.yaml")} - beside
    assert plans == {plan for plan, _, _, _ in NUMBERS.values()}


@pytest.fixture
def files(tmp_path):
    """A plan and a usage file: pairs of units and cost, a day each."""

    def written(price, *figures, text=None, **terms):
        plan, usage = tmp_path / "plan.yaml", tmp_path / "usage.csv"
        plan.write_text(yaml.safe_dump(agreed(price, **terms).model_dump(mode="json")))
        rows = [f"2026-03-{n:02},sms,{u},{c}" for n, (u, c) in enumerate(figures, start=1)]
        usage.write_text(text or "\n".join(["day,category,usage,cost", *rows]))
        return plan, usage

    return written


REST = {
    "1234.56 at gross 3 %": (margin(gross_margin="0.03"), (1, "1234.56"), "1272.74"),
    "300 in bands": (graduated(), (300, 300), "311.45"),
    "small bundle": (tiers("small"), (100, 0), "49.99"),
    "large bundle": (tiers("large"), (300, 0), "65.99"),
    "250 on medium": (overage("medium"), (250, 0), "74.99"),
    "450 on large": (overage("large"), (450, 0), "80.99"),
    "120 on small": (overage("small"), (120, 0), "59.99"),
}


@pytest.mark.parametrize(("price", "used", "total"), REST.values(), ids=REST)
def test_the_other_numbers_of_the_domain(files, price, used, total):
    assert json.loads(rate(*files(price, used), "--json").out)["total"] == total


@pytest.mark.parametrize(
    ("chosen", "total"), [("small", "27.41"), ("medium", "32.90"), ("large", "36.19")]
)
def test_sign_ups_on_15_march(files, chosen, total):
    given = files(tiers(chosen), (5, 0))
    assert (
        json.loads(rate(*given, "--from", "2026-03-15", "--to", "2026-04-01", "--json").out)[
            "total"
        ]
        == total
    )


@pytest.mark.parametrize(
    ("order", "recognized"),
    [
        pytest.param(("2026-03-01", "2026-03-02"), {"10.00", "1.00"}, id="small first"),
        pytest.param(("2026-03-02", "2026-03-01"), {"6.00"}, id="large first"),
    ],
)
def test_credits_recognise_by_the_order_bought(files, tmp_path, order, recognized):
    plan, usage = EXAMPLES / "credits.yaml", EXAMPLES / "sms-600.csv"
    packs = tmp_path / "packs.yaml"
    packs.write_text(
        "credits:\n"
        f"  - {{key: a, pack: small, bought_on: {order[0]}}}\n"
        f"  - {{key: b, pack: large, bought_on: {order[1]}}}\n"
    )
    (period,) = json.loads(rate(plan, usage, "--credits", packs, "--json").out)["periods"]
    assert {line["recognized"] for line in period["lines"] if line["recognized"]} == recognized


def test_the_shape_of_the_json(files):
    document = json.loads(rate(*files(overage("small"), (130, 0)), "--json").out)
    assert set(document) == {
        *("plan", "version", "currency", "timeline", "periods"),
        *("total", "money_credits", "left_out"),
    }
    (period,) = document["periods"]
    assert (period["start"], period["end"]) == ("2026-03-01", "2026-04-01")
    share = {"amount": "15.00", "quantity": "30", "cost": None, "recognized": None}
    assert period["lines"][-1] == {
        "key": "overage/sms/Overage",
        "kind": "overage",
        "label": "Overage",
        "meter": "sms",
        "unit": "SMS segments",
        "quantity": "30",
        "unit_amount": "0.50",
        "amount": "15.00",
        "cost": None,
        "recognized": None,
        "lot": None,
        "part": 0,
        "arithmetic": None,
        "days": [{"day": "2026-03-01", **share}],
    }


def test_the_text_ends_in_the_total(files):
    assert rate(*files(overage("small"), (130, 0))).out.splitlines()[-1].split() == [
        "Total",
        "64.99",
    ]


def test_usage_of_two_months_makes_two_periods(files):
    text = "day,category,usage\n2026-03-30,sms,130\n2026-04-02,sms,10\n"
    document = json.loads(rate(*files(overage("small"), text=text), "--json").out)
    assert [period["total"] for period in document["periods"]] == ["64.99", "49.99"]
    assert document["total"] == "114.98"


def test_an_anchor_day_moves_the_periods(files):
    text = "day,category,usage\n2026-03-10,sms,60\n2026-03-20,sms,60\n"
    given = files(overage("small"), text=text)
    document = json.loads(rate(*given, "--anchor-day", "15", "--json").out)
    assert [period["start"] for period in document["periods"]] == ["2026-02-15", "2026-03-15"]


def test_rows_of_one_day_add_up(files):
    text = "day,category,usage\n2026-03-10,sms,60\n2026-03-10,sms,70\n"
    assert json.loads(rate(*files(overage("small"), text=text), "--json").out)["total"] == "64.99"


WRONG = {
    "no day": ("day,category,usage\n\n2026-03-41,sms,1\n", r"line [23]: day: '2026-03-41' must"),
    "a negative quantity": ("day,category,usage\n2026-03-01,sms,-1\n", "line 2: usage: -1 is neg"),
    "an unknown meter": ("day,meter,usage\n2026-03-01,smss,1\n", "line 2: meter: 'smss' is unkn"),
    "an unknown column": ("day,category,uasge\n2026-03-01,sms,1\n", "line 1: column 'uasge' is u"),
    "no day column": ("category,usage\nsms,1\n", "line 1: needs the columns day and category"),
    "no number": ("day,category,usage\n2026-03-01,sms,many\n", "line 2: usage: 'many' is not a"),
    "out of proportion": ("day,category,usage\n2026-03-01,sms,1e99\n", "line 2: usage: '1e99' is"),
    "no category": ("day,category,usage\n2026-03-01,,1\n", "line 2: give either meter or category"),
    "two figures of one thing": (
        "day,meter,usage,quantity\n2026-03-01,sms,1,1\n",
        "line 2: quantity and usage are the same figure",
    ),
    "an unknown currency": (
        "day,category,usage,currency\n2026-03-01,sms,1,US\n",
        "line 2: currency: 'US' is not a currency",
    ),
    "two currencies": (
        "day,category,cost,currency\n2026-03-01,sms,1,USD\n2026-03-02,sms,1,EUR\n",
        r"line 3: currency: is EUR, and costs are in USD \(usage.csv, line 2: currency\)",
    ),
    "a column twice": ("day,category,usage,usage\n", "line 1: column 'usage' is given twice"),
    "too many cells": ("day,category,usage\n2026-03-01,sms,1,000\n", "line 2: has more cells"),
    "no rows": ("day,category,usage\n", "from: is needed, because the usage has no day"),
    "another charset": ("day,category,usage\n2026-03-01,sms\xfc,1\n", "not a CSV file in UTF-8"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_usage_file_is_refused_on_its_line(files, text, message):
    plan, usage = files(overage("small"), text=text)
    usage.write_bytes(text.encode("latin-1"))
    said = rate(plan, usage)
    assert (said.code, bool(re.search(message, said.err))) == (1, True)


def test_a_typo_in_a_plan_is_named_with_its_line(files):
    plan, usage = files(overage("small"), (1, 0))
    plan.write_text(plan.read_text().replace("allowance:", "alowance:", 1))
    said = rate(plan, usage)
    assert said.code == 1
    assert "prices.0.tiers.0.alowance: is not a field here; is it a typo?" in said.err


def test_an_end_before_its_beginning_is_refused(files):
    said = rate(*files(tiers("small"), (1, 0)), "--from", "2026-03-15", "--to", "2026-03-15")
    assert (said.code, "to: 2026-03-15 must come after the first day" in said.err) == (1, True)


def test_credits_for_a_plan_without_them_are_refused(files):
    said = rate(*files(tiers("small"), (1, 0)), *PACKS)
    assert (said.code, "has no credit_lots price" in said.err) == (1, True)


def test_an_unknown_pack_is_refused(files):
    said = rate(*files(credit_price(), (1, 0)), *PACKS)
    assert (said.code, "'small' is not one of the plan's packs" in said.err) == (1, True)


def test_a_mark_at_the_beginning_of_the_file_is_no_part_of_it(files):
    _, usage = files(overage("small"), (130, 0))
    usage.write_bytes(b"\xef\xbb\xbf" + usage.read_bytes())
    assert len(read_usage(usage)) == 1


def test_a_margin_on_costs_in_another_currency_is_refused(files):
    text = "day,category,cost,currency\n2026-03-01,totalprice,1.00,EUR\n"
    said = rate(*files(margin(gross_margin="0.03"), text=text))
    assert "line 2: currency: costs are in EUR, and the price fixed_margin" in said.err


def test_two_totals_of_one_day_add_up(files):
    text = "day,category,cost\n2026-03-01,totalprice,60\n2026-03-01,totalprice,40\n"
    given = files(margin(gross_margin="0.03"), text=text)
    assert json.loads(rate(*given, "--json").out)["total"] == "103.09"


def test_a_negative_cost_lowers_a_price_on_cost(files):
    text = "day,category,cost\n2026-03-01,totalprice,60\n2026-03-02,totalprice,-10\n"
    given = files(margin(markup="0.10"), text=text)
    assert json.loads(rate(*given, "--json").out)["total"] == "55.00"


def test_nothing_used_costs_nothing_in_the_digits_of_the_currency(files):
    days = ("--from", "2026-03-01", "--to", "2026-04-01", "--json")
    given = files(credit_price(), text="day,category,usage\n")
    document = json.loads(rate(*given, *days).out)
    assert (document["total"], document["periods"][0]["net"]) == ("0.00", "0.00")


def test_usage_outside_the_days_billed_is_named(files):
    text = "day,category,usage\n2026-03-10,sms,60\n2026-03-20,sms,60\n"
    given = (*files(overage("small"), text=text), "--from", "2026-03-15")
    assert json.loads(rate(*given, "--json").out)["left_out"] == ["2026-03-10"]
    assert rate(*given).out.splitlines()[-1].endswith("left out: 2026-03-10")


def test_in_json_mode_an_error_is_json_as_well(files):
    text = "day,category,usage\n2026-03-01,sms,-1\n"
    said = rate(*files(overage("small"), text=text), "--json")
    (found,) = json.loads(said.out)["error"]["problems"]
    assert said.code == 2
    assert found == {
        "path": "usage.csv, line 2: usage",
        "message": "-1 is negative, and a quantity can't be",
    }


@pytest.mark.parametrize(
    "options", [(), ("--plan", "p.yaml"), ("--case", "c.json", "--usage", "u")]
)
def test_a_call_without_its_files_or_with_too_many_is_refused(options):
    said = run("rate", *options)
    assert (said.code, said.err.startswith("Error: --")) == (1, True)
