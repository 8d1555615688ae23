"""Whatever breaks on the way, the store ends up as if nothing had: faults, kills, two at once.

SOAK=1 is the long form: twenty seeds, fifty moments of death each.  The commands are the real ones,
against a fleet in a process of its own; the day is fixed.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlmodel import select

from data.commands.database import empty
from data.models import (
    Account,
    AccountEvent,
    Customer,
    SyncCursor,
    Table,
    UsageRecord,
    UsageRevision,
)
from data.scope import reading
from data.settings import Settings
from tests.command_line import Said, run
from tests.fleet import ROOT, Fleet, fleet
from tests.stores import ACME, BETA, Store, account

SOAK = bool(os.environ.get("SOAK"))
SEEDS = range(1, 21) if SOAK else (1,)
MOMENTS = range(50) if SOAK else range(3)
SYNC = [sys.executable, "-m", "data", "sync"]
PATIENCE = 8  # runs until one succeeds
TODAY = date(2026, 3, 20)
DAYS = 30
FIRST = TODAY - timedelta(days=DAYS - 1)
MOVED_ON = TODAY - timedelta(days=12)

# What may differ between two stores that say the same: when it was, and numbers given in passing.
PASSING = {
    UsageRecord: set(),
    UsageRevision: {"seen_at"},
    Account: {"synced_at"},
    AccountEvent: {"id", "at"},
    # What is expected of the next listing is what the last one was like.
    SyncCursor: {"read_at", "rows_per_day", "categories"},
}
Content = dict[str, list[tuple[str, ...]]]


@pytest.fixture(scope="module")
def twilio() -> Iterator[Fleet]:
    """Twelve accounts; some pages hold a part of an account only, and a hang is short."""
    with fleet(accounts=12, days=DAYS, categories=40, today=TODAY, hang=3, quiet=0.1) as running:
        yield running


@pytest.fixture
def calm(twilio: Fleet, store: Store, monkeypatch) -> Content:
    """What a sync without faults stores; commands find this fleet and this store."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    environment = twilio.on_its_day | {
        "DATABASE_URL": store.settings.database_url,
        "DATABASE_ADMIN_URL": store.settings.admin_url,
        "HISTORY_DAYS": str(DAYS - 1),
        "TWILIO_TIMEOUT": "1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    afresh(store, twilio)
    said = run("sync")
    assert said.code == 0, said.err
    return content(store)


def content(store: Store) -> Content:
    with reading(store.owner) as session:
        slugs = {one.id: one.slug for one in session.exec(select(Customer))}
        found = {table.__name__: session.exec(select(table)).all() for table in PASSING}
    return {
        table.__name__: sorted(_values(row, PASSING[table], slugs) for row in found[table.__name__])
        for table in PASSING
    }


def _values(row: Table, passing: set[str], slugs: dict[int | None, str]) -> tuple[str, ...]:
    values = {name: getattr(row, name) for name in type(row).model_fields if name not in passing}
    if "customer_id" in values:
        values["customer_id"] = slugs[values["customer_id"]]
    return tuple(f"{name}={value}" for name, value in values.items())


def the_same(found: Content, expected: Content) -> None:
    """Row for row; says of each table what is missing and what is too much."""
    for name, rows in expected.items():
        missing, extra = set(rows) - set(found[name]), set(found[name]) - set(rows)
        assert (name, sorted(missing)[:3], sorted(extra)[:3]) == (name, [], [])
        assert len(found[name]) == len(rows)


def afresh(store: Store, twilio: Fleet) -> None:
    """An empty store with the owners of some accounts, and a fleet without faults."""
    empty(store.settings)
    acme, beta, moved, *_ = twilio.world.sids
    never = {"synced_at": None, "as_of": None, "name": ""}
    store.put(
        Customer(id=ACME, slug="acme", name="Acme"),
        Customer(id=BETA, slug="beta", name="Beta"),
        account(ACME, acme, **never),
        account(BETA, beta, **never),
        account(ACME, moved, ends_on=MOVED_ON, **never),
        account(BETA, moved, starts_on=MOVED_ON, **never),
    )
    twilio.break_things("none")
    twilio.reset_counters()


def holds_the_truth(store: Store, twilio: Fleet) -> None:
    """Every row of every account, and no other."""
    stored: dict[str, dict] = {sid: {} for sid in twilio.world.sids}
    with reading(store.owner) as session:
        for row in session.exec(select(UsageRecord)):
            stored[row.account_sid][row.day, row.category] = (row.count, row.usage, row.cost)
    for sid in twilio.world.sids:
        theirs = twilio.rows(sid, FIRST, TODAY)
        assert stored[sid].keys() == theirs.keys()
        for key, (count, usage, price) in theirs.items():
            assert stored[sid][key][1:] == (usage, price)
            assert (stored[sid][key][0] or 0) == (count or 0)


def until_it_succeeds() -> Said:
    said = run("sync")
    for _ in range(PATIENCE):
        if said.code == 0:
            return said
        said = run("sync")
    raise AssertionError(f"it never succeeded: {said.err}")


def test_without_faults_the_store_holds_what_twilio_says(calm, store, twilio: Fleet):
    holds_the_truth(store, twilio)
    assert twilio.counters()["repeats"] == 0


@pytest.mark.parametrize("preset", ["issue", "hard"])
@pytest.mark.parametrize("seed", SEEDS)
def test_faults_on_the_way_leave_no_trace(calm, store, twilio: Fleet, preset, seed):
    afresh(store, twilio)
    twilio.break_things(preset, seed)
    until_it_succeeds()
    assert twilio.counters()["retries"] > 0
    the_same(content(store), calm)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sync_killed_at_any_moment_is_made_good_by_the_next(calm, store, twilio: Fleet, seed):
    requests = twilio.counters()["requests"]
    chance = random.Random(seed)
    for _ in MOMENTS:
        afresh(store, twilio)
        kill_after(twilio, chance.randint(1, requests), chance.uniform(0, 0.1))
        until_it_succeeds()
        the_same(content(store), calm)


def kill_after(twilio: Fleet, requests: int, seconds: float) -> None:
    """A sync that dies so many seconds after so many requests, if it is not done by then."""
    twilio.slow_down(0.02)
    with subprocess.Popen(SYNC, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and twilio.counters()["requests"] < requests:
            time.sleep(0.002)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    twilio.slow_down(0)


def test_of_two_syncs_at_once_one_steps_back(calm, store, twilio: Fleet):
    afresh(store, twilio)
    twilio.slow_down(0.1)
    both = [subprocess.Popen(SYNC, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    twilio.slow_down(0)
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), said
    assert not any("Traceback" in each for each in said)
    the_same(content(store), calm)


@pytest.mark.parametrize("seed", SEEDS)
def test_under_faults_every_row_is_its_owners(calm, store, twilio: Fleet, seed):
    afresh(store, twilio)
    twilio.break_things("issue", seed + 100)
    until_it_succeeds()
    acme, beta, moved, *_ = twilio.world.sids
    with reading(store.owner) as session:
        rows = session.exec(select(UsageRecord)).all()
    assert {row.account_sid for row in rows if row.customer_id == ACME} == {acme, moved}
    assert {row.account_sid for row in rows if row.customer_id == BETA} == {beta, moved}
    for row in rows:
        if row.account_sid == moved:
            assert row.customer_id == (ACME if row.day < MOVED_ON else BETA)
    assert {row.customer_id for row in rows if row.account_sid in (acme, beta)} == {ACME, BETA}
