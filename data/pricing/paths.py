"""How each strategy prices many rows at once: the engine's lines, as arrays.

A path says with arrays what the strategy's `rate` says of one usage, on a whole period: 250 units
in bands of 100 and the rest are arrays of 100 and 150.  Where a quotient lies so close to half a
cent that the engine's 60 digits decide, the engine is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from data.money import ONE, digits, exact
from data.pricing.bands import AboveLast, Band, band_label
from data.pricing.columns import (
    Column,
    Ints,
    Mask,
    added,
    column,
    comparable,
    decimals,
    holding,
    product,
    quotient,
    rescaled,
    times,
    whole,
    zeros,
)
from data.pricing.fixed_margin import FixedMargin
from data.pricing.graduated import BandPrice, Graduated
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.package import Package
from data.pricing.per_unit import PerUnit
from data.pricing.strategy import (
    ALL_USAGE,
    Basis,
    DayUsage,
    Line,
    LineKind,
    Margin,
    MeterPrice,
    Strategy,
    Usage,
)
from data.pricing.tiers import Tiers
from data.pricing.tiers_with_overage import OverageTier, TiersWithOverage
from data.pricing.volume import Volume

NEAR = 10**55  # relative distance from a half below which a quotient is the engine's to round


@dataclass(frozen=True, slots=True)
class UsageColumns:
    """A meter's usage, one figure a bill: billed units, and what Twilio charged for them."""

    quantity: Column
    cost: Column | None = None


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
    """Some of the rows, with the usage of every meter, on the basis of a whole period."""

    def __init__(self, usage: Mapping[str, UsageColumns], size: int, basis: Basis) -> None:
        self.usage, self.size, self.basis = usage, size, basis
        self.digits = digits(basis.currency)
        self.all: Mask = np.ones(size, dtype=np.bool_)

    def quantity(self, meter: str, *terms: Decimal) -> Column:
        """Billed units, at a scale at which the terms are whole numbers too."""
        given = self.usage[meter].quantity if meter in self.usage else Column(zeros(self.size))
        found = rescaled(given, max(map(decimals, terms), default=0))
        return Column(
            holding(found.values, *(whole(one, found.scale) for one in terms)), found.scale
        )

    def cost(self, meter: str) -> Column:
        found = self.usage[meter].cost if meter in self.usage else None
        return found or Column(zeros(self.size))

    def money(self, amount: Decimal) -> int:
        """Rounded to smallest units."""
        return int(self.priced(column([ONE]), amount)[0])

    def priced(self, given: Column, factor: Decimal | Fraction) -> Ints:
        """The figures × the factor, rounded to smallest units."""
        return times(given.values, Fraction(factor) * Fraction(10) ** (self.digits - given.scale))

    def lines(self, price: Strategy, row: int) -> list[Line]:
        """The engine's own lines of one row."""
        day = self.basis.period.start
        usage = {}
        for meter in price.meters_priced:
            quantity, cost = self.quantity(meter).figure(row), self.cost(meter).figure(row)
            usage[meter] = Usage((DayUsage(day, quantity, cost),))
        with exact():
            return price.bill(usage, self.basis)

    def smallest_units(self, line: Line) -> int:
        return whole(line.amount, self.digits)


def _per_unit(price: PerUnit, rows: Rows) -> Iterator[Piece]:
    units = rows.quantity(price.meter)
    amounts = rows.priced(units, price.unit_amount)
    yield Piece(LineKind.USAGE, "Usage", price.meter, units.values != 0, amounts, units)


def _bundle(price: Tiers | TiersWithOverage, rows: Rows) -> Iterator[Piece]:
    tier, meter = price.tier, price.meter
    ones = Column(np.ones(rows.size, dtype=np.int64))
    yield Piece(LineKind.FEE, tier.name, meter, rows.all, rows.money(tier.fee), ones)
    units = rows.quantity(meter, tier.allowance)
    limit = whole(tier.allowance, units.scale)
    within = Column(np.minimum(units.values, limit), units.scale)
    yield Piece(LineKind.INCLUDED, "Within the allowance", meter, within.values != 0, 0, within)
    beyond = Column(units.values - within.values, units.scale)
    where = beyond.values > 0
    if isinstance(tier, OverageTier):
        amounts = rows.priced(beyond, tier.overage_amount)
        yield Piece(LineKind.OVERAGE, "Overage", meter, where, amounts, beyond)
    else:
        yield Piece(LineKind.UNPRICED, "Beyond the allowance", meter, where, 0, beyond)


