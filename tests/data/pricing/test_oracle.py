"""Random plans and usage, priced a second time in exact fractions by lines that know no engine."""

from decimal import Decimal as D
from fractions import Fraction as F
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from data.pricing import Basis, CreditUse, replay
from tests.bills import (
    MARCH,
    agreed,
    bill,
    credit_price,
    days,
    graduated,
    lines,
    lot,
    margin,
    overage,
    tiers,
)

DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}

currencies = st.sampled_from(sorted(DIGITS))
units = st.decimals("0", "900", places=3)
costs = st.decimals("-3", "40", places=5)
usages = st.lists(st.tuples(units, costs), max_size=9)
prices = st.decimals("0", "90", places=4)
first_days = st.integers(1, 31)
margins = st.one_of(
    st.decimals("-0.5", "0.95", places=3).map(lambda m: {"gross_margin": str(m)}),
    st.decimals("-0.5", "3", places=3).map(lambda m: {"markup": str(m)}),
).map(lambda terms: {**terms, "allow_loss": True})


def cents(value, currency):
    """Half away from zero, as a whole number of the smallest unit over its size."""
    unit = 10 ** DIGITS[currency]
    whole = floor(abs(value) * unit + F(1, 2))
    return F(whole if value >= 0 else -whole, unit)


def sold(terms, cost):
    if "markup" in terms:
        return cost * (1 + F(terms["markup"]))
    return cost / (1 - F(terms["gross_margin"]))


def share(first_day):
    return F(32 - first_day, 31)


def part(first_day):
    return MARCH.clipped(MARCH.start.replace(day=first_day), None)


@given(currencies, margins, usages)
def test_a_fixed_margin(currency, terms, usage):
    expected = cents(sold(terms, sum(F(cost) for _, cost in usage)), currency)
    plan = agreed(margin(**terms), currency=currency)
    assert F(bill(plan, days(*usage))) == expected


def band_amounts(bands, above_last, usage, currency):
    """Per band: the overlap of each day's stretch of units with the band's, at its cost share."""
    edges = [F(0), *(F(band["up_to"]) for band in bands)]
    spans = list(zip(edges, edges[1:], bands, strict=False))
    spans.append((edges[-1], None, None if above_last != "continue" else bands[-1]))
    found, before = [], F(0)
    cost_in = [F(0)] * len(spans)
    for quantity, cost in ((F(q), F(c)) for q, c in usage):
        for n, (low, high, _) in enumerate(spans):
            top = before + quantity if high is None else min(high, before + quantity)
            if quantity:
                cost_in[n] += cost * max(top - max(low, before), 0) / quantity
            elif low <= before and (high is None or before < high):
                cost_in[n] += cost
        before += quantity
    if above_last == "continue":
        above = cost_in.pop()
        cost_in[-1] += above
    for n, cost in enumerate(cost_in):
        band = spans[n][2]
        price = sold(band, cost) if band else cost if above_last == "at_cost" else F(0)
        found.append(cents(price, currency))
    return sum(found)


@given(
    currencies,
    st.lists(st.tuples(st.integers(1, 500), margins), min_size=1, max_size=4),
    st.sampled_from(["continue", "at_cost", "unpriced"]),
    usages,
)
def test_bands_of_margins(currency, widths, above_last, usage):
    bands, top = [], 0
    for width, terms in widths:
        top += width
        bands.append({"up_to": str(top), **terms})
    plan = agreed(graduated(*bands, above_last=above_last), currency=currency)
    expected = band_amounts(bands, above_last, usage, currency)
    assert F(bill(plan, days(*usage))) == expected


ladders = st.lists(
    st.fixed_dictionaries(
        {
            "fee": prices.map(str),
            "allowance": st.integers(0, 900).map(str),
            "overage_amount": st.decimals("0", "2", places=12).map(lambda d: f"{d:f}"),
        }
    ),
    min_size=1,
    max_size=3,
).map(lambda ladder: [{"name": f"tier-{n}", **tier} for n, tier in enumerate(ladder)])


