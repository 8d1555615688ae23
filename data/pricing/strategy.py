"""What every strategy shares: the usage it is given, the lines it returns, the bands it walks.

A strategy turns the usage of one period into lines.  It is pure: equal usage gives equal lines.
Each line is rounded once to the currency; a total is the sum of its lines, so it always foots.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data.money import ONE, ZERO, exact, rounded
from data.periods import BillingPeriod
from data.pricing.ledger import CreditLot, Opening

ALL_USAGE = "total"  # the pseudo-meter of everything that Twilio charges


class LineKind(StrEnum):
    FEE = "fee"  # fixed, known from the first day
    USAGE = "usage"  # priced by the unit or by its cost
    INCLUDED = "included"  # within an allowance, amount 0
    OVERAGE = "overage"  # beyond an allowance
    UNPRICED = "unpriced"  # used, and the terms give no price: amount 0, flagged for staff
    CREDITS = "credits"  # drawn from a lot, amount 0, its recognised value beside
    PACK = "pack"  # credits bought in the period
    EXPIRED = "expired"  # credits that ran out of time: the quantity is credits, the amount 0
    MINIMUM = "minimum"  # tops the bill up to what was agreed


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One meter on one UTC day: billed units, and what Twilio charged the ISV for them."""

    day: date
    quantity: Decimal
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Usage:
    """One meter over a period, in day order."""

    days: tuple[DayUsage, ...] = ()
    quantity: Decimal = field(init=False)
    cost: Decimal = field(init=False)

    def __post_init__(self) -> None:
        with exact():
            object.__setattr__(self, "quantity", sum((d.quantity for d in self.days), ZERO))
            object.__setattr__(self, "cost", sum((d.cost for d in self.days), ZERO))

    def plus(self, later: Iterable[DayUsage]) -> "Usage":
        return Usage((*self.days, *later))


UsageByMeter = Mapping[str, Usage]
NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Basis:
    """What beside the usage decides a price.

    `period` may be a part of its full period (a sign-up, a change of plan): fees, minimums and
    allowances then take the share `days / full_days`.
    """

    currency: str
    period: BillingPeriod
    prorate: bool = True
    lots: tuple[CreditLot, ...] = ()
    opening: Opening | None = None  # of those lots, at the period's start
    known_until: date | None = None  # exclusive: the bill so far; None: the whole period

    @property
    def until(self) -> date:
        """The day before which things have happened: no credit expires ahead of its day."""
        end = self.known_until or self.period.end
        return min(max(end, self.period.start), self.period.end)

    def money(self, amount: Decimal) -> Decimal:
        return rounded(self.share_of(amount), self.currency)

    def share_of(self, amount: Decimal) -> Decimal:
        """The amount's share of the full period, unrounded: 49.99 for 17 of 31 days = 27.4138…"""
        if not self.prorate or self.period.days == self.period.full_days:
            return amount
        return amount * self.period.days / self.period.full_days

    def allowance(self, quantity: Decimal) -> Decimal:
        """The allowance's share, rounded up in the customer's favour: 200 for 17/31 = 110."""
        if not self.prorate or self.period.days == self.period.full_days:
            return quantity
        whole, rest = divmod(quantity * self.period.days, Decimal(self.period.full_days))
        return whole + ONE if rest else whole


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a statement, rounded once to the currency.

    `cost` is what Twilio charged for it: it exists here only, never in what a customer is handed.
    """

    kind: LineKind
    label: str
    amount: Decimal
    meter: str | None = None
    quantity: Decimal | None = None  # billed units of the meter; None where units would mix
    unit_amount: Decimal | None = None  # never rounded; None where it would betray a cost
    cost: Decimal | None = None
    recognized: Decimal | None = None  # value of the credits drawn, for the ISV's books
    together: tuple[str, ...] = ()  # the meters of a price over several, ALL_USAGE among them


def total(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)


def _no_float(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError("write the number as text, so that it stays exact")
    return value


Number = Annotated[Decimal, BeforeValidator(_no_float)]
NotNegative = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]


class Terms(BaseModel):
    """The agreed numbers of a price.  Frozen: a change of price is a new plan version."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Strategy(Terms):
    """A price model.  A new one is a file with `kind`, `example` and `rate`, and its name in
    `Price`."""

    example: ClassVar[dict[str, Any]]  # terms a person could agree to; tests and forms use it
    cost_based: ClassVar[bool] = False  # its amounts follow our cost: never explained by unit
    falls: ClassVar[bool] = False  # more usage may cost less (volume prices)

    @property
    def meters_priced(self) -> tuple[str, ...]:
        raise NotImplementedError

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        raise NotImplementedError

    def included(self, basis: Basis) -> Decimal | None:
        """Units that the fixed fee of this period covers, where there is such a limit."""
        return None

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        """Quantities at which the price changes, ascending: what a tier ladder shows."""
        return ()


class MeterPrice(Strategy):
    """A price over one meter."""

    meter: str = Field(min_length=1)

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return (self.meter,)


class Margin(Terms):
    """What the ISV adds: a share of the price (`gross_margin`) or of the cost (`markup`)."""

    gross_margin: Annotated[Number, Field(lt=1)] | None = None
    markup: Annotated[Number, Field(gt=-1)] | None = None
    allow_loss: bool = False

    @model_validator(mode="after")
    def _one_margin(self) -> Self:
        if (self.gross_margin is None) == (self.markup is None):
            raise ValueError("give exactly one of gross_margin and markup")
        given = self.gross_margin if self.markup is None else self.markup
        if given is not None and given < 0 and not self.allow_loss:
            raise ValueError(f"a margin of {given} sells at a loss: say allow_loss: true if meant")
        return self

    def price_of(self, cost: Decimal) -> Decimal:
        """gross_margin 0.03: 100.00 -> 103.0927…; markup 0.03: 100.00 -> 103.00 (unrounded)."""
        if self.gross_margin is not None:
            return cost / (ONE - self.gross_margin)
        return cost * (ONE + (self.markup or ZERO))


AboveLast = Literal["continue", "at_cost", "unpriced"]


class Band(Terms):
    """A slice of a running total, up to and including `up_to`; an open last band has none."""

    up_to: Positive | None = None


B = TypeVar("B", bound=Band)


def _ascending(bands: Sequence[B]) -> Sequence[B]:
    for band, above in pairwise(bands):
        if band.up_to is None:
            raise ValueError("only the last band may be open (without up_to)")
        if above.up_to is not None and above.up_to <= band.up_to:
            raise ValueError(f"up_to {above.up_to} must lie above the {band.up_to} before it")
    return bands


Bands = Annotated[tuple[B, ...], Field(min_length=1), AfterValidator(_ascending)]


def slices(
    bands: Sequence[B], floor: Decimal, quantity: Decimal
) -> Iterator[tuple[B | None, Decimal]]:
    """Split `quantity` units that follow `floor` earlier ones over the bands they fall into.

    What lies above a closed last band comes with None.
    """
    top = floor + quantity
    for band in bands:
        if floor >= top:
            return
        ceiling = top if band.up_to is None else min(top, band.up_to)
        if ceiling > floor:
            yield band, ceiling - floor
            floor = ceiling
    if floor < top:
        yield None, top - floor
