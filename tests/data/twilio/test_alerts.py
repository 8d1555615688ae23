"""Alerts: read with the account's own credentials, kept for good, and only what names nobody."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from data.errors import TwilioError
from data.models import Alert, SyncCursor
from data.twilio.alerts import ALERTS
from data.twilio.client import Credentials
from data.twilio.reading import KnownAccount
from tests.readings import KEYS, TODAY, Twilio, alerts_page, read, reading, rows_of
from tests.servers import PARENT, refusal
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers

MARCH_18 = "2026-03-18T10:00:00Z"


def alert(sid, name, at=MARCH_18, **terms):
    return {
        "sid": "NO" + name * 32,
        "account_sid": sid,
        "date_created": at,
        "date_generated": at,
        "error_code": "11200",
        "log_level": "error",
        "resource_sid": "CA" + name * 32,
        "alert_text": "Msg&To=%2B12025550177",
        "request_variables": "Body=secret+words",
        **terms,
    }


class Monitor(Twilio):
    """Answers each caller with its own alerts, as Monitor does."""

    def __init__(self, **by_key):
        super().__init__({})
        self.by_key = {"SK" + "a" * 32: by_key.get("acme"), "SK" + "b" * 32: by_key.get("beta")}

    async def answer(self, request):
        self.asked.append(request)
        found = self.by_key[user(request)]
        return found if found is not None else alerts_page([])


def user(request):
    return b64decode(request.headers["Authorization"].split()[1]).decode().split(":")[0]


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_each_account_is_asked_with_its_own_key_and_keeps_its_own_alerts(two):
    twilio = Monitor(
        acme=alerts_page([alert(ACME_SID, "1")]),
        beta=alerts_page([alert(BETA_SID, "2", log_level="WARNING", resource_sid=None)]),
    )
    assert read(two, twilio, ALERTS, keys=KEYS) == [1, 1]
    at = datetime(2026, 3, 18, 10, tzinfo=UTC)
    columns = ("customer_id", "account_sid", "day", "at", "code", "level", "resource_sid")
    assert rows_of(two, Alert, *columns) == [
        (ACME, ACME_SID, at.date(), at, "11200", "error", "CA" + "1" * 32),
        (BETA, BETA_SID, at.date(), at, "11200", "warning", None),
    ]


def test_no_text_and_no_request_is_stored(two):
    read(two, Monitor(acme=alerts_page([alert(ACME_SID, "1")])), ALERTS, keys=KEYS)
    (row,) = rows_of(two, Alert, *Alert.model_fields)
    assert not [value for value in map(str, row) if "5550177" in value or "secret" in value]


def test_the_first_reading_takes_thirty_days_and_later_ones_go_on_from_the_day_before(two):
    twilio = Monitor()
    read(two, twilio, ALERTS, ACME_SID, keys=KEYS)
    later = TODAY + timedelta(days=2)
    read(two, twilio, ALERTS, ACME_SID, keys=KEYS, today=later)
    asked = [(query["StartDate"], query["EndDate"]) for query in twilio.queries]
    assert asked == [
        ("2026-02-19T00:00:00Z", "2026-03-21T00:00:00Z"),
        ("2026-03-19T00:00:00Z", "2026-03-23T00:00:00Z"),
    ]
    assert rows_of(two, SyncCursor, "account_sid", "resource", "first_day", "through") == [
        (ACME_SID, "alerts", date(2026, 2, 19), later)
    ]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param(date(2026, 3, 10), "2026-03-10", id="a day that Twilio still has"),
        pytest.param(date(2025, 1, 1), "2026-02-19", id="a day that Twilio has no more"),
    ],
)
def test_everything_since_a_day_is_read_again_as_far_as_twilio_goes_back(two, since, expected):
    twilio = Monitor()
    for day in (None, since):
        read(two, twilio, ALERTS, ACME_SID, keys=KEYS, since=day)
    assert twilio.queries[-1]["StartDate"] == f"{expected}T00:00:00Z"


def test_known_alerts_stay_and_none_is_deleted(two):
    read(two, Monitor(acme=alerts_page([alert(ACME_SID, "1")])), ALERTS, keys=KEYS)
    again = [alert(ACME_SID, "1", error_code="1"), alert(ACME_SID, "3"), alert(ACME_SID, "3")]
    assert read(two, Monitor(acme=alerts_page(again)), ALERTS, keys=KEYS) == [1, 0]
    read(two, Monitor(), ALERTS, keys=KEYS, today=TODAY + timedelta(days=90))
    assert rows_of(two, Alert, "customer_id", "code") == [(ACME, "11200"), (ACME, "11200")]


def test_an_alert_belongs_to_whoever_had_the_account_on_its_day(store):
    beta_since = date(2026, 3, 15)
    moved = (
        account(ACME, "AC" + "c" * 32, ends_on=beta_since),
        account(BETA, "AC" + "c" * 32, starts_on=beta_since),
    )
    store.put(*customers(), *moved)
    sid = "AC" + "c" * 32
    rows = [
        alert(sid, "1", "2026-03-14T23:59:59Z"),
        alert(sid, "2", "2026-03-15T00:00:00Z"),
        alert(sid, "3", "2026-03-14T20:00:00-05:00"),  # the 15th in UTC
    ]
    keys = {sid: replace(KEYS[ACME_SID], account_sid=sid)}
    read(store, Monitor(acme=alerts_page(rows)), ALERTS, sid, keys=keys)
    assert rows_of(store, Alert, "customer_id", "sid") == [
        (ACME, "NO" + "1" * 32),
        (BETA, "NO" + "2" * 32),
        (BETA, "NO" + "3" * 32),
    ]


def test_pages_are_followed_though_their_addresses_are_absolute(two):
    pages = [
        alerts_page([alert(ACME_SID, "1")], "https://monitor.twilio.com/v1/Alerts?Page=1"),
        alerts_page([alert(ACME_SID, "2")]),
    ]
    twilio = Twilio({"": lambda _: pages.pop(0)})
    assert read(two, twilio, ALERTS, ACME_SID, keys=KEYS) == [2]
    assert [request.url.path for request in twilio.asked] == ["/v1/Alerts"] * 2


PLACELESS = {
    "without a SID": {"sid": None},
    "without a day": {"date_created": None},
    "without an account": {"account_sid": None},
}


@pytest.mark.parametrize("lacking", PLACELESS.values(), ids=PLACELESS)
def test_an_alert_without_a_place_is_left_out(two, lacking):
    rows = [{**alert(ACME_SID, "1"), **lacking}, alert(ACME_SID, "2")]
    assert read(two, Monitor(acme=alerts_page(rows)), ALERTS, ACME_SID, keys=KEYS) == [1]


ODD = {
    "a date of the old form": ({"date_generated": "Wed, 18 Mar 2026 10:00:00 +0000"}, "error"),
    "no date of its own": ({"date_generated": None}, "error"),
    "a new level": ({"log_level": "Catastrophe"}, "catastrophe"),
    "no level and no code": ({"log_level": None, "error_code": None}, "unknown"),
    "a code that is a number": ({"error_code": 11200}, "error"),
}


@pytest.mark.parametrize(("fields", "level"), ODD.values(), ids=ODD)
def test_an_odd_alert_is_kept(two, fields, level):
    page = alerts_page([alert(ACME_SID, "1", **fields)])
    read(two, Monitor(acme=page), ALERTS, ACME_SID, keys=KEYS)
    code = "" if "error_code" in fields and not fields["error_code"] else "11200"
    assert rows_of(two, Alert, "level", "code", "day") == [(level, code, date(2026, 3, 18))]


FAULTS = {
    "another account's alert": alerts_page([alert(ACME_SID, "1"), alert(BETA_SID, "2")]),
    "a day that cannot be read": alerts_page(
        [alert(ACME_SID, "1"), alert(ACME_SID, "2", "some day")]
    ),
    "no list": JSONResponse({"alerts": None}),
    "no JSON": PlainTextResponse("<html>"),
    "refused credentials": refusal(401),
    "an error for ever": refusal(500, Retry_After=0),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_listing_that_cannot_be_read_stores_nothing(two, fault):
    read(two, Monitor(beta=alerts_page([alert(BETA_SID, "9")])), ALERTS, BETA_SID, keys=KEYS)
    with pytest.raises(TwilioError):
        read(two, Monitor(acme=fault), ALERTS, ACME_SID, keys=KEYS)
    assert rows_of(two, Alert, "customer_id") == [(BETA,)]
    assert rows_of(two, SyncCursor, "account_sid") == [(BETA_SID,)]


@pytest.mark.parametrize(
    ("known", "applies"),
    [
        pytest.param(KnownAccount(ACME_SID, "Acme"), True, id="one with a key"),
        pytest.param(KnownAccount(BETA_SID, "Beta"), False, id="one without"),
        pytest.param(KnownAccount(BETA_SID, "Beta", "connected"), True, id="a connected one"),
        pytest.param(KnownAccount(ACME_SID, "Acme", status="closed"), False, id="a closed one"),
        pytest.param(KnownAccount(PARENT, "Owl", "connected"), False, id="the parent"),
    ],
)
def test_only_accounts_with_credentials_of_their_own_have_alerts(two, known, applies):
    keys = {ACME_SID: KEYS[ACME_SID], PARENT: Credentials(PARENT, "x", "SK" + "c" * 32)}
    with reading(two, Monitor(), keys=keys) as run:
        assert ALERTS.applies(run, known) is applies
