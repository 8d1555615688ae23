"""A Twilio of a few accounts that a test writes by hand, and changes between two runs of the sync.

Figures stand by account, day and category; `totalprice` is their sum.  What is asked is remembered,
and `fails` gives an answer in place of the right one, by a part of the address.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.twilio.client import Credentials, Transport
from data.twilio.reading import Reading
from data.twilio.runs import SyncReport
from data.twilio.sync import sync
from tests.servers import PARENT, TOKEN, account_body, refusal, serving
from tests.stores import ACME_SID, BETA_SID, Store, noon

TODAY = date(2026, 3, 20)
DAY = timedelta(days=1)
LISTS = {
    "IncomingPhoneNumbers": "incoming_phone_numbers",
    "Triggers": "usage_triggers",
    "Messages": "messages",
    "Calls": "calls",
    "Alerts": "alerts",
}

Body = dict[str, Any]
Figures = tuple[D, D, D]  # count, usage, price


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]

    @property
    def sid(self) -> str:
        """The account's; empty for what is nobody's."""
        parts = self.path.split("/")
        return parts[3] if self.path.startswith("/2010-04-01/Accounts/") else ""

    @property
    def what(self) -> str:
        """The last word of the address: Daily, Records, Monthly, Balance, Alerts …"""
        return self.path.rpartition("/")[2].removesuffix(".json")


class LittleTwilio:
    """`lists_all` are categories that are listed where nothing happened, too."""

    def __init__(self) -> None:
        self.base = ""
        self.forget()

    def forget(self) -> "LittleTwilio":
        """As it was at first: a parent with an account of Acme's and one of Beta's."""
        self.parent = PARENT
        self.accounts: dict[str, Body] = {}
        self.usage: dict[str, dict[date, dict[str, Figures]]] = defaultdict(dict)
        self.rows: dict[tuple[str, str], list[Body]] = {}  # by account and list
        self.lists_all: Sequence[str] = ()
        self.fails: dict[str, Response] = {}
        self.spoil: Callable[[Body], Body] = lambda body: body
        self.hook: Callable[[Asked], None] = lambda asked: None  # before each answer
        self.shifts = 0  # pages that begin with the last row of the page before
        self.asked: list[Asked] = []
        self.open(ACME_SID)
        self.open(BETA_SID)
        return self

    def open(self, sid: str, **terms: str) -> None:
        named = {"friendly_name": f"Account {sid[-1]}"}
        self.accounts[sid] = {**account_body(sid, owner=self.parent), **named, **terms}

    def use(
        self, sid: str, day: date, price: object, category: str = "sms", *, count: object = 1
    ) -> None:
        """From now on this is the day's figure of the category."""
        of_day = self.usage[sid].setdefault(day, {})
        of_day[category] = (D(str(count)), D(str(count)), D(str(price)))
        total = sum((one[2] for name, one in of_day.items() if name != "totalprice"), D(0))
        of_day["totalprice"] = (D(0), total, total)

    def asked_of(self, *sids: str) -> list[str]:
        return [one.what for one in self.asked if one.sid in sids]

    @contextmanager
    def served(self) -> Iterator["LittleTwilio"]:
        app = Starlette(routes=[Route("/{path:path}", self.answer)])
        with serving(app) as self.base:
            yield self

    async def answer(self, request: Request) -> Response:
        asked = Asked(request.url.path, dict(request.query_params))
        if not asked.path.startswith("/api/v2/"):
            self.asked.append(asked)
            await run_in_threadpool(self.hook, asked)
        address = f"{asked.path}?{urlencode(asked.query)}"
        for part, answer in self.fails.items():
            if part in address:
                return answer
        if asked.path == "/2010-04-01/Accounts.json":
            parent = account_body(self.parent, owner=self.parent)
            return self._page(asked, "accounts", [parent, *self.accounts.values()])
        if asked.what == "Balance":
            return JSONResponse({"account_sid": asked.sid, "balance": "12.50", "currency": "USD"})
        if asked.what in LISTS:
            rows = self.rows.get((asked.sid, asked.what), [])
            return self._page(asked, LISTS[asked.what], rows)
        if asked.sid != self.parent and asked.sid not in self.accounts:
            return refusal(404, 20404, "not found")
        listings = {"Daily": self._daily, "Monthly": self._monthly, "Records": self._whole}
        if asked.what not in listings:
            return refusal(404, 20404, "not found")
        return self._page(asked, "usage_records", listings[asked.what](asked))

    def _page(self, asked: Asked, items: str, rows: Sequence[Any]) -> Response:
        size, number = int(asked.query.get("PageSize", "50")), int(asked.query.get("Page", "0"))
        start = number * size
        if number and self.shifts:
            self.shifts -= 1
            start -= 1
        chosen = [self.spoil(row()) if callable(row) else row for row in rows[start : start + size]]
        more = urlencode({**asked.query, "Page": str(number + 1), "PageToken": "t"})
        following = f"{asked.path}?{more}" if (number + 1) * size < len(rows) else None
        return JSONResponse({items: chosen, "next_page_uri": following})

    def _days(self, asked: Asked) -> list[date]:
        first, last = (date.fromisoformat(asked.query[name]) for name in ("StartDate", "EndDate"))
        return [first + n * DAY for n in range((last - first).days + 1)][::-1]

    def _figures(self, asked: Asked, days: Sequence[date]) -> Mapping[str, Figures]:
        """The sum of the days by category."""
        sids = [asked.sid]
        if asked.sid == self.parent and asked.query.get("IncludeSubaccounts") != "false":
            sids += self.accounts
        wanted = asked.query.get("Category")
        names = [name for name in self.lists_all if wanted in (None, name)]
        sums: dict[str, Figures] = {name: (D(0), D(0), D(0)) for name in names}
        for sid in sids:
            for day in days:
                for name, figures in self.usage.get(sid, {}).get(day, {}).items():
                    if wanted in (None, name):
                        before = sums.get(name, (D(0), D(0), D(0)))
                        count, usage, price = (a + b for a, b in zip(before, figures, strict=True))
                        sums[name] = (count, usage, price)
        return sums

    def _daily(self, asked: Asked) -> list[Any]:
        return [
            partial(_row, asked.sid, day, day, name, figures)
            for day in self._days(asked)
            for name, figures in self._figures(asked, [day]).items()
        ]

    def _whole(self, asked: Asked) -> list[Any]:
        days = self._days(asked)
        return [
            partial(_row, asked.sid, days[-1], days[0], name, figures)
            for name, figures in self._figures(asked, days).items()
        ]

    def _monthly(self, asked: Asked) -> list[Any]:
        months: dict[tuple[int, int], list[date]] = defaultdict(list)
        for day in self._days(asked):
            months[day.year, day.month].append(day)
        return [
            partial(_row, asked.sid, days[-1], days[0], name, figures)
            for days in months.values()
            for name, figures in self._figures(asked, days).items()
        ]


def _row(sid: str, first: date, last: date, category: str, figures: Figures) -> Body:
    count, usage, price = (f"{figure:f}" for figure in figures)
    return {
        "account_sid": sid,
        "category": category,
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "count": count,
        "usage": usage,
        "price": price,
        "price_unit": "usd",
        "as_of": f"{last}T09:30:00+00:00",
    }


def reading_of(store: Store, twilio: LittleTwilio, *, today: date = TODAY, **terms: Any) -> Reading:
    """What a run at noon of the day reads."""
    hosts = dict.fromkeys(("api", "monitor", "status"), twilio.base)
    transport = terms.pop("transport", None) or Transport(hosts, attempts=2, timeout=5)
    given = {"settling_days": 3, "history_days": 30, "clock": lambda: noon(today), **terms}
    return Reading(store.owner, Credentials(twilio.parent, TOKEN), transport, today, **given)


def run(store: Store, twilio: LittleTwilio, **terms: Any) -> SyncReport:
    """One sync; `twilio.asked` is what this one has asked."""
    twilio.asked.clear()
    return sync(reading_of(store, twilio, **terms), real_clock=lambda: datetime.now(UTC))
