"""Columns of usage make the lines that the engine makes of each row by itself."""

import subprocess
import sys
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.errors import InputError, InvalidTerms
from data.money import digits
from data.pricing import ALL_USAGE, Basis, CreditLots, DayUsage, Usage
from data.pricing import bulk as bulk_module
from data.pricing.bulk import Column, UsageColumns, column, rate_rows
from data.pricing.paths import Rows
from tests.bills import MARCH, OVERAGE_TIERS, SIGN_UP, TIERS, agreed, per_unit, steps
from tests.terms import STRATEGIES, limits, money, terms_of

KINDS = [one.model_fields["kind"].default for one in STRATEGIES]
LIMITS = {"discount": "0.15", "minimum": "12", "maximum": "250"}

units = st.one_of(
    st.integers(0, 900).map(D),
    st.decimals("0", "900", places=3),
    st.sampled_from([D(0), D(10**15), D(10**15) - D("0.000001")]),
)
costs = st.one_of(st.decimals("-3", "40", places=5), st.sampled_from([D(0), D("0.005"), D("0.1")]))
rows_of_usage = st.lists(st.tuples(units, costs), min_size=1, max_size=6)


def columns(figures):
    return UsageColumns(column(one for one, _ in figures), column(one for _, one in figures))


def in_bulk(plan, usage, period=MARCH, **terms):
    """By row: (kind, label, meter, quantity, amount) of each line, and the totals."""
    unit = digits(plan.currency)
    found, totals = {}, []
    for part in rate_rows(plan, usage, period, **terms):
        totals += [D(int(one)).scaleb(-unit) for one in part.totals]
        for line in part.lines:
            for n, row in enumerate(line.rows):
                quantity = line.quantities and line.quantities.figure(n)
                amount = D(int(line.amounts[n])).scaleb(-unit)
                found.setdefault(int(row), []).append(
                    (line.kind, line.label, line.meter, quantity, amount)
                )
    return [found.get(row, []) for row in range(len(totals))], totals


def one_by_one(plan, usage, period=MARCH):
    basis = Basis(plan.currency, period, plan.prorate == "days")
    found = []
    for row in range(len(next(iter(usage.values())).quantity.values)):
        by_meter = {
            meter: one.before.plus(
                [DayUsage(MARCH.start, one.quantity.figure(row), one.cost.figure(row))]
            )
            for meter, one in usage.items()
        }
        found.append(plan.rate(by_meter, basis))
    return [
        [(one.kind, one.label, one.meter, one.quantity, one.amount) for one in lines]
        for lines in found
    ], [sum((one.amount for one in lines), D(0)) for lines in found]


def same(plan, *figures, **terms):
    meters = dict.fromkeys((*plan.meters_priced, "sms"))
    usage = {meter: columns(figures[n % len(figures)]) for n, meter in enumerate(meters)}
    assert in_bulk(plan, usage, **terms) == one_by_one(plan, usage)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=KINDS)
@given(data=st.data())
def test_every_strategy_makes_the_lines_of_the_engine(strategy, data):
    currency = data.draw(st.sampled_from(["USD", "JPY", "KWD"]))
    plan = agreed(data.draw(terms_of(strategy)), currency=currency)
    same(plan, data.draw(rows_of_usage), chunk=data.draw(st.integers(1, 7)))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=KINDS)
@given(data=st.data(), before=st.lists(st.tuples(units, costs), max_size=4), fee=money)
def test_days_before_and_parts_of_a_period_make_the_lines_of_the_engine(
    strategy, data, before, fee
):
    period = data.draw(st.sampled_from([MARCH, SIGN_UP]))
    prorate = data.draw(st.sampled_from(["days", "none"]))
    plan = agreed(data.draw(terms_of(strategy)), prorate=prorate, monthly_fee=fee, minimum="12")
    drawn = columns(data.draw(rows_of_usage))
    known = Usage(tuple(DayUsage(MARCH.start, *figures) for figures in before))
    usage = {
        meter: UsageColumns(drawn.quantity, drawn.cost, known)
        for meter in dict.fromkeys((*plan.meters_priced, "sms"))
    }
    assert in_bulk(plan, usage, period) == one_by_one(plan, usage, period)


