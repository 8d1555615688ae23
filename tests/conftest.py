"""What all tests share: a steady hypothesis, and stores migrated on SQLite and on PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from data.migrations import migrate
from data.models import TABLES
from data.scope import engine
from data.settings import Settings
from tests import postgres
from tests.stores import Store

settings.register_profile(
    "steady",
    derandomize=True,  # a red test is red again
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "soak", settings.get_profile("steady"), derandomize=False, max_examples=2000
)
settings.register_profile(
    "mutants",  # for `make mutants`: whether a test fails, and not with which example
    settings.get_profile("steady"),
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Tests that share what takes seconds to make (a demo, a world, an evaluation) run on one worker.
TOGETHER = (
    "tests/attack/test_concurrent_sessions.py",
    "tests/attack/test_outside_",
    "tests/attack/test_walls.py",
    "tests/attack/test_walls_calls.py",
    "tests/browser/",
    "tests/dashboard/test_views.py",
    "tests/data/commands/test_evaluate.py",
    "tests/data/demo/test_service_api.py",
)


@pytest.hookimpl(optionalhook=True)  # runs without xdist, too
def pytest_xdist_make_scheduler(config, log):
    """By our own groups: `--dist loadgroup` does not know the node ids of this pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class ByDemo(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)

    return ByDemo(config, log)


def _settings(url: str, admin_url: str | None = None) -> Settings:
    return Settings(database_url=url, database_admin_url=admin_url, demo=True, _env_file=None)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    url = f"sqlite:///{path}"
    migrate(_settings(url))
    engine(url).dispose()  # the last to leave folds the log into the file
    return path


@pytest.fixture
def sqlite_store(sqlite_template, tmp_path) -> Iterator[Store]:
    """A migrated SQLite file of its own."""
    path = tmp_path / "store.sqlite"
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    yield Store(_settings(url))
    engine(url).dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    try:
        with postgres.server() as ready:
            yield ready
    except postgres.NoServer as missing:
        pytest.skip(f"PostgreSQL: {missing}")


def _new_database(server: postgres.Server) -> Iterator[Store]:
    name = server.create_database()
    store = Store(_settings(server.url(server.app, name), server.url(server.owner, name)))
    yield store
    store.dispose()
    server.drop_database(name)


@pytest.fixture
def empty_postgres(postgres_server) -> Iterator[Store]:
    """A database without tables."""
    yield from _new_database(postgres_server)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server) -> Iterator[Store]:
    for store in _new_database(postgres_server):
        migrate(store.settings)
        yield store


@pytest.fixture
def postgres_store(migrated_postgres) -> Store:
    """A migrated PostgreSQL database without rows: the app's role owns nothing in it."""
    names = ", ".join(table.__tablename__ for table in TABLES)
    with engine(migrated_postgres.settings.admin_url).begin() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    return migrated_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request) -> Store:
    """Each test that takes this runs on both databases."""
    name = "sqlite_store" if request.param == "sqlite" else "postgres_store"
    return request.getfixturevalue(name)


def pytest_terminal_summary(terminalreporter):
    """A missing server is said aloud, though -q hides the reasons of skips."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)]
    missing = [
        reason
        for reason in reasons
        if "PostgreSQL: " in reason or "Projection benchmark: " in reason
    ]
    if missing:
        terminalreporter.write_sep("!", f"{len(missing)} tests not run: {missing[0]}", red=True)
