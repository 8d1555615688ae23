"""A period's bill with everything behind it, as it is shown, compared and frozen.

The same value stands behind an open statement, which is priced anew whenever it is read, and a
final one, which is the text that was hashed when the period was closed.  It holds cost: what a
customer is handed is made from it by statement.py and explanation.py.

The text is canonical JSON: sorted keys, no blanks, Decimals as written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256

from pydantic import TypeAdapter

from data.billed import Billed
from data.meters import OTHER, meters_of
from data.money import ZERO, split, total
from data.periods import BillingPeriod
from data.pricing import (
    ALL_USAGE,
    DayShare,
    Line,
    LineKind,
    Meter,
    Plan,
    RatedPart,
    RatedPeriod,
    days_of,
)


@dataclass(frozen=True, slots=True)
class MeterShare:
    """A meter's part of an amount that was rounded once for several, in proportion to its cost."""

    label: str
    meter: str
    unit: str | None
    amount: Decimal
    days: tuple[DayShare, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedLine:
    line: Line
    unit: str | None
    shares: tuple[MeterShare, ...] = ()  # largest first
    days: tuple[DayShare, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedPart:
    """A stretch of the period under one version of a plan."""

    plan: str  # its id: sms-bundle@2
    name: str
    start: date
    end: date  # exclusive
    full_days: int  # denominator of proration
    lines: tuple[StatedLine, ...]


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A change of plan in the period; one that was superseded has no days."""

    name: str
    asked_on: date
    starts_on: date
    ends_on: date | None
    billed: bool


@dataclass(frozen=True, slots=True)
class LineChange:
    """How a line of a closed period differs from what was billed."""

    label: str
    before: Decimal
    after: Decimal
    unit: str | None = None
    quantity_before: Decimal | None = None
    quantity_after: Decimal | None = None
    days: tuple[DayShare, ...] = ()  # the differences of the days that changed


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a closed period costs more or less than it was billed."""

    period: BillingPeriod
    noticed_on: date
    amount: Decimal
    changes: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """`total` is what is to be paid: lines with their tax, adjustments, less money credits."""

    period: BillingPeriod
    currency: str
    timeline: tuple[PlanStep, ...]
    parts: tuple[StatedPart, ...]
    adjustments: tuple[Adjustment, ...] = ()
    payments: tuple[Line, ...] = ()
    credit: Decimal = ZERO  # money credits that may pay this bill
    cost: Decimal = ZERO  # what Twilio charged for all of the period's usage

    @property
    def lines(self) -> Iterator[tuple[StatedPart, StatedLine]]:
        return ((part, line) for part in self.parts for line in part.lines)

    @property
    def usage_total(self) -> Decimal:
        """Of the period's own lines: what is compared when it is priced again."""
        return total(one.line.amount for _, one in self.lines)

    @property
    def due(self) -> Decimal:
        """Before money credits."""
        return self.usage_total + total(one.amount for one in self.adjustments)

    @property
    def total(self) -> Decimal:
        return self.due + total(line.amount for line in self.payments)


def priced_content(billed: Billed, rated: RatedPeriod, *, explained: bool) -> Content | None:
    """The rated period as content; None where no plan was agreed.  `explained`: with its days."""
    if not rated.parts:
        return None
    period = rated.period
    steps = tuple(
        PlanStep(one.plan.name, one.asked_on, one.starts_on, one.ends_on, one.billed)
        for one in billed.entries
        if one.asked_on in period or one.starts_on in period
    )
    parts = tuple(_stated(billed, part, explained=explained) for part in rated.parts)
    cost = billed.shown.usage(ALL_USAGE, period.start, period.end).cost
    return Content(period, rated.parts[-1].plan.currency, steps, parts, cost=cost)


def _stated(billed: Billed, part: RatedPart, *, explained: bool) -> StatedPart:
    plan, days = part.plan, days_of(part) if explained else {}
    meters = meters_of(plan)
    lines = tuple(
        StatedLine(
            line,
            _unit(line, meters),
            _shares(billed, part, line, explained=explained),
            days.get(line.key, ()),
        )
        for line in part.lines
    )
    span = part.period
    return StatedPart(plan.id, plan.name, span.start, span.end, span.full_days, lines)


def _unit(line: Line, meters: Mapping[str, Meter]) -> str | None:
    """In which the line's quantity is counted."""
    if line.kind is LineKind.EXPIRED:
        return "credits"
    return meters[line.meter].unit if line.meter and line.meter in meters else None


def _shares(
    billed: Billed, part: RatedPart, line: Line, *, explained: bool
) -> tuple[MeterShare, ...]:
    """The line's amount by meter, in proportion to what each cost."""
    if not line.together:
        return ()
    plan, start, end = part.plan, part.period.start, part.basis.until
    everything = ALL_USAGE in line.together
    measured = billed.shown if everything else billed.priced[plan.id]
    names = (*billed.meters, OTHER) if everything else line.together
    used = {name: measured.usage(name, start, end) for name in names}
    used = {name: usage for name, usage in used.items() if usage.cost}
    amounts = split(line.amount, [u.cost for u in used.values()], plan.currency) if used else []
    found = []
    for (name, usage), amount in zip(used.items(), amounts, strict=True):
        by_day = split(amount, [day.cost for day in usage.days], plan.currency)
        days = tuple(
            DayShare(day.day, day.quantity, share, day.cost)
            for day, share in zip(usage.days, by_day, strict=True)
        )
        label, unit = _named(billed, plan, name)
        found.append(MeterShare(label, name, unit, amount, days if explained else ()))
    return tuple(sorted(found, key=lambda one: -one.amount))


def _named(billed: Billed, plan: Plan, name: str) -> tuple[str, str | None]:
    meter = {**billed.meters, **meters_of(plan)}.get(name)
    return ("Other", None) if meter is None else (meter.label or name, meter.unit)


def changes(before: Content, after: Content) -> tuple[LineChange, ...]:
    """The lines that differ, and the days on which they do."""
    old, new = _by_key(before), _by_key(after)
    found = []
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        stated = now or was
        assert stated is not None
        if was is not None and now is not None and was.line == now.line:
            continue
        found.append(
            LineChange(
                stated.line.label,
                was.line.amount if was else ZERO,
                now.line.amount if now else ZERO,
                stated.unit,
                was.line.quantity if was else None,
                now.line.quantity if now else None,
                _day_changes(was, now),
            )
        )
    return tuple(found)


def _by_key(content: Content) -> Mapping[tuple[date, str], StatedLine]:
    return {(part.start, stated.line.key): stated for part, stated in content.lines}


def _day_changes(was: StatedLine | None, now: StatedLine | None) -> tuple[DayShare, ...]:
    """The days that changed.  What they move in the rounding of other days is in the last one."""
    old = {one.day: one for one in was.days} if was else {}
    new = {one.day: one for one in now.days} if now else {}
    found: list[DayShare] = []
    rounding = ZERO
    for day in sorted(old.keys() | new.keys()):
        before, after = old.get(day, DayShare(day)), new.get(day, DayShare(day))
        quantity, amount = after.quantity - before.quantity, after.amount - before.amount
        if quantity or after.cost != before.cost:
            found.append(DayShare(day, quantity, amount))
        else:
            rounding += amount
    if found and rounding:
        last = found.pop()
        found.append(replace(last, amount=last.amount + rounding))
    return tuple(found)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Content]:
    return TypeAdapter(Content)


def to_text(content: Content) -> str:
    """Canonical JSON: equal contents give equal texts."""
    document = _adapter().dump_python(content, mode="json")
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_text(text: str) -> Content:
    return _adapter().validate_json(text)


def content_hash(text: str) -> str:
    """SHA-256 of the text in UTF-8, hexadecimal."""
    return sha256(text.encode()).hexdigest()
