"""The demo world served as Twilio's HTTP API (2010-04-01): accounts, balance and usage records.

A stand-in at the HTTP boundary, so that everything behind it runs as with Twilio itself: Basic
auth, Twilio's error bodies, its paging, its strings for numbers.  It changes nothing and keeps
nothing; it listens on loopback and knows no real account.
"""

import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.utils import format_datetime
from functools import lru_cache
from secrets import compare_digest
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.demo.cast import Account
from data.demo.categories import CATEGORIES, TOTAL
from data.demo.usage_listing import (
    SUBRESOURCES,
    UsageQuery,
    UsageRow,
    usage_row_body,
    usage_rows,
)
from data.demo.world import PARENT_SID, World
from data.periods import DAY, period_of

ACCOUNTS = "/2010-04-01/Accounts"
MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 50
_PAGING = ("PageSize", "Page", "PageToken")

_ACCOUNT_RESOURCES = {
    name: "SMS/ShortCodes" if name == "short_codes" else name.title().replace("_", "")
    for name in (
        "available_phone_numbers calls conferences incoming_phone_numbers notifications "
        "outgoing_caller_ids recordings transcriptions addresses signing_keys connect_apps "
        "authorized_connect_apps usage keys applications short_codes queues messages balance"
    ).split()
} | {"sip": "SIP"}

Body = dict[str, Any]
T = TypeVar("T")


def twilio_api(world: World, *, zero_rows: Sequence[str] = ()) -> Starlette:
    """The world as an ASGI app.

    `zero_rows`: category ids that get a row in every interval even where nothing was used, as
    Twilio has been seen to do.
    """
    api = _TwilioApi(world, tuple(zero_rows))
    usage = [
        Route(f"{ACCOUNTS}/{{sid}}/Usage/Records{'/' if name else ''}{name}.json", api.usage)
        for name in SUBRESOURCES
    ]
    return Starlette(
        routes=[
            Route(f"{ACCOUNTS}.json", api.account_list),
            Route(f"{ACCOUNTS}/{{sid}}.json", api.account),
            Route(f"{ACCOUNTS}/{{sid}}/Balance.json", api.balance),
            *usage,
        ],
        exception_handlers={Refused: _refusal, HTTPException: _no_such_route},
    )


def serve(world: World, *, host: str = "127.0.0.1", port: int) -> None:
    """Serve the world until interrupted."""
    uvicorn.run(twilio_api(world), host=host, port=port, log_level="warning")


