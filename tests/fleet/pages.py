"""The fleet's listings as Twilio sends them, as text: accounts and usage records, page by page.

Rows come from templates, since a page may hold a thousand of them, two kilobytes each.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from urllib.parse import urlencode

import numpy as np

from data.demo.usage_listing import SUBRESOURCES
from tests.fleet.categories import PRICE_SCALE, Category
from tests.fleet.world import Account, Figures, World

ROOT = "/2010-04-01/Accounts"
MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 1000, 50
PAGING = ("PageSize", "Page", "PageToken")
ANY_SID = "@" * 34  # stands for the account in a template
Query = Mapping[str, str]
Interval = tuple[date, date]  # both days included


class BadRequest(Exception):
    """Twilio would answer 400: says which code and why."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How many rows there are, and the text of any stretch of them."""

    key: str
    size: int
    text: Callable[[int, int], str]


def page_of(
    listing: Listing, path: str, query: Query, *, shift: int = 0, loop: bool = False
) -> str:
    """One page in Twilio's envelope.  `shift`: rows that came in since the first page."""
    size, page = int(query.get("PageSize", DEFAULT_PAGE_SIZE)), int(query.get("Page", 0))
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise BadRequest(20007, "Page size must be from 1 to 1000")
    if query.get("PageToken", token(page)) != token(page):
        raise BadRequest(21481, "Invalid PageToken")
    start = max(page * size - shift, 0)
    end = min((page + 1) * size - shift, listing.size)
    filters = [(name, value) for name, value in query.items() if name not in PAGING]

    def address(number: int) -> str:
        paging = [("PageSize", size), ("Page", number), ("PageToken", token(number))]
        return f"{path}?{urlencode([*filters, *paging])}"

    later = address(0 if loop else page + 1) if end < listing.size or loop else None
    envelope = {
        "first_page_uri": address(0),
        "end": max(end - 1, start),
        "previous_page_uri": address(page - 1) if page else None,
        "uri": address(page),
        "page_size": size,
        "start": start,
        "next_page_uri": later,
        "page": page,
    }
    rows = listing.text(start, end)
    return f'{{"{listing.key}": [{rows}], {json.dumps(envelope)[1:]}'


def token(page: int) -> str:
    return f"PA{page:032x}"


def account_listing(world: World, query: Query) -> Listing:
    parent = Account(-1, world.parent, "Fleet Inc.", world.first_day)
    wanted = [
        account
        for account in (parent, *world.accounts)
        if query.get("Status", account.status) == account.status
        and query.get("FriendlyName", account.name) == account.name
    ]

    def text(start: int, end: int) -> str:
        return ", ".join(account_text(world, account) for account in wanted[start:end])

    return Listing("accounts", len(wanted), text)


def account_text(world: World, account: Account) -> str:
    """With the auth token, as Twilio sends it: a client must not keep it."""
    path = f"{ROOT}/{account.sid}"
    body = {
        "auth_token": world.token if account.number < 0 else token_of(account.sid),
        "date_created": f"{account.opened_on:%a, %d %b %Y} 08:00:00 +0000",
        "date_updated": f"{account.closed_on or account.opened_on:%a, %d %b %Y} 08:00:00 +0000",
        "friendly_name": account.name,
        "owner_account_sid": world.parent,
        "sid": account.sid,
        "status": account.status,
        "subresource_uris": {"usage": f"{path}/Usage.json", "calls": f"{path}/Calls.json"},
        "type": "Full",
        "uri": f"{path}.json",
    }
    return json.dumps(body)


def token_of(sid: str) -> str:
    return f"secret-of-{sid[-8:]}"


def usage_listing(world: World, sid: str, subresource: str, query: Query) -> Listing:
    """Newest first; the parent's is the sum over all, unless IncludeSubaccounts says no."""
    intervals = intervals_of(world, subresource, query)
    if sid != world.parent:
        accounts: Sequence[Account] = [world.by_sid[sid]]
    elif query.get("IncludeSubaccounts", "true") == "true":
        accounts = world.accounts
    else:
        accounts = []
    found = _counted(world, accounts, intervals, by_day=subresource == "Daily")
    wanted = query.get("Category", "").lower()
    listed = [n for n, one in enumerate(world.tree.listed) if wanted in ("", one.id.lower())]
    if wanted and not listed:
        raise BadRequest(20001, f"Invalid Category: {wanted}")
    return _rows(world, sid, subresource, intervals, found, listed)


def _counted(
    world: World, accounts: Sequence[Account], intervals: Sequence[Interval], *, by_day: bool
) -> list[Figures]:
    if not by_day:
        ranges = [world.known_days(*interval) for interval in intervals]
        return [world.figures(accounts, days).summed() for days in ranges]
    figures = world.figures(accounts, [day for day, _ in intervals])
    parts = (figures.count, figures.usage, figures.price)
    return [Figures(*(part[n : n + 1] for part in parts)) for n in range(len(intervals))]


