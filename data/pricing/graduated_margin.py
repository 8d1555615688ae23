"""Dynamic usage: bands over the quantity of a meter in the period, each with its own margin.

First 100 SMS at 5 %, the next 200 at 3 % (gross): at a cost of 1.00 each, 250 -> 259.90 and
300 -> 311.45.  Units fall into bands in day order; within a day the cost is spread evenly over
its units.  One line a band, rounded once.

Elsewhere: graduated (Stripe, Lago), with a margin in the place of a price.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from data.money import ZERO, rounded
from data.pricing.strategy import (
    NO_USAGE,
    AboveLast,
    Band,
    Bands,
    Basis,
    DayUsage,
    Line,
    LineKind,
    Margin,
    MeterPrice,
    Usage,
    UsageByMeter,
    slices,
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
    cost_based: ClassVar = True

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        units: dict[int, Decimal] = {}
        costs: dict[int, Decimal] = {}
        for position, quantity, cost in self._pieces(usage.get(self.meter, NO_USAGE)):
            units[position] = units.get(position, ZERO) + quantity
            costs[position] = costs.get(position, ZERO) + cost
        for position in sorted(units):
            yield self._line(position, units[position], costs[position], basis)

    def _pieces(self, usage: Usage) -> Iterator[tuple[int, Decimal, Decimal]]:
        """(band, units, cost) of every day, in order; the position after the last is "above"."""
        before = ZERO
        for day in usage.days:
            yield from self._pieces_of_day(day, before)
            before += day.quantity

    def _pieces_of_day(
        self, day: DayUsage, before: Decimal
    ) -> Iterator[tuple[int, Decimal, Decimal]]:
        if not day.quantity:  # a charge or a credit without units: in the band reached
            if day.cost:
                yield self._position_at(before), ZERO, day.cost
            return
        for band, quantity in slices(self.bands, before, day.quantity):
            position = len(self.bands) if band is None else self.bands.index(band)
            if band is None and self.above_last == "continue":
                position -= 1
            yield position, quantity, day.cost * quantity / day.quantity

    def _position_at(self, quantity: Decimal) -> int:
        for position, band in enumerate(self.bands):
            if band.up_to is None or quantity < band.up_to:
                return position
        return len(self.bands) - (self.above_last == "continue")

    def _line(self, position: int, quantity: Decimal, cost: Decimal, basis: Basis) -> Line:
        start = self.bands[position - 1].up_to if position else ZERO
        if position == len(self.bands):
            unpriced = self.above_last == "unpriced"
            kind = LineKind.UNPRICED if unpriced else LineKind.USAGE
            label, price = f"Above {start:,f}", ZERO if unpriced else cost
        else:
            band = self.bands[position]
            kind, price = LineKind.USAGE, band.price_of(cost)
            label = self._label(position, start or ZERO)
        amount = rounded(price, basis.currency)
        return Line(kind, label, amount, self.meter, quantity, cost=cost)

    def _label(self, position: int, start: Decimal) -> str:
        up_to = self.bands[position].up_to
        last = position == len(self.bands) - 1
        if up_to is None or (last and self.above_last == "continue"):
            return f"Above {start:,f}" if start else "All units"
        return f"Units {start + 1:,f}–{up_to:,f}"

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        return tuple(band.up_to for band in self.bands if band.up_to is not None)
