"""`rate`: price a usage file under a plan file, and print the lines."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field

from data.grants import CreditEntry, Entry
from data.money import plain, total
from data.plans import read_plan
from data.pricing import Line
from data.rating_file import RatedPeriod, grant_lots, rate_file, read_usage
from data.yaml_file import read_yaml

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


class CreditsFile(Entry):
    credits: tuple[CreditEntry, ...] = Field(min_length=1)


def rate_command(
    plan: Annotated[Path, typer.Option(help="A plan file (YAML).")],
    usage: Annotated[Path, typer.Option(help="A CSV of day, category or meter, usage, cost.")],
    credits: Annotated[
        Path | None, typer.Option(help="A YAML file with a list `credits`, as in customers.yaml.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last.")
    ] = None,
    anchor_day: Annotated[int, typer.Option(min=1, max=31, help="Where periods begin.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Price a usage file under a plan file.  Shows cost: for the ISV's eyes."""
    agreed = read_plan(plan)
    entries = read_yaml(credits).parsed(CreditsFile).credits if credits else ()
    rated = rate_file(
        agreed,
        read_usage(usage, agreed),
        start=start.date() if start else None,
        end=end.date() if end else None,
        anchor_day=anchor_day,
        lots=grant_lots(entries, agreed) if entries else (),
    )
    if as_json:
        print(json.dumps(_document(agreed.plan, agreed.version, agreed.currency, rated), indent=2))
        return
    for period in rated:
        print(f"{period.period.start} – {period.period.end} (exclusive), {agreed.currency}")
        for line in period.lines:
            print(_row(line))
        print(f"  {'Total':<44}{period.total:>14}")


def _row(line: Line) -> str:
    quantity = "" if line.quantity is None else f"{plain(line.quantity)} {line.meter or ''}".strip()
    recognized = f"  recognises {line.recognized}" if line.recognized is not None else ""
    return f"  {line.kind.value:<9} {line.label:<20} {quantity:>12} {line.amount:>14}{recognized}"


def _document(
    plan: str, version: int, currency: str, rated: tuple[RatedPeriod, ...]
) -> dict[str, Any]:
    return {
        "plan": plan,
        "version": version,
        "currency": currency,
        "periods": [
            {
                "start": period.period.start.isoformat(),
                "end": period.period.end.isoformat(),
                "lines": [_line(line) for line in period.lines],
                "total": str(period.total),
            }
            for period in rated
        ],
        "total": str(total(period.total for period in rated)),
    }


def _line(line: Line) -> dict[str, str | None]:
    figures = ("quantity", "unit_amount", "amount", "cost", "recognized")
    values = {name: getattr(line, name) for name in figures}
    return {
        "kind": line.kind.value,
        "label": line.label,
        "meter": line.meter,
        **{name: None if value is None else f"{value:f}" for name, value in values.items()},
    }
