"""Billing periods: whole UTC days, exclusive ends, anchored on a day of the month.

A period is `[start, end)`.  With anchor day 31 the periods of 2027 are 31 Jan – 28 Feb,
28 Feb – 31 Mar, 31 Mar – 30 Apr …: the anchor is clamped to the month's last day.  A customer
that signs up on 15 March has a first period of 15 March – 1 April; its `full_days` stay those of
the period it belongs to (31), which is the denominator of proration.  Nothing here reads a clock.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from data.errors import InvalidPeriod

DAY = timedelta(days=1)


def days_between(start: date, end: date) -> Iterator[date]:
    """The days of `[start, end)`."""
    for offset in range((end - start).days):
        yield start + offset * DAY


@dataclass(frozen=True, slots=True, order=True)
class BillingPeriod:
    """`[start, end)` within the full period `[full_start, full_end)` that the anchor day gives."""

    start: date
    end: date
    full_start: date
    full_end: date

    def __post_init__(self) -> None:
        if not self.full_start <= self.start < self.end <= self.full_end:
            raise InvalidPeriod(f"{self.start} – {self.end} is not a period: it has no day")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def full_days(self) -> int:
        return (self.full_end - self.full_start).days

    @property
    def last_day(self) -> date:
        return self.end - DAY

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def days_elapsed(self, through: date) -> int:
        """Days of the period up to and including `through`: 0 before it, all after it."""
        return min(max((through - self.start).days + 1, 0), self.days)

    def days_left(self, through: date) -> int:
        return self.days - self.days_elapsed(through)

    def clipped(self, start: date, end: date | None) -> "BillingPeriod":
        """The part of the period in `[start, end)`; its full days stay what they were."""
        return BillingPeriod(
            max(self.start, start),
            self.end if end is None else min(self.end, end),
            self.full_start,
            self.full_end,
        )


def _anchored(year: int, month: int, anchor_day: int) -> date:
    return date(year, month, min(anchor_day, monthrange(year, month)[1]))


def _month_after(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


def period_of(day: date, anchor_day: int = 1) -> BillingPeriod:
    """The period that holds `day`.  `anchor_day` is 1–31."""
    if not 1 <= anchor_day <= 31:
        raise InvalidPeriod(f"anchor day {anchor_day} must be from 1 to 31")
    start = _anchored(day.year, day.month, anchor_day)
    if day < start:
        start = _anchored(*_month_after(day, -1), anchor_day)
    end = _anchored(*_month_after(start, 1), anchor_day)
    return BillingPeriod(start, end, start, end)


def previous_period(period: BillingPeriod, anchor_day: int = 1) -> BillingPeriod:
    return period_of(period.full_start - DAY, anchor_day)


def periods_between(first: date, last: date, anchor_day: int = 1) -> Iterator[BillingPeriod]:
    """The periods of `[first, last)`; the outer ones may be parts."""
    while first < last:
        period = period_of(first, anchor_day).clipped(first, last)
        yield period
        first = period.end
