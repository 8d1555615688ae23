"""Alerts of an account (Monitor): its errors and warnings, of which Twilio keeps 30 days.

Monitor takes only credentials of the very account.  Code, level, moment and resource are kept;
texts and requests, which may name people, are dropped here.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from data.periods import DAY
from data.twilio.client import TwilioClient
from data.twilio.listing import moment, rows, word
from data.twilio.reading import KnownAccount, Reading, Resource
from data.twilio.service_intake import TwilioAlert, WindowRead, read_through, store_alerts

NAME = "alerts"
KEPT = timedelta(days=29)  # with today, the 30 days that Twilio keeps


def list_alerts(client: TwilioClient, sid: str, first: date, last: date) -> Iterator[TwilioAlert]:
    """Alerts of the days `first` to `last` (UTC), both included."""
    params = {
        # Moments, not days: a day as EndDate would be its first second.
        "StartDate": f"{first}T00:00:00Z",
        "EndDate": f"{last + DAY}T00:00:00Z",
    }
    listed = rows(
        client, sid, "/v1/Alerts", "alerts", params, needs=("sid", "date_created"), host="monitor"
    )
    for body in listed:
        yield TwilioAlert(
            sid=str(body["sid"]),
            at=moment(body.get("date_generated") or body["date_created"]),
            code=str(body.get("error_code") or ""),
            level=word(body, "log_level"),
            resource_sid=str(body["resource_sid"]) if body.get("resource_sid") else None,
        )


def read_alerts(reading: Reading, account: KnownAccount) -> int:
    """Store what is new since the day before the last reading; the first takes what there is."""
    client = reading.own_client(account)
    if client is None:
        return 0
    first = _first_day(reading, account)
    alerts = list(list_alerts(client, account.sid, first, reading.today))
    window = WindowRead(NAME, first, reading.today, reading.clock(), reading.lease)
    return store_alerts(reading.scope, account.sid, window, alerts)


def _first_day(reading: Reading, account: KnownAccount) -> date:
    oldest = reading.today - KEPT
    through = read_through(reading.scope, account.sid, NAME)
    if through is None:
        return oldest
    return max(min(through - DAY, reading.since or through), oldest)


def has_own_credentials(reading: Reading, account: KnownAccount) -> bool:
    """The parent's alerts are nobody's customer's."""
    return (
        account.status != "closed"
        and account.sid != reading.credentials.account_sid
        and reading.own_client(account) is not None
    )


ALERTS = Resource(NAME, read_alerts, has_own_credentials)
