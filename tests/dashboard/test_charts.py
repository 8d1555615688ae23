"""Laws every chart keeps: empty, one and many points, both modes, alternative text, a table."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D

import plotly.graph_objects as go
import pytest

from dashboard.charts import adds_up, category_days, daily_usage, look, running_total, sync_requests
from dashboard.charts.errors_by_day import errors_by_day
from dashboard.charts.theme import TINTS
from dashboard.exports import usage_by_category, usage_by_day
from dashboard.views.sync_lists import runs_table
from data.brand import BACKGROUND, contrast
from data.overview import MeterSeries
from data.periods import period_of
from data.projection.fan import Fan
from data.projection.unusual import UnusualDay
from data.service_rows import AlertCount
from data.sync_history import Run
from data.usage import CategorySeries

NOVEMBER = period_of(date(2026, 11, 1))
SETTLED = date(2026, 11, 17)
ACCENT = {"light": "#0b7a75", "dark": "#1fa598"}
TO_COME = tuple(SETTLED + timedelta(days=n) for n in range(1, 14))
AHEAD = Fan(
    TO_COME,
    *(tuple(D(60 + step * n) for n in range(1, 14)) for step in (2, 3, 5)),
)
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
    one = series(values)
    return running_total(*(one, NOVEMBER, SETTLED, colours), allowance=D(100), fan=AHEAD)


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
    go.Figure(chart.figure.to_dict())  # ValueError names a property that plotly does not know


@pytest.mark.parametrize("levels", [(), ("error", "warning", "notice")], ids=["none", "each"])
def test_errors_are_drawn_with_what_plotly_knows(levels, mode):
    counts = tuple(AlertCount(NOVEMBER.start, "30007", level, 2) for level in levels)
    chart = errors_by_day(counts, NOVEMBER, look(mode, ACCENT[mode]))
    assert len(go.Figure(chart.figure.to_dict()).data) == max(len(levels), 1)


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


def test_a_running_total_ends_in_the_sum_and_opens_into_a_fan():
    values = (3,) * 21
    chart = _added_up(values, look("light", ACCENT["light"]))
    so_far, low, high, likely = chart.figure.to_plotly_json()["data"][:4]
    assert so_far["y"][-1] == 63
    for edge in (low, high):  # from the last settled day's total on
        assert (edge["x"][0], edge["y"][0]) == (SETTLED, 51)
    assert (likely["x"][0], likely["y"][0]) == (date(2026, 11, 21), 72)
    assert {edge["x"][-1] for edge in (low, high, likely)} == {NOVEMBER.last_day}
    assert (low["y"][-1], likely["y"][-1], high["y"][-1]) == (86, 99, 125)
    assert high["fill"] == "tonexty"
    assert "86 – 125 expected at the end" in chart.alt


def test_a_fan_of_a_period_of_which_nothing_has_settled_begins_on_its_first_day():
    chart = running_total(
        *(series((4, 5)), NOVEMBER, NOVEMBER.start - timedelta(days=2), look("light", "#0b7a75")),
        fan=Fan(_days(30), *(tuple(map(D, range(step, step + 30))) for step in (1, 5, 9))),
    )
    assert chart.figure.to_plotly_json()["data"][1]["x"][0] == NOVEMBER.start


SPIKE = UnusualDay(date(2026, 11, 3), D(1240), D(200), D(600))


def test_an_unusual_day_has_a_mark_above_its_bar_and_words():
    one = replace(series((300, 400, 1240, 350)), unusual=(SPIKE,))
    chart = daily_usage(one, NOVEMBER, SETTLED, look("light", "#0b7a75"))
    mark = chart.figure.to_plotly_json()["data"][-1]
    assert list(mark["x"]) == [SPIKE.day]
    assert mark["y"][0] > 1240
    assert list(mark["customdata"]) == ["3 Nov: 1,240, usually 200 – 600"]
    assert chart.alt.endswith("Unusual: 3 Nov: 1,240, usually 200 – 600.")


def test_a_stack_has_one_mark_a_day_that_names_what_was_unusual():
    parts = tuple(category(name, (300, 400, 1240)) for name in ("inbound", "outbound"))
    names = ("SMS", "Voice", "<Fax>", "Verify")
    chart = category_days(
        *(parts, NOVEMBER, SETTLED, look("light", "#0b7a75")),
        unusual=dict.fromkeys(names, (SPIKE,)),
    )
    mark = chart.figure.to_plotly_json()["data"][-1]
    assert list(mark["x"]) == [SPIKE.day]
    assert mark["y"][0] > 2480
    lines = mark["customdata"][0].split("<br>")
    assert lines[0] == "SMS 3 Nov: 1,240, usually 200 – 600"
    assert lines[2].startswith("&lt;Fax&gt;")
    assert lines[-1] == "and 1 more"


@pytest.mark.parametrize("draw", [_daily, _parts], ids=["one meter", "parts"])
def test_without_an_unusual_day_there_is_no_mark(draw):
    chart = draw(POINTS["many"], look("light", "#0b7a75"))
    assert "Unusual" not in chart.alt
    assert "triangle" not in chart.figure.to_json()


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
