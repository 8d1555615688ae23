"""Requests of the last runs of the sync: answered, refused as too many, and lost otherwise.

A bar is a run, whenever it was, so that a pause is no gap; a tick across it is what was planned.
"""

from collections.abc import Sequence
from typing import Any

from dashboard.charts.formats import moment, percent, whole
from dashboard.charts.theme import Chart, Look, figure_of, hatched, layout, note
from dashboard.words import _, n_
from data.sync_history import TOO_MANY, Run

HEIGHT = 170
FEWEST, NAME_TAKES = 12, 4  # places on the axis; of these a name takes so many on a phone
ANSWERED = "200"


def sync_requests(runs: Sequence[Run], look: Look) -> Chart:
    """`runs` from the first to the last."""
    names = [moment(run.started_at) for run in runs]
    shape = layout(look, height=HEIGHT, xaxis=_axis(names), barmode="stack")
    answered = [run.answers.get(ANSWERED, 0) for run in runs]
    traces = [
        _bars(_("answered"), names, answered, look.accent, look, marked=False),
        _bars(_("too many at once"), names, [_refused(run) for run in runs], look.warning, look),
        _bars(_("other answers"), names, [_others(run) for run in runs], look.ghost, look),
        _plan(names, runs, look),
    ]
    if not any(run.requests for run in runs):
        shape["annotations"] = [note(_("Nothing was asked of Twilio"), look)]
    return Chart(figure_of(traces, shape), _alt(runs))


def _refused(run: Run) -> int:
    return run.answers.get(TOO_MANY, 0)


def _others(run: Run) -> int:
    """Requests, not answers: one may be counted by its status and by what was wrong in it."""
    return max(run.requests - run.answers.get(ANSWERED, 0) - _refused(run), 0)


def _bars(
    name: str,
    runs: Sequence[str],
    values: Sequence[int],
    colour: str,
    look: Look,
    *,
    marked: bool = True,
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": list(range(len(runs))),
        "y": list(values),
        "customdata": list(runs),
        "hovertemplate": f"%{{y:,}} {name}<extra></extra>",
        "marker": {
            "color": colour,
            "line": {"color": look.surface, "width": 0.5},
            "pattern": hatched([marked] * len(runs), colour),
        },
    }


def _plan(names: Sequence[str], runs: Sequence[Run], look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("planned"),
        "x": list(range(len(names))),
        "y": [run.planned for run in runs],
        "hovertemplate": f"%{{y:,}} {_('planned')}<extra></extra>",
        "marker": {
            "symbol": "line-ew",
            "size": 16,
            "color": look.ink,
            "line": {"color": look.ink, "width": 1.5},
        },
    }


def _axis(names: Sequence[str]) -> dict[str, Any]:
    """The runs side by side, named by the moment they began; three names suffice."""
    step = max(-(-len(names) // 3), NAME_TAKES)
    shown = list(range(len(names) - 1, -1, -step))[::-1]
    return {
        "type": "linear",
        "range": [-0.6, max(len(names), FEWEST) - 0.4],
        "tickangle": 0,
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [names[n].removesuffix(" UTC") for n in shown],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "unifiedhovertitle": {"text": ""},
    }


def _alt(runs: Sequence[Run]) -> str:
    if not runs:
        return _("Requests by run of the sync: none has run yet.")
    asked, last = sum(run.requests for run in runs), runs[-1]
    return n_(
        "Requests by run of the sync: {asked} in {n} run, {last} of {planned} planned in the last "
        "one, {refused} of those refused as too many at once.",
        "Requests by run of the sync: {asked} in {n} runs, {last} of {planned} planned in the last "
        "one, {refused} of those refused as too many at once.",
        len(runs),
    ).format(
        asked=whole(asked),
        n=whole(len(runs)),
        last=whole(last.requests),
        planned=whole(last.planned),
        refused=percent(last.too_many),
    )
