"""How usage falls over the days: a month's total, spread over its days by weekday, holiday, chance.

Totals come first and days second: a month's total is drawn between two bounds and then shared out
in whole units, so a customer's story ("260–300 segments a month") holds for every seed while its
days look like real ones.  Each month of each flow has its own random stream, named after seed,
account and month: a day's value never depends on which day is today.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random

from data.demo.categories import CATEGORIES
from data.periods import DAY, days_between, period_of

SWELL_MONTHS = 17  # length of the slow wave: not 12, so that years differ
_FIXED_HOLIDAYS = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 24), (12, 25), (12, 26), (12, 31)}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Weights of the days: Monday to Sunday, on a holiday, and how far chance moves them.

    `bursts` is the share of days that carry several times a normal day.
    """

    week: tuple[float, float, float, float, float, float, float]
    holiday: float
    noise: float = 0.15
    bursts: float = 0.0


OFFICE = Rhythm((1.05, 1.1, 1.1, 1.05, 0.95, 0.35, 0.2), holiday=0.2)
SHOP = Rhythm((0.75, 0.85, 0.9, 1.0, 1.2, 1.5, 0.8), holiday=0.4)
CLUB = Rhythm((1.15, 1.1, 1.1, 1.05, 0.9, 0.85, 0.85), holiday=0.6, noise=0.1)
SPIKY = Rhythm((1.0, 1.1, 1.1, 1.0, 1.0, 0.6, 0.5), holiday=0.7, noise=0.5, bursts=0.1)


@dataclass(frozen=True, slots=True)
class Flow:
    """A stream of usage: billed units in a whole month (least, most), shared over leaf categories.

    The shares add up to 1.
    """

    monthly: tuple[int, int]
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Counted:
    """Events and billed units of one leaf on one day; units are never fewer than events."""

    events: int
    units: int

    def so_far(self, percent: int) -> "Counted":
        """What Twilio has counted when it knows of this share; a started unit counts as whole."""
        return Counted(-(-self.events * percent // 100), -(-self.units * percent // 100))


def is_holiday(day: date) -> bool:
    """Fixed dates, and the US floats Labor Day, Thanksgiving and the Friday after it."""
    labor_day = day.month == 9 and day.weekday() == 0 and day.day <= 7
    thursday = day - (day.weekday() == 4) * DAY
    thanksgiving = thursday.month == 11 and thursday.weekday() == 3 and 22 <= thursday.day <= 28
    return (day.month, day.day) in _FIXED_HOLIDAYS or labor_day or thanksgiving


def month_of_usage(
    flow: Flow, rhythm: Rhythm, *, stream: str, month: date
) -> Iterator[tuple[date, dict[str, Counted]]]:
    """The settled days of the month that holds `month`; `stream` names seed and account."""
    name = f"{stream}/{next(iter(flow.shares))}"
    chance = Random(f"{name}/{month:%Y-%m}")  # nosec B311 # a world from a seed
    period = period_of(month)
    days = list(days_between(period.start, period.end))
    total = _monthly_total(flow, name, month, chance)
    amounts = _shared_out(total, [_weight(rhythm, day, chance) for day in days], chance)
    for day, amount in zip(days, amounts, strict=True):
        units = zip(flow.shares, _shared_out(amount, [*flow.shares.values()], chance), strict=True)
        yield day, {leaf: _counted(leaf, n, chance) for leaf, n in units if n}


def _monthly_total(flow: Flow, name: str, month: date, chance: Random) -> int:
    low, high = flow.monthly
    phase = Random(name).random()  # nosec B311 # a world from a seed
    wave = math.sin(math.tau * (phase + (month.year * 12 + month.month) / SWELL_MONTHS))
    return round(low + (high - low) * (0.5 + 0.35 * wave + 0.15 * chance.uniform(-1, 1)))


def _weight(rhythm: Rhythm, day: date, chance: Random) -> float:
    weight = rhythm.week[day.weekday()] * (rhythm.holiday if is_holiday(day) else 1)
    if chance.random() < rhythm.bursts:
        weight *= chance.uniform(4, 9)
    return weight * math.exp(chance.gauss(0, rhythm.noise))


def _shared_out(total: int, weights: list[float], chance: Random) -> list[int]:
    """`total` in whole parts by weight; the parts add up to it, and no place is favoured."""
    scale, offset = total / sum(weights), chance.random()
    edges = [math.floor(edge * scale + offset) for edge in accumulate(weights[:-1])]
    return [end - start for start, end in zip([0, *edges], [*edges, total], strict=True)]


def _counted(leaf: str, units: int, chance: Random) -> Counted:
    """Fewer events than units where an event has several, such as a call its minutes."""
    extra = CATEGORIES[leaf].units_per_event - 1
    return Counted(math.ceil(units / (1 + extra * chance.uniform(0.8, 1.2))), units)
