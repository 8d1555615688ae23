"""One meter by day: bars, hatched while they may still move, and the period before as a ghost."""

from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.formats import counted, day
from dashboard.charts.theme import Chart, Look, day_axis, ghost, hatched, layout, note
from data.overview import MeterSeries
from data.periods import BillingPeriod

HEIGHT = 218


def daily_usage(
    series: MeterSeries, period: BillingPeriod, settled_through: date, look: Look
) -> Chart:
    traces = [_bars(series, settled_through, look)]
    if any(series.previous):
        traces.append(ghost(series.previous, period, look))
    empty = not any(series.quantities)
    shape = layout(look, height=HEIGHT, xaxis=day_axis(period))
    if empty:
        shape["annotations"] = [note("Nothing used in this period", look)]
        shape["yaxis"] = {**shape["yaxis"], "range": [0, 10], "showticklabels": False}
    return Chart(go.Figure(traces, shape), _alt(series, settled_through))


def _bars(series: MeterSeries, settled_through: date, look: Look) -> dict[str, Any]:
    settling = [on > settled_through for on in series.days]
    return {
        "type": "bar",
        "name": series.label,
        "x": list(series.days),
        "y": [float(value) for value in series.quantities],
        "customdata": [" · may still rise" if moving else "" for moving in settling],
        "hovertemplate": f"<b>%{{y:,.6~f}}</b> {series.unit}%{{customdata}}<extra></extra>",
        "marker": {
            "color": look.accent,
            "cornerradius": 3,
            "line": {"width": 0},
            "pattern": hatched(settling, look.accent),
        },
    }


def _alt(series: MeterSeries, settled_through: date) -> str:
    text = f"{series.label} by day: {counted(series.quantity, series.unit)} in all"
    if any(series.quantities):
        most, on = max(zip(series.quantities, series.days, strict=True))
        text += f", the most on {day(on)} with {counted(most, series.unit)}"
    return f"{text}. Days after {day(settled_through)} are hatched: they may still rise."
