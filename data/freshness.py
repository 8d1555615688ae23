"""How current the figures of some accounts are, and through which day they have settled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from data.store import AccountView

STALE_AFTER = timedelta(hours=26)  # a daily sync that is two hours late


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the figures can be trusted.  Days after `settled_through` may still move."""

    as_of: datetime | None  # Twilio's own, the oldest among the accounts shown
    synced_at: datetime | None  # when we last read Twilio, the oldest among them
    settled_through: date
    stale: bool  # nothing was read for over a day, though the accounts are open
    failed: bool = False  # the last reading: the figures are the ones before it
    withdrawn_on: date | None = None  # the consent to read a connected account


def freshness(
    accounts: Iterable[AccountView], *, today: date, now: datetime, settling_days: int
) -> Freshness:
    """How current the accounts' figures are; closed ones have settled for good."""
    open_ones = [
        one
        for one in accounts
        if one.status != "closed" and (one.ends_on is None or one.ends_on > today)
    ]
    read = [one.synced_at for one in open_ones if one.synced_at]
    oldest = min(read) if len(read) == len(open_ones) and read else None
    as_of = [one.as_of for one in open_ones if one.as_of]
    last_day = min(today, oldest.date()) if oldest else today
    still_read = [one for one in open_ones if one.withdrawn_at is None]
    late = any(one.synced_at is None or now - one.synced_at > STALE_AFTER for one in still_read)
    return Freshness(
        min(as_of) if as_of else None,
        oldest,
        last_day - timedelta(days=settling_days + 1),
        late,
        any(one.sync_error for one in open_ones),
        max((one.withdrawn_at.date() for one in open_ones if one.withdrawn_at), default=None),
    )
