"""The one list of settings: read once from the environment (and `.env`), frozen, checked at start.

Demo mode is a setting of its own.  Demo mode together with real credentials is refused: a demo
must never show a real tenant.
"""

import os
import re
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from data.errors import ConfigError, InputError
from data.holidays import checked_calendar

ROOT = Path(__file__).parent.parent
TWILIO_API = "https://api.twilio.com"
TWILIO_MONITOR = "https://monitor.twilio.com"
TWILIO_STATUS = "https://status.twilio.com"
TWILIO_CONSOLE = "https://www.twilio.com"
DEMO_CONNECT_APP = "CN" + "de30" * 8


# Nothing else: an origin becomes a part of headers.
ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?/?", re.IGNORECASE)
SECONDS = {"s": 1, "m": 60, "h": 3600}


def interval(text: str) -> timedelta:
    """ "15m" as a time; InputError for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smh])", text)
    if match is None:
        raise InputError(f"{text!r} is no interval: write 30s, 15m or 1h")
    return timedelta(seconds=int(match[1]) * SECONDS[match[2]])


def origin_of(value: str) -> str:
    """An origin as browsers write it; ValueError for anything else."""
    if not ORIGIN.fullmatch(value):
        raise ValueError(f"{value!r} must look like https://host or http://host:port")
    return value.rstrip("/").lower()


class OidcProvider(BaseModel):
    """An OpenID Connect provider; its addresses are read from the issuer's discovery document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(pattern=r"^https?://[^\s?#]+$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    label: str = ""  # on the button; the short name if empty
    scopes: str = "openid email profile"


