"""What a period costs at different amounts of use, a line a plan; lines cross where prices do.

The own plan is the accent, the one compared with it is ink, the others are quiet.  Names stand at
the ends of the lines, so that no colour has to be looked up; a line ends where its plan has no
price for the use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any

from dashboard.charts.formats import counted, money
from dashboard.charts.theme import Chart, Look, figure_of, layout, note
from dashboard.words import _

HEIGHT = 300
LABEL_GAP = 0.065  # of the height: names do not lie on each other


@dataclass(frozen=True, slots=True)
class Curve:
    """Amounts at the steps of use; None where the plan has no price for it."""

    name: str
    amounts: tuple[Decimal | None, ...]
    own: bool = False
    compared: bool = False


def cost_by_use(
    units: Sequence[Decimal],
    curves: Sequence[Curve],
    look: Look,
    *,
    unit: str,
    currency: str,
    at: int,
) -> Chart:
    """`at` is the step that is marked."""
    shown = [one for one in curves if _known(one)]
    ordered = sorted(shown, key=lambda one: (one.own, one.compared))
    traces = [_line(one, units, look, currency) for one in ordered]
    shape = layout(look, height=HEIGHT)
    shape["margin"] = {"l": 56, "r": 12, "t": 10, "b": 40}
    shape["hovermode"] = "closest"
    shape["xaxis"] = _axis(unit)
    if not shown:
        shape["annotations"] = [note(_("No plan can be compared by its use"), look)]
        return Chart(figure_of(traces, shape), _("No plan can be compared by its use."))
    top = float(max(max(_known(one)) for one in shown)) or 1.0
    shape["yaxis"] = {**shape["yaxis"], "range": [0, top * 1.06], "title": {"text": currency}}
    shape["shapes"] = [_mark(units[at], look)]
    traces += [_dot(one, units, at, look) for one in ordered if _at(one, at) is not None]
    shape["annotations"] = _names(ordered, units, top, look)
    return Chart(figure_of(traces, shape), _alt(ordered, units[at], at, unit, currency))


def _known(curve: Curve) -> list[Decimal]:
    """As far as the plan has a price; a line never begins again."""
    return [one for one in takewhile(lambda one: one is not None, curve.amounts) if one is not None]


def _at(curve: Curve, at: int) -> Decimal | None:
    known = _known(curve)
    return known[at] if at < len(known) else None


def _colour(curve: Curve, look: Look) -> str:
    if curve.own:
        return look.accent
    return look.ink if curve.compared else look.ghost


def _line(curve: Curve, units: Sequence[Decimal], look: Look, currency: str) -> dict[str, Any]:
    known = _known(curve)
    return {
        "type": "scatter",
        "mode": "lines" if len(known) > 1 else "markers",
        "name": curve.name,
        "x": [float(one) for one in units[: len(known)]],
        "y": [float(one) for one in known],
        "text": [money(one, currency) for one in known],
        "hovertemplate": "<b>%{text}</b> · %{x:,.6~f}<extra>%{fullData.name}</extra>",
        "line": {
            "color": _colour(curve, look),
            "width": 2.5 if curve.own or curve.compared else 1.5,
            "dash": "solid" if curve.own or not curve.compared else "dash",
        },
    }


def _dot(curve: Curve, units: Sequence[Decimal], at: int, look: Look) -> dict[str, Any]:
    amount = _at(curve, at)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(units[at])],
        "y": [float(amount or 0)],
        "hoverinfo": "skip",
        "marker": {
            "size": 9 if curve.own or curve.compared else 6,
            "color": _colour(curve, look),
            "line": {"width": 2, "color": look.surface},
        },
    }


def _axis(unit: str) -> dict[str, Any]:
    return {
        "title": {"text": _("{unit} a month").format(unit=_(unit)), "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "nticks": 7,
        "tickformat": ",~r",
        "fixedrange": True,
    }


def _mark(at: Decimal, look: Look) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": float(at),
        "x1": float(at),
        "y0": 0,
        "y1": 1,
        "line": {"color": look.muted, "width": 1},
        "layer": "below",
    }


def _names(
    curves: Sequence[Curve], units: Sequence[Decimal], top: float, look: Look
) -> list[dict[str, Any]]:
    """At the ends of the lines, from the bottom up, each a little above the one below."""
    ends = sorted(((float(_known(one)[-1]) / top, one) for one in curves), key=lambda end: end[0])
    found, last = [], -1.0
    for height, curve in ends:
        height = max(height, last + LABEL_GAP)
        last = height
        known = _known(curve)
        found.append(
            {
                "text": curve.name,
                "x": float(units[len(known) - 1]),
                "y": height * top,
                "xanchor": "right" if len(known) > len(units) // 4 else "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12, "color": _colour(curve, look) if curve.own else look.ink},
            }
        )
    return found


def _alt(curves: Sequence[Curve], units: Decimal, at: int, unit: str, currency: str) -> str:
    said = (
        f"{one.name} {money(amount, currency)}"
        for one in reversed(curves)
        if (amount := _at(one, at)) is not None
    )
    costs = _("What a month costs on each plan. At {units}: {amounts}.")
    return costs.format(units=counted(units, unit), amounts=", ".join(said))
