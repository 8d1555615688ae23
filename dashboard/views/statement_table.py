"""A statement as a table whose lines open to the days behind each, and a day's records."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape

from dashboard.charts.formats import (
    counted,
    day,
    days,
    money,
    period_name,
    quantity,
    unit_price,
)
from dashboard.exports.line_labels import translated
from dashboard.views.markup import Part, Safe, div, grid, joined, number_head, span, tag
from dashboard.views.wording import (
    line_label,
    line_quantity,
    plan_step,
    worked_out,
)
from dashboard.words import N_, _, n_
from data.explanation import Explained, StaffExplained
from data.periods import DAY
from data.pricing import LineKind
from data.statement import Part as Stretch
from data.statement import Statement, StatementLine, Status
from data.statement_content import PlanStep

TOTALS = {
    Status.OPEN: N_("Total so far"),
    Status.SETTLING: N_("Total, still settling"),
    Status.FINAL: N_("Total final"),
}
WHOLE = (LineKind.FEE, LineKind.FLAT, LineKind.PACK)  # their price is not a unit's


def statement_table(bill: Statement, trees: Sequence[Explained]) -> Safe:
    """`trees` are the explanations of the lines, in their order."""
    amount = _("Amount, {currency}").format(currency=bill.currency)
    figures = (number_head(name) for name in (_("Quantity"), _("Price"), amount))
    opened = iter(trees)
    rows = [row for part in bill.parts for row in _stretch(part, bill, opened)]
    if bill.closing:
        rows.append(_heading(_("Earlier periods and credits")))
        rows += [row for line in bill.closing for row in _line(line, bill.currency, next(opened))]
    total = tag(
        "tr",
        tag("td", _(TOTALS[bill.status]), colspan="3"),
        tag("td", money(bill.total, bill.currency), class_="u-number"),
        class_="u-total",
    )
    return grid(_("Lines of the statement"), (_("Line"), *figures), (*rows, total))


def plan_changes(bill: Statement) -> Safe | None:
    """What was agreed when, and what of it is billed; nothing for a period on one plan."""
    steps = [one for one in bill.timeline if one.asked_on > bill.period.start or not one.billed]
    if not steps:
        return None
    items = (tag("li", *plan_step(one)) for one in steps)
    return div("u-steps", tag("h3", _("Plan changes")), tag("ol", *items))


def fingerprint(bill: Statement) -> Safe | None:
    """By which a final statement can be told from a changed one."""
    if bill.content_hash is None:
        return None
    return tag(
        "p",
        _("Final: it no longer changes. Fingerprint {hash}.").format(hash=bill.content_hash[:16]),
        class_="u-note",
        title=bill.content_hash,
    )


def _heading(text: str) -> Safe:
    return tag("tr", tag("td", text, colspan="4", class_="u-stretch"))


def _stretch(part: Stretch, bill: Statement, opened: Iterator[Explained]) -> Iterator[Part]:
    """A plan's days and lines."""
    used = (part.end - part.start).days
    text = f"{part.plan}, {days(part.start, part.end - DAY)}"
    if used < part.full_days:
        share = _("{days} of {all} days").format(days=used, all=part.full_days)
        text = f"{text} · {share}"
    yield _heading(text)
    for line in part.lines:
        yield from _line(line, bill.currency, next(opened))


def _line(line: StatementLine, currency: str, tree: Explained) -> Iterator[Part]:
    how = worked_out(line.arithmetic, currency) if line.arithmetic else None
    noticed = _("noticed on {day}").format(day=day(line.noticed_on)) if line.noticed_on else None
    yield tag(
        "tr",
        tag("td", line_name(line), *(span("u-why", text) for text in (how, noticed) if text)),
        tag("td", line_quantity(line), class_="u-number"),
        tag("td", line_price(line, currency), class_="u-number"),
        tag("td", money(line.amount, currency), class_="u-number"),
    )
    if any(child.day is None for child in tree.children):  # meters, or lines that changed
        for child in tree.children:
            yield _folded(_summed(child, currency), child.children, currency)
    elif tree.children:
        yield _folded(_by_day(tree.children), tree.children, currency)


def _summed(node: Explained, currency: str) -> Safe:
    how = worked_out(node.arithmetic, currency) if node.arithmetic else None
    amount = "" if node.amount is None else money(node.amount, currency)
    named = span("u-name", node_name(node), span("u-why", how) if how else None)
    return joined([named, span("u-value", amount)])


def _by_day(nodes: Sequence[Explained]) -> str:
    many = len(nodes)
    return n_("By day: {n} day", "By day: {n} days", many).format(n=many)


def _folded(summary: Part, nodes: Sequence[Explained], currency: str) -> Safe:
    """A row that opens to the days behind the one above it."""
    if not nodes:
        inner: Safe = div("u-explained u-closed", div("u-fold", summary))
    else:
        head = tag("summary", div("u-fold", summary))
        rows = (_day(node, currency) for node in nodes)
        inner = tag("details", head, tag("table", tag("tbody", *rows)), class_="u-explained")
    return tag("tr", tag("td", inner, colspan="4"), class_="u-days")


def _day(node: Explained, currency: str) -> Safe:
    used = "" if node.quantity is None or not node.unit else counted(node.quantity, node.unit)
    amount = money(node.amount, currency) if node.amount else ""
    return tag(
        "tr",
        tag("td", node_name(node)),
        tag("td", _records(node.children), class_="u-records"),
        tag("td", used, class_="u-number"),
        tag("td", amount, class_="u-number"),
    )


def node_name(node: Explained | StaffExplained) -> str:
    """A day, a meter or a line behind another one."""
    known = day(node.day) if node.day else translated(node.label)
    return known.capitalize() if known.islower() else known


def _records(nodes: Iterable[Explained]) -> str:
    """What Twilio sent for the day, where that is more than the day's own figure."""
    found = list(nodes)
    named = (
        f"{_(one.label)}: {quantity(one.quantity)}" for one in found if one.quantity is not None
    )
    return " · ".join(named)


def line_name(line: StatementLine) -> str:
    if line.adjusts:
        return _("Adjustment for {period}").format(period=period_name(line.adjusts))
    return line_label(line)


def line_price(line: StatementLine, currency: str) -> str:
    if line.unit_amount is None:
        return _("included") if line.kind is LineKind.INCLUDED else ""
    price = unit_price(line.unit_amount, currency)
    if line.kind in WHOLE or not line.unit:
        return price
    return _("{price} each").format(price=price)


def step_words(step: PlanStep) -> str:
    """A change of plan without its emphasis, for paper."""
    return unescape(re.sub(r"<[^>]+>", "", joined(plan_step(step))))
