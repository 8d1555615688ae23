"""Each wall stands alone: the guard, the written filter, and on PostgreSQL row-level security."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data.backtest.run import back_test
from data.closing import close_due
from data.errors import AccessError
from data.scope import Scope
from data.store import _version_asked, subscriptions
from tests.attack.stripped import ROOT, recorded, without
from tests.attack.test_walls_questions import QUESTIONS, WRITE, Alone, World, ask, choices
from tests.attack.test_walls_world import (
    LATER,
    OWNERS,
    copied,
    figures,
    fill,
    filled_files,
    rows_of,
    separate,
)
from tests.stores import ACME, BETA, noon

ROUNDS = 2  # of calls of each question
FIRST = ("main", "ended")  # about the subscriptions of both, then about any
MANY = 12
WALLS = {
    "the guard alone": ("sqlite", ("filter",)),
    "the filter alone": ("sqlite", ("guard",)),
    "row-level security alone": ("postgresql", ("filter", "guard")),
}
# They answer from what is the deployment's, or from the arguments alone.
SAME_FOR_ALL = {
    "data.explorer.meters_shown",  # of the plan, of which both have the same meters
    "data.plans.all_plans",
    "data.service_rows.incidents",
    "data.track_record.calibrations",
}


@pytest.fixture(scope="session")
def filled(sqlite_template, tmp_path_factory) -> Mapping[str, Path]:
    return filled_files(sqlite_template, tmp_path_factory.mktemp("walls"), seed=1)


@pytest.fixture(scope="session")
def alone(filled, tmp_path_factory):
    return Alone(separate(filled, tmp_path_factory.mktemp("alone")))


@pytest.fixture
def both(filled, tmp_path):
    return copied(filled["both"], tmp_path / "both")


def calls(question: str, rounds: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for n in range(rounds):
        chance = Random(f"{question}/{n}")
        chosen = {name: chance.choice(values) for name, values in choices(question).items()}
        for owner in OWNERS:
            yield owner, chosen | dict(zip(["key"], FIRST[n : n + 1], strict=False))


def leaking(world: World, rounds: int = ROUNDS) -> list[str]:
    return [
        question
        for question in QUESTIONS
        if any(world.leaks(question, owner, chosen) for owner, chosen in calls(question, rounds))
    ]


@pytest.mark.parametrize(("database", "taken"), WALLS.values(), ids=WALLS)
def test_a_customer_is_told_and_writes_the_same_behind_one_wall(request, alone, database, taken):
    if database == "sqlite":
        store = request.getfixturevalue("both")
    else:
        store = fill(request.getfixturevalue("postgres_store"), 1, ACME, BETA)
    assert leaking(World(store, alone, *taken)) == []


def test_without_any_wall_every_question_leaks(both, alone):
    world = World(both, alone, "filter", "guard")
    assert set(QUESTIONS) - set(leaking(world, MANY)) == SAME_FOR_ALL


@pytest.mark.parametrize("taken", ["filter", "guard"])
def test_the_scheduled_steps_need_one_wall_only(filled, both, tmp_path, taken):
    alone = separate(filled, tmp_path)
    for store in (*alone.values(), both):
        with without(*([taken] if store is both else [])):
            for step in (scheduled_closing, scheduled_back_test):
                step(store)
    for owner, store in alone.items():
        assert figures(rows_of(both, owner)) == figures(rows_of(store, owner))


@pytest.mark.parametrize("question", sorted(WRITE))
def test_who_may_only_look_changes_nothing(filled, tmp_path, question):
    store = copied(filled["both"], tmp_path / "looked-at")
    before = [figures(rows_of(store, owner)) for owner in OWNERS]
    view = Scope(ACME, store.settings.database_url, read_only=True)
    told = [ask(question, view, chosen) for _, chosen in calls(question, MANY)]
    assert (AccessError, "This view is read-only.") in told
    assert [figures(rows_of(store, owner)) for owner in OWNERS] == before


def scheduled_closing(store):
    done = close_due(store.owner, settling_days=3, today=LATER, now=noon(LATER))
    assert all((done.closed, done.adjusted, done.posted))
    assert not done.failed


def scheduled_back_test(store):
    given = {"today": LATER, "now": noon(LATER), "settling_days": 3}
    assert back_test(store.owner, **given, again=True).cases


# Every statement of the source


STATEMENTS = {"select", "insert", "update", "delete"}
Function = tuple[str, str]  # module, name
# How far an account was read is the deployment's own affair: asked under EveryTenant.
WIDER = {("data.closing", "read_from"), ("data.service_rows", "read_through")}


def _modules() -> Mapping[str, ast.Module]:
    """The source, by the name of the module; migrations and the wall itself are none of it."""
    paths = (path.relative_to(ROOT) for path in (ROOT / "data").rglob("*.py"))
    return {
        ".".join(path.with_suffix("").parts): ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for path in sorted(paths)
        if "migrations" not in path.parts and path.name != "scope.py"
    }


def _names(tree: ast.Module, module: str) -> Mapping[str, Function]:
    """What a name in the module stands for: a function of its own, or one imported from ours."""
    found = {node.name: (module, node.name) for node in tree.body if _is_function(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("data"):
            found |= {one.asname or one.name: (node.module, one.name) for one in node.names}
    return found


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef)


def _begins_under_a_scope(function: ast.FunctionDef) -> bool:
    text = ast.unparse(function)
    annotated = [ast.unparse(one.annotation) for one in function.args.args if one.annotation]
    return {"Scope", "AnyScope"} & set(annotated) or "writing(due.scope)" in text


def statements_under_a_scope() -> set[tuple[str, int]]:
    """Where a statement is written that a function with a scope, or one it calls, executes."""
    trees = _modules()
    bodies = {
        (module, node.name): node
        for module, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    names = {module: _names(tree, module) for module, tree in trees.items()}
    waiting = [key for key, node in bodies.items() if _begins_under_a_scope(node)]
    reached: set[Function] = set()
    while waiting:
        key = waiting.pop()
        if key in reached or key not in bodies:
            continue
        reached.add(key)
        used = {one.id for one in ast.walk(bodies[key]) if isinstance(one, ast.Name)}
        waiting += [names[key[0]][name] for name in used if name in names[key[0]]]
    return {
        (f"{module.replace('.', '/')}.py", node.lineno)
        for module, name in reached - WIDER
        for node in ast.walk(bodies[module, name])
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in STATEMENTS
    }


@pytest.fixture(scope="session")
def statements(filled, tmp_path_factory):
    """What all questions and both scheduled steps have executed under a scope."""
    store = copied(filled["both"], tmp_path_factory.mktemp("statements") / "both")
    _version_asked.cache_clear()  # built once a process: now, where it is seen
    with recorded() as record:
        scheduled_closing(store)
        scheduled_back_test(store)
        for question in QUESTIONS:
            for owner, chosen in calls(question, ROUNDS):
                ask(question, Scope(owner, store.settings.database_url), chosen)
    store.dispose()
    return record


def test_every_statement_under_a_scope_is_executed_here(statements):
    written = statements_under_a_scope()
    assert len(written) > 30
    assert sorted(written - statements.executed) == []


def test_every_statement_under_a_scope_names_its_customer(statements):
    assert sorted(statements.unfiltered) == []


def test_a_statement_that_does_not_name_its_customer_is_seen(both):
    with recorded() as record, without("filter"):
        subscriptions(both.acme)
    assert {table for _, table in record.unfiltered} == {"subscription", "account", "plan_change"}
