"""The preview of new terms: what the last months of real customers would have been billed."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import money, signed_money
from dashboard.exports import Table
from dashboard.views.markup import (
    Safe,
    div,
    filled,
    grid,
    note,
    number_cell,
    number_head,
    span,
    strong,
    tag,
)
from dashboard.views.page import Visit
from dashboard.views.parts import csv_button, money_cell, show
from dashboard.views.plans_readings import read_holders
from dashboard.words import N_, _, n_
from data.plan_preview import Compared, Holder, Preview, preview
from data.pricing import CreditLots, Plan
from data.scope import EveryTenant

MOST = 25
FIRST = 10
MONTHS = (3, 6, 12)
HEADS = (N_("Customer"), N_("Months"), N_("Billed"), N_("On these terms"), N_("Difference"))


def compare(visit: Visit, number: int, plan: Plan | None) -> None:
    """Chosen customers on the terms typed; worked out when asked, and kept until terms change.

    Terms that follow cost make the past's cost plain, so only who sees cost may try them.
    """
    visit.viewer.require(Permission.CHANGE_PLANS)
    visit.viewer.require(Permission.VIEW_COST)
    show(tag("h2", _("Try it on real months"), class_="u-section"))
    scope = EveryTenant(visit.settings.database_url)
    held = {f"{one.slug}/{one.key}": one for one in read_holders(scope, visit.today)}
    if not held:
        show(note(_("Nobody has a plan yet: there are no months to try it on.")))
        return
    chosen, months = _asked(held, number, plan)
    pack = _pack(plan, number)
    kept = f"plan_{number}_preview"
    asked = (plan, tuple(chosen), months, pack)
    label = _("Compare")
    if st.button(label, disabled=plan is None or not chosen, key=f"{kept}_do") and plan:
        who = [held[code] for code in chosen]
        with st.spinner(_("Billing the months again…")):
            found = preview(scope, plan, who, months=months, today=visit.today, pack=pack)
        st.session_state[kept] = (asked, found)
    before, shown = st.session_state.get(kept, (None, None))
    if shown is None:
        show(note(_("Their bills as they were, beside what these terms make of the same usage.")))
        return
    if before != asked:
        show(note(_("The terms or the choice have changed since: compare again.")))
    show(_totals(shown), preview_table(shown), _left_out(shown))
    csv_button(visit, _("CSV of the comparison"), lambda: preview_rows(shown), "plan-preview")


def _asked(held: dict[str, Holder], number: int, plan: Plan | None) -> tuple[Sequence[str], int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="plan_preview_of"):
        key = f"plan_{number}_holders"
        if key not in st.session_state:
            own = [code for code, one in held.items() if plan and one.plan.plan == plan.plan]
            st.session_state[key] = own[:FIRST]
        chosen = st.multiselect(
            _("Customers"),
            tuple(held),
            format_func=lambda code: _named(held, code),
            max_selections=MOST,
            placeholder=_("Choose customers"),
            key=key,
        )
        months = st.selectbox(
            _("Months"),
            MONTHS,
            format_func=lambda n: n_("The last {n}", "The last {n}", n).format(n=n),
            key=f"plan_{number}_months",
            width=140,
        )
    return chosen, months


def _named(held: dict[str, Holder], code: str) -> str:
    if code not in held:
        return code
    one = held[code]
    return one.name if one.key == "main" else f"{one.name} ({one.key})"


def _pack(plan: Plan | None, number: int) -> str | None:
    """Credits are tried with one pack, bought whenever they run out."""
    prices = plan.prices if plan else ()
    names = [one.name for price in prices if isinstance(price, CreditLots) for one in price.packs]
    if not names:
        return None
    return st.selectbox(
        _("Pack bought when credits run out"), names, key=f"plan_{number}_pack", width=280
    )


def _totals(shown: Preview) -> Safe | None:
    if not shown.totals:
        return None
    lines = []
    for currency, (before, after) in shown.totals.items():
        words = _("Together {before} were billed; these terms make {after}: {difference}.")
        lines.append(
            tag(
                "p",
                filled(
                    words,
                    before=strong(money(before, currency)),
                    after=strong(money(after, currency)),
                    difference=strong(signed_money(after - before, currency)),
                ),
                class_="u-summary",
            )
        )
    return div("u-told", *lines)


def preview_table(shown: Preview) -> Safe | None:
    if not shown.compared:
        return None
    first, *figures = (_(name) for name in HEADS)
    heads = (first, *(number_head(name) for name in figures))
    rows = (_row(one) for one in shown.compared)
    return div("u-panel", grid(_("Try it on real months"), heads, rows))


def _row(one: Compared) -> Safe:
    return tag(
        "tr",
        tag("td", one.holder.name, span("u-behind-it", one.holder.plan.id)),
        number_cell(f"{one.months}"),
        money_cell(one.before, one.currency),
        money_cell(one.after, one.currency),
        number_cell(signed_money(one.difference, one.currency)),
    )


def _left_out(shown: Preview) -> Safe | None:
    if not shown.left_out:
        return None
    rows = (tag("li", strong(one.name), " ", why) for one, why in shown.left_out)
    return div("u-note", tag("p", _("Not compared:")), tag("ul", *rows))


def preview_rows(shown: Preview) -> Table:
    columns = (
        *(_("Customer"), _("Plan"), _("Months"), _("Billed"), _("On these terms")),
        *(_("Difference"), _("Currency")),
    )
    return Table(
        columns,
        tuple(
            (
                *(one.holder.name, one.holder.plan.id, Decimal(one.months)),
                *(one.before, one.after, one.difference, one.currency),
            )
            for one in shown.compared
        ),
    )