class Settings(BaseSettings):
    """Field names in upper case are the environment's names."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    demo: bool = Field(False, description="show the demo world; `make run` sets it by itself")
    demo_seed: int = Field(1, description="which demo world")
    demo_today: date | None = Field(None, description="the day a demo takes for today (UTC)")

    twilio_account_sid: str | None = Field(None, description="SID of the ISV's parent account")
    twilio_auth_token: SecretStr | None = Field(None, description="auth token of that account")
    twilio_api_base: str | None = Field(None, description=f"another host than {TWILIO_API}")
    twilio_concurrency: int = Field(16, ge=1, le=100, description="requests at once, at most")
    twilio_timeout: float = Field(
        10, gt=0, le=60, description="seconds to wait for an answer, at the first attempt"
    )
    status_base: str | None = Field(None, description=f"another status page than {TWILIO_STATUS}")
    twilio_connect_app_sid: str | None = Field(
        None, description="CN… of the ISV's Connect app: customers connect their own accounts"
    )
    twilio_authorize_base: str | None = Field(
        None, description=f"where they consent, if not at {TWILIO_CONSOLE}"
    )
    secrets_key: SecretStr | None = Field(
        None, description="encrypts accounts' own keys; several by comma, the first one locks"
    )

    database_url: str = Field(
        f"sqlite:///{ROOT / 'var' / 'dashboard.sqlite'}",
        description="sqlite:///… or postgresql+psycopg://…, read and written by the app",
    )
    database_admin_url: str | None = Field(
        None, description="owner of the tables, where the app's role is not: migrations, sync"
    )
    customers_file: Path = Field(ROOT / "customers.yaml", description="customers, accounts, plans")
    plans_dir: Path = Field(ROOT / "plans", description="a folder of plan files")
    brand_file: Path = Field(ROOT / "brand.toml", description="name, logo, colours of the ISV")

    port: int = Field(8501, ge=1, le=65534, description="port of the app; the demo API is above it")
    public_origin: str | None = Field(
        None, description="https://… under which customers reach the app; http://localhost if unset"
    )
    sync_every: str = Field("15m", description="how often the app syncs: 15m, 1h, or off")
    count_logs: bool = Field(False, description="count message and call records by day, too")
    retention: dict[str, int] = Field(
        {}, description='days to keep rows of a table, as {"alert": 90}; see `retention`'
    )
    settling_days: int = Field(3, ge=0, le=30, description="days before today still moving")
    holidays: str = Field(
        "", description="whose public holidays are quiet days, as US or DE-BY; nobody's if empty"
    )
    history_days: int = Field(425, ge=1, description="days of usage a first sync reads")
    session_hours: int = Field(12, ge=1, description="how long a sign-in lasts, at most")
    session_idle_minutes: int = Field(
        60, ge=1, description="how long a sign-in lasts while nobody does anything"
    )
    oidc_providers: dict[str, OidcProvider] = Field(
        {},
        description='identity providers by a short name, as {"google": {"issuer": "https://…", '
        '"client_id": "…", "client_secret": "…", "label": "Google"}}',
    )
    embed_origins: tuple[str, ...] = Field(
        (), description='who may frame the pages, as ["https://portal.example.com"]'
    )
    embed_minutes: int = Field(60, ge=1, le=1440, description="how long a frame's sign-in lasts")
    show_viewings: bool = Field(
        False, description="customers see when staff looked at their pages, who and why"
    )
    metrics_token: SecretStr | None = Field(
        None, description="bearer token that reads /metrics; without one there is no such address"
    )

    @field_validator("sync_every")
    @classmethod
    def _is_an_interval(cls, value: str) -> str:
        if value != "off":
            try:
                interval(value)
            except InputError as error:
                raise ValueError(f"{error}, or off") from None
        return value

    @field_validator("holidays")
    @classmethod
    def _is_a_calendar(cls, value: str) -> str:
        try:
            return checked_calendar(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    @field_validator("twilio_connect_app_sid")
    @classmethod
    def _is_a_connect_app(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"CN[0-9a-f]{32}", value):
            raise ValueError(f"{value!r} is not CN and 32 hexadecimal digits")
        return value

    @field_validator("twilio_api_base", "twilio_authorize_base", "status_base", "public_origin")
    @classmethod
    def _is_an_origin(cls, value: str | None) -> str | None:
        return None if value is None else origin_of(value)

    @field_validator("embed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin_of(one) for one in value)

    @field_validator("oidc_providers")
    @classmethod
    def _have_short_names(cls, value: dict[str, OidcProvider]) -> dict[str, OidcProvider]:
        for name, one in value.items():
            if not re.fullmatch(r"[a-z0-9-]{1,30}", name):
                raise ValueError(f"{name!r} is no short name: small letters, digits, -")
            local = urlsplit(one.issuer).hostname in ("localhost", "127.0.0.1")
            if not one.issuer.startswith("https://") and not local:
                raise ValueError(f"{name}: issuer must be https://, but for one on localhost")
        return value

    @field_validator("database_url", "database_admin_url")
    @classmethod
    def _is_a_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return value

    @model_validator(mode="after")
    def _demo_or_real(self) -> "Settings":
        if self.demo and (self.twilio_account_sid or self.twilio_auth_token):
            raise ValueError(
                "DEMO is on and TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is set: unset one of them; "
                "a demo never runs with real credentials"
            )
        if bool(self.twilio_account_sid) != bool(self.twilio_auth_token):
            missing = "TWILIO_AUTH_TOKEN" if self.twilio_account_sid else "TWILIO_ACCOUNT_SID"
            raise ValueError(f"{missing} is missing: both belong together")
        return self

    @property
    def admin_url(self) -> str:
        return self.database_admin_url or self.database_url

    @property
    def has_credentials(self) -> bool:
        return self.twilio_account_sid is not None

    @property
    def demo_api(self) -> str:
        """Where the demo world answers: the port above the app's own."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def api_base(self) -> str:
        return self.twilio_api_base or (self.demo_api if self.demo else TWILIO_API)

    @property
    def sync_interval(self) -> timedelta | None:
        """How often the app syncs by itself; None: never."""
        return None if self.sync_every == "off" else interval(self.sync_every)

    @property
    def hosts(self) -> dict[str, str]:
        """Twilio's hosts by what they serve; another one in its place serves all of it."""
        elsewhere = self.twilio_api_base or (self.demo_api if self.demo else None)
        return {
            "api": elsewhere or TWILIO_API,
            "monitor": elsewhere or TWILIO_MONITOR,
            "status": self.status_base or (self.demo_api if self.demo else TWILIO_STATUS),
        }

    @property
    def connect_app(self) -> str | None:
        """SID of the Connect app; without one no account can be connected."""
        return self.twilio_connect_app_sid or (DEMO_CONNECT_APP if self.demo else None)

    @property
    def authorize_base(self) -> str:
        return self.twilio_authorize_base or (self.api_base if self.demo else TWILIO_CONSOLE)

    @property
    def origin(self) -> str:
        return self.public_origin or f"http://localhost:{self.port}"

    @cached_property
    def secure(self) -> bool:
        return self.origin.startswith("https://")

    def moment(self, now: datetime) -> datetime:
        """What counts as now: in a demo of a fixed day, that day at the same time (UTC)."""
        if self.demo and self.demo_today:
            return datetime.combine(self.demo_today, now.timetz())
        return now


def load_settings(**overrides: Any) -> Settings:
    """The settings, or a ConfigError that names each setting that is wrong.

    SECRETS_DIR names a folder with a file for each secret, as containers mount them:
    `twilio_auth_token` holds TWILIO_AUTH_TOKEN.  The environment wins over it.
    """
    folder = os.environ.get("SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"SECRETS_DIR: there is no folder {folder!r}")
    try:
        return Settings(_secrets_dir=folder or None, **overrides)
    except SettingsError as error:  # a value that is no JSON where JSON is asked for
        name = str(error).partition('field "')[2].partition('"')[0].upper()
        raise ConfigError(f"{name}: must be written as JSON") from None
    except ValidationError as error:
        reasons = []
        for item in error.errors():
            name = "_".join(str(part) for part in item["loc"]).upper()
            reason = item["msg"].removeprefix("Value error, ")
            reasons.append(f"{name}: {reason}" if name else reason)
        raise ConfigError("; ".join(reasons)) from None
