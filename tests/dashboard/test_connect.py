"""The way to Twilio Connect and back, and Twilio's signed word, through the edge."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.routing import Mount

from data.connect import STATE_LIFE
from data.demo.connect_api import connect_routes, connectable
from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, World
from data.errors import ConfigError
from data.identity import Role, add_membership, hashed, members, start_viewing
from data.models import Account, AuditEntry
from data.scope import reading
from data.settings import DEMO_CONNECT_APP, load_settings
from data.twilio.signature import signature
from tests.doors import ACME, BETA, make_client, make_door, make_world
from tests.servers import Canned, refusal, serving

ORIGIN = "http://localhost:8501"
OURS = {"origin": ORIGIN}
HTML = {"accept": "text/html"}
TODAY = date(2026, 3, 20)
DEAUTHORIZED = "/connect/deauthorized"


@pytest.fixture(scope="module")
def twilio():
    world = World(1, TODAY)
    routes = connect_routes(world, ORIGIN)
    with serving(Starlette(routes=[*routes, Mount("/", twilio_api(world))])) as base:
        yield base


@pytest.fixture(scope="module")
def ready():
    """SIDs of the accounts that can be connected."""
    return [account.sid for account in connectable(World(1, TODAY))]


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def door(world, twilio):
    return make_door(world, ("overview", "accounts"), demo=True, twilio_api_base=twilio)


def client(door, world, member):
    made = make_client(door)
    made.cookies.set("dash_session", world.sign_in(member))
    return made


@pytest.fixture
def ben(door, world):
    """Beta's manager."""
    return client(door, world, world.ben)


def promoted(world):
    """Ada, now Acme's manager."""
    ada = next(m.person_id for m in members(world.scope) if m.membership_id == world.ada)
    return add_membership(world.scope, ada, Role.MANAGER, ACME)


def accounts(world):
    with reading(world.scope) as session:
        rows = session.exec(select(Account)).all()
    return [(row.customer_id, row.sid, row.withdrawn_at is not None) for row in rows]


def audit(world):
    with reading(world.scope) as session:
        entries = session.exec(select(AuditEntry).order_by("id")).all()
    ours = ("connect_", "account_")
    return [(e.action, e.customer_id, e.detail) for e in entries if e.action.startswith(ours)]


def state_of(answer):
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


def sent(one):
    return state_of(one.post("/connect/start", headers=OURS))


def back(one, **query):
    return one.get(f"/connect/callback?{urlencode(query)}", headers=HTML)


# Settings


WRONG = {
    "an app's SID of another kind": (
        {"twilio_connect_app_sid": "AP" + "a" * 32},
        "CONNECT_APP_SID",
    ),
    "an app's SID cut short": ({"twilio_connect_app_sid": "CN12"}, "CONNECT_APP_SID"),
    "an address with a path": (
        {"twilio_authorize_base": "https://x.test/authorize"},
        "AUTHORIZE_BASE",
    ),
}


