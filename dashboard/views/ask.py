"""Asking for another tier, plan or pack: the button, its dialog, and what became of it.

A request is recorded and changes nothing else; staff answer on their page.  A button's place shows
the state of what was asked there, so that nobody asks twice and nobody is left without an answer.
"""

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import day, sentence
from dashboard.views.cards import row
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Part, Safe, div, grid, note, span, strong, tag, unmarked
from dashboard.views.page import Visit
from dashboard.views.parts import actor, callout, must_still, show
from dashboard.words import N_, _
from data.errors import Conflict, InputError, NotFound
from data.requests import (
    DECLINED,
    GRANTED,
    LONGEST_MESSAGE,
    OPEN,
    WITHDRAWN,
    RequestView,
    ask,
    requests_of,
    withdraw,
)
from data.scope import Scope

KIND_WORDS = {"tier": N_("Tier"), "plan": N_("Plan"), "pack": N_("Credit pack")}
STATE_WORDS = {
    OPEN: N_("Not answered yet"),
    GRANTED: N_("Granted"),
    DECLINED: N_("Declined"),
    WITHDRAWN: N_("Withdrawn"),
}
REFUSALS = {
    "asked": N_("You have asked for this already, and it is not answered yet."),
    "many": N_("Too many requests wait for an answer. Withdraw one first."),
}


@st.cache_data(ttl=15, max_entries=500, show_spinner=False)
def read_own(scope: Scope) -> tuple[RequestView, ...]:
    """Several buttons of a page ask the same; an answer of staff shows within seconds."""
    return requests_of(scope)


def ask_button(
    visit: Visit, *, kind: str, wanted: str, label: str | None = None, key: str = ""
) -> None:
    """For managers; others see what was asked, and what became of it.

    `wanted` is the tier's, plan's or pack's name as the page shows it, `label` a translated text.
    """
    asked = _last_asked(visit, kind, wanted)
    place = f"ask_{key or f'{kind}_{wanted}'}"
    may, name = visit.viewer.may(Permission.CHANGE_OWN), unmarked(sentence(wanted))
    if asked is not None and (asked.is_open or asked.answer):
        show(_state_of(asked))
    if asked is not None and asked.is_open:
        take_back = _("Withdraw the request for {wanted}").format(wanted=name)
        if may and st.button(take_back, key=place, type="tertiary"):
            _ask_to_withdraw(visit, asked)
        return
    label = label or _("Ask for {wanted}").format(wanted=name)
    if may and st.button(label, key=place):
        _ask_dialog(visit, kind, wanted)


def _last_asked(visit: Visit, kind: str, wanted: str) -> RequestView | None:
    here = (visit.subscription.key, kind, wanted.strip())
    own = read_own(visit.scope)
    return next((one for one in own if (one.subscription, one.kind, one.wanted) == here), None)


def _state_of(asked: RequestView) -> Safe:
    since, wanted = day(asked.asked_at.date()), sentence(asked.wanted)
    if asked.is_open or asked.answered_at is None:
        waits = _("{wanted}: asked on {day}, not answered yet.")
        return note(waits.format(wanted=wanted, day=since))
    on = day(asked.answered_at.date())
    said = (
        _("{wanted}: granted on {day}. {answer}")
        if asked.status == GRANTED
        else _("{wanted}: declined on {day}. {answer}")
    )
    return note(said.format(wanted=wanted, day=on, answer=asked.answer))


@dialog(N_("Ask for a change"), width="medium")
def _ask_dialog(visit: Visit, kind: str, wanted: str) -> None:
    """Stays open with what was written where the request is refused."""
    must_still(visit, Permission.CHANGE_OWN)
    show(
        _facts(
            (_(KIND_WORDS[kind]), sentence(wanted)), (_("You have now"), visit.subscription.plan)
        )
    )
    message = st.text_area(
        _("Message, if you like"),
        max_chars=LONGEST_MESSAGE,
        placeholder=_("From when, how many, or why"),
        key=f"ask_message_{kind}_{wanted}",
    )
    answers = _("{brand} answers here, and may write to you by e-mail. Nothing changes until then.")
    show(note(answers.format(brand=visit.brand.name)))
    if st.button(_("Send the request"), type="primary", key="ask_send"):
        _send(visit, kind, wanted, message or "")


def _send(visit: Visit, kind: str, wanted: str, message: str) -> None:
    viewer, now = actor(visit, Permission.CHANGE_OWN)
    try:
        ask(
            *(viewer.scope, visit.subscription.key, kind, wanted, message),
            asked_by=viewer.name,
            person_id=viewer.person_id,
            now=now,
        )
    except (Conflict, InputError) as error:
        words = REFUSALS.get(str(error.params.get("reason")), N_("This cannot be asked for."))
        show(_refused(_(words)))
        return
    read_own.clear()
    st.rerun()


@dialog(N_("Withdraw a request"))
def _ask_to_withdraw(visit: Visit, asked: RequestView) -> None:
    must_still(visit, Permission.CHANGE_OWN)
    asks = _("The request for {wanted} is not answered then. You can ask again at any time.")
    show(note(asks.format(wanted=sentence(asked.wanted))))
    if st.button(_("Withdraw it"), type="primary", key="ask_withdraw"):
        viewer, now = actor(visit, Permission.CHANGE_OWN)
        try:
            withdraw(viewer.scope, asked.id, by=viewer.name, now=now)
        except (Conflict, NotFound):
            show(_refused(_("It was answered or withdrawn a moment ago. Reload the page.")))
            return
        read_own.clear()
        st.rerun()


def _refused(why: str) -> Safe:
    return callout(strong(_("Not done.")), " ", why, kind="warning")


def _facts(*facts: tuple[str, str | None]) -> Safe:
    rows = (row(name, value) for name, value in facts if value)
    return div("u-rows", *rows)


# All that was asked, at the end of a page


def own_requests(visit: Visit) -> None:
    """What the customer has asked for and what became of it; nothing where nothing was asked."""
    found = read_own(visit.scope)
    if not found:
        return
    heads = (_("Asked"), _("What"), _("By"), _("State"), _("Answer"))
    title, rows = _("Your requests"), (_row(one) for one in found)
    show(
        tag(
            "section",
            tag("h2", title, class_="u-section"),
            grid(title, heads, rows),
            class_="u-panel",
        )
    )


def _row(one: RequestView) -> Safe:
    what: tuple[Part, ...] = (
        strong(sentence(one.wanted)),
        span("u-behind-it", _(KIND_WORDS[one.kind])),
        span("u-behind-it", one.message) if one.message else None,
    )
    ended = day(one.answered_at.date()) if one.answered_at else None
    return tag(
        "tr",
        tag("td", day(one.asked_at.date(), year=True)),
        tag("td", *what, class_="u-wrap"),
        tag("td", one.asked_by),
        tag("td", _(STATE_WORDS[one.status]), span("u-behind-it", ended) if ended else None),
        tag("td", one.answer or "–", class_="u-wrap"),
    )
