"""Spend: the statement of a period line by line, so far, settling or final."""

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import days, moment, money, money_range, period_name, unit_price
from dashboard.exports import statement_lines
from dashboard.views.cards import TWILIO_BILL, card
from dashboard.views.gauges import bar, range_track
from dashboard.views.markup import Part, Safe, div, joined, note, span, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, overview_of, page_head, show, state
from dashboard.views.readings import read_periods, read_statement
from dashboard.views.wording import (
    STATUS_WORDS,
    freshness_line,
    line_label,
    line_quantity,
    overage_guess,
    uncertain,
)
from data.overview import Overview
from data.periods import DAY, BillingPeriod
from data.statement import MeterAmount, Statement, StatementLine, Status
from data.statement import Part as Stretch

MOST_EARLIER = 12
STATUS_NOTES = {
    Status.OPEN: "What has been counted until now. It grows until the period ends.",
    Status.SETTLING: "The period is over. Late usage may still be added for a few days.",
    Status.FINAL: "The period is over and its figures have settled.",
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
    show(_figures(view, bill))
    with st.container(border=True, key="statement_card"):
        with st.container(key="statement_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", "Statement", class_="u-section"))
            csv_button("CSV", lambda: statement_lines(bill), "statement", f"{period.start}")
        show(_statement(bill))
    freshness = freshness_line(view.freshness, period, visit.today)
    show(_earlier(visit, period), tag("p", freshness, class_="u-foot"))


def _earlier(visit: Visit, period: BillingPeriod) -> Safe | None:
    """The bills before this one, to compare with."""
    scope, own, days = visit.scope, visit.subscription, visit.settings.settling_days
    known = read_periods(scope, visit.version, own.key, visit.today)
    bills = [
        read_statement(scope, visit.version, own.key, one, visit.today, days)
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


def _figures(view: Overview, bill: Statement) -> Safe:
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
    return div("u-cards u-few", so_far, _expected(view, bill))


def _expected(view: Overview, bill: Statement) -> Safe | None:
    ahead = view.outlook
    if ahead is None or ahead.amount is None or bill.status is not Status.OPEN:
        return None
    open_end = uncertain(ahead.amount)
    return card(
        "Expected at the end",
        money_range(ahead.amount, bill.currency),
        range_track(bill.total, ahead.amount) if open_end else None,
        note(_of_it_overage(view) if open_end else "Usage so far does not change it."),
        label="expected",
    )


def _of_it_overage(view: Overview) -> str:
    text = "Four periods out of five end in this range."
    guess = overage_guess(view)
    return f"{text} About {guess} of it is overage." if guess else text


def _statement(bill: Statement) -> Safe:
    head = tag(
        "tr",
        tag("th", "Line", scope="col"),
        *(tag("th", name, scope="col", class_="u-number") for name in ("Quantity", "Price")),
        tag("th", f"Amount, {bill.currency}", scope="col", class_="u-number"),
    )
    body = joined(row for part in bill.parts for row in _stretch(part, bill))
    total = tag(
        "tr",
        tag("td", f"Total {STATUS_WORDS[bill.status]}", colspan="3"),
        tag("td", money(bill.total, bill.currency), class_="u-number"),
        class_="u-total",
    )
    grid = tag("table", tag("thead", head), tag("tbody", body, total), class_="u-table")
    return div("u-table-frame", grid)


def _stretch(part: Stretch, bill: Statement) -> list[Part]:
    """A plan's days and lines; one plan over a whole period needs no heading of its own."""
    used = (part.end - part.start).days
    span_text = f"{part.plan}, {days(part.start, part.end - DAY)}"
    if used < part.full_days:
        span_text += f" · {used} of {part.full_days} days"
    heading = tag("tr", tag("td", span_text, colspan="4", class_="u-stretch"))
    rows: list[Part] = [heading]
    for line in part.lines:
        rows.append(_line(line, part, bill.currency))
        rows += [_share(one, bill.currency) for one in line.breakdown]
    return rows


def _share(one: MeterAmount, currency: str) -> Safe:
    """What a product adds to the line above, which was rounded once for all."""
    amount = tag("td", money(one.amount, currency), class_="u-number")
    return tag("tr", tag("td", one.label, colspan="3"), amount, class_="u-part")


def _line(line: StatementLine, part: Stretch, currency: str) -> Safe:
    return tag(
        "tr",
        tag("td", line_label(line), _why(line, part, currency)),
        tag("td", line_quantity(line), class_="u-number"),
        tag("td", _price(line, currency), class_="u-number"),
        tag("td", money(line.amount, currency), class_="u-number"),
    )


def _why(line: StatementLine, part: Stretch, currency: str) -> Safe | None:
    """13/30 × $59.99: how a part of a fee came about."""
    used = (part.end - part.start).days
    if line.kind.value != "fee" or used == part.full_days or line.unit_amount is None:
        return None
    text = f"{used}/{part.full_days} × {money(line.unit_amount, currency)}"
    return span("u-why", text)


def _price(line: StatementLine, currency: str) -> str:
    if line.unit_amount is None:
        return "included" if line.kind.value == "included" else ""
    unit = "" if line.kind.value in ("fee", "pack") or not line.unit else " each"
    return f"{unit_price(line.unit_amount, currency)}{unit}"


PAGE = Page("spend", "Spend", ":material/receipt_long:", Permission.VIEW_OWN, render)
