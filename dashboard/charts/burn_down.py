"""Credits burning down: what was left each day, and the courses that the balance may take.

What is known is a line, what is to come a fan in which four courses of five run, with steps where
lots expire; the days between which the credits run out are a band at the foot.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dashboard.charts.formats import day, day_range, quantity
from dashboard.charts.theme import DAY_HOVER, DAY_TICK, Chart, Look, figure_of, layout, mixed, note
from dashboard.words import _, language
from data.outlook import DayRange
from data.projection.fan import Fan

HEIGHT = 280
SHADE = 0.26  # of the accent, of which the fan is made
MOST_LABELS = 3


def burn_down(
    days: Sequence[date],
    left: Sequence[Decimal],
    ahead: Fan | None,
    look: Look,
    *,
    expiries: Sequence[date] = (),
    runs_out: DayRange | None = None,
) -> Chart:
    """`left`: credits at the end of each of the days; `ahead`: as each day begins.

    `expiries` are exclusive: what is left falls as that day begins.
    """
    values = [float(one) for one in left]
    if ahead:  # a lot may outlive all that is to be seen
        expiries = [on for on in expiries if on <= ahead.days[-1]]
    traces = [*(_fan(ahead, days, values, look) if ahead else []), _past(days, values, look)]
    shape = layout(look, height=HEIGHT, xaxis=_axis(days, ahead, expiries))
    if not any(values) and ahead is None:
        shape["annotations"] = [note(_("No credits in these days"), look)]
    else:
        shape["shapes"] = [*_run_out(runs_out, look), *(_mark(on, look) for on in expiries)]
        shape["annotations"] = [_label(on, look) for on in expiries[:MOST_LABELS]]
    return Chart(figure_of(traces, shape), _alt(values, runs_out, expiries))


def _axis(days: Sequence[date], ahead: Fan | None, expiries: Sequence[date]) -> dict[str, Any]:
    shown = sorted({*days[:1], *days[-1:], *(ahead.days[-1:] if ahead else ()), *expiries})
    ends = {"range": [f"{shown[0]}", f"{shown[-1] + timedelta(days=2)}"]} if shown else {}
    return {
        **ends,
        "type": "date",
        "tickformat": DAY_TICK[language()],
        "hoverformat": DAY_HOVER[language()],
        "nticks": 7,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }


def _past(days: Sequence[date], values: Sequence[float], look: Look) -> dict[str, Any]:
    """At the end of its day: the midnight on which the next one begins."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("So far"),
        "x": [on + timedelta(days=1) for on in days],
        "y": list(values),
        "line": {"color": look.accent, "width": 2, "shape": "linear"},
        "fill": "tozeroy",
        "fillcolor": mixed(look.accent, look.surface, 0.10),
        "hovertemplate": _("<b>%{y:,.0f}</b> credits left as the day begins") + "<extra></extra>",
    }


def _fan(
    ahead: Fan, days: Sequence[date], values: Sequence[float], look: Look
) -> list[dict[str, Any]]:
    """From where the known days end; a step is two values of one day."""
    joint = [] if not days or ahead.days[0] == days[-1] + timedelta(days=1) else days[-1:]
    x = [*(on + timedelta(days=1) for on in joint), *ahead.days]
    known = list(values[-1:]) if joint else []
    unseen = {"width": 0, "color": look.accent}
    shade = mixed(look.accent, look.surface, SHADE)
    edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip"}
    texts = [
        f"{quantity(low)} – {quantity(high)}"
        for low, high in zip(ahead.low, ahead.high, strict=True)
    ]
    return [
        {**edge, "y": [*known, *map(float, ahead.low)], "line": unseen},
        {
            **edge,
            "y": [*known, *map(float, ahead.high)],
            "line": unseen,
            "fill": "tonexty",
            "fillcolor": shade,
        },
        {
            **edge,
            "y": [*known, *map(float, ahead.likely)],
            "line": {"color": look.accent, "width": 1.5, "dash": "dot"},
            "hoverinfo": None,
            "customdata": [*(["" for _one in known]), *texts],
            "hovertemplate": _("%{customdata} credits expected") + "<extra></extra>",
        },
    ]


def _run_out(when: DayRange | None, look: Look) -> list[dict[str, Any]]:
    """A band at the foot: from the early to the late day."""
    if when is None or when.early is None or when.late is None:
        return []
    return [
        {
            "type": "rect",
            "yref": "paper",
            "y0": 0,
            "y1": 0.03,
            "x0": f"{when.early}",
            "x1": f"{when.late + timedelta(days=1)}",
            "line": {"width": 0},
            "fillcolor": look.warning,
        }
    ]


def _mark(on: date, look: Look) -> dict[str, Any]:
    return {
        "type": "line",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "x0": f"{on}",
        "x1": f"{on}",
        "line": {"color": look.warning, "width": 1, "dash": "dot"},
    }


def _label(on: date, look: Look) -> dict[str, Any]:
    return {
        "text": _("expires after {day}").format(day=day(on - timedelta(days=1))),
        "x": f"{on}",
        "xanchor": "right",
        "xshift": -4,
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 12, "color": look.warning},
    }


def _alt(values: Sequence[float], when: DayRange | None, expiries: Sequence[date]) -> str:
    left = quantity(Decimal(repr(values[-1]))) if values else "0"
    said = [_("Credits burning down: {left} left.").format(left=left)]
    if when and (lasts := day_range(when)):
        said.append(_("They run out {days}.").format(days=lasts))
    if expiries:
        listed = ", ".join(day(on - timedelta(days=1)) for on in expiries)
        said.append(_("Lots expire after {days}.").format(days=listed))
    return " ".join(said)
