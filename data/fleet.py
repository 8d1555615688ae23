"""What needs attention among all customers: the staff's list, ranked and cut in SQL.

Each reason weighs more than all below it together, so that the sum of a row's reasons is its
urgency: whoever has the graver reason comes first, among equals whoever has the next one too, then
the likelier overage, then the name.  Reasons are worked out after a sync (data/health.py), but for
two: whether figures are stale and whether a request is open is judged when the list is read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import IntFlag
from typing import Any, Literal

from sqlalchemy import ColumnElement, Float
from sqlmodel import and_, case, cast, col, func, or_, select

from data.freshness import STALE_AFTER
from data.models import ChangeRequest, Customer, CustomerHealth, Subscription
from data.money import ZERO
from data.scope import EveryTenant, reading

SOON_DAYS, LOW_DAYS = 7, 30  # credits, or a bundle without a price beyond it, end within these

Sort = Literal["urgency", "overage", "end", "read", "name"]
MarginSort = Literal["margin", "cost", "earned", "name"]


class Reason(IntFlag):
    """Why somebody should look, the most urgent last: its value is its weight."""

    RECONCILIATION = 1  # a month of the last three differs from Twilio's own
    ERRORS = 2  # ten in seven days, and twice as many as in the seven before
    UNUSUAL = 4  # a day out of the usual among the last seven settled ones
    LOW_CREDITS = 8  # credits may end within 30 days
    REQUEST = 16  # the customer waits for an answer
    OVERAGE = 32  # it is likelier than not that the allowance is passed, at a price
    RUNS_OUT = 64  # credits, or an allowance without a price beyond it, may end within a week
    STALE = 128  # nothing was read for over a day, or the last reading failed


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One subscription of one customer.  No field says what Twilio charges."""

    customer_id: int
    slug: str
    name: str
    subscription: str
    reasons: Reason
    plan: str | None  # None: the customer pays Twilio itself
    period_start: date | None
    period_end: date | None  # exclusive
    synced_at: datetime | None  # the oldest reading of an account that is still read
    resting: bool  # closed, or consent withdrawn: nothing new is expected
    failing: bool
    currency: str | None
    amount: Decimal | None  # so far
    expected_low: Decimal | None
    expected_high: Decimal | None
    overage: Decimal | None  # expected
    chance: int  # of passing the allowance, percent
    ends: str  # what ends between the two days: credits, allowance; "": nothing in sight
    ends_early: date | None
    ends_late: date | None
    credits_left: Decimal | None
    unusual_on: date | None
    unusual_meter: str
    errors: int  # of seven days
    errors_before: int  # of the seven before
    differs_in: date | None  # first day of the month
    problem: str | None  # why it could not be worked out anew
    computed_at: datetime
    requests: int  # open ones


@dataclass(frozen=True, slots=True)
class MarginRow:
    """What a subscription brings and costs in its period: for Permission.VIEW_COST alone."""

    customer_id: int
    slug: str
    name: str
    subscription: str
    plan: str | None
    period_start: date | None
    period_end: date | None  # exclusive
    currency: str
    earned: Decimal  # before tax and money credits
    cost: Decimal
    cost_currency: str

    @property
    def gross_margin(self) -> Decimal | None:
        """Share of the price; None in two currencies, or without a price."""
        comparable = self.earned and self.currency == self.cost_currency
        return (self.earned - self.cost) / self.earned if comparable else None


