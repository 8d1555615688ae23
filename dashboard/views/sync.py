"""Sync: how the reading of Twilio goes, for staff who operate it (Permission.OPERATE).

What needs doing stands at the top in one sentence; below it the runs, the accounts with the worst
first, what Twilio has changed afterwards, and whether months foot.  Developers operate and may not
see cost: amounts are read only for viewers with Permission.VIEW_COST.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import sync_requests
from dashboard.charts.formats import moment, money, whole
from dashboard.views.cards import card, row
from dashboard.views.markup import Part, Safe, div, filled, joined, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, legend, show, show_chart, state
from dashboard.views.sync_lists import (
    accounts_list,
    ago,
    events_list,
    lasting,
    months_list,
    nothing,
    pace,
    result,
    revisions_list,
    runs_list,
    runs_table,
    section,
    share,
)
from dashboard.words import N_, _, n_
from data.freshness import STALE_AFTER
from data.revisions import different_months, month_counts, revisions
from data.scope import EveryTenant
from data.sync_history import (
    AccountCounts,
    Holder,
    Run,
    Which,
    account_counts,
    account_events,
    account_freshness,
    lease_holder,
    recent_runs,
)

RUNS_DRAWN, RUNS_LISTED = 30, 8
ACCOUNTS_A_PAGE, ENTRIES = 12, 10
CHOSEN, LEAF = "accounts", "leaf"  # in the address: which accounts, and which leaf of their list
WHICH: dict[Which, str] = {
    "all": N_("All"),
    "failing": N_("Failing"),
    "stale": N_("Stale"),
    "waiting": N_("Waiting for an owner"),
}
NONE_OF: dict[Which, str] = {
    "all": N_("No account is known yet."),
    "failing": N_("No account fails."),
    "stale": N_("No account is stale."),
    "waiting": N_("Every account has an owner."),
}


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.OPERATE)
    scope = EveryTenant(visit.settings.database_url)
    runs = recent_runs(scope, limit=RUNS_DRAWN)
    holder = lease_holder(scope, now=visit.clock)
    counts = account_counts(scope, today=visit.today, now=visit.now)
    show(tag("h1", _("Sync"), class_="u-title"))
    over = [run for run in runs if run.finished_at]
    if not over:
        show(_first_run(holder))
        return
    broke_off = holder is None and runs[0].finished_at is None
    show(
        _under_way(holder),
        _broke_off(runs[0]) if broke_off else _notice(over[0], counts, visit.now),
        _cards(visit, over[0], counts),
    )
    _runs(visit, runs, live=holder is not None)
    _accounts(visit, scope, counts)
    _afterwards(scope, with_cost=visit.viewer.may(Permission.VIEW_COST))


# States


def _first_run(holder: Holder | None) -> Safe:
    if holder:
        return state(
            _("The first run is under way"),
            _("It began {time} and reads the whole history of every account.").format(
                time=moment(holder.taken_at)
            ),
            hint=_("By {name}. This page fills when it has ended.").format(name=holder.name),
        )
    return state(
        _("Nothing has been synced yet"),
        _("The first run reads every account and its whole history."),
        hint=filled(
            _("Start it with {command}; it is repeated by itself."),
            command=tag("code", "python -m data sync"),
        ),
    )


def _under_way(holder: Holder | None) -> Safe | None:
    if holder is None:
        return None
    since = _("It began {time} ({name}).").format(time=moment(holder.taken_at), name=holder.name)
    return callout(strong(_("A run is under way.")), " ", since)


def _broke_off(run: Run) -> Safe:
    first = _("The run of {time} broke off.").format(time=moment(run.started_at))
    rest = _("Whole accounts are stored or none of them; the next run goes on with the others.")
    return callout(strong(first), " ", rest, kind="warning")


def _notice(last: Run, counts: AccountCounts, now: datetime) -> Safe:
    """The most important one only; where nothing is wrong, that."""
    return (
        _failed(last)
        or _late(last, now)
        or _failing(counts)
        or _stale(counts)
        or tag(
            "p", strong(_("Everything is up to date.")), f" {_fresh(counts)}", class_="u-summary"
        )
    )


def _failed(last: Run) -> Safe | None:
    if last.status != "failed":
        return None
    why = f" {_(last.error)}" if last.error else ""
    return callout(strong(_("The last run failed.")), why, kind="warning")


def _late(last: Run, now: datetime) -> Safe | None:
    if last.finished_at is None or now - last.finished_at <= STALE_AFTER:
        return None
    since = _("No run has ended since {time}.").format(time=moment(last.finished_at))
    advice = _("Is the app, or the worker beside it, running?")
    return callout(strong(since), " ", advice, kind="warning")


def _failing(counts: AccountCounts) -> Safe | None:
    if not counts.failing:
        return None
    first = n_("{n} account could not be read.", "{n} accounts could not be read.", counts.failing)
    rest = _("Why is said below. What was read before is kept, and each run tries again.")
    return callout(strong(first.format(n=whole(counts.failing))), " ", rest, kind="warning")


def _stale(counts: AccountCounts) -> Safe | None:
    if not counts.stale:
        return None
    first = n_(
        "{n} account not read for more than a day.",
        "{n} accounts not read for more than a day.",
        counts.stale,
    ).format(n=whole(counts.stale))
    rest = _("The next run reads the longest unread first.")
    return callout(strong(first), " ", rest, kind="warning")


def _fresh(counts: AccountCounts) -> str:
    fresh = whole(counts.fresh)
    if not counts.resting:
        return n_("{n} account fresh.", "{n} accounts fresh.", counts.fresh).format(n=fresh)
    return n_(
        "{n} account fresh, {resting} closed or withdrawn.",
        "{n} accounts fresh, {resting} closed or withdrawn.",
        counts.fresh,
    ).format(n=fresh, resting=whole(counts.resting))


# The top line


def _cards(visit: Visit, last: Run, counts: AccountCounts) -> Safe:
    may_see = visit.viewer.may(Permission.VIEW_COST)
    return div(
        "u-cards u-five",
        _last_run(last, visit.now, balance=may_see),
        _requests(last),
        _refused(last),
        _stored(last),
        _states(counts),
    )


def _last_run(last: Run, now: datetime, *, balance: bool) -> Safe:
    word, kind = result(last, live=False)
    rows = [row(_("Ended"), ago(last.finished_at, now) if last.finished_at else "–")]
    rows.append(row(_("Took"), lasting(last.took)))
    if balance and last.balance is not None:
        rows.append(row(_("Balance"), money(last.balance, last.balance_currency or "USD")))
    figure = tag("span", word, class_="u-words u-warn" if kind == "bad" else "u-words")
    return card(_("Last run"), figure, div("u-rows", *rows))


def _requests(last: Run) -> Safe:
    rows = [row(_("Planned"), whole(last.planned)), row(_("Repeated"), whole(last.retries))]
    if last.per_second:
        rows.append(row(_("A second"), pace(last.per_second)))
    return card(_("Requests"), whole(last.requests), div("u-rows", *rows))


def _refused(last: Run) -> Safe:
    each = last.twilio_seconds_each
    rows = (
        row(_("Most at once"), whole(last.concurrent) if last.concurrent else "–"),
        row(_("Each took"), f"{whole(round(each * 1000))} ms" if each else "–"),
    )
    return card(_("Too many at once (429)"), share(last.too_many), div("u-rows", *rows))


def _stored(last: Run) -> Safe:
    rows = (
        row(_("Accounts"), whole(last.accounts)),
        row(_("Past figures changed"), whole(last.revisions)),
    )
    return card(_("Rows read"), whole(last.rows), div("u-rows", *rows))


def _states(counts: AccountCounts) -> Safe:
    of = _("of {n} fresh").format(n=whole(counts.all))
    figure = tag("span", whole(counts.fresh), span("u-of", f" {of}"))
    rows = (
        row(_("Stale"), whole(counts.stale), warn=bool(counts.stale)),
        row(_("Failing"), whole(counts.failing), warn=bool(counts.failing)),
        row(_("Waiting for an owner"), whole(counts.waiting)),
    )
    return card(_("Accounts"), figure, div("u-rows", *rows))


# The lists


def _runs(visit: Visit, runs: Sequence[Run], *, live: bool) -> None:
    drawn = [run for run in reversed(runs) if run.finished_at]
    with st.container(border=True, key="chart_card"):
        show(
            tag("h2", _("Requests by run"), class_="u-section"),
            legend(
                ("u-solid", _("Answered")),
                (visit.look.warning, _("Too many at once")),
                (visit.look.ghost, _("Other answers")),
                ("u-planned", _("Planned")),
            ),
        )
        show_chart(sync_requests(drawn, visit.look), "sync_requests")
    show(section(_("Last runs"), runs_list(runs[:RUNS_LISTED], live=live)))
    csv_button(
        visit, _("CSV of the runs"), lambda: runs_table(runs), "sync", "runs", f"{visit.today}"
    )


def _accounts(visit: Visit, scope: EveryTenant, counts: AccountCounts) -> None:
    numbers = {"all": counts.all, "failing": counts.failing}
    numbers |= {"stale": counts.stale, "waiting": counts.waiting}
    with st.container(key="sync_accounts"):
        show(tag("h2", _("Accounts"), class_="u-section"))
        which = _picked(numbers)
        leaf = min(_leaf(), max(-(-numbers[which] // ACCOUNTS_A_PAGE), 1))
        found = account_freshness(
            scope,
            today=visit.today,
            now=visit.now,
            which=which,
            limit=ACCOUNTS_A_PAGE,
            offset=(leaf - 1) * ACCOUNTS_A_PAGE,
        )
        show(accounts_list(found, visit.now) if found else nothing(_(NONE_OF[which])))
        _turn_leaves(leaf, numbers[which])


def _picked(numbers: dict[str, int]) -> Which:
    asked = st.query_params.get(CHOSEN)
    first: Which = next((one for one in get_args(Which) if one == asked), "all")
    chosen = st.segmented_control(
        _("Accounts by state"),
        tuple(WHICH),
        format_func=lambda one: f"{_(WHICH[one])} {whole(numbers[one])}",
        default=first,
        required=True,
        key="sync_which",
        label_visibility="collapsed",
    )
    if chosen and chosen != first:
        st.query_params.from_dict({CHOSEN: chosen})
    return chosen or first


def _leaf() -> int:
    asked = st.query_params.get(LEAF, "1")
    return max(int(asked), 1) if asked.isdecimal() and len(asked) < 7 else 1


def _turn_leaves(leaf: int, number: int) -> None:
    if number <= ACCOUNTS_A_PAGE:
        return
    first, last = (leaf - 1) * ACCOUNTS_A_PAGE + 1, min(leaf * ACCOUNTS_A_PAGE, number)
    with st.container(key="sync_leaves", horizontal=True, vertical_alignment="center"):
        words = _("{first}–{last} of {all}, the worst first").format(
            first=whole(first), last=whole(last), all=whole(number)
        )
        show(span("u-foot", words))
        for label, to, usable in (
            (_("Previous"), leaf - 1, leaf > 1),
            (_("Next"), leaf + 1, last < number),
        ):
            st.button(
                label,
                type="tertiary",
                disabled=not usable,
                on_click=_turn_to,
                args=(to,),
                key=f"leaf_{to}",
            )


def _turn_to(leaf: int) -> None:
    """Changes the address and nothing else; the page asks who looks when it runs again."""
    st.query_params[LEAF] = str(leaf)


def _afterwards(scope: EveryTenant, *, with_cost: bool) -> None:
    changed = revisions(scope, with_cost=with_cost, limit=ENTRIES)
    months = different_months(scope, with_cost=with_cost, limit=ENTRIES)
    events = account_events(scope, limit=ENTRIES)
    no_change = _("Twilio has changed no figure of a past day since it was read.")
    show(
        section(_("Changed by Twilio"), revisions_list(changed) if changed else nothing(no_change)),
        section(
            _("Months against Twilio's own"),
            _footing(scope),
            months_list(months) if months else None,
        ),
        section(_("What happened to accounts"), events_list(events)) if events else None,
    )


def _footing(scope: EveryTenant) -> Safe:
    counts = month_counts(scope)
    if counts.checked_at is None:
        return nothing(_("No month has been compared yet: it must be over and settled."))
    number = counts.equal + counts.different
    words: list[Part] = [
        strong(
            n_(
                "{equal} of {n} month is equal to Twilio's",
                "{equal} of {n} months are equal to Twilio's",
                number,
            ).format(equal=whole(counts.equal), n=whole(number))
        ),
        _(", {n} differ. Last compared {time}.").format(
            n=whole(counts.different), time=moment(counts.checked_at)
        ),
    ]
    return nothing(joined(words))


PAGE = Page("sync", N_("Sync"), ":material/sync:", Permission.OPERATE, render)
