"""What pages cost: CPU and bytes of a rerun and of each fragment, a first visit, long histories.

Every figure stands beside an empty page's of the same run on the same machine; CPU seconds
are the server process's own (from /proc), so that they hold on a busy machine as well.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from dashboard.access import MAY, Role
from dashboard.views import PAGES
from tests.demo_app import demo
from tests.streamlit_client import Page, connect, serving

RERUNS = 20
ROUNDS = 3
MONTH = 30  # days
TICK = 1 / os.sysconf("SC_CLK_TCK")
MOST_CPU, MOST_BYTES = 0.045, 150_000  # of a page
MOST_PART_CPU, MOST_PART_BYTES = 0.008, 10_000  # of a fragment that draws no chart
LONG_CUSTOMER = "Elm Fitness"
PEOPLE = (  # (who signs in, as what): every page is measured as the first of them who sees it
    ("Elm Fitness", Role.MANAGER),
    ("Cedar Logistics", Role.MANAGER),
    ("Alex Admin", Role.ADMINISTRATOR),
)
EMPTY_APP = """
import gc
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(app):
    import pandas, plotly.graph_objects, pyarrow, sqlmodel

    gc.collect()
    gc.freeze()
    yield {}


async def healthz(request):
    return PlainTextResponse("ok")


app = st.App(
    Path(__file__).parent / "empty_main.py", lifespan=lifespan, routes=[Route("/healthz", healthz)]
)
"""


@dataclass(frozen=True)
class Cost:
    """Of one rerun: seconds of the server's CPU, and bytes sent; a chart is what weighs most."""

    cpu: float
    sent: int
    chart: bool

    def over(self, cpu: float, sent: int) -> str:
        return "" if self.cpu <= cpu and self.sent <= sent else "  over"


def pages() -> None:
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as environment:
        folder = Path(name)
        (folder / "empty_app.py").write_text(EMPTY_APP)
        (folder / "empty_main.py").write_text("import streamlit as st\n\nst.write('empty')\n")
        with (
            measured("empty_app:app", folder=folder) as (empty, empty_server),
            measured("streamlit_app:app", **environment) as (app, app_server),
        ):
            print(f"{'':<26}{'CPU, ms':>10}{'sent, kB':>10}   (median of {ROUNDS} × {RERUNS})")
            with connect(empty) as page:
                page.rerun()
                say("empty page", cost_of(page, empty_server))
            for person, path in seen_by():
                with connect(app, cookie=sign_in(app, person)) as page:
                    page.rerun(page=path)
                    page.page_hash = page.hashes.get(path, "")
                    whole = cost_of(page, app_server, path)
                    say(path, whole, whole.over(MOST_CPU, MOST_BYTES))
                    say_fragments(page, app_server)
            first = first_visit(empty), first_visit(app, sign_in(app, PEOPLE[0][0]))
            print(f"A first visit: {first[1]:.2f} s, of an empty page {first[0]:.2f} s.")
        long_histories(folder, environment)


def say(name: str, cost: Cost, verdict: str = "") -> None:
    print(f"{name:<26}{cost.cpu * 1000:>10.1f}{cost.sent / 1000:>10.1f}{verdict}")


def say_fragments(page: Page, server: int) -> None:
    """Each part that redraws alone; a chart has no limit of its own."""
    for number, id in enumerate(fragments(page), 1):
        part = cost_of(page, server, fragment=id)
        limits = (MOST_CPU, MOST_BYTES) if part.chart else (MOST_PART_CPU, MOST_PART_BYTES)
        kind = "with a chart" if part.chart else ""
        say(f"  part {number} {kind}", part, part.over(*limits))


def seen_by() -> Iterator[tuple[str, str]]:
    """(person, page): each page as the first of PEOPLE who may see it."""
    for page in PAGES:
        yield next((who, page.path) for who, role in PEOPLE if page.permission in MAY[role])


def fragments(page: Page) -> list[str]:
    """The ids of the fragments that the last whole run has drawn."""
    page.rerun()
    found = (f.delta.fragment_id for f in page.frames if f.WhichOneof("type") == "delta")
    return list(dict.fromkeys(id for id in found if id))


