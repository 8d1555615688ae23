"""What stands above a page when something is not as usual: stale, failed, closed, connected."""

from dashboard.charts.formats import day, moment
from dashboard.views.markup import Part, Safe, joined, strong
from dashboard.views.page import Visit
from dashboard.views.parts import callout
from data.overview import Freshness
from data.periods import DAY
from data.store import SubscriptionView


def notices(visit: Visit, fresh: Freshness) -> Safe | None:
    """The most important one only: a page with three banners is read by nobody."""
    found = (
        _closed(visit.subscription)
        or _never_read(visit.subscription)
        or _failed(fresh)
        or _stale(fresh)
        or _suspended(visit.subscription)
    )
    return joined([found]) if found else None


def _closed(own: SubscriptionView) -> Safe | None:
    if not own.accounts or any(one.status != "closed" for one in own.accounts):
        return None
    ends = [*(one.ends_on for one in own.accounts), own.ends_on]
    known = [on for on in ends if on]
    last = f" Its last day was {day(max(known) - DAY, year=True)}." if known else ""
    return callout(strong("This account is closed."), last, " Its periods stay here to be read.")


def _never_read(own: SubscriptionView) -> Safe | None:
    if any(one.synced_at for one in own.accounts) or any(o.sync_error for o in own.accounts):
        return None
    return callout(
        strong("No usage has been read yet."),
        " The first reading from Twilio takes a few minutes; this page fills by itself.",
    )


def _failed(fresh: Freshness) -> Safe | None:
    if fresh.problem is None:
        return None
    return callout(strong("Not up to date. "), fresh.problem, *_last_read(fresh), kind="warning")


def _stale(fresh: Freshness) -> Safe | None:
    if not fresh.stale:
        return None
    why = " We will read Twilio again soon; usage since then is missing here."
    return callout(
        strong("These figures are more than a day old."), why, *_last_read(fresh), kind="warning"
    )


def _last_read(fresh: Freshness) -> list[Part]:
    return [f" Last read {moment(fresh.synced_at)}."] if fresh.synced_at else []


def _suspended(own: SubscriptionView) -> Safe | None:
    names = [one.application or one.name for one in own.accounts if one.status == "suspended"]
    if not names:
        return None
    return callout(
        strong(f"Suspended: {', '.join(names)}."),
        " No messages or calls go out. Phone numbers still cost.",
        kind="warning",
    )
