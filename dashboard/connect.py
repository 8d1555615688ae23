"""The way to Twilio Connect and back, and Twilio's word that a consent was taken back.

A person's requests come with a session and our own Origin, as everywhere.  Twilio's own come with
neither but with a signature: without a right one nothing changes.
"""

import re
from functools import partial
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.access import Permission, Viewer, viewer_of
from dashboard.door import Door
from dashboard.edge import SIGNED_BY_TWILIO
from dashboard.entrance import SESSION_HEADER
from dashboard.logs import record
from dashboard.sign_in import document
from dashboard.words import N_, _
from data import connect
from data.connect import Asker
from data.errors import AccessError, AppError, LinkRejected, NotSignedIn, TwilioError
from data.twilio.reading import credentials
from data.twilio.signature import Field, is_signed

START, CALLBACK = "/connect/start", "/connect/callback"
PAGE = "/accounts"
DECLINED = "unauthorized_client"  # Twilio's word for a person who said no
ERROR = re.compile(r"[a-z_]{1,40}")  # a word of OAuth's; anything else is a stranger's
AGAIN = N_("Press “Connect your Twilio account” once more.")
NOTHING_CHANGED = N_("Nothing was connected, and nothing of your Twilio account was read.")


def connect_routes(door: Door) -> list[Route]:
    """None of them exists without a Connect app."""
    if door.settings.connect_app is None:
        return []
    return [
        Route(START, partial(start, door), methods=["POST"]),
        Route(CALLBACK, partial(callback, door), methods=["GET"]),
        Route(SIGNED_BY_TWILIO, partial(deauthorized, door), methods=["GET", "POST"]),
    ]


async def start(door: Door, request: Request) -> Response:
    """To Twilio, with a state that leads this person back here once."""
    asker = await run_in_threadpool(_asker, door, request)
    state = await run_in_threadpool(partial(connect.begin, now=door.now()), door.scope, asker)
    settings = door.settings
    address = f"{settings.authorize_base}/authorize/{settings.connect_app}"
    return _to(f"{address}?{urlencode({'state': state})}")


async def callback(door: Door, request: Request) -> Response:
    """Back from Twilio: with an account, or without one because the person said no."""
    asker = await run_in_threadpool(_asker, door, request)
    given = request.query_params
    try:
        await run_in_threadpool(_used, door, asker, given.get("state", ""))
        if "error" in given:
            error = given["error"] if ERROR.fullmatch(given["error"]) else "other"
            await run_in_threadpool(
                partial(connect.decline, now=door.now()), door.scope, asker, error
            )
            return _declined(door, error)
        sid = given.get("AccountSid", "")
        await run_in_threadpool(_connected, door, asker, sid)
    except (LinkRejected, AccessError, TwilioError) as error:
        record(error)
        return _failed(door, error)
    return _to(f"{PAGE}?{urlencode({'connected': sid})}")


async def deauthorized(door: Door, request: Request) -> Response:
    """Twilio's word, by GET or POST, as often as it likes; 403 unless it is Twilio's."""
    query = request.scope["query_string"].decode("latin-1")
    posted = request.method == "POST"
    body = await request.body() if posted else b""
    form = _fields(body.decode("latin-1"))
    url = f"{door.settings.origin}{SIGNED_BY_TWILIO}{f'?{query}' if query else ''}"
    given = request.headers.get("x-twilio-signature", "")
    token = credentials(door.settings).secret
    said = dict(form if posted else _fields(query))
    if not is_signed(token, url, form, given) or (
        said.get("ConnectAppSid") != door.settings.connect_app
    ):
        record(AccessError("A deauthorization that Twilio has not signed."))
        return PlainTextResponse(_("This request is not signed by Twilio."), 403)
    now = door.settings.moment(door.now())
    await run_in_threadpool(
        partial(connect.withdraw, now=now), door.scope, said.get("AccountSid", "")
    )
    return PlainTextResponse(_("Noted."))


def _fields(text: str) -> list[Field]:
    """A form's fields as Twilio signs them: decoded, empty ones included."""
    return parse_qsl(text, keep_blank_values=True)


def _asker(door: Door, request: Request) -> Asker:
    """A customer's own manager; nobody else connects anything, staff who look on included."""
    viewer = _viewer(door, request)
    viewer.require(Permission.CHANGE_OWN)
    if viewer.customer is None or viewer.viewing is not None or viewer.person_id is None:
        raise AccessError("Only a customer's own manager can connect its Twilio account.")
    return Asker(viewer.customer.id, viewer.person_id)


def _viewer(door: Door, request: Request) -> Viewer:
    key = request.headers.get(SESSION_HEADER)
    viewer = viewer_of(key, door.settings.database_url, door.now()) if key else None
    if viewer is None:
        raise NotSignedIn("Sign in first, then connect your Twilio account on the page Accounts.")
    return viewer


def _used(door: Door, asker: Asker, state: str) -> None:
    connect.use(door.scope, asker, state, now=door.now())


def _connected(door: Door, asker: Asker, sid: str) -> None:
    settings, now = door.settings, door.now()
    today = settings.moment(now).date()
    try:
        account = connect.proven(credentials(settings), settings.api_base, sid, today=today)
    except AccessError:
        connect.refuse(door.scope, asker, sid, now=now)
        raise
    except TwilioError as error:
        connect.decline(door.scope, asker, error.code, now=now)
        raise
    connect.connect(door.scope, asker, account, now=now, today=today)


def _to(address: str) -> Response:
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    return RedirectResponse(address, 303, headers=headers)


def _declined(door: Door, error: str) -> Response:
    words = (
        _("You chose not to share your account at Twilio.")
        if error == DECLINED
        else _("Twilio could not share your account.")
    )
    return _page(door, 200, _("No account was connected"), f"{words} {_(NOTHING_CHANGED)}")


def _failed(door: Door, error: AppError) -> Response:
    if isinstance(error, LinkRejected):
        title, advice = _("Please start again"), _(AGAIN)
    elif isinstance(error, TwilioError):
        title, advice = _("Twilio could not be asked"), ""
    else:
        title, advice = _("No account was connected"), ""
    return _page(door, error.status, title, f"{_(str(error))} {advice}".strip())


def _page(door: Door, status: int, title: str, message: str) -> Response:
    back = f'<p><a class="button" href="{PAGE}">{escape(_("Back to your accounts"))}</a></p>'
    html = document(door.brand, title, f"<p>{escape(message)}</p>{back}")
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})
