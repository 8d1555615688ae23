"""What Twilio says of the demo world beside usage: alerts, usage triggers, incidents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from data.demo.cast import Account, sid_of
from data.demo.categories import CATEGORIES, TOTAL
from data.demo.records import COUNTED_SECONDS, failed_messages_on
from data.demo.world import World
from data.periods import DAY, days_between, period_of

ALERT_DAYS = 30  # how long Twilio keeps alerts
WEBHOOK_FAILED = 11200
WEBHOOK_SHARE = 0.15  # of days on which a webhook of an account fails


@dataclass(frozen=True, slots=True)
class Alert:
    sid: str
    at: datetime
    code: int
    level: str
    resource_sid: str


@dataclass(frozen=True, slots=True)
class Trigger:
    sid: str
    name: str
    category: str
    trigger_by: str
    recurring: str
    value: Decimal
    current: Decimal
    made_on: date
    fired_on: date | None


@dataclass(frozen=True, slots=True)
class Incident:
    sid: str
    name: str
    impact: str
    status: str
    started_at: datetime
    resolved_at: datetime | None
    component: str


def alerts(world: World, sid: str, start: datetime, end: datetime) -> list[Alert]:
    """The account's alerts from `start` to `end`, newest first."""
    days = days_between(max(start.date(), world.first_day), world.counted_on + DAY)
    found = [one for day in days if day <= end.date() for one in _alerts_on(world, sid, day)]
    within = [one for one in found if start <= one.at <= min(end, world.counted_at)]
    return sorted(within, key=lambda one: (one.at, one.sid), reverse=True)


def _alerts_on(world: World, sid: str, day: date) -> Iterator[Alert]:
    """One for each message that failed, and now and then one for a webhook."""
    for failed in failed_messages_on(world, sid, day):
        assert failed.error_code is not None
        sid_of_alert = sid_of(failed.sid, "NO")
        yield Alert(sid_of_alert, failed.at, failed.error_code, "warning", failed.sid)
    chance = Random(f"{world.seed}/{sid}/{day}/webhook")  # nosec B311 # a world from a seed
    seconds = chance.randrange(COUNTED_SECONDS)
    if world.accounts[sid].is_open(day) and chance.random() < WEBHOOK_SHARE:
        at = datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)
        name = f"{world.seed}/{sid}/{day}/webhook"
        yield Alert(sid_of(name, "NO"), at, WEBHOOK_FAILED, "error", sid_of(name, "SM"))


def triggers(world: World, sid: str) -> list[Trigger]:
    """Two on the month's cost, and one on a day's minutes where there are calls."""
    account = world.accounts[sid]
    if account.closed_on is not None:
        return []
    usual = _usual_cost(account)
    found = [
        _trigger(world, account, "Half of a usual month", TOTAL, "monthly", usual // 2 + 1),
        _trigger(world, account, "More than a usual month", TOTAL, "monthly", usual * 6 // 5 + 2),
    ]
    minutes = sum(flow.monthly[1] for flow in account.flows if _is_calls(flow.shares))
    if minutes:
        most = minutes // 12  # on one of some 20 working days
        found.append(_trigger(world, account, "Busy day on the phone", "calls", "daily", most))
    return found


def _is_calls(leaves: Iterable[str]) -> bool:
    return any(leaf.startswith(("calls-inbound", "calls-outbound")) for leaf in leaves)


def _usual_cost(account: Account) -> int:
    """USD of a month in the middle of each flow's bounds, numbers left out."""
    cost = 0.0
    for flow in account.flows:
        units = sum(flow.monthly) / 2
        for leaf, share in flow.shares.items():
            cost += units * share * float(CATEGORIES[leaf].unit_price or 0)
    return round(cost)


def _trigger(
    world: World, account: Account, name: str, category: str, recurring: str, value: int
) -> Trigger:
    today = world.counted_on
    start = period_of(today).start if recurring == "monthly" else today
    by = "price" if category == TOTAL else "usage"
    current, fired_on = Decimal(0), None
    for day in days_between(max(start, world.first_day), today + DAY):
        tally = world.usage_on(account.sid, day).get(category)
        if tally is not None:
            current += tally.price if by == "price" else tally.usage
        if fired_on is None and current >= value:
            fired_on = day
    sid = sid_of(f"{account.sid}/{name}", "UT")
    made_on = max(account.opened_on, world.first_day)
    return Trigger(sid, name, category, by, recurring, Decimal(value), current, made_on, fired_on)


GOING_ON_FOR = timedelta(hours=2)  # at least, however early in the day it is
# Days ago, hours it lasted (None: it goes on), impact, component, name.
_INCIDENTS = (
    (0, None, "minor", "SMS", "Delayed delivery receipts of SMS to some carriers in the US"),
    (9, 3, "minor", "Programmable Voice", "Call recordings available later than usual"),
    (23, 6, "major", "SMS", "Elevated latency of outbound SMS in North America"),
    (41, 30, "none", "Usage", "Usage records delayed"),
)


def incidents(world: World) -> list[Incident]:
    """Those that have begun, newest first; one of them goes on today."""
    now, found = world.counted_at, []
    for days_ago, hours, impact, component, name in _INCIDENTS:
        started_at = datetime.combine(world.today - days_ago * DAY, time(6, 40), UTC)
        if hours is None and world.counted_on == world.today:
            started_at = min(started_at, now - GOING_ON_FOR)
        ended_at = None if hours is None else started_at + timedelta(hours=hours)
        if started_at > now:
            continue
        resolved_at = ended_at if ended_at and ended_at <= now else None
        status = "resolved" if resolved_at else "monitoring"
        sid = sid_of(name, "")[:12]
        found.append(Incident(sid, name, impact, status, started_at, resolved_at, component))
    return found
