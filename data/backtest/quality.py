"""How good the past projections of all customers were, counted in SQL: values for the staff.

Errors are over the customer's usual period (the mean of its totals), so that a large customer
counts like a small one.  Cold starts and idle customers are counted apart: of the first little is
known, of the second nothing can be said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Float
from sqlmodel import and_, case, cast, col, func, select

from data.backtest.run import RECENT
from data.models import Customer, PastProjection
from data.projection.calibration import USAGE_CLASSES
from data.scope import EveryTenant, reading

LEAST_CASES = 30  # fewer say nothing about coverage
LEAST_CASES_OF_ONE = 12  # of one customer: two periods
GOOD_COVERAGE = (0.7, 0.9)  # of a range that is meant to hold four periods of five

COLD_START = "cold start"
APART = (COLD_START, "idle")  # not counted with all others


@dataclass(frozen=True, slots=True)
class Quality:
    """Sums over cases; their means are what is shown.  None: there was nothing to divide by."""

    cases: int = 0
    scaled: int = 0  # cases with an error: the customer has used something in some period
    errors: float = 0  # |p50 − actual| over the usual total
    run_rate_errors: float = 0
    below: int = 0  # ended below p10
    above: int = 0  # ended above p90
    chances: int = 0  # cases with a chance of overage
    sum_of_chances: float = 0
    went_over: int = 0  # of those with a chance
    squares: float = 0  # (chance − what happened)²

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def inside(self) -> int:
        return self.cases - self.below - self.above

    @property
    def coverage(self) -> float | None:
        """The share that ended between p10 and p90; four of five are meant to."""
        return self.inside / self.cases if self.cases else None

    @property
    def error(self) -> float | None:
        return self.errors / self.scaled if self.scaled else None

    @property
    def run_rate_error(self) -> float | None:
        """Of what dashboards do: the mean of the days so far for every day to come."""
        return self.run_rate_errors / self.scaled if self.scaled else None

    @property
    def skill(self) -> float | None:
        """The part of the run rate's error that the forecast takes away; 0: none, 1: all."""
        return 1 - self.errors / self.run_rate_errors if self.run_rate_errors else None

    @property
    def brier(self) -> float | None:
        """Mean squared error of the chance of overage (Brier 1950): 0 the best, .25 a coin's."""
        return self.squares / self.chances if self.chances else None

    @property
    def chance(self) -> float | None:
        """The mean chance of overage that was given."""
        return self.sum_of_chances / self.chances if self.chances else None

    @property
    def happened(self) -> float | None:
        """The share that did go over: equal to the chance where the forecast is reliable."""
        return self.went_over / self.chances if self.chances else None

    @property
    def drifts(self) -> bool:
        """Coverage has left 70–90 %, and not by the chance of a few cases."""
        return self.cases >= LEAST_CASES and not _good(self.inside / self.cases)


def _good(coverage: float) -> bool:
    return GOOD_COVERAGE[0] <= coverage <= GOOD_COVERAGE[1]


@dataclass(frozen=True, slots=True)
class Qualities:
    """By class, cut-off and tenth of the chance of overage (1: below 10 %; 0: without a chance).

    Classes: regular, intermittent, sparse; cold start and idle apart.
    """

    by_case: Mapping[tuple[str, int, int], Quality]
    newest: date | None  # the end of the last period checked

    def of(
        self, kind: str | None = None, cut_off: int | None = None, tenth: int | None = None
    ) -> Quality:
        """All classes together leave out what is counted apart."""
        chosen = (
            one
            for (group, days, part), one in self.by_case.items()
            if (group not in APART if kind is None else group == kind)
            and cut_off in (None, days)
            and tenth in (None, part)
        )
        return sum(chosen, Quality())

    @property
    def reliability(self) -> tuple[Quality, ...]:
        """Cases whose chance of overage lay close together, the smallest first."""
        tenths = (self.of(tenth=tenth) for tenth in range(1, 11))
        return tuple(one for one in tenths if one.chances)

    @property
    def classes(self) -> tuple[str, ...]:
        order = (*(kind for kind in USAGE_CLASSES if kind not in APART), *APART)
        present = {kind for kind, *_ in self.by_case}
        return tuple(kind for kind in order if kind in present)

    @property
    def cut_offs(self) -> tuple[int, ...]:
        return tuple(sorted({days for _, days, _ in self.by_case}))


