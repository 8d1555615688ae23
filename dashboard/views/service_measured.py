"""The service page's lower half: what is measured when and how late, what is held, what is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dashboard.charts.formats import counted, day, moment, percent, quantity
from dashboard.views.markup import Part, Safe, div, grid, note, span, tag
from dashboard.views.page import Visit
from dashboard.words import N_, _, n_
from data.freshness import Freshness
from data.meters import CATALOGUE, category
from data.retention import policies
from data.service import ALERTS, LOGS, NUMBERS, TRIGGERS, ServiceView
from data.service_rows import PhoneNumberView, TriggerView

MOST_NUMBERS = 6  # before the rest is folded away
IMPACTS = {  # of Twilio's incidents
    "none": N_("No impact stated"),
    "minor": N_("Minor"),
    "major": N_("Major"),
    "critical": N_("Critical"),
}
RECURRING = {
    "daily": N_("{used} of {limit} today"),
    "monthly": N_("{used} of {limit} this month"),
    "yearly": N_("{used} of {limit} this year"),
}
KEPT = {  # of the tables with a policy, those that hold something of a customer
    "alert": N_("Errors"),
    "log_day": N_("Counts of your logs"),
    "incident": N_("Incidents"),
    "usage_revision": N_("Figures before Twilio corrected them"),
    "audit_entry": N_("The log of who signed in, looked and changed"),
    "login_session": N_("Sessions, once they have ended"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    late: str
    read_at: datetime | None
    missing: str = ""  # why there is no moment


def measured(visit: Visit, read: ServiceView, fresh: Freshness) -> tuple[Safe, ...]:
    heads = (_("What"), _("When, and how late"), _("Last read"))
    rows = (
        tag(
            "tr",
            tag("td", one.name),
            tag("td", one.late, class_="u-wrap"),
            tag("td", moment(one.read_at) if one.read_at else one.missing or _("Not read yet")),
        )
        for one in _kinds(visit, read, fresh)
    )
    as_of = (
        _("Twilio's figures shown here are as of {moment}.").format(moment=moment(fresh.as_of))
        if fresh.as_of
        else _("Twilio's figures have not been read yet.")
    )
    settled = _("Days until {day} have settled.").format(day=day(fresh.settled_through))
    return (
        panel(
            _("What is measured when"),
            note(as_of, " ", settled if fresh.as_of else None, " ", _("All days are UTC.")),
            grid(_("What is measured when"), heads, rows),
        ),
    )


def _kinds(visit: Visit, read: ServiceView, fresh: Freshness) -> Iterable[Measured]:
    moving = visit.settings.settling_days
    usage = n_(
        "Counted by Twilio within minutes to hours. A day may move for {n} more day.",
        "Counted by Twilio within minutes to hours. A day may move for {n} more days.",
        moving,
    )
    yield Measured(_("Usage"), usage.format(n=moving), fresh.synced_at)
    if not visit.subscription.connected:
        prices = _("Computed here from usage and your plan, so exactly as late as usage.")
        yield Measured(_("Amounts"), prices, fresh.synced_at)
    keys = _("Needs a key of the account")
    alerts = _("Read in turn, about every hour. Twilio keeps them for 30 days.")
    yield Measured(_("Errors"), alerts, _read_at(read, ALERTS), keys)
    logs = _("Counted by day, direction and status; no text and no number is kept.")
    off = _("Not counted here")
    log_read = [at for name in LOGS.values() if (at := _read_at(read, name))]
    yield Measured(_("Message and call logs"), logs, min(log_read, default=None), off)
    others = _("Read in turn, about every hour.")
    yield Measured(_("Phone numbers"), others, _read_at(read, NUMBERS))
    yield Measured(_("Usage thresholds"), others, _read_at(read, TRIGGERS))
    yield Measured(
        *(_("Incidents"), _("Twilio's status page, with every reading of usage."), fresh.synced_at)
    )


def _read_at(read: ServiceView, resource: str) -> datetime | None:
    """The oldest among the accounts that are read."""
    return min((one.read_at for one in read.read if one.resource == resource), default=None)


# What is held


def held(visit: Visit, read: ServiceView) -> tuple[Safe, ...]:
    names = {one.sid: one.application or one.name for one in visit.subscription.accounts}
    return (
        div("u-cards u-few", _triggers(read, names), _numbers(read, names)),
        _retention(visit),
    )


def _triggers(read: ServiceView, names: dict[str, str]) -> Safe:
    title = _("Usage thresholds at Twilio")
    if not read.triggers:
        return panel(title, note(_("No threshold is set on the use of your accounts.")))
    return panel(title, _list((_trigger(one, names) for one in read.triggers), "u-held"))


def _trigger(one: TriggerView, names: dict[str, str]) -> Safe:
    words = RECURRING.get(one.recurring or "", N_("{used} of {limit}"))
    limit = counted(one.trigger_value, _unit(one))
    share = one.current_value / one.trigger_value if one.trigger_value else None
    used = _(words).format(used=quantity(one.current_value), limit=limit)
    reached = one.current_value >= one.trigger_value
    state = _("Reached") if reached else percent(share) if share is not None else ""
    return tag(
        "li",
        div(
            "u-pair",
            span("u-name", one.name),
            span("u-key", _where(_(category(one.category).label), one.account_sid, names)),
        ),
        div("u-pair", span("u-text", used), span("u-key", state)),
    )


def _unit(one: TriggerView) -> str:
    if one.trigger_by == "count":
        return "events"
    meters = (meter for meter in CATALOGUE.values() if one.category in meter.categories)
    return next((meter.unit for meter in meters), "units")


def _numbers(read: ServiceView, names: dict[str, str]) -> Safe:
    title = _("Phone numbers")
    if not read.numbers:
        return panel(title, note(_("Your accounts hold no phone number.")))
    number = len(read.numbers)
    each = n_("{n} number; it costs each month.", "{n} numbers; each costs each month.", number)
    shown = _list((_number(one, names) for one in read.numbers[:MOST_NUMBERS]), "u-held")
    rest = read.numbers[MOST_NUMBERS:]
    more = n_("Show {n} more number", "Show {n} more numbers", len(rest)).format(n=len(rest))
    folded = tag(
        *("details", tag("summary", more), _list((_number(o, names) for o in rest), "u-held")),
        class_="u-details",
    )
    return panel(title, note(each.format(n=number)), shown, folded if rest else None)


def _number(one: PhoneNumberView, names: dict[str, str]) -> Safe:
    same = "".join(filter(str.isdigit, one.name)) in one.number and "(" in one.name
    named = "" if same or one.name == one.number else one.name  # Twilio's own name of a number
    where = _where(named, one.account_sid, names)
    return tag("li", span("u-text", one.number), span("u-key", where))


def _where(what: str, sid: str, names: dict[str, str]) -> str:
    """The account only where there are several."""
    parts = (what, names.get(sid, "") if len(names) > 1 else "")
    return " · ".join(part for part in parts if part)


def _list(items: Iterable[Safe], class_: str) -> Safe:
    return tag("ul", *items, class_=class_)


# What is kept


def _retention(visit: Visit) -> Safe:
    found = {one.name: one.days for one in policies(visit.settings.retention)}
    rows = [(_(words), _days(found[name])) for name, words in KEPT.items() if name in found]
    forever = _("Usage, plans, statements and credits")
    lines = [(forever, _("For as long as you are a customer, never deleted by age")), *rows]
    pairs = (div("u-row", span("u-key", what), span("u-text", how)) for what, how in lines)
    never = _("No text of a message and no number of whom you called or wrote to is stored.")
    return panel(_("What is kept, and how long"), note(never), div("u-rows u-kept", *pairs))


def _days(number: int) -> str:
    return n_("{n} day", "{n} days", number).format(n=number)


def panel(title: str, *parts: Part) -> Safe:
    head = tag("h2", title, class_="u-section")
    return tag("section", head, *parts, class_="u-panel u-service")
