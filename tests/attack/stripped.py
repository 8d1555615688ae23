"""Walls taken away at run time: what is left must hold alone.

The written filter goes out of every statement before the guard sees it; the guard itself is
unhooked.  Row-level security stays, being the database's own.  `recorded` notes which statements
of the source were executed under a customer's scope, and which of them do not name the customer.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import BindParameter, Delete, Insert, Select, Update, event
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, Grouping

from data import scope as guard
from data.models import TABLES
from data.scope import Scope, ScopedSession

ROOT = Path(__file__).parents[2]
KEYS = {table.__tablename__: table.tenant_key for table in TABLES if table.tenant_key}
GUARD = {"do_orm_execute": guard._confine_statements, "before_flush": guard._confine_rows}


def _tenant_of(side: Any) -> str | None:
    """The tenant table whose key this column is."""
    name = getattr(getattr(side, "table", None), "name", None)
    return name if name in KEYS and side.key == KEYS[name] else None


def _filtered(element: Any) -> str | None:
    """The table that a written filter confines: its tenant key compared with given values."""
    if not isinstance(element, BinaryExpression):
        return None
    given = isinstance(element.right, BindParameter | Grouping)
    return _tenant_of(element.left) if given else None


def without_filters(statement: Any) -> Any:
    """The statement as if its author had forgotten whose rows are asked for, in every part."""

    def forgotten(element: Any, **_: Any) -> Any:
        """In place of the filter a condition that holds for every row of the table."""
        return element.left.is_not(None) if _filtered(element) else None

    return visitors.replacement_traverse(statement, {}, forgotten)


def _strip(state: ORMExecuteState) -> None:
    if isinstance(state.session.scope, Scope):
        state.statement = without_filters(state.statement)


@contextmanager
def _filters_away() -> Iterator[None]:
    event.listen(ScopedSession, "do_orm_execute", _strip, insert=True)
    try:
        yield
    finally:
        event.remove(ScopedSession, "do_orm_execute", _strip)


@contextmanager
def _guard_away() -> Iterator[None]:
    for name, listener in GUARD.items():
        event.remove(ScopedSession, name, listener)
    try:
        yield
    finally:
        for name, listener in GUARD.items():
            event.listen(ScopedSession, name, listener)


@contextmanager
def without(*walls: str) -> Iterator[None]:
    """Take walls away: "filter", "guard"."""
    with ExitStack() as stack:
        if "guard" in walls:
            stack.enter_context(_guard_away())
        if "filter" in walls:
            stack.enter_context(_filters_away())
        yield


Place = tuple[str, int]  # a file of data/ and the line on which a statement is begun


@dataclass
class Record:
    executed: set[Place] = field(default_factory=set)
    unfiltered: set[tuple[Place, str]] = field(default_factory=set)  # and the table


def _place() -> Place | None:
    """Where in data/ the statement under construction is written."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT / "data"):
            return path.relative_to(ROOT).as_posix(), frame.f_lineno
        frame = frame.f_back
    return None


def _tables(statement: Any) -> set[str]:
    """Tenant tables that this statement itself reads or writes; its subqueries speak for them."""
    if isinstance(statement, Select):
        froms = statement.get_final_froms()
        found = {one.name for top in froms for one in visitors.iterate(top) if hasattr(one, "name")}
    else:
        found = {statement.table.name}
    return found & set(KEYS)


def _confined(statement: Any) -> set[str]:
    """Tables that the conditions of this statement itself confine to given customers."""
    found: set[str] = set()
    waiting = list(statement._where_criteria)
    while waiting:
        element = waiting.pop()
        operator = getattr(element, "operator", None)
        if getattr(operator, "__name__", "") == "and_":
            waiting += element.clauses
        elif name := _filtered(element):
            found.add(name)
    return found


@contextmanager
def recorded() -> Iterator[Record]:
    """What is executed under a customer's scope meanwhile, by the line that wrote it."""
    record, kinds = Record(), (Select, Update, Delete, Insert)
    begun = {kind: kind.__init__ for kind in kinds}

    def marking(kind: type) -> Any:
        def begin(self: Any, *args: Any, **kwargs: Any) -> None:
            begun[kind](self, *args, **kwargs)
            self.__dict__["written_at"] = _place()  # copied when the statement is built further

        return begin

    def note(state: ORMExecuteState) -> None:
        if not isinstance(state.session.scope, Scope):
            return
        for one in visitors.iterate(state.statement):
            if isinstance(one, kinds) and (place := one.__dict__.get("written_at")):
                record.executed.add(place)
                record.unfiltered |= {(place, table) for table in _tables(one) - _confined(one)}

    for kind in kinds:
        kind.__init__ = marking(kind)  # type: ignore[method-assign]  # taken back below
    event.listen(ScopedSession, "do_orm_execute", note, insert=True)
    try:
        yield record
    finally:
        event.remove(ScopedSession, "do_orm_execute", note)
        for kind in kinds:
            kind.__init__ = begun[kind]  # type: ignore[method-assign]  # as it was
