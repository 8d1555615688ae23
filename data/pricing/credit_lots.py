"""Credits: packs bought in advance, each lot with its own conversion into units.

A bill shows the packs bought in the period, what was drawn from each lot (amount 0, the recognised
value beside) and what no lot covered: `owed` (carried onto the next lot), priced at
`overage_amount`, or `unpriced`.  The arithmetic of lots is in ledger.py, credits that come with
every period in recurring.py.

Elsewhere: prepaid credits, grants, commits.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from data.money import ONE, ZERO, rounded
from data.periods import DAY, BillingPeriod
from data.pricing.ledger import (
    BURN_ORDER,
    BurnKey,
    CreditLot,
    CreditUse,
    EntryKind,
    Ledger,
    LedgerEntry,
    Opening,
    as_decimal,
    replay,
    run_out_day,
    unique_grants,
)
from data.pricing.posting import value
from data.pricing.recurring import RecurringGrant
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


def _named_once(what: str, lots: Iterable[Pack | RecurringGrant]) -> None:
    names = [lot.name for lot in lots]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two {what} are named {twice[0]!r}")


class CreditLots(Strategy):
    kind: Literal["credit_lots"] = "credit_lots"
    meters: tuple[str, ...] = Field(min_length=1)
    packs: tuple[Pack, ...] = ()
    shortfall: Literal["owed", "overage_price", "unpriced"] = "owed"
    overage_amount: NotNegative | None = None  # per unit that no lot covers
    recurring: tuple[RecurringGrant, ...] = ()
    burn_order: tuple[BurnKey, ...] = BURN_ORDER  # created and key decide what is left open

    example: ClassVar = {
        "kind": "credit_lots",
        "meters": ["sms"],
        "packs": [
            {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}},
            {"name": "large", "credits": "200", "price": "15", "units_per_credit": {"sms": "7.5"}},
        ],
    }

    @field_validator("burn_order")
    @classmethod
    def _each_key_once(cls, keys: tuple[BurnKey, ...]) -> tuple[BurnKey, ...]:
        if twice := [key for n, key in enumerate(keys) if key in keys[:n]]:
            raise ValueError(f"{twice[0]!r} is named twice")
        return keys

    @model_validator(mode="after")
    def _packs_serve_the_meters(self) -> Self:
        lots: tuple[Pack | RecurringGrant, ...] = (*self.packs, *self.recurring)
        _named_once("packs", self.packs)
        _named_once("packs or recurring grants", lots)
        for lot in lots:
            if unknown := sorted(set(lot.units_per_credit) - set(self.meters)):
                what = "pack" if isinstance(lot, Pack) else "recurring grant"
                raise ValueError(f"{what} {lot.name!r} converts {unknown[0]!r}, not a meter here")
        return self

    @model_validator(mode="after")
    def _overage_has_a_price(self) -> Self:
        if (self.overage_amount is None) == (self.shortfall == "overage_price"):
            raise ValueError("overage_amount belongs to shortfall: overage_price, and only there")
        return self

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return self.meters

    @property
    def fixed_fee(self) -> Decimal:
        return sum((grant.price for grant in self.recurring), ZERO)

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

    def begun(self, basis: Basis) -> Opening:
        """The opening, with the recurring lots that the basis' first day brings.

        None where the same price merely continues after a change of plan within the period.
        """
        opening, meter = basis.opening or Opening(), self.meters[0]
        if not basis.begins(meter) or basis.until == basis.period.start:
            return opening
        known = {lot.key for lot in opening.issued}
        new = [grant.lot(basis, meter) for grant in self.recurring]
        issued = (*opening.issued, *(lot for lot in new if lot.key not in known))
        return replace(opening, issued=issued)

    def in_burn_order(self, lots: Iterable[CreditLot]) -> list[CreditLot]:
        return sorted(lots, key=lambda lot: lot.burn_order(self.burn_order))

    def lots(self, basis: Basis) -> list[CreditLot]:
        """All lots of the part of the period, bought or recurring, as they burn."""
        return self.in_burn_order(unique_grants((*basis.lots, *self.begun(basis).issued)))

    def ledger(self, usage: UsageByMeter, basis: Basis) -> Ledger:
        return replay(
            basis.lots,
            self.uses(usage),
            basis.period.start,
            basis.until,
            opening=self.begun(basis),
            carry=self.shortfall == "owed",
            burn_order=self.burn_order,
        )

    def runs_out_on(
        self,
        meter: str,
        pace: Sequence[Decimal],
        start: date,
        basis: Basis,
        later: Iterable[BillingPeriod] = (),
    ) -> date | None:
        """`run_out_day`, with the lots that this price will have issued in `later` periods.

        The basis' opening is of the day `start`, which lies in its period or ends it.
        """
        order = self.burn_order
        if not self.recurring:
            opening = basis.opening or Opening()
            return run_out_day(basis.lots, meter, pace, start, opening, burn_order=order)
        for period in (basis.period, *later):
            if period != basis.period:
                basis = replace(basis, period=period, known_until=None, runs={})
            opening, days = self.begun(basis), pace[: (period.end - start).days]
            day = run_out_day(basis.lots, meter, days, start, opening, burn_order=order)
            if day or len(days) == len(pace):
                return day
            uses = [CreditUse(start + DAY * n, meter, units) for n, units in enumerate(days)]
            end = replay(basis.lots, uses, start, period.end, opening=opening, burn_order=order)
            basis, start, pace = replace(basis, opening=end.closing), period.end, pace[len(days) :]
        return None

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        ledger = self.ledger(usage, basis)
        opening = basis.opening or Opening()
        by_lot: dict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in ledger.entries:
            by_lot[entry.lot].append(entry)
        for lot in self.lots(basis):
            if basis.period.start <= lot.effective_on < basis.until and lot.price:
                price = rounded(lot.price, basis.currency)
                yield Line(LineKind.PACK, lot.name, price, None, ONE, lot.price, lot=lot.key)
            left = opening.credits.get(lot.key, Fraction(lot.credits))
            burnt = Fraction(lot.credits) - left
            yield from _burnt(lot, by_lot[lot.key], burnt, basis.currency)
        for meter, units in ledger.shortfall.items():
            yield self.beyond(meter, units, basis)

    def beyond(self, meter: str, units: Decimal, basis: Basis) -> Line:
        """The line of units that no lot covers."""
        if self.overage_amount is not None:
            amount = rounded(units * self.overage_amount, basis.currency)
            label, price = "Beyond the credits", self.overage_amount
            return Line(LineKind.OVERAGE, label, amount, meter, units, price)
        label = "Owed, taken from the next pack" if self.shortfall == "owed" else "Not covered"
        return Line(LineKind.UNPRICED, label, ZERO, meter, units)


def _burnt(
    lot: CreditLot, entries: Iterable[LedgerEntry], burnt: Fraction, currency: str
) -> Iterator[Line]:
    """A line a meter, then what expired or was voided; `burnt` credits were so before."""
    sums: dict[tuple[EntryKind, str | None], tuple[Decimal, Fraction]] = {}
    for entry in entries:
        if entry.kind is not EntryKind.GRANT:
            units, credits = sums.get((entry.kind, entry.meter), (ZERO, Fraction(0)))
            sums[entry.kind, entry.meter] = (units + entry.units, credits + entry.credits)
    for (kind, meter), (units, credits) in sums.items():
        if kind is EntryKind.VOID:  # the sale of what was left is cancelled: nothing is earned
            label, quantity = f"{lot.name}, voided", _to_six_places(credits)
            line = Line(LineKind.EXPIRED, label, ZERO, None, quantity, recognized=ZERO)
        else:
            # Cumulative values are rounded, then subtracted: a lot's shares sum to its price.
            before, burnt = burnt, burnt + credits
            earned = value(lot, burnt, currency) - value(lot, before, currency)
            of_line = LineKind.CREDITS if meter else LineKind.EXPIRED
            quantity = units if meter else _to_six_places(credits)
            line = Line(of_line, lot.name, ZERO, meter, quantity, recognized=earned)
        yield replace(line, lot=lot.key)


def _to_six_places(credits: Fraction) -> Decimal:
    """A line's figure; the ledger keeps the fraction itself."""
    return round(as_decimal(credits), 6)