@dataclass(frozen=True, slots=True)
class MarginTotal:
    """Sums of one currency; never added to another's."""

    currency: str
    cost_currency: str
    customers: int
    earned: Decimal
    cost: Decimal

    @property
    def gross_margin(self) -> Decimal | None:
        comparable = self.earned and self.currency == self.cost_currency
        return (self.earned - self.cost) / self.earned if comparable else None


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """How many rows there are, how many of them for each reason, and how old the oldest is."""

    all: int
    needy: int  # with any reason
    by_reason: Mapping[Reason, int]
    plans: tuple[str, ...]
    computed_at: datetime | None  # the oldest; None: nothing was worked out yet


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; None leaves it out."""

    reason: Reason | None = None
    plan: str | None = None
    needy: bool = False  # only rows with any reason


def fleet(
    scope: EveryTenant,
    *,
    now: datetime,
    wanted: Wanted = Wanted(),
    sort: Sort = "urgency",
    limit: int | None = None,
    offset: int = 0,
) -> tuple[FleetRow, ...]:
    """A page of the rows that match, in order; all of them without a limit."""
    score = _score(now)
    question = _rows(score).where(*_matching(wanted, score)).order_by(*_order(sort, score))
    with reading(scope) as session:
        return _fleet_rows(session.execute(question.limit(limit).offset(offset)))


def health_of(
    scope: EveryTenant, customer_ids: Collection[int], *, now: datetime
) -> dict[int, tuple[FleetRow, ...]]:
    """The rows of these customers, by customer; who has none is left out."""
    score, found = _score(now), dict[int, tuple[FleetRow, ...]]()
    with reading(scope) as session:
        rows = _fleet_rows(
            session.execute(
                _rows(score)
                .where(col(CustomerHealth.customer_id).in_(customer_ids))
                .order_by(col(CustomerHealth.subscription))
            )
        )
    for row in rows:
        found[row.customer_id] = (*found.get(row.customer_id, ()), row)
    return found


def fleet_counts(scope: EveryTenant, *, now: datetime, plan: str | None = None) -> FleetCounts:
    """Over all rows, or those of one plan."""
    score = _score(now)
    by_reason = [func.count(case((_has(score, reason), 1))) for reason in Reason]
    question: Any = _joined(
        select(
            func.count(),
            func.count(case((score > 0, 1))),
            func.min(CustomerHealth.computed_at),
            *by_reason,
        )
    ).where(*_matching(Wanted(plan=plan), score))
    plans: Any = _joined(select(col(CustomerHealth.plan)).distinct())
    with reading(scope) as session:
        every, needy, oldest, *counted = session.execute(question).one()
        names = sorted(name for (name,) in session.execute(plans) if name)
    return FleetCounts(every, needy, dict(zip(Reason, counted, strict=True)), tuple(names), oldest)


def matching(scope: EveryTenant, *, now: datetime, wanted: Wanted) -> int:
    """How many rows match."""
    score = _score(now)
    question: Any = _joined(select(func.count())).where(*_matching(wanted, score))
    with reading(scope) as session:
        return int(session.execute(question).scalar_one())


def margins(
    scope: EveryTenant,
    *,
    sort: MarginSort = "margin",
    plan: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[MarginRow, ...]:
    """What each subscription brings and costs, by default the thinnest margin first.

    Only for who may see cost.  Rows in two currencies have no margin and come last.
    """
    health = CustomerHealth
    columns = (
        *(health.customer_id, Customer.slug, Customer.name, health.subscription, health.plan),
        *(health.period_start, health.period_end, health.currency, health.earned),
        *(health.cost, health.cost_currency),
    )
    question: Any = _joined(select(*columns))  # type: ignore[call-overload]  # as above
    question = question.where(*_with_cost(plan)).order_by(*_margin_order(sort))
    with reading(scope) as session:
        rows = session.execute(question.limit(limit).offset(offset)).all()
    return tuple(MarginRow(*row) for row in rows)


def margin_totals(scope: EveryTenant, *, plan: str | None = None) -> tuple[MarginTotal, ...]:
    """A sum for each pair of currencies, the largest number of customers first.

    Only for who may see cost.
    """
    pair = (col(CustomerHealth.currency), col(CustomerHealth.cost_currency))
    question: Any = _joined(
        select(  # type: ignore[call-overload]  # as above
            *pair, func.count(), func.sum(CustomerHealth.earned), func.sum(CustomerHealth.cost)
        )
    )
    question = question.where(*_with_cost(plan)).group_by(*pair).order_by(func.count().desc())
    with reading(scope) as session:
        rows = session.execute(question).all()
    return tuple(
        MarginTotal(own, other, number, earned or ZERO, cost or ZERO)
        for own, other, number, earned, cost in rows
    )


# SQL


def _requests() -> Any:
    """Open requests of each subscription."""
    return (
        select(
            col(ChangeRequest.customer_id).label("customer"),
            col(ChangeRequest.subscription).label("key"),
            func.count().label("number"),
        )
        .where(ChangeRequest.status == "open")
        .group_by(col(ChangeRequest.customer_id), col(ChangeRequest.subscription))
        .subquery("asked")
    )


_ASKED = _requests()
_COLUMNS = tuple(
    name
    for name in FleetRow.__dataclass_fields__
    if name not in ("slug", "name", "reasons", "requests")
)


def _joined(question: Any) -> Any:
    """With the customer's name and open requests; what was let go since is left out."""
    health, asked = CustomerHealth, _ASKED.c
    held = (col(Subscription.customer_id) == health.customer_id) & (
        col(Subscription.key) == health.subscription
    )
    waits = (asked.customer == health.customer_id) & (asked.key == health.subscription)
    return (
        question.select_from(health)
        .join(Customer, col(Customer.id) == health.customer_id)
        .join(Subscription, held)
        .join(_ASKED, waits, isouter=True)
    )


