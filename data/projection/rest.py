"""What is still to come of a period: nothing, if use has stopped, or an amount from a gamma
distribution, the natural one for sums that are never negative.

Its distribution function is summed on a grid over log x, where the density is smooth; below the
grid it is the power law that it tends to there.  No table, no iteration.
"""

from dataclasses import dataclass
from functools import cached_property
from math import exp, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = np.finfo(float).tiny
GRID = np.linspace(0.0, 1.0, 256)


@dataclass(frozen=True)
class Rest:
    """With probability `active` a gamma of this mean and shape (1 / relative variance), else 0."""

    mean_if_active: float
    shape: float
    active: float

    def quantile(self, levels: Floats) -> Floats:
        """The amounts not exceeded with these probabilities (0–1)."""
        if not self.mean_if_active:
            return np.zeros(len(levels))
        inner = np.minimum(np.maximum((levels - (1 - self.active)) / self.active, 0.0), 1.0)
        log_x, below = self._grid
        found = np.interp(inner, below, log_x)
        tail = (np.log(np.maximum(inner, LEAST)) + lgamma(self.shape + 1)) / self.shape
        found = np.where(inner < below[0], np.minimum(tail, log_x[0]), found)
        return np.where(inner > 0, np.exp(found) * (self.mean_if_active / self.shape), 0.0)

    def above(self, amount: float) -> float:
        """P(more than `amount` comes), for an amount from 0 on."""
        if not self.mean_if_active:
            return 0.0
        x = amount * self.shape / self.mean_if_active
        log_x, below = self._grid
        if x <= 0:
            return self.active
        if log(x) < log_x[0]:
            power_law = min(self.shape * log(x) - lgamma(self.shape + 1), 0.0)
            return self.active * (1 - min(exp(power_law), float(below[0])))
        return self.active * (1 - float(np.interp(log(x), log_x, below)))

    @cached_property
    def _grid(self) -> tuple[Floats, Floats]:
        """log x of the gamma of scale 1, and the probability below it."""
        shape, width = self.shape, 1 / sqrt(self.shape)
        lowest = log(shape) - min(6 * width, 10.0)
        highest = log(shape + 6 * sqrt(shape) + 16)
        log_x = lowest + (highest - lowest) * GRID
        density = np.exp(shape * log_x - np.exp(log_x) - lgamma(shape))
        steps = (density[1:] + density[:-1]) / 2 * (log_x[1] - log_x[0])
        x = exp(lowest)
        first = exp(shape * lowest - x - lgamma(shape + 1)) * (1 + x / (shape + 1))
        below = np.concatenate(((first,), first + np.cumsum(steps)))
        return log_x, below / below[-1]
