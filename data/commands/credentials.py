"""`credentials`: accounts' own API keys; a secret comes from a prompt or a pipe, never a word.

Arguments stand in the shell's history and in the list of processes, where others read them.
"""

import sys
from getpass import getpass

import typer

from data import account_credentials
from data.commands.clock import now
from data.identity import Action, record
from data.scope import EveryTenant
from data.secrets import fresh_key, vault
from data.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, help="Accounts' own API keys, encrypted at rest.")


def _scope(settings: Settings) -> EveryTenant:
    return EveryTenant(settings.admin_url)


def _note(settings: Settings, action: Action, detail: str) -> None:
    record(_scope(settings), now(), action, actor="command line", detail=detail)


@app.command()
def add(account_sid: str, key_sid: str) -> None:
    """Keep the key that reads an account: AC… SK…; its secret is asked for, or piped in."""
    settings = load_settings()
    locker = vault(settings)  # sooner than the question: without a key there is no use in it
    secret = getpass("Secret of the key: ") if sys.stdin.isatty() else sys.stdin.readline()
    account_credentials.add(
        _scope(settings), locker, account_sid, key_sid, secret.strip(), now=now()
    )
    _note(settings, Action.CREDENTIAL_ADDED, f"{account_sid} {key_sid}")
    print(f"{account_sid} is read with {key_sid} from the next sync on.")


@app.command("list")
def list_command() -> None:
    """List the keys that are kept, without their secrets."""
    stored = account_credentials.stored_keys(_scope(load_settings()))
    for one in stored:
        print(f"{one.account_sid}  {one.key_sid}  added {one.added_at:%Y-%m-%d %H:%M} UTC")
    if not stored:
        print("No account has a key of its own.")


@app.command()
def remove(account_sid: str) -> None:
    """Forget an account's key; it stays valid at Twilio until it is deleted there."""
    settings = load_settings()
    account_credentials.remove(_scope(settings), account_sid)
    _note(settings, Action.CREDENTIAL_REMOVED, account_sid)
    print(f"The key of {account_sid} is forgotten here; delete it at Twilio, too.")


@app.command()
def rotate() -> None:
    """Encrypt every secret anew with the first key of SECRETS_KEY."""
    settings = load_settings()
    count = account_credentials.rotate(_scope(settings), vault(settings))
    _note(settings, Action.CREDENTIALS_ROTATED, f"{count}")
    print(f"{count} secrets are under the first key of SECRETS_KEY now.")


@app.command()
def key() -> None:
    """Print a fresh key for SECRETS_KEY."""
    print(fresh_key())
