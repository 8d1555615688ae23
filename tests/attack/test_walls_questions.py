"""Every question of data/ that takes a scope, found and not listed, and what may be asked with it.

Arguments go by the names of parameters (`VALUES`): a new question is attacked without a line here,
and a parameter of a new name makes the tests fail until values for it are given.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

import data
from data.billed import billed_usage
from data.credit_ledger import ledger_lines
from data.errors import AppError
from data.explorer import Grain, spans
from data.identity.audit import By
from data.overview import overview
from data.periods import period_of
from data.scope import AnyScope, Scope, writing
from data.store import AccountView, data_version, subscription
from data.what_if import Option, options
from tests.attack.stripped import without
from tests.attack.test_walls_world import (
    APP,
    BUNDLE,
    CREDITS,
    FEBRUARY,
    HELD,
    JANUARY,
    LATER,
    MARCH,
    MARGIN,
    MOVED,
    OWNERS,
    PLANS,
    TODAY,
    figures,
    put_back,
    rows_of,
)
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, OPENED, SYNCED, Store, noon

NOBODYS = "AC" + "f" * 32
SYNCED_AGAIN = datetime(2026, 3, 22, tzinfo=UTC)


def _takes_a_scope(function: Callable[..., Any]) -> bool:
    kinds = (Scope, AnyScope, "Scope", "AnyScope")
    return any(one.annotation in kinds for one in inspect.signature(function).parameters.values())


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(data.__path__, "data."):
        # Migrations run when they are imported; scope.py is the wall itself.
        if not found.name.startswith(("data.migrations", "data.__main__", "data.scope")):
            yield importlib.import_module(found.name)


QUESTIONS: Mapping[str, Callable[..., Any]] = {
    f"{module.__name__}.{name}": function
    for module in _modules()
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
    if _takes_a_scope(function)
}


@dataclass(frozen=True)
class For:
    """An argument that is made for the scope and the other arguments of the call."""

    make: Callable[[Scope, Mapping[str, Any]], Any]


def _held_by_all() -> tuple[AccountView, ...]:
    """Every account, as if the asker held it for all days."""
    return tuple(
        AccountView(sid, sid, "", "subaccount", "active", OPENED, None, None, None, None, None)
        for sid in HELD
    )


SIDS = (None, ACME_SID, BETA_SID, MOVED, APP[BETA], NOBODYS)
DAYS = (MARCH.start, TODAY, date(2026, 2, 3), LATER, OPENED)
INJECTED = "' OR 1=1 --"


def _overview(scope: Scope, chosen: Mapping[str, Any]) -> Any:
    given = {name: chosen[name] for name in ("today", "now", "settling_days")}
    return overview(scope, chosen["key"], MARCH, **given)


def _lines(scope: Scope, chosen: Mapping[str, Any]) -> Any:
    return ledger_lines(scope, chosen["key"], through=chosen["through"])


VALUES: Mapping[str, tuple[Any, ...]] = {
    "key": ("main", "app-acme", "app-beta", "ended", INJECTED),
    "period": (MARCH, FEBRUARY, JANUARY, period_of(TODAY, 15)),
    "periods": ((FEBRUARY, MARCH), (MARCH,), (JANUARY, FEBRUARY)),
    "start": (FEBRUARY.start, MARCH.start, OPENED, date(2026, 2, 15)),
    "end": (MARCH.end, TODAY),
    "first": (MARCH.start, OPENED),
    "last": (TODAY, MARCH.start, LATER),
    "day": DAYS,
    "today": (TODAY, LATER, date(2026, 2, 3)),
    "now": (noon(TODAY), noon(LATER)),
    "until": (TODAY, LATER),
    "through": (LATER, TODAY),
    "settled": (LATER, TODAY),
    "since": (None, OPENED),
    "glance": (None, OPENED),
    "on": (None, TODAY),
    "settling_days": (3, 0),
    "calendar": ("", "US"),
    "explained": (False, True),
    "staff": (True, False),
    "limit": (200, 2),
    "meter": ("sms", "voice", "other"),
    "account": SIDS,
    "sids": ([ACME_SID, BETA_SID, MOVED], [BETA_SID], [ACME_SID]),
    "categories": (["sms", "totalprice"], ["calls", "mms"]),
    "plan": (BUNDLE, MARGIN, CREDITS),
    "pack": (None, "small"),
    "among": (None, frozenset({FEBRUARY.start, OPENED})),
    "accounts": (
        For(lambda scope, chosen: subscription(scope, chosen["key"]).accounts),
        For(lambda scope, chosen: _held_by_all()),
    ),
    "view": (For(lambda scope, chosen: subscription(scope, chosen["key"])),),
    "billed": (For(lambda scope, chosen: billed_usage(scope, chosen["key"], chosen["period"])),),
    "shown": (spans(FEBRUARY.start, MARCH.end, Grain.WEEK), spans(OPENED, TODAY, Grain.MONTH)),
    "edges": ((FEBRUARY.start, MARCH.start, MARCH.end), (MARCH.start, TODAY)),
    "category": (None, "sms", "sms-outbound", "totalprice", INJECTED),
    "without": ((), ("totalprice",)),
    "by_account": (False, True),
    "trials": ([(BUNDLE, None)], [(CREDITS, "small"), (BUNDLE, None)], [(MARGIN, None)]),
    "chosen": (
        For(lambda scope, chosen: options(scope, chosen["key"], today=chosen["today"])),
        (Option(BUNDLE, tier="small"), Option(MARGIN)),
    ),
    "past": ((FEBRUARY,), (MARCH, FEBRUARY)),
    "lines": (For(_lines),),
    "subscription": ("main", INJECTED),
    "kind": ("tier", "pack"),
    "wanted": ("Medium", "Large"),
    "message": ("", INJECTED),
    "asked_by": ("Ann",),
    "person_id": (None,),
    "request_id": (ACME * 1000, BETA * 1000, 7),
    "by": ("Ann",),
    "data.closing.close_period.by": (None, By("Billie", None, "Ticket 7", noon(TODAY))),
    "data.company.subscription_line.shown": (For(_overview),),
    "data.since.changes_since.since": (SYNCED, SYNCED_AGAIN, noon(FEBRUARY.start)),
    "data.revisions.revised_days.since": (SYNCED, SYNCED_AGAIN),
    "data.closing.close_period.today": (LATER, TODAY),
    "data.closing.close_period.now": (noon(LATER), noon(TODAY)),
}
GIVEN = ("scope", "session")


def choices(question: str) -> dict[str, tuple[Any, ...]]:
    """The values to choose from, by parameter; KeyError for one of which none is known."""
    names = [
        name for name in inspect.signature(QUESTIONS[question]).parameters if name not in GIVEN
    ]
    return {"key": VALUES["key"]} | {
        name: VALUES.get(f"{question}.{name}") or VALUES[name] for name in names
    }


def ask(question: str, scope: Scope, chosen: Mapping[str, Any]) -> Any:
    """The answer, as values; a refusal is its kind and words."""
    function = QUESTIONS[question]
    taken = inspect.signature(function).parameters
    try:
        given = {
            name: value.make(scope, chosen) if isinstance(value, For) else value
            for name, value in chosen.items()
            if name in taken
        }
        if "session" in taken:
            with writing(scope) as session:
                return function(session, scope, **given).model_dump()
        answer = function(scope, **given)
        if function is data_version:
            answer = re.split("[/,]", answer)
        bag = isinstance(answer, Iterator | list)  # no order is promised of a list
        return sorted(answer, key=repr) if bag else answer
    except AppError as error:
        return type(error), str(error)


def words(value: Any) -> set[str]:
    """The names, SIDs and keys in it, however deep."""
    return {one for one in leaves(value) if isinstance(one, str) and len(one) > 4}


def leaves(value: Any) -> Iterator[Any]:
    if is_dataclass(value) and not isinstance(value, type):
        yield from leaves([getattr(value, one.name) for one in fields(value)])
    elif isinstance(value, Mapping):
        yield from leaves([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from leaves(one)
    else:
        yield value


# Plans are the ISV's price list, and everybody's.
PLAN_WORDS = words([plan.model_dump() for plan in PLANS])

WRITE = {"data.closing.close_period", "data.closing.adjust", "data.credit_ledger.post_credits"}
WRITE |= {"data.requests.ask", "data.requests.withdraw"}


class Alone:
    """Stores in which each customer is alone: what it is told there, behind all walls."""

    def __init__(self, stores: Mapping[int, Store]) -> None:
        self.stores = stores
        self.known: dict[Any, Any] = {}

    def told(self, question: str, owner: int, chosen: Mapping[str, Any]) -> Any:
        call = (question, owner, tuple((name, repr(chosen[name])) for name in sorted(chosen)))
        if call not in self.known:
            store = self.stores[owner]
            before = figures(rows_of(store, owner)) if question in WRITE else {}
            self.known[call] = ask(question, Scope(owner, store.settings.database_url), chosen)
            if before:
                put_back(store, before, owner)
        return self.known[call]


class World:
    """A store of both customers, some of its walls taken away."""

    def __init__(self, store: Store, alone: Alone, *taken: str) -> None:
        self.store, self.alone, self.taken = store, alone, taken
        rows = {owner: rows_of(store, owner) for owner in OWNERS}
        self.before = {owner: figures(found) for owner, found in rows.items()}
        self.words = {
            owner: words([row.model_dump() for group in found.values() for row in group])
            for owner, found in rows.items()
        }

    def told(self, question: str, owner: int, chosen: Mapping[str, Any]) -> Any:
        with without(*self.taken):
            return ask(question, Scope(owner, self.store.settings.database_url), chosen)

    def leaks(self, question: str, owner: int, chosen: Mapping[str, Any]) -> bool:
        """Whether the answer, or what the call has written, depends on the other customer."""
        other = next(one for one in OWNERS if one != owner)
        answer = self.told(question, owner, chosen)
        sound = answer == self.alone.told(question, owner, chosen)
        known = self.words[owner] | PLAN_WORDS | words(list(chosen.values()))
        only_theirs = self.words[other] - known
        sound &= not words(answer) & only_theirs
        if question in WRITE:
            sound &= figures(rows_of(self.store, other)) == self.before[other]
            put_back(self.store, self.before[owner], owner)
        return not sound


@pytest.mark.parametrize("question", QUESTIONS)
def test_there_are_arguments_for_every_question(question):
    assert all(choices(question).values())
