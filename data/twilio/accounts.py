"""The accounts that Twilio lists for the ISV: its own and its subaccounts.

A body holds the account's `auth_token`: it is dropped here and goes nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from data.twilio.client import TwilioClient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    sid: str
    name: str
    status: str  # active, suspended, closed
    owner_sid: str  # its own for the parent

    @property
    def is_parent(self) -> bool:
        return self.sid == self.owner_sid

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"


def list_accounts(client: TwilioClient) -> Iterator[TwilioAccount]:
    """The parent and all its subaccounts, closed ones included."""
    for body in client.list("Accounts.json", "accounts"):
        sid = body.get("sid")
        if not sid:
            log.warning("twilio.account_without_sid")
            continue
        yield TwilioAccount(
            sid=str(sid),
            name=str(body.get("friendly_name") or sid),
            status=str(body.get("status") or "active"),
            owner_sid=str(body.get("owner_account_sid") or ""),
        )
