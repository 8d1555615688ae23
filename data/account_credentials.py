"""Keys of single accounts, for what the parent's token may not read; secrets lie encrypted.

A parent's token opens api.twilio.com for its subaccounts, but no other host (monitor): there an
account's own API key is needed.  One key an account; added again, it replaces the one before.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from data.errors import InputError, NotFound
from data.models import AccountCredential
from data.scope import EveryTenant, reading, writing
from data.secrets import Vault
from data.twilio.client import Credentials

ACCOUNT_SID, KEY_SID = re.compile(r"AC[0-9a-f]{32}"), re.compile(r"SK[0-9a-f]{32}")
SECRET = re.compile(r"[\x21-\x7e]{16,128}")  # Twilio's have 32 letters and digits


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An account's key without its secret."""

    account_sid: str
    key_sid: str
    added_at: datetime


def add(
    scope: EveryTenant, vault: Vault, account_sid: str, key_sid: str, secret: str, *, now: datetime
) -> None:
    """Keep the key that reads this account.  InputError names the field that is not one."""
    _check("account SID", account_sid, ACCOUNT_SID, "AC and 32 hexadecimal digits")
    _check("key SID", key_sid, KEY_SID, "SK and 32 hexadecimal digits")
    if not SECRET.fullmatch(secret):  # never repeated, not even where it is wrong
        raise InputError("secret: must be 16 to 128 characters without spaces", field="secret")
    locked = vault.lock(account_sid, secret)
    with writing(scope) as session:
        row = session.get(AccountCredential, account_sid) or AccountCredential(
            account_sid=account_sid, key_sid=key_sid, secret=locked, added_at=now
        )
        row.key_sid, row.secret, row.added_at = key_sid, locked, now
        session.add(row)


def _check(field: str, value: str, shape: re.Pattern[str], words: str) -> None:
    if not shape.fullmatch(value):
        raise InputError(f"{field}: {value!r} is not {words}", field=field)


def remove(scope: EveryTenant, account_sid: str) -> None:
    """Forget an account's key; NotFound where there is none."""
    with writing(scope) as session:
        row = session.get(AccountCredential, account_sid)
        if row is None:
            raise NotFound(f"No key is stored for account {account_sid!r}.")
        session.delete(row)


def stored_keys(scope: EveryTenant) -> tuple[StoredKey, ...]:
    """All keys by account, without their secrets."""
    with reading(scope) as session:
        rows = session.exec(
            select(
                AccountCredential.account_sid, AccountCredential.key_sid, AccountCredential.added_at
            ).order_by(col(AccountCredential.account_sid))
        ).all()
    return tuple(StoredKey(*row) for row in rows)


def keys(scope: EveryTenant, vault: Vault) -> dict[str, Credentials]:
    """Credentials by account SID, for a run of the sync; ConfigError where one cannot be opened."""
    with reading(scope) as session:
        rows = session.exec(select(AccountCredential)).all()
    return {
        row.account_sid: Credentials(
            row.account_sid, vault.open(row.account_sid, row.secret), row.key_sid
        )
        for row in rows
    }


def rotate(scope: EveryTenant, vault: Vault) -> int:
    """Lock every secret anew with the first key: how many.  All of them, or none."""
    with writing(scope) as session:
        rows = session.exec(select(AccountCredential)).all()
        for row in rows:
            row.secret = vault.lock(row.account_sid, vault.open(row.account_sid, row.secret))
            session.add(row)
    return len(rows)
