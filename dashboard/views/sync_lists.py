"""The lists of the staff's page Sync: runs, accounts, corrections, months, events; values → HTML.

Every entry is one line that opens to what is behind it.  Amounts are shown where the values have
them: whoever may not see cost gets values without it.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.charts.formats import (
    day,
    decimals,
    exactly,
    fine_percent,
    moment,
    money,
    period_name,
    quantity,
    unit_price,
    whole,
)
from dashboard.exports import Table
from dashboard.views.markup import Part, Safe, div, note, span, tag
from dashboard.views.parts import table
from dashboard.words import N_, _, n_
from data.periods import period_of
from data.revisions import Change, DifferentMonth, RevisedCategory, StaffRevisedDay
from data.sync_history import AccountFreshness, Event, Run

RESULTS = {  # in words, and how bad it is
    "ok": (N_("Everything read"), "good"),
    "partial": (N_("Partly read"), "bad"),
    "failed": (N_("Failed"), "bad"),
    "running": (N_("Running"), "quiet"),
}
BROKE_OFF = (N_("Broke off"), "bad")  # its process died: nobody holds the lease
ANSWERS = {
    "200": N_("answered"),
    "401": N_("refused: credentials"),
    "403": N_("refused: no right"),
    "404": N_("not there"),
    "429": N_("too many at once"),
    "500": N_("an error of Twilio's"),
    "502": N_("an error of Twilio's"),
    "503": N_("Twilio was busy"),
    "504": N_("Twilio took too long"),
    "timeout": N_("no answer in time"),
    "connection": N_("no connection"),
    "cut off": N_("the answer broke off"),
}
STATUS = {"active": "", "suspended": N_("suspended"), "closed": N_("closed")}
GIVEN = re.compile(r"to (.+) from (\S+)")  # as the account list writes it down
EVENTS = {  # whole sentences; what is behind it stands in brackets
    "seen": N_("{account} was seen"),
    "named": N_("{account} was given"),
    "moved": N_("{account} was given"),
    "renamed": N_("{account} was renamed"),
    "connected": N_("{account} was connected"),
    "withdrawn": N_("{account} was withdrawn by its owner"),
    "suspended": N_("{account} was suspended"),
    "closed": N_("{account} was closed"),
    "activated": N_("{account} was activated"),
    "active": N_("{account} was active"),
    "reopened": N_("{account} was reopened"),
}
RUN_COLUMNS = (
    *(
        N_("Day"),
        N_("Started (UTC)"),
        N_("Result"),
        N_("Seconds"),
        N_("Accounts"),
        N_("Planned"),
        N_("Requests"),
    ),
    *(N_("Repeated"), N_("Too many"), N_("Rows"), N_("Changed"), N_("Error")),
)
MINUTE, HOUR = 60, 3600
CENT = Decimal("0.01")


def ago(at: datetime, now: datetime) -> str:
    """4 min ago; days only where hours would say little."""
    seconds = max((now - at).total_seconds(), 0)
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        return _("{n} min ago").format(n=int(seconds // MINUTE))
    if seconds < 48 * HOUR:
        return _("{n} h ago").format(n=int(seconds // HOUR))
    days = int(seconds // (24 * HOUR))
    return n_("{n} day ago", "{n} days ago", days).format(n=whole(days))


def lasting(took: timedelta | None) -> str:
    """0.4 s, 42 s, 3 min 12 s, 1 h 5 min."""
    if took is None:
        return "–"
    seconds = took.total_seconds()
    if seconds < 10:
        return f"{decimals(seconds, 1)} s"
    seconds = round(seconds)
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return _("{m} min {s} s").format(m=seconds // MINUTE, s=seconds % MINUTE)
    return _("{h} h {m} min").format(h=seconds // HOUR, m=seconds % HOUR // MINUTE)


def share(part: Decimal) -> str:
    """Of a whole; a small one keeps a decimal, so that it isn't taken for none."""
    return fine_percent(part)


def pace(per_second: Decimal) -> str:
    return decimals(per_second, 1) if per_second < 10 else whole(round(per_second))


def exact(amount: Decimal, currency: str) -> str:
    """Money; less than a cent is not rounded away."""
    return (
        money(amount, currency)
        if not amount or abs(amount) >= CENT
        else unit_price(amount, currency)
    )


def result(run: Run, *, live: bool) -> tuple[str, str]:
    """`live`: somebody syncs right now, and this is the newest run."""
    if run.status == "running" and not live:
        return _(BROKE_OFF[0]), BROKE_OFF[1]
    word, kind = RESULTS.get(run.status, (run.status, "quiet"))
    return _(word), kind


def health(word: str, kind: str) -> Safe:
    return div("u-health", span(f"u-dot u-{kind}"), tag("span", word))


