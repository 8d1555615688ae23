"""Whole periods under random plans and changes of plan, priced a second time in exact fractions.

The second pricing knows terms as plain dictionaries and days as numbers, and nothing of the engine.
"""

from dataclasses import dataclass
from fractions import Fraction as F
from itertools import pairwise
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bills import agreed, days, rated, stretch

DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}
AFTER = 32  # the day after the last of March


@dataclass
class Part:
    """Days of one meter under one price: units and cost of each, and what surrounds them."""

    currency: str
    days: list
    before: F  # units used since the price began
    begins: bool
    of_month: F  # share of the fees
    run_of_month: F  # share of the allowance

    def cents(self, value):
        return cents(value, self.currency)

    @property
    def after(self):
        return self.before + sum(units for units, _ in self.days)

    def by_edges(self, edges):
        """Units and cost between each two edges, the last open: day after day, unit by unit."""
        found = [[F(0), F(0)] for _ in edges]
        at = self.before
        for units, cost in self.days:
            for n, (low, high) in enumerate(pairwise([*edges, None])):
                top = at + units if high is None else min(high, at + units)
                inside = max(top - max(low, at), 0)
                holds_next = low <= at and (high is None or at < high)
                found[n][0] += inside
                found[n][1] += cost * inside / units if units else cost * holds_next
            at += units
        return found


def cents(value, currency):
    """Half away from zero, in whole smallest units."""
    unit = 10 ** DIGITS[currency]
    whole = floor(abs(value) * unit + F(1, 2))
    return F(whole if value >= 0 else -whole, unit)


def edges(price):
    """Where bands begin, and that after a closed last one; bands that go on have no edge there."""
    tops = [F(band["up_to"]) for band in price["bands"] if "up_to" in band]
    return [F(0), *(tops[:-1] if is_endless(price) and len(tops) == len(price["bands"]) else tops)]


def is_endless(price):
    return price["above_last"] == "continue"


def reached(price, units):
    for band in price["bands"]:
        if "up_to" not in band or units <= F(band["up_to"]):
            return band
    return price["bands"][-1]


def above(price, part):
    """What units above a closed last band cost."""
    pieces = part.by_edges(edges(price))
    closed = len(pieces) > len(price["bands"])
    at_cost = closed and price["above_last"] == "at_cost"
    return pieces[: len(price["bands"])], [part.cents(pieces[-1][1])] if at_cost else []


def per_unit(price, part):
    return [part.cents((part.after - part.before) * F(price["unit_amount"]))]


def graduated(price, part):
    pieces, lines = above(price, part)
    unused, starts = price["flat_fee_when_unused"], edges(price)
    for n, (band, (units, _)) in enumerate(zip(price["bands"], pieces, strict=False)):
        lines.append(part.cents(units * F(band["unit_amount"])))
        due_at_once = n == 0 and unused
        first_unit = units and part.before <= starts[n]
        if part.begins if due_at_once else first_unit:
            lines.append(part.cents(F(band["flat_fee"])))
    return lines


def volume(price, part):
    lines = above(price, part)[1]
    last = price["bands"][-1].get("up_to")
    costs = {}
    for units in (part.before, part.after):
        counted = units if last is None or is_endless(price) else min(units, F(last))
        costs[units] = part.cents(counted * F(reached(price, counted)["unit_amount"]))
    fee = flat_fee(price, part.after)
    paid = F(0) if part.begins else flat_fee(price, part.before)
    return [*lines, costs[part.after] - costs[part.before], part.cents(fee - paid)]


def flat_fee(price, units):
    if not units and not price["flat_fee_when_unused"]:
        return F(0)
    return F(reached(price, units)["flat_fee"])


def package(price, part):
    free = allowance(F(price["free_units"]), part)
    begun = [
        ceil(max(units - free, 0) / F(price["package_size"])) for units in (part.before, part.after)
    ]
    return [part.cents((begun[1] - begun[0]) * F(price["package_amount"]))]


def allowance(units, part):
    return units if part.run_of_month == 1 else F(ceil(units * part.run_of_month))


