"""Usage as the pages and the price engine need it: by meter and day, or by category under a meter.

Break-downs foot: the meters' cost plus Other's is Twilio's own total of the day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data.agreements import plan_stretches
from data.errors import NotFound
from data.meters import (
    CATALOGUE,
    OTHER,
    TOTAL,
    ancestors,
    category,
    children,
    meter_of,
    roots,
    shown_meters,
)
from data.money import ZERO
from data.periods import BillingPeriod, days_between
from data.pricing import ALL_USAGE, DayUsage, Meter, Plan, Usage
from data.scope import Scope
from data.store import subscription
from data.usage_rows import DayTotals, day_totals

ByDay = dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows of usage, measured by meter.  Days without a row count as zero."""

    quantity: Mapping[str, ByDay]  # billed units
    events: Mapping[str, ByDay]
    cost: Mapping[str, ByDay]  # by meter, by Other and in all; for the engine and staff only

    def usage(self, meter: str, start: date, end: date) -> Usage:
        """The meter's days in `[start, end)` that have anything on them."""
        quantity, cost = self.quantity.get(meter, {}), self.cost.get(meter, {})
        days = sorted(day for day in quantity.keys() | cost.keys() if start <= day < end)
        return Usage(tuple(DayUsage(d, quantity.get(d, ZERO), cost.get(d, ZERO)) for d in days))

    def usages(self, meters: Iterable[str], start: date, end: date) -> dict[str, Usage]:
        return {meter: self.usage(meter, start, end) for meter in meters}


def measured(rows: Iterable[DayTotals], meters: Mapping[str, Meter]) -> Measured:
    """Sum the rows by meter; what no meter names becomes Other, by cost only."""
    by_day: dict[date, list[DayTotals]] = defaultdict(list)
    for row in rows:
        by_day[row.day].append(row)
    quantity: dict[str, ByDay] = defaultdict(lambda: defaultdict(Decimal))
    events: dict[str, ByDay] = defaultdict(lambda: defaultdict(Decimal))
    cost: dict[str, ByDay] = defaultdict(lambda: defaultdict(Decimal))
    for day, found in by_day.items():
        owner = dict(meter_of((row.category for row in found), meters))
        for row in found:
            meter = owner.get(row.category)
            if meter is None:
                continue
            billed = row.usage if meters[meter].quantity == "usage" else row.count
            quantity[meter][day] += billed
            events[meter][day] += row.count
            cost[meter][day] += row.cost
        total = total_cost(found)
        cost[ALL_USAGE][day] = total
        cost[OTHER][day] = total - sum((cost[meter][day] for meter in set(owner.values())), ZERO)
    return Measured(quantity, events, cost)


def total_cost(rows: Sequence[DayTotals]) -> Decimal:
    """Twilio's own total of a day; without one, the sum of categories that none other contains."""
    for row in rows:
        if row.category == TOTAL:
            return row.cost
    top = roots(row.category for row in rows)
    return sum((row.cost for row in rows if row.category in top), ZERO)


@dataclass(frozen=True, slots=True)
class CategorySeries:
    """One of Twilio's categories over a period, a value per day."""

    category: str
    label: str
    unit: str
    days: tuple[date, ...]
    quantities: tuple[Decimal, ...]
    events: tuple[Decimal, ...]
    quantity: Decimal


def breakdown(
    scope: Scope, key: str, period: BillingPeriod, *, meter: str, account: str | None = None
) -> tuple[CategorySeries, ...]:
    """The categories right under a meter, largest first; they may overlap, so they need not add up.

    `account` is a SID of the subscription; another's is NotFound like one that does not exist.
    """
    accounts = subscription(scope, key).accounts
    asked = [one for one in accounts if account in (None, one.sid)]
    if account is not None and not asked:
        raise NotFound("There is no such account.")
    stretches = plan_stretches(scope, key)
    shown = shown_meters(stretches[-1].plan if stretches else None)
    if meter not in shown:
        raise NotFound("There is no such meter.")
    chosen = shown[meter]
    below = {child for id in chosen.categories for child in children(id)}
    rows = day_totals(scope, asked, period.start, period.end)
    present = {row.category for row in rows}
    names = finest_needed(chosen, below, present)
    found = [_category_series(name, rows, chosen, period) for name in names]
    return tuple(sorted(found, key=lambda one: (-one.quantity, one.category)))


def finest_needed(meter: Meter, below: set[str], present: set[str]) -> set[str]:
    """The children of a meter that came, or its own categories where none did."""
    names = set()
    for id in meter.categories:
        parts = {child for child in below & present if id in ancestors(child)}
        names |= parts or ({id} & present)
    return names


def _category_series(
    name: str, rows: Sequence[DayTotals], meter: Meter, period: BillingPeriod
) -> CategorySeries:
    own = {row.day: row for row in rows if row.category == name}
    days = tuple(days_between(period.start, period.end))
    quantities = tuple(
        (own[day].usage if meter.quantity == "usage" else own[day].count) if day in own else ZERO
        for day in days
    )
    return CategorySeries(
        name,
        category(name).label,
        meter.unit,
        days,
        quantities,
        tuple(own[day].count if day in own else ZERO for day in days),
        sum(quantities, ZERO),
    )


EVENTS = {"sms": "messages", "voice": "calls", "trunking": "calls", "recordings": "recordings"}


def events_unit(name: str, meter: Meter) -> str:
    """What `count` counts: messages behind segments, calls behind minutes."""
    return EVENTS.get(name, meter.unit)


def lead_meter(plan: Plan | None, quantities: Mapping[str, Decimal]) -> str:
    """The meter a page leads with: the plan's own, else the one most used."""
    for name in plan.meters_priced if plan else ():
        if name != ALL_USAGE:
            return name
    return max(CATALOGUE, key=lambda name: (quantities.get(name, ZERO), name == "sms"))
