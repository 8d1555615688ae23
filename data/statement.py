"""The statement of a period: its lines as a customer may see them, summing to the total.

An open or settling statement is priced from the usage that is known; a final one is what was
frozen when its period was closed (closing.py), and late usage becomes an adjustment on a later
one.  A customer's line has no field for what Twilio charged the ISV: `StaffLine`s, for those who
may see cost and margin, are another type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from data.billed import Billed, billed_usage
from data.money import ZERO, total
from data.periods import BillingPeriod, periods_between
from data.pricing import Arithmetic, Line, LineKind, net, pay
from data.scope import Scope
from data.statement_archive import adjustments_in, closed_starts, frozen_statement, money_paid
from data.statement_content import Content, PlanStep, StatedLine, StatedPart, priced_content
from data.store import subscription
from data.usage_rows import cost_currencies


class Status(StrEnum):
    OPEN = "open"  # so far
    SETTLING = "settling"  # the period is over, its last days may still move
    FINAL = "final"  # frozen


@dataclass(frozen=True, slots=True)
class MeterAmount:
    """A meter's part of an amount that was rounded once for several."""

    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StatementLine:
    kind: LineKind
    label: str
    amount: Decimal
    meter: str | None
    unit: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    breakdown: tuple[MeterAmount, ...] = ()  # by meter, largest first; sums to the amount
    arithmetic: Arithmetic | None = None
    noticed_on: date | None = None  # of an adjustment
    adjusts: BillingPeriod | None = None  # the closed period that it changes


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the period under one version of a plan."""

    plan: str  # its name
    start: date
    end: date  # exclusive
    full_days: int  # denominator of proration
    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    currency: str
    period: BillingPeriod
    status: Status
    parts: tuple[Part, ...]
    timeline: tuple[PlanStep, ...] = ()  # changes of plan in the period
    closing: tuple[StatementLine, ...] = ()  # adjustments of earlier periods, money credits
    content_hash: str | None = None  # of a final statement
    credit: Decimal = ZERO  # money credits that may pay this bill

    @property
    def lines(self) -> tuple[StatementLine, ...]:
        return (*(line for part in self.parts for line in part.lines), *self.closing)

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return total(line.amount for line in self.lines)

    def due(self, amount: Decimal) -> Decimal:
        """What is to be paid if the period's own lines came to `amount`."""
        amount += total(one.amount for one in self.closing if one.kind is LineKind.ADJUSTMENT)
        return amount - min(self.credit, max(amount, ZERO))

    @property
    def overage(self) -> Decimal:
        return total(line.amount for line in self.lines if line.kind is LineKind.OVERAGE)

    @property
    def prorated(self) -> bool:
        return any((part.end - part.start).days < part.full_days for part in self.parts)


@dataclass(frozen=True, slots=True)
class StaffStatement:
    """The same period with what Twilio charges the ISV: for billing managers and administrators.

    `amount` is before tax and money credits: what the ISV earns.
    """

    amount: Decimal
    currency: str
    cost: Decimal
    cost_currency: str
    gross_margin: Decimal | None  # share of the price; None in two currencies, or without a price
    lines: tuple[Line, ...]
    recognized: Decimal | None = None  # what the credits drawn and expired were worth


def statement(
    scope: Scope, key: str, period: BillingPeriod, *, today: date, billed: Billed | None = None
) -> Statement | None:
    """The period's statement; None where no plan was agreed (a connected account)."""
    frozen = frozen_statement(scope, key, period.start)
    if frozen is not None:
        return as_statement(frozen.content, Status.FINAL, frozen.content_hash)
    billed = billed or billed_usage(scope, key, period)
    content = open_content(scope, key, billed, period, today=today)
    status = Status.OPEN if today < period.end else Status.SETTLING
    return as_statement(content, status) if content else None


def content_of(
    scope: Scope, key: str, period: BillingPeriod, *, today: date, explained: bool = False
) -> Content | None:
    """What stands behind the statement: as it was frozen, or as it is priced by `today`."""
    frozen = frozen_statement(scope, key, period.start)
    if frozen is not None:
        return frozen.content
    billed = billed_usage(scope, key, period)
    return open_content(scope, key, billed, period, today=today, explained=explained)


def open_content(
    scope: Scope,
    key: str,
    billed: Billed,
    period: BillingPeriod,
    *,
    today: date,
    explained: bool = False,
) -> Content | None:
    """The period priced from its usage up to `today`, with adjustments and money credits."""
    content = _unpaid(scope, key, billed, period, today=today, explained=explained)
    if content is None or not billed.money:
        return content
    left = _money_left(scope, key, billed, period, today=today)
    day, currency = period.last_day, content.currency
    paid = pay(content.due, currency, billed.money, day, left)
    valid = (one for one in billed.money if one.currency == currency and one.pays_on(day))
    return replace(content, payments=paid.lines, credit=total(left[one.key] for one in valid))


