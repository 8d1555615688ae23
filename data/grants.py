"""Grants of credits as people write them: a pack of the plan, or terms of their own."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data.errors import InputError
from data.money import ZERO, currency_code
from data.pricing import CreditLot, CreditLots, MoneyCredit
from data.pricing.strategy import NotNegative, Positive


def _as_date(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"{value!r} is not a day: write it as 2026-03-31") from None


Day = Annotated[date, BeforeValidator(_as_date)]


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CreditEntry(Entry):
    """A pack of the plan, or one with terms of its own (name, credits, price, conversion)."""

    key: str = Field(min_length=1)
    subscription: str = "main"
    pack: str | None = None
    quantity: int = Field(default=1, ge=1)
    name: str | None = None
    credits: Positive | None = None
    price: NotNegative | None = None
    units_per_credit: dict[str, Positive] | None = None
    bought_on: Day
    expires_on: Day | None = None
    voided_on: Day | None = None  # a grant taken back: from then on nothing is left of it
    priority: int | None = None

    @model_validator(mode="after")
    def _pack_or_terms(self) -> Self:
        own = (self.name, self.credits, self.price, self.units_per_credit)
        if (self.pack is None) == (None in own) or (self.pack and any(x is not None for x in own)):
            raise ValueError("give either pack, or name, credits, price and units_per_credit")
        return self


class MoneyEntry(Entry):
    """Money granted in advance: it pays bills after tax."""

    key: str = Field(min_length=1)
    subscription: str = "main"
    name: str = Field(default="Credit", min_length=1)
    amount: Positive
    currency: str
    effective_on: Day
    expires_on: Day | None = None


def money_of(entry: MoneyEntry, created: int = 0) -> MoneyCredit:
    """The money credit a grant makes; InputError names an unknown currency or a wrong day."""
    return MoneyCredit(
        key=entry.key,
        name=entry.name,
        amount=entry.amount,
        currency=currency_code(entry.currency),
        effective_on=entry.effective_on,
        expires_on=entry.expires_on,
        created=created,
    )


def lot_of(entry: CreditEntry, price: CreditLots, created: int = 0) -> CreditLot:
    """The lot a grant makes; InputError names what does not fit the price."""
    pack = price.pack(entry.pack) if entry.pack is not None else None
    if entry.pack is not None and pack is None:
        names = ", ".join(one.name for one in price.packs) or "it has none"
        raise InputError(f"pack: {entry.pack!r} is not one of the plan's packs ({names})")
    rates = pack.units_per_credit if pack else entry.units_per_credit or {}
    if unknown := sorted(set(rates) - set(price.meters)):
        raise InputError(f"units_per_credit: {unknown[0]!r} is not a meter that credits pay for")
    return CreditLot(
        key=entry.key,
        name=pack.name if pack else str(entry.name),
        credits=(pack.credits if pack else entry.credits or ZERO) * entry.quantity,
        units_per_credit=rates,
        price=(pack.price if pack else entry.price or ZERO) * entry.quantity,
        effective_on=entry.bought_on,
        expires_on=entry.expires_on,
        priority=entry.priority,
        created=created,
        voided_on=entry.voided_on,
    )
