"""Usage triggers: a copy of what Twilio has, replaced as a whole."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.errors import TwilioError
from data.models import SyncCursor, UsageTrigger
from data.twilio.usage_triggers import USAGE_TRIGGERS
from tests.readings import TODAY, Twilio, read, rows_of
from tests.servers import page, refusal
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, customers


def trigger(sid, name, **terms):
    return {
        "sid": "UT" + name * 32,
        "account_sid": sid,
        "friendly_name": f"Trigger {name}",
        "usage_category": "totalprice",
        "trigger_by": "price",
        "trigger_value": "50.000000",
        "current_value": "12.3456",
        "recurring": "monthly",
        "date_fired": None,
        "callback_url": "https://owl.test/hook?token=secret",
        **terms,
    }


def answers(acme, beta=()):
    rows = {ACME_SID: page("usage_triggers", acme), BETA_SID: page("usage_triggers", beta)}
    return Twilio(rows)


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_triggers_are_stored_for_whoever_owns_the_account_today(two):
    fired = trigger(BETA_SID, "2", date_fired="Thu, 19 Mar 2026 09:00:00 +0000", recurring=None)
    assert read(two, answers([trigger(ACME_SID, "1")], [fired]), USAGE_TRIGGERS) == [1, 1]
    columns = ("customer_id", "name", "trigger_value", "current_value", "recurring", "fired_at")
    at = datetime(2026, 3, 19, 9, tzinfo=UTC)
    assert rows_of(two, UsageTrigger, *columns) == [
        (ACME, "Trigger 1", D(50), D("12.3456"), "monthly", None),
        (BETA, "Trigger 2", D(50), D("12.3456"), None, at),
    ]
    assert rows_of(two, SyncCursor, "resource", "through") == [("usage_triggers", TODAY)] * 2


def test_the_listing_takes_the_place_of_the_one_before(two):
    read(two, answers([trigger(ACME_SID, "1")], [trigger(BETA_SID, "2")]), USAGE_TRIGGERS)
    now = [trigger(ACME_SID, "3"), trigger(ACME_SID, "3")]
    assert read(two, answers(now), USAGE_TRIGGERS, ACME_SID) == [1]
    assert rows_of(two, UsageTrigger, "customer_id", "name") == [
        (ACME, "Trigger 3"),
        (BETA, "Trigger 2"),
    ]


ODD = {
    "no current value": ({"current_value": None}, ("price", D(50), D(0), "monthly")),
    "a number without quotes": ({"trigger_value": 0}, ("price", D(0), D("12.3456"), "monthly")),
    "not said by what": ({"trigger_by": None}, ("usage", D(50), D("12.3456"), "monthly")),
    "a new interval": ({"recurring": "Hourly"}, ("price", D(50), D("12.3456"), "hourly")),
}


@pytest.mark.parametrize(("fields", "expected"), ODD.values(), ids=ODD)
def test_an_odd_trigger_is_kept(two, fields, expected):
    read(two, answers([trigger(ACME_SID, "1", **fields)]), USAGE_TRIGGERS, ACME_SID)
    columns = ("trigger_by", "trigger_value", "current_value", "recurring")
    assert rows_of(two, UsageTrigger, *columns) == [expected]


@pytest.mark.parametrize("field", ["sid", "account_sid", "usage_category", "trigger_value"])
def test_a_trigger_without_what_makes_it_one_is_left_out(two, field):
    rows = [{**trigger(ACME_SID, "1"), field: None}, trigger(ACME_SID, "2")]
    assert read(two, answers(rows), USAGE_TRIGGERS, ACME_SID) == [1]


FAULTS = {
    "another account's": [trigger(BETA_SID, "1")],
    "a value that is none": [trigger(ACME_SID, "1"), trigger(ACME_SID, "2", trigger_value="+30%")],
    "a value that does not fit": [trigger(ACME_SID, "1", current_value="1000000000000")],
    "a day that is none": [trigger(ACME_SID, "1", date_fired="yesterday")],
}


@pytest.mark.parametrize("rows", FAULTS.values(), ids=FAULTS)
def test_a_listing_that_cannot_be_read_leaves_what_was(two, rows):
    read(two, answers([trigger(ACME_SID, "9")], [trigger(BETA_SID, "8")]), USAGE_TRIGGERS)
    with pytest.raises(TwilioError):
        read(two, answers(rows), USAGE_TRIGGERS, ACME_SID, today=date(2026, 3, 21))
    assert rows_of(two, UsageTrigger, "name") == [("Trigger 8",), ("Trigger 9",)]
    assert rows_of(two, SyncCursor, "through") == [(TODAY,)] * 2


def test_a_second_page_that_fails_leaves_what_was(two):
    read(two, answers([trigger(ACME_SID, "9")]), USAGE_TRIGGERS, ACME_SID)
    pages = [page("usage_triggers", [trigger(ACME_SID, "1")], "/x?Page=1"), refusal(403)]
    with pytest.raises(TwilioError):
        read(two, Twilio({"": lambda _: pages.pop(0)}), USAGE_TRIGGERS, ACME_SID)
    assert rows_of(two, UsageTrigger, "customer_id", "name") == [(ACME, "Trigger 9")]
    assert rows_of(two, UsageTrigger, "customer_id") != [(BETA,)]
