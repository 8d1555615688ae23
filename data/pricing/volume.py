"""Volume: all units of the period at the price of the band that their number reaches.

Up to 100 at 0.02, above at 0.01: 100 -> 2.00, 101 -> 1.01.  So more usage may cost less, which the
strategy declares.  Units above a closed last band that are `at_cost` or `unpriced` leave the others
at the last band's price.  Later parts of a run pay the difference of cumulative amounts.

Elsewhere: volume (Stripe, Lago), all-units tiers.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from data.money import ZERO, rounded
from data.pricing.bands import PricedBand
from data.pricing.graduated import BandPrice
from data.pricing.strategy import NO_USAGE, Arithmetic, Basis, Line, LineKind, UsageByMeter


class Volume(BandPrice):
    kind: Literal["volume"] = "volume"

    example: ClassVar = {
        "kind": "volume",
        "meter": "sms",
        "bands": [
            {"up_to": "100", "unit_amount": "0.02"},
            {"unit_amount": "0.01"},
        ],
    }
    falls: ClassVar[bool] = True

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        used, before = usage.get(self.meter, NO_USAGE), basis.before(self.meter)
        above = [one for one in self.found(usage, basis) if one.position == len(self.bands)]
        after = before + used.quantity
        flat = self._flat_fee(after) - (
            ZERO if basis.begins(self.meter) else self._flat_fee(before)
        )
        if flat:
            amount = rounded(flat, basis.currency)
            yield Line(LineKind.FLAT, "Flat fee", amount, self.meter, None, flat)
        if quantity := used.quantity - sum((one.quantity for one in above), ZERO):
            paid, price = self._units(before, basis), self._reached(after).unit_amount
            how = Arithmetic(price, self._counted(after), less=paid) if paid else None
            amount = self._units(after, basis) - paid
            yield Line(
                LineKind.USAGE, "All units", amount, self.meter, quantity, price, arithmetic=how
            )
        for one in above:
            yield self.above(one, basis)

    def _reached(self, quantity: Decimal) -> PricedBand:
        """The band of the last unit: its edge belongs below."""
        for band in self.bands:
            if band.up_to is None or quantity <= band.up_to:
                return band
        return self.bands[-1]

    def _counted(self, quantity: Decimal) -> Decimal:
        """Those of the units that have the price of the band reached."""
        last = self.bands[-1].up_to
        return quantity if last is None or self.above_last == "continue" else min(quantity, last)

    def _units(self, quantity: Decimal, basis: Basis) -> Decimal:
        quantity = self._counted(quantity)
        return rounded(quantity * self._reached(quantity).unit_amount, basis.currency)

    def _flat_fee(self, quantity: Decimal) -> Decimal:
        return self._reached(quantity).flat_fee if quantity else self.fixed_fee
