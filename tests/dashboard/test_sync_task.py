"""The app keeps its data current: when it is due, in a process beside, which ends with the app."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dashboard import sync_task
from dashboard.door import Door
from dashboard.sync_task import kept_synced
from data.demo.world import PARENT_SID
from data.models import SyncRun, UsageRecord
from data.scope import writing
from data.store import last_run
from tests.doors import make_door, make_world
from tests.little_twilio import DAY, TODAY, LittleTwilio
from tests.readings import rows_of
from tests.stores import ACME_SID, BETA_SID, Store, noon

NOW = noon(TODAY)
HUNG = 30  # seconds


def completed(coroutine):
    """In a thread of its own: a browser of other tests may hold the loop of this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, coroutine).result()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Two customers; the app looks for what is due as soon as it runs."""
    monkeypatch.setattr(sync_task, "FIRST_LOOK", timedelta())
    return make_world(tmp_path)


class Program:
    """What runs in place of Python: it notes how it was called, and then does this."""

    def __init__(self, folder: Path, then: str) -> None:
        self.path, self.told = folder / "program", folder / "told"
        self.path.write_text(f'#!/bin/sh\necho "$$ $@" >> {self.told}\n{then}\n')
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """What it was called with, each time."""
        return [line.partition(" ")[2] for line in self._lines()]

    @property
    def processes(self) -> list[int]:
        return [int(line.partition(" ")[0]) for line in self._lines()]

    def _lines(self) -> list[str]:
        return self.told.read_text().splitlines() if self.told.exists() else []


@pytest.fixture
def program(tmp_path, monkeypatch) -> Callable[[str], Program]:
    def make(then: str = "exec sleep 60") -> Program:
        made = Program(tmp_path, then)
        monkeypatch.setattr(sys, "executable", str(made.path))
        return made

    return make


def door_of(world, **settings) -> Door:
    return replace(make_door(world, demo=True, **settings), now=lambda: NOW)


def ran(world, ago: timedelta) -> None:
    with writing(world.scope) as session:
        session.add(SyncRun(started_at=NOW - ago))


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(HUNG):
        while not done():
            await asyncio.sleep(0.01)


async def looked_at(door: Door) -> None:
    """The app runs until it has looked whether a run is due, and a little longer."""
    looked = []
    clocked = replace(door, now=lambda: looked.append(1) or NOW)
    async with kept_synced(clocked):
        await until(lambda: looked)
        await asyncio.sleep(0.05)


OFF = {
    "switched off": {"demo": True, "sync_every": "off"},
    "no credentials": {"demo": False},
}


@pytest.mark.parametrize("settings", OFF.values(), ids=OFF)
def test_nothing_is_started_where_nothing_may_be(world, program, settings):
    called = program()

    async def app() -> set:
        async with kept_synced(make_door(world, **settings)):
            await asyncio.sleep(0)
            return asyncio.all_tasks() - {asyncio.current_task()}

    assert (completed(app()), called.calls) == (set(), [])


def test_a_store_that_was_never_synced_is_synced_at_once(world, program):
    called = program()

    async def app() -> None:
        async with kept_synced(door_of(world)):
            await until(lambda: called.calls)

    completed(app())
    assert called.calls == ["-m data sync"]


def test_the_process_ends_with_the_app(world, program):
    called = program()

    async def app() -> None:
        async with kept_synced(door_of(world)):
            await until(lambda: called.calls)
            os.kill(called.processes[0], 0)  # it is there

    completed(app())
    with pytest.raises(ProcessLookupError):
        os.kill(called.processes[0], 0)


def test_nothing_is_started_while_the_last_run_is_young_enough(world, program):
    called = program()
    ran(world, timedelta(minutes=14))
    completed(looked_at(door_of(world, sync_every="15m")))
    assert called.calls == []


@pytest.mark.parametrize("ago", [timedelta(minutes=15), 3 * DAY], ids=["just due", "long due"])
def test_a_run_that_is_due_is_started_whoever_did_the_last(world, program, ago):
    called = program()
    ran(world, ago)

    async def app() -> None:
        async with kept_synced(door_of(world, sync_every="15m")):
            await until(lambda: called.calls)

    completed(app())
    assert called.calls == ["-m data sync"]


def test_a_run_that_will_be_due_is_waited_for(world, program):
    called = program()
    ran(world, timedelta(minutes=15) - timedelta(milliseconds=50))
    looked = []

    def clock() -> datetime:
        looked.append(1)
        return NOW + (len(looked) > 1) * timedelta(seconds=1)

    async def app() -> None:
        async with kept_synced(replace(door_of(world, sync_every="15m"), now=clock)):
            await until(lambda: called.calls)

    completed(app())
    assert len(looked) == 2


def test_a_run_that_ends_badly_is_logged_and_the_next_one_waits_its_time(world, program):
    called = program("exit 3")

    async def app() -> list:
        with capture_logs() as logs:
            async with kept_synced(door_of(world)):
                await until(lambda: logs)
                await asyncio.sleep(0.05)
        return logs

    assert [(one["event"], one["code"]) for one in completed(app())] == [("sync.ended_badly", 3)]
    assert called.calls == ["-m data sync"]


def test_a_store_that_cannot_be_read_is_logged_and_ends_no_app(world, program, tmp_path):
    called = program()
    door = door_of(world, database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}")

    async def app() -> list:
        with capture_logs() as logs:
            async with kept_synced(door):
                await until(lambda: logs)
        return logs

    assert [one["event"] for one in completed(app())] == ["sync.not_started"]
    assert called.calls == []


def test_the_app_syncs_in_a_process_of_its_own(world, monkeypatch):
    """The real command, on a store and a Twilio of two accounts."""
    with LittleTwilio().served() as twilio:
        twilio.parent = PARENT_SID
        for sid in (ACME_SID, BETA_SID):
            twilio.open(sid)
            twilio.use(sid, TODAY, "0.5")
        settings = {
            "demo": "1",
            "demo_today": TODAY.isoformat(),
            "database_url": world.scope.url,
            "twilio_api_base": twilio.base,
            "status_base": twilio.base,
            "history_days": "5",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name.upper(), value)
        monkeypatch.delenv("DATABASE_ADMIN_URL", raising=False)
        door = make_door(world, **settings)

        def is_done() -> bool:
            run = last_run(world.scope)
            return run is not None and run.finished_at is not None

        async def app() -> None:
            async with kept_synced(door):
                await until(is_done)

        completed(app())
    run = last_run(world.scope)
    assert (run.status, run.accounts, run.started_at.date()) == ("ok", 2, TODAY)
    assert len(rows_of(Store(door.settings), UsageRecord, "day")) == 4
