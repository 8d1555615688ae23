"""What Twilio has changed afterwards: corrected days, and months that differ from Twilio's own.

Cost is read only where it is asked for (`with_cost`): not everyone who runs the sync may see it.
What a customer may know of corrections is `revised_days`, whose values have no field for cost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, String
from sqlmodel import case, cast, col, func, select, tuple_

from data.meters import TOTAL, category
from data.models import Customer, Reconciliation, UsageRecord, UsageRevision
from data.money import ZERO
from data.scope import EveryTenant, Scope, ScopedSession, reading
from data.sync_history import account_names

IN_MONEY = frozenset({TOTAL, "calleridlookups"})  # their usage is an amount, not units


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after; None where Twilio listed nothing."""

    old: Decimal | None
    new: Decimal | None

    @property
    def by(self) -> Decimal:
        return (self.new or ZERO) - (self.old or ZERO)


@dataclass(frozen=True, slots=True)
class RevisedCategory:
    category: str
    label: str
    usage: Change | None  # billed units; None where Twilio counts them in money


@dataclass(frozen=True, slots=True)
class RevisedDay:
    """A past day of one account that Twilio has changed: from the first figures to the last."""

    account_sid: str
    day: date
    seen_at: datetime  # the last time
    categories: tuple[RevisedCategory, ...]


@dataclass(frozen=True, slots=True)
class StaffRevisedDay:
    """The same with whose it is, and with cost for those who may see it."""

    revised: RevisedDay
    account: str
    customer: str  # the owner of that day
    currency: str
    total: Change | None  # Twilio's total of the day
    costs: Mapping[str, Change]  # by category


def revisions(
    scope: EveryTenant, *, with_cost: bool, limit: int = 30
) -> tuple[StaffRevisedDay, ...]:
    """Corrected days of all customers, the last seen first."""
    with reading(scope) as session:
        found = _revised(session, limit=limit)
        customers = _customers(session, [owner for owner, _, _ in found])
        currency = _currency(session)
    names = account_names(scope, (sid for _, sid, _ in found))
    days = []
    for (owner, sid, day), rows in found.items():
        merged = _merged(rows)
        costs = {name: cost for name, (_, cost) in merged.items()} if with_cost else {}
        days.append(
            StaffRevisedDay(
                RevisedDay(sid, day, max(row.seen_at for row in rows), _categories(merged)),
                names.get(sid, (sid, ""))[0],
                customers.get(owner, ""),
                currency,
                costs.get(TOTAL),
                costs,
            )
        )
    return tuple(days)


def revised_days(scope: Scope, since: datetime) -> tuple[RevisedDay, ...]:
    """The customer's days that have changed since a moment, the last seen first; units only.

    A day of which only the cost has changed is none of them.
    """
    own = (UsageRevision.customer_id == scope.customer_id, col(UsageRevision.seen_at) >= since)
    with reading(scope) as session:
        found = _revised(session, *own)
    days = []
    for (_, sid, day), rows in found.items():
        changed = tuple(c for c in _categories(_merged(rows)) if c.usage and c.usage.by)
        if changed:
            days.append(RevisedDay(sid, day, max(row.seen_at for row in rows), changed))
    return tuple(days)


_Day = tuple[int, str, date]  # customer, account, day


def _revised(
    session: ScopedSession, *wanted: Any, limit: int | None = None
) -> dict[_Day, list[Any]]:
    """Revisions by day, those of a day from first to last; the day seen last comes first."""
    key = (col(UsageRevision.customer_id), col(UsageRevision.account_sid), col(UsageRevision.day))
    last = func.max(UsageRevision.seen_at)
    newest: Any = select(*key).where(*wanted).group_by(*key)
    newest = newest.order_by(last.desc(), key[2].desc(), key[1], key[0]).limit(limit)
    found: dict[_Day, list[Any]] = {tuple(row): [] for row in session.execute(newest)}
    figures = ("category", "seen_at", "old_usage", "new_usage", "old_cost", "new_cost")
    columns = (*key, *(getattr(UsageRevision, name) for name in figures))
    chosen = () if limit is None else (tuple_(*key).in_(list(found)),)
    rows: Iterable[Any] = session.execute(
        select(*columns).where(*wanted, *chosen).order_by(col(UsageRevision.seen_at))
    )
    for row in rows:
        found[row.customer_id, row.account_sid, row.day].append(row)
    return found