@given(
    data=st.data(),
    fee=money,
    bounds=limits,
    rate=st.decimals("0", "0.9", places=3),
    figures=rows_of_usage,
)
def test_a_plan_of_several_prices_with_fee_limits_and_tax(data, fee, bounds, rate, figures):
    kinds = [one for one in STRATEGIES if one.model_fields["kind"].default != "fixed_margin"]
    prices = [
        {**data.draw(terms_of(data.draw(st.sampled_from(kinds)))), "meter": meter}
        for meter in ("sms", "voice")
    ]
    tax = {"name": "VAT", "rate": str(rate)}
    same(agreed(*prices, monthly_fee=fee, tax=tax, **bounds), figures, figures[::-1])


@pytest.mark.parametrize("strategy", STRATEGIES, ids=KINDS)
def test_a_strategy_without_a_path_is_rated_by_the_engine(strategy, monkeypatch):
    figures = [(D(0), D(0)), (D("0.5"), D(1)), (D(0), D(-2)), (D(450), D("4.505"))]
    plan = agreed({**strategy.example, **LIMITS}, tax={"name": "VAT", "rate": "0.19"})
    same(plan, figures)
    monkeypatch.setattr(bulk_module, "PATHS", {})
    same(plan, figures)


def test_the_examples_of_tiers_are_billed_as_they_are_written():
    for quantity, chosen, total in ((130, 0, "64.99"), (250, 1, "74.99"), (450, 2, "80.99")):
        plan = agreed(
            {
                "kind": "tiers_with_overage",
                "meter": "sms",
                "chosen": TIERS[chosen]["name"],
                "tiers": OVERAGE_TIERS,
            }
        )
        assert in_bulk(plan, {"sms": UsageColumns(column([D(quantity)]))})[1] == [D(total)]


@pytest.mark.parametrize(
    ("price", "figures"),
    [
        pytest.param(per_unit("0.000000000005"), [(10**15, 0), (10**9, 0)], id="12 decimals"),
        pytest.param(per_unit("0.005"), [(1, 0), (3, 0), (5, 0)], id="half a cent"),
        pytest.param(per_unit("1" + "0" * 20), [(10**15, 0)], id="beyond 64 bits"),
        pytest.param(per_unit("1" + "0" * 29), [(3, 0)], id="terms beyond what is proven"),
        pytest.param(per_unit("0." + "3" * 25), [(3, 0)], id="terms finer than is proven"),
        pytest.param(per_unit(), [(-5, 0), (7, 0)], id="a quantity below nothing"),
        pytest.param(per_unit(), [(2**62, 0), (2**63 - 1, 0)], id="the largest of 64 bits"),
        pytest.param(
            steps({"up_to": "1" + "0" * 25, "unit_amount": "1"}, {"unit_amount": "2"}),
            [(5, 0), (10**26, 0)],
            id="a band beyond 64 bits",
        ),
        pytest.param(
            {"kind": "fixed_margin", "gross_margin": "0.5"},
            [(0, "0.0025"), (0, "-0.0025")],
            id="half away from zero on both sides",
        ),
        pytest.param(
            {
                "kind": "graduated_margin",
                "meter": "sms",
                "bands": [{"up_to": "1", "markup": "0.755"}, {"markup": "0"}],
            },
            [(3, "1"), (3, "-1"), (3, "1.000000000000000001"), (7, "0.3")],
            id="a third of the cost at half a cent",
        ),
    ],
)
def test_extreme_figures(price, figures):
    meters = {**price, "meters": ["sms"]} if price["kind"] == "fixed_margin" else price
    same(agreed(meters), [(D(units), D(cost)) for units, cost in figures])


@example(share=D(1) / 3)
@given(share=st.decimals("0.1", "1", places=20))
def test_bands_of_margins_round_as_the_engine_does(share):
    price = {
        "kind": "graduated_margin",
        "meter": "sms",
        "bands": [{"up_to": "1", "markup": "0.755"}, {"up_to": "11", "markup": "0.5"}],
        "above_last": "at_cost",
    }
    figures = [
        (D(units), (cost * share).quantize(D("0.001")))
        for units in (3, 9, 13, 21, 30)
        for cost in (D("0.1"), D(1), D(7))
    ]
    same(agreed(price), figures)


