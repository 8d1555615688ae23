"""Bands: slices of a running total, and what of a period's usage falls into which.

Units fall into bands in day order; within a day the cost is spread evenly over its units.  `up_to`
is inclusive: unit 100 belongs to the band up to 100.  A closed last band leaves the units above it
to `above_last`.

Elsewhere: tiers (Stripe), ranges (Lago).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from data.money import ONE, ZERO
from data.pricing.ledger import as_decimal
from data.pricing.strategy import DayUsage, NotNegative, Positive, Terms, Usage

AboveLast = Literal["continue", "at_cost", "unpriced"]


class Band(Terms):
    """A slice of a running total, up to and including `up_to`; an open last band has none."""

    up_to: Positive | None = None


B = TypeVar("B", bound=Band)


def _ascending(bands: Sequence[B]) -> Sequence[B]:
    for band, above in pairwise(bands):
        if band.up_to is None:
            raise ValueError("only the last band may be open (without up_to)")
        if above.up_to is not None and above.up_to <= band.up_to:
            raise ValueError(f"up_to {above.up_to} must lie above the {band.up_to} before it")
    return bands


Bands = Annotated[tuple[B, ...], Field(min_length=1), AfterValidator(_ascending)]


def slices(
    bands: Sequence[B], floor: Decimal, quantity: Decimal
) -> Iterator[tuple[B | None, Decimal]]:
    """Split `quantity` units that follow `floor` earlier ones over the bands they fall into.

    What lies above a closed last band comes with None.
    """
    top = floor + quantity
    for band in bands:
        if floor >= top:
            return
        ceiling = top if band.up_to is None else min(top, band.up_to)
        if ceiling > floor:
            yield band, ceiling - floor
            floor = ceiling
    if floor < top:
        yield None, top - floor


class PricedBand(Band):
    """A band with a price a unit, and a fee for reaching it."""

    unit_amount: NotNegative
    flat_fee: NotNegative = ZERO


@dataclass(frozen=True, slots=True)
class Banded:
    """What fell into one band; the position after the last band is "above".

    The cost is exact: a third of 1.00 must not be cut before it is multiplied.
    """

    position: int
    quantity: Decimal
    exact_cost: Fraction

    @property
    def cost(self) -> Decimal:
        return as_decimal(self.exact_cost)


def banded(
    bands: Sequence[B], usage: Usage, before: Decimal, above_last: AboveLast
) -> list[Banded]:
    """The usage by band, in the order of the bands, after `before` earlier units."""
    units: dict[int, Decimal] = {}
    whole: dict[int, Decimal] = {}  # of days that lie in one band
    shared: dict[int, Fraction] = {}  # of days that an edge cuts
    for day in usage.days:
        for position, quantity in _pieces(bands, day, before, above_last):
            units[position] = units.get(position, ZERO) + quantity
            if quantity == day.quantity:
                whole[position] = whole.get(position, ZERO) + day.cost
            else:
                share = Fraction(day.cost) * Fraction(quantity) / Fraction(day.quantity)
                shared[position] = shared.get(position, Fraction(0)) + share
        before += day.quantity
    return [
        Banded(one, units[one], Fraction(whole.get(one, ZERO)) + shared.get(one, 0))
        for one in sorted(units)
    ]


def _pieces(
    bands: Sequence[B], day: DayUsage, before: Decimal, above_last: AboveLast
) -> Iterator[tuple[int, Decimal]]:
    last = len(bands) - (above_last == "continue")
    if not day.quantity:  # a charge or a credit without units: in the band reached
        if day.cost:
            yield min(position_at(bands, before), last), ZERO
        return
    for band, quantity in slices(bands, before, day.quantity):
        yield last if band is None else bands.index(band), quantity


def position_at(bands: Sequence[B], quantity: Decimal) -> int:
    """The band that the next unit after `quantity` falls into."""
    for position, band in enumerate(bands):
        if band.up_to is None or quantity < band.up_to:
            return position
    return len(bands)


def band_label(bands: Sequence[B], position: int, above_last: AboveLast) -> str:
    """Units 101–300; Above 300; All units."""
    start = bands[position - 1].up_to if position else ZERO
    up_to = bands[position].up_to if position < len(bands) else None
    last = position == len(bands) - 1
    if up_to is None or (last and above_last == "continue"):
        return f"Above {start:,f}" if start else "All units"
    return f"Units {(start or ZERO) + ONE:,f}–{up_to:,f}"


def band_edges(bands: Sequence[B]) -> tuple[Decimal, ...]:
    return tuple(band.up_to for band in bands if band.up_to is not None)
