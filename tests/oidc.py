"""Identity providers for tests: a real one as a process of its own, and one that signs anything.

with real_provider() as provider:    # oidc-provider-mock
    ...
with hostile_provider() as hostile:  # its token endpoint answers with `hostile.token`
    ...
"""

import hashlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.door import Door
from dashboard.oidc import REFUSED, oidc_routes
from data import identity
from data.brand import load_brand
from data.identity import LiveSession, Role, hashed
from data.scope import EveryTenant
from data.settings import ROOT, Settings
from tests.servers import serving
from tests.stores import ACME, BETA, Store, customers
from tests.streamlit_client import START_SECONDS, free_port

CLIENT, CLIENT_SECRET = "dashboard", "client-secret-of-the-test"  # pragma: allowlist secret
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HTTP = httpx.Client()  # one: each reads the certificates of the world anew
ADA, BEN = "ada@acme.test", "ben@beta.test"


# Our side


def people(store: Store) -> dict[str, int]:
    """Ada views Acme, Ben manages Beta: their ids by first name."""
    store.put(*customers())
    found = {}
    for name, email, role, customer in (
        ("Ada", ADA, Role.VIEWER, ACME),
        ("Ben", BEN, Role.MANAGER, BETA),
    ):
        found[name] = identity.add_person(store.owner, email, name)
        identity.add_membership(store.owner, found[name], role, customer)
    return found


def settings_of(**issuers: str) -> dict[str, dict[str, str]]:
    """OIDC_PROVIDERS: providers by short name."""
    return {
        name: {
            "issuer": issuer,
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "label": name.capitalize(),
        }
        for name, issuer in issuers.items()
    }


def _real_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Site:
    """The dashboard at one replica, and a browser that has its cookies."""

    door: Door

    @cached_property
    def browser(self) -> TestClient:
        return self.another_browser()

    def another_browser(self) -> TestClient:
        streamlits = Middleware(SessionMiddleware, secret_key="its own")
        app = Starlette(routes=list(oidc_routes(self.door)), middleware=[streamlits])
        return TestClient(app, base_url=self.door.settings.origin, follow_redirects=False)

    @property
    def scope(self) -> EveryTenant:
        return self.door.scope

    def start(self, name: str, query: str = "", browser: TestClient | None = None) -> "Asked":
        answer = (browser or self.browser).get(f"/auth/oidc/{name}{query}")
        assert answer.status_code == 302, answer.text
        return Asked(answer.headers["location"])

    def back(self, name: str, browser: TestClient | None = None, **query: str) -> httpx.Response:
        return (browser or self.browser).get(f"/auth/oidc/{name}/callback", params=query)

    def entered(self, answer: httpx.Response) -> LiveSession | None:
        """Whose session the answer's cookie opens."""
        cookie = answer.cookies.get(self.door.cookie)
        return cookie and identity.resolve(self.scope, hashed(cookie), self.door.now())

    def sessions(self) -> int:
        return len(identity.sessions(self.scope, self.door.now()))


def make_site(store: Store, *, now: Callable[[], datetime] = _real_now, **given: Any) -> Site:
    terms = {"database_url": store.settings.database_url, "_env_file": None, **given}
    pages = ("overview", "usage")
    return Site(Door(Settings(**terms), load_brand(ROOT / "brand.toml"), pages, now=now))


@dataclass(frozen=True)
class Asked:
    """Where the browser was sent, and what the provider is asked there."""

    url: str

    @cached_property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def state(self) -> str:
        return self.query["state"]


# A real provider


