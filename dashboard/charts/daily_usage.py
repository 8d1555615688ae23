"""One meter by day: bars, hatched while they may still move, and the period before as a ghost.

A settled day outside of what the days before it let expect has a mark above its bar.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from dashboard.charts.formats import counted, day, quantity, quantity_range
from dashboard.charts.theme import Chart, Look, day_axis, figure_of, ghost, hatched, layout, note
from dashboard.words import _, n_
from data.money import ZERO
from data.outlook import Range
from data.overview import MeterSeries
from data.periods import BillingPeriod
from data.projection.unusual import UnusualDay

HEIGHT = 218
MARK_ABOVE = 0.05  # of the chart's height
MOST_TEXTS = 3  # on one day, where it was unusual in several meters


def daily_usage(
    series: MeterSeries, period: BillingPeriod, settled_through: date, look: Look
) -> Chart:
    traces = [_bars(series, settled_through, look)]
    if any(series.previous):
        traces.append(ghost(series.previous, period, look))
    if series.unusual:
        tops = dict(zip(series.days, series.quantities, strict=True))
        traces.append(unusual_marks({"": series.unusual}, tops, look))
    empty = not any(series.quantities)
    shape = layout(look, height=HEIGHT, xaxis=day_axis(period))
    if empty:
        shape["annotations"] = [note(_("Nothing used in this period"), look)]
        shape["yaxis"] = {**shape["yaxis"], "range": [0, 10], "showticklabels": False}
    return Chart(figure_of(traces, shape), _alt(series, settled_through))


def _bars(series: MeterSeries, settled_through: date, look: Look) -> dict[str, Any]:
    settling = [on > settled_through for on in series.days]
    unsure = f" · {_('may still rise')}"
    return {
        "type": "bar",
        "name": _(series.label),
        "x": list(series.days),
        "y": [float(value) for value in series.quantities],
        "customdata": [unsure if moving else "" for moving in settling],
        "hovertemplate": f"<b>%{{y:,.6~f}}</b> {_(series.unit)}%{{customdata}}<extra></extra>",
        "marker": {
            "color": look.accent,
            "cornerradius": 3,
            "line": {"width": 0},
            "pattern": hatched(settling, look.accent),
        },
    }


def usual(one: UnusualDay) -> str:
    """What the day lies between 99 times in 100: 200 – 600."""
    return quantity_range(Range(one.low, one.low, one.high))


def unusual_marks(
    unusual: Mapping[str, Sequence[UnusualDay]], tops: Mapping[date, Decimal], look: Look
) -> dict[str, Any]:
    """A mark above the bar of each unusual day, by the name of what was unusual on it."""
    gap = float(max(tops.values(), default=0)) * MARK_ABOVE
    texts: dict[date, list[str]] = {}
    for name, days in unusual.items():
        for one in days:
            texts.setdefault(one.day, []).append(_mark_text(name, one))
    marked = [on for on in sorted(texts) if on in tops]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("Unusual"),
        "x": marked,
        "y": [float(tops[on]) + gap for on in marked],
        "customdata": ["<br>".join(_few(texts[on])) for on in marked],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"symbol": "triangle-down", "size": 9, "color": look.warning},
    }


def _few(texts: Sequence[str]) -> list[str]:
    more = len(texts) - MOST_TEXTS
    rest = n_("and {n} more", "and {n} more", more).format(n=more)
    return [*texts[:MOST_TEXTS], *([rest] if more > 0 else [])]


def _mark_text(name: str, one: UnusualDay) -> str:
    said = _("{day}: {used}, usually {usual}").format(
        day=day(one.day), used=quantity(one.quantity), usual=usual(one)
    )
    return f"{escape(_(name))} {said}" if name else said


def unusual_alt(unusual: Sequence[UnusualDay]) -> str:
    """The marks for those who cannot see them; a sentence with a space before it, or nothing."""
    said = "; ".join(_mark_text("", one) for one in unusual)
    return " " + _("Unusual: {days}.").format(days=said) if said else ""


def _alt(series: MeterSeries, settled_through: date) -> str:
    text = _("{meter} by day: {used} in all.")
    most, on = max(zip(series.quantities, series.days, strict=True), default=(ZERO, None))
    if on and most:
        text = _("{meter} by day: {used} in all, the most on {day} with {most}.")
    said = text.format(
        meter=_(series.label),
        used=counted(series.quantity, series.unit),
        day=day(on) if on else "",
        most=counted(most, series.unit),
    )
    hatch = _("Days after {day} are hatched: they may still rise.").format(day=day(settled_through))
    return f"{said} {hatch}{unusual_alt(series.unusual)}"
