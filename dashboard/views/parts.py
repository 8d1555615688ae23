"""Parts that pages are made of: head with period picker, charts, tables, downloads, states.

Cards and tables are HTML with the classes of styles/, because no native element has their
density; everything that acts is Streamlit's own.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.access import Permission, Viewer, current_viewer, note_export, same_viewer
from dashboard.charts import Chart, Mode
from dashboard.charts.formats import day, money, period_name, quantity, whole
from dashboard.charts.theme import PLOTLY_LOCALES
from dashboard.exports import Table, Value, as_csv, file_name
from dashboard.views import address
from dashboard.views.markup import (
    Part,
    Safe,
    div,
    grid,
    joined,
    number_cell,
    number_head,
    span,
    tag,
)
from dashboard.views.page import Visit
from dashboard.views.readings import read_overview, read_periods, ten_minutes
from dashboard.words import _, language, n_, speak
from data.errors import NotFound, NotSignedIn
from data.overview import MeterSeries, Overview
from data.periods import BillingPeriod

ALL = "all"  # in the place of a meter's name
CHART = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def show(*parts: Part) -> None:
    if html := joined(parts):
        st.html(html)


def use_mode(mode: Mode) -> None:
    """For `light-dark()` in dialogs, which stand outside of the app and its own mode.

    The style sheet itself comes with Streamlit's page, once (dashboard/frontend.py).
    """
    st.html(f"<style>:root{{color-scheme:{mode}}}</style>")


def page_title(title: str) -> DeltaGenerator:
    """The title, with room beside it for what one can choose or begin here."""
    head = st.container(
        key="page_head",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    )
    with head:
        show(tag("h1", title, class_="u-title"))
    return head


def page_head(visit: Visit, title: str) -> BillingPeriod:
    """Title on the left, period on the right; the period chosen holds on all pages."""
    scope, chosen = visit.scope, visit.subscription
    periods = read_periods(scope, visit.version, chosen.key, visit.today)
    if not periods:
        raise NotFound("This contract has not begun yet.")
    by_code = {one.start.isoformat(): one for one in periods}
    with page_title(title):
        code = address.pick(
            "period",
            tuple(by_code),
            periods[0].start.isoformat(),
            lambda key: _period_box(by_code, key),
            whose=f"{scope.customer_id}_{chosen.key}",
        )
    return by_code[code]


def _period_box(by_code: Mapping[str, BillingPeriod], key: str) -> str | None:
    return st.selectbox(
        _("Period"),
        tuple(by_code),
        format_func=lambda code: period_name(by_code[code]),
        key=key,
        label_visibility="collapsed",
        persist_state="session",
        width=210,
    )


def overview_of(visit: Visit, period: BillingPeriod) -> Overview:
    return read_overview(
        visit.scope,
        visit.version,
        visit.subscription.key,
        period,
        visit.today,
        ten_minutes(visit.now),
        visit.settings.settling_days,
        visit.settings.holidays,
    )


def pick_meter_or_all(visit: Visit, view: Overview) -> MeterSeries | None:
    """One meter, or None: all of them, by their events."""
    shown = _shown(view)
    labels = {name: _(one.label) for name, one in shown.items()}
    first = view.lead
    if len(view.events) > 1:
        labels = {ALL: _("All"), **labels}
        limited = view.allowance is not None or view.credits is not None
        first = view.lead if limited else ALL
    return shown.get(_picked(visit, "meter_or_all", labels, first))


def _shown(view: Overview) -> dict[str, MeterSeries]:
    used = [one for one in view.series if one.quantity or one.meter == view.lead]
    return {one.meter: one for one in used or view.series}


def _picked(visit: Visit, key: str, labels: dict[str, str], first: str) -> str:
    names = list(labels)
    if len(names) == 1:
        show(tag("h2", labels[names[0]], class_="u-section"))
        return names[0]
    chosen = st.segmented_control(
        _("Product"),
        names,
        format_func=lambda name: labels[name],
        default=first if first in labels else names[0],
        required=True,
        key=f"{key}_{visit.scope.customer_id}_{visit.subscription.key}",
        label_visibility="collapsed",
    )
    return chosen or names[0]


def show_chart(chart: Chart, key: str) -> None:
    config = {**CHART, "locale": language(), "locales": PLOTLY_LOCALES}
    st.plotly_chart(chart.figure, key=key, theme=None, config=config, alt=chart.alt)


def legend(*entries: tuple[str, str | Part]) -> Safe:
    """(class of the swatch, or a colour; text), side by side."""
    items = []
    for mark, text in entries:
        colour = f"background:{mark}" if mark.startswith("#") else None
        class_ = "u-swatch" if colour else f"u-swatch {mark}"
        items.append(span("u-legend-item", tag("span", class_=class_, style=colour), text))
    return div("u-legend", *items)


def table(shown: Table, *, summary: str | None = None) -> Safe:
    """An HTML table; with a summary it is folded away behind it."""
    first = shown.rows[0] if shown.rows else ()
    figures = [isinstance(value, Decimal) for value in first] or [False] * len(shown.columns)
    names = zip(shown.columns, figures, strict=True)
    inner = grid(
        summary or ", ".join(shown.columns),
        (number_head(name) if figure else name for name, figure in names),
        (tag("tr", *(_cell(value) for value in row)) for row in shown.rows),
    )
    if summary is None:
        return inner
    return tag("details", tag("summary", summary), inner, class_="u-details")


def _cell(value: Value) -> Safe:
    if isinstance(value, Decimal):
        return number_cell(quantity(value))
    if isinstance(value, date):
        return tag("td", day(value))
    return tag("td", value or "")


def money_cell(amount: Decimal | None, currency: str) -> Safe:
    return number_cell("" if amount is None else money(amount, currency))


def must_still(visit: Visit, permission: Permission) -> None:
    """The first line of a dialog, which runs again without the page that has opened it."""
    speak(visit.language)
    viewer = current_viewer(visit.settings.database_url, datetime.now(UTC))
    if viewer is None:
        raise NotSignedIn("You are signed out.")
    viewer.require(permission)


def still_here(visit: Visit) -> tuple[Viewer, datetime]:
    """Who looks now, in the role and at the customer of the page, and the time of its data."""
    clock = datetime.now(UTC)
    return same_viewer(visit.viewer, clock), visit.settings.moment(clock)


def actor(visit: Visit, permission: Permission) -> tuple[Viewer, datetime]:
    """The first line of an act that runs without its page: who does it, and when."""
    viewer, now = still_here(visit)
    viewer.require(permission)
    return viewer, now


def csv_button(visit: Visit, label: str, build: Callable[[], Table], *names: str) -> None:
    download(visit, label, lambda: as_csv(build()), file_name(*names), "text/csv")


def download(
    visit: Visit, label: str, build: Callable[[], bytes], name: str, kind: str, *, icon: str = ""
) -> None:
    """A file that is written, and logged, when it is asked for: by whoever then may have it."""
    if not visit.viewer.may(Permission.EXPORT):
        return

    def written() -> bytes:
        speak(visit.language)
        now = datetime.now(UTC)
        note_export(same_viewer(visit.viewer, now), name, now)
        return build()

    st.download_button(
        label,
        data=written,
        file_name=name,
        mime=kind,
        on_click="ignore",
        type="tertiary",
        icon=icon or ":material/download:",
        key=f"csv_{name}",
    )


def short_label(words: str, name: str) -> str:
    """A button's words in a row with the row's name, which only screen readers are told."""
    plain = "".join(letter if letter.isalnum() else " " for letter in name)
    return f"{words} :gray[{' '.join(plain.split())}]"


def callout(*parts: Part, kind: str = "info") -> Safe:
    return tag("div", tag("p", *parts), class_=f"u-callout u-{kind}", role="note")


def state(title: str, *parts: Part, hint: Part = None) -> Safe:
    """An empty or broken page, said in full sentences."""
    return tag(
        "section",
        tag("h2", title),
        *(tag("p", part) for part in parts if part),
        tag("p", hint, class_="u-note") if hint else None,
        class_="u-state",
    )


def accounts_line(visit: Visit) -> str:
    """Which accounts the figures are of; nothing to say for one."""
    accounts = visit.subscription.accounts
    if len(accounts) < 2:
        return ""
    names = ", ".join(one.application or one.name for one in accounts)
    together = n_("{n} account: {names}", "{n} accounts together: {names}", len(accounts))
    return together.format(n=whole(len(accounts)), names=names)
