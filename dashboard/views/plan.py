"""Plan: how far through it, where it will end, what other tiers would cost, what was agreed."""

from dataclasses import replace

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import allowance_pace
from dashboard.charts.formats import counted, money, quantity, sentence
from dashboard.exports import Table, usage_by_day
from dashboard.views.ask import ask_button, own_requests
from dashboard.views.cards import TWILIO_BILL
from dashboard.views.markup import Safe, filled, note, strong, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    csv_button,
    legend,
    overview_of,
    page_head,
    show,
    show_chart,
    state,
    table,
)
from dashboard.views.plan_parts import (
    allowance_cards,
    changes_panel,
    ladder_panel,
    terms_panel,
    tier_table,
    tiers_note,
)
from dashboard.views.plan_readings import progress_of
from dashboard.views.terms_words import explained
from dashboard.views.wording import freshness_line
from dashboard.words import N_, _
from data.overview import MeterSeries, Overview
from data.periods import BillingPeriod
from data.plan_progress import AllowanceProgress, PlanProgress

BUNDLES = ("tiers", "tiers_with_overage")


def render(visit: Visit) -> None:
    period = page_head(visit, _("Plan"))
    view, own = overview_of(visit, period), progress_of(visit, period)
    show(notices(visit, view.freshness))
    if own is None:
        show(_without_a_plan(view))
        return
    over = visit.today >= period.end
    show(tag("p", summary(own, view, over=over), class_="u-summary"))
    for one in own.allowances:
        _allowance(visit, view, own, one, over=over)
    for steps in own.ladders:
        if steps.kind not in BUNDLES:
            show(ladder_panel(steps, own.currency, over=over))
    show(
        _credits(own),
        changes_panel(own, view.statement, visit.today),
        terms_panel(own),
    )
    own_requests(visit)
    show(tag("p", freshness_line(view.freshness, period, visit.today), class_="u-foot"))


def _without_a_plan(view: Overview) -> Safe:
    if view.connected:
        link = tag("a", _("Open your bill at Twilio"), href=TWILIO_BILL)
        why = _("This account is your own at Twilio: there is no plan with us, and no allowance.")
        return state(_("You pay Twilio directly"), why, hint=link)
    return state(
        _("No plan in this period"), _("No plan was agreed for these days. Choose another period.")
    )


def summary(own: PlanProgress, view: Overview, *, over: bool) -> Safe:
    """The first allowance against the calendar; without one, the plan and what it came to."""
    if own.allowances:
        return _of_allowance(own.allowances[0], over=over)
    name = strong(own.terms.name)
    if view.credits:
        left = strong(
            _("{credits} left").format(credits=counted(view.credits.credits_left, "credits"))
        )
        return filled(_("You are on {plan}, with {left}."), plan=name, left=left)
    bill = view.statement
    if bill is None:
        return filled(_("You are on {plan}."), plan=name)
    amount = strong(money(bill.total, bill.currency))
    said = _("You were on {plan}, and the period came to {amount}.")
    if not over:
        said = _("You are on {plan}, and have spent {amount} in this period.")
    return filled(said, plan=name, amount=amount)


def _of_allowance(one: AllowanceProgress, *, over: bool) -> Safe:
    allowance = one.allowance
    tier, used = sentence(allowance.tier), strong(counted(allowance.used, allowance.unit))
    if allowance.beyond:
        said = _("You have used {used}, {more} more than {tier} includes.")
        if over:
            said = _("You used {used}, {more} more than {tier} includes.")
        return filled(said, used=used, more=strong(quantity(allowance.beyond)), tier=tier)
    included = counted(allowance.included, allowance.unit)
    if over:
        said = _("You used {used} of the {included} that {tier} includes.")
        return filled(said, used=used, included=included, tier=tier)
    said = _("You have used {used} of the {included} that {tier} includes.")
    return filled(said, used=used, included=included, tier=tier)


def _allowance(
    visit: Visit, view: Overview, own: PlanProgress, one: AllowanceProgress, *, over: bool
) -> None:
    meter = one.allowance.meter
    title = tag("h2", _(one.allowance.label), class_="u-section")
    early = not over and view.outlook is None  # nothing can be said yet of where it ends
    show(title, allowance_cards(one, own.currency, over=over, early=early))
    series = next((found for found in view.series if found.meter == meter), None)
    if series is not None:
        with st.container(border=True, key=f"pace_card_{meter}"):
            _pace(visit, view, _within(series, one.days), one)
    with st.container(border=True, key=f"tiers_card_{meter}"):
        heading = _("The same use on each tier") if over else _("What each tier would cost")
        show(
            tag("h2", heading, class_="u-section"),
            tier_table(one, own.currency, over=over, early=early),
            note(tiers_note(one, over=over, early=early)),
        )
        if not over and not early:
            _ask(visit, one)


def _ask(visit: Visit, one: AllowanceProgress) -> None:
    """For the tier that costs least; where that is the own one, for the next larger."""
    best = next((offer.name for offer in one.tiers if offer.cheapest and not offer.chosen), None)
    wanted = best or one.allowance.next_tier
    if wanted is not None:
        name = sentence(wanted)
        ask_button(visit, kind="tier", wanted=name, key=f"tier_{one.allowance.meter}")


def _within(series: MeterSeries, days: BillingPeriod) -> MeterSeries:
    """The series on the allowance's days alone."""
    kept = [n for n, on in enumerate(series.days) if on in days]
    first, end = (kept[0], kept[-1] + 1) if kept else (0, 0)
    return replace(
        series,
        days=series.days[first:end],
        quantities=series.quantities[first:end],
        events=series.events[first:end],
        previous=(),
        previous_events=(),
    )


def _pace(visit: Visit, view: Overview, series: MeterSeries, one: AllowanceProgress) -> None:
    settled, colour = view.freshness.settled_through, visit.look.meter(series.meter)
    look = replace(visit.look, accent=colour)
    entries = [(colour, _("Used")), ("u-dotted", _("Even pace")), ("u-level", _("Included"))]
    if one.fan:
        entries.append((look.tint(3), _("Four cases in five")))
    show(tag("h2", _("Against an even pace"), class_="u-section"), legend(*entries))
    included = one.allowance.included
    chart = allowance_pace(*(series, one.days, settled, look), included=included, fan=one.fan)
    show_chart(chart, f"pace_chart_{series.meter}")
    rows: Table = usage_by_day(series, settled)
    key = f"pace_foot_{series.meter}"
    with st.container(key=key, horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary=_("Show the numbers")))
        csv_button(visit, _("CSV"), lambda: rows, "pace", series.meter, f"{one.days.start}")


def _credits(own: PlanProgress) -> Safe | None:
    found = [price for price in own.terms.prices if price.kind == "credit_lots"]
    if not found:
        return None
    link = tag("a", _("Open your credits"), href="credits", target="_self")
    return tag(
        "section",
        tag("h2", _("Credits"), class_="u-section"),
        note(explained(found[0]), " ", link),
        class_="u-panel",
    )


PAGE = Page("plan", N_("Plan"), ":material/stacks:", Permission.VIEW_OWN, render)
