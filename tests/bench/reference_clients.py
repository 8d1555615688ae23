"""What the sync is measured against: the plainest readers and writers of the same figures.

They check nothing, retry nothing and know no tenants; a fast reader is 16 connections, json.loads
and one bulk upsert (SQLite: executemany; PostgreSQL: COPY and INSERT … ON CONFLICT).  Each is run
by name in a process of its own, with its arguments as JSON on its standard input.
"""

import asyncio
import json
import sqlite3
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import aiohttp
import psycopg
from sqlalchemy.engine import make_url
from twilio.rest import Client

CONNECTIONS = 16
ROOT = "/2010-04-01/Accounts"
BATCH = 10_000  # rows in one transaction
COLUMNS = "account_sid, day, category, count, usage, cost"
TYPES = (
    "account_sid text, day text, category text, count numeric, usage numeric, cost numeric, "
    "primary key (account_sid, day, category)"
)
UPSERT = (
    "ON CONFLICT (account_sid, day, category) DO UPDATE "
    "SET count = excluded.count, usage = excluded.usage, cost = excluded.cost"
)
Row = tuple[str, str, str, str | None, str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """Which days of which accounts, from where."""

    base: str
    sid: str
    token: str
    first: str
    last: str


class SqliteWriter:
    def __init__(self, url: str) -> None:
        path = make_url(url).database
        self.connection = sqlite3.connect(str(path), isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS plain ({TYPES}) WITHOUT ROWID")

    def write(self, rows: Sequence[Row]) -> None:
        statement = f"INSERT INTO plain ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) {UPSERT}"
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(statement, rows)
        self.connection.execute("COMMIT")


class PostgresWriter:
    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql")
        self.connection = psycopg.connect(plain.render_as_string(hide_password=False))
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS plain ({TYPES})")
        self.connection.commit()

    def write(self, rows: Sequence[Row]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE batch (LIKE plain) ON COMMIT DROP")
            with cursor.copy(f"COPY batch ({COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO plain ({COLUMNS}) SELECT {COLUMNS} FROM batch {UPSERT}")
        self.connection.commit()


def writer(url: str) -> SqliteWriter | PostgresWriter:
    return SqliteWriter(url) if url.startswith("sqlite") else PostgresWriter(url)


def library(source: Source, accounts: Sequence[str]) -> int:
    """Twilio's own library, one account after another; returns the rows read."""
    client = Client(source.sid, source.token)
    client.api.base_url = source.base
    rows = 0
    for sid in accounts:
        daily = client.api.accounts(sid).usage.records.daily
        rows += len(daily.list(start_date=source.first, end_date=source.last, page_size=1000))
    return rows


def bare(source: Source, accounts: Sequence[str], url: str) -> int:
    """Sixteen connections at once, json.loads, bulk upserts; returns the rows written."""
    store, waiting, written = writer(url), [], 0

    async def read(session: aiohttp.ClientSession, queue: Iterator[str]) -> None:
        nonlocal waiting, written
        for sid in queue:
            async for row in _rows(session, source, sid):
                waiting.append(row)
            if len(waiting) >= BATCH:
                batch, waiting = waiting, []
                written += len(batch)
                store.write(batch)

    async def run() -> None:
        login = b64encode(f"{source.sid}:{source.token}".encode()).decode()
        async with aiohttp.ClientSession(
            source.base,
            headers={"Authorization": f"Basic {login}"},
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        ) as session:
            queue = iter(accounts)
            await asyncio.gather(*(read(session, queue) for _ in range(CONNECTIONS)))

    asyncio.run(run())
    store.write(waiting)
    return written + len(waiting)


async def _rows(session: aiohttp.ClientSession, source: Source, sid: str) -> Any:
    dates = f"StartDate={source.first}&EndDate={source.last}"
    address: str | None = f"{ROOT}/{sid}/Usage/Records/Daily.json?{dates}&PageSize=1000"
    while address:
        async with session.get(address) as answer:
            page = json.loads(await answer.read())
        for row in page["usage_records"]:
            yield (
                row["account_sid"], row["start_date"], row["category"],
                row["count"], row["usage"], row["price"],
            )  # fmt: skip
        address = page["next_page_uri"]


def write(url: str, count: int) -> int:
    """Rows that are there already, written by the plain writer; returns how many."""
    store = writer(url)
    # As many indexes as the product has: one by which pages read, one for the sync.
    store.connection.execute("CREATE INDEX IF NOT EXISTS plain_by_day ON plain (day, account_sid)")
    rows = list(made_up(count))
    for start in range(0, count, BATCH):
        store.write(rows[start : start + BATCH])
    return count


def made_up(count: int) -> Iterator[Row]:
    """Twelve categories a day, ninety days an account."""
    first = date(2026, 1, 1)
    for n in range(count):
        day = (first + timedelta(days=n // 12 % 90)).isoformat()
        yield (f"AC{n // 1080:032x}", day, f"category-{n % 12}", str(n), str(n), f"{n}.12345")


CLIENTS: dict[str, Callable[..., int]] = {"library": library, "bare": bare, "write": write}


def main(name: str) -> None:
    """Prints what came of it as JSON: the rows, and the seconds without the start of Python."""
    arguments = json.load(sys.stdin)
    if "source" in arguments:
        arguments["source"] = Source(**arguments["source"])
    began = time.perf_counter()
    rows = CLIENTS[name](**arguments)
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(sys.argv[1])
