"""When Twilio or the database fails: what was stored stays, the others are read, and it is said."""

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from sqlalchemy import event
from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from data.errors import StoreUnavailable, TwilioBusy, TwilioError, TwilioRefused
from data.models import Account, SyncRun, UsageRecord
from data.scope import engine, reading
from data.settings import Settings
from data.store import last_run
from data.twilio.client import Credentials, Transport
from data.twilio.reading import Reading
from data.twilio.sync import PASSES, sync
from tests.servers import PARENT, TOKEN, account_body, page, refusal, serving, usage_body
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, Store, account, customers, record

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
OLD = date(2026, 3, 18)
FINE = [account_body(PARENT), account_body(ACME_SID), account_body(BETA_SID)]


class Twilio:
    """Answers for the list of accounts, and for each account's usage."""

    def __init__(self) -> None:
        self.accounts: Response = page("accounts", FINE)
        self.usage = {
            sid: page("usage_records", [usage_body(sid, "2026-03-19", price="0.05")])
            for sid in (PARENT, ACME_SID, BETA_SID)
        }
        self.asked: list[str] = []

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        return self.usage[path.split("/")[3]] if "Usage" in path else self.accounts


@pytest.fixture
def twilio():
    return Twilio()


@pytest.fixture
def two(store):
    """Each customer has an account with a day of usage, read some time ago."""
    store.put(*customers())
    store.put(*(record(owner, OLD, "sms", 7, "0.07") for owner in (ACME, BETA)))
    return store


def run(store, twilio, **options):
    app = Starlette(routes=[Route("/{path:path}", twilio.answer)])
    with serving(app) as base:
        return sync_at(store, base, **options)


def sync_at(store, base, **options):
    given = {"timeout": 5, "attempts": 2, **options}
    progress = given.pop("progress", None)
    transport = Transport(dict.fromkeys(("api", "monitor", "status"), base), **given)
    credentials = Credentials(PARENT, TOKEN)
    whole = Reading(store.owner, credentials, transport, TODAY, lambda: NOW, 3, 5)
    return sync(whole, real_clock=lambda: datetime.now(UTC), progress=progress)


def usage(store):
    with reading(store.owner) as session:
        return {
            (row.account_sid, row.day.day, row.cost)
            for row in session.exec(select(UsageRecord)).all()
        }


UNTOUCHED = {(ACME_SID, 18, D("0.07")), (BETA_SID, 18, D("0.07"))}
BETA_READ = {(ACME_SID, 18, D("0.07")), (BETA_SID, 19, D("0.05"))}


def test_without_faults_what_is_read_takes_the_place_of_what_was(two, twilio):
    run(two, twilio)
    assert usage(two) == {(ACME_SID, 19, D("0.05")), (BETA_SID, 19, D("0.05"))}