@dataclass(frozen=True)
class Real:
    """oidc-provider-mock on a port of loopback."""

    issuer: str

    def put(self, subject: str, **claims: Any) -> None:
        """Add a person, or change what is said of one."""
        HTTP.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def authorize(self, asked: Asked, subject: str) -> dict[str, str]:
        """The person signs in there: the query with which the browser comes back."""
        answer = HTTP.post(asked.url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return Asked(answer.headers["location"]).query

    def deny(self, asked: Asked) -> dict[str, str]:
        answer = HTTP.post(asked.url, data={"action": "deny"})
        return Asked(answer.headers["location"]).query

    def sign_in(self, site: Site, name: str, subject: str, query: str = "") -> httpx.Response:
        asked = site.start(name, query)
        return site.back(name, **self.authorize(asked, subject))


@contextmanager
def real_provider() -> Iterator[Real]:
    port = free_port()
    words = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        _await(f"{issuer}/.well-known/openid-configuration")
        yield Real(issuer)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers at {url}")


# A hostile one


def rsa_key(kid: str = "key-1") -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig"})


def part(value: object) -> str:
    """A part of a JWT: bytes, or a value as JSON, in base64url."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key: Any, claims: object, **header: Any) -> str:
    """A JWT as its maker wants it, whatever the standards advise; claims may be bytes."""
    head = {"alg": "RS256", "kid": "key-1", **header}
    text = f"{part(head)}.{part(claims)}"
    return f"{text}.{part(JWSRegistry.algorithms[head['alg']].sign(text.encode(), key))}"


OWN = rsa_key()


@dataclass
class Hostile:
    """`token` makes the ID token of the honest claims; everything else is as `document` says."""

    key: RSAKey = field(default_factory=lambda: OWN)
    issuer: str = ""
    token: Callable[["Hostile", dict[str, Any]], Any] = field(
        default=lambda self, claims: signed(self.key, claims)
    )
    document: dict[str, Any] = field(default_factory=dict)
    published: list[Any] = field(default_factory=list)  # keys beside its own
    answer: Response | None = None  # of the token endpoint, in place of a token
    asked: Asked | None = None
    token_requests: list[dict[str, str]] = field(default_factory=list)
    reads: int = 0  # of the discovery document

    def honest_again(self) -> "Hostile":
        """As it was when it was made, at the address it has."""
        self.__dict__.update(Hostile(OWN, self.issuer).__dict__)
        return self

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Honest ones for Ada, at this moment and for this attempt."""
        now = int(NOW.timestamp())
        honest = {
            "iss": self.issuer,
            "sub": "subject-of-ada",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked.query["nonce"] if self.asked else "",
            "email": ADA,
            "email_verified": True,
        }
        return {name: value for name, value in (honest | changes).items() if value is not None}

    def sign_in(
        self, site: Site, browser: TestClient | None = None, **query: str
    ) -> httpx.Response:
        self.asked = site.start("hostile", browser=browser)
        return site.back("hostile", browser, code="code", state=self.asked.state, **query)

    async def _discovery(self, _: Request) -> Response:
        self.reads += 1
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse(honest | self.document)

    async def _keys(self, _: Request) -> Response:
        keys = [self.key.as_dict(private=False), *self.published]
        return JSONResponse({"keys": keys})

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.token_requests.append(form)
        assert self.asked is not None
        challenge = part(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge != self.asked.query["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if self.answer is not None:
            return self.answer
        given = {"access_token": "access", "token_type": "Bearer"}
        token = self.token(self, self.claims())
        return JSONResponse(given if token is None else given | {"id_token": token})

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )


@contextmanager
def hostile_provider() -> Iterator[Hostile]:
    hostile = Hostile()
    with serving(hostile.app) as hostile.issuer:
        yield hostile


def hostile_site(store: Store, hostile: Hostile) -> Site:
    """A dashboard that trusts it, under two names."""
    people(store)
    providers = settings_of(hostile=hostile.issuer, other=hostile.issuer)
    return make_site(store, now=lambda: NOW, oidc_providers=providers)


def assert_refused(site: Site, answer: httpx.Response) -> None:
    """As an answer to nothing at all is refused, word for word; and nobody is in."""
    assert answer.status_code == 400
    assert REFUSED in answer.text
    assert answer.text == site.back("hostile", browser=site.another_browser()).text
    assert not answer.cookies
    assert site.sessions() == 0
