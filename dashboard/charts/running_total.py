"""One meter adding up over the period, and the courses it may take from the last settled day on.

What is known is a line; what is to come is a fan that opens day by day, in which four courses of
five run, and a dotted line in its middle.  The allowance is a level to cross.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from dashboard.charts.formats import counted, quantity_range
from dashboard.charts.theme import Chart, Look, day_axis, figure_of, layout, mixed, note
from dashboard.words import _
from data.outlook import Range
from data.overview import MeterSeries
from data.periods import BillingPeriod
from data.projection.fan import Fan

HEIGHT = 218
SHADE = 0.26  # of the accent, of which the fan is made


def running_total(
    series: MeterSeries,
    period: BillingPeriod,
    settled_through: date,
    look: Look,
    *,
    allowance: Decimal | None = None,
    fan: Fan | None = None,
) -> Chart:
    totals = [float(total) for total in accumulate(series.quantities)]
    settled = sum(on <= settled_through for on in series.days)
    ahead = _fan(fan, series, settled, look) if fan else []
    traces = [_area(series, totals, look), *ahead, *_lines(series, totals, settled, look)]
    shape = layout(look, height=HEIGHT, xaxis=day_axis(period))
    if allowance:
        shape["shapes"] = [_level(allowance, look)]
        shape["annotations"] = [_level_label(allowance, look)]
        top = max([float(allowance), *totals, float(fan.high[-1]) if fan else 0])
        shape["yaxis"] = {**shape["yaxis"], "range": [0, top * 1.1]}
    elif not any(totals) and not fan:
        shape["annotations"] = [note(_("Nothing used in this period"), look)]
    return Chart(figure_of(traces, shape), _alt(series, allowance, fan))


def _area(series: MeterSeries, totals: list[float], look: Look) -> dict[str, Any]:
    so_far = _("{used} {unit} so far").format(used="<b>%{y:,.6~f}</b>", unit=_(series.unit))
    return {
        "type": "scatter",
        "mode": "lines" if len(totals) > 1 else "markers",
        "name": _("So far"),
        "x": list(series.days),
        "y": totals,
        "fill": "tozeroy",
        "fillcolor": mixed(look.accent, look.surface, 0.12),
        "line": {"width": 0, "color": look.accent},
        "hovertemplate": f"{so_far}<extra></extra>",
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


def shade(look: Look) -> str:
    """The colour of the fan."""
    return mixed(look.accent, look.surface, SHADE)


def _fan(fan: Fan, series: MeterSeries, settled: int, look: Look) -> list[dict[str, Any]]:
    """Low and high edge from the last settled total on, and the middle of the days not yet seen."""
    known = [sum(series.quantities[:settled])] if settled else []
    days = [*series.days[max(settled - 1, 0) : settled], *fan.days]
    unseen = {"width": 0, "color": look.accent}
    return [
        _edge(days, [*known, *fan.low], line=unseen),
        _edge(days, [*known, *fan.high], line=unseen, fill="tonexty", fillcolor=shade(look)),
        _middle(fan, max(len(series.days) - settled - 1, 0), look),
    ]


def _edge(days: Sequence[date], values: Sequence[Decimal | int], **style: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(days),
        "y": [float(value) for value in values],
        "hoverinfo": "skip",
        **style,
    }


def _middle(fan: Fan, since: int, look: Look) -> dict[str, Any]:
    ranges = [Range(*ends) for ends in zip(fan.low, fan.likely, fan.high, strict=True)]
    return _edge(
        fan.days[since:],
        fan.likely[since:],
        name=_("Expected"),
        line={"color": look.accent, "width": 1.5, "dash": "dot"},
        customdata=[quantity_range(one) for one in ranges[since:]],
        hoverinfo=None,
        hovertemplate=_("%{customdata} expected by this day") + "<extra></extra>",
    )


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
    included = quantity_range(Range(allowance, allowance, allowance))
    return {
        "text": _("{allowance} included").format(allowance=included),
        "xref": "paper",
        "x": 0,
        "y": float(allowance),
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": look.warning},
    }


def _alt(series: MeterSeries, allowance: Decimal | None, fan: Fan | None) -> str:
    said = [
        _("{meter} adding up: {used} so far.").format(
            meter=_(series.label), used=counted(series.quantity, series.unit)
        )
    ]
    if allowance:
        included = counted(allowance, series.unit)
        said.append(_("{allowance} are included.").format(allowance=included))
    if fan:
        end = Range(fan.low[-1], fan.likely[-1], fan.high[-1])
        said.append(_("{range} expected at the end.").format(range=quantity_range(end)))
    return " ".join(said)
