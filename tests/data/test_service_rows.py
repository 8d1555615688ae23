"""Questions about what stands beside usage: to each customer its own; incidents are shared."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.models import Account, Alert, Incident, LogDay, PhoneNumber, SyncCursor, UsageTrigger
from data.scope import writing
from data.service_rows import (
    AlertCount,
    LogCountView,
    accounts_by_number,
    alerts_by_day,
    incidents,
    log_days,
    phone_numbers,
    read_through,
    usage_triggers,
)
from data.twilio.service_intake import move_service_rows
from tests.readings import rows_of
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, customers

FIRST, LAST = date(2026, 3, 10), date(2026, 3, 12)
SIDS = {ACME: ACME_SID, BETA: BETA_SID}
TABLES = (Alert, LogDay, PhoneNumber, UsageTrigger)


def noon(day):
    return datetime.combine(day, datetime.min.time(), UTC).replace(hour=12)


def alert(owner, name, day=FIRST, code="11200", level="error", sid=None):
    return Alert(
        customer_id=owner,
        sid=f"NO{owner}{name}",
        account_sid=sid or SIDS[owner],
        day=day,
        at=noon(day),
        code=code,
        level=level,
    )


def number(owner, digits, **terms):
    given = {"account_sid": SIDS[owner], "name": "Desk", **terms}
    return PhoneNumber(customer_id=owner, sid=f"PN{digits}", number=f"+1{digits}", **given)


def trigger(owner, name, category="calls", trigger_by="usage"):
    return UsageTrigger(
        customer_id=owner,
        sid=f"UT{owner}{name}",
        account_sid=SIDS[owner],
        name=name,
        category=category,
        trigger_by=trigger_by,
        trigger_value=D(50),
        current_value=D("1.5"),
    )


def log_day(owner, day=FIRST, status="delivered", sid=None):
    return LogDay(
        customer_id=owner,
        day=day,
        account_sid=sid or SIDS[owner],
        kind="messages",
        direction="inbound",
        status=status,
        records=2,
        units=D(3),
    )


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_alerts_are_counted_by_day_code_and_level(two):
    two.put(
        alert(ACME, 1),
        alert(ACME, 2),
        alert(ACME, 3, level="warning"),
        alert(ACME, 4, LAST, "30007"),
        alert(ACME, 5, date(2026, 3, 9)),
        alert(ACME, 6, date(2026, 3, 13)),
        alert(ACME, 7, sid="AC" + "c" * 32),
        alert(BETA, 1),
    )
    assert alerts_by_day(two.acme, [ACME_SID, BETA_SID], FIRST, LAST) == (
        AlertCount(FIRST, "11200", "error", 2),
        AlertCount(FIRST, "11200", "warning", 1),
        AlertCount(LAST, "30007", "error", 1),
    )
    assert alerts_by_day(two.acme, [BETA_SID], FIRST, LAST) == ()
    assert alerts_by_day(two.acme, [], FIRST, LAST) == ()


def test_numbers_triggers_and_log_days_are_the_customers_own(two):
    for owner, digits in ((ACME, "2025550101"), (BETA, "2025550199")):
        two.put(number(owner, digits), trigger(owner, "Calls"), log_day(owner))
    assert [(one.account_sid, one.number) for one in phone_numbers(two.beta)] == [
        (BETA_SID, "+12025550199")
    ]
    assert [(one.account_sid, one.current_value) for one in usage_triggers(two.acme)] == [
        (ACME_SID, D("1.5"))
    ]
    assert log_days(two.beta, FIRST, FIRST) == (
        LogCountView(FIRST, BETA_SID, "messages", "inbound", "delivered", 2, D(3), None),
    )


def test_thresholds_on_what_twilio_charges_are_not_shown(two):
    spend = (("calls", "price"), ("totalprice", "usage"), ("totalprice", "count"))
    two.put(*(trigger(ACME, f"{n}", *terms) for n, terms in enumerate(spend)))
    two.put(trigger(ACME, "Calls", trigger_by="count"))
    assert [one.name for one in usage_triggers(two.acme)] == ["Calls"]


def test_how_far_is_read_is_told_of_ones_own_accounts_only(two):
    day = {"first_day": FIRST, "through": LAST, "read_at": noon(LAST)}
    two.put(*(SyncCursor(account_sid=sid, resource="alerts", **day) for sid in SIDS.values()))
    (own,) = read_through(two.acme, [ACME_SID, BETA_SID])
    assert (own.account_sid, own.resource, own.through) == (ACME_SID, "alerts", LAST)
    assert read_through(two.acme, [BETA_SID]) == read_through(two.acme, []) == ()


def test_log_days_are_those_asked_for_in_order(two):
    days = [date(2026, 3, 9), LAST, FIRST, date(2026, 3, 13)]
    two.put(*(log_day(ACME, day) for day in days), log_day(ACME, status="failed"), log_day(BETA))
    found = [(one.day, one.status) for one in log_days(two.acme, FIRST, LAST)]
    assert found == [(FIRST, "delivered"), (FIRST, "failed"), (LAST, "delivered")]


INCIDENTS = {
    "over before": (date(2026, 3, 8), date(2026, 3, 9), False),
    "over on the first day": (date(2026, 3, 8), FIRST, True),
    "going on since long": (date(2026, 1, 1), None, True),
    "begun on the last day": (LAST, None, True),
    "begun after": (date(2026, 3, 13), None, False),
}


@pytest.mark.parametrize(("began", "ended", "seen"), INCIDENTS.values(), ids=INCIDENTS)
def test_incidents_are_seen_on_the_days_they_lasted(two, began, ended, seen):
    two.put(
        Incident(
            sid="i",
            name="SMS delays",
            impact="minor",
            status="resolved",
            started_at=noon(began),
            resolved_at=noon(ended) if ended else None,
        )
    )
    assert len(incidents(two.acme, FIRST, LAST)) == len(incidents(two.beta, FIRST, LAST)) == seen


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("+1 (202) 555-0101", [ACME], id="written by a person"),
        pytest.param("5550199", [BETA], id="a part of it"),
        pytest.param("202555", [ACME, BETA], id="what both have"),
        pytest.param("202", [], id="too little"),
        pytest.param("office", [], id="no number"),
        pytest.param("%5550199", [], id="a wildcard"),
        pytest.param("OWL-5550199", [], id="digits of something else"),
    ],
)
def test_staff_find_accounts_by_number(two, text, found):
    two.put(number(ACME, "2025550101"), number(BETA, "2025550199"))
    owners = accounts_by_number(two.app, text)
    assert [one.customer_id for one in owners] == found
    assert [one.account_sid for one in owners] == [SIDS[owner] for owner in found]


def handed_over(store, day):
    """Acme's account is Beta's from the day on."""
    with writing(store.owner) as session:
        session.get(Account, (ACME, ACME_SID, date(2026, 1, 1))).ends_on = day
        session.add(Account(customer_id=BETA, sid=ACME_SID, starts_on=day))
        session.flush()
        return move_service_rows(session, today=LAST)


def test_what_an_account_leaves_behind_goes_to_the_owner_of_its_day(two):
    two.put(number(ACME, "2025550101"), trigger(ACME, "Spend"), number(BETA, "2025550199"))
    two.put(*(one(ACME, day=day) for day in (FIRST, LAST) for one in (log_day,)))
    two.put(alert(ACME, 1, FIRST), alert(ACME, 2, LAST), alert(BETA, 3, FIRST))
    assert handed_over(two, LAST) == 4
    assert {one.__name__: rows_of(two, one, "customer_id", "account_sid") for one in TABLES} == {
        "Alert": [(ACME, ACME_SID), (BETA, ACME_SID), (BETA, BETA_SID)],
        "LogDay": [(ACME, ACME_SID), (BETA, ACME_SID)],
        "PhoneNumber": [(BETA, ACME_SID), (BETA, BETA_SID)],
        "UsageTrigger": [(BETA, ACME_SID)],
    }


def test_a_move_in_the_future_moves_nothing_yet(two):
    two.put(number(ACME, "2025550101"), alert(ACME, 1, LAST), trigger(BETA, "Spend"))
    assert handed_over(two, date(2026, 4, 1)) == 0


def test_what_nobody_owns_any_more_waits_and_one_account_can_be_moved_alone(two):
    two.put(alert(ACME, 1), alert(BETA, 1))
    with writing(two.owner) as session:
        for owner, sid in SIDS.items():
            session.delete(session.get(Account, (owner, sid, date(2026, 1, 1))))
        session.flush()
        assert move_service_rows(session, today=LAST, only=ACME_SID) == 1
    owners = dict(rows_of(two, Alert, "account_sid", "customer_id"))
    assert (owners[BETA_SID], owners[ACME_SID] in SIDS) == (BETA, False)
