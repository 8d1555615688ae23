"""Frames in the ISV's own product.

Its backend asks for a code (`POST /embed/codes`, with its API key), puts `/embed?code=…` into an
iframe, and the browser trades the code for a session of its own.  Codes leave the address at once:
`/embed` answers with a cookie and the way on.  A browser that keeps no cookie in frames is noticed
by the next request, which says so and offers a window, for which there is a second code.
"""

from functools import partial
from html import escape
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.door import Door
from dashboard.entrance import NO_STORE, SESSION_HEADER, address_of, entered
from dashboard.headers import page_headers
from dashboard.rate_limits import ASKED, RateLimits
from dashboard.sign_in import document
from dashboard.words import _
from data import identity
from data.errors import InputError, LinkRejected
from data.identity import Asked, Role

CODES, ENTER, CHECK, ENDED = "/embed/codes", "/embed", "/embed/check", "/embed/ended"
LONGEST = 200  # characters of any field
PLAIN = r"^[^\x00-\x1f\x7f]*$"  # a NUL is no text to PostgreSQL
# Streamlit's own word for "inside a frame": no padding and no toolbar.
FIRST_PAGE = "/?embed=true"


class CodeRequest(BaseModel):
    """What the ISV's backend sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    customer: str = Field(min_length=1, max_length=LONGEST, pattern=PLAIN)
    origin: str = Field(max_length=LONGEST)
    role: str = Field(default=Role.VIEWER.value, max_length=LONGEST)
    pages: list[str] | None = Field(default=None, min_length=1, max_length=50)
    visitor: str = Field(default="", max_length=100, pattern=PLAIN)


def embed_routes(door: Door) -> list[Route]:
    limits = RateLimits()
    return [
        Route(CODES, partial(issue_code, door, limits), methods=["POST"]),
        Route(ENTER, partial(enter, door), methods=["GET"]),
        Route(CHECK, partial(check, door), methods=["GET"]),
        Route(ENDED, partial(ended, door), methods=["GET"]),
    ]


async def issue_code(door: Door, limits: RateLimits, request: Request) -> Response:
    """201 with a code, its address and its end; 401 without a key, 400 naming what is wrong."""
    given, address, now = request.headers.get("authorization", ""), address_of(request), door.now()
    key = await run_in_threadpool(
        partial(identity.authenticate, address=address),
        *(door.scope, given.removeprefix("Bearer "), now),
    )
    limits.take(ASKED, str(key.id))
    asked = _asked(door, await request.body())
    code = await run_in_threadpool(
        partial(identity.issue_code, origins=door.settings.embed_origins, address=address),
        *(door.scope, key, asked, now),
    )
    answer = {
        "code": code,
        "url": f"{door.settings.origin}{ENTER}?{urlencode({'code': code})}",
        "expires_at": (now + identity.CODE_LIFE).isoformat(timespec="seconds"),
    }
    return JSONResponse(answer, 201, headers=NO_STORE)


def _asked(door: Door, body: bytes) -> Asked:
    try:
        sent = CodeRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "body"
        raise InputError(f"{name}: {first['msg']}", field=name) from None
    known = [role.value for role in Role if not role.is_staff]
    if sent.role not in known:
        raise InputError(f"role: one of {', '.join(known)}", field="role")
    pages = None if sent.pages is None else tuple(sent.pages)
    if unknown := set(pages or ()) - set(door.customer_pages):
        there = ", ".join(door.customer_pages)
        raise InputError(
            f"pages: no {', '.join(sorted(unknown))}; there are {there}", field="pages"
        )
    origin = sent.origin.rstrip("/").lower()
    return Asked(sent.customer, Role(sent.role), pages, origin, sent.visitor)


async def enter(door: Door, request: Request) -> Response:
    """Trade a code for a session; in a frame, by way of a check that the cookie was kept."""
    if request.method != "GET":  # a HEAD must not use the code up
        raise HTTPException(405)
    code = request.query_params.get("code", "")
    if _is_lured(request):
        title = _("You are signed in already")
        words = _("A link from elsewhere would show you the pages of somebody else.")
        on = f'<p><a class="button" href="/">{escape(_("Go on"))}</a></p>'
        return _page(door, 409, title, f"<p>{escape(words)}</p>{on}", None)
    try:
        found = await run_in_threadpool(
            partial(identity.enter_by_code, life=door.frame_life, address=address_of(request)),
            *(door.scope, code, door.now()),
        )
    except LinkRejected as error:
        origin = await run_in_threadpool(identity.code_origin, door.scope, code)
        advice = _("Reload the page around this frame: it will ask for a new one.")
        return _page(
            door,
            error.status,
            _("Please reload"),
            f"<p>{escape(_(str(error)))} {escape(advice)}</p>",
            origin,
        )
    path = f"{CHECK}?{urlencode({'again': found.again})}" if found.again else "/"
    return await entered(door, request, found.secret, path, framed=True)


def _is_lured(request: Request) -> bool:
    """Whether another site leads a person out of a sign-in of their own (login CSRF)."""
    told = request.headers.get
    outside = (told("sec-fetch-site"), told("sec-fetch-dest")) == ("cross-site", "document")
    return outside and SESSION_HEADER in request.headers


async def check(door: Door, request: Request) -> Response:
    """The cookie came back: on to the page.  It did not: say so, and offer a window."""
    again = request.query_params.get("again", "")
    frame, key = request.cookies.get(door.frame_cookie), request.headers.get(SESSION_HEADER)
    if frame is not None and key == identity.hashed(frame):
        await run_in_threadpool(identity.drop_code, door.scope, again, door.now())
        return RedirectResponse(FIRST_PAGE, 303, headers=NO_STORE)
    origin = await run_in_threadpool(identity.code_origin, door.scope, again)
    if origin is None:
        return RedirectResponse("/sign-in", 303, headers=NO_STORE)
    address = escape(f"{ENTER}?{urlencode({'code': again})}")
    why = _(
        "Your browser keeps no cookies for pages inside other pages, so your usage cannot be shown "
        "here. In a window of its own it can."
    )
    open_it = escape(_("Open in a new window"))
    once = _("The button works once, within a minute. Reload this page for another.")
    body = f"""<p>{escape(why)}</p>
<p><a class="button" href="{address}" target="_blank" rel="noopener">{open_it}</a></p>
<p class="fine">{escape(once)}</p>"""
    return _page(door, 200, _("This browser blocks the view"), body, origin)


async def ended(door: Door, request: Request) -> Response:
    """Where a frame stands when its session is over; it shows nothing of anybody."""
    origin = await run_in_threadpool(framed_by, door, request)
    words = _("It ends after a while, or when it is closed. Reload the page around it.")
    return _page(door, 200, _("This view has ended"), f"<p>{escape(words)}</p>", origin)


def framed_by(door: Door, request: HTTPConnection) -> str | None:
    """The origin around the frame that the browser's frame cookie was made for, live or not."""
    secret = request.cookies.get(door.frame_cookie)
    return identity.origin_of(door.scope, identity.hashed(secret)) if secret else None


def _page(door: Door, status: int, title: str, body: str, origin: str | None) -> Response:
    return HTMLResponse(document(door.brand, title, body), status, page_headers(origin))
