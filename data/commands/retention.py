"""`retention`: what is old enough to go, and with --apply its deletion."""

from typing import Annotated

import typer

from data.commands.clock import now
from data.identity import Action, record
from data.retention import delete_expired, expired, policies
from data.scope import EveryTenant
from data.settings import load_settings


def retention_command(
    apply: Annotated[bool, typer.Option("--apply", help="Delete it; else only say it.")] = False,
) -> None:
    """Say what the retention policies would delete; with --apply, delete it."""
    settings = load_settings()
    scope, moment = EveryTenant(settings.admin_url), settings.moment(now())
    for policy in policies(settings.retention):
        found = (delete_expired if apply else expired)(scope, policy, moment)
        if apply and found.rows:
            detail = f"{policy.name}: {found.rows} before {found.before}"
            record(scope, moment, Action.ROWS_DELETED, actor="command line", detail=detail)
        print(
            f"  {policy.name:<16} {policy.days:>5} days, before {found.before}: {found.rows} rows"
        )
    print("Deleted." if apply else "A dry run: nothing was deleted.  Run again with --apply.")
