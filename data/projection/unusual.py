"""Days that fall outside what the days before them let expect.

Each settled day is projected from the days before it, one day ahead.  Single days lie further out
than that projection has them: outside of its middle 99.8 % about one in a hundred lies (measured on
198 series of real use), and is unusual.  It never is within what its weekday had in the last twelve
weeks, nor, where use comes in bursts (fewer than nine days in ten), below the highest day behind:
the record of n days is beaten by chance once in n.

For the days after it a flagged day counts as its bound, so that one spike neither raises the bounds
nor widens them.  Three flagged days running on the same side are no exception but how things are
now, and count in full.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from data.projection.projection import project

LEAST_HISTORY_DAYS, SEEN_DAYS = 28, 84
LOW, HIGH = 0.001, 0.999
NEW_USUAL_DAYS = 3
REGULAR = 0.9  # share of days with use
ONE, MICRO = Decimal(1), Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """What was used on a day, and between what it lies 99 times in 100; units of the history."""

    day: date
    quantity: Decimal
    low: Decimal
    high: Decimal

    @property
    def above(self) -> bool:
        return self.quantity > self.high


def unusual_days(
    history: Sequence[tuple[date, Decimal]],
    start: date,
    last_settled: date,
    *,
    holidays: Collection[date] = (),
) -> tuple[UnusualDay, ...]:
    """The unusual ones of the days from `start` to `last_settled`, oldest first.

    `history`: one entry a day without gaps, zeros explicit, ascending.  A day with fewer than 28
    days before it is never unusual.
    """
    found: list[UnusualDay] = []
    counted = list(history)
    for at, (day, quantity) in enumerate(history):
        if at < LEAST_HISTORY_DAYS or not start <= day <= last_settled:
            continue
        if _has_been_seen(quantity, counted[max(at - SEEN_DAYS, at % 7) : at : 7]):
            continue
        low, high = _bounds(counted[:at], day, holidays)
        if low <= quantity <= high:
            continue
        found.append(UnusualDay(day, quantity, low, high))
        if _is_how_things_are_now(found):
            since = at + 1 - NEW_USUAL_DAYS
            counted[since : at + 1] = history[since : at + 1]
        else:
            counted[at] = (day, min(max(quantity, low), high))
    return tuple(found)


def _has_been_seen(quantity: Decimal, same_weekday: Sequence[tuple[date, Decimal]]) -> bool:
    """Within what this weekday had in the last weeks: most days are, and need no more."""
    seen = [value for _, value in same_weekday]
    return min(seen) <= quantity <= max(seen)


def _bounds(
    before: Sequence[tuple[date, Decimal]], day: date, holidays: Collection[date]
) -> tuple[Decimal, Decimal]:
    """What the day lies between 99 times in 100; whole where counts are whole."""
    expected = project(before, day, day, before[-1][0], holidays=holidays)
    step = ONE if expected.whole else MICRO
    low, high = Decimal(expected.quantile(LOW)), Decimal(expected.quantile(HIGH))
    if sum(1 for _, value in before if value) < REGULAR * len(before):
        high = max(high, *(value for _, value in before))
    return low.quantize(step, ROUND_FLOOR), high.quantize(step, ROUND_CEILING)


def _is_how_things_are_now(found: Sequence[UnusualDay]) -> bool:
    newest = found[-NEW_USUAL_DAYS:]
    return (
        len(newest) == NEW_USUAL_DAYS
        and newest[-1].day - newest[0].day == timedelta(days=NEW_USUAL_DAYS - 1)
        and len({one.above for one in newest}) == 1
    )
