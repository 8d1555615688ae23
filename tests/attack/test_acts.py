"""Acts of pages: whatever writes asks who does it in the very call, and refuses who may not.

The laws are read from the source, so that an act that nobody has thought of here is held to them.
"""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import select

from dashboard.access import MAY, Permission
from dashboard.access.permission import WHILE_VIEWING
from dashboard.views import agreement_credits, agreements, ask, import_customers, plans, requests
from dashboard.views import customer as desk
from data.customer_acts import agreement
from data.customers_file import PlanEntry
from data.errors import AccessError
from data.grants import CreditEntry
from data.identity import Role, add_membership, entries, start_viewing
from data.models import TABLES
from data.notes import notes
from data.periods import period_of
from data.requests import ask as asked_for
from data.requests import open_requests, requests_of
from data.scope import reading
from data.settings import ROOT
from tests.bills import agreed, credit_price, overage
from tests.staffed import (
    ANNA,
    ARON,
    BILLING,
    DEVELOPER,
    SUPPORT,
    looking_on,
    put_people,
    viewer,
)
from tests.stores import ACME, BETA, on_plan, version

# What pages call of data/ to write, and how an act asks who does it.
WRITES = {
    *("ask", "withdraw", "answer", "add_note", "assign_plan", "withdraw_plan"),
    *("grant_credits", "void_credits", "close_period", "save_version", "import_csv"),
}
ASKS = ("actor(", "acting(", ".require(")
VIEWS = {
    path.stem: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "dashboard" / "views").glob("*.py"))
}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for module, tree in VIEWS.items():
        yield from ((module, one) for one in tree.body if isinstance(one, ast.FunctionDef))


def marked(function: ast.FunctionDef, name: str) -> bool:
    return any(ast.unparse(one).startswith(name) for one in function.decorator_list)


def first_line(function: ast.FunctionDef) -> str:
    body = [one for one in function.body if not _is_docstring(one)]
    return ast.unparse(body[0])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_every_dialog_asks_again_before_it_shows_anything():
    dialogs = {f"{m}.{f.name}": first_line(f) for m, f in functions() if marked(f, "dialog(")}
    assert len(dialogs) > 12
    assert {name for name, line in dialogs.items() if not line.startswith("must_still(")} == set()


def test_parts_that_run_without_their_page_are_ours_which_ask_again():
    """Streamlit's own decorators ask nobody: they stand in the two modules that wrap them."""
    bare = {
        module
        for module, tree in VIEWS.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("st.fragment", "st.dialog")
    }
    assert bare == {"dialogs", "fragments"}


def written_by(module: str) -> set[str]:
    """Names under which the module knows a function of data/ that writes."""
    return {
        one.asname or one.name
        for node in ast.walk(VIEWS[module])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("data.")
        for one in node.names
        if one.name in WRITES
    }


def test_every_act_asks_who_does_it_in_the_very_call():
    acts = {}
    for module, function in functions():
        called = {ast.unparse(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)}
        if called & written_by(module):
            acts[f"{module}.{function.name}"] = ast.unparse(function)
    assert len(acts) >= 9
    unasked = {name for name, text in acts.items() if not any(one in text for one in ASKS)}
    # Judges the rows without storing them, in a fragment that has asked.
    assert unasked == {"import_customers._judged"}


def test_whoever_may_change_plans_may_see_cost():
    """Its preview prices the past by terms that follow cost: its amounts tell it."""
    for may in (*MAY.values(), WHILE_VIEWING):
        assert Permission.VIEW_COST in may or Permission.CHANGE_PLANS not in may


# Every act, tried by who may not


PACK = {"name": "small", "credits": "100", "price": "10", "units_per_credit": {"sms": "5"}}
PLAN = agreed(overage("small"), plan="bundle")
CREDITS = agreed(credit_price(packs=[PACK]), plan="credits")
TODAY = datetime.now(UTC).date()  # sessions live by the real clock
GRANT = CreditEntry(key="gift", pack="small", bought_on=TODAY)
VOID = GRANT.model_copy(update={"voided_on": TODAY})
CHANGE = PlanEntry.model_validate({"plan": "credits", "version": 1, "from": TODAY})
PAST = period_of(TODAY - timedelta(days=40))


