"""Which tier of a ladder would cost least, by the mean over the draws of what each would ask for.

A tier without a price beyond its allowance is advised only where nine draws of ten stay within it:
nothing is cheaper by being too small.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from data.ahead import Ahead, exact_paths
from data.billed import Billed
from data.money import digits, rounded
from data.periods import BillingPeriod, period_of
from data.pricing import Bundles, LineKind, Plan, segments
from data.pricing.bulk import UsageColumns, rate_rows
from data.pricing.columns import Column
from data.pricing.tiers import Tier
from data.projection import DRAWS, project

COVERED = 0.9  # share of the draws


@dataclass(frozen=True, slots=True)
class Advice:
    """A tier that would cost less on average, before tax."""

    tier: str
    saves: Decimal


def bundle_of(plan: Plan | None, meter: str) -> Bundles | None:
    """The plan's bundle of the meter, where it has one."""
    for price in plan.prices if plan else ():
        if isinstance(price, Bundles) and price.meter == meter:
            return price
    return None


def advice(billed: Billed, ahead: Ahead, lead: str) -> Advice | None:
    """For this period, where one plan covers all of it."""
    plan = _plan_of_all(billed, ahead.period)
    if lead not in ahead.courses:
        return None
    return _best(plan, lead, ahead.courses[lead].totals, ahead.period)


def next_advice(billed: Billed, ahead: Ahead, lead: str, anchor_day: int) -> Advice | None:
    """For the period that follows, projected from the same day, on the plan agreed for it."""
    period = period_of(ahead.period.full_end, anchor_day)
    plan = _plan_of_all(billed, period)
    if lead not in ahead.courses or not bundle_of(plan, lead):
        return None
    course = ahead.courses[lead]
    last, as_of, quiet = period.last_day, ahead.settled_through, ahead.holidays
    read_by = ahead.calibration(lead)
    projection = project(
        *(course.history, period.start, last, as_of), holidays=quiet, calibration=read_by
    )
    paths = exact_paths(projection.paths, projection, {})
    totals = Column(paths.values.sum(axis=1), paths.scale)
    return _best(plan, lead, totals, period)


def _plan_of_all(billed: Billed, period: BillingPeriod) -> Plan | None:
    """The plan of the whole period; one of a part asks nothing for the other days' usage."""
    parts = segments(billed.stretches, period)
    return parts[0][0] if parts and parts[0][1] == period else None


def _best(plan: Plan | None, lead: str, totals: Column, period: BillingPeriod) -> Advice | None:
    bundle = bundle_of(plan, lead)
    if plan is None or bundle is None:
        return None
    asked = {tier.name: _asked(plan, bundle, tier, totals, period) for tier in bundle.ladder}
    chosen = asked.pop(bundle.chosen)
    enough = [name for name, one in asked.items() if one is not None]
    if chosen is None or not enough:
        return None
    best = min(enough, key=lambda name: (asked[name], name))
    saves = rounded((chosen - (asked[best] or 0)) / 10 ** digits(plan.currency), plan.currency)
    return Advice(best, saves) if saves > 0 else None


def _asked(
    plan: Plan, bundle: Bundles, tier: Tier, totals: Column, period: BillingPeriod
) -> Fraction | None:
    """The mean in smallest units; None where usage outgrows a tier that has no price beyond."""
    alone = plan.model_copy(
        update={
            "prices": (bundle.model_copy(update={"chosen": tier.name}),),
            "monthly_fee": Decimal(0),
            "discount": Decimal(0),
            "maximum": None,
            "minimum": Decimal(0),
            "tax": None,
        }
    )
    (rows,) = rate_rows(alone, {bundle.meter: UsageColumns(totals)}, period)
    beyond = [len(line.rows) for line in rows.lines if line.kind is LineKind.UNPRICED]
    if sum(beyond) > (1 - COVERED) * DRAWS and tier.name != bundle.chosen:
        return None
    return Fraction(int(np.sum(rows.totals)), DRAWS)
