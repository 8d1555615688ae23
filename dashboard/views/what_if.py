"""What if: the customer's own months on other tiers, plans and packs, and other amounts of use."""

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import Chart, Curve, cost_by_use
from dashboard.charts.formats import counted
from dashboard.exports import Table
from dashboard.views import address
from dashboard.views.cards import TWILIO_BILL
from dashboard.views.fragments import fragment
from dashboard.views.markup import Safe, filled, note, strong, tag
from dashboard.views.notices import notices
from dashboard.views.page import Page, Visit
from dashboard.views.parts import (
    csv_button,
    overview_of,
    show,
    show_chart,
    state,
    table,
)
from dashboard.views.plan_readings import read_growth, read_options, read_tried
from dashboard.views.readings import read_periods
from dashboard.views.what_if_parts import (
    average_of,
    bills_table,
    break_even_lines,
    costs_table,
    growth_name,
    option_name,
    options_table,
    verdict,
)
from dashboard.words import N_, _, n_
from data.what_if import GROWTH, Growth, Tried

MONTHS = ("3", "6", "12")
STEPS = tuple(str(percent) for percent in GROWTH)


def render(visit: Visit) -> None:
    show(tag("h1", _("What if"), class_="u-title"))
    scope, key = visit.scope, visit.subscription.key
    periods = read_periods(scope, visit.version, key, visit.today)
    fresh = overview_of(visit, periods[0]).freshness if periods else None
    show(notices(visit, fresh) if fresh else None)
    chosen, past = read_options(scope, visit.version, key, visit.today)
    if missing := _nothing_to_try(visit, bool(chosen), bool(past)):
        show(missing)
        return
    intro = _("What your own months would have cost on other tiers, plans and credit packs.")
    show(tag("p", intro, class_="u-summary"))
    _replay(visit)
    growth = read_growth(scope, visit.version, key, visit.today)
    if growth is not None and growth.courses:
        with st.container(border=True, key="growth_card"):
            show(
                tag("h2", _("If your use grows or shrinks"), class_="u-section"),
                note(average_of(growth)),
            )
            _growth(visit)
        show(break_even_lines(growth))
    show(
        note(_("Amounts are before tax and before money credits. Nothing here changes your plan."))
    )


def _nothing_to_try(visit: Visit, options: bool, past: bool) -> Safe | None:
    if visit.subscription.connected:
        link = tag("a", _("Open your bill at Twilio"), href=TWILIO_BILL)
        why = _("Your use is billed by Twilio itself, so there are no plans of ours to compare.")
        return state(_("You pay Twilio directly"), why, hint=link)
    if not options:
        return state(
            _("No other plan to compare"),
            _("No other tier or plan is offered in the currency of your contract."),
        )
    if not past:
        return state(
            _("A first period has to end"),
            _("Plans are compared on periods that are over. Come back when your first one is."),
        )
    return None


def _whose(visit: Visit) -> str:
    return f"{visit.scope.customer_id}_{visit.subscription.key}"


# The past


@fragment
def _replay(visit: Visit) -> None:
    months = address.pick("months", MONTHS, "6", _months_control, whose=_whose(visit))
    every = read_tried(
        *(visit.scope, visit.version, visit.subscription.key, int(months), visit.today)
    )
    by_code = {one.option.code: one for one in every}
    first = _first(every)
    with st.container(border=True, key="replay_card"):
        show(
            tag("h2", _("Your past months on each"), class_="u-section"),
            verdict(every),
            options_table(every),
        )
        rows = _options_rows(every)
        csv_button(visit, _("CSV of all"), lambda: rows, "what-if", "plans", months)
    with st.container(border=True, key="bills_card"):
        code = address.pick(
            "try",
            tuple(by_code),
            first,
            lambda key: _option_box(by_code, key),
            whose=_whose(visit),
        )
        one = by_code[code]
        show(bills_table(one))
        bills = _bills_rows(one)
        csv_button(visit, _("CSV by month"), lambda: bills, "what-if", code, months)


