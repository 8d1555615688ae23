"""`doctor`: what is configured, reachable, fresh or wrong, in plain words."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr
from sqlalchemy import Boolean, column, func, select, table
from sqlalchemy.engine import Connection, make_url
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
FEWEST_CHARACTERS, FEWEST_DIFFERENT = 24, 8  # of a secret that nobody guesses
FRESH = "`openssl rand -hex 32` prints a fresh one"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def doctor_command() -> None:
    """Check settings, database, Twilio and freshness.  Exit code 1 if something is wrong."""
    settings = load_settings()
    # A setting that two checks need is wrong once.
    findings = dict.fromkeys(one for check in CHECKS for one in _checked(check, settings))
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
    if settings.demo:
        return
    if settings.public_origin is None:
        text = f"PUBLIC_ORIGIN is not set: the app answers at {settings.origin} alone; set it to "
        yield "note", f"{text}the https://… under which customers reach it."
    elif not settings.secure and urlsplit(settings.origin).hostname not in LOOPBACK:
        text = f"PUBLIC_ORIGIN {settings.origin} is not https: sign-ins travel in the clear;"
        yield "wrong", f"{text} serve it by https and write https://…."


def _secrets(settings: Settings) -> Iterator[Finding]:
    for name, secret in _secrets_of(settings):
        if secret and (why := weakness(secret.get_secret_value())):
            yield "wrong", f"{name} {why}, so it can be guessed; {FRESH}."
    if settings.secrets_key:
        vault(settings)
    named = Settings.model_config.get("env_file")
    if isinstance(named, str | Path) and (mode := _open_to_others(Path(named))):
        text = f"{named} is open to every user of this machine (mode {mode}): `chmod 600 {named}`."
        yield ("wrong" if settings.has_credentials else "note"), text


def _secrets_of(settings: Settings) -> Iterator[tuple[str, SecretStr | None]]:
    """Every secret that somebody thought up or was given, and which can be too weak."""
    yield "METRICS_TOKEN", settings.metrics_token
    for name, provider in settings.oidc_providers.items():
        yield f"OIDC_PROVIDERS: the client_secret of {name}", provider.client_secret


def weakness(secret: str) -> str:
    """Why a secret is easy to guess, in words that follow its name; empty if it isn't."""
    if len(secret) < FEWEST_CHARACTERS:
        return f"has {len(secret)} characters, fewer than {FEWEST_CHARACTERS}"
    different = len(set(secret))
    if different < FEWEST_DIFFERENT:
        return f"has {different} different characters, fewer than {FEWEST_DIFFERENT}"
    return ""


def _open_to_others(path: Path) -> str:
    """The file's mode, if whoever has an account on this machine reads or writes it; else empty."""
    if os.name != "posix" or not path.is_file():
        return ""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:04o}" if mode & (stat.S_IROTH | stat.S_IWOTH) else ""


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


def _walls(settings: Settings) -> Iterator[Finding]:
    """What keeps customers apart beside our own code, and who could take it away."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        text = "SQLite has no row-level security: the app's own guard alone keeps customers apart."
        yield "note", f"{text}  PostgreSQL in DATABASE_URL adds a wall."
        file = Path(url.database or "")
        if mode := _open_to_others(file):
            text = f"{file} is open to every user of this machine (mode {mode})"
            yield "note", f"DATABASE_URL: {text}: `chmod 600 {file}*`."
        return
    with translated(), engine(settings.database_url).connect() as connection:
        if lifted := _lifts_row_security(connection):
            cure = "use a role of its own there, and the owner in DATABASE_ADMIN_URL"
            yield (
                "wrong",
                f"DATABASE_URL: its role {lifted}; {cure}, then `python -m data migrate`.",
            )
        else:
            yield "ok", "Row-level security binds the app's role, which cannot lift it."


def _lifts_row_security(connection: Connection) -> str:
    """How this role passes by PostgreSQL's row-level security, or empty.

    Superusers and BYPASSRLS are not bound by it, and an owner can switch it off (PostgreSQL manual,
    5.9); so can a member of the owner's role.
    """
    flags = column("rolsuper", Boolean), column("rolbypassrls", Boolean)
    itself = column("rolname") == func.current_user()
    role = connection.execute(select(*flags).select_from(table("pg_roles")).where(itself)).one()
    if role.rolsuper:
        return "is a superuser, whom row-level security does not bind"
    if role.rolbypassrls:
        return "has BYPASSRLS: row-level security does not bind it"
    owned = connection.scalar(
        select(func.count())
        .select_from(table("pg_tables"))
        .where(column("schemaname") == func.current_schema())
        .where(func.pg_has_role(column("tableowner"), "MEMBER"))
    )
    return f"owns {owned} tables and can switch row-level security off" if owned else ""


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


CHECKS = (_mode, _secrets, _database, _walls, _twilio, _keys, _customers, _freshness, _people)