def tiers_with_overage(price, part):
    tier = next(tier for tier in price["tiers"] if tier["name"] == price["chosen"])
    included = allowance(F(tier["allowance"]), part)
    beyond = [max(units - included, 0) for units in (part.before, part.after)]
    fee = F(tier["fee"]) * part.of_month
    return [
        part.cents(fee),
        part.cents((beyond[1] - beyond[0]) * F(tier.get("overage_amount", 0))),
    ]


def sold(terms, cost):
    if "markup" in terms:
        return cost * (1 + F(terms["markup"]))
    return cost / (1 - F(terms["gross_margin"]))


def fixed_margin(price, part):
    return [part.cents(sold(price, sum(cost for _, cost in part.days)))]


def graduated_margin(price, part):
    pieces, lines = above(price, part)
    bands = zip(price["bands"], pieces, strict=False)
    return [*lines, *(part.cents(sold(band, cost)) for band, (_, cost) in bands)]


RATES = {
    "per_unit": per_unit,
    "graduated": graduated,
    "volume": volume,
    "package": package,
    "tiers": tiers_with_overage,
    "tiers_with_overage": tiers_with_overage,
    "fixed_margin": fixed_margin,
    "graduated_margin": graduated_margin,
}


def bounds(terms, amount, share, currency):
    """Discount, then maximum, then minimum: the three amounts they add."""
    off = cents(-amount * F(terms["discount"]), currency)
    amount += off
    over = F(0)
    if terms["maximum"] is not None:
        over = min(cents(F(terms["maximum"]), currency) - amount, F(0))
    under = F(0)
    if F(terms["minimum"]):
        under = max(cents(F(terms["minimum"]) * share, currency) - amount - over, F(0))
    return off, over, under


def share(plan, first, until):
    return F(1) if plan["prorate"] == "none" else F(until - first, 31)


def run(stretches, number, position):
    """The first and the last stretch over which the price at that position stays the same."""
    same = [
        plan["prices"][position] == stretches[number][0]["prices"][position]
        and plan["prorate"] == stretches[number][0]["prorate"]
        for plan, _, _ in stretches
    ]
    first = last = number
    while first and same[first - 1]:
        first -= 1
    while last + 1 < len(same) and same[last + 1]:
        last += 1
    return first, last


def lines_of(stretches, number, position, usage):
    plan, first, until = stretches[number]
    price = plan["prices"][position]
    begun, ended = run(stretches, number, position)
    start = stretches[begun][1]
    of_meter = [(F(units), F(cost)) for units, cost in usage]
    part = Part(
        plan["currency"],
        of_meter[first - 1 : until - 1],
        sum((units for units, _ in of_meter[start - 1 : first - 1]), F(0)),
        begun == number,
        F(begun == number) if plan["prorate"] == "none" else share(plan, first, until),
        share(plan, start, stretches[ended][2]),
    )
    return RATES[price["kind"]](price, part)


def limits_of(stretches, number, position, usage, lines):
    """Differences of what is due over the days of the run so far."""
    plan, first, until = stretches[number]
    price, currency = plan["prices"][position], plan["currency"]
    begun, _ = run(stretches, number, position)
    start = stretches[begun][1]
    earlier = sum(sum(lines_of(stretches, n, position, usage)) for n in range(begun, number))
    was = bounds(price, earlier, share(plan, start, first), currency)
    now = bounds(price, earlier + sum(lines), share(plan, start, until), currency)
    if begun == number:
        return now
    return tuple(after - before for before, after in zip(was, now, strict=True))


def oracle(stretches, usage):
    """The sum of all lines; a stretch is (terms, first day, the day after its last)."""
    total = F(0)
    for number, (plan, first, until) in enumerate(stretches):
        of_plan = share(plan, first, until)
        lines = [cents(F(plan["monthly_fee"]) * of_plan, plan["currency"])]
        for position in range(len(plan["prices"])):
            own = lines_of(stretches, number, position, usage)
            lines += [*own, *limits_of(stretches, number, position, usage, own)]
        lines += bounds(plan, sum(lines), of_plan, plan["currency"])
        taxes = [cents(line * F(plan["tax"]["rate"]), plan["currency"]) for line in lines]
        total += sum(lines) + sum(taxes)
    return total


def texts(low, high, places):
    return st.decimals(low, high, places=places).map(lambda value: f"{value:f}")


