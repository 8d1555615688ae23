"""A customer's credits: what is left in which lot, when it runs out, and what will expire unused.

The balance counts every day known, settling ones too (they are provisional).  Ahead, the days come
from the projection: more use means an earlier day, so the quantiles of the day are the days of the
usage's quantiles.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from data.money import ZERO
from data.outlook import MICRO, Ahead, DayRange
from data.periods import DAY, BillingPeriod, days_between
from data.pricing import CreditLot, CreditLots, CreditUse, Opening, Plan, replay
from data.pricing.ledger import as_decimal, run_out_day
from data.projection import project
from data.statement import Billed

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
    billed: Billed, ahead: Ahead, in_force: tuple[Plan, BillingPeriod] | None, *, today: date
) -> Credits | None:
    """The credits as of the end of `today`, or of the period if that is over."""
    prices = in_force[0].prices if in_force else ()
    price = next((price for price in prices if isinstance(price, CreditLots)), None)
    if in_force is None or price is None:
        return None
    plan, part = in_force
    meter = price.meters[0]
    usage = billed.priced[plan.id].usages(price.meters, part.start, today + DAY)
    ledger = replay(
        billed.lots,
        price.uses(usage),
        part.start,
        today + DAY,
        opening=billed.opening_of(part, ahead.period),
        carry=price.shortfall == "owed",
    )
    paths = [_path(billed, ahead, meter, share, today) for share in QUANTILES]
    runs_out = [
        run_out_day(billed.lots, meter, path, today + DAY, ledger.closing) for path in paths
    ]
    shown = billed.meters[meter]
    lots = tuple(
        _lot_left(lot, meter, billed, ledger.closing, paths, today)
        for lot in sorted(billed.lots, key=CreditLot.burn_order)
        if lot.usable_on(today + DAY) and ledger.closing.credits.get(lot.key)
    )
    return Credits(
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        lots=lots,
        used=usage[meter].quantity,
        owed=ledger.closing.owed.get(meter, ZERO),
        runs_out=DayRange(*runs_out),
    )


def _path(billed: Billed, ahead: Ahead, meter: str, share: float, today: date) -> list[Decimal]:
    """Units a day from tomorrow on, in one quantile of the use to come."""
    seen = min(ahead.settled_through, today)
    history = billed.shown.quantity.get(meter, {})
    start = max(min(history, default=seen), seen - timedelta(days=83))
    days = [(day, history.get(day, ZERO)) for day in days_between(start, seen + DAY)]
    last = today + DAY * HORIZON_DAYS
    projection = project(days, today + DAY, last, seen)
    return [Decimal(float(value)).quantize(MICRO) for value in projection.path(share)]


def _lot_left(
    lot: CreditLot,
    meter: str,
    billed: Billed,
    closing: Opening,
    paths: list[list[Decimal]],
    today: date,
) -> LotLeft:
    left = closing.credits[lot.key]
    rate = lot.units_per_credit.get(meter, ZERO)
    unused = None
    if lot.expires_on is not None:
        spared = [as_decimal(_spared(lot, meter, billed, closing, path, today)) for path in paths]
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


def _spared(
    lot: CreditLot,
    meter: str,
    billed: Billed,
    closing: Opening,
    path: list[Decimal],
    today: date,
) -> Fraction:
    """Credits of the lot that expire unused if use follows the path."""
    start, end = today + DAY, (lot.expires_on or today) + DAY
    days = days_between(start, min(end, start + DAY * len(path)))
    uses = [CreditUse(day, meter, units) for day, units in zip(days, path, strict=False)]
    ledger = replay(billed.lots, uses, start, end, opening=closing)
    return sum((e.credits for e in ledger.expiries if e.lot == lot.key), Fraction(0))
