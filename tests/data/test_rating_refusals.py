"""What `rate` refuses in a case: each problem by the path of its field."""

import json

import pytest

from tests.bills import BANDS, OVERAGE_TIERS, TIERS, credit_price, graduated, margin, tiers
from tests.cases import MARCH, MEDIUM, PER_UNIT, SMALL, by_bands, case, change, plan, problems, used
from tests.command_line import run

OWN = {"key": "a", "name": "A", "credits": 1, "price": 1, "bought_on": "2026-03-01"}
LOT = {**OWN, "units_per_credit": {"sms": 5}}


def lots(*entries):
    return case(credit_price(), credits=list(entries), **MARCH)


REFUSED = {
    "bands that overlap": (
        case(by_bands("graduated", {"up_to": 9, "unit_amount": 1}, {"up_to": 9, "unit_amount": 1})),
        *("plan.prices.0.bands", "up_to 9 must lie above the 9 before it"),
    ),
    "bands that descend": (
        case(graduated(BANDS[1], BANDS[0])),
        *("plan.prices.0.bands", "up_to 100 must lie above the 300 before it"),
    ),
    "an open band below": (
        case(by_bands("volume", {"unit_amount": 1}, {"up_to": 9, "unit_amount": 1})),
        *("plan.prices.0.bands", "only the last band may be open"),
    ),
    "a price of an unknown meter": (
        case({**PER_UNIT, "meter": "smss"}),
        *("plan.prices", "meter 'smss' is unknown"),
    ),
    "usage of an unknown meter": (
        case(PER_UNIT, usage=used(1, meter="smss")),
        *("usage.0.meter", "'smss' is unknown"),
    ),
    "an unknown kind": (case({"kind": "tiered"}), "plan.prices.0.kind", "'tiered' is none of"),
    "no kind": (case({"meter": "sms"}), "plan.prices.0.kind", "is missing"),
    "an unknown currency": (
        case(PER_UNIT, terms={"currency": "US"}),
        *("plan.currency", "'US' is not a currency"),
    ),
    "a unit that the meter has not": (
        case({**PER_UNIT, "unit": "minutes"}),
        *("plan.prices.0.unit", "'minutes' is not the unit of meter sms"),
    ),
    "a negative quantity": (
        case(PER_UNIT, usage=used(1, -1)),
        *("usage.1.quantity", "-1 is negative"),
    ),
    "a quantity that is none": (
        case(PER_UNIT, usage=used("many")),
        *("usage.0.quantity", "'many' is not a number"),
    ),
    "a day that is none": (
        case(PER_UNIT, usage=[{"day": "2026-02-29", "meter": "sms"}]),
        *("usage.0.day", "'2026-02-29' must look like 2026-03-31"),
    ),
    "neither meter nor category": (
        case(PER_UNIT, usage=[{"day": "2026-03-01"}]),
        *("usage.0", "give either meter or category"),
    ),
    "a margin of 1": (
        case(margin(gross_margin=1)),
        *("plan.prices.0.gross_margin", "less than 1"),
    ),
    "a margin at a loss": (case(margin(markup="-0.1")), "plan.prices.0", "sells at a loss"),
    "costs in another currency": (
        case(margin(markup="0.1"), usage=used((1, 1)), cost_currency="EUR"),
        *("cost_currency", "the price fixed_margin of plan agreed@1 is in USD"),
    ),
    "a tier that is none": (case(tiers("huge")), "plan.prices.0.chosen", "'huge' is none of"),
    "an expiry before the start": (
        lots({**LOT, "expires_on": "2026-03-01"}),
        *("credits.0.expires_on", "2026-03-01 must come after bought_on"),
    ),
    "a void before the start": (
        lots({**LOT, "voided_on": "2026-02-01"}),
        *("credits.0.voided_on", "must not come before bought_on"),
    ),
    "a lot without conversion": (lots(OWN), "credits.0", "units_per_credit"),
    "a lot that converts nothing": (
        lots({**OWN, "units_per_credit": {}}),
        *("credits.0", "units_per_credit converts no meter"),
    ),
    "a lot of another meter": (
        lots({**OWN, "units_per_credit": {"voice": 1}}),
        *("credits.0.units_per_credit", "'voice' is not a meter that credits pay for"),
    ),
    "a lot twice with other terms": (
        lots(LOT, {**LOT, "credits": 2}),
        *("credits.1", "granted before with another credits"),
    ),
    "an unknown pack": (
        lots({"key": "a", "pack": "small", "bought_on": "2026-03-01"}),
        *("credits.0.pack", "'small' is not one of the plan's packs"),
    ),
    "credits without a price for them": (
        case(PER_UNIT, credits=[LOT], **MARCH),
        *("credits.0", "plan agreed@1 has no credit_lots price"),
    ),
    "credits bought under a plan without a price for them": (
        {
            "plans": [change("2026-03-01", credit_price()), MEDIUM],
            "credits": [{**LOT, "bought_on": "2026-03-20"}],
        },
        *("credits.0", "plan medium@1 has no credit_lots price"),
    ),
    "credits bought after the last plan": (
        lots({**LOT, "bought_on": "2026-05-20"}) | {"ends_on": "2026-05-01"},
        *("credits.0.bought_on", "no plan is in force on 2026-05-20"),
    ),
    "money without an amount": (
        case(
            PER_UNIT,
            money_credits=[{"key": "a", "name": "A", "amount": 0, "effective_on": "2026-03-01"}],
        ),
        *("money_credits.0.amount", "greater than 0"),
    ),
    "two versions from one day": (
        {"plans": [SMALL, {**SMALL, "plan": {**SMALL["plan"], "version": 2}}], **MARCH},
        *("plans", "two versions (1 and 2) are agreed from the same day, 2026-03-01"),
    ),
    "a version that changes": (
        {"plans": [SMALL, {**MEDIUM, "plan": {**MEDIUM["plan"], "plan": "small"}}]},
        *("plans.1.plan", "small@1 has other terms in plans.0"),
    ),
    "a reference to nothing": (
        {"plans": [{"from": "2026-03-01", "plan": {"plan": "small", "version": 1}}]},
        *("plans.0.plan", "no earlier entry has the terms of small@1"),
    ),
    "a change of currency": (
        {"plans": [SMALL, change("2026-03-15", tiers("small"), currency="EUR")]},
        *("plans", "its currency EUR differs from the USD before it"),
    ),
    "a typo": (case(PER_UNIT, usages=[]), "usages", "is it a typo?"),
    "a typo deep inside": (
        {"plans": [{**SMALL, "plan": plan(tiers("small", [{**TIERS[0], "fees": 1}]))}]},
        *("plans.0.plan.prices.0.tiers.0.fees", "is it a typo?"),
    ),
    "two plans": (
        {"plan": plan(PER_UNIT), "plans": [SMALL]},
        *("plan", "give either plan, or a list plans"),
    ),
    "no plan": ({"usage": []}, "plan", "give either plan, or a list plans"),
    "nothing to price": (case(PER_UNIT), "from", "no day to price"),
    "an end before its beginning": (
        case(PER_UNIT, **{"from": "2026-03-02", "to": "2026-03-01"}),
        *("to", "must come after the first day"),
    ),
    "out of proportion": (
        case({**PER_UNIT, "unit_amount": "1e99"}),
        *("plan.prices.0.unit_amount", "'1e99' is out of all proportion"),
    ),
    "an anchor beyond a month": (case(PER_UNIT, anchor_day=32), "anchor_day", "31"),
    "not JSON": ('{"plan": ', "", "line 1: is not JSON"),
    "not a number": ('{"plan": NaN}', "", "NaN is not a number"),
    "a field twice": ('{"plan": 1, "plan": 2}', "", "'plan' is given twice"),
    "not an object": ("[]", "", "must be an object with named fields"),
    "too deep": ("[" * 100_000, "", "is nested too deeply"),
}


@pytest.mark.parametrize(("document", "path", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_its_path(document, path, message):
    ((named, reason),) = problems(document)
    assert (named, message in reason) == (path, True), reason


def test_all_problems_are_named_at_once():
    document = case(tiers("small", OVERAGE_TIERS), usage=used(-1), colour="red")
    assert {path for path, _ in problems(document)} == {
        *(f"plan.prices.0.tiers.{n}.overage_amount" for n in range(3)),
        *("usage.0.quantity", "colour"),
    }


def test_without_json_a_refusal_is_text(tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case(PER_UNIT, usage=used(-1))))
    said = run("rate", "--case", path)
    assert (said.code, said.out) == (1, "")
    assert said.err == "Error: usage.0.quantity: -1 is negative, and a quantity can't be\n"
    assert run("rate", "--case", path, "--json").code == 2
