"""Where a period's usage will end, as a distribution: what is known, and draws of the rest.

Method: the level is the mean of the last 7 and the last 28 settled days, each adjusted for its
weekdays; the rest of the period is that level times the weekday factors of the days to come.  The
rest is gamma distributed with that mean and a variance made of day noise (× days left), of how
well the level is known (× days left²) and of a floor of 10 % for what no history tells.  Weekday
factors come from the last 12 weeks, shrunk towards 1 by two pseudo-weeks.  Its gamma quantiles are
Wilson and Hilferty's (1931) cube of a normal, scaled to the mean.

Only settled days are observations; settling days bound the draws from below (outlook.py).
Floats live in this file only; money never does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from statistics import NormalDist

import numpy as np

from data.projection.paths import DRAWS, Floats, day_paths, paired

WEEKDAY_DAYS = 84
LITTLE_HISTORY_DAYS = 14
Z10 = 1.2815515655446004  # normal score of the 90th percentile

_PROBABILITIES = (np.arange(DRAWS) + 0.5) / DRAWS
_SCORES = np.array([NormalDist().inv_cdf(float(p)) for p in _PROBABILITIES])


@dataclass(frozen=True, slots=True)
class Components:
    """What a projection is made of, for words: levels are units a day on an average weekday."""

    level: float  # now
    level_before: float  # 28 days earlier; 0: nothing was used then
    weekdays: tuple[float, ...]  # factors, Monday first, mean 1
    days_to_go: int
    active: float  # probability that the customer has not stopped: 0-1
    memory: float  # days that the level looks back, on average


@dataclass(frozen=True)
class Projection:
    """The total of a period, in units of the history.

    `draws` are equally likely totals of the days to come, ascending; draw i of one meter goes
    with draw i of another, so that a customer's meters rise and fall together.  `profile` says
    how a draw spreads over `days`, and sums to 1.
    """

    known: float
    draws: Floats
    days: tuple[date, ...]
    profile: Floats
    little_history: bool
    whole: bool  # the history counts whole units
    components: Components
    variation: float = 1.0  # standard deviation of a day over its mean
    weeks: Floats = field(default_factory=lambda: np.zeros(0))  # sums of the weeks behind
    floor: Floats = field(default_factory=lambda: np.zeros(0))  # of each of `days`: already used

    @cached_property
    def paths(self) -> Floats:
        """Equally likely courses of the days to come, shape (DRAWS, days), by ascending total.

        No day lies below what it is known to have used already.
        """
        drawn = day_paths(self.draws, self.profile, self.variation, whole=self.whole)
        return np.maximum(drawn, self.floor) if len(self.floor) else drawn

    @property
    def mean(self) -> float:
        return self.known + float(self.draws.mean())

    def quantile(self, probability: float) -> float:
        """The total that is not exceeded with this probability; never below what is known."""
        return self.known + float(np.interp(probability, _PROBABILITIES, self.draws))

    @property
    def p10(self) -> float:
        return self.quantile(0.1)

    @property
    def p50(self) -> float:
        return self.quantile(0.5)

    @property
    def p90(self) -> float:
        return self.quantile(0.9)

    def prob_over(self, total: float | Decimal) -> float:
        """P(the period's total is above `total`)."""
        above = float(total) - self.known
        if above < 0:
            return 1.0
        return float(1 - np.interp(above, self.draws, _PROBABILITIES, left=0.0, right=1.0))

    def path(self, probability: float) -> Floats:
        """The days to come in one draw of the rest."""
        return self.profile * (self.quantile(probability) - self.known)


def project(
    history: Sequence[tuple[date, Decimal | float]],
    start: date,
    last: date,
    as_of: date,
    *,
    floor: Mapping[date, Decimal | float] | None = None,
    holidays: Collection[date] = (),
) -> Projection:
    """The total of the days `start` to `last` (both included).

    `floor`: what is already known to have been used on days after `as_of` (settling days).
    `holidays`: days, past and to come, on which customers behave as on Sundays.

    `history`: one entry a day without gaps, zeros explicit, ascending up to and with `as_of`, the
    last settled day; it may begin after `start` and end before it.
    """
    values = np.array([float(value) for _, value in history])
    in_period = np.array([start <= day <= last for day, _ in history], dtype=bool)
    known = float(values[in_period].sum())
    first = max(start, as_of + timedelta(days=1))
    days = tuple(first + timedelta(days=i) for i in range((last - first).days + 1))
    little = len(values) < LITTLE_HISTORY_DAYS
    whole = bool((values == np.floor(values)).all())
    if not days or not values.any():
        flat = np.full(len(days), 1 / max(len(days), 1))
        nothing = Components(0, 0, (1.0,) * 7, len(days), 1.0, 28.0)
        return Projection(
            known,
            np.zeros(DRAWS),
            days,
            flat,
            little,
            whole,
            nothing,
            weeks=_weeks(values),
            floor=_floor(floor, days),
        )
    factors, level, noise = _level(values[-WEEKDAY_DAYS:], as_of)
    ahead = np.array([factors[day.weekday()] for day in days])
    mean = level * float(ahead.sum())
    uncertain = noise * len(days) * (1 + len(days) / min(len(values), 28)) + 0.01 * mean**2
    if little:  # a fortnight says little about a month: half as much again either way
        uncertain += 0.25 * mean**2 * (1 - len(values) / LITTLE_HISTORY_DAYS)
    draws = _gamma_quantiles(mean, uncertain)
    components = Components(level, level, tuple(factors), len(days), 1.0, 28.0)
    return Projection(
        known,
        draws,
        days,
        ahead / ahead.sum(),
        little,
        whole,
        components,
        variation=(noise / 2) ** 0.5 / level if level else 1.0,
        weeks=_weeks(values),
        floor=_floor(floor, days),
    )


def joint_paths(projections: Mapping[str, Projection]) -> dict[str, Floats]:
    """Paths of several meters: row i of one happens together with row i of the others."""
    if not projections:
        return {}
    orders = paired([one.weeks for one in projections.values()])
    return {
        meter: one.paths[order]
        for (meter, one), order in zip(projections.items(), orders, strict=True)
    }


def _weeks(values: Floats) -> Floats:
    full = len(values) // 7
    found: Floats = values[len(values) - 7 * full :].reshape(full, 7).sum(axis=1)[-26:]
    return found


def _floor(floor: Mapping[date, Decimal | float] | None, days: Sequence[date]) -> Floats:
    return np.array([float((floor or {}).get(day, 0)) for day in days])


def _level(values: Floats, as_of: date) -> tuple[Floats, float, float]:
    """Weekday factors, units a day on a day of factor 1, and the variance of a day."""
    weekdays = (as_of.weekday() - np.arange(len(values))[::-1]) % 7
    mean = float(values.mean())
    sums = np.bincount(weekdays, values, 7) + 2 * mean
    factors = sums / (np.bincount(weekdays, minlength=7) + 2) / mean
    factors = np.maximum(factors, 0.02)
    adjusted = [float(values[-n:].sum() / factors[weekdays[-n:]].sum()) for n in (7, 28)]
    level = (adjusted[0] + adjusted[1]) / 2
    residuals = values - mean * factors[weekdays]
    variance = (float((residuals**2).sum()) + mean**2) / (len(values) + 1)
    return factors, level, 2 * variance * (level / mean)


def _gamma_quantiles(mean: float, variance: float) -> Floats:
    """Ascending quantiles of a gamma distribution at the mid-points of equal probabilities."""
    if mean <= 0:
        return np.zeros(DRAWS)
    shape = max(mean**2 / variance, 0.05)
    cube = 1 - 1 / (9 * shape) + _SCORES / (3 * shape**0.5)
    raw: Floats = np.maximum(cube, 0.0) ** 3
    scaled: Floats = raw * (mean / float(raw.mean())) if raw.any() else raw
    return scaled
