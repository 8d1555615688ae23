"""Many sessions of many customers at once, every customer with words and numbers of its own.

Names are made-up tokens; counts and costs are numbers of nine or ten digits that no one else
has: too long to come up by chance.  So whatever reached a browser says whose it is.  `seed` writes
the customers, `walk` opens every page of a session and changes what can be changed, `marks_in`
reads the bytes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from data.models import Customer, Subscription, Table
from tests.bills import agreed, per_unit
from tests.stores import OPENED, Store, account, on_plan, record, version
from tests.streamlit_client import Page

TODAY = date(2026, 3, 20)  # the day on which the accounts of tests/stores.py were read
FIRST_DAY = date(2026, 2, 1)
PAGES = ("usage", "spend", "accounts", "home")  # the bare address is the overview's
PLAN = agreed(per_unit("0.5"))
PARTS = ((0, 1), (0, 2), (1, 2))  # of a customer's days: all, either account's
WORD = re.compile(rb"qz[a-z]{8}zq|AC[0-9a-f]{32}")
RUN = re.compile(rb"(?<![\d.])\d{9,12}(?!\d)")
GROUPED = re.compile(rb"(?<![\d,])\d{1,3}(?:,\d{3}){2,3}(?!\d)")
ATTEMPTS = 5
MEDIA = re.compile(rb"/media/[0-9a-f]+\.\w+")


@dataclass(frozen=True)
class Marked:
    """A customer who can be told from all others by any word or number of its own."""

    id: int
    words: tuple[str, ...]  # its name, its two accounts' names
    sids: tuple[str, str]
    counts: dict[date, str]
    costs: dict[date, str]  # what Twilio charges: nobody at a customer ever sees one

    @property
    def shown(self) -> frozenset[str]:
        """What its own people find on their pages, all of it."""
        return frozenset((*self.words, *self.counts.values()))

    @property
    def marks(self) -> frozenset[str]:
        """What nobody else may find: of either account and both, in a month, the total, too."""
        days = list(self.counts)
        return self.shown | {*self.sids, *self.costs.values()}.union(
            *(self._totals(days[n::step], month) for n, step in PARTS for month in (2, 3))
        )

    def _totals(self, days: list[date], month: int) -> set[str]:
        """In units, and in money as PLAN has it."""
        units = sum(int(self.counts[day]) for day in days if day.month == month)
        return {str(units), str(units // 2)}


def cast(number: int, seed: int = 6) -> tuple[Marked, ...]:
    chance = Random(seed)
    days = [FIRST_DAY + timedelta(days=n) for n in range((TODAY - FIRST_DAY).days + 1)]
    figures = iter(chance.sample(range(10**9, 10**10), number * len(days)))
    costs = iter(chance.sample(range(10**8, 10**9), number * len(days)))
    return tuple(
        Marked(
            id=n + 1,
            words=tuple(_word(chance) for _ in range(3)),
            sids=(f"AC{chance.randbytes(16).hex()}", f"AC{chance.randbytes(16).hex()}"),
            counts={day: str(next(figures)) for day in days},
            costs={day: str(next(costs)) for day in days},
        )
        for n in range(number)
    )


def _word(chance: Random) -> str:
    return f"qz{''.join(chance.choices('abcdefghijklmnop', k=8))}zq"


def seed(store: Store, customers: Iterable[Marked]) -> None:
    store.put(version(PLAN), *(row for one in customers for row in _rows(one)))


def _rows(one: Marked) -> Iterator[Table]:
    """All have one plan and were read at one moment, or a cache would know them apart by that."""
    name, *accounts = one.words
    yield Customer(id=one.id, slug=name, name=name, email=f"office@{name}.test")
    yield Subscription(customer_id=one.id, key="main", starts_on=OPENED)
    yield on_plan(one.id, PLAN)
    for sid, called in zip(one.sids, accounts, strict=True):
        yield account(one.id, sid, name=called)
    for n, (day, count) in enumerate(one.counts.items()):
        sid, cost = one.sids[n % 2], one.costs[day]
        yield record(one.id, day, "sms", count, cost, sid=sid)
        yield record(one.id, day, "totalprice", cost, cost, count=0, sid=sid)


@dataclass
class Received:
    """Everything that one session was sent: frames by page, downloads, addresses of files."""

    pages: dict[str, list[bytes]] = field(default_factory=dict)
    files: list[bytes] = field(default_factory=list)
    media: set[str] = field(default_factory=set)

    def keep(self, page: str, raw: Iterable[bytes]) -> None:
        kept = self.pages.setdefault(page, [])
        for data in raw:
            kept.append(data)
            self.media |= {address.decode() for address in MEDIA.findall(data)}

    @property
    def marks(self) -> frozenset[str]:
        return marks_in(b"\n".join(self.files)).union(*map(self.marks_on, self.pages))

    def marks_on(self, page: str) -> frozenset[str]:
        return marks_in(b"\n".join(self.pages.get(page, ())))


def marks_in(data: bytes) -> frozenset[str]:
    """Every word and every number in these bytes that looks like somebody's."""
    assert b'"bdata"' not in data, "charts hide their numbers in base64: read them there, too"
    found = {*WORD.findall(data), *RUN.findall(data)}
    found |= {number.replace(b",", b"") for number in GROUPED.findall(data)}
    return frozenset(one.decode() for one in found)


def walk(page: Page, base: str, cookie: str, start: int) -> Received:
    """Every page by the menu, from the one at `start` on; every choice on it, every download."""
    got = Received()
    page.rerun()
    got.keep("home", page.raw)
    for path in (*PAGES[start % len(PAGES) :], *PAGES[: start % len(PAGES)]):
        page.switch("" if path == "home" else path)
        got.keep(path, page.raw)
        for id, value in _choices(page):
            page.rerun(**{id: value})
            got.keep(path, page.raw)
            for file_id in _downloads(page):
                file = _downloaded(page, file_id, base, cookie)
                got.files += [file] if file else []
                got.keep(path, page.raw)
    return got


def _choices(page: Page) -> list[tuple[str, Any]]:
    """By id of the widget: every other option, and the first one again."""
    found: list[tuple[str, Any]] = []
    for element in page.elements:
        kind = element.DESCRIPTOR.name
        if kind == "Selectbox":
            found += [(element.id, option) for option in (*element.options[1:], element.options[0])]
        elif kind == "ButtonGroup":
            names = [option.content for option in element.options]
            found += [(element.id, [name]) for name in (*names[1:], names[0])]
    return found


def _downloads(page: Page) -> list[str]:
    return [
        one.deferred_file_id for one in page.elements if one.DESCRIPTOR.name == "DownloadButton"
    ]


def _downloaded(page: Page, file_id: str, base: str, cookie: str) -> bytes:
    """A file, or nothing: Streamlit drops it as soon as two runs of anybody have ended."""
    for _ in range(ATTEMPTS):
        request = Request(base + page.download(file_id), headers={"Cookie": cookie})
        try:
            with urlopen(request, timeout=60) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if error.code != 404:
                raise
    return b""
