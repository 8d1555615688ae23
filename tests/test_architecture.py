"""The laws of the house, checked on the source.  An exception is a line here, with its reason."""

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import get_args

import pytest

from dashboard.views import PAGES
from data.commands.app import app as command_line
from data.pricing import Price
from data.settings import Settings
from tests.rooms import (
    APART,
    CLOCKS,
    EXACT,
    HOMES,
    LAYERS,
    MAY_IMPORT_UPWARDS,
    MAY_WRITE_SQL,
    RAW_SQL,
    READERS,
    SESSIONS,
)

ROOT = Path(__file__).parent.parent
Problems = Iterator[str]

LONGEST_FILE, LONGEST_FUNCTION = 400, 50
REVISIONS = "data.migrations.versions"  # written once by Alembic and read in one go


def inside(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def sources(*rooms: str) -> dict[str, str]:
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    return {name_of(path): path.read_text(encoding="utf-8") for path in sorted(files)}


OURS = sources("data", "dashboard") | {
    name: (ROOT / f"{name}.py").read_text(encoding="utf-8")
    for name in ("streamlit_app", "run")
    if (ROOT / f"{name}.py").exists()
}


@lru_cache(maxsize=512)
def tree(source: str) -> ast.Module:
    return ast.parse(source)


def imports(source: str) -> Iterator[tuple[str, list[str]]]:
    """(module, names taken from it), wherever in the source."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]


def our_imports(source: str) -> Iterator[str]:
    """The modules of ours that it imports; `from data import store` is one of data.store."""
    for module, names in imports(source):
        if module.split(".")[0] in ("data", "dashboard", "streamlit_app", "run"):
            inner = [f"{module}.{name}" for name in names if f"{module}.{name}" in OURS]
            yield from inner or [module]


def layer(module: str) -> int:
    rooms = [(room, n) for n, line in enumerate(LAYERS) for room in line if inside(module, room)]
    return max(rooms, default=("", -1))[1]


def upward_imports(module: str, source: str) -> Problems:
    for target in our_imports(source):
        apart = any(inside(module, one) and inside(target, two) for one, two in APART)
        upward = layer(target) > layer(module) and (module, target) not in MAY_IMPORT_UPWARDS
        if upward or apart:
            yield f"{module} imports {target}"


def strays(module: str, source: str) -> Problems:
    for target, _ in imports(source):
        homes = HOMES.get(target.split(".")[0])
        if homes and not any(inside(module, home) for home in homes):
            yield f"{module} imports {target}"


def other_sessions(module: str, source: str) -> Problems:
    makers = {"Session", "create_engine", "sessionmaker", "scoped_session", "AsyncSession"}
    for target, names in imports(source):
        if module not in SESSIONS and makers & set(names):
            yield f"{module} imports {makers & set(names)} from {target}"


def raw_sql(module: str, source: str) -> Problems:
    if any(inside(module, home) for home in RAW_SQL) or module in MAY_WRITE_SQL:
        return
    for target, names in imports(source):
        if target.startswith(("sqlalchemy", "sqlmodel")) and {"text", "literal_column"} & set(
            names
        ):
            yield f"{module} imports text from {target}"
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("exec_driver_sql", "executescript"):
            yield f"{module} calls {node.attr}"


def functions(source: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def arguments(function: ast.FunctionDef) -> list[str]:
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def unscoped_questions(module: str, source: str) -> Problems:
    if module not in READERS:
        return
    for node in tree(source).body:
        public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if public and arguments(node)[:1] != ["scope"]:
            yield f"{module}.{node.name} does not take scope first"


def leaky_caches(module: str, source: str) -> Problems:
    for function in functions(source):
        for mark in function.decorator_list:
            if "st.cache_" not in ast.unparse(mark):
                continue
            bounds = {one.arg for one in mark.keywords} if isinstance(mark, ast.Call) else set()
            if not bounds & {"ttl", "max_entries"}:
                yield f"{module}.{function.name} is cached without a bound"
            if arguments(function)[:1] != ["scope"]:
                yield f"{module}.{function.name} is cached without scope as its first argument"
            if hidden := [name for name in arguments(function) if name.startswith("_")]:
                yield f"{module}.{function.name} is cached without {hidden} in its key"


def floats(module: str, source: str) -> Problems:
    if not any(inside(module, room) for room in EXACT):
        return
    for node in ast.walk(tree(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if literal or (isinstance(node, ast.Call) and ast.unparse(node.func) == "float"):
            yield f"{module}, line {node.lineno}: {ast.unparse(node)}"


def clocks(module: str, source: str) -> Problems:
    if module in CLOCKS:
        return
    read = {"now", "utcnow", "today", "time", "monotonic", "time_ns"}
    holders = {"datetime", "date", "time", "datetime.datetime", "datetime.date"}
    for node in ast.walk(tree(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in read and ast.unparse(node.func.value) in holders:
            yield f"{module}, line {node.lineno}: {ast.unparse(node)}"


def long_files(module: str, source: str) -> Problems:
    if (count := len(source.splitlines())) > LONGEST_FILE:
        yield f"{module} has {count} lines"


def long_functions(module: str, source: str) -> Problems:
    if inside(module, REVISIONS):
        return
    for function in functions(source):
        count = (function.end_lineno or 0) - function.lineno + 1
        if count > LONGEST_FUNCTION:
            yield f"{module}.{function.name} has {count} lines"


LAWS = {
    law.__name__: law
    for law in (
        *(upward_imports, strays, other_sessions, raw_sql, unscoped_questions, leaky_caches),
        *(floats, clocks, long_files, long_functions),
    )
}
SIZES = ("long_files", "long_functions")


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_the_source_keeps_the_law(law):
    kept = OURS | (sources("tests") if law.__name__ in SIZES else {})
    assert [problem for name, source in kept.items() for problem in law(name, source)] == []


CACHED = "@st.cache_data(ttl=60)\ndef read(scope, key): ...\n"
BREACHES = {
    "a table that knows a page": ("upward_imports", "data.store", "from dashboard import views"),
    "a price that reads the store": ("upward_imports", "data.pricing.tiers", "import data.store"),
    "a page that knows the door": (
        "upward_imports",
        "dashboard.views.spend",
        "def f():\n    from dashboard.door import Door",
    ),
    "twilio elsewhere": ("strays", "data.twilio.sync", "from twilio.rest import Client"),
    "a chart in a page": ("strays", "dashboard.views.spend", "import plotly.express"),
    "a page in the data": ("strays", "data.overview", "import streamlit as st"),
    "a query in a page": ("strays", "dashboard.views.spend", "from sqlmodel import select"),
    "a session of one's own": ("other_sessions", "data.store", "from sqlmodel import Session"),
    "an engine of one's own": (
        "other_sessions",
        "data.store",
        "from sqlalchemy import create_engine",
    ),
    "SQL as text": ("raw_sql", "data.store", "from sqlalchemy import text"),
    "SQL to the driver": ("raw_sql", "data.store", "c.exec_driver_sql('SELECT 1')"),
    "a question to everybody's rows": ("unscoped_questions", "data.store", "def all_usage(): ..."),
    "a cache for ever": ("leaky_caches", "m", "@st.cache_data\ndef read(scope): ..."),
    "a cache of things for ever": ("leaky_caches", "m", "@st.cache_resource\ndef read(scope): ..."),
    "a cache for everybody": ("leaky_caches", "m", CACHED.replace("scope, ", "")),
    "a cache that forgets its key": ("leaky_caches", "m", CACHED.replace("key", "_key")),
    "a cache that forgets its scope": ("leaky_caches", "m", CACHED.replace("scope", "_scope")),
    "a float": ("floats", "data.pricing.tiers", "half = 0.5"),
    "a cast to float": ("floats", "data.statement", "float(amount)"),
    "a clock": ("clocks", "data.overview", "from datetime import date\nd = date.today()"),
    "a clock in UTC": ("clocks", "dashboard.views.spend", "x = datetime.now(UTC)"),
    "a long file": ("long_files", "m", "x = 1\n" * 401),
    "a long function": ("long_functions", "m", "def f():\n" + "    x = 1\n" * 50),
}


@pytest.mark.parametrize(("law", "module", "source"), BREACHES.values(), ids=BREACHES)
def test_a_breach_of_the_law_is_seen(law, module, source):
    assert list(LAWS[law](module, source))


def test_every_law_is_seen_to_be_broken():
    assert {law for law, _, _ in BREACHES.values()} == set(LAWS)


def test_a_cache_that_keeps_the_law_is_allowed():
    assert list(leaky_caches("m", CACHED)) == []


def test_every_module_has_its_layer():
    assert [name for name in OURS if layer(name) < 0 and name not in ("data", "dashboard")] == []


def test_no_module_imports_itself_through_others():
    graph = {name: set(our_imports(source)) - {name} for name, source in OURS.items()}
    TopologicalSorter(graph).prepare()  # CycleError names the modules


def test_exceptions_are_still_needed():
    used = {(name, target) for name, source in OURS.items() for target in our_imports(source)}
    assert set(MAY_IMPORT_UPWARDS) <= used
    assert set(CLOCKS) <= set(OURS) | {"run"}


def shadows(names: set[str]) -> set[str]:
    """Names that `import` would find here instead of where they belong."""
    installed = {name for name in packages_distributions() if "." not in name}
    return names & (set(sys.stdlib_module_names) | installed)


def test_no_module_of_the_dashboard_takes_the_place_of_another():
    assert shadows({path.stem for path in (ROOT / "dashboard").iterdir()}) == set()


def test_a_module_that_takes_the_place_of_another_is_seen():
    assert shadows({"http", "plotly", "spend"}) == {"http", "plotly"}


@pytest.mark.parametrize(
    "name", ["pages", "utils", "helpers", "common", "services", "repositories", "managers"]
)
def test_no_folder_or_module_is_named_so(name):
    assert [module for module in OURS if name in module.split(".")] == []


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> set[str]:
    verbs = {command.name for command in command_line.registered_commands}
    return verbs | {group.name for group in command_line.registered_groups}


NAMED = {
    "command": {f"`{name}`" for name in commands()},
    "setting": {name.upper() for name in Settings.model_fields},
    "strategy": {f"`{one.model_fields['kind'].default}`" for one in get_args(get_args(Price)[0])},
    "page": {page.title for page in PAGES},
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED)
def test_the_readme_names_every(names):
    assert names
    assert sorted(name for name in names if name not in readme()) == []
