"""`keys`: the API keys with which the ISV's own backend asks for frames."""

from datetime import timedelta
from typing import Annotated

import typer

from data import identity
from data.commands.clock import now
from data.identity import Key
from data.scope import EveryTenant
from data.settings import load_settings
from data.store import customer_by_slug

app = typer.Typer(no_args_is_help=True, help="API keys of the ISV's backend.")
ACTOR = "command line"


@app.command()
def create(
    name: str,
    customer: Annotated[
        list[str] | None, typer.Option(help="Slug; give it again for several.  Default: all.")
    ] = None,
) -> None:
    """Make a key and print it, once."""
    scope = _scope()
    ids = [customer_by_slug(scope, slug).id for slug in customer] if customer else None
    print(identity.create_key(scope, name, ids, now(), actor=ACTOR))


@app.command()
def rotate(
    name: str,
    overlap: Annotated[
        int, typer.Option(min=0, max=168, help="Hours that the key before works on.")
    ] = 24,
) -> None:
    """Make the next key of this name and print it, once."""
    hours = timedelta(hours=overlap)
    print(identity.rotate_key(_scope(), name, now(), overlap=hours, actor=ACTOR))


@app.command()
def revoke(name: str) -> None:
    """End every key of this name, and the frames that it opened, at once."""
    identity.revoke_key(_scope(), name, now(), actor=ACTOR)
    print(f"{name} is revoked.")


@app.command("list")
def list_command() -> None:
    """List the keys: whom they act for, until when, when they were last used."""
    moment = now()
    for key in identity.api_keys(_scope()):
        whom = "all" if key.customers is None else f"{len(key.customers)} customers"
        used = f"used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
        print(f"{key.name:<24} {whom:<14} {used:<28} {_state(key, key.is_live(moment))}")


def _state(key: Key, live: bool) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC"
    if key.expires_at:
        return f"{'until' if live else 'ended'} {key.expires_at:%Y-%m-%d %H:%M} UTC"
    return "live"


def _scope() -> EveryTenant:
    return EveryTenant(load_settings().database_url)
