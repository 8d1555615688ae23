"""Every address of the app, by every method, as everybody and as nobody, honestly and by tricks.

The addresses are those of our routes and of the installed Streamlit: a new one has no line in the
tables here and fails.  What must be true of any answer at all stands in `assert_harmless`.
"""

from unittest.mock import MagicMock

import pytest
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from dashboard.edge import LARGEST_BODY, NOT_BROWSERS, WAYS_OUT
from dashboard.endpoints import OUR_FAULT, routes
from dashboard.rate_limits import FAILURES
from dashboard.views import PAGES
from data import identity
from tests.attack.outside import (
    EVERYBODY,
    FRAME,
    NOBODY,
    NOT_HTTP,
    PORTAL,
    SESSION,
    Answer,
    assert_harmless,
    door_of,
)
from tests.doors import make_client, make_door, make_world

ANYBODY = (NOBODY, *EVERYBODY)
# Route: what everybody gets who asks for it without anything else; then who gets something else.
ROUTES: dict[tuple[str, str], tuple[int, dict[str, int]]] = {
    ("GET", "/healthz"): (200, {}),
    ("GET", "/readyz"): (200, {}),
    ("GET", "/brand/logo.svg"): (200, {}),
    ("GET", "/brand/style.css"): (200, {}),
    ("GET", "/sign-in"): (200, {}),
    ("GET", "/auth/link"): (200, {}),
    ("POST", "/auth/link"): (403, {}),
    ("POST", "/auth/demo"): (404, {}),
    ("GET", "/auth/logout"): (303, {}),
    ("GET", "/auth/over"): (303, {}),
    ("GET", "/auth/oidc/idp"): (503, {}),  # no such provider answers
    ("GET", "/auth/oidc/idp/callback"): (400, {}),
    ("POST", "/embed/codes"): (401, {}),
    ("GET", "/embed"): (403, {}),
    ("GET", "/embed/check"): (303, {}),
    ("GET", "/embed/ended"): (200, {}),
    ("POST", "/connect/start"): (
        403,
        {NOBODY: 401, "manager": 303, "another customer's manager": 303},
    ),
    ("GET", "/connect/callback"): (403, {NOBODY: 401}),
    ("GET", "/connect/deauthorized"): (403, {}),
    ("POST", "/connect/deauthorized"): (403, {}),
    ("GET", "/metrics"): (401, {}),
}
OPTIONAL = {  # there only where a setting wants it
    "/auth/demo": {"demo": False},
    "/metrics": {"metrics_token": None},
    "/auth/oidc/idp": {"oidc_providers": {}},
    "/auth/oidc/idp/callback": {"oidc_providers": {}},
    "/connect/start": {"demo": False},
    "/connect/callback": {"demo": False},
    "/connect/deauthorized": {"demo": False},
}
# Streamlit's own: open to all, or there for nobody who was not given such an address.
OPEN = {"/_stcore/health", "/_stcore/host-config"}
CLOSED = {
    *("/_stcore/metrics", "/media/{file_id:path}", "/component/{path:path}"),
    *("/_stcore/upload_file/{session_id}/{file_id}", "/_stcore/bidi-components/{path:path}"),
    *("/auth/login", "/oauth2callback", "/_stcore/agent/interact"),
    *("/_stcore/agent/openapi.json", "/_stcore/agent/mcp"),
}
OURS_INSTEAD = {"/auth/logout"}
SWITCHED_OFF = (
    "/_stcore/script-health-check",
    "/app/static/x",
    "/static/",
    "/static",
    *("/static/js/", "/media/", "/brand/", "/component"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FROB")
FOREIGN = {
    "none": None,
    "empty": "",
    "null": "null",
    "another site": "http://evil.test",
    "another port": "http://localhost:1",
    "another scheme": "https://{host}",
    "our name within another": "http://{host}.evil.test",
    "ours and another": "http://{host}, http://evil.test",
}
EVIL = ("Origin", "http://evil.test")


def streamlits() -> list[BaseRoute]:
    return create_streamlit_routes(MagicMock())


def filled(path: str) -> str:
    return (
        path.replace("{file_id:path}", "a" * 32 + ".csv")
        .replace("{path:path}", "x")
        .replace("{session_id}/{file_id}", "a/b")
    )


def addresses() -> list[str]:
    return sorted({path for _, path in ROUTES} | {filled(path) for path in OPEN | CLOSED})


# All there is


def test_every_route_of_ours_has_its_line_here(outside):
    found = {(m, route.path) for route in routes(outside.door) for m in route.methods - {"HEAD"}}
    assert found == set(ROUTES)


def test_every_address_of_streamlit_has_its_line_here():
    found = {route.path for route in streamlits() if not isinstance(route, Mount | WebSocketRoute)}
    assert found == OPEN | CLOSED | OURS_INSTEAD


@pytest.mark.parametrize("who", ANYBODY)
def test_every_route_answers_everybody_as_it_should(outside, who):
    wrong = {}
    for (method, path), (status, others) in ROUTES.items():
        got = outside.ask(method, path, outside.cookie(who)).status
        if got != others.get(who, status):
            wrong[method, path] = got
    assert wrong == {}


@pytest.mark.parametrize("who", [NOBODY, "viewer", "administrator"])
def test_what_streamlit_has_besides_pages_is_closed(outside, who):
    cookie = outside.cookie(who)
    for path in (*map(filled, CLOSED), *SWITCHED_OFF):
        assert {outside.ask(m, path, cookie).status for m in METHODS} <= {404, 400}, path
    for path in OPEN:
        assert outside.ask("GET", path, cookie).status == 200


@pytest.mark.parametrize("path", sorted(OPTIONAL))
def test_what_is_not_configured_is_not_there(outside, path):
    door = door_of(outside.store, **OPTIONAL[path])
    answer = make_client(door).get(path, headers={"host": "localhost"})
    methods = {method for method, at in ROUTES if at == path}
    assert path not in {route.path for route in routes(door)}
    assert answer.status_code == 404 or methods == {"POST"}
    assert make_client(door).post(path, headers={"origin": door.settings.origin}).status_code in (
        *(403, 404),
    )


@pytest.mark.parametrize("who", [NOBODY, "manager", "administrator"])
def test_a_route_takes_no_other_method(outside, who):
    cookie = outside.cookie(who)
    taken = {(m, p) for m, p in ROUTES} | {("HEAD", p) for m, p in ROUTES if m == "GET"}
    for path in {path for _, path in ROUTES}:
        for method in METHODS:
            if (method, path) not in taken:
                answer = outside.ask(method, path, cookie)
                assert answer.status == 405 or answer.body == NOT_HTTP, (method, path)


def test_pages_lead_nobody_anywhere_but_to_the_sign_in_page(outside):
    for path in (one.path for one in PAGES):
        answer = outside.ask("GET", f"/{path}?customer={outside.mine.id}")
        got = (answer.status, answer["location"], outside.ask("POST", f"/{path}").status)
        assert got == (303, f"/sign-in?next=/{path}%3Fcustomer%3D{outside.mine.id}", 404)


# Tricks with paths

TRICKS = {
    "as it is": "{}",
    "two slashes": "/{}",
    "a slash after": "{}/",
    "from a page on": "/usage/..{}",
    "from a folder of files on": "/static/..{}",
    "dots in code": "/static/%2e%2e{}",
    "dots and slash in code": "/static/..%2f{}",
    "a parameter after": "{};x",
    "NUL after": "{}%00",
    "a file's ending after": "{}%23/static/x.js",
    "a whole address": "http://localhost{}",
    "another's whole address": "http://evil.test{}",
    "backslash": "\\{}",
    "dot before": "/.{}",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
@pytest.mark.parametrize("who", [NOBODY, "viewer"])
def test_no_writing_of_a_path_opens_what_is_closed(outside, who, trick):
    cookie = outside.cookie(who)
    closed = (*map(filled, CLOSED), *SWITCHED_OFF[:2], "/metrics", "/../../etc/passwd", "/.env")
    for path in closed:
        for one in (path, path.replace("/_", "%2f%5f", 1)):
            status = outside.ask("GET", trick.format(one), cookie).status
            assert status in (400, 401, 404), trick.format(one)
            assert status != 401 or "metrics" in one


# Other sites


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
def test_nothing_is_changed_for_another_site(outside, origin):
    said = [] if origin is None else [("Origin", origin.format(host=outside.host))]
    cookie, changing = outside.cookie("manager"), {p for m, p in ROUTES if m == "POST"}
    for path in changing - {*NOT_BROWSERS}:
        answer = outside.ask("POST", path, cookie, *said, ours=False)
        assert (answer.status, answer["location"]) == (403, "")
        assert b"comes from another site" in answer.body


def test_where_no_origin_is_asked_for_no_cookie_counts(outside):
    for path in NOT_BROWSERS:
        plain = outside.ask("POST", path, "", EVIL, ours=False)
        for who in EVERYBODY:
            answer = outside.ask("POST", path, outside.cookie(who), EVIL, ours=False)
            assert answer.without() == plain.without()
            assert answer.status in (401, 403)


@pytest.mark.parametrize("who", [NOBODY, "viewer"])
def test_another_site_may_read_nothing(outside, who):
    """`assert_harmless` wants no header that would allow it, on any of these."""
    cookie = outside.cookie(who)
    for path in addresses():
        wish = ("Access-Control-Request-Method", "GET")
        assert outside.ask("GET", path, cookie, EVIL, ours=False).status != 500
        assert outside.ask("OPTIONS", path, cookie, EVIL, wish, ours=False).status in (404, 405)


HOSTS = (
    "evil.test",
    "localhost.evil.test",
    "localhost@evil.test",
    "localhost:1:2",
    "[::1",
    "a b",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
def test_under_another_name_there_is_nothing(outside, host):
    for path in (
        "/",
        "/sign-in",
        "/auth/link",
        "/embed/ended",
        "/_stcore/health",
        "/connect/start",
    ):
        answer = outside.ask("GET", path, outside.cookie("viewer"), host=host)
        assert answer.status == 400
        assert host == "" or host.encode() not in answer.body


@pytest.mark.parametrize(
    "said",
    [
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "host=evil.test;proto=https"),
        ("X-Original-URL", "/_stcore/metrics"),
        ("X-Rewrite-URL", "/_stcore/metrics"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Forwarded-Prefix", "/evil"),
    ],
    ids=lambda said: said[0],
)
def test_what_a_proxy_might_say_changes_no_answer(outside, said):
    for path in ("/", "/usage", "/sign-in", "/embed/ended", "/nothing", "/auth/logout"):
        assert outside.ask("GET", path, "", said).without() == outside.ask("GET", path).without()


def test_a_host_said_twice_is_no_way_in(outside):
    for path in ("/usage", "/sign-in"):
        answer = outside.ask("GET", path, outside.cookie("viewer"), ("Host", "evil.test"))
        assert answer.status in (200, 400)
        assert b"evil.test" not in answer.body


# Who one is

SPELLINGS = ("x-dash-session", "X-DASH-SESSION", "x_dash_session", "X-Dash_Session", "x-dash-user")


@pytest.mark.parametrize("name", SPELLINGS)
def test_nobody_becomes_somebody_by_a_header(outside, name):
    key = identity.hashed(outside.secret("manager"))
    assert outside.ask("GET", "/usage", "", (name, key)).status == 303
    assert outside.ask("POST", "/connect/start", "", (name, key)).status == 401
    viewer = outside.cookie("viewer")
    assert outside.ask("POST", "/connect/start", viewer, (name, key)).status == 403


def test_a_session_is_what_its_cookie_says_once_or_not_at_all(outside):
    mine, others = outside.secret("viewer"), outside.secret("another customer's manager")
    frame = outside.secret("frame")
    for cookie, signed_in in {
        f"{SESSION}={mine}": True,
        f"{SESSION}=": False,
        f"{SESSION}": False,
        f"{SESSION}={identity.hashed(mine)}": False,
        f"{SESSION}={mine[:-1]}": False,
        f"{SESSION}={mine}x": False,
        f"{SESSION}={mine.swapcase()}": False,
        f"{SESSION}=' OR 1=1 --": False,
        f"{SESSION}=\xfc\xff\x80": False,
        f"{SESSION.upper()}={mine}": False,
        f"__Host-{SESSION}={mine}": False,
        f"{SESSION}=dead; {SESSION}={mine}": True,
        f"{SESSION}={mine}; {FRAME}=dead": True,
        f"{SESSION}=dead; {FRAME}={frame}": True,
        f"{SESSION}={others}; {FRAME}={mine}": True,
        f"{SESSION}={'x' * 30_000}": False,
    }.items():
        answer = outside.ask("GET", "/usage", cookie)
        assert answer.status == (200 if signed_in else 303), cookie[:80]
        framed = f"{FRAME}={frame}" in cookie
        assert (PORTAL in answer["content-security-policy"]) is framed, cookie[:80]


def test_of_two_sessions_each_counts_in_its_own_place_with_its_limits(outside):
    """Whichever name they come under: a frame's session starts no consent and frames no other."""
    frame, manager = outside.secret("frame"), outside.secret("manager")
    both, inside = f"{SESSION}={manager}; {FRAME}={frame}", ("Sec-Fetch-Dest", "iframe")
    assert outside.ask("POST", "/connect/start", both).status == 303
    assert outside.ask("POST", "/connect/start", both, inside).status == 403
    assert outside.ask("POST", "/connect/start", f"{SESSION}={frame}").status == 403
    for cookie in (f"{SESSION}={frame}", f"{FRAME}={manager}"):
        answer = outside.ask("GET", "/", cookie)
        assert "frame-ancestors 'none'" in answer["content-security-policy"]


# Too much, and too often


def parts(size: int, number: int):
    for _ in range(number):
        yield b"a" * size


@pytest.mark.parametrize("path", sorted(path for method, path in ROUTES if method == "POST"))
def test_a_body_beyond_the_limit_is_not_read_to_its_end(outside, path):
    form = ("Content-Type", "application/x-www-form-urlencoded")
    cookie, refused = outside.cookie("viewer"), (401, 403, 413)
    sized = outside.ask("POST", path, cookie, form, body=b"a" * (LARGEST_BODY + 1))
    chunked = outside.ask("POST", path, cookie, form, body=parts(10_000, 100))
    assert {sized.status, chunked.status} <= {*refused}
    bearer = ("Authorization", f"Bearer {outside.key}")
    assert outside.ask("POST", "/embed/codes", "", bearer, body=parts(10_000, 100)).status == 413


@pytest.mark.parametrize("size", [20_000, 100_000], ids=str)
def test_what_is_too_long_is_refused_or_ignored(outside, size):
    long = "x" * size
    for answer in (
        outside.ask("GET", f"/sign-in?next=/{long}"),
        outside.ask("GET", f"/embed?code={long}"),
        outside.ask("GET", f"/auth/oidc/idp/callback?state={long}&code={long[:10]}"),
        outside.ask("GET", f"/{long}"),
        outside.ask("GET", "/usage", f"{SESSION}={long}"),
        outside.ask("GET", "/metrics", "", ("Authorization", f"Bearer {long}")),
        outside.ask("POST", "/embed/codes", "", ("Authorization", f"Bearer {long}")),
    ):
        assert answer.status in (200, 303, 400, 401, 403, 404, 414, 431)
        assert long.encode() not in answer.body


def test_too_many_tries_end_alike_whatever_is_tried(outside):
    tries = [
        outside.ask("GET", f"/embed?code=guess{n}", address="192.0.2.1")
        for n in range(FAILURES.amount)
    ]
    assert {one.status for one in tries} == {403}
    for method, path in ROUTES:
        if path.startswith(("/auth", "/embed", "/sign-in")) and path not in WAYS_OUT:
            answer = outside.ask(method, path, outside.cookie("manager"), address="192.0.2.1")
            assert (answer.status, answer["retry-after"]) == (429, "60")
    for path in WAYS_OUT:
        assert outside.ask("GET", path, address="192.0.2.1").status in (200, 303)
    assert outside.ask("GET", "/sign-in").status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_even_our_own_bug_is_answered_with_care(tmp_path, accept):
    client = make_client(make_door(make_world(tmp_path)))
    got = client.get("/explode", headers={"accept": accept})
    answer = Answer(got.status_code, tuple(got.headers.items()), got.content)
    assert (answer.status, OUR_FAULT in got.text) == (500, True)
    assert_harmless(answer)
