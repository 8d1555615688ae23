"""One run of the sync: where it reads, with whose credentials, where it stores, for which day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog

from data.account_credentials import keys, stored_keys
from data.errors import ConfigError
from data.scope import EveryTenant
from data.secrets import vault
from data.settings import Settings
from data.twilio.client import Credentials, Transport, TwilioClient
from data.twilio.lease import Lease
from data.twilio.planner import UNKNOWN, Habit, Window
from data.twilio.tally import Tally
from data.twilio.usage_records import DailyUsage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account to read, and how far its usage was read."""

    sid: str
    name: str
    kind: str = "subaccount"  # or "connected"
    status: str = "active"
    closed_on: date | None = None
    first_day: date | None = None
    through: date | None = None
    whole_on: date | None = None
    read_at: datetime | None = None
    habit: Habit = UNKNOWN


@dataclass(frozen=True, slots=True)
class AccountRead:
    """What Twilio said of an account: all rows of the windows, to be stored together."""

    account: KnownAccount
    windows: tuple[Window, ...]
    rows: tuple[DailyUsage, ...]
    through: date
    whole: bool = False  # the whole history
    habit: Habit = UNKNOWN

    @property
    def first(self) -> date:
        return min((window.first for window in self.windows), default=self.through)


@dataclass(frozen=True)
class Reading:
    scope: EveryTenant
    credentials: Credentials  # the parent's
    transport: Transport
    today: date
    clock: Callable[[], datetime]
    settling_days: int
    history_days: int
    since: date | None = None  # read everything from this day on again
    only: str | None = None  # SID of the one account to read
    logs: bool = False  # count message and call records, too
    keys: Mapping[str, Credentials] = field(default_factory=dict)  # accounts with their own
    usual: Habit = UNKNOWN  # of an account that was never read
    lease: Lease | None = None  # that lets this run store

    @property
    def tally(self) -> Tally:
        return self.transport.tally

    def parent_client(self) -> TwilioClient:
        return self.transport.client(self.credentials)

    def client(self, account: KnownAccount) -> TwilioClient:
        """Of the account's own key, else the parent's token (a connected account's by its SID)."""
        return self.own_client(account) or self.parent_client()

    def own_client(self, account: KnownAccount) -> TwilioClient | None:
        """What subdomains (monitor) insist on: credentials of this very account."""
        if own := self.keys.get(account.sid):
            return self.transport.client(own)
        if account.kind == "connected":
            return self.transport.client(Credentials(account.sid, self.credentials.secret))
        return None


@dataclass(frozen=True, slots=True)
class Resource:
    """Something of an account that is read beside its usage, in turn with the others.

    `read` stores what it has read and says how many rows; `applies` says for which accounts.
    """

    name: str  # stands in the cursor
    read: Callable[[Reading, KnownAccount], int]
    applies: Callable[[Reading, KnownAccount], bool] = lambda _, account: account.status != "closed"


def credentials(settings: Settings) -> Credentials:
    """The ISV's; in demo mode those of the demo world."""
    if settings.demo:
        from data.demo.world import AUTH_TOKEN, PARENT_SID

        return Credentials(PARENT_SID, AUTH_TOKEN)
    if not settings.twilio_account_sid or not settings.twilio_auth_token:
        raise ConfigError("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set.")
    return Credentials(settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value())


def open_reading(
    settings: Settings,
    *,
    today: date,
    clock: Callable[[], datetime],
    since: date | None = None,
    only: str | None = None,
) -> Reading:
    """A run as the settings say; ConfigError for what is missing among them."""
    scope = EveryTenant(settings.admin_url)
    transport = Transport(
        settings.hosts, timeout=settings.twilio_timeout, concurrency=settings.twilio_concurrency
    )
    return Reading(
        scope,
        credentials(settings),
        transport,
        today,
        clock,
        settings.settling_days,
        settings.history_days,
        since,
        only,
        settings.count_logs,
        _own_keys(scope, settings),
    )


def _own_keys(scope: EveryTenant, settings: Settings) -> dict[str, Credentials]:
    """Keys of single accounts.  Without them the parent's token reads all but alerts."""
    if not stored_keys(scope):
        return {}
    try:
        return keys(scope, vault(settings))
    except ConfigError as error:
        log.error("sync.keys_not_opened", error=str(error))
        return {}
