"""X-Twilio-Signature: that a request comes from Twilio, and that nobody changed it on its way.

base64(HMAC-SHA1(auth token, URL + each key with its value, keys sorted)), see
https://www.twilio.com/docs/usage/security#validating-requests.  The URL is the public one that
Twilio was told, with its query; a GET signs the URL alone.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from hmac import compare_digest, digest
from urllib.parse import urlsplit

Field = tuple[str, str]
PORTS = {"https": 443, "http": 80}


def signature(token: str, url: str, form: Iterable[Field] = ()) -> str:
    """What Twilio sends along; of a key given twice, different values count once, sorted."""
    signed = url + "".join(key + value for key, value in sorted(set(form)))
    return b64encode(digest(token.encode(), signed.encode(), sha1)).decode()


def is_signed(token: str, url: str, form: Iterable[Field], given: str) -> bool:
    """Whether `given` is the signature, in constant time; the scheme's own port may be left out."""
    fields = tuple(form)
    found = [
        compare_digest(signature(token, each, fields).encode(), given.encode())
        for each in _spellings(url)
    ]
    return any(found)


def _spellings(url: str) -> set[str]:
    """https://a.example/x is https://a.example:443/x, and Twilio has signed either."""
    parts = urlsplit(url)
    port = PORTS.get(parts.scheme)
    if port is None or parts.port not in (None, port):
        return {url}
    bare = parts.netloc.removesuffix(f":{port}")
    return {parts._replace(netloc=netloc).geturl() for netloc in (bare, f"{bare}:{port}")}
