"""What the customer's pages show of one billing period, as frozen values.

Everything here may be handed to a customer: no value has a field for cost or margin.  Amounts are
in the contract's currency, quantities in the meter's billed units, days are UTC.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from data.allowance import Allowance, allowance_of
from data.billed import Billed, billed_usage, part_on
from data.credits import HORIZON_DAYS, Credits, LotLeft, credit_balance
from data.freshness import Freshness, freshness
from data.holidays import holidays_between
from data.meters import OTHER
from data.money import ZERO, total
from data.outlook import (
    Advice,
    Ahead,
    DayRange,
    Outlook,
    Range,
    bundle_of,
    look_ahead,
    meters_ahead,
    outlook,
)
from data.periods import DAY, BillingPeriod, days_between, previous_period
from data.pricing import RatedPart
from data.projection import HISTORY_DAYS, WEEKDAY_DAYS
from data.projection.fan import Fan, fan
from data.projection.unusual import UnusualDay, unusual_days
from data.scope import Scope
from data.statement import Statement, statement
from data.store import SubscriptionView, customer, subscription
from data.track_record import TrackRecord, calibrations, track_record
from data.usage import CategorySeries, events_unit, lead_meter

MOST_PARTS = 5  # of a stack


@dataclass(frozen=True, slots=True)
class MeterSeries:
    """One meter, a value per day of the period up to the last day read; zeros are explicit."""

    meter: str
    label: str
    unit: str
    events_unit: str
    days: tuple[date, ...]
    quantities: tuple[Decimal, ...]  # billed units
    events: tuple[Decimal, ...]  # calls, messages …: not the same as billed units
    previous: tuple[Decimal, ...]  # the period before, by position: day 1 under day 1
    previous_events: tuple[Decimal, ...]
    quantity: Decimal
    previous_quantity: Decimal | None  # the whole period before; None: there was none
    unusual: tuple[UnusualDay, ...] = ()  # settled days outside what was to be expected

    @property
    def happens(self) -> bool:
        """Numbers are charged by the month; they do not happen on a day."""
        return self.meter != "numbers" and any(self.events)

    @property
    def as_events(self) -> CategorySeries:
        return CategorySeries(
            self.meter,
            self.label,
            self.events_unit,
            self.days,
            self.events,
            self.events,
            total(self.events),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """This period against the one before, both up to the same day (settled days only)."""

    through: date
    quantity: Decimal
    quantity_before: Decimal
    unit: str
    label: str  # of the meter compared
    amount: Decimal | None
    amount_before: Decimal | None


@dataclass(frozen=True, slots=True)
class Overview:
    customer: str
    plan: str | None  # None: a connected account, which the customer pays for itself
    connected: bool
    period: BillingPeriod
    freshness: Freshness
    series: tuple[MeterSeries, ...]  # largest first; Other is never priced by the unit
    statement: Statement | None
    allowance: Allowance | None = None
    credits: Credits | None = None
    edges: tuple[Decimal, ...] = ()  # quantities at which the price changes: the tier ladder
    comparison: Comparison | None = None
    outlook: Outlook | None = None
    fan: Fan | None = None  # of the meter a page leads with; None: nothing is to come
    record: TrackRecord | None = None  # of the projections of earlier periods
    lead: str = ""  # the meter a page leads with

    @property
    def events(self) -> tuple[CategorySeries, ...]:
        """What happened, by meter, most first: events may be stacked where billed units may not.

        More than can be told apart in a chart are the last one's, together.
        """
        found = sorted((one.as_events for one in self._happening), key=lambda one: -one.quantity)
        few, rest = found[: MOST_PARTS - 1], found[MOST_PARTS - 1 :]
        return (*few, _together(rest)) if len(rest) > 1 else tuple(found)

    @property
    def previous_events(self) -> tuple[Decimal, ...]:
        """All events of the period before, by position."""
        by_meter = (one.previous_events for one in self._happening)
        return tuple(total(day) for day in zip(*by_meter, strict=True))

    @property
    def _happening(self) -> tuple[MeterSeries, ...]:
        return tuple(one for one in self.series if one.happens)


def _together(rest: Sequence[CategorySeries]) -> CategorySeries:
    by_day = zip(*(one.quantities for one in rest), strict=True)
    quantities = tuple(total(day) for day in by_day)
    label = ", ".join(one.label for one in rest)
    return CategorySeries(
        OTHER, label, "events", rest[0].days, quantities, quantities, total(quantities)
    )


def overview(
    scope: Scope,
    key: str,
    period: BillingPeriod,
    *,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str = "",
) -> Overview:
    """Everything pages show of one subscription's period; `calendar` as in the setting HOLIDAYS."""
    view = subscription(scope, key)
    fresh = freshness(view.accounts, today=today, now=now, settling_days=settling_days)
    before = previous_period(period, view.anchor_day)
    behind = timedelta(days=WEEKDAY_DAYS)
    since = min(before.start, period.start - behind)
    glance = _looked_at(period, fresh)
    quiet = holidays_between(calendar, min(since, glance), period.end + DAY * HORIZON_DAYS)
    shown_through = min(period.last_day, today)
    billed = billed_usage(scope, key, period, since=since, glance=glance, on=shown_through)
    parts = billed.rated(period, shown_through).parts
    in_force = part_on(parts, shown_through)
    plan = in_force.plan if in_force else None
    series = _series(billed, period, before, shown_through, opened_on=view.starts_on)
    lead = lead_meter(plan, {one.meter: one.quantity for one in series})
    seen, first = fresh.settled_through, max(view.starts_on, period.start - behind)
    marks = (_unusual(billed, one, first, period, seen, quiet) for one in series)
    series = tuple(replace(one, unusual=days) for one, days in zip(series, marks, strict=True))
    ahead = _ahead(scope, billed, lead, period, view, seen, quiet)
    bill = statement(scope, key, period, today=today, billed=billed)
    ends = _outlook(billed, ahead, lead, view, bill, shown_through)
    return Overview(
        customer=customer(scope).name,
        plan=plan.name if plan else None,
        connected=any(account.kind == "connected" for account in view.accounts),
        period=period,
        freshness=fresh,
        series=series,
        statement=bill,
        allowance=_allowance(billed, parts, in_force, lead, seen),
        credits=credit_balance(
            billed, ahead, in_force, today=shown_through, anchor_day=view.anchor_day
        ),
        edges=_edges(in_force, lead),
        comparison=_comparison(scope, key, billed, period, before, lead, seen),
        outlook=ends,
        fan=fan(ahead.by_meter[lead]) if ends and lead in ahead.by_meter else None,
        record=track_record(scope, key),
        lead=lead,
    )


def _ahead(
    scope: Scope,
    billed: Billed,
    lead: str,
    period: BillingPeriod,
    view: SubscriptionView,
    seen: date,
    quiet: Collection[date],
) -> Ahead:
    return look_ahead(
        billed.shown,
        meters_ahead(billed, period, lead),
        period,
        opened_on=view.starts_on,
        settled_through=seen,
        holidays=quiet,
        calibrations=calibrations(scope),
    )


def _outlook(
    billed: Billed,
    ahead: Ahead,
    lead: str,
    view: SubscriptionView,
    bill: Statement | None,
    on: date,
) -> Outlook | None:
    """With what the statement adds to each amount; None before a first day is read and settled."""
    read = any(account.as_of for account in view.accounts)
    if not read or ahead.settled_through < view.starts_on:
        return None
    meter, due = billed.meters[lead], bill.due if bill and bill.closing else None
    label, anchor_day = meter.label or lead, view.anchor_day
    return outlook(*(billed, ahead, lead, label, meter.unit), due=due, anchor_day=anchor_day, on=on)


def _unusual(
    billed: Billed,
    one: MeterSeries,
    first: date,
    period: BillingPeriod,
    seen: date,
    quiet: Collection[date],
) -> tuple[UnusualDay, ...]:
    """The unusual ones of the period's settled days, judged by the days since `first`.

    `first` hangs on the period alone, so that a day's mark stays when the period is over.
    """
    last = min(seen, period.last_day)
    if not one.happens or first > last:
        return ()
    quantity = billed.shown.quantity.get(one.meter, {})
    history = [(day, quantity.get(day, ZERO)) for day in days_between(first, last + DAY)]
    return unusual_days(history, period.start, last, holidays=quiet)


