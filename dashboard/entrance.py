"""How a browser gets its session cookie, and loses it, whichever door it came through.

A sign-in gets `SameSite=Lax`.  A frame in another site gets `SameSite=None; Partitioned`: browsers
keep such a cookie for that one site around it, where they keep any in frames at all
(https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies).
"""

from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboard.door import Door
from data import identity

SESSION_HEADER = "x-dash-session"  # set by the edge alone: the hash of a live session's cookie
NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def address_of(request: Request) -> str:
    """Of the network; behind a proxy the server takes it from a proxy that it trusts."""
    return request.client.host if request.client else ""


def session_terms(door: Door, request: Request) -> dict[str, Any]:
    """How long a sign-in lasts, and where it came from."""
    return {
        "life": door.session_life,
        "idle": door.session_idle,
        "address": address_of(request),
    }


async def entered(
    door: Door, request: Request, secret: str, path: str, *, framed: bool = False
) -> Response:
    """To the page, with the session's cookie.  A session that the browser had before ends.

    A frame ends a frame's alone: within our own site the cookie of a sign-in comes along, too.
    """
    for name in (door.frame_cookie,) if framed else door.cookies:
        if before := request.cookies.get(name):
            key = identity.hashed(before)
            await run_in_threadpool(identity.revoke, door.scope, key, door.now())
    answer = RedirectResponse(path, 303, headers=NO_STORE)
    if framed:
        _set(answer, door.frame_cookie, secret, door.frame_life, framed=True)
    else:
        forget(door, answer)
        _set(answer, door.cookie, secret, door.session_life, secure=door.settings.secure)
    return answer


async def leave(door: Door, request: Request) -> None:
    if key := request.headers.get(SESSION_HEADER):
        await run_in_threadpool(identity.revoke, door.scope, key, door.now())


def forget(door: Door, answer: Response) -> None:
    """Take back the cookies of both kinds."""
    _set(answer, door.cookie, "", timedelta(0), secure=door.settings.secure)
    _set(answer, door.frame_cookie, "", timedelta(0), framed=True)


def _set(
    answer: Response,
    name: str,
    value: str,
    life: timedelta,
    *,
    secure: bool = True,
    framed: bool = False,
) -> None:
    """Written by hand: before Python 3.14 the standard library knows no Partitioned."""
    kind = "SameSite=None; Partitioned" if framed else "SameSite=Lax"
    parts = [f"{name}={value}", "Path=/", "HttpOnly", f"Max-Age={int(life.total_seconds())}", kind]
    if secure:
        parts.append("Secure")
    answer.raw_headers.append((b"set-cookie", "; ".join(parts).encode()))
