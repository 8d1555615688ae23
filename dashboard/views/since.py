"""What changed since the visit before, in a few sentences; nothing at all where nothing has.

For whom no visit is known (a frame without a person, staff who look on, a first visit) it is what
changed within a week.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.charts.formats import counted, day, money, period_name, quantity
from dashboard.views.markup import Safe, filled, note, strong, tag
from dashboard.views.page import Visit
from dashboard.views.readings import read_changes
from dashboard.words import _, n_
from data.since import BilledPeriod, Changes, Credit, Moved, NewPlan, RestatedDay

WEEK = timedelta(days=7)
MOST = 3  # of a kind; the rest is counted


def since_last_visit(visit: Visit) -> Safe | None:
    seen = _seen_before(visit)
    since = seen or (visit.now - WEEK).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = read_changes(
        *(visit.scope, visit.version, visit.subscription.key, since, visit.today),
        visit.settings.settling_days,
    )
    said = sentences(changes)
    if not said:
        return None
    title = _("Since your last visit on {day}").format(day=day(seen.date())) if seen else None
    items = (tag("li", *one) for one in said)
    return tag(
        "section",
        tag("h2", title or _("In the last seven days")),
        tag("ul", *items),
        class_="u-since",
    )


def _seen_before(visit: Visit) -> datetime | None:
    """On the clock of the data, which in a demo may stand on another day than people's own."""
    seen = visit.viewer.seen_before_at
    return visit.now - (visit.clock - seen) if seen else None


def sentences(changes: Changes) -> list[tuple[Safe, ...]]:
    """One for each item of a list; of many of a kind the newest and how many more."""
    kinds: tuple[Iterable[Safe], ...] = (
        map(_restated, changes.restated),
        map(_adjusted, changes.adjusted),
        map(_closed, changes.closed),
        map(_plan, changes.plans),
        map(_granted, changes.granted),
        map(_expired, changes.expired),
        (
            filled(_("{account} was added on {day}."), account=strong(name), day=day(on))
            for name, on in changes.opened
        ),
        (
            filled(_("{account} ended on {day}."), account=strong(name), day=day(on))
            for name, on in changes.ended
        ),
    )
    return [(one,) for kind in kinds for one in _few(list(kind))]


def _few(said: list[Safe]) -> list[Safe]:
    more = len(said) - MOST
    if more <= 0:
        return said
    rest = n_("And {n} more of these.", "And {n} more of these.", more).format(n=more)
    return [*said[:MOST], note(rest)]


def _restated(one: RestatedDay) -> Safe:
    when = strong(day(one.day))
    figures = ", ".join(_signed_units(moved) for moved in one.moved)
    if not one.amount or one.currency is None:
        return filled(_("{day} was counted anew: {units}."), day=when, units=figures)
    amount = strong(money(abs(one.amount), one.currency))
    if one.amount > 0:
        text = _("{day} rose by {amount}: {units}.")
    else:
        text = _("{day} fell by {amount}: {units}.")
    if not figures:
        rose, fell = _("{day} rose by {amount}."), _("{day} fell by {amount}.")
        text = rose if one.amount > 0 else fell
    return filled(text, day=when, amount=amount, units=figures)


def _signed_units(moved: Moved) -> str:
    sign = "+" if moved.by > 0 else "−"
    return f"{sign}{counted(abs(moved.by), moved.unit)}"


def _adjusted(one: BilledPeriod) -> Safe:
    amount = strong(money(abs(one.amount), one.currency))
    more = _("{period} turned out {amount} more; this is billed later, as an adjustment.")
    less = _("{period} turned out {amount} less; this is billed later, as an adjustment.")
    return filled(
        more if one.amount > 0 else less, period=strong(period_name(one.period)), amount=amount
    )


def _closed(one: BilledPeriod) -> Safe:
    return filled(
        _("The bill of {period} is final: {amount}."),
        period=strong(period_name(one.period)),
        amount=strong(money(one.amount, one.currency)),
    )


def _plan(one: NewPlan) -> Safe:
    if not one.billed:
        text = _("{plan} was agreed on {asked} and replaced before it began.")
    elif one.starts_on > one.asked_on:
        text = _("{plan} was agreed on {asked} and begins on {day}.")
    else:
        text = _("{plan} is your plan from {day} on.")
    return filled(text, plan=strong(one.name), asked=day(one.asked_on), day=day(one.starts_on))


def _granted(one: Credit) -> Safe:
    return filled(
        _("{amount} were added on {day} ({name})."),
        amount=strong(_amount(one.amount, one.currency)),
        day=day(one.on),
        name=one.name.capitalize(),
    )


def _expired(one: Credit) -> Safe:
    return filled(
        _("{amount} expired unused on {day} ({name})."),
        amount=strong(_amount(one.amount, one.currency)),
        day=day(one.on),
        name=one.name.capitalize(),
    )


def _amount(amount: Decimal, currency: str | None) -> str:
    if currency:
        return money(amount, currency)
    return n_("{n} credit", "{n} credits", amount).format(n=quantity(amount))
