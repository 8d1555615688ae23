"""Overview: used and left, cost, pace and ending of one period, without a click."""

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import Chart, category_days, daily_usage, running_total
from dashboard.charts.formats import sentence
from dashboard.charts.running_total import shade
from dashboard.exports import Table, usage_by_category, usage_by_day
from dashboard.views.cards import cards
from dashboard.views.forecast_words import advice_lines, unusual_in, unusual_line
from dashboard.views.markup import Safe, note, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    accounts_line,
    callout,
    csv_button,
    legend,
    overview_of,
    page_head,
    pick_meter_or_all,
    show,
    show_chart,
    table,
)
from dashboard.views.wording import freshness_line, summary
from data.overview import MeterSeries, Overview

DAILY, ADDED_UP = "By day", "Adding up"
DAILY_HEIGHT = 218  # px, as of one meter's days


def render(visit: Visit) -> None:
    period = page_head(visit, "Overview")
    view = overview_of(visit, period)
    show(
        notices(visit, view.freshness),
        tag("p", summary(view, visit.today), class_="u-summary"),
        cards(view, visit.today),
        _advice(visit, view),
    )
    if view.series:
        with st.container(border=True, key="chart_card"):
            _chart(visit, view)
    accounts = accounts_line(visit)
    show(
        tag("p", freshness_line(view.freshness, period, visit.today), class_="u-foot"),
        tag("p", accounts, class_="u-foot") if accounts else None,
    )


def _advice(visit: Visit, view: Overview) -> Safe | None:
    ahead, bill = view.outlook, view.statement
    if ahead is None or bill is None or not (ahead.advice or ahead.next_advice):
        return None
    ask = tag("a", "Ask for a change", href=visit.brand.support)
    return callout(*advice_lines(ahead.advice, ahead.next_advice, bill.currency), " ", ask)


def _chart(visit: Visit, view: Overview) -> None:
    with st.container(key="chart_head", horizontal=True, horizontal_alignment="distribute"):
        series = pick_meter_or_all(visit, view)
        shape = _pick_shape() if series else DAILY
    if series is None:
        chart, rows = _together(visit, view), usage_by_category(view.events, visit.today)
    else:
        draw = _added_up if shape == ADDED_UP else _by_day
        chart = draw(visit, view, series)
        rows = usage_by_day(series, view.freshness.settled_through)
    show_chart(chart, "usage_chart")
    _table(visit, series.meter if series else "all", rows, view)


def _pick_shape() -> str | None:
    return st.segmented_control(
        "Shape of the chart",
        (DAILY, ADDED_UP),
        default=DAILY,
        required=True,
        key="chart_shape",
        label_visibility="collapsed",
    )


def _together(visit: Visit, view: Overview) -> Chart:
    """All meters by their events: a message and a call are one each, whatever they cost."""
    settled, before = view.freshness.settled_through, view.previous_events
    tints = ((visit.look.tint(rank), one.label) for rank, one in enumerate(view.events))
    entries = [*tints, *settling(view), *([("u-dotted", "Period before")] if any(before) else [])]
    unusual = {one.label: one.unusual for one in view.series if one.unusual}
    entries += unusual_entry(visit, any(unusual))
    show(
        legend(*entries),
        note("Each message, call or verification counts as one."),
        note(said) if (said := unusual_in(unusual)) else None,
    )
    return category_days(
        *(view.events, view.period, settled, visit.look),
        previous=before,
        unusual=unusual,
        height=DAILY_HEIGHT,
    )


def _by_day(visit: Visit, view: Overview, series: MeterSeries) -> Chart:
    settled = view.freshness.settled_through
    entries = [("u-solid", f"{sentence(series.unit)} by day"), *settling(view)]
    if any(series.previous):
        entries.append(("u-dotted", "Period before"))
    entries += unusual_entry(visit, any(series.unusual))
    said = unusual_line(series.unusual, series.unit)
    show(legend(*entries), note(said) if said else None)
    return daily_usage(series, view.period, settled, visit.look)


def _added_up(visit: Visit, view: Overview, series: MeterSeries) -> Chart:
    """The days to come and the allowance belong to the meter that leads the page."""
    leads = series.meter == view.lead
    allowance = view.allowance.included if view.allowance and leads else None
    fan = view.fan if leads else None
    entries = [("u-solid", f"{sentence(series.unit)} so far")]
    if fan:
        entries += [("u-dotted", "Most likely"), (shade(visit.look), "Four cases in five")]
    entries += [("u-level", "Included")] if allowance else []
    show(legend(*entries))
    settled = view.freshness.settled_through
    return running_total(*(series, view.period, settled, visit.look), allowance=allowance, fan=fan)


def unusual_entry(visit: Visit, marked: bool) -> list[tuple[str, str]]:
    return [(visit.look.warning, "Unusual day")] if marked else []


def settling(view: Overview) -> list[tuple[str, str]]:
    """The legend's entry for days that may still move, where any are shown."""
    last = max((one.days[-1] for one in view.series if one.days), default=None)
    moving = last is not None and last > view.freshness.settled_through
    return [("u-hatched", "Still settling")] if moving else []


def _table(visit: Visit, name: str, rows: Table, view: Overview) -> None:
    with st.container(key="chart_foot", horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary="Show the numbers"))
        csv_button(visit, "CSV", lambda: rows, "usage", name, f"{view.period.start}")


PAGE = Page("overview", "Overview", ":material/monitoring:", Permission.VIEW_OWN, render)
