"""Twilio's rows of usage: by day and category over accounts, or one by one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, false
from sqlmodel import and_, case, col, func, literal, or_, select

from data.meters import TOTAL
from data.models import UsageRecord
from data.money import ZERO
from data.scope import Scope, reading
from data.store import AccountView


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One category on one day over the accounts asked for; what was null counts as 0."""

    day: date
    category: str
    count: Decimal
    usage: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """One category on one day of one account: a record as Twilio sent it, null as 0."""

    day: date
    account_sid: str
    category: str
    count: Decimal
    usage: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class SpanTotal:
    """One category over one span of days; `account_sid` is empty where accounts are summed."""

    span: int  # its number
    category: str
    account_sid: str
    count: Decimal
    usage: Decimal


def day_totals(
    scope: Scope,
    accounts: Iterable[AccountView],
    start: date,
    end: date,
    *,
    categories: Iterable[str] | None = None,
) -> list[DayTotals]:
    """Usage of the days `[start, end)`, by day and category, summed over the accounts."""
    wanted = [
        UsageRecord.customer_id == scope.customer_id,
        col(UsageRecord.day) >= start,
        col(UsageRecord.day) < end,
        _held(accounts),
    ]
    if categories is not None:
        wanted.append(col(UsageRecord.category).in_(list(categories)))
    with reading(scope) as session:
        rows = session.exec(
            select(  # type: ignore[call-overload]  # its types stop at four columns
                col(UsageRecord.day),
                col(UsageRecord.category),
                func.sum(UsageRecord.count),
                func.sum(UsageRecord.usage),
                func.sum(UsageRecord.cost),
            )
            .where(*wanted)
            .group_by(col(UsageRecord.day), col(UsageRecord.category))
            .order_by(col(UsageRecord.day))
        ).all()
    return [
        DayTotals(day, category, count or ZERO, usage or ZERO, cost or ZERO)
        for day, category, count, usage, cost in rows
    ]


def span_totals(
    scope: Scope,
    accounts: Iterable[AccountView],
    edges: Sequence[date],
    *,
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
    by_account: bool = False,
) -> list[SpanTotal]:
    """Usage summed by the database over spans of days: span n is `[edges[n], edges[n + 1])`.

    So a year by months is no longer an answer than a fortnight by days.
    """
    day, category = col(UsageRecord.day), col(UsageRecord.category)
    account = col(UsageRecord.account_sid) if by_account else literal("")
    ends = enumerate(edges[1:])
    span = case(*((day < end, number) for number, end in ends), else_=-1)
    wanted: list[ColumnElement[bool]] = [_held(accounts)]
    if categories is not None:
        wanted.append(category.in_(list(categories)))
    if without:
        wanted.append(category.not_in(list(without)))
    with reading(scope) as session:
        rows = session.exec(
            select(  # type: ignore[call-overload]  # its types stop at four columns
                span.label("span"),
                category,
                account.label("account"),
                func.sum(UsageRecord.count),
                func.sum(UsageRecord.usage),
            )
            .where(
                UsageRecord.customer_id == scope.customer_id,
                day >= edges[0],
                day < edges[-1],
                *wanted,
            )
            .group_by("span", category, "account")
        ).all()
    return [
        SpanTotal(number, name, sid, count or ZERO, usage or ZERO)
        for number, name, sid, count, usage in rows
    ]


def _held(accounts: Iterable[AccountView]) -> ColumnElement[bool]:
    """Rows of the accounts on the days for which they are held: an account may change hands."""
    days = col(UsageRecord.day)
    return or_(
        false(),
        *(
            and_(
                UsageRecord.account_sid == one.sid,
                days >= one.starts_on,
                days < (one.ends_on or date.max),
            )
            for one in accounts
        ),
    )


def account_usage(
    scope: Scope,
    accounts: Iterable[AccountView],
    start: date,
    end: date,
    categories: Iterable[str],
) -> list[AccountUsage]:
    """The records of the days `[start, end)` behind the categories named, by day and account."""
    with reading(scope) as session:
        rows = session.exec(
            select(UsageRecord)
            .where(
                UsageRecord.customer_id == scope.customer_id,
                col(UsageRecord.day) >= start,
                col(UsageRecord.day) < end,
                _held(accounts),
                col(UsageRecord.category).in_(list(categories)),
            )
            .order_by(col(UsageRecord.day), col(UsageRecord.account_sid), col(UsageRecord.category))
        ).all()
    return [
        AccountUsage(
            row.day,
            row.account_sid,
            row.category,
            row.count or ZERO,
            row.usage or ZERO,
            row.cost or ZERO,
        )
        for row in rows
    ]


def cost_currencies(
    scope: Scope, accounts: Iterable[AccountView], start: date, end: date
) -> tuple[str, ...]:
    """In which currencies Twilio charged for those days; one, as a rule."""
    with reading(scope) as session:
        rows = session.exec(
            select(UsageRecord.cost_currency)
            .where(
                UsageRecord.customer_id == scope.customer_id,
                UsageRecord.category == TOTAL,
                col(UsageRecord.day) >= start,
                col(UsageRecord.day) < end,
                _held(accounts),
            )
            .distinct()
        ).all()
    return tuple(sorted(rows))
