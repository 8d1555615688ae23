"""Usage: one product by day, down to Twilio's categories and to a single account."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import adds_up, category_days, daily_usage
from dashboard.charts.formats import counted, quantity, sentence
from dashboard.exports import usage_by_category, usage_by_day
from dashboard.views.forecast_words import unusual_line
from dashboard.views.markup import Safe, div, note, span, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    csv_button,
    legend,
    overview_of,
    page_head,
    pick_meter,
    show,
    show_chart,
    state,
    table,
)
from dashboard.views.readings import read_breakdown
from dashboard.views.wording import freshness_line
from data.money import ZERO
from data.overview import MeterSeries, Overview
from data.usage import CategorySeries

EVERY_ACCOUNT = ""
WHY_DIFFERENT = {
    "SMS segments": "A message of over 160 characters is sent, and billed, as several segments.",
    "minutes": "Every started minute of a call is billed.",
}


@dataclass(frozen=True, slots=True)
class Categories:
    """Those under a product that were used, largest first; `stacks`: none counts another twice."""

    parts: tuple[CategorySeries, ...]
    stacks: bool

    @property
    def quantity(self) -> Decimal:
        return sum((one.quantity for one in self.parts), ZERO)

    @property
    def events(self) -> Decimal:
        return sum((sum(one.events, ZERO) for one in self.parts), ZERO)


def render(visit: Visit) -> None:
    period = page_head(visit, "Usage")
    view = overview_of(visit, period)
    show(notices(visit, view.freshness))
    if not view.series:
        show(state("Nothing was used in this period", "Choose another period above."))
        return
    with st.container(key="chart_head", horizontal=True, horizontal_alignment="distribute"):
        series = pick_meter(visit, view)
        account = _pick_account(visit)
    own = _categories_of(visit, view, series, account)
    show(_facts(series, own, whole=not account))
    with st.container(border=True, key="chart_card"):
        _chart(visit, view, series, own, whole=not account)
    freshness = freshness_line(view.freshness, period, visit.today)
    show(_category_table(own), tag("p", freshness, class_="u-foot"))


def _categories_of(visit: Visit, view: Overview, series: MeterSeries, account: str) -> Categories:
    """Whether they overlap shows in the whole; one account's are then of the same kind."""
    read = partial(
        read_breakdown,
        *(visit.scope, visit.version, visit.subscription.key, view.period, series.meter),
    )
    everywhere = tuple(one for one in read(None) if one.quantity)
    stacks = bool(everywhere) and adds_up(everywhere, series.quantities)
    parts = tuple(one for one in read(account) if one.quantity) if account else everywhere
    return Categories(parts, stacks)


def _pick_account(visit: Visit) -> str:
    """A SID of the customer's own, or none for all; nothing to pick from one account."""
    names = {one.sid: one.application or one.name for one in visit.subscription.accounts}
    if len(names) < 2:
        return EVERY_ACCOUNT
    return st.selectbox(
        "Account",
        (EVERY_ACCOUNT, *names),
        format_func=lambda sid: names.get(sid, f"All {len(names)} accounts"),
        key=f"account_{visit.scope.customer_id}_{visit.subscription.key}",
        label_visibility="collapsed",
        width=210,
    )


def _facts(series: MeterSeries, own: Categories, *, whole: bool) -> Safe:
    """Billed units, events beside them, and one line on why they differ."""
    differ = series.events_unit != series.unit
    facts = [_fact(series.quantity if whole else own.quantity, series.unit)]
    if differ:
        events = sum(series.events, ZERO) if whole else own.events
        facts.append(_fact(events, series.events_unit))
    if whole and series.previous_quantity is not None:
        facts.append(_fact(series.previous_quantity, "in the whole period before"))
    why = WHY_DIFFERENT.get(series.unit) if differ else None
    return div("u-facts", *facts, note(why) if why else None)


def _fact(number: Decimal, what: str) -> Safe:
    return div("u-fact", span("u-fact-number", quantity(number)), span("u-key", what))


def _chart(
    visit: Visit, view: Overview, series: MeterSeries, own: Categories, *, whole: bool
) -> None:
    """By category where they add up to the product, else the product alone."""
    settled, look = view.freshness.settled_through, visit.look
    last = min(visit.today, view.period.last_day)
    before = series.previous if whole else ()
    marks = [("u-hatched", "Still settling")] if last > settled else []
    marks += [("u-dotted", "Period before")] if any(before) else []
    unusual = series.unusual if whole else ()
    marks += [(look.warning, "Unusual day")] if unusual else []
    said = unusual_line(unusual, series.unit)
    newest = note(said) if said else None
    if own.stacks:
        tints = [(look.tint(rank), one.label) for rank, one in enumerate(own.parts)]
        show(legend(*tints, *marks), newest)
        chart = category_days(
            *(own.parts, view.period, settled, look), previous=before, unusual={"": unusual}
        )
        rows = usage_by_category(own.parts, last)
    elif whole:
        show(legend(("u-solid", f"{sentence(series.unit)} by day"), *marks), newest)
        chart = daily_usage(series, view.period, settled, look)
        rows = usage_by_day(series, settled)
    else:
        show(note("These categories overlap, so they are listed below and not added up."))
        return
    show_chart(chart, "usage_chart")
    with st.container(key="chart_foot", horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary="Show the numbers"))
        csv_button(visit, "CSV", lambda: rows, "usage", series.meter, f"{view.period.start}")


def _category_table(own: Categories) -> Safe | None:
    if not own.parts:
        return None
    head = ("Category", "Events", "Billed units")
    cells = (tag("th", name, scope="col", class_=_side(at)) for at, name in enumerate(head))
    rows = (
        tag(
            "tr",
            tag("td", one.label),
            tag("td", quantity(sum(one.events, ZERO)), class_="u-number"),
            tag("td", counted(one.quantity, one.unit), class_="u-number"),
        )
        for one in own.parts
    )
    grid = tag("table", tag("thead", tag("tr", *cells)), tag("tbody", *rows), class_="u-table")
    return div("u-panel", tag("h2", "By category", class_="u-section"), grid)


def _side(at: int) -> str | None:
    return "u-number" if at else None


PAGE = Page("usage", "Usage", ":material/bar_chart:", Permission.VIEW_OWN, render)
