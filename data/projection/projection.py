"""The total of a period as a distribution: the days known, and draws of the days to come.

Only settled days are observations.  A day that is still settling is a day to come that can't end
below what it has used already.  Counts stay whole.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import lt

import numpy as np

from data.errors import InputError
from data.periods import DAY
from data.projection.calibration import IDENTITY, Calibration
from data.projection.level import HISTORY_DAYS, WEEKDAY_DAYS, Level, Weekdays, estimate
from data.projection.paths import DRAWS, Floats, day_paths, paired
from data.projection.rest import Rest

LITTLE_HISTORY_DAYS = 14
LEVELS = (np.arange(DRAWS) + 0.5) / DRAWS  # of the draws: each stands for as much probability
SUNDAY = 6
WIDEST, NARROWEST = 0.1, 5e3  # shapes of the gamma distribution

History = Sequence[tuple[date, Decimal | float]]


@dataclass(frozen=True, slots=True)
class Components:
    """What a projection is made of, for words: levels are units a day on an average weekday."""

    level: float  # now
    level_before: float  # 28 days earlier; 0: nothing was used then
    weekdays: tuple[float, ...]  # factors, Monday first, mean 1
    days_to_go: int
    active: float  # probability that the customer has not stopped: 0-1
    memory: float  # days that the level looks back, on average
    season: float = 1.0  # what last year's course made of the level


NO_USE = Components(0.0, 0.0, (1.0,) * 7, 0, 1.0, 0.0)


@dataclass(frozen=True)
class Projection:
    """The total of a period, in units of the history."""

    known: float  # of settled days
    days: tuple[date, ...]  # to come, those that are settling included
    rest: Rest  # of those days, before what settling days have used
    components: Components
    little_history: bool  # fewer than 14 settled days
    whole: bool  # the history counts whole units
    shares: Floats  # of the days, add up to 1
    variation: float  # standard deviation of a day over its mean
    weeks: Floats  # sums of the last weeks, oldest first
    floor: Floats  # of each of `days`: used already
    calibration: Calibration = field(default=IDENTITY)

    @cached_property
    def paths(self) -> Floats:
        """Equally likely courses of the days to come, shape (DRAWS, days), by ascending total.

        No day lies below what it has used already.
        """
        if not self.days:
            return np.zeros((DRAWS, 0))
        totals = self._of_rest(LEVELS)
        drawn = np.maximum(
            day_paths(totals, self.shares, self.variation, whole=self.whole), self.floor
        )
        return drawn[np.argsort(drawn.sum(axis=1), kind="stable")] if self._settling else drawn

    @cached_property
    def totals(self) -> Floats:
        """Equally likely totals of the days to come, ascending, shape (DRAWS,)."""
        return self.paths.sum(axis=1) if self._settling else self._of_rest(LEVELS)

    @property
    def mean(self) -> float:
        return self.known + float(self.totals.mean())

    def quantile(self, probability: float) -> float:
        """The total that is not exceeded with this probability; never below what is known."""
        if self._settling:
            found = np.interp(probability, LEVELS, self.totals)
        else:
            found = self._of_rest(np.array([probability]))[0]
        return self.known + float(np.rint(found) if self.whole else found)

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
        more = float(total) - self.known
        if more < 0:
            return 1.0
        if self._settling:
            return float((self.totals > more).mean())
        if self.whole:  # what rounds to more than this many
            more = np.floor(more + 1e-9) + 0.5
        return 1 - self.calibration.probability(1 - self.rest.above(more))

    @property
    def _settling(self) -> bool:
        return bool(self.floor.any())

    def _of_rest(self, probabilities: Floats) -> Floats:
        if self.calibration is not IDENTITY:
            probabilities = np.array([self.calibration.level(float(p)) for p in probabilities])
        found = self.rest.quantile(probabilities)
        return np.rint(found) if self.whole else found


def project(
    history: History,
    start: date,
    last: date,
    as_of: date,
    *,
    floor: Mapping[date, Decimal | float] | None = None,
    holidays: Collection[date] = (),
    calibration: Calibration = IDENTITY,
) -> Projection:
    """The total of the days `start` to `last` (both included).

    `history`: one entry a day without gaps, zeros explicit, ascending up to and with `as_of`, the
    last settled day; it may begin after `start` and end before it.
    `floor`: what days after `as_of` are already known to have used; where nothing was used before,
    that is all there is to go by.
    `holidays`: days, past and to come, that are like Sundays.
    InputError where the history is not one entry a day up to `as_of`, or a quantity not finite.
    """
    _check_days(history, as_of)
    values = _finite("history", history)[-HISTORY_DAYS:]
    first = max(start, as_of + DAY)
    days = tuple(first + DAY * number for number in range((last - first).days + 1))
    least = np.zeros(len(days))
    if floor:
        least = np.maximum(_finite("floor", [(day, floor.get(day, 0)) for day in days]), 0)
    ahead = _weekdays(first, len(days), holidays)
    behind = _weekdays(as_of - DAY * (len(values) - 1), len(values), holidays)
    seen, known_days = values, len(history)
    if least.any() and not (values > 0).any():
        known_days = int(np.flatnonzero(least)[-1]) + 1
        seen, behind = least[:known_days], ahead[:known_days]
    found = None
    if days and len(seen):
        found = estimate(np.maximum(seen, 0), behind, ahead, known_days)
    rest, components, shares, variation = _still_to_come(found, ahead)
    return Projection(
        _known(history, start, last),
        days,
        rest,
        components,
        little_history=known_days < LITTLE_HISTORY_DAYS,
        whole=bool((seen == np.floor(seen)).all()),
        shares=shares,
        variation=variation,
        weeks=_weeks(values),
        floor=least,
        calibration=calibration,
    )


def _check_days(history: History, as_of: date) -> None:
    if not history:
        return
    days = [day for day, _ in history]
    ascend = all(map(lt, days, days[1:]))
    if not (ascend and days[0] + DAY * (len(days) - 1) == days[-1] == as_of):
        raise InputError(f"history must have one entry a day, ascending, and end on {as_of}")


def _finite(name: str, entries: History) -> Floats:
    values = np.array([float(value) for _, value in entries])
    if not np.isfinite(values).all():
        day = entries[int(np.flatnonzero(~np.isfinite(values))[0])][0]
        raise InputError(f"{name} must be finite quantities: that of {day} is not")
    return values


def _known(history: History, start: date, last: date) -> float:
    if not history:
        return 0.0
    opened = history[0][0]
    first, until = max((start - opened).days, 0), max((last - opened).days + 1, 0)
    return float(sum(value for _, value in history[first:until]))


def _weekdays(first: date, count: int, holidays: Collection[date]) -> Weekdays:
    """0 Monday – 6 Sunday; holidays are Sundays."""
    found = (first.weekday() + np.arange(count)) % 7
    for day in holidays:
        if 0 <= (day - first).days < count:
            found[(day - first).days] = SUNDAY
    return found


def _still_to_come(found: Level | None, ahead: Weekdays) -> tuple[Rest, Components, Floats, float]:
    if found is None:
        return Rest(0.0, 1.0, 1.0), NO_USE, np.full(len(ahead), 1 / max(len(ahead), 1)), 1.0
    factors = found.weekdays[ahead]
    shape = min(max(1 / found.variance, WIDEST), NARROWEST)
    components = Components(
        found.level,
        found.before,
        tuple(map(float, found.weekdays)),
        len(ahead),
        found.active,
        found.memory,
        found.season,
    )
    rest = Rest(found.level * float(factors.sum()), shape, found.active)
    return rest, components, factors / factors.sum(), found.variation


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
    full = min(len(values) // 7, 26)
    found: Floats = values[len(values) - 7 * full :].reshape(full, 7).sum(axis=1)
    return found


__all__ = ["HISTORY_DAYS", "WEEKDAY_DAYS", "Components", "Projection", "joint_paths", "project"]