def cost_of(page: Page, server: int, path: str = "", fragment: str = "") -> Cost:
    """After two reruns that warm the caches; the middle of ROUNDS."""
    for _ in range(2):
        page.rerun(page=path, fragment=fragment)
    cpu = []
    for _ in range(ROUNDS):
        before = cpu_seconds(server)
        for _ in range(RERUNS):
            page.rerun(page=path, fragment=fragment)
        cpu.append((cpu_seconds(server) - before) / RERUNS)
    chart = any(type(one).__name__ == "PlotlyChart" for one in page.elements)
    return Cost(statistics.median(cpu), sum(map(len, page.raw)), chart)


def long_histories(folder: Path, environment: dict[str, str]) -> None:
    """The same customer's pages with 24 months behind it and with 3."""
    costs: dict[int, dict[str, Cost]] = {}
    for months in (3, 24):
        file = folder / f"history-{months}.sqlite"
        with_history(Path(environment["DATABASE_URL"].removeprefix("sqlite:///")), file, months)
        given = {**environment, "DATABASE_URL": f"sqlite:///{file}"}
        with measured("streamlit_app:app", **given) as (app, server):
            cookie = sign_in(app, LONG_CUSTOMER)
            costs[months] = {}
            for path in (path for who, path in seen_by() if who == LONG_CUSTOMER):
                with connect(app, cookie=cookie) as page:
                    page.rerun(page=path)
                    page.page_hash = page.hashes.get(path, "")
                    costs[months][path] = cost_of(page, server, path)
    print("24 months against 3, CPU of a rerun:")
    for path, cost in costs[24].items():
        ratio = cost.cpu / max(costs[3][path].cpu, TICK / RERUNS)
        print(f"  {path:<24}{ratio:>10.2f} ×{'  over' if ratio > 1.3 else ''}")


def with_history(source: Path, file: Path, months: int) -> None:
    """A copy of the database in which one customer began so many months ago.

    Its rows of the last two months stand for those of all months before.
    """
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(file)) as copy:
        whole.backup(copy)
        (owner,) = copy.execute(
            "SELECT id FROM customer WHERE name = ?", [LONG_CUSTOMER]
        ).fetchone()
        (last,) = copy.execute(
            "SELECT max(day) FROM usage_record WHERE customer_id = ?", [owner]
        ).fetchone()
        first = f"date('{last}', '-{months * MONTH} days')"
        copy.execute(f"DELETE FROM usage_record WHERE customer_id = ? AND day < {first}", [owner])
        columns = [row[1] for row in copy.execute("PRAGMA table_info(usage_record)")]
        moved = ", ".join("date(day, '-' || ? || ' days')" if c == "day" else c for c in columns)
        for back in range(2 * MONTH, months * MONTH, 2 * MONTH):
            copy.execute(
                f"INSERT OR IGNORE INTO usage_record ({', '.join(columns)}) SELECT {moved}"
                f" FROM usage_record WHERE customer_id = ? AND day > date('{last}', '-60 days')",
                [back, owner],
            )
        for table in ("account", "subscription"):
            copy.execute(f"UPDATE {table} SET starts_on = {first} WHERE customer_id = ?", [owner])
        copy.execute(
            f"UPDATE plan_change SET starts_on = {first} WHERE customer_id = ? AND number = 0"
            " AND starts_on = (SELECT min(starts_on) FROM plan_change p"
            " WHERE p.customer_id = plan_change.customer_id)",
            [owner],
        )
        copy.commit()


@contextmanager
def measured(app: str, folder: Path | None = None, **environment: str) -> Iterator[tuple[str, int]]:
    """The server's address and process id: the child that was not there before."""
    before = children()
    given = {"folder": folder} if folder else {}
    with serving(app, **given, **environment) as base:  # type: ignore[arg-type]  # mixed
        (server,) = children() - before
        yield base, server


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def sign_in(base: str, person: str) -> str:
    """The cookie of the person of this name on the demo's list."""
    with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
        before = browser.get("/sign-in").text.partition(person)[0]
        member = before.rpartition('name="member" value="')[2].partition('"')[0]
        answer = browser.post("/auth/demo", data={"member": member, "next": "/"})
        name, value = next((name, value) for name, value in answer.cookies.items() if value)
        return f"{name}={value}"


def first_visit(base: str, cookie: str = "") -> float:
    """Seconds from opening the socket to the end of the first run of the script."""
    start = time.perf_counter()
    with connect(base, cookie=cookie) as page:
        page.rerun()
        return time.perf_counter() - start
