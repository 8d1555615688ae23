"""Customers: support finds one by whatever the caller gives, with what is amiss there beside it."""

from datetime import datetime

import streamlit as st

from dashboard.access import Permission, start_viewing
from dashboard.charts.formats import moment, whole
from dashboard.views import address
from dashboard.views.dialogs import dialog
from dashboard.views.fleet_readings import read_index
from dashboard.views.fleet_words import flags
from dashboard.views.margin import margin_panel
from dashboard.views.markup import Safe, div, note, span, strong, tag, unmarked
from dashboard.views.page import Page, Visit
from dashboard.views.parts import must_still, page_title, short_label, show, state
from dashboard.words import N_, _, n_
from data.fleet import FleetRow, health_of
from data.freshness import STALE_AFTER
from data.identity import LONGEST_REASON
from data.scope import EveryTenant
from data.search import LONGEST, Closeness, Field, Hit, found
from data.search_index import search_version
from data.store import AccountView

MOST_SHOWN = 25
GOING_TO, ASKED = "going_to", "open_customer"
SEARCH, WRITTEN = "customer_search", "customer_search_written"
ACCOUNT_PAGE = "customer"
WHY = {
    Field.NAME: N_("name"),
    Field.SLUG: N_("short name {text}"),
    Field.EXTERNAL_ID: N_("external id {text}"),
    Field.ACCOUNT: N_("account {text}"),
    Field.PHONE: N_("phone {text}"),
    Field.EMAIL: N_("e-mail {text}"),
    Field.PERSON_EMAIL: N_("a person's e-mail {text}"),
    Field.PERSON: N_("person {text}"),
    Field.ACCOUNT_NAME: N_("account named {text}"),
}


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.LOOKUP)
    open_if_asked(visit)
    page_title(_("Customers"))
    text = _asked_for()
    scope = EveryTenant(visit.settings.database_url)
    hits = found(read_index(scope, search_version(scope)), text)
    if not hits:
        show(_nothing_found(text))
        return
    shown = hits[:MOST_SHOWN]
    health = health_of(scope, [one.customer_id for one in shown], now=visit.now)
    show(_count(len(hits), alike=hits[0].closeness is Closeness.ALIKE))
    for one in shown:
        _entry(visit, one, health.get(one.customer_id, ()))


def _asked_for() -> str:
    """The text in the field and in the address, whichever was written last."""
    asked, kept = st.query_params.get("q"), st.session_state
    if asked is not None and asked != kept.get(WRITTEN):
        kept[SEARCH] = asked[:LONGEST]
    text = st.text_input(
        _("Search"),
        placeholder=_("Name, account SID, e-mail, phone number or external id"),
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=LONGEST,
        key=SEARCH,
        persist_state="session",
    )
    text = (text or "").strip()[:LONGEST]
    address.write("q", text or None)
    kept[WRITTEN] = text or None
    return text


def _nothing_found(text: str) -> Safe:
    if not text:
        return state(
            _("There are no customers yet"),
            _("Import them from a file, or let the sync find their accounts first."),
        )
    return state(
        _("No customer matches"),
        _("Nothing was found for “{text}”, not even spelt a little differently.").format(text=text),
        hint=_("Try a part of the name, an SID from AC on, or the last digits of a phone number."),
    )


def _count(number: int, *, alike: bool) -> Safe:
    said = n_("{n} customer", "{n} customers", number).format(n=whole(number))
    if number > MOST_SHOWN:
        said = _("The first {shown} of {n} customers; search on to narrow them.").format(
            shown=whole(MOST_SHOWN), n=whole(number)
        )
    if alike:
        said = _("Nothing is spelt like that. Closest: {what}").format(what=said)
    return tag("p", said, class_="u-foot", role="status")