def _rows(
    world: World,
    sid: str,
    subresource: str,
    intervals: Sequence[Interval],
    found: Sequence[Figures],
    listed: Sequence[int],
) -> Listing:
    used = len(world.tree.categories)
    held = [_held(figures, listed, used, zero_rows=world.zero_rows) for figures in found]
    ends = list(accumulate(len(each) for each in held))
    path = f"{ROOT}/{ANY_SID}/Usage/Records{'/' if subresource else ''}{subresource}.json"
    templates = row_templates(world.tree.listed, path)
    if len(templates) < sum(map(len, held)):
        templates = [template.replace(ANY_SID, sid) for template in templates]

    def text(start: int, end: int) -> str:
        lines: list[str] = []
        n = bisect_right(ends, start)
        while n < len(held) and start < end:
            begin = ends[n] - len(held[n])
            some = held[n][start - begin : end - begin]
            lines += _interval_lines(templates, intervals[n], found[n], some, world.today, used)
            start, n = ends[n], n + 1
        return ", ".join(lines).replace(ANY_SID, sid)

    return Listing("usage_records", ends[-1] if ends else 0, text)


def _held(figures: Figures, listed: Sequence[int], used: int, *, zero_rows: bool) -> Sequence[int]:
    """The categories that get a row; without zero rows those that were used."""
    if zero_rows:
        return listed
    something = np.flatnonzero(figures.usage[0]).tolist()
    return something if len(listed) == used else [n for n in something if n in listed]


def _interval_lines(
    templates: Sequence[str],
    interval: Interval,
    figures: Figures,
    categories: Sequence[int],
    today: date,
    used: int,
) -> list[str]:
    first, last = interval[0].isoformat(), interval[1].isoformat()
    as_of = f"{today}T09:30:00+00:00"
    count, usage, price = (
        part[0].tolist() for part in (figures.count, figures.usage, figures.price)
    )
    lines = []
    for n in categories:
        if n >= used:
            shown = ('"0"', "0", "0")
        elif n == 0:
            shown = ("null", money(price[0]), money(price[0]))
        else:
            shown = (f'"{count[n]}"', money(price[n]), str(usage[n]))
        lines.append(templates[n] % (as_of, shown[0], last, shown[1], first, first, last, shown[2]))
    return lines


def money(scaled: int) -> str:
    whole, part = divmod(scaled, PRICE_SCALE)
    return f"{whole}.{part:05d}" if part else str(whole)


@lru_cache
def row_templates(categories: Sequence[Category], path: str) -> list[str]:
    return [_row_template(category, path) for category in categories]


def _row_template(one: Category, path: str) -> str:
    """A row with holes for as_of, count, end, price, start, both days of the address, and usage."""
    root = path.partition("/Usage")[0] + "/Usage/Records"
    chosen = urlencode({"Category": one.id})
    body = {
        "account_sid": ANY_SID,
        "api_version": "2010-04-01",
        "as_of": "?",
        "category": one.id,
        "count": 0,
        "count_unit": one.count_unit,
        "description": one.description,
        "end_date": "?",
        "price": "?",
        "price_unit": "usd",
        "start_date": "?",
        "subresource_uris": {
            key: f"{root}/{name}.json?{chosen}" for name, key in SUBRESOURCES.items() if name
        },
        "uri": f"{path}?{chosen}&StartDate=%s&EndDate=%s",
        "usage": "?",
        "usage_unit": one.usage_unit,
    }
    text = json.dumps(body).replace("%", "%%").replace("=%%s", "=%s")
    return text.replace('"count": 0', '"count": %s').replace('"?"', '"%s"')


def intervals_of(world: World, subresource: str, query: Query) -> list[Interval]:
    """Newest first; none before the first day, none in the future."""
    today, day = world.today, timedelta(days=1)
    this_month = today.replace(day=1)
    fixed = {
        "Today": (today, today),
        "Yesterday": (today - day, today - day),
        "ThisMonth": (this_month, today),
        "LastMonth": ((this_month - day).replace(day=1), this_month - day),
    }
    if subresource in fixed:
        return [fixed[subresource]]
    first = date.fromisoformat(query.get("StartDate", world.first_day.isoformat()))
    last = date.fromisoformat(query.get("EndDate", today.isoformat()))
    if subresource in ("", "AllTime"):
        return [(first, last)]
    first, last = max(first, world.first_day), min(last, today)
    found = []
    while last >= first:
        start = max(first, _start(subresource, last))
        found.append((start, last))
        last = start - day
    return found


def _start(subresource: str, day: date) -> date:
    return {"Monthly": day.replace(day=1), "Yearly": day.replace(month=1, day=1)}.get(
        subresource, day
    )
