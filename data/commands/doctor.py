"""`doctor`: what is configured, reachable, fresh or wrong, in plain words."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from data.account_credentials import keys, stored_keys
from data.commands.clock import now
from data.errors import AppError
from data.identity import members
from data.migrations import current, head
from data.plans import read_plans
from data.scope import EveryTenant, engine, translated
from data.secrets import vault
from data.settings import Settings, load_settings
from data.store import find_customers, last_run
from data.twilio.accounts import list_accounts
from data.twilio.client import Transport
from data.twilio.reading import credentials

Finding = tuple[str, str]  # ok, note or wrong; and what


def doctor_command() -> None:
    """Check settings, database, Twilio and freshness.  Exit code 1 if something is wrong."""
    settings = load_settings()
    findings = [one for check in CHECKS for one in _checked(check, settings)]
    for mark, text in findings:
        print(f"{mark:>6}  {text}")
    if any(mark == "wrong" for mark, _ in findings):
        raise typer.Exit(1)


def _checked(
    check: Callable[[Settings], Iterator[Finding]], settings: Settings
) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (AppError, SQLAlchemyError) as error:
        text = str(error) if isinstance(error, AppError) else str(error).splitlines()[0]
        yield "wrong", text


def _mode(settings: Settings) -> Iterator[Finding]:
    if settings.demo:
        yield "ok", "Demo mode: the demo world of Owl Inc., demo sign-in is on."
    elif settings.has_credentials:
        yield "ok", f"Real mode: parent account {settings.twilio_account_sid}."
    else:
        yield "wrong", "Neither DEMO nor TWILIO_ACCOUNT_SID is set: nothing can be synced."
    if not settings.demo and not settings.secure and "localhost" not in settings.origin:
        yield (
            "wrong",
            f"PUBLIC_ORIGIN {settings.origin} is not https: sign-ins travel in the clear.",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    for name, url in (
        ("DATABASE_URL", settings.database_url),
        ("DATABASE_ADMIN_URL", settings.admin_url),
    ):
        shown = make_url(url).render_as_string(hide_password=True)
        with translated(), engine(url).connect():
            yield "ok", f"{name}: {shown} answers."
        if settings.admin_url == settings.database_url:
            break
    revision = current(settings.admin_url)
    if revision == head():
        yield "ok", f"Tables are up to date (revision {revision})."
    else:
        yield (
            "wrong",
            f"Tables are at revision {revision}, not {head()}: run `python -m data migrate`.",
        )


def _twilio(settings: Settings) -> Iterator[Finding]:
    client = Transport(settings.hosts, attempts=2).client(credentials(settings))
    listed = list(list_accounts(client))
    subaccounts = [one for one in listed if not one.is_parent]
    yield "ok", f"Twilio at {settings.api_base} answers: {len(subaccounts)} subaccounts."


def _keys(settings: Settings) -> Iterator[Finding]:
    scope = EveryTenant(settings.admin_url)
    if stored := stored_keys(scope):
        keys(scope, vault(settings))
        yield "ok", f"{len(stored)} accounts have a key of their own; SECRETS_KEY opens them."
    if settings.connect_app and not settings.demo:
        urls = f"{settings.origin}/connect/callback and {settings.origin}/connect/deauthorized"
        yield "note", f"Connect app {settings.connect_app}: its URLs must be {urls}."


def _customers(settings: Settings) -> Iterator[Finding]:
    if not settings.demo:
        plans = read_plans(settings.plans_dir)
        yield "ok", f"{len(plans)} plan files in {settings.plans_dir.name}/ are valid."
    found = find_customers(EveryTenant(settings.database_url), "", limit=sys.maxsize)
    named = [one for one in found if not one.waiting]
    yield (
        ("ok" if named else "wrong"),
        f"{len(named)} customers"
        + ("." if named else ": write customers.yaml and run `python -m data customers import`."),
    )
    waiting = [account for one in found if one.waiting for account in one.accounts]
    if waiting:
        sids = ", ".join(account.sid for account in waiting[:5])
        sids += f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        yield "note", f"{len(waiting)} accounts wait for an owner in customers.yaml: {sids}"
    for one in found:
        for account in one.accounts:
            if account.sync_error:
                yield "wrong", f"{one.name}, {account.sid}: {account.sync_error}"


def _freshness(settings: Settings) -> Iterator[Finding]:
    run = last_run(EveryTenant(settings.database_url))
    if run is None:
        yield "wrong", "Nothing was synced yet: run `make sync`."
        return
    age = settings.moment(now()) - run.started_at
    hours = int(age / timedelta(hours=1))
    text = f"The last sync began {hours} h ago and ended {run.status}: {run.rows} rows."
    yield ("ok" if run.status == "ok" and hours < 26 else "wrong"), text


def _people(settings: Settings) -> Iterator[Finding]:
    staff = [one for one in members(EveryTenant(settings.database_url)) if not one.customer]
    if staff:
        yield "ok", f"{len(staff)} of the staff can sign in."
    else:
        yield "wrong", "Nobody of the staff can sign in: run `python -m data people add`."


CHECKS = (_mode, _database, _twilio, _keys, _customers, _freshness, _people)
