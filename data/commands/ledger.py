"""`customers`: who the ISV's customers are, from customers.yaml and the plan files."""

from pathlib import Path
from typing import Annotated

import typer

from data.commands.clock import now
from data.customers import import_customers
from data.plans import read_plans
from data.scope import EveryTenant
from data.settings import load_settings
from data.store import find_customers

app = typer.Typer(no_args_is_help=True, help="Customers, their accounts, plans and credits.")


@app.command("import")
def import_command(
    file: Annotated[Path | None, typer.Option(help="Default: CUSTOMERS_FILE.")] = None,
    plans: Annotated[Path | None, typer.Option(help="Default: PLANS_DIR.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Store it; else only show it.")] = False,
) -> None:
    """Show what the file would change; with --apply, change it."""
    settings = load_settings()
    report = import_customers(
        EveryTenant(settings.admin_url),
        file or settings.customers_file,
        read_plans(plans or settings.plans_dir),
        now=now(),
        dry_run=not apply,
    )
    for line in report.changes:
        print(f"  {line}")
    if not report.changes:
        print("Nothing to change.")
    elif report.dry_run:
        print("A dry run: nothing was stored.  Run again with --apply to store it.")
    else:
        print("Stored.")


@app.command("list")
def list_command(text: Annotated[str, typer.Argument(help="Name, SID, e-mail …")] = "") -> None:
    """List customers and their accounts."""
    for found in find_customers(EveryTenant(load_settings().database_url), text):
        print(f"{found.slug}: {found.name} ({found.plan or 'no plan'})")
        for account in found.accounts:
            print(f"  {account.sid} {account.status:<9} {account.name}")
