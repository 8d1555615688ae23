"""Reliability: the chance of overage that was given, against how often it came true.

A forecast that can be trusted lies on the diagonal; a point is a tenth of the chances, and its
area is the number of cases behind it.
"""

from collections.abc import Sequence
from typing import Any

from dashboard.charts.formats import percent, whole
from dashboard.charts.theme import Chart, Look, figure_of, layout, note
from dashboard.words import _, n_
from data.backtest.quality import Quality

HEIGHT = 300
LARGEST, SMALLEST = 34, 7  # diameters
TICKS = (0, 0.25, 0.5, 0.75, 1)


def calibration(groups: Sequence[Quality], look: Look) -> Chart:
    """`groups` by ascending chance; those without one are left out."""
    known = [one for one in groups if one.chances]
    axis = {
        "range": [-0.06, 1.06],
        "tickvals": TICKS,
        "ticktext": [percent(one) for one in TICKS],
        "showgrid": True,
        "gridcolor": look.hairline,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }
    shape = layout(
        look,
        height=HEIGHT,
        xaxis={**axis, "title": {"text": _("Chance given"), "standoff": 6}},
        yaxis={**axis, "title": {"text": _("Went over"), "standoff": 8}},
        hovermode="closest",
        margin={"l": 58, "r": 8, "t": 8, "b": 44},
    )
    if not known:
        shape["annotations"] = [note(_("No chance of overage was given yet"), look)]
    return Chart(figure_of([_diagonal(look), _points(known, look)], shape), _alt(known))


def _diagonal(look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("As given"),
        "x": [0, 1],
        "y": [0, 1],
        "hoverinfo": "skip",
        "line": {"color": look.ghost, "width": 1.5, "dash": "dot"},
    }


def _said(one: Quality) -> str:
    cases = n_("{n} case", "{n} cases", one.chances).format(n=whole(one.chances))
    said = _("Given {given}, went over {over}")
    shares = {"given": percent(one.chance or 0), "over": percent(one.happened or 0)}
    return f"{said.format(**shares)}<br>{cases}"


def _points(groups: Sequence[Quality], look: Look) -> dict[str, Any]:
    most = max((one.chances for one in groups), default=1)
    return {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,  # the largest lie at the edges
        "name": _("What happened"),
        "x": [one.chance for one in groups],
        "y": [one.happened for one in groups],
        "customdata": [_said(one) for one in groups],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {
            "color": look.accent,
            "opacity": 0.85,
            "size": [max(LARGEST * (one.chances / most) ** 0.5, SMALLEST) for one in groups],
            "line": {"color": look.surface, "width": 1},
        },
    }


def _alt(groups: Sequence[Quality]) -> str:
    if not groups:
        return _("Chance of overage against what happened: no chance was given yet.")
    said = ", ".join(
        _("{given} given and {over} went over").format(
            given=percent(one.chance or 0), over=percent(one.happened or 0)
        )
        for one in groups
    )
    return _("Chance of overage against what happened: {said}.").format(said=said)
