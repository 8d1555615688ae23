"""Downloads: exact numbers, plain names, nothing that a spreadsheet would run."""

import csv
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from io import StringIO

import pytest

from dashboard.exports import (
    Table,
    as_csv,
    file_name,
    staff_lines,
    statement_lines,
    usage_by_category,
    usage_by_day,
)
from data.overview import MeterSeries
from data.periods import period_of
from data.pricing import Line, LineKind
from data.projection.unusual import UnusualDay
from data.statement import Part, StaffStatement, Statement, StatementLine, Status
from data.usage import CategorySeries

NOVEMBER = period_of(date(2026, 11, 1))
DAYS = (date(2026, 11, 1), date(2026, 11, 2))


def read(table: Table) -> list[list[str]]:
    return list(csv.reader(StringIO(as_csv(table).decode("utf-8-sig"))))


def meter(events_unit: str = "messages") -> MeterSeries:
    return MeterSeries(
        meter="sms",
        label="SMS",
        unit="SMS segments",
        events_unit=events_unit,
        days=DAYS,
        quantities=(D("3.000000"), D("0.5")),
        events=(D(2), D(0)),
        previous=(D(7),),
        previous_events=(D(7),),
        quantity=D("3.5"),
        previous_quantity=D(7),
    )


def bill() -> Statement:
    lines = (
        StatementLine(LineKind.FEE, "small", D("49.99"), "sms", "SMS segments", D(1), D("49.99")),
        StatementLine(LineKind.OVERAGE, "Overage", D("1.50"), "sms", "units", D(3), D("0.50")),
    )
    part = Part("Plan · Small", NOVEMBER.start, NOVEMBER.end, 30, lines)
    return Statement("USD", NOVEMBER, Status.OPEN, (part,))


def test_numbers_are_exact_and_without_grouping():
    table = Table(("a",), ((D("1234567.890000"),), (D("0E-6"),), (D("1E+3"),)))
    assert read(table)[1:] == [["1234567.89"], ["0"], ["1000"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\n=1", "＝1", "＠x"])
def test_text_that_looks_like_a_formula_is_defused_in_cells_and_heads(text):
    assert read(Table((text,), ((text,),))) == [[f"'{text}"], [f"'{text}"]]


def test_a_negative_number_stays_a_number():
    assert read(Table(("a",), ((D("-1.5"),),)))[1] == ["-1.5"]


def test_text_with_quotes_commas_and_lines_survives():
    text = 'a "b", c\nd'
    assert read(Table(("a",), ((text,),)))[1] == [text]


def test_a_file_name_is_plain_whatever_the_words_hold():
    assert file_name("Usage", "a/b\\..", "2026-11-01", "") == "usage-a-b-2026-11-01.csv"


def test_usage_by_day_has_units_events_the_day_before_and_whether_it_settled():
    rows = read(usage_by_day(meter(), DAYS[0]))
    assert rows[0][1:3] == ["SMS segments", "Messages"]
    assert rows[1] == ["2026-11-01", "3", "2", "7", "settled"]
    assert rows[2] == ["2026-11-02", "0.5", "0", "", "settling"]


def test_an_unusual_day_says_what_is_usual():
    spike = UnusualDay(DAYS[0], D(1240), D(200), D(600))
    rows = read(usage_by_day(replace(meter(), unusual=(spike,)), DAYS[1]))
    assert [row[-1] for row in rows[1:]] == ["settled, unusual (usually 200 – 600)", "settled"]


def test_events_that_are_the_billed_units_are_not_said_twice():
    assert len(usage_by_day(meter("SMS segments"), DAYS[0]).columns) == 4


def test_usage_by_category_stops_at_the_last_day_shown():
    one = CategorySeries("in", "Inbound", "minutes", DAYS, (D(1), D(2)), (D(1), D(1)), D(3))
    rows = read(usage_by_category((one,), DAYS[0]))
    assert rows == [["Day (UTC)", "Inbound (minutes)"], ["2026-11-01", "1"]]


def test_a_statement_foots_to_its_total():
    table = statement_lines(bill())
    at = table.columns.index("Amount")
    amounts = [row[at] for row in table.rows]
    assert sum(amounts[:-1]) == amounts[-1] == bill().total


def test_a_customers_statement_has_no_column_for_cost():
    assert not [name for name in statement_lines(bill()).columns if "ost" in name]


def test_the_staffs_statement_has_cost_beside_amount():
    line = Line(LineKind.USAGE, "Usage", D("103.09"), cost=D("100.00"))
    own = StaffStatement(D("103.09"), "USD", D(100), "USD", D("0.03"), (line,))
    rows = read(staff_lines(own, NOVEMBER))
    assert rows[1][4:] == ["103.09", "USD", "100", "USD"]
    assert rows[-1][2] == "Total"
