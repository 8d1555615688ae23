"""Logs: counted by day, direction and status; nothing of a single message or call is kept."""

from datetime import date, timedelta
from decimal import Decimal as D
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from data.errors import TwilioError
from data.models import TABLES, LogDay, SyncCursor
from data.scope import reading as session_of
from data.scope import writing
from data.twilio.logs import CALL_LOG, MESSAGE_LOG
from data.twilio.reading import KnownAccount
from data.twilio.service_intake import move_cursor
from tests.readings import NOW, TODAY, Twilio, read, reading, rows_of
from tests.servers import page
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers

WORDS, PERSON = "the secret words of a person", "2025550177"
MARCH_18 = "Wed, 18 Mar 2026 10:00:00 +0000"
COUNTED = ("customer_id", "day", "kind", "direction", "status", "records", "units", "seconds")


def message(sid, at=MARCH_18, **terms):
    return {
        "sid": "SM" + "1" * 32,
        "account_sid": sid,
        "date_created": at,
        "date_sent": at,
        "direction": "outbound-api",
        "status": "delivered",
        "num_segments": "2",
        "body": WORDS,
        "to": f"+1{PERSON}",
        "from": "+12025550101",
        **terms,
    }


def call(sid, seconds, at=MARCH_18, **terms):
    return {
        "sid": "CA" + "1" * 32,
        "account_sid": sid,
        "date_created": at,
        "start_time": at,
        "direction": "inbound",
        "status": "completed",
        "duration": seconds,
        "from": f"+1{PERSON}",
        "caller_name": WORDS,
        **terms,
    }


def answers(items, acme, beta=()):
    return Twilio({ACME_SID: page(items, acme), BETA_SID: page(items, beta)})


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_messages_are_counted_by_day_direction_and_status(two):
    listed = [
        message(ACME_SID),
        message(ACME_SID, num_segments="1"),
        message(ACME_SID, status="failed"),
        message(ACME_SID, direction="inbound", status="received"),
        message(ACME_SID, "Thu, 19 Mar 2026 00:00:00 +0000"),
    ]
    twilio = answers("messages", listed, [message(BETA_SID)])
    assert read(two, twilio, MESSAGE_LOG, logs=True) == [4, 1]
    day, next_day = date(2026, 3, 18), date(2026, 3, 19)
    assert rows_of(two, LogDay, *COUNTED) == sorted(
        [
            (ACME, day, "messages", "inbound", "received", 1, D(2), None),
            (ACME, day, "messages", "outbound-api", "delivered", 2, D(3), None),
            (ACME, day, "messages", "outbound-api", "failed", 1, D(2), None),
            (ACME, next_day, "messages", "outbound-api", "delivered", 1, D(2), None),
            (BETA, day, "messages", "outbound-api", "delivered", 1, D(2), None),
        ],
        key=str,
    )


def test_every_call_is_rounded_up_to_minutes_by_itself(two):
    listed = [call(ACME_SID, seconds) for seconds in ("1", "60", "61", "0")]
    listed.append(call(ACME_SID, None, status="no-answer"))
    read(two, answers("calls", listed, [call(BETA_SID, "30")]), CALL_LOG, logs=True)
    day = date(2026, 3, 18)
    assert rows_of(two, LogDay, *COUNTED) == [
        (ACME, day, "calls", "inbound", "completed", 4, D(4), 122),
        (ACME, day, "calls", "inbound", "no-answer", 1, D(0), 0),
        (BETA, day, "calls", "inbound", "completed", 1, D(1), 30),
    ]


def whole_database(store) -> str:
    """Every row of every table as text, and an SQLite file byte by byte."""
    with session_of(store.owner) as session:
        found = [str(row.model_dump()) for one in TABLES for row in session.exec(select(one)).all()]
    if store.settings.database_url.startswith("sqlite"):
        files = store.file.parent.glob(store.file.name + "*")
        found += [path.read_bytes().decode("latin-1") for path in files]
    return "\n".join(found)


