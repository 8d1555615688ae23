"""Customers: support finds one by whatever the caller gives, and sees what the customer sees."""

from collections.abc import Callable
from datetime import datetime, timedelta

import streamlit as st

from dashboard.access import Permission, start_viewing
from dashboard.charts.formats import moment
from dashboard.views.margin import margin_panel
from dashboard.views.markup import Safe, div, span, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import show, state
from data.identity import LONGEST_REASON
from data.scope import EveryTenant
from data.store import AccountView, FoundCustomer, find_customers

MOST_SHOWN = 25
STALE_AFTER = timedelta(hours=26)
GOING_TO, ASKED = "going_to", "open_customer"

Action = Callable[[Visit, FoundCustomer], None]


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.LOOKUP)
    _open_if_asked(visit)
    show(tag("h1", "Customers", class_="u-title"))
    text = st.text_input(
        "Search",
        placeholder="Name, account SID, e-mail or external id",
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=100,
        key="customer_search",
    )
    found = find_customers(EveryTenant(visit.settings.database_url), text or "")
    if not found:
        hint = "Try a part of the name, or the SID that starts with AC."
        show(state("No customer matches", f"Nothing was found for “{text}”.", hint=hint))
        return
    actions = [(one, _entry(visit, one)) for one in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        text = f"{MOST_SHOWN} of {len(found)} are shown. Narrow the search."
        show(tag("p", text, class_="u-foot"))
    for one, action in actions:
        if action is not None:
            action(visit, one)


def _entry(visit: Visit, one: FoundCustomer) -> Action | None:
    """One customer in a row; what its buttons open, once one is pressed."""
    frame = st.container(
        border=True, key=f"customer_{one.id}", horizontal=True, vertical_alignment="center"
    )
    with frame:
        show(_facts(one, visit.now))
        if one.waiting:
            return None
        if visit.viewer.may(Permission.VIEW_COST) and st.button("Margin", key=f"margin_{one.id}"):
            return margin_panel
        return _ask_why if st.button("Open", key=f"open_{one.id}") else None


def _facts(one: FoundCustomer, now: datetime) -> Safe:
    plan = "Accounts without a customer" if one.waiting else one.plan or "Own Twilio account"
    known = " · ".join(part for part in (one.email, one.external_id) if part)
    names = ", ".join(account.application or account.name for account in one.accounts)
    word, kind = health(one.accounts, now)
    return div(
        "u-entry",
        div("u-pair", tag("h2", one.name), span("u-key", known)),
        div("u-pair", span("u-text", plan), span("u-key", names)),
        div("u-health", span(f"u-dot u-{kind}"), word),
    )


def health(accounts: tuple[AccountView, ...], now: datetime) -> tuple[str, str]:
    """The worst that is true of the accounts, in words, and how bad it is."""
    if not accounts:
        return "No account", "quiet"
    if all(one.status == "closed" for one in accounts):
        return "Closed", "quiet"
    open_ones = [one for one in accounts if one.status != "closed"]
    if any(one.sync_error for one in open_ones):
        return "Reading failed", "bad"
    read = [one.synced_at for one in open_ones if one.synced_at]
    if len(read) < len(open_ones):
        return "Not read yet", "quiet"
    if now - min(read) > STALE_AFTER:
        return f"Stale, read {moment(min(read))}", "bad"
    if any(one.status == "suspended" for one in open_ones):
        return "Suspended", "bad"
    return f"Fresh, read {moment(min(read))}", "good"


@st.dialog("Open a customer's pages")
def _ask_why(_: Visit, one: FoundCustomer) -> None:
    """Only notes what is wanted: the page acts on the next run, after asking who looks."""
    show(
        tag(
            "p",
            f"You will see {one.name}'s own pages for 30 minutes and can change nothing. "
            "The reason is recorded.",
            class_="u-note",
        )
    )
    reason = st.text_input("Reason", max_chars=LONGEST_REASON, placeholder="Ticket 4711: high bill")
    if st.button("Open read-only", type="primary", disabled=not reason.strip()):
        st.session_state[ASKED] = (one.id, reason)
        st.rerun()


def _open_if_asked(visit: Visit) -> None:
    asked = st.session_state.pop(ASKED, None)
    if asked is None:
        return
    customer_id, reason = asked
    start_viewing(visit.viewer, customer_id, reason, visit.clock)
    st.session_state[GOING_TO] = "overview"
    st.rerun()


PAGE = Page("customers", "Customers", ":material/search:", Permission.LOOKUP, render)