@contextmanager
def served(world: World) -> Iterator[str]:
    """The world on a free port of loopback, in a thread of this process; yields its address."""
    config = uvicorn.Config(twilio_api(world), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Refused(Exception):
    """A request that Twilio answers with an error body; `code` is from its error dictionary."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _TwilioApi:
    """The endpoints over one world."""

    def __init__(self, world: World, zero_rows: tuple[str, ...]) -> None:
        self.world = world
        self.categories = {id.lower(): id for id in (*CATEGORIES, *zero_rows)}
        # A client pages through one listing at a time: keep the last few.
        self.rows: Callable[[UsageQuery], list[UsageRow]] = lru_cache(maxsize=8)(
            lambda query: usage_rows(world, query, zero_rows=zero_rows)
        )

    async def account_list(self, request: Request) -> Response:
        caller = self._caller(request)
        wanted = request.query_params
        accounts = [
            account
            for account in self.world.accounts.values()
            if _may_read(caller, account)
            and wanted.get("FriendlyName", account.friendly_name) == account.friendly_name
            and wanted.get("Status", account.status) == account.status
        ]
        return _answer(_page(request, "accounts", accounts, _account_body))

    async def account(self, request: Request) -> Response:
        return _answer(_account_body(self._account(request)))

    async def balance(self, request: Request) -> Response:
        """The parent's money: 2,500 USD at the start of each month, less what was used since."""
        account = self._account(request)
        if account.kind != "parent":  # One balance for all: subaccounts have none.
            raise _not_found(request)
        start, end = period_of(self.world.counted_on).start, self.world.counted_on + DAY
        used = self.world.usage_between((PARENT_SID, *self.world.subaccount_sids), start, end)
        left = Decimal(2500) - (used[TOTAL].price if used else 0)
        return _answer({"account_sid": account.sid, "balance": f"{left:.2f}", "currency": "USD"})

    async def usage(self, request: Request) -> Response:
        account = self._account(request)
        query = self._usage_query(request, account)
        root = f"{ACCOUNTS}/{account.sid}/Usage/Records"

        def body(row: UsageRow) -> Body:
            return usage_row_body(self.world, query, row, root)

        return _answer(_page(request, "usage_records", self.rows(query), body))

    def _caller(self, request: Request) -> Account:
        """Whose credentials these are: an account's own SID and token."""
        sid, token = _basic_auth(request.headers.get("Authorization", ""))
        account = self.world.accounts.get(sid)
        if account is None or not compare_digest(token.encode(), account.auth_token.encode()):
            raise Refused(401, 20003, "Authenticate")
        return account

    def _account(self, request: Request) -> Account:
        """The account of the path, if the caller may read it."""
        caller = self._caller(request)
        account = self.world.accounts.get(request.path_params["sid"])
        if account is None:
            raise _not_found(request)
        if not _may_read(caller, account):
            raise Refused(401, 20003, "Authenticate")
        return account

    def _usage_query(self, request: Request, account: Account) -> UsageQuery:
        wanted = request.query_params
        category = wanted.get("Category")
        if category is not None and category.lower() not in self.categories:
            raise Refused(400, 20001, f"Invalid Category: {category}")
        start = self._day(wanted.get("StartDate"), "StartDate")
        end = self._day(wanted.get("EndDate"), "EndDate")
        if start and end and start > end:
            raise Refused(400, 20001, f"StartDate {start} is after EndDate {end}")
        return UsageQuery(
            account_sid=account.sid,
            subresource=_subresource(request),
            category=None if category is None else self.categories[category.lower()],
            start=start,
            end=end,
            include_subaccounts=wanted.get("IncludeSubaccounts", "true").lower() != "false",
        )

    def _day(self, text: str | None, name: str) -> date | None:
        """A date or an offset from today; a plus that was not encoded arrives as a space."""
        if text is None:
            return None
        offset = re.fullmatch(r"([ +-])(\d{1,5})days?", text)
        if offset:
            days = int(offset[2]) * (-1 if offset[1] == "-" else 1)
            return self.world.counted_on + timedelta(days=days)
        try:
            return date.fromisoformat(text if len(text) == 10 else "")
        except ValueError:
            raise Refused(400, 20001, f"Invalid {name}: {text}") from None


def _may_read(caller: Account, account: Account) -> bool:
    return caller is account or (caller.kind == "parent" and account.kind == "subaccount")


def _basic_auth(header: str) -> tuple[str, str]:
    """User and password; both empty where there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _subresource(request: Request) -> str:
    name = request.url.path.rpartition("/")[2].removesuffix(".json")
    return "" if name == "Records" else name


def _page(request: Request, key: str, items: Sequence[T], body: Callable[[T], Body]) -> Body:
    """One page of a listing in Twilio's envelope; its addresses are relative."""
    size = _whole_number(request, "PageSize", DEFAULT_PAGE_SIZE)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise Refused(400, 20007, f"Page size must be from 1 to {MAX_PAGE_SIZE}")
    page = _page_index(request)
    start = page * size
    shown = items[start : start + size]
    filters = [(k, v) for k, v in request.query_params.multi_items() if k not in _PAGING]

    def address(index: int, *, token: bool) -> str:
        paging: list[tuple[str, str | int]] = [("PageSize", size), ("Page", index)]
        if token:
            paging.append(("PageToken", _token(index)))
        return f"{request.url.path}?{urlencode([*filters, *paging])}"

    return {
        "first_page_uri": address(0, token=False),
        "end": max(start + len(shown) - 1, start),
        "previous_page_uri": address(page - 1, token=True) if page else None,
        key: [body(item) for item in shown],
        "uri": address(page, token=False),
        "page_size": size,
        "start": start,
        "next_page_uri": address(page + 1, token=True) if start + size < len(items) else None,
        "page": page,
    }


def _page_index(request: Request) -> int:
    """The token decides where it is given; `Page` alone is taken at its word."""
    page = _whole_number(request, "Page", 0)
    token = request.query_params.get("PageToken")
    if token is not None and token != _token(page):
        raise Refused(400, 21481, "Invalid PageToken")
    return page


def _token(page: int) -> str:
    return f"AP{b64encode(str(page).encode()).decode()}"


def _whole_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(400, 20001, f"Invalid {name}: {text}")
    return int(text)


def _account_body(account: Account) -> Body:
    """As Twilio's: with the auth token, which a client must not keep."""
    path = f"{ACCOUNTS}/{account.sid}"
    return {
        "auth_token": account.auth_token,
        "date_created": _rfc_2822(account.opened_on),
        "date_updated": _rfc_2822(account.closed_on or account.opened_on),
        "friendly_name": account.friendly_name,
        "owner_account_sid": account.owner_sid,
        "sid": account.sid,
        "status": account.status,
        "subresource_uris": {
            name: f"{path}/{resource}.json" for name, resource in _ACCOUNT_RESOURCES.items()
        },
        "type": "Full",
        "uri": f"{path}.json",
    }


def _rfc_2822(day: date) -> str:
    return format_datetime(datetime.combine(day, time(8), UTC))


def _not_found(request: Request) -> Refused:
    return Refused(404, 20404, f"The requested resource {request.url.path} was not found")


def _answer(body: Body, status: int = 200) -> Response:
    headers = {
        "Twilio-Concurrent-Requests": "1",
        "Twilio-Request-Duration": "0.080",
        "Twilio-Request-Id": f"RQ{uuid4().hex}",
        "X-Home-Region": "us1",
        "X-Api-Domain": "api.twilio.com",
    }
    return JSONResponse(body, status, headers)


def _error(status: int, code: int, message: str) -> Response:
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    return _answer(body, status)


async def _refusal(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return _error(refused.status, refused.code, refused.message)


async def _no_such_route(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405, in Twilio's words."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _error(405, 20004, "Method not allowed")
    missing = _not_found(request)
    return _error(missing.status, missing.code, missing.message)
