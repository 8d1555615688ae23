"""What the edge lets through, and to whom: hosts, origins, paths, identity, headers, bundles."""

import gzip
from datetime import UTC, datetime, timedelta

import brotli
import pytest
from starlette.websockets import WebSocketDisconnect

from dashboard.door import Door
from dashboard.edge import LARGEST_BODY
from dashboard.frontend import Frontend, accepted_encoding
from data import identity
from data.errors import ConfigError
from data.identity import hashed
from tests.doors import LIFE, make_client, make_door, make_world

HTTPS = "https://usage.owl.test"
HTML = {"accept": "text/html"}


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def door(world):
    return make_door(world)


@pytest.fixture
def client(door):
    return make_client(door)


@pytest.fixture
def secure(world):
    return make_client(make_door(world, public_origin=HTTPS))


def cookie_of(world, membership_id):
    return {"dash_session": world.sign_in(membership_id)}


def echoed(client, cookies=None, **headers):
    """The headers that reach Streamlit with a request for a file."""
    client.cookies = cookies or {}
    answer = client.get("/component/x", headers=headers)
    return answer.json()["headers"] if answer.status_code == 200 else {}


# Identity


def test_the_cookie_becomes_the_hash_of_the_session(client, world):
    cookies = cookie_of(world, world.ada)
    assert echoed(client, cookies)["x-dash-session"] == hashed(cookies["dash_session"])


@pytest.mark.parametrize("name", ["x-dash-session", "X-DASH-Session", "x_dash_session"])
def test_an_identity_from_outside_is_dropped(client, world, name):
    ben = hashed(world.sign_in(world.ben))
    assert client.get("/component/x", headers={name: ben}).status_code == 404
    cookies = cookie_of(world, world.ada)
    seen = echoed(client, cookies, **{name: ben})
    assert seen["x-dash-session"] == hashed(cookies["dash_session"])
    assert ben not in seen.values()


@pytest.mark.parametrize("path", ["/component/x", "/_stcore/bidi-components/x"])
def test_files_of_a_session_need_one(client, world, path):
    assert client.get(path).status_code == 404
    client.cookies = cookie_of(world, world.ada)
    assert client.get(path).status_code == 200


def test_no_page_asks_for_an_upload_and_none_is_taken(client, world):
    path, ours = "/_stcore/upload_file/a/b", {"origin": "http://localhost:8501"}
    client.cookies = cookie_of(world, world.ada)
    assert client.put(path, headers=ours).status_code == 404
    assert client.put(path, headers={"origin": "http://evil.test"}).status_code == 403


def test_a_file_that_the_session_was_not_shown_is_not_there(client, world):
    client.cookies = cookie_of(world, world.ada)
    assert client.get(f"/media/{'a' * 40}.csv").status_code == 404


def test_a_revoked_session_opens_nothing(client, world):
    client.cookies = cookie_of(world, world.ada)
    identity.revoke(world.scope, hashed(client.cookies["dash_session"]), datetime.now(UTC))
    assert client.get("/component/x").status_code == 404
    assert client.get("/usage").status_code == 303


def test_an_expired_session_opens_nothing(world, door):
    late = Door(door.settings, door.brand, door.pages, now=lambda: datetime.now(UTC) + LIFE)
    client = make_client(late, cookies=cookie_of(world, world.ada))
    assert client.get("/usage").status_code == 303


# Pages and paths


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/", "/sign-in"), ("/usage", "/sign-in?next=/usage"), ("/usage?a=b", "/sign-in?next=/usage")],
)
def test_a_stranger_is_led_to_the_sign_in_page(client, path, leads_to):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


