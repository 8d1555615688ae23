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
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from data.migrations import recreate
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
from tests.stores import Store

USAGE = "usage_records"
SOAK = bool(os.environ.get("SOAK"))
SEEDS = range(1, 21) if SOAK else (1,)
MOMENTS = range(50) if SOAK else range(2)
PRESETS = ("usual", "hard") if SOAK else ("hard",)  # it has all that the other has, and more
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
Content = dict[str, Counter[tuple[Any, ...]]]
CUSTOMERS = """
customers:
  - slug: acme
    name: Acme
    accounts:
      - {{sid: {acme}, from: {first}}}
      - {{sid: {moved}, from: {first}, to: {day}}}
  - slug: beta
    name: Beta
    accounts:
      - {{sid: {beta}, from: {first}}}
      - {{sid: {moved}, from: {day}}}
"""


@dataclass(frozen=True)
class Calm:
    """A store after a sync without faults, and what the sync asked."""

    content: Content
    counters: dict[str, Any]


@pytest.fixture(scope="module")
def twilio() -> Iterator[Fleet]:
    """Twelve accounts; some pages hold a part of an account only, and a hang is short."""
    with fleet(accounts=12, days=DAYS, categories=36, today=TODAY, hang=1, quiet=0.1) as running:
        yield running


@pytest.fixture(scope="module")
def calms() -> dict[str, Calm]:
    """By kind of database; each is made by the first test that needs it."""
    return {}


@pytest.fixture
def calm(twilio: Fleet, store: Store, calms, tmp_path, monkeypatch) -> Calm:
    """What a sync without faults stores; commands find this fleet and this store."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    plans = tmp_path / "plans"
    plans.mkdir()
    environment = twilio.on_its_day | {
        "DATABASE_URL": store.settings.database_url,
        "DATABASE_ADMIN_URL": store.settings.admin_url,
        "CUSTOMERS_FILE": str(tmp_path / "customers.yaml"),
        "PLANS_DIR": str(plans),
        "HISTORY_DAYS": str(DAYS - 1),
        "TWILIO_TIMEOUT": "0.5",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    acme, beta, moved, *_ = twilio.world.sids
    (tmp_path / "customers.yaml").write_text(
        CUSTOMERS.format(acme=acme, beta=beta, moved=moved, first=FIRST, day=MOVED_ON)
    )
    kind = store.settings.database_url.partition(":")[0]
    if kind not in calms:
        afresh(store, twilio)
        said = run("sync")
        assert said.code == 0, said.err
        calms[kind] = Calm(content(store), twilio.counters())
        holds_the_truth(store, twilio)
    return calms[kind]


def content(store: Store) -> Content:
    """Of what stands beside usage the cursors are left out: a run reads a few, by turns."""
    with reading(store.owner) as session:
        slugs = dict(session.execute(select(col(Customer.id), col(Customer.slug))).all())
        return {
            table.__name__: Counter(
                _values(table, row, slugs)
                for row in session.execute(select(*_columns(table)))
                if getattr(row, "resource", USAGE) == USAGE
            )
            for table in PASSING
        }


def _columns(table: type[Table]) -> list[Any]:
    names = [name for name in table.model_fields if name not in PASSING[table]]
    return [getattr(table, name) for name in sorted(names, key="customer_id".__ne__)]


def _values(table: type[Table], row: Any, slugs: dict[int, str]) -> tuple[Any, ...]:
    """The row with its customer's slug, which comes first: numbers are given anew in each store."""
    return (slugs[row[0]], *row[1:]) if "customer_id" in table.model_fields else tuple(row)


def the_same(found: Content, expected: Content) -> None:
    """Row for row; says of each table what is missing and what is too much."""
    for name, rows in expected.items():
        missing, extra = rows - found[name], found[name] - rows
        assert (name, [*missing][:3], [*extra][:3]) == (name, [], [])


def afresh(store: Store, twilio: Fleet) -> None:
    """An empty store in which the file's customers are, and a fleet without faults."""
    recreate(store.settings)
    twilio.break_things("none")
    said = run("customers", "import", "--apply")
    assert said.code == 0, said.err
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


def each_row_is_its_owners(found: Content, twilio: Fleet) -> None:
    acme, beta, moved, *_ = twilio.world.sids
    seen = set()
    for customer, day, _, sid, *_ in found["UsageRecord"]:
        owner = {acme: "acme", beta: "beta"}.get(sid, "unassigned")
        if sid == moved:
            owner = "acme" if day < MOVED_ON else "beta"
        assert customer == owner
        seen.add((customer, sid))
    assert {(customer, sid) for customer, sid in seen if customer != "unassigned"} == {
        ("acme", acme), ("acme", moved), ("beta", beta), ("beta", moved),
    }  # fmt: skip


def test_without_faults_nothing_is_asked_twice(calm, twilio: Fleet):
    each_row_is_its_owners(calm.content, twilio)
    assert calm.counters["repeats"] == 0
    assert calm.counters["retries"] == 0


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_faults_on_the_way_leave_no_trace(calm, store, twilio: Fleet, preset, seed):
    afresh(store, twilio)
    twilio.break_things(preset, seed)
    until_it_succeeds()
    assert twilio.counters()["retries"] > 0
    found = content(store)
    each_row_is_its_owners(found, twilio)
    the_same(found, calm.content)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sync_killed_at_any_moment_is_made_good_by_the_next(calm, store, twilio: Fleet, seed):
    chance = random.Random(seed)
    for _ in MOMENTS:
        afresh(store, twilio)
        requests = chance.randint(1, calm.counters["requests"])
        kill_after(twilio, requests, chance.uniform(0, 0.1))
        until_it_succeeds()
        the_same(content(store), calm.content)


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
    assert sorted(process.returncode for process in both) in ([0, 0], [0, 1]), said
    assert not any("Traceback" in each for each in said)
    the_same(content(store), calm.content)
