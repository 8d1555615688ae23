"""The lists of the staff's page Sync: runs, accounts, corrections, months, events; values → HTML.

Every entry is one line that opens to what is behind it.  Amounts are shown where the values have
them: whoever may not see cost gets values without it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.charts.formats import day, moment, money, percent, period_name, quantity, unit_price
from dashboard.exports import Table
from dashboard.views.markup import Part, Safe, div, note, span, tag
from dashboard.views.parts import table
from data.periods import period_of
from data.revisions import Change, DifferentMonth, RevisedCategory, StaffRevisedDay
from data.sync_history import AccountFreshness, Event, Run

RESULTS = {  # in words, and how bad it is
    "ok": ("Everything read", "good"),
    "partial": ("Partly read", "bad"),
    "failed": ("Failed", "bad"),
    "running": ("Running", "quiet"),
}
BROKE_OFF = ("Broke off", "bad")  # its process died: nobody holds the lease
ANSWERS = {
    "200": "answered",
    "401": "refused: credentials",
    "403": "refused: no right",
    "404": "not there",
    "429": "too many at once",
    "500": "an error of Twilio's",
    "502": "an error of Twilio's",
    "503": "Twilio was busy",
    "504": "Twilio took too long",
    "timeout": "no answer in time",
    "connection": "no connection",
    "cut off": "the answer broke off",
}
EVENTS = {"named": "given", "withdrawn": "withdrawn by its owner"}  # others are words already
RUN_COLUMNS = (
    *("Day", "Started (UTC)", "Result", "Seconds", "Accounts", "Planned", "Requests"),
    *("Repeated", "Too many", "Rows", "Changed", "Error"),
)
MINUTE, HOUR = 60, 3600
CENT = Decimal("0.01")


def ago(at: datetime, now: datetime) -> str:
    """4 min ago; days only where hours would say little."""
    seconds = max((now - at).total_seconds(), 0)
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min ago"
    if seconds < 48 * HOUR:
        return f"{seconds // HOUR:.0f} h ago"
    return f"{seconds // (24 * HOUR):.0f} days ago"


def lasting(took: timedelta | None) -> str:
    """0.4 s, 42 s, 3 min 12 s, 1 h 5 min."""
    if took is None:
        return "–"
    seconds = took.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def share(part: Decimal) -> str:
    """Of a whole; a small one keeps a decimal, so that it isn't taken for none."""
    return f"{part:.1%}" if 0 < part < Decimal("0.095") else percent(part)


def pace(per_second: Decimal) -> str:
    return f"{per_second:,.1f}" if per_second < 10 else f"{per_second:,.0f}"


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
        return BROKE_OFF
    return RESULTS.get(run.status, (run.status, "quiet"))


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
    return Table(RUN_COLUMNS, tuple(rows))


def runs_list(runs: Sequence[Run], *, live: bool) -> Safe:
    heads = ("Started", "Result", "Took", "Accounts", "Requests", "Too many", "Rows")
    head = div("u-run u-run-head", *(tag("span", name) for name in heads))
    entries = (_run(run, live=live and n == 0) for n, run in enumerate(runs))
    return div("u-panel u-runs", head, *entries)


def _run(run: Run, *, live: bool) -> Safe:
    over = run.finished_at is not None
    cells = (
        tag("span", moment(run.started_at)),
        health(*result(run, live=live)),
        tag("span", lasting(run.took)),
        tag("span", f"{run.accounts:,}" if over else "–"),
        tag("span", f"{run.requests:,}" if over else "–"),
        tag("span", share(run.too_many) if over else "–"),
        tag("span", f"{run.rows:,}" if over else "–"),
    )
    error = tag("p", run.error, class_="u-note u-warn") if run.error else None
    if not over:
        words = "It is under way." if live else "Its process ended before the run did."
        return _entry("u-run", cells, note(words), error)
    return _entry("u-run", cells, note(_told(run)), error, _answers(run) if run.answers else None)


def _told(run: Run) -> str:
    each, rate = run.twilio_seconds_each, run.per_second
    parts = [
        f"{run.requests:,} requests, {run.planned:,} planned, {run.retries:,} repeated",
        f"{pace(rate)} a second" if rate else "",
        f"{each * 1000:,.0f} ms each by Twilio's clock" if each else "",
        f"at most {run.concurrent:,} at once" if run.concurrent else "",
        f"{run.revisions:,} figures of past days changed",
    ]
    return f"{'; '.join(part for part in parts if part)}."


