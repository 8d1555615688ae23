"""Draws rated together are, to the cent, what the engine asks for each of them by itself."""

from datetime import date
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.drawn import _goes_on, drawn_usage, rated_draws
from data.money import digits
from data.periods import DAY, days_between
from data.pricing import CreditLot, CreditLots, DayUsage, LineKind, total
from data.projection import DRAWS
from tests.bills import MARCH, agreed, credit_price, graduated, margin, overage, per_unit, tiers
from tests.outlooks import JANUARY, SETTLED, TODAY, ahead_of, billed, measured
from tests.terms import STRATEGIES, terms_of

ALL = [*STRATEGIES, CreditLots]
KINDS = [one.model_fields["kind"].default for one in ALL]
SAMPLE = range(0, DRAWS, 66)

figures = st.tuples(st.integers(0, 2**32), st.sampled_from([0, 1, 6, 40]), st.booleans()).map(
    lambda drawn: made(*drawn)
)
beyond = st.sampled_from(
    [{}, {"shortfall": "unpriced"}, {"shortfall": "overage_price", "overage_amount": "0.035"}]
)


def expiries(since):
    return st.one_of(st.none(), st.integers(1, 40).map(lambda n: since + DAY * n))


def made(seed, mean, halves):
    """79 days of a meter, some of them with half units."""
    random = np.random.default_rng(seed)
    units = random.poisson(mean, 79)
    return [D(int(one)) / (2 if halves and one % 3 else 1) for one in units]


def price_of(data, strategy):
    if strategy is CreditLots:
        grant = {"name": "monthly", "credits": "7", "units_per_credit": {"sms": "4"}, "price": "3"}
        recurring = data.draw(st.sampled_from([[], [grant]]))
        return credit_price(recurring=recurring, **data.draw(beyond))
    return data.draw(terms_of(strategy))


@st.composite
def lots(draw):
    return [
        CreditLot(
            f"lot-{n}",
            "pack",
            D(credits),
            {"sms": D("7.5")},
            D(10),
            date(2026, 2, 20) + DAY * 9 * n,
            draw(expiries(date(2026, 2, 20) + DAY * 9 * n)),
            created=n,
        )
        for n, credits in enumerate(draw(st.lists(st.integers(1, 90), max_size=4)))
    ]


def by_day(ahead, meters):
    """Each draw, a usage for every day to come."""
    days = list(days_between(ahead.first_day, ahead.period.end))
    units = ahead.by_day(meters, ahead.first_day, ahead.period.end)
    return [
        {
            meter: [
                DayUsage(day, D(int(units[meter][draw, n])).scaleb(-6))
                for n, day in enumerate(days)
            ]
            for meter in meters
        }
        for draw in range(DRAWS)
    ]


def each_by_the_engine(bill, ahead, rests):
    """(amount, overage, whether a bundle was exceeded) of the sampled draws."""
    end = ahead.settled_through + DAY
    for draw in SAMPLE:

        def used(plan, part, rest=rests[draw]):
            known = bill.priced[plan.id].usages(
                plan.meters_priced, part.start, max(min(part.end, end), part.start)
            )
            return {
                meter: usage.plus(day for day in rest.get(meter, []) if day.day in part)
                for meter, usage in known.items()
            }

        lines = bill.rate(ahead.period, used).lines
        over = [line for line in lines if line.kind is LineKind.OVERAGE]
        yield total(lines), total(over)


def together(bill, ahead):
    found = rated_draws(bill, ahead)
    unit = digits(found.currency)
    for draw in SAMPLE:
        amounts = (found.amounts[draw], found.overage[draw])
        yield tuple(D(int(one)).scaleb(-unit) for one in amounts)


def same(bill, ahead):
    plans = [stretch.plan for stretch in bill.stretches]
    meters = {meter for plan in plans for meter in plan.meters_priced}
    costs = any(plan.cost_based for plan in plans)
    rests = drawn_usage(bill, ahead) if costs else by_day(ahead, meters)
    assert list(together(bill, ahead)) == list(each_by_the_engine(bill, ahead, rests))


@pytest.mark.parametrize("strategy", ALL, ids=KINDS)
@settings(max_examples=25)
@given(data=st.data(), sms=figures, voice=figures, packs=lots())
def test_every_draw_costs_what_the_engine_asks_for(strategy, data, sms, voice, packs):
    terms = {
        "monthly_fee": data.draw(st.sampled_from(["0", "9.99"])),
        "currency": data.draw(st.sampled_from(["USD", "JPY", "KWD"])),
        "tax": data.draw(st.sampled_from([None, {"name": "VAT", "rate": "0.19"}])),
    }
    opened = data.draw(st.sampled_from([JANUARY, date(2026, 3, 9)]))
    plan = agreed(price_of(data, strategy), **terms)
    bill = billed(measured(sms, voice), (plan, opened), lots=packs)
    period = MARCH.clipped(max(opened, MARCH.start), None)
    same(bill, ahead_of(bill, period, data.draw(days)))


days = st.sampled_from([date(2026, 2, 27), date(2026, 3, 12), SETTLED, date(2026, 3, 31)])


