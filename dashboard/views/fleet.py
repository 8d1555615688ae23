"""Fleet: every customer, ranked by what needs attention; one page of rows is read and no more.

What each costs and brings stands in a view of its own, for Permission.VIEW_COST alone.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st

from dashboard.access import Permission, same_viewer
from dashboard.charts.formats import days, fine_percent, moment, money, money_range, whole
from dashboard.exports import Table
from dashboard.views import address
from dashboard.views.cards import card, figure_of, row
from dashboard.views.fleet_readings import read_counts
from dashboard.views.fleet_words import CODES, REASONS, expected, flags, reasons_line
from dashboard.views.markup import Part, Safe, div, grid, number_cell, number_head, span, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, page_title, show, state
from dashboard.views.readings import ten_minutes
from dashboard.words import N_, _, n_
from data.fleet import (
    FleetCounts,
    FleetRow,
    MarginRow,
    MarginSort,
    MarginTotal,
    Sort,
    Wanted,
    fleet,
    margin_totals,
    margins,
    matching,
)
from data.periods import DAY
from data.scope import EveryTenant

S = TypeVar("S", bound=str)
A_PAGE = 25
ALL, NEEDY = "all", "needy"
ATTENTION, MARGIN = "attention", "margin"
VIEWS = {ATTENTION: N_("Attention"), MARGIN: N_("Margin")}
SORTS: dict[Sort, str] = {
    "urgency": N_("Most urgent first"),
    "overage": N_("Largest overage first"),
    "end": N_("First to run out"),
    "read": N_("Longest unread"),
    "name": N_("By name"),
}
MARGIN_SORTS: dict[MarginSort, str] = {
    "margin": N_("Thinnest margin first"),
    "cost": N_("Highest cost first"),
    "earned": N_("Highest amount first"),
    "name": N_("By name"),
}
HEADS = (N_("Customer"), N_("Plan"), N_("Why look"), N_("So far"), N_("Expected"), N_("Read"))
MARGIN_HEADS = (N_("Customer"), N_("Plan"), N_("Amount"), N_("Cost"), N_("Gross margin"))
FIGURES = {*HEADS[3:5], *MARGIN_HEADS[2:]}
ORDER = N_(
    "Urgency: stale data, then what ends within a week, expected overage, open requests, low "
    "credits, unusual days, errors, reconciliation. Each outweighs all that follow it together."
)

MARGIN_NOTE = N_(
    "The period that runs, so far. Amounts are before tax and money credits; two currencies are "
    "never added, and have no margin. Staff only."
)


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.LOOKUP)
    scope = EveryTenant(visit.settings.database_url)
    counts = read_counts(scope, ten_minutes(visit.now), None)
    may_see_cost = visit.viewer.may(Permission.VIEW_COST)
    with page_title(_("Fleet")):
        chosen = _pick_view() if may_see_cost and counts.all else ATTENTION
    if not counts.all:
        show(_empty())
    elif chosen == MARGIN:
        visit.viewer.require(Permission.VIEW_COST)
        _margins(visit, scope, counts)
    else:
        _attention(visit, scope, counts)


def _empty() -> Safe:
    return state(
        _("Nothing has been worked out yet"),
        _("After each sync this page ranks every customer by what needs attention."),
        hint=_("Start one with python -m data sync; the app repeats it by itself."),
    )


def _pick_view() -> str:
    def draw(key: str) -> str | None:
        return st.segmented_control(
            _("View"),
            tuple(VIEWS),
            format_func=lambda code: _(VIEWS[code]),
            required=True,
            key=key,
            label_visibility="collapsed",
        )

    return address.pick("view", tuple(VIEWS), ATTENTION, draw, whose="fleet")


# Attention


def _attention(visit: Visit, scope: EveryTenant, counts: FleetCounts) -> None:
    show(_summary(counts))
    with st.container(key="fleet_filter", horizontal=True, vertical_alignment="bottom"):
        reason = _pick_reason(counts)
        plan = _pick_plan(counts)
        sort = _pick_sort(SORTS, "urgency", "sort")
    wanted = Wanted(CODES.get(reason), plan, needy=reason == NEEDY)
    number = matching(scope, now=visit.now, wanted=wanted)
    leaf = _leaf(number, f"{reason}_{plan}_{sort}")
    rows = fleet(scope, now=visit.now, wanted=wanted, sort=sort, limit=A_PAGE, offset=leaf * A_PAGE)
    if not rows:
        show(state(_("Nobody is in this list"), _("No customer matches what you chose.")))
        return
    show(_list(HEADS, [_row(visit, one) for one in rows], _("Customers by urgency")))

    def written() -> Table:
        same_viewer(visit.viewer, visit.clock).require(Permission.LOOKUP)
        return fleet_rows(fleet(scope, now=visit.now, wanted=wanted, sort=sort), visit)

    _foot(number, leaf)
    show(tag("p", _(ORDER), " ", _computed(counts), class_="u-foot"))
    csv_button(visit, _("CSV of all that match"), written, "fleet", reason, plan or "")


def _summary(counts: FleetCounts) -> Safe:
    every = n_("{n} contract", "{n} contracts", counts.all).format(n=whole(counts.all))
    if not counts.needy:
        said = _("None of {every} needs attention.").format(every=every)
    else:
        words = n_("{n} of {every} needs a look.", "{n} of {every} need a look.", counts.needy)
        said = words.format(n=whole(counts.needy), every=every)
    return tag("p", said, class_="u-summary")


def _computed(counts: FleetCounts) -> str:
    if counts.computed_at is None:
        return ""
    return _("Worked out after the last sync, the oldest row at {moment}.").format(
        moment=moment(counts.computed_at)
    )


def _pick_reason(counts: FleetCounts) -> str:
    labels = {NEEDY: _("Anything amiss ({n})").format(n=whole(counts.needy))}
    for code, reason in CODES.items():
        number = counts.by_reason.get(reason, 0)
        labels[code] = f"{_(REASONS[reason])} ({whole(number)})"
    labels[ALL] = _("Everybody ({n})").format(n=whole(counts.all))

    def draw(key: str) -> str | None:
        return st.selectbox(
            _("Show"), tuple(labels), format_func=lambda code: labels[code], key=key, width=260
        )

    first = NEEDY if counts.needy else ALL
    return address.pick("show", tuple(labels), first, draw, whose="fleet")


def _pick_plan(counts: FleetCounts) -> str | None:
    """A plan's name is its own code: names are the ISV's, in whatever language."""
    codes = (ALL, *counts.plans)

    def draw(key: str) -> str | None:
        return st.selectbox(
            _("Plan"),
            codes,
            format_func=lambda code: _("All plans") if code == ALL else code,
            key=key,
            width=260,
        )

    plan = address.pick("plan", codes, ALL, draw, whose="fleet")
    return None if plan == ALL else plan


def _pick_sort(sorts: Mapping[S, str], first: S, name: str) -> S:
    def draw(key: str) -> str | None:
        return st.selectbox(
            _("Order"), tuple(sorts), format_func=lambda code: _(sorts[code]), key=key, width=230
        )

    code = address.pick(name, tuple(sorts), first, draw, whose="fleet")
    return next(one for one in sorts if one == code)


def _row(visit: Visit, one: FleetRow) -> Safe:
    so_far = money(one.amount, one.currency) if one.amount is not None and one.currency else "–"
    ends = expected(one)
    range_words = money_range(ends, one.currency) if ends and one.currency else "–"
    calm = span("u-key", _("Closed") if one.resting else _("Nothing amiss"))
    return tag(
        "tr",
        _named(one.slug, one.name, one.subscription),
        tag("td", one.plan or _("Own Twilio account")),
        tag("td", flags(one, visit.today) or calm, _problem(one)),
        number_cell(so_far),
        number_cell(range_words),
        tag("td", moment(one.synced_at) if one.synced_at else "–", class_="u-when"),
    )


def _named(slug: str, name: str, subscription: str) -> Safe:
    terms = (
        {"customer": slug}
        if subscription == "main"
        else {"customer": slug, "contract": subscription}
    )
    link = tag("a", name, href=f"customer?{urlencode(terms)}", target="_self")
    more = span("u-behind-it", subscription) if subscription != "main" else None
    return tag("td", link, more, class_="u-name-cell")


def _problem(one: FleetRow) -> Safe | None:
    if one.problem is None:
        return None
    words = _("Could not be worked out at {moment}: {why}")
    return span("u-behind-it", words.format(moment=moment(one.computed_at), why=one.problem))


def _list(heads: Sequence[str], rows: Sequence[Safe], caption: str) -> Safe:
    names = (number_head(_(name)) if name in FIGURES else _(name) for name in heads)
    return div("u-panel", grid(caption, names, rows, "u-fleet"))


def _leaf(number: int, chosen: str) -> int:
    """Which page of the list, from the address; another filter begins at its first."""
    last = max((number - 1) // A_PAGE, 0)
    if st.session_state.get("fleet_chosen", chosen) != chosen:
        address.write("leaf", None)
    st.session_state["fleet_chosen"] = chosen
    asked = st.query_params.get("leaf", "1")
    leaf = int(asked) - 1 if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    return min(max(leaf, 0), last)


def _foot(number: int, leaf: int) -> None:
    first, last = leaf * A_PAGE + 1, min((leaf + 1) * A_PAGE, number)
    said = _("{first}–{last} of {n}").format(first=whole(first), last=whole(last), n=whole(number))
    with st.container(key="fleet_foot", horizontal=True, vertical_alignment="center"):
        show(span("u-foot", said))
        if number > A_PAGE:
            st.button(_("Earlier"), disabled=leaf == 0, on_click=_turn, args=(leaf,))
            more = last < number
            st.button(_("Next"), disabled=not more, on_click=_turn, args=(leaf + 2,))


def _turn(leaf: int) -> None:
    """Notes which page is wanted and nothing else."""
    address.write("leaf", None if leaf <= 1 else f"{leaf}")


def fleet_rows(rows: Sequence[FleetRow], visit: Visit) -> Table:
    """Every row that matches, without cost."""
    columns = (
        *(_("Customer"), _("Short name"), _("Contract"), _("Plan"), _("Why look")),
        *(_("Currency"), _("So far"), _("Expected from"), _("Expected to")),
        *(_("Expected overage"), _("Chance of overage, percent"), _("Credits left")),
        *(_("Ends from"), _("Ends to"), _("Read on"), _("Worked out on")),
    )
    return Table(
        columns,
        tuple(
            (
                *(one.name, one.slug, one.subscription, one.plan),
                *(reasons_line(one, visit.today), one.currency, one.amount),
                *(one.expected_low, one.expected_high, one.overage),
                *(Decimal(one.chance), one.credits_left, one.ends_early, one.ends_late),
                *(one.synced_at and one.synced_at.date(), one.computed_at.date()),
            )
            for one in rows
        ),
    )


# Margin


def _margins(visit: Visit, scope: EveryTenant, counts: FleetCounts) -> None:
    with st.container(key="fleet_filter", horizontal=True, vertical_alignment="bottom"):
        plan = _pick_plan(counts)
        sort = _pick_sort(MARGIN_SORTS, "margin", "by")
    totals = margin_totals(scope, plan=plan)
    number = sum(one.customers for one in totals)
    if not number:
        words = _("Customers who pay Twilio themselves have no amounts.")
        show(state(_("Nothing to compare"), words))
        return
    leaf = _leaf(number, f"margin_{plan}_{sort}")
    rows = margins(scope, sort=sort, plan=plan, limit=A_PAGE, offset=leaf * A_PAGE)
    show(
        div("u-cards u-three", *(_total(one) for one in totals)),
        _list(MARGIN_HEADS, [margin_line(one) for one in rows], _("Margin by customer")),
    )

    def written() -> Table:
        same_viewer(visit.viewer, visit.clock).require(Permission.VIEW_COST)
        return margin_rows(margins(scope, sort=sort, plan=plan))

    _foot(number, leaf)
    show(tag("p", _(MARGIN_NOTE), class_="u-foot"))
    csv_button(visit, _("CSV with cost"), written, "fleet", "margin", plan or "")


def _total(one: MarginTotal) -> Safe:
    margin = "–" if one.gross_margin is None else fine_percent(one.gross_margin)
    many = n_("{n} contract", "{n} contracts", one.customers).format(n=whole(one.customers))
    rows = (
        row(_("Amount"), money(one.earned, one.currency)),
        row(_("Cost"), _money_or_plain(one.cost, one.cost_currency)),
    )
    pair = (
        one.currency
        if one.currency == one.cost_currency
        else _("{currency}, cost in {other}").format(currency=one.currency, other=one.cost_currency)
    )
    return card(pair, figure_of(margin, _("gross margin")), div("u-rows", *rows), label=many)


def margin_line(one: MarginRow) -> Safe:
    margin = one.gross_margin
    thin = "u-number u-warn" if margin is not None and margin < 0 else "u-number"
    period: Part = None
    if one.period_start and one.period_end:
        period = days(one.period_start, one.period_end - DAY, year=True)
    return tag(
        "tr",
        _named(one.slug, one.name, one.subscription),
        tag("td", one.plan or "", span("u-behind-it", period) if period else None),
        number_cell(money(one.earned, one.currency)),
        number_cell(_money_or_plain(one.cost, one.cost_currency)),
        tag("td", "–" if margin is None else fine_percent(margin), class_=thin),
    )


def _money_or_plain(amount: Decimal, currency: str) -> str:
    """Cost in several currencies at once is named as they are."""
    return money(amount, currency) if len(currency) == len("USD") else f"{amount} {currency}"


def margin_rows(rows: Sequence[MarginRow]) -> Table:
    columns = (
        *(_("Customer"), _("Short name"), _("Contract"), _("Plan"), _("Period from")),
        *(_("Currency"), _("Amount"), _("Cost"), _("Currency of cost"), _("Gross margin")),
    )
    return Table(
        columns,
        tuple(
            (
                *(one.name, one.slug, one.subscription, one.plan, one.period_start),
                *(one.currency, one.earned, one.cost, one.cost_currency, one.gross_margin),
            )
            for one in rows
        ),
    )


PAGE = Page("fleet", N_("Fleet"), ":material/travel_explore:", Permission.LOOKUP, render)
