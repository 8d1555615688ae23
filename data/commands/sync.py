"""`sync`: Twilio's accounts and daily usage into the store."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from data.commands.backtest import check_past
from data.commands.backtest import tell as tell_checked
from data.commands.clock import now, today
from data.commands.close_period import close_all, tell
from data.errors import AppError, InputError, SyncInProgress
from data.logs import set_up_logs
from data.memory import prepare_for_bulk
from data.scope import EveryTenant
from data.settings import Settings, interval, load_settings
from data.twilio.reading import Reading, open_reading
from data.twilio.runs import SyncReport
from data.twilio.sync import SyncPlan, plan_sync, sync

if TYPE_CHECKING:
    from data.health import Refreshed

log = structlog.get_logger(__name__)


def sync_command(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Read everything from this day on again."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="SID of the one account to read.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Go on for ever, this often: 30s, 15m, 1h.")
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked; store nothing.")
    ] = False,
) -> None:
    """Read usage from Twilio, close the periods due, check the forecasts, rank who needs a look."""
    settings = load_settings()
    if since and since.date() > today(settings):
        raise InputError(f"--since: {since:%Y-%m-%d} lies in the future")
    set_up_logs(quiet=True)
    prepare_for_bulk()

    def reading() -> Reading:
        return open_reading(
            settings,
            today=today(settings),
            clock=lambda: settings.moment(now()),
            since=since.date() if since else None,
            only=account,
        )

    if dry_run:
        tell_plan(plan_sync(reading()))
    elif every:
        try:
            pause = interval(every)
        except InputError as error:
            raise InputError(f"--every: {error}") from None
        _for_ever(settings, reading, pause)
    elif not _once(settings, reading()):
        raise typer.Exit(1)


def _for_ever(settings: Settings, reading: Callable[[], Reading], pause: timedelta) -> None:
    """One run after another; a run that fails, or that another process does, stops nothing."""
    while True:
        began = time.monotonic()
        try:
            _once(settings, reading())
        except SyncInProgress as other:
            log.info("sync.skipped", reason=str(other))
        except AppError as error:
            log.error("sync.failed", error=str(error), code=error.code)
        time.sleep(max(pause.total_seconds() - (time.monotonic() - began), 1.0))


def _once(settings: Settings, reading: Reading) -> bool:
    bar = _Bar() if sys.stderr.isatty() else None
    report = sync(reading, real_clock=now, progress=bar.show if bar else None)
    _tell(report, reading)
    closings = close_all(settings)
    tell(closings)
    checked = check_past(settings)
    tell_checked(checked)
    ranked = rank_fleet(settings)
    return not (report.failures or closings.failed or checked.failed or ranked.failed)


def rank_fleet(settings: Settings) -> "Refreshed":
    """The last step after a sync: what needs attention at each customer that has changed."""
    from data.health import refresh_health  # numpy: 20 MB other commands do not need

    done = refresh_health(
        EveryTenant(settings.admin_url),
        today=today(settings),
        now=settings.moment(now()),
        settling_days=settings.settling_days,
        calendar=settings.holidays,
    )
    for line in done.failed:
        print(f"  {line}", file=sys.stderr)
    return done


def tell_plan(plan: SyncPlan) -> None:
    whole = sum(one.whole for one in plan.due)
    suspects = sum(one.suspects is not None for one in plan.due)
    print(f"Plan: {plan.requests} requests for {len(plan.due)} accounts of {plan.listed} at Twilio")
    print(f"  usage {plan.usage - suspects}, of {whole} accounts the whole history")
    if suspects:
        days = len(plan.corrections.days)
        print(f"  {suspects} accounts asked for the totals of {days} changed days")
    lists = plan.requests - plan.usage - len(plan.extras)
    print(f"  beside usage {len(plan.extras)}; lists and totals {lists}")


def _tell(report: SyncReport, reading: Reading) -> None:
    tally = reading.tally
    answers = ", ".join(f"{name}: {number}" for name, number in sorted(tally.answers.items()))
    failed = len(report.failures)
    read = f"{report.accounts - failed} of {report.accounts}" if failed else report.accounts
    print(
        f"Synced {read} accounts, {report.rows} rows, {report.requests} requests"
        + (f" ({report.retries} repeated)" if report.retries else "")
        + f"; planned {report.planned}"
    )
    if report.stored.revisions:
        print(f"  {report.stored.revisions} figures of past days were changed by Twilio")
    if report.retries:
        print(f"  answers by status or fault: {answers}")
    for sid, why in report.failures[:20]:
        print(f"  {sid}: {why}", file=sys.stderr)
    if len(report.failures) > 20:
        print(f"  and {len(report.failures) - 20} other accounts", file=sys.stderr)


class _Bar:
    """Progress on a terminal: accounts done, how many a second, and how long it will take."""

    def __init__(self) -> None:
        self.began = self.drawn = time.monotonic()

    def show(self, done: int, total: int, name: str) -> None:
        at = time.monotonic()
        if done < total and at - self.drawn < 0.1:
            return
        self.drawn = at
        rate = done / max(at - self.began, 0.001)
        left = timedelta(seconds=round((total - done) / rate)) if rate else "?"
        filled = 24 * done // max(total, 1)
        text = f"[{'#' * filled}{'.' * (24 - filled)}] {done}/{total}, {rate:.0f}/s, {left} left"
        with suppress(OSError):
            print(f"\r{text} {name[:24]:<24}", end="", file=sys.stderr, flush=True)
            if done >= total:
                print(file=sys.stderr)
