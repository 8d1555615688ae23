"""The Typer app, put together: every verb, and how an error ends it."""

import logging
import sys

import structlog
import typer

from data.commands import (
    audit,
    backtest,
    brand,
    close_period,
    credentials,
    database,
    demo,
    doctor,
    keys,
    ledger,
    people,
    project,
    rate,
    retention,
    sync,
)
from data.errors import AppError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Twilio usage in, each customer's own dashboard out.",
)
app.command("sync")(sync.sync_command)
app.command("close-period")(close_period.close_period_command)
app.command("rate")(rate.rate_command)
app.command("project")(project.project_command)
app.command("backtest")(backtest.backtest_command)
app.command("retention")(retention.retention_command)
app.command("audit")(audit.audit_command)
app.command("brand")(brand.brand_command)
app.command("doctor")(doctor.doctor_command)
app.command("migrate")(database.migrate_command)
app.command("reset")(database.reset_command)
app.add_typer(demo.app, name="demo")
app.add_typer(ledger.app, name="customers")
app.add_typer(people.app, name="people")
app.add_typer(keys.app, name="keys")
app.add_typer(credentials.app, name="credentials")


def main() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        app()
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