def _package(price: Package, rows: Rows) -> Iterator[Piece]:
    meter, size = price.meter, price.package_size
    units = rows.quantity(meter, price.free_units, size)
    limit = whole(price.free_units, units.scale)
    free = Column(np.minimum(units.values, limit), units.scale)
    yield Piece(LineKind.INCLUDED, "Free units", meter, free.values != 0, 0, free)
    beyond = Column(units.values - free.values, units.scale)
    started = -(-beyond.values // whole(size, units.scale))
    amounts = rows.priced(Column(started), price.package_amount)
    label = f"Packages of {size:,f}"
    yield Piece(LineKind.USAGE, label, meter, beyond.values > 0, amounts, beyond)


def _fixed_margin(price: FixedMargin, rows: Rows) -> Iterator[Piece]:
    meters = price.meters_priced
    scale = max(rows.cost(meter).scale for meter in meters)
    cost, used = zeros(rows.size), ~rows.all
    for meter in meters:
        one = rescaled(rows.cost(meter), scale)
        used |= (rows.quantity(meter).values != 0) | (one.values != 0)
        cost = added(cost, slice(None), one.values)
    amounts = rows.priced(Column(cost, scale), _factor(price))
    if len(price.meters) == 1:
        units = rows.quantity(meters[0])
        label = f"Usage of {meters[0]}"
        yield Piece(LineKind.USAGE, label, meters[0], used, amounts, units)
    else:
        yield Piece(LineKind.USAGE, "Usage", ALL_USAGE, used, amounts)


def _factor(margin: Margin) -> Fraction:
    if margin.gross_margin is not None:
        return 1 / (1 - Fraction(margin.gross_margin))
    return 1 + Fraction(margin.markup or 0)


def _graduated_margin(price: GraduatedMargin, rows: Rows) -> Iterator[Piece]:
    units = _units(price, price.bands, rows)
    without = (units.values == 0) & (rows.cost(price.meter).values != 0)
    for position, part in _in_bands(price.bands, units, price.above_last):
        label = band_label(price.bands, position, price.above_last)
        if position == len(price.bands):
            yield _above(price, price.above_last, rows, units, part, label)
            continue
        where = part.values > 0
        if not position:  # a charge without units falls into the band reached: the first
            where |= without
        piece = Piece(LineKind.USAGE, label, price.meter, where, 0, part)
        yield _by_cost(price, rows, units, piece, _factor(price.bands[position]))


def _graduated(price: Graduated, rows: Rows) -> Iterator[Piece]:
    units = _units(price, price.bands, rows)
    for position, part in _in_bands(price.bands, units, price.above_last):
        label = band_label(price.bands, position, price.above_last)
        if position == len(price.bands):
            yield _above(price, price.above_last, rows, units, part, label)
            continue
        band, where = price.bands[position], part.values > 0
        if band.flat_fee:
            due = rows.all if price.flat_fee_when_unused and not position else where
            fee = rows.money(band.flat_fee)
            yield Piece(LineKind.FLAT, f"Flat fee: {label}", price.meter, due, fee)
        amounts = rows.priced(part, band.unit_amount)
        yield Piece(LineKind.USAGE, label, price.meter, where, amounts, part)


def _volume(price: Volume, rows: Rows) -> Iterator[Piece]:
    units = _units(price, price.bands, rows)
    parts = dict(_in_bands(price.bands, units, price.above_last))
    above = parts.get(len(price.bands))
    counted = units if above is None else Column(units.values - above.values, units.scale)
    used = units.values != 0
    flat: Ints = np.where(used, 0, rows.money(price.fixed_fee)) if price.fixed_fee else zeros(1)
    has_flat = ~used if price.fixed_fee else ~rows.all
    amounts, below = zeros(rows.size), ~used
    for number, band in enumerate(price.bands):
        reached = ~below
        if band.up_to is not None and number < len(price.bands) - 1:
            reached = reached & (units.values <= whole(band.up_to, units.scale))
        below = below | reached
        if band.flat_fee:
            flat, has_flat = np.where(reached, rows.money(band.flat_fee), flat), has_flat | reached
        amounts = np.where(reached, rows.priced(counted, band.unit_amount), amounts)
    yield Piece(LineKind.FLAT, "Flat fee", price.meter, has_flat, flat)
    yield Piece(LineKind.USAGE, "All units", price.meter, counted.values != 0, amounts, counted)
    if above is not None:
        label = band_label(price.bands, len(price.bands), price.above_last)
        yield _above(price, price.above_last, rows, units, above, label)


def _units(price: MeterPrice, bands: Sequence[Band], rows: Rows) -> Column:
    return rows.quantity(price.meter, *(band.up_to for band in bands if band.up_to is not None))


def _in_bands(
    bands: Sequence[Band], units: Column, above_last: AboveLast
) -> Iterator[tuple[int, Column]]:
    """What of each row falls into which band; the position after the last is above it."""
    rest = units.values
    floor = 0
    for position, band in enumerate(bands):
        open_end = above_last == "continue" and position == len(bands) - 1
        if band.up_to is None or open_end:
            yield position, Column(rest, units.scale)
            return
        edge = whole(band.up_to, units.scale)
        part = np.minimum(rest, edge - floor)
        yield position, Column(part, units.scale)
        rest, floor = rest - part, edge
    yield len(bands), Column(rest, units.scale)


def _above(
    price: BandPrice | GraduatedMargin,
    above_last: AboveLast,
    rows: Rows,
    units: Column,
    part: Column,
    label: str,
) -> Piece:
    """Units above a closed last band, at their cost or without a price."""
    kind = LineKind.UNPRICED if above_last == "unpriced" else LineKind.USAGE
    piece = Piece(kind, label, price.meter, part.values > 0, 0, part)
    if kind is LineKind.UNPRICED:
        return piece
    return _by_cost(price, rows, units, piece, Fraction(1))


def _by_cost(price: MeterPrice, rows: Rows, units: Column, piece: Piece, factor: Fraction) -> Piece:
    """The piece priced by its units' share of the cost: cost × part / units × factor."""
    assert piece.quantities is not None
    cost, none = rows.cost(price.meter), units.values == 0
    part = np.where(none, 1, piece.quantities.values)
    of = np.where(none, 1, units.values)
    factor = factor * Fraction(10) ** (rows.digits - cost.scale)
    over = product(product(cost.values, part), factor.numerator)
    under = product(of, factor.denominator)
    amounts = quotient(over, under)
    asked = piece.where & (part != of) & _near_a_half(over, under)
    for row in np.flatnonzero(asked):
        lines = rows.lines(price, int(row))
        line = next(one for one in lines if (one.kind, one.label) == (piece.kind, piece.label))
        amounts = amounts.astype(np.object_)
        amounts[row] = rows.smallest_units(line)
    return Piece(piece.kind, piece.label, piece.meter, piece.where, amounts, piece.quantities)


def _near_a_half(over: Ints, under: Ints) -> Mask:
    """Where over / under is half a unit, or as close to it as 60 digits can't tell."""
    over, below = comparable(over, under)
    gap = np.abs(2 * (np.abs(over) % below) - below)
    if gap.dtype == np.int64:
        return np.asarray(gap == 0)
    return np.asarray(gap * NEAR <= 2 * np.abs(over), dtype=np.bool_)


PATHS: Mapping[type[Strategy], Callable[[Any, Rows], Iterator[Piece]]] = {
    PerUnit: _per_unit,
    Tiers: _bundle,
    TiersWithOverage: _bundle,
    Package: _package,
    FixedMargin: _fixed_margin,
    Graduated: _graduated,
    GraduatedMargin: _graduated_margin,
    Volume: _volume,
}
