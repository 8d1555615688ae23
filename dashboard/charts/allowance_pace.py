"""An allowance over its days: what is used, the level it ends at, and the even pace towards it.

A course above the dotted diagonal uses the allowance up before its days are over.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.formats import counted
from dashboard.charts.running_total import running_total
from dashboard.charts.theme import Chart, Look
from dashboard.words import _
from data.overview import MeterSeries
from data.periods import BillingPeriod
from data.projection.fan import Fan


def allowance_pace(
    series: MeterSeries,
    days: BillingPeriod,
    settled_through: date,
    look: Look,
    *,
    included: Decimal,
    fan: Fan | None = None,
) -> Chart:
    """`days` are those of the allowance; the series holds no other."""
    added_up = running_total(series, days, settled_through, look, allowance=included, fan=fan)
    traces = [*added_up.figure.data, _even(days, included, look)]
    pace = _("The dotted line is an even pace to {included} on the last day.")
    alt = f"{added_up.alt} {pace.format(included=counted(included, series.unit))}"
    return Chart(go.Figure(traces, added_up.figure.layout), alt)


def _even(days: BillingPeriod, included: Decimal, look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("Even pace"),
        "x": [days.start, days.last_day],
        "y": [float(included / days.days), float(included)],
        "line": {"color": look.ghost, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }
