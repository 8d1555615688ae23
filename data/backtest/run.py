"""The back-test's run: what is not checked yet is projected and kept, customer by customer.

Rows are stored with the calibration that stood before the run, so that what it is judged by came
after it; then the calibration is taken anew from the uncalibrated transforms of the last year.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlmodel import col, delete, func, select

from data.agreements import plan_stretches
from data.backtest.cases import CUT_OFFS, Series, overage_limit, past_projections
from data.billed import plan_on
from data.closing import read_from, settled_through
from data.credit_ledger import lock_subscription
from data.errors import AppError
from data.holidays import holidays_between
from data.meters import shown_meters
from data.models import Customer, ForecastCalibration, PastProjection, Subscription
from data.money import total
from data.periods import DAY, BillingPeriod, period_of, periods_between, previous_period
from data.projection import HISTORY_DAYS
from data.projection.calibration import Calibration, recalibrated
from data.scope import EveryTenant, Scope, reading, writing
from data.store import SubscriptionView, subscription
from data.track_record import calibrations
from data.usage import lead_meter, measured
from data.usage_rows import day_totals

LOOKS_BACK = timedelta(days=HISTORY_DAYS)  # usage read before the first period checked
RECENT = timedelta(days=371)  # of twelve months: what calibration and the page go by


@dataclass(frozen=True, slots=True)
class BackTest:
    """What a run has done."""

    customers: int  # with new cases
    periods: int
    cases: int
    failed: tuple[str, ...]  # a line for each subscription that could not be checked


@dataclass(frozen=True, slots=True)
class _Due:
    """A subscription, and how far it has been checked."""

    scope: Scope
    slug: str
    key: str
    starts_on: date
    anchor_day: int
    checked_until: date | None

    def by(self, day: date) -> bool:
        """Whether a whole period may have ended on the day before `day`."""
        first = period_of(self.checked_until or self.starts_on, self.anchor_day)
        return first.end <= day


@dataclass(frozen=True, slots=True)
class Terms:
    """How projections are made beside their history."""

    read_as: Mapping[str, Calibration]
    calendar: str  # whose holidays are quiet days


def back_test(
    scope: EveryTenant,
    *,
    today: date,
    now: datetime,
    settling_days: int,
    calendar: str = "",
    customer: str | None = None,
    again: bool = False,
) -> BackTest:
    """Check every whole settled period that is not checked yet, oldest first.

    `calendar` is whose holidays are quiet days; `customer` a slug; `again` checks all of them
    anew, without calibration, for after a change of the method.  What goes wrong with one
    subscription is told in `failed` and stops no other.
    """
    read_as: Mapping[str, Calibration] = {} if again else calibrations(scope)
    customers, periods, cases, failed = set(), 0, 0, []
    for due in list(_subscriptions(scope, customer, again=again)):
        if not due.by(today - settling_days * DAY):
            continue
        try:
            view = subscription(due.scope, due.key)
            settled = settled_through(view, settling_days=settling_days, today=today, now=now)
            checked = _check(due, view, settled, Terms(read_as, calendar), again=again)
        except AppError as error:
            failed.append(f"{due.slug} ({due.key}): {error}")
            continue
        if checked:
            customers.add(due.slug)
            periods += len({row.period_start for row in checked})
            cases += len(checked)
    if cases or again or any(one.computed_on != today for one in read_as.values()):
        _recalibrate(scope, today)
    return BackTest(len(customers), periods, cases, tuple(failed))


def _subscriptions(scope: EveryTenant, customer: str | None, *, again: bool) -> Iterator[_Due]:
    checked: Any = (
        select(
            PastProjection.customer_id,
            PastProjection.subscription,
            func.max(PastProjection.period_end).label("until"),
        )
        .group_by(col(PastProjection.customer_id), col(PastProjection.subscription))
        .subquery()
    )
    same = (checked.c.customer_id == Subscription.customer_id) & (
        checked.c.subscription == Subscription.key
    )
    question: Any = (
        select(  # type: ignore[call-overload]  # its types stop at four columns
            *(Subscription.customer_id, Customer.slug, Subscription.key),
            *(Subscription.starts_on, Subscription.anchor_day, checked.c.until),
        )
        .join(Customer, col(Customer.id) == Subscription.customer_id)
        .join(checked, same, isouter=True)
        .where(*([] if customer is None else [Customer.slug == customer]))
        .order_by(col(Customer.slug), col(Subscription.key))
    )
    with reading(scope) as session:
        rows = session.execute(question).all()
    for owner, slug, key, starts_on, anchor_day, until in rows:
        yield _Due(
            Scope(owner, scope.url), slug, key, starts_on, anchor_day, None if again else until
        )


def _check(
    due: _Due, view: SubscriptionView, settled: date, terms: Terms, *, again: bool
) -> list[PastProjection]:
    """The subscription's new cases, stored all together."""
    since = max(view.starts_on, read_from(due.scope, view))
    whole = list(_whole_periods(since, settled + DAY, view))
    periods = [one for one in whole if due.checked_until is None or one.start >= due.checked_until]
    if not periods and not again:
        return []
    rows = list(_projected(due, view, since, whole, periods, terms)) if periods else []
    _store(due, rows, again=again)
    return rows


def _whole_periods(since: date, until: date, view: SubscriptionView) -> Iterator[BillingPeriod]:
    last = min(until, view.ends_on or until)
    for one in periods_between(since, last, view.anchor_day):
        if (one.start, one.end) == (one.full_start, one.full_end):
            yield one


def _projected(
    due: _Due,
    view: SubscriptionView,
    since: date,
    whole: Sequence[BillingPeriod],
    periods: Sequence[BillingPeriod],
    terms: Terms,
) -> Iterator[PastProjection]:
    """The cases of `periods`, each by the meter that led it; `whole` are all that are known."""
    first, end = max(since, periods[0].start - LOOKS_BACK), periods[-1].end
    usage = day_totals(due.scope, view.accounts, first, end)
    agreed = plan_stretches(due.scope, due.key)
    quiet = holidays_between(terms.calendar, first, end)
    known = [one for one in whole if one.start >= first]
    for plan, chosen in groupby(periods, lambda one: plan_on(agreed, one, one.last_day)):
        units = measured(usage, shown_meters(plan)).quantity
        led: dict[str, Series] = {}
        for period in chosen:
            meter = lead_meter(plan, _used_before(units, period))
            if meter not in led:
                days = units.get(meter, {})
                led[meter] = Series.of(due.scope.customer_id, due.key, meter, first, days, known)
            series = led[meter]
            before = series.totals.get(previous_period(period, due.anchor_day).start)
            limit = overage_limit(agreed, period, meter, before)
            yield from past_projections(series, period, limit, terms.read_as, holidays=quiet)


def _used_before(
    units: Mapping[str, Mapping[date, Decimal]], period: BillingPeriod
) -> dict[str, Decimal]:
    """What a customer used up to the first cut-off: later days would tell what is to be told."""
    until = period.start + CUT_OFFS[0] * DAY
    return {
        meter: total(quantity for day, quantity in days.items() if day < until)
        for meter, days in units.items()
    }


def _store(due: _Due, rows: Sequence[PastProjection], *, again: bool) -> None:
    """Under the subscription's lock: of two runs at once, the later one's rows stay."""
    owner = due.scope.customer_id
    starts = {row.period_start for row in rows}
    with writing(due.scope) as session:
        lock_subscription(session, due.scope, due.key)
        old = delete(PastProjection).where(
            col(PastProjection.customer_id) == owner,
            col(PastProjection.subscription) == due.key,
            *([] if again else [col(PastProjection.period_start).in_(starts)]),
        )
        session.execute(old)
        session.add_all(rows)


def _recalibrate(scope: EveryTenant, today: date) -> None:
    """By the rule of data/projection/calibration.py, from all customers' cases of twelve months."""
    transforms: dict[str, array[float]] = {}
    recent: Any = select(PastProjection.usage_class, PastProjection.transform).where(
        col(PastProjection.period_end) > today - RECENT,
        col(PastProjection.cold_start).is_(False),
        PastProjection.usage_class != "idle",
    )
    with reading(scope) as session:
        for kind, transform in session.execute(recent).yield_per(10_000):
            transforms.setdefault(kind, array("d")).append(transform)
    with writing(scope) as session:
        session.execute(delete(ForecastCalibration))
        for kind, values in transforms.items():
            found = recalibrated(values)
            session.add(
                ForecastCalibration(
                    usage_class=kind,
                    low=found.low,
                    middle=found.middle,
                    high=found.high,
                    cases=found.cases,
                    computed_on=today,
                )
            )
