"""Every line of a statement opened: line → meters → days → the records that Twilio sent.

Each level sums to the one above it.  There are two forms: staff with the right to see cost get
`StaffExplained`; a customer gets `Explained`, which ends at quantity and amount by day and has no
field for cost, margin or what credits are worth to the ISV.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from data.agreements import plan_stretches
from data.meters import OTHER, category, children, meters_of, shown_meters
from data.money import ZERO, total
from data.periods import BillingPeriod
from data.pricing import Arithmetic, DayShare, LineKind, Meter, Plan
from data.scope import Scope
from data.statement import content_of
from data.statement_content import (
    Adjustment,
    Content,
    LineChange,
    MeterShare,
    StatedLine,
    StatedPart,
)
from data.store import subscription
from data.usage_rows import AccountUsage, account_usage


@dataclass(frozen=True, slots=True)
class Explained:
    """A node as a customer may see it.  A record has a quantity and no amount of its own."""

    label: str
    amount: Decimal | None
    quantity: Decimal | None = None
    unit: str | None = None
    day: date | None = None
    arithmetic: Arithmetic | None = None
    children: tuple["Explained", ...] = ()


@dataclass(frozen=True, slots=True)
class StaffExplained:
    """The same node with what it cost the ISV, and what the credits drawn are worth."""

    label: str
    amount: Decimal | None
    quantity: Decimal | None = None
    unit: str | None = None
    day: date | None = None
    arithmetic: Arithmetic | None = None
    children: tuple["StaffExplained", ...] = ()
    cost: Decimal | None = None
    recognized: Decimal | None = None

    def for_customer(self, *, records: bool) -> Explained:
        """Without `records` it ends at the days: a margin price is not explained further."""
        below = (child for child in self.children if records or child.amount is not None)
        return Explained(
            self.label,
            self.amount,
            self.quantity,
            self.unit,
            self.day,
            self.arithmetic,
            tuple(child.for_customer(records=records) for child in below),
        )


def explanation(
    scope: Scope, key: str, period: BillingPeriod, *, today: date
) -> tuple[Explained, ...]:
    """A tree for each line of the statement, in its order; none where no plan was agreed."""
    found = staff_explanation(scope, key, period, today=today)
    return tuple(node.for_customer(records=node.cost is None) for node in found)


def staff_explanation(
    scope: Scope, key: str, period: BillingPeriod, *, today: date
) -> tuple[StaffExplained, ...]:
    """With cost and recognised value.  Only for who may see cost."""
    content = content_of(scope, key, period, today=today, explained=True)
    if content is None:
        return ()
    plans = {one.plan.id: one.plan for one in plan_stretches(scope, key)}
    rows = account_usage(
        scope, subscription(scope, key).accounts, period.start, period.end, _categories(plans)
    )
    names = {account.sid: account.name for account in subscription(scope, key).accounts}
    records = _Records(rows, names)
    nodes = [_line(part, stated, plans[part.plan], records) for part, stated in content.lines]
    return (*nodes, *(_adjustment(one) for one in content.adjustments), *_payments(content))


def _categories(plans: Mapping[str, Plan]) -> frozenset[str]:
    """Those of all meters, and what is below them."""
    wanted = {
        id for plan in plans.values() for meter in _meters(plan).values() for id in meter.categories
    }
    below = set(wanted)
    while below:
        below = {child for id in below for child in children(id)} - wanted
        wanted |= below
    return frozenset(wanted)


def _meters(plan: Plan) -> Mapping[str, Meter]:
    return {**shown_meters(plan), **meters_of(plan)}


@dataclass
class _Records:
    """Twilio's rows by day and category."""

    rows: Sequence[AccountUsage]
    names: Mapping[str, str]  # of the accounts
    found: dict[tuple[date, str], list[AccountUsage]] = field(init=False)

    def __post_init__(self) -> None:
        self.found = defaultdict(list)
        for row in self.rows:
            self.found[row.day, row.category].append(row)

    def of(self, day: date, meter: Meter) -> Iterator[StaffExplained]:
        """The records of the meter's day, each as fine as it can be without losing anything."""
        for id in meter.categories:
            for row in self.found.get((day, id), ()):
                for fine in self._finest(row):
                    yield self._node(fine, meter)

    def _finest(self, row: AccountUsage) -> Iterator[AccountUsage]:
        """The categories under the row's, where they add up to it in every figure."""
        below = [
            fine
            for id in children(row.category)
            for fine in self.found.get((row.day, id), ())
            if fine.account_sid == row.account_sid
        ]
        if not below or any(
            sum((getattr(fine, name) for fine in below), ZERO) != getattr(row, name)
            for name in ("count", "usage", "cost")
        ):
            if row.count or row.usage or row.cost:
                yield row
            return
        for fine in below:
            yield from self._finest(fine)

    def _node(self, row: AccountUsage, meter: Meter) -> StaffExplained:
        quantity = row.usage if meter.quantity == "usage" else row.count
        label = category(row.category).label
        if len(self.names) > 1:
            label = f"{label} · {self.names.get(row.account_sid, row.account_sid)}"
        return StaffExplained(label, None, quantity, meter.unit, row.day, cost=row.cost)


