"""Reconciliation: an account's days against what Twilio says of its months as a whole.

Of each month that is over and settled every category's daily figures are summed and held against
`Monthly.json`; a month that differs is read again, and what still differs is kept for staff.  The
chosen roots plus Other are `totalprice` by definition, so roots above it show a double count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import col, delete, func, select

from data.meters import CATALOGUE, TOTAL
from data.models import Reconciliation, UsageRecord
from data.money import ZERO
from data.periods import DAY, period_of, previous_period
from data.scope import EveryTenant, reading, writing
from data.twilio.intake import store_again
from data.twilio.planner import PAGE, Window
from data.twilio.reading import AccountRead, KnownAccount, Reading, Resource
from data.twilio.service_intake import move_cursor
from data.twilio.usage import read_window
from data.twilio.usage_records import FIGURES, monthly_usage

NAME = "usage_months"
ROOTS = frozenset(category for meter in CATALOGUE.values() for category in meter.categories)

Figures = tuple[Decimal, Decimal, Decimal]  # count, usage, cost
Totals = dict[tuple[date, str], Figures]  # by month and category


@dataclass(frozen=True, slots=True)
class Month:
    """One month's totals by category: ours beside Twilio's."""

    start: date
    ours: dict[str, Figures]
    theirs: dict[str, Figures]

    @property
    def last_day(self) -> date:
        return period_of(self.start).last_day

    @property
    def differences(self) -> list[dict[str, Any]]:
        nothing = (ZERO, ZERO, ZERO)
        return [
            {"category": category, "figure": name, "ours": str(own), "theirs": str(their)}
            for category in sorted(self.ours.keys() | self.theirs.keys())
            for name, own, their in zip(
                FIGURES,
                self.ours.get(category, nothing),
                self.theirs.get(category, nothing),
                strict=True,
            )
            if own != their
        ]

    @property
    def roots(self) -> Decimal:
        return sum((figures[2] for name, figures in self.ours.items() if name in ROOTS), ZERO)


def reconcile(run: Reading, account: KnownAccount) -> int:
    """Compare the account's settled months, read again those that differ; returns how many."""
    first, last = _span(run, account)
    if first > last:
        return 0
    months = _months(run, account, first, last)
    again = [one for one in months if one.differences]
    if again and account.status != "closed":  # Twilio may have deleted a closed account's usage
        for one in again:
            _read_again(run, account, one)
        months = _months(run, account, first, last)
    _keep(run, account, months, first, last)
    return len(again)


def _span(run: Reading, account: KnownAccount) -> tuple[date, date]:
    """From the first month that is here whole to the last that has settled; a page of them."""
    settled = run.today - timedelta(days=run.settling_days + 1)
    last = period_of(settled + DAY).start - DAY
    known = account.first_day or run.today
    first = period_of(known).start if known.day == 1 else period_of(known).end
    most = max(PAGE // max(account.habit.rows_per_day, 1), 1)
    start = period_of(last)
    for _ in range(most - 1):
        if start.start <= first:
            break
        start = previous_period(start)
    return max(first, start.start), last


def _months(run: Reading, account: KnownAccount, first: date, last: date) -> list[Month]:
    theirs: Totals = {
        (row.month, row.category): (row.count or ZERO, row.usage or ZERO, row.cost or ZERO)
        for row in monthly_usage(run.client(account), account.sid, first, last)
    }
    ours = month_totals(run.scope, account.sid, first, last)
    starts = sorted({month for month, _ in ours.keys() | theirs.keys()})
    return [Month(start, _of(ours, start), _of(theirs, start)) for start in starts]


def _of(totals: Totals, start: date) -> dict[str, Figures]:
    return {category: figures for (month, category), figures in totals.items() if month == start}


def month_totals(scope: EveryTenant, sid: str, first: date, last: date) -> Totals:
    """The account's stored days summed by calendar month and category, whoever owned it."""
    figures = (UsageRecord.count, UsageRecord.usage, UsageRecord.cost)
    found: Totals = {}
    with reading(scope) as session:
        for month in _calendar(first, last):
            rows: Iterable[Any] = session.execute(
                select(col(UsageRecord.category), *(func.sum(one) for one in figures))
                .where(
                    UsageRecord.account_sid == sid,
                    col(UsageRecord.day) >= month.first,
                    col(UsageRecord.day) <= month.last,
                )
                .group_by(col(UsageRecord.category))
            )
            for category, count, usage, cost in rows:
                found[month.first, category] = (count or ZERO, usage or ZERO, cost or ZERO)
    return found


def _calendar(first: date, last: date) -> Iterator[Window]:
    month = period_of(first)
    while month.start <= last:
        yield Window(month.start, month.last_day)
        month = period_of(month.end)


def _read_again(run: Reading, account: KnownAccount, month: Month) -> None:
    window = Window(month.start, month.last_day)
    found, _ = read_window(run.client(account), account.sid, window, account.habit)
    rows = tuple(found.rows.values())
    store_again(run.scope, AccountRead(account, (window,), rows, run.today), run.clock(), run.lease)


def _keep(
    run: Reading, account: KnownAccount, months: Iterable[Month], first: date, last: date
) -> None:
    nothing = (ZERO, ZERO, ZERO)
    with writing(run.scope) as session:
        if run.lease:
            run.lease.renew(session)
        session.execute(
            delete(Reconciliation).where(
                col(Reconciliation.account_sid) == account.sid, col(Reconciliation.month) >= first
            )
        )
        for one in months:
            session.add(
                Reconciliation(
                    account_sid=account.sid,
                    month=one.start,
                    checked_at=run.clock(),
                    ours=one.ours.get(TOTAL, nothing)[2],
                    theirs=one.theirs.get(TOTAL, nothing)[2],
                    roots=one.roots,
                    differences=one.differences,
                )
            )
        move_cursor(session, account.sid, NAME, first, last, run.clock())


def _applies(run: Reading, account: KnownAccount) -> bool:
    first, last = _span(run, account)
    return account.first_day is not None and account.status != "closed" and first <= last


MONTHS = Resource(NAME, reconcile, _applies)
