"""Twilio's side of Connect in the demo: the page of consent, and the way to take it back.

Two accounts of people who might connect stand ready beside the world, with usage of their own; no
listing names them, as Twilio's names none that belongs to somebody else.  Nothing is kept here:
who has consented stands in the app alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode
from urllib.request import Request as Message
from urllib.request import urlopen

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from data.demo.cast import AUTH_TOKEN, Account, months_before
from data.demo.rhythm import SHOP, Flow
from data.demo.world import World
from data.settings import DEMO_CONNECT_APP
from data.twilio.signature import signature

CALLBACK, DEAUTHORIZED = "/connect/callback", "/connect/deauthorized"
SECONDS = 10
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:8vh auto;padding:0 20px;
color:#1c1c28}h1{font-size:24px;line-height:32px}fieldset{border:1px solid #d5d7dd;
border-radius:8px;padding:12px 16px;margin:0 0 20px}label{display:block;padding:6px 0}
button{font:inherit;padding:9px 18px;border-radius:8px;border:1px solid #8891aa;background:#fff;
cursor:pointer}button.allow{background:#0263e0;border-color:#0263e0;color:#fff}
.demo{font-size:13px;background:#fdf3e8;color:#8a4208;padding:2px 10px;border-radius:10px}
@media(prefers-color-scheme:dark){body{background:#14171c;color:#e8ebed}
button{background:#22262d;color:inherit}.demo{background:#2a2119;color:#f0a15b}}"""


def connect_routes(world: World, app_origin: str, app_sid: str = DEMO_CONNECT_APP) -> list[Route]:
    """Routes to serve beside the world's API; `app_origin` is where the dashboard answers.

    The accounts that can be connected become part of the world that the API serves.
    """
    for account in connectable(world):
        world.accounts.setdefault(account.sid, account)
    side = _TwilioSide(world, app_origin.rstrip("/"), app_sid)
    return [
        Route(f"/authorize/{app_sid}", side.ask, methods=["GET"]),
        Route(f"/authorize/{app_sid}", side.decide, methods=["POST"]),
        Route("/console/connect", side.console, methods=["GET"]),
        Route("/console/connect", side.withdraw, methods=["POST"]),
    ]


def connectable(world: World) -> tuple[Account, ...]:
    """Accounts of people with a Twilio account of their own, made for the demo's Connect app."""
    today = world.today
    return (
        Account(
            "Juniper Shop",
            months_before(today, 5),
            (Flow((900, 1_300), {"sms-outbound-longcode": 0.9, "sms-inbound-longcode": 0.1}),),
            rhythm=SHOP,
            numbers={"phonenumbers-local": 1},
            kind="connected",
        ),
        Account(
            "Kestrel Cabs",
            months_before(today, 3),
            (Flow((400, 700), {"calls-outbound": 0.7, "calls-inbound-local": 0.3}),),
            numbers={"phonenumbers-local": 2},
            kind="connected",
        ),
    )


@dataclass(frozen=True)
class _TwilioSide:
    world: World
    app_origin: str
    app_sid: str

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Those ready to be connected first, then those of the world that are connected."""
        ready = connectable(self.world)
        known = (one for one in self.world.accounts.values() if one.kind == "connected")
        return (*ready, *(one for one in known if one.sid not in {each.sid for each in ready}))

    async def ask(self, request: Request) -> Response:
        state = escape(request.query_params.get("state", ""))
        return _page(
            "Owl Inc. asks to read your account",
            f"""<form method="post"><input type="hidden" name="state" value="{state}">
<fieldset><legend>You are signed in to Twilio as</legend>{_choices(self.accounts)}</fieldset>
<p>Owl Inc. will be able to read your usage, alerts and phone numbers. It cannot act for you.</p>
<button class="allow" name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button></form>""",
        )

    async def decide(self, request: Request) -> Response:
        form = await _form(request)
        back = {"error": "unauthorized_client"}
        if form.get("answer") == "allow":
            back = {"AccountSid": form.get("account", "")}
        query = urlencode({**back, "state": form.get("state", "")})
        return RedirectResponse(f"{self.app_origin}{CALLBACK}?{query}", 303)

    async def console(self, _: Request) -> Response:
        return _page(
            "Apps that read your account",
            f"""<form method="post"><fieldset><legend>Owl Inc. reads the account of</legend>
{_choices(self.accounts)}</fieldset><button>Withdraw consent</button></form>""",
        )

    async def withdraw(self, request: Request) -> Response:
        """Tell the app as Twilio does: a signed form to its deauthorize address."""
        sid = (await _form(request)).get("account", "")
        status = await run_in_threadpool(self._tell, sid)
        words = "The app was told." if status == 200 else f"The app answered {status}."
        return _page("Consent withdrawn", f'<p>{words}</p><p><a href="">Back</a></p>')

    def _tell(self, sid: str) -> int:
        url = f"{self.app_origin}{DEAUTHORIZED}"
        form = {"AccountSid": sid, "ConnectAppSid": self.app_sid}
        signed = signature(AUTH_TOKEN, url, form.items())
        headers = {"X-Twilio-Signature": signed, "User-Agent": "TwilioProxy/1.1"}
        try:
            with urlopen(  # nosec B310 # the app beside it, by http
                Message(url, urlencode(form).encode(), headers), timeout=SECONDS
            ) as got:
                return int(got.status)
        except URLError as error:
            return int(getattr(error, "code", 0))


async def _form(request: Request) -> dict[str, str]:
    fields = parse_qs((await request.body()).decode(), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _choices(accounts: Iterable[Account]) -> str:
    return "".join(
        f'<label><input type="radio" name="account" value="{one.sid}"'
        f"{' checked' if number == 0 else ''}> {escape(one.friendly_name)}</label>"
        for number, one in enumerate(accounts)
    )


def _page(title: str, body: str) -> Response:
    return HTMLResponse(
        f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE}</style><p><span class="demo">Demo: in the place of Twilio</span></p>
<h1>{escape(title)}</h1>{body}</html>"""
    )
