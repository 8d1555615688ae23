"""The sync against the demo world: the store ends as the world is, row for row."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest
from sqlmodel import select, update

from data.customers import import_customers
from data.demo.cast import Correction
from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, PARENT_SID, PLANS_DIR, World, customers_yaml
from data.models import (
    SYSTEM_CUSTOMER,
    TABLES,
    USAGE_RECORDS,
    Account,
    Customer,
    SyncCursor,
    SyncRun,
    UsageRecord,
    UsageRevision,
)
from data.plans import read_plans
from data.scope import reading, writing
from data.store import find_customers, last_run
from data.twilio.client import Credentials, Transport
from data.twilio.reading import Reading
from data.twilio.runs import SyncReport
from data.twilio.sync import sync
from tests.servers import serving
from tests.stores import Store, noon

TODAY = date(2026, 3, 20)
HISTORY = 14
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Twin:
    """A store and the world that it is a copy of."""

    store: Store
    folder: Path

    def take(self, world: World, **options) -> None:
        """Import the world's customers, or these lines of them."""
        path = self.folder / "customers.yaml"
        path.write_text(options.pop("text", customers_yaml(world)))
        import_customers(self.store.owner, path, read_plans(PLANS_DIR), now=noon(world.today))

    def sync(self, world: World, **options) -> SyncReport:
        zero_rows = options.pop("zero_rows", ())
        with serving(twilio_api(world, zero_rows=zero_rows)) as base:
            return run(reading_of(self.store, base, world.today, **options))

    def rows(self) -> dict:
        with reading(self.store.owner) as session:
            found = session.exec(select(UsageRecord)).all()
        return {
            (row.account_sid, row.day, row.category): (row.count, row.usage, row.cost)
            for row in found
        }


def run(reading: Reading, **options) -> SyncReport:
    return sync(reading, real_clock=lambda: datetime.now(UTC), **options)


def reading_of(store: Store, base: str, today: date, **options) -> Reading:
    def clock():
        return datetime(today.year, today.month, today.day, 12, tzinfo=UTC)

    given = {"settling_days": 3, "history_days": HISTORY, **options}
    credentials = given.pop("credentials", Credentials(PARENT_SID, AUTH_TOKEN))
    transport = Transport(dict.fromkeys(("api", "monitor", "status"), base))
    return Reading(store.owner, credentials, transport, today, clock, **given)


def rows_of(world: World, first: date, last: date | None = None) -> dict:
    """What the world says of every account that is a customer's."""
    last = last or world.today
    sids = [sid for sid in world.accounts if sid != PARENT_SID]
    days = [first + n * DAY for n in range((last - first).days + 1)]
    return {
        (sid, day, category): (tally.count, tally.usage, tally.price)
        for sid in sids
        for day in days
        for category, tally in world.usage_on(sid, day).items()
    }


@pytest.fixture
def twin(store, tmp_path):
    return Twin(store, tmp_path)


@pytest.fixture(scope="module")
def world():
    return World(1, TODAY)


@pytest.fixture
def synced(twin, world):
    twin.take(world)
    twin.sync(world)
    return twin


@pytest.fixture
def with_closed(twin, world):
    """Read far enough back to have days of the account that closed 42 days ago."""
    twin.take(world)
    twin.sync(world, history_days=44)
    return twin


def test_the_store_is_the_world_row_for_row(synced, world):
    assert synced.rows() == rows_of(world, TODAY - HISTORY * DAY)


def test_every_row_is_its_customers(synced, world):
    with reading(synced.store.owner) as session:
        owners = set(
            session.execute(
                select(UsageRecord.account_sid, Customer.slug).where(
                    UsageRecord.customer_id == Customer.id
                )
            ).all()
        )
    assert owners == {
        (account.sid, customer.slug)
        for customer in world.customers
        for account in customer.accounts
        if account.closed_on is None or account.closed_on >= TODAY - HISTORY * DAY
    }


def test_the_parents_own_usage_is_nobodys(synced):
    assert PARENT_SID not in {sid for sid, _, _ in synced.rows()}