money = texts("0", "90", 4)
margins = st.one_of(
    st.builds(lambda m: {"gross_margin": m}, texts("-0.5", "0.95", 3)),
    st.builds(lambda m: {"markup": m}, texts("-0.5", "3", 3)),
).map(lambda terms: {**terms, "allow_loss": True})
steps = st.fixed_dictionaries(
    {"unit_amount": texts("0", "2", 12), "flat_fee": money | st.just("0")}
)
limits = st.fixed_dictionaries(
    {
        "discount": st.just("0") | texts("0", "1", 3),
        "minimum": st.just("0") | texts("0", "300", 3),
        "maximum": st.none() | texts("300", "600", 3),
    }
)


@st.composite
def bands(draw, of, **terms):
    """Ascending bands, the last one closed or open."""
    widths = draw(st.lists(st.integers(1, 400), min_size=1, max_size=4))
    found, top = [], 0
    for width in widths:
        top += width
        found.append({"up_to": str(top), **draw(of)})
    if draw(st.booleans()):
        del found[-1]["up_to"]
    above_last = draw(st.sampled_from(["continue", "at_cost", "unpriced"]))
    return {"bands": found, "above_last": above_last, **{k: draw(v) for k, v in terms.items()}}


@st.composite
def ladder(draw, **more):
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    terms = {"fee": money, "allowance": texts("0", "900", 1), **more}
    found = [{"name": name, **draw(st.fixed_dictionaries(terms))} for name in names]
    return {"tiers": found, "chosen": draw(st.sampled_from(names))}


by_kind = {
    "per_unit": st.fixed_dictionaries({"unit_amount": texts("0", "2", 12)}),
    "graduated": bands(steps, flat_fee_when_unused=st.booleans()),
    "volume": bands(steps, flat_fee_when_unused=st.booleans()),
    "package": st.fixed_dictionaries(
        {
            "package_size": texts("0.5", "300", 1),
            "package_amount": money,
            "free_units": texts("0", "900", 1),
        }
    ),
    "tiers": ladder(),
    "tiers_with_overage": ladder(overage_amount=texts("0", "2", 12)),
    "graduated_margin": bands(margins),
    "fixed_margin": margins,
}


@st.composite
def prices(draw, meter):
    kind = draw(st.sampled_from(sorted(by_kind)))
    over = {"meters": [meter]} if kind == "fixed_margin" else {"meter": meter}
    return {"kind": kind, **over, **draw(by_kind[kind]), **draw(limits)}


@st.composite
def months(draw):
    """March under up to four plans, which may keep or change each of two prices and all terms."""
    edges = [1, *sorted(draw(st.sets(st.integers(2, 31), max_size=3))), AFTER]
    if draw(st.booleans()):
        edges = edges[1:] if len(edges) > 2 else edges  # a sign-up
    currency = draw(st.sampled_from(sorted(DIGITS)))
    found, kept = [], [draw(prices("sms")), draw(prices("mms"))]
    prorate = draw(st.sampled_from(["days", "days", "none"]))
    for first, until in pairwise(edges):
        kept = [
            price if draw(st.booleans()) else draw(prices(meter))
            for price, meter in zip(kept, ("sms", "mms"), strict=True)
        ]
        terms = {
            "currency": currency,
            "prices": kept,
            "prorate": prorate,
            "monthly_fee": draw(money | st.just("0")),
            "tax": {"name": "VAT", "rate": draw(st.just("0") | texts("0", "0.99", 4))},
            **draw(limits),
        }
        found.append((terms, first, until))
    return found


used = st.lists(
    st.tuples(st.just("0") | texts("0", "90", 3), texts("-3", "40", 5)), min_size=31, max_size=31
)


def plan_of(terms):
    return agreed(*terms["prices"], **{name: terms[name] for name in terms if name != "prices"})


@settings(max_examples=4 * settings.default.max_examples)
@given(months(), used)
def test_a_month_of_random_plans(plans, usage):
    found = [
        stretch(plan_of(terms), first, None if until == AFTER else until)
        for terms, first, until in plans
    ]
    assert F(rated(found, days(*usage)).total) == oracle(plans, usage)
