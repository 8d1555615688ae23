"""What each day added to the lines of a bill, as differences of rounded cumulative totals.

The part of a period is rated again with its usage up to each day, so that the days of a line sum
to it whatever its price is: 3 days of 33 1/3 at 0.01 are 0.33 + 0.34 + 0.33 = 1.00.  Fees, limits
and taxes belong to no day: their `arithmetic` explains them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from data.money import ZERO, exact
from data.periods import DAY
from data.pricing.bill import RatedPart
from data.pricing.credit_lots import CreditLots
from data.pricing.strategy import Line, LineKind, Usage, UsageByMeter

_NOT_BY_DAY = frozenset(
    {
        LineKind.FEE,
        LineKind.DISCOUNT,
        LineKind.CAP,
        LineKind.MINIMUM,
        LineKind.TAX,
        LineKind.ADJUSTMENT,
        LineKind.MONEY_CREDIT,
    }
)


@dataclass(frozen=True, slots=True)
class DayShare:
    """What one day added to a line.  `cost` and `recognized` are for the ISV's eyes."""

    day: date
    quantity: Decimal = ZERO
    amount: Decimal = ZERO
    cost: Decimal | None = None
    recognized: Decimal | None = None


def days_of(part: RatedPart) -> Mapping[str, tuple[DayShare, ...]]:
    """By the key of each line that has days: its shares, in day order; they sum to the line."""
    found: dict[str, list[DayShare]] = {}
    wanted = {line.key: line for line in part.lines if line.kind not in _NOT_BY_DAY}
    before: dict[str, Line] = {}
    with exact():
        for day, lines in _states(part):
            now = {line.key: line for line in lines}
            for key in wanted:
                share = _share(day, before.get(key), now.get(key))
                if share:
                    found.setdefault(key, []).append(share)
            before = now
    return {key: tuple(shares) for key, shares in found.items()}


def _states(part: RatedPart) -> Iterator[tuple[date, tuple[Line, ...]]]:
    """The part's lines at its start and after each day on which they may change."""
    start, until = part.period.start, part.basis.until
    days = {one.day for usage in part.usage.values() for one in usage.days}
    for price in part.plan.prices:
        if isinstance(price, CreditLots):
            days |= {
                day for lot in price.lots(part.basis) for day in (lot.effective_on, lot.ends_on)
            }
    yield start, _rated(part, start)
    for day in sorted(day for day in days if start <= day < until):
        yield day, _rated(part, day + DAY)


def _rated(part: RatedPart, until: date) -> tuple[Line, ...]:
    return part.plan.rate(_before(part.usage, until), replace(part.basis, known_until=until))


def _before(usage: UsageByMeter, until: date) -> dict[str, Usage]:
    return {
        meter: Usage(tuple(day for day in one.days if day.day < until))
        for meter, one in usage.items()
    }


def _share(day: date, before: Line | None, now: Line | None) -> DayShare | None:
    def added(name: str) -> Decimal:
        old, new = getattr(before, name, None), getattr(now, name, None)
        return (new or ZERO) - (old or ZERO)

    line = now or before
    quantity, amount = added("quantity"), added("amount")
    cost = added("cost") if line and line.cost is not None else None
    value = added("recognized") if line and line.recognized is not None else None
    if not (quantity or amount or cost or value):
        return None
    return DayShare(day, quantity, amount, cost, value)