@pytest.fixture
def world(store):
    put_people(store)
    store.put(version(PLAN), version(CREDITS), on_plan(ACME, PLAN), on_plan(BETA, PLAN))
    by = {"asked_by": "Anna", "person_id": None, "now": datetime.now(UTC)}
    asked_for(store.acme, "main", "tier", "large", **by)
    return store


def visit_of(store, who) -> Any:
    """As much of a visit as acts read."""
    now, own = datetime.now(UTC), SimpleNamespace(key="main", plan="Bundle")
    times = {"clock": now, "now": now, "today": TODAY}
    return SimpleNamespace(viewer=who, settings=store.settings, subscription=own, **times)


def acts(store, visit) -> dict[str, partial[object]]:
    entry, [waiting] = agreement(store.app, "acme"), open_requests(store.app, TODAY)
    rows = "slug,name\nnew,New"
    return {
        "agree": partial(agreements._do_agree, entry, CHANGE, "why", visit),
        "take back": partial(agreements._do_take_back, entry, entry.plans[0], "why", visit),
        "close": partial(agreements._do_close, store.acme, "main", "Acme", PAST, "why", visit),
        "grant": partial(agreement_credits._do_grant, entry, GRANT, "why", visit),
        "void": partial(agreement_credits._do_void, entry, VOID, "why", visit),
        "save": partial(plans._save, PLAN, 1, "why", visit),
        "import": partial(import_customers._store, rows, "why", visit),
        "answer": partial(requests._send, visit, waiting, granted=True, words="Yes"),
        "note": partial(desk._write, visit, ACME, "Psst"),
        "ask": partial(ask._send, visit, "tier", "medium", ""),
    }


def everything(store) -> dict[str, list[str]]:
    with reading(store.owner) as session:
        return {
            table.__tablename__: sorted(
                repr(row.model_dump()) for row in session.exec(select(table))
            )
            for table in TABLES
        }


OWN, STAFFS = {"ask"}, {"note"}  # all others are for who may change plans
MAY_DO = {
    "a viewer": set(),
    "a manager": OWN,
    "support": STAFFS,
    "a developer": STAFFS,
    "a billing manager who looks on": set(),
    "support who looks on": set(),
}


def somebody(store, who):
    now = datetime.now(UTC)
    if who.endswith("looks on"):
        return looking_on(store, SUPPORT if who.startswith("support") else BILLING, ACME, now)
    members = {"a viewer": ARON, "a manager": ANNA, "support": SUPPORT, "a developer": DEVELOPER}
    return viewer(store, members[who], now)


@pytest.mark.parametrize("who", MAY_DO)
def test_who_may_not_changes_nothing_and_leaves_no_entry(world, who):
    visit = visit_of(world, somebody(world, who))
    before = everything(world)
    refused = acts(world, visit).keys() - MAY_DO[who]
    for name in sorted(refused):
        with pytest.raises(AccessError):
            acts(world, visit)[name]()
    assert everything(world) == before
    assert len(refused) >= 9


@pytest.mark.parametrize(
    ("member", "name", "role", "owner"),
    [
        (ANNA, "ask", Role.VIEWER, ACME),
        (BILLING, "answer", Role.SUPPORT, None),
    ],
)
def test_a_role_that_was_changed_while_a_dialog_stood_open_ends_the_act(
    world, member, name, role, owner
):
    visit = visit_of(world, viewer(world, member, datetime.now(UTC)))
    add_membership(world.app, member, role, owner)  # people have the numbers of their first roles
    before = everything(world)
    with pytest.raises(AccessError):
        acts(world, visit)[name]()
    assert everything(world) == before


def test_a_view_that_began_while_a_dialog_stood_open_ends_the_act(world):
    now = datetime.now(UTC)
    staff = viewer(world, SUPPORT, now)
    start_viewing(world.app, staff.key, ACME, "ticket 7", now)
    with pytest.raises(AccessError, match="session has ended"):
        desk._write(visit_of(world, staff), ACME, "Psst")
    assert notes(world.app, ACME) == ()


def test_who_may_does_and_the_log_has_it(world):
    desk._write(visit_of(world, somebody(world, "support")), ACME, "Calls on Mondays")
    assert [one.text for one in notes(world.app, ACME)] == ["Calls on Mondays"]
    assert [one.action for one in entries(world.app, limit=1)] == ["note_written"]
    assert [one.wanted for one in requests_of(world.beta)] == []
