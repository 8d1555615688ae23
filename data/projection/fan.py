"""The courses a period's total may take over the days to come: a middle and an 80 % range a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from data.projection.paths import DRAWS
from data.projection.projection import Projection

RANKS = [round((DRAWS - 1) * share) for share in (0.1, 0.5, 0.9)]
DIGITS = 6  # of quantities, as stored


@dataclass(frozen=True, slots=True)
class Fan:
    """The total since the period began, as it may stand at the end of each of the days to come."""

    days: tuple[date, ...]
    low: tuple[Decimal, ...]
    likely: tuple[Decimal, ...]
    high: tuple[Decimal, ...]


def fan(projection: Projection) -> Fan | None:
    """Each day's 10th, 50th and 90th percentile over the paths; None where no day is to come.

    They are percentiles of each day on its own: no single path need run along one of them.
    """
    if not projection.days:
        return None
    totals = projection.known + np.cumsum(projection.paths, axis=1)
    low, likely, high = np.sort(totals, axis=0)[RANKS]
    return Fan(projection.days, _exact(low), _exact(likely), _exact(high))


def _exact(values: np.typing.NDArray[np.float64]) -> tuple[Decimal, ...]:
    return tuple(Decimal(repr(round(float(value), DIGITS))) for value in values)
