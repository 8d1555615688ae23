"""The bulk writer of usage: rows as plain values by the database's own fast path.

SQLite: statements of many rows.  PostgreSQL: COPY into a temporary table, then one upsert.  Figures
are written as the columns keep them (models/base.py): scaled integers on SQLite, numerics on
PostgreSQL.  The only place beside scope.py and the migrations with SQL as text, and only for the
deployment's own work: it takes a session that may touch every tenant.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy.engine import Connection

from data.errors import InputError, ScopeViolation
from data.scope import EveryTenant, ScopedSession
from data.twilio.usage_records import DailyUsage

LARGEST = 2**63
# Rows a statement on SQLite: with threads beside, each statement is a wait for the interpreter.
CHUNK = 200
COLUMNS = "customer_id, day, category, account_sid, count, usage, cost, cost_currency"
KEY = "customer_id, day, category, account_sid"
NEW = "count = excluded.count, usage = excluded.usage, cost = excluded.cost, \
cost_currency = excluded.cost_currency"

NULL = r"\N"
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})

Key = tuple[int, Any, str, str]  # customer, day, category, account
Figures = tuple[Any, Any, Any, str]  # count, usage, cost, currency: as the column keeps them


class UsageTable:
    """The table usage_record within a transaction."""

    def __init__(self, session: ScopedSession) -> None:
        if not isinstance(session.scope, EveryTenant):
            raise ScopeViolation("a bulk write, which the guard cannot confine")
        self._connection: Connection = session.connection()
        self._postgres = self._connection.dialect.name == "postgresql"

    def rows(
        self, sid: str, rows: Iterable[DailyUsage], owner: Callable[[date], int]
    ) -> dict[Key, Figures]:
        """As the table keeps them; InputError where a figure does not fit its column."""
        places: dict[date, tuple[int, Any]] = {}
        kept: dict[Key, Figures] = {}
        for row in rows:
            day = row.day
            if (place := places.get(day)) is None:
                place = places[day] = (owner(day), day if self._postgres else day.isoformat())
            count, usage, cost = _scaled(row.count, 6), _scaled(row.usage, 6), _scaled(row.cost, 9)
            if self._postgres:
                figures: Figures = (row.count, row.usage, row.cost, row.cost_currency)
            else:
                figures = (count, usage, cost, row.cost_currency)
            kept[(*place, row.category, sid)] = figures
        return kept

    def day(self, kept: Any) -> date:
        return kept if self._postgres else date.fromisoformat(kept)

    def number(self, kept: Any, places: Decimal) -> Decimal | None:
        if kept is None:
            return None
        return Decimal(kept) if self._postgres else Decimal(kept) * places

    def stored(self, sid: str, first: date, last: date) -> dict[Key, Figures]:
        """What is kept of the account from `first` to `last`, whoever owned it."""
        mark = "%s" if self._postgres else "?"
        days = (first, last) if self._postgres else (first.isoformat(), last.isoformat())
        rows = self._connection.exec_driver_sql(
            f"SELECT {COLUMNS} FROM usage_record "  # nosec B608 # names and marks only
            f"WHERE account_sid = {mark} AND day BETWEEN {mark} AND {mark}",
            (sid, *days),
        )
        return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6], row[7]) for row in rows}

    def upsert(self, rows: Sequence[tuple[Key, Figures]]) -> None:
        # In the order of the key: neighbours go to one page of the index.
        values = [(*key, *figures) for key, figures in sorted(rows, key=itemgetter(0))]
        if self._postgres and values:
            self._copy(values)
            return
        for start in range(0, len(values), CHUNK):
            chunk = values[start : start + CHUNK]
            self._connection.exec_driver_sql(_insert(len(chunk)), tuple(chain.from_iterable(chunk)))

    def _copy(self, values: Iterable[tuple[Any, ...]]) -> None:
        self._connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE IF NOT EXISTS usage_arrived "
            "(LIKE usage_record) ON COMMIT DELETE ROWS"
        )
        driver: Any = self._connection.connection.driver_connection
        with driver.cursor() as cursor:
            with cursor.copy(f"COPY usage_arrived ({COLUMNS}) FROM STDIN") as copy:
                copy.write("".join(map(_copy_line, values)))
            cursor.execute(
                f"INSERT INTO usage_record ({COLUMNS}) SELECT {COLUMNS} FROM usage_arrived "
                f"ON CONFLICT ({KEY}) DO UPDATE SET {NEW}"  # nosec B608 # names only
            )
            cursor.execute("DELETE FROM usage_arrived")

    def delete(self, keys: Sequence[Key]) -> None:
        if keys:
            mark = "%s" if self._postgres else "?"
            where = " AND ".join(f"{name} = {mark}" for name in KEY.split(", "))
            self._connection.exec_driver_sql(
                f"DELETE FROM usage_record WHERE {where}",  # nosec B608 # names and marks only
                list(keys),
            )


def _scaled(value: Decimal | None, scale: int) -> int | None:
    """In the column's smallest units."""
    if value is None:
        return None
    scaled = int(value.scaleb(scale))
    if not -LARGEST < scaled < LARGEST:
        raise InputError(f"{value} does not fit: at most {scale} decimals and 18 digits")
    return scaled


@lru_cache(maxsize=CHUNK)
def _insert(rows: int) -> str:
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return (
        f"INSERT INTO usage_record ({COLUMNS}) VALUES {marks} "  # nosec B608 # names and marks only
        f"ON CONFLICT ({KEY}) DO UPDATE SET {NEW}"
    )


def _copy_line(values: tuple[Any, ...]) -> str:
    """A row in COPY's text format (PostgreSQL manual, COPY, "Text Format")."""
    texts = [
        NULL if value is None else _escaped(value) if type(value) is str else str(value)
        for value in values
    ]
    return "\t".join(texts) + "\n"


@lru_cache(maxsize=1024)  # categories, accounts, a currency: they come again and again
def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
