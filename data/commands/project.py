"""`project`: where a customer's running period will end, or how good such projections are."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.clock import now, today
from data.commands.evaluate import evaluate
from data.errors import InputError, NotFound
from data.money import plain
from data.scope import EveryTenant, Scope
from data.settings import load_settings
from data.store import find_customers, period_at, subscriptions

if TYPE_CHECKING:
    from data.overview import Overview


def project_command(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="CUSTOMER|FOLDER",
            help="A slug, or the start of a name; with --evaluate the benchmark's folder.",
        ),
    ] = None,
    *,
    measured: Annotated[
        bool,
        typer.Option("--evaluate", help="Measure the method on real series from elsewhere."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Project the running period's usage and amount of CUSTOMER.

    With --evaluate: compare the method with simpler ones, on the series in FOLDER.
    """
    if measured:
        _evaluate(subject, as_json=as_json)
    elif subject is None:
        raise typer.BadParameter("name one, or say --evaluate", param_hint="CUSTOMER")
    else:
        _project(subject, as_json=as_json)


def _evaluate(folder: str | None, *, as_json: bool) -> None:
    try:
        print(evaluate(Path(folder) if folder else None, as_json=as_json))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def _project(customer: str, *, as_json: bool) -> None:
    from data.overview import overview  # numpy: 20 MB that the other commands do not need

    settings = load_settings()
    found = [
        one
        for one in find_customers(EveryTenant(settings.database_url), customer)
        if customer.lower() in (one.slug, one.name.lower()) or one.slug.startswith(customer.lower())
    ]
    found = [one for one in found if one.slug == customer.lower()] or found
    if len(found) != 1:
        names = ", ".join(one.slug for one in found) or "none"
        raise NotFound(f"{customer!r} must name one customer; it names {names}")
    scope = Scope(found[0].id, settings.database_url)
    for subscription in subscriptions(scope):
        day = today(settings)
        period = period_at(scope, subscription.key, day)
        page = overview(
            scope,
            subscription.key,
            period,
            today=day,
            now=settings.moment(now()),
            settling_days=settings.settling_days,
            calendar=settings.holidays,
        )
        print(json.dumps(_document(page), indent=2) if as_json else _text(page))


def _document(page: "Overview") -> dict[str, object]:
    outlook = page.outlook
    ranges = {"quantity": outlook.quantity, "amount": outlook.amount} if outlook else {}
    return {
        "customer": page.customer,
        "period": [page.period.start.isoformat(), page.period.end.isoformat()],
        "settled_through": page.freshness.settled_through.isoformat(),
        **{
            name: {"p10": plain(r.low), "p50": plain(r.likely), "p90": plain(r.high)}
            for name, r in ranges.items()
            if r
        },
        "unit": outlook.unit if outlook else None,
        "chance_of_overage": outlook.chance_of_overage if outlook else None,
        "expected_overage": _figure(outlook.expected_overage if outlook else None),
    }


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _text(page: "Overview") -> str:
    outlook = page.outlook
    if outlook is None:
        return f"{page.customer}: nothing has settled yet, so there is nothing to project."
    lines = [
        f"{page.customer}, {page.period.start} – {page.period.end} (exclusive)",
        f"  {outlook.label}: {plain(outlook.quantity.low)} – {plain(outlook.quantity.high)} "
        f"{outlook.unit}, likely {plain(outlook.quantity.likely)}",
    ]
    if outlook.amount and page.statement:
        amount, currency = outlook.amount, page.statement.currency
        lines.append(f"  Amount: {amount.low} – {amount.high} {currency}, likely {amount.likely}")
    if outlook.chance_of_overage is not None:
        lines.append(f"  Chance of passing the allowance: {outlook.chance_of_overage:.0%}")
    return "\n".join(lines)
