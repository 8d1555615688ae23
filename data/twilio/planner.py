"""The fewest requests that read some days of an account.

Twilio has three listings for it, each of at most 1,000 rows a page:

- all categories of a range of days: days × rows a day;
- all categories of one day: a request a day;
- one category of a range: a request for each category in which anything happened, found by one
  request for the range's totals.

Which is least depends on whether Twilio lists categories in which nothing happened (648 rows a
day) or leaves them out (a dozen).  Example: 90 days of 12 active categories take 2 requests if only
those are listed, and 1 + 12 if all are (the range would take 59, days one by one 90).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median_high

PAGE = 1000
USUAL_ROWS = 20  # a day, of an account that was never read
USUAL_CATEGORIES = 12


class Way(StrEnum):
    RANGE = "range"
    DAYS = "days"
    CATEGORIES = "categories"


@dataclass(frozen=True, slots=True)
class Window:
    """Days that are read whole, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=i) for i in range(self.days)]


@dataclass(frozen=True, slots=True)
class Habit:
    """What a listing of an account is like: rows a day, and categories that say something."""

    rows_per_day: int = 0  # 0: never seen
    categories: int = 0

    @property
    def is_known(self) -> bool:
        return self.rows_per_day > 0


UNKNOWN = Habit()


@dataclass(frozen=True, slots=True)
class Plan:
    way: Way
    requests: int


def pages(rows: int) -> int:
    """Requests for a listing; an empty one takes one, too."""
    return max(-(-rows // PAGE), 1)


def plan(window: Window, habit: Habit) -> Plan:
    """The cheapest way; of equals, the one without further pages: nothing shifts between them."""
    rows = habit.rows_per_day or USUAL_ROWS
    by_category = 1 + habit.categories * pages(window.days)
    ways = [
        Plan(Way.RANGE, pages(rows * window.days)),
        Plan(Way.DAYS, window.days * pages(rows)),
        *([Plan(Way.CATEGORIES, by_category)] if habit.is_known else []),
    ]
    return min(ways, key=lambda one: (one.requests, one.way is Way.RANGE and one.requests > 1))


def plan_again(window: Window, habit: Habit, read: int) -> Plan | None:
    """When a range turns out to list what is silent: a way that takes less than its other pages."""
    ways = [
        Plan(Way.CATEGORIES, 1 + habit.categories * pages(window.days)),
        Plan(Way.DAYS, window.days * pages(habit.rows_per_day)),
    ]
    best = min(ways, key=lambda one: one.requests)
    left = pages(habit.rows_per_day * window.days) - read
    return best if best.requests < left else None


def usual_habit(habits: Sequence[Habit]) -> Habit:
    """The middle of what is known, for an account that was never read; unknown if nothing is."""
    known = [one for one in habits if one.is_known]
    busy = [one for one in known if one.categories]
    if not known:
        return UNKNOWN
    if not busy:  # nothing happened yet, but it shows whether silent categories are listed
        rows = max(one.rows_per_day for one in known)
        return Habit(max(rows, USUAL_ROWS), USUAL_CATEGORIES)
    return Habit(
        median_high(one.rows_per_day for one in busy), median_high(one.categories for one in busy)
    )
