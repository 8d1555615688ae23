"""Keys: with which the ISV's backend asks for frames; made, rotated and revoked by developers.

A key is shown once, when it is made; afterwards there is nothing to show.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from dashboard.access import Permission, administration
from dashboard.charts.formats import moment
from dashboard.views.acts import (
    MOST_SHOWN,
    ask,
    do_what_was_asked,
    done,
    hand_over,
    list_head,
    list_row,
    read_customers,
    refused,
    shortened,
)
from dashboard.views.markup import Safe, div, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import must_still, show, state
from dashboard.views.people_lists import session_facts
from data.errors import AppError, Conflict, InputError
from data.identity import Key, LiveSession
from data.scope import EveryTenant

MAY = Permission.MANAGE_KEYS
OVERLAP_HOURS, LONGEST_OVERLAP = 24, 168
MOST_NAMES = 3
EVERY, CHOSEN = "Every customer", "Chosen customers"


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    with list_head("Keys"):
        making = st.button("Make a key", type="primary", icon=":material/add:")
    do_what_was_asked(visit)
    keys = administration.keys(visit.viewer)
    live = [one for one in keys if one.is_live(visit.clock)]
    _keys(visit, live)
    _frames(visit, administration.frames(visit.viewer, visit.clock))
    show(_over(visit, [one for one in keys if one not in live]))
    if making:
        _make(visit)


# The lists


def _keys(visit: Visit, live: list[Key]) -> None:
    if not live:
        hint = "Your backend asks with it for frames of your customers' pages."
        show(state("No key is in use", "Make one, and hand it to your backend.", hint=hint))
        return
    newest = {one.name: one.id for one in reversed(live)}
    with st.container(key="list_keys"):
        for one in live:
            with list_row(f"row_key_{one.id}"):
                show(key_facts(one, customer_names(visit), visit.clock))
                if newest[one.name] == one.id:
                    _buttons(visit, one)


def _buttons(visit: Visit, one: Key) -> None:
    if st.button("Rotate", key=f"rotate_{one.id}"):
        _rotate(visit, one.name)
    if st.button("Revoke", key=f"revoke_{one.id}"):
        _sure(visit, one.name)


def _frames(visit: Visit, frames: tuple[LiveSession, ...]) -> None:
    show(tag("h2", "Frames open now", class_="u-section"))
    if not frames:
        show(note("No frame of your own product is open."))
        return
    counts = Counter(one.opened_by for one in frames)
    many = ", ".join(f"{n:,} by {name}" for name, n in counts.most_common(MOST_NAMES))
    others = " and others" if len(counts) > MOST_NAMES else ""
    show(note(f"{len(frames):,} open: {many}{others}."))
    with st.container(key="list_frames"):
        for one in frames[:MOST_SHOWN]:
            with list_row(f"row_frame_{one.key[:16]}"):
                show(session_facts(one, visit.clock, own=False))
                if st.button("End", key=f"end_{one.key[:16]}"):
                    ask(partial(_end, one.key, one.member.name))
    show(shortened(MOST_SHOWN, len(frames)))


def key_facts(key: Key, names: dict[int, str], now: datetime) -> Safe:
    used = f"Used {moment(key.last_used_at)}" if key.last_used_at else "Never used"
    return div(
        "u-entry",
        div("u-pair", span("u-name", key.name), span("u-key", f"Made {moment(key.created_at)}")),
        div("u-pair", span("u-text", whom(key, names)), span("u-key", used)),
        div(
            "u-health",
            span(f"u-dot u-{'quiet' if key.expires_at else 'good'}"),
            key_state(key, now),
        ),
    )


def whom(key: Key, names: dict[int, str]) -> str:
    if key.customers is None:
        return "For every customer"
    some = sorted(names.get(one, "a customer no longer here") for one in key.customers)
    more = len(some) - MOST_NAMES
    return "For " + ", ".join(some[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def key_state(key: Key, now: datetime) -> str:
    if key.revoked_at:
        return f"Revoked {moment(key.revoked_at)}"
    if key.expires_at:
        word = "Replaced, works until" if key.is_live(now) else "Replaced, ended"
        return f"{word} {moment(key.expires_at)}"
    return "Works"


def _over(visit: Visit, keys: list[Key]) -> Safe | None:
    """Folded away; the newest first."""
    if not keys:
        return None
    names = customer_names(visit)
    rows = (div("u-panel", key_facts(one, names, visit.clock)) for one in keys[:MOST_SHOWN])
    summary = tag("summary", f"{len(keys)} that no longer work")
    return tag("details", summary, *rows, shortened(MOST_SHOWN, len(keys)), class_="u-details")


def customer_names(visit: Visit) -> dict[int, str]:
    scope = EveryTenant(visit.settings.database_url)
    return {one.id: one.name for one in read_customers(scope)}


# The dialogs


@st.dialog("Make a key")
def _make(visit: Visit, error: AppError | None = None) -> None:
    must_still(visit, MAY)
    if error is not None:
        show(refused(error))
    name = st.text_input(
        "Name", max_chars=50, placeholder="portal-backend", key="key_name", help="a-z, 0-9 and -"
    )
    reach = st.radio("For", (EVERY, CHOSEN), horizontal=True, key="key_reach")
    chosen: list[int] | None = None
    if reach == CHOSEN:
        names = customer_names(visit)
        chosen = st.multiselect(
            "Customers",
            tuple(names),
            format_func=lambda id: names.get(id, ""),
            placeholder="Choose customers",
            key="key_customers",
        )
    if st.button("Make it", type="primary"):
        ask(partial(_do_make, name.strip(), chosen))


@st.dialog("Rotate a key")
def _rotate(visit: Visit, name: str) -> None:
    must_still(visit, MAY)
    show(note("A new key takes the place of ", strong(name), "; both work during the overlap."))
    hours = st.number_input(
        "Hours that the key before works on", 0, LONGEST_OVERLAP, OVERLAP_HOURS, key="overlap"
    )
    if st.button("Make the new key", type="primary"):
        ask(partial(_do_rotate, name, timedelta(hours=int(hours))))


@st.dialog("Revoke a key")
def _sure(visit: Visit, name: str) -> None:
    must_still(visit, MAY)
    show(
        note(
            *(
                "Revoke ",
                strong(name),
                "? It stops working at once, with all before it, and every ",
            ),
            "frame that they opened closes. To replace it without a gap, rotate it.",
        )
    )
    if st.button("Revoke", type="primary", key="revoke_sure"):
        ask(partial(_do_revoke, name))


# What was asked


def _do_make(name: str, customers: list[int] | None, visit: Visit) -> None:
    """What is wrong is said where it was typed."""
    try:
        secret = administration.create_key(visit.viewer, name, customers, visit.clock)
    except (InputError, Conflict) as error:
        _make(visit, error)
        return
    _hand(visit, name, secret)


def _do_rotate(name: str, overlap: timedelta, visit: Visit) -> None:
    secret = administration.rotate_key(visit.viewer, name, overlap, visit.clock)
    _hand(visit, name, secret)


def _hand(visit: Visit, name: str, secret: str) -> None:
    words = f"Put the key {name} where your backend keeps its secrets. It is not shown again."
    hand_over(visit, MAY, secret, words)


def _do_revoke(name: str, visit: Visit) -> None:
    administration.revoke_key(visit.viewer, name, visit.clock)
    done(strong(name), " is revoked. The frames that it opened have closed.")


def _end(key: str, name: str, visit: Visit) -> None:
    administration.end_frame(visit.viewer, key, visit.clock)
    done("The frame of ", strong(name), " has ended.")


PAGE = Page("keys", "Keys", ":material/vpn_key:", MAY, render)
