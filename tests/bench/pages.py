"""What a rerun of a page costs and how fast the first visitor is served.

Each figure stands beside an empty page's, measured in the same run on the same machine; CPU seconds
are the server process's own (from /proc), so that they hold on a busy machine as well.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.demo_app import demo
from tests.streamlit_client import connect, serving

RERUNS = 60
ROUNDS = 3
TICK = 1 / os.sysconf("SC_CLK_TCK")
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


def pages() -> None:
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as environment:
        folder = Path(name)
        (folder / "empty_app.py").write_text(EMPTY_APP)
        (folder / "empty_main.py").write_text("import streamlit as st\n\nst.write('empty')\n")
        with (
            measured("empty_app:app", folder=folder) as (empty, empty_server),
            measured("streamlit_app:app", **environment) as (app, app_server),
        ):
            cookie = sign_in(app)
            first = {"empty page": first_visit(empty), "overview": first_visit(app, cookie)}
            cost: dict[str, list[float]] = {"empty page": [], "overview": []}
            for _ in range(ROUNDS):  # by turns, so that a busy moment hits both
                cost["empty page"].append(rerun_cpu(empty, empty_server))
                cost["overview"].append(rerun_cpu(app, app_server, cookie))
    print(f"{'':<14}{'first visit, s':>16}{'CPU a rerun, ms (median of ' + str(ROUNDS) + ')':>34}")
    for page in cost:
        print(f"{page:<14}{first[page]:>16.2f}{statistics.median(cost[page]) * 1000:>34.1f}")
    ratio = statistics.median(cost["overview"]) / max(
        statistics.median(cost["empty page"]), TICK / RERUNS
    )
    print(f"The overview costs {ratio:.1f} empty pages a rerun.")


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


def sign_in(base: str) -> str:
    """The cookie of the first demo customer on the list."""
    with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
        member = (
            browser.get("/sign-in").text.partition('name="member" value="')[2].partition('"')[0]
        )
        answer = browser.post("/auth/demo", data={"member": member, "next": "/"})
        name, value = next(iter(answer.cookies.items()))
        return f"{name}={value}"


def first_visit(base: str, cookie: str = "") -> float:
    """Seconds from opening the socket to the end of the first run of the script."""
    start = time.perf_counter()
    with connect(base, cookie=cookie) as page:
        page.rerun()
        return time.perf_counter() - start


def rerun_cpu(base: str, server: int, cookie: str = "") -> float:
    with connect(base, cookie=cookie) as page:
        page.rerun()
        page.rerun()
        before = cpu_seconds(server)
        for _ in range(RERUNS):
            page.rerun()
        return (cpu_seconds(server) - before) / RERUNS
