"""One customer on one screen, for whoever has its caller on the phone.

Figures are those that the customer itself sees, read through its own scope; cost and margin stand
behind a button of their own, for Permission.VIEW_COST.
"""

import streamlit as st

from dashboard.access import Permission
from dashboard.views import address
from dashboard.views.cards import cost_so_far, used_and_left, where_it_ends
from dashboard.views.customer_parts import (
    accounts_card,
    bills_card,
    changes_card,
    notes_list,
    requests_card,
    service_card,
    who_card,
)
from dashboard.views.customers import ask_why, open_if_asked
from dashboard.views.fleet_readings import read_index, read_lately
from dashboard.views.fleet_words import flags
from dashboard.views.fragments import fragment
from dashboard.views.margin import margin_panel
from dashboard.views.markup import Safe, div, note, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import actor, callout, page_title, show, state
from dashboard.views.readings import (
    read_overview,
    read_periods,
    read_statement,
    read_subscriptions,
    ten_minutes,
)
from dashboard.words import N_, _
from data.errors import InputError, NotFound
from data.fleet import health_of
from data.identity import PersonView, members_at
from data.notes import LONGEST_NOTE, add_note, notes
from data.overview import Overview
from data.requests import requests_of
from data.scope import EveryTenant, Scope
from data.search import Field, found
from data.search_index import search_version
from data.store import CustomerView, SubscriptionView, customer_by_slug, data_version

LAST = "customer_page"  # whose page was seen last, for the way back
BILLS = 3


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.LOOKUP)
    open_if_asked(visit)
    own = _asked_for(visit)
    if own is None:
        _nobody()
        return
    scope = Scope(own.id, visit.settings.database_url, read_only=True)
    version = data_version(scope)
    contract = _head(visit, own, read_subscriptions(scope, version))
    show(_notice(visit, own))
    if contract is None:
        show(div("u-cards u-desk", who_card(own, _people(visit, own))))
    else:
        _contract(visit, own, scope, version, contract)
    _notes(visit, own.id)


def _asked_for(visit: Visit) -> CustomerView | None:
    """The customer in the address, or the one seen last; by slug, or by an account's SID."""
    scope = EveryTenant(visit.settings.database_url)
    slug = st.query_params.get("customer")
    if slug is None and (sid := st.query_params.get("account")):
        slug = _slug_of(scope, sid)
    slug = slug or st.session_state.get(LAST)
    if not slug:
        return None
    try:
        own = customer_by_slug(scope, slug)
    except NotFound:
        return None
    address.write("customer", own.slug)
    address.write("account", None)
    st.session_state[LAST] = own.slug
    return own


def _slug_of(scope: EveryTenant, sid: str) -> str | None:
    hits = found(read_index(scope, search_version(scope)), sid)
    return next((one.slug for one in hits if one.field is Field.ACCOUNT), None)


def _nobody() -> None:
    show(
        state(
            _("Choose a customer"),
            _("Nobody stands in the address of this page, or nobody of that name is known."),
            hint=_("Find one under Customers or in the Fleet."),
        )
    )


def _head(
    visit: Visit, own: CustomerView, contracts: tuple[SubscriptionView, ...]
) -> SubscriptionView | None:
    """Name, contract and what one can do."""
    with (
        page_title(own.name),
        st.container(key="desk_acts", horizontal=True, width="content"),
    ):
        chosen = _pick_contract(own, contracts)
        with st.popover(_("Copy link"), icon=":material/link:"):
            base = visit.settings.origin
            st.code(f"{base}/customer?customer={own.slug}", language=None, wrap_lines=True)
        if visit.viewer.may(Permission.VIEW_COST) and st.button(_("Margin")):
            margin_panel(visit, own.id, own.name)
        viewable = visit.viewer.may(Permission.VIEW_AS)
        if viewable and st.button(_("View as customer"), type="primary"):
            ask_why(visit, own.id, own.name)
    return chosen