def section(title: str, *parts: Part) -> Safe:
    return tag("section", tag("h2", title, class_="u-section"), *parts, class_="u-listed")


def nothing(*words: Part) -> Safe:
    return div("u-panel u-none", note(*words))


def _entry(class_: str, cells: Iterable[Part], *behind: Part) -> Safe:
    return tag("details", tag("summary", *cells), div("u-behind", *behind), class_=class_)


# Runs


def runs_table(runs: Sequence[Run]) -> Table:
    """For a download, from the first to the last."""
    rows = []
    for run in sorted(runs, key=lambda run: run.started_at):
        took = Decimal(str(run.took.total_seconds())) if run.took else None
        counts = (run.accounts, run.planned, run.requests, run.retries)
        stored = (run.rows, run.revisions)
        rows.append(
            (
                *(run.started_at.date(), f"{run.started_at:%H:%M:%S}", run.status, took),
                *(Decimal(number) for number in counts),
                run.too_many,
                *(Decimal(number) for number in stored),
                run.error,
            )
        )
    return Table(tuple(_(name) for name in RUN_COLUMNS), tuple(rows))


def runs_list(runs: Sequence[Run], *, live: bool) -> Safe:
    heads = (
        _("Started"),
        _("Result"),
        _("Took"),
        _("Accounts"),
        _("Requests"),
        _("Too many"),
        _("Rows"),
    )
    head = div("u-run u-run-head", *(tag("span", name) for name in heads))
    entries = (_run(run, live=live and n == 0) for n, run in enumerate(runs))
    return div("u-panel u-runs", head, *entries)


def _run(run: Run, *, live: bool) -> Safe:
    over = run.finished_at is not None
    cells = (
        tag("span", moment(run.started_at)),
        health(*result(run, live=live)),
        tag("span", lasting(run.took)),
        tag("span", whole(run.accounts) if over else "–"),
        tag("span", whole(run.requests) if over else "–"),
        tag("span", share(run.too_many) if over else "–"),
        tag("span", whole(run.rows) if over else "–"),
    )
    error = tag("p", run.error, class_="u-note u-warn") if run.error else None
    if not over:
        words = _("It is under way.") if live else _("Its process ended before the run did.")
        return _entry("u-run", cells, note(words), error)
    return _entry("u-run", cells, note(_told(run)), error, _answers(run) if run.answers else None)


def _told(run: Run) -> str:
    each, rate = run.twilio_seconds_each, run.per_second
    parts = [
        n_(
            "{n} request, {planned} planned, {repeated} repeated",
            "{n} requests, {planned} planned, {repeated} repeated",
            run.requests,
        ).format(n=whole(run.requests), planned=whole(run.planned), repeated=whole(run.retries)),
        _("{n} a second").format(n=pace(rate)) if rate else "",
        _("{n} ms each by Twilio's clock").format(n=whole(round(each * 1000))) if each else "",
        _("at most {n} at once").format(n=whole(run.concurrent)) if run.concurrent else "",
        n_(
            "{n} figure of past days changed", "{n} figures of past days changed", run.revisions
        ).format(n=whole(run.revisions)),
    ]
    return f"{'; '.join(part for part in parts if part)}."


def _answers(run: Run) -> Safe:
    most_first = sorted(run.answers.items(), key=lambda one: (-one[1], one[0]))
    rows = ((name, _(ANSWERS.get(name, "")), Decimal(number)) for name, number in most_first)
    return table(Table((_("Answer"), _("Meaning"), _("Requests")), tuple(rows)))


# Accounts


def accounts_list(found: Sequence[AccountFreshness], now: datetime) -> Safe:
    entries = (tag("li", *_account(one, now), class_="u-account") for one in found)
    return tag("ul", *entries, class_="u-panel u-accounts u-dense")


def _account(one: AccountFreshness, now: datetime) -> tuple[Safe, ...]:
    why = tag("span", _(one.sync_error), class_="u-key u-why-not") if one.sync_error else None
    seen = one.as_of or one.synced_at
    read, figures = _("Never read"), None
    if one.synced_at:
        read = _("Read {when}").format(when=ago(one.synced_at, now))
    if seen:
        figures = span("u-key", _("Figures through {time}").format(time=moment(seen)))
    whose = _("Waiting for an owner") if one.waiting else one.customer
    return (
        div(
            "u-pair",
            tag("h2", one.name),
            span("u-key u-sid", one.sid) if one.name != one.sid else None,
        ),
        div(
            "u-pair",
            span("u-text", whose),
            span("u-key", _what(one)),
        ),
        div("u-pair", health(*account_state(one, now)), why),
        div(
            "u-pair",
            span("u-text", read),
            figures,
        ),
    )


