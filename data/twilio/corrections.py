"""Late corrections, found by one request for all accounts.

Twilio corrects usage without saying so.  The parent's listing of `totalprice` sums all subaccounts
by day: where a settled day's sum is another one than last time, every account is asked for its
own totals of those days, and what differs is read again.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import structlog
from sqlmodel import col, delete, insert, select

from data.errors import NotFound, TwilioError
from data.models import FleetDay
from data.money import ZERO
from data.scope import EveryTenant, reading, writing
from data.twilio.reading import Reading
from data.twilio.usage_records import fleet_totals

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Corrections:
    """Settled days whose sum has changed, and the sums as they are now (None: not to be had)."""

    days: tuple[date, ...]
    totals: dict[date, Decimal] | None


def corrections(run: Reading) -> Corrections:
    """One request; without it (refused, or one account is read) every settled day is suspect."""
    before = _kept(run.scope)
    first = min([run.today - timedelta(days=run.history_days), *before])
    last = run.today - timedelta(days=run.settling_days + 1)
    every = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    if run.only or not every:
        return Corrections(every, None)
    try:
        listed = fleet_totals(run.parent_client(), run.credentials.account_sid, first, last)
    except (TwilioError, NotFound) as error:
        log.warning("sync.no_fleet_totals", error=str(error))
        return Corrections(every, None)
    now = {day: listed.get(day, ZERO) for day in every}
    if not before:
        return Corrections(every, now)
    # A day that is not kept was still settling: it was read then, and is read now.
    changed = (day for day in every if day in before and now[day] != before[day])
    return Corrections(tuple(sorted(changed)), now)


def _kept(scope: EveryTenant) -> dict[date, Decimal]:
    with reading(scope) as session:
        return dict(session.execute(select(col(FleetDay.day), col(FleetDay.cost))).all())


def keep_totals(scope: EveryTenant, totals: dict[date, Decimal]) -> None:
    """For the next run to compare with, once every account has been asked."""
    with writing(scope) as session:
        session.execute(delete(FleetDay))
        if totals:
            session.execute(
                insert(FleetDay), [{"day": day, "cost": cost} for day, cost in totals.items()]
            )
