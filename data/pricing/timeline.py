"""Who is on which plan on which day: changes as they were asked for, and when they take effect.

A change day belongs to the new plan.  A downgrade (a lower fixed fee) waits for the next period
unless it says `at_once`; an upgrade takes effect on its day unless it says `next_period`.  Of
several changes that take effect on one day the last one is billed, and a later change cancels one
that still waits.  All of them stand in the timeline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

from data.errors import InvalidTerms
from data.periods import period_of
from data.pricing.plan import Plan

When = Literal["at_once", "next_period"]


def as_when(text: str | None) -> When | None:
    """What a stored change says of when it takes effect."""
    return next((when for when in get_args(When) if when == text), None)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A plan agreed from a day on, in the order in which it was agreed."""

    plan: Plan
    asked_on: date
    when: When | None = None  # None: by the rule for up- and downgrades


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A change and the days `[starts_on, ends_on)` on which it is billed; none if superseded."""

    plan: Plan
    asked_on: date
    starts_on: date
    ends_on: date | None
    billed: bool

    @property
    def waited(self) -> bool:
        return self.starts_on > self.asked_on


@dataclass(frozen=True, slots=True)
class PlanStretch:
    """A version of a plan and the days `[starts_on, ends_on)` it is agreed for."""

    plan: Plan
    starts_on: date
    ends_on: date | None


def timeline(
    changes: Iterable[PlanChange], *, ends_on: date | None = None, anchor_day: int = 1
) -> tuple[TimelineEntry, ...]:
    """Every change by the day it was asked for; InvalidTerms names what can't be agreed."""
    asked = sorted(changes, key=lambda change: change.asked_on)  # stable: as agreed within a day
    _check(asked)
    starts: list[date] = []
    standing: list[int] = []  # positions of the changes that are billed, as far as is known yet
    for position, change in enumerate(asked):
        standing = [one for one in standing if starts[one] < change.asked_on]
        in_force = asked[standing[-1]].plan if standing else None
        starts.append(_takes_effect(change, in_force, anchor_day))
        standing.append(position)
    until = [*(_earlier(starts[one], ends_on) for one in standing[1:]), ends_on]
    ends = dict(zip(standing, until, strict=True)) if standing else {}
    return tuple(
        _entry(change, starts[position], ends.get(position), billed=position in ends)
        for position, change in enumerate(asked)
    )


def _entry(change: PlanChange, start: date, end: date | None, *, billed: bool) -> TimelineEntry:
    billed = billed and (end is None or start < end)
    return TimelineEntry(change.plan, change.asked_on, start, end if billed else start, billed)


def _earlier(start: date, ends_on: date | None) -> date:
    """A change that waits past the cancellation does not keep alive the plan before it."""
    return start if ends_on is None else min(start, ends_on)


def _takes_effect(change: PlanChange, in_force: Plan | None, anchor_day: int) -> date:
    waits = change.when == "next_period"
    if change.when is None and in_force is not None:
        waits = change.plan.fixed_fee < in_force.fixed_fee
    period = period_of(change.asked_on, anchor_day)
    return period.end if waits and change.asked_on > period.start else change.asked_on


def _check(asked: Sequence[PlanChange]) -> None:
    for before, after in pairwise(asked):
        if after.plan.currency != before.plan.currency:
            raise InvalidTerms(
                f"plan {after.plan.plan}: its currency {after.plan.currency} differs from the "
                f"{before.plan.currency} before it; another currency is another subscription"
            )
    by_day: dict[tuple[date, str], int] = {}
    for change in asked:
        plan = change.plan
        if by_day.setdefault((change.asked_on, plan.plan), plan.version) != plan.version:
            raise InvalidTerms(
                f"plan {plan.plan}: two versions ({by_day[change.asked_on, plan.plan]} and "
                f"{plan.version}) are agreed from the same day, {change.asked_on}"
            )


def stretches(entries: Iterable[TimelineEntry]) -> tuple[PlanStretch, ...]:
    """The changes that are billed, in the order of their days."""
    found = [PlanStretch(one.plan, one.starts_on, one.ends_on) for one in entries if one.billed]
    return tuple(sorted(found, key=lambda one: one.starts_on))
