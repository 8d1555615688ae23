"""How fast usage gets from Twilio into the store, and with how few requests and how much memory.

The real command reads the fleet's emulator, which takes 50 ms for an answer.  Beside it, in the
same run: Twilio's own library, one account after another, and a bare asyncio reader with as many
connections that checks nothing.  Seconds of a command include the start of Python and its imports.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from datetime import date, timedelta

from tests import postgres
from tests.bench.measured import Database, Used, postgresql, run, sqlite
from tests.bench.reference_clients import Source
from tests.bench.writer import writer
from tests.fleet import Fleet, fleet

LATENCY = 0.05
NIGHT = date(2026, 11, 20)  # any day but the first five of a month, when more is read again
LIBRARY_ACCOUNTS = 5  # as many as show how fast it is
Databases = list[Callable[[], AbstractContextManager[Database]]]


def sync() -> None:
    with databases() as found:
        first_read(found)
        nightly(found)
        zero_rows(found[0])
        writer(found)


@contextmanager
def databases() -> Iterator[Databases]:
    """SQLite, and PostgreSQL where there is one."""
    with ExitStack() as stack:
        found: Databases = [sqlite]
        try:
            server = stack.enter_context(postgres.server())
            found.append(lambda: postgresql(server))
        except postgres.NoServer as missing:
            print(f"PostgreSQL: {missing}", file=sys.stderr)
        yield found


def first_read(found: Databases) -> None:
    """The history of a hundred accounts: rows a second."""
    print("First read: 100 accounts × 90 days × 12 categories, 50 ms an answer")
    heading("seconds", "rows/s", "of bare", "of library", "CPU, s", "peak, MB")
    with fleet(accounts=100, days=90, latency=LATENCY, today=NIGHT) as twilio:
        source = source_of(twilio)
        some = twilio.world.sids[:LIBRARY_ACCOUNTS]
        slow = reference("library", source=source, accounts=some)
        library = rate(slow)
        line("library", slow, library, None, None)
        for make in found:
            with make() as database:
                everyone = twilio.world.sids
                fast = reference("bare", source=source, accounts=everyone, url=database.admin_url)
                bare = rate(fast)
                line(f"bare, {database.name}", fast, bare, 1.0, bare / library)
                twilio.reset_counters()
                ours = command(twilio, database, days=90)
                noted = database.last_run()
                took = (noted.finished_at or noted.started_at) - noted.started_at
                speed = noted.rows / took.total_seconds()  # as the others: without the imports
                name = f"sync, {database.name}"
                line(name, ours, speed, speed / bare, speed / library)
                counted = twilio.counters()
                print(
                    f"  {counted['requests']} requests, {counted['repeats']} twice, at most "
                    f"{counted['most_concurrent']} at once; the emulator's own CPU "
                    f"{counted['cpu_seconds']:.1f} s"
                )
    print()


def nightly(found: Databases, accounts: int = 10_000) -> None:
    """The run of each night: yesterday's run, then three days of ten thousand accounts.

    The fleet's figures do not rise here: a change of a settled day would be asked for, too.
    """
    print(f"Nightly: {accounts:,} accounts × 3 days, 50 ms an answer, 16 connections")
    heading("seconds", "rows/s", "requests", "planned", "an account", "CPU, s", "peak, MB")
    for make in found:
        with (
            fleet(accounts=accounts, days=3, lag=False, today=NIGHT) as twilio,
            make() as database,
        ):
            command(twilio, database, days=3)
            twilio.change("today", day=NIGHT + timedelta(days=1))
            twilio.slow_down(LATENCY)
            used = command(twilio, database, days=3, settling=1)
            requests(database.name, database, used, accounts)
    print()


def zero_rows(make: Callable[[], AbstractContextManager[Database]], accounts: int = 1_000) -> None:
    """Twilio lists every category of every day: requests, against what the plan expects."""
    print("Every category listed: 648 rows a day, of which 12 say something")
    heading("seconds", "rows/s", "requests", "planned", "an account", "CPU, s", "peak, MB")
    with fleet(accounts=20, days=90, zero_rows=True, today=NIGHT) as twilio, make() as database:
        used = command(twilio, database, days=90)
        requests("20 accounts, 90 days", database, used, 20)
    with (
        fleet(accounts=accounts, days=2, lag=False, zero_rows=True, today=NIGHT) as twilio,
        make() as database,
    ):
        command(twilio, database, days=2)
        twilio.change("today", day=NIGHT + timedelta(days=1))
        used = command(twilio, database, days=2, settling=0)
        requests(f"{accounts:,} accounts, 2 days", database, used, accounts)
    print()


def command(twilio: Fleet, database: Database, *, days: int, settling: int = 3) -> Used:
    return run(
        "data",
        "sync",
        **twilio.on_its_day,
        **database.environment,
        HISTORY_DAYS=str(days - 1),
        SETTLING_DAYS=str(settling),
    )


def source_of(twilio: Fleet) -> dict[str, str]:
    world = twilio.world
    days = (world.first_day.isoformat(), world.today.isoformat())
    return asdict(Source(twilio.base, twilio.sid, twilio.token, *days))


def reference(name: str, **arguments: object) -> Used:
    return run("tests.bench.reference_clients", name, given=json.dumps(arguments))


def rate(used: Used) -> float:
    """Rows a second of a reference, in its own words: without the start of Python."""
    said = json.loads(used.said)
    return float(said["rows"] / said["seconds"])


def heading(*columns: str) -> None:
    print(f"{'':<28}" + "".join(f"{column:>12}" for column in columns))


def line(
    name: str, used: Used, speed: float, of_bare: float | None, of_library: float | None
) -> None:
    shares = "".join(f"{f'{one:.2f} ×' if one else '':>12}" for one in (of_bare, of_library))
    print(
        f"{name:<28}{used.seconds:>12.1f}{speed:>12,.0f}{shares}"
        f"{used.cpu:>12.1f}{used.megabytes:>12.0f}"
    )


def requests(name: str, database: Database, used: Used, accounts: int) -> None:
    told = database.last_run()
    print(
        f"{name:<28}{used.seconds:>12.1f}{told.rows / used.seconds:>12,.0f}{told.requests:>12,}"
        f"{told.planned:>12,}{told.requests / accounts:>12.2f}"
        f"{used.cpu:>12.1f}{used.megabytes:>12.0f}"
    )
