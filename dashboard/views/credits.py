"""Credits: what is left, what it still buys, until when, lot by lot, and the ledger behind it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import burn_down
from dashboard.charts.formats import counted, day, day_range, money, quantity, sentence, whole
from dashboard.exports import statement_tables as tables
from dashboard.views.ask import ask_button
from dashboard.views.cards import TWILIO_BILL, card, counted_figure, row
from dashboard.views.credit_words import last_of, warning_words
from dashboard.views.gauges import bar
from dashboard.views.ledger_table import ledger
from dashboard.views.markup import Part, Safe, div, grid, note, number_cell, span, strong, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    callout,
    csv_button,
    legend,
    overview_of,
    show,
    show_chart,
    state,
    table,
)
from dashboard.views.readings import read_periods
from dashboard.views.spend_readings import CreditPast, read_credit_past, read_money_left
from dashboard.views.wording import freshness_line
from dashboard.words import N_, _
from data.credit_ledger import LotState, LotStory
from data.credits import Buys, Concern, Credits, LotLeft, credit_warnings
from data.errors import NotFound
from data.overview import Overview
from data.periods import DAY, BillingPeriod
from data.statement import MoneyLeft

STATE_WORDS = {
    LotState.LATER: N_("not valid yet"),
    LotState.OPEN: N_("in use"),
    LotState.USED: N_("used up"),
    LotState.EXPIRED: N_("expired"),
    LotState.VOIDED: N_("taken back"),
}
MOST_PAST_LOTS = 12
SOME = Decimal("0.5")  # credits: less than that is not worth a word


def render(visit: Visit) -> None:
    show(tag("h1", _("Credits"), class_="u-title"))
    period = _last_period(visit)
    view = overview_of(visit, period)
    through = min(period.last_day, visit.today)
    show(notices(visit, view.freshness))
    own, past = view.credits, _past(visit, through)
    funds = read_money_left(visit.scope, visit.version, visit.subscription.key, period, visit.today)
    if own is None and not past.lots:
        show(_without(view), _money(funds))
        return
    if own is not None:
        show(*_warnings(own, visit.today), _figures(own, visit.today))
        _burning(visit, own, past)
        _open_lots(visit, own, past)
    show(_money(funds), _past_lots(past))
    ledger(visit, through, _unit_names(own))
    show(tag("p", freshness_line(view.freshness, period, visit.today), class_="u-foot"))


def _unit_names(own: Credits | None) -> dict[str, str]:
    """Of what the ledger's draws are counted in, by meter."""
    if own is None:
        return {}
    return {own.meter: own.unit, **{one.meter: one.unit for one in own.buys}}


def _last_period(visit: Visit) -> BillingPeriod:
    """Credits are shown as they stand, whichever period is read elsewhere."""
    own = visit.subscription
    found = read_periods(visit.scope, visit.version, own.key, visit.today)
    if not found:
        raise NotFound("This contract has not begun yet.")
    return found[0]


def _past(visit: Visit, through: date) -> CreditPast:
    own = visit.subscription
    return read_credit_past(visit.scope, visit.version, own.key, own.starts_on, through)


def _without(view: Overview) -> Safe:
    if view.statement is None:
        link = tag("a", _("Open your bill at Twilio"), href=TWILIO_BILL)
        said = _("This account is your own at Twilio, so there are no credits with us.")
        return state(_("You pay Twilio directly"), said, hint=link)
    plan = _("Your plan {plan} is billed by the period.").format(plan=view.plan)
    return state(
        _("Your plan has no credits"),
        plan,
        _("Credits are packs bought in advance. If you would like that instead, ask us."),
    )


def _warnings(own: Credits, today: date) -> list[Safe]:
    return [
        callout(
            *warning_words(one, own),
            kind="info" if one.concern is Concern.EXPIRES and one.within > 7 else "warning",
        )
        for one in credit_warnings(own, today=today)
    ]


def _figures(own: Credits, today: date) -> Safe:
    return div("u-cards u-three", _left(own), _until(own), _next(own, today))


def _left(own: Credits) -> Safe:
    figure = counted_figure(own.credits_left, counted(own.credits_left, "credits"))
    if own.owed:
        owed = counted(own.owed, own.unit)
        said = _("Used beyond your credits; the next pack pays for them first.")
        return card(_("Left"), figure, row(_("Owed"), owed, warn=True), note(said))
    rows = [row(_(one.label), counted(one.units, one.unit)) for one in own.buys]
    either = note(_("One or the other: credits are used once.")) if len(rows) > 1 else None
    return card(_("Left"), figure, note(_("Still buys")), div("u-rows", *rows), either)


