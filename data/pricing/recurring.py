"""Credits that come anew with every billing period, and how much of the last ones is rolled over.

100 credits a period with rollover_max 50: 30 left make 130, 80 left make 150, and nothing rolls
over by default ("use it or lose it").  With `refill` the same 80 make 100: they fill up, no more.

Elsewhere: recurring grants with rollover (OpenMeter, whose formula this is), reset (Lago, Orb).
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Self

from pydantic import Field, model_validator

from data.money import ZERO, exact
from data.pricing.ledger import GRID, CreditLot, Opening
from data.pricing.strategy import Basis, NotNegative, Positive, Terms


class RecurringGrant(Terms):
    """A lot at the start of each billing period, which expires at its end.

    In a part of a period credits and price take their share; credits are rounded up.
    """

    name: str = Field(min_length=1)
    credits: Positive
    units_per_credit: dict[str, Positive] = Field(min_length=1)
    price: NotNegative = ZERO
    refill: bool = False  # fill up to `credits`, instead of adding them to what is rolled over
    rollover_min: NotNegative = ZERO
    rollover_max: NotNegative | None = ZERO  # none: everything is rolled over

    @model_validator(mode="after")
    def _rolls_over_at_least_the_least(self) -> Self:
        if self.rollover_max is not None and self.rollover_min > self.rollover_max:
            raise ValueError(
                f"rollover_min {self.rollover_min} lies above rollover_max {self.rollover_max}"
            )
        return self

    def rolled(self, left: Fraction) -> Fraction:
        """min(max(left, rollover_min), rollover_max)"""
        most = max(left, Fraction(self.rollover_min))
        return most if self.rollover_max is None else min(most, Fraction(self.rollover_max))

    def lot(self, basis: Basis, meter: str) -> CreditLot:
        """The lot that the run of the meter's price beginning with the basis is given."""
        span = basis.span(meter)
        with exact():
            given = min(basis.allowance(self.credits, meter), self.credits)
            return CreditLot(
                key=f"{self.name}:{span.start}",
                name=self.name,
                credits=self._issued(given, basis.opening or Opening(), basis),
                units_per_credit=self.units_per_credit,
                price=replace(basis, period=span).money(self.price),
                effective_on=span.start,
                expires_on=span.end,
            )

    def _issued(self, given: Decimal, opening: Opening, basis: Basis) -> Decimal:
        """The first lot has nothing before it to roll over, not even the least."""
        ending = [
            lot
            for lot in opening.issued
            if lot.name == self.name and lot.expires_on == basis.period.start
        ]
        if not ending:
            return given
        rolled = self.rolled(sum((opening.credits[lot.key] for lot in ending), Fraction(0)))
        fine = Decimal(ceil(rolled * 10**GRID)).scaleb(-GRID)  # a third of a credit, rounded up
        return max(given, fine) if self.refill else given + fine
