"""Closed statements and adjustments of a subscription, as they were written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import col, select

from data.errors import AppError
from data.models import ClosedStatement, StatementAdjustment
from data.money import rounded
from data.scope import Scope, reading
from data.statement_content import Adjustment, Content, changes, content_hash, from_text


@dataclass(frozen=True, slots=True)
class Frozen:
    content: Content
    content_hash: str
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class LaterAdjustment:
    """What a closed period turned out to cost more or less, and where it is billed."""

    amount: Decimal
    noticed_on: date
    billed_in: date  # the first day of that period


@dataclass(frozen=True, slots=True)
class ClosedBill:
    """A final statement in a line; its text is read, and its hash checked, when it is opened."""

    start: date
    end: date  # exclusive
    currency: str
    total: Decimal
    content_hash: str
    closed_at: datetime
    adjusted: tuple[LaterAdjustment, ...] = ()


def closed_bills(scope: Scope, key: str) -> tuple[ClosedBill, ...]:
    """All final statements of the subscription, newest first; two questions however many."""
    row = ClosedStatement
    with reading(scope) as session:
        found = session.exec(
            select(  # type: ignore[call-overload]  # its types stop at four columns
                *(row.period_start, row.period_end, row.currency),
                *(row.total, row.content_hash, row.closed_at),
            )
            .where(row.customer_id == scope.customer_id, row.subscription == key)
            .order_by(col(row.period_start).desc())
        ).all()
    later = _later_adjustments(scope, key)
    return tuple(
        ClosedBill(start, end, currency, rounded(total, currency), hashed, at, later.get(start, ()))
        for start, end, currency, total, hashed, at in found
    )


def _later_adjustments(scope: Scope, key: str) -> dict[date, tuple[LaterAdjustment, ...]]:
    row = StatementAdjustment
    with reading(scope) as session:
        found = session.exec(
            select(  # type: ignore[call-overload]  # its types stop at four columns
                *(row.period_start, row.amount, row.currency, row.noticed_on, row.billed_in)
            )
            .where(row.customer_id == scope.customer_id, row.subscription == key)
            .order_by(col(row.period_start), col(row.number))
        ).all()
    later: dict[date, tuple[LaterAdjustment, ...]] = defaultdict(tuple)
    for start, amount, currency, noticed_on, billed_in in found:
        later[start] += (LaterAdjustment(rounded(amount, currency), noticed_on, billed_in),)
    return later


def closed_starts(scope: Scope, key: str) -> frozenset[date]:
    """The first days of the periods that are closed."""
    with reading(scope) as session:
        rows = session.exec(
            select(col(ClosedStatement.period_start)).where(
                ClosedStatement.customer_id == scope.customer_id,
                ClosedStatement.subscription == key,
            )
        ).all()
    return frozenset(rows)


def frozen_statement(scope: Scope, key: str, start: date) -> Frozen | None:
    """The closed statement of the period that begins on `start`; a changed text is refused."""
    with reading(scope) as session:
        row = session.exec(
            select(ClosedStatement).where(
                ClosedStatement.customer_id == scope.customer_id,
                ClosedStatement.subscription == key,
                ClosedStatement.period_start == start,
            )
        ).first()
    if row is None:
        return None
    if content_hash(row.content) != row.content_hash:
        raise AppError(
            f"The statement of {row.period_start} was changed after it was closed: its text does "
            "not have the hash that was written with it."
        )
    return Frozen(from_text(row.content), row.content_hash, row.closed_at)


def money_paid(scope: Scope, key: str) -> dict[str, Decimal]:
    """What closed statements took from each money credit."""
    with reading(scope) as session:
        rows = session.exec(
            select(col(ClosedStatement.paid)).where(
                ClosedStatement.customer_id == scope.customer_id,
                ClosedStatement.subscription == key,
            )
        ).all()
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        for credit, amount in row.items():
            paid[credit] += Decimal(amount)
    return paid


def revisions_of(scope: Scope, key: str, start: date) -> tuple[Content, ...]:
    """A closed period as it was billed, and as every adjustment since has priced it."""
    frozen = frozen_statement(scope, key, start)
    if frozen is None:
        return ()
    return (frozen.content, *(from_text(row.content) for row in _adjusted(scope, key, start)))


def periods_with_adjustments(scope: Scope, key: str) -> frozenset[date]:
    """The first days of the periods that are billed for earlier ones."""
    with reading(scope) as session:
        rows = session.exec(
            select(col(StatementAdjustment.billed_in)).where(
                StatementAdjustment.customer_id == scope.customer_id,
                StatementAdjustment.subscription == key,
            )
        ).all()
    return frozenset(rows)


def _adjusted(scope: Scope, key: str, start: date) -> Sequence[StatementAdjustment]:
    with reading(scope) as session:
        return session.exec(
            select(StatementAdjustment)
            .where(
                StatementAdjustment.customer_id == scope.customer_id,
                StatementAdjustment.subscription == key,
                StatementAdjustment.period_start == start,
            )
            .order_by(col(StatementAdjustment.number))
        ).all()


def adjustments_in(scope: Scope, key: str, start: date) -> tuple[Adjustment, ...]:
    """What the period that begins on `start` is billed for earlier ones."""
    with reading(scope) as session:
        rows = session.exec(
            select(StatementAdjustment)
            .where(
                StatementAdjustment.customer_id == scope.customer_id,
                StatementAdjustment.subscription == key,
                StatementAdjustment.billed_in == start,
            )
            .order_by(col(StatementAdjustment.period_start), col(StatementAdjustment.number))
        ).all()
    return tuple(_adjustment(scope, key, row) for row in rows)


def _adjustment(scope: Scope, key: str, row: StatementAdjustment) -> Adjustment:
    known = revisions_of(scope, key, row.period_start)
    before, after = known[row.number - 1], known[row.number]
    amount = rounded(row.amount, row.currency)  # stored with more digits than it has
    return Adjustment(after.period, row.noticed_on, amount, changes(before, after))
