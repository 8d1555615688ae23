"""The edge: every request and socket passes here first.  Pure ASGI; streamlit never sees a refusal.

Identity comes from one place: the session cookie, looked up in the database, becomes the header
`x-dash-session` (the hash of the cookie), which Streamlit shows to the script as `st.user.session`
and which also ties a socket's reconnects to the same sign-in.  The same header from outside is
dropped.  What is not known here (host, origin, path, method) is refused.  Paths are read from the
scope alone: Starlette's `request.url` is built from the Host header, which a stranger writes.
"""

from collections.abc import Sequence
from contextlib import suppress

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.door import Door
from dashboard.embedding import CODES, ENDED, framed_by
from dashboard.entrance import SESSION_HEADER, address_of
from dashboard.frontend import Frontend, accepted_encoding
from dashboard.headers import (
    POLICY,
    YEAR,
    app_policy,
    page_headers,
    security_headers,
)
from dashboard.rate_limits import ATTEMPTS, FAILURES, RateLimits
from dashboard.sign_in import message_page, sign_in_path
from dashboard.sockets import Watch, dismiss, refuse, serve
from dashboard.words import LANGUAGES, _, best_language, speak
from data import identity
from data.errors import AppError, TooManyRequests

log = structlog.get_logger()

OUR_HEADERS = b"x-dash-"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROBES = ("/healthz", "/readyz", "/metrics")  # asked for under an address of the machine's own
OPEN_PATHS = ("/_stcore/health", "/_stcore/host-config")
MEDIA_PATH = "/media/"
SIGNED_IN_PATHS = (MEDIA_PATH, "/component/", "/_stcore/bidi-components/")
SOCKET_PATH = "/_stcore/stream"
# Twilio's own requests have no Origin: the route itself checks their signature.
SIGNED_BY_TWILIO = "/connect/deauthorized"
# Nor has the ISV's backend: the route checks its key.  No cookie counts at either.
NOT_BROWSERS = (SIGNED_BY_TWILIO, CODES)
DOORS = ("/auth/", "/embed", "/sign-in")
WAYS_OUT = ("/auth/logout", "/auth/over", "/embed/ended")  # open however often somebody has failed
REFUSED, REFUSED_KEY = (400, 401, 403, 404), (401,)
FRAMED = b"framed"  # the query of a frame's socket
LARGEST_BODY = 16_384  # bytes, of a request to our own routes


