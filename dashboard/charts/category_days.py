"""Parts of a whole by day, stacked in tints of the accent, the largest at the bottom.

Either the categories under a meter, or the events of all meters.  Only for parts that do not
overlap: of categories, whoever calls it has checked that they add up to the meter (`adds_up`),
or the height of a bar would count some usage twice.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dashboard.charts.daily_usage import unusual_alt, unusual_marks
from dashboard.charts.formats import counted
from dashboard.charts.theme import Chart, Look, day_axis, figure_of, ghost, hatched, layout, note
from dashboard.words import _
from data.money import ZERO, total
from data.periods import BillingPeriod
from data.projection.unusual import UnusualDay
from data.usage import CategorySeries

HEIGHT = 300
NONE_UNUSUAL: Mapping[str, Sequence[UnusualDay]] = {}


def adds_up(categories: Sequence[CategorySeries], quantities: Sequence[Decimal]) -> bool:
    """Whether the categories are the whole meter on every day and nothing twice."""
    by_day = zip(*(one.quantities for one in categories), strict=True)
    sums = [sum(values, ZERO) for values in by_day]
    return sums[: len(quantities)] == list(quantities) and not any(sums[len(quantities) :])


def category_days(
    categories: Sequence[CategorySeries],
    period: BillingPeriod,
    settled_through: date,
    look: Look,
    *,
    previous: Sequence[Decimal] = (),
    unusual: Mapping[str, Sequence[UnusualDay]] = NONE_UNUSUAL,
    height: int = HEIGHT,
) -> Chart:
    """`previous`: the whole meter in the period before, where all of it is shown.

    `unusual`: the days to mark, by the name of the meter that was unusual on them.
    """
    used = [one for one in categories if one.quantity]
    traces = [_bars(one, look.meter(one.category), settled_through, look) for one in used]
    if any(previous):
        traces.append(ghost(previous, period, look))
    if any(unusual.values()):
        traces.append(unusual_marks(unusual, _tops(used), look))
    shape = layout(look, height=height, xaxis=day_axis(period), barmode="stack")
    if not used:
        shape["annotations"] = [note(_("Nothing used in this period"), look)]
        traces = [{"type": "bar", "x": [], "y": []}]
    marked = [one for days in unusual.values() for one in days]
    return Chart(figure_of(traces, shape), _alt(used) + unusual_alt(marked))


def _tops(parts: Sequence[CategorySeries]) -> dict[date, Decimal]:
    days = parts[0].days if parts else ()
    by_day = zip(*(one.quantities for one in parts), strict=True)
    return dict(zip(days, map(total, by_day), strict=True))


def _bars(one: CategorySeries, colour: str, settled_through: date, look: Look) -> dict[str, Any]:
    settling = [on > settled_through for on in one.days]
    label = _(one.label)
    return {
        "type": "bar",
        "name": label,
        "x": list(one.days),
        "y": [float(value) for value in one.quantities],
        "hovertemplate": f"%{{y:,.6~f}} {label}<extra></extra>",
        "marker": {
            "color": colour,
            "line": {"color": look.surface, "width": 0.5},
            "pattern": hatched(settling, colour),
        },
    }


def _alt(used: Sequence[CategorySeries]) -> str:
    if not used:
        return _("Usage by day: nothing was used in this period.")
    parts = ", ".join(f"{_(one.label)} {counted(one.quantity, one.unit)}" for one in used)
    return _("Usage by day, largest part first: {parts}.").format(parts=parts)
