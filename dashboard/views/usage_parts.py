"""What stands around the usage chart: trail, facts, marks in words, tables of products.

Marks carry the number of the span that they stand above.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboard.charts import Look
from dashboard.charts.explored import drawn, values
from dashboard.charts.formats import change, counted, day, days, moment, quantity, whole
from dashboard.views.markup import Part, Safe, div, filled, grid, joined, note, span, strong, tag
from dashboard.views.page import Visit
from dashboard.views.service_measured import IMPACTS
from dashboard.views.usage_readings import Chosen, read_marks
from dashboard.words import N_, _, n_
from data.explorer import BY_THE_MONTH, Explored, Slice
from data.money import total
from data.periods import DAY
from data.service_rows import AlertCount, IncidentView

MOST_ERRORS = 5  # codes listed; the service page has them all
WHY = {
    "sms": N_("A message of over 160 characters is sent, and billed, as several segments."),
    "voice": N_("Every started minute of a call is billed."),
    "trunking": N_("Every started minute of a call is billed."),
    "recordings": N_("Recordings are billed by their minutes; keeping them is billed, too."),
    BY_THE_MONTH: N_("A number is billed once for each month that you hold it."),
}


@dataclass(frozen=True, slots=True)
class Marks:
    """Incidents and errors of the days shown, and above which spans they stand."""

    incidents: tuple[IncidentView, ...]
    alerts: tuple[AlertCount, ...]
    incident_names: Mapping[int, tuple[str, ...]]
    errors: Mapping[int, int]


def marks_of(visit: Visit, view: Explored, of: Chosen) -> Marks:
    accounts = (one.sid for one in visit.subscription.accounts if of.account in (None, one.sid))
    last = min(of.end - DAY, visit.today)
    if of.start > last:
        return Marks((), (), {}, {})
    found, alerts = read_marks(visit.scope, visit.version, tuple(accounts), of.start, last)
    starts = [one.start for one in view.spans]
    at: dict[int, tuple[str, ...]] = {}
    for one in reversed(found):
        first = max(one.started_at.date(), of.start)
        until = min(one.resolved_at.date() if one.resolved_at else last, last)
        for number in range(_number(starts, first), _number(starts, until) + 1):
            at[number] = (*at.get(number, ()), one.name)
    errors: Counter[int] = Counter()
    for alert in alerts:
        errors[_number(starts, alert.day)] += alert.count
    return Marks(found, alerts, at, dict(sorted(errors.items())))


def _number(starts: Sequence[date], on: date) -> int:
    return bisect_right(starts, on) - 1


def crumbs(names: Sequence[str]) -> Safe:
    """How far down one has come; the last is what is shown."""
    *above, last = names
    path = (span("u-crumb", name) for name in above)
    return tag("h2", *path, span("u-here", last), class_="u-section u-crumbs")


def facts(view: Explored, meter: Slice | None, *beside: Safe | None) -> Safe:
    """Billed units, the events beside them with one line why they differ, the range before."""
    one, why = view.whole, None
    if one is None or meter is None:
        happening = (part.happened for part in view.parts if part.name != BY_THE_MONTH)
        shown = [_fact(total(happening), _("events"))]
    else:
        shown, why = [_fact(one.quantity, _(one.unit))], WHY.get(meter.name)
        if one.events_unit != one.unit:
            shown.append(_fact(one.happened, _(one.events_unit)))
    return div("u-facts", *shown, *beside, note(_(why)) if why else None)


def compared(
    view: Explored, before: Sequence[Decimal], earlier: str, settled_through: date
) -> list[Safe]:
    """The range before, and how what has settled stands against the same days of it."""
    shown = [_fact(total(before), earlier)]
    settled = [one for one in view.spans if one.last_day <= settled_through]
    now = (part for one in drawn(view) for part in values(one, view)[: len(settled)])
    moved = change(total(now), total(before[: len(settled)]))
    if moved and settled and before[0]:  # else it may begin before the customer's time
        words = _("up to {day}, against the same days before")
        shown.append(_fact_text(moved, words.format(day=day(settled[-1].last_day))))
    return shown


def _fact(number: Decimal, what: str) -> Safe:
    return _fact_text(quantity(number), what)


def _fact_text(number: str, what: str) -> Safe:
    return div("u-fact", span("u-fact-number", number), span("u-key", what))


def happened_line(view: Explored) -> Safe | None:
    """Why all products can stand on each other at all, and what does not."""
    if view.whole is not None:
        return None
    words = _("Each message, call, recording or check counts as one.")
    if any(one.name == BY_THE_MONTH for one in view.parts):
        words += " " + _("Phone numbers are charged by the month and stand below.")
    return note(words)


def marks_list(marks: Marks) -> Safe | None:
    """The marks in words, newest first."""
    if not (marks.incidents or marks.alerts):
        return None
    rows = [tag("li", _incident(one)) for one in marks.incidents]
    by_code: dict[str, list[AlertCount]] = {}
    for alert in marks.alerts:
        by_code.setdefault(alert.code, []).append(alert)
    most = sorted(by_code.values(), key=lambda some: (-sum(a.count for a in some), some[0].code))
    rows += [tag("li", _errors(some)) for some in most[:MOST_ERRORS]]
    if len(most) > MOST_ERRORS:
        more = len(most) - MOST_ERRORS
        words = n_("And {n} more kind of error.", "And {n} more kinds of errors.", more)
        rows.append(tag("li", words.format(n=whole(more))))
    title = tag("h2", _("Marks on the chart"), class_="u-section")
    return div("u-panel", title, tag("ul", *rows, class_="u-marks"))


def _incident(one: IncidentView) -> Safe:
    impact = _(IMPACTS.get(one.impact, one.impact))
    name = tag("a", one.name, href=one.url) if one.url.startswith("https://") else one.name
    ends = moment(one.resolved_at) if one.resolved_at else _("not resolved yet")
    return joined(
        [
            tag("span", class_="u-swatch u-diamond"),
            filled(
                _("{name}. {impact}, {begin} – {end}"),
                name=name,
                impact=impact,
                begin=moment(one.started_at),
                end=ends,
            ),
        ]
    )


def _errors(some: Sequence[AlertCount]) -> Safe:
    many = sum(one.count for one in some)
    words = n_("{code}: {n} error, {days}", "{code}: {n} errors, {days}", many)
    when = days(some[0].day, some[-1].day)
    code = some[0].code or _("without a code")
    return joined(
        [
            tag("span", class_="u-swatch u-cross"),
            filled(words, code=strong(code), n=whole(many), days=when),
        ]
    )


def product_table(view: Explored, look: Look) -> Safe:
    """Events beside billed units, a product a line, with the one line why they differ."""
    rows = [
        (
            joined(
                [
                    tag("span", class_="u-swatch", style=f"background:{look.meter(one.name)}"),
                    _(one.label),
                ]
            ),
            counted(one.happened, one.events_unit),
            counted(one.quantity, one.unit),
            _(WHY.get(one.name, "")),
        )
        for one in view.parts
    ]
    if view.other:
        many = n_("{n} kind", "{n} kinds", len(view.other)).format(n=whole(len(view.other)))
        swatch = tag("span", class_="u-swatch", style=f"background:{look.meter('other')}")
        why = _("Fees and add-ons; they come on top of what is counted above.")
        rows.append((joined([swatch, _("Other")]), many, "", why))
    head = (_("Product"), _("Events"), _("Billed units"), _("Why they differ"))
    return _panel(_("By product"), head, rows)


def category_table(view: Explored) -> Safe | None:
    if not view.parts:
        return None
    rows = [
        (_(one.label), counted(one.happened, one.events_unit), counted(one.quantity, one.unit))
        for one in view.parts
    ]
    return _panel(_("By category"), (_("Category"), _("Events"), _("Billed units")), rows)


def other_table(view: Explored) -> Safe:
    """What no product names: never added up, as each counts something else."""
    rows = [(_(one.label), quantity(one.happened)) for one in view.other]
    why = note(_("Fees and add-ons of different units, so they are listed and not added up."))
    return joined([why, _panel(_("Other"), (_("Category"), _("Counted")), rows)])


def _panel(title: str, head: Sequence[str], rows: Sequence[Sequence[Part]]) -> Safe:
    names = (tag("th", name, scope="col", class_=_side(at)) for at, name in enumerate(head))
    lines = (
        tag("tr", *(tag("td", cell, class_=_side(at)) for at, cell in enumerate(row)))
        for row in rows
    )
    heading = tag("h2", title, class_="u-section")
    return div("u-panel u-products", heading, grid(title, names, lines))


def _side(at: int) -> str | None:
    return (None, "u-number", "u-number", "u-differ")[at]
