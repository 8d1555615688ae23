"""A customer's credits: what is left in which lot, when it runs out, and what will expire unused.

The balance counts every day known, settling ones too (they are provisional).  Ahead, the days come
from the projection: more use means an earlier day, so the quantiles of the day are the days of the
usage's quantiles.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from data.billed import Billed
from data.money import ZERO
from data.outlook import MICRO, Ahead, DayRange
from data.periods import DAY, days_between, periods_between
from data.pricing import Basis, CreditLot, CreditLots, CreditUse, Opening, RatedPart, replay
from data.pricing.ledger import as_decimal
from data.projection import project

HORIZON_DAYS = 366  # beyond a year a run-out day is not in sight
QUANTILES = (0.9, 0.5, 0.1)  # most use first: it runs out earliest


@dataclass(frozen=True, slots=True)
class LotLeft:
    name: str
    bought_on: date
    expires_on: date | None
    credits: Decimal
    credits_left: Decimal
    units_left: Decimal  # of the meter shown
    units_per_credit: Decimal
    price: Decimal
    expected_unused: tuple[Decimal, Decimal] | None = None  # credits expiring at this pace: range


@dataclass(frozen=True, slots=True)
class Credits:
    """Lots that still hold credits, in the order in which they burn."""

    meter: str
    label: str
    unit: str
    lots: tuple[LotLeft, ...]
    used: Decimal  # units in this period
    owed: Decimal  # units that no lot covered
    runs_out: DayRange

    @property
    def credits_left(self) -> Decimal:
        return sum((lot.credits_left for lot in self.lots), Decimal(0))

    @property
    def units_left(self) -> Decimal:
        return sum((lot.units_left for lot in self.lots), Decimal(0))


def credit_balance(
    billed: Billed, ahead: Ahead, part: RatedPart | None, *, today: date, anchor_day: int = 1
) -> Credits | None:
    """The credits as of the end of `today`, the part's last known day."""
    prices = part.plan.prices if part else ()
    price = next((price for price in prices if isinstance(price, CreditLots)), None)
    if part is None or price is None:
        return None
    meter = price.meters[0]
    closing = price.ledger(part.usage, part.basis).closing
    stock = _Stock(price, replace(part.basis, opening=closing), today + DAY, anchor_day)
    paths = [_path(billed, ahead, meter, share, today) for share in QUANTILES]
    shown = billed.meters[meter]
    return Credits(
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        lots=tuple(
            _lot_left(lot, meter, stock, paths)
            for lot in stock.lots
            if lot.usable_on(today + DAY) and closing.credits.get(lot.key)
        ),
        used=part.usage[meter].quantity,
        owed=closing.owed.get(meter, ZERO),
        runs_out=DayRange(*(stock.run_out(meter, path) for path in paths)),
    )


@dataclass(frozen=True, slots=True)
class _Stock:
    """The lots from a day on, with what they still hold."""

    price: CreditLots
    basis: Basis  # its opening is of the day `start`
    start: date
    anchor_day: int

    @property
    def left(self) -> Opening:
        return self.basis.opening or Opening()

    @property
    def lots(self) -> list[CreditLot]:
        return self.price.in_burn_order((*self.basis.lots, *self.left.issued))

    def run_out(self, meter: str, path: list[Decimal]) -> date | None:
        until = self.start + DAY * len(path)
        later = periods_between(self.basis.period.end, until, self.anchor_day)
        return self.price.runs_out_on(meter, path, self.start, self.basis, later)

    def spared(self, lot: CreditLot, meter: str, path: list[Decimal]) -> Fraction:
        """Credits of the lot that expire unused if use follows the path."""
        end = (lot.expires_on or self.start) + DAY
        days = days_between(self.start, min(end, self.start + DAY * len(path)))
        uses = [CreditUse(day, meter, units) for day, units in zip(days, path, strict=False)]
        order = self.price.burn_order
        ledger = replay(self.basis.lots, uses, self.start, end, opening=self.left, burn_order=order)
        return sum((e.credits for e in ledger.expiries if e.lot == lot.key), Fraction(0))


def _path(billed: Billed, ahead: Ahead, meter: str, share: float, today: date) -> list[Decimal]:
    """Units a day from tomorrow on, in one quantile of the use to come."""
    seen = min(ahead.settled_through, today)
    history = billed.shown.quantity.get(meter, {})
    start = max(min(history, default=seen), seen - timedelta(days=83))
    days = [(day, history.get(day, ZERO)) for day in days_between(start, seen + DAY)]
    last = today + DAY * HORIZON_DAYS
    projection = project(days, today + DAY, last, seen)
    return [Decimal(float(value)).quantize(MICRO) for value in projection.path(share)]


def _lot_left(lot: CreditLot, meter: str, stock: _Stock, paths: list[list[Decimal]]) -> LotLeft:
    left = stock.left.credits[lot.key]
    rate = lot.units_per_credit.get(meter, ZERO)
    unused = None
    if lot.expires_on is not None:
        spared = [as_decimal(stock.spared(lot, meter, path)) for path in paths]
        unused = (spared[0], spared[-1])
    return LotLeft(
        name=lot.name,
        bought_on=lot.effective_on,
        expires_on=lot.expires_on,
        credits=lot.credits,
        credits_left=as_decimal(left),
        units_left=as_decimal(left * Fraction(rate)),
        units_per_credit=rate,
        price=lot.price,
        expected_unused=unused,
    )
