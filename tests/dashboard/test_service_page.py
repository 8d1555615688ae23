"""Service: each customer its own errors, numbers and thresholds; calm where there is nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from dashboard.views.service import bridge_steps
from data.models import Alert, Incident, LogDay, PhoneNumber, SyncCursor, UsageTrigger
from data.service import LogDifference
from tests.staffed import ANNA, BEA, app_on, opened, put_people, text_of
from tests.stores import ACME, ACME_SID, BETA, BETA_SID

TODAY = datetime.now(UTC).date()
SIDS = {ACME: ACME_SID, BETA: BETA_SID}


@pytest.fixture
def app(store, monkeypatch):
    put_people(store)
    with app_on(store, monkeypatch) as opened_store:
        yield opened_store


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 0, 1, tzinfo=UTC)


def cursor(owner, resource):
    days = {"first_day": TODAY.replace(day=1), "through": TODAY, "read_at": noon(TODAY)}
    return SyncCursor(account_sid=SIDS[owner], resource=resource, **days)


def put(store, owner, code, digits):
    named = {"customer_id": owner, "account_sid": SIDS[owner]}
    at = {"day": TODAY, "at": noon(TODAY)}
    store.put(
        Alert(**named, **at, sid=f"NO{owner}", code=code, level="error"),
        PhoneNumber(**named, sid=f"PN{owner}", number=digits),
        *(
            UsageTrigger(
                **named,
                sid=f"UT{owner}{by}",
                name=f"{by} of {owner}",
                category="calls",
                trigger_by=by,
                trigger_value=D(60),
                current_value=D("41.25"),
                recurring="monthly",
            )
            for by in ("usage", "price")
        ),
        cursor(owner, "alerts"),
    )


def test_each_sees_its_own_errors_numbers_and_thresholds(app):
    put(app, ACME, "30007", "+12025550101")
    put(app, BETA, "21610", "+12025550199")
    acme, beta = (text_of(opened(app, who, "service")) for who in (ANNA, BEA))
    for own, other, code, digits, owner in (
        (acme, beta, "Filtered by the carrier", "+12025550101", ACME),
        (beta, acme, "Recipient has opted out", "+12025550199", BETA),
    ):
        for mark in (code, digits, f"usage of {owner}"):
            assert mark in own
            assert mark not in other
        assert f"price of {owner}" not in own  # it is what Twilio charges
    assert "41.25 of 60 minutes this month" in acme


def test_nothing_to_report_is_said_calmly_and_never_read_honestly(app):
    app.put(cursor(ACME, "alerts"))
    acme, beta = (text_of(opened(app, who, "service")) for who in (ANNA, BEA))
    assert "Twilio has reported no error in" in acme
    assert "No errors have been read yet." in beta
    for shown in (acme, beta):
        assert "Twilio has reported no incident in this period." in shown
        assert "Your logs are not counted here" in shown
        assert "Your accounts hold no phone number." in shown
        assert "No threshold is set on the use of your accounts." in shown


def test_an_unknown_code_is_shown_as_what_it_is(app):
    put(app, ACME, "99001", "+12025550101")
    shown = text_of(opened(app, ANNA, "service"))
    assert "No explanation here yet" in shown
    assert "https://www.twilio.com/docs/api/errors/99001" in shown


def test_an_incident_that_goes_on_stands_first(app):
    over = {"resolved_at": noon(TODAY), "status": "resolved", "impact": "major"}
    goes_on = {"status": "monitoring", "impact": "minor", "components": ["SMS"]}
    app.put(
        Incident(sid="i1", name="Was slow", started_at=noon(TODAY), **over),
        Incident(sid="i2", name="Is slow", started_at=noon(TODAY.replace(day=1)), **goes_on),
    )
    shown = text_of(opened(app, ANNA, "service"))
    assert shown.index("Is slow") < shown.index("Was slow")
    assert "Touched: SMS" in shown


def test_a_counted_log_is_led_to_what_is_billed(app):
    counts = {"kind": "messages", "direction": "outbound", "units": D(5)}
    for owner, records in ((ACME, 4), (BETA, 777)):
        named = {"customer_id": owner, "account_sid": SIDS[owner], "day": TODAY}
        app.put(LogDay(**named, **counts, status="sent", records=records))
        app.put(cursor(owner, "message_log"))
    shown = text_of(opened(app, ANNA, "service"))
    assert "Second and further segments of longer messages" in shown
    assert "777" not in shown


@pytest.mark.parametrize(
    ("kind", "seconds", "billed"),
    [("messages", None, 324), ("messages", None, 300), ("calls", 75, 3), ("calls", 0, 0)],
)
def test_the_steps_of_a_log_add_up_to_what_is_billed(kind, seconds, billed):
    whole = LogDifference(300, 12, D(324 if kind == "messages" else 3), seconds, D(billed))
    steps = bridge_steps(kind, whole)
    assert sum(number for _, number in steps) == billed
    assert all(number for _, number in steps[1:])