def _answers(run: Run) -> Safe:
    most_first = sorted(run.answers.items(), key=lambda one: (-one[1], one[0]))
    rows = ((name, ANSWERS.get(name, ""), Decimal(number)) for name, number in most_first)
    return table(Table(("Answer", "Meaning", "Requests"), tuple(rows)))


# Accounts


def accounts_list(found: Sequence[AccountFreshness], now: datetime) -> Safe:
    entries = (tag("li", *_account(one, now), class_="u-account") for one in found)
    return tag("ul", *entries, class_="u-panel u-accounts u-dense")


def _account(one: AccountFreshness, now: datetime) -> tuple[Safe, ...]:
    why = tag("span", one.sync_error, class_="u-key u-why-not") if one.sync_error else None
    seen = one.as_of or one.synced_at
    whose = "Waiting for an owner" if one.waiting else one.customer
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
            span("u-text", f"Read {ago(one.synced_at, now)}" if one.synced_at else "Never read"),
            span("u-key", f"Figures through {moment(seen)}") if seen else None,
        ),
    )


def _what(one: AccountFreshness) -> str:
    kind = "Connected account" if one.kind == "connected" else "Subaccount"
    read = f"days read through {day(one.through)}" if one.through else ""
    parts = (kind, one.status if one.status != "active" else "", read)
    return ", ".join(part for part in parts if part)


def account_state(one: AccountFreshness, now: datetime) -> tuple[str, str]:
    """The worst that is true, in words, and how bad it is."""
    if one.withdrawn_at is not None:
        return f"Consent withdrawn {day(one.withdrawn_at.date())}", "quiet"
    if one.status == "closed":
        return "Closed", "quiet"
    if one.sync_error:
        return "Reading failed", "bad"
    if one.stale(now):
        return ("Stale" if one.synced_at else "Not read yet"), "bad"
    return "Fresh", "good"


# Corrections


def revisions_list(found: Sequence[StaffRevisedDay]) -> Safe:
    return div("u-panel u-runs", *(_revised(one) for one in found))


def _revised(one: StaffRevisedDay) -> Safe:
    cells = (
        tag("span", revised_line(one)),
        span("u-key", f"{one.account} · {one.customer}"),
        span("u-key", f"seen {moment(one.revised.seen_at)}"),
    )
    columns = ("Category", "Units", "Cost") if one.costs else ("Category", "Units")
    rows = (_category(each, one) for each in one.revised.categories)
    return _entry("u-fact-line", cells, table(Table(columns, tuple(rows))))


def revised_line(one: StaffRevisedDay) -> str:
    """3 May rose by $1.20 (2 categories); without cost, that it changed."""
    number = len(one.revised.categories)
    many = f"{number} {'category' if number == 1 else 'categories'}"
    on = day(one.revised.day)
    if one.total is None or not one.total.by:
        return f"{on} changed ({many})"
    verb = "rose" if one.total.by > 0 else "fell"
    return f"{on} {verb} by {exact(abs(one.total.by), one.currency)} ({many})"


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
    off = ""
    if one.total is not None and one.total.by:
        short = "less" if one.total.by > 0 else "more"
        off = f": {exact(abs(one.total.by), one.currency)} {short} than Twilio's month"
    cells = (
        tag("span", f"{name}{off}"),
        span("u-key", f"{one.account} · {one.customer}"),
        span("u-key", f"checked {moment(one.checked_at)}"),
    )
    rows = tuple(
        (each.label, each.figure, _figure(each.ours), _figure(each.theirs))
        for each in one.differences
    )
    shown = table(Table(("Category", "Figure", "Our days", "Twilio's month"), rows))
    return _entry("u-fact-line", cells, shown if rows else note("It differs in cost only."))


def _figure(value: Decimal) -> str:
    return f"{value.normalize():,f}"


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
    line = f"{one.account} was {EVENTS.get(one.kind, one.kind)}"
    if one.detail.startswith("to "):
        return f"{line} {one.detail}"
    return f"{line} ({one.detail})" if one.detail not in ("", one.account) else line
