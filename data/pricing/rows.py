"""Rows that are rated together: the usage of every meter as columns, on one basis.

Days that every row has had stand once, before the figures of each: 12 known days and 200 courses of
the rest are one usage and 200 figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from data.money import ONE, digits, exact
from data.pricing.columns import (
    Column,
    Ints,
    Mask,
    added,
    column,
    decimals,
    holding,
    narrowed,
    objects,
    rescaled,
    times,
    whole,
    zeros,
)
from data.pricing.strategy import (
    NO_USAGE,
    Basis,
    DayUsage,
    Line,
    LineKind,
    Margin,
    Strategy,
    Usage,
)


@dataclass(frozen=True, slots=True)
class UsageColumns:
    """A meter's usage, one figure a bill: billed units, and what Twilio charged for them.

    `before` are days that come before it, the same ones in every bill.
    """

    quantity: Column
    cost: Column | None = None
    before: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class CreditColumns:
    """What a bill of credits asks for: packs bought, the same in every bill, and the units by
    meter that no lot covers, one figure a bill (burning.py)."""

    packs: tuple[Line, ...]
    shortfall: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of the rows in `where`: quantities and amounts of all rows, or one amount for all."""

    kind: LineKind
    label: str
    meter: str | None
    where: Mask
    amounts: Ints | int = 0
    quantities: Column | None = None


class Rows:
    """Some of the rows, with the usage of every meter, on the basis of a period or a part of it."""

    def __init__(
        self,
        usage: Mapping[str, UsageColumns],
        size: int,
        basis: Basis,
        credits: CreditColumns | None = None,
    ) -> None:
        self.usage, self.size, self.basis, self.credits = usage, size, basis, credits
        self.digits = digits(basis.currency)
        self.all: Mask = np.ones(size, dtype=np.bool_)

    def before(self, meter: str) -> Usage:
        return self.usage[meter].before if meter in self.usage else NO_USAGE

    def rest(self, meter: str) -> tuple[Column, Column]:
        """Billed units and cost of the rows' own figures, without the days before."""
        none = Column(zeros(self.size))
        found = self.usage.get(meter) or UsageColumns(none)
        return found.quantity, found.cost or none

    def quantity(self, meter: str, *terms: Decimal) -> Column:
        """Billed units, at a scale at which the terms are whole numbers too."""
        return self._all(self.rest(meter)[0], self.before(meter).quantity, *terms)

    def cost(self, meter: str) -> Column:
        return self._all(self.rest(meter)[1], self.before(meter).cost)

    def _all(self, rest: Column, before: Decimal, *terms: Decimal) -> Column:
        found = rescaled(rest, max(map(decimals, (before, *terms))))
        values = found.values
        if before:
            values = added(values, slice(None), narrowed(objects([whole(before, found.scale)])))
        return Column(holding(values, *(whole(one, found.scale) for one in terms)), found.scale)

    def used(self, meter: str) -> Mask:
        """Whether anything was used or charged on any day."""
        quantity, cost = self.rest(meter)
        before = any(day.quantity or day.cost for day in self.before(meter).days)
        return np.asarray((quantity.values != 0) | (cost.values != 0) | before, dtype=np.bool_)

    def money(self, amount: Decimal) -> int:
        """Rounded to smallest units."""
        return int(self.priced(column([ONE]), amount)[0])

    def share(self, amount: Decimal) -> int:
        """The period's share of what a full one costs, rounded to smallest units."""
        with exact():
            return whole(self.basis.money(amount), self.digits)

    def allowance(self, quantity: Decimal, meter: str) -> Decimal:
        with exact():
            return self.basis.allowance(quantity, meter)

    def priced(self, given: Column, factor: Decimal | Fraction) -> Ints:
        """The figures × the factor, rounded to smallest units."""
        return times(given.values, Fraction(factor) * Fraction(10) ** (self.digits - given.scale))

    def lines(self, price: Strategy, row: int) -> list[Line]:
        """The engine's own lines of one row."""
        day = self.basis.period.start
        usage = {}
        for meter in price.meters_priced:
            quantity, cost = (one.figure(row) for one in self.rest(meter))
            usage[meter] = self.before(meter).plus([DayUsage(day, quantity, cost)])
        with exact():
            return price.bill(usage, self.basis)

    def smallest_units(self, line: Line) -> int:
        return whole(line.amount, self.digits)


def factor(margin: Margin) -> Fraction:
    """What a cost is multiplied by."""
    if margin.gross_margin is not None:
        return 1 / (1 - Fraction(margin.gross_margin))
    return 1 + Fraction(margin.markup or 0)
