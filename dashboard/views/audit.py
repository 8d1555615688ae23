"""Audit: who did what to whose data, for administrators; in words, filtered, and as CSV.

The export is a reading of its own when it is asked for, by whoever may read the log then, and
stands in the log itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from dashboard.access import Permission, administration, same_viewer
from dashboard.charts.formats import day, day_entry, whole
from dashboard.exports import Table
from dashboard.views.acts import pick_customer, read_customers
from dashboard.views.markup import Safe, div, grid, span, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import csv_button, show, state
from dashboard.views.people_lists import DOORS
from dashboard.views.sign_ins import page_name
from dashboard.words import N_, _, n_
from data.identity import Action, Entry
from data.periods import DAY
from data.scope import EveryTenant

MAY = Permission.ADMINISTER
A_LEAF = 50
FIRST_DAYS = 30
SHOWN = "audit_shown"  # how many entries, and under which filter
WORDS = {
    Action.SIGN_IN: N_("Signed in"),
    Action.SIGN_IN_REFUSED: N_("Was refused at sign-in"),
    Action.SIGN_OUT: N_("Signed out"),
    Action.SESSIONS_ENDED: N_("Ended a session"),
    Action.MEMBERSHIP_CHOSEN: N_("Went on in another role"),
    Action.LINK_CREATED: N_("Made a sign-in link"),
    Action.LINK_REJECTED: N_("Tried a link that does not work"),
    Action.PERSON_DISABLED: N_("Disabled a person"),
    Action.PERSON_ENABLED: N_("Enabled a person"),
    Action.ROLE_GIVEN: N_("Gave a role"),
    Action.ROLE_TAKEN: N_("Took a role away"),
    Action.IDENTITY_FORGOTTEN: N_("Forgot an account at an identity provider"),
    Action.VIEW_AS_START: N_("Began to view a customer's pages"),
    Action.VIEW_AS_PAGE: N_("Viewed a customer's page"),
    Action.VIEW_AS_STOP: N_("Stopped viewing a customer's pages"),
    Action.KEY_CREATED: N_("Made a key"),
    Action.KEY_ROTATED: N_("Rotated a key"),
    Action.KEY_REVOKED: N_("Revoked a key"),
    Action.KEY_REFUSED: N_("Tried a key that does not work"),
    Action.EMBED_CODE_ISSUED: N_("Asked for a frame"),
    Action.EMBED_CODE_REJECTED: N_("Tried a frame's code that does not work"),
    Action.EXPORT: N_("Downloaded a file"),
    Action.AGREEMENT_CHANGED: N_("Changed what was agreed"),
    Action.PLAN_SAVED: N_("Saved a plan version"),
    Action.CREDITS_GRANTED: N_("Granted credits"),
    Action.CREDITS_VOIDED: N_("Took credits back"),
    Action.CHANGE_ASKED: N_("Asked for a change"),
    Action.CHANGE_WITHDRAWN: N_("Took a request back"),
    Action.CHANGE_GRANTED: N_("Granted a request"),
    Action.CHANGE_DECLINED: N_("Declined a request"),
    Action.NOTE_WRITTEN: N_("Wrote a note on a customer"),
    Action.PERIOD_CLOSED: N_("Closed a period"),
    Action.CONNECT_STARTED: N_("Began to connect an account"),
    Action.CONNECT_REJECTED: N_("Came back from Twilio without having asked"),
    Action.CONNECT_DECLINED: N_("Declined to connect an account"),
    Action.CONNECT_REFUSED: N_("Was refused an account"),
    Action.ACCOUNT_CONNECTED: N_("Connected an account"),
    Action.ACCOUNT_WITHDRAWN: N_("Took back the consent for an account"),
    Action.CREDENTIAL_ADDED: N_("Added an account's key"),
    Action.CREDENTIAL_REMOVED: N_("Removed an account's key"),
    Action.CREDENTIALS_ROTATED: N_("Encrypted the accounts' keys anew"),
    Action.ROWS_DELETED: N_("Deleted rows that were old enough"),
}
HEADS = (N_("When (UTC)"), N_("Who"), N_("What"), N_("Customer"), N_("From"))
COLUMNS = (
    N_("Day (UTC)"),
    N_("Time (UTC)"),
    N_("Who"),
    N_("Action"),
    N_("Detail"),
    N_("Customer"),
    N_("Address"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Both days are included."""

    first: date
    last: date
    action: Action | None = None
    customer_id: int | None = None

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + DAY, time(), UTC)


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    show(tag("h1", _("Audit"), class_="u-title"))
    wanted = _filter(visit)
    if wanted is None:
        show(
            state(
                _("Choose a last day, too"), _("The log is shown between two days, both included.")
            )
        )
        return
    known, number = st.session_state.get(SHOWN, (None, A_LEAF))
    number = number if known == wanted else A_LEAF
    entries = _read(visit, wanted, number + 1)
    if not entries:
        hint = _("Choose other days, or leave out the customer or the kind.")
        show(
            state(
                _("Nothing stands in the log here"),
                _("No entry matches what you chose."),
                hint=hint,
            )
        )
        return
    show(log_table(entries[:number]))
    _foot(visit, wanted, shown=min(number, len(entries)), more=len(entries) > number)