def test_no_text_and_no_number_of_a_person_is_anywhere_in_the_database(two, caplog, capsys):
    caplog.set_level("DEBUG")
    bad = [{**message(ACME_SID), "sid": None}, message(ACME_SID, None)]
    twilio = answers("messages", [message(ACME_SID), *bad], [message(BETA_SID)])
    read(two, twilio, MESSAGE_LOG, logs=True)
    read(two, answers("calls", [call(ACME_SID, "9")], [call(BETA_SID, "9")]), CALL_LOG, logs=True)
    stored, logged = whole_database(two), caplog.text + "".join(capsys.readouterr())
    assert len(rows_of(two, LogDay, "day")) == 4
    assert "outbound-api" in stored  # so what is searched holds the counts
    assert "record_without_place" in logged
    assert [one for one in (WORDS, PERSON, "SM1111", "CA1111") if one in stored + logged] == []


def days_asked(twilio, name):
    queries = [parse_qs(urlsplit(str(request.url)).query) for request in twilio.asked]
    return [(query[f"{name}>"], query[f"{name}<"]) for query in queries]


@pytest.mark.parametrize(
    ("log", "items", "name"),
    [
        pytest.param(MESSAGE_LOG, "messages", "DateSent", id="messages"),
        pytest.param(CALL_LOG, "calls", "StartTime", id="calls"),
    ],
)
def test_thirty_days_are_read_first_then_those_that_still_move(two, log, items, name):
    twilio = answers(items, [])
    read(two, twilio, log, ACME_SID, logs=True)
    read(two, twilio, log, ACME_SID, logs=True)
    read(two, twilio, log, ACME_SID, logs=True, today=TODAY + timedelta(days=10))
    read(two, twilio, log, ACME_SID, logs=True, since=date(2025, 1, 1))
    assert days_asked(twilio, name) == [
        (["2026-02-19"], ["2026-03-21"]),
        (["2026-03-17"], ["2026-03-21"]),
        (["2026-03-17"], ["2026-03-31"]),  # ten days nobody read, too
        (["2026-02-19"], ["2026-03-21"]),
    ]
    assert rows_of(two, SyncCursor, "account_sid", "resource") == [(ACME_SID, log.name)]


def test_a_reading_that_was_tried_in_vain_leaves_all_thirty_days_to_the_next(two):
    with writing(two.owner) as session:
        yesterday = TODAY - timedelta(days=1)
        move_cursor(session, ACME_SID, MESSAGE_LOG.name, TODAY, yesterday, NOW)
    twilio = answers("messages", [])
    read(two, twilio, MESSAGE_LOG, ACME_SID, logs=True)
    assert days_asked(twilio, "DateSent") == [(["2026-02-19"], ["2026-03-21"])]
    assert rows_of(two, SyncCursor, "first_day", "through") == [(date(2026, 2, 19), TODAY)]


def test_a_day_read_again_is_replaced_and_older_ones_stay(two):
    old = message(ACME_SID, "Sun, 01 Mar 2026 10:00:00 +0000")
    read(two, answers("messages", [message(ACME_SID), old]), MESSAGE_LOG, ACME_SID, logs=True)
    calls = answers("calls", [call(ACME_SID, "9")], [call(BETA_SID, "9")])
    read(two, calls, CALL_LOG, logs=True)
    again = [message(ACME_SID, status="undelivered")]
    read(two, answers("messages", again), MESSAGE_LOG, ACME_SID, logs=True)
    assert rows_of(two, LogDay, "customer_id", "day", "kind", "status") == [
        (ACME, date(2026, 3, 1), "messages", "delivered"),
        (ACME, date(2026, 3, 18), "calls", "completed"),
        (ACME, date(2026, 3, 18), "messages", "undelivered"),
        (BETA, date(2026, 3, 18), "calls", "completed"),
    ]


