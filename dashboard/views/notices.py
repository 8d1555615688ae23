"""What stands above a page when something is not as usual: stale, failed, closed, connected."""

from dashboard.charts.formats import day, moment
from dashboard.views.markup import Safe, joined, strong
from dashboard.views.page import Visit
from dashboard.views.parts import callout
from dashboard.words import _
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
    last = (
        _("Its last day was {day}.").format(day=day(max(known) - DAY, year=True)) if known else ""
    )
    return _said(_("This account is closed."), last, _("Its periods stay here to be read."))


def _never_read(own: SubscriptionView) -> Safe | None:
    if any(one.synced_at for one in own.accounts) or any(o.sync_error for o in own.accounts):
        return None
    return _said(
        _("No usage has been read yet."),
        _("The first reading from Twilio takes a few minutes; this page fills by itself."),
    )


def _failed(fresh: Freshness) -> Safe | None:
    if fresh.withdrawn_on:
        withdrawn = _(
            "The consent to read a connected Twilio account was withdrawn on {day}; "
            "its figures are the ones before."
        )
        why = withdrawn.format(day=day(fresh.withdrawn_on, year=True))
    elif fresh.failed:
        why = _("The last reading from Twilio failed; the figures are the ones before it.")
    else:
        return None
    return _said(_("Not up to date."), why, _last_read(fresh), kind="warning")


def _stale(fresh: Freshness) -> Safe | None:
    if not fresh.stale:
        return None
    why = _("We will read Twilio again soon; usage since then is missing here.")
    title = _("These figures are more than a day old.")
    return _said(title, why, _last_read(fresh), kind="warning")


def _last_read(fresh: Freshness) -> str:
    if fresh.synced_at is None:
        return ""
    return _("Last read {moment}.").format(moment=moment(fresh.synced_at))


def _suspended(own: SubscriptionView) -> Safe | None:
    names = [one.application or one.name for one in own.accounts if one.status == "suspended"]
    if not names:
        return None
    return _said(
        _("Suspended: {names}.").format(names=", ".join(names)),
        _("No messages or calls go out. Phone numbers still cost."),
        kind="warning",
    )


def _said(title: str, *sentences: str, kind: str = "info") -> Safe:
    """Whole sentences one after the other."""
    after = [f" {one}" for one in sentences if one]
    return callout(strong(title), *after, kind=kind)
