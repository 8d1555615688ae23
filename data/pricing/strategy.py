"""What every strategy shares: the usage it is given, the basis it is priced on, its lines.

A strategy turns the usage of one period into lines.  It is pure: equal usage gives equal lines.
Each line is rounded once to the currency; a total is the sum of its lines, so it always foots.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data.money import LARGEST, ONE, ZERO, exact, plain, rounded
from data.periods import BillingPeriod
from data.pricing.ledger import CreditLot, Opening

ALL_USAGE = "total"  # the pseudo-meter of everything that Twilio charges
BILL = ""  # in the place of a meter: the limits of a whole plan


class LineKind(StrEnum):
    FEE = "fee"  # fixed, known from the first day
    USAGE = "usage"  # priced by the unit or by its cost
    FLAT = "flat"  # a fee that comes with reaching a band
    INCLUDED = "included"  # within an allowance, amount 0
    OVERAGE = "overage"  # beyond an allowance
    UNPRICED = "unpriced"  # used, and the terms give no price: amount 0, flagged for staff
    CREDITS = "credits"  # drawn from a lot, amount 0, its recognised value beside
    PACK = "pack"  # credits bought in the period
    EXPIRED = "expired"  # credits that ran out of time: the quantity is credits, the amount 0
    DISCOUNT = "discount"  # a share taken off, negative
    CAP = "cap"  # what lies above the agreed maximum, taken off again
    MINIMUM = "minimum"  # tops the bill up to what was agreed
    TAX = "tax"  # on each rounded line before it
    ADJUSTMENT = "adjustment"  # what a closed period would cost now, less what it was billed
    MONEY_CREDIT = "money_credit"  # pays the bill, negative


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
class Run:
    """The days of a billing period over which the very same price stands, changes of plan or not.

    Bands, allowances and limits count on over a change of plan that leaves their price as it was.
    """

    period: BillingPeriod
    before: Decimal = ZERO  # units used in the run before the part that is priced
    rated: Decimal = ZERO  # what the price asked for them, before its limits


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
    runs: Mapping[str, Run] = field(default_factory=dict)  # by meter; none: the part alone

    @property
    def until(self) -> date:
        """The day before which things have happened: no credit expires ahead of its day."""
        end = self.known_until or self.period.end
        return min(max(end, self.period.start), self.period.end)

    def money(self, amount: Decimal) -> Decimal:
        return rounded(self.share_of(amount), self.currency)

    def share_of(self, amount: Decimal) -> Decimal:
        """The amount's share of the full period, unrounded: 49.99 for 17 of 31 days = 27.4138…"""
        if not self._is_part(self.period):
            return amount
        return amount * self.period.days / self.period.full_days

    def sharing(self, amount: Decimal) -> "Arithmetic | None":
        """How `money` comes about: 17/31 × 49.99; None for the whole amount."""
        if not self._is_part(self.period):
            return None
        days, full = Decimal(self.period.days), Decimal(self.period.full_days)
        return Arithmetic(amount, days, full)

    def allowance(self, quantity: Decimal, meter: str) -> Decimal:
        """The allowance's share, rounded up in the customer's favour: 200 for 17/31 = 110."""
        period = self.span(meter)
        if not self._is_part(period):
            return quantity
        whole, rest = divmod(quantity * period.days, Decimal(period.full_days))
        return whole + ONE if rest else whole

    def allowance_left(self, quantity: Decimal, meter: str) -> Decimal:
        """What earlier parts of the run have left of it."""
        return max(self.allowance(quantity, meter) - self.before(meter), ZERO)

    def _is_part(self, period: BillingPeriod) -> bool:
        return self.prorate and period.days != period.full_days

    def span(self, meter: str) -> BillingPeriod:
        """The days over which the meter's price stands unchanged."""
        return self.runs[meter].period if meter in self.runs else self.period

    def before(self, meter: str) -> Decimal:
        """Units of those days that came before this part."""
        return self.runs[meter].before if meter in self.runs else ZERO

    def rated(self, meter: str) -> Decimal:
        """What the meter's price asked for those units, before its limits."""
        return self.runs[meter].rated if meter in self.runs else ZERO

    def so_far(self, meter: str) -> "Basis":
        """From the start of the run to the end of this part."""
        return self._of_run(meter, self.period.end)

    def ahead(self, meter: str) -> "Basis | None":
        """The days of the run before this part."""
        if self.begins(meter):
            return None
        return self._of_run(meter, self.period.start)

    def _of_run(self, meter: str, end: date) -> "Basis":
        return replace(self, period=replace(self.span(meter), end=end))

    def begins(self, meter: str) -> bool:
        """Whether the meter's price is new with this part."""
        return self.span(meter).start == self.period.start


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How an amount came about: numerator / denominator × of − less, rounded once."""

    of: Decimal
    numerator: Decimal = ONE
    denominator: Decimal = ONE
    less: Decimal = ZERO

    @property
    def value(self) -> Decimal:
        """Unrounded, multiplied first."""
        with exact():
            return self.of * self.numerator / self.denominator - self.less

    def __str__(self) -> str:
        factor = plain(self.numerator)
        if self.denominator != ONE:
            factor += f"/{plain(self.denominator)}"
        product = plain(self.of) if factor == "1" else f"{factor} × {plain(self.of)}"
        return f"{product} − {plain(self.less)}" if self.less else product


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
    lot: str | None = None  # key of the credits drawn, bought or expired
    arithmetic: Arithmetic | None = None

    @property
    def key(self) -> str:
        """The line's name within its plan: equal for equal lines of two states of a period."""
        meters = "+".join(self.together) or self.meter
        named = (self.kind.value, meters, self.lot, self.label)
        return "/".join(part for part in named if part)


