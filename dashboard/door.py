"""What edge and endpoints share: settings, brand, pages, a clock, and which addresses are ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from data.brand import Brand
from data.errors import ConfigError
from data.scope import EveryTenant
from data.settings import Settings

# What an address may say of a page besides its path; a test finds every name that pages read.
KEPT = frozenset(
    (
        "account accounts after against as by category connected contract customer "
        "customers detail entries filter from grain growth lang leaf lot meter month months "
        "pack period person plan q range shape show sort status tab to try view what which "
        "who"
    ).split()
)
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:~@+ -]{0,80}")  # no slash: never an address
MOST_KEPT = 12
LONGEST = 1000  # characters of a query
LOCAL_HOSTS = ("localhost", "127.0.0.1")
HOST = re.compile(r"[a-zA-Z0-9.-]+(:[0-9]{1,5})?")
PORTS = {"http": 80, "https": 443}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Door:
    """`pages` are url paths without a slash, such as "usage"; some are the customers' own."""

    settings: Settings
    brand: Brand
    pages: tuple[str, ...]
    customer_pages: tuple[str, ...] = ()
    now: Callable[[], datetime] = _now

    def __post_init__(self) -> None:
        origin = urlsplit(self.settings.origin)
        if origin.scheme != "https" and origin.hostname not in LOCAL_HOSTS:
            raise ConfigError(
                "PUBLIC_ORIGIN: http:// is for localhost only; sign-in needs https://"
            )

    @property
    def scope(self) -> EveryTenant:
        return EveryTenant(self.settings.database_url)

    @property
    def today(self) -> date:
        return self.settings.demo_today or self.now().date()

    @property
    def session_life(self) -> timedelta:
        return timedelta(hours=self.settings.session_hours)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.settings.session_idle_minutes)

    @property
    def frame_life(self) -> timedelta:
        return timedelta(minutes=self.settings.embed_minutes)

    @property
    def frame_cookie(self) -> str:
        """Always Secure, as browsers demand of a cookie in a frame; localhost counts as secure."""
        return "__Host-dash_frame"

    @property
    def cookies(self) -> tuple[str, str]:
        return self.cookie, self.frame_cookie

    @property
    def cookie(self) -> str:
        """`__Host-` makes browsers insist on https, on this very host and on no other."""
        return "__Host-dash_session" if self.settings.secure else "dash_session"

    @property
    def page_paths(self) -> tuple[str, ...]:
        return ("/", *(f"/{page}" for page in self.pages))

    def page_path(self, address: str) -> str:
        """Where a sign-in leads: to this page of ours as it was asked for, else to the first.

        Of its query stays what pages know, with plain values: "/usage?meter=sms".
        """
        path, _, query = address.partition("?")
        if path not in self.page_paths:
            return "/"
        asked = parse_qsl(query)[:MOST_KEPT] if len(query) < LONGEST else []
        kept = [
            (name, text) for name, text in asked if name in KEPT and PLAIN_VALUE.fullmatch(text)
        ]
        return f"{path}?{urlencode(kept)}" if kept else path

    def is_host(self, host: str) -> bool:
        if not HOST.fullmatch(host):
            return False
        asked = _address(f"//{host}", self.settings.origin)
        if self.settings.public_origin:
            return asked == _address(self.settings.origin)
        return asked is not None and asked[1] in LOCAL_HOSTS

    def is_origin(self, origin: str, host: str) -> bool:
        """Ours: the configured one, or without one the very address the browser has asked."""
        if not self.is_host(host):
            return False
        if self.settings.public_origin:
            return _address(origin) == _address(self.settings.origin)
        return origin == f"http://{host}"


def _address(url: str, like: str = "") -> tuple[str, str | None, int | None] | None:
    """Scheme, host, port: `https://a.example:443` and `https://A.example` are the same."""
    try:
        parts = urlsplit(url, scheme=urlsplit(like).scheme)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port