def _filter(visit: Visit) -> Filter | None:
    """None while a range has one end only."""
    today = visit.clock.date()
    with st.container(key="audit_filter", horizontal=True, vertical_alignment="bottom"):
        days = st.date_input(
            _("Days (UTC)"),
            (today - timedelta(days=FIRST_DAYS), today),
            format=day_entry(),
            key="audit_days",
            width=250,
        )
        action = st.selectbox(
            _("What"),
            tuple(WORDS),
            format_func=lambda one: _(WORDS[one]),
            index=None,
            placeholder=_("Everything"),
            key="audit_action",
            width=320,
        )
        customer_id = pick_customer(visit, "audit_customer", placeholder=_("All, and none"))
    chosen = days if isinstance(days, tuple) else (days, days)
    return Filter(chosen[0], chosen[1], action, customer_id) if len(chosen) == 2 else None


def _read(visit: Visit, wanted: Filter, limit: int | None) -> list[Entry]:
    found = administration.audit_entries(
        visit.viewer,
        since=wanted.since,
        until=wanted.until,
        customer_id=wanted.customer_id,
        action=wanted.action,
        limit=limit,
    )
    return list(found)


def _foot(visit: Visit, wanted: Filter, *, shown: int, more: bool) -> None:
    def written() -> Table:
        # The page may be long gone when its button is pressed.
        same_viewer(visit.viewer, visit.clock).require(MAY)
        return audit_rows(_read(visit, wanted, None))

    words = n_("The newest one", "The newest {n}", shown) if more else _("{n} in all")
    with st.container(key="audit_foot", horizontal=True, vertical_alignment="center"):
        show(span("u-foot", words.format(n=whole(shown))))
        if more:
            st.button(_("Show more"), on_click=_show_more, args=(wanted, shown), type="tertiary")
        csv_button(visit, _("CSV of all that match"), written, *_names(visit, wanted))


def _show_more(wanted: Filter, shown: int) -> None:
    """Notes a number and nothing else; the page asks who looks when it runs again."""
    st.session_state[SHOWN] = (wanted, shown + A_LEAF)


def _names(visit: Visit, wanted: Filter) -> tuple[str, ...]:
    """Of the file: what was exported can be seen in the log."""
    scope = EveryTenant(visit.settings.database_url)
    slugs = {one.id: one.slug for one in read_customers(scope)}
    parts = (wanted.action or "", slugs.get(wanted.customer_id or 0, ""))
    return "audit", f"{wanted.first}", f"{wanted.last}", *(str(part) for part in parts if part)


def log_table(entries: Iterable[Entry]) -> Safe:
    heads = (_(name) for name in HEADS)
    return div("u-panel", grid(_("Audit"), heads, (_row(one) for one in entries), "u-log"))


def _row(entry: Entry) -> Safe:
    detail = detail_of(entry)
    return tag(
        "tr",
        tag("td", f"{day(entry.at.date(), year=True)} {entry.at:%H:%M:%S}", class_="u-when"),
        tag("td", entry.actor or _("A stranger")),
        tag("td", what(entry), span("u-behind-it", detail) if detail else None),
        tag("td", entry.customer),
        tag("td", entry.address, class_="u-sid"),
    )


def what(entry: Entry) -> str:
    """An action that is not known here is shown as it is written."""
    known = (words for action, words in WORDS.items() if action == entry.action)
    return _(next(known, entry.action))


def detail_of(entry: Entry) -> str:
    if entry.action == Action.SIGN_IN:
        return _(DOORS.get(entry.detail, entry.detail))
    if entry.action == Action.VIEW_AS_PAGE:
        return page_name(entry.detail)
    return entry.detail


def audit_rows(entries: Iterable[Entry]) -> Table:
    """An entry a row, as it is written; newest first."""
    rows = (
        (
            *(one.at.date(), f"{one.at:%H:%M:%S}", one.actor, one.action),
            *(one.detail, one.customer, one.address),
        )
        for one in entries
    )
    return Table(tuple(_(name) for name in COLUMNS), tuple(rows))


PAGE = Page("audit", N_("Audit"), ":material/fact_check:", MAY, render)
