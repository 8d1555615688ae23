"""How each strategy prices many rows at once: the engine's lines, as arrays.

A path says with arrays what the strategy's `rate` says of one usage, on a period or a part of it.
Those of bands are in band_paths.py.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from data.money import ONE, ZERO
from data.pricing.band_paths import graduated, graduated_margin, volume
from data.pricing.columns import Column, added, rescaled, whole, zeros
from data.pricing.credit_lots import CreditLots
from data.pricing.fixed_margin import FixedMargin
from data.pricing.graduated import Graduated
from data.pricing.graduated_margin import GraduatedMargin
from data.pricing.package import Package
from data.pricing.per_unit import PerUnit
from data.pricing.rows import CreditColumns, Piece, Rows, UsageColumns, factor
from data.pricing.strategy import ALL_USAGE, LineKind, Strategy
from data.pricing.tiers import Tiers
from data.pricing.tiers_with_overage import OverageTier, TiersWithOverage
from data.pricing.volume import Volume

__all__ = ["PATHS", "CreditColumns", "Piece", "Rows", "UsageColumns"]


def _per_unit(price: PerUnit, rows: Rows) -> Iterator[Piece]:
    units = rows.quantity(price.meter)
    amounts = rows.priced(units, price.unit_amount)
    yield Piece(LineKind.USAGE, "Usage", price.meter, units.values != 0, amounts, units)


def _bundle(price: Tiers | TiersWithOverage, rows: Rows) -> Iterator[Piece]:
    tier, meter = price.tier, price.meter
    ones = Column(np.ones(rows.size, dtype=np.int64))
    yield Piece(LineKind.FEE, tier.name, meter, rows.all, rows.share(tier.fee), ones)
    allowance = rows.allowance(tier.allowance, meter)
    units = rows.quantity(meter, allowance)
    limit = whole(allowance, units.scale)
    within = Column(np.minimum(units.values, limit), units.scale)
    yield Piece(LineKind.INCLUDED, "Within the allowance", meter, within.values != 0, 0, within)
    beyond = Column(units.values - within.values, units.scale)
    where = beyond.values > 0
    if isinstance(tier, OverageTier):
        amounts = rows.priced(beyond, tier.overage_amount)
        yield Piece(LineKind.OVERAGE, "Overage", meter, where, amounts, beyond)
    else:
        yield Piece(LineKind.UNPRICED, "Beyond the allowance", meter, where, 0, beyond)


def _package(price: Package, rows: Rows) -> Iterator[Piece]:
    meter, size = price.meter, price.package_size
    included = rows.allowance(price.free_units, meter)
    units = rows.quantity(meter, included, size)
    limit = whole(included, units.scale)
    free = Column(np.minimum(units.values, limit), units.scale)
    yield Piece(LineKind.INCLUDED, "Free units", meter, free.values != 0, 0, free)
    beyond = Column(units.values - free.values, units.scale)
    started = -(-beyond.values // whole(size, units.scale))
    amounts = rows.priced(Column(started), price.package_amount)
    label = f"Packages of {size:,f}"
    yield Piece(LineKind.USAGE, label, meter, beyond.values > 0, amounts, beyond)


def _fixed_margin(price: FixedMargin, rows: Rows) -> Iterator[Piece]:
    meters = price.meters_priced
    scale = max(rows.cost(meter).scale for meter in meters)
    cost, used = zeros(rows.size), ~rows.all
    for meter in meters:
        one = rescaled(rows.cost(meter), scale)
        used |= rows.used(meter)
        cost = added(cost, slice(None), one.values)
    amounts = rows.priced(Column(cost, scale), factor(price))
    if len(price.meters) == 1:
        units = rows.quantity(meters[0])
        label = f"Usage of {meters[0]}"
        yield Piece(LineKind.USAGE, label, meters[0], used, amounts, units)
    else:
        yield Piece(LineKind.USAGE, "Usage", ALL_USAGE, used, amounts)


def _credit_lots(price: CreditLots, rows: Rows) -> Iterator[Piece]:
    """The lines that ask for money, and those of units that no lot covered."""
    assert rows.credits is not None
    for line in rows.credits.packs:
        ones = Column(np.ones(rows.size, dtype=np.int64))
        yield Piece(line.kind, line.label, None, rows.all, rows.smallest_units(line), ones)
    for meter, units in rows.credits.shortfall.items():
        beyond, where = price.beyond(meter, ONE, rows.basis), units.values > 0
        amounts = rows.priced(units, beyond.unit_amount or ZERO)
        yield Piece(beyond.kind, beyond.label, meter, where, amounts, units)


PATHS: Mapping[type[Strategy], Callable[[Any, Rows], Iterator[Piece]]] = {
    PerUnit: _per_unit,
    Tiers: _bundle,
    TiersWithOverage: _bundle,
    Package: _package,
    FixedMargin: _fixed_margin,
    Graduated: graduated,
    GraduatedMargin: graduated_margin,
    Volume: volume,
    CreditLots: _credit_lots,
}