def _entry(visit: Visit, one: Hit, health: tuple[FleetRow, ...]) -> None:
    """One customer in a row: a link to its page, what is amiss, and two short cuts."""
    frame = st.container(
        border=True,
        key=f"customer_{one.customer_id}",
        horizontal=True,
        vertical_alignment="center",
    )
    with frame:
        customer_link(one.slug, _("Accounts without a customer") if one.waiting else one.name)
        show(_facts(visit, one, health))
        if one.waiting:
            return
        priced = any(row.plan for row in health) or not health
        if visit.viewer.may(Permission.VIEW_COST) and priced:
            label = short_label(_("Margin"), one.name)
            if st.button(label, key=f"margin_{one.customer_id}"):
                margin_panel(visit, one.customer_id, one.name)
        if visit.viewer.may(Permission.VIEW_AS) and st.button(
            short_label(_("Open"), one.name), key=f"open_{one.customer_id}"
        ):
            ask_why(visit, one.customer_id, one.name)


def customer_link(slug: str, label: str) -> None:
    """To the customer's page, as a link that can be copied and opened beside."""
    there = st.Page(lambda: None, title=label, url_path=ACCOUNT_PAGE)
    st.page_link(there, label=unmarked(label), query_params={"customer": slug}, width=250)


def _facts(visit: Visit, one: Hit, health: tuple[FleetRow, ...]) -> Safe:
    plans = " · ".join(row.plan or _("Own Twilio account") for row in health)
    why = _(WHY[one.field]).format(text=one.text) if one.field not in (None, Field.NAME) else ""
    amiss = [flags(row, visit.today) for row in health if row.reasons]
    said = div("u-flags", *amiss) if amiss else div("u-health", *_calm(health))
    return div(
        "u-found",
        div("u-pair", span("u-text", plans), span("u-key u-wrap", why) if why else None),
        said,
    )


def _calm(health: tuple[FleetRow, ...]) -> tuple[Safe, str]:
    """Nothing to look at: how fresh it is."""
    read = [row.synced_at for row in health if row.synced_at]
    if not health:
        return span("u-dot u-quiet"), _("Not looked at yet")
    if all(row.resting for row in health):
        return span("u-dot u-quiet"), _("Closed")
    words = (
        _("Fresh, read {moment}").format(moment=moment(min(read))) if read else _("Not read yet")
    )
    return span("u-dot u-good" if read else "u-dot u-quiet"), words


def health(accounts: tuple[AccountView, ...], now: datetime) -> tuple[str, str]:
    """The worst that is true of the accounts, in words, and how bad it is."""
    if not accounts:
        return _("No account"), "quiet"
    if all(one.status == "closed" for one in accounts):
        return _("Closed"), "quiet"
    open_ones = [one for one in accounts if one.status != "closed"]
    if any(one.sync_error for one in open_ones):
        return _("Reading failed"), "bad"
    read = [one.synced_at for one in open_ones if one.synced_at]
    if len(read) < len(open_ones):
        return _("Not read yet"), "quiet"
    if now - min(read) > STALE_AFTER:
        return _("Stale, read {moment}").format(moment=moment(min(read))), "bad"
    if any(one.status == "suspended" for one in open_ones):
        return _("Suspended"), "bad"
    return _("Fresh, read {moment}").format(moment=moment(min(read))), "good"


@dialog(N_("Open a customer's pages"))
def ask_why(visit: Visit, customer_id: int, name: str) -> None:
    """Only notes what is wanted: the page acts on the next run, after asking who looks."""
    must_still(visit, Permission.VIEW_AS)
    said = _("You will see {customer}'s own pages for 30 minutes and can change nothing.")
    show(note(said.format(customer=name), " ", strong(_("The reason is recorded."))))
    reason = st.text_input(
        _("Reason"), max_chars=LONGEST_REASON, placeholder=_("Ticket 4711: high bill")
    )
    if st.button(_("Open read-only"), type="primary", disabled=not reason.strip()):
        st.session_state[ASKED] = (customer_id, reason)
        st.rerun()


def open_if_asked(visit: Visit) -> None:
    """First on each page that opens the dialog."""
    asked = st.session_state.pop(ASKED, None)
    if asked is None:
        return
    customer_id, reason = asked
    start_viewing(visit.viewer, customer_id, reason, visit.clock)
    st.session_state[GOING_TO] = "overview"
    st.rerun()


PAGE = Page("customers", N_("Customers"), ":material/search:", Permission.LOOKUP, render)
