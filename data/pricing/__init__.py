"""Pricing, pure: a plan and the usage of a period give lines.  Imports money, periods, errors.

`Price` is the union of strategies and thereby their registry: a new strategy is one file and its
name here.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from data.errors import InputError, InvalidTerms
from data.money import ZERO, currency_code, exact
from data.pricing.credit_lots import CreditLots, Pack
from data.pricing.fixed_margin import FixedMargin
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.ledger import CreditDraw, CreditLot, CreditUse, Ledger, Opening, replay
from data.pricing.strategy import (
    ALL_USAGE,
    NO_USAGE,
    Basis,
    DayUsage,
    Line,
    LineKind,
    MeterPrice,
    NotNegative,
    Strategy,
    Terms,
    Usage,
    UsageByMeter,
    total,
)
from data.pricing.tiers import Bundles, Tiers
from data.pricing.tiers_with_overage import TiersWithOverage

Price = Annotated[
    FixedMargin | GraduatedMargin | Tiers | TiersWithOverage | CreditLots,
    Field(discriminator="kind"),
]


CategoryId = Annotated[str, StringConstraints(to_lower=True)]  # Twilio mixes cases


class Meter(Terms):
    """A name over categories that never overlap, with one unit: what we price."""

    label: str = ""
    unit: str = Field(min_length=1)
    categories: tuple[CategoryId, ...] = Field(min_length=1)
    quantity: Literal["usage", "count"] = "usage"  # which of Twilio's two figures is billed


class Plan(Terms):
    """One version of what was agreed."""

    plan: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    name: str = Field(min_length=1)
    currency: str
    offered: bool = False
    monthly_fee: NotNegative = ZERO
    minimum: NotNegative = ZERO
    prorate: Literal["days", "none"] = "days"
    meters: dict[str, Meter] = Field(default_factory=dict)  # beside the catalogue's
    prices: tuple[Price, ...] = ()

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, value: str) -> str:
        try:
            return currency_code(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _priced_once(self) -> Self:
        priced = [meter for price in self.prices for meter in price.meters_priced]
        if ALL_USAGE in priced and len(priced) > 1:
            raise ValueError("prices: a margin over all usage overlaps every other price")
        if twice := sorted({meter for meter in priced if priced.count(meter) > 1}):
            raise ValueError(f"prices: meter {twice[0]!r} is priced twice")
        if not self.prices and not self.monthly_fee:
            raise ValueError("prices: a plan needs a price or a monthly_fee")
        return self

    @property
    def id(self) -> str:
        return f"{self.plan}@{self.version}"

    @property
    def cost_based(self) -> bool:
        return any(price.cost_based for price in self.prices)

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return tuple(meter for price in self.prices for meter in price.meters_priced)

    def rate(self, usage: UsageByMeter, basis: Basis) -> tuple[Line, ...]:
        """The lines of one period, or of the part of it under this version."""
        with exact():
            lines: list[Line] = []
            if self.monthly_fee:
                fee = basis.money(self.monthly_fee)
                lines.append(Line(LineKind.FEE, "Monthly fee", fee))
            for price in self.prices:
                lines.extend(price.rate(usage, basis))
            missing = basis.money(self.minimum) - total(lines)
            if self.minimum and missing > 0:
                lines.append(Line(LineKind.MINIMUM, "Up to the agreed minimum", missing))
            return tuple(lines)


def parse_plan(terms: Any, source: str = "plan") -> Plan:
    """The plan in a mapping (of a file, of the store); InvalidTerms names every wrong field."""
    try:
        return Plan.model_validate(terms)
    except ValidationError as error:
        reasons = "; ".join(f"{field_path(item['loc'])}: {reason(item)}" for item in error.errors())
        raise InvalidTerms(f"{source}: {reasons}") from None


def as_written(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """An error's place in the terms: without the strategy's kind, which the library puts third."""
    if location[:1] == ("prices",):
        return location[:2] + location[3:]
    return location


def field_path(location: tuple[int | str, ...]) -> str:
    """`prices.0.tiers.1.fee`"""
    return ".".join(str(part) for part in as_written(location)) or "plan"


def reason(item: Any) -> str:
    """A validation error in words, without the library's prefix."""
    if item["type"] == "extra_forbidden":
        return "is not a field here; is it a typo?"
    if item["type"] == "tuple_type":
        return "must be a list"
    return str(item["msg"]).removeprefix("Value error, ")


__all__ = [
    "ALL_USAGE",
    "NO_USAGE",
    "Basis",
    "Bundles",
    "CreditDraw",
    "CreditLot",
    "CreditLots",
    "CreditUse",
    "DayUsage",
    "FixedMargin",
    "GraduatedMargin",
    "Ledger",
    "Line",
    "LineKind",
    "Meter",
    "MeterPrice",
    "Opening",
    "Pack",
    "Plan",
    "Price",
    "Strategy",
    "Tiers",
    "TiersWithOverage",
    "Usage",
    "UsageByMeter",
    "as_written",
    "field_path",
    "parse_plan",
    "reason",
    "replay",
    "total",
]
