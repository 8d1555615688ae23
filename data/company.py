"""A whole company at a glance: every subscription and account of a customer, side by side.

What accounts spend is theirs only where prices leave no doubt: where each account's usage, priced
alone, adds up to the bill.  An allowance, steps or a fee are shared, and no account's own: there
the bill is divided by usage, and says so.  Nothing is ever summed over currencies.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from data.billed import Billed, billed_usage
from data.freshness import Freshness, freshness
from data.meters import TOTAL, meters_of
from data.money import digits, split, total
from data.overview import Overview
from data.periods import DAY, BillingPeriod, previous_period
from data.pricing import LineKind, Plan, UsageByMeter
from data.scope import Scope
from data.statement import Statement
from data.store import AccountView, SubscriptionView
from data.usage import Measured, measured
from data.usage_rows import DayTotals, account_usage

OWN = (LineKind.USAGE, LineKind.DISCOUNT, LineKind.TAX)  # what may be an account's own


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in the running period; quantities are of its subscription's lead meter."""

    sid: str
    name: str
    status: str
    quantity: Decimal
    settled: Decimal  # up to settled_through, and the same days of the period before
    settled_before: Decimal | None  # None: there was no such period
    amount: Decimal | None  # of the lines so far; None: no amounts are shown
    share: Decimal | None  # of the subscription's lines, 0–1
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """`own_spend`: the accounts' amounts are their own, not a share by usage."""

    key: str
    plan: str | None
    connected: bool
    period: BillingPeriod
    meter: str
    label: str
    unit: str
    statement: Statement | None
    overview: Overview
    accounts: tuple[AccountLine, ...]  # most used first
    own_spend: bool


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """`expected` is the sum of means: means add up, ends of ranges do not."""

    currency: str
    so_far: Decimal
    expected: Decimal | None  # None: one of the subscriptions has no forecast
    subscriptions: int


def subscription_line(
    scope: Scope,
    view: SubscriptionView,
    shown: Overview,
    *,
    today: date,
    now: datetime,
    settling_days: int,
) -> SubscriptionLine:
    """The accounts of one subscription in the period that `shown` is of."""
    period, before = shown.period, previous_period(shown.period, view.anchor_day)
    billed = billed_usage(scope, view.key, period)
    meter = billed.meters[shown.lead]
    rows = _rows(scope, view, billed, before.start, period.end)
    lead = {sid: measured(found, {shown.lead: meter}) for sid, found in rows.items()}
    used = {
        sid: one.usage(shown.lead, period.start, period.end).quantity for sid, one in lead.items()
    }
    bill, through = shown.statement, min(today, period.last_day)
    alone = {sid: _alone(billed, period, rows[sid], through) for sid in rows} if bill else {}
    own = bill is not None and _adds_up(list(alone.values()), bill)
    due = lines_total(bill) if bill else None
    amounts = _divided(bill, alone if own else used) if bill else {}
    settled = min(shown.freshness.settled_through, period.last_day)
    lines = [
        _account_line(
            one,
            used[one.sid],
            lead[one.sid],
            shown.lead,
            (period, before, settled),
            amounts.get(one.sid),
            due,
            freshness([one], today=today, now=now, settling_days=settling_days),
        )
        for one in view.accounts
    ]
    return SubscriptionLine(
        view.key,
        shown.plan,
        shown.connected,
        period,
        shown.lead,
        meter.label or shown.lead,
        meter.unit,
        bill,
        shown,
        tuple(sorted(lines, key=lambda one: (-one.quantity, one.name))),
        own,
    )


def lines_total(bill: Statement) -> Decimal:
    """What the accounts' amounts sum to: before adjustments and money credits."""
    return total(line.amount for part in bill.parts for line in part.lines)


def totals(lines: Sequence[SubscriptionLine]) -> tuple[CurrencyTotal, ...]:
    """One for each currency of a bill."""
    by_currency: dict[str, list[SubscriptionLine]] = defaultdict(list)
    for one in lines:
        if one.statement:
            by_currency[one.statement.currency].append(one)
    found = []
    for currency, own in sorted(by_currency.items()):
        means = [one.overview.outlook.mean_amount if one.overview.outlook else None for one in own]
        known = [mean for mean in means if mean is not None]
        expected = total(known) if len(known) == len(own) else None
        so_far = total(one.statement.total for one in own if one.statement)
        found.append(CurrencyTotal(currency, so_far, expected, len(own)))
    return tuple(found)


def _rows(
    scope: Scope, view: SubscriptionView, billed: Billed, start: date, end: date
) -> dict[str, list[DayTotals]]:
    """By account, in one question; an account without usage has no rows."""
    priced = [meters_of(one.plan) for one in billed.stretches]
    meters = [meter for found in (billed.meters, *priced) for meter in found.values()]
    names = {TOTAL, *(id for meter in meters for id in meter.categories)}
    rows: dict[str, list[DayTotals]] = {one.sid: [] for one in view.accounts}
    for row in account_usage(scope, view.accounts, start, end, sorted(names)):
        figures = DayTotals(row.day, row.category, row.count, row.usage, row.cost)
        rows[row.account_sid].append(figures)
    return rows


def _alone(
    billed: Billed, period: BillingPeriod, rows: Sequence[DayTotals], through: date
) -> Decimal:
    """What the period would cost if no other account used anything."""
    priced: dict[str, Measured] = {}

    def used(plan: Plan, part: BillingPeriod) -> UsageByMeter:
        own = priced.setdefault(plan.id, measured(rows, meters_of(plan)))
        return own.usages(plan.meters_priced, part.start, min(part.end, through + DAY))

    return billed.rate(period, used, through + DAY).total


def _adds_up(alone: Sequence[Decimal], bill: Statement) -> bool:
    """Prices by the unit or by cost alone, and no more beside the bill than rounding makes of it:
    half a smallest unit a line, each account's and the bill's."""
    if len(alone) == 1:
        return True
    lines = [line for part in bill.parts for line in part.lines]
    most = Decimal(1).scaleb(-digits(bill.currency)) * len(lines) * (len(alone) + 1) / 2
    by_use = all(line.kind in OWN for line in lines)
    return by_use and abs(total(alone) - lines_total(bill)) <= most


def _divided(bill: Statement, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    parts = split(lines_total(bill), list(weights.values()), bill.currency)
    return dict(zip(weights, parts, strict=True))


def _account_line(
    one: AccountView,
    quantity: Decimal,
    lead: Measured,
    meter: str,
    spans: tuple[BillingPeriod, BillingPeriod, date],
    amount: Decimal | None,
    due: Decimal | None,
    fresh: Freshness,
) -> AccountLine:
    period, before, settled = spans
    elapsed = period.days_elapsed(settled)
    then = min(before.start + DAY * elapsed, before.end)
    known = elapsed and one.starts_on <= before.start and period.start == period.full_start
    return AccountLine(
        one.sid,
        one.application or one.name,
        one.status,
        quantity,
        lead.usage(meter, period.start, settled + DAY).quantity,
        lead.usage(meter, before.start, then).quantity if known else None,
        amount,
        amount / due if amount is not None and due else None,
        fresh,
    )
