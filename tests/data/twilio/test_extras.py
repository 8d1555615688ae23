"""What is read beside usage: its share of the requests, whose turn it is, and who may be asked."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from data.assignment import system_customer
from data.models import USAGE_RECORDS, Alert, PhoneNumber, SyncCursor
from data.scope import reading, writing
from data.twilio.client import Credentials
from data.twilio.extras import LEAST, RESOURCES, REST, SHARE, extras_due, read_extras
from data.twilio.logs import CALL_LOG, MESSAGE_LOG
from data.twilio.phone_numbers import PHONE_NUMBERS
from data.twilio.reading import KnownAccount
from data.twilio.service_intake import move_cursor
from data.twilio.usage_triggers import USAGE_TRIGGERS
from tests.little_twilio import DAY, TODAY, LittleTwilio, reading_of, run
from tests.readings import rows_of
from tests.servers import refusal
from tests.stores import ACME_SID, BETA_SID, customers, noon

NOW = noon(TODAY)
KEYS = {ACME_SID: Credentials(ACME_SID, "secret", "SK" + "a" * 32)}
FLEET = [KnownAccount(f"AC{n:032x}", f"Account {n}") for n in range(1, 301)]
BOTH = [KnownAccount(ACME_SID, "Acme"), KnownAccount(BETA_SID, "Beta")]


@pytest.fixture
def two(store, twilio):
    """Acme and Beta, each with a number; Acme's account has a key of its own."""
    store.put(*customers())
    for n, sid in enumerate((ACME_SID, BETA_SID)):
        number = {"sid": f"PN{n}", "account_sid": sid, "phone_number": f"+1202555010{n}"}
        twilio.rows[sid, "IncomingPhoneNumbers"] = [number]
    with writing(store.owner) as session:
        system_customer(session)  # as a run makes it before it reads anything
    return store


def names(extras) -> list[tuple[str, str]]:
    return [(account.sid, resource.name) for resource, account in extras]


def read_at(store, sid: str, resource: str, moment: datetime) -> None:
    with writing(store.owner) as session:
        move_cursor(session, sid, resource, TODAY, TODAY, moment)


@pytest.fixture
def quiet(sqlite_store):
    """A store in which nothing was ever read."""
    return sqlite_store


