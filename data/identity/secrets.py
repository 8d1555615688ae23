"""Secrets shown once: 256 random bits, of which only the SHA-256 is kept."""

from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe

LONGEST = 512  # characters: what is longer was never ours


def new_secret() -> str:
    return token_urlsafe(32)


def hashed(secret: str) -> str:
    """Hexadecimal.  Random enough already, a secret of ours needs no salt and no slow hash."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def is_same(secret: str, known_hash: str) -> bool:
    """Whether this is the secret behind a hash, in a time that does not tell how nearly."""
    return compare_digest(hashed(secret).encode(), known_hash.encode())
