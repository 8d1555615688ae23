"""Message and call records, counted by day, direction and status: why logs differ from usage.

A record is counted and forgotten: no text, no number and no SID of it is kept in memory or stored.
Segments and minutes are as billed (each call rounded up), but records that Twilio does not bill
(failed, busy) are counted too, under their status.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import structlog

from data.periods import DAY
from data.twilio.client import TwilioClient
from data.twilio.listing import Body, count, moment, rows, word
from data.twilio.reading import KnownAccount, Reading, Resource
from data.twilio.service_intake import LogCount, WindowRead, read_through, replace_log_days

log = structlog.get_logger(__name__)

FIRST_READING = timedelta(days=29)  # with today, 30 days


@dataclass(frozen=True, slots=True)
class Log:
    kind: str  # as stored; also the list's key in Twilio's answer
    resource: str
    path: str  # below the account
    time: str  # parameter that a listing is cut by
    happened: tuple[str, str]  # fields with the moment; the second where the first is null
    measure: Callable[[Body], tuple[int, int | None]]  # units, seconds


def _segments(body: Body) -> tuple[int, None]:
    return count(body, "num_segments"), None


def _minutes(body: Body) -> tuple[int, int]:
    seconds = count(body, "duration")
    return -(-seconds // 60), seconds


MESSAGES = Log(
    kind="messages",
    resource="message_log",
    path="Messages.json",
    time="DateSent",
    happened=("date_sent", "date_created"),
    measure=_segments,
)
CALLS = Log(
    kind="calls",
    resource="call_log",
    path="Calls.json",
    time="StartTime",
    happened=("start_time", "date_created"),
    measure=_minutes,
)


def log_counts(
    client: TwilioClient, sid: str, kept: Log, first: date, last: date
) -> list[LogCount]:
    """The log's records of the days `first` to `last` (UTC), both included, as counts."""
    params = {
        f"{kept.time}>": first.isoformat(),
        # The first moment after the last day: a day here means its first second.
        f"{kept.time}<": (last + DAY).isoformat(),
    }
    path = f"Accounts/{sid}/{kept.path}"
    records = rows(client, sid, path, kept.kind, params, needs=("sid",))
    return _counted(kept, _of_days(kept, records, sid, first, last))


def _of_days(
    kept: Log, records: Iterable[Body], sid: str, first: date, last: date
) -> Iterator[tuple[date, Body]]:
    for body in records:
        happened = next((body[name] for name in kept.happened if body.get(name)), None)
        day = moment(happened).date() if happened else None
        if day is not None and first <= day <= last:
            yield day, body
        else:
            log.info("twilio.record_without_place", account=sid, log=kept.kind)


def _counted(kept: Log, records: Iterable[tuple[date, Body]]) -> list[LogCount]:
    sums: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    timed = False
    for day, body in records:
        units, seconds = kept.measure(body)
        timed = seconds is not None
        place = (day, word(body, "direction"), word(body, "status"))
        for n, value in enumerate((1, units, seconds or 0)):
            sums[place][n] += value
    return [
        LogCount(*place, records, Decimal(units), seconds if timed else None)
        for place, (records, units, seconds) in sorted(sums.items())
    ]


def _reader(kept: Log) -> Callable[[Reading, KnownAccount], int]:
    def read(reading: Reading, account: KnownAccount) -> int:
        first = _first_day(reading, account, kept)
        counts = log_counts(reading.client(account), account.sid, kept, first, reading.today)
        window = WindowRead(kept.resource, first, reading.today, reading.clock(), reading.lease)
        return replace_log_days(reading.scope, account.sid, kept.kind, window, counts)

    return read


def _first_day(reading: Reading, account: KnownAccount, kept: Log) -> date:
    """Days that still move are read again, as are those since the last reading."""
    oldest = reading.today - FIRST_READING
    through = read_through(reading.scope, account.sid, kept.resource)
    if through is None:
        return oldest
    first = min(through, reading.today) - timedelta(days=reading.settling_days)
    return min(first, max(reading.since, oldest)) if reading.since else first


def _wanted(reading: Reading, account: KnownAccount) -> bool:
    return reading.logs and account.status != "closed"


MESSAGE_LOG = Resource(MESSAGES.resource, _reader(MESSAGES), _wanted)
CALL_LOG = Resource(CALLS.resource, _reader(CALLS), _wanted)
