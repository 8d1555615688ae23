"""Tiers: the customer chose a bundle in advance, and there is no price beyond it.

100 SMS a month for 49.99, 200 for 59.99, 300 for 65.99.  Use beyond the allowance has already
happened, so a statement never fails over it and never invents a price: it is a line of amount 0,
flagged for staff, and the page suggests a larger bundle.  A part of a period takes its share of
fee and allowance: 17 of 31 days of the second are 32.90 and 110 SMS.

Elsewhere: prepaid bundle, included units without overage.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator

from data.money import ONE, ZERO
from data.pricing.strategy import (
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    MeterPrice,
    NotNegative,
    Terms,
    UsageByMeter,
)


class Tier(Terms):
    """A level that a customer is on: what it costs and what it includes."""

    name: str = Field(min_length=1)
    fee: NotNegative
    allowance: NotNegative

    def beyond(self, meter: str, quantity: Decimal, basis: Basis) -> Line:
        return Line(LineKind.UNPRICED, "Beyond the allowance", ZERO, meter, quantity)

    def lines(self, meter: str, quantity: Decimal, basis: Basis) -> Iterator[Line]:
        if basis.prorate or basis.begins(meter):
            fee, how = basis.money(self.fee), basis.sharing(self.fee)
            yield Line(LineKind.FEE, self.name, fee, meter, ONE, self.fee, arithmetic=how)
        allowance = basis.allowance_left(self.allowance, meter)
        if within := min(quantity, allowance):
            yield Line(LineKind.INCLUDED, "Within the allowance", ZERO, meter, within)
        if quantity > allowance:
            yield self.beyond(meter, quantity - allowance, basis)


T = TypeVar("T", bound=Tier)


class Bundles(MeterPrice):
    """A ladder of tiers and the one that was chosen; what lies beyond is the tier's affair."""

    chosen: str

    @property
    def ladder(self) -> tuple[Tier, ...]:
        raise NotImplementedError

    @property
    def tier(self) -> Tier:
        return next(tier for tier in self.ladder if tier.name == self.chosen)

    @model_validator(mode="after")
    def _chosen_is_a_tier(self) -> Self:
        names = [tier.name for tier in self.ladder]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two tiers are named {twice[0]!r}")
        if self.chosen not in names:
            raise ValueError(f"chosen: {self.chosen!r} is none of the tiers {', '.join(names)}")
        return self

    @property
    def fixed_fee(self) -> Decimal:
        return self.tier.fee

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        quantity = usage.get(self.meter, NO_USAGE).quantity
        yield from self.tier.lines(self.meter, quantity, basis)

    def included(self, basis: Basis) -> Decimal | None:
        return basis.allowance_left(self.tier.allowance, self.meter)

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        return tuple(sorted(basis.allowance(tier.allowance, self.meter) for tier in self.ladder))


class Tiers(Bundles):
    kind: Literal["tiers"] = "tiers"
    tiers: tuple[Tier, ...] = Field(min_length=1)

    example: ClassVar = {
        "kind": "tiers",
        "meter": "sms",
        "chosen": "medium",
        "tiers": [
            {"name": "small", "fee": "49.99", "allowance": "100"},
            {"name": "medium", "fee": "59.99", "allowance": "200"},
            {"name": "large", "fee": "65.99", "allowance": "300"},
        ],
    }

    @property
    def ladder(self) -> tuple[Tier, ...]:
        return self.tiers
