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


def test_every_table_is_registered():
    from data.models import Table

    assert {mapper.class_ for mapper in Table._sa_registry.mappers} == set(TABLES)