def _looked_at(period: BillingPeriod, fresh: Freshness) -> date:
    """The first day of which the projection of a running period wants to know."""
    if fresh.settled_through >= period.last_day:
        return period.start
    return fresh.settled_through - timedelta(days=HISTORY_DAYS)


def _series(
    billed: Billed, period: BillingPeriod, before: BillingPeriod, through: date, *, opened_on: date
) -> tuple[MeterSeries, ...]:
    found = []
    days = tuple(days_between(period.start, through + DAY))
    earlier = tuple(days_between(before.start, before.end))
    for name, meter in billed.meters.items():
        quantity = billed.shown.quantity.get(name, {})
        events = billed.shown.events.get(name, {})
        past = tuple(quantity.get(day, ZERO) for day in earlier)
        values = tuple(quantity.get(day, ZERO) for day in days)
        if not any(values) and not any(past):
            continue
        found.append(
            MeterSeries(
                name,
                meter.label or name,
                meter.unit,
                events_unit(name, meter),
                days,
                values,
                tuple(events.get(day, ZERO) for day in days),
                past,
                tuple(events.get(day, ZERO) for day in earlier),
                total(values),
                total(past) if opened_on < before.end else None,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.quantity, one.meter)))


def _allowance(
    billed: Billed, parts: Sequence[RatedPart], in_force: RatedPart | None, lead: str, seen: date
) -> Allowance | None:
    bundle = bundle_of(in_force.plan, lead) if in_force else None
    if in_force is None or bundle is None:
        return None
    return allowance_of(billed, parts, in_force, bundle, seen)


def _edges(in_force: RatedPart | None, lead: str) -> tuple[Decimal, ...]:
    price = in_force.plan.price_of(lead) if in_force else None
    return price.edges(in_force.basis) if in_force and price else ()


def _comparison(
    scope: Scope,
    key: str,
    billed: Billed,
    period: BillingPeriod,
    before: BillingPeriod,
    lead: str,
    seen: date,
) -> Comparison | None:
    """Both periods up to the same day, settled days only; None where there is nothing before."""
    view = subscription(scope, key)
    through = min(seen, period.last_day)
    elapsed = period.days_elapsed(through)
    if not elapsed or view.starts_on > before.start or period.start != period.full_start:
        return None
    then = min(before.start + DAY * elapsed, before.end) - DAY
    earlier = billed_usage(scope, key, before)
    meter = billed.meters[lead]
    amount = amount_before = None
    if billed.stretches:
        amount = _amount(billed, period, through)
        amount_before = _amount(earlier, before, then)
    return Comparison(
        through,
        billed.shown.usage(lead, period.start, through + DAY).quantity,
        billed.shown.usage(lead, before.start, then + DAY).quantity,
        meter.unit,
        meter.label or lead,
        amount,
        amount_before,
    )


def _amount(billed: Billed, period: BillingPeriod, through: date) -> Decimal:
    return billed.rated(period, through).total


__all__ = [
    "Advice",
    "Allowance",
    "Comparison",
    "Credits",
    "DayRange",
    "Freshness",
    "LotLeft",
    "MeterSeries",
    "Outlook",
    "Overview",
    "Range",
    "freshness",
    "overview",
]
