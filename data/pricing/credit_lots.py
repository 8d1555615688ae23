"""Credits: packs bought in advance, each lot with its own conversion into units.

A bill shows the packs bought in the period, what was drawn from each lot (amount 0, the recognised
value beside) and what no lot covered: `owed` (carried onto the next lot), priced at
`overage_amount`, or `unpriced`.  The arithmetic of lots is in ledger.py.

Elsewhere: prepaid credits, grants, commits.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from data.money import ONE, ZERO, rounded
from data.pricing.ledger import CreditLot, CreditUse, Ledger, Opening, as_decimal, replay
from data.pricing.strategy import (
    NO_USAGE,
    Basis,
    Line,
    LineKind,
    NotNegative,
    Positive,
    Strategy,
    Terms,
    UsageByMeter,
)


class Pack(Terms):
    """What is for sale: so many credits at a price, and what a credit of it buys."""

    name: str = Field(min_length=1)
    credits: Positive
    price: NotNegative
    units_per_credit: dict[str, Positive] = Field(min_length=1)


class CreditLots(Strategy):
    kind: Literal["credit_lots"] = "credit_lots"
    meters: tuple[str, ...] = Field(min_length=1)
    packs: tuple[Pack, ...] = ()
    shortfall: Literal["owed", "overage_price", "unpriced"] = "owed"
    overage_amount: NotNegative | None = None  # per unit that no lot covers

    example: ClassVar = {
        "kind": "credit_lots",
        "meters": ["sms"],
        "packs": [
            {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}},
            {"name": "large", "credits": "200", "price": "15", "units_per_credit": {"sms": "7.5"}},
        ],
    }

    @model_validator(mode="after")
    def _packs_serve_the_meters(self) -> Self:
        names = [pack.name for pack in self.packs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two packs are named {twice[0]!r}")
        for pack in self.packs:
            if unknown := sorted(set(pack.units_per_credit) - set(self.meters)):
                raise ValueError(f"pack {pack.name!r} converts {unknown[0]!r}, not a meter here")
        if (self.overage_amount is None) == (self.shortfall == "overage_price"):
            raise ValueError("overage_amount belongs to shortfall: overage_price, and only there")
        return self

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return self.meters

    def pack(self, name: str) -> Pack | None:
        return next((pack for pack in self.packs if pack.name == name), None)

    def uses(self, usage: UsageByMeter) -> list[CreditUse]:
        """The metered days as uses of credits, by day and then in the order of the meters."""
        found = [
            CreditUse(day.day, meter, day.quantity)
            for meter in self.meters
            for day in usage.get(meter, NO_USAGE).days
        ]
        return sorted(found, key=lambda use: use.day)

    def ledger(self, usage: UsageByMeter, basis: Basis) -> Ledger:
        period, carry = basis.period, self.shortfall == "owed"
        return replay(
            basis.lots,
            self.uses(usage),
            period.start,
            basis.until,
            opening=basis.opening,
            carry=carry,
        )

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        ledger = self.ledger(usage, basis)
        opening = basis.opening or Opening()
        for lot in sorted(basis.lots, key=CreditLot.burn_order):
            if basis.period.start <= lot.effective_on < basis.until and lot.price:
                price = rounded(lot.price, basis.currency)
                yield Line(LineKind.PACK, lot.name, price, None, ONE, lot.price)
            yield from self._draws(lot, ledger, opening, basis)
        for meter, units in ledger.shortfall.items():
            yield self._beyond(meter, units, basis)

    def _draws(
        self, lot: CreditLot, ledger: Ledger, opening: Opening, basis: Basis
    ) -> Iterator[Line]:
        drawn: dict[str | None, tuple[Decimal, Fraction]] = {}
        for draw in (*ledger.draws, *ledger.expiries):
            if draw.lot == lot.key:
                units, credits = drawn.get(draw.meter, (ZERO, Fraction(0)))
                drawn[draw.meter] = (units + draw.units, credits + draw.credits)
        # Progressive: rounded cumulative values are subtracted, so a lot's shares sum to its price.
        burnt = Fraction(lot.credits) - opening.credits.get(lot.key, Fraction(lot.credits))
        for meter, (units, credits) in drawn.items():
            before, burnt = burnt, burnt + credits
            value = _value(lot, burnt, basis.currency) - _value(lot, before, basis.currency)
            kind = LineKind.CREDITS if meter else LineKind.EXPIRED
            quantity = units if meter else as_decimal(credits)
            yield Line(kind, lot.name, ZERO, meter, quantity, recognized=value)

    def _beyond(self, meter: str, units: Decimal, basis: Basis) -> Line:
        if self.overage_amount is not None:
            amount = rounded(units * self.overage_amount, basis.currency)
            label, price = "Beyond the credits", self.overage_amount
            return Line(LineKind.OVERAGE, label, amount, meter, units, price)
        label = "Owed, taken from the next pack" if self.shortfall == "owed" else "Not covered"
        return Line(LineKind.UNPRICED, label, ZERO, meter, units)


def _value(lot: CreditLot, credits: Fraction, currency: str) -> Decimal:
    return rounded(as_decimal(credits / Fraction(lot.credits) * Fraction(lot.price)), currency)
