"""The bills of a case: period after period, each beginning with what the one before has left.

Credits and money credits are chained.  A `start`, sign-up, `end` or `ends_on` inside a period
makes that period a part, prorated as its plan says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from data.errors import InputError
from data.money import total
from data.periods import period_of, periods_between
from data.pricing import (
    CreditLot,
    Line,
    LineKind,
    MoneyCredit,
    Opening,
    RatedPeriod,
    TimelineEntry,
    rate_period,
    stretches,
)
from data.pricing.bill import net, pay
from data.rating.usage import UsageRows


@dataclass(frozen=True, slots=True)
class Case:
    """Who was on which plan, what was used, and what was paid in advance."""

    timeline: tuple[TimelineEntry, ...]
    usage: UsageRows
    start: date
    end: date  # exclusive
    anchor_day: int = 1
    lots: tuple[CreditLot, ...] = ()
    money_credits: tuple[MoneyCredit, ...] = ()

    @property
    def currency(self) -> str:
        return self.timeline[0].plan.currency

    @property
    def left_out(self) -> list[date]:
        """Days with usage that no period of the case bills."""
        return [day for day in self.usage.days if not self.start <= day < self.end]


@dataclass(frozen=True, slots=True)
class Bill:
    """One period: its rated parts, what money credits paid, and the credits around it."""

    rated: RatedPeriod
    payments: tuple[Line, ...]
    opening: Opening | None

    @property
    def net(self) -> Decimal:
        return net(self.rated.lines)

    @property
    def tax(self) -> Decimal:
        return total(line.amount for line in self.rated.lines if line.kind is LineKind.TAX)

    @property
    def credited(self) -> Decimal:
        return total(line.amount for line in self.payments)

    @property
    def total(self) -> Decimal:
        """What is to be paid: the sum of all lines."""
        return total(line.amount for line in (*self.rated.lines, *self.payments))


@dataclass(frozen=True, slots=True)
class Bills:
    case: Case
    periods: tuple[Bill, ...]
    money_left: dict[str, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        return total(bill.total for bill in self.periods)


def bills(case: Case) -> Bills:
    """Price the days of the case, period by period."""
    agreed = stretches(case.timeline)
    opening: Opening | None = None
    left = {credit.key: credit.amount for credit in case.money_credits}
    found: list[Bill] = []
    for period in periods_between(case.start, case.end, case.anchor_day):
        rated = rate_period(agreed, period, case.usage.usage_of, lots=case.lots, opening=opening)
        paid = pay(rated.total, case.currency, case.money_credits, period.last_day, left)
        found.append(Bill(rated, paid.lines, opening))
        opening, left = rated.closing, dict(paid.left)
    return Bills(case, tuple(found), left)


def billed_days(
    days: Sequence[date],
    *,
    start: date | None = None,
    end: date | None = None,
    signed_up: date | None = None,
    ends_on: date | None = None,
    anchor_day: int = 1,
) -> tuple[date, date]:
    """`[first, last)`: by default from sign-up, or the first period with usage, to the last one."""
    known = [day for day in days if (not start or day >= start) and (not end or day < end)]
    if start is None and signed_up is None and not known:
        raise InputError("from: is needed, because the usage has no day to price")
    first = start or signed_up or period_of(known[0], anchor_day).start
    first = max(first, signed_up or first)
    last = end or period_of(max([first, *known[-1:]]), anchor_day).end
    last = min(last, ends_on or last)
    if last <= first:
        what = "to" if end else "ends_on"
        raise InputError(f"{what}: {last} must come after the first day billed, {first}")
    return first, last