def _line(part: StatedPart, stated: StatedLine, plan: Plan, records: _Records) -> StaffExplained:
    line, meters = stated.line, _meters(plan)
    children: tuple[StaffExplained, ...]
    if stated.shares:
        children = tuple(_share(share, meters, records) for share in stated.shares)
    elif line.kind is LineKind.TAX:
        children = tuple(_taxed(part, plan))
    else:
        meter = meters.get(line.meter or "")
        children = tuple(_day(one, stated.unit, meter, records) for one in stated.days)
    return StaffExplained(
        line.label,
        line.amount,
        line.quantity,
        stated.unit,
        None,
        line.arithmetic,
        children,
        line.cost,
        line.recognized,
    )


def _share(share: MeterShare, meters: Mapping[str, Meter], records: _Records) -> StaffExplained:
    meter = None if share.meter == OTHER else meters.get(share.meter)
    days = tuple(_day(one, share.unit, meter, records) for one in share.days)
    cost = total(one.cost or ZERO for one in share.days)
    return StaffExplained(share.label, share.amount, None, share.unit, children=days, cost=cost)


def _day(one: DayShare, unit: str | None, meter: Meter | None, records: _Records) -> StaffExplained:
    return StaffExplained(
        f"{one.day:%-d %B}",
        one.amount,
        one.quantity if unit else None,
        unit,
        one.day,
        None,
        tuple(records.of(one.day, meter)) if meter else (),
        one.cost,
        one.recognized,
    )


def _taxed(part: StatedPart, plan: Plan) -> Iterator[StaffExplained]:
    """The tax of each line, rounded by itself."""
    for stated in part.lines:
        line = stated.line
        if plan.tax is not None and line.amount and line.kind is not LineKind.TAX:
            how = Arithmetic(line.amount, plan.tax.rate)
            amount = plan.tax.on(line, plan.currency)
            yield StaffExplained(line.label, amount, arithmetic=how)


def _adjustment(one: Adjustment) -> StaffExplained:
    lines = tuple(_changed(change) for change in one.changes)
    return StaffExplained(f"{one.period.start:%B %Y}", one.amount, children=lines)


def _changed(change: LineChange) -> StaffExplained:
    days = tuple(
        StaffExplained(f"{one.day:%-d %B}", one.amount, one.quantity, change.unit, one.day)
        for one in change.days
    )
    how = Arithmetic(change.after, less=change.before)
    amount = change.after - change.before
    return StaffExplained(change.label, amount, arithmetic=how, children=days)


def _payments(content: Content) -> Iterator[StaffExplained]:
    for line in content.payments:
        yield StaffExplained(line.label, line.amount)