class Edge:
    """Holds no loop: everything tied to one is made while a socket is open."""

    def __init__(self, app: ASGIApp, door: Door, routes: Sequence[BaseRoute]) -> None:
        self.app, self.door, self.routes = app, door, routes
        self.frontend = Frontend(door.brand)
        self.headers = security_headers(self.frontend, door.settings)
        self.watch = Watch(door)
        self.limits = RateLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            speak(_language_of(Request(scope)))
            await self._serve(_without_identity(scope), receive, self._secured(send, scope["path"]))
        elif scope["type"] == "websocket":
            await self._connect(_without_identity(scope), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, match = Request(scope), self._match(scope)
        try:
            self._throttle(request)
            answer = self._refusal(request) or await self._answer(request, match)
        except TooManyRequests as error:
            headers = {"retry-after": str(error.retry_after)}
            words = _("Too many requests. Try again in {n} seconds.").format(n=error.retry_after)
            answer = self._page(request, error.status, _("Too many requests"), words, headers)
        except AppError as error:
            answer = self._page(request, error.status, _("Please try again"), _(str(error)))
        if answer is not None:
            await answer(scope, receive, send)
        elif match is Match.FULL:
            await self.app(scope, _limited(receive), self._counted(request, send))
        else:
            await self.app(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        host, path = request.headers.get("host", ""), request.scope["path"]
        if path not in PROBES and not self.door.is_host(host):
            return PlainTextResponse(f"This app is at {self.door.settings.origin}.", 400)
        if request.scope["method"] not in SAFE_METHODS and path not in NOT_BROWSERS:
            origin = request.headers.get("origin", "")
            if not self.door.is_origin(origin, host):
                log.warning("origin refused", origin=origin, path=path)
                return PlainTextResponse("This request comes from another site.", 403)
        return None

    def _throttle(self, request: Request) -> None:
        """TooManyRequests for an address that tries too much at our doors."""
        path = request.scope["path"]
        if path.startswith(DOORS) and path not in WAYS_OUT:
            self.limits.check(FAILURES, address_of(request))
            if path != CODES:  # which counts by key: a portal has one address
                self.limits.take(ATTEMPTS, address_of(request))

    def _counted(self, request: Request, send: Send) -> Send:
        """Count what was refused at our doors."""
        if not request.scope["path"].startswith(DOORS):
            return send
        refused = REFUSED_KEY if request.scope["path"] == CODES else REFUSED

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in refused:
                with suppress(TooManyRequests):
                    self.limits.take(FAILURES, address_of(request))
            await send(message)

        return counted

    async def _answer(self, request: HTTPConnection, match: Match) -> Response | None:
        """What the edge answers itself; None where the app behind it shall."""
        path, reads = request.scope["path"], request.scope["method"] in ("GET", "HEAD")
        if match is Match.PARTIAL:
            words = _("This address takes no such request.")
            return self._page(request, 405, _("Not here"), words)
        if match is Match.FULL:
            await self._identify(request)
            return None
        if (path in self.frontend.files or path == self.frontend.style_path) and reads:
            return await self._bundle(request)
        if path in OPEN_PATHS and reads:
            return None
        if path in self.door.page_paths and reads:
            return await self._app_page(request)
        keys = await self._live_keys(request) if path.startswith(SIGNED_IN_PATHS) and reads else []
        if path.startswith(MEDIA_PATH):
            keys = [key for key in keys if self.watch.may_fetch(key, path)]
        if keys:
            _tell_identity(request, keys[0])
            return self.watch.written.get((keys[0], path))
        return self._page(request, 404, _("Not found"), _("There is no such page."))

    async def _app_page(self, request: HTTPConnection) -> Response:
        """Streamlit's page, for whoever is signed in; in a frame, for the page around it alone."""
        path = request.scope["path"]
        frame = request.cookies.get(self.door.frame_cookie)
        origin = await run_in_threadpool(framed_by, self.door, request) if frame else None
        if key := await self._identify(request):
            if frame is None or identity.hashed(frame) != key:
                origin = None  # a sign-in of its own, which nobody may frame
            policy = app_policy(self.frontend, self.door.settings, origin)
            headers = {"cache-control": "no-store", POLICY: policy}
            return HTMLResponse(self.frontend.page, headers=headers)
        if origin is not None:
            return RedirectResponse(ENDED, 303)
        asked = self.door.page_path(f"{path}?{request.scope['query_string'].decode('latin-1')}")
        return RedirectResponse(sign_in_path(asked), 303)

    def _match(self, scope: Scope) -> Match:
        """Whether the path is a route of ours, and takes this method."""
        matches = (route.matches(scope)[0] for route in self.routes)
        return max(matches, key=lambda match: match.value, default=Match.NONE)

    async def _identify(self, request: HTTPConnection) -> str | None:
        """The hash of a live session's cookie; what lies behind gets it as a header."""
        keys = await self._live_keys(request)
        if not keys:
            return None
        _tell_identity(request, keys[0])
        return keys[0]

    async def _live_keys(self, request: HTTPConnection) -> list[str]:
        """Of the sessions whose cookies come along, those that live, the one that is meant first.

        A portal on our own site gets both kinds of cookie into its frame, and we get both outside.
        """
        door, cookies = self.door, request.cookies
        names = (door.frame_cookie, door.cookie) if _is_framed(request) else door.cookies
        keys = [identity.hashed(cookies[name]) for name in names if name in cookies]
        if not keys:
            return []
        live = await run_in_threadpool(identity.live_keys, door.scope, keys, door.now())
        return [key for key in keys if key in live]

    async def _bundle(self, request: HTTPConnection) -> Response | None:
        path = request.scope["path"]
        encoding = accepted_encoding(request.headers.get("accept-encoding", ""))
        content_type = self.frontend.content_type(path)
        if path == self.frontend.style_path and encoding is None:
            return Response(self.frontend.style, media_type="text/css")
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

    def _page(
        self,
        request: HTTPConnection,
        status: int,
        title: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            html = message_page(self.door.brand, title, message)
            return HTMLResponse(html, status, {**page_headers(), **(headers or {})})
        return PlainTextResponse(message, status, headers)

    def _secured(self, send: Send, path: str) -> Send:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if path.startswith(MEDIA_PATH):  # of one session, and for no cache on the way
                    headers["cache-control"] = "private, no-store"
                if self.door.settings.secure:
                    message["headers"] = [_secure_cookie(*header) for header in headers.raw]
            await send(message)

        return secured

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
        if scope["path"] != SOCKET_PATH or not self.door.is_origin(origin, host):
            log.warning("socket refused", origin=origin, path=scope["path"])
            await refuse(receive, send)
            return
        try:
            key = await self._identify(request)
        except AppError as error:
            log.warning("socket refused", error=str(error))
            await refuse(receive, send)
            return
        if key is None:
            await dismiss(scope, receive, send)
            return
        if self.watch.is_full(key):
            log.warning("socket refused", reason="too many of one session")
            await refuse(receive, send)
            return
        await serve(self.watch, key, self.app, scope, receive, send)


def _language_of(request: Request) -> str:
    """As the address says, or as the browser prefers."""
    asked = request.query_params.get("lang")
    if asked and asked in LANGUAGES:
        return asked
    return best_language(request.headers.get("accept-language"))


def _tell_identity(request: HTTPConnection, key: str) -> None:
    request.scope["headers"].append((SESSION_HEADER.encode(), key.encode()))


def _is_framed(request: HTTPConnection) -> bool:
    """Whether a frame asks: browsers say so of a page, our own script says so of a socket."""
    dest = request.headers.get("sec-fetch-dest")
    socket = request.scope["type"] == "websocket"
    return dest in ("iframe", "frame") or (socket and request.scope["query_string"] == FRAMED)


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
    headers = [
        (name, _plain_cookies(value) if name == b"cookie" else value)
        for name, value in scope["headers"]
        if not _is_identity(name)
    ]
    return {**scope, "headers": headers}


def _plain_cookies(value: bytes) -> bytes:
    """Without cookies beyond printable ASCII: a sibling host may set one whose name only looks
    like `__Host-…` once blanks that are no blanks to browsers are taken off."""
    return b";".join(part for part in value.split(b";") if all(32 <= one < 127 for one in part))


def _is_identity(name: bytes) -> bool:
    # Some gateways read "_" as "-": neither form may come from outside.
    return name.lower().replace(b"_", b"-").startswith(OUR_HEADERS)


def _secure_cookie(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Streamlit's own cookies come without `Secure`."""
    if name == b"set-cookie" and value.startswith(b"_streamlit") and b"secure" not in value.lower():
        return name, value + b"; Secure"
    return name, value