@given(st.integers(0, 10_000))
def test_a_run_asks_for_a_tenth_but_for_some_at_least(quiet, twilio, usage):
    found = extras_due(reading_of(quiet, twilio), FLEET, usage)
    waiting = 2 * len(FLEET)  # numbers and triggers; months and alerts do not apply to them
    assert len(found) == min(max(usage // SHARE, LEAST), waiting)
    assert len(set(names(found))) == len(found)


def test_whatever_a_run_asks_for_everything_has_its_turn(two, twilio):
    """Twenty a run, an hour apart, of a hundred accounts with two resources each."""
    seen: set = set()
    for n in range(200 // LEAST):
        moment = NOW + n * REST
        run_now = reading_of(two, twilio, clock=lambda moment=moment: moment)
        for resource, account in extras_due(run_now, FLEET[:100], 0):
            seen.add((account.sid, resource.name))
            read_at(two, account.sid, resource.name, moment)
    assert len(seen) == 200


def test_the_longest_unread_comes_first(two, twilio):
    for hours, account in enumerate(FLEET[:30], start=2):
        for resource in (PHONE_NUMBERS, USAGE_TRIGGERS):
            read_at(two, account.sid, resource.name, NOW - hours * REST)
    found = extras_due(reading_of(two, twilio), FLEET[:30], 0)
    assert names(found) == [
        (account.sid, resource.name)
        for account in FLEET[29:19:-1]
        for resource in (PHONE_NUMBERS, USAGE_TRIGGERS)
    ]


def test_what_was_never_read_comes_before_all(two, twilio):
    for account in FLEET[:30]:
        read_at(two, account.sid, PHONE_NUMBERS.name, NOW - 50 * DAY)
    found = extras_due(reading_of(two, twilio), FLEET[:30], 0)
    assert {resource.name for resource, _ in found} == {USAGE_TRIGGERS.name}


@pytest.mark.parametrize(
    ("ago", "due"),
    [
        pytest.param(timedelta(), False, id="just now"),
        pytest.param(REST - timedelta(seconds=1), False, id="nearly as long ago as it rests"),
        pytest.param(REST, True, id="as long ago"),
    ],
)
@pytest.mark.parametrize("only", [None, ACME_SID], ids=["all accounts", "one account"])
def test_nothing_is_read_again_before_it_has_rested(two, twilio, ago, due, only):
    for resource in RESOURCES:
        read_at(two, ACME_SID, resource.name, NOW - ago)
    found = extras_due(reading_of(two, twilio, only=only), BOTH[:1], 0)
    assert bool(found) is due


def test_of_one_account_alone_everything_is_read(two, twilio):
    accounts = [KnownAccount(ACME_SID, "Acme", first_day=TODAY - 90 * DAY)]
    one = reading_of(two, twilio, only=ACME_SID, keys=KEYS, logs=True)
    assert names(extras_due(one, accounts, 0)) == [
        (ACME_SID, resource.name) for resource in RESOURCES
    ]


def test_alerts_are_for_accounts_with_credentials_of_their_own(two, twilio):
    connected = KnownAccount("AC" + "c" * 32, "Connected", kind="connected")
    found = extras_due(reading_of(two, twilio, keys=KEYS), [*BOTH, connected], 0)
    assert {sid for sid, name in names(found) if name == "alerts"} == {ACME_SID, connected.sid}


def test_logs_are_counted_only_where_that_is_asked_for(two, twilio):
    def kinds(**terms):
        return {name for _, name in names(extras_due(reading_of(two, twilio, **terms), BOTH, 0))}

    assert kinds(logs=True) - kinds() == {MESSAGE_LOG.name, CALL_LOG.name}


def test_of_a_closed_account_nothing_is_read(two, twilio):
    closed = KnownAccount(ACME_SID, "Acme", status="closed", closed_on=TODAY, first_day=TODAY)
    assert extras_due(reading_of(two, twilio, keys=KEYS, logs=True), [closed], 0) == []


def test_what_has_nothing_to_be_read_takes_no_turn(two, twilio):
    """Of accounts known for part of a month no month can be compared, and no request is sent."""
    young = [
        KnownAccount(account.sid, account.name, first_day=TODAY - 10 * DAY)
        for account in FLEET[:40]
    ]
    for _ in range(4):
        reader = reading_of(two, twilio)
        read_extras(reader, extras_due(reader, young, 0))
    with reading(two.owner) as session:
        read = session.exec(select(SyncCursor.account_sid)).all()
    assert len(read) == 4 * LEAST


def read_all(store, twilio: LittleTwilio, **terms) -> int:
    one = reading_of(store, twilio, keys=KEYS, **terms)
    return read_extras(one, extras_due(one, BOTH, 0))


def test_what_is_read_is_each_customers_own(two, twilio):
    assert read_all(two, twilio) == 0
    found = rows_of(two, PhoneNumber, "customer_id", "number")
    assert found == [(101, "+12025550100"), (102, "+12025550101")]


@pytest.mark.parametrize(
    "answer",
    [refusal(401), refusal(404, 20404), refusal(500, Retry_After=0)],
    ids=["refused", "unknown", "an error"],
)
def test_what_is_refused_waits_for_its_next_turn_and_stops_no_other(two, twilio, answer):
    twilio.fails[f"{ACME_SID}/IncomingPhoneNumbers"] = answer
    assert read_all(two, twilio) == 1
    assert rows_of(two, PhoneNumber, "number") == [("+12025550101",)]
    twilio.fails.clear()
    twilio.asked.clear()
    assert read_all(two, twilio) == 0
    assert twilio.asked_of(ACME_SID, BETA_SID) == []
    later = NOW + REST
    assert read_all(two, twilio, clock=lambda: later) == 0
    assert len(rows_of(two, PhoneNumber, "number")) == 2


def test_alerts_refused_at_first_are_read_from_their_beginning_later(two, twilio):
    """A key that gets the right a day late misses nothing of the thirty days."""
    at = f"{TODAY - 20 * DAY}T10:00:00Z"
    alert = {"sid": "NO1", "account_sid": ACME_SID, "date_created": at, "log_level": "error"}
    twilio.rows["", "Alerts"] = [alert]
    twilio.fails["/v1/Alerts"] = refusal(403)
    read_all(two, twilio)
    twilio.fails.clear()
    read_all(two, twilio, clock=lambda: NOW + REST)
    assert rows_of(two, Alert, "sid") == [("NO1",)]
    asked = [one.query["StartDate"] for one in twilio.asked if one.what == "Alerts"]
    assert asked == [f"{TODAY - 29 * DAY}T00:00:00Z"] * 2


def test_a_refused_resource_fails_no_account(two, twilio):
    run(two, twilio)
    twilio.fails["IncomingPhoneNumbers"] = refusal(401)
    report = run(two, twilio, today=TODAY + DAY)
    assert (report.status, report.failures) == ("ok", ())


def test_in_a_small_fleet_everything_has_its_turn_in_the_first_run(two, twilio):
    run(two, twilio)
    assert len(rows_of(two, PhoneNumber, "number")) == 2


def test_the_cursor_of_usage_is_none_of_theirs(two, twilio):
    read_all(two, twilio)
    with reading(two.owner) as session:
        names = set(session.exec(select(SyncCursor.resource)).all())
    assert USAGE_RECORDS not in names
