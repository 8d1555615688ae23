"""Sessions of several customers side by side, on one server and its shared caches: to each its own.

Ten sessions of five customers; with SOAK=1 fifty of ten, three real browsers, both databases.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from data.identity import Role, add_membership, add_person, hashed, open_session, start_viewing
from data.migrations import migrate
from data.settings import Settings
from tests.attack.concurrent import PAGES, TODAY, Marked, Received, cast, marks_in, seed, walk
from tests.browser.stage import CHROMIUM, chromium, go, settle
from tests.stores import Store
from tests.streamlit_client import connect, serving

SOAK = "SOAK" in os.environ
CUSTOMERS, SESSIONS, BROWSERS = (10, 5, 3) if SOAK else (5, 2, 0)
TITLES = ("Usage", "Spend", "Accounts", "Overview")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Crowd:
    """What everybody was sent; `owner` of a session is whose pages it may see."""

    customers: tuple[Marked, ...]
    sessions: list[tuple[Marked, Received]]
    viewings: list[tuple[Marked, Received]]
    browsers: list[tuple[Marked, Received]]

    @property
    def everybody(self) -> list[tuple[Marked, Received]]:
        return [*self.sessions, *self.viewings, *self.browsers]


@dataclass(frozen=True)
class Door:
    store: Store
    base: str
    together: Barrier

    def enter(self, email: str, role: Role, customer: int | None = None) -> str:
        """The secret of a new session."""
        person = add_person(self.store.app, email, email)
        member = add_membership(self.store.app, person, role, customer)
        return open_session(self.store.app, member, "link", datetime.now(UTC), life=HOUR)

    def session(self, one: Marked, secret: str, start: int) -> Received:
        cookie = f"dash_session={secret}"
        with connect(self.base, cookie=cookie) as page:
            self.together.wait(timeout=120)
            return walk(page, self.base, cookie, start)

    def viewing(self, customers: tuple[Marked, ...], secret: str) -> list[tuple[Marked, Received]]:
        """Support looks at one customer after another, through one and the same socket."""
        cookie, seen = f"dash_session={secret}", []
        with connect(self.base, cookie=cookie) as page:
            self.together.wait(timeout=120)
            for one in customers:
                now = datetime.now(UTC)
                start_viewing(self.store.app, hashed(secret), one.id, "Ticket 4711", now)
                page.page_hash = ""
                seen.append((one, walk(page, self.base, cookie, one.id)))
        return seen

    def browser(self, one: Marked, secret: str) -> Received:
        got = Received()

        def keep(data: str | bytes) -> None:
            got.keep("socket", [data if isinstance(data, bytes) else data.encode()])

        with chromium() as running:
            page = running.new_context().new_page()
            page.context.add_cookies([{"name": "dash_session", "value": secret, "url": self.base}])
            page.on("websocket", lambda socket: socket.on("framereceived", keep))
            self.together.wait(timeout=120)
            page.goto(self.base)
            settle(page)
            for title in TITLES:
                go(page, title)
                got.keep(title, [page.content().encode()])
        return got


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if SOAK else ["sqlite"])
def store(request, tmp_path_factory) -> Iterator[Store]:
    if request.param == "postgresql":
        yield request.getfixturevalue("migrated_postgres")
        return
    url = f"sqlite:///{tmp_path_factory.mktemp('crowd') / 'crowd.sqlite'}"
    made = Store(Settings(database_url=url, demo=True, _env_file=None))
    migrate(made.settings)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def crowd(store) -> Iterator[Crowd]:
    """Everybody at once, each starting on another page."""
    customers = cast(CUSTOMERS)
    seed(store, customers)
    environment = {
        "DEMO": "1",
        "DEMO_TODAY": str(TODAY),
        "DATABASE_URL": store.settings.database_url,
        "DATABASE_ADMIN_URL": store.settings.admin_url,
        "SYNC_EVERY": "off",
    }
    browsers = BROWSERS if CHROMIUM else 0
    owners = customers * SESSIONS
    with serving("streamlit_app:app", **environment) as base:
        door = Door(store, base, Barrier(len(owners) + browsers + 1))
        with ThreadPoolExecutor(len(owners) + browsers + 1) as pool:

            def sent(act: Callable, one: Marked, n: int, *rest: object):
                secret = door.enter(f"p{n}@{one.words[0]}.test", Role.VIEWER, one.id)
                return one, pool.submit(act, one, secret, *rest)

            staff = pool.submit(
                door.viewing, customers[:2], door.enter("sue@isv.test", Role.SUPPORT)
            )
            walks = [sent(door.session, one, n, n) for n, one in enumerate(owners)]
            looks = [sent(door.browser, one, 1000) for one in customers[:browsers]]
            yield Crowd(
                customers,
                [(one, walked.result()) for one, walked in walks],
                staff.result(),
                [(one, looked.result()) for one, looked in looks],
            )


WRITTEN = {
    "a number in a chart": ("[1,4839201773,7.5]", "4839201773"),
    "a fraction of it": ('{"y":4839201773.25}', "4839201773"),
    "a number in a sentence": ("4,839,201,773 SMS segments", "4839201773"),
    "an amount": ("$123,456,789.00", "123456789"),
    "a name": ("<h2>qzabcdefghzq</h2>", "qzabcdefghzq"),
    "an account": ("/AC" + "0f" * 16 + "/", "AC" + "0f" * 16),
}


@pytest.mark.parametrize(("text", "mark"), WRITTEN.values(), ids=WRITTEN)
def test_a_mark_is_seen_however_it_is_written(text, mark):
    assert marks_in(text.encode()) == {mark}


def test_everybody_finds_every_number_and_name_of_their_own(crowd):
    assert len(crowd.sessions) == CUSTOMERS * SESSIONS
    for one, got in [*crowd.sessions, *crowd.viewings]:
        assert one.shown - got.marks == set()


def test_on_every_page_there_is_something_of_ones_own(crowd):
    for one, got in [*crowd.sessions, *crowd.viewings]:
        assert [path for path in PAGES if not got.marks_on(path) & one.shown] == []
        numbers = one.shown - {*one.words}
        assert [path for path in PAGES if not got.marks_on(path) & numbers] == ["accounts"]


def test_a_real_browser_is_sent_its_customers_own(crowd):
    assert len(crowd.browsers) == (BROWSERS if CHROMIUM else 0)
    for one, got in crowd.browsers:
        assert [title for title in TITLES if not got.marks_on(title) & one.shown] == []


def test_nobody_is_sent_a_number_a_name_or_an_account_of_another_customer(crowd):
    for mine, got in crowd.everybody:
        others = frozenset().union(*(one.marks for one in crowd.customers if one is not mine))
        assert got.marks & others == set()


def test_nobody_is_sent_what_twilio_charges(crowd):
    costs = frozenset().union(*(one.costs.values() for one in crowd.customers))
    for _, got in crowd.everybody:
        assert got.marks & costs == set()


def test_a_download_holds_its_customers_own(crowd):
    files = [(one, file) for one, got in crowd.everybody for file in got.files]
    own = {one.id for one, file in files if marks_in(file) & one.shown}
    assert own == {one.id for one in crowd.customers}
    for _, got in [*crowd.sessions, *crowd.viewings]:
        assert [address for address in got.media if address.endswith(".csv")]
