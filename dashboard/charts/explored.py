"""Any range of usage as stacked bars: of all meters, of one by category, of a category by account.

A bar is a span of days, named in words on its axis, so that weeks and parts of months read as
what they are in any language.  Marks above it are what was not usage: incidents and errors.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dashboard.charts.formats import counted, day, days, quantity, whole
from dashboard.charts.theme import Chart, Look, figure_of, hatched, layout, note
from dashboard.words import _, n_
from data.explorer import BY_THE_MONTH, Explored, Slice, Span
from data.money import ZERO, total

HEIGHT = 300
TICKS = 6  # as many as a phone has room for
PALE = 0.55  # of a bar that is a part of its week or month
ROOM = 1.18  # above the highest bar, for marks


def drawn(view: Explored) -> tuple[Slice, ...]:
    """What is stacked: happenings of all meters, or units of the parts of one."""
    if view.whole is None:
        return tuple(one for one in view.parts if one.name != BY_THE_MONTH and one.happened)
    parts = view.parts if view.stacks and view.parts else (view.whole,)
    return tuple(one for one in parts if one.quantity)


def colours(view: Explored, meter: str | None, look: Look) -> tuple[str, ...]:
    """One for each part drawn: a meter's own, or tints of it."""
    parts = drawn(view)
    if meter is None:
        return tuple(look.meter(one.name) for one in parts)
    return tuple(look.tint(rank, look.meter(meter)) for rank in range(len(parts)))


def explored(
    view: Explored,
    look: Look,
    *,
    meter: str | None,
    settled_through: date,
    before: Sequence[Decimal] = (),
    incidents: Mapping[int, Sequence[str]] | None = None,
    errors: Mapping[int, int] | None = None,
) -> Chart:
    """`meter`: whose parts these are; None: all.  Marks are by the number of their span."""
    parts, names = drawn(view), [span_name(one) for one in view.spans]
    tints = colours(view, meter, look)
    settling = [one.last_day > settled_through for one in view.spans]
    traces = [
        _bars(one, colour, names, view, settling, look)
        for one, colour in zip(parts, tints, strict=True)
    ]
    tops = _tops(view, parts)
    if any(before):
        traces.append(_ghost(before, names, look))
    top = float(max([*tops, *before], default=ZERO)) or 1
    traces += _marks(incidents or {}, errors or {}, names, top, look)
    shape = layout(look, height=HEIGHT, xaxis=_axis(view.spans, names), barmode="stack")
    shape["yaxis"] = {**shape["yaxis"], "range": [0, top * ROOM]}
    shape["margin"] = {**shape["margin"], "b": 40}  # of a day and its year
    if not parts:
        shape["annotations"] = [note(_("Nothing used in these days"), look)]
        shape["yaxis"]["showticklabels"] = False
    return Chart(figure_of(traces or [{"type": "bar", "x": names, "y": []}], shape), _alt(view))


def span_name(span: Span) -> str:
    """Mon 3 Nov 2026 is a day; 2–8 Nov 2026 a week; a part of one says so."""
    name = days(span.start, span.last_day, year=True)
    return name if span.whole else _("{days} (a part)").format(days=name)


def values(one: Slice, view: Explored) -> tuple[Decimal, ...]:
    """What is drawn of it."""
    return one.events if view.whole is None else one.quantities


def _tops(view: Explored, parts: Sequence[Slice]) -> list[Decimal]:
    return [total(at) for at in zip(*(values(one, view) for one in parts), strict=True)]


def _bars(
    one: Slice,
    colour: str,
    names: list[str],
    view: Explored,
    settling: Sequence[bool],
    look: Look,
) -> dict[str, Any]:
    label = _(one.label)
    return {
        "type": "bar",
        "name": label,
        "x": names,
        "y": [float(value) for value in values(one, view)],
        "hovertemplate": f"%{{y:,.6~f}} {label}<extra></extra>",
        "marker": {
            "color": colour,
            "opacity": [1 if span.whole else PALE for span in view.spans],
            "line": {"color": look.surface, "width": 0.5},
            "pattern": hatched(settling, colour),
        },
    }


def _ghost(before: Sequence[Decimal], names: list[str], look: Look) -> dict[str, Any]:
    """From its first use on: what lies before that may be from before the customer's time."""
    unknown = next(at for at, value in enumerate(before) if value)
    return {
        "type": "scatter",
        "mode": "lines" if len(before) > 1 else "markers",
        "name": _("Before"),
        "x": names,
        "y": [None] * unknown + [float(value) for value in before[unknown:]],
        "hovertemplate": _("%{y:,.6~f} in the range before") + "<extra></extra>",
        "line": {"color": look.ghost, "width": 1.5, "dash": "dot"},
        "marker": {"color": look.ghost, "symbol": "line-ew-open", "size": 24},
    }


def _marks(
    incidents: Mapping[int, Sequence[str]],
    errors: Mapping[int, int],
    names: Sequence[str],
    top: float,
    look: Look,
) -> list[dict[str, Any]]:
    found = []
    if errors:
        texts = [
            n_("{n} error", "{n} errors", many).format(n=whole(many)) for many in errors.values()
        ]
        found.append(_row(errors, texts, names, top * 1.06, "x-thin-open", look.ink))
        found[-1]["name"] = _("Errors")
    if incidents:
        texts = ["<br>".join(some) for some in incidents.values()]
        found.append(_row(incidents, texts, names, top * 1.13, "diamond", look.warning))
        found[-1]["name"] = _("Incidents")
    return found


def _row(
    at: Mapping[int, object],
    texts: list[str],
    names: Sequence[str],
    height: float,
    symbol: str,
    colour: str,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [names[number] for number in at],
        "y": [height] * len(at),
        "customdata": texts,
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"symbol": symbol, "size": 8, "color": colour, "line": {"width": 1.5}},
    }


def _axis(spans: Sequence[Span], names: list[str]) -> dict[str, Any]:
    step = -(-len(spans) // TICKS)
    years = spans[0].start.year != spans[-1].start.year
    shown = range(0, len(spans), step)
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "range": [-0.6, len(spans) - 0.4],
        "tickmode": "array",
        "tickvals": [names[at] for at in shown],
        "ticktext": [_tick(spans[at].start, years=years) for at in shown],
        "tickangle": 0,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }


def _tick(on: date, *, years: bool) -> str:
    return f"{day(on)}<br>{on.year}" if years else day(on)


def _alt(view: Explored) -> str:
    where = days(view.spans[0].start, view.spans[-1].last_day, year=True)
    parts = drawn(view)
    if not parts:
        return _("Usage, {days}: nothing was used.").format(days=where)
    said = ", ".join(
        f"{_(one.label)} {quantity(one.happened)}"
        if view.whole is None
        else f"{_(one.label)} {counted(one.quantity, one.unit)}"
        for one in parts
    )
    return _("Usage, {days}: {parts}.").format(days=where, parts=said)
