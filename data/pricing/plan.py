"""A plan: one version of what was agreed, as validated terms, and the lines it makes of usage.

`Price` is the union of strategies and thereby their registry: a new strategy is one file and its
name here.  Order of a bill: rate, discount, cap, minimum, tax; money credits pay what is left
(bill.py).
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from data import money
from data.errors import InputError, InvalidTerms
from data.money import ZERO, currency_code, exact, plain, rounded
from data.pricing.credit_lots import CreditLots
from data.pricing.fixed_margin import FixedMargin
from data.pricing.graduated import Graduated
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.package import Package
from data.pricing.per_unit import PerUnit
from data.pricing.strategy import (
    ALL_USAGE,
    BILL,
    Basis,
    Limits,
    Line,
    LineKind,
    NotNegative,
    Number,
    Terms,
    UsageByMeter,
)
from data.pricing.tiers import Tiers
from data.pricing.tiers_with_overage import TiersWithOverage
from data.pricing.volume import Volume

Price = Annotated[
    FixedMargin
    | GraduatedMargin
    | Tiers
    | TiersWithOverage
    | CreditLots
    | PerUnit
    | Graduated
    | Volume
    | Package,
    Field(discriminator="kind"),
]


CategoryId = Annotated[str, StringConstraints(to_lower=True)]  # Twilio mixes cases


class Meter(Terms):
    """A name over categories that never overlap, with one unit: what we price."""

    label: str = ""
    unit: str = Field(min_length=1)
    categories: tuple[CategoryId, ...] = Field(min_length=1)
    quantity: Literal["usage", "count"] = "usage"  # which of Twilio's two figures is billed


class Tax(Terms):
    """A rate on every rounded line: 0.19 of 59.99 is 11.40."""

    name: str = Field(min_length=1)
    rate: Annotated[Number, Field(ge=0, lt=1)]

    def lines(self, taxed: Iterable[Line], basis: Basis) -> Iterator[Line]:
        amount = money.total(self.on(line, basis.currency) for line in taxed)
        if amount:
            yield Line(LineKind.TAX, f"{self.name} {plain(self.rate * 100)} %", amount)

    def on(self, line: Line, currency: str) -> Decimal:
        """The tax of one line, rounded by itself."""
        return rounded(line.amount * self.rate, currency)


class Plan(Limits):
    """One version of what was agreed."""

    plan: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    name: str = Field(min_length=1)
    currency: str
    offered: bool = False
    monthly_fee: NotNegative = ZERO
    tax: Tax | None = None
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
        if not self.prices and not self.monthly_fee and not self.minimum:
            raise ValueError("prices: a plan needs a price, a monthly_fee or a minimum")
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

    @property
    def fixed_fee(self) -> Decimal:
        """What a full period costs before any usage: by it, up- and downgrades are told apart."""
        with exact():
            return sum((price.fixed_fee for price in self.prices), self.monthly_fee)

    def price_of(self, meter: str) -> Price | None:
        return next((price for price in self.prices if meter in price.meters_priced), None)

    def rate(self, usage: UsageByMeter, basis: Basis) -> tuple[Line, ...]:
        """The lines of one period, or of the part of it under this version."""
        with exact():
            lines: list[Line] = []
            if self.monthly_fee:
                how = basis.sharing(self.monthly_fee)
                fee, agreed = basis.money(self.monthly_fee), self.monthly_fee
                lines.append(
                    Line(LineKind.FEE, "Monthly fee", fee, unit_amount=agreed, arithmetic=how)
                )
            for price in self.prices:
                lines += price.bill(usage, basis)
            lines += self.limits(lines, basis, BILL)
            if self.tax:
                lines += list(self.tax.lines(lines, basis))
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