def test_a_page_bears_the_brand_and_nothing_of_streamlit(client, world):
    client.cookies = cookie_of(world, world.ada)
    page = client.get("/usage")
    assert "<title>Owl Usage · Owl Inc.</title>" in page.text
    assert '<html lang="en">' in page.text
    assert "<title>Streamlit" not in page.text
    assert "_stcore/agent" not in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        *("/.env", "/nope", "/usage/nope", "/index.html", "/static/nope.js", "/app/static/x"),
        *("/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/mcp"),
        *("/_stcore/agent/openapi.json", "/_stcore/script-health-check", "/auth/login"),
        *("/oauth2callback", "/usage/_stcore/health", "//evil.test", "/auth/demo"),
    ],
)
def test_unknown_paths_are_not_found_even_when_signed_in(client, world, path):
    assert client.get(f"http://localhost:8501{path}").status_code == 404
    client.cookies = cookie_of(world, world.ada)
    assert client.get(f"http://localhost:8501{path}").status_code == 404


def test_a_browser_gets_a_page_of_ours_for_what_is_not_there(client):
    answer = client.get("/nope", headers=HTML)
    assert answer.status_code == 404
    assert "Owl Inc." in answer.text


def test_a_page_takes_no_other_method(client, world):
    client.cookies = cookie_of(world, world.ada)
    assert client.post("/usage", headers={"origin": "http://localhost:8501"}).status_code == 404
    assert client.post("/healthz", headers={"origin": "http://localhost:8501"}).status_code == 405


@pytest.mark.parametrize("path", ["/_stcore/health", "/_stcore/host-config"])
def test_what_the_browser_asks_before_it_knows_anything_is_open(client, path):
    assert client.get(path).status_code == 200


# Hosts and origins


@pytest.mark.parametrize("posing", ["/_stcore/health?", "/healthz?", "/static/x?", "/sign-in#"])
def test_a_host_header_cannot_pose_as_another_path(client, posing):
    answer = client.get("/component/x", headers={"host": f"localhost:8501{posing}"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "host", ["evil.test", "localhost.evil.test", "[", "a@evil.test", "10.0.0.1"]
)
def test_a_foreign_host_is_refused(client, host):
    assert client.get("/sign-in", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:9000", "LOCALHOST"])
def test_this_machine_may_be_called_by_its_names(client, host):
    assert client.get("/sign-in", headers={"host": host}).status_code == 200


def test_a_probe_may_ask_by_address(client):
    assert client.get("/healthz", headers={"host": "10.0.0.1:8501"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("usage.owl.test", 200), ("usage.owl.test:443", 200), ("USAGE.owl.test", 200)),
        *(("usage.owl.test:8501", 400), ("localhost:8501", 400), ("evil.test", 400)),
    ],
)
def test_a_public_app_answers_to_its_own_name_only(secure, host, status):
    assert secure.get("/sign-in", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "http://evil.test", "https://localhost:8501", "http://localhost:3000"],
)
def test_a_change_from_elsewhere_is_refused(client, origin):
    headers = {} if origin is None else {"origin": origin}
    assert client.post("/auth/link", headers=headers, data={"token": "x"}).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.test", "http://localhost:3000", "http://localhost:8501.evil.test"],
)
def test_a_socket_from_elsewhere_is_refused_whoever_it_is(client, world, origin):
    client.cookies = cookie_of(world, world.ada)
    headers = {} if origin is None else {"origin": origin}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost:8501/_stcore/stream", headers=headers),
    ):
        pass


def test_a_socket_from_our_own_page_brings_its_identity(client, world):
    client.cookies = cookie_of(world, world.ada)
    headers = {"origin": "http://localhost:8501", "x-dash-session": "forged"}
    with client.websocket_connect("ws://localhost:8501/_stcore/stream", headers=headers) as socket:
        seen = socket.receive_json()["x-dash-session"]
    assert seen == hashed(client.cookies["dash_session"])


def test_a_socket_to_another_path_is_refused(client, world):
    client.cookies = cookie_of(world, world.ada)
    headers = {"origin": "http://localhost:8501"}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost:8501/other", headers=headers),
    ):
        pass


