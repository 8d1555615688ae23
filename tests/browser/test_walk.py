"""Every page in a real browser: each control changed once, no error, nothing cut, axe content.

`make test` walks each page once, and opens it once more in the other dress; SOAK=1 walks all pages
in both themes, at both widths and in both languages.
"""

import os

import pytest

from dashboard.access import MAY, Role
from dashboard.views import PAGES
from tests.browser.screenshots import ASKED, SIZES
from tests.browser.stage import settle, visit
from tests.browser.states import STATES, break_store, states
from tests.browser.walk import faults, walk

SOAK = bool(os.environ.get("SOAK"))
PEOPLE = {
    "Birch Bakery": Role.MANAGER,
    "Elm Fitness": Role.MANAGER,
    "Cedar Logistics": Role.MANAGER,
    "Sam Support": Role.SUPPORT,
    "Billie Billing": Role.BILLING_MANAGER,
    "Alex Admin": Role.ADMINISTRATOR,
}
# Who opens a page, on a small screen and a large one; those who may share the walking.
SHORT = (
    ("Elm Fitness", "desktop", "light", "en"),
    ("Birch Bakery", "phone", "dark", "de"),
    ("Alex Admin", "desktop", "dark", "en"),
    ("Billie Billing", "phone", "light", "de"),
)
ALL = [
    (person, size, scheme, language)
    for person in PEOPLE
    for size in SIZES
    for scheme in ("light", "dark")
    for language in ("en", "de")
]


def paths_of(person):
    return [page.path for page in PAGES if page.permission in MAY[PEOPLE[person]]]


def walker_of(path):
    may = [person for person, *_ in SHORT if path in paths_of(person)]
    return may[[page.path for page in PAGES].index(path) % len(may)]


@pytest.mark.parametrize(("person", "size", "scheme", "language"), ALL if SOAK else SHORT)
def test_nothing_that_a_visitor_does_on_a_page_goes_wrong(
    browser, live, person, size, scheme, language
):
    page = visit(browser, live, person, "", size=SIZES[size], scheme=scheme)
    found = []
    for path in paths_of(person):
        page.goto(f"{live.base}/{path}{ASKED.get(path, '?')}&lang={language}")
        settle(page)
        walked = SOAK or walker_of(path) == person
        seen = walk(page, thorough=SOAK) if walked else faults(page)
        found += [f"{path}: {fault}" for fault in seen]
    assert found == []


@pytest.fixture(scope="module")
def unusual(tmp_path_factory):
    with states(tmp_path_factory.mktemp("states")) as place:
        yield place


@pytest.mark.parametrize("name", STATES)
def test_every_page_says_in_words_what_is_not_as_usual(browser, unusual, name):
    state = STATES[name]
    found = []
    for size in SIZES if SOAK else ("desktop",):
        page = visit(browser, unusual, state.customer, "overview", size=SIZES[size])
        if state.says not in page.locator(".stMain").inner_text():
            found.append(f"overview: does not say “{state.says}”")
        for page_of in PAGES:
            if page_of.permission not in MAY[Role.MANAGER]:
                continue
            page.goto(f"{unusual.base}/{page_of.path}")
            settle(page)
            found += [f"{page_of.path}: {fault}" for fault in faults(page, axe=SOAK)]
    assert found == []


def test_a_store_that_cannot_be_read_is_said_on_every_page_and_nowhere_with_details(
    browser, unusual
):
    page = visit(browser, unusual, "Birch Bakery", "overview")
    break_store(unusual)  # the last to use it
    for path in ("overview", "usage", "spend"):
        page.goto(f"{unusual.base}/{path}")
        page.locator(".u-state").wait_for()
        text = page.locator(".stApp").inner_text()
        assert "sqlite" not in text.lower()
        assert "account_gone" not in text
        assert "Traceback" not in text
