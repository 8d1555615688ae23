"""What staff do on a page: asked for in a dialog, done by the next run of the page.

A dialog runs without the top of the script, so it does nothing itself: it leaves the act behind,
and the page, which has asked who looks, does it first and shows its lists as they are then.
"""

from collections.abc import Callable
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.access import CustomerName, Permission
from dashboard.charts.formats import whole
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Part, Safe, note, strong, tag
from dashboard.views.page import Visit
from dashboard.views.parts import callout, must_still, show
from dashboard.words import N_, _
from data.errors import AppError, Conflict, InputError, NotFound
from data.scope import EveryTenant
from data.store import find_customers

ASKED = "asked_act"
MOST_SHOWN = 25
MOST_CUSTOMERS = 2000
FIELDS = {"email": N_("E-mail"), "customer": N_("Customer"), "role": N_("Role"), "name": N_("Name")}

Act = Callable[[Visit], None]


def ask(act: Act) -> NoReturn:
    """Leave an act to the next run, which this begins."""
    st.session_state[ASKED] = act
    st.rerun()


def do_what_was_asked(visit: Visit) -> None:
    """Once.  What could not be done is said; a right that is missing ends the page."""
    act = st.session_state.pop(ASKED, None)
    if act is None:
        return
    try:
        act(visit)
    except (InputError, Conflict, NotFound) as error:
        show(refused(error))


def list_row(key: str) -> DeltaGenerator:
    """The frame of one line of a list, with its buttons."""
    return st.container(border=True, key=key, horizontal=True, vertical_alignment="center")


def done(*words: Part) -> None:
    show(tag("div", tag("p", *words), class_="u-callout", role="status"))


def refused(error: AppError) -> Safe:
    """What was wrong, by the name of its field where it has one."""
    field = FIELDS.get(str(error.params.get("field")))
    first = f"{_(field)}: " if field else f"{_('Not done.')} "
    return callout(strong(first), _(str(error)), kind="warning")


@dialog(N_("Hand this over"), dismissible=False, width="medium")
def hand_over(visit: Visit, permission: Permission, secret: str, *words: Part) -> None:
    """A secret, seen this once; it goes away with a button only."""
    must_still(visit, permission)
    show(*(note(part) for part in words))
    st.code(secret, language=None, wrap_lines=True)
    if st.button(_("Done"), type="primary"):
        st.rerun()


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def read_customers(scope: EveryTenant) -> tuple[CustomerName, ...]:
    """Every customer by name, for the staff's lists to choose from."""
    found = find_customers(scope, "", limit=MOST_CUSTOMERS)
    return tuple(CustomerName(one.id, one.slug, one.name) for one in found if not one.waiting)


def pick_customer(visit: Visit, key: str, label: str = N_("Customer"), **terms: str) -> int | None:
    names = {one.id: one.name for one in read_customers(EveryTenant(visit.settings.database_url))}
    return st.selectbox(
        _(label),
        tuple(names),
        format_func=lambda id: names.get(id, ""),
        index=None,
        placeholder=terms.get("placeholder", _("Choose a customer")),
        key=key,
    )


def shortened(shown: int, number: int) -> Safe | None:
    """What is said below a list that is cut."""
    if number <= shown:
        return None
    words = _("{shown} of {all} are shown. Narrow the search.")
    return tag("p", words.format(shown=whole(shown), all=whole(number)), class_="u-foot")
