"""Graduated: each unit at the price of the band it falls into, with a fee for reaching a band.

100 at 0.02, then 0.01: 250 -> 2.00 + 1.50.  A band's `flat_fee` is due once its first unit is
used; with `flat_fee_when_unused` that of the first band is due even without usage.  Flat fees are
prices of usage and not prorated.

Elsewhere: graduated (Stripe, Lago), tiered in steps.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from data.money import ZERO, rounded
from data.pricing.bands import (
    AboveLast,
    Banded,
    Bands,
    PricedBand,
    band_edges,
    band_label,
    banded,
)
from data.pricing.strategy import NO_USAGE, Basis, Line, LineKind, MeterPrice, UsageByMeter


class BandPrice(MeterPrice):
    """What prices by bands share: their terms, and what lies above the last."""

    bands: Bands[PricedBand]
    above_last: AboveLast = "continue"  # what becomes of units above a closed last band
    flat_fee_when_unused: bool = False  # whether the first band's is due without usage

    @property
    def cost_based(self) -> bool:
        return self.above_last == "at_cost" and self.bands[-1].up_to is not None

    @property
    def fixed_fee(self) -> Decimal:
        return self.bands[0].flat_fee if self.flat_fee_when_unused else ZERO

    def found(self, usage: UsageByMeter, basis: Basis) -> list[Banded]:
        """What fell into each band; a charge without units has a price only where it is at cost."""
        used, before = usage.get(self.meter, NO_USAGE), basis.before(self.meter)
        pieces = banded(self.bands, used, before, self.above_last)
        return [one for one in pieces if one.quantity or self._is_at_cost(one)]

    def _is_at_cost(self, one: Banded) -> bool:
        return self.above_last == "at_cost" and one.position == len(self.bands)

    def above(self, one: Banded, basis: Basis) -> Line:
        """The line of units above a closed last band, at their cost or without a price."""
        label = band_label(self.bands, len(self.bands), self.above_last)
        if self.above_last == "unpriced":
            return Line(LineKind.UNPRICED, label, ZERO, self.meter, one.quantity, cost=one.cost)
        amount = rounded(one.exact_cost, basis.currency)
        return Line(LineKind.USAGE, label, amount, self.meter, one.quantity, cost=one.cost)

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        return band_edges(self.bands)


class Graduated(BandPrice):
    kind: Literal["graduated"] = "graduated"

    example: ClassVar = {
        "kind": "graduated",
        "meter": "sms",
        "bands": [
            {"up_to": "100", "unit_amount": "0.02", "flat_fee": "1.50"},
            {"unit_amount": "0.01"},
        ],
    }

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        before = basis.before(self.meter)
        found = self.found(usage, basis)
        if self.fixed_fee and basis.begins(self.meter) and not any(one.quantity for one in found):
            yield self._flat_fee(0, basis)
        for one in found:
            if one.position == len(self.bands):
                yield self.above(one, basis)
                continue
            band, start = self.bands[one.position], self._start(one.position)
            if band.flat_fee and self._is_new(start, before, basis):
                yield self._flat_fee(one.position, basis)
            amount = rounded(one.quantity * band.unit_amount, basis.currency)
            label = band_label(self.bands, one.position, self.above_last)
            yield Line(LineKind.USAGE, label, amount, self.meter, one.quantity, band.unit_amount)

    def _start(self, position: int) -> Decimal:
        return (self.bands[position - 1].up_to or ZERO) if position else ZERO

    def _is_new(self, start: Decimal, before: Decimal, basis: Basis) -> bool:
        """Whether an earlier part of the run had not reached the band that begins at `start`."""
        paid_unused = self.flat_fee_when_unused and not start and not basis.begins(self.meter)
        return before <= start and not paid_unused

    def _flat_fee(self, position: int, basis: Basis) -> Line:
        band = self.bands[position]
        label = f"Flat fee: {band_label(self.bands, position, self.above_last)}"
        amount = rounded(band.flat_fee, basis.currency)
        return Line(LineKind.FLAT, label, amount, self.meter, None, band.flat_fee)
