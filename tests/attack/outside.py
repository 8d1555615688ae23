"""From outside: a real server with two customers who can be told apart, and somebody in every role.

`Outside.ask` sends a request byte for byte and holds every answer against what must always be true
of it; `Outside.cookie` signs somebody in anew, because some requests end the session they bring.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from importlib.metadata import version
from itertools import count
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.access import MAY, Permission
from dashboard.door import Door
from dashboard.views import PAGES
from data import identity
from data.brand import load_brand
from data.identity import Asked, Role
from data.migrations import migrate
from data.settings import ROOT, Settings
from tests.attack.concurrent import TODAY, Marked, cast, marks_in, seed
from tests.stores import Store
from tests.streamlit_client import Page, serving

HOUR = timedelta(hours=1)
PORTAL = "https://portal.isv.test"
NOWHERE = "http://127.0.0.1:9"  # where no provider and no Twilio answers
METRICS_TOKEN = "metrics-token-of-the-test"  # pragma: allowlist secret
SESSION, FRAME = "dash_session", "__Host-dash_frame"
FRAMED_PAGES = ("usage",)
OPTIONS: dict[str, Any] = {
    "demo": True,
    "demo_today": TODAY,
    "embed_origins": (PORTAL,),
    "metrics_token": METRICS_TOKEN,
    "oidc_providers": {
        "idp": {
            "issuer": NOWHERE,
            "client_id": "a",
            "client_secret": "b",
        }  # pragma: allowlist secret
    },
    "twilio_api_base": NOWHERE,
}
PEOPLE = {  # by what they are called here: role, and whose pages
    "viewer": (Role.VIEWER, 0),
    "manager": (Role.MANAGER, 0),
    "another customer's viewer": (Role.VIEWER, 1),
    "another customer's manager": (Role.MANAGER, 1),
    "support": (Role.SUPPORT, None),
    "developer": (Role.DEVELOPER, None),
    "billing manager": (Role.BILLING_MANAGER, None),
    "administrator": (Role.ADMINISTRATOR, None),
}
GUESTS = {"looking on": 0, "frame": 0, "frame under the other name": 0}
NOBODY = "nobody"
EVERYBODY = (*PEOPLE, *GUESTS)
SECURITY_HEADERS = (
    *("content-security-policy", "x-content-type-options", "referrer-policy"),
    *("permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"),
)
OF_OURS = re.compile(  # what an answer never says: where we live, and of what we are made
    rb"Traceback|site-packages|sqlalchemy|sqlite3|psycopg|pydantic|uvicorn/|\.py\b|\bSELECT\b"
    rb"|" + re.escape(str(ROOT).encode()) + rb"|" + re.escape(version("streamlit").encode())
)
NOT_HTTP = b"Invalid HTTP request received."  # the server's own answer, before any app
# The name of a download, or a widget's id; a SID has letters before it.
RANDOM = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9a-f])")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def without(self, *words: str) -> tuple[Any, ...]:
        """All of it but the time and the words that were sent."""
        told = [(name, value) for name, value in self.headers if name != "date"]
        text = f"{self.status} {told} {self.body.decode(errors='replace')}"
        for word in words:
            text = text.replace(word, "…")
        return (self.status, re.sub(r"'content-length', '\d+'", "", text))


@dataclass
class Outside:
    store: Store
    base: str
    customers: tuple[Marked, ...]
    members: dict[str, int]
    key: str  # an API key of the first customer's alone
    asked: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.marks = {one.id: one.marks for one in self.customers}

    @property
    def mine(self) -> Marked:
        return self.customers[0]

    @property
    def other(self) -> Marked:
        return self.customers[1]

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def door(self) -> Door:
        """As the server's own, to ask what it has."""
        return door_of(self.store)

    def owner(self, who: str) -> Marked | None:
        """Whose pages they see; None for staff."""
        at = PEOPLE[who][1] if who in PEOPLE else GUESTS.get(who)
        return None if at is None else self.customers[at]

    def foreign(self, who: str) -> frozenset[str]:
        """All that gives away a customer who is not theirs."""
        owner = self.owner(who)
        ids = {one.id for one in self.customers if one is not owner}
        return frozenset().union(*(self.marks[id] for id in ids))

    def may(self, who: str, page: str) -> bool:
        wanted = next(one.permission for one in PAGES if one.path == page)
        if who.startswith("frame"):
            return page in FRAMED_PAGES
        # Who looks on has no pages but a customer's and the staff's search.
        viewing = {Permission.VIEW_OWN, Permission.LOOKUP}
        return wanted in (viewing if who == "looking on" else MAY[PEOPLE[who][0]])

    def secret(self, who: str) -> str:
        """Of a new session."""
        now, app = datetime.now(UTC), self.store.app
        if who.startswith("frame"):
            return identity.enter_by_code(app, self.code(), now, life=HOUR).secret
        member = self.members["support" if who == "looking on" else who]
        secret = identity.open_session(app, member, "link", now, life=HOUR)
        if who == "looking on":
            identity.start_viewing(app, identity.hashed(secret), self.mine.id, "Ticket 7", now)
        return secret

    def cookie(self, who: str) -> str:
        if who == NOBODY:
            return ""
        return f"{FRAME if who == 'frame' else SESSION}={self.secret(who)}"

    def code(self, pages: tuple[str, ...] = FRAMED_PAGES) -> str:
        now, app = datetime.now(UTC), self.store.app
        key = identity.authenticate(app, self.key, now)
        asked = Asked(self.mine.words[0], Role.VIEWER, pages, PORTAL)
        return identity.issue_code(app, key, asked, now, origins=(PORTAL,))

    def link(self, who: str = "viewer") -> str:
        person = next(
            one.person_id
            for one in identity.members(self.store.app)
            if one.membership_id == self.members[who]
        )
        return identity.create_link(self.store.app, person, datetime.now(UTC))

    def ask(
        self,
        method: str,
        target: str,
        cookie: str = "",
        *more: tuple[str, str],
        body: bytes | Iterator[bytes] = b"",
        host: str | None = None,
        ours: bool = True,
        address: str = "",
    ) -> Answer:
        """Word for word.  `ours`: from our own pages.  Each comes from an address of its own, for
        limits of tries would end most attacks before they are tried."""
        n = next(self.asked)
        sent = [("Host", self.host if host is None else host), ("Connection", "close")]
        sent += [("X-Forwarded-For", address or f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")]
        sent += [("Origin", f"http://{self.host}")] if ours else []
        sent += [("Cookie", cookie)] if cookie else []
        whole = isinstance(body, bytes)
        sent += (
            [("Content-Length", str(len(body)))] if whole else [("Transfer-Encoding", "chunked")]
        )
        lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in (*sent, *more)), "", ""]
        with socket.create_connection(("127.0.0.1", urlsplit(self.base).port), timeout=30) as to:
            _send(to, "\r\n".join(lines).encode("latin-1"), body)
            got = HTTPResponse(to, method=method)
            got.begin()
            headers = tuple((name.lower(), value) for name, value in got.getheaders())
            answer = Answer(got.status, headers, got.read())
        assert_harmless(answer, target)
        return answer


