"""A PostgreSQL server for the tests: TEST_POSTGRES_URL, or one of our own for as long as they run.

Debian's binaries are looked for in PATH and in /usr/lib/postgresql.  PostgreSQL refuses to run as
root, so then it runs as the user `postgres`.  The tables' owner is no superuser (row-level security
holds for it too), and the app has a role of its own that owns nothing.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from pwd import getpwnam
from secrets import token_hex

import psycopg
from sqlalchemy.engine import URL, make_url

INSTALL = "install Debian's `postgresql` (`make test` does where it can) or set TEST_POSTGRES_URL"
QUICK = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}

ROOM = 2 * 1024**3  # bytes; the servers of a few workers


class NoServer(Exception):
    """There is no PostgreSQL to test on; says what to install."""


@dataclass(frozen=True)
class Server:
    """A server on which databases are made for one test each, and dropped."""

    superuser: URL
    token: str
    numbers: Iterator[int]

    @property
    def owner(self) -> str:
        return f"owner_{self.token}"

    @property
    def app(self) -> str:
        return f"app_{self.token}"

    @property
    def password(self) -> str:
        return f"secret-{self.token[::-1]}"

    def run(self, *statements: str) -> None:
        with psycopg.connect(_conninfo(self.superuser), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def url(self, role: str, database: str) -> str:
        url = self.superuser.set(username=role, password=self.password, database=database)
        return url.render_as_string(hide_password=False)

    def create_database(self) -> str:
        name = f"test_{self.token}_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} OWNER {self.owner}")
        return name

    def drop_database(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def server() -> Iterator[Server]:
    """A server with our two roles; what is ours on it is gone afterwards."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        with _with_roles(make_url(given)) as ready:
            yield ready
        return
    with _own_server() as url, _with_roles(url) as ready:
        yield ready


@contextmanager
def _with_roles(url: URL) -> Iterator[Server]:
    ready = Server(url.set(drivername="postgresql+psycopg"), token_hex(6), count())
    roles = (ready.owner, ready.app)
    try:
        ready.run(*(f"CREATE ROLE {role} LOGIN PASSWORD '{ready.password}'" for role in roles))
    except psycopg.OperationalError as error:
        raise NoServer(f"PostgreSQL at {url!r} does not answer ({error}); {INSTALL}") from None
    try:
        yield ready
    finally:
        with psycopg.connect(_conninfo(ready.superuser), autocommit=True) as connection:
            left = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"test_{ready.token}%"]
            ).fetchall()
        for (name,) in left:
            ready.drop_database(name)
        ready.run(*(f"DROP ROLE {role}" for role in roles))


@contextmanager
def _own_server() -> Iterator[URL]:
    binaries, runner = _binaries(), _runner()
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-", dir=_memory()))
    if runner:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", _free_port()
    settings = " ".join(f"-c {name}={value}" for name, value in QUICK.items())

    def call(program: str, *arguments: str) -> None:
        command = [*runner, str(binaries / program), "-D", str(data), *arguments]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            raise NoServer(f"{program} failed: {done.stdout}{done.stderr}; {INSTALL}")

    try:
        call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        log, options = str(folder / "log"), f"-p {port} -k {folder} {settings}"
        call("pg_ctl", "-w", "-l", log, "-o", options, "start")
        try:
            yield make_url(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Where files are kept in memory, if there is room: a TRUNCATE there takes a tenth."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM
    return memory if roomy else None


def _binaries() -> Path:
    """The folder of initdb and pg_ctl; the newest version where there are several."""
    known = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
    )
    on_path = shutil.which("initdb")
    for found in ([Path(on_path).resolve()] if on_path else []) + known[::-1]:
        if (found.parent / "pg_ctl").exists():
            return found.parent
    raise NoServer(f"no PostgreSQL here: {INSTALL}")


def _runner() -> list[str]:
    if os.geteuid() != 0:
        return []
    try:
        getpwnam("postgres")
    except KeyError:
        raise NoServer(f"root needs the user `postgres`: {INSTALL}") from None
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
