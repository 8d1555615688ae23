"""What the usage page draws, lists and writes is what the rows of the store say."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal as D
from io import StringIO

import plotly.graph_objects as go
import pytest

from dashboard.charts import explored, look
from dashboard.charts.explored import drawn, span_name
from dashboard.exports import as_csv, usage_by_span
from dashboard.words import speak
from data.explorer import BY_THE_MONTH, Grain, explore, spans
from data.meters import CATALOGUE
from tests.stores import ACME, BETA, customers, record

FIRST, END = date(2026, 2, 11), date(2026, 3, 21)
SETTLED, TODAY = date(2026, 3, 16), date(2026, 3, 20)
CATEGORIES = ("sms", "calls", "phonenumbers")
GRAINS = pytest.mark.parametrize("grain", Grain)
LOOK = look("light", "#0b7a75")


def rows_of(owner: int):
    for n in range((END - FIRST).days):
        for category in CATEGORIES:
            many = D(owner % 7 + n % 5 + 1)
            yield record(
                owner, date.fromordinal(FIRST.toordinal() + n), category, many * 3, count=many
            )


@pytest.fixture
def filled(store):
    store.put(*customers(), *rows_of(ACME), *rows_of(BETA))
    return store


@pytest.fixture(autouse=True)
def english():
    yield
    speak("en")


def sums(rows, field: str, category: str, shown) -> list[D]:
    by_day: dict[date, D] = defaultdict(D)
    for row in rows:
        if row.category == category:
            by_day[row.day] += getattr(row, field)
    return [sum((n for on, n in by_day.items() if s.start <= on < s.end), D(0)) for s in shown]


def written(table) -> list[list[str]]:
    return list(csv.reader(StringIO(as_csv(table).decode("utf-8-sig"))))


@GRAINS
@pytest.mark.parametrize("owner", [ACME, BETA], ids=["acme", "beta"])
def test_chart_table_and_download_say_what_the_rows_say(filled, owner, grain):
    scope = filled.acme if owner == ACME else filled.beta
    shown, rows = spans(FIRST, END, grain), list(rows_of(owner))
    everything = explore(scope, "main", shown)
    figure = explored(everything, LOOK, meter=None, settled_through=SETTLED).figure
    bars = {one.name: list(one.y) for one in figure.data if one.type == "bar"}
    assert bars == {
        "SMS": [float(n) for n in sums(rows, "count", "sms", shown)],
        "Voice": [float(n) for n in sums(rows, "count", "calls", shown)],
    }
    calls = explore(scope, "main", shown, meter="voice")
    table = usage_by_span(calls, settled_through=SETTLED, today=TODAY)
    lines = written(table)
    units = sums(rows, "usage", "calls", shown)
    at = lines[0].index("All (minutes)")
    assert [row[at] for row in table.rows] == units
    assert [D(line[at]) for line in lines[1:]] == units
    assert len(lines) == len(shown) + 1
    assert sum(D(line[lines[0].index("All (calls)")]) for line in lines[1:]) == sum(
        row.count for row in rows if row.category == "calls"
    )


@GRAINS
def test_what_may_still_move_is_hatched_and_called_so(filled, grain):
    view = explore(filled.acme, "main", spans(FIRST, END, grain), meter="sms")
    figure = explored(view, LOOK, meter="sms", settled_through=SETTLED).figure
    hatched = [shape == "/" for shape in figure.data[0].marker.pattern.shape]
    table = usage_by_span(view, settled_through=SETTLED, today=TODAY)
    assert hatched == [row[-1] in ("settling", "not over") for row in table.rows]
    assert hatched == [one.last_day > SETTLED for one in view.spans]


def test_parts_of_weeks_are_pale_and_say_so(filled):
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.WEEK), meter="sms")
    bars = explored(view, LOOK, meter="sms", settled_through=SETTLED).figure.data[0]
    assert [shade < 1 for shade in bars.marker.opacity] == [not one.whole for one in view.spans]
    assert bars.x[0] == "11–15 Feb 2026 (a part)"
    assert bars.x[1] == "16–22 Feb 2026"


def test_numbers_and_days_of_a_chart_follow_the_language(filled):
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.WEEK), meter="sms")
    speak("de")
    figure = explored(view, LOOK, meter="sms", settled_through=SETTLED).figure
    assert figure.layout.separators == ",."
    assert figure.layout.xaxis.ticktext[0] == "11. Feb"


def test_what_has_no_day_is_not_stacked_and_units_are_not_mixed(filled):
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.DAY))
    assert BY_THE_MONTH in {one.name for one in view.parts}
    assert BY_THE_MONTH not in {one.name for one in drawn(view)}
    assert [one.name for one in drawn(view)] == [n for n in CATALOGUE if n in ("sms", "voice")]


def test_marks_stand_above_their_days_and_the_range_before_under_its_own(filled):
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.DAY), meter="sms")
    before = [D(0), *(D(n) for n in range(1, len(view.spans)))]
    traces = explored(
        *(view, LOOK),
        meter="sms",
        settled_through=SETTLED,
        before=before,
        incidents={3: ("Late receipts",)},
        errors={5: 2},
    ).figure.data
    ghost, errors, incidents = traces[1:]
    assert list(ghost.y) == [None, *(float(n) for n in before[1:])]
    assert list(errors.x) == [span_name(view.spans[5])]
    assert list(errors.customdata) == ["2 errors"]
    assert (list(incidents.x), list(incidents.customdata)) == (
        [span_name(view.spans[3])],
        ["Late receipts"],
    )


def test_an_empty_range_is_a_sentence_and_an_alternative_text_has_the_figures(filled):
    shown = spans(date(2026, 1, 2), date(2026, 1, 9), Grain.DAY)
    empty = explored(explore(filled.acme, "main", shown), LOOK, meter=None, settled_through=SETTLED)
    assert empty.figure.layout.annotations[0].text == "Nothing used in these days"
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.MONTH), meter="sms")
    full = explored(view, LOOK, meter="sms", settled_through=SETTLED)
    for chart in (empty, full):
        go.Figure(chart.figure.to_dict())  # ValueError names a property that plotly does not know
    assert f"{view.whole.quantity:,.0f} SMS segments" in full.alt
