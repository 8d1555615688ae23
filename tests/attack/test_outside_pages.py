"""Every page through the socket, as everybody: one's own is found, and nothing of anybody else.

Addresses and widgets are then given what is another customer's, and what does not exist: the
answers are equal but for the words that were sent.
"""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.access import MAY, Permission, viewer_of
from dashboard.door import KEPT
from dashboard.views import PAGES
from data import identity
from data.errors import AccessError
from data.identity import hashed
from data.models import Customer
from data.scope import Scope, writing
from data.settings import ROOT
from tests.attack.concurrent import Marked, marks_in
from tests.attack.outside import EVERYBODY, PEOPLE, Outside, drawn, opened
from tests.streamlit_client import Page, connect

PATHS = [page.path for page in PAGES]
OWN = [page.path for page in PAGES if page.permission is Permission.VIEW_OWN]
BY_DAY = ("overview", "usage")  # pages on which every day's own figure stands
PARAMETERS = (  # read from the address, or a name that somebody might think is
    *sorted(KEPT - {"lang"}),  # which is of the browser, not of anybody's data
    *("subscription", "customer_id", "session", "role", "viewing", "going_to", "open_customer"),
    *("page", "fragment_id", "scope", "asked_act"),
)
ABSENT = ("qzxxxxxxxxzq", "AC" + "0" * 31 + "f", "9")  # as long as theirs


@pytest.fixture(scope="module")
def seen(outside) -> dict[str, dict[str, tuple[bytes, list[bytes]]]]:
    """What everybody is sent for each page of the app: the bytes, and what they draw."""
    found: dict[str, dict[str, tuple[bytes, list[bytes]]]] = {}
    for who in EVERYBODY:
        with connect(outside.base, outside.cookie(who)) as page:
            for path in PATHS:
                found.setdefault(who, {})[path] = (opened(page, path), drawn(page.frames))
    return found


AT_A_CUSTOMER = [who for who in EVERYBODY if who not in PEOPLE or PEOPLE[who][1] is not None]
STAFF = [who for who in EVERYBODY if who not in AT_A_CUSTOMER]


@pytest.mark.parametrize("who", AT_A_CUSTOMER)
def test_a_customers_pages_show_its_own_and_nothing_of_another(outside, seen, who):
    owner = outside.owner(who)
    for path in OWN:
        marks = marks_in(seen[who][path][0])
        assert not marks & outside.foreign(who), path
        assert not marks & {*owner.costs.values()}, path
        if outside.may(who, path):
            figures = outside.marks[owner.id] - {*owner.costs.values()}
            if path in BY_DAY:
                figures = frozenset(owner.counts.values())
            assert marks & figures, path


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_page_that_is_not_ones_own_is_like_one_that_does_not_exist(outside, seen, who):
    hidden = [path for path in PATHS if not outside.may(who, path)]
    assert hidden
    with connect(outside.base, outside.cookie(who)) as page:
        opened(page, "no-such-page")
        absent = drawn(page.frames)
    assert [path for path in hidden if seen[who][path][1] != absent] == []


@pytest.mark.parametrize("who", STAFF)
def test_staff_see_no_figures_of_anybody_without_a_reason(outside, seen, who):
    """And what Twilio charges only in the roles that may."""
    for path in PATHS:
        marks = marks_in(seen[who][path][0])
        for one in outside.customers:
            assert not marks & {*one.counts.values()}, path
            if Permission.VIEW_COST not in MAY[PEOPLE[who][0]]:
                assert not marks & {*one.costs.values()}, path


def test_whoever_looks_on_searches_customers_and_finds_no_figures(outside, seen):
    marks = marks_in(seen["looking on"]["customers"][0])
    assert not marks & frozenset().union(*(one.counts.values() for one in outside.customers))


# Addresses


READING = re.compile(
    r"\b(?:st\.query_params\.get|address\.(?:pick|write))\(\s*(?:\*\(\s*)?([\w\"]+)"
)


