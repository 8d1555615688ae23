"""What stands beside the usage: codes in words, and logs against billed usage, to the unit."""

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import LogDay, SyncCursor
from data.periods import period_of
from data.service import (
    NOT_BILLED,
    AlertCount,
    difference,
    error_code,
    error_codes,
    error_sums,
    service,
)
from data.service_rows import LogCountView
from data.store import subscription
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, SYNCED, customers, record

FIRST, LAST = date(2026, 3, 10), date(2026, 3, 12)
MARCH = period_of(FIRST)
SIDS = {ACME: ACME_SID, BETA: BETA_SID}


def counted(status, records, units, seconds=None, kind="messages"):
    return LogCountView(FIRST, ACME_SID, kind, "outbound", status, records, D(units), seconds)


def log_day(owner, day, status, records, units, **terms):
    given = {"kind": "messages", "direction": "outbound", **terms}
    return LogDay(
        customer_id=owner,
        account_sid=SIDS[owner],
        day=day,
        status=status,
        records=records,
        units=D(units),
        **given,
    )


def cursor(sid, resource="message_log", first=FIRST, through=LAST):
    days = {"first_day": first, "through": through, "read_at": SYNCED}
    return SyncCursor(account_sid=sid, resource=resource, **days)


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def seen(scope, today=LAST):
    return service(scope, subscription(scope, "main").accounts, MARCH, today=today)


def test_every_code_is_explained_and_leads_to_twilios_page():
    assert len(error_codes()) > 60
    for code, one in error_codes().items():
        assert code == one.code
        assert one.url == f"https://www.twilio.com/docs/api/errors/{code}"
        for words in (one.happened, one.advice):
            assert words.endswith(".")
            assert len(words) < 140
        assert not one.title.endswith(".")


def test_an_unknown_code_says_so_and_an_empty_one_leads_nowhere():
    assert not error_code("99999").known
    assert error_code("99999").url.endswith("/99999")
    assert error_code("").url == error_code("javascript:x").url == ""


def test_errors_are_summed_by_code_with_their_worst_level_and_last_day():
    counts = (
        AlertCount(FIRST, "30003", "warning", 2),
        AlertCount(LAST, "30003", "error", 1),
        AlertCount(FIRST, "11200", "moon", 4),
    )
    first, second = error_sums(counts)
    assert (first.code, first.count, first.level) == ("11200", 4, "moon")
    assert (second.code, second.count, second.level, second.last) == ("30003", 3, "error", LAST)


def test_three_hundred_records_are_324_segments():
    own = (counted("delivered", 252, 252), counted("sent", 36, 72), counted("failed", 12, 12))
    whole = difference(own, D(324))
    assert (whole.records, whole.unbilled, whole.units, whole.rest) == (300, 12, D(324), D(0))
    assert whole.seconds is None


def test_calls_are_rounded_up_and_those_unanswered_cost_nothing():
    calls = (
        counted("completed", 2, 3, 75, kind="calls"),
        counted("busy", 4, 0, 0, kind="calls"),
        counted("no-answer", 1, 0, 0, kind="calls"),
    )
    whole = difference(calls, D(3))
    assert (whole.records, whole.unbilled, whole.units, whole.seconds) == (7, 5, D(3), 75)
    assert whole.rest == 0


COUNTS = st.lists(
    st.builds(
        counted,
        st.sampled_from(["delivered", "sent", "received", *NOT_BILLED]),
        st.integers(0, 500),
        st.integers(0, 900),
    ),
    max_size=8,
)


@given(own=COUNTS, billed=st.integers(0, 5000).map(D))
def test_a_log_and_its_rest_are_what_is_billed(own, billed):
    whole = difference(own, billed)
    assert whole.units + whole.rest == billed
    assert 0 <= whole.unbilled <= whole.records == sum(one.records for one in own)


def test_a_log_is_held_against_what_was_billed_on_the_days_counted(two):
    for owner, many in ((ACME, 5), (BETA, 700)):
        two.put(log_day(owner, FIRST, "delivered", many, many + 1))
        two.put(log_day(owner, FIRST, "failed", 2, 2), cursor(SIDS[owner]))
        two.put(*(record(owner, day, "sms", many + 2) for day in (FIRST, date(2026, 3, 9))))
        two.put(record(owner, FIRST, "mms", 1), record(owner, FIRST, "totalprice", 999))
    (own,) = seen(two.acme).logs
    assert (own.kind, own.first, own.last) == ("messages", FIRST, LAST)
    assert (own.whole.records, own.whole.unbilled, own.whole.units) == (7, 2, D(6))
    assert (own.whole.billed, own.whole.rest) == (D(8), D(2))
    assert [(day, one.billed) for day, one in own.days] == [(FIRST, D(8))]


def test_days_that_are_not_counted_yet_are_not_compared(two):
    two.put(cursor(ACME_SID, through=date(2026, 3, 11)), cursor(BETA_SID))
    two.put(*(record(ACME, day, "sms", 4) for day in (FIRST, LAST)))
    (own,) = seen(two.acme).logs
    assert (own.last, own.whole.billed) == (date(2026, 3, 11), D(4))


def test_without_counted_logs_nothing_is_compared(two):
    two.put(cursor(BETA_SID), log_day(BETA, FIRST, "delivered", 3, 3))
    assert seen(two.acme).logs == ()
    assert [one.resource for one in seen(two.beta).read] == ["message_log"]


def test_what_has_no_rows_is_empty_and_never_anothers(two):
    two.put(cursor(ACME_SID, "alerts"))
    empty = seen(two.beta)
    parts = (empty.errors, empty.triggers, empty.numbers, empty.logs, empty.read)
    assert parts == ((), (), (), (), ())
