"""Tenant scope.  A session knows whose rows it may touch, and touches no others.

Store functions still filter by customer themselves, because a reader should see it; this guard
is what makes forgetting harmless, and on PostgreSQL row-level security stands behind it.  There
is no other way to a session: `Session` and engines are imported nowhere else
(tests/test_architecture.py).  A session for reading writes nothing, whoever asks; a read-only
scope (staff who look at a customer's pages) gets no other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    ColumnClause,
    Join,
    Select,
    TableClause,
    TextClause,
    create_engine,
    event,
    false,
    inspect,
)
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows, TextualSelect
from sqlmodel import Session

from data.errors import AccessError, AppError, ScopeViolation, StoreUnavailable
from data.models import TABLES, Table

BUSY_SECONDS = 10  # how long a writer waits for another


@dataclass(frozen=True, slots=True)
class Scope:
    """One customer's rows in one database."""

    customer_id: int
    url: str = field(repr=False)  # may hold a password
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class EveryTenant:
    """For work before a tenant is known, or for all: schema, sync, sign-in, the staff's lists."""

    url: str = field(repr=False)


AnyScope = Scope | EveryTenant


@lru_cache(maxsize=16)
def engine(url: str) -> Engine:
    """The pool for a database URL.  SQLite: WAL, foreign keys, explicit BEGIN."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"its folder cannot be made ({error.strerror}); check the path"
            raise StoreUnavailable(f"The database cannot be used: {reason}") from error
    built = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(built, "connect", _prepare_sqlite)
    event.listen(built, "begin", _begin_sqlite)
    return built


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late for readers
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads and then writes fails at once with "database is locked",
    # whatever the busy timeout: a writer takes its lock first.
    # A connection is used again: each transaction says anew whether it may write at all.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if writes is False else 'OFF'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class ScopedSession(Session):
    def __init__(self, scope: AnyScope, *, writes: bool) -> None:
        # PostgreSQL begins the transaction READ ONLY; for SQLite see _begin_sqlite.
        options: Any = {"writes": writes, "postgresql_readonly": not writes}
        super().__init__(engine(scope.url).execution_options(**options), expire_on_commit=False)
        self.scope = scope
        self.writes = writes

    def connection(self, *args: Any, **kwargs: Any) -> Connection:
        if isinstance(self.scope, Scope):
            raise ScopeViolation("a bare connection, which the guard cannot confine")
        return super().connection(*args, **kwargs)

    def _bulk_save_mappings(self, *args: Any, **kwargs: Any) -> None:
        # What bulk_save_objects and its kin end in: they pass by both hooks below.
        if isinstance(self.scope, Scope) or not self.writes:
            raise ScopeViolation("a bulk write, which the guard cannot confine")
        super()._bulk_save_mappings(*args, **kwargs)


@contextmanager
def reading(scope: AnyScope) -> Iterator[ScopedSession]:
    """A session whose reads all see the same moment; it refuses every write."""
    with translated(), ScopedSession(scope, writes=False) as session:
        yield session


@contextmanager
def writing(scope: AnyScope) -> Iterator[ScopedSession]:
    """A transaction: all of it is stored, or nothing.  AccessError under a read-only scope."""
    if isinstance(scope, Scope) and scope.read_only:
        raise AccessError("This view is read-only.")
    with translated(), ScopedSession(scope, writes=True) as session, session.begin():
        yield session


@contextmanager
def translated() -> Iterator[None]:
    """The database's errors as ours: StoreUnavailable says what to do about it."""
    try:
        yield
    except DBAPIError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise StoreUnavailable(f"The database cannot be used: {reason}") from error
    except StatementError as error:
        if isinstance(error.orig, AppError):  # a value that a column of ours refused
            raise error.orig from None
        raise


def _reason(error: DBAPIError) -> str | None:
    text = str(error.orig)
    if "readonly" in text or "read-only" in text:
        return "it is read-only; give the app's user write access to the file and its folder"
    if "locked" in text:
        return f"it stayed locked for {BUSY_SECONDS} s; is another program writing to it?"
    if "no such table" in text or ("relation" in text and "does not exist" in text):
        return "its tables are missing; run `python -m data migrate`"
    if "unable to open" in text:
        return "its file cannot be opened; check the path and its permissions"
    if "not a database" in text:
        return "its file is not an SQLite database; check DATABASE_URL"
    if "full" in text:
        return "its disk is full"
    if isinstance(error, OperationalError):
        return "it does not answer; check DATABASE_URL and that the server runs"
    return None


