"""The schema's history: it says what the models say, goes back and forth, and keeps its walls."""

import pytest
from alembic import command
from sqlalchemy import inspect

from data.migrations import _config, current, head, migrate
from data.models import TABLES
from data.scope import engine
from data.settings import Settings
from tests.stores import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request, tmp_path):
    """A database without tables."""
    if request.param == "postgresql":
        return request.getfixturevalue("empty_postgres")
    url = f"sqlite:///{tmp_path / 'new' / 'empty.sqlite'}"
    return Store(Settings(database_url=url, _env_file=None))


def tables(store):
    return set(inspect(engine(store.settings.admin_url)).get_table_names())


NAMES = {table.__tablename__ for table in TABLES}


def test_the_migrated_schema_is_the_models_schema(store):
    command.check(_config(store.settings.admin_url))


def test_an_empty_database_has_no_revision(empty_store):
    assert current(empty_store.settings.admin_url) is None


def test_migrating_makes_every_table(empty_store):
    migrate(empty_store.settings)
    assert tables(empty_store) == NAMES | {"alembic_version"}


def test_migrating_again_changes_nothing(empty_store):
    migrate(empty_store.settings)
    migrate(empty_store.settings)
    assert current(empty_store.settings.admin_url) == head()


def test_up_down_and_up_again(empty_store):
    migrate(empty_store.settings)
    command.downgrade(_config(empty_store.settings.admin_url), "base")
    assert tables(empty_store) == {"alembic_version"}
    migrate(empty_store.settings)
    assert tables(empty_store) == NAMES | {"alembic_version"}


def test_rows_outlive_the_way_up_and_down(empty_store):
    """From the revision before people had sessions that end when idle, and back to it."""
    migrate(empty_store.settings)
    config = _config(empty_store.settings.admin_url)
    command.downgrade(config, "0004")
    with engine(empty_store.settings.admin_url).begin() as connection:
        every(connection)
        for statement in ROWS:
            connection.exec_driver_sql(statement)
    for _ in range(2):
        command.upgrade(config, "head")
        assert counted(empty_store) == {"customer": 2, "person": 2, "audit_entry": 2}
        command.downgrade(config, "0004")
        assert counted(empty_store) == {"customer": 2, "person": 2, "audit_entry": 2}


ROWS = (
    "INSERT INTO customer (id, slug, name) VALUES (1, 'acme', 'Acme'), (2, 'beta', 'Beta')",
    "INSERT INTO person (id, email, name, disabled) "
    "VALUES (1, 'a@a.test', 'A', false), (2, 'b@b.test', 'B', false)",
    "INSERT INTO membership (id, person_id, customer_id, role) "
    "VALUES (1, 1, 1, 'viewer'), (2, 2, 2, 'viewer')",
    "INSERT INTO login_session (secret_hash, membership_id, door, created_at, expires_at) "
    "VALUES ('s', 1, 'link', '2026-03-01', '2026-03-02')",
    "INSERT INTO audit_entry (at, person_id, customer_id, action, detail) "
    "VALUES ('2026-03-01', 1, 1, 'sign_in', ''), ('2026-03-01', 2, 2, 'sign_in', '')",
)


def every(connection):
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL app.customer_id = 'every'")


def counted(store):
    with engine(store.settings.admin_url).begin() as connection:
        every(connection)
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar()
            for name in ("customer", "person", "audit_entry")
        }


def test_every_table_is_registered():
    from data.models import Table

    assert {mapper.class_ for mapper in Table._sa_registry.mappers} == set(TABLES)
