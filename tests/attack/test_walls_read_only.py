"""A session for reading writes nothing, whoever asks; a read-only scope gets no other."""

from datetime import date

import pytest
from sqlalchemy import insert, text
from sqlmodel import delete, select, update

from data.errors import AccessError, ScopeViolation, StoreUnavailable
from data.models import Customer, SyncRun, UsageRecord
from data.scope import Scope, engine, reading, writing
from tests.attack.test_walls_world import figures, rows_of
from tests.stores import ACME, BETA, SYNCED, customers, record

DAY = date(2026, 3, 1)
USAGE = UsageRecord.__table__
mine = record(ACME, DAY, "mms", 9).model_dump()


@pytest.fixture
def two(store):
    usage = [record(owner, DAY, "sms", owner) for owner in (ACME, BETA)]
    store.put(*customers(), *usage, SyncRun(started_at=SYNCED))
    return store


def everything(store):
    return [figures(rows_of(store, owner)) for owner in (ACME, BETA)]


def _renamed(session):
    session.exec(select(Customer).where(Customer.id == ACME)).one().name = "Mine"
    session.flush()


def _deleted(session):
    session.delete(session.exec(select(UsageRecord).where(UsageRecord.customer_id == ACME)).one())
    session.flush()


def _added(session):
    session.add(record(ACME, DAY, "mms", 9))
    session.flush()


OWN_WRITES = {
    "a new row": _added,
    "a changed row": _renamed,
    "a deleted row": _deleted,
    "an insert": lambda s: s.execute(insert(UsageRecord).values(**mine)),
    "an insert of many": lambda s: s.execute(insert(UsageRecord), [mine]),
    "an update": lambda s: s.execute(update(Customer).values(name="Mine")),
    "an update by key": lambda s: s.execute(update(Customer), [{"id": ACME, "name": "Mine"}]),
    "a delete": lambda s: s.execute(delete(UsageRecord)),
    "an update of a core table": lambda s: s.execute(USAGE.update().values(usage=0)),
    "bulk save": lambda s: s.bulk_save_objects([record(ACME, DAY, "mms", 9)]),
    "bulk insert": lambda s: s.bulk_insert_mappings(UsageRecord, [mine]),
}


@pytest.mark.parametrize("whose", ["acme", "app"], ids=["a customer", "the deployment"])
@pytest.mark.parametrize("write", OWN_WRITES.values(), ids=OWN_WRITES)
def test_a_session_for_reading_writes_nothing(two, write, whose):
    before = everything(two)
    with pytest.raises(ScopeViolation), reading(getattr(two, whose)) as session:
        write(session)
    assert everything(two) == before


RAW = "UPDATE customer SET name = 'Mine'"
PAST_THE_GUARD = {
    "text": lambda s: s.execute(text(RAW)),
    "a bare connection": lambda s: s.connection().exec_driver_sql(RAW),
}


@pytest.mark.parametrize("write", PAST_THE_GUARD.values(), ids=PAST_THE_GUARD)
def test_the_database_refuses_what_the_guard_does_not_see(two, write):
    before = everything(two)
    with pytest.raises(StoreUnavailable, match="read-only"), reading(two.app) as session:
        write(session)
    assert everything(two) == before


def test_a_connection_that_was_read_from_can_be_written_to(two):
    for _ in range(3):
        with reading(two.app) as session:
            session.exec(select(Customer.name)).all()
        with writing(two.acme) as session:
            session.execute(update(Customer).values(name="Mine"))
        with engine(two.settings.database_url).begin() as connection:
            connection.exec_driver_sql("DELETE FROM sync_run")  # as migrations do


def test_a_read_only_scope_reads_as_usual(two):
    view = Scope(ACME, two.settings.database_url, read_only=True)
    for scope in (view, two.acme, view):
        with reading(scope) as session:
            assert session.exec(select(Customer.name)).all() == ["Acme"]


@pytest.mark.parametrize("url", ["store", "nothing://"], ids=["a store", "no store at all"])
def test_a_read_only_scope_is_refused_before_anything_else(two, url):
    before = everything(two)
    view = Scope(ACME, two.settings.database_url if url == "store" else url, read_only=True)
    with pytest.raises(AccessError, match="This view is read-only"), writing(view) as session:
        session.execute(update(Customer).values(name="Mine"))
    assert everything(two) == before


def test_a_read_only_scope_is_another_key_of_every_cache(two):
    view = Scope(ACME, two.settings.database_url, read_only=True)
    assert view != two.acme
    assert len({view, two.acme}) == 2
