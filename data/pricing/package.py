"""Package: a price for each started package, after so many free units.

100 free, then 5.00 per started 1,000: 100 -> 0, 101 -> 5.00, 1,100 -> 5.00, 1,101 -> 10.00.  Free
units are an allowance: a part of a period takes its share, rounded up.

Elsewhere: package (Lago), per package with rounding up (Stripe's transform quantity).
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar, Literal

from data.money import ZERO, rounded
from data.pricing.strategy import (
    NO_USAGE,
    Arithmetic,
    Basis,
    Line,
    LineKind,
    MeterPrice,
    NotNegative,
    Positive,
    UsageByMeter,
)


class Package(MeterPrice):
    kind: Literal["package"] = "package"
    package_size: Positive
    package_amount: NotNegative
    free_units: NotNegative = ZERO

    example: ClassVar = {
        "kind": "package",
        "meter": "sms",
        "package_size": "1000",
        "package_amount": "5.00",
        "free_units": "100",
    }

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        quantity = usage.get(self.meter, NO_USAGE).quantity
        free = min(quantity, basis.allowance_left(self.free_units, self.meter))
        if free:
            yield Line(LineKind.INCLUDED, "Free units", ZERO, self.meter, free)
        if quantity <= free:
            return
        before = basis.before(self.meter)
        packages = self._started(before + quantity, basis) - self._started(before, basis)
        yield Line(
            LineKind.USAGE,
            f"Packages of {self.package_size:,f}",
            rounded(packages * self.package_amount, basis.currency),
            self.meter,
            quantity - free,
            arithmetic=Arithmetic(self.package_amount, packages),
        )

    def _started(self, quantity: Decimal, basis: Basis) -> Decimal:
        """Packages that so many units of the run have started."""
        beyond = max(quantity - basis.allowance(self.free_units, self.meter), ZERO)
        return (beyond / self.package_size).to_integral_value(ROUND_CEILING)

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        return (basis.allowance(self.free_units, self.meter),)
