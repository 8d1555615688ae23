"""The sync: accounts and their daily usage from Twilio into the store.

A run lists the accounts, plans the fewest requests, reads many accounts at once and stores them
account by account, each whole (usage.py says which days, planner.py how, intake.py stores).  One
run at a time holds the lease; one that dies leaves whole accounts, and the next goes on with those
it did not reach.  What stands beside usage is read in turn, with a twentieth of the requests.

The parent's own account is never read as a customer's: its listing would sum its subaccounts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic

import structlog

from data.errors import (
    AppError,
    InputError,
    ListingLoops,
    NotFound,
    TwilioBusy,
    TwilioError,
    TwilioRefused,
)
from data.twilio.account_list import known_accounts, note_failures, note_outage, store_accounts
from data.twilio.accounts import TwilioAccount, list_accounts
from data.twilio.balance import balance
from data.twilio.corrections import Corrections, corrections, keep_totals
from data.twilio.crew import Done, completed
from data.twilio.extras import Extra, extras_due, read_extras
from data.twilio.intake import Stored, store_reads
from data.twilio.lease import Lease, take
from data.twilio.planner import UNKNOWN, Habit, usual_habit
from data.twilio.reading import AccountRead, KnownAccount, Reading
from data.twilio.runs import SyncReport, finish_run, start_run
from data.twilio.status import incidents
from data.twilio.usage import Due, due, read_usage
from data.twilio.usage_records import active_categories

SILENCE = 48  # accounts in a row without an answer: Twilio is not there
TOLERATED = 1.1  # requests sent, as a share of those planned
LOOK_DAYS = 30
PASSES = 2  # accounts that failed for a passing reason are read again at the end
BATCH_ROWS, BATCH_ACCOUNTS, BATCH_SECONDS = 8_000, 250, 1.0

Progress = Callable[[int, int, str], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What a run is going to ask Twilio for."""

    due: tuple[Due, ...]
    extras: tuple[Extra, ...]
    corrections: Corrections
    listed: int  # accounts at Twilio
    asked: int  # requests that the planning took

    @property
    def usage(self) -> int:
        return sum(one.requests for one in self.due)

    @property
    def requests(self) -> int:
        return self.asked + self.usage + len(self.extras) + 1  # and the balance


def sync(
    reading: Reading, *, real_clock: Callable[[], datetime], progress: Progress | None = None
) -> SyncReport:
    """Read every account once; one that fails stops itself only, and is named in the report.

    `progress` is told (accounts done, accounts in all, the account's name).  Raises SyncInProgress
    while another run holds the lease, and what the list of accounts raises.
    """
    lease = take(reading.scope, real_clock)
    with lease.kept():
        run = start_run(reading.scope, reading.clock())
        report = SyncReport(problem="interrupted")
        try:
            report = _Run(reading, lease, progress).report()
            return report
        except AppError as problem:
            report = replace(report, problem=str(problem))
            raise
        finally:
            finish_run(reading.scope, run, report, reading.tally, reading.clock())


def plan_sync(reading: Reading) -> SyncPlan:
    """What a run would ask for; nothing is stored."""
    listed = _listed(reading)
    return _plan(reading, listed, known_accounts(reading.scope, listed, today=reading.today))


def _listed(reading: Reading) -> list[TwilioAccount]:
    """The subaccounts, without the parent."""
    parent = reading.credentials.account_sid
    for attempt in range(1, PASSES + 1):
        try:
            found = list(list_accounts(reading.parent_client()))
            break
        except ListingLoops:
            if attempt == PASSES:
                raise
    return [one for one in found if not one.is_parent and one.sid != parent]


def _plan(
    reading: Reading, listed: Sequence[TwilioAccount], accounts: Sequence[KnownAccount]
) -> SyncPlan:
    wanted = [one for one in accounts if reading.only in (None, one.sid)]
    if reading.only and not wanted:
        raise NotFound(f"No account {reading.only} is known or listed by Twilio.")
    at_twilio = {one.sid for one in listed}
    usual = usual_habit([one.habit for one in accounts])
    reading = replace(reading, usual=usual if usual.is_known else _first_look(reading, wanted))
    found = corrections(reading)
    dues = [due(reading, one, found.days) for one in wanted]
    # A closed account that Twilio lists no more has been deleted there: ours stays as it is.
    dues = [
        one
        for one in dues
        if one.requests and (one.account.status != "closed" or one.account.sid in at_twilio)
    ]
    usage = sum(one.requests for one in dues)
    return SyncPlan(
        tuple(dues),
        tuple(extras_due(reading, wanted, usage)),
        found,
        len(listed),
        reading.tally.requests - reading.tally.retries,
    )


def _first_look(reading: Reading, accounts: Sequence[KnownAccount]) -> Habit:
    """Where nothing was ever read: one request that shows what Twilio lists of an account."""
    account = next((one for one in accounts if one.status == "active"), None)
    if account is None:
        return UNKNOWN
    first = reading.today - timedelta(days=LOOK_DAYS)
    client = reading.client(account)
    try:
        active, listed = active_categories(client, account.sid, first, reading.today)
    except (TwilioError, NotFound) as error:
        log.info("sync.no_first_look", account=account.sid, error=str(error))
        return UNKNOWN
    return usual_habit([Habit(max(listed, 1), len(active))])


