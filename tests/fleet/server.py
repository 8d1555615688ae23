"""The fleet over HTTP: a bare asyncio protocol, so that it can be fast and can break every rule.

A framework would cost more than the answers do, and none lets an answer stop half-way or a
connection be reset.  It speaks what a Twilio client needs of HTTP/1.1: GET, kept-alive connections,
and POST for the control on loopback.
"""

import asyncio
import json
import socket
import struct
import time
from base64 import b64encode
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from tests.fleet.faults import PRESETS, Faults
from tests.fleet.pages import (
    PAGING,
    ROOT,
    BadRequest,
    Listing,
    account_listing,
    account_text,
    page_of,
    token_of,
    usage_listing,
)
from tests.fleet.world import World

EMPTY = {  # listings of which the fleet has nothing
    "Usage/Triggers.json": "usage_triggers",
    "IncomingPhoneNumbers.json": "incoming_phone_numbers",
    "Messages.json": "messages",
    "Calls.json": "calls",
}
STATUS_PAGE = (
    '{"page": {"id": "fleet"}, "incidents": [], "components": [], "scheduled_maintenances": [],'
    ' "status": {"indicator": "none", "description": "All Systems Operational"}}'
)
HTML = "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
KEPT_LISTINGS = 64


@dataclass(slots=True)
class Asked:
    method: str
    path: str
    address: str  # path and query
    query: dict[str, str]
    user: str
    body: bytes = b""

    @property
    def filters(self) -> list[tuple[str, str]]:
        """What the listing is, whichever page of it."""
        return sorted((k, v) for k, v in self.query.items() if k not in PAGING)


@dataclass(slots=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    break_off: float = 1.0  # the share of the bytes that is sent


@dataclass
class Counters:
    by_kind: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    concurrent: int = 0
    most_concurrent: int = 0
    retries: int = 0  # the same address again after a fault
    repeats: int = 0  # the same address again after it was answered
    repeated: list[str] = field(default_factory=list)  # the first twenty of them
    cpu_seconds: float = 0.0
    ended: dict[str, str] = field(default_factory=dict)  # how each address fared last

    def asked(self, address: str, kind: str) -> None:
        self.by_kind[kind] += 1
        self.concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self.concurrent)
        before = self.ended.get(address)
        self.retries += before == "fault"
        if before == "success":
            self.repeats += 1
            self.repeated = [*self.repeated, address][:20]

    def answered(self, address: str, status: str, fault: str) -> None:
        self.concurrent -= 1
        self.by_status[status] += 1
        self.ended[address] = "fault" if fault not in ("", "shift") else "success"
        if fault:
            self.faults[fault] += 1

    def text(self) -> str:
        shown = {name: value for name, value in vars(self).items() if name != "ended"}
        cpu = {"cpu_seconds": time.process_time() - self.cpu_seconds}
        return json.dumps({**shown, **cpu, "requests": self.by_kind.total()})


class Server:
    """What is answered, and with which fault; knows nothing of sockets."""

    def __init__(self, world: World, faults: Faults, latency: float, hang_seconds: float) -> None:
        self.world, self.faults = world, faults
        self.latency, self.hang_seconds = latency, hang_seconds
        self.counters = Counters(cpu_seconds=time.process_time())
        self.listings: OrderedDict[str, Listing] = OrderedDict()
        self.shifts: Counter[str] = Counter()  # rows that came in at the head while a client reads
        self.parent_login = _login(world.parent, world.token)

    def control(self, text: bytes) -> Answer:
        """Change the world, the faults or the latency; or reset the counters."""
        given = json.loads(text)
        what = given.pop("what")
        self.listings.clear()
        if what == "reset":
            under_way = self.counters.concurrent
            self.counters = Counters(concurrent=under_way, cpu_seconds=time.process_time())
            return Answer(200, "{}")
        if what == "faults":
            self.faults = Faults(PRESETS[given["preset"]], int(given["seed"]))
            return Answer(200, "{}")
        if what == "latency":
            self.latency = float(given["seconds"])
            return Answer(200, "{}")
        return Answer(200, json.dumps({"sid": self.world.change(what, **given)}))

    def answer(self, asked: Asked, fault: str = "") -> Answer:
        key = f"{asked.path}?{asked.filters}"
        if not asked.query.get("PageToken"):
            self.shifts.pop(key, None)
        elif fault == "shift":
            self.shifts[key] += 1
        try:
            return self._answer(asked, shift=self.shifts[key], loop=fault == "loop")
        except BadRequest as bad:
            code, message = bad.args
            return _error(400, code, message)

    def _answer(self, asked: Asked, *, shift: int, loop: bool) -> Answer:
        if asked.path.startswith("/api/v2/"):
            return Answer(200, STATUS_PAGE)
        if asked.path.startswith("/v1/Alerts"):
            return Answer(200, '{"alerts": [], "meta": {"key": "alerts", "next_page_url": null}}')
        if asked.path == f"{ROOT}.json":
            if asked.user != self.parent_login:
                return _error(401, 20003, "Authenticate")
            listing = account_listing(self.world, asked.query)
            return Answer(200, page_of(listing, asked.path, asked.query, shift=shift, loop=loop))
        sid, _, resource = asked.path.removeprefix(f"{ROOT}/").partition("/")
        sid = sid.removesuffix(".json")
        if asked.user not in (self.parent_login, _login(sid, token_of(sid))):
            return _error(401, 20003, "Authenticate")
        if sid != self.world.parent and sid not in self.world.by_sid:
            return _error(404, 20404, f"The requested resource {asked.path} was not found")
        if resource.startswith("Usage/Records"):
            listing = self._usage(sid, resource, asked)
            return Answer(200, page_of(listing, asked.path, asked.query, shift=shift, loop=loop))
        return self._of_account(sid, resource, asked)

    def _of_account(self, sid: str, resource: str, asked: Asked) -> Answer:
        if not resource and sid in self.world.by_sid:
            return Answer(200, account_text(self.world, self.world.by_sid[sid]))
        if resource == "Balance.json" and sid == self.world.parent:
            body = {"account_sid": sid, "balance": "2500.00", "currency": "USD"}
            return Answer(200, json.dumps(body))
        if key := EMPTY.get(resource):
            nothing = Listing(key, 0, lambda start, end: "")
            return Answer(200, page_of(nothing, asked.path, asked.query))
        return _error(404, 20404, f"The requested resource {asked.path} was not found")

    def _usage(self, sid: str, resource: str, asked: Asked) -> Listing:
        """The whole listing, kept while a client pages through it."""
        key = f"{asked.path}?{asked.filters}"
        if (kept := self.listings.get(key)) is not None:
            return kept
        name = resource.removeprefix("Usage/Records").strip("/").removesuffix(".json")
        listing = usage_listing(self.world, sid, name, asked.query)
        self.listings[key] = listing
        if len(self.listings) > KEPT_LISTINGS:
            self.listings.popitem(last=False)
        return listing


