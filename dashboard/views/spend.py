"""Spend: the statement of a period line by line, so far, settling or final."""

from datetime import date

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import moment, money, money_range, period_name
from dashboard.exports import statement_days, statement_lines
from dashboard.views.cards import TWILIO_BILL, card, how_worked_out, middle_rows, row
from dashboard.views.forecast_words import allowance_end, overage_guess, uncertain
from dashboard.views.gauges import bar, range_track
from dashboard.views.markup import Safe, div, note, span, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, overview_of, page_head, show, state
from dashboard.views.readings import read_explanation, read_periods, read_statement
from dashboard.views.statement_table import fingerprint, plan_changes, statement_table
from dashboard.views.wording import STATUS_WORDS, freshness_line
from data.overview import Overview
from data.periods import BillingPeriod
from data.statement import Statement, Status

MOST_EARLIER = 12
STATUS_NOTES = {
    Status.OPEN: "What has been counted until now. It grows until the period ends.",
    Status.SETTLING: "The period is over. Late usage may still be added for a few days.",
    Status.FINAL: "This statement is closed. Late usage would be an adjustment on a later one.",
}


def render(visit: Visit) -> None:
    period = page_head(visit, "Spend")
    view = overview_of(visit, period)
    bill = view.statement
    show(notices(visit, view.freshness))
    if bill is None:
        link = tag("a", "Open your bill at Twilio", href=TWILIO_BILL)
        show(
            state(
                "You pay Twilio directly",
                "This account is your own at Twilio, so we charge nothing for its usage.",
                hint=link,
            )
        )
        return
    show(_figures(view, bill, visit.today))
    trees = read_explanation(
        visit.scope, visit.version, visit.subscription.key, period, visit.today
    )
    with st.container(border=True, key="statement_card"):
        with st.container(key="statement_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", "Statement", class_="u-section"))
            csv_button(visit, "CSV", lambda: statement_lines(bill), "statement", f"{period.start}")
            csv_button(
                visit, "By day", lambda: statement_days(bill, trees), "days", f"{period.start}"
            )
        show(plan_changes(bill), statement_table(bill, trees), fingerprint(bill))
    freshness = freshness_line(view.freshness, period, visit.today)
    show(_earlier(visit, period), tag("p", freshness, class_="u-foot"))


def _earlier(visit: Visit, period: BillingPeriod) -> Safe | None:
    """The bills before this one, to compare with."""
    scope, own = visit.scope, visit.subscription
    known = read_periods(scope, visit.version, own.key, visit.today)
    bills = [
        read_statement(scope, visit.version, own.key, one, visit.today)
        for one in [one for one in known if one < period][:MOST_EARLIER]
    ]
    priced = [bill for bill in bills if bill is not None]
    if not priced:
        return None
    most = max(bill.total for bill in priced)
    rows = (
        div(
            "u-bill",
            span("u-text", period_name(bill.period)),
            bar(bill.total, most),
            span("u-tag", STATUS_WORDS[bill.status]),
            span("u-value", money(bill.total, bill.currency)),
        )
        for bill in priced
    )
    return div("u-panel", tag("h2", "Earlier periods", class_="u-section"), *rows)


def _figures(view: Overview, bill: Statement, today: date) -> Safe:
    at = view.freshness.as_of
    as_of = note(f"As of {moment(at)}.") if at and bill.status is not Status.FINAL else None
    title = "Spend" if bill.status is Status.FINAL else "Spend to date"
    so_far = card(
        title,
        money(bill.total, bill.currency),
        note(STATUS_NOTES[bill.status]),
        as_of,
        label=STATUS_WORDS[bill.status],
    )
    return div("u-cards u-few", so_far, _expected(view, bill, today))


def _expected(view: Overview, bill: Statement, today: date) -> Safe | None:
    ahead = view.outlook
    if ahead is None or ahead.amount is None or bill.status is not Status.OPEN:
        return None
    if not uncertain(ahead.amount):
        stays = note("Usage so far does not change it.")
        figure = money_range(ahead.amount, bill.currency)
        return card("Expected at the end", figure, stays, label="expected")
    guess, end = overage_guess(view), allowance_end(view)
    overage = row("Of it overage", f"about {guess}") if guess else None
    return card(
        "Expected at the end",
        money_range(ahead.amount, bill.currency),
        range_track(bill.total, ahead.amount),
        div("u-rows", *middle_rows(view), overage),
        note(f"{end}.") if end else None,
        how_worked_out(view, today),
        label="expected",
    )


PAGE = Page("spend", "Spend", ":material/receipt_long:", Permission.VIEW_OWN, render)
