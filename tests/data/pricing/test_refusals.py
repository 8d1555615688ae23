"""What no plan may say; each refusal names the field and the reason."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from data.errors import InvalidTerms
from data.meters import meters_of
from data.pricing import parse_plan
from tests.bills import (
    OVERAGE_TIERS,
    TIERS,
    agreed,
    credit_price,
    graduated,
    margin,
    overage,
    package,
    per_unit,
    steps,
    tiers,
    volume,
)

FIXED = margin(markup="0.1")
PACK = {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}}


def band(up_to=None, **terms):
    return {"gross_margin": "0.05", **terms, **({"up_to": up_to} if up_to else {})}


def step(up_to=None, **terms):
    return {"unit_amount": "0.02", **terms, **({"up_to": up_to} if up_to else {})}


PRICES = {
    "gross margin of 1": (margin(gross_margin="1"), r"prices\.0\.gross_margin: .*less than 1"),
    "gross margin above 1": (margin(gross_margin="3"), r"prices\.0\.gross_margin: .*less than 1"),
    "both margins": (
        margin(gross_margin="0.1", markup="0.1"),
        r"prices\.0: give exactly one of gross_margin and markup",
    ),
    "no margin": (margin(), r"prices\.0: give exactly one of gross_margin and markup"),
    "negative margin unsaid": (margin(gross_margin="-0.1"), r"prices\.0: .*allow_loss"),
    "negative markup unsaid": (margin(markup="-0.1"), r"prices\.0: .*allow_loss"),
    "markup of -1": (
        margin(markup="-1", allow_loss=True),
        r"prices\.0\.markup: .*greater than -1",
    ),
    "a float": (margin(markup=0.1), r"prices\.0\.markup: write the number as text"),
    "a truth value": (margin(markup=True), r"prices\.0\.markup: write the number as text"),
    "not a number": (margin(markup="much"), r"prices\.0\.markup: "),
    "infinite": (margin(markup="Infinity"), r"prices\.0\.markup: .*finite"),
    "a typo": (margin(makrup="0.1"), r"prices\.0\.makrup: is not a field here; is it a typo\?"),
    "a kind unknown": ({"kind": "flat"}, r"prices\.0: .*'fixed_margin'"),
    "no kind": ({"markup": "0.1"}, r"prices\.0: .*kind"),
    "descending bands": (graduated(band("200"), band("100")), r"bands: up_to 100 must lie above"),
    "equal bands": (graduated(band("100"), band("100")), r"bands: up_to 100 must lie above"),
    "an open band in the middle": (graduated(band(), band("100")), r"bands: only the last band"),
    "no bands": (graduated() | {"bands": []}, r"prices\.0\.bands: .*at least 1"),
    "a band of zero": (graduated(band("0")), r"prices\.0\.bands\.0\.up_to: .*greater than 0"),
    "a band without margin": (
        graduated({"up_to": "100"}),
        r"prices\.0\.bands\.0: give exactly one",
    ),
    "above_last unknown": (graduated(band("1"), above_last="free"), r"prices\.0\.above_last: "),
    "descending steps": (steps(step("200"), step("100")), r"bands: up_to 100 must lie above"),
    "steps that overlap": (volume(step("100"), step("100")), r"bands: up_to 100 must lie above"),
    "an open step in the middle": (steps(step(), step("100")), r"bands: only the last band"),
    "two open steps": (volume(step("100"), step(), step()), r"bands: only the last band"),
    "an open step before an open one": (steps(step(), step()), r"bands: only the last band"),
    "no steps": (steps() | {"bands": []}, r"prices\.0\.bands: .*at least 1"),
    "a step below zero": (steps(step("-1")), r"prices\.0\.bands\.0\.up_to: .*greater than 0"),
    "a step without a price": (
        volume({"up_to": "100"}),
        r"prices\.0\.bands\.0\.unit_amount: Field required",
    ),
    "a negative price of a step": (
        steps(step(unit_amount="-1")),
        r"prices\.0\.bands\.0\.unit_amount: .*greater than or equal to 0",
    ),
    "a negative flat fee": (
        steps(step("100"), step(flat_fee="-1")),
        r"prices\.0\.bands\.1\.flat_fee: .*greater than or equal to 0",
    ),
    "a float in a step": (
        steps(step(unit_amount=0.02)),
        r"prices\.0\.bands\.0\.unit_amount: write the number as text",
    ),
    "a negative price per unit": (
        per_unit("-0.01"),
        r"prices\.0\.unit_amount: .*greater than or equal to 0",
    ),
    "a float per unit": (per_unit(0.01), r"prices\.0\.unit_amount: write the number as text"),
    "a price per unit that is no number": (per_unit("NaN"), r"prices\.0\.unit_amount: .*finite"),
    "a number too large": (
        per_unit("1e31"),
        r"prices\.0\.unit_amount: 1E\+31 is out of all proportion",
    ),
    "a number too small": (
        per_unit("1e-31"),
        r"prices\.0\.unit_amount: 1E-31 is out of all proportion",
    ),
    "no meter": (per_unit(meter=""), r"prices\.0\.meter: .*at least 1 character"),
    "an empty unit": (per_unit(unit=""), r"prices\.0\.unit: .*at least 1 character"),
    "packages of nothing": (package("0"), r"prices\.0\.package_size: .*greater than 0"),
    "a negative package price": (
        package(amount="-1"),
        r"prices\.0\.package_amount: .*greater than or equal to 0",
    ),
    "negative free units": (
        package(free="-1"),
        r"prices\.0\.free_units: .*greater than or equal to 0",
    ),
    "bands that are no list": (
        steps() | {"bands": {"up_to": "100"}},
        r"prices\.0\.bands: must be a list$",
    ),
    "no tier chosen so": (tiers("huge"), r"prices\.0: chosen: 'huge' is none of the tiers small"),
    "two tiers of a name": (tiers("small", [TIERS[0], TIERS[0]]), r"two tiers are named 'small'"),
    "no tiers": (tiers("small") | {"tiers": []}, r"prices\.0\.tiers: .*at least 1"),
    "a negative fee": (
        tiers("small", [{**TIERS[0], "fee": "-1"}]),
        r"prices\.0\.tiers\.0\.fee: .*greater than or equal to 0",
    ),
    "overage without its price": (
        overage("small", TIERS),
        r"prices\.0\.tiers\.0\.overage_amount: Field required",
    ),
    "an overage price where there is none": (
        tiers("small", OVERAGE_TIERS),
        r"prices\.0\.tiers\.0\.overage_amount: .*typo",
    ),
    "a pack of another meter": (
        credit_price(meters=["mms"], packs=[PACK]),
        r"prices\.0: pack 'small' converts 'sms'",
    ),
    "a pack of no credits": (
        credit_price(packs=[{**PACK, "credits": "0"}]),
        r"prices\.0\.packs\.0\.credits: .*greater than 0",
    ),
    "an overage amount that is not used": (
        credit_price(overage_amount="1"),
        r"prices\.0: overage_amount belongs to shortfall",
    ),
    "an overage amount that is missing": (
        credit_price(shortfall="overage_price"),
        r"prices\.0: overage_amount belongs to shortfall",
    ),
    "two packs of a name": (credit_price(packs=[PACK, PACK]), r"two packs are named 'small'"),
}


LIMITS = {
    "a negative discount": ({"discount": "-0.1"}, r"discount: .*greater than or equal to 0"),
    "a discount above all": ({"discount": "1.01"}, r"discount: .*less than or equal to 1"),
    "a discount as a float": ({"discount": 0.1}, r"discount: write the number as text"),
    "a negative maximum": ({"maximum": "-1"}, r"maximum: .*greater than or equal to 0"),
    "a negative minimum": ({"minimum": "-1"}, r"minimum: .*greater than or equal to 0"),
}


@pytest.mark.parametrize(("limit", "message"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_refused_by_field(limit, message):
    with pytest.raises(InvalidTerms, match=f"plan: {message}"):
        agreed(FIXED, **limit)
    with pytest.raises(InvalidTerms, match=rf"prices\.0\.{message}"):
        agreed({**FIXED, **limit})


@pytest.mark.parametrize("least", ["10.01", "11"])
def test_a_minimum_above_the_maximum_is_refused(least):
    limits = {"minimum": least, "maximum": "10"}
    message = f"minimum {least} lies above the maximum 10"
    with pytest.raises(InvalidTerms, match=f"plan: {message}"):
        agreed(FIXED, **limits)
    with pytest.raises(InvalidTerms, match=rf"prices\.0: {message}"):
        agreed({**FIXED, **limits})


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param({"minimum": "10", "maximum": "10"}, id="minimum and maximum alike"),
        pytest.param({"maximum": "0"}, id="a maximum of nothing"),
        pytest.param({"discount": "1"}, id="all of it off"),
    ],
)
def test_limits_at_their_edge_are_accepted(limits):
    assert agreed({**FIXED, **limits}, **limits).model_fields_set >= set(limits)


@pytest.mark.parametrize(("price", "message"), PRICES.values(), ids=PRICES)
def test_a_price_is_refused_by_field(price, message):
    with pytest.raises(InvalidTerms, match=message):
        agreed(price)


PLANS = {
    "a negative minimum": ({"minimum": "-1"}, r"minimum: .*greater than or equal to 0"),
    "a negative fee": ({"monthly_fee": "-1"}, r"monthly_fee: .*greater than or equal to 0"),
    "a currency unknown": ({"currency": "DOLLAR"}, r"currency: 'DOLLAR' is not a currency"),
    "a tax of all": (
        {"tax": {"name": "VAT", "rate": "1"}},
        r"tax\.rate: .*less than 1",
    ),
    "a negative tax": (
        {"tax": {"name": "VAT", "rate": "-0.1"}},
        r"tax\.rate: .*greater than or equal to 0",
    ),
    "a tax as a float": (
        {"tax": {"name": "VAT", "rate": 0.19}},
        r"tax\.rate: write the number as text",
    ),
    "a tax without a name": ({"tax": {"name": "", "rate": "0.1"}}, r"tax\.name: "),
    "a meter without a unit": (
        {"meters": {"texts": {"unit": "", "categories": ["sms"]}}},
        r"meters\.texts\.unit: ",
    ),
    "a meter of neither count nor usage": (
        {"meters": {"texts": {"unit": "x", "categories": ["sms"], "quantity": "price"}}},
        r"meters\.texts\.quantity: ",
    ),
    "prices that are no list": ({"prices": {}}, r"prices: must be a list"),
    "a version of zero": ({"version": 0}, r"version: .*greater than or equal to 1"),
    "a name with spaces": ({"plan": "Our Plan"}, r"plan: "),
    "no name": ({"name": ""}, r"name: "),
    "a typo": ({"monthly_fees": "1"}, r"monthly_fees: .*typo"),
    "an unknown proration": ({"prorate": "hours"}, r"prorate: "),
    "a meter without categories": (
        {"meters": {"texts": {"unit": "texts", "categories": []}}},
        r"meters\.texts\.categories: ",
    ),
}


@pytest.mark.parametrize(("terms", "message"), PLANS.values(), ids=PLANS)
def test_a_plan_is_refused_by_field(terms, message):
    with pytest.raises(InvalidTerms, match=message):
        agreed(FIXED, **terms)


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        pytest.param([], "needs a price, a monthly_fee or a minimum", id="no price at all"),
        pytest.param(
            [tiers("small"), graduated()], "meter 'sms' is priced twice", id="a meter twice"
        ),
        pytest.param(
            [FIXED, tiers("small")], "over all usage overlaps", id="all usage beside another"
        ),
        pytest.param([FIXED, FIXED], "over all usage overlaps", id="all usage twice"),
    ],
)
def test_prices_do_not_stand_on_each_other(prices, message):
    with pytest.raises(InvalidTerms, match=f"prices: .*{message}"):
        agreed(*prices)


def test_a_plan_is_refused_under_the_name_of_its_source():
    with pytest.raises(InvalidTerms, match=r"plans\.yaml: currency: 'XXX' is not a currency"):
        parse_plan({"plan": "a", "version": 1, "name": "A", "currency": "XXX"}, "plans.yaml")


def test_terms_that_are_no_mapping_are_refused():
    with pytest.raises(InvalidTerms, match=r"plan: plan: .*dictionary"):
        parse_plan("free for all")


def test_terms_stay_as_they_were_agreed():
    with pytest.raises(ValidationError, match="frozen"):
        agreed(FIXED).monthly_fee = 5


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(InvalidTerms) as refusal:
        agreed(margin(markup="x"), minimum="-1")
    assert {"minimum", "prices.0.markup"} <= {
        part.split(": ")[0].removeprefix("plan: ")
        for part in str(refusal.value).removeprefix("plan: ").split("; ")
    }


@pytest.mark.parametrize("price", ["1e30", "1e-30", "0"])
def test_a_number_within_proportion_is_accepted(price):
    assert agreed(per_unit(price)).prices[0].unit_amount == Decimal(price)


@pytest.mark.parametrize(
    "terms",
    [{"gross_margin": "-0.10"}, {"markup": "-0.10"}],
    ids=["gross margin", "markup"],
)
def test_a_loss_that_is_meant_is_accepted(terms):
    assert agreed(margin(**terms, allow_loss=True)).cost_based


def test_a_plan_of_a_fee_alone_is_accepted():
    assert agreed(monthly_fee="10").meters_priced == ()


def test_a_currency_is_read_in_any_case():
    assert agreed(FIXED, currency="eur").currency == "EUR"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        pytest.param(
            agreed(margin(markup="0", meters=["texts"])), "'texts' is unknown", id="unknown meter"
        ),
        pytest.param(
            agreed(
                graduated(meter="all-texts"),
                margin(markup="0", meters=["sms"]),
                meters={"all-texts": {"unit": "x", "categories": ["sms-outbound", "mms"]}},
            ),
            "meters all-texts and sms overlap: sms-outbound and sms",
            id="a child and its parent",
        ),
        pytest.param(
            agreed(
                graduated(meter="texts"),
                meters={"texts": {"unit": "x", "categories": ["sms", "sms-outbound"]}},
            ),
            r"meters\.texts: sms and sms-outbound count the same usage",
            id="within a meter",
        ),
    ],
)
def test_meters_that_do_not_fit_are_refused_by_name(plan, message):
    with pytest.raises(InvalidTerms, match=message):
        meters_of(plan)


@pytest.mark.parametrize(
    ("price", "message"),
    [
        pytest.param(per_unit(unit="minutes"), r"prices\.0\.unit: .*SMS segments", id="per unit"),
        pytest.param(steps(unit="minutes"), r"prices\.0\.unit: .*SMS segments", id="bands"),
        pytest.param(
            tiers("small", unit="messages"), r"prices\.0\.unit: .*SMS segments", id="tiers"
        ),
        pytest.param(
            per_unit(meter="voice", unit="calls"), r"prices\.0\.unit: .*minutes", id="calls"
        ),
    ],
)
def test_a_unit_that_the_meter_does_not_have_is_refused(price, message):
    with pytest.raises(InvalidTerms, match=message):
        meters_of(agreed(price))


def test_the_unit_of_the_second_price_is_refused_by_its_place():
    with pytest.raises(InvalidTerms, match=r"prices\.1\.unit: "):
        meters_of(agreed(per_unit(), per_unit(meter="voice", unit="SMS segments")))


@pytest.mark.parametrize(
    "price",
    [
        pytest.param(per_unit(unit="SMS segments"), id="the catalogue's"),
        pytest.param(per_unit(), id="none given"),
        pytest.param(credit_price(), id="a price without units"),
    ],
)
def test_the_unit_of_the_meter_is_accepted(price):
    assert meters_of(agreed(price))["sms"].unit == "SMS segments"


def test_the_unit_of_a_meter_of_the_plan_is_accepted():
    texts = {"texts": {"unit": "messages", "categories": ["sms"], "quantity": "count"}}
    plan = agreed(per_unit(meter="texts", unit="messages"), meters=texts)
    assert meters_of(plan)["texts"].unit == "messages"