def _login(sid: str, secret: str) -> str:
    return "Basic " + b64encode(f"{sid}:{secret}".encode()).decode()


def _error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return Answer(status, json.dumps(body))


def kind_of(path: str) -> str:
    """What a path asks for: "Accounts", "Account", "Daily", "Records", "Balance", "incidents"."""
    if path.startswith(ROOT) and path.count("/") == 3:
        return "Account"
    return path.rpartition("/")[2].removesuffix(".json")


class Connection(asyncio.Protocol):
    """One client's connection: a request, its answer after the latency, the next request."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.buffer = b""
        self.transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, rest = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return
        self.buffer = rest[size:]
        method, address, _ = lines[0].split(" ", 2)
        path, _, query = address.partition("?")
        user = headers.get("authorization", "")
        self._ask(Asked(method, path, address, dict(parse_qsl(query)), user, rest[:size]))

    def _ask(self, asked: Asked) -> None:
        server = self.server
        if asked.path == "/_control" and asked.method == "POST":
            self._send(server.control(asked.body))
        elif asked.path == "/_counters":
            self._send(Answer(200, server.counters.text()))
        else:
            server.counters.asked(asked.address, kind_of(asked.path))
            loop, began = asyncio.get_running_loop(), time.perf_counter()
            fault, chance = server.faults.meet(asked.address)
            if fault == "hang":
                loop.call_later(server.hang_seconds, self._close_unanswered, asked)
            else:
                loop.call_later(server.latency, self._finish, asked, fault, chance, began)

    def _close_unanswered(self, asked: Asked) -> None:
        self.server.counters.answered(asked.address, "none", "hang")
        if self.transport:
            self.transport.close()

    def _finish(self, asked: Asked, fault: str, chance: Random, began: float) -> None:
        server = self.server
        if fault == "reset" and chance.random() < 0.5:
            server.counters.answered(asked.address, "none", fault)
            self._reset()
            return
        answer = server.answer(asked, fault)
        answer = _spoilt(answer, fault, chance)
        server.counters.answered(asked.address, str(answer.status), fault)
        answer.headers |= {
            "Twilio-Concurrent-Requests": str(server.counters.concurrent + 1),
            "Twilio-Request-Duration": f"{time.perf_counter() - began:.3f}",
            "Twilio-Request-Id": f"RQ{chance.getrandbits(128):032x}",
        }
        self._send(answer)
        if fault == "reset":
            asyncio.get_running_loop().call_later(0.005, self._reset)
        elif answer.break_off < 1 and self.transport:
            self.transport.close()

    def _send(self, answer: Answer) -> None:
        if self.transport is None:  # the client has gone
            return
        body = answer.text.encode()
        lines = {"Content-Type": answer.kind, "Content-Length": str(len(body)), **answer.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        sent = body[: int(len(body) * answer.break_off)]
        self.transport.write(f"HTTP/1.1 {answer.status} .\r\n{head}\r\n".encode() + sent)

    def _reset(self) -> None:
        if self.transport:
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self.transport.abort()


def _spoilt(answer: Answer, fault: str, chance: Random) -> Answer:
    """The answer as the fault leaves it."""
    after = chance.choice(({}, {"Retry-After": "0"}, {"Retry-After": "1"}))
    cut = chance.uniform(0.2, 0.9)
    if fault == "too_many":
        refusal = _error(429, 20429, "Too Many Requests")
        return Answer(429, refusal.text, after)
    if fault == "server_error":
        status = chance.choice((500, 502, 503, 504))
        text, kind = chance.choice(((HTML, "text/html"), (_error(status, 20500, "").text, "")))
        return Answer(status, text, after if status == 503 else {}, kind or "application/json")
    if fault == "html":
        return Answer(200, HTML, {}, "text/html; charset=utf-8")
    if fault == "empty":
        return Answer(200, "")
    if fault == "shape":
        shapes = ("[]", "null", '{"message": "ok"}', '{"accounts": null, "usage_records": {}}')
        return Answer(200, chance.choice(shapes))
    if fault == "reset" or (fault == "truncated" and chance.random() < 0.5):
        return Answer(answer.status, answer.text, break_off=cut)
    if fault == "truncated":
        return Answer(answer.status, answer.text[: int(len(answer.text) * cut)])
    return answer
