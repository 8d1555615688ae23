"""`audit`: who did what to whose data, as lines or as CSV for another system."""

import csv
import sys
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Annotated

import typer

from data import identity
from data.identity import Action, Entry
from data.scope import EveryTenant
from data.settings import load_settings
from data.store import customer_by_slug

FORMULA = ("=", "+", "-", "@", "\t", "\r")
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def audit_command(
    since: Day = None,
    until: Day = None,
    customer: Annotated[str, typer.Option(help="Slug of the customer concerned.")] = "",
    action: Annotated[Action | None, typer.Option(help="One kind of entry only.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of it, as CSV.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many lines, without --csv.")] = 50,
) -> None:
    """Show the audit log, newest first; days are UTC, `--until` is not included."""
    scope = EveryTenant(load_settings().database_url)
    found = identity.entries(
        scope,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        customer_id=customer_by_slug(scope, customer).id if customer else None,
        action=action,
        limit=None if as_csv else limit,
    )
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(field.name for field in fields(Entry))
        writer.writerows(_safe(one) for one in found)
        return
    for one in found:
        parts = (one.customer, one.detail, one.address)
        about = " · ".join(_printable(part) for part in parts if part)
        actor = _printable(one.actor)
        print(f"{one.at:%Y-%m-%d %H:%M:%S}  {one.action:<20} {actor:<24} {about}")


def _printable(text: str) -> str:
    """A terminal must not take what a stranger wrote for lines or commands of ours."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _safe(entry: Entry) -> tuple[object, ...]:
    """A spreadsheet must not take what a stranger wrote for a formula."""
    return tuple(
        f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
        for value in astuple(entry)
    )
