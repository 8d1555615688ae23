"""Overview: used and left, cost, pace and ending of one period, without a click."""

from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import Chart, category_days, daily_usage, running_total
from dashboard.charts.formats import sentence
from dashboard.charts.running_total import shade
from dashboard.exports import Table, usage_by_category, usage_by_day
from dashboard.views import address
from dashboard.views.ask import ask_button
from dashboard.views.cards import cards
from dashboard.views.forecast_words import advice_lines, unusual_in, unusual_line
from dashboard.views.markup import note, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    accounts_line,
    csv_button,
    legend,
    overview_of,
    page_head,
    pick_meter_or_all,
    show,
    show_chart,
    table,
)
from dashboard.views.since import since_last_visit
from dashboard.views.wording import freshness_line, summary
from dashboard.words import N_, _
from data.overview import MeterSeries, Overview

DAILY, ADDED_UP = "day", "sum"
SHAPES = {DAILY: N_("By day"), ADDED_UP: N_("Adding up")}
BEHIND = ("usage", "plan", "spend", "credits", "what-if")  # the pages with the cards' detail
DAILY_HEIGHT = 218  # px, as of one meter's days


def render(visit: Visit) -> None:
    period = page_head(visit, _("Overview"))
    view = overview_of(visit, period)
    show(
        notices(visit, view.freshness),
        tag("p", summary(view, visit.today), class_="u-summary"),
        cards(view, visit.today, _addresses(visit)),
    )
    _advice(visit, view)
    if period.start <= visit.today < period.end:
        show(since_last_visit(visit))
    if view.series:
        with st.container(border=True, key="chart_card"):
            _chart(visit, view)
    accounts = accounts_line(visit)
    show(
        tag("p", freshness_line(view.freshness, period, visit.today), class_="u-foot"),
        tag("p", accounts, class_="u-foot") if accounts else None,
    )


def _addresses(visit: Visit) -> dict[str, str]:
    """Of the pages behind the cards, with period, contract and language as they are chosen."""
    asked = f"?{urlencode(chosen)}" if (chosen := st.query_params.to_dict()) else ""
    seen = (path for path in BEHIND if visit.viewer.sees(path, Permission.VIEW_OWN))
    return {path: f"{path}{asked}" for path in seen}


def _advice(visit: Visit, view: Overview) -> None:
    """The tier that would cost less, beside the way to ask for it."""
    ahead, bill = view.outlook, view.statement
    advised = ahead and (ahead.advice or ahead.next_advice)
    if ahead is None or bill is None or not advised:
        return
    said = advice_lines(ahead.advice, ahead.next_advice, bill.currency)
    with st.container(
        key="advice",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        show(tag("p", *said))
        ask_button(visit, kind="tier", wanted=advised.tier)


def _chart(visit: Visit, view: Overview) -> None:
    with st.container(key="chart_head", horizontal=True, horizontal_alignment="distribute"):
        series = pick_meter_or_all(visit, view)
        shape = _pick_shape(visit) if series else DAILY
    if series is None:
        chart, rows = _together(visit, view), usage_by_category(view.events, visit.today)
    else:
        draw = _added_up if shape == ADDED_UP else _by_day
        chart = draw(visit, view, series)
        rows = usage_by_day(series, view.freshness.settled_through)
    show_chart(chart, "usage_chart")
    _table(visit, series.meter if series else "all", rows, view)


def _pick_shape(visit: Visit) -> str:
    return address.pick("shape", tuple(SHAPES), DAILY, _shape_box, whose=visit.subscription.key)


def _shape_box(key: str) -> str | None:
    return st.segmented_control(
        _("Shape of the chart"),
        tuple(SHAPES),
        format_func=lambda code: _(SHAPES[code]),
        required=True,
        key=key,
        label_visibility="collapsed",
    )


def _together(visit: Visit, view: Overview) -> Chart:
    """All meters by their events: a message and a call are one each, whatever they cost."""
    settled, before = view.freshness.settled_through, view.previous_events
    meters = [replace(one, label=_(one.label)) for one in view.events]
    colours = ((visit.look.meter(one.category), one.label) for one in meters)
    entries = [*colours, *settling(view), *before_entry(any(before))]
    unusual = {_(one.label): one.unusual for one in view.series if one.unusual}
    entries += unusual_entry(visit, any(unusual))
    show(
        legend(*entries),
        note(_("Each message, call or verification counts as one.")),
        note(said) if (said := unusual_in(unusual)) else None,
    )
    return category_days(
        *(meters, view.period, settled, visit.look),
        previous=before,
        unusual=unusual,
        height=DAILY_HEIGHT,
    )


def _by_day(visit: Visit, view: Overview, series: MeterSeries) -> Chart:
    settled = view.freshness.settled_through
    by_day = _("{unit} by day").format(unit=sentence(_(series.unit)))
    entries = [("u-solid", by_day), *settling(view), *before_entry(any(series.previous))]
    entries += unusual_entry(visit, any(series.unusual))
    said = unusual_line(series.unusual, series.unit)
    show(legend(*entries), note(said) if said else None)
    return daily_usage(series, view.period, settled, visit.look)


def _added_up(visit: Visit, view: Overview, series: MeterSeries) -> Chart:
    """The days to come and the allowance belong to the meter that leads the page."""
    leads = series.meter == view.lead
    allowance = view.allowance.included if view.allowance and leads else None
    fan = view.fan if leads else None
    entries = [("u-solid", _("{unit} so far").format(unit=sentence(_(series.unit))))]
    if fan:
        entries += [("u-dotted", _("Most likely")), (shade(visit.look), _("Four cases in five"))]
    entries += [("u-level", _("Included"))] if allowance else []
    show(legend(*entries))
    settled = view.freshness.settled_through
    return running_total(*(series, view.period, settled, visit.look), allowance=allowance, fan=fan)


def unusual_entry(visit: Visit, marked: bool) -> list[tuple[str, str]]:
    return [(visit.look.warning, _("Unusual day"))] if marked else []


def before_entry(shown: bool) -> list[tuple[str, str]]:
    return [("u-dotted", _("Period before"))] if shown else []


def settling(view: Overview) -> list[tuple[str, str]]:
    """The legend's entry for days that may still move, where any are shown."""
    last = max((one.days[-1] for one in view.series if one.days), default=None)
    moving = last is not None and last > view.freshness.settled_through
    return [("u-hatched", _("Still settling"))] if moving else []


def _table(visit: Visit, name: str, rows: Table, view: Overview) -> None:
    with st.container(key="chart_foot", horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary=_("Show the numbers")))
        csv_button(visit, _("CSV"), lambda: rows, "usage", name, f"{view.period.start}")


PAGE = Page("overview", N_("Overview"), ":material/monitoring:", Permission.VIEW_OWN, render)