def _rows(score: ColumnElement[int]) -> Any:
    columns = (getattr(CustomerHealth, name).label(name) for name in _COLUMNS)
    names: tuple[Any, ...] = (col(Customer.slug).label("slug"), col(Customer.name).label("name"))
    asked = func.coalesce(_ASKED.c.number, 0).label("requests")
    return _joined(select(*columns, *names, asked, score.label("reasons")))  # type: ignore[call-overload]  # as above


def _fleet_rows(rows: Iterable[Any]) -> tuple[FleetRow, ...]:
    values = (dict(row._mapping) for row in rows)
    return tuple(FleetRow(**{**each, "reasons": Reason(each["reasons"])}) for each in values)


def _stale(now: datetime) -> ColumnElement[bool]:
    health = CustomerHealth
    old = or_(col(health.synced_at).is_(None), col(health.synced_at) < now - STALE_AFTER)
    return and_(col(health.resting).is_(False), or_(col(health.failing).is_(True), old))


def _score(now: datetime) -> ColumnElement[int]:
    stale = case((_stale(now), int(Reason.STALE)), else_=0)
    asks = case((_ASKED.c.number > 0, int(Reason.REQUEST)), else_=0)
    return col(CustomerHealth.reasons) + stale + asks


def _has(score: ColumnElement[int], reason: Reason) -> ColumnElement[bool]:
    return score.bitwise_and(int(reason)) > 0


def _matching(wanted: Wanted, score: ColumnElement[int]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.reason is not None:
        found.append(_has(score, wanted.reason))
    elif wanted.needy:
        found.append(score > 0)
    if wanted.plan is not None:
        found.append(col(CustomerHealth.plan) == wanted.plan)
    return found


def _order(sort: Sort, score: ColumnElement[int]) -> tuple[Any, ...]:
    health = CustomerHealth
    last = (col(Customer.name), col(health.customer_id), col(health.subscription))
    urgent = (score.desc(), col(health.chance).desc())
    first: Mapping[Sort, tuple[Any, ...]] = {
        "urgency": urgent,
        # Amounts of two currencies have no order: each stands together.
        "overage": (
            col(health.currency).asc().nulls_last(),
            col(health.overage).desc().nulls_last(),
        ),
        "end": (col(health.ends_early).asc().nulls_last(), *urgent),
        "read": (col(health.resting), col(health.synced_at).asc().nulls_first()),
        "name": (),
    }
    return (*first[sort], *last)


def _with_cost(plan: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        col(one).is_not(None) for one in (CustomerHealth.earned, CustomerHealth.cost)
    ]
    return found if plan is None else [*found, col(CustomerHealth.plan) == plan]


def _margin_order(sort: MarginSort) -> tuple[Any, ...]:
    health = CustomerHealth
    last = (col(Customer.name), col(health.customer_id), col(health.subscription))
    earned, cost = col(health.earned), col(health.cost)
    same = and_(col(health.currency) == col(health.cost_currency), earned != 0)
    by_currency = col(health.currency)
    ratio = case((same, cast(cost, Float) / cast(earned, Float)), else_=None)  # only to rank
    first: Mapping[MarginSort, tuple[Any, ...]] = {
        "margin": (ratio.desc().nulls_last(),),
        "cost": (by_currency, cost.desc()),
        "earned": (by_currency, earned.desc()),
        "name": (),
    }
    return (*first[sort], *last)