def _what(one: AccountFreshness) -> str:
    kind = _("Connected account") if one.kind == "connected" else _("Subaccount")
    read = _("days read through {day}").format(day=day(one.through)) if one.through else ""
    parts = (kind, _(STATUS.get(one.status, one.status)), read)
    return ", ".join(part for part in parts if part)


def account_state(one: AccountFreshness, now: datetime) -> tuple[str, str]:
    """The worst that is true, in words, and how bad it is."""
    if one.withdrawn_at is not None:
        on = day(one.withdrawn_at.date())
        return _("Consent withdrawn {day}").format(day=on), "quiet"
    if one.status == "closed":
        return _("Closed"), "quiet"
    if one.sync_error:
        return _("Reading failed"), "bad"
    if one.stale(now):
        return (_("Stale") if one.synced_at else _("Not read yet")), "bad"
    return _("Fresh"), "good"


# Corrections


def revisions_list(found: Sequence[StaffRevisedDay]) -> Safe:
    return div("u-panel u-runs", *(_revised(one) for one in found))


def _revised(one: StaffRevisedDay) -> Safe:
    cells = (
        tag("span", revised_line(one)),
        span("u-key", f"{one.account} · {one.customer}"),
        span("u-key", _("seen {time}").format(time=moment(one.revised.seen_at))),
    )
    columns = (_("Category"), _("Units"), _("Cost")) if one.costs else (_("Category"), _("Units"))
    rows = (_category(each, one) for each in one.revised.categories)
    return _entry("u-fact-line", cells, table(Table(columns, tuple(rows))))


def revised_line(one: StaffRevisedDay) -> str:
    """3 May rose by $1.20 (2 categories); without cost, that it changed."""
    number = len(one.revised.categories)
    many = n_("{n} category", "{n} categories", number).format(n=whole(number))
    on = day(one.revised.day)
    if one.total is None or not one.total.by:
        return _("{day} changed ({categories})").format(day=on, categories=many)
    rose, fell = (
        _("{day} rose by {amount} ({categories})"),
        _("{day} fell by {amount} ({categories})"),
    )
    amount = exact(abs(one.total.by), one.currency)
    return (rose if one.total.by > 0 else fell).format(day=on, amount=amount, categories=many)


def _category(each: RevisedCategory, one: StaffRevisedDay) -> tuple[str, ...]:
    usage = each.usage or Change(None, None)
    units = f"{_units(usage.old)} → {_units(usage.new)}"
    if not one.costs:
        return each.label, units
    cost = one.costs[each.category]
    amounts = f"{_amount(cost.old, one.currency)} → {_amount(cost.new, one.currency)}"
    return each.label, units, amounts


def _units(value: Decimal | None) -> str:
    return "–" if value is None else quantity(value)


def _amount(value: Decimal | None, currency: str) -> str:
    return "–" if value is None else exact(value, currency)


# Months and events


def months_list(found: Sequence[DifferentMonth]) -> Safe:
    return div("u-panel u-runs", *(_month(one) for one in found))


def _month(one: DifferentMonth) -> Safe:
    name = period_name(period_of(one.month))
    line = name
    if one.total is not None and one.total.by:
        less = _("{month}: {amount} less than Twilio's month")
        more = _("{month}: {amount} more than Twilio's month")
        amount = exact(abs(one.total.by), one.currency)
        line = (less if one.total.by > 0 else more).format(month=name, amount=amount)
    cells = (
        tag("span", line),
        span("u-key", f"{one.account} · {one.customer}"),
        span("u-key", _("checked {time}").format(time=moment(one.checked_at))),
    )
    rows = tuple(
        (_(each.label), _(each.figure), _figure(each.ours), _figure(each.theirs))
        for each in one.differences
    )
    shown = table(Table((_("Category"), _("Figure"), _("Our days"), _("Twilio's month")), rows))
    return _entry("u-fact-line", cells, shown if rows else note(_("It differs in cost only.")))


def _figure(value: Decimal) -> str:
    return exactly(value)


def events_list(found: Sequence[Event]) -> Safe:
    return div("u-panel u-runs", *(_event(one) for one in found))


def _event(one: Event) -> Safe:
    return div(
        "u-fact-line u-event",
        tag("span", event_line(one)),
        span("u-key", one.customer),
        span("u-key", moment(one.at)),
    )


def event_line(one: Event) -> str:
    """Shop was closed (was suspended); Shop was given to acme from 2026-11-01."""
    known = EVENTS.get(one.kind)
    line = _(known).format(account=one.account) if known else f"{one.account}: {one.kind}"
    if given := GIVEN.fullmatch(one.detail):
        words = _("{account} was given to {customer} from {day}")
        return words.format(account=one.account, customer=given[1], day=given[2])
    return f"{line} ({one.detail})" if one.detail not in ("", one.account) else line
