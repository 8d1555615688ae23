"""A command in a process of its own, and what it took: seconds, CPU seconds, peak of memory."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, select

from data.models import SyncRun
from data.scope import EveryTenant, engine, reading
from data.settings import Settings
from tests import postgres

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Used:
    seconds: float
    cpu: float
    megabytes: float
    said: str


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database, as the command line is told of it."""

    name: str
    url: str
    admin_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "DATABASE_ADMIN_URL": self.admin_url}

    def last_run(self) -> SyncRun:
        newest = select(SyncRun).order_by(col(SyncRun.id).desc()).limit(1)
        with reading(EveryTenant(self.admin_url)) as session:
            return session.exec(newest).one()


def run(*words: str, given: str = "", **environment: str) -> Used:
    """`python -m …` to its end; fails loudly where it fails."""
    names = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as source:
        source.write(given)
        source.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT, env=inherited | environment, stdin=source, stdout=out, stderr=out,
        )  # fmt: skip
        megabytes, usage = _watched(process)
        seconds = time.perf_counter() - began
        out.seek(0)
        said = out.read()
    if process.returncode:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}: {said[-2000:]}")
    return Used(seconds, usage.ru_utime + usage.ru_stime, megabytes, said)


def _watched(process: "subprocess.Popen[bytes]") -> tuple[float, resource.struct_rusage]:
    """Peak in MB and the CPU it took.

    The peak is read from /proc while it runs: that of the rusage may be the parent's own.
    """
    peak = 0.0
    while True:
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            if found := status.partition("VmHWM:")[2]:
                peak = int(found.split()[0]) / 1024
        ended, status_word, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status_word)
            return peak, usage
        time.sleep(0.02)


@contextmanager
def sqlite() -> Iterator[Database]:
    """Migrated, and gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.sqlite"
        database = Database("SQLite", url, url)
        run("data", "migrate", **database.environment)
        yield database
        engine(url).dispose()


@contextmanager
def postgresql(server: postgres.Server) -> Iterator[Database]:
    """Migrated, and gone afterwards."""
    name = server.create_database()
    url, admin = server.url(server.app, name), server.url(server.owner, name)
    database = Database("PostgreSQL", url, admin)
    run("data", "migrate", **database.environment)
    yield database
    for each in (url, admin):
        engine(each).dispose()
    server.drop_database(name)