@pytest.mark.parametrize(("given", "name"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_refused_by_name(given, name):
    with pytest.raises(ConfigError, match=f"TWILIO_{name}: "):
        load_settings(_env_file=None, **given)


def test_a_demo_has_a_connect_app_and_asks_for_consent_at_its_own_twilio():
    demo = load_settings(_env_file=None, demo=True, port=9000)
    assert (demo.connect_app, demo.authorize_base) == (DEMO_CONNECT_APP, "http://127.0.0.1:9001")
    assert load_settings(_env_file=None, demo=False).connect_app is None


# To Twilio


def test_a_manager_is_sent_to_twilio_with_a_state(ben, twilio, world):
    answer = ben.post("/connect/start", headers=OURS)
    assert answer.status_code == 303
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}" == twilio
    assert place.path == f"/authorize/{DEMO_CONNECT_APP}"
    assert len(state_of(answer)) >= 43
    assert answer.headers["cache-control"] == "no-store"
    assert audit(world) == [("connect_started", BETA, "")]


def test_the_real_twilio_is_the_one_in_the_world(world):
    app, token = "CN" + "a" * 32, "t" * 32
    door = make_door(
        world,
        twilio_connect_app_sid=app,
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token=token,
    )
    answer = client(door, world, world.ben).post("/connect/start", headers=OURS)
    assert answer.headers["location"].startswith(f"https://www.twilio.com/authorize/{app}?state=")


def test_a_browser_may_follow_the_form_to_twilio_and_nowhere_else(ben, twilio):
    policy = ben.get("/healthz").headers["content-security-policy"]
    assert f"form-action 'self' {twilio};" in policy


def test_without_a_connect_app_there_is_no_such_way(world):
    one = client(make_door(world), world, world.ben)
    assert one.post("/connect/start", headers=OURS).status_code == 404
    assert one.get("/connect/callback").status_code == 404
    assert one.post(DEAUTHORIZED).status_code == 404
    assert "form-action 'self';" in one.get("/healthz").headers["content-security-policy"]


def test_another_site_cannot_start_it(ben, world):
    for origin in ({}, {"origin": "https://evil.test"}, {"origin": "null"}):
        assert ben.post("/connect/start", headers=origin).status_code == 403
    assert ben.get("/connect/start").status_code == 405
    assert audit(world) == []


@pytest.mark.parametrize("name", ["ada", "sue", "bill"])
def test_who_is_no_manager_of_a_customer_cannot_start_it(door, world, name):
    one = client(door, world, getattr(world, name))
    assert one.post("/connect/start", headers=OURS).status_code == 403
    assert back(one, state="x", AccountSid="y").status_code == 403
    assert audit(world) == []


def test_staff_who_view_the_customer_cannot_start_it(door, world):
    secret = world.sign_in(world.sue)
    start_viewing(world.scope, hashed(secret), BETA, "Ticket", datetime.now(UTC))
    one = make_client(door)
    one.cookies.set("dash_session", secret)
    assert one.post("/connect/start", headers=OURS).status_code == 403


def test_a_stranger_is_asked_to_sign_in(door, world):
    one = make_client(door)
    assert one.post("/connect/start", headers=OURS).status_code == 401
    assert "Sign in first" in back(one, state="x").text


# And back


def test_an_account_comes_back_and_is_the_customers(ben, world, ready):
    answer = back(ben, AccountSid=ready[0], state=sent(ben))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/accounts?connected={ready[0]}",
    )
    assert accounts(world) == [(BETA, ready[0], False)]
    assert audit(world)[-1] == ("account_connected", BETA, ready[0])


def test_an_answer_counts_once(ben, world, ready):
    state = sent(ben)
    back(ben, error="unauthorized_client", state=state)
    answer = back(ben, AccountSid=ready[0], state=state)
    assert answer.status_code == 403
    assert "Please start again" in answer.text
    assert accounts(world) == []


def test_an_answer_that_nobody_asked_for_is_refused(ben, world, ready):
    for query in ({"state": "forged"}, {"state": ""}, {}):
        assert back(ben, AccountSid=ready[0], **query).status_code == 403
    assert accounts(world) == []


def test_an_answer_for_another_person_is_refused(ben, door, world, ready):
    other = client(door, world, promoted(world))
    assert back(other, AccountSid=ready[0], state=sent(ben)).status_code == 403
    assert accounts(world) == []


def test_an_answer_that_comes_too_late_is_refused(door, world, ready):
    early = replace(door, now=lambda: datetime.now(UTC) - STATE_LIFE - timedelta(seconds=1))
    state = sent(client(early, world, world.ben))
    late = client(door, world, world.ben)
    assert back(late, AccountSid=ready[0], state=state).status_code == 403
    assert accounts(world) == []


def test_a_person_who_says_no_reads_that_nothing_happened(ben, world):
    answer = back(ben, error="unauthorized_client", state=sent(ben))
    assert answer.status_code == 200
    assert "You chose not to share your account at Twilio." in answer.text
    assert "Back to your accounts" in answer.text
    assert accounts(world) == []
    assert audit(world)[-1] == ("connect_declined", BETA, "unauthorized_client")


def test_what_an_answer_says_is_never_shown_as_it_is(ben):
    answer = back(ben, error="<b>bad</b>", state=sent(ben))
    assert "<b>bad" not in answer.text
    assert "Twilio could not share your account." in answer.text


def test_a_subaccount_of_the_isv_cannot_be_taken_by_writing_its_sid(ben, world):
    sid = World(1, TODAY).subaccount_sids[0]
    answer = back(ben, AccountSid=sid, state=sent(ben))
    assert answer.status_code == 403
    assert accounts(world) == []
    assert audit(world)[-1] == ("connect_refused", BETA, sid)


