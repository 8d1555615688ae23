"""Requests: what customers ask for, and the staff's answers.

An answer is words and a state.  It changes no plan and grants no credits: the page says so, and
leads to where that is done.
"""

from datetime import datetime

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import day, moment, sentence
from dashboard.views.acts import list_row
from dashboard.views.ask import KIND_WORDS, STATE_WORDS, read_own
from dashboard.views.dialogs import dialog
from dashboard.views.markup import Safe, div, grid, note, span, strong, tag, unmarked
from dashboard.views.page import Page, Visit
from dashboard.views.parts import actor, callout, must_still, page_title, show, state
from dashboard.words import N_, _, n_
from data.errors import Conflict, InputError, NotFound
from data.requests import (
    LONGEST_ANSWER,
    WITHDRAWN,
    RequestView,
    StaffRequest,
    answer,
    ended_requests,
    open_requests,
)
from data.scope import EveryTenant

SEES, ANSWERS = Permission.LOOKUP, Permission.CHANGE_PLANS
MOST_ENDED = 50


def render(visit: Visit) -> None:
    visit.viewer.require(SEES)
    scope = EveryTenant(visit.settings.database_url)
    page_title(_("Requests"))
    waiting = open_requests(scope, visit.today)
    ended = ended_requests(scope, visit.today, limit=MOST_ENDED)
    if not waiting and not ended:
        nothing = _("Managers of a customer ask for a tier, a plan or a pack on their own pages.")
        show(state(_("Nobody has asked for anything yet"), nothing))
        return
    _waiting(visit, waiting)
    if ended:
        show(_ended(ended))


# Those that wait


def _waiting(visit: Visit, waiting: tuple[StaffRequest, ...]) -> None:
    number = len(waiting)
    title = n_("{n} request waits for an answer", "{n} requests wait for an answer", number)
    show(tag("h2", title.format(n=number) if number else _("Nothing waits"), class_="u-section"))
    if not number:
        show(note(_("Every request has an answer.")))
    for one in waiting:
        with list_row(f"row_asked_{one.request.id}"):
            show(_facts(one, visit.now))
            label = _("Answer {customer}").format(customer=unmarked(one.customer))
            may = visit.viewer.may(ANSWERS)
            if may and st.button(label, key=f"answer_{one.request.id}"):
                _answer(visit, one)


def _facts(one: StaffRequest, now: datetime) -> Safe:
    asked = one.request
    by = _("{person}, {moment}").format(person=asked.asked_by, moment=moment(asked.asked_at))
    return div(
        "u-entry",
        div("u-pair", tag("h3", one.customer), _account_link(one), _write_to(one)),
        div(
            "u-pair",
            span("u-text", strong(sentence(asked.wanted))),
            span("u-key", _kind_and_plan(one)),
        ),
        div(
            "u-pair",
            span("u-text u-wrap", asked.message or _("Without a message")),
            span("u-key", f"{by} · {_waits((now - asked.asked_at).days)}"),
        ),
    )


def _kind_and_plan(one: StaffRequest) -> str:
    has = one.plan or _("own Twilio account")
    asked = _(KIND_WORDS[one.request.kind])
    return _("{kind} · has now: {plan}").format(kind=asked, plan=has)


def _waits(days: int) -> str:
    if days < 1:
        return _("since today")
    return n_("waits {n} day", "waits {n} days", days).format(n=days)


def _account_link(one: StaffRequest) -> Safe:
    words = _("Account of {customer}").format(customer=one.customer)
    return tag("a", words, href=f"customer?customer={one.slug}", target="_self", class_="u-link")


def _agreement_link(one: StaffRequest) -> Safe:
    words = _("Change what {customer} has").format(customer=one.customer)
    return tag("a", words, href=f"agreements?customer={one.slug}", target="_self", class_="u-link")


def _write_to(one: StaffRequest) -> Safe | None:
    return tag("a", one.email, href=f"mailto:{one.email}", class_="u-link") if one.email else None


@dialog(N_("Answer a request"), width="medium")
def _answer(visit: Visit, one: StaffRequest) -> None:
    """Stays open with what was written where the answer is refused."""
    must_still(visit, ANSWERS)
    asked = one.request
    wants = _("{customer} asks for {wanted}").format(
        customer=one.customer, wanted=sentence(asked.wanted)
    )
    show(div("u-pair", strong(wants), span("u-key", _kind_and_plan(one))))
    if asked.message:
        show(tag("blockquote", asked.message, class_="u-asked"))
    words = st.text_area(
        _("Your answer, which the customer reads"),
        max_chars=LONGEST_ANSWER,
        placeholder=_("Medium from 1 December, on the next bill."),
        key=f"answer_words_{asked.id}",
    )
    changes = _("Granting changes no plan and no credits by itself.")
    show(note(changes, " ", _agreement_link(one)))
    with st.container(horizontal=True):
        granted = st.button(_("Grant"), type="primary", key="answer_grant")
        declined = st.button(_("Decline"), key="answer_decline")
    if granted or declined:
        _send(visit, one, granted=granted, words=words or "")


def _send(visit: Visit, one: StaffRequest, *, granted: bool, words: str) -> None:
    viewer, now = actor(visit, ANSWERS)
    try:
        answer(
            *(EveryTenant(viewer.url), one.request.id),
            granted=granted,
            words=words,
            by=viewer.name,
            now=now,
        )
    except InputError:
        show(callout(strong(_("Write what the customer should know.")), kind="warning"))
        return
    except (Conflict, NotFound):
        gone = _("It was answered or withdrawn a moment ago. Close this to see how.")
        show(callout(strong(_("Not done.")), " ", gone, kind="warning"))
        return
    read_own.clear()
    st.rerun()


# Those that are over


def _ended(ended: tuple[StaffRequest, ...]) -> Safe:
    heads = (_("When"), _("Customer"), _("What"), _("State"), _("Answer"))
    title = _("Answered and withdrawn")
    return tag(
        "section",
        tag("h2", title, class_="u-section"),
        grid(title, heads, (_row(one) for one in ended)),
        class_="u-panel",
    )


def _row(one: StaffRequest) -> Safe:
    asked = one.request
    by = "" if asked.status == WITHDRAWN else one.answered_by
    return tag(
        "tr",
        tag("td", _ended_on(asked)),
        tag("td", one.customer),
        tag("td", sentence(asked.wanted), span("u-behind-it", _(KIND_WORDS[asked.kind]))),
        tag("td", _(STATE_WORDS[asked.status]), span("u-behind-it", by) if by else None),
        tag("td", asked.answer or "–", class_="u-wrap"),
    )


def _ended_on(asked: RequestView) -> str:
    return day((asked.answered_at or asked.asked_at).date(), year=True)


PAGE = Page("requests", N_("Requests"), ":material/forum:", SEES, render)
