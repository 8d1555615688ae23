"""Sign-in through the ISV's identity providers (OpenID Connect, authorization code with PKCE).

What an attempt must be answered with lies in the database, once and for ten minutes, under the
hash of a cookie: so an answer counts in the browser that has asked, only once, and at any replica.
Whatever is refused is answered alike; what it was is for the log, without code or token.
"""

from functools import partial
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboard.door import Door
from dashboard.entrance import NO_STORE, address_of, entered, session_terms
from dashboard.headers import page_headers
from dashboard.oidc_client import Client, Refused, Unavailable
from dashboard.sign_in import label_of, message_page, sign_in_path, unknown_page
from dashboard.words import N_, _
from data import identity
from data.errors import AccessError
from data.identity.federated import ATTEMPT_LIFE

log = structlog.get_logger()

REFUSED = N_("Sign-in did not work. Please try again.")


def oidc_routes(door: Door) -> list[Route]:
    """Two addresses for each provider of the settings; there are no others."""
    found = []
    for name, provider in door.settings.oidc_providers.items():
        client = Client(name, provider, door.now)
        path = f"/auth/oidc/{name}"
        found.append(Route(path, partial(start, door, client)))
        found.append(Route(f"{path}/callback", partial(callback, door, client)))
    return found


async def start(door: Door, client: Client, request: Request) -> Response:
    """To the provider, with `next` kept for the way back."""
    next_path = door.page_path(request.query_params.get("next", "/"))
    # Never from the Host header: the provider sends the code where this says.
    redirect_uri = f"{door.settings.origin}/auth/oidc/{client.name}/callback"
    request = _with_session(request, {})
    try:
        answer = await client.begin(
            request, redirect_uri, another="another" in request.query_params
        )
    except Unavailable as error:
        return _unavailable(door, client, next_path, error)
    kept = {"next": next_path, "session": request.session}
    secret = await run_in_threadpool(identity.start_attempt, door.scope, kept, door.now())
    answer.headers.update(NO_STORE)
    _set_attempt(door, answer, secret)
    return answer


async def callback(door: Door, client: Client, request: Request) -> Response:
    """Back from the provider: a session for a person we know, a page for everybody else."""
    answer = await _answered(door, client, request)
    _set_attempt(door, answer, "")
    return answer


async def _answered(door: Door, client: Client, request: Request) -> Response:
    secret = request.cookies.get(attempt_cookie(door), "")
    kept = await run_in_threadpool(identity.take_attempt, door.scope, secret, door.now())
    request = _with_session(request, kept["session"] if kept else {})
    next_path = kept["next"] if kept else "/"
    try:
        await client.check_state(request)
        if "error" in request.query_params:
            return _cancelled(door, client, next_path)
        claims = await client.identify(request)
    except Refused as error:
        log.warning("sign-in refused", provider=client.name, reason=str(error))
        await run_in_threadpool(
            partial(identity.record_stranger, detail=client.name, address=address_of(request)),
            *(door.scope, door.now(), identity.Action.SIGN_IN_REFUSED),
        )
        return _try_again(door, _("You are not signed in"), _(REFUSED), "/", 400)
    except Unavailable as error:
        return _unavailable(door, client, next_path, error)
    try:
        session = await run_in_threadpool(
            partial(identity.enter_by_identity, **session_terms(door, request)),
            *(door.scope, claims, door.now()),
        )
    except AccessError:
        log.info("sign-in refused", provider=client.name, reason="nobody we know")
        return _page(unknown_page(door.brand, client.name, client.provider, claims.email), 403)
    return await entered(door, request, session, next_path)


def _with_session(request: Request, session: dict[str, Any]) -> Request:
    """What Authlib takes for the session is ours to keep.  The scope itself is left alone:
    Streamlit has a session of its own in it."""
    return Request({**request.scope, "session": session}, request.receive)


def attempt_cookie(door: Door) -> str:
    return "__Host-dash_attempt" if door.settings.secure else "dash_attempt"


def _set_attempt(door: Door, answer: Response, secret: str) -> None:
    """Lax: the browser brings it back from the provider's site.  Empty: forget it."""
    answer.set_cookie(
        attempt_cookie(door),
        secret,
        max_age=int(ATTEMPT_LIFE.total_seconds()) if secret else 0,
        secure=door.settings.secure,
        httponly=True,
        samesite="lax",
    )


def _cancelled(door: Door, client: Client, next_path: str) -> Response:
    log.info("sign-in cancelled", provider=client.name)
    label = label_of(client.name, client.provider)
    message = _(
        "{provider} did not let you through, or you changed your mind. Nothing is lost."
    ).format(provider=label)
    return _try_again(door, _("You are not signed in"), message, next_path, 400)


def _unavailable(door: Door, client: Client, next_path: str, error: Unavailable) -> Response:
    log.error("identity provider unavailable", provider=client.name, reason=str(error))
    title = _("{provider} does not answer").format(provider=label_of(client.name, client.provider))
    message = _("Nothing is lost. Please try again in a few minutes.")
    return _try_again(door, title, message, next_path, 503)


def _try_again(door: Door, title: str, message: str, next_path: str, status: int) -> Response:
    path = sign_in_path(next_path)
    return _page(message_page(door.brand, title, message, path=path, button=_("Try again")), status)


def _page(html: str, status: int) -> Response:
    return HTMLResponse(html, status, headers={**page_headers(), **NO_STORE})
