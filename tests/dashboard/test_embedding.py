"""Frames over HTTP: the backend's request, the browser's way in, and whom the pages let around."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from limits import parse
from sqlmodel import select

from dashboard.rate_limits import FAILURES
from data import identity
from data.identity import hashed
from data.models import LoginSession
from data.scope import reading
from tests.doors import ACME, BETA, make_client, make_door, make_world

PORTAL = "https://portal.isv.test"
FRAME = "__Host-dash_frame"
HTML = {"accept": "text/html"}


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def door(world):
    made = make_door(world, embed_origins=(PORTAL,), public_origin="https://usage.isv.test")
    return replace(made, customer_pages=("overview", "usage"))


@pytest.fixture
def client(door):
    return make_client(door)


def new_key(world, name="portal", customers=None):
    return identity.create_key(world.scope, name, customers, datetime.now(UTC))


def ask(client, key, **body):
    given = {"customer": "acme", "origin": PORTAL, **body}
    return client.post("/embed/codes", json=given, headers={"authorization": f"Bearer {key}"})


def sessions_in(world):
    with reading(world.scope) as session:
        return session.exec(select(LoginSession)).all()


def ancestors(answer):
    policy = answer.headers["content-security-policy"]
    return next(
        part.split(" ", 1)[1] for part in policy.split("; ") if part.startswith("frame-anc")
    )


def enter(client, world, **body):
    """Through the code and the check, to the page."""
    address = urlsplit(ask(client, new_key(world), **body).json()["url"])
    entered = client.get(f"{address.path}?{address.query}")
    return client.get(entered.headers["location"])


def test_the_backend_is_given_a_code_an_address_and_its_end(client, world):
    answer = ask(client, new_key(world), visitor="user 42", pages=["usage"], role="manager")
    said = answer.json()
    assert answer.status_code == 201
    assert said["url"] == f"https://usage.isv.test/embed?code={said['code']}"
    assert datetime.fromisoformat(said["expires_at"]) > datetime.now(UTC) + timedelta(seconds=50)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer dash_1_" + "A" * 43],
    ids=["none", "empty", "no key", "no form", "another scheme", "a guess"],
)
def test_without_a_right_key_the_answer_is_always_the_same(client, world, header):
    new_key(world)
    headers = {} if header is None else {"authorization": header}
    answer = client.post("/embed/codes", json={"customer": "acme"}, headers=headers)
    assert (answer.status_code, answer.json()) == (
        401,
        {"error": {"code": "not_signed_in", "message": "This API key is not valid."}},
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"customer": ""}, "customer"),
        ({"customer": 7}, "customer"),
        ({"origin": "https://evil.test"}, "origin"),
        ({"role": "administrator"}, "role"),
        ({"role": "owner"}, "role"),
        ({"pages": []}, "pages"),
        ({"pages": ["customers"]}, "pages"),
        ({"pages": ["sync"]}, "pages"),
        ({"pages": "usage"}, "pages"),
        ({"visitor": "x" * 101}, "visitor"),
        ({"visitor": "a\x00b"}, "visitor"),
        ({"until": "tomorrow"}, "until"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(client, world, body, field):
    answer = ask(client, new_key(world), **body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b"null", b'{"customer": NaN}'], ids=str
)
def test_what_is_no_request_is_refused_without_a_trace_of_us(client, world, body):
    headers = {"authorization": f"Bearer {new_key(world)}"}
    answer = client.post("/embed/codes", content=body, headers=headers)
    assert answer.status_code == 400
    assert "pydantic" not in answer.text


def test_a_customer_that_is_not_the_keys_is_like_one_that_does_not_exist(client, world):
    key = new_key(world, customers=[ACME])
    answers = [ask(client, key, customer=name) for name in ("beta", "nobody")]
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}


def test_a_code_sets_the_cookie_of_a_frame_and_leaves_the_address(client, world):
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    answer = client.get(f"{url.path}?{url.query}")
    cookies = [c for c in answer.headers.get_list("set-cookie") if "Max-Age=0" not in c]
    name, *flags = cookies[0].split("; ")
    assert name.startswith(f"{FRAME}=")
    assert set(flags) == {
        *("Path=/", "HttpOnly", "Max-Age=3600", "SameSite=None", "Partitioned", "Secure")
    }
    assert len(cookies) == 1
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == (
        *("no-store", "no-referrer"),
    )
    again = client.get(answer.headers["location"])
    assert (again.status_code, again.headers["location"]) == (303, "/?embed=true")


def test_a_framed_page_lets_its_own_portal_around_it_and_nobody_else(client, world):
    enter(client, world)
    assert ancestors(client.get("/")) == PORTAL
    client.cookies.clear()
    client.cookies.set("__Host-dash_session", world.sign_in(world.ada))
    assert ancestors(client.get("/")) == "'none'"


def test_a_dead_frame_lends_its_portal_to_no_other_sign_in(client, world):
    enter(client, world)
    identity.revoke(world.scope, hashed(client.cookies[FRAME]), datetime.now(UTC))
    client.cookies.set("__Host-dash_session", world.sign_in(world.sue))
    answer = client.get("/")
    assert (answer.status_code, ancestors(answer)) == (200, "'none'")


def test_a_frame_that_has_ended_says_so_within_the_frame(client, world):
    enter(client, world)
    identity.revoke(world.scope, hashed(client.cookies[FRAME]), datetime.now(UTC))
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/embed/ended")
    ended = client.get("/embed/ended", headers=HTML)
    assert "This view has ended" in ended.text
    assert ancestors(ended) == PORTAL


def test_leaving_a_frame_ends_its_session_and_says_so(client, world):
    enter(client, world)
    answer = client.get("/auth/logout", headers={"sec-fetch-site": "cross-site"})
    assert answer.headers["location"] == "/embed/ended"
    assert identity.sessions(world.scope, datetime.now(UTC)) == ()


def test_a_browser_that_keeps_no_cookie_is_told_and_offered_a_window(client, world):
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    check = client.get(f"{url.path}?{url.query}").headers["location"]
    client.cookies.clear()
    told = client.get(check, headers=HTML)
    assert "keeps no cookies" in told.text
    assert ancestors(told) == PORTAL
    again = parse_qs(urlsplit(check).query)["again"][0]
    assert f'href="/embed?code={again}" target="_blank"' in told.text
    window = client.get(f"/embed?code={again}")
    assert (window.status_code, window.headers["location"]) == (303, "/")
    assert len(identity.sessions(world.scope, datetime.now(UTC))) == 1


def test_the_code_for_a_window_is_gone_once_the_frame_works(client, world):
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    check = client.get(f"{url.path}?{url.query}").headers["location"]
    client.get(check)
    again = parse_qs(urlsplit(check).query)["again"][0]
    client.cookies.clear()
    assert client.get(f"/embed?code={again}").status_code == 403


def test_a_used_code_asks_for_a_reload_within_its_portal_and_opens_nothing(client, world):
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    client.get(f"{url.path}?{url.query}")
    client.cookies.clear()
    before = len(sessions_in(world))
    answer = client.get(f"{url.path}?{url.query}", headers=HTML)
    assert (answer.status_code, ancestors(answer)) == (403, PORTAL)
    forged = client.get("/embed?code=forged", headers=HTML)
    assert (forged.status_code, ancestors(forged)) == (403, "'none'")
    assert forged.text == answer.text
    assert len(sessions_in(world)) == before


def test_the_check_without_a_code_leads_to_the_sign_in_page(client):
    assert client.get("/embed/check?again=forged").headers["location"] == "/sign-in"


def test_a_key_asks_so_often_and_no_more_while_another_goes_on(client, world, monkeypatch):
    monkeypatch.setattr("dashboard.embedding.ASKED", parse("5/minute"))
    key, other = new_key(world), new_key(world, "other", [BETA])
    answers = [ask(client, key).status_code for _ in range(6)]
    assert answers == [201] * 5 + [429]
    assert ask(client, key).headers["retry-after"] == "60"
    assert ask(client, other, customer="beta").status_code == 201


def test_an_address_that_guesses_is_stopped_before_anything_is_looked_up(client, world):
    answers = [client.get("/embed?code=forged").status_code for _ in range(FAILURES.amount + 1)]
    assert answers == [403] * FAILURES.amount + [429]
    assert client.post("/auth/link", data={"token": "x"}).status_code == 429
    assert client.get("/healthz").status_code == 200


def test_a_link_from_another_site_takes_nobody_out_of_their_own_sign_in(client, world):
    client.cookies.set("__Host-dash_session", mine := world.sign_in(world.ben))
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    lured = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    answer = client.get(f"{url.path}?{url.query}", headers=lured | HTML)
    assert (answer.status_code, "set-cookie" in answer.headers) == (409, False)
    assert identity.resolve(world.scope, hashed(mine), datetime.now(UTC))
    framed = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe"}
    assert client.get(f"{url.path}?{url.query}", headers=framed).status_code == 303


def test_a_frame_within_our_own_site_leaves_the_sign_in_beside_it_alone(client, world):
    """A portal on the same site gets both cookies into its frame; outside, we get both."""
    client.cookies.set("__Host-dash_session", mine := world.sign_in(world.sue))
    enter(client, world)
    assert client.cookies["__Host-dash_session"] == mine
    assert identity.resolve(world.scope, hashed(mine), datetime.now(UTC))
    assert ancestors(client.get("/", headers={"sec-fetch-dest": "iframe"})) == PORTAL
    assert ancestors(client.get("/", headers={"sec-fetch-dest": "document"})) == "'none'"


@pytest.mark.parametrize(
    ("query", "whose"), [("", "Sue"), ("?framed", "Acme")], ids=["a page's", "a frame's"]
)
def test_a_socket_belongs_to_the_cookie_of_its_own_page(client, world, query, whose):
    client.cookies.set("__Host-dash_session", world.sign_in(world.sue))
    enter(client, world)
    both = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    client.cookies.clear()
    headers = {"origin": "https://usage.isv.test", "host": "usage.isv.test", "cookie": both}
    with client.websocket_connect(f"/_stcore/stream{query}", headers=headers) as socket:
        key = socket.receive_json()["x-dash-session"]
    assert identity.resolve(world.scope, key, datetime.now(UTC)).member.name == whose


def test_asking_for_the_head_of_a_frame_uses_no_code_up(client, world):
    url = urlsplit(ask(client, new_key(world)).json()["url"])
    assert client.head(f"{url.path}?{url.query}").status_code == 405
    assert client.get(f"{url.path}?{url.query}").status_code == 303
