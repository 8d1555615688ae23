"""Incidents of Twilio's status page, and the parent's balance: neither can fail a sync."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from data.models import Incident
from data.service_rows import incidents as incidents_of
from data.twilio.balance import balance
from data.twilio.client import Transport
from data.twilio.status import incidents
from tests.readings import TODAY, Twilio, reading, rows_of
from tests.servers import PARENT, refusal
from tests.stores import customers

BEGAN = datetime(2026, 3, 19, 6, tzinfo=UTC)


def incident(name, **terms):
    return {
        "id": f"i-{name}",
        "name": name,
        "impact": "minor",
        "status": "investigating",
        "started_at": "2026-03-19T06:00:00Z",
        "resolved_at": None,
        **terms,
    }


def told(store, *listed, **answer):
    twilio = Twilio({"": JSONResponse({"page": {}, "incidents": list(listed)}, **answer)})
    with reading(store, twilio) as run:
        return incidents(run), twilio


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_incidents_are_stored_once_for_both_customers(two):
    count, twilio = told(two, incident("SMS delays"), incident("Voice", impact="Critical"))
    assert count == 2
    assert [request.url.path for request in twilio.asked] == ["/api/v2/incidents.json"]
    seen = incidents_of(two.acme, TODAY, TODAY)
    assert seen == incidents_of(two.beta, TODAY, TODAY)
    assert [(one.name, one.impact, one.started_at) for one in seen] == [
        ("SMS delays", "minor", BEGAN),
        ("Voice", "critical", BEGAN),
    ]


def test_no_credentials_are_sent_to_the_status_page(two):
    _, twilio = told(two, incident("SMS delays"))
    assert "Authorization" not in twilio.asked[0].headers


def test_an_incident_is_told_anew_and_those_no_longer_told_stay(two):
    told(two, incident("SMS delays"), incident("Voice"))
    over = {"status": "resolved", "resolved_at": "2026-03-19T12:30:00.000-07:00"}
    told(two, incident("SMS delays", **over))
    assert rows_of(two, Incident, "name", "status", "resolved_at") == [
        ("SMS delays", "resolved", datetime(2026, 3, 19, 19, 30, tzinfo=UTC)),
        ("Voice", "investigating", None),
    ]


@pytest.mark.parametrize(
    ("fields", "components", "url"),
    [
        pytest.param(
            {"components": [{"name": "SMS"}, {"name": None}, "x"], "shortlink": "https://s.test/a"},
            ("SMS",),
            "https://s.test/a",
            id="a page of its own",
        ),
        pytest.param(
            {"components": None, "shortlink": "javascript:alert(1)"}, (), "", id="no web address"
        ),
    ],
)
def test_what_it_touches_and_where_to_read_on_are_kept(two, fields, components, url):
    told(two, incident("SMS delays", **fields))
    (seen,) = incidents_of(two.beta, TODAY, TODAY)
    assert (seen.components, seen.url) == (components, url)


UNREADABLE = {
    "no id": {"id": None},
    "no start": {"started_at": None},
    "a start that is none": {"started_at": "lately"},
    "an end that is none": {"resolved_at": "soon"},
}


@pytest.mark.parametrize("fields", UNREADABLE.values(), ids=UNREADABLE)
def test_an_incident_that_cannot_be_read_stops_no_other(two, fields):
    assert told(two, incident("a", **fields), "nonsense", incident("b"))[0] == 1
    assert rows_of(two, Incident, "name") == [("b",)]


def test_an_incident_without_a_start_began_when_it_was_made(two):
    made = incident("a", started_at=None, created_at="2026-03-19T06:00:00Z", impact=None)
    told(two, made | {"status": "Postmortem"})
    assert rows_of(two, Incident, "started_at", "impact", "status") == [
        (BEGAN, "none", "postmortem")
    ]


FAULTS = {
    "an error": refusal(500),
    "too many requests": refusal(429),
    "a page for people": PlainTextResponse("<html>"),
    "a list": JSONResponse([]),
    "no list of incidents": JSONResponse({"incidents": {"a": 1}}),
    "another address": RedirectResponse("/elsewhere"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_status_page_that_fails_is_asked_once_and_fails_nothing(two, fault):
    told(two, incident("kept"))
    twilio = Twilio({"": fault})
    with reading(two, twilio) as run:
        assert incidents(run) == 0
    assert len(twilio.asked) == 1
    assert rows_of(two, Incident, "name") == [("kept",)]


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param({"status": "http://127.0.0.1:1"}, id="nobody there"),
        pytest.param({"status": "nonsense://"}, id="no address"),
        pytest.param({}, id="none set"),
    ],
)
def test_a_status_page_that_cannot_be_reached_fails_nothing(two, hosts):
    nobody = Transport(hosts)
    with reading(two, Twilio({}), transport=nobody) as run:
        assert incidents(run) == 0


def left(store, answer):
    twilio = Twilio({"": answer})
    with reading(store, twilio) as run:
        return balance(run), twilio


def test_the_balance_is_the_parents(two):
    found, twilio = left(two, JSONResponse({"balance": "-12.345", "currency": "usd"}))
    assert found == (D("-12.345"), "USD")
    assert twilio.asked[0].url.path == f"/2010-04-01/Accounts/{PARENT}/Balance.json"


BALANCES = {
    "none": JSONResponse({"balance": None, "currency": "USD"}),
    "no number": JSONResponse({"balance": "much", "currency": "USD"}),
    "no currency of ours": JSONResponse({"balance": "1", "currency": "gold"}),
    "refused": refusal(401),
    "unknown": refusal(404),
    "an error": refusal(500, Retry_After=0),
}


@pytest.mark.parametrize("answer", BALANCES.values(), ids=BALANCES)
def test_a_balance_that_cannot_be_had_is_none(two, answer):
    assert left(two, answer)[0] is None
