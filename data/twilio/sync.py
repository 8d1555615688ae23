"""The sync: accounts and their daily usage from Twilio into the store.

What is read: an account seen for the first time, its whole history; later, the settling days, until
the 5th the whole previous month, and every day whose `totalprice` differs from what is stored (one
request shows them all), so that late corrections of a price arrive whenever Twilio makes them.
Each account's days are replaced in one transaction: a page never sees half of them, and a sync that
fails leaves what was there.

The parent's own account is never read as a customer's: its listing would sum its subaccounts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

import structlog

from data.errors import AppError, ConfigError, NotFound, TwilioRefused
from data.meters import TOTAL
from data.money import ZERO
from data.periods import DAY, period_of, previous_period
from data.scope import EveryTenant
from data.settings import Settings
from data.twilio.accounts import list_accounts
from data.twilio.client import ATTEMPTS, TIMEOUT_SECONDS, Credentials, Tally, TwilioClient
from data.twilio.intake import (
    KnownAccount,
    Window,
    finish_run,
    known_accounts,
    note_failure,
    start_run,
    store_accounts,
    store_window,
    stored_totals,
)
from data.twilio.usage_records import DailyUsage, daily_usage, says_something

MONTH_MOVES_UNTIL = 5  # day of the next month up to which Twilio may still restate a month

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something of an account that is read into the store, window by window."""

    name: str
    read: Callable[["Reader", KnownAccount], int]


@dataclass(frozen=True, slots=True)
class SyncReport:
    accounts: int
    rows: int
    requests: int
    retries: int
    failures: tuple[tuple[str, str], ...]  # (account SID, why)

    @property
    def status(self) -> str:
        if not self.failures:
            return "ok"
        return "partial" if len(self.failures) < self.accounts else "failed"


@dataclass(frozen=True)
class Reader:
    """One run: where it reads, where it stores, and for which day."""

    scope: EveryTenant
    credentials: Credentials
    base: str
    today: date
    clock: Callable[[], datetime]
    settling_days: int
    history_days: int
    tally: Tally
    since: date | None = None  # read everything from this day on again
    timeout: float = TIMEOUT_SECONDS
    attempts: int = ATTEMPTS

    def client(self, account: KnownAccount | None = None) -> TwilioClient:
        """The parent's token reads its subaccounts; a connected account goes by its own SID."""
        sid = self.credentials.account_sid
        if account is not None and account.kind == "connected":
            sid = account.sid
        return TwilioClient(
            Credentials(sid, self.credentials.auth_token),
            self.base,
            timeout=self.timeout,
            attempts=self.attempts,
            tally=self.tally,
        )


def credentials(settings: Settings) -> Credentials:
    """The ISV's; in demo mode those of the demo world."""
    if settings.demo:
        from data.demo.world import AUTH_TOKEN, PARENT_SID

        return Credentials(PARENT_SID, AUTH_TOKEN)
    if not settings.twilio_account_sid or not settings.twilio_auth_token:
        raise ConfigError("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set.")
    return Credentials(settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value())


def reader(
    settings: Settings, *, today: date, clock: Callable[[], datetime], since: date | None = None
) -> Reader:
    return Reader(
        EveryTenant(settings.admin_url),
        credentials(settings),
        settings.api_base,
        today,
        clock,
        settings.settling_days,
        settings.history_days,
        Tally(),
        since,
    )


def sync(reading: Reader, progress: Callable[[int, int, str], None] | None = None) -> SyncReport:
    """Read every account once; one that fails stops itself only, and is named in the report.

    `progress` is told (accounts done, accounts in all, the account's name).
    """
    run = start_run(reading.scope, reading.clock())
    report = SyncReport(0, 0, 0, 0, ())
    error: str | None = "interrupted"
    try:
        report = _read_all(reading, progress)
        error = "; ".join(f"{sid}: {why}" for sid, why in report.failures) or None
        return report
    except AppError as problem:
        error = str(problem)
        raise
    finally:
        status = "failed" if error and not report.accounts else report.status
        finish_run(
            reading.scope,
            run,
            reading.clock(),
            status=status,
            accounts=report.accounts,
            rows=report.rows,
            requests=reading.tally.requests,
            error=error,
        )


