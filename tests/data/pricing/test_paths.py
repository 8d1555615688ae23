"""Each path of many rows says what its strategy's `rate` says of one."""

from decimal import Decimal as D

import numpy as np
import pytest

from data.pricing import ALL_USAGE, Basis, DayUsage, Usage
from data.pricing.columns import Column, column
from data.pricing.paths import PATHS, Rows, UsageColumns
from tests.bills import (
    MARCH,
    agreed,
    graduated,
    margin,
    overage,
    package,
    per_unit,
    steps,
    tiers,
    volume,
)

INT, BIG = np.dtype(np.int64), np.dtype(np.object_)
CLOSED = [{"up_to": "100", "unit_amount": "0.02"}, {"up_to": "300", "unit_amount": "0.01"}]
WITH_FEES = [
    {"up_to": "100", "unit_amount": "0.02", "flat_fee": "3"},
    {"up_to": "300.5", "unit_amount": "0"},
    {"unit_amount": "0.005", "flat_fee": "2.5"},
]
FIGURES = [
    (0, 0),
    (0, "1.25"),
    ("0.5", "0.3"),
    (1, 0),
    (100, "-2.004"),
    ("100.5", "7"),
    (101, "7.7"),
    (300, "3"),
    ("300.5", "3"),
    (301, "12.3456"),
    (1000, "40"),
    (2500, 1),
]


def rows_of(*figures, meters=("sms", "voice", ALL_USAGE), currency="USD"):
    """Rows with these units and costs of every meter; each meter begins at another of them."""
    usage = {}
    for n, meter in enumerate(meters):
        turned = [*figures[n:], *figures[:n]]
        quantity, cost = ([D(one[which]) for one in turned] for which in (0, 1))
        usage[meter] = UsageColumns(column(quantity), column(cost))
    return Rows(usage, len(figures), Basis(currency, MARCH))


def strategy(terms):
    return agreed(terms).prices[0]


def by_path(price, rows):
    """By row: kind, label, meter, quantity and smallest units of each line."""
    found = [[] for _ in range(rows.size)]
    for piece in PATHS[type(price)](price, rows):
        amounts = np.broadcast_to(piece.amounts, rows.size)
        for row in np.flatnonzero(piece.where):
            quantity = piece.quantities and piece.quantities.figure(row)
            line = (piece.kind, piece.label, piece.meter, quantity, int(amounts[row]))
            found[row].append(line)
    return found


def by_rate(price, rows):
    found = []
    for row in range(rows.size):
        usage = {
            meter: Usage((DayUsage(MARCH.start, one.quantity.figure(row), one.cost.figure(row)),))
            for meter, one in rows.usage.items()
        }
        lines = price.rate(usage, rows.basis)
        found.append(
            [
                (one.kind, one.label, one.meter, one.quantity, int(one.amount.scaleb(rows.digits)))
                for one in lines
            ]
        )
    return found


PRICES = [
    pytest.param(per_unit("0.0125"), id="by the unit"),
    pytest.param(package("100", "5.005"), id="packages"),
    pytest.param(package("10.5", "0.75", free="100.25"), id="packages beyond free units"),
    pytest.param(package("10", "0.75", free="100"), id="packages beyond whole free units"),
    pytest.param(tiers("medium"), id="a tier"),
    pytest.param(overage("small"), id="a tier with overage"),
    pytest.param(margin(gross_margin="0.03"), id="a margin over all usage"),
    pytest.param(margin(markup="0.5", meters=["voice"]), id="a margin over one meter"),
    pytest.param(margin(markup="0.5", meters=["sms", "voice"]), id="a margin over two meters"),
    pytest.param(steps(), id="steps"),
    pytest.param(steps(*WITH_FEES), id="steps with fees"),
    pytest.param(steps(*WITH_FEES, flat_fee_when_unused=True), id="steps with a fee in any case"),
    pytest.param(steps(*CLOSED, above_last="continue"), id="steps that go on"),
    pytest.param(steps(*CLOSED, above_last="at_cost"), id="steps, then at cost"),
    pytest.param(steps(*CLOSED, above_last="unpriced"), id="steps, then no price"),
    pytest.param(volume(), id="volume"),
    pytest.param(volume(*WITH_FEES), id="volume with fees"),
    pytest.param(volume(*WITH_FEES, flat_fee_when_unused=True), id="volume, a fee in any case"),
    pytest.param(volume(*CLOSED, above_last="continue"), id="volume that goes on"),
    pytest.param(volume(*CLOSED, above_last="at_cost"), id="volume, then at cost"),
    pytest.param(volume(*CLOSED, above_last="unpriced"), id="volume, then no price"),
    pytest.param(graduated(above_last="continue"), id="margins that go on"),
    pytest.param(graduated(above_last="at_cost"), id="margins, then at cost"),
    pytest.param(graduated(above_last="unpriced"), id="margins, then no price"),
]


