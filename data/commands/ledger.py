"""`customers`: who the ISV's customers are, from customers.yaml and the plan files."""

from pathlib import Path
from typing import Annotated

import typer

from data.commands.clock import now
from data.customer_acts import all_agreements
from data.customer_import import import_csv
from data.customers import import_customers
from data.errors import InputError
from data.identity.audit import By
from data.plan_form import as_yaml
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Undo what staff agreed on the pages since.")
    ] = False,
) -> None:
    """Show what the file would change; with --apply, change it."""
    settings = load_settings()
    report = import_customers(
        EveryTenant(settings.admin_url),
        file or settings.customers_file,
        read_plans(plans or settings.plans_dir),
        now=now(),
        dry_run=not apply,
        overwrite=overwrite,
    )
    for line in report.changes:
        print(f"  {line}")
    for line in report.undoes if report.dry_run else ():
        print(f"  would undo what stands on the pages: {line}")
    if not report.changes:
        print("Nothing to change.")
    elif report.dry_run:
        print("A dry run: nothing was stored.  Run again with --apply to store it.")
    else:
        print("Stored.")


@app.command("import-csv")
def import_csv_command(
    file: Annotated[Path, typer.Argument(help="Columns as docs/customers.md says.")],
    reason: Annotated[str, typer.Option(help="Stands in the audit log.")] = "import-csv",
    apply: Annotated[bool, typer.Option("--apply", help="Store it; else only show it.")] = False,
) -> None:
    """Show what becomes of each row; with --apply, store them all, or none."""
    settings = load_settings()
    by = By("customers import-csv", None, reason, now())
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name}: cannot be read ({error})") from None
    found = import_csv(EveryTenant(settings.admin_url), text, by=by, dry_run=not apply)
    for row in found.rows:
        print(f"  line {row.line}: {row.slug}: {row.verdict} {'; '.join(row.details)}".rstrip())
    if found.errors:
        raise InputError(f"{found.errors} rows are wrong: nothing was stored")
    print("Stored." if found.stored else "A dry run: nothing was stored.  --apply stores it.")


@app.command("export")
def export_command() -> None:
    """Write what stands as a customers.yaml that an import would find nothing to change in."""
    content = all_agreements(EveryTenant(load_settings().admin_url))
    stated = content.model_dump(mode="json", by_alias=True, exclude_none=True)
    print(as_yaml(stated), end="")


@app.command("list")
def list_command(text: Annotated[str, typer.Argument(help="Name, SID, e-mail …")] = "") -> None:
    """List customers and their accounts."""
    for found in find_customers(EveryTenant(load_settings().database_url), text):
        print(f"{found.slug}: {found.name} ({found.plan or 'no plan'})")
        for account in found.accounts:
            print(f"  {account.sid} {account.status:<9} {account.name}")