class _Run:
    """One run under its lease; the thread that made it does all the storing of usage."""

    def __init__(self, reading: Reading, lease: Lease, progress: Progress | None) -> None:
        self.reading, self.lease = replace(reading, lease=lease), lease
        self.progress = progress or (lambda *_: None)
        self.stored = Stored()
        self.failures: dict[str, tuple[Due, AppError]] = {}
        self.asked: set[str] = set()  # accounts that were read or have failed, by SID
        self.silence = 0  # accounts in a row that Twilio did not answer for

    def report(self) -> SyncReport:
        listed, reading = self._list_accounts(), self.reading
        plan = _plan(reading, listed, known_accounts(reading.scope, today=reading.today))
        log.info("sync.planned", accounts=len(plan.due), requests=plan.requests)
        self._read(plan.due)
        self._settle(plan.corrections)
        money = balance(reading)
        read_extras(reading, plan.extras)
        incidents(reading)
        failures = tuple((sid, str(error)) for sid, (_, error) in self.failures.items())
        tally = reading.tally
        sent = tally.requests - tally.retries
        if sent > plan.requests * TOLERATED:
            log.warning("sync.more_than_planned", planned=plan.requests, sent=sent)
        return SyncReport(
            len(self.asked),
            plan.requests,
            self.stored,
            tally.requests,
            tally.retries,
            failures,
            money,
        )

    def _list_accounts(self) -> list[TwilioAccount]:
        """Twilio's list, taken in; where it is not to be had, every account says why."""
        scope, today = self.reading.scope, self.reading.today
        try:
            listed = _listed(self.reading)
        except AppError as problem:
            note_outage(scope, str(problem))
            raise
        store_accounts(scope, listed, today=today, now=self.reading.clock())
        return listed

    def _read(self, dues: Sequence[Due]) -> None:
        """Every account; those that fail for a passing reason again, after all the others."""
        total = len(self.asked | {one.account.sid for one in dues})
        left = list(dues)
        for _ in range(PASSES):
            batch = _Batch()
            threads = self.reading.transport.throttle.most
            for found in completed(left, self._ask, threads=threads, tick=BATCH_SECONDS):
                if found is not None:
                    self._take(found, batch)
                    self.progress(len(self.asked), total, found.task.account.name)
                if batch.is_due:
                    self._store(batch)
            self._store(batch)
            left = [one for one in dues if self._may_pass(one.account.sid)]
            if not left or self.silence >= SILENCE:
                break

    def _may_pass(self, sid: str) -> bool:
        """It failed, and another try may succeed: nobody has to change anything first."""
        error = self.failures[sid][1] if sid in self.failures else None
        return isinstance(error, TwilioError) and not isinstance(error, TwilioRefused)

    def _ask(self, what: Due) -> AccountRead:
        if what.account.sid == self.reading.credentials.account_sid:
            raise TwilioRefused("The parent account sums its subaccounts: it is no customer's.")
        if self.silence >= SILENCE:
            raise TwilioBusy("Twilio has stopped answering; the account was not asked for.")
        return read_usage(self.reading, what)

    def _take(self, found: Done[Due, AccountRead], batch: "_Batch") -> None:
        sid = found.task.account.sid
        self.asked.add(sid)
        if found.result is not None:
            self.silence = 0
            self.failures.pop(sid, None)
            batch.add(found.task, found.result)
        elif found.error is not None:
            self.silence += isinstance(found.error, TwilioBusy)
            self.failures[sid] = (found.task, found.error)
            log.warning("sync.account_failed", account=sid, error=str(found.error))

    def _store(self, batch: "_Batch") -> None:
        """The batch in one transaction; where one account's figures do not fit, one by one."""
        reading, reads = self.reading, batch.take()
        if not reads:
            return
        try:
            self.stored += store_reads(
                reading.scope, [read for _, read in reads], reading.clock(), self.lease
            )
        except InputError as error:
            if len(reads) == 1:
                what = reads[0][0]
                self.failures[what.account.sid] = (what, error)
                return
            for one in reads:
                self._store(_Batch([one]))

    def _settle(self, found: Corrections) -> None:
        """What the next run must know of this one: who failed, and the totals of the days."""
        whys = {sid: str(error) for sid, (_, error) in self.failures.items()}
        unread = {
            sid: what.suspects.first for sid, (what, _) in self.failures.items() if what.suspects
        }
        note_failures(self.reading.scope, whys, unread=unread)
        if found.totals is not None and self.reading.since is None:
            keep_totals(self.reading.scope, found.totals)


@dataclass(slots=True)
class _Batch:
    """Accounts that were read and are stored together."""

    reads: list[tuple[Due, AccountRead]] = field(default_factory=list)
    rows: int = 0
    since: float = 0.0

    def add(self, what: Due, read: AccountRead) -> None:
        if not self.reads:
            self.since = monotonic()
        self.reads.append((what, read))
        self.rows += len(read.rows)

    @property
    def is_due(self) -> bool:
        return bool(self.reads) and (
            self.rows >= BATCH_ROWS
            or len(self.reads) >= BATCH_ACCOUNTS
            or monotonic() - self.since >= BATCH_SECONDS
        )

    def take(self) -> list[tuple[Due, AccountRead]]:
        reads, self.reads, self.rows = self.reads, [], 0
        return reads