@pytest.mark.parametrize("strategy", ALL, ids=KINDS)
@settings(max_examples=15)
@given(data=st.data(), sms=figures, packs=lots())
def test_every_draw_costs_what_the_engine_asks_for_over_a_change_of_plan(
    strategy, data, sms, packs
):
    first = agreed(price_of(data, strategy))
    other = data.draw(st.sampled_from(ALL))
    price = data.draw(st.sampled_from([first.prices[0].model_dump(mode="json"), None]))
    second = agreed(price or price_of(data, other), version=2, monthly_fee="4")
    changes = data.draw(st.sampled_from([date(2026, 3, 5), SETTLED + DAY, date(2026, 3, 24)]))
    bill = billed(measured(sms, sms), (first, JANUARY), (second, changes), lots=packs)
    same(bill, ahead_of(bill))


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        pytest.param(overage("small"), overage("large"), False, id="another tier"),
        pytest.param(overage("small"), overage("small"), True, id="the same tier"),
        pytest.param(credit_price(), credit_price(), False, id="credits without a price beyond"),
    ],
)
def test_the_engine_is_asked_only_where_a_price_goes_on(before, after, asked):
    plans = (agreed(before), JANUARY), (agreed(after, version=2), date(2026, 3, 24))
    bill = billed(measured([6] * 79), *plans)
    parts = bill.rated(MARCH, SETTLED).parts
    assert [_goes_on(part) for part in parts] == [asked, asked]


def test_limits_that_go_on_over_a_change_of_plan_ask_the_engine():
    limited = [agreed(per_unit(price), version=n, maximum="5") for n, price in ((1, "1"), (2, "2"))]
    bill = billed(measured([6] * 79), (limited[0], JANUARY), (limited[1], date(2026, 3, 24)))
    assert [_goes_on(part) for part in bill.rated(MARCH, SETTLED).parts] == [True, True]
    same(bill, ahead_of(bill))


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"maximum": "50"}, id="a maximum"),
        pytest.param({"minimum": "90"}, id="a minimum"),
        pytest.param({"discount": "0.1", "minimum": "52", "maximum": "60"}, id="all of them"),
    ],
)
def test_limits_bound_every_draw(terms):
    bill = billed(measured([6] * 79), (agreed(overage("medium"), **terms), JANUARY))
    ahead = ahead_of(bill)
    same(bill, ahead)
    amounts = rated_draws(bill, ahead).amounts
    assert amounts.min() >= D(terms.get("minimum", 0)) * 100
    assert amounts.max() <= D(terms.get("maximum", 10**9)) * 100


def test_without_a_plan_nothing_is_rated():
    bill = billed(measured([6] * 79))
    assert rated_draws(bill, ahead_of(bill)) is None


@pytest.mark.parametrize("price", [per_unit(), overage("small")], ids=["by the unit", "a tier"])
def test_more_use_never_costs_less(price):
    bill = billed(measured([9, 2, 7] * 26), (agreed(price), JANUARY))
    ahead = ahead_of(bill)
    order = np.argsort(ahead.courses["sms"].totals.values)
    assert (np.diff(rated_draws(bill, ahead).amounts[order]) >= 0).all()


@given(figures)
def test_no_day_uses_less_than_it_has_already(sms):
    bill = billed(measured(sms), (agreed(graduated()), JANUARY))
    one = ahead_of(bill).courses.get("sms")
    if one is None:
        return
    known = [one.moving.get(day, D(0)) for day in one.projection.days]
    least = [one.quantity.values[:, n].min() for n in range(len(known))]
    assert all(
        D(int(units)).scaleb(-one.quantity.scale) >= floor
        for units, floor in zip(least, known, strict=True)
    )


def test_no_day_costs_less_than_it_has_already():
    dear = measured([10] * 79)
    dear.cost["sms"][TODAY] = D("5")
    bill = billed(dear, (agreed(margin(markup="0", meters=["sms"])), JANUARY))
    one = ahead_of(bill).courses["sms"]
    assert one.cost.values[:, 3].min() >= 5_000_000


def test_units_ahead_cost_what_they_cost_of_late():
    usage = measured([10] * 79)
    for n in range(28):
        usage.cost["sms"][SETTLED - DAY * n] = D("0.2")
    bill = billed(usage, (agreed(margin(markup="0", meters=["sms"])), JANUARY))
    assert ahead_of(bill).courses["sms"].unit_cost == D("0.02")


def test_a_settled_period_has_one_course():
    bill = billed(measured([10] * 79), (agreed(tiers("small")), JANUARY))
    ahead = ahead_of(bill, settled=date(2026, 3, 31))
    assert set(ahead.courses["sms"].totals.values) == {200_000_000}


def test_figures_beyond_64_bits_stay_whole():
    bill = billed(measured([10**14] * 79), (agreed(per_unit("0.01")), JANUARY))
    ahead = ahead_of(bill)
    assert rated_draws(bill, ahead).amounts.min() >= 20 * 10**14
    same(bill, ahead)
