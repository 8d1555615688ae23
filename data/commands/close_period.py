"""`close-period`: freeze the statements of periods that are over and settled."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from data.closing import Closings, close_due, close_period
from data.commands.clock import now, today
from data.errors import InputError, NotFound
from data.scope import EveryTenant, Scope
from data.settings import Settings, load_settings
from data.store import find_customers, period_at


def close_period_command(
    customer: Annotated[
        str | None, typer.Option(help="A customer's slug; default: everyone's due periods.")
    ] = None,
    subscription: Annotated[str, typer.Option(help="Its subscription.")] = "main",
    day: Annotated[
        datetime | None,
        typer.Option("--period", formats=["%Y-%m-%d"], help="Any day of the period to close."),
    ] = None,
) -> None:
    """Close what is due, and adjust closed periods whose usage has changed since."""
    settings = load_settings()
    if (customer is None) != (day is None):
        raise InputError("--customer and --period belong together; without both, all that is due")
    if customer is None or day is None:
        closings = close_all(settings)
        tell(closings)
        if closings.failed:
            raise typer.Exit(1)
        return
    found = [one for one in find_customers(_scope(settings), customer) if one.slug == customer]
    if not found:
        raise NotFound(f"There is no customer {customer!r}.")
    scope = Scope(found[0].id, settings.admin_url)
    period = period_at(scope, subscription, day.date())
    frozen = close_period(
        scope,
        subscription,
        period,
        settling_days=settings.settling_days,
        today=today(settings),
        now=settings.moment(now()),
    )
    content = frozen.content
    print(f"{customer}: {period.start} – {period.last_day}: {content.total} {content.currency}")
    print(f"  closed {frozen.closed_at:%Y-%m-%d %H:%M} UTC, SHA-256 {frozen.content_hash}")


def close_all(settings: Settings) -> Closings:
    """Everything that is due in the database."""
    return close_due(
        _scope(settings),
        settling_days=settings.settling_days,
        today=today(settings),
        now=settings.moment(now()),
    )


def tell(closings: Closings) -> None:
    print(f"Closed {len(closings.closed)} periods, {len(closings.adjusted)} adjustments.")
    for line in closings.adjusted:
        print(f"  {line}")
    for line in closings.failed:
        print(f"  {line}", file=sys.stderr)


def _scope(settings: Settings) -> EveryTenant:
    return EveryTenant(settings.admin_url)
