"""`sync`: Twilio's accounts and daily usage into the store."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from data.commands.clock import now, today
from data.commands.close_period import close_all, tell
from data.settings import load_settings
from data.twilio.sync import reader, sync


def sync_command(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Read everything from this day on again."),
    ] = None,
) -> None:
    """Read the subaccounts and their daily usage from Twilio, then close the periods due."""
    settings = load_settings()
    reading = reader(
        settings,
        today=today(settings),
        clock=lambda: settings.moment(now()),
        since=since.date() if since else None,
    )
    report = sync(reading, progress=_bar if sys.stderr.isatty() else None)
    print(
        f"Synced {report.accounts} accounts, {report.rows} rows, {report.requests} requests"
        + (f" ({report.retries} repeated)" if report.retries else "")
    )
    closings = close_all(settings)
    tell(closings)
    for sid, why in report.failures:
        print(f"  {sid}: {why}", file=sys.stderr)
    if report.failures or closings.failed:
        raise typer.Exit(1)


def _bar(done: int, total: int, name: str) -> None:
    filled = 24 * done // max(total, 1)
    text = f"\r[{'#' * filled}{'.' * (24 - filled)}] {done}/{total} {name[:30]:<30}"
    print(text, end="" if done < total else "\n", file=sys.stderr, flush=True)
