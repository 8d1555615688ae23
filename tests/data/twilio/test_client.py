"""The door to Twilio: paging, retries, errors in our words, credentials that go nowhere else."""

import logging
import socket
from datetime import date
from decimal import Decimal as D

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, PARENT_SID, World
from data.errors import NotFound, TwilioBusy, TwilioError, TwilioRefused
from data.twilio.client import Credentials, Transport
from data.twilio.tally import Tally
from data.twilio.usage_records import daily_usage
from tests.servers import PARENT, TOKEN, Canned, account_body, page, refusal, serving

TODAY = date(2026, 3, 20)
FINE = page("accounts", [account_body(PARENT)])


def client(base, sid=PARENT, token=TOKEN, **options):
    transport = Transport({"api": base}, **{"attempts": 2, "timeout": 5, **options})
    return transport.client(Credentials(sid, token))


def listed(answers, path="Accounts.json", **options):
    """What the client makes of these answers, and what it asked for them."""
    canned = Canned(list(answers))
    with serving(canned.app) as base:
        found = list(client(base, **options).list(path, "accounts"))
    return found, canned.asked


def refused(answers, expected, **options):
    with pytest.raises(expected) as refusal:
        listed(answers, **options)
    return refusal.value


def test_every_page_is_read():
    pages = [
        page("accounts", [{"n": 1}], "/2010-04-01/Accounts.json?Page=1&PageToken=a"),
        page("accounts", [{"n": 2}], "/2010-04-01/Accounts.json?Page=2&PageToken=b"),
        page("accounts", [{"n": 3}]),
    ]
    found, asked = listed(pages)
    assert [item["n"] for item in found] == [1, 2, 3]
    assert [query.get("PageToken") for _, query in asked] == [None, "a", "b"]


def test_the_largest_page_is_asked_for():
    _, asked = listed([FINE])
    assert asked == [("/2010-04-01/Accounts.json", {"PageSize": "1000"})]


def test_more_rows_than_a_page_holds_arrive_once_each():
    world = World(1, TODAY)
    sid = world.customers[0].accounts[0].sid
    with serving(twilio_api(world)) as base:
        one = client(base, PARENT_SID, AUTH_TOKEN)
        rows = daily_usage(one, sid, world.first_day, TODAY).rows.values()
    days = (TODAY - world.first_day).days + 1
    keys = {(row.day, row.category) for row in rows}
    assert len(rows) == len(keys) > 5 * 1000
    assert len({row.day for row in rows}) == days


def test_numbers_without_quotes_are_exact():
    body = '{"accounts": [{"price": 0.00749}], "next_page_uri": null}'
    found, _ = listed([Response(body, media_type="application/json")])
    assert found == [{"price": D("0.00749")}]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_the_settings(status):
    error = refused([refusal(status)], TwilioRefused)
    assert "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in str(error)


def test_refused_credentials_are_not_tried_again():
    canned = Canned([refusal(401)])
    with serving(canned.app) as base, pytest.raises(TwilioRefused):
        list(client(base).list("Accounts.json", "accounts"))
    assert len(canned.asked) == 1


def test_what_twilio_does_not_know_is_not_found():
    refused([refusal(404, 20404)], NotFound)


def test_another_refusal_says_what_twilio_said():
    error = refused([refusal(400, 21481, "Invalid PageToken")], TwilioRefused)
    assert "21481): Invalid PageToken" in str(error)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_twilio_is_asked_again(status):
    found, asked = listed([refusal(status, Retry_After=0), FINE])
    assert (len(found), len(asked)) == (1, 2)


@pytest.mark.parametrize(
    ("status", "times"),
    [
        pytest.param(500, 4, id="an error"),
        pytest.param(429, 12, id="too many requests, which cost nobody anything"),
    ],
)
def test_a_twilio_that_stays_busy_is_given_up(status, times):
    canned = Canned([refusal(status, Retry_After=0)])
    with serving(canned.app) as base, pytest.raises(TwilioBusy):
        list(client(base, attempts=4).list("Accounts.json", "accounts"))
    assert len(canned.asked) == times


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param({"Retry_After": 7}, 7.0, id="seconds"),
        pytest.param({"Retry_After": "1.5"}, 1.5, id="a fraction"),
        pytest.param({"Retry_After": "Fri, 20 Mar 2026 12:00:00 GMT"}, 0.0, id="a date gone by"),
        pytest.param({"Retry_After": "Fri, 20 Mar 2026 12:00:00"}, 0.0, id="a date of no zone"),
        pytest.param({"Retry_After": "\u00b2"}, None, id="nonsense"),
        pytest.param({}, None, id="none"),
    ],
)
def test_how_long_twilio_asks_to_wait(header, seconds):
    assert refused([refusal(503, **header)], TwilioBusy, attempts=1).retry_after == seconds


def test_retries_are_counted():
    tally = Tally()
    listed([refusal(429, Retry_After=0), FINE], tally=tally)
    assert (tally.requests, tally.retries) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"accounts": [{"sid": "AC', id="cut off"),
        pytest.param("<html>Bad gateway</html>", id="no JSON"),
        pytest.param("", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param('{"messages": []}', id="another list"),
        pytest.param('{"accounts": {}}', id="no list"),
        pytest.param('{"accounts": [null]}', id="a list of nothing"),
    ],
)
def test_an_answer_of_another_shape_is_asked_for_again(body):
    found, asked = listed([Response(body, media_type="application/json"), FINE])
    assert (len(found), len(asked)) == (1, 2)


def test_an_answer_of_another_kind_is_asked_for_again():
    html = HTMLResponse('{"accounts": [{"sid": "no"}]}')
    assert listed([html, FINE])[0] == listed([FINE])[0]


def test_an_answer_that_stays_cut_off_is_busy():
    refused([PlainTextResponse('{"accounts": [')], TwilioBusy)


def test_a_twilio_that_hangs_is_not_waited_for():
    canned = Canned([FINE], seconds=1)
    with serving(canned.app) as base, pytest.raises(TwilioBusy, match="does not answer"):
        list(client(base, timeout=0.05, attempts=1).list("Accounts.json", "accounts"))


def test_a_host_that_is_not_there_is_busy():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(TwilioBusy, match=f"{base} does not answer"):
            list(client(base, attempts=1).list("Accounts.json", "accounts"))


def test_a_listing_that_leads_back_is_refused():
    same = page("accounts", [{"n": 1}], "/2010-04-01/Accounts.json?Page=1")
    assert "leads back" in str(refused([same], TwilioError))


def test_credentials_do_not_follow_a_page_to_another_host():
    other = Canned([FINE])
    with serving(other.app) as elsewhere:
        pages = [page("accounts", [], f"{elsewhere}/2010-04-01/Accounts.json?Page=1"), FINE]
        found, asked = listed(pages)
    assert (len(found), len(asked), other.asked) == (1, 2, [])


def test_credentials_do_not_follow_a_redirect():
    other = Canned([FINE])
    with serving(other.app) as elsewhere:
        moved = Response(status_code=302, headers={"Location": f"{elsewhere}/steal"})
        refused([moved], TwilioError)
    assert other.asked == []


def test_a_next_page_that_is_no_address_ends_the_listing():
    found, asked = listed([page("accounts", [{"n": 1}], 7)])
    assert (len(found), len(asked)) == (1, 1)


def test_the_token_is_neither_shown_nor_logged(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    error = refused([refusal(401)], TwilioRefused)
    listed([refusal(500, Retry_After=0), FINE])
    said = caplog.text + "".join(capfd.readouterr()) + repr(Credentials(PARENT, TOKEN))
    assert TOKEN not in said + str(error) + repr(error)
