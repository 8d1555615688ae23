"""Service: errors in words, Twilio's incidents, and how usage is measured, when and how late.

Each panel says calmly when there is nothing to report, and honestly when nothing has been read.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import errors_by_day
from dashboard.charts.formats import day, moment, period_name, quantity, whole
from dashboard.exports import Table
from dashboard.views.markup import Safe, div, filled, note, span, strong, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, legend, page_head, show, show_chart, table
from dashboard.views.readings import ten_minutes
from dashboard.views.service_measured import IMPACTS, held, measured, panel
from dashboard.views.service_readings import read_service
from dashboard.words import N_, _, n_
from data.freshness import freshness
from data.periods import BillingPeriod
from data.service import (
    ALERTS,
    ErrorSum,
    LogComparison,
    LogDifference,
    ServiceView,
    error_code,
    error_sums,
)
from data.service_rows import AlertCount, IncidentView

MOST_ERRORS = 6  # before the rest is folded away
LEVELS = {"error": N_("Error"), "warning": N_("Warning")}
LOG_NAMES = {"messages": N_("Messages"), "calls": N_("Calls")}
REASONS = (
    (
        N_("Segments"),
        N_("A message of over 160 letters, or 70 with other alphabets, is billed as several."),
    ),
    (N_("Started minutes"), N_("Every call is billed by the minute begun: 61 seconds are two.")),
    (
        N_("What was not sent"),
        N_("Failed messages and unanswered calls stand in the log and are not billed as units."),
    ),
    (
        N_("Days in UTC"),
        N_("Usage has days in UTC. A log in local time shows the evening on another day."),
    ),
    (
        N_("Delay"),
        N_("A log shows a message at once. Usage of the last days still comes in and settles."),
    ),
)


def render(visit: Visit) -> None:
    period = page_head(visit, _("Service"))
    accounts = visit.subscription.accounts
    read = read_service(visit.scope, visit.version, accounts, period, visit.today)
    fresh = freshness(
        accounts,
        today=visit.today,
        now=ten_minutes(visit.now),
        settling_days=visit.settings.settling_days,
    )
    show(notices(visit, fresh))
    _errors(visit, read, period)
    show(_incidents(read.incidents))
    _differences(visit, read.logs, period)
    show(*measured(visit, read, fresh), *held(visit, read))


# Errors


def _errors(visit: Visit, read: ServiceView, period: BillingPeriod) -> None:
    sums = error_sums(read.errors)
    with st.container(border=True, key="service_errors"):
        show(
            tag("h2", _("Errors"), class_="u-section"), _errors_in_words(visit, read, sums, period)
        )
        if not sums:
            return
        show(legend((visit.look.warning, _("Errors")), ("u-beyond-swatch", _("Warnings"))))
        show_chart(errors_by_day(read.errors, period, visit.look), "errors_chart")
        show(_error_list(sums[:MOST_ERRORS]))
        if rest := sums[MOST_ERRORS:]:
            more = n_("Show {n} more code", "Show {n} more codes", len(rest)).format(n=len(rest))
            show(tag("details", tag("summary", more), _error_list(rest), class_="u-details"))
        with st.container(key="errors_foot", horizontal=True, horizontal_alignment="distribute"):
            rows = errors_table(read.errors)
            show(table(rows, summary=_("Show the numbers")))
            csv_button(visit, _("CSV"), lambda: rows, "errors", f"{period.start}")


def _errors_in_words(
    visit: Visit, read: ServiceView, sums: tuple[ErrorSum, ...], period: BillingPeriod
) -> Safe:
    name = period_name(period)
    read_days = [one.through for one in read.read if one.resource == ALERTS]
    if not sums and not read_days:
        return _never_read(visit)
    through = min(read_days, default=visit.today)
    late = through < min(visit.today, period.last_day)
    until = _("Errors have been read until {day}.").format(day=day(through)) if late else ""
    if not sums:
        none = _("Twilio has reported no error in {period}.").format(period=name)
        return note(none, " ", until)
    number = sum(one.count for one in sums)
    words = n_(
        "{number} report by Twilio in {period}; {title} is the most frequent.",
        "{number} reports by Twilio in {period}; {title} is the most frequent.",
        number,
    )
    title = _(error_code(sums[0].code).title)
    return note(
        filled(
            words,
            number=strong(quantity(Decimal(number))),
            period=name,
            title=strong(_("“{title}”").format(title=title)),
        ),
        " ",
        until,
    )


def _never_read(visit: Visit) -> Safe:
    none = _("No errors have been read yet.")
    ask = _("Reading them needs a key of the account itself; {name} can add one.")
    return note(none, " ", ask.format(name=visit.brand.name))


def _error_list(sums: Iterable[ErrorSum]) -> Safe:
    return tag("ul", *(_error(one) for one in sums), class_="u-errors")


def _error(one: ErrorSum) -> Safe:
    """The count first, then what happened, then what to do."""
    code = error_code(one.code)
    name = _("Code {code}").format(code=one.code) if one.code else _("Without a code")
    level = _(LEVELS.get(one.level, N_("Notice")))
    last = _("last on {day}").format(day=day(one.last))
    link = tag("a", name, href=code.url, target="_blank", rel="noopener") if code.url else name
    return tag(
        "li",
        span("u-error-count", f"{whole(one.count)}×"),
        div(
            "u-pair",
            span("u-name", _(code.title)),
            span("u-text", _(code.happened)),
            span("u-key", level, " · ", last, " · ", link),
        ),
        div("u-pair", span("u-key", _("What to do")), span("u-text", _(code.advice))),
    )


def errors_table(counts: Iterable[AlertCount]) -> Table:
    rows = (
        (one.day, one.code, _(error_code(one.code).title), one.level, Decimal(one.count))
        for one in counts
    )
    columns = (_("Day (UTC)"), _("Code"), _("What"), _("Level"), _("Count"))
    return Table(columns, tuple(rows))


# Incidents


def _incidents(found: tuple[IncidentView, ...]) -> Safe:
    title = _("Incidents at Twilio")
    if not found:
        return panel(title, note(_("Twilio has reported no incident in this period.")))
    ordered = sorted(found, key=lambda one: one.resolved_at is not None)  # those that go on first
    return panel(title, tag("ul", *(_incident(one) for one in ordered), class_="u-incidents"))


def _incident(one: IncidentView) -> Safe:
    going_on = one.resolved_at is None
    when = (
        _("since {begin}").format(begin=moment(one.started_at))
        if one.resolved_at is None
        else _("{begin} – {end}").format(begin=moment(one.started_at), end=moment(one.resolved_at))
    )
    touched = ", ".join(one.components) or _("not said")
    about = _("Twilio's page of “{name}”").format(name=one.name)
    link = tag("a", _("More"), href=one.url, target="_blank", rel="noopener", aria_label=about)
    impact = _(IMPACTS.get(one.impact, one.impact))
    return tag(
        "li",
        div("u-health", span(f"u-dot u-{'bad' if going_on else 'quiet'}"), _state(one)),
        div("u-pair", span("u-name", one.name), span("u-key", when)),
        div(
            "u-pair",
            span("u-text", _("Touched: {components}").format(components=touched)),
            span("u-key", impact, *((" · ", link) if one.url else ())),
        ),
    )


def _state(one: IncidentView) -> str:
    return _("Over") if one.resolved_at is not None else _("Going on")


# Why usage differs from logs


def _differences(visit: Visit, logs: tuple[LogComparison, ...], period: BillingPeriod) -> None:
    with st.container(border=True, key="service_logs"):
        show(tag("h2", _("Why usage differs from your message and call logs"), class_="u-section"))
        if not logs:
            show(note(_("Your logs are not counted here, so only the reasons are shown.")))
        for one in logs:
            name, rows = _(LOG_NAMES[one.kind]), comparison_table(one)
            show(_bridge(one, name))
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                show(table(rows, summary=_("{log} by day").format(log=name)))
                label = _("CSV of {log}").format(log=name)
                csv_button(
                    *(visit, label, partial(comparison_table, one)),
                    *("logs", one.kind, f"{period.start}"),
                )
        pairs = (
            div("u-reason", tag("dt", _(name)), tag("dd", _(words))) for name, words in REASONS
        )
        show(tag("dl", *pairs, class_="u-reasons"))


def _bridge(one: LogComparison, name: str) -> Safe:
    """From the records of a log to what is billed, step by step."""
    counted = _("{first} – {last}, as far as counted").format(
        first=day(one.first), last=day(one.last)
    )
    unit = _("Billed segments") if one.kind == "messages" else _("Billed minutes")
    steps = [*bridge_steps(one.kind, one.whole), (unit, one.whole.billed)]
    rows = (
        tag("tr", tag("td", words), tag("td", _signed(number), class_="u-number"))
        for words, number in steps
    )
    grid = tag("table", tag("tbody", *rows), class_="u-table u-steps-of-log", aria_label=name)
    return div("u-bridge", tag("h3", name, " ", span("u-key", counted)), grid)


def _signed(number: Decimal) -> str:
    return quantity(number).replace("-", "−")


def bridge_steps(kind: str, whole: LogDifference) -> list[tuple[str, Decimal]]:
    """Signed steps that add up to the billed units; a step of nothing is left out."""
    sent = Decimal(whole.records - whole.unbilled)
    if kind == "messages":
        steps = [
            (_("Messages in your log"), Decimal(whole.records)),
            (_("Failed or cancelled, not billed as segments"), Decimal(-whole.unbilled)),
            (_("Second and further segments of longer messages"), whole.units - sent),
        ]
    else:
        talked = (Decimal(whole.seconds or 0) / 60).quantize(Decimal("0.01"))
        steps = [
            (_("Minutes talked in your log"), talked),
            (_("Rounded up to started minutes, call by call"), whole.units - talked),
        ]
    rest = (_("Not explained by the log: still settling, or records deleted"), whole.rest)
    return [steps[0], *(step for step in [*steps[1:], rest] if step[1])]


def comparison_table(one: LogComparison) -> Table:
    messages = one.kind == "messages"
    columns = (
        _("Day (UTC)"),
        _("Records"),
        _("Not billed"),
        _("Segments in the log") if messages else _("Minutes in the log"),
        _("Billed segments") if messages else _("Billed minutes"),
        _("Difference"),
    )
    rows = (
        (on, Decimal(d.records), Decimal(d.unbilled), d.units, d.billed, d.rest)
        for on, d in one.days
    )
    return Table(columns, tuple(rows))


PAGE = Page("service", N_("Service"), ":material/monitor_heart:", Permission.VIEW_OWN, render)
