"""One run of the sync: where it reads, with whose credentials, where it stores, for which day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from data.scope import EveryTenant
from data.twilio.client import Credentials, Tally, Transport, TwilioClient


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
    rows_per_day: int = 0
    categories: int = 0


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