@pytest.mark.parametrize("terms", PRICES)
@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_a_path_makes_the_lines_of_its_strategy(terms, currency):
    price, rows = strategy(terms), rows_of(*FIGURES, currency=currency)
    assert by_path(price, rows) == by_rate(price, rows)


@pytest.mark.parametrize("terms", PRICES)
def test_the_first_unit_of_a_band_counts(terms):
    price, rows = strategy(terms), rows_of((1, 1), (101, 2), (201, 3), (301, 4), (1001, 5))
    assert by_path(price, rows) == by_rate(price, rows)


@pytest.mark.parametrize("terms", PRICES)
def test_small_figures_stay_in_64_bits(terms):
    pieces = list(PATHS[type(strategy(terms))](strategy(terms), rows_of((1, "1.3"), (700, "11"))))
    arrays = [one.amounts for one in pieces if not isinstance(one.amounts, int)]
    arrays += [one.quantities.values for one in pieces if one.quantities]
    assert {one.dtype for one in arrays} == {INT}


@pytest.mark.parametrize("terms", PRICES)
def test_the_engine_is_not_asked_where_a_quotient_is_far_from_a_half(terms, monkeypatch):
    monkeypatch.setattr(Rows, "lines", None)
    price, rows = strategy(terms), rows_of((0, 0), (50, "1.3"), (200, "7"), (700, "11"))
    assert by_path(price, rows) == by_rate(price, rows)


def asked_of_the_engine(figures, monkeypatch):
    """The rows that a margin of half the cost, up to one unit, leaves to the engine."""
    asked, lines = [], Rows.lines
    monkeypatch.setattr(
        Rows, "lines", lambda rows, price, row: asked.append(row) or lines(rows, price, row)
    )
    price = strategy(graduated({"up_to": "1", "markup": "0"}, above_last="unpriced"))
    rows = rows_of(*figures)
    assert by_path(price, rows) == by_rate(price, rows)
    return asked


def test_the_engine_rounds_a_shared_cost_at_half_a_cent(monkeypatch):
    figures = [(2, "0.01"), (2, "0.02"), (3, "0.045"), (3, "-0.045"), (3, "0.0449")]
    assert asked_of_the_engine(figures, monkeypatch) == [0, 2, 3]


def test_a_cost_that_is_not_shared_is_nobodys_question(monkeypatch):
    assert asked_of_the_engine([(1, "0.005"), (1, "0.015")], monkeypatch) == []


def test_beyond_64_bits_halves_are_found_too(monkeypatch):
    figures = [(2, "9" * 20 + ".01"), (2, "9" * 20 + ".02")]
    assert asked_of_the_engine(figures, monkeypatch) == [0]


def test_quantities_are_at_a_scale_at_which_terms_are_whole():
    found = rows_of((5, 0), (7, 0)).quantity("sms", D("0.25"), D("1.5"))
    assert (list(found.values), found.scale, found.values.dtype) == ([500, 700], 2, INT)


def test_quantities_are_objects_where_a_term_is_too_large():
    found = rows_of((5, 0)).quantity("sms", D(1), D(2**62))
    assert (found.values.dtype, found.scale) == (BIG, 0)


def test_a_meter_without_columns_has_no_units_and_no_cost():
    rows = rows_of((5, 1), (7, 1), meters=("sms",))
    units, cost = rows.quantity("voice", D("0.5")), rows.cost("voice")
    assert ([*units.values], units.scale) == ([0, 0], 1)
    assert ([*cost.values], cost.scale) == ([0, 0], 0)


def test_units_without_a_column_of_costs_cost_nothing():
    rows = Rows({"sms": UsageColumns(column([D(5)]))}, 1, Basis("USD", MARCH))
    assert [*rows.cost("sms").values] == [0]


@pytest.mark.parametrize(
    ("currency", "amount", "found"),
    [("USD", "0.125", 13), ("JPY", "2.5", 3), ("KWD", "1.2345", 1235), ("USD", "-0.125", -13)],
)
def test_money_is_rounded_to_smallest_units_half_away_from_zero(currency, amount, found):
    assert rows_of((0, 0), currency=currency).money(D(amount)) == found


def test_the_lines_of_a_row_are_the_engines_with_the_limits_of_the_price():
    price = strategy(per_unit("1", meter="voice", discount="0.5"))
    quantity = Column(np.array([30, 55]), 1)
    rows = Rows({"voice": UsageColumns(quantity)}, 2, Basis("USD", MARCH))
    found = [(one.amount, one.quantity) for one in rows.lines(price, 1)]
    assert found == [(D("5.50"), D("5.5")), (D("-2.75"), None)]


def test_a_line_is_counted_in_smallest_units():
    rows = rows_of((5, 0))
    (line,) = rows.lines(strategy(per_unit("0.25")), 0)
    assert rows.smallest_units(line) == 125
