"""What is read of accounts beside their usage: in turn, the longest unread first.

Usage goes first and needs one request an account.  All else shares a twentieth of that, so that ten
thousand accounts are not asked five times a night; in a small fleet everything has its turn in
every run.  A resource that is refused (a key without that right) is left for its next turn.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from heapq import nsmallest

import structlog
from sqlmodel import col, select

from data.errors import InputError, NotFound, TwilioError
from data.models import SyncCursor
from data.periods import DAY
from data.scope import reading, writing
from data.twilio.alerts import ALERTS
from data.twilio.crew import completed
from data.twilio.logs import CALL_LOG, MESSAGE_LOG
from data.twilio.months import MONTHS
from data.twilio.phone_numbers import PHONE_NUMBERS
from data.twilio.reading import KnownAccount, Reading, Resource
from data.twilio.service_intake import move_cursor
from data.twilio.usage_triggers import USAGE_TRIGGERS

RESOURCES: tuple[Resource, ...] = (
    *(MONTHS, ALERTS, PHONE_NUMBERS, USAGE_TRIGGERS),
    *(MESSAGE_LOG, CALL_LOG),
)
SHARE, LEAST = 20, 20  # one request in twenty of those for usage, but no fewer than these
REST = timedelta(hours=1)  # before a resource of an account is read again

Extra = tuple[Resource, KnownAccount]

log = structlog.get_logger(__name__)


def extras_due(run: Reading, accounts: Sequence[KnownAccount], usage_requests: int) -> list[Extra]:
    """What has waited longest, as much as a run may ask for; of one account, everything."""
    now = run.clock()
    read_at = _read_at(run)
    waiting = [
        (when.timestamp() if when else 0.0, number, (resource, account))
        for account in accounts
        if account.sid != run.credentials.account_sid
        for number, resource in enumerate(RESOURCES)
        if resource.applies(run, account)
        and ((when := read_at.get((account.sid, resource.name))) is None or now - when >= REST)
    ]
    if run.only:
        return [extra for _, _, extra in waiting]
    most = max(usage_requests // SHARE, LEAST)
    return [extra for _, _, extra in nsmallest(most, waiting, key=lambda one: one[:2])]


def _read_at(run: Reading) -> dict[tuple[str, str], datetime]:
    names = [resource.name for resource in RESOURCES]
    with reading(run.scope) as session:
        rows = session.execute(
            select(
                col(SyncCursor.account_sid), col(SyncCursor.resource), col(SyncCursor.read_at)
            ).where(col(SyncCursor.resource).in_(names))
        )
        return {(sid, resource): at for sid, resource, at in rows}


def read_extras(run: Reading, extras: Sequence[Extra]) -> int:
    """Read and store them; says how many failed.  None of them fails an account.

    Raises SyncInProgress once another run has taken over.
    """
    failed = 0
    threads = run.transport.throttle.most
    for found in completed(extras, partial(_read, run), threads=threads, tick=60):
        if found is None or found.error is None:
            continue
        if not isinstance(found.error, TwilioError | NotFound | InputError):
            raise found.error
        failed += 1
        resource, account = found.task
        log.warning(
            "sync.extra_failed", account=account.sid, resource=resource.name, error=str(found.error)
        )
        _wait_for_the_next_turn(run, resource, account)
    return failed


def _read(run: Reading, extra: Extra) -> int:
    resource, account = extra
    if run.lease:
        run.lease.confirm()
    return resource.read(run, account)


def _wait_for_the_next_turn(run: Reading, resource: Resource, account: KnownAccount) -> None:
    with writing(run.scope) as session:
        cursor = session.get(SyncCursor, (account.sid, resource.name))
        first = cursor.first_day if cursor else run.today
        through = cursor.through if cursor else run.today - DAY  # nothing was read yet
        move_cursor(session, account.sid, resource.name, first, through, run.clock())