def total(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)


def _no_float(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError("write the number as text, so that it stays exact")
    return value


def _in_proportion(value: Decimal) -> Decimal:
    if abs(value.adjusted()) > LARGEST:
        raise ValueError(f"{value} is out of all proportion")
    return value


Number = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_in_proportion)]
NotNegative = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]


class Terms(BaseModel):
    """The agreed numbers of a price.  Frozen: a change of price is a new plan version."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Limits(Terms):
    """What bounds an amount after rating, of a price or of a plan: discount, then cap, then
    minimum."""

    discount: Annotated[Number, Field(ge=0, le=1)] = ZERO  # a share: 0.10 takes a tenth off
    maximum: NotNegative | None = None  # the most a period costs; not prorated
    minimum: NotNegative = ZERO

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> Self:
        if self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} lies above the maximum {self.maximum}")
        return self

    def limits(self, lines: Iterable[Line], basis: Basis, meter: str) -> Iterator[Line]:
        """The lines that bring the sum of these within what was agreed.

        In a later part of a run they are differences of what is due over its days so far, so that
        a change of plan leaves a price's maximum and minimum what they were.
        """
        if not self.discount and not self.minimum and self.maximum is None:
            return
        ahead = basis.ahead(meter)
        amount = total(lines) + basis.rated(meter)
        was = self._bounds(basis.rated(meter), ahead) if ahead else Bounds()
        now = self._bounds(amount, basis.so_far(meter))
        if off := now.off - was.off:
            how = Arithmetic(amount, -self.discount, less=was.off)
            label = f"{plain(self.discount * 100)} % off"
            yield Line(LineKind.DISCOUNT, label, off, meter or None, arithmetic=how)
        amount += now.off
        if over := now.over - was.over:
            how = Arithmetic(amount + now.over, less=amount + was.over)
            yield Line(LineKind.CAP, "Above the maximum", over, meter or None, arithmetic=how)
        amount += now.over
        if under := now.under - was.under:
            how = Arithmetic(amount + now.under, less=amount + was.under)
            label = "Up to the agreed minimum"
            yield Line(LineKind.MINIMUM, label, under, meter or None, arithmetic=how)

    def _bounds(self, amount: Decimal, basis: Basis) -> "Bounds":
        off = rounded(amount * -self.discount, basis.currency)
        amount, over = amount + off, ZERO
        if self.maximum is not None:
            over = min(rounded(self.maximum, basis.currency) - amount, ZERO)
        least = basis.money(self.minimum) if self.minimum else amount + over
        return Bounds(off, over, max(least - amount - over, ZERO))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a discount and a maximum take off an amount, and what a minimum puts on it."""

    off: Decimal = ZERO
    over: Decimal = ZERO
    under: Decimal = ZERO


class Strategy(Limits):
    """A price model.  A new one is a file with `kind`, `example` and `rate`, and its name in
    `Price`."""

    example: ClassVar[dict[str, Any]]  # terms a person could agree to; tests and forms use it
    falls: ClassVar[bool] = False  # more usage may cost less (volume prices)

    @property
    def cost_based(self) -> bool:
        """Its amounts follow our cost: never explained by unit."""
        return False

    @property
    def meters_priced(self) -> tuple[str, ...]:
        raise NotImplementedError

    @property
    def units(self) -> Mapping[str, str]:
        """The unit in which the terms speak of a meter, where they name one."""
        return {}

    @property
    def fixed_fee(self) -> Decimal:
        """What a full period costs before any usage."""
        return ZERO

    def rate(self, usage: UsageByMeter, basis: Basis) -> Iterator[Line]:
        raise NotImplementedError

    def bill(self, usage: UsageByMeter, basis: Basis) -> list[Line]:
        """The lines of the price, and those of its own discount, maximum and minimum."""
        lines = list(self.rate(usage, basis))
        return [*lines, *self.limits(lines, basis, self.meters_priced[0])]

    def included(self, basis: Basis) -> Decimal | None:
        """Units that the fixed fee of this part still covers, where there is such a limit."""
        return None

    def edges(self, basis: Basis) -> tuple[Decimal, ...]:
        """Quantities at which the price changes, ascending: what a tier ladder shows."""
        return ()


class MeterPrice(Strategy):
    """A price over one meter."""

    meter: str = Field(min_length=1)
    unit: str | None = Field(default=None, min_length=1)  # must be the meter's, if given

    @property
    def meters_priced(self) -> tuple[str, ...]:
        return (self.meter,)

    @property
    def units(self) -> Mapping[str, str]:
        return {self.meter: self.unit} if self.unit else {}


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

    def price_of(self, cost: Decimal | Fraction) -> Fraction:
        """gross_margin 0.03: 100.00 -> 103.0927…; markup 0.03: 100.00 -> 103.00 (unrounded)."""
        if self.gross_margin is not None:
            return Fraction(cost) / Fraction(ONE - self.gross_margin)
        return Fraction(cost) * Fraction(ONE + (self.markup or ZERO))
