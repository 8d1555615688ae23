"""The store's writer alone, beside the plainest one: rows that are there already, into a database.

Ours finds each day's owner, compares with what is stored, and writes accounts whole; the plain one
upserts.  Twice each: into an empty table, and the same figures again.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from data.scope import EveryTenant
from data.twilio.intake import store_reads
from data.twilio.planner import Window
from data.twilio.reading import AccountRead, KnownAccount
from data.twilio.usage_records import DailyUsage
from tests.bench.measured import Database, run

ACCOUNTS, DAYS, CATEGORIES = 100, 90, 12
ROWS = ACCOUNTS * DAYS * CATEGORIES
TOGETHER = 10  # accounts in one transaction
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)


def writer(found: list[Callable[[], AbstractContextManager[Database]]]) -> None:
    print(f"The writer alone: {ROWS:,} rows, {TOGETHER} accounts in a transaction")
    print(f"{'':<28}{'new, rows/s':>14}{'same, rows/s':>14}{'of plain':>12}")
    for make in found:
        with make() as database:
            plain = [_plain(database), _plain(database)]
            ours = json.loads(run("tests.bench.writer", database.admin_url).said)
            print(f"{f'plain, {database.name}':<28}{plain[0]:>14,.0f}{plain[1]:>14,.0f}")
            print(
                f"{f'ours, {database.name}':<28}{ours[0]:>14,.0f}{ours[1]:>14,.0f}"
                f"{f'{ours[0] / plain[0]:.2f} ×':>12}"
            )
    print()


def _plain(database: Database) -> float:
    given = json.dumps({"url": database.admin_url, "count": ROWS})
    said = json.loads(run("tests.bench.reference_clients", "write", given=given).said)
    return float(said["rows"] / said["seconds"])


def reads() -> Iterator[AccountRead]:
    last = FIRST + timedelta(days=DAYS - 1)
    for number in range(ACCOUNTS):
        account = KnownAccount(f"AC{number:032x}", f"Account {number}")
        rows = tuple(
            DailyUsage(
                FIRST + timedelta(days=day), f"category-{category}", Decimal(number),
                Decimal(day), Decimal(f"{category}.12345"), "USD", NOW,
            )
            for day in range(DAYS)
            for category in range(CATEGORIES)
        )  # fmt: skip
        yield AccountRead(account, (Window(FIRST, last),), rows, last, whole=True)


def main(url: str) -> None:
    """Prints rows a second: the first time, and the second."""
    speeds, everything = [], list(reads())
    for _ in range(2):
        began = time.perf_counter()
        for start in range(0, ACCOUNTS, TOGETHER):
            store_reads(EveryTenant(url), everything[start : start + TOGETHER], NOW)
        speeds.append(ROWS / (time.perf_counter() - began))
    print(json.dumps(speeds))


if __name__ == "__main__":
    main(sys.argv[1])
