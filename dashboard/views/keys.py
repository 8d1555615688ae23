"""Keys: with which the ISV's backend asks for frames; made, rotated and revoked by developers.

A key is shown once, when it is made; afterwards there is nothing to show.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from dashboard.access import Permission, administration
from dashboard.charts.formats import moment, whole
from dashboard.views.acts import (
    MOST_SHOWN,
    ask,
    do_what_was_asked,
    done,
    hand_over,
    list_row,
    read_customers,
    refused,
    shortened,
)
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Safe, div, filled, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import must_still, page_title, short_label, show, state
from dashboard.views.people_lists import first_few, session_facts
from dashboard.words import N_, _, n_
from data.errors import AppError, Conflict, InputError
from data.identity import Key, LiveSession
from data.scope import EveryTenant

MAY = Permission.MANAGE_KEYS
OVERLAP_HOURS, LONGEST_OVERLAP = 24, 168
MOST_NAMES = 3
EVERY, CHOSEN = N_("Every customer"), N_("Chosen customers")


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    with page_title(_("Keys")):
        making = st.button(_("Make a key"), type="primary", icon=":material/add:")
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
        hint = _("Your backend asks with it for frames of your customers' pages.")
        show(state(_("No key is in use"), _("Make one, and hand it to your backend."), hint=hint))
        return
    newest = {one.name: one.id for one in reversed(live)}
    with st.container(key="list_keys"):
        for one in live:
            with list_row(f"row_key_{one.id}"):
                show(key_facts(one, customer_names(visit), visit.clock))
                if newest[one.name] == one.id:
                    _buttons(visit, one)


def _buttons(visit: Visit, one: Key) -> None:
    if st.button(short_label(_("Rotate"), one.name), key=f"rotate_{one.id}"):
        _rotate(visit, one.name)
    if st.button(short_label(_("Revoke"), one.name), key=f"revoke_{one.id}"):
        _sure(visit, one.name)


def _frames(visit: Visit, frames: tuple[LiveSession, ...]) -> None:
    show(tag("h2", _("Frames open now"), class_="u-section"))
    if not frames:
        show(note(_("No frame of your own product is open.")))
        return
    counts = Counter(one.opened_by for one in frames)
    by = [
        _("{n} by {name}").format(n=whole(n), name=name)
        for name, n in counts.most_common(MOST_NAMES)
    ]
    others = [_("others")] if len(counts) > MOST_NAMES else []
    words = n_("{n} open: {whose}.", "{n} open: {whose}.", len(frames))
    show(note(words.format(n=whole(len(frames)), whose=", ".join(by + others))))
    with st.container(key="list_frames"):
        for n, one in enumerate(frames[:MOST_SHOWN], 1):
            with list_row(f"row_frame_{one.key[:16]}"):
                show(session_facts(one, visit.clock, own=False))
                label = short_label(_("End"), f"{one.member.name} {n}")
                if st.button(label, key=f"end_{one.key[:16]}"):
                    ask(partial(_end, one.key, one.member.name))
    show(shortened(MOST_SHOWN, len(frames)))


def key_facts(key: Key, names: dict[int, str], now: datetime) -> Safe:
    used = _("Never used")
    if key.last_used_at:
        used = _("Used {time}").format(time=moment(key.last_used_at))
    made = _("Made {time}").format(time=moment(key.created_at))
    return div(
        "u-entry",
        div("u-pair", span("u-name", key.name), span("u-key", made)),
        div("u-pair", span("u-text", whom(key, names)), span("u-key", used)),
        div(
            "u-health",
            span(f"u-dot u-{'quiet' if key.expires_at else 'good'}"),
            key_state(key, now),
        ),
    )


def whom(key: Key, names: dict[int, str]) -> str:
    if key.customers is None:
        return _("For every customer")
    some = sorted(names.get(one, _("a customer no longer here")) for one in key.customers)
    return _("For {customers}").format(customers=first_few(some, MOST_NAMES))


def key_state(key: Key, now: datetime) -> str:
    if key.revoked_at:
        return _("Revoked {time}").format(time=moment(key.revoked_at))
    if key.expires_at:
        word = (
            _("Replaced, works until {time}") if key.is_live(now) else _("Replaced, ended {time}")
        )
        return word.format(time=moment(key.expires_at))
    return _("Works")


def _over(visit: Visit, keys: list[Key]) -> Safe | None:
    """Folded away; the newest first."""
    if not keys:
        return None
    names = customer_names(visit)
    rows = (div("u-panel", key_facts(one, names, visit.clock)) for one in keys[:MOST_SHOWN])
    words = n_("{n} that no longer works", "{n} that no longer work", len(keys))
    summary = tag("summary", words.format(n=whole(len(keys))))
    return tag("details", summary, *rows, shortened(MOST_SHOWN, len(keys)), class_="u-details")


def customer_names(visit: Visit) -> dict[int, str]:
    scope = EveryTenant(visit.settings.database_url)
    return {one.id: one.name for one in read_customers(scope)}


# The dialogs


@dialog(N_("Make a key"))
def _make(visit: Visit, error: AppError | None = None) -> None:
    must_still(visit, MAY)
    if error is not None:
        show(refused(error))
    name = st.text_input(
        _("Name"),
        max_chars=50,
        placeholder="portal-backend",
        key="key_name",
        help=_("a-z, 0-9 and -"),
    )
    reach = st.radio(_("For"), (EVERY, CHOSEN), format_func=_, horizontal=True, key="key_reach")
    chosen: list[int] | None = None
    if reach == CHOSEN:
        names = customer_names(visit)
        chosen = st.multiselect(
            _("Customers"),
            tuple(names),
            format_func=lambda id: names.get(id, ""),
            placeholder=_("Choose customers"),
            key="key_customers",
        )
    if st.button(_("Make it"), type="primary"):
        ask(partial(_do_make, name.strip(), chosen))


@dialog(N_("Rotate a key"))
def _rotate(visit: Visit, name: str) -> None:
    must_still(visit, MAY)
    words = _("A new key takes the place of {name}; both work during the overlap.")
    show(note(filled(words, name=strong(name))))
    hours = st.number_input(
        _("Hours that the key before works on"), 0, LONGEST_OVERLAP, OVERLAP_HOURS, key="overlap"
    )
    if st.button(_("Make the new key"), type="primary"):
        ask(partial(_do_rotate, name, timedelta(hours=int(hours))))


@dialog(N_("Revoke a key"))
def _sure(visit: Visit, name: str) -> None:
    must_still(visit, MAY)
    words = _(
        "Revoke {name}? It stops working at once, with all before it, and every frame that they "
        "opened closes. To replace it without a gap, rotate it."
    )
    show(note(filled(words, name=strong(name))))
    if st.button(_("Revoke"), type="primary", key="revoke_sure"):
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
    words = _("Put the key {name} where your backend keeps its secrets. It is not shown again.")
    hand_over(visit, MAY, secret, words.format(name=name))


def _do_revoke(name: str, visit: Visit) -> None:
    administration.revoke_key(visit.viewer, name, visit.clock)
    words = _("{name} is revoked. The frames that it opened have closed.")
    done(filled(words, name=strong(name)))


def _end(key: str, name: str, visit: Visit) -> None:
    administration.end_frame(visit.viewer, key, visit.clock)
    done(filled(_("The frame of {name} has ended."), name=strong(name)))


PAGE = Page("keys", N_("Keys"), ":material/vpn_key:", MAY, render)
