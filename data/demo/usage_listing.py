"""Usage rows as Twilio lists them: a subresource cuts time into intervals, each has its rows.

Interval ends are inclusive on this side of the fence, as in Twilio's bodies.  Newest come first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from data.demo.categories import CATEGORIES, TOTAL, Category, Tally
from data.demo.world import World
from data.periods import DAY, BillingPeriod, period_of, previous_period

Interval = tuple[date, date]  # first and last day, both included

# Subresource -> the key under which a row links to it.  "" is the root, `Usage/Records.json`.
SUBRESOURCES = {
    "": "",
    "AllTime": "all_time",
    "Daily": "daily",
    "LastMonth": "last_month",
    "Monthly": "monthly",
    "ThisMonth": "this_month",
    "Today": "today",
    "Yearly": "yearly",
    "Yesterday": "yesterday",
}


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """One listing: what is asked for, whichever page of it.  `category` None means all."""

    account_sid: str
    subresource: str
    category: str | None
    start: date | None
    end: date | None
    include_subaccounts: bool


@dataclass(frozen=True, slots=True)
class UsageRow:
    category: str
    interval: Interval
    tally: Tally


def usage_rows(world: World, query: UsageQuery, *, zero_rows: Sequence[str] = ()) -> list[UsageRow]:
    """All rows of a listing.  `zero_rows`: categories that are listed even where unused."""
    sids = [query.account_sid]
    if query.include_subaccounts and world.accounts[query.account_sid].kind == "parent":
        sids += world.subaccount_sids
    rows = []
    for first, last in _intervals(world, query):
        tallies = world.usage_between(sids, first, last + DAY)
        for id in dict.fromkeys([*tallies, *zero_rows]):
            if query.category in (None, id):
                rows.append(UsageRow(id, (first, last), tallies.get(id) or _zero(id)))
    return rows


def _zero(category: str) -> Tally:
    return Tally(None if category == TOTAL else Decimal(0), Decimal(0), Decimal(0))


def _intervals(world: World, query: UsageQuery) -> Iterator[Interval]:
    today = world.counted_on
    fixed = {
        "Today": (today, today),
        "Yesterday": (today - DAY, today - DAY),
        "ThisMonth": (period_of(today).start, today),
        "LastMonth": _whole(previous_period(period_of(today))),
    }
    if query.subresource in fixed:
        yield fixed[query.subresource]
        return
    opened_on = max(world.accounts[query.account_sid].opened_on, world.first_day)
    first, last = query.start or opened_on, query.end or today
    if query.subresource in ("", "AllTime"):
        yield first, last
        return
    # Many intervals: none before the account was opened, none in the future.
    first, last = max(first, opened_on), min(last, today)
    while last >= first:
        start = max(first, _start_of(query.subresource, last))
        yield start, last
        last = start - DAY


def _whole(period: BillingPeriod) -> Interval:
    return period.start, period.last_day


def _start_of(subresource: str, day: date) -> date:
    """The first day of the interval that holds `day`."""
    starts = {"Monthly": day.replace(day=1), "Yearly": day.replace(month=1, day=1)}
    return starts.get(subresource, day)


def usage_row_body(world: World, query: UsageQuery, row: UsageRow, root: str) -> dict[str, Any]:
    """The row as JSON: numbers as strings, the unit of the price in lower case.

    `root` is the path of the account's `Usage/Records`.
    """
    # A category that exists at Twilio only: its units are not known here.
    unknown = Category(row.category, TOTAL, row.category, "", "", None, 1)
    category = CATEGORIES.get(row.category, unknown)
    first, last = (day.isoformat() for day in row.interval)
    chosen = urlencode({"Category": row.category})
    dates = urlencode({"StartDate": first, "EndDate": last})
    subresource = f"/{query.subresource}" if query.subresource else ""
    return {
        "account_sid": query.account_sid,
        "api_version": "2010-04-01",
        "as_of": world.counted_at.isoformat(timespec="seconds"),
        "category": row.category,
        "count": None if row.tally.count is None else _plain(row.tally.count),
        "count_unit": category.count_unit,
        "description": category.description,
        "end_date": last,
        "price": _plain(row.tally.price),
        "price_unit": "usd",
        "start_date": first,
        "subresource_uris": _links(root, chosen),
        "uri": f"{root}{subresource}.json?{chosen}&{dates}",
        "usage": _plain(row.tally.usage),
        "usage_unit": category.usage_unit,
    }


def _links(root: str, chosen: str) -> Mapping[str, str]:
    return {key: f"{root}/{name}.json?{chosen}" for name, key in SUBRESOURCES.items() if name}


def _plain(number: Decimal) -> str:
    """Without exponent or trailing zeros: "2192.84855", "25", "0"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
