"""The app keeps its own data current: `python -m data sync`, again and again, in a process beside.

A process of its own, so that reading ten thousand accounts never makes a page wait.  Of several
replicas one syncs at a time (data/twilio/lease.py); SYNC_EVERY=off leaves it to a worker or cron.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from starlette.concurrency import run_in_threadpool

from dashboard.door import Door
from data.errors import AppError
from data.settings import ROOT
from data.store import last_run

FIRST_LOOK = timedelta(seconds=20)  # the app has opened and served its first pages by then

log = structlog.get_logger(__name__)


@asynccontextmanager
async def kept_synced(door: Door) -> AsyncIterator[None]:
    """Syncs from time to time while the app runs, if the settings say so and it can."""
    every = door.settings.sync_interval
    if every is None or not (door.settings.demo or door.settings.has_credentials):
        yield
        return
    task = asyncio.create_task(_keep_synced(door, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep_synced(door: Door, every: timedelta) -> None:
    await asyncio.sleep(min(FIRST_LOOK, every).total_seconds())
    while True:
        left = await run_in_threadpool(_left, door, every)
        if left <= timedelta():
            await _sync()
            left = every
        await asyncio.sleep(left.total_seconds())


def _left(door: Door, every: timedelta) -> timedelta:
    """Until the next run is due, whoever did the last one."""
    try:
        run = last_run(door.scope)
    except AppError as error:
        log.warning("sync.not_started", error=str(error))
        return every
    if run is None:
        return timedelta()
    # A demo that stands still on a day goes back to its morning at midnight.
    return min(every - (door.settings.moment(door.now()) - run.started_at), every)


async def _sync() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "data", "sync", cwd=ROOT, stdin=DEVNULL, stdout=DEVNULL
    )
    try:
        if code := await process.wait():
            log.warning("sync.ended_badly", code=code)
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
