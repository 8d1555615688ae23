"""What a bundle includes, and how far a customer is through it.

Over the days for which its price stands: another version of a plan with the same bundle does not
begin it anew, so that used and included are of the same days on every page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data.billed import Billed
from data.money import ZERO, total
from data.periods import DAY
from data.pricing import Bundles, LineKind, RatedPart, TiersWithOverage


@dataclass(frozen=True, slots=True)
class Allowance:
    meter: str
    label: str
    unit: str
    tier: str
    included: Decimal
    used: Decimal
    settled: Decimal  # used up to settled_through: what the pace is taken at
    share_gone: Decimal  # of its days, at settled_through: 0–1
    next_tier: str | None
    has_overage_price: bool
    overage_amount: Decimal  # owed so far for units beyond

    @property
    def left(self) -> Decimal:
        return max(self.included - self.used, ZERO)

    @property
    def beyond(self) -> Decimal:
        return max(self.used - self.included, ZERO)

    @property
    def share_used(self) -> Decimal:
        """Of settled days only, like `share_gone`: the two are what pace compares."""
        return self.settled / self.included if self.included else ZERO


def allowance_of(
    billed: Billed, parts: Sequence[RatedPart], part: RatedPart, bundle: Bundles, seen: date
) -> Allowance:
    """The bundle of the plan in force, which is `part` of the period's `parts`; settled: `seen`."""
    meter = bundle.meter
    span, shown = part.basis.span(meter), billed.meters[meter]
    ladder = [tier.name for tier in sorted(bundle.ladder, key=lambda tier: tier.allowance)]
    larger = ladder[ladder.index(bundle.chosen) + 1 :]
    lines = [line for one in parts if one.period.start in span for line in one.lines]
    return Allowance(
        meter=meter,
        label=shown.label or meter,
        unit=shown.unit,
        tier=bundle.chosen,
        included=part.basis.allowance(bundle.tier.allowance, meter),
        used=billed.shown.usage(meter, span.start, span.end).quantity,
        settled=billed.shown.usage(meter, span.start, min(span.end, seen + DAY)).quantity,
        share_gone=Decimal(span.days_elapsed(seen)) / span.days,
        next_tier=larger[0] if larger else None,
        has_overage_price=isinstance(bundle, TiersWithOverage),
        overage_amount=total(
            line.amount for line in lines if line.kind is LineKind.OVERAGE and line.meter == meter
        ),
    )
