"""The demo world served as Twilio's HTTP API: accounts, balance, usage and what stands beside it.

A stand-in at the HTTP boundary, so that everything behind it runs as with Twilio itself: Basic
auth, Twilio's error bodies, its paging, its strings for numbers.  It changes nothing and keeps
nothing; it listens on loopback and knows no real account.
"""

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.demo.answers import (
    ACCOUNTS,
    Body,
    Refused,
    answer,
    no_such_route,
    not_found,
    page,
    refusal,
    rfc_2822,
)
from data.demo.callers import Callers
from data.demo.cast import Account
from data.demo.categories import CATEGORIES, TOTAL
from data.demo.connect_api import connect_routes
from data.demo.service_api import service_routes
from data.demo.usage_listing import (
    SUBRESOURCES,
    UsageQuery,
    UsageRow,
    usage_row_body,
    usage_rows,
)
from data.demo.world import PARENT_SID, World
from data.periods import DAY, period_of

_ACCOUNT_RESOURCES = {
    name: "SMS/ShortCodes" if name == "short_codes" else name.title().replace("_", "")
    for name in (
        "available_phone_numbers calls conferences incoming_phone_numbers notifications "
        "outgoing_caller_ids recordings transcriptions addresses signing_keys connect_apps "
        "authorized_connect_apps usage keys applications short_codes queues messages balance"
    ).split()
} | {"sip": "SIP"}


def twilio_api(
    world: World, *, zero_rows: Sequence[str] = (), app_origin: str | None = None
) -> Starlette:
    """The world as an ASGI app.

    `zero_rows`: category ids that get a row in every interval even where nothing was used, as
    Twilio has been seen to do.  `app_origin`: where the dashboard answers, for Connect.
    """
    callers = Callers(world)
    api = _TwilioApi(world, callers, tuple(zero_rows))
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
            *service_routes(world, callers),
            *(connect_routes(world, app_origin) if app_origin else ()),
        ],
        exception_handlers={Refused: refusal, HTTPException: no_such_route},
    )


def serve(
    world: World, *, host: str = "127.0.0.1", port: int, app_origin: str | None = None
) -> None:
    """Serve the world until interrupted."""
    app = twilio_api(world, app_origin=app_origin)
    uvicorn.run(app, host=host, port=port, log_level="warning")


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


class _TwilioApi:
    """The endpoints over one world."""

    def __init__(self, world: World, callers: Callers, zero_rows: tuple[str, ...]) -> None:
        self.world, self.callers = world, callers
        self.categories = {id.lower(): id for id in (*CATEGORIES, *zero_rows)}
        # A client pages through one listing at a time: keep the last few.
        self.rows: Callable[[UsageQuery], list[UsageRow]] = lru_cache(maxsize=8)(
            lambda query: usage_rows(world, query, zero_rows=zero_rows)
        )

    async def account_list(self, request: Request) -> Response:
        caller = self.callers.caller(request, keys=False)
        wanted = request.query_params
        accounts = [
            account
            for account in self.world.accounts.values()
            if caller.may_read(account)
            and wanted.get("FriendlyName", account.friendly_name) == account.friendly_name
            and wanted.get("Status", account.status) == account.status
        ]
        return answer(page(request, "accounts", accounts, _account_body))

    async def account(self, request: Request) -> Response:
        return answer(_account_body(self.callers.account(request, keys=False)))

    async def balance(self, request: Request) -> Response:
        """The parent's money: 2,500 USD at the start of each month, less what was used since."""
        account = self.callers.account(request, keys=False)
        if account.kind != "parent":  # One balance for all: subaccounts have none.
            raise not_found(request)
        start, end = period_of(self.world.counted_on).start, self.world.counted_on + DAY
        used = self.world.usage_between((PARENT_SID, *self.world.subaccount_sids), start, end)
        left = Decimal(2500) - (used[TOTAL].price if used else 0)
        return answer({"account_sid": account.sid, "balance": f"{left:.2f}", "currency": "USD"})

    async def usage(self, request: Request) -> Response:
        account = self.callers.account(request)
        query = self._usage_query(request, account)
        root = f"{ACCOUNTS}/{account.sid}/Usage/Records"

        def body(row: UsageRow) -> Body:
            return usage_row_body(self.world, query, row, root)

        return answer(page(request, "usage_records", self.rows(query), body))

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


def _subresource(request: Request) -> str:
    name = request.url.path.rpartition("/")[2].removesuffix(".json")
    return "" if name == "Records" else name


def _account_body(account: Account) -> Body:
    """As Twilio's: with the auth token, which a client must not keep."""
    path = f"{ACCOUNTS}/{account.sid}"
    return {
        "auth_token": account.auth_token,
        "date_created": rfc_2822(account.opened_on),
        "date_updated": rfc_2822(account.closed_on or account.opened_on),
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
