"""What no plan may say; each refusal names the field and the reason."""

import pytest

from data.errors import InvalidTerms
from data.meters import meters_of
from tests.bills import (
    OVERAGE_TIERS,
    TIERS,
    agreed,
    credit_price,
    graduated,
    margin,
    overage,
    tiers,
)

FIXED = margin(markup="0.1")
PACK = {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}}


def band(up_to=None, **terms):
    return {"gross_margin": "0.05", **terms, **({"up_to": up_to} if up_to else {})}


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
    "a typo": (margin(makrup="0.1"), r"prices\.0\.makrup: .*typo"),
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


@pytest.mark.parametrize(("price", "message"), PRICES.values(), ids=PRICES)
def test_a_price_is_refused_by_field(price, message):
    with pytest.raises(InvalidTerms, match=message):
        agreed(price)


PLANS = {
    "a negative minimum": ({"minimum": "-1"}, r"minimum: .*greater than or equal to 0"),
    "a negative fee": ({"monthly_fee": "-1"}, r"monthly_fee: .*greater than or equal to 0"),
    "a currency unknown": ({"currency": "DOLLAR"}, r"currency: 'DOLLAR' is not a currency"),
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
        pytest.param([], "needs a price or a monthly_fee", id="no price at all"),
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


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(InvalidTerms) as refusal:
        agreed(margin(markup="x"), minimum="-1")
    assert {"minimum", "prices.0.markup"} <= {
        part.split(": ")[0].removeprefix("plan: ")
        for part in str(refusal.value).removeprefix("plan: ").split("; ")
    }


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
