"""Reading an account's usage: which days, in the way the planner finds cheapest, as one answer.

What is read: an account seen for the first time, or just closed, its whole history; later, the
settling days, until the 5th the whole previous month, and every settled day whose total Twilio has
changed.  `read_usage` returns everything it read or raises: nothing is stored here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from data.errors import NotFound
from data.money import ZERO
from data.periods import DAY, period_of, previous_period
from data.twilio.client import TwilioClient
from data.twilio.intake import stored_totals
from data.twilio.planner import Habit, Plan, Way, Window, plan, plan_again
from data.twilio.reading import AccountRead, KnownAccount, Reading
from data.twilio.usage_records import (
    Listed,
    ListingMoved,
    active_categories,
    daily_pages,
    daily_usage,
    usage_of_day,
)

MONTH_MOVES_UNTIL = 5  # day of the next month up to which Twilio may still restate a month
CLOSED_MOVES = timedelta(days=30)  # then Twilio may have deleted a closed account's usage
LISTING_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be read of an account: these days, and a look at the totals of some others."""

    account: KnownAccount
    habit: Habit
    window: Window | None
    suspects: Window | None
    whole: bool

    @property
    def plan(self) -> Plan | None:
        return plan(self.window, self.habit) if self.window else None

    @property
    def requests(self) -> int:
        """Expected, where nothing has changed behind our back."""
        return (self.plan.requests if self.plan else 0) + (self.suspects is not None)


def due(reading: Reading, account: KnownAccount, changed: Sequence[date]) -> Due:
    """`changed` are settled days on which the total of all accounts has changed."""
    last, since = reading.today, reading.since
    habit = account.habit if account.habit.is_known else reading.usual
    start = min(last - timedelta(days=reading.history_days), since or last)
    if account.through is None or account.first_day is None or _must_be_whole(account):
        return Due(account, habit, Window(min(start, account.first_day or start), last), None, True)
    if account.closed_on:
        last = min(last, account.closed_on + timedelta(days=reading.settling_days + 1))
    first = min(account.through, last) - timedelta(days=reading.settling_days)
    if last.day <= MONTH_MOVES_UNTIL:
        first = min(first, previous_period(period_of(last)).start)
    first = max(min(first, since or first), min(start, account.first_day))
    done = account.closed_on is not None and account.through > last
    window = None if done and since is None else Window(first, last)
    return Due(account, habit, window, _suspects(reading, account, changed, window), False)


def _must_be_whole(account: KnownAccount) -> bool:
    """Closed since its history was last read: Twilio deletes it some time after."""
    closed = account.closed_on
    return closed is not None and (account.whole_on is None or account.whole_on < closed)


def _suspects(
    reading: Reading, account: KnownAccount, changed: Sequence[date], window: Window | None
) -> Window | None:
    if account.closed_on and reading.today > account.closed_on + CLOSED_MOVES:
        return None
    assert account.first_day is not None
    days = [
        day
        for day in changed
        if day >= account.first_day and not (window and window.first <= day <= window.last)
    ]
    return Window(min(days), max(days)) if days else None


def read_usage(reading: Reading, what: Due) -> AccountRead:
    """Ask Twilio for all that is due; raises what the client raises, and TwilioError.

    Of a closed account that Twilio knows no more nothing is read, and what is stored stays.
    """
    try:
        return _read_usage(reading, what)
    except NotFound:
        if what.account.status != "closed":
            raise
        return AccountRead(what.account, (), (), reading.today, what.whole, what.habit)


def _read_usage(reading: Reading, what: Due) -> AccountRead:
    account, client = what.account, reading.client(what.account)
    habit, found = what.habit, Listed()
    windows = list(_windows(reading, client, what))
    for window in windows:
        part, seen = _read_whole(client, account.sid, window, habit)
        habit = seen if window == what.window else habit
        found.take(part)
    rows = tuple(found.rows.values())
    return AccountRead(account, tuple(windows), rows, reading.today, what.whole, habit)


def _windows(reading: Reading, client: TwilioClient, what: Due) -> Iterator[Window]:
    if what.window:
        yield what.window
    if what.suspects is None:
        return
    changed = _changed_days(reading, client, what.account, what.suspects)
    inside = what.window.dates() if what.window else []
    yield from _stretches(sorted(set(changed) - set(inside)))


def _changed_days(
    reading: Reading, client: TwilioClient, account: KnownAccount, window: Window
) -> list[date]:
    """Days on which Twilio's total is no longer the one that is stored."""
    listed = daily_usage(client, account.sid, window.first, window.last, category="totalprice")
    theirs = {row.day: row.cost or ZERO for row in listed.rows.values()}
    ours = stored_totals(reading.scope, account.sid, window.first, window.last)
    # A closed account's usage may be deleted by Twilio; what we have of it stays.
    days = theirs.keys() if account.status == "closed" else theirs.keys() | ours.keys()
    return sorted(day for day in days if theirs.get(day, ZERO) != ours.get(day, ZERO))


def _stretches(days: Sequence[date]) -> Iterator[Window]:
    """As few windows as the days make."""
    run: list[date] = []
    for day in days:
        if run and day - run[-1] > DAY:
            yield Window(run[0], run[-1])
            run = []
        run.append(day)
    if run:
        yield Window(run[0], run[-1])


def _read_whole(
    client: TwilioClient, sid: str, window: Window, habit: Habit
) -> tuple[Listed, Habit]:
    """The window, read again where its listing shifted meanwhile."""
    for attempt in range(1, LISTING_ATTEMPTS + 1):
        try:
            return read_window(client, sid, window, habit)
        except ListingMoved:
            if attempt == LISTING_ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt raises")


def read_window(
    client: TwilioClient, sid: str, window: Window, habit: Habit
) -> tuple[Listed, Habit]:
    """All categories of the window in the cheapest way, and what to expect of the next one.

    Raises ListingMoved where rows shifted between pages.
    """
    way = plan(window, habit).way
    if way is Way.RANGE:
        found, better = _read_range(client, sid, window)
        if better is None:
            return found, _seen(found, window)
        way = better.way
    if way is Way.DAYS:
        found = _read_days(client, sid, window)
        return found, _seen(found, window)
    return _read_categories(client, sid, window)


def _seen(found: Listed, window: Window) -> Habit:
    """Rows a day on the average, at least one: what was read is known."""
    return Habit(max(-(-len(found.seen) // window.days), 1), found.habit.categories)


def _read_range(client: TwilioClient, sid: str, window: Window) -> tuple[Listed, Plan | None]:
    """The range, unless its pages show that another way takes less: then that."""
    found = Listed()
    pages = daily_pages(client, sid, window.first, window.last)
    for read, page in enumerate(pages, start=1):
        found.take(page)
        if better := plan_again(window, found.habit, read):
            return found, better
    return found, None


def _read_days(client: TwilioClient, sid: str, window: Window) -> Listed:
    found = Listed()
    for day in window.dates():
        found.take(usage_of_day(client, sid, day))
    return found


def _read_categories(client: TwilioClient, sid: str, window: Window) -> tuple[Listed, Habit]:
    active, listed = active_categories(client, sid, window.first, window.last)
    found = Listed()
    for category in active:
        found.take(daily_usage(client, sid, window.first, window.last, category=category))
    return found, Habit(listed, len(active))
