"""`demo`: the demo world as Twilio's API on loopback, and the database that shows it."""

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from data import account_credentials
from data.closing import close_due
from data.commands.clock import now, today
from data.customers import import_customers
from data.demo.cast import SEEN_DAYS_AGO
from data.demo.desk import ensure_demo_desk
from data.demo.people import ensure_demo_people
from data.demo.world import PLANS_DIR, World, customers_yaml
from data.errors import ConfigError
from data.migrations import migrate, recreate
from data.periods import DAY
from data.plans import read_plans
from data.scope import EveryTenant
from data.secrets import vault
from data.settings import ROOT, Settings, load_settings
from data.twilio.reading import open_reading
from data.twilio.sync import sync

app = typer.Typer(no_args_is_help=True, help="The demo world of Owl Inc.")
Day = Annotated[
    datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="Its last day (UTC).")
]
Seed = Annotated[int | None, typer.Option(help="Which world.")]


def _world(settings: Settings, seed: int | None, day: datetime | None) -> World:
    return World(
        settings.demo_seed if seed is None else seed,
        day.date() if day else today(settings),
        asked_at=None if day or settings.demo_today else now(),
    )


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Default: the app's port + 1.")] = None,
    seed: Seed = None,
    day: Day = None,
    host: str = "127.0.0.1",
) -> None:
    """Serve the world as Twilio's HTTP API; prints the credentials that read it."""
    from data.demo.twilio_api import serve as serve_world
    from data.demo.world import AUTH_TOKEN, PARENT_SID

    settings = load_settings()
    port = settings.port + 1 if port is None else port
    print(f"Demo Twilio API at http://{host}:{port}")
    print(f"  TWILIO_ACCOUNT_SID={PARENT_SID} TWILIO_AUTH_TOKEN={AUTH_TOKEN}", flush=True)
    serve_world(_world(settings, seed, day), host=host, port=port, app_origin=settings.origin)


@app.command()
def customers(seed: Seed = None, day: Day = None) -> None:
    """Print the world's customers.yaml."""
    print(customers_yaml(_world(load_settings(), seed, day)), end="")


@app.command()
def prepare() -> None:
    """Migrate, and import the world's customers, plans and people."""
    settings = load_settings()
    if not settings.demo:
        raise ConfigError("demo prepare writes demo customers: set DEMO=1 if that is meant")
    print("Ready." if prepare_demo(settings) else "Filled anew, with today as its last day.")


def prepare_demo(settings: Settings) -> bool:
    """Bring the demo's database to today; False where it had to start afresh.

    The world's dates move with today, its credit lots too, and what was granted is never undone:
    a demo of another day is emptied first.
    """
    migrate(settings)
    text = customers_yaml(_world(settings, None, None))
    path = _customers_path(settings)
    same = path.exists() and path.read_text(encoding="utf-8") == text
    if not same:
        recreate(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    scope = EveryTenant(settings.admin_url)
    moment = settings.moment(now())
    import_customers(scope, path, read_plans(PLANS_DIR), now=moment, overwrite=True)
    _keep_keys(scope, settings)
    ensure_demo_people(scope)
    ensure_demo_desk(scope, moment)
    if not same:
        _read_earlier(settings)
    return same


def _keep_keys(scope: EveryTenant, settings: Settings) -> None:
    """Keys of single accounts: their alerts are read with them."""
    locked = vault(settings)
    for sid, key in _world(settings, None, None).keys.items():
        account_credentials.add(scope, locked, sid, key.sid, key.secret, now=now())


def _read_earlier(settings: Settings) -> None:
    """A new demo has a past: it was read once before, and the periods of then are closed.

    What Twilio has corrected since then becomes an adjustment with the next reading.
    """
    from data.demo.twilio_api import served

    world = _world(settings, None, None)
    day = world.today - SEEN_DAYS_AGO * DAY
    then = datetime.combine(day, time(10), UTC)
    with served(replace(world, seen_on=day)) as base:
        seen = settings.model_copy(update={"twilio_api_base": base, "status_base": base})
        earlier = open_reading(seen, today=day, clock=lambda: then)
        sync(earlier, real_clock=now)
    close_due(earlier.scope, settling_days=settings.settling_days, today=day, now=then)


def _customers_path(settings: Settings) -> Path:
    """Beside the database, so that each demo has its own."""
    from sqlalchemy.engine import make_url

    url = make_url(settings.admin_url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).with_suffix(".customers.yaml")
    return ROOT / "var" / f"{url.database}.customers.yaml"