def test_a_meter_without_columns_was_not_used():
    plan = agreed(per_unit(), per_unit(meter="voice"))
    lines, totals = in_bulk(plan, {"sms": UsageColumns(column([D(250)]))})
    assert ([line[2] for line in lines[0]], totals) == (["sms"], [D("3.00")])


def test_columns_of_another_price_do_not_count():
    plan = agreed({"kind": "fixed_margin", "markup": "0"})
    usage = {ALL_USAGE: columns([(D(0), D(5))]), "sms": columns([(D(1), D(3))])}
    assert in_bulk(plan, usage)[1] == [D(5)]


def test_credits_are_refused_by_name():
    plan = agreed(CreditLots.example)
    with pytest.raises(InvalidTerms, match="credit_lots"):
        list(rate_rows(plan, {"sms": UsageColumns(column([D(1)]))}, MARCH))


@pytest.mark.parametrize(
    ("usage", "period", "reason"),
    [
        pytest.param({}, MARCH, r"^the columns must have", id="no columns"),
        pytest.param(
            {"sms": UsageColumns(column([D(1)]), column([D(1), D(2)]))},
            MARCH,
            r"^the columns must have",
            id="unequal columns",
        ),
        pytest.param(
            {"sms": UsageColumns(Column(np.array([1.5])))},
            MARCH,
            r"^figures must be",
            id="binary fractions",
        ),
        pytest.param(
            {"sms": UsageColumns(Column(np.array([1]), -2))},
            MARCH,
            r"Python's integers, at a scale of 0 or more$",
            id="a scale below 0",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(usage, period, reason):
    with pytest.raises(InputError, match=reason):
        list(rate_rows(agreed(per_unit()), usage, period))


def test_memory_is_bounded_by_the_chunk():
    usage = {"sms": UsageColumns(Column(np.arange(100)))}
    parts = list(rate_rows(agreed(per_unit()), usage, MARCH, chunk=30))
    assert [(part.first, len(part.totals)) for part in parts] == [
        (0, 30),
        (30, 30),
        (60, 30),
        (90, 10),
    ]


def test_amounts_are_64_bit_wherever_they_fit():
    plan = agreed(per_unit("0.000000000001"))
    (part,) = rate_rows(plan, {"sms": UsageColumns(column([D(10**15)]))}, MARCH)
    assert (part.totals.dtype, part.lines[0].amounts.dtype) == (np.int64, np.int64)


def test_the_price_engine_is_imported_without_numpy():
    code = "import sys, data.pricing; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


BEYOND = steps({"up_to": str(10**28), "unit_amount": "1"}, {"unit_amount": "2"})


@pytest.mark.parametrize(
    ("terms", "units", "cost", "asked"),
    [
        pytest.param(per_unit(), "5", "1", False, id="everyday figures"),
        pytest.param(per_unit("0.0001"), str(10**28 - 1), "0", False, id="the largest quantity"),
        pytest.param(per_unit(), str(10**28), "0", True, id="a larger one"),
        pytest.param(per_unit(), "1E-18", "0", False, id="the finest quantity"),
        pytest.param(per_unit(), "1E-19", "0", True, id="a finer one"),
        pytest.param(per_unit(), "0", str(-(10**28)), True, id="a larger cost"),
        pytest.param(per_unit(), "0", "-1", False, id="a cost below nothing"),
        pytest.param(per_unit(), "-1", "0", True, id="a quantity below nothing"),
        pytest.param(per_unit(str(10**28 - 1)), "0.001", "1", False, id="the largest term"),
        pytest.param(per_unit(str(10**28)), "0.001", "1", True, id="a larger term"),
        pytest.param(per_unit("1E-18"), "5", "1", False, id="the finest term"),
        pytest.param(per_unit("1E-19"), "5", "1", True, id="a finer term"),
        pytest.param(BEYOND, "5", "1", True, id="a band of a larger term"),
    ],
)
def test_the_engine_is_asked_where_only_it_can_tell(terms, units, cost, asked, monkeypatch):
    rows, lines = [], Rows.lines
    monkeypatch.setattr(
        Rows, "lines", lambda one, price, row: rows.append(row) or lines(one, price, row)
    )
    same(agreed(terms), [(D(0), D(2)), (D(units), D(cost))])
    assert rows == ([0, 1] if asked else [])


def test_a_price_that_the_engine_rates_leaves_the_next_one_to_its_path():
    plan = agreed(per_unit("1E-19"), per_unit(meter="voice"), per_unit(meter="mms"), **LIMITS)
    same(plan, [(D(7), D(2)), (D(0), D(1))], [(D(400), D(2)), (D(3), D(1))])


def test_one_row_below_nothing_leaves_another_price_alone(monkeypatch):
    monkeypatch.setattr(Rows, "lines", None)
    plan = agreed(per_unit())
    usage = {"sms": columns([(D(7), D(2))]), "voice": columns([(D(-7), D(2))])}
    assert in_bulk(plan, usage)[1] == [D("0.08")]


@pytest.mark.parametrize(
    ("limits", "currency"),
    [
        pytest.param({"maximum": str(10**25)}, "USD", id="a maximum beyond 64 bits"),
        pytest.param({"minimum": str(10**25)}, "USD", id="a minimum beyond 64 bits"),
        pytest.param({"discount": "1"}, "USD", id="nothing left"),
        pytest.param({"discount": "0.005"}, "USD", id="half a cent off"),
        pytest.param({"maximum": "0"}, "JPY", id="a maximum of nothing"),
        pytest.param({"maximum": "3", "minimum": "3"}, "KWD", id="always the same"),
        pytest.param({"discount": "0.5", "maximum": "2", "minimum": "1"}, "USD", id="all of them"),
    ],
)
def test_limits_of_a_price_and_of_a_plan_are_those_of_the_engine(limits, currency):
    figures = [(D(0), D(0)), (D(1), D(0)), (D(3), D(0)), (D(500), D(0))]
    tax = {"name": "VAT", "rate": "0.075"}
    same(agreed(per_unit("1", **limits), currency=currency, tax=tax), figures)
    same(agreed(per_unit("1"), currency=currency, tax=tax, **limits), figures)


@pytest.mark.parametrize(
    ("figures", "scale"),
    [
        pytest.param(["250", "3"], 0, id="whole ones"),
        pytest.param(["250.5", "3"], 1, id="a half among them"),
    ],
)
def test_whole_quantities_of_a_chunk_are_counted_in_whole_units(figures, scale):
    usage = {"sms": UsageColumns(column([*map(D, figures), D("0.5")]))}
    part = next(rate_rows(agreed(per_unit("1")), usage, MARCH, chunk=2))
    assert part.lines[0].quantities.scale == scale
    assert [part.lines[0].quantities.figure(n) for n in (0, 1)] == [*map(D, figures)]


def test_lines_stand_at_the_rows_of_what_was_given():
    plan = agreed(per_unit("1"))
    usage = {"sms": UsageColumns(column(map(D, [0, 5, 6, 0, 7])))}
    rows = [
        list(line.rows) for part in rate_rows(plan, usage, MARCH, chunk=2) for line in part.lines
    ]
    assert rows == [[1], [2], [4]]


def test_rows_are_numbered_in_64_bits():
    (part,) = rate_rows(agreed(per_unit("1")), {"sms": UsageColumns(column([D(1)]))}, MARCH)
    assert part.lines[0].rows.dtype == np.int64


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(Column(np.array([1, 2], dtype=np.int32)), id="32 bits"),
        pytest.param(Column(np.array([1.0, 2.0]), 1), id="binary fractions at a scale"),
    ],
)
def test_the_cost_must_be_whole_numbers_too(figures):
    usage = {"sms": UsageColumns(column([D(1), D(2)]), figures)}
    with pytest.raises(InputError, match=r"^figures must be int64 or Python's integers"):
        list(rate_rows(agreed(per_unit()), usage, MARCH))