def _pick_contract(
    own: CustomerView, contracts: tuple[SubscriptionView, ...]
) -> SubscriptionView | None:
    if len(contracts) < 2:
        return contracts[0] if contracts else None
    by_key = {one.key: one for one in contracts}

    def draw(key: str) -> str | None:
        return st.selectbox(
            _("Contract"),
            tuple(by_key),
            format_func=lambda code: f"{code.capitalize()} · {by_key[code].plan or _('Twilio')}",
            key=key,
            label_visibility="collapsed",
            width=220,
        )

    first = contracts[0].key
    return by_key[address.pick("contract", tuple(by_key), first, draw, whose=f"desk_{own.id}")]


def _notice(visit: Visit, own: CustomerView) -> Safe | None:
    """What is amiss, at the top, in the words of the fleet's list."""
    every = EveryTenant(visit.settings.database_url)
    rows = health_of(every, [own.id], now=visit.now).get(own.id, ())
    amiss = [flags(row, visit.today) for row in rows if row.reasons]
    return div("u-flags", *amiss) if amiss else None


def _people(visit: Visit, own: CustomerView) -> tuple[PersonView, ...]:
    return members_at(EveryTenant(visit.settings.database_url), own.id)


def _contract(
    visit: Visit, own: CustomerView, scope: Scope, version: str, contract: SubscriptionView
) -> None:
    """Everything of one contract: four answers, then what is behind them."""
    now = ten_minutes(visit.now)
    lately = read_lately(scope, version, contract.key, visit.today, now)
    periods = read_periods(scope, version, contract.key, visit.today)
    view = _overview(visit, scope, version, contract) if periods else None
    bills = [
        (period, read_statement(scope, version, contract.key, period, visit.today))
        for period in periods[1 : BILLS + 1]
    ]
    who = who_card(own, _people(visit, own))
    if view is None:
        show(
            callout(strong(_("This contract has not begun yet."))),
            div("u-cards u-desk", who, accounts_card(contract, None, visit)),
        )
        return
    show(
        div(
            "u-cards",
            used_and_left(view, visit.today),
            cost_so_far(view),
            where_it_ends(view, visit.today),
            accounts_card(contract, view, visit),
        ),
        div(
            "u-cards u-desk",
            who,
            service_card(view, lately),
            changes_card(lately),
            div("u-stack", requests_card(requests_of(scope)), bills_card(bills)),
        ),
    )


def _overview(
    visit: Visit, scope: Scope, version: str, contract: SubscriptionView
) -> Overview | None:
    periods = read_periods(scope, version, contract.key, visit.today)
    return read_overview(
        *(scope, version, contract.key, periods[0], visit.today, ten_minutes(visit.now)),
        visit.settings.settling_days,
        visit.settings.holidays,
    )


@fragment
def _notes(visit: Visit, customer_id: int) -> None:
    """Kept notes, and room for another; redraws alone."""
    visit.viewer.require(Permission.LOOKUP)
    scope = EveryTenant(visit.settings.database_url)
    with st.container(key="desk_notes", border=True):
        read, write = st.columns((3, 2), gap="medium")
        if visit.viewer.may(Permission.WRITE_NOTES):
            with write:
                _note_form(visit, customer_id)
        with read:
            show(tag("h2", _("Notes"), class_="u-section"), notes_list(notes(scope, customer_id)))


def _note_form(visit: Visit, customer_id: int) -> None:
    with st.form("note", clear_on_submit=True, border=False):
        text = st.text_area(
            _("Note for the next colleague"),
            max_chars=LONGEST_NOTE,
            height=68,
            placeholder=_("What the next colleague should know. The customer never sees it."),
            label_visibility="collapsed",
        )
        if st.form_submit_button(_("Add note")):
            _write(visit, customer_id, text or "")


def _write(visit: Visit, customer_id: int, text: str) -> None:
    writer, now = actor(visit, Permission.WRITE_NOTES)
    try:
        add_note(
            *(EveryTenant(visit.settings.database_url), customer_id, text),
            author=writer.name,
            person_id=writer.person_id,
            now=now,
        )
    except InputError:
        show(note(_("Write what the next colleague should know.")))


PAGE = Page(
    *("customer", N_("Account"), ":material/badge:", Permission.LOOKUP, render),
    listed=lambda _visit: False,  # reached from a customer's name
)