@dataclass(frozen=True, slots=True)
class MoneyLeft:
    """Money granted in advance, and what of it no bill up to this one has taken."""

    name: str
    amount: Decimal
    left: Decimal
    currency: str
    effective_on: date
    expires_on: date | None  # exclusive


def money_left(
    scope: Scope, key: str, period: BillingPeriod, *, today: date
) -> tuple[MoneyLeft, ...]:
    """The subscription's money credits after the bill of the period, as it stands `today`."""
    billed = billed_usage(scope, key, period)
    if not billed.money:
        return ()
    content = content_of(scope, key, period, today=today)
    before = _money_left(scope, key, billed, period, today=today)
    taken = {line.lot: -line.amount for line in (content.payments if content else ())}
    if period.start in closed_starts(scope, key):
        taken = {}  # what closed statements took is counted already
    return tuple(
        MoneyLeft(
            *(one.name, one.amount, before[one.key] - taken.get(one.key, ZERO)),
            *(one.currency, one.effective_on, one.expires_on),
        )
        for one in billed.money
    )


def _unpaid(
    scope: Scope,
    key: str,
    billed: Billed,
    period: BillingPeriod,
    *,
    today: date,
    explained: bool = False,
) -> Content | None:
    content = priced_content(billed, billed.rated(period, today), explained=explained)
    adjusted = adjustments_in(scope, key, period.start)
    if content is None and adjusted and billed.entries:  # late usage after the contract's end
        content = Content(period, billed.entries[-1].plan.currency, (), ())
    return replace(content, adjustments=adjusted) if content else None


def _money_left(
    scope: Scope, key: str, billed: Billed, period: BillingPeriod, *, today: date
) -> Mapping[str, Decimal]:
    """What earlier bills leave of the money credits: the closed ones, and those still to close."""
    paid, closed = money_paid(scope, key), closed_starts(scope, key)
    left = {credit.key: credit.amount - paid.get(credit.key, ZERO) for credit in billed.money}
    view = subscription(scope, key)
    granted = min(credit.effective_on for credit in billed.money)
    for earlier in periods_between(view.starts_on, period.start, view.anchor_day):
        if earlier.start in closed or earlier.end <= granted:
            continue
        before = billed_usage(scope, key, earlier)
        content = _unpaid(scope, key, before, earlier, today=today)
        if content is not None:
            day, currency = earlier.last_day, content.currency
            left = dict(pay(content.due, currency, billed.money, day, left).left)
    return left


def as_statement(content: Content, status: Status, content_hash: str | None = None) -> Statement:
    """What a customer is handed of the content."""
    return Statement(
        content.currency,
        content.period,
        status,
        tuple(_part(part) for part in content.parts),
        content.timeline,
        tuple(_closing(content)),
        content_hash,
        content.credit,
    )


def _part(part: StatedPart) -> Part:
    lines = tuple(_line(stated) for stated in part.lines)
    return Part(part.name, part.start, part.end, part.full_days, lines)


def _line(stated: StatedLine) -> StatementLine:
    line = stated.line
    return StatementLine(
        line.kind,
        line.label,
        line.amount,
        line.meter,
        stated.unit,
        line.quantity,
        line.unit_amount,
        tuple(MeterAmount(share.label, share.amount) for share in stated.shares),
        line.arithmetic,
    )


def _closing(content: Content) -> Iterator[StatementLine]:
    for one in content.adjustments:
        label = f"Adjustment for {one.period.start:%B %Y}"
        yield StatementLine(
            LineKind.ADJUSTMENT,
            label,
            one.amount,
            None,
            None,
            None,
            None,
            noticed_on=one.noticed_on,
            adjusts=one.period,
        )
    for line in content.payments:
        yield _line(StatedLine(line, None))


def staff_statement(
    scope: Scope, key: str, period: BillingPeriod, *, today: date
) -> StaffStatement | None:
    """Amount, cost and margin of the period so far.  Only for who may see cost."""
    content = content_of(scope, key, period, today=today)
    if content is None:
        return None
    lines = tuple(one.line for _, one in content.lines)
    amount, currency = net(lines), content.currency
    accounts = subscription(scope, key).accounts
    charged = cost_currencies(scope, accounts, period.start, period.end)
    cost = content.cost
    comparable = amount and charged in ((), (currency,))
    margin = (amount - cost) / amount if comparable else None
    worth = [line.recognized for line in lines if line.recognized is not None]
    return StaffStatement(
        amount,
        currency,
        cost,
        "/".join(charged) or currency,
        margin,
        lines,
        total(worth) if worth else None,
    )
