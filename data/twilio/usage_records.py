"""Usage rows of one account, as Twilio lists them: by day, or a stretch of days as a whole.

`IncludeSubaccounts=false` is sent always: its default would fold a parent's subaccounts in.  Every
row says whose it is, and a row of another account is refused.  Fields may be null; negative prices
(credits) are kept; rows that say nothing at all are left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from itertools import chain
from operator import attrgetter
from sys import intern
from typing import Any

import structlog
from msgspec import Raw, Struct

from data.errors import InputError, TwilioError
from data.money import ZERO, currency_code
from data.twilio.client import TwilioClient
from data.twilio.planner import Habit

log = structlog.get_logger(__name__)

COST_PLACES = Decimal("0.000000001")
QUANTITY_PLACES = Decimal("0.000001")
FIGURES = ("count", "usage", "price")
# Figures as they stand in the text: nothing at all, and nothing used.
MISSING = frozenset({b"", b"null", b'""'})
SILENT = MISSING | {b"0", b'"0"', b'"0.0"', b'"0.00"', b'"0.00000"'}


class _Body(Struct, gc=False):
    """A row as Twilio sends it; figures stay text, for a number through a float is another one."""

    account_sid: str | None = None
    category: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    count: Raw = Raw(b"")
    usage: Raw = Raw(b"")
    price: Raw = Raw(b"")
    price_unit: Any = None
    as_of: Any = None
    uri: Any = None

    @property
    def says_something(self) -> bool:
        """Twilio may list every category of every day; only those that happened are stored."""
        return not (
            bytes(self.count) in SILENT
            and bytes(self.usage) in SILENT
            and bytes(self.price) in SILENT
        )


class _Page(Struct):
    usage_records: list[_Body]
    next_page_uri: Any = None


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """One category on one UTC day, as Twilio says at `as_of`."""

    day: date
    category: str  # lower case
    count: Decimal | None
    usage: Decimal | None
    cost: Decimal | None
    cost_currency: str
    as_of: datetime | None


class ListingMoved(TwilioError):
    """Rows shifted between two pages: one may be missing, so the listing is read again."""


@dataclass(slots=True)
class Listed:
    """What a listing held: the rows that say something, and the keys of all."""

    rows: dict[tuple[date, str], DailyUsage] = field(default_factory=dict)
    seen: set[tuple[date, str]] = field(default_factory=set)

    @property
    def habit(self) -> Habit:
        a_day = Counter(day for day, _ in self.seen)
        categories = {category for _, category in self.rows}
        return Habit(max(a_day.values(), default=1), len(categories))

    def take(self, more: "Listed") -> None:
        if self.seen & more.seen:
            raise ListingMoved("Twilio's listing shifted while it was read.")
        self.rows |= more.rows
        self.seen |= more.seen


def daily_pages(
    client: TwilioClient, sid: str, first: date, last: date, *, category: str | None = None
) -> Iterator[Listed]:
    """Rows of the days `first` to `last`, both included, page by page; all categories unless one
    is named as Twilio writes it."""
    path = f"Accounts/{sid}/Usage/Records/Daily.json"
    query = _query(first, last, category)
    listed = partial(_listed, sid=sid, first=first, last=last)
    for found in client.pages(path, _Page, listed, query):
        if category and any(one != category.lower() for _, one in found.seen):
            raise TwilioError(f"Twilio sent other categories when asked for {category}.")
        yield found


def daily_usage(
    client: TwilioClient, sid: str, first: date, last: date, *, category: str | None = None
) -> Listed:
    """`daily_pages` in one; raises ListingMoved where a row came twice."""
    found = Listed()
    for page in daily_pages(client, sid, first, last, category=category):
        found.take(page)
    return found


def usage_of_day(client: TwilioClient, sid: str, day: date) -> Listed:
    """One day by the root listing: a row a category."""
    found = Listed()
    path = f"Accounts/{sid}/Usage/Records.json"
    listed = partial(_listed, sid=sid, first=day, last=day)
    for page in client.pages(path, _Page, listed, _query(day, day, None)):
        found.take(page)
    return found


def active_categories(
    client: TwilioClient, sid: str, first: date, last: date
) -> tuple[tuple[str, ...], int]:
    """Categories (as Twilio writes them) in which something happened, and how many it lists."""
    path, active, listed = f"Accounts/{sid}/Usage/Records.json", [], 0
    for body in _bodies(client, path, _query(first, last, None)):
        _check_owner(body, sid)
        listed += 1
        if body.category and body.says_something:
            active.append(body.category)
    return tuple(dict.fromkeys(active)), listed


@dataclass(frozen=True, slots=True)
class MonthTotal:
    month: date  # its first day
    category: str
    count: Decimal | None
    usage: Decimal | None
    cost: Decimal | None


def monthly_usage(client: TwilioClient, sid: str, first: date, last: date) -> Iterator[MonthTotal]:
    """Every category's sum by calendar month from `first` to `last`."""
    path = f"Accounts/{sid}/Usage/Records/Monthly.json"
    for body in _bodies(client, path, _query(first, last, None)):
        _check_owner(body, sid)
        if body.category and body.start_date and body.says_something:
            row = _row(body, _day(body.start_date), _category(body.category))
            yield MonthTotal(row.day.replace(day=1), row.category, row.count, row.usage, row.cost)


