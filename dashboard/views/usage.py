"""Usage: any range of days by product, down to one category of one account.

Below the head everything is one fragment: a choice redraws the part that depends on it, and the
page around it stays.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.access import Permission
from dashboard.charts import explored
from dashboard.charts.explored import colours, drawn
from dashboard.charts.formats import days
from dashboard.exports import usage_by_span
from dashboard.views.forecast_words import unusual_line
from dashboard.views.fragments import fragment
from dashboard.views.markup import Safe, joined, note, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    csv_button,
    legend,
    overview_of,
    page_head,
    show,
    show_chart,
    state,
    table,
)
from dashboard.views.usage_choices import (
    Range,
    pick_account,
    pick_against,
    pick_category,
    pick_grain,
    pick_meter,
    pick_range,
    trail,
)
from dashboard.views.usage_parts import (
    Marks,
    category_table,
    compared,
    crumbs,
    facts,
    happened_line,
    marks_list,
    marks_of,
    other_table,
    product_table,
)
from dashboard.views.usage_readings import Chosen, read_before, read_explored
from dashboard.views.wording import freshness_line
from dashboard.words import N_, _
from data.explorer import Against, Explored, Slice
from data.freshness import Freshness, freshness
from data.meters import OTHER
from data.periods import DAY, BillingPeriod


@dataclass(frozen=True, slots=True)
class Shown:
    """What the choices have led to."""

    of: Chosen
    view: Explored
    everything: Explored  # all meters of the same days and account
    fresh: Freshness
    marks: Marks
    earlier: str = ""  # the days of the range before, in words
    before: tuple[Decimal, ...] = ()

    @property
    def meter(self) -> Slice | None:
        return next((one for one in self.everything.parts if one.name == self.of.meter), None)


def render(visit: Visit) -> None:
    period = page_head(visit, _("Usage"))
    fresh = freshness(
        visit.subscription.accounts,
        today=visit.today,
        now=visit.now,
        settling_days=visit.settings.settling_days,
    )
    show(notices(visit, fresh))
    _explorer(visit, period, fresh)
    show(tag("p", freshness_line(fresh, period, visit.today), class_="u-foot"))


@fragment
def _explorer(visit: Visit, period: BillingPeriod, fresh: Freshness) -> None:
    with _row("usage_range"):
        within = pick_range(visit, period)
        grain = pick_grain(visit, within)
        against = pick_against(visit)
    products, narrower = _row("usage_product"), _row("usage_narrower")
    with narrower:
        account = pick_account(visit)
    of = Chosen(within.start, within.end, grain, account=account)
    everything = _read(visit, of)
    if not (everything.parts or everything.other):
        show(
            state(
                _("Nothing was used in these days"),
                _("Choose other days above, or the period before."),
            )
        )
        return
    with products:
        meter = pick_meter(visit, everything)
    if meter == OTHER:
        show(other_table(everything))
        return
    of = replace(of, meter=meter)
    with narrower:
        category = pick_category(visit, of) if meter else None
    of = replace(of, category=category)
    _selection(visit, within, against, of, everything, fresh)
    show(_unusual(visit, period, of))


def _unusual(visit: Visit, period: BillingPeriod, of: Chosen) -> Safe | None:
    """Days of the period outside what was to be expected of the whole meter, by all accounts."""
    if of.meter is None or of.category or of.account:
        return None
    series = (one for one in overview_of(visit, period).series if one.meter == of.meter)
    one = next(series, None)
    marked = [day for day in one.unusual if of.start <= day.day < of.end] if one else []
    said = unusual_line(marked, one.unit) if one else None
    return note(said) if said else None


def _row(key: str) -> DeltaGenerator:
    return st.container(key=key, horizontal=True, vertical_alignment="center")


def _read(visit: Visit, of: Chosen) -> Explored:
    return read_explored(visit.scope, visit.version, visit.subscription.key, of)


def _selection(
    visit: Visit,
    within: Range,
    against: Against,
    of: Chosen,
    everything: Explored,
    fresh: Freshness,
) -> None:
    view = _read(visit, of) if of.meter else everything
    shown = Shown(of, view, everything, fresh, marks_of(visit, view, of))
    if against is not Against.NOTHING:
        key, before = visit.subscription.key, within.before
        first, end, values = read_before(visit.scope, visit.version, key, of, against, before)
        if any(values):
            shown = replace(shown, earlier=days(first, end - DAY, year=True), before=values)
    labels = [_(one.label) for one in (shown.meter, view.whole if of.category else None) if one]
    beside = compared(view, shown.before, shown.earlier, fresh.settled_through)
    show(
        crumbs(trail(visit, of, labels)),
        facts(view, shown.meter, *(beside if shown.before else ())),
    )
    with st.container(border=True, key="chart_card"):
        _chart(visit, shown)
    show(
        marks_list(shown.marks),
        product_table(everything, visit.look) if of.meter is None else None,
        category_table(view) if of.meter and not of.category else None,
    )


def _chart(visit: Visit, shown: Shown) -> None:
    view, look, of = shown.view, visit.look, shown.of
    show(_legend(visit, shown), happened_line(view))
    if view.whole and not view.stacks:
        show(note(_("These categories overlap, so they are listed below and not added up.")))
    chart = explored(
        *(view, look),
        meter=of.meter,
        settled_through=shown.fresh.settled_through,
        before=shown.before,
        incidents=shown.marks.incident_names,
        errors=shown.marks.errors,
    )
    show_chart(chart, "usage_chart")
    rows = usage_by_span(
        view,
        settled_through=shown.fresh.settled_through,
        today=visit.today,
        before=shown.before,
    )
    with st.container(key="chart_foot", horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary=_("Show the numbers")))
        what = (of.meter or "all", of.category or "", of.grain.value)
        csv_button(visit, _("CSV"), lambda: rows, "usage", *what, f"{of.start}")


def _legend(visit: Visit, shown: Shown) -> Safe:
    view, look = shown.view, visit.look
    parts = zip(colours(view, shown.of.meter, look), drawn(view), strict=True)
    entries: list[tuple[str, str]] = [(colour, _(one.label)) for colour, one in parts]
    seen = [one for one in view.spans if one.start <= visit.today]
    if seen and seen[-1].last_day > shown.fresh.settled_through:
        entries.append(("u-hatched", _("Still settling")))
    if any(not one.whole for one in seen):
        entries.append(("u-pale", _("A part of the week or month")))
    if shown.before:
        entries.append(("u-dotted", shown.earlier))
    if shown.marks.incidents:
        entries.append(("u-diamond", _("Incident at Twilio")))
    if shown.marks.errors:
        entries.append(("u-cross", _("Errors")))
    return joined([legend(*entries)])


PAGE = Page("usage", N_("Usage"), ":material/bar_chart:", Permission.VIEW_OWN, render)
