"""`migrate` brings the database up to date; `reset` empties a demo's."""

import typer

from data.errors import ConfigError
from data.migrations import current, head, migrate, recreate
from data.settings import load_settings


def migrate_command() -> None:
    """Create the tables, or bring them up to date."""
    settings = load_settings()
    before = current(settings.admin_url)
    migrate(settings)
    print(f"Database at revision {head()}" + ("" if before == head() else f" (was {before})"))


def reset_command(
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Empty the demo's database.  Refused outside demo mode."""
    settings = load_settings()
    if not settings.demo:
        raise ConfigError("reset is for demos only: DEMO is not set")
    if yes or typer.confirm("Delete everything in the demo's database?"):
        recreate(settings)
        print("The demo's database is empty; `python -m data demo prepare` fills it again.")
