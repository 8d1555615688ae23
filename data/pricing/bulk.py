"""Many bills of one plan at once: columns of usage become columns of lines, cent for cent as
`Plan.rate` makes them.

A million rows of 250 units at 0.012 are one array of 250 and one of 300 cents.  columns.py has the
exact arithmetic, paths.py a path for each strategy; one without a path is rated by the engine
itself, row by row.  These, rows.py, band_paths.py and burning.py are the only modules of the price
engine that need numpy, so that importing data.pricing does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError, InvalidTerms
from data.money import ZERO, plain
from data.periods import BillingPeriod
from data.pricing.columns import (
    FITS,
    Column,
    Ints,
    Mask,
    added,
    column,
    decimals,
    holding,
    largest,
    narrowed,
    objects,
    taken,
    times,
    zeros,
)
from data.pricing.credit_lots import CreditLots
from data.pricing.paths import PATHS, CreditColumns, Piece, Rows, UsageColumns
from data.pricing.plan import Plan
from data.pricing.strategy import Basis, Limits, Line, LineKind, Strategy, Terms

__all__ = [
    "Column",
    "CreditColumns",
    "LineColumns",
    "RatedRows",
    "UsageColumns",
    "column",
    "rate_rows",
]

CHUNK = 65_536  # rows rated together: memory does not grow with their number
_LARGEST = 10**28  # beyond it a figure or a term is the engine's: products keep to its 60 digits
_FINEST = 18  # decimals, likewise


@dataclass(frozen=True, slots=True)
class LineColumns:
    """The lines of one label: arrays of equal length, one element a line.

    Amounts are in whole smallest units of the currency (cents); quantities are units of the meter,
    or None where `Line.quantity` is None.
    """

    kind: LineKind
    label: str
    meter: str | None
    rows: NDArray[np.int64]  # positions of the bills in what was given, ascending
    quantities: Column | None
    amounts: Ints


@dataclass(frozen=True, slots=True)
class RatedRows:
    """Bills from `first` on; the lines of each stand in the order of `lines`."""

    first: int
    lines: tuple[LineColumns, ...]
    totals: Ints  # smallest units of the currency, shape (bills,)


def rate_rows(
    plan: Plan,
    usage: Mapping[str, UsageColumns],
    period: BillingPeriod,
    *,
    credits: CreditColumns | None = None,
    chunk: int = CHUNK,
) -> Iterator[RatedRows]:
    """Rate every bill: `usage` holds, for each meter, a figure a bill, of a period or a part of it.

    The lines of a whole period do not depend on which one it is, so bills of several months may
    stand side by side.  InvalidTerms for lots without `credits` (of which only the lines that ask
    for money come, and units not covered), InputError for columns that do not fit together.
    """
    length = _checked(plan, usage, credits)
    basis = Basis(plan.currency, period, plan.prorate == "days")
    for first in range(0, length, chunk):
        size = min(chunk, length - first)
        part = {
            meter: UsageColumns(
                _cut(one.quantity, first, size),
                _cut(one.cost, first, size) if one.cost else None,
                one.before,
            )
            for meter, one in usage.items()
        }
        given = credits and _credits(credits, first, size)
        yield _rated(plan, Rows(part, size, basis, given), first)


def _checked(plan: Plan, usage: Mapping[str, UsageColumns], credits: CreditColumns | None) -> int:
    """How many rows there are."""
    for price in plan.prices:
        if isinstance(price, CreditLots) and credits is None:
            raise InvalidTerms(f"{price.kind}: lots are a ledger and can't be rated row by row")
    given = [one for each in usage.values() for one in (each.quantity, each.cost) if one]
    if any(one.values.dtype not in (np.int64, np.object_) or one.scale < 0 for one in given):
        raise InputError("figures must be int64 or Python's integers, at a scale of 0 or more")
    lengths = {len(one.values) for one in given}
    if len(lengths) != 1:
        raise InputError("the columns must have the same number of rows")
    return lengths.pop()


def _credits(given: CreditColumns, first: int, size: int) -> CreditColumns:
    """Those of some bills."""
    units = {meter: _cut(one, first, size) for meter, one in given.shortfall.items()}
    return CreditColumns(given.packs, units)


def _cut(given: Column, first: int, size: int) -> Column:
    """Some of the figures; whole ones at scale 0, where more products fit."""
    values, unit = narrowed(given.values[first : first + size]), 10**given.scale
    if unit < FITS and not (values % unit).any():
        return Column(values // unit)
    return Column(values, given.scale)


class _Bills:
    """The lines of some rows as they are added, with their running sums."""

    def __init__(self, plan: Plan, rows: Rows, first: int) -> None:
        self.first, self.size = first, rows.size
        self.rate = Fraction(plan.tax.rate) if plan.tax else Fraction(0)
        self.lines: list[LineColumns] = []
        self.sums = self.tax = zeros(rows.size)

    def add(self, pieces: Iterable[Piece]) -> Ints:
        """Append the lines; returns what they add to each row."""
        more = zeros(self.size)
        for piece in pieces:
            chosen = np.flatnonzero(piece.where)
            if not len(chosen):
                continue
            amounts, counted = narrowed(taken(piece.amounts, chosen)), piece.quantities
            rows = (chosen + self.first).astype(np.int64, copy=False)
            quantities = counted[chosen] if counted else None
            named = (piece.kind, piece.label, piece.meter)
            self.lines.append(LineColumns(*named, rows, quantities, amounts))
            more = added(more, chosen, amounts)
            if self.rate:
                self.tax = added(self.tax, chosen, times(amounts, self.rate))
        self.sums = added(self.sums, slice(None), more)
        return more


def _rated(plan: Plan, rows: Rows, first: int) -> RatedRows:
    bills = _Bills(plan, rows, first)
    if plan.monthly_fee:
        fee = rows.share(plan.monthly_fee)
        bills.add([Piece(LineKind.FEE, "Monthly fee", None, rows.all, fee)])
    for price in plan.prices:
        path = PATHS.get(type(price))
        if path is None or _is_beyond_proof(price, rows):
            bills.add(_by_the_engine(price, rows))
            continue
        amounts = bills.add(path(price, rows))
        bills.add(_limits(price, amounts, rows, price.meters_priced[0]))
    bills.add(_limits(plan, bills.sums, rows, None))
    if plan.tax:
        label, due = f"{plan.tax.name} {plain(plan.tax.rate * 100)} %", bills.tax
        bills.add([Piece(LineKind.TAX, label, None, due != 0, due)])
    return RatedRows(first, tuple(bills.lines), bills.sums)


def _limits(terms: Limits, amount: Ints, rows: Rows, meter: str | None) -> Iterator[Piece]:
    """Discount, then maximum, then minimum; lines only where they change something."""
    if terms.discount:
        off = -times(amount, Fraction(terms.discount))
        label = f"{plain(terms.discount * 100)} % off"
        yield Piece(LineKind.DISCOUNT, label, meter, off != 0, off)
        amount = added(amount, slice(None), off)
    if terms.maximum is not None:
        most = rows.money(terms.maximum)
        over = np.minimum(most - holding(amount, most), 0)
        yield Piece(LineKind.CAP, "Above the maximum", meter, over != 0, over)
        amount = amount + over
    if terms.minimum:
        least = rows.share(terms.minimum)
        under = np.maximum(least - holding(amount, least), 0)
        yield Piece(LineKind.MINIMUM, "Up to the agreed minimum", meter, under != 0, under)


def _is_beyond_proof(price: Strategy, rows: Rows) -> bool:
    """Whether only the engine knows how it rounds such figures or terms."""
    if isinstance(price, CreditLots):
        return False
    given = [rows.usage[meter] for meter in price.meters_priced if meter in rows.usage]
    figures = [one for each in given for one in (each.quantity, each.cost) if one]
    days = [day for each in given for day in each.before.days]
    return (
        any((each.quantity.values < 0).any() for each in given)
        or any(day.quantity < 0 for day in days)
        or any(_is_extreme(one) for day in days for one in (day.quantity, day.cost))
        or any(largest(one.values) >= _LARGEST or one.scale > _FINEST for one in figures)
        or any(_is_extreme(one) for one in _numbers(price))
    )


def _is_extreme(number: Decimal) -> bool:
    return abs(number) >= _LARGEST or decimals(number) > _FINEST


def _numbers(terms: Terms) -> Iterator[Decimal]:
    """Every number that was agreed."""
    for value in vars(terms).values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Terms):
                yield from _numbers(one)
            elif isinstance(one, Decimal):
                yield one


def _by_the_engine(price: Strategy, rows: Rows) -> Iterator[Piece]:
    """Row by row, for what has no path; lines of one place and label go together."""
    found: dict[tuple[int, LineKind, str, str | None, bool], dict[int, Line]] = {}
    for row in range(rows.size):
        for place, line in enumerate(rows.lines(price, row)):
            key = (place, line.kind, line.label, line.meter, line.quantity is not None)
            found.setdefault(key, {})[row] = line
    for key in sorted(found, key=lambda one: one[0]):
        (_, kind, label, meter, counted), lines = key, found[key]
        where: Mask = np.zeros(rows.size, dtype=np.bool_)
        where[list(lines)] = True
        amounts, quantities = objects([0] * rows.size), [ZERO] * rows.size
        for row, line in lines.items():
            amounts[row], quantities[row] = rows.smallest_units(line), line.quantity or ZERO
        yield Piece(kind, label, meter, where, amounts, column(quantities) if counted else None)
