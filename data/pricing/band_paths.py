"""How prices by bands rate many rows at once: margins over cost, steps, volume.

250 units in bands of 100 and the rest are arrays of 100 and 150; days that every row has had fill
the bands first.  Where a quotient lies so close to half a cent that the engine's 60 digits decide,
the engine is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from data.money import ZERO, exact
from data.pricing.bands import AboveLast, Band, Banded, band_label, banded, position_at
from data.pricing.columns import (
    Column,
    Ints,
    Mask,
    added,
    comparable,
    narrowed,
    objects,
    product,
    quotient,
    rescaled,
    whole,
    zeros,
)
from data.pricing.graduated import BandPrice, Graduated
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.rows import Piece, Rows, factor
from data.pricing.strategy import LineKind
from data.pricing.volume import Volume

NEAR = 10**55  # relative distance from a half below which a quotient is the engine's to round


def graduated_margin(price: GraduatedMargin, rows: Rows) -> Iterator[Piece]:
    units, given = _units(price, price.bands, rows), _Given(price, rows)
    for position, part in _in_bands(price.bands, units, price.above_last):
        label = band_label(price.bands, position, price.above_last)
        where = (part.values > 0) | given.charged(position)
        piece = Piece(LineKind.USAGE, label, price.meter, where, 0, part)
        if position == len(price.bands):
            yield _above(price, given, rows, piece)
        else:
            yield _by_cost(price, given, rows, piece, position, factor(price.bands[position]))


def graduated(price: Graduated, rows: Rows) -> Iterator[Piece]:
    units = _units(price, price.bands, rows)
    for position, part in _in_bands(price.bands, units, price.above_last):
        label = band_label(price.bands, position, price.above_last)
        if position == len(price.bands):
            yield _above_bands(price, rows, part, label)
            continue
        band, where = price.bands[position], part.values > 0
        if band.flat_fee:
            due = rows.all if price.flat_fee_when_unused and not position else where
            fee = rows.money(band.flat_fee)
            yield Piece(LineKind.FLAT, f"Flat fee: {label}", price.meter, due, fee)
        amounts = rows.priced(part, band.unit_amount)
        yield Piece(LineKind.USAGE, label, price.meter, where, amounts, part)


def volume(price: Volume, rows: Rows) -> Iterator[Piece]:
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
        yield _above_bands(price, rows, above, label)


def _units(price: BandPrice | GraduatedMargin, bands: Sequence[Band], rows: Rows) -> Column:
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


class _Given:
    """The cost of a price by bands: what the days before left in each, and the rows' own."""

    def __init__(self, price: BandPrice | GraduatedMargin, rows: Rows) -> None:
        before = rows.before(price.meter)
        with exact():
            found = banded(price.bands, before, ZERO, price.above_last)
        self.before: dict[int, Banded] = {one.position: one for one in found}
        self.units, self.cost = rows.rest(price.meter)
        last = len(price.bands) - (price.above_last == "continue")
        self.reached = min(position_at(price.bands, before.quantity), last)
        self.without: Mask = (self.units.values == 0) & (self.cost.values != 0)

    def charged(self, position: int) -> Mask:
        """Where the band has a charge, with units or, in the band reached, without."""
        here = self.without & (position == self.reached)
        return here | (position in self.before)

    def part(self, position: int, part: Column) -> tuple[Ints, Ints]:
        """The share of the rows' own cost that falls into the band, as a fraction."""
        units = rescaled(self.units, part.scale)
        own = part.values
        if position in self.before:
            known = whole(self.before[position].quantity, part.scale)
            own = added(own, slice(None), narrowed(objects([-known])))
        none = units.values == 0
        over = np.where(none, np.where(position == self.reached, 1, 0), own)
        return over, np.where(none, 1, units.values)


def _above_bands(price: BandPrice, rows: Rows, part: Column, label: str) -> Piece:
    """Above closed bands of prices; a charge without units counts only where it is at cost."""
    given, where = _Given(price, rows), part.values > 0
    if price.above_last == "at_cost":
        where |= given.charged(len(price.bands))
    piece = Piece(LineKind.USAGE, label, price.meter, where, 0, part)
    return _above(price, given, rows, piece)


def _above(price: BandPrice | GraduatedMargin, given: _Given, rows: Rows, piece: Piece) -> Piece:
    """Units above a closed last band, at their cost or without a price."""
    if price.above_last == "unpriced":
        return replace(piece, kind=LineKind.UNPRICED)
    return _by_cost(price, given, rows, piece, len(price.bands), Fraction(1))


def _by_cost(
    price: BandPrice | GraduatedMargin,
    given: _Given,
    rows: Rows,
    piece: Piece,
    position: int,
    factor: Fraction,
) -> Piece:
    """The piece priced by its units' share of the cost: (before + cost × part / units) × factor."""
    assert piece.quantities is not None
    part, of = given.part(position, piece.quantities)
    cost, factor = given.cost, factor * Fraction(10) ** rows.digits
    known = given.before[position].exact_cost if position in given.before else Fraction(0)
    factor /= known.denominator * 10**cost.scale
    over = product(product(cost.values, part), known.denominator)
    if known:
        over = added(over, slice(None), product(of, known.numerator * 10**cost.scale))
    over, under = product(over, factor.numerator), product(of, factor.denominator)
    amounts = quotient(over, under)
    asked = piece.where & (part != of) & _near_a_half(over, under)
    for row in np.flatnonzero(asked):
        lines = rows.lines(price, int(row))
        line = next(one for one in lines if (one.kind, one.label) == (piece.kind, piece.label))
        amounts = amounts.astype(np.object_)
        amounts[row] = rows.smallest_units(line)
    return replace(piece, amounts=amounts)


def _near_a_half(over: Ints, under: Ints) -> Mask:
    """Where over / under is half a unit, or as close to it as 60 digits can't tell."""
    over, below = comparable(over, under)
    gap = np.abs(2 * (np.abs(over) % below) - below)
    if gap.dtype == np.int64:
        return np.asarray(gap == 0)
    return np.asarray(gap * NEAR <= 2 * np.abs(over), dtype=np.bool_)