def read_from_addresses() -> Iterator[str]:
    """Names that the source asks an address for, constants resolved."""
    for file in sorted((ROOT / "dashboard").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for name in READING.findall(text):
            if name != "name":  # a parameter: whoever gives it says which
                yield name.strip('"') if name.startswith('"') else constant(file, name)


def constant(file: Path, name: str) -> str:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for left, right in pairs:
                if isinstance(left, ast.Name) and left.id == name:
                    return str(ast.literal_eval(right))
    raise LookupError(name)


def test_all_that_is_read_from_an_address_is_attacked():
    found = {*read_from_addresses()}
    assert found
    assert found - {"lang"} <= {*PARAMETERS}


def theirs(one: Marked) -> tuple[str, ...]:
    """Name, SID and id of a customer, in the order of ABSENT."""
    return one.words[0], one.sids[0], str(one.id)


@pytest.mark.parametrize("who", ["viewer", "frame", "looking on"])
def test_an_address_with_anothers_ids_is_like_one_with_nobodys(outside, who):
    with connect(outside.base, outside.cookie(who)) as page:
        for path in (path for path in OWN if outside.may(who, path)):
            for there, absent in zip(theirs(outside.other), ABSENT, strict=True):
                got = [asked(outside, who, page, path, word) for word in (there, absent)]
                assert got[0] == got[1], (path, there)


def asked(outside: Outside, who: str, page: Page, path: str, word: str) -> list[bytes]:
    raw = opened(page, path, urlencode(dict.fromkeys(PARAMETERS, word)))
    assert not marks_in(raw) & outside.foreign(who) - {word}, (path, word)
    # A short one is left out where a page's links repeat its own address.
    echoed = [word] if len(word) > 3 else [f"={word}&amp;", f'={word}"']
    return drawn(page.frames, *echoed)


# Widgets


def widgets(page: Page, *, buttons: bool = True) -> set[str]:
    """Their ids.  Any value presses a button, and one of them signs out."""
    found = [one for one in page.elements if getattr(one, "id", "").startswith("$$")]
    return {one.id for one in found if buttons or one.DESCRIPTOR.name != "Button"}


NONSENSE: tuple[Any, ...] = (-1, 10**18, 1e300, "x" * 50_000, ["x"] * 1000, "\x00", "$$ID-", "[]")


@pytest.mark.parametrize("who", ["viewer", "frame"])
def test_a_forged_choice_chooses_nothing_of_another(outside, who):
    """Every widget that was ever on the page, given anothers' ids, nobody's, and nonsense."""
    with connect(outside.base, outside.cookie(who)) as page:
        for path in (path for path in OWN if outside.may(who, path)):
            opened(page, path)
            ids = widgets(page, buttons=False)
            for there, absent in zip(theirs(outside.other), ABSENT, strict=True):
                got = [forged(outside, who, page, path, ids, one) for one in (there, absent)]
                assert got[0] == got[1], (path, there)
        for value in NONSENSE:
            forged(outside, who, page, "usage", ids, value)


def forged(
    outside: Outside, who: str, page: Page, path: str, ids: set[str], value: Any
) -> list[bytes]:
    raw = opened(page, path, **dict.fromkeys(sorted(ids), value))
    assert not marks_in(raw) & outside.foreign(who), (path, value)
    assert b"Traceback" not in raw
    return drawn(page.frames, *([value] if isinstance(value, str) and len(value) > 3 else []))


@pytest.mark.parametrize("who", ["viewer", "manager", "frame"])
def test_the_buttons_of_staff_do_nothing_for_a_customer(outside, who):
    """Their ids are known to whoever has been staff: pressed all at once, and one by one."""
    with connect(outside.base, outside.cookie("administrator")) as staff:
        ids: set[str] = set()
        for path in (path for path in PATHS if path not in OWN):
            opened(staff, path)
            ids |= widgets(staff)
    assert any(f"open_{outside.other.id}" in id for id in ids)
    before = (len(identity.people(outside.store.app)), len(identity.api_keys(outside.store.app)))
    with connect(outside.base, outside.cookie(who)) as page:
        opened(page, "usage")
        plain = drawn(page.frames)
        ids -= widgets(page)  # everybody's, as the one to sign out
        for pressed in (ids, {id for id in ids if "open_" in id}):
            opened(page, "usage", **dict.fromkeys(sorted(pressed), True))
            assert drawn(page.frames) == plain
            raw = opened(page, "customers", **dict.fromkeys(sorted(pressed), True))
            assert not marks_in(raw) & outside.foreign(who)
    after = (len(identity.people(outside.store.app)), len(identity.api_keys(outside.store.app)))
    assert after == before


# While looking on


def test_whoever_looks_on_connects_nothing(outside):
    cookie = outside.cookie("looking on")
    for method, path in (("POST", "/connect/start"), ("GET", "/connect/callback?state=x")):
        assert outside.ask(method, path, cookie).status == 403
    with connect(outside.base, cookie) as page:
        assert b"/connect/start" not in opened(page, "accounts")
    with connect(outside.base, outside.cookie("manager")) as page:
        assert b"/connect/start" in opened(page, "accounts")


def test_whoever_looks_on_writes_nothing_in_the_store_either(outside):
    app, now = outside.store.app, datetime.now(UTC)
    scopes = {}
    for who in ("looking on", "viewer", "frame", "manager"):
        viewer = viewer_of(hashed(outside.secret(who)), app.url, now)
        scopes[who] = viewer.scope
    assert {who for who, scope in scopes.items() if not scope.read_only} == {"manager"}
    for who in ("looking on", "viewer", "frame"):
        with pytest.raises(AccessError):
            rename(scopes[who])


def rename(scope: Scope) -> None:
    with writing(scope) as session:
        one = session.get(Customer, scope.customer_id)
        one.name = "Renamed"
        session.add(one)


def test_looking_on_ends_with_its_time_in_the_open_page(outside):
    """At once for the next run, whatever page is asked for."""
    secret = outside.secret("looking on")
    with connect(outside.base, f"dash_session={secret}") as page:
        assert marks_in(opened(page, "usage")) & {*outside.mine.counts.values()}
        identity.stop_viewing(outside.store.app, hashed(secret), datetime.now(UTC))
        for path in OWN:
            assert not marks_in(opened(page, path)) & {*outside.mine.counts.values()}
