"""One past period, projected after some of its days: what would have been shown, what became of it.

A forecast of counts gives whole probability to single totals, so the probability up to the actual
one jumps there; the transform is a point within the jump, taken from the case's own name, or a
forecast that is right would look too high.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zlib import crc32

from data.advice import bundle_of
from data.ahead import history_of
from data.models import PastProjection
from data.money import ONE, ZERO, total
from data.periods import BillingPeriod, days_between
from data.pricing import Basis, PlanStretch, segments
from data.projection import Projection, project
from data.projection.calibration import HIGH, IDENTITY, LOW, MIDDLE, Calibration, usage_class

CUT_OFFS = (3, 5, 10, 15, 20, 25)  # settled days of the period that a projection knows
COLD_BELOW = 28  # days known before a period, under which it is a cold start
USUAL_GROWTH = Decimal("1.05")  # without an allowance, overage is this much of the period before
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Series:
    """A meter of one subscription as it is known now: billed units by day, from `first_day` on."""

    customer_id: int
    subscription: str
    meter: str
    first_day: date
    quantities: Mapping[date, Decimal]
    totals: Mapping[date, Decimal]  # of the whole periods, by their first day

    @classmethod
    def of(
        cls,
        customer_id: int,
        subscription: str,
        meter: str,
        first_day: date,
        quantities: Mapping[date, Decimal],
        periods: Iterable[BillingPeriod],
    ) -> "Series":
        totals = {
            one.start: total(quantities.get(day, ZERO) for day in days_between(one.start, one.end))
            for one in periods
        }
        return cls(customer_id, subscription, meter, first_day, quantities, totals)

    @property
    def usual(self) -> Decimal:
        """The mean total of a period."""
        return total(self.totals.values()) / len(self.totals)

    @property
    def name(self) -> str:
        return f"{self.customer_id}/{self.subscription}"


def past_projections(
    series: Series,
    period: BillingPeriod,
    limit: Decimal | None,
    calibrations: Mapping[str, Calibration],
    *,
    holidays: Collection[date] = (),
) -> list[PastProjection]:
    """The period's cases, one for each cut-off that lies in it.

    More than `limit` is overage; the period is one of those the series has totals of.
    """
    actual, usual = series.totals[period.start], series.usual
    cold = (period.start - series.first_day).days < COLD_BELOW
    found = []
    for cut_off in CUT_OFFS:
        if cut_off >= period.days:
            break
        as_of = period.start + timedelta(days=cut_off - 1)
        history = history_of(series.quantities, period, series.first_day, as_of)
        made = project(history, period.start, period.last_day, as_of, holidays=holidays)
        kind = usage_class([quantity for _, quantity in history])
        calibration = calibrations.get(kind, IDENTITY)
        known = total(quantity for day, quantity in history if day in period)
        found.append(
            PastProjection(
                customer_id=series.customer_id,
                subscription=series.subscription,
                period_start=period.start,
                cut_off=cut_off,
                period_end=period.end,
                meter=series.meter,
                usage_class=kind,
                cold_start=cold,
                **_shown(made, calibration),
                run_rate=(known * period.days / cut_off).quantize(MICRO),
                actual=actual.quantize(MICRO),
                usual=usual.quantize(MICRO),
                overage_limit=None if limit is None else limit.quantize(MICRO),
                overage_chance=None if limit is None else _chance(made, limit, calibration),
                transform=_transform(made, actual, f"{series.name}/{period.start}/{cut_off}"),
            )
        )
    return found


def _shown(made: Projection, calibration: Calibration) -> dict[str, Decimal]:
    """The quantiles as a page shows them: whole where counts are whole."""
    step = ONE if made.whole else MICRO
    levels = {"p10": LOW, "p50": MIDDLE, "p90": HIGH}
    return {
        name: Decimal(made.quantile(calibration.level(probability))).quantize(step)
        for name, probability in levels.items()
    }


def _chance(made: Projection, limit: Decimal, calibration: Calibration) -> float:
    return 1 - calibration.probability(1 - made.prob_over(limit))


def _transform(made: Projection, actual: Decimal, name: str) -> float:
    step = ONE / 2 if made.whole else MICRO
    below, up_to = (1 - made.prob_over(actual + each) for each in (-step, step))
    return below + (up_to - below) * crc32(name.encode()) / 2**32


def overage_limit(
    stretches: Sequence[PlanStretch],
    period: BillingPeriod,
    meter: str,
    before: Decimal | None,
) -> Decimal | None:
    """The allowance of the period; without one, a twentieth more than the period `before`.

    None where neither is known, or where no one plan had all of the period.
    """
    parts = segments(stretches, period)
    bundles = [bundle for plan, _ in parts if (bundle := bundle_of(plan, meter))]
    if bundles:
        plan, part = parts[0]
        return bundles[0].included(Basis(plan.currency, part)) if part == period else None
    return before * USUAL_GROWTH if before else None