def test_a_connected_account_is_read_by_its_own_sid(synced, world):
    connected = [sid for sid, one in world.accounts.items() if one.kind == "connected"]
    assert set(connected) < {sid for sid, _, _ in synced.rows()}


def test_a_rerun_changes_nothing(synced, world):
    before = synced.rows()
    synced.sync(world)
    assert synced.rows() == before


def test_a_rerun_reads_the_settling_days_only(synced, world):
    report = synced.sync(world)
    settling = rows_of(world, TODAY - 3 * DAY)
    assert report.rows == len(settling)


def test_the_next_day_brings_the_store_in_line(synced):
    tomorrow = World(1, TODAY + DAY)
    synced.sync(tomorrow)
    assert synced.rows() == rows_of(tomorrow, TODAY - HISTORY * DAY)


def test_a_week_missed_is_made_up_for(synced):
    later = World(1, TODAY + 7 * DAY)
    synced.sync(later)
    assert synced.rows() == rows_of(later, TODAY - HISTORY * DAY)


def test_one_sync_follows_a_history_whose_totals_changed(synced, world):
    other = World(2, TODAY)
    old, new = (rows_of(each, TODAY - HISTORY * DAY) for each in (world, other))
    same = {
        (sid, day)
        for sid, day, category in old.keys() & new.keys()
        if category == "totalprice" and day < TODAY - 3 * DAY
        if old[sid, day, category] == new[sid, day, category]
    }
    synced.sync(other)
    assert synced.rows() == {
        **{key: value for key, value in old.items() if key[:2] in same},
        **{key: value for key, value in new.items() if key[:2] not in same},
    }


@pytest.mark.parametrize(
    ("today", "first"),
    [
        pytest.param(date(2026, 4, 5), date(2026, 3, 22), id="until the 5th, the previous month"),
        pytest.param(date(2026, 4, 6), date(2026, 4, 3), id="from the 6th on, the settling days"),
    ],
)
def test_what_is_read_again_whether_its_total_changed_or_not(twin, today, first):
    world = World(1, today)
    twin.take(world)
    twin.sync(world)
    assert twin.sync(world).rows == len(rows_of(world, first))


def corrected(world: World, day: date) -> World:
    """The world with 100 segments more of one customer, noticed today."""
    late = replace(world)
    sid = world.customers[0].accounts[0].sid
    correction = Correction(day, "sms-outbound-longcode", 100, world.today)
    late.accounts[sid] = replace(late.accounts[sid], corrections=(correction,))
    return late


def test_a_settled_day_that_changed_is_read_again(synced, world):
    late = corrected(world, TODAY - 9 * DAY)
    synced.sync(late)
    assert (
        synced.rows()
        == rows_of(late, TODAY - HISTORY * DAY)
        != rows_of(world, TODAY - HISTORY * DAY)
    )


def test_what_was_added_late_can_be_taken_back(synced, world):
    synced.sync(corrected(world, TODAY - 9 * DAY))
    synced.sync(world)
    assert synced.rows() == rows_of(world, TODAY - HISTORY * DAY)


def test_a_change_of_a_day_that_was_over_leaves_a_revision(synced, world):
    late = corrected(world, TODAY - 9 * DAY)
    report = synced.sync(late)
    with reading(synced.store.owner) as session:
        rows = session.exec(select(UsageRevision)).all()
    before, after = (rows_of(each, TODAY - 9 * DAY, TODAY - 9 * DAY) for each in (world, late))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert report.stored.revisions == len(rows) == len(changed) > 0
    nothing = (None, None, None)
    assert {
        (row.account_sid, row.day, row.category): (
            (row.old_count, row.old_usage, row.old_cost),
            (row.new_count, row.new_usage, row.new_cost),
        )
        for row in rows
    } == {key: (before.get(key, nothing), after.get(key, nothing)) for key in changed}


def test_a_day_that_goes_on_leaves_none(synced, world):
    with writing(synced.store.owner) as session:
        session.execute(update(UsageRecord).where(UsageRecord.day == TODAY).values(usage=D(1)))
    assert synced.sync(world).stored.revisions == 0


def test_reading_since_a_day_reads_that_day_again(synced, world):
    since = date(2026, 3, 10)
    report = synced.sync(world, since=since)
    assert report.rows == len(rows_of(world, since))


