"""Columns of whole numbers: exact arithmetic for many figures at once.

250.5 units at scale 1 are 2505, and 2505 × 0.012 USD is 2505 × 12 / 100 cents = 300.6, so 301, half
away from zero.  Arrays are int64 where the largest value proves that a result fits, of Python's
integers otherwise: nothing is ever approximated, and nothing overflows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.money import plain

Ints = NDArray[Any]  # int64 below 2**62, or Python's integers as objects
Mask = NDArray[np.bool_]

FITS = 2**62  # two such numbers still add up within int64


@dataclass(frozen=True, slots=True)
class Column:
    """Figures of one dimension, shape (rows,): each is `values / 10**scale`."""

    values: Ints
    scale: int = 0

    def __getitem__(self, rows: Any) -> "Column":
        return Column(self.values[rows], self.scale)

    def figure(self, row: int) -> Decimal:
        return Decimal(f"{self.values[row]}E-{self.scale}")


def column(figures: Iterable[Decimal]) -> Column:
    """Decimals as whole numbers at their finest scale: 1.5 and 20 are 15 and 200 at scale 1."""
    given = list(figures)
    scale = max((decimals(one) for one in given), default=0)
    return Column(narrowed(objects(whole(one, scale) for one in given)), scale)


def objects(numbers: Iterable[int]) -> Ints:
    return np.array(list(numbers), dtype=np.object_)


def zeros(size: int) -> Ints:
    return np.zeros(size, dtype=np.int64)


def decimals(term: Decimal) -> int:
    """Digits after the point that say something."""
    return len(plain(term).partition(".")[2])


def whole(term: Decimal, scale: int) -> int:
    return int(Fraction(term) * 10**scale)


def largest(values: Ints | int) -> int:
    if isinstance(values, int):
        return abs(values)
    return max(int(values.max()), -int(values.min())) if values.size else 0


def narrowed(values: Ints) -> Ints:
    """As int64 if they fit, and as Python's integers if not."""
    fits = largest(values) < FITS
    return values.astype(np.int64 if fits else np.object_, copy=False)


def holding(values: Ints, *numbers: int) -> Ints:
    """The values, so that they may be compared and added with the numbers."""
    return values if max(map(abs, numbers), default=0) < FITS else values.astype(np.object_)


def product(values: Ints, factor: Ints | int) -> Ints:
    by = largest(factor)
    if by >= FITS or largest(values) * by >= FITS:
        values = values.astype(np.object_)
    return values * factor


def rescaled(given: Column, scale: int) -> Column:
    """The same figures at that scale, or at their own if it is finer."""
    if given.scale >= scale:
        return given
    return Column(product(given.values, 10 ** (scale - given.scale)), scale)


def quotient(over: Ints, under: Ints | int) -> Ints:
    """over / under in whole numbers, half away from zero; `under` is above 0."""
    if isinstance(under, int) and under == 1:
        return over
    over, under = comparable(over, under)
    size = (2 * np.abs(over) + under) // (2 * under)
    return np.where(over < 0, -size, size)


def comparable(over: Ints, under: Ints | int) -> tuple[Ints, Ints | int]:
    """Both so that twice their sum is exact."""
    if 2 * (largest(over) + largest(under)) < FITS:
        return over, under
    return over.astype(np.object_), under if isinstance(under, int) else under.astype(np.object_)


def times(values: Ints, factor: Fraction) -> Ints:
    """values × factor in whole numbers, half away from zero."""
    return narrowed(quotient(product(values, factor.numerator), factor.denominator))


def added(sums: Ints, where: Any, amounts: Ints) -> Ints:
    """The sums with the amounts added at their places."""
    total = sums.copy() if largest(sums) + largest(amounts) < FITS else sums.astype(np.object_)
    if total.dtype != amounts.dtype:
        total = total.astype(np.object_)
    total[where] += amounts
    return total


def taken(values: Ints | int, chosen: NDArray[np.intp]) -> Ints:
    """Those that are chosen; a single number is everybody's."""
    if isinstance(values, int):
        return narrowed(objects([values])).repeat(len(chosen))
    return values[chosen]
