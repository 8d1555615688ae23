"""Spend: the statement of a period line by line; so far, expected and final are never mixed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import day, moment, money, money_range, period_name, signed_money
from dashboard.exports import statement_days, statement_lines
from dashboard.views.cards import TWILIO_BILL, card, how_worked_out, middle_rows, row
from dashboard.views.forecast_words import allowance_end, overage_guess, uncertain
from dashboard.views.gauges import bar, range_track
from dashboard.views.markup import Safe, div, filled, grid, note, number_head, span, strong, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, overview_of, page_head, show, state
from dashboard.views.readings import read_explanation, read_periods, read_statement
from dashboard.views.spend_readings import read_closed_bills
from dashboard.views.statement_paper import pdf_button
from dashboard.views.statement_table import fingerprint, plan_changes, statement_table
from dashboard.views.wording import STATUS_WORDS, freshness_line
from dashboard.words import N_, _
from data.closing import CLOSES_AFTER
from data.overview import Overview
from data.periods import BillingPeriod
from data.statement import Statement, Status
from data.statement_archive import ClosedBill, LaterAdjustment

MOST_EARLIER = 24
MOST_UNCLOSED = 3  # that are priced anew for the list


def render(visit: Visit) -> None:
    period = page_head(visit, _("Spend"))
    view = overview_of(visit, period)
    bill = view.statement
    show(notices(visit, view.freshness))
    if bill is None:
        show(_connected())
        return
    closed = {one.start: one for one in _closed_bills(visit)}
    own = closed.get(period.start)
    before = [one for start, one in closed.items() if start < period.start]
    last = max(before, key=lambda one: one.start, default=None)
    show(_figures(visit, view, bill, own, last), _late(visit, own))
    _statement(visit, view, bill, own)
    freshness = freshness_line(view.freshness, period, visit.today)
    show(_earlier(visit, period, closed), tag("p", freshness, class_="u-foot"))


def _connected() -> Safe:
    return state(
        _("You pay Twilio directly"),
        _("This account is your own at Twilio, so we charge nothing for its usage."),
        hint=tag("a", _("Open your bill at Twilio"), href=TWILIO_BILL),
    )


def _closed_bills(visit: Visit) -> tuple[ClosedBill, ...]:
    return read_closed_bills(visit.scope, visit.version, visit.subscription.key)


def _statement(visit: Visit, view: Overview, bill: Statement, own: ClosedBill | None) -> None:
    period, start = bill.period, f"{bill.period.start}"
    trees = read_explanation(
        visit.scope, visit.version, visit.subscription.key, period, visit.today
    )
    with st.container(border=True, key="statement_card"):
        with st.container(key="statement_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", _("Statement"), class_="u-section"))
            pdf_button(visit, bill, view.freshness, own)
            csv_button(visit, _("CSV"), lambda: statement_lines(bill), "statement", start)
            csv_button(visit, _("By day"), lambda: statement_days(bill, trees), "days", start)
        show(plan_changes(bill), statement_table(bill, trees), fingerprint(bill))


def _figures(
    visit: Visit, view: Overview, bill: Statement, own: ClosedBill | None, last: ClosedBill | None
) -> Safe:
    """Three figures of three kinds: what is, what is likely, and what no longer changes."""
    if bill.status is Status.FINAL:
        return div("u-cards u-few", _final(bill, own))
    expected = _expected(visit, view, bill, last)
    return div("u-cards u-few", _so_far(view, bill), expected, _not_final(visit, bill))


def _so_far(view: Overview, bill: Statement) -> Safe:
    said = {
        Status.OPEN: _("What has been counted until now. It grows until the period ends."),
        Status.SETTLING: _("The period is over. Late usage may still be added for a few days."),
    }
    at = view.freshness.as_of
    return card(
        _("So far"),
        money(bill.total, bill.currency),
        note(said[bill.status]),
        note(_("As of {moment}.").format(moment=moment(at))) if at else None,
        label=_(STATUS_WORDS[bill.status]),
    )


def _expected(
    visit: Visit, view: Overview, bill: Statement, last: ClosedBill | None
) -> Safe | None:
    ahead, title = view.outlook, _("Expected at the end")
    if bill.status is not Status.OPEN:
        return None
    if ahead is None or ahead.amount is None:
        early = note(_("The first days have to settle before anything can be said."))
        return card(title, "–", early, label=_("expected"))
    figure = money_range(ahead.amount, bill.currency)
    if not uncertain(ahead.amount):
        return card(title, figure, note(_("Usage does not change it.")), label=_("expected"))
    guess, end = overage_guess(view), allowance_end(view)
    overage = row(_("Of it overage"), _("about {amount}").format(amount=guess)) if guess else None
    before = None
    if last is not None and last.currency == bill.currency:
        name = _("{period}, final").format(period=_period_of(visit, last.start))
        before = row(name, money(last.total, last.currency))
    return card(
        title,
        figure,
        range_track(bill.total, ahead.amount),
        div("u-rows", *middle_rows(view), overage, before),
        note(end) if end else None,
        how_worked_out(view, visit.today),
        label=_("expected"),
    )


def _not_final(visit: Visit, bill: Statement) -> Safe:
    settles = timedelta(days=visit.settings.settling_days)
    on = bill.period.end + settles + CLOSES_AFTER  # a last day is settled when the next one begins
    when = _("About {day}").format(day=day(on)) if on > visit.today else _("Soon")
    said = _("Until then nothing here is final. Then it is frozen and no longer changes.")
    return card(_("Final"), tag("span", when, class_="u-words"), note(said), label=_("not final"))


def _final(bill: Statement, own: ClosedBill | None) -> Safe:
    closed = day(own.closed_at.date(), year=True) if own else ""
    said = _("Closed on {day}. It no longer changes.").format(day=closed)
    amount = money(bill.total, bill.currency)
    return card(_("Spend"), amount, note(said), label=_(STATUS_WORDS[bill.status]))


def _late(visit: Visit, own: ClosedBill | None) -> Safe | None:
    """What a closed period turned out to cost more or less, with the statements that bill it."""
    if own is None or not own.adjusted:
        return None
    links = [
        filled(
            _("{amount}, noticed on {day}, is billed in {period}."),
            amount=strong(signed_money(one.amount, own.currency)),
            day=day(one.noticed_on),
            period=_link(visit, one.billed_in),
        )
        for one in own.adjusted
    ]
    said = _("Late usage has changed this period since it was closed.")
    return callout(said, *(part for link in links for part in (" ", link)))


def _link(visit: Visit, start: date, text: str | None = None) -> Safe:
    """To the same page of another period; language and contract stay in the address."""
    query = urlencode({**st.query_params.to_dict(), "period": f"{start}"})
    return tag("a", text or _period_of(visit, start), href=f"?{query}", target="_self")


def _period_of(visit: Visit, start: date) -> str:
    own = visit.subscription
    known = read_periods(visit.scope, visit.version, own.key, visit.today)
    return next((period_name(one) for one in known if one.start == start), day(start, year=True))


def _earlier(visit: Visit, period: BillingPeriod, closed: dict[date, ClosedBill]) -> Safe | None:
    """The statements of all other periods, each with its address."""
    rows = list(_statements(visit, period, closed))
    if not rows:
        return None
    most: dict[str, Decimal] = {}
    for one in rows:
        most[one.currency] = max(one.total, most.get(one.currency, one.total))
    heads = (
        *(_("Period"), _("Status"), number_head(_("Total")), number_head(_("Billed later"))),
        tag("th", _("Fingerprint"), scope="col", class_="u-hash"),
    )
    body = [_bill(visit, most[one.currency], one) for one in rows]
    title = _("Other statements")
    return div("u-panel", tag("h2", title, class_="u-section"), grid(title, heads, body, "u-bills"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A statement of another period, in a line."""

    start: date
    name: str
    currency: str
    total: Decimal
    status: Status
    later: tuple[LaterAdjustment, ...] = ()
    content_hash: str = ""