def test_rows_of_zeros_are_not_stored(twin, world):
    twin.take(world)
    twin.sync(world, zero_rows=("moon-calls", "mms"))
    assert twin.rows() == rows_of(world, TODAY - HISTORY * DAY)


def test_nothing_is_lost_of_accounts_that_wait(twin, world):
    twin.take(world, text="customers: []\n")
    twin.sync(world)
    listed = {sid: world.accounts[sid] for sid in world.subaccount_sids}
    expected = {
        key: value
        for key, value in rows_of(world, TODAY - HISTORY * DAY).items()
        if key[0] in listed
    }
    assert twin.rows() == expected
    assert [one.slug for one in find_customers(twin.store.app, "")] == [SYSTEM_CUSTOMER]


def test_accounts_that_waited_come_over_whole(twin, world):
    twin.take(world, text="customers: []\n")
    twin.sync(world)
    twin.take(world)
    twin.sync(world)
    assert twin.rows() == rows_of(world, TODAY - HISTORY * DAY)


def test_a_closed_account_keeps_what_twilio_has_deleted(with_closed, world):
    closed = next(sid for sid, one in world.accounts.items() if one.status == "closed")
    before = {key: value for key, value in with_closed.rows().items() if key[0] == closed}
    forgetful = World(1, TODAY)
    forgetful.accounts[closed] = replace(forgetful.accounts[closed], flows=(), numbers={})
    with_closed.sync(forgetful)
    assert before
    assert {key: value for key, value in with_closed.rows().items() if key[0] == closed} == before


def test_a_closed_account_that_twilio_knows_no_more_is_no_failure(with_closed, world):
    closed = next(sid for sid, one in world.accounts.items() if one.status == "closed")
    before = with_closed.rows()
    forgetful = World(1, TODAY)
    del forgetful.accounts[closed]
    report = with_closed.sync(forgetful)
    assert (report.failures, with_closed.rows()) == ((), before)


def test_a_run_is_noted_with_what_it_did(synced, world):
    run = last_run(synced.store.app)
    listed = len(world.accounts) - 1
    expected = ("ok", listed, len(rows_of(world, TODAY - HISTORY * DAY)), None)
    assert (run.status, run.accounts, run.rows, run.error) == expected
    assert run.finished_at is not None


def test_an_account_knows_when_it_was_read_and_as_of_when(synced):
    with reading(synced.store.owner) as session:
        rows = session.exec(select(Account).where(Account.status == "active")).all()
    moments = {(row.synced_at, row.as_of, row.sync_error) for row in rows}
    noon, half_past_nine = (datetime(2026, 3, 20, h, m, tzinfo=UTC) for h, m in ((12, 0), (9, 30)))
    assert moments == {(noon, half_past_nine, None)}


def test_a_cursor_says_how_far_an_account_was_read(synced, world):
    with reading(synced.store.owner) as session:
        cursors = session.exec(select(SyncCursor).where(SyncCursor.resource == USAGE_RECORDS)).all()
    assert {(row.first_day, row.through) for row in cursors} == {(TODAY - HISTORY * DAY, TODAY)}
    assert {row.account_sid for row in cursors} == set(world.accounts) - {PARENT_SID}


def test_no_token_is_stored(synced, world):
    with reading(synced.store.owner) as session:
        stored = "".join(
            str(row.model_dump()) for table in TABLES for row in session.exec(select(table)).all()
        )
    tokens = {account.auth_token for account in world.accounts.values()}
    assert not [token for token in tokens if token in stored]


def test_progress_is_told_account_by_account(twin, world):
    twin.take(world)
    told = []
    with serving(twilio_api(world)) as base:
        run(reading_of(twin.store, base, TODAY), progress=lambda *args: told.append(args))
    count = len(world.accounts) - 1
    assert [done for done, _, _ in told] == [*range(1, count + 1)]


def test_runs_are_kept(synced, world):
    synced.sync(world)
    with reading(synced.store.owner) as session:
        assert [run.status for run in session.exec(select(SyncRun)).all()] == ["ok", "ok"]
