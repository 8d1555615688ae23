"""Fixed usage: one margin over the cost of all usage, or of named meters.

gross_margin 0.03: 100.00 -> 103.09, 1234.56 -> 1272.74.  markup 0.03: 100.00 -> 103.00.
One line, rounded once; it shows neither cost nor unit price, which would betray the margin.

Elsewhere: cost-plus, margin-based pricing.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from data.money import rounded, total
from data.pricing.strategy import (
    ALL_USAGE,
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    Margin,
    Strategy,
    UsageByMeter,
)


class FixedMargin(Strategy, Margin):
    kind: Literal["fixed_margin"] = "fixed_margin"
    meters: tuple[str, ...] = ()  # none named: all usage

    example: ClassVar = {"kind": "fixed_margin", "gross_margin": "0.03"}

    @property
    def cost_based(self) -> bool:
        return True

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return self.meters or (ALL_USAGE,)

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        used = [usage.get(meter, NO_USAGE) for meter in self.meters_priced]
        cost = total(one.cost for one in used)
        if not any(day.quantity or day.cost for one in used for day in one.days):
            return
        single = self.meters[0] if len(self.meters) == 1 else None
        yield Line(
            LineKind.USAGE,
            "Usage" if single is None else f"Usage of {single}",
            rounded(self.price_of(cost), basis.currency),
            meter=single or ALL_USAGE,
            quantity=used[0].quantity if single else None,
            cost=cost,
            together=() if single else self.meters_priced,
        )