def _months_control(key: str) -> str | None:
    return st.segmented_control(
        _("Months compared"),
        MONTHS,
        format_func=lambda code: n_("{n} month", "{n} months", int(code)).format(n=code),
        required=True,
        key=key,
    )


def _option_box(by_code: dict[str, Tried], key: str) -> str | None:
    return st.selectbox(
        _("Month by month on"),
        tuple(by_code),
        format_func=lambda code: option_name(by_code[code].option),
        key=key,
        width=420,
    )


def _first(every: tuple[Tried, ...]) -> str:
    """What would have cost least, of those with a price for all of the use, but for the own one."""
    others = [one for one in every if not one.option.own] or list(every)
    whole = [one for one in others if not one.short and not one.left_out] or others
    return min(whole, key=lambda one: one.past.amount).option.code


def _options_rows(every: tuple[Tried, ...]) -> Table:
    """The currency is the plan's; a difference is there only where the bills had the same."""
    heads = (_("Plan"), _("Billed"), _("On this plan"), _("Difference"), _("Currency"))
    rows = tuple(
        (
            *(option_name(one.option), one.past.actual, one.past.amount),
            *(one.past.difference, one.past.currency),
        )
        for one in every
    )
    return Table(heads, rows)


def _bills_rows(one: Tried) -> Table:
    past, name = one.past, option_name(one.option)
    same = past.currency == past.actual_currency
    heads = (_("Period"), _("Billed"), name, _("Difference"), _("Currency"))
    rows = tuple(
        (
            *(each.period.start, each.actual, each.amount),
            *(each.amount - each.actual if same else None, past.currency),
        )
        for each in past.periods
    )
    return Table(heads, rows)


# More use, or less


@fragment
def _growth(visit: Visit) -> None:
    growth = read_growth(visit.scope, visit.version, visit.subscription.key, visit.today)
    if growth is None:
        return
    code = address.pick("growth", STEPS, "0", _slider, whose=_whose(visit))
    at = STEPS.index(code)
    units = counted(growth.units[at], growth.unit)
    said = _("At {units} a month, a period would cost:")
    show(tag("p", filled(said, units=strong(units)), class_="u-text"), costs_table(growth, at))
    show_chart(_chart(visit, growth, at), "growth_chart")
    rows = _growth_rows(growth)
    key = "growth_foot"
    with st.container(key=key, horizontal=True, horizontal_alignment="distribute"):
        show(table(rows, summary=_("Show the numbers")))
        csv_button(visit, _("CSV of growth"), lambda: rows, "what-if", "growth")


def _slider(key: str) -> str | None:
    return st.select_slider(_("Growth of your use"), STEPS, format_func=growth_name, key=key)


def _chart(visit: Visit, growth: Growth, at: int) -> Chart:
    asked = st.session_state.get(f"try_{_whose(visit)}")
    curves = [
        Curve(
            option_name(one.option, short=True),
            tuple(point.amount if point.covered else None for point in one.points),
            own=one.option.own,
            compared=one.option.code == asked,
        )
        for one in growth.courses
    ]
    look = visit.look
    return cost_by_use(
        *(growth.units, curves, look),
        unit=growth.unit,
        currency=growth.currency,
        at=at,
    )


def _growth_rows(growth: Growth) -> Table:
    names = (option_name(one.option) for one in growth.courses)
    heads = (_("Growth"), _("Units a month"), *names, _("Currency"))
    rows = tuple(
        (
            growth_name(STEPS[n]),
            growth.units[n],
            *(one.points[n].amount if one.points[n].covered else None for one in growth.courses),
            growth.currency,
        )
        for n in range(len(STEPS))
        if n % 2 == 0
    )
    return Table(heads, rows)


PAGE = Page("what-if", N_("What if"), ":material/alt_route:", Permission.VIEW_OWN, render)
