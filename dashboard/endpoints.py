"""What is answered without Streamlit: health, sign-in and sign-out, brand files, errors.

Sessions begin and end here; that a request to change anything comes from our own pages, and that
its body is small, the edge has checked before.  Errors become a status and one short sentence.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.connect import connect_routes
from dashboard.door import Door
from dashboard.embedding import ENDED, embed_routes
from dashboard.entrance import SESSION_HEADER, entered, forget, leave, session_terms
from dashboard.frontend import Frontend
from dashboard.headers import page_headers, security_headers
from dashboard.logs import record
from dashboard.metrics import metrics_routes
from dashboard.oidc import oidc_routes
from dashboard.sign_in import (
    closed_page,
    demo_page,
    link_page,
    message_page,
    sign_in_path,
    style,
)
from dashboard.words import N_, _
from data import identity
from data.demo.people import demo_people
from data.errors import (
    AppError,
    LinkRejected,
    NotFound,
    ScopeViolation,
    StoreUnavailable,
    TooManyRequests,
)
from data.store import check_store

OUR_FAULT = N_("Something went wrong on our side. It has been recorded.")
LOGO_HEADERS = {  # an SVG opened by itself could run scripts
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cache-control": "public, max-age=3600",
}


def routes(door: Door) -> list[Route]:
    """All addresses that are not Streamlit's; the demo's door exists in the demo only."""
    demo = [Route("/auth/demo", partial(enter_demo, door), methods=["POST"])]
    return [
        Route("/healthz", healthz),
        Route("/readyz", partial(readyz, door)),
        Route("/brand/logo.svg", partial(logo, door)),
        Route("/brand/style.css", stylesheet(door)),
        Route("/sign-in", partial(sign_in, door)),
        Route("/auth/link", partial(show_link, door), methods=["GET"]),
        Route("/auth/link", partial(enter_by_link, door), methods=["POST"]),
        Route("/auth/logout", partial(sign_out, door)),
        Route("/auth/over", partial(over, door)),
        *oidc_routes(door),
        *embed_routes(door),
        *connect_routes(door),
        *metrics_routes(door),
        *(demo if door.settings.demo else []),
    ]


async def healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(door: Door, _: Request) -> Response:
    try:
        await run_in_threadpool(check_store, door.scope)
    except StoreUnavailable as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
    return JSONResponse({"status": "ok"})


async def logo(door: Door, _: Request) -> Response:
    drawing = await run_in_threadpool(door.brand.logo.read_bytes)
    return Response(drawing, media_type="image/svg+xml", headers=LOGO_HEADERS)


def stylesheet(door: Door) -> Callable[[Request], Any]:
    sheet = style(door.brand, Frontend(door.brand).font)

    async def answer(_: Request) -> Response:
        return Response(sheet, media_type="text/css", headers={"cache-control": "max-age=300"})

    return answer


async def sign_in(door: Door, request: Request) -> Response:
    next_path = door.page_path(request.query_params.get("next", ""))
    providers = door.settings.oidc_providers
    if not door.settings.demo:
        return _page(closed_page(door.brand, providers, next_path))
    people = await run_in_threadpool(demo_people, door.scope, door.today)
    return _page(demo_page(door.brand, people, next_path, providers))


async def enter_demo(door: Door, request: Request) -> Response:
    """Sign in as one of the listed people; nobody else can be entered this way."""
    form = await request.form()
    people = await run_in_threadpool(demo_people, door.scope, door.today)
    chosen = str(form.get("member", ""))
    ids = {str(person.member.membership_id): person.member.membership_id for person in people}
    if chosen not in ids:
        raise NotFound("There is no such person in the demo.")
    secret = await run_in_threadpool(
        partial(identity.open_session, **session_terms(door, request)),
        *(door.scope, ids[chosen], "demo", door.now()),
    )
    return await entered(door, request, secret, door.page_path(str(form.get("next", ""))))


async def show_link(door: Door, request: Request) -> Response:
    return _page(link_page(door.brand, request.query_params.get("token", "")))


async def enter_by_link(door: Door, request: Request) -> Response:
    form = await request.form()
    secret = await run_in_threadpool(
        partial(identity.enter_by_link, **session_terms(door, request)),
        *(door.scope, str(form.get("token", "")), door.now()),
    )
    return await entered(door, request, secret, "/")


async def sign_out(door: Door, request: Request) -> Response:
    """Where `st.logout()` leads.  Another site's link hither ends nothing."""
    frame, key = request.cookies.get(door.frame_cookie), request.headers.get(SESSION_HEADER)
    framed = frame is not None and key in (None, identity.hashed(frame))
    if request.headers.get("sec-fetch-site") == "cross-site" and not framed:
        return RedirectResponse("/", 303)
    await leave(door, request)
    if framed:  # its cookie still says who may frame the last word
        return RedirectResponse(ENDED, 303)
    answer = RedirectResponse("/sign-in", 303)
    forget(door, answer)
    return answer


async def over(door: Door, request: Request) -> Response:
    """Where a page goes whose session has ended.  Nothing ends here."""
    if SESSION_HEADER in request.headers:
        return RedirectResponse("/", 303)
    if door.frame_cookie in request.cookies:
        return RedirectResponse(ENDED, 303)
    return RedirectResponse(sign_in_path(_page_before(door, request)), 303)


def _page_before(door: Door, request: Request) -> str:
    """The page that was open: browsers name it to our own site."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # no address at all: "http://["
        return "/"
    ours = door.is_origin(f"{before.scheme}://{before.netloc}", request.headers.get("host", ""))
    return door.page_path(f"{before.path}?{before.query}") if ours else "/"


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, headers=page_headers())


# Errors


def public_message(error: Exception) -> str:
    """What a person may read of an error: an AppError's own text, unless it is our bug."""
    if isinstance(error, AppError) and not isinstance(error, ScopeViolation):
        return _(str(error)) if error.status != AppError.status else _(OUR_FAULT)
    return _(OUR_FAULT)


def handlers(door: Door) -> dict[Any, Callable[[Request, Any], Response]]:
    """For Starlette: every error that leaves a route as a status and a sentence."""
    return {
        AppError: partial(_app_error, door),
        HTTPException: partial(_http_error, door),
        Exception: partial(_bug, door, security_headers(Frontend(door.brand), door.settings)),
    }


def _app_error(door: Door, request: Request, error: AppError) -> Response:
    record(error)
    title = (
        _("Please ask for a new link")
        if isinstance(error, LinkRejected)
        else _("That did not work")
    )
    answer = _failure(
        door, request, error.status, error.code, title, public_message(error), error.params
    )
    if isinstance(error, TooManyRequests):
        answer.headers["retry-after"] = str(error.retry_after)
    return answer


def _http_error(door: Door, request: Request, error: HTTPException) -> Response:
    return _failure(door, request, error.status_code, "http", _("That did not work"), error.detail)


def _bug(door: Door, headers: Mapping[str, str], request: Request, error: Exception) -> Response:
    """Starlette answers a bug outside of the edge, which so cannot add its headers."""
    record(error)
    answer = _failure(door, request, 500, AppError.code, _("That did not work"), _(OUR_FAULT))
    for name, value in headers.items():
        answer.headers.setdefault(name, value)
    return answer


def _failure(
    door: Door,
    request: Request,
    status: int,
    code: str,
    title: str,
    message: str,
    params: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """`params` may name the field that was wrong, for a program to read."""
    if "text/html" in request.headers.get("accept", ""):
        return _page(message_page(door.brand, title, message), status)
    named = {"field": params["field"]} if "field" in params else {}
    return JSONResponse({"error": {"code": code, "message": message, **named}}, status)
