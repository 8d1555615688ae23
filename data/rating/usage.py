"""Usage as people hand it in: rows of a UTC day, by meter or by Twilio's category.

Rows of one day add up.  Without a `totalprice` row, all usage of a day costs what the categories
that no other contains cost together, and what the day's meters do.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator

from data.errors import InputError
from data.grants import Entry
from data.meters import CATALOGUE, TOTAL, meters_of
from data.money import ZERO, currency_code, decimal_from, exact
from data.periods import BillingPeriod
from data.pricing import ALL_USAGE, DayUsage, Meter, Plan, Usage
from data.rating.problems import Problem, refused
from data.usage import measured
from data.usage_rows import DayTotals

YEARS = range(2000, 2200)  # other years are slips of the pen


def _day(value: Any) -> date:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{value!r} must look like 2026-03-31") from None
    if day.year not in YEARS:
        raise ValueError(f"{value!r} lies outside the years {YEARS[0]}–{YEARS[-1]}")
    return day


def _figure(value: Any) -> Any:
    if value is None:
        return None
    try:
        return decimal_from(value, "figure")
    except InputError as error:
        raise ValueError(str(error).removeprefix("figure: ")) from None


def _not_negative(value: Decimal | None) -> Decimal | None:
    if value is not None and value < 0:
        raise ValueError(f"{value:f} is negative, and a quantity can't be")
    return value


def _currency(value: str) -> str:
    try:
        return currency_code(value)
    except InputError as error:
        raise ValueError(str(error)) from None


CaseDay = Annotated[date, BeforeValidator(_day)]
Figure = Annotated[Decimal | None, BeforeValidator(_figure)]
Quantity = Annotated[Figure, AfterValidator(_not_negative)]
Currency = Annotated[str, AfterValidator(_currency)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Category = Annotated[Name, StringConstraints(to_lower=True)]  # Twilio mixes cases


class UsageRow(Entry):
    """A day of a meter or a category; `quantity` and `usage` are one, `cost` may be negative."""

    day: CaseDay
    meter: Name | None = None
    category: Category | None = None
    quantity: Quantity = None
    usage: Quantity = None
    count: Quantity = None
    cost: Figure = None
    currency: Currency | None = None  # of the cost

    @model_validator(mode="after")
    def _says_what_once(self) -> Self:
        if (self.meter is None) == (self.category is None):
            raise ValueError("give either meter or category")
        if self.quantity is not None and self.usage is not None:
            raise ValueError("quantity and usage are the same figure: give one of them")
        return self

    @property
    def units(self) -> Decimal | None:
        return self.usage if self.quantity is None else self.quantity

    def billed(self, meter: Meter | None) -> Decimal:
        """The meter's units: an explicit quantity, or the one of Twilio's figures that it bills."""
        counted = meter is not None and meter.quantity == "count" and self.quantity is None
        return (self.count if counted else self.units) or ZERO


@dataclass(frozen=True, slots=True)
class Located:
    """A row and where it stands: `usage.3`, `usage.csv, line 5`."""

    where: str
    row: UsageRow


@dataclass(frozen=True, slots=True)
class UsageRows:
    rows: tuple[UsageRow, ...] = ()

    @property
    def days(self) -> list[date]:
        return sorted({row.day for row in self.rows})

    def usage_of(self, plan: Plan, period: BillingPeriod) -> dict[str, Usage]:
        """By the meters that the plan prices: one entry a day, so that its cost is spread evenly
        over its units."""
        meters = meters_of(plan)
        rows = [row for row in self.rows if row.day in period]
        with exact():
            found = measured(_by_category(rows), meters)
            return {
                name: _merged(
                    (
                        *found.usage(name, period.start, period.end).days,
                        *_of_meter(name, rows, meters),
                    )
                )
                for name in plan.meters_priced
            }


def _by_category(rows: Iterable[UsageRow]) -> list[DayTotals]:
    sums: dict[tuple[date, str], tuple[Decimal, Decimal, Decimal]] = {}
    for row in rows:
        if row.category is not None:
            count, usage, cost = sums.get((row.day, row.category), (ZERO, ZERO, ZERO))
            units = ZERO if row.category == TOTAL else row.units or ZERO
            events = row.quantity if row.count is None else row.count
            sums[row.day, row.category] = (
                count + (events or ZERO),
                usage + units,
                cost + (row.cost or ZERO),
            )
    return [DayTotals(*key, *figures) for key, figures in sums.items()]


def _of_meter(
    name: str, rows: Iterable[UsageRow], meters: Mapping[str, Meter]
) -> Iterator[DayUsage]:
    for row in rows:
        if row.meter is not None and name in (row.meter, ALL_USAGE):
            meter = meters.get(row.meter) or CATALOGUE.get(row.meter)
            yield DayUsage(row.day, row.billed(meter), row.cost or ZERO)


def _merged(days: Iterable[DayUsage]) -> Usage:
    sums: dict[date, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for day in days:
        quantity, cost = sums[day.day]
        sums[day.day] = (quantity + day.quantity, cost + day.cost)
    return Usage(tuple(DayUsage(day, *sums[day]) for day in sorted(sums)))


def checked_rows(
    located: Sequence[Located], plans: Sequence[Plan], cost_currency: str | None
) -> UsageRows:
    """The rows, once their meters are known and their costs are in one currency."""
    known = {**CATALOGUE, **{name: one for plan in plans for name, one in plan.meters.items()}}
    problems = [
        Problem(
            field_of(at.where, "meter"),
            f"{at.row.meter!r} is unknown; known are {', '.join(known)}",
        )
        for at in located
        if at.row.meter is not None and at.row.meter not in known
    ]
    problems += _currency_problems(located, plans, cost_currency)
    if problems:
        raise refused(problems)
    return UsageRows(tuple(at.row for at in located))


def _joint(where: str) -> str:
    """`usage.3.day`; `usage.csv, line 5: day`"""
    return ": " if " " in where else "."


def field_of(where: str, field: str) -> str:
    return f"{where}{_joint(where)}{field}" if field else where


def _currency_problems(
    located: Sequence[Located], plans: Sequence[Plan], cost_currency: str | None
) -> Iterator[Problem]:
    agreed, first = cost_currency, "cost_currency"
    for at in located:
        given = at.row.currency
        if given is None:
            continue
        if agreed is None:
            agreed, first = given, field_of(at.where, "currency")
        if given != agreed:
            message = f"is {given}, and costs are in {agreed} ({first}); they are never added"
            yield Problem(field_of(at.where, "currency"), message)
    for plan in plans:
        if agreed not in (None, plan.currency) and plan.cost_based:
            kinds = ", ".join(sorted({price.kind for price in plan.prices if price.cost_based}))
            yield Problem(
                first,
                f"costs are in {agreed}, and the price {kinds} of plan {plan.id} is in "
                f"{plan.currency}: a price on cost needs both in one currency",
            )