def fleet_totals(client: TwilioClient, sid: str, first: date, last: date) -> dict[date, Decimal]:
    """Twilio's total of each day over the parent and all its subaccounts, in one listing."""
    query = _query(first, last, "totalprice") | {"IncludeSubaccounts": "true"}
    path = f"Accounts/{sid}/Usage/Records/Daily.json"
    return {
        _day(body.start_date): _number(body.price, "price", COST_PLACES) or ZERO
        for body in _bodies(client, path, query)
    }


def _bodies(client: TwilioClient, path: str, query: Mapping[str, str]) -> Iterator[_Body]:
    return chain.from_iterable(client.pages(path, _Page, attrgetter("usage_records"), query))


def _query(first: date, last: date, category: str | None) -> dict[str, str]:
    named = {"Category": category} if category else {}
    return {
        "StartDate": first.isoformat(),
        "EndDate": last.isoformat(),
        "IncludeSubaccounts": "false",
        **named,
    }


def _listed(page: _Page, sid: str, first: date, last: date) -> Listed:
    found = Listed()
    for body in page.usage_records:
        _check_owner(body, sid)
        start, category = body.start_date, body.category
        if not category or not start:
            log.warning("twilio.row_without_place", account=sid, row=body.uri)
            continue
        day = _day(start)
        if not first <= day <= last or body.end_date not in (start, None):
            raise TwilioError(
                f"Twilio sent {start} to {body.end_date} "
                f"when asked for the days {first} to {last}.",
                account=sid,
            )
        key = (day, _category(category))
        found.seen.add(key)
        if not body.says_something:
            continue
        row = _row(body, *key)
        if found.rows.get(key, row) != row:
            raise ListingMoved(f"Twilio listed {row.category} of {day} twice.", account=sid)
        if row.count or row.usage or row.cost:
            found.rows[key] = row
    return found


def _check_owner(body: _Body, sid: str) -> None:
    if body.account_sid not in (sid, None):
        raise TwilioError(
            f"Twilio sent a usage row of {body.account_sid} in the listing of {sid}; "
            "nothing of it was stored.",
            account=sid,
        )


def _row(body: _Body, day: date, category: str) -> DailyUsage:
    try:
        return DailyUsage(
            day,
            category,
            _number(body.count, "count", QUANTITY_PLACES),
            _number(body.usage, "usage", QUANTITY_PLACES),
            _number(body.price, "price", COST_PLACES),
            _currency(str(body.price_unit or "usd")),
            _moment(body.as_of),
        )
    except (AttributeError, TypeError, ValueError, InputError) as error:
        raise TwilioError(f"A usage record of Twilio cannot be read: {error}") from error


@lru_cache(maxsize=2048)
def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise TwilioError(f"A usage record of Twilio has the date {text!r}.") from None


@lru_cache(maxsize=1024)
def _category(text: str) -> str:
    return intern(text.lower())


@lru_cache(maxsize=64)
def _currency(text: str) -> str:
    return currency_code(text)


@lru_cache(maxsize=256)
def _moment(text: str | None) -> datetime | None:
    """Twilio's `as_of`; one without a zone is UTC like all of its days."""
    moment = datetime.fromisoformat(text) if text else None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _number(kept: Raw, field: str, places: Decimal) -> Decimal | None:
    """The figure to the places we store (Twilio's own have five), in quotes or not."""
    text = bytes(kept)
    if text in MISSING:
        return None
    try:
        number = Decimal(str(text[1:-1] if text[:1] == b'"' else text, "ascii"))
        if number.is_finite():
            return number.quantize(places)
    except (ArithmeticError, UnicodeError):
        pass
    shown = text[:40].decode(errors="replace")
    raise TwilioError(f"A usage record of Twilio cannot be read: {field} is {shown}.")
