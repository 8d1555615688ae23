"""Re-calibration by rule: at which level a forecast is read so that its chances come true.

What a forecast said of a total that is known now is one number: the probability it gave to totals
up to the actual one (its probability integral transform).  Calibrated forecasts give numbers spread
evenly over 0–1.  Where a tenth of them lies above .95, the quantile shown as p90 is read at .95
from then on (quantile recalibration, Kuleshov, Fenner and Ermon 2018; the edges take the next
value outwards, as in conformal prediction, Vovk et al. 2005).  Few cases say little: the
level found counts with weight n / (n + 200), and no edge moves further than its bounds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor
from typing import Literal, get_args

UsageClass = Literal["regular", "intermittent", "sparse", "idle"]
USAGE_CLASSES: tuple[UsageClass, ...] = get_args(UsageClass)
CLASS_DAYS = 84  # a class is taken from the last days
REGULAR_FROM, INTERMITTENT_FROM = 0.9, 0.3  # share of days with use

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
HALF_TRUSTED = 200  # cases at which what they say counts for half
BOUNDS = {LOW: (0.02, 0.25), MIDDLE: (0.3, 0.7), HIGH: (0.75, 0.98)}


def usage_class(history: Sequence[Decimal | float]) -> UsageClass:
    """How a customer uses a meter, from one entry a day up to the last settled one.

    Idle: nothing was used in the last 84 days, so there is nothing to project from.
    """
    days = history[-CLASS_DAYS:]
    used = sum(1 for quantity in days if quantity)
    if not used:
        return "idle"
    if used >= REGULAR_FROM * len(days):
        return "regular"
    return "intermittent" if used >= INTERMITTENT_FROM * len(days) else "sparse"


@dataclass(frozen=True, slots=True)
class Calibration:
    """The levels at which p10, p50 and p90 are read; between them, in a straight line."""

    low: float = LOW
    middle: float = MIDDLE
    high: float = HIGH
    cases: int = 0  # past projections it was taken from
    computed_on: date | None = None

    def level(self, probability: float) -> float:
        """Where the uncalibrated forecast is read for this probability, 0–1 to 0–1, ascending."""
        return _on_a_line(probability, (0.0, LOW, MIDDLE, HIGH, 1.0), self._levels)

    def probability(self, level: float) -> float:
        """What a probability of the uncalibrated forecast really is: the inverse of `level`."""
        return _on_a_line(level, self._levels, (0.0, LOW, MIDDLE, HIGH, 1.0))

    @property
    def _levels(self) -> tuple[float, ...]:
        return (0.0, self.low, self.middle, self.high, 1.0)


IDENTITY = Calibration()


def recalibrated(transforms: Iterable[float], *, on: date | None = None) -> Calibration:
    """The calibration that past cases ask for; without any, the identity.

    `transforms`: of each case, the probability that the uncalibrated forecast gave to totals up to
    the actual one.
    """
    ordered = sorted(transforms)
    if not ordered:
        return IDENTITY
    many = len(ordered)
    found = {
        LOW: ordered[max(floor((many + 1) * LOW) - 1, 0)],
        MIDDLE: (ordered[(many - 1) // 2] + ordered[many // 2]) / 2,
        HIGH: ordered[min(ceil((many + 1) * HIGH), many) - 1],
    }
    low, middle, high = (_trusted(level, shown, many) for shown, level in found.items())
    return Calibration(low, middle, high, many, on)


def _trusted(level: float, shown: float, cases: int) -> float:
    weight = cases / (cases + HALF_TRUSTED)
    least, most = BOUNDS[shown]
    return min(max(weight * level + (1 - weight) * shown, least), most)


def _on_a_line(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Piecewise linear through the points; beyond the first and the last, their values."""
    x = min(max(x, xs[0]), xs[-1])
    for (x0, y0), (x1, y1) in pairwise(zip(xs, ys, strict=True)):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return ys[-1]