def _until(own: Credits) -> Safe:
    title = _("Last until")
    if not own.credits_left:
        return card(title, "–", note(_("There are no credits left to run out.")))
    lasts, likely = day_range(own.runs_out), own.runs_out.likely
    rows = [row(_("Most likely"), day(likely, year=True))] if likely else []
    rows += [row(_("Last expiry"), day(last_of(own.all_expire_on)))] if own.all_expire_on else []
    meaning = note(_("Four courses of five end in this range.")) if likely else None
    if lasts is None and own.all_expire_on:
        lasts = day(last_of(own.all_expire_on))
        meaning = note(_("At this pace some are left when the last lot expires."))
    figure = lasts or _("over a year")
    return card(title, figure, div("u-rows", *rows), meaning, label=_("expected"))


def _next(own: Credits, today: date) -> Safe:
    """What expires next, and how much was used."""
    ends = [lot for lot in own.lots if lot.expires_on]
    used = row(_("Used in this period"), counted(own.used, own.unit))
    if not ends:
        return card(_("Expires next"), "–", note(_("None of your credits expire.")), used)
    first = min(ends, key=lambda lot: lot.expires_on or date.max)
    assert first.expires_on is not None
    in_days = (first.expires_on - today).days
    left = _("{credits} of the {lot} pack").format(
        credits=quantity(first.credits_left), lot=sentence(first.name)
    )
    return card(
        _("Expires next"),
        day(last_of(first.expires_on)),
        div(
            "u-rows",
            row(_("Left in it now"), left),
            row(_("Days left"), whole(in_days)),
            used,
        ),
        _unused(first),
    )


def _unused(lot: LotLeft) -> Safe | None:
    if lot.expected_unused is None or lot.expected_unused[1] < SOME:
        return None
    text = _("{credits} credits expire unused at this pace").format(
        credits=_between(*lot.expected_unused)
    )
    return tag("p", text, class_="u-note u-warn")


def _between(low: Decimal, high: Decimal) -> str:
    few, many = whole(round(low)), whole(round(high))
    return few if few == many else f"{few}–{many}"


def _burning(visit: Visit, own: Credits, past: CreditPast) -> None:
    left = [tables.about(one) for one in past.balances]
    expiries = sorted({lot.expires_on for lot in own.lots if lot.expires_on})
    chart = burn_down(
        past.days, left, own.ahead, visit.look, expiries=expiries, runs_out=own.runs_out
    )
    numbers = tables.balance_by_day(past.days, past.balances, own.ahead)
    with st.container(border=True, key="chart_card"):
        with st.container(key="burn_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", _("Credits left, day by day"), class_="u-section"))
            label = _("Balance (CSV)")
            csv_button(visit, label, lambda: numbers, "credit-balance", f"{visit.today}")
        marks = [("u-solid", _("left so far")), (visit.look.tint(3), _("expected, 4 of 5 courses"))]
        marks += [("u-level", _("runs out within"))] if own.runs_out.late else []
        marks += [("u-expiry", _("a lot expires"))] if expiries else []
        show(legend(*marks))
        show_chart(chart, "burn_down")
        show(table(numbers, summary=_("Show the numbers")))


def _open_lots(visit: Visit, own: Credits, past: CreditPast) -> None:
    """In the order in which they burn; those bought for later come after."""
    stories = {lot.key: lot for lot in past.lots}
    with st.container(border=True, key="lots_card"):
        with st.container(key="lots_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", _("Lots, in the order they are used"), class_="u-section"))
            name, on = "credit-lots", f"{visit.today}"
            label = _("Lots (CSV)")
            csv_button(visit, label, lambda: tables.credit_lots(past.lots, own), name, on)
        later = [one for one in past.lots if one.state is LotState.LATER]
        if own.lots or later:
            rows = [_lot(n, one, stories.get(one.key), own) for n, one in enumerate(own.lots)]
            rows += [_later(one, own) for one in reversed(later)]
            title = _("Lots, in the order they are used")
            show(grid(title, (*_heads(), _("Expires")), rows, "u-lots"))
        else:
            show(note(_("No lot holds any credits now.")))
        _packs(visit, own)


def _heads() -> tuple[str, ...]:
    return (_("Order"), _("Lot"), _("Left"), _("Still buys"), _("A credit buys"), _("Price"))


