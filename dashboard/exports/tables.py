"""The tables behind the charts and pages: the grain of the chart, nothing that it does not show."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from dashboard.charts.daily_usage import usual
from dashboard.charts.formats import period_name, sentence
from dashboard.exports.line_labels import translated
from dashboard.exports.table import Table, Value
from dashboard.words import N_, _
from data.explanation import Explained
from data.explorer import Explored, Slice, Span
from data.overview import MeterSeries
from data.periods import BillingPeriod
from data.statement import StaffStatement, Statement, StatementLine, Status
from data.usage import CategorySeries

TOTALS = {
    Status.OPEN: N_("Total so far"),
    Status.SETTLING: N_("Total, still settling"),
    Status.FINAL: N_("Total final"),
}


def usage_by_day(series: MeterSeries, settled_through: date) -> Table:
    """A day a row: billed units, events where they differ, the same day of the period before.

    A settled day outside of what was to be expected says what is usual.
    """
    differ = series.events_unit != series.unit
    columns = [_("Day (UTC)"), sentence(_(series.unit))]
    columns += [sentence(_(series.events_unit))] if differ else []
    columns += [_("Same day of the period before"), _("State")]
    odd = _("settled, unusual (usually {usual})")
    unusual = {one.day: odd.format(usual=usual(one)) for one in series.unusual}
    settled, settling = _("settled"), _("settling")
    rows = []
    for at, day in enumerate(series.days):
        row: list[Value] = [day, series.quantities[at]]
        row += [series.events[at]] if differ else []
        row.append(series.previous[at] if at < len(series.previous) else None)
        row.append(unusual.get(day, settled if day <= settled_through else settling))
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows))


def usage_by_category(categories: Sequence[CategorySeries], through: date) -> Table:
    """A day a row, a category a column."""
    days = [day for day in (categories[0].days if categories else ()) if day <= through]
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (day, *(one.quantities[at] for one in categories)) for at, day in enumerate(days)
    )
    heads = (f"{_(one.label)} ({_(one.unit)})" for one in categories)
    return Table((_("Day (UTC)"), *heads), rows)


def usage_by_span(
    view: Explored, *, settled_through: date, today: date, before: Sequence[Decimal] = ()
) -> Table:
    """A day, week or month a row, a part a column, all of it and the range before beside them.

    Parts are billed units; those of all meters are events, for their units differ.
    """
    whole = view.whole
    head = [f"{_(one.label)} ({_unit(one, whole)})" for one in view.parts]
    head += [_("All ({unit})").format(unit=_(whole.unit))] if whole else []
    differ = whole is not None and whole.events_unit != whole.unit
    head += [_("All ({unit})").format(unit=_(whole.events_unit))] if whole and differ else []
    rows: list[tuple[Value, ...]] = []
    for at, span in enumerate(view.spans):
        if span.start > today:
            break
        row: list[Value] = [span.start, span.last_day]
        row += [(one.quantities if whole else one.events)[at] for one in view.parts]
        row += [whole.quantities[at]] if whole else []
        row += [whole.events[at]] if whole and differ else []
        rows.append((*row, *([before[at]] if before else []), _state(span, settled_through, today)))
    beside = [_("Range before")] if before else []
    columns = (_("From (UTC)"), _("To (UTC)"), *head, *beside, _("State"))
    return Table(columns, tuple(rows))


def _unit(one: Slice, whole: Slice | None) -> str:
    return _(one.unit if whole else one.events_unit)


def _state(span: Span, settled_through: date, today: date) -> str:
    if span.last_day > settled_through:
        return _("settling") if span.last_day <= today else _("not over")
    return _("settled") if span.whole else _("settled, a part")


def statement_lines(bill: Statement) -> Table:
    """A line a row; the amounts sum to the total, which is the last row."""
    columns = (
        *(_("Plan"), _("From"), _("To"), _("Line"), _("Kind"), _("Quantity"), _("Unit")),
        *(_("Unit price"), _("Amount"), _("Currency")),
    )
    rows: list[tuple[Value, ...]] = [
        (
            *(part.plan, part.start, part.end, _name(line), line.kind.value),
            *(line.quantity, _unit_of(line), line.unit_amount, line.amount, bill.currency),
        )
        for part in bill.parts
        for line in part.lines
    ]
    rows += [
        (
            *(None, line.noticed_on, None, _name(line), line.kind.value),
            *(None, None, None, line.amount, bill.currency),
        )
        for line in bill.closing
    ]
    rows.append(
        (
            *(None, bill.period.start, bill.period.end, _(TOTALS[bill.status]), "total"),
            *(None, None, None, bill.total, bill.currency),
        )
    )
    return Table(columns, tuple(rows))


def _name(line: StatementLine) -> str:
    if line.adjusts:
        return _("Adjustment for {period}").format(period=period_name(line.adjusts))
    return translated(line.label)


def _unit_of(line: StatementLine | Explained) -> str | None:
    return _(line.unit) if line.unit else None


def statement_days(bill: Statement, trees: Sequence[Explained]) -> Table:
    """A day of a line a row, a line without days one row; the amounts sum to the total."""
    columns = (
        *(_("Line"), _("Part"), _("Day (UTC)"), _("Quantity"), _("Unit")),
        *(_("Amount"), _("Currency")),
    )
    rows: list[tuple[Value, ...]] = []
    for line, tree in zip(bill.lines, trees, strict=True):
        for part, node in _leaves(tree):
            rows.append(
                (
                    *(_name(line), part, node.day, node.quantity),
                    *(_unit_of(node), node.amount, bill.currency),
                )
            )
    rows.append((_("Total"), None, None, None, None, bill.total, bill.currency))
    return Table(columns, tuple(rows))


def _leaves(tree: Explained, part: str | None = None) -> Iterator[tuple[str | None, Explained]]:
    """The days below a node, or the node itself where no day is."""
    below = [child for child in tree.children if child.amount is not None]
    if not below:
        yield part, tree
    for child in below:
        yield from _leaves(child, part if child.day else translated(child.label))


def staff_lines(own: StaffStatement, period: BillingPeriod) -> Table:
    """With cost: for staff who may see it, never in a customer's download."""
    columns = (
        *(_("From"), _("To"), _("Line"), _("Quantity"), _("Amount"), _("Currency")),
        *(_("Cost"), _("Cost currency")),
    )
    rows: list[tuple[Value, ...]] = [
        (
            *(period.start, period.end, translated(line.label), line.quantity),
            *(line.amount, own.currency, line.cost, own.cost_currency),
        )
        for line in own.lines
    ]
    rows.append(
        (
            *(period.start, period.end, _("Total"), None),
            *(own.amount, own.currency, own.cost, own.cost_currency),
        )
    )
    return Table(columns, tuple(rows))