@given(currencies, ladders, usages, first_days)
def test_tiers_with_overage(currency, ladder, usage, first_day):
    tier = ladder[-1]
    allowance = F(tier["allowance"]) * share(first_day)
    included = -floor(-allowance) if first_day > 1 else allowance
    beyond = max(sum(F(quantity) for quantity, _ in usage) - included, 0)
    expected = cents(F(tier["fee"]) * share(first_day), currency) + cents(
        beyond * F(tier["overage_amount"]), currency
    )
    plan = agreed(overage(tier["name"], ladder), currency=currency)
    assert F(bill(plan, days(*usage), part(first_day))) == expected


@given(currencies, ladders, usages, first_days)
def test_tiers_cost_their_share_of_the_fee(currency, ladder, usage, first_day):
    ladder = [{name: tier[name] for name in ("name", "fee", "allowance")} for tier in ladder]
    plan = agreed(tiers("tier-0", ladder), currency=currency)
    expected = cents(F(ladder[0]["fee"]) * share(first_day), currency)
    assert F(bill(plan, days(*usage), part(first_day))) == expected


@given(currencies, prices, prices, usages, first_days)
def test_fee_and_minimum(currency, fee, least, usage, first_day):
    plan = agreed(margin(markup="0"), currency=currency, monthly_fee=str(fee), minimum=str(least))
    used = cents(sum(F(cost) for _, cost in usage), currency)
    so_far = cents(F(fee) * share(first_day), currency) + used
    expected = max(so_far, cents(F(least) * share(first_day), currency)) if least else so_far
    assert F(bill(plan, days(*usage), part(first_day))) == expected


@st.composite
def grants(draw):
    found = []
    for n in range(draw(st.integers(0, 4))):
        bought = draw(st.integers(1, 28))
        found.append(
            {
                "key": f"lot-{n}",
                "credits": draw(st.integers(1, 200)),
                "rate": draw(st.sampled_from(["1", "2.5", "5", "7.5"])),
                "price": draw(st.sampled_from(["0", "10"])),
                "bought": bought,
                "expires": draw(st.none() | st.integers(bought + 1, 31)),
                "priority": draw(st.none() | st.integers(0, 2)),
            }
        )
    return found


def burn(given, quantities):
    """Day by day over all days: expire, repay, use.  Returns units left by lot, and those owed."""
    last = 99
    queue = sorted(
        given,
        key=lambda g: (
            last if g["priority"] is None else g["priority"],
            g["expires"] or last,
            g["price"] != "0",
            g["bought"],
            g["key"],
        ),
    )
    left = {g["key"]: F(g["credits"]) * F(g["rate"]) for g in given}
    owed = F(0)
    for day in range(1, 32):
        for g in queue:
            if g["expires"] and g["expires"] <= day:
                left[g["key"]] = F(0)
        owed += quantities.get(day, F(0))
        for g in queue:
            if g["bought"] <= day:
                taken = min(owed, left[g["key"]])
                left[g["key"]] -= taken
                owed -= taken
    return left, owed


@given(grants(), st.dictionaries(st.integers(1, 31), st.integers(0, 600), max_size=8))
def test_credits(given, quantities):
    lots = [
        lot(
            g["key"],
            g["credits"],
            g["price"],
            g["rate"],
            g["bought"],
            priority=g["priority"],
            expires_on=g["expires"] and MARCH.start.replace(day=g["expires"]),
        )
        for g in given
    ]
    used = [
        CreditUse(MARCH.start.replace(day=day), "sms", D(quantity))
        for day, quantity in sorted(quantities.items())
    ]
    closing = replay(lots, used, MARCH.start, MARCH.end).closing
    left = {g["key"]: closing.credits[g["key"]] * F(g["rate"]) for g in given}
    expected = burn(given, {day: F(quantity) for day, quantity in quantities.items()})
    assert (left, F(closing.owed.get("sms", 0))) == expected


@given(grants(), usages)
def test_a_credit_bill(given, usage):
    lots = tuple(lot(g["key"], g["credits"], g["price"], g["rate"], g["bought"]) for g in given)
    units_bought = sum(F(g["credits"]) * F(g["rate"]) for g in given)
    used = sum(F(quantity) for quantity, _ in usage)
    plan = agreed(credit_price())
    basis = Basis("USD", MARCH, lots=lots)
    owed = plan.prices[0].ledger({"sms": days(*usage)}, basis).closing.owed.get("sms", 0)
    assert sum(line.amount for line in lines(plan, days(*usage), lots=lots)) == sum(
        D(g["price"]) for g in given
    )
    assert F(owed) == max(used - units_bought, 0)
