"""What a customer's page can be handed has no field for what Twilio charges the ISV, by type.

The types are those of every function and value of data/ that the modules behind customers' pages
import, and of all that is in them.
"""

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from dashboard.access import Permission
from dashboard.views import PAGES
from data.errors import AccessError
from data.periods import period_of
from data.scope import Scope
from data.statement import StaffStatement
from data.what_if import Option, options, tried
from tests.bills import agreed, margin, overage
from tests.stores import ACME, BETA, OPENED, customers, on_plan, version

ROOT = Path(__file__).parents[2]
SECRET = {"cost", "costs", "margin", "margins", "markup", "profit", "wholesale"}

# Names that these modules import and customers are not handed, with the reason.
STAFF_ONLY = {
    "StaffStatement": "read_staff_statement is for Permission.VIEW_COST",
    "staff_statement": "read_staff_statement is for Permission.VIEW_COST",
    "StaffExplained": "read_staff_explanation is for Permission.VIEW_COST",
    "staff_explanation": "read_staff_explanation is for Permission.VIEW_COST",
    "Line": "wording.py finds words for the lines of a StaffStatement, too",
    "CreditLots": "a price that says of itself that it follows no cost",
    **dict.fromkeys(
        ("Option", "Tried", "BreakEven", "Growth", "options", "tried", "growth"),
        "a plan that customers may try follows no cost: the test below",
    ),
}


def _imports(module: str) -> Iterator[tuple[str, str]]:
    """(module, name) of each `from … import …` in it."""
    source = Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((_module_of(node.module, one.name), one.name) for one in node.names)


def _module_of(package: str, name: str) -> str:
    """`from dashboard.views import address` is that module, not all pages."""
    within = Path(ROOT, *package.split("."), f"{name}.py")
    return f"{package}.{name}" if package.startswith("dashboard") and within.exists() else package


def modules_of_customers() -> set[str]:
    """The modules of their pages, and all of dashboard/ that these are made of."""
    pages = {page.render.__module__ for page in PAGES if page.permission is Permission.VIEW_OWN}
    waiting, found = [*pages, "dashboard.views.readings", "dashboard.exports"], set[str]()
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            parts = (one for one, _ in _imports(module))
            waiting += [one for one in parts if one.startswith(("dashboard.", "dashboard.views"))]
    return found


def roots() -> dict[str, Any]:
    """What those modules take from data/, by name."""
    return {
        name: getattr(importlib.import_module(source), name)
        for module in modules_of_customers()
        for source, name in _imports(module)
        if source.startswith("data.")
    }


def _parts(kind: Any) -> Iterator[tuple[str, Any]]:
    """Names and types of the values that one of this type holds."""
    if not isinstance(kind, type):
        yield from (("", one) for one in get_args(kind))
    elif dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel):
        yield from get_type_hints(kind).items()
        for name, found in inspect.getmembers(kind, lambda one: isinstance(one, property)):
            yield name, get_type_hints(found.fget).get("return")
    else:
        yield from (("", one) for one in get_args(kind))


def _handed(root: Any) -> Any:
    return get_type_hints(root).get("return") if inspect.isfunction(root) else root


def leaks(root: Any) -> set[str]:
    """Fields, however deep, that are named like what only staff may see."""
    waiting, seen, found = [_handed(root)], list[Any](), set[str]()
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.append(kind)
        for name, inner in _parts(kind):
            if set(name.lower().split("_")) & SECRET:
                found.add(f"{kind.__name__}.{name}")
            waiting.append(inner)
    return found


def test_no_value_of_a_customers_page_has_a_field_for_cost():
    found = {name: leaks(root) for name, root in roots().items() if name not in STAFF_ONLY}
    assert {name: names for name, names in found.items() if names} == {}


def test_the_values_of_every_reading_are_looked_at():
    assert {"overview", "statement", "explanation", "explore", "own_accounts"} <= set(roots())


def test_no_plan_that_customers_may_try_follows_cost(store):
    """Neither among what is offered nor as their own, whatever is agreed."""
    plans = [
        agreed(margin(markup="0.1"), plan="margin", offered=True),
        agreed(overage("small"), plan="bundle", offered=True),
    ]
    store.put(*customers(), *(version(plan) for plan in plans))
    store.put(*(on_plan(owner, plan) for owner, plan in zip((ACME, BETA), plans, strict=True)))
    for scope in (store.acme, store.beta):
        found = options(scope, "main", today=date(2026, 3, 20))
        assert found
        assert not any(one.plan.cost_based for one in found)
        with pytest.raises(AccessError):
            tried(scope, "main", [Option(plans[0])], [period_of(OPENED)], today=date(2026, 3, 20))


@pytest.mark.parametrize("name", STAFF_ONLY)
def test_an_exception_is_still_needed(name):
    assert leaks(roots()[name])


@dataclass(frozen=True)
class Nested:
    days: dict[date, tuple[StaffStatement | None, ...]]


@dataclass(frozen=True)
class Derived:
    amount: Decimal

    @property
    def unit_cost(self) -> Decimal:
        return self.amount


class Terms(BaseModel):
    gross_margin: Decimal


def answer(scope: Scope) -> list[Terms] | None: ...


@pytest.mark.parametrize(
    ("root", "name"),
    [
        pytest.param(Nested, "StaffStatement.cost", id="deep in a collection"),
        pytest.param(Derived, "Derived.unit_cost", id="a property"),
        pytest.param(answer, "Terms.gross_margin", id="the terms a function answers with"),
    ],
)
def test_a_field_for_cost_is_seen(root, name):
    assert name in leaks(root)