@pytest.mark.parametrize("origin", ["http://usage.owl.test", "http://10.0.0.1:8501"])
def test_plain_http_is_refused_at_start_unless_it_is_this_machine(world, origin):
    with pytest.raises(ConfigError, match="PUBLIC_ORIGIN"):
        make_door(world, public_origin=origin)


# Bodies, headers, bundles


def test_a_body_beyond_the_limit_is_refused(client):
    headers = {"origin": "http://localhost:8501"}
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}
    assert client.post("/read", headers=form, content=b"a=b").status_code == 200

    def endless():  # sent in chunks, without a length
        for _ in range(5):
            yield b"a=" + b"b" * (LARGEST_BODY // 4)

    assert client.post("/read", headers=form, content=endless()).status_code == 413


def test_every_answer_has_the_security_headers(client):
    for path in ("/healthz", "/nope", "/", "/sign-in"):
        headers = client.get(path, headers=HTML).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


def test_scripts_run_only_from_here_or_by_their_hash(client):
    policy = client.get("/healthz").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert scripts.count("'sha256-") == 3


def test_a_public_app_insists_on_https(secure):
    assert "max-age=31536000" in secure.get("/healthz").headers["strict-transport-security"]


@pytest.fixture(scope="module")
def bundle():
    from data.brand import load_brand
    from data.settings import ROOT

    files = Frontend(load_brand(ROOT / "brand.toml")).files
    return next(path for path in files if path.startswith("/static/js/index."))


@pytest.mark.parametrize(
    ("accept", "encoding", "unpack"),
    [("gzip, deflate, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)],
    ids=["brotli", "gzip"],
)
def test_bundles_are_compressed_once_and_whole(client, bundle, accept, encoding, unpack):
    with client.stream("GET", bundle, headers={"accept-encoding": accept}) as answer:
        packed = b"".join(answer.iter_raw())
    edge = client.app.middleware_stack.app  # the layer below Starlette's own
    assert answer.headers["content-encoding"] == encoding
    assert "immutable" in answer.headers["cache-control"]
    assert unpack(packed) == edge.frontend.files[bundle].read_bytes()
    assert edge.frontend.compressed(bundle, encoding) is edge.frontend.compressed(bundle, encoding)


def test_a_client_that_takes_no_compression_gets_the_plain_file(client, bundle):
    assert client.get(bundle, headers={"accept-encoding": "identity"}).json()["path"] == bundle


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        *(("", None), ("identity", None), ("br", "br"), ("br; q=0.0", None)),
        *(("gzip;q=1.0, br;q=0.5", "br"), ("br;q=0, gzip", "gzip")),
    ],
)
def test_the_best_accepted_encoding_is_chosen(header, encoding):
    assert accepted_encoding(header) == encoding


def test_without_a_database_pages_say_so_in_a_sentence(tmp_path, world, door):
    broken = make_door(world, database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    client = make_client(broken, cookies={"dash_session": "x"})
    answer = client.get("/usage")
    assert answer.status_code == 503
    assert "migrate" in answer.text


def test_the_clock_of_the_door_decides(world, door):
    early = Door(
        door.settings, door.brand, door.pages, now=lambda: datetime.now(UTC) - timedelta(1)
    )
    assert make_client(early, cookies=cookie_of(world, world.ada)).get("/usage").status_code == 200


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\x1f", "\x0b"], ids=repr)
def test_a_cookie_of_a_sibling_host_that_only_looks_like_ours_is_none(world, blank):
    """Browsers let any sibling host set it: its name does not begin with `__Host-`."""
    client = make_client(make_door(world, public_origin="https://usage.isv.test"))
    for name in ("__Host-dash_session", "__Host-dash_frame"):
        planted = f"{blank}{name}={world.sign_in(world.ben)}".encode("latin-1")
        assert client.get("/usage", headers={"cookie": planted}).status_code == 303
    own = f"a=b; __Host-dash_session={world.sign_in(world.ada)}; c=d"
    assert client.get("/usage", headers={"cookie": own}).status_code == 200