def test_a_day_belongs_to_whoever_had_the_account_then(store):
    sid, since = "AC" + "c" * 32, date(2026, 3, 18)
    store.put(*customers(), account(ACME, sid, ends_on=since), account(BETA, sid, starts_on=since))
    listed = [message(sid), message(sid, "Tue, 17 Mar 2026 23:59:59 +0000")]
    twilio = Twilio({sid: page("messages", listed)})
    read(store, twilio, MESSAGE_LOG, sid, logs=True)
    assert rows_of(store, LogDay, "customer_id", "day") == [
        (ACME, date(2026, 3, 17)),
        (BETA, since),
    ]


ODD = {
    "an ISO date": ({"date_sent": "2026-03-18T23:30:00-05:00"}, [(date(2026, 3, 19), D(2))]),
    "not sent yet": ({"date_sent": None}, [(date(2026, 3, 18), D(2))]),
    "no segments yet": ({"num_segments": None}, [(date(2026, 3, 18), D(0))]),
    "segments as a number": ({"num_segments": 3}, [(date(2026, 3, 18), D(3))]),
    "no day at all": ({"date_sent": None, "date_created": None}, []),
    "a day not asked for": ({"date_sent": "2020-01-01"}, []),
    "no SID": ({"sid": ""}, []),
    "no account": ({"account_sid": None}, []),
}


@pytest.mark.parametrize(("fields", "expected"), ODD.values(), ids=ODD)
def test_an_odd_record_has_its_place_or_is_left_out(two, fields, expected):
    listed = [{**message(ACME_SID), **fields}]
    read(two, answers("messages", listed), MESSAGE_LOG, ACME_SID, logs=True)
    assert rows_of(two, LogDay, "day", "units") == expected


def test_new_statuses_and_directions_are_counted_under_their_names(two):
    listed = [
        message(ACME_SID, status="Teleported", direction=None),
        message(ACME_SID, status=None, direction="sideways"),
    ]
    read(two, answers("messages", listed), MESSAGE_LOG, ACME_SID, logs=True)
    assert rows_of(two, LogDay, "direction", "status") == [
        ("sideways", "unknown"),
        ("unknown", "teleported"),
    ]


FAULTS = {
    "another account's": {"account_sid": BETA_SID},
    "segments that are none": {"num_segments": "many"},
    "segments below nothing": {"num_segments": "-1"},
    "parts of a segment": {"num_segments": "1.5"},
    "a day that is none": {"date_sent": "lately"},
}


@pytest.mark.parametrize("fields", FAULTS.values(), ids=FAULTS)
def test_a_log_that_cannot_be_read_leaves_what_was(two, fields):
    first = answers("messages", [message(ACME_SID)], [message(BETA_SID)])
    read(two, first, MESSAGE_LOG, logs=True)
    listed = [message(ACME_SID, status="sent"), {**message(ACME_SID), **fields}]
    with pytest.raises(TwilioError) as refused:
        read(two, answers("messages", listed), MESSAGE_LOG, ACME_SID, logs=True)
    assert WORDS not in str(refused.value)
    assert rows_of(two, LogDay, "customer_id", "status") == [
        (ACME, "delivered"),
        (BETA, "delivered"),
    ]


@pytest.mark.parametrize("log", [MESSAGE_LOG, CALL_LOG], ids=lambda log: log.name)
@pytest.mark.parametrize(
    ("logs", "status", "applies"),
    [
        pytest.param(True, "active", True, id="wanted"),
        pytest.param(False, "active", False, id="not wanted"),
        pytest.param(True, "closed", False, id="closed"),
    ],
)
def test_logs_are_read_only_where_they_are_wanted(two, log, logs, status, applies):
    with reading(two, answers("messages", []), logs=logs) as run:
        assert log.applies(run, KnownAccount(ACME_SID, "", status=status)) is applies
