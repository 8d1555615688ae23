"""Terms become a form and the form becomes the same terms, for every strategy that there is."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.plan_form import (
    NONE,
    FieldKind,
    WrongTerms,
    as_yaml,
    draft_of,
    example_price,
    form_of,
    from_yaml,
    judged,
    strategies,
    terms_of,
)
from data.pricing import parse_plan
from tests.bills import agreed, credit_price, overage

KINDS = tuple(strategies())


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_strategy_comes_back_as_it_was(kind):
    plan = agreed(strategies()[kind].example)
    assert judged(terms_of(draft_of(plan))) == plan
    assert from_yaml(as_yaml(terms_of(draft_of(plan)))) == plan


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_price_of_a_strategy_is_right_as_it_begins(kind):
    draft = {**draft_of(agreed(overage("small"))), "prices": [example_price(kind)]}
    assert judged(terms_of(draft)).prices[0].kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_strategy_stands_in_its_form(kind):
    model = strategies()[kind]
    assert {one.name for one in form_of(model)} == set(model.model_fields) - {"kind"}


amounts = st.decimals(min_value=D("0.0001"), max_value=D("99999"), places=4)
names = st.text("abcdefghijklmnop ·-", min_size=1, max_size=12).map(lambda t: f"x{t}x")


@st.composite
def plans(draw):
    """Terms of every kind of field: tables, names, rates, groups, flags, choices, "none"."""
    amount = lambda: str(draw(amounts))  # noqa: E731
    ladder = [
        {"name": name, "fee": amount(), "allowance": amount(), "overage_amount": amount()}
        for name in draw(st.lists(names, min_size=1, max_size=4, unique=True))
    ]
    edges = sorted(draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=4, unique=True)))
    bands = [{"up_to": f"{edge}", "gross_margin": "0.05"} for edge in edges]
    pack = {"name": "small", "credits": amount(), "price": amount()}
    grant = {"name": "monthly", "credits": amount(), "units_per_credit": {"sms": amount()}}
    prices = [
        {
            "kind": "tiers_with_overage",
            "meter": "mms",
            "chosen": ladder[0]["name"],
            "tiers": ladder,
            "discount": draw(st.sampled_from(["0", "0.1"])),
        },
        {
            "kind": "graduated_margin",
            "meter": "voice",
            "bands": bands,
            "above_last": draw(st.sampled_from(["continue", "at_cost", "unpriced"])),
        },
        {
            "kind": "credit_lots",
            "meters": ["sms", "lookups"],
            "packs": [{**pack, "units_per_credit": {"sms": amount(), "lookups": amount()}}],
            "recurring": [{**grant, "rollover_max": draw(st.sampled_from([None, "0", "7"]))}],
        },
        {"kind": "fixed_margin", "meters": ["fax"], "markup": "-0.5", "allow_loss": True},
    ]
    chosen = draw(st.lists(st.sampled_from(prices), min_size=1, unique_by=id))
    terms = {
        "plan": "some-plan",
        "version": draw(st.integers(1, 99)),
        "name": draw(names),
        "currency": draw(st.sampled_from(["USD", "EUR", "JPY"])),
        "offered": draw(st.booleans()),
        "monthly_fee": amount(),
        "tax": draw(st.sampled_from([None, {"name": "VAT", "rate": "0.19"}])),
        "prorate": draw(st.sampled_from(["days", "none"])),
        "meters": {"fax": {"unit": "pages", "categories": ["fax-one", "fax-two"]}},
        "prices": chosen,
    }
    return parse_plan(terms)


@given(plans())
def test_terms_of_every_kind_come_back_from_form_and_text(plan):
    assert judged(terms_of(draft_of(plan))) == plan
    assert from_yaml(as_yaml(terms_of(draft_of(plan)))) == plan


def test_a_limit_that_is_taken_away_is_typed_as_none():
    grant = {"name": "m", "credits": "5", "units_per_credit": {"sms": "1"}, "rollover_max": None}
    draft = draft_of(agreed(credit_price(recurring=[grant])))
    assert draft["prices"][0]["recurring"][0]["rollover_max"] == NONE


def test_what_is_wrong_is_named_by_its_field_and_nothing_typed_is_lost():
    draft = draft_of(agreed(overage("small")))
    draft["name"] = ""
    draft["prices"][0]["tiers"][1]["fee"] = "a lot"
    before = repr(draft)
    with pytest.raises(WrongTerms) as caught:
        judged(terms_of(draft))
    assert set(caught.value.problems) == {"name", "prices.0.tiers.1.fee"}
    assert repr(draft) == before


def test_a_meter_that_is_not_known_is_named():
    draft = draft_of(agreed(overage("small", meter="smoke")))
    with pytest.raises(WrongTerms, match="smoke"):
        judged(terms_of(draft))


def test_a_text_says_the_line_of_what_is_wrong():
    text = as_yaml(terms_of(draft_of(agreed(overage("small"))))).replace("'49.99'", "'many'")
    with pytest.raises(InputError, match=r"terms, line \d+: prices\.0\.tiers\.0\.fee"):
        from_yaml(text)


def test_a_table_knows_the_fields_of_its_rows():
    tiers = next(one for one in form_of(strategies()["tiers_with_overage"]) if one.name == "tiers")
    assert tiers.kind is FieldKind.TABLE
    assert [one.name for one in tiers.fields] == ["name", "fee", "allowance", "overage_amount"]