def _read_all(reading: Reader, progress: Callable[[int, int, str], None] | None) -> SyncReport:
    try:
        listed = list(list_accounts(reading.client()))
    except AppError as problem:
        note_failure(reading.scope, None, str(problem))
        raise
    parent = reading.credentials.account_sid
    parents = {one.sid for one in listed if one.is_parent} | {parent}
    store_accounts(reading.scope, [one for one in listed if one.sid not in parents])
    accounts = known_accounts(reading.scope)
    rows, failures = 0, []
    for done, account in enumerate(accounts):
        if progress:
            progress(done, len(accounts), account.name)
        try:
            if account.sid in parents:
                raise TwilioRefused("The parent account sums its subaccounts: it is no customer's.")
            rows += sum(resource.read(reading, account) for resource in RESOURCES)
        except AppError as problem:
            log.warning("sync.account_failed", account=account.sid, error=str(problem))
            note_failure(reading.scope, account.sid, str(problem))
            failures.append((account.sid, str(problem)))
    if progress:
        progress(len(accounts), len(accounts), "")
    return SyncReport(
        len(accounts), rows, reading.tally.requests, reading.tally.retries, tuple(failures)
    )


def read_usage(reading: Reader, account: KnownAccount) -> int:
    """Read the account's windows and store them together; returns the rows stored."""
    try:
        windows, rows = _windows_and_rows(reading, account)
    except NotFound:
        if account.status != "closed":
            raise
        windows, rows = [], []
    return store_window(
        reading.scope, account, windows, rows, through=reading.today, now=reading.clock()
    )


def _windows_and_rows(
    reading: Reader, account: KnownAccount
) -> tuple[list[Window], list[DailyUsage]]:
    client = reading.client(account)
    windows = list(_windows(reading, client, account))
    rows: list[DailyUsage] = []
    for window in windows:
        found = daily_usage(client, account.sid, window.first, window.last)
        rows += [row for row in found if says_something(row)]
    return windows, rows


def _windows(reading: Reader, client: TwilioClient, account: KnownAccount) -> Iterator[Window]:
    """The days to read, as few stretches of days as they make."""
    last = reading.today
    first = reading.today - timedelta(days=reading.history_days)
    if account.through is None:
        yield Window(min(first, reading.since or first), last)
        return
    moving = min(account.through, last) - timedelta(days=reading.settling_days)
    if last.day <= MONTH_MOVES_UNTIL:
        moving = min(moving, previous_period(period_of(last)).start)
    again = min(moving, reading.since or moving)
    first = min(first, account.first_day or first, reading.since or first)
    changed = _changed_days(reading, client, account, first, again - DAY)
    yield from _stretches([*changed, *_days(max(again, first), last)])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def _changed_days(
    reading: Reader, client: TwilioClient, account: KnownAccount, first: date, last: date
) -> list[date]:
    """Settled days on which Twilio's total is no longer the one that is stored."""
    if last < first:
        return []
    theirs = {
        row.day: row.cost or ZERO
        for row in daily_usage(client, account.sid, first, last, category=TOTAL)
    }
    ours = stored_totals(reading.scope, account.sid, first, last)
    # A closed account's usage may be deleted by Twilio; what we have of it stays.
    days = theirs.keys() if account.status == "closed" else theirs.keys() | ours.keys()
    return sorted(day for day in days if theirs.get(day, ZERO) != ours.get(day, ZERO))


def _stretches(days: Sequence[date]) -> Iterator[Window]:
    numbered = enumerate(sorted(set(days)))
    for _, group in groupby(numbered, key=lambda pair: pair[1].toordinal() - pair[0]):
        run = [day for _, day in group]
        yield Window(run[0], run[-1])


RESOURCES: tuple[Resource, ...] = (Resource("usage_records", read_usage),)
