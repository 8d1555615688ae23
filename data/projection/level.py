"""How much is used a day now, how sure that is, and whether use has stopped.

Six memories (the last 7 to 224 days) each say a level.  They are weighted by how long a memory
suits such a customer (steady use: about a week; use in bursts: months) and by how far off each was
on this very history; their geometric mean keeps one burst from running away.  docs/projection.md
has the formulae.

The constants come from the open half of a collection of 198 series (13,780 projections with a
month of history, 829 without) and from nothing else: most by gradient descent on pinball loss,
Brier score and the loss on first months, seven set by hand afterwards on the same half;
docs/projection.md says which.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weekdays = NDArray[np.intp]

MEMORIES = np.array((7, 14, 28, 56, 112, 224))
IN_MONTHS = np.log(MEMORIES / 28)  # of four weeks, as logarithms
WEEKDAY_DAYS = 84  # weekday factors and noise are those of the last twelve weeks
YEAR = 364  # whole weeks
LONE_DAY, LONE_DAY_FROM = 3.0, 28  # times the next highest; from this many days of history
HISTORY_DAYS = YEAR + 31  # more is not looked at

# Preferred memory: 28 days × exp(…), wider or narrower around it, and the weight of past errors.
MEMORY, BY_NOISE, BY_HORIZON, BY_HISTORY = -0.02, 1.70, 0.30, -1.04
WIDTH, WIDTH_BY_NOISE = 0.37, -0.22
TRUST_IN_ERRORS = 1.11
OFFSET = 0.19  # of the mean level: below it, memories are averaged rather than multiplied
SEASON, SEASON_BY_NOISE = -2.64, -1.24  # logit of how much of last year's rise or fall comes again
EARLY, EARLY_BY_NOISE = 0.3, 1.5  # log of the days by which first days overstate
SKEW = 0.02
STOPPED_GAPS, STOPPED_POWER = 37.3, 4.0  # silent days, in usual gaps, and how fast hope fades
# Variance of the rest, relative: noise of days, of the level, memories that disagree, the unknown.
DAY_NOISE, LEVEL_NOISE, DISAGREEMENT = 0.95, 3.3, 1.23
UNKNOWN, FIRST_DAYS, FIRST_DAY = 0.20, 12.0, 0.3
ALTERNATING = 0.8  # days with and without use take turns more evenly than chance would have them
PSEUDO_WEEKS = 2  # of equal weekdays, that weekday factors are shrunk with
LEAST_FACTOR = 0.02


@dataclass(frozen=True, slots=True)
class Level:
    """Units a day on an average weekday, over the days ahead."""

    level: float
    before: float  # the last 28 days' level, 28 days earlier
    weekdays: Floats  # factors, Monday first
    active: float  # probability that use has not stopped
    memory: float  # days looked back, on average
    season: float  # what last year's course made of the level: 1 for nothing
    variance: float  # of the rest's mean level, relative
    variation: float  # standard deviation of a day, relative


def estimate(values: Floats, weekdays: Weekdays, ahead: Weekdays, known_days: int) -> Level | None:
    """The level after `values`, one a day, for the days `ahead`; None where nothing was used.

    `weekdays` (0 Monday – 6 Sunday) are those of the values, `known_days` the length of the whole
    history, of which the values may be the end.
    """
    values = _without_lone_day(values)
    unit = float(values[-WEEKDAY_DAYS:].mean()) or float(values.mean())
    if unit <= 0:
        return None
    values = values / unit  # from here on in units of the mean day
    recent = values[-WEEKDAY_DAYS:]
    factors = _weekday_factors(recent, weekdays[-WEEKDAY_DAYS:])
    horizon = len(ahead)
    used, weight = (np.concatenate(((0.0,), np.cumsum(x))) for x in (values, factors[weekdays]))
    residuals = recent - factors[weekdays[-WEEKDAY_DAYS:]]
    noise2 = _variance(residuals) + 1e-4
    noise = min(max(0.5 * log(_within_weeks(residuals, noise2)), -2.5), 2.0)
    levels = _levels(used, weight, np.array([len(values)]))[0]
    weights = _weights(used, weight, noise, horizon, known_days)
    offset = OFFSET * float(levels.mean()) + 1e-6
    middle = max(exp(weights @ np.log(levels + offset)) - offset, 1e-6)
    season = _season(values, horizon) ** _logistic(SEASON + SEASON_BY_NOISE * noise)
    early = exp(EARLY + EARLY_BY_NOISE * noise) / known_days
    level = max(middle * season * exp(SKEW * (noise + 2.5) - early), 1e-6)
    memory = exp(weights @ np.log(np.minimum(MEMORIES, known_days)))
    spread = float(weights @ (levels - middle * season) ** 2)
    variance = (
        level
        * noise2
        * (DAY_NOISE * horizon / float(factors[ahead].sum()) ** 2 + LEVEL_NOISE / memory)
        + DISAGREEMENT * spread
        + level**2 * UNKNOWN / min(known_days, 365)
        + level**2 * (FIRST_DAYS * noise2 + FIRST_DAY) / known_days**2
    )
    share = float((recent > 0).mean())
    variance *= exp(-ALTERNATING * share * (1 - share))
    return Level(
        level * unit,
        _before(used, weight) * unit,
        factors,
        _active(values),
        memory,
        season,
        variance / level**2 * max(1.0, horizon / 31),  # beyond what was fitted, levels wander
        sqrt(noise2 / level),
    )


def _without_lone_day(values: Floats) -> Floats:
    """One day far above all others is an accident, not a habit: it counts for three of the next."""
    if len(values) < LONE_DAY_FROM:
        return values
    second = float(np.partition(values, -2)[-2])
    return np.minimum(values, LONE_DAY * second) if second > 0 else values


def _variance(values: Floats) -> float:
    return float(values @ values) / len(values) - (float(values.sum()) / len(values)) ** 2


def _within_weeks(residuals: Floats, overall: float) -> float:
    """The variance of days around their own week's mean: a new level is not noise."""
    weeks = len(residuals) // 7
    if weeks < 2:
        return overall
    days = residuals[-7 * weeks :]
    sums = days.reshape(weeks, 7).sum(axis=1)
    return float(days @ days - sums @ sums / 7) / (6 * weeks) + 1e-4