def _criteria(customer_id: int) -> Iterator[Any]:
    """One filter per table; a customer sees no table that does not say whose its rows are."""
    for table in TABLES:
        if table.shared:
            continue
        key = table.tenant_key
        own = getattr(table, key) == customer_id if key else false()
        yield with_loader_criteria(table, own, include_aliases=True)


@lru_cache(maxsize=256)
def _options(customer_id: int) -> tuple[Any, ...]:
    return tuple(_criteria(customer_id))


def _owns(scope: Scope, row: Table) -> bool:
    key = row.tenant_key
    if key is None:
        return False
    before = inspect(row).attrs[key].history.deleted or ()
    return {getattr(row, key), *before} == {scope.customer_id}


def _is_bare(element: Any) -> bool:
    """A table, or an alias or join of one, that stands without its ORM class."""
    if "parententity" in element._annotations:
        return False
    if isinstance(element, Join):
        return _is_bare(element.left) or _is_bare(element.right)
    if isinstance(element, AliasedReturnsRows):
        return _is_bare(element.element)
    return isinstance(element, TableClause)


# Where a statement keeps text that comes before, after or between its clauses.
_TEXT_BESIDE = ("_prefixes", "_suffixes", "_hints", "_statement_hints")


def _bare_parts(statement: Any) -> Iterator[str]:
    """What the filters above would not reach: they attach to ORM classes, not to tables or text."""
    for element in visitors.iterate(statement):
        added = (getattr(element, name, ()) for name in _TEXT_BESIDE)
        if isinstance(element, TextClause | TextualSelect) or any(added):
            yield "text"
        if isinstance(element, ColumnClause) and "parententity" not in element._annotations:
            if element.is_literal and element.name != "*":  # count(*) is written with it
                yield "text"
            if element.table is not None and _is_bare(element.table):
                yield str(element)
        if isinstance(element, Select):
            joined = (target for target, *_ in element._setup_joins)
            for part in chain(element._from_obj, element._raw_columns, joined):
                if _is_bare(part):
                    yield str(part)


# Statements never change: one that is built once and asked often is looked through once.
_confinable: WeakSet[Any] = WeakSet()


@event.listens_for(ScopedSession, "do_orm_execute")
def _confine_statements(state: ORMExecuteState) -> None:
    # The library types these two as its base classes: our session has a scope, an update values.
    scope, writes = state.session.scope, state.session.writes  # type: ignore[attr-defined]
    if not writes and (state.is_insert or state.is_update or state.is_delete):
        raise ScopeViolation("a write in a session for reading")
    if isinstance(scope, EveryTenant):
        return
    if not state.is_orm_statement or state.is_insert:
        raise ScopeViolation("a statement that the guard cannot confine")
    if state.statement not in _confinable:
        if bare := sorted(set(_bare_parts(state.statement))):
            raise ScopeViolation(f"tables beside their classes: {', '.join(bare)}")
        _confinable.add(state.statement)
    if state.is_update:
        if isinstance(state.parameters, list):
            raise ScopeViolation("an update by keys, which the guard cannot confine")
        changed = {column.key for column in (state.statement._values or {})}  # type: ignore[attr-defined]
        changed |= set(state.parameters or ())
        if changed & {table.tenant_key for table in TABLES if table.tenant_key}:
            raise ScopeViolation("an update that gives rows to another tenant")
    state.statement = state.statement.options(*_options(scope.customer_id))


@event.listens_for(ScopedSession, "before_flush")
def _confine_rows(session: ScopedSession, *_: Any) -> None:
    scope = session.scope
    if not session.writes:
        raise ScopeViolation("a write in a session for reading")
    if isinstance(scope, EveryTenant):
        return
    for row in chain(session.new, session.dirty, session.deleted):
        if not _owns(scope, row):
            raise ScopeViolation(f"a {type(row).__name__} of another tenant")


@event.listens_for(ScopedSession, "after_begin")
def _tell_the_database(session: ScopedSession, _: Any, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        scope = session.scope
        tenant = str(int(scope.customer_id)) if isinstance(scope, Scope) else "every"
        # SET takes no bind parameter; the value is an integer or a word of ours.
        connection.exec_driver_sql(f"SET LOCAL app.customer_id = '{tenant}'")
