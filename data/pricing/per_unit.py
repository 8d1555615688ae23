"""Per unit: every unit of a meter at one price.  250 at 0.012 -> 3.00.

Elsewhere: standard, per-unit, linear.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from data.money import rounded
from data.pricing.strategy import (
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    MeterPrice,
    NotNegative,
    UsageByMeter,
)


class PerUnit(MeterPrice):
    kind: Literal["per_unit"] = "per_unit"
    unit_amount: NotNegative

    example: ClassVar = {"kind": "per_unit", "meter": "sms", "unit_amount": "0.012"}

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        if quantity := usage.get(self.meter, NO_USAGE).quantity:
            amount = rounded(quantity * self.unit_amount, basis.currency)
            yield Line(LineKind.USAGE, "Usage", amount, self.meter, quantity, self.unit_amount)