def _lot(number: int, lot: LotLeft, story: LotStory | None, own: Credits) -> Safe:
    order = _("used next") if not number else f"{number + 1}."
    left = _("{left} of {all}").format(left=quantity(lot.credits_left), all=quantity(lot.credits))
    ends = day(last_of(lot.expires_on), year=True) if lot.expires_on else _("never")
    return tag(
        "tr",
        tag("td", strong(order) if not number else order),
        tag("td", sentence(lot.name), span("u-under", _bought(lot.bought_on))),
        tag("td", left, bar(lot.credits_left, lot.credits)),
        tag("td", *units_of(lot.buys)),
        tag("td", *units_of(_per_credit(lot))),
        tag("td", _paid(story.price if story else None, own.currency)),
        tag("td", ends, _unused(lot)),
    )


def _bought(on: date) -> str:
    return _("from {day}").format(day=day(on, year=True))


def _per_credit(lot: LotLeft) -> list[Buys]:
    """At the lot's own rate, which the units left and the credits left are in."""
    return [
        Buys(one.meter, one.label, one.unit, round(one.units / lot.credits_left, 6))
        for one in lot.buys
        if lot.credits_left
    ]


def units_of(buys: Sequence[Buys]) -> list[Part]:
    return [span("u-line", counted(one.units, one.unit)) for one in buys]


def _paid(price: Decimal | None, currency: str) -> str:
    if price is None:
        return _("with the plan")
    return money(price, currency) if price else _("free")


def _later(lot: LotStory, own: Credits) -> Safe:
    ends = day(last_of(lot.expires_on), year=True) if lot.expires_on else _("never")
    return tag(
        "tr",
        tag("td", _(STATE_WORDS[lot.state])),
        tag("td", sentence(lot.name), span("u-under", _bought(lot.effective_on))),
        tag("td", quantity(tables.about(lot.granted))),
        tag("td", ""),
        tag("td", ""),
        tag("td", _paid(lot.price, own.currency)),
        tag("td", ends),
    )


def _packs(visit: Visit, own: Credits) -> None:
    """What is for sale, each with a button that asks for it."""
    if own.packs:
        show(tag("h3", _("Packs of your plan"), class_="u-section"))
    for number, pack in enumerate(own.packs):
        with st.container(key=f"pack_{number}", horizontal=True, vertical_alignment="center"):
            buys = ", ".join(counted(one.units, one.unit) for one in pack.buys)
            show(
                div(
                    "u-pack",
                    span("u-name", sentence(pack.name)),
                    span(
                        "u-note",
                        _("{credits} credits for {price}: {units}").format(
                            credits=quantity(pack.credits),
                            price=money(pack.price, own.currency),
                            units=buys,
                        ),
                    ),
                )
            )
            ask_button(visit, kind="pack", wanted=pack.name)


def _past_lots(past: CreditPast) -> Safe | None:
    over = (LotState.USED, LotState.EXPIRED, LotState.VOIDED)
    lots = [lot for lot in past.lots if lot.state in over][:MOST_PAST_LOTS]
    if not lots:
        return None
    rows = [
        tag(
            "tr",
            tag("td", sentence(lot.name), span("u-under", _bought(lot.effective_on))),
            number_cell(quantity(tables.about(lot.granted))),
            number_cell(quantity(tables.about(lot.drawn))),
            number_cell(quantity(tables.about(lot.expired))),
            tag("td", _(STATE_WORDS[lot.state])),
            tag("td", day(last_of(lot.expires_on), year=True) if lot.expires_on else ""),
        )
        for lot in lots
    ]
    heads = (_("Lot"), _("Credits"), _("Used"), _("Expired unused"), _("State"), _("Expired on"))
    title = _("Earlier lots")
    inner = grid(title, heads, rows, "u-lots")
    return div("u-panel", tag("details", tag("summary", title), inner, class_="u-details"))


def _money(funds: Sequence[MoneyLeft]) -> Safe | None:
    """Money granted in advance pays bills, in its own currency."""
    if not funds:
        return None
    rows = [
        tag(
            "tr",
            tag("td", one.name, span("u-under", _bought(one.effective_on))),
            tag("td", money(one.left, one.currency), bar(one.left, one.amount)),
            tag("td", money(one.amount, one.currency)),
            tag("td", day(one.expires_on - DAY, year=True) if one.expires_on else _("never")),
        )
        for one in funds
    ]
    heads = (_("Credit"), _("Left after this period's bill so far"), _("Granted"), _("Expires"))
    title = _("Money credits")
    said = note(_("They pay bills after tax, until they are used up or expire."))
    return div(
        "u-panel", tag("h2", title, class_="u-section"), said, grid(title, heads, rows, "u-lots")
    )


PAGE = Page("credits", N_("Credits"), ":material/toll:", Permission.VIEW_OWN, render)
