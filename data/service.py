"""Beside the usage: errors in words, Twilio's incidents, and why logs and billed usage differ.

A log has one record for a message or a call; billed are segments and started minutes of those that
went out.  300 records, 12 of them failed and 36 with a second segment, are 324 billed segments.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from data.money import ZERO
from data.periods import DAY, BillingPeriod
from data.scope import Scope
from data.service_rows import (
    AlertCount,
    IncidentView,
    LogCountView,
    PhoneNumberView,
    ReadThrough,
    TriggerView,
    alerts_by_day,
    incidents,
    log_days,
    phone_numbers,
    read_through,
    usage_triggers,
)
from data.store import AccountView
from data.usage_rows import day_totals

ALERTS, NUMBERS, TRIGGERS = "alerts", "phone_numbers", "usage_triggers"
LOGS = {"messages": "message_log", "calls": "call_log"}  # by kind: the resource that is read
# Billed categories that the records of a log end in; none of them contains another.
BILLED = {
    "messages": ("sms", "mms", "channels", "usage-rcs-messages"),
    "calls": ("calls", "calls-sip", "calls-client"),
}
NOT_BILLED = frozenset({"failed", "canceled", "scheduled", "busy", "no-answer"})


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """What a code of Twilio's error dictionary means, in a sentence each."""

    code: str
    title: str
    happened: str
    advice: str
    known: bool = True

    @property
    def url(self) -> str:
        return f"https://www.twilio.com/docs/api/errors/{self.code}" if self.code.isdigit() else ""


@dataclass(frozen=True, slots=True)
class ErrorSum:
    """How often a code occurred, with its worst level."""

    code: str
    level: str  # error, warning, notice, debug
    count: int
    last: date


@dataclass(frozen=True, slots=True)
class LogDifference:
    """One log against what was billed, on a day or over several; units are segments or minutes."""

    records: int
    unbilled: int  # records that cost nothing: failed, unanswered, cancelled
    units: Decimal  # of the records that are billed
    seconds: int | None  # of calls: before each is rounded up to its minute
    billed: Decimal

    @property
    def rest(self) -> Decimal:
        """What the log does not explain."""
        return self.billed - self.units


@dataclass(frozen=True, slots=True)
class LogComparison:
    """The days `first` to `last` of one log, both included: those that have been counted."""

    kind: str  # messages, calls
    first: date
    last: date
    whole: LogDifference
    days: tuple[tuple[date, LogDifference], ...]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """No cost stands in here: thresholds on what Twilio charges are left out."""

    errors: tuple[AlertCount, ...]
    incidents: tuple[IncidentView, ...]  # of the period, newest first
    triggers: tuple[TriggerView, ...]
    numbers: tuple[PhoneNumberView, ...]
    logs: tuple[LogComparison, ...]
    read: tuple[ReadThrough, ...]


def service(
    scope: Scope, accounts: Sequence[AccountView], period: BillingPeriod, *, today: date
) -> ServiceView:
    """All of one subscription's accounts, in the days of the period until today."""
    sids = [one.sid for one in accounts]
    last = min(period.last_day, today)
    read = read_through(scope, sids)
    return ServiceView(
        alerts_by_day(scope, sids, period.start, last),
        incidents(scope, period.start, last),
        tuple(one for one in usage_triggers(scope) if one.account_sid in sids),
        tuple(one for one in phone_numbers(scope) if one.account_sid in sids),
        tuple(_comparisons(scope, accounts, read, period.start, last)),
        read,
    )


# Errors


UNKNOWN_CODE = ErrorCode(
    "",
    "No explanation here yet",
    "Twilio reported an error that we have no words for.",
    "Twilio's page of this code says more; ask us if it goes on.",
    known=False,
)


@lru_cache(maxsize=1)
def error_codes() -> dict[str, ErrorCode]:
    """Those that are met most, in our own words."""
    path = Path(__file__).parent / "reference" / "error_codes.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = (
            ErrorCode(row["code"], row["title"], row["happened"], row["advice"])
            for row in csv.DictReader(file)
        )
        return {one.code: one for one in rows}


def error_code(code: str) -> ErrorCode:
    """A code without words of ours says so, and leads to Twilio's page."""
    return error_codes().get(code) or replace(UNKNOWN_CODE, code=code)


LEVELS = ("error", "warning", "notice", "debug")  # the worst first


def error_sums(counts: Iterable[AlertCount]) -> tuple[ErrorSum, ...]:
    """By code, most frequent first."""
    grouped: dict[str, list[AlertCount]] = defaultdict(list)
    for one in counts:
        grouped[one.code].append(one)
    sums = (
        ErrorSum(
            code,
            min((one.level for one in of_code), key=_badness),
            sum(one.count for one in of_code),
            max(one.day for one in of_code),
        )
        for code, of_code in grouped.items()
    )
    return tuple(sorted(sums, key=lambda one: (-one.count, one.code)))


def _badness(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


# Logs against billed usage


def _comparisons(
    scope: Scope,
    accounts: Sequence[AccountView],
    read: Sequence[ReadThrough],
    first: date,
    last: date,
) -> Iterable[LogComparison]:
    """Of the accounts whose logs are counted, on the days for which all of them were."""
    counted = None
    for kind, resource in LOGS.items():
        by_sid = {one.account_sid: one for one in read if one.resource == resource}
        if not by_sid:
            continue
        begin = max(first, *(one.first_day for one in by_sid.values()))
        end = min(last, *(one.through for one in by_sid.values()))
        if begin > end:
            continue
        if counted is None:
            counted = log_days(scope, first, last)
        own = [
            one
            for one in counted
            if one.kind == kind and one.account_sid in by_sid and begin <= one.day <= end
        ]
        billed = _billed(scope, [a for a in accounts if a.sid in by_sid], kind, begin, end)
        yield _comparison(kind, begin, end, own, billed)


def _billed(
    scope: Scope, accounts: Sequence[AccountView], kind: str, first: date, last: date
) -> dict[date, Decimal]:
    by_day: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for one in day_totals(scope, accounts, first, last + DAY, categories=BILLED[kind]):
        by_day[one.day] += one.usage
    return by_day


def _comparison(
    kind: str,
    first: date,
    last: date,
    counts: Sequence[LogCountView],
    billed: dict[date, Decimal],
) -> LogComparison:
    by_day: dict[date, list[LogCountView]] = defaultdict(list)
    for one in counts:
        by_day[one.day].append(one)
    days = sorted({*by_day, *(day for day, units in billed.items() if units)})
    return LogComparison(
        kind,
        first,
        last,
        difference(counts, sum(billed.values(), ZERO)),
        tuple((day, difference(by_day[day], billed.get(day, ZERO))) for day in days),
    )


def difference(counts: Sequence[LogCountView], billed: Decimal) -> LogDifference:
    """One log's counts against the units billed for the same days."""
    paid = [one for one in counts if one.status not in NOT_BILLED]
    timed = [one.seconds for one in paid if one.seconds is not None]
    return LogDifference(
        records=sum(one.records for one in counts),
        unbilled=sum(one.records for one in counts if one.status in NOT_BILLED),
        units=sum((one.units for one in paid), ZERO),
        seconds=sum(timed) if timed else None,
        billed=billed,
    )