def qualities(scope: EveryTenant, *, today: date) -> Qualities:
    """Of all customers' periods that ended in the last twelve months."""
    kind = case((col(PastProjection.cold_start), COLD_START), else_=PastProjection.usage_class)
    group: Any = (
        kind.label("kind"),
        col(PastProjection.cut_off).label("days"),
        _tenth().label("tenth"),
    )
    newest: Any = func.max(PastProjection.period_end)
    question: Any = (
        select(*group, newest, *_sums())  # type: ignore[call-overload]  # its types stop at four
        .where(_recent(today))
        .group_by("kind", "days", "tenth")  # by name: their bound values differ from place to place
    )
    with reading(scope) as session:
        rows = session.execute(question).all()
    return Qualities(
        {tuple(row[:3]): Quality(*row[4:]) for row in rows},
        max((row[3] for row in rows), default=None),
    )


def _tenth() -> ColumnElement[int]:
    chance = col(PastProjection.overage_chance)
    return case((chance.is_(None), 0), *((chance < n / 10, n) for n in range(1, 10)), else_=10)


def _recent(today: date) -> ColumnElement[bool]:
    return col(PastProjection.period_end) > today - RECENT


def _sums() -> tuple[Any, ...]:
    """What Quality is made of, in the order of its fields."""
    likely, rate, actual, usual = (
        cast(column, Float)
        for column in (
            *(PastProjection.p50, PastProjection.run_rate),
            *(PastProjection.actual, PastProjection.usual),
        )
    )
    scale = func.nullif(usual, 0.0)
    chance = col(PastProjection.overage_chance)
    over = case((col(PastProjection.actual) > col(PastProjection.overage_limit), 1), else_=0)
    miss = chance - over
    return (
        func.count(),
        func.count(scale),
        func.coalesce(func.sum(func.abs(likely - actual) / scale), 0.0),
        func.coalesce(func.sum(func.abs(rate - actual) / scale), 0.0),
        func.sum(case((_below(), 1), else_=0)),
        func.sum(case((_above(), 1), else_=0)),
        func.count(chance),
        func.coalesce(func.sum(chance), 0.0),
        func.sum(over),
        func.coalesce(func.sum(miss * miss), 0.0),
    )


def _below() -> ColumnElement[bool]:
    return col(PastProjection.actual) < col(PastProjection.p10)


def _above() -> ColumnElement[bool]:
    return col(PastProjection.actual) > col(PastProjection.p90)


def _usual_case() -> ColumnElement[bool]:
    return and_(col(PastProjection.cold_start).is_(False), PastProjection.usage_class != "idle")


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A customer whose periods ended outside their range too often, or too seldom."""

    customer_id: int
    slug: str
    name: str
    cases: int
    below: int
    above: int

    @property
    def inside(self) -> int:
        return self.cases - self.below - self.above

    @property
    def coverage(self) -> float:
        return self.inside / self.cases


def doubtful_customers(scope: EveryTenant, *, today: date, limit: int = 20) -> tuple[Doubtful, ...]:
    """Those with a coverage outside of 70–90 % in twelve cases or more, the lowest first."""
    below, above = (func.sum(case((one, 1), else_=0)) for one in (_below(), _above()))
    coverage = 1.0 - (below + above) * 1.0 / func.count()
    low, high = GOOD_COVERAGE
    question: Any = (
        select(  # type: ignore[call-overload]  # its types stop at four columns
            *(Customer.id, Customer.slug, Customer.name, func.count(), below, above)
        )
        .join(Customer, col(Customer.id) == PastProjection.customer_id)
        .where(_recent(today), _usual_case())
        .group_by(col(Customer.id), col(Customer.slug), col(Customer.name))
        .having(func.count() >= LEAST_CASES_OF_ONE, (coverage < low) | (coverage > high))
        .order_by(coverage, col(Customer.slug))
    )
    with reading(scope) as session:
        rows = session.execute(question.limit(limit)).all()
    return tuple(Doubtful(*row) for row in rows)
