"""Dynamic usage: bands over the quantity of a meter in the period, each with its own margin.

First 100 SMS at 5 %, the next 200 at 3 % (gross): at a cost of 1.00 each, 250 -> 259.90 and
300 -> 311.45.  One line a band, rounded once.

Elsewhere: graduated (Stripe, Lago), with a margin in the place of a price.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from data.money import rounded
from data.pricing.bands import AboveLast, Band, Banded, Bands, band_edges, band_label, banded
from data.pricing.strategy import (
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    Margin,
    MeterPrice,
    UsageByMeter,
)


class MarginBand(Band, Margin):
    pass


class GraduatedMargin(MeterPrice):
    kind: Literal["graduated_margin"] = "graduated_margin"
    bands: Bands[MarginBand]
    above_last: AboveLast = "continue"  # what becomes of units above a closed last band

    example: ClassVar = {
        "kind": "graduated_margin",
        "meter": "sms",
        "bands": [
            {"up_to": "100", "gross_margin": "0.05"},
            {"up_to": "300", "gross_margin": "0.03"},
        ],
    }

    @property
    def cost_based(self) -> bool:
        return True

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        used = usage.get(self.meter, NO_USAGE)
        for one in banded(self.bands, used, basis.before(self.meter), self.above_last):
            yield self._line(one, basis)

    def _line(self, one: Banded, basis: Basis) -> Line:
        kind, price = LineKind.USAGE, one.exact_cost
        if one.position < len(self.bands):
            price = self.bands[one.position].price_of(one.exact_cost)
        elif self.above_last == "unpriced":
            kind, price = LineKind.UNPRICED, Fraction(0)
        label = band_label(self.bands, one.position, self.above_last)
        amount = rounded(price, basis.currency)
        return Line(kind, label, amount, self.meter, one.quantity, cost=one.cost)

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        return band_edges(self.bands)
