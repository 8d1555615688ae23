"""Tiers with overage: a fee buys an allowance, and every unit beyond it has the tier's price.

Small 49.99 for 100 + 0.50, medium 59.99 for 200 + 0.30, large 65.99 for 300 + 0.10: 130 on small
are 64.99, 250 on medium 74.99, 450 on large 80.99.  The tier is the customer's choice, not a
consequence of usage; compare.py says which tier would have cost least (from 121 units on, medium
is cheaper than small), which a page offers as advice and never applies by itself.

Elsewhere: flat fee and overage (Stripe), package with free units (Lago).
"""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from data.money import exact, rounded
from data.pricing.strategy import Basis, Line, LineKind, NotNegative, total
from data.pricing.tiers import Bundles, Tier


class OverageTier(Tier):
    overage_amount: NotNegative  # per unit beyond the allowance

    def beyond(self, meter: str, quantity: Decimal, basis: Basis) -> Line:
        amount = rounded(quantity * self.overage_amount, basis.currency)
        return Line(LineKind.OVERAGE, "Overage", amount, meter, quantity, self.overage_amount)


class TiersWithOverage(Bundles):
    kind: Literal["tiers_with_overage"] = "tiers_with_overage"
    tiers: tuple[OverageTier, ...] = Field(min_length=1)

    example: ClassVar = {
        "kind": "tiers_with_overage",
        "meter": "sms",
        "chosen": "small",
        "tiers": [
            {"name": "small", "fee": "49.99", "allowance": "100", "overage_amount": "0.50"},
            {"name": "medium", "fee": "59.99", "allowance": "200", "overage_amount": "0.30"},
            {"name": "large", "fee": "65.99", "allowance": "300", "overage_amount": "0.10"},
        ],
    }

    @property
    def ladder(self) -> tuple[OverageTier, ...]:
        return self.tiers

    def cost_on(self, tier: Tier, quantity: Decimal, basis: Basis) -> Decimal:
        """What the quantity would cost on a tier of the ladder."""
        with exact():
            return total(tier.lines(self.meter, quantity, basis))
