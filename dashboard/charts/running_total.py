"""One meter adding up over the period, towards the range it is expected to end in.

What is known is a line; what is expected is a range at the period's last day and a thin dotted
line to its middle, because the days between are not known.  The allowance is a level to cross.
"""

from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.formats import counted, quantity_range
from dashboard.charts.theme import Chart, Look, day_axis, layout, mixed, note
from data.outlook import Range
from data.overview import MeterSeries
from data.periods import BillingPeriod

HEIGHT = 218


def running_total(
    series: MeterSeries,
    period: BillingPeriod,
    settled_through: date,
    look: Look,
    *,
    allowance: Decimal | None = None,
    expected: Range | None = None,
) -> Chart:
    totals = [float(total) for total in accumulate(series.quantities)]
    settled = sum(on <= settled_through for on in series.days)
    traces = [_area(series, totals, look), *_lines(series, totals, settled, look)]
    shape = layout(look, height=HEIGHT, xaxis=day_axis(period))
    if expected and totals:
        traces += _close(series.days[-1], totals[-1], period, expected, look)
    if allowance:
        shape["shapes"] = [_level(allowance, look)]
        shape["annotations"] = [_level_label(allowance, look)]
        top = max([float(allowance), *totals, float(expected.high) if expected else 0])
        shape["yaxis"] = {**shape["yaxis"], "range": [0, top * 1.1]}
    elif not any(totals):
        shape["annotations"] = [note("Nothing used in this period", look)]
    return Chart(go.Figure(traces, shape), _alt(series, allowance, expected))


def _area(series: MeterSeries, totals: list[float], look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if len(totals) > 1 else "markers",
        "name": "So far",
        "x": list(series.days),
        "y": totals,
        "fill": "tozeroy",
        "fillcolor": mixed(look.accent, look.surface, 0.12),
        "line": {"width": 0, "color": look.accent},
        "hovertemplate": f"<b>%{{y:,.6~f}}</b> {series.unit} so far<extra></extra>",
    }


def _lines(
    series: MeterSeries, totals: list[float], settled: int, look: Look
) -> list[dict[str, Any]]:
    """Solid while settled, dashed while it may still rise."""
    joint = max(settled - 1, 0)
    pieces = ((slice(0, settled), "solid"), (slice(joint, None), "dash"))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(series.days[piece]),
            "y": totals[piece],
            "hoverinfo": "skip",
            "line": {"color": look.accent, "width": 2, "dash": dash},
        }
        for piece, dash in pieces
    ]


def _close(
    last: date, so_far: float, period: BillingPeriod, expected: Range, look: Look
) -> list[dict[str, Any]]:
    likely = float(expected.likely)
    path = {
        "type": "scatter",
        "mode": "lines",
        "x": [last, period.last_day],
        "y": [so_far, likely],
        "hoverinfo": "skip",
        "line": {"color": look.ghost, "width": 1.5, "dash": "dot"},
    }
    end = {
        "type": "scatter",
        "mode": "markers",
        "name": "Expected at the end",
        "x": [period.last_day],
        "y": [likely],
        "hovertemplate": f"expected at the end: {quantity_range(expected)}<extra></extra>",
        "marker": {"color": look.surface, "size": 8, "line": {"color": look.accent, "width": 2}},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [float(expected.high) - likely],
            "arrayminus": [likely - float(expected.low)],
            "color": look.accent,
            "thickness": 2,
            "width": 5,
        },
    }
    return [path, end]


def _level(allowance: Decimal, look: Look) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": float(allowance),
        "y1": float(allowance),
        "line": {"color": look.warning, "width": 1.5},
    }


def _level_label(allowance: Decimal, look: Look) -> dict[str, Any]:
    return {
        "text": f"{quantity_range(Range(allowance, allowance, allowance))} included",
        "xref": "paper",
        "x": 0,
        "y": float(allowance),
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": look.warning},
    }


def _alt(series: MeterSeries, allowance: Decimal | None, expected: Range | None) -> str:
    text = f"{series.label} adding up: {counted(series.quantity, series.unit)} so far"
    if allowance:
        text += f", {counted(allowance, series.unit)} are included"
    if expected:
        text += f", {quantity_range(expected)} expected at the end"
    return f"{text}."