def _send(to: socket.socket, head: bytes, body: bytes | Iterator[bytes]) -> None:
    try:
        if isinstance(body, bytes):
            to.sendall(head + body)
            return
        to.sendall(head)
        for part in body:
            to.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        to.sendall(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass  # answered before it was all said


def assert_harmless(answer: Answer, target: str = "") -> None:
    """True of every answer to anybody: guarded, shared with no other site, silent about us."""
    if answer.body == NOT_HTTP:
        return
    names = [name for name, _ in answer.headers]
    assert [one for one in SECURITY_HEADERS if one not in names] == [], target
    assert answer["x-content-type-options"] == "nosniff", target
    assert [name for name in names if name.startswith("access-control-")] == [], target
    assert len(names) - len(set(names) - {"set-cookie"}) == names.count("set-cookie"), target
    assert not re.search(r"/\d|python|streamlit", answer["server"] + answer["x-powered-by"])
    if not target.startswith("/static/"):
        found = OF_OURS.search(answer.body)
        assert found is None, (target, found)
        assert marks_in(answer.body) == set(), target  # no route answers with figures


def door_of(store: Store, **changes: Any) -> Door:
    given = {**OPTIONS, "database_url": store.settings.database_url, "_env_file": None, **changes}
    pages = tuple(page.path for page in PAGES)
    own = tuple(page.path for page in PAGES if page.permission is Permission.VIEW_OWN)
    return Door(Settings(**given), load_brand(ROOT / "brand.toml"), pages, own)


def environment(store: Store) -> dict[str, str]:
    """OPTIONS as the server reads them."""
    told = {name: value for name, value in OPTIONS.items() if not isinstance(value, dict | tuple)}
    return {
        **{name.upper(): str(value) for name, value in told.items()},
        "EMBED_ORIGINS": dumps(OPTIONS["embed_origins"]),
        "OIDC_PROVIDERS": dumps(OPTIONS["oidc_providers"]),
        "DATABASE_URL": store.settings.database_url,
        "SYNC_EVERY": "off",
    }


@contextmanager
def running(folder: Path) -> Iterator[Outside]:
    settings = Settings(
        database_url=f"sqlite:///{folder / 'outside.sqlite'}", demo=True, _env_file=None
    )
    store, customers = Store(settings), cast(2, seed=7)
    migrate(settings)
    seed(store, customers)
    members = {}
    for who, (role, at) in PEOPLE.items():
        email = f"{who.replace(' ', '-').replace(chr(39), '')}@people.test"
        person = identity.add_person(store.app, email, who)
        owner = None if at is None else customers[at].id
        members[who] = identity.add_membership(store.app, person, role, owner)
    now = datetime.now(UTC)
    key = identity.create_key(store.app, "portal", [customers[0].id], now)
    with serving("streamlit_app:app", **environment(store)) as base:
        yield Outside(store, base, customers, members, key)
    store.dispose()


def message(kind: str, **fields: str) -> BackMsg:
    made = BackMsg()
    if BackMsg.DESCRIPTOR.fields_by_name[kind].message_type is None:
        setattr(made, kind, True)
        return made
    inner = getattr(made, kind)
    inner.SetInParent()
    for name, value in fields.items():
        setattr(inner, name, value)
    return made


def operation(page: Page, payload: str, **fields: str) -> BackMsg:
    made = message("backend_operation_request", request_id="1", session_id=page.session_id)
    inner = getattr(made.backend_operation_request, payload)
    inner.SetInParent()
    for name, value in fields.items():
        setattr(inner, name, value)
    return made


def download_of(page: Page) -> str:
    """The id of the download that the page offers."""
    return next(
        one.deferred_file_id for one in page.elements if one.DESCRIPTOR.name == "DownloadButton"
    )


EARLY = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN


def opened(page: Page, path: str = "", query: str = "", **widgets: Any) -> bytes:
    """All that is sent for a page asked for by its address; `page.frames` are of its last run."""
    page.page_hash = ""
    page.rerun(path, query, **widgets)
    raw = page.raw
    while page.frames[-1].script_finished == EARLY:  # it leads to another page
        raw = raw + finished(page)
    return b"".join(raw)


def finished(page: Page) -> list[bytes]:
    """The frames of the run that goes on now."""
    page.frames, page.raw = [], []
    while not page.frames or page.frames[-1].WhichOneof("type") != "script_finished":
        page._receive(30)
    return page.raw


SET_ONCE = ("set_value", "raw_value", "raw_values", "value")


def _at_rest(delta: Delta) -> Delta:
    made = Delta()
    made.CopyFrom(delta)
    element = made.new_element
    if element.has_one_shot_effect:
        element.ClearField("has_one_shot_effect")
        widget = getattr(element, element.WhichOneof("type"))
        for name in SET_ONCE:
            if name in widget.DESCRIPTOR.fields_by_name:
                widget.ClearField(name)
    return made


def drawn(frames: list[ForwardMsg], *words: str) -> list[bytes]:
    """What a run has drawn, without what is random and without the words that were sent.

    A choice that the session remembers and this client does not send is set once more, from the
    second run on: that is left out, too.
    """
    kinds = ((frame, frame.WhichOneof("type")) for frame in frames)
    parts = [
        RANDOM.sub(b"...", _at_rest(frame.delta).SerializeToString(deterministic=True))
        for frame, kind in kinds
        if kind == "delta"
    ]
    for word in words:
        parts = [part.replace(word.encode(), b"...") for part in parts]
    return parts
