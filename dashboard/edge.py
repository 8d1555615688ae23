"""The edge: every request and socket passes here first.  Pure ASGI; streamlit never sees a refusal.

Identity comes from one place: the session cookie, looked up in the database, becomes the header
`x-dash-session` (the hash of the cookie), which Streamlit shows to the script as `st.user.session`
and which also ties a socket's reconnects to the same sign-in.  The same header from outside is
dropped.  What is not known here (host, origin, path, method) is refused.  Paths are read from the
scope alone: Starlette's `request.url` is built from the Host header, which a stranger writes.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.door import Door
from dashboard.frontend import Frontend, accepted_encoding
from dashboard.sign_in import message_page
from data import identity
from data.errors import AppError
from data.settings import Settings

log = structlog.get_logger()

SESSION_HEADER = "x-dash-session"
OUR_HEADERS = b"x-dash-"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROBES = ("/healthz", "/readyz", "/metrics")  # asked for under an address of the machine's own
OPEN_PATHS = ("/_stcore/health", "/_stcore/host-config")
SIGNED_IN_PATHS = ("/media/", "/component/", "/_stcore/upload_file/", "/_stcore/bidi-components/")
SOCKET_PATH = "/_stcore/stream"
# Twilio's own requests have no Origin: the route itself checks their signature.
SIGNED_BY_TWILIO = "/connect/deauthorized"
LARGEST_BODY = 16_384  # bytes, of a request to our own routes
# Streamlit's ForwardMsg.auth_redirect, as st.logout() sends it: the browser leaves the page.
LEAVE = b"\xc2\x01\x0e\n\x0c/auth/logout"
POLL_SECONDS = 2.0  # how long a revoked session's socket may live on
YEAR = 31_536_000  # seconds


class Edge:
    """Holds no loop: everything tied to one is made while a socket is open."""

    def __init__(self, app: ASGIApp, door: Door, routes: Sequence[BaseRoute]) -> None:
        self.app, self.door, self.routes = app, door, routes
        self.frontend = Frontend(door.brand)
        self.headers = _security_headers(self.frontend, door.settings)
        self.watch = Watch(door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(_without_identity(scope), receive, self._secured(send))
        elif scope["type"] == "websocket":
            await self._connect(_without_identity(scope), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, match = HTTPConnection(scope), self._match(scope)
        try:
            answer = self._refusal(request) or await self._answer(request, match)
        except AppError as error:
            answer = self._page(request, error.status, "Please try again", str(error))
        if answer is None:
            await self.app(scope, _limited(receive) if match is Match.FULL else receive, send)
        else:
            await answer(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        host, path = request.headers.get("host", ""), request.scope["path"]
        if path not in PROBES and not self.door.is_host(host):
            return PlainTextResponse(f"This app is at {self.door.settings.origin}.", 400)
        if request.scope["method"] not in SAFE_METHODS and path != SIGNED_BY_TWILIO:
            origin = request.headers.get("origin", "")
            if not self.door.is_origin(origin, host):
                log.warning("origin refused", origin=origin, path=path)
                return PlainTextResponse("This request comes from another site.", 403)
        return None

    async def _answer(self, request: HTTPConnection, match: Match) -> Response | None:
        """What the edge answers itself; None where the app behind it shall."""
        path, reads = request.scope["path"], request.scope["method"] in ("GET", "HEAD")
        if match is Match.PARTIAL:
            return self._page(request, 405, "Not here", "This address takes no such request.")
        if match is Match.FULL:
            await self._identify(request)
            return None
        if path in self.frontend.files and reads:
            return await self._bundle(request)
        if path in OPEN_PATHS and reads:
            return None
        if path in self.door.page_paths and reads:
            if await self._identify(request):
                return HTMLResponse(self.frontend.page, headers={"cache-control": "no-store"})
            query = "" if path == "/" else f"?next={path}"
            return RedirectResponse(f"/sign-in{query}", 303)
        if path.startswith(SIGNED_IN_PATHS) and await self._identify(request):
            return None
        return self._page(request, 404, "Not found", "There is no such page.")

    def _match(self, scope: Scope) -> Match:
        """Whether the path is a route of ours, and takes this method."""
        matches = (route.matches(scope)[0] for route in self.routes)
        return max(matches, key=lambda match: match.value, default=Match.NONE)

    async def _identify(self, request: HTTPConnection) -> str | None:
        """The hash of a live session's cookie; what lies behind gets it as a header."""
        secret = request.cookies.get(self.door.cookie)
        if not secret:
            return None
        key = identity.hashed(secret)
        door = self.door
        if not await run_in_threadpool(identity.live_keys, door.scope, (key,), door.now()):
            return None
        request.scope["headers"].append((SESSION_HEADER.encode(), key.encode()))
        return key

    async def _bundle(self, request: HTTPConnection) -> Response | None:
        path = request.scope["path"]
        encoding = accepted_encoding(request.headers.get("accept-encoding", ""))
        content_type = self.frontend.content_type(path)
        if encoding is None or content_type is None:
            return None
        body = await run_in_threadpool(self.frontend.compressed, path, encoding)
        return Response(
            body,
            headers={
                "content-type": content_type,
                "content-encoding": encoding,
                "cache-control": f"public, immutable, max-age={YEAR}",
                "vary": "accept-encoding",
            },
        )

    def _page(self, request: HTTPConnection, status: int, title: str, message: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(message_page(self.door.brand, title, message), status)
        return PlainTextResponse(message, status)

    def _secured(self, send: Send) -> Send:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if self.door.settings.secure:
                    message["headers"] = [_secure_cookie(*header) for header in headers.raw]
            await send(message)

        return secured

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
        if scope["path"] != SOCKET_PATH or not self.door.is_origin(origin, host):
            log.warning("socket refused", origin=origin, path=scope["path"])
            await _refuse(receive, send)
            return
        try:
            key = await self._identify(request)
        except AppError as error:
            log.warning("socket refused", error=str(error))
            await _refuse(receive, send)
            return
        if key is None:
            await _dismiss(scope, receive, send)
            return
        with self.watch.over(key) as over:
            await _run_until(over, self.app, scope, receive, send)


class Watch:
    """Says when the session of an open socket is over: one poll for all sockets of the process."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.open: dict[str, set[asyncio.Event]] = {}
        self.poll: asyncio.Task[None] | None = None

    @contextmanager
    def over(self, key: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self.open.setdefault(key, set()).add(event)
        if self.poll is None or self.poll.done():
            self.poll = asyncio.create_task(self._poll())
        try:
            yield event
        finally:
            self.open[key].discard(event)
            if not self.open[key]:
                del self.open[key]

    async def _poll(self) -> None:
        while self.open:
            await asyncio.sleep(POLL_SECONDS)
            asked = tuple(self.open)
            try:
                live = await run_in_threadpool(
                    identity.live_keys, self.door.scope, asked, self.door.now()
                )
            except Exception as error:  # the poll must outlive a database that is away
                log.warning("sessions not checked", error=type(error).__name__)
                continue
            for key in set(asked) - live:
                for event in self.open.get(key, ()):
                    event.set()


async def _run_until(
    over: asyncio.Event, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a socket until its session is over: then the browser leaves, the app disconnects."""
    ending: asyncio.Task[Any] = asyncio.create_task(over.wait())
    pending: asyncio.Task[Any] | None = None

    async def receive_until() -> Message:
        nonlocal pending
        pending = pending or asyncio.create_task(_next(receive))
        await asyncio.wait({pending, ending}, return_when=asyncio.FIRST_COMPLETED)
        if over.is_set():
            await _part(send)
            return {"type": "websocket.disconnect", "code": 1012}
        message: Message = pending.result()
        pending = None
        return message

    async def send_until(message: Message) -> None:
        if not over.is_set():
            await send(message)

    try:
        await app(scope, receive_until, send_until)
    finally:
        for task in (ending, pending):
            if task is not None:
                task.cancel()


async def _dismiss(scope: Scope, receive: Receive, send: Send) -> None:
    """No session, no Streamlit: a page that outlived its session is led to the sign-in page.

    A refusal would leave it standing, retrying in silence.
    """
    await receive()
    offered = scope.get("subprotocols") or [None]
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    await _part(send)


async def _part(send: Send) -> None:
    await send({"type": "websocket.send", "bytes": LEAVE})
    await send({"type": "websocket.close", "code": 1012, "reason": "session ended"})


async def _next(receive: Receive) -> Message:
    return await receive()


async def _refuse(receive: Receive, send: Send) -> None:
    """Closing before accepting is answered as 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def _limited(receive: Receive) -> Receive:
    """Bodies beyond the limit end in 413, whatever length they claimed."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413, f"At most {LARGEST_BODY} bytes are taken here.")
        return message

    return limited


def _without_identity(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if not _is_identity(name)]
    return {**scope, "headers": headers}


def _is_identity(name: bytes) -> bool:
    # Some gateways read "_" as "-": neither form may come from outside.
    return name.lower().replace(b"_", b"-").startswith(OUR_HEADERS)


def _secure_cookie(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Streamlit's own cookies come without `Secure`."""
    if name == b"set-cookie" and value.startswith(b"_streamlit") and b"secure" not in value.lower():
        return name, value + b"; Secure"
    return name, value


def _security_headers(frontend: Frontend, settings: Settings) -> dict[str, str]:
    # The form that leads to Twilio is answered with the way there: browsers hold that against it.
    consent = f" {settings.authorize_base}" if settings.connect_app else ""
    policy = (
        "default-src 'self'",
        f"script-src 'self' {' '.join(frontend.script_hashes)}",
        "style-src 'self' 'unsafe-inline'",  # Streamlit styles by inline rules
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        f"form-action 'self'{consent}",
        "frame-ancestors 'none'",
    )
    headers = {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.secure:
        headers["strict-transport-security"] = f"max-age={YEAR}"
    return headers
