"""What a customer costs the ISV and pays it: for staff with Permission.VIEW_COST only.

It is part of the staff's own list and never of a customer's page, so that staff who view a
customer's pages see exactly what the customer sees.
"""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import fine_percent, money, period_name, quantity, whole
from dashboard.exports import staff_lines
from dashboard.views.cards import card
from dashboard.views.dialogs import dialog
from dashboard.views.fleet_words import REASONS
from dashboard.views.markup import (
    Part,
    Safe,
    div,
    grid,
    note,
    number_cell,
    number_head,
    tag,
    unmarked,
)
from dashboard.views.page import Visit
from dashboard.views.parts import callout, csv_button, money_cell, must_still, show, state
from dashboard.views.readings import (
    read_periods,
    read_staff_explanation,
    read_staff_statement,
    read_subscriptions,
)
from dashboard.views.statement_table import node_name
from dashboard.views.wording import line_label
from dashboard.words import N_, _, n_
from data.explanation import StaffExplained
from data.fleet import Reason, health_of
from data.periods import period_of
from data.scope import EveryTenant, Scope
from data.statement import StaffStatement
from data.store import SubscriptionView, data_version

COLUMNS = (N_("Line"), N_("Quantity"), N_("Amount"), N_("Cost"))


@dialog(N_("Cost and margin"), width="large")
def margin_panel(visit: Visit, customer_id: int, name: str) -> None:
    must_still(visit, Permission.VIEW_COST)
    scope = Scope(customer_id, visit.settings.database_url, read_only=True)
    version = data_version(scope)
    show(note(_("Staff only. Never shown to customers.")), _reconciled(visit, customer_id))
    priced = [own for own in read_subscriptions(scope, version) if own.plan]
    if not priced:
        said = _("{customer} pays Twilio directly.").format(customer=name)
        show(state(_("Nothing to compare"), said))
    for own in priced:
        _subscription(visit, scope, version, own)


def _reconciled(visit: Visit, customer_id: int) -> Safe:
    """Whether the months of late add up to Twilio's own."""
    every = EveryTenant(visit.settings.database_url)
    rows = health_of(every, [customer_id], now=visit.now).get(customer_id, ())
    months = [row.differs_in for row in rows if row.differs_in]
    if not months:
        return note(_("The last three months agree with Twilio's own totals, where checked."))
    month = period_name(period_of(max(months)))
    said = _("{month} differs from Twilio's own total; the page Sync says where.")
    return callout(
        f"{_(REASONS[Reason.RECONCILIATION])}. ", said.format(month=month), kind="warning"
    )


def _subscription(visit: Visit, scope: Scope, version: str, own: SubscriptionView) -> None:
    periods = read_periods(scope, version, own.key, visit.today)
    period = st.selectbox(
        unmarked(f"{own.plan}"),
        periods,
        format_func=period_name,
        key=f"margin_period_{scope.customer_id}_{own.key}",
    )
    bill = read_staff_statement(scope, version, own.key, period, visit.today)
    if bill is None:
        show(state(_("No plan in this period"), _("There is nothing to compare.")))
        return
    trees = read_staff_explanation(scope, version, own.key, period, visit.today)
    show(_figures(bill), _lines(bill, trees))
    csv_button(
        visit,
        _("CSV with cost"),
        lambda: staff_lines(bill, period),
        "margin",
        own.key,
        f"{period.start}",
    )


def _figures(bill: StaffStatement) -> Safe:
    margin = "–" if bill.gross_margin is None else fine_percent(bill.gross_margin)
    return div(
        "u-cards u-three",
        card(_("Customer pays"), money(bill.amount, bill.currency), _recognized(bill)),
        card(_("Twilio costs us"), money(bill.cost, bill.cost_currency)),
        card(_("Gross margin"), margin, note(_("Share of the price."))),
    )


def _recognized(bill: StaffStatement) -> Safe | None:
    if bill.recognized is None:
        return None
    worth = money(bill.recognized, bill.currency)
    return note(_("{amount} recognised from credits.").format(amount=worth))


def _lines(bill: StaffStatement, trees: Sequence[StaffExplained]) -> Safe:
    """Amounts line by line, each open to its days; the cost of a bundle has no lines."""
    first, *figures = (_(name) for name in COLUMNS)
    heads = (first, *(number_head(name) for name in figures))
    rows: list[Part] = []
    for line, tree in zip(bill.lines, trees, strict=False):  # adjustments have no cost
        rows.append(_row(line_label(line), line.quantity, line.amount, line.cost, bill))
        rows.append(_opened(tree, bill))
    total = _row(_("Total"), None, bill.amount, bill.cost, bill, class_="u-total")
    return grid(_("Lines of the statement"), heads, (*rows, total))


def _opened(tree: StaffExplained, bill: StaffStatement) -> Safe | None:
    """The days behind a line, or its products with theirs."""
    if not tree.children:
        return None
    rows: list[Part] = []
    for child in tree.children:
        rows.append(_row(node_name(child), child.quantity, child.amount, child.cost, bill))
        rows += [_node(day, bill) for day in child.children if day.amount is not None]
    behind = n_("{n} row behind it", "{n} rows behind it", len(rows)).format(n=whole(len(rows)))
    fold = tag("summary", div("u-fold", behind))
    inner = tag("details", fold, tag("table", tag("tbody", *rows)), class_="u-explained")
    return tag("tr", tag("td", inner, colspan=f"{len(COLUMNS)}"), class_="u-days")


def _node(node: StaffExplained, bill: StaffStatement) -> Safe:
    return _row(node_name(node), node.quantity, node.amount, node.cost, bill)


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
        number_cell("" if units is None else quantity(units)),
        money_cell(amount, bill.currency),
        money_cell(cost, bill.cost_currency),
        class_=class_,
    )
