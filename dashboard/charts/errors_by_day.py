"""Errors of an account by day: errors below, warnings above them hatched, notices in grey."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from dashboard.charts.formats import day, days
from dashboard.charts.theme import (
    Chart,
    Look,
    amount_axis,
    day_axis,
    figure_of,
    hatched,
    layout,
    note,
)
from dashboard.words import N_, _, n_
from data.periods import DAY, BillingPeriod
from data.service_rows import AlertCount

HEIGHT = 170
FEW = 6
NAMES = {"error": N_("errors"), "warning": N_("warnings"), "other": N_("notices")}


def errors_by_day(counts: Sequence[AlertCount], period: BillingPeriod, look: Look) -> Chart:
    """`counts` of the period; days without any have no bar."""
    by_level: dict[str, dict[date, int]] = {level: defaultdict(int) for level in NAMES}
    for one in counts:
        by_level[one.level if one.level in NAMES else "other"][one.day] += one.count
    colours = {"error": look.warning, "warning": look.warning, "other": look.ghost}
    traces = [
        _bars(level, by_day, colours[level], look) for level, by_day in by_level.items() if by_day
    ]
    whole = {**amount_axis(look), "tickformat": ",d"}
    if sum(one.count for one in counts) < FEW:
        whole["dtick"] = 1  # or half an error has a line of its own
    shape = layout(look, height=HEIGHT, xaxis=day_axis(period), yaxis=whole, barmode="stack")
    if not traces:
        shape["annotations"] = [note(_("No errors in this period"), look)]
        traces = [{"type": "bar", "x": [], "y": []}]
    return Chart(figure_of(traces, shape), _alt(counts, period))


def _bars(level: str, by_day: dict[date, int], colour: str, look: Look) -> dict[str, Any]:
    when = sorted(by_day)
    return {
        "type": "bar",
        "name": _(NAMES[level]),
        "x": when,
        "y": [by_day[on] for on in when],
        "hovertemplate": f"%{{y:,}} {_(NAMES[level])}<extra></extra>",
        "marker": {
            "color": colour,
            "line": {"color": look.surface, "width": 0.5},
            "pattern": hatched([level == "warning"] * len(when), colour),
        },
    }


def _alt(counts: Sequence[AlertCount], period: BillingPeriod) -> str:
    if not counts:
        return _("Errors by day: none in this period.")
    by_day: dict[date, int] = defaultdict(int)
    for one in counts:
        by_day[one.day] += one.count
    most, number = max(by_day.items(), key=lambda item: (item[1], item[0]))
    total = sum(by_day.values())
    return _("Errors by day, {days}: {total} on {n_days}, most on {day}: {most}.").format(
        days=days(period.start, period.end - DAY),
        total=total,
        n_days=n_("{n} day", "{n} days", len(by_day)).format(n=len(by_day)),
        day=day(most),
        most=number,
    )
