"""What was agreed, as values for a customer: a plan version's terms and what each unit costs.

A price that follows our cost has neither a unit price nor a margin here, only its bands' edges.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data.meters import meters_of
from data.money import ZERO
from data.pricing import (
    ALL_USAGE,
    Basis,
    Bundles,
    CreditLots,
    Graduated,
    GraduatedMargin,
    Meter,
    Pack,
    Package,
    PerUnit,
    Plan,
    Price,
    TiersWithOverage,
    Volume,
)
from data.pricing.recurring import RecurringGrant


@dataclass(frozen=True, slots=True)
class Step:
    """Units above `start`, up to and with `up_to`, at one price."""

    start: Decimal
    up_to: Decimal | None  # None: open
    unit_amount: Decimal | None  # what one more unit costs; None: it is not told by the unit
    flat_fee: Decimal = ZERO  # due once its first unit is used
    priced: bool = True  # False: the plan has no price for them

    @property
    def included(self) -> bool:
        return self.priced and self.unit_amount == 0 and not self.flat_fee


@dataclass(frozen=True, slots=True)
class TierTerms:
    """Of a full period."""

    name: str
    fee: Decimal
    allowance: Decimal
    unit_amount: Decimal | None  # of a unit beyond it; None: it has no price


@dataclass(frozen=True, slots=True)
class PackTerms:
    name: str
    credits: Decimal
    price: Decimal
    units_per_credit: Mapping[str, Decimal]  # by the label of what a credit buys


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """One price of a plan; what its kind does not know is empty."""

    kind: str
    meter: str  # the first one that it prices
    labels: tuple[str, ...]  # of what it prices; none: everything
    unit: str
    steps: tuple[Step, ...] = ()
    tiers: tuple[TierTerms, ...] = ()  # smallest first
    chosen: str = ""
    package_size: Decimal = ZERO
    package_amount: Decimal = ZERO
    packs: tuple[PackTerms, ...] = ()
    every_period: tuple[PackTerms, ...] = ()  # credits that come anew
    beyond_credits: str = ""  # owed, overage_price or unpriced
    overage_amount: Decimal | None = None
    discount: Decimal = ZERO  # a share
    minimum: Decimal = ZERO
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan version as it was agreed from a day on; amounts are before tax."""

    name: str
    version: int
    since: date
    currency: str
    prorated: bool
    prices: tuple[PriceTerms, ...]
    monthly_fee: Decimal = ZERO
    discount: Decimal = ZERO  # a share
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    tax: str = ""
    tax_rate: Decimal = ZERO


def plan_terms(plan: Plan, since: date, basis: Basis) -> PlanTerms:
    """The version's terms; the steps are those of the basis, whose period may be a part."""
    return PlanTerms(
        name=plan.name,
        version=plan.version,
        since=since,
        currency=plan.currency,
        prorated=plan.prorate == "days",
        prices=tuple(price_terms(price, meters_of(plan), basis) for price in plan.prices),
        monthly_fee=plan.monthly_fee,
        discount=plan.discount,
        minimum=plan.minimum,
        maximum=plan.maximum,
        tax=plan.tax.name if plan.tax else "",
        tax_rate=plan.tax.rate if plan.tax else ZERO,
    )


def price_terms(price: Price, meters: Mapping[str, Meter], basis: Basis) -> PriceTerms:
    names = [name for name in price.meters_priced if name != ALL_USAGE]
    labels = tuple(meters[name].label or name for name in names)
    first = price.meters_priced[0]
    own: dict[str, object] = {}
    if isinstance(price, Bundles):
        own = {"tiers": tuple(_tiers(price)), "chosen": price.chosen}
    elif isinstance(price, Package):
        own = {"package_size": price.package_size, "package_amount": price.package_amount}
    elif isinstance(price, CreditLots):
        own = _credits(price, meters)
    return PriceTerms(
        kind=price.kind,
        meter=first,
        labels=labels,
        unit=meters[first].unit if first in meters else "",
        steps=tuple(steps_of(price, basis)),
        discount=price.discount,
        minimum=price.minimum,
        maximum=price.maximum,
        **own,  # type: ignore[arg-type]  # the fields of this kind
    )


def _tiers(price: Bundles) -> Iterator[TierTerms]:
    priced = isinstance(price, TiersWithOverage)
    for tier in sorted(price.ladder, key=lambda one: one.allowance):
        beyond = getattr(tier, "overage_amount", None) if priced else None
        yield TierTerms(tier.name, tier.fee, tier.allowance, beyond)


def _credits(price: CreditLots, meters: Mapping[str, Meter]) -> dict[str, object]:
    def terms(pack: Pack | RecurringGrant) -> PackTerms:
        rates = {meters[m].label or m: rate for m, rate in pack.units_per_credit.items()}
        return PackTerms(pack.name, pack.credits, pack.price, rates)

    return {
        "packs": tuple(terms(pack) for pack in price.packs),
        "every_period": tuple(terms(grant) for grant in price.recurring),
        "beyond_credits": price.shortfall,
        "overage_amount": price.overage_amount,
    }


def steps_of(price: Price, basis: Basis) -> Iterator[Step]:
    """What each unit of the basis' days costs, from the first one on; of volume prices the price of
    all units once they are so many."""
    match price:
        case Bundles():
            included = basis.allowance(price.tier.allowance, price.meter)
            beyond = getattr(price.tier, "overage_amount", None)
            yield Step(ZERO, included, ZERO)
            yield Step(included, None, beyond, priced=beyond is not None)
        case PerUnit():
            yield Step(ZERO, None, price.unit_amount)
        case Package():
            if free := basis.allowance(price.free_units, price.meter):
                yield Step(ZERO, free, ZERO)
            yield Step(free, None, None)
        case Graduated() | Volume() | GraduatedMargin():
            yield from _band_steps(price)


def _band_steps(price: Graduated | Volume | GraduatedMargin) -> Iterator[Step]:
    start = ZERO
    for position, band in enumerate(price.bands):
        last = position == len(price.bands) - 1
        goes_on = last and price.above_last == "continue"
        unit, flat = getattr(band, "unit_amount", None), getattr(band, "flat_fee", ZERO)
        yield Step(start, None if goes_on else band.up_to, unit, flat)
        if last and not goes_on and band.up_to is not None:
            yield Step(band.up_to, None, None, priced=price.above_last != "unpriced")
        start = band.up_to or start