def _merged(rows: Iterable[Any]) -> dict[str, tuple[Change, Change]]:
    """(usage, cost) by category: from before the first correction to after the last."""
    merged: dict[str, tuple[Change, Change]] = {}
    for row in rows:
        usage, cost = merged.get(row.category) or (
            Change(row.old_usage, None),
            Change(row.old_cost, None),
        )
        merged[row.category] = (Change(usage.old, row.new_usage), Change(cost.old, row.new_cost))
    return merged


def _categories(merged: Mapping[str, tuple[Change, Change]]) -> tuple[RevisedCategory, ...]:
    return tuple(
        RevisedCategory(name, category(name).label, None if name in IN_MONEY else usage)
        for name, (usage, _) in sorted(merged.items())
        if name != TOTAL
    )


# Months


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """Months that were held against Twilio's own; the two foot."""

    equal: int
    different: int
    checked_at: datetime | None  # the last of them


@dataclass(frozen=True, slots=True)
class Difference:
    category: str
    label: str
    figure: str  # count, usage, cost
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True, slots=True)
class DifferentMonth:
    account_sid: str
    account: str
    customer: str  # who has the account now
    month: date
    checked_at: datetime
    currency: str
    total: Change | None  # from ours to Twilio's; None for those who may not see cost
    differences: tuple[Difference, ...]


def month_counts(scope: EveryTenant) -> MonthCounts:
    with reading(scope) as session:
        row = session.execute(
            select(func.count(), func.count(case((_differs(), 1))), func.max(_CHECKED)).select_from(
                Reconciliation
            )
        ).one()
    return MonthCounts(row[0] - row[1], row[1], row[2])


def different_months(
    scope: EveryTenant, *, with_cost: bool, limit: int = 30
) -> tuple[DifferentMonth, ...]:
    """Months in which our days do not add up to Twilio's month, the newest first."""
    with reading(scope) as session:
        rows = session.execute(
            select(  # type: ignore[call-overload]  # its types stop at four columns
                *(Reconciliation.account_sid, Reconciliation.month, Reconciliation.checked_at),
                *(Reconciliation.ours, Reconciliation.theirs, Reconciliation.differences),
            )
            .where(_differs())
            .order_by(col(Reconciliation.month).desc(), col(Reconciliation.account_sid))
            .limit(limit)
        ).all()
        currency = _currency(session)
    names = account_names(scope, (row[0] for row in rows))
    return tuple(
        DifferentMonth(
            sid,
            names.get(sid, (sid, ""))[0],
            names.get(sid, (sid, ""))[1],
            month,
            checked_at,
            currency,
            Change(ours, theirs) if with_cost else None,
            tuple(_differences(listed, with_cost=with_cost)),
        )
        for sid, month, checked_at, ours, theirs, listed in rows
    )


_CHECKED = col(Reconciliation.checked_at)


def _differs() -> ColumnElement[bool]:
    return cast(col(Reconciliation.differences), String) != "[]"


def _differences(listed: Iterable[Mapping[str, str]], *, with_cost: bool) -> Iterable[Difference]:
    for one in listed:
        name, figure = one["category"], one["figure"]
        in_money = figure == "cost" or (figure == "usage" and name in IN_MONEY)
        if with_cost or not in_money:
            ours, theirs = Decimal(one["ours"]), Decimal(one["theirs"])
            yield Difference(name, category(name).label, figure, ours, theirs)


def _customers(session: ScopedSession, ids: Iterable[int]) -> dict[int, str]:
    rows = session.execute(
        select(col(Customer.id), col(Customer.name)).where(col(Customer.id).in_(set(ids)))
    )
    return {id: name for id, name in rows if id is not None}


def _currency(session: ScopedSession) -> str:
    """In which Twilio charges the ISV: one for all."""
    found = session.execute(select(col(UsageRecord.cost_currency)).limit(1)).first()
    return found[0] if found else "USD"