def _weekday_factors(values: Floats, weekdays: Weekdays) -> Floats:
    sums = np.bincount(weekdays, values, 7) + PSEUDO_WEEKS * values.mean()
    counts = np.bincount(weekdays, minlength=7) + PSEUDO_WEEKS
    return np.asarray(np.maximum(sums / counts / (values.mean() or 1.0), LEAST_FACTOR))


def _levels(used: Floats, weight: Floats, until: NDArray[np.intp]) -> Floats:
    """What each memory says after the first `until` days, adjusted for weekdays: (until, 6)."""
    start = np.maximum(until[:, None] - MEMORIES, 0)
    until = until[:, None]
    return np.asarray((used[until] - used[start]) / np.maximum(weight[until] - weight[start], 1e-9))


def _weights(used: Floats, weight: Floats, noise: float, horizon: int, known_days: int) -> Floats:
    """How far each memory is trusted; they add up to 1."""
    preferred = (
        MEMORY
        + BY_NOISE * noise
        + BY_HORIZON * log(min(horizon, 31) / 14)
        + BY_HISTORY * log(min(known_days, 365) / 112)
    )
    width = exp(WIDTH + WIDTH_BY_NOISE * noise)
    logs = -((IN_MONTHS - preferred) ** 2) / (2 * width**2)
    span = min(max(horizon, 7), 28)
    origins = np.arange(len(used) - 1 - span, 13, -3)[:40]
    if len(origins):
        came, share = used[origins + span] - used[origins], weight[origins + span] - weight[origins]
        missed = np.abs(came[:, None] - _levels(used, weight, origins) * share[:, None])
        errors = missed.mean(axis=0) / span + 1e-4
        trust = TRUST_IN_ERRORS * len(origins) / (len(origins) + 4)
        logs = logs - trust * np.log(errors / errors.mean())
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _season(values: Floats, horizon: int) -> float:
    """How the days ahead stood, a year ago, against the four weeks before them: 0.2 to 5."""
    start = len(values) - YEAR
    if start < 28:
        return 1.0
    earlier = float(values[start - 28 : start].mean())
    return min(max(float(values[start:][:horizon].mean()) / earlier, 0.2), 5.0) if earlier else 1.0


def _active(values: Floats) -> float:
    """The probability that a silent customer comes back: silence is counted in usual gaps."""
    used = np.flatnonzero(values)
    silent = len(values) - 1 - int(used[-1])
    share = float((values[-WEEKDAY_DAYS:] > 0).mean()) or len(used) / len(values)
    return float((1 + silent * share / STOPPED_GAPS) ** -STOPPED_POWER)


def _before(used: Floats, weight: Floats) -> float:
    until = max(len(used) - 1 - 28, 0)
    start = max(until - 28, 0)
    return float((used[until] - used[start]) / max(weight[until] - weight[start], 1e-9))


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x))
