"""Secrets at rest: what a row of ours must keep and a copy of the database must not give away.

Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec) under the keys of
SECRETS_KEY: the first locks, all open, so that keys can be rotated.  What is locked names its
account inside: moved to another account's row it opens nothing.  No text here repeats a secret.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from data.errors import ConfigError
from data.settings import Settings

# The demo has no secrets: its key is for everybody to read.
DEMO_KEY = urlsafe_b64encode(sha256(b"the demo world has no secrets").digest()).decode()
FRESH = "`python -m data credentials key` prints a fresh one"


class Vault:
    """Locks and opens the secrets of accounts; its keys are never shown."""

    def __init__(self, keys: Sequence[str]) -> None:
        """ConfigError, naming SECRETS_KEY, without keys or with one that is none."""
        if not keys:
            raise ConfigError(f"SECRETS_KEY is not set: it encrypts accounts' own keys; {FRESH}.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ConfigError(
                f"SECRETS_KEY: a key is 32 bytes in URL-safe base64 (44 characters); {FRESH}."
            ) from None

    def lock(self, account_sid: str, secret: str) -> str:
        """The secret under the first key, as text for a row of this account."""
        return self._fernet.encrypt(f"{account_sid}:{secret}".encode()).decode()

    def open(self, account_sid: str, locked: str) -> str:
        """The secret; ConfigError, naming the account, where no key opens it."""
        try:
            owner, _, secret = self._fernet.decrypt(locked.encode()).decode().partition(":")
        except InvalidToken:
            owner, secret = "", ""
        if owner != account_sid:
            raise ConfigError(
                f"The stored key of account {account_sid} cannot be opened: put the SECRETS_KEY "
                "that locked it back behind the first one, or add the account's key again "
                "(`python -m data credentials add`)."
            )
        return secret


def vault(settings: Settings) -> Vault:
    """The vault of this deployment; a demo without SECRETS_KEY has one of its own."""
    if settings.secrets_key is None:
        return Vault([DEMO_KEY] if settings.demo else [])
    given = settings.secrets_key.get_secret_value().split(",")
    return Vault([key for part in given if (key := part.strip())])


def fresh_key() -> str:
    """A new key for SECRETS_KEY: 32 random bytes, URL-safe base64."""
    return Fernet.generate_key().decode()