def test_an_account_of_another_is_refused_in_the_same_words_as_an_unknown_one(
    ben, door, world, ready
):
    ada = client(door, world, promoted(world))
    assert back(ada, AccountSid=ready[0], state=sent(ada)).status_code == 303
    taken = back(ben, AccountSid=ready[0], state=sent(ben))
    unknown = back(ben, AccountSid="AC" + "9" * 32, state=sent(ben))
    assert taken.status_code == unknown.status_code == 403
    assert taken.text == unknown.text
    assert "Acme" not in taken.text
    assert accounts(world) == [(ACME, ready[0], False)]


def test_when_twilio_does_not_answer_the_page_says_so(world, ready):
    with serving(Canned([refusal(503)]).app) as base:
        one = client(make_door(world, demo=True, twilio_api_base=base), world, world.ben)
        answer = back(one, AccountSid=ready[0], state=sent(one))
    assert answer.status_code == 503
    assert "Twilio could not be asked" in answer.text
    assert accounts(world) == []
    assert audit(world)[-1] == ("connect_declined", BETA, "twilio_busy")


# Consent taken back


def said(sid, app=DEMO_CONNECT_APP):
    return {"AccountSid": sid, "ConnectAppSid": app}


def signed(form, url=f"{ORIGIN}{DEAUTHORIZED}", token=AUTH_TOKEN):
    return {"x-twilio-signature": signature(token, url, form.items())}


@pytest.fixture
def connected(ben, ready):
    for sid in ready:
        back(ben, AccountSid=sid, state=sent(ben))
    return ready[0]


def test_twilio_takes_a_consent_back_by_post_without_session_or_origin(
    door, world, connected, ready
):
    form = said(connected)
    for _ in range(2):
        answer = make_client(door).post(DEAUTHORIZED, data=form, headers=signed(form))
        assert answer.status_code == 200
    assert sorted(accounts(world)) == sorted([(BETA, ready[0], True), (BETA, ready[1], False)])
    assert audit(world)[2 * len(ready) :] == [("account_withdrawn", BETA, connected)]


def test_twilio_takes_a_consent_back_by_get(door, world, connected):
    query = urlencode(said(connected))
    headers = signed({}, f"{ORIGIN}{DEAUTHORIZED}?{query}")
    assert make_client(door).get(f"{DEAUTHORIZED}?{query}", headers=headers).status_code == 200
    assert (BETA, connected, True) in accounts(world)


def test_an_account_that_nobody_knows_is_no_error(door, world, connected):
    form = said("AC" + "9" * 32)
    answer = make_client(door).post(DEAUTHORIZED, data=form, headers=signed(form))
    assert answer.status_code == 200
    assert all(not withdrawn for _, _, withdrawn in accounts(world))


def unsigned(form):
    other = {**form, "AccountSid": "AC" + "9" * 32}
    foreign = said(form["AccountSid"], "CN" + "f" * 32)
    return {
        "no signature": (form, {}),
        "another account's signature": (form, signed(other)),
        "another token": (form, signed(form, token="guessed")),
        "another address": (form, signed(form, "https://evil.test/connect/deauthorized")),
        "another app": (foreign, signed(foreign)),
        "of nothing": ({}, signed({})),
    }


@pytest.mark.parametrize("name", unsigned(said("AC")))
def test_what_twilio_has_not_signed_changes_nothing(door, world, connected, name):
    form, headers = unsigned(said(connected))[name]
    before = accounts(world)
    assert make_client(door).post(DEAUTHORIZED, data=form, headers=headers).status_code == 403
    query = urlencode(form)
    assert make_client(door).get(f"{DEAUTHORIZED}?{query}", headers=headers).status_code == 403
    assert accounts(world) == before


def test_a_form_beyond_all_measure_is_not_read(door, connected):
    form = {**said(connected), "x": "y" * 20_000}
    answer = make_client(door).post(DEAUTHORIZED, data=form, headers=signed(form))
    assert answer.status_code == 413


# The emulator's own pages


def test_the_emulator_says_that_it_is_one_and_escapes_what_it_is_given(twilio):
    page = httpx.get(f"{twilio}/authorize/{DEMO_CONNECT_APP}", params={"state": '"><b>x'}).text
    assert "Demo: in the place of Twilio" in page
    assert "<b>x" not in page
    assert re.findall(r"> (\w+ \w+)</label>", page) == [
        "Juniper Shop",
        "Kestrel Cabs",
        "Iris Studio",
    ]