def _statements(
    visit: Visit, period: BillingPeriod, closed: dict[date, ClosedBill]
) -> Iterator[Listed]:
    """Closed ones are read at once, of the others the newest few are priced."""
    own, priced = visit.subscription, 0
    known = read_periods(visit.scope, visit.version, own.key, visit.today)
    for one in [one for one in known if one.start != period.start][:MOST_EARLIER]:
        name = period_name(one)
        if bill := closed.get(one.start):
            final = (bill.currency, bill.total, Status.FINAL)
            yield Listed(one.start, name, *final, bill.adjusted, bill.content_hash)
        elif priced < MOST_UNCLOSED:
            priced += 1
            open_ = read_statement(visit.scope, visit.version, own.key, one, visit.today)
            if open_ is not None:
                yield Listed(one.start, name, open_.currency, open_.total, open_.status)


def _bill(visit: Visit, most: Decimal, one: Listed) -> Safe:
    billed = [span("u-line", signed_money(each.amount, one.currency)) for each in one.later]
    hashed = one.content_hash
    return tag(
        "tr",
        tag("td", _link(visit, one.start, one.name)),
        tag("td", span("u-tag", _(STATUS_WORDS[one.status]))),
        tag("td", money(one.total, one.currency), bar(one.total, most), class_="u-number"),
        tag("td", *billed, class_="u-number"),
        tag("td", tag("span", hashed[:16], class_="u-sid", title=hashed or None), class_="u-hash"),
    )


PAGE = Page("spend", N_("Spend"), ":material/receipt_long:", Permission.VIEW_OWN, render)