FAULTS = {
    "an error for ever": refusal(500, Retry_After=0),
    "too many requests for ever": refusal(429, Retry_After=0),
    "refused credentials": refusal(401),
    "an account unknown": refusal(404),
    "an answer cut off": PlainTextResponse('{"usage_records": [{"acc'),
    "a row of another account": page(
        "usage_records",
        [usage_body(ACME_SID, "2026-03-19"), usage_body(BETA_SID, "2026-03-19")],
    ),
    "a day not asked for": page("usage_records", [usage_body(ACME_SID, "2020-01-01")]),
    "a row that cannot be read": page(
        "usage_records", [usage_body(ACME_SID, "2026-03-19", price="gold")]
    ),
    "a price that does not fit": page(
        "usage_records", [usage_body(ACME_SID, "2026-03-19", price="10000000000")]
    ),
    "pages that lead in a circle": page("usage_records", [], "/2010-04-01/a/AC/Usage/x?Page=1"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_account_that_fails_keeps_its_data_and_stops_no_other(two, twilio, fault):
    twilio.usage |= {ACME_SID: fault, "AC": fault}
    report = run(two, twilio)
    assert (usage(two), [sid for sid, _ in report.failures]) == (BETA_READ, [ACME_SID])


def failing(twilio):
    twilio.usage[ACME_SID] = refusal(500, Retry_After=0)
    return twilio


def test_a_failure_is_noted_on_its_account_only(two, twilio):
    run(two, failing(twilio))
    with reading(two.owner) as session:
        errors = dict(session.execute(select(Account.sid, Account.sync_error)).all())
    assert errors == {ACME_SID: "Twilio answers 500.", BETA_SID: None}


def test_a_run_with_a_failure_is_partial_and_names_it(two, twilio):
    run(two, failing(twilio))
    found = last_run(two.app)
    assert (found.status, found.error) == ("partial", f"{ACME_SID}: Twilio answers 500.")


def test_a_run_where_all_fail_has_failed(two, twilio):
    failing(twilio).usage[BETA_SID] = refusal(500, Retry_After=0)
    assert run(two, twilio).status == "failed"


def test_a_failure_is_forgotten_once_the_account_is_read(two, twilio):
    run(two, failing(twilio))
    twilio.usage = dict.fromkeys(twilio.usage, page("usage_records", []))
    run(two, twilio)
    with reading(two.owner) as session:
        assert session.exec(select(Account.sync_error)).all() == [None, None]


def test_requests_and_retries_are_counted(two, twilio):
    report = run(two, failing(twilio))
    of_twilio = [path for path in twilio.asked if path.startswith("/2010-04-01/")]
    again = of_twilio.count(f"/2010-04-01/Accounts/{ACME_SID}/Usage/Records/Daily.json")
    assert (again, report.requests) == (2 * PASSES, len(of_twilio))
    run_noted = last_run(two.app)
    assert (run_noted.requests, run_noted.status) == (report.requests, "partial")


LISTS = {
    "credentials refused": (refusal(401), TwilioRefused),
    "an error for ever": (refusal(500, Retry_After=0), TwilioBusy),
    "cut off": (PlainTextResponse('{"accounts": ['), TwilioBusy),
    "a circle": (page("accounts", FINE, "/2010-04-01/Accounts.json?Page=1"), TwilioError),
}


@pytest.mark.parametrize(("answer", "expected"), LISTS.values(), ids=LISTS)
def test_without_the_list_of_accounts_nothing_is_touched(two, twilio, answer, expected):
    twilio.accounts = answer
    with pytest.raises(expected):
        run(two, twilio)
    assert usage(two) == UNTOUCHED


def test_without_the_list_of_accounts_the_run_has_failed_and_every_account_says_why(two, twilio):
    twilio.accounts = refusal(401)
    with pytest.raises(TwilioRefused):
        run(two, twilio)
    with reading(two.owner) as session:
        errors = session.exec(select(Account.sync_error)).all()
        status = session.exec(select(SyncRun.status)).all()
    assert (status, all("TWILIO_AUTH_TOKEN" in error for error in errors)) == (["failed"], True)


def test_a_host_that_is_not_there_leaves_everything(two):
    with pytest.raises(TwilioBusy):
        sync_at(two, "http://127.0.0.1:9", attempts=1, timeout=0.2)
    assert (usage(two), last_run(two.app).status) == (UNTOUCHED, "failed")


def test_a_run_that_is_interrupted_says_so(two, twilio):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(two, twilio, progress=stop)
    found = last_run(two.app)
    assert (found.status, found.error) == ("failed", "interrupted")


def test_the_parents_account_is_never_read_as_a_customers(two, twilio):
    two.put(account(ACME, PARENT))
    report = run(two, twilio)
    assert [sid for sid, _ in report.failures] == [PARENT]
    with reading(two.owner) as session:
        assert PARENT not in session.exec(select(UsageRecord.account_sid)).all()


def test_an_account_of_another_parent_is_not_the_isvs(two, twilio):
    """A connected account is in no list: it is read because the customers' file names it."""
    connected = "AC" + "c" * 32
    two.put(account(ACME, connected, kind="connected"))
    twilio.usage[connected] = page("usage_records", [usage_body(connected, "2026-03-19")])
    assert run(two, twilio).failures == ()
    assert (connected, 19, D("0.03")) in usage(two)


@pytest.fixture
def small(sqlite_store, monkeypatch):
    """An SQLite store that does not wait long for another writer."""
    monkeypatch.setattr("data.scope.BUSY_SECONDS", 0.05)
    sqlite_store.put(*customers(), record(ACME, OLD, "sms", 7, "0.07"))
    return sqlite_store


def test_a_locked_database_is_said_and_left_as_it_was(small, twilio):
    before = usage(small)
    other = engine(small.settings.database_url).raw_connection()
    other.execute("PRAGMA query_only=OFF")  # as whoever had it before may have left it
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"stayed locked.*is another program writing"):
        run(small, twilio)
    other.rollback()
    assert usage(small) == before


def test_a_read_only_database_is_said_and_left_as_it_was(small, twilio):
    before = usage(small)
    pool = engine(small.settings.database_url)
    pool.dispose()
    file = f"file:{small.file}?mode=ro"
    event.listen(
        pool,
        "do_connect",
        lambda *_: sqlite3.connect(file, uri=True, check_same_thread=False),
    )
    with pytest.raises(StoreUnavailable, match="read-only; give the app's user write access"):
        run(small, twilio)
    assert usage(small) == before


def test_a_database_without_tables_names_the_command(tmp_path, twilio):
    url = f"sqlite:///{tmp_path / 'none.sqlite'}"
    with pytest.raises(StoreUnavailable, match="python -m data migrate"):
        run(Store(Settings(database_url=url, _env_file=None)), twilio)


def test_a_postgres_without_tables_names_the_command(empty_postgres, twilio):
    with pytest.raises(StoreUnavailable, match="python -m data migrate"):
        run(empty_postgres, twilio)


def test_a_file_that_is_no_database_is_said(tmp_path, twilio):
    path = tmp_path / "text.sqlite"
    path.write_text("not a database at all, only text " * 40)
    with pytest.raises(StoreUnavailable, match="not an SQLite database; check DATABASE_URL"):
        run(Store(Settings(database_url=f"sqlite:///{path}", _env_file=None)), twilio)
