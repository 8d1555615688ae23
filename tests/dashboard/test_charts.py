"""Laws every chart keeps: empty, one and many points, both modes, alternative text, a table."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D

import pytest

from dashboard.brand import BACKGROUND, contrast
from dashboard.charts import adds_up, category_days, daily_usage, look, running_total, sync_requests
from dashboard.charts.theme import TINTS
from dashboard.exports import usage_by_category, usage_by_day
from dashboard.views.sync_lists import runs_table
from data.outlook import Range
from data.overview import MeterSeries
from data.periods import period_of
from data.sync_history import Run
from data.usage import CategorySeries

NOVEMBER = period_of(date(2026, 11, 1))
SETTLED = date(2026, 11, 17)
ACCENT = {"light": "#0b7a75", "dark": "#1fa598"}
POINTS = {"empty": (), "one": (5,), "zeros": (0, 0, 0), "many": tuple(range(30))}


def series(values, previous=()) -> MeterSeries:
    numbers = tuple(D(value) for value in values)
    return MeterSeries(
        meter="sms",
        label="SMS",
        unit="SMS segments",
        events_unit="messages",
        days=_days(len(numbers)),
        quantities=numbers,
        events=numbers,
        previous=tuple(D(value) for value in previous),
        previous_events=tuple(D(value) for value in previous),
        quantity=sum(numbers, D(0)),
        previous_quantity=None,
    )


def category(name: str, values) -> CategorySeries:
    numbers = tuple(D(value) for value in values)
    days, total = _days(len(numbers)), sum(numbers, D(0))
    return CategorySeries(name, name.title(), "minutes", days, numbers, numbers, total)


def _days(many: int) -> tuple[date, ...]:
    return tuple(NOVEMBER.start + timedelta(days=n) for n in range(many))


def _daily(values, colours):
    return daily_usage(series(values, values), NOVEMBER, SETTLED, colours)


def _added_up(values, colours):
    expected, included = Range(D(80), D(90), D(99)), D(100)
    one = series(values)
    return running_total(*(one, NOVEMBER, SETTLED, colours), allowance=included, expected=expected)


def _parts(values, colours):
    parts = tuple(category(name, values) for name in ("inbound", "outbound"))
    return category_days(parts, NOVEMBER, SETTLED, colours, previous=series(values).quantities)


def _daily_table(values):
    return usage_by_day(series(values), SETTLED)


def _parts_table(values):
    parts = tuple(category(name, values) for name in ("inbound", "outbound"))
    return usage_by_category(parts, NOVEMBER.last_day)


def sync_runs(values) -> list[Run]:
    """A run a day, with so many requests, two of them refused and one lost."""
    begun = [datetime.combine(day, time(6), UTC) for day in _days(len(values))]
    return [
        Run(
            *(n, at, at + timedelta(seconds=9), "ok", 2, asked, asked, 0),
            *({"200": max(asked - 3, 0), "429": min(asked, 2), "timeout": 1}, 10, 0),
            *(D("0.5"), 4, None, None, None),
        )
        for n, (at, asked) in enumerate(zip(begun, values, strict=True))
    ]


def _requests(values, colours):
    return sync_requests(sync_runs(values), colours)


def _requests_table(values):
    return runs_table(sync_runs(values)[::-1])  # as they are read: newest first


CHARTS = {
    "sync_requests": (_requests, _requests_table),
    "daily_usage": (_daily, _daily_table),
    "running_total": (_added_up, _daily_table),
    "category_days": (_parts, _parts_table),
}


@pytest.fixture(params=["light", "dark"])
def mode(request):
    return request.param


@pytest.fixture(params=CHARTS)
def drawn(request, mode):
    chart, table = CHARTS[request.param]
    return lambda values: (chart(values, look(mode, ACCENT[mode])), table(values))


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_a_chart_draws_any_number_of_points(drawn, points):
    chart, _ = drawn(points)
    assert json.loads(chart.figure.to_json())["data"]


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_a_chart_has_a_sentence_for_those_who_cannot_see_it(drawn, points):
    chart, _ = drawn(points)
    assert chart.alt.endswith(".")
    assert len(chart.alt) > 20


def test_a_chart_with_nothing_in_it_says_so(mode):
    for draw in (_daily, _parts):
        shape = draw((), look(mode, ACCENT[mode])).figure.to_plotly_json()["layout"]
        assert shape["annotations"][0]["text"] == "Nothing used in this period"


def test_runs_that_asked_nothing_are_said_to_have(mode):
    shape = _requests((0, 0), look(mode, ACCENT[mode])).figure.to_plotly_json()["layout"]
    assert shape["annotations"][0]["text"] == "Nothing was asked of Twilio"


def test_every_request_of_a_run_is_in_one_of_its_bars():
    figure = _requests((10, 40), look("light", ACCENT["light"])).figure.to_plotly_json()
    answered, refused, others, planned = (list(trace["y"]) for trace in figure["data"])
    assert (answered, refused, others, planned) == ([7, 37], [2, 2], [1, 1], [10, 40])


def test_the_table_behind_a_chart_has_a_row_for_each_day(drawn):
    _, table = drawn(POINTS["many"])
    assert [row[0] for row in table.rows] == list(_days(30))


def test_a_chart_is_transparent_and_has_no_template_of_plotlys(drawn):
    chart, _ = drawn(POINTS["many"])
    shape = chart.figure.to_plotly_json()["layout"]
    assert shape["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert len(json.dumps(shape["template"])) < 100


def test_a_days_bar_is_hatched_while_it_may_still_move():
    figure = _daily(POINTS["many"], look("light", ACCENT["light"])).figure.to_plotly_json()
    shapes = figure["data"][0]["marker"]["pattern"]["shape"]
    assert list(shapes) == [""] * 17 + ["/"] * 13


def test_the_period_before_stands_under_the_same_days_and_ends_with_this_period():
    chart = daily_usage(series((1, 2), range(1, 32)), NOVEMBER, SETTLED, look("light", "#0b7a75"))
    ghost = chart.figure.to_plotly_json()["data"][1]
    assert ghost["x"][0] == NOVEMBER.start
    assert ghost["x"][-1] == NOVEMBER.last_day


def test_a_running_total_ends_in_the_sum_and_points_at_the_range():
    figure = _added_up((1, 2, 3), look("light", ACCENT["light"])).figure.to_plotly_json()
    assert figure["data"][0]["y"][-1] == 6
    bar = figure["data"][-1]["error_y"]
    assert (bar["array"][0], bar["arrayminus"][0]) == (9, 10)


def test_categories_are_stacked_only_if_they_are_the_whole_and_nothing_twice():
    parts = (category("in", (1, 2)), category("out", (3, 0)))
    assert adds_up(parts, (D(4), D(2)))
    assert not adds_up(parts, (D(4), D(3)))
    assert adds_up((category("in", (1, 2, 0)),), (D(1), D(2)))  # a day to come
    assert not adds_up((category("in", (1, 2, 9)),), (D(1), D(2)))


def test_what_must_be_told_apart_is_3_to_1_against_the_background(mode):
    colours = look(mode, ACCENT[mode])
    for colour in (colours.accent, colours.warning, colours.muted):
        assert contrast(colour, BACKGROUND[mode]) >= 3


def test_text_is_4_5_to_1_against_the_background(mode):
    colours = look(mode, ACCENT[mode])
    assert contrast(colours.muted, colours.surface) >= 4.5


def test_the_parts_of_a_meter_are_tints_strongest_first(mode):
    colours = look(mode, ACCENT[mode])
    against = [contrast(colours.tint(rank), colours.surface) for rank in range(len(TINTS))]
    assert against == sorted(against, reverse=True)
    assert colours.tint(0) == ACCENT[mode]
