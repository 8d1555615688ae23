"""What a customer costs the ISV and pays it: for staff with Permission.VIEW_COST only.

It is part of the staff's own list and never of a customer's page, so that staff who view a
customer's pages see exactly what the customer sees.
"""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import money, period_name, quantity
from dashboard.exports import staff_lines
from dashboard.views.cards import card
from dashboard.views.markup import Part, Safe, div, note, tag
from dashboard.views.page import Visit
from dashboard.views.parts import csv_button, money_cell, must_still, show, state
from dashboard.views.readings import (
    read_periods,
    read_staff_explanation,
    read_staff_statement,
    read_subscriptions,
)
from dashboard.views.wording import line_label
from data.explanation import StaffExplained
from data.scope import Scope
from data.statement import StaffStatement
from data.store import FoundCustomer, SubscriptionView, data_version

COLUMNS = ("Line", "Quantity", "Amount", "Cost")


@st.dialog("Cost and margin", width="large")
def margin_panel(visit: Visit, one: FoundCustomer) -> None:
    must_still(visit, Permission.VIEW_COST)
    scope = Scope(one.id, visit.settings.database_url)
    version = data_version(scope)
    show(note("Staff only. Never shown to customers."))
    priced = [own for own in read_subscriptions(scope, version) if own.plan]
    if not priced:
        show(state("Nothing to compare", f"{one.name} pays Twilio directly."))
    for own in priced:
        _subscription(visit, scope, version, own)


def _subscription(visit: Visit, scope: Scope, version: str, own: SubscriptionView) -> None:
    periods = read_periods(scope, version, own.key, visit.today)
    period = st.selectbox(
        f"{own.plan}",
        periods,
        format_func=period_name,
        key=f"margin_period_{scope.customer_id}_{own.key}",
    )
    bill = read_staff_statement(scope, version, own.key, period, visit.today)
    if bill is None:
        show(state("No plan in this period", "There is nothing to compare."))
        return
    trees = read_staff_explanation(scope, version, own.key, period, visit.today)
    show(_figures(bill), _lines(bill, trees))
    csv_button(
        visit,
        "CSV with cost",
        lambda: staff_lines(bill, period),
        "margin",
        own.key,
        f"{period.start}",
    )


def _figures(bill: StaffStatement) -> Safe:
    margin = "–" if bill.gross_margin is None else f"{bill.gross_margin:.1%}"
    return div(
        "u-cards u-three",
        card("Customer pays", money(bill.amount, bill.currency), _recognized(bill)),
        card("Twilio costs us", money(bill.cost, bill.cost_currency)),
        card("Gross margin", margin, note("Share of the price.")),
    )


def _recognized(bill: StaffStatement) -> Safe | None:
    if bill.recognized is None:
        return None
    return note(f"{money(bill.recognized, bill.currency)} recognised from credits.")


def _lines(bill: StaffStatement, trees: Sequence[StaffExplained]) -> Safe:
    """Amounts line by line, each open to its days; the cost of a bundle has no lines."""
    heads = (tag("th", name, scope="col", class_=_side(name)) for name in COLUMNS)
    rows: list[Part] = []
    for line, tree in zip(bill.lines, trees, strict=False):  # adjustments have no cost
        rows.append(_row(line_label(line), line.quantity, line.amount, line.cost, bill))
        rows.append(_opened(tree, bill))
    total = _row("Total", None, bill.amount, bill.cost, bill, class_="u-total")
    body = tag("tbody", *rows, total)
    grid = tag("table", tag("thead", tag("tr", *heads)), body, class_="u-table")
    return div("u-table-frame", grid)


def _opened(tree: StaffExplained, bill: StaffStatement) -> Safe | None:
    """The days behind a line, or its products with theirs."""
    if not tree.children:
        return None
    rows: list[Part] = []
    for child in tree.children:
        rows.append(_row(child.label, child.quantity, child.amount, child.cost, bill))
        rows += [_node(day, bill) for day in child.children if day.amount is not None]
    count = sum(1 for _ in rows)
    fold = tag("summary", div("u-fold", f"{count} rows behind it"))
    inner = tag("details", fold, tag("table", tag("tbody", *rows)), class_="u-explained")
    return tag("tr", tag("td", inner, colspan=f"{len(COLUMNS)}"), class_="u-days")


def _node(node: StaffExplained, bill: StaffStatement) -> Safe:
    return _row(node.label, node.quantity, node.amount, node.cost, bill)


def _row(
    label: str,
    units: Decimal | None,
    amount: Decimal | None,
    cost: Decimal | None,
    bill: StaffStatement,
    class_: str | None = None,
) -> Safe:
    return tag(
        "tr",
        tag("td", label),
        tag("td", "" if units is None else quantity(units), class_="u-number"),
        money_cell(amount, bill.currency),
        money_cell(cost, bill.cost_currency),
        class_=class_,
    )


def _side(name: str) -> str | None:
    return None if name == COLUMNS[0] else "u-number"
