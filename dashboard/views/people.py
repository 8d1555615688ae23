"""People: who may sign in and who has, for administrators; invite, give and take roles, shut out.

Every act is one of dashboard.access.administration, which asks for the permission by itself.
"""

from collections import Counter
from functools import partial

import streamlit as st

from dashboard.access import Permission, Role, administration
from dashboard.charts.formats import moment, whole
from dashboard.views.acts import (
    MOST_SHOWN,
    ask,
    do_what_was_asked,
    done,
    hand_over,
    list_row,
    pick_customer,
    refused,
    shortened,
)
from dashboard.views.dialogs import dialog
from dashboard.views.markup import filled, note, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import must_still, page_title, short_label, show, state
from dashboard.views.people_lists import (
    ROLES,
    found,
    last_seen,
    person_facts,
    role_in_full,
    roles_of,
    session_facts,
)
from dashboard.words import N_, _, n_
from data.errors import AppError, Conflict, InputError
from data.identity import LINK_LIFE, LiveSession, Member, PersonView

MAY = Permission.ADMINISTER
EVERYBODY, SIGNED_IN = N_("Everybody"), N_("Signed in now")


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    with page_title(_("People")):
        inviting = st.button(_("Invite a person"), type="primary", icon=":material/person_add:")
    do_what_was_asked(visit)
    everybody = administration.everybody(visit.viewer)
    sessions = administration.live_sessions(visit.viewer, visit.clock)
    with st.container(key="people_filter", horizontal=True, vertical_alignment="center"):
        which = _which(len(everybody), len(sessions))
        text = _search()
    if which == SIGNED_IN:
        _signed_in(visit, sessions, text)
    elif managed := _people(visit, everybody, sessions, text):
        _manage(visit, managed)
    if inviting:
        _invite(visit)


def _which(people: int, sessions: int) -> str:
    numbers = {EVERYBODY: people, SIGNED_IN: sessions}
    chosen = st.segmented_control(
        _("People or sessions"),
        tuple(numbers),
        format_func=lambda one: f"{_(one)} {whole(numbers[one])}",
        default=EVERYBODY,
        required=True,
        key="people_which",
        label_visibility="collapsed",
    )
    return chosen or EVERYBODY


def _search() -> str:
    text = st.text_input(
        _("Search"),
        placeholder=_("Name, e-mail, role or customer"),
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=100,
        key="people_search",
    )
    return text or ""


# The lists


def _people(
    visit: Visit, everybody: tuple[PersonView, ...], sessions: tuple[LiveSession, ...], text: str
) -> PersonView | None:
    """The person whose button was pressed, if one was."""
    matching = [one for one in everybody if found(text, *_words(one))]
    if not matching:
        hint = _("Invite them, or try a part of the name.")
        show(
            state(
                _("Nobody matches"),
                _("Nobody was found for “{text}”.").format(text=text),
                hint=hint,
            )
        )
        return None
    live = Counter(one.member.person_id for one in sessions)
    chosen = None
    with st.container(key="list_people"):
        for one in matching[:MOST_SHOWN]:
            with list_row(f"row_person_{one.id}"):
                own = one.id == visit.viewer.person_id
                show(person_facts(one, live[one.id], own=own))
                if st.button(short_label(_("Manage"), one.name), key=f"manage_{one.id}"):
                    chosen = one
    show(shortened(MOST_SHOWN, len(matching)))
    return chosen


def _words(person: PersonView) -> tuple[str, ...]:
    state = _("Disabled") if person.disabled else ""
    return (person.name, person.email, state, *(role_in_full(one) for one in person.members))


def _signed_in(visit: Visit, sessions: tuple[LiveSession, ...], text: str) -> None:
    matching = [
        one for one in sessions if found(text, one.member.name, one.member.email, _role(one))
    ]
    if not matching:
        show(state(_("Nobody matches"), _("No session of “{text}” is open.").format(text=text)))
    with st.container(key="list_sessions"):
        for n, one in enumerate(matching[:MOST_SHOWN], 1):
            with list_row(f"row_session_{one.key[:16]}"):
                own = one.key == visit.viewer.key
                show(session_facts(one, visit.clock, own=own))
                label = short_label(_("End"), f"{one.member.name} {n}")
                if st.button(label, key=f"end_{one.key[:16]}", disabled=own):
                    ask(partial(_end, one.key, one.member.name))
    show(shortened(MOST_SHOWN, len(matching)))


def _role(session: LiveSession) -> str:
    return role_in_full(session.member)


# Inviting


@dialog(N_("Invite a person"))
def _invite(visit: Visit, error: AppError | None = None) -> None:
    must_still(visit, MAY)
    if error is not None:
        show(refused(error))
    email = st.text_input(_("E-mail"), max_chars=200, key="invite_email")
    name = st.text_input(_("Name"), max_chars=100, key="invite_name")
    role, customer_id = _pick_role(visit, "invite")
    show(note(_("Nothing is mailed: you get a link to hand over.")))
    if st.button(_("Make the invitation"), type="primary", key="invite_do"):
        ask(partial(_do_invite, email, name, role, customer_id))


def _pick_role(visit: Visit, key: str) -> tuple[Role, int | None]:
    """A role and, where it is one at a customer, at which."""
    role = st.selectbox(
        _("Role"),
        tuple(ROLES),
        format_func=role_with_place,
        key=f"{key}_role",
    )
    return role, None if role.is_staff else pick_customer(visit, f"{key}_customer")


def role_with_place(role: Role) -> str:
    words = _("{role}, staff") if role.is_staff else _("{role}, at a customer")
    return words.format(role=_(ROLES[role]))


def _do_invite(email: str, name: str, role: Role, customer_id: int | None, visit: Visit) -> None:
    """What is wrong is said where it was typed."""
    try:
        secret = administration.invite(visit.viewer, email, name, role, customer_id, visit.clock)
    except (InputError, Conflict) as error:
        _invite(visit, error)
        return
    _hand_link(visit, secret, name.strip() or email.strip())


def _hand_link(visit: Visit, secret: str, name: str) -> None:
    end = moment(visit.clock + LINK_LIFE)
    first = filled(_("Give this link to {name}, by a way that only they read."), name=strong(name))
    again = _("It signs in once, until {time}, and is not shown again.").format(time=end)
    link = f"{visit.settings.origin}/auth/link?token={secret}"
    hand_over(visit, MAY, link, first, again)


# One person


@dialog(N_("Person"), width="medium")
def _manage(visit: Visit, person: PersonView) -> None:
    must_still(visit, MAY)
    own = person.id == visit.viewer.person_id
    show(
        tag("h2", person.name, class_="u-section"),
        note(f"{person.email} · {_('Disabled') if person.disabled else last_seen(person)}"),
    )
    _roles(person)
    with st.container(border=True, key="give_role"):
        role, customer_id = _pick_role(visit, f"give_{person.id}")
        wanted = role.is_staff or customer_id is not None
        if st.button(_("Give this role"), disabled=not wanted):
            ask(partial(_give, person, role, customer_id))
    with st.container(horizontal=True, key="manage_acts"):
        if st.button(_("New sign-in link"), disabled=person.disabled, icon=":material/link:"):
            ask(partial(_link, person))
        if st.button(_("End all sessions"), icon=":material/devices:"):
            ask(partial(_end_all, person))
        if person.disabled:
            if st.button(_("Enable"), icon=":material/lock_open:"):
                ask(partial(_enable, person))
        elif st.button(_("Disable…"), icon=":material/block:"):
            ask(partial(_confirm_disable, person))
    if own:
        show(note(_("This is you: your administrator role and your access are not yours to end.")))


def _roles(person: PersonView) -> None:
    if not person.members:
        show(note(roles_of(())))
    for one in person.members:
        with st.container(
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"role_{one.membership_id}",
        ):
            show(tag("p", role_in_full(one), class_="u-text"))
            label = short_label(_("Take away"), role_in_full(one))
            if st.button(label, type="tertiary", key=f"take_{one.membership_id}"):
                ask(partial(_take, person, one))


def _confirm_disable(person: PersonView, visit: Visit) -> None:
    """A dialog cannot open another: the page does."""
    if person.id == visit.viewer.person_id:
        administration.disable_person(visit.viewer, person.id, visit.clock)  # says why not
    _sure(visit, person)


@dialog(N_("Disable a person"))
def _sure(visit: Visit, person: PersonView) -> None:
    must_still(visit, MAY)
    words = _(
        "Disable {name}? Every page they have open closes at once, and no link of theirs works "
        "any more. You can enable them again."
    )
    show(note(filled(words, name=strong(person.name))))
    if st.button(_("Disable"), type="primary"):
        ask(partial(_disable, person))


# What was asked


def _give(person: PersonView, role: Role, customer_id: int | None, visit: Visit) -> None:
    administration.give_role(visit.viewer, person.id, role, customer_id, visit.clock)
    done(filled(_("{name} has a new role: {role}."), name=strong(person.name), role=_(ROLES[role])))


def _take(person: PersonView, member: Member, visit: Visit) -> None:
    administration.take_role(visit.viewer, member.membership_id or 0, visit.clock)
    done(
        filled(
            _("{name} no longer has the role: {role}."),
            name=strong(person.name),
            role=role_in_full(member),
        )
    )


def _link(person: PersonView, visit: Visit) -> None:
    secret = administration.new_link(visit.viewer, person.id, visit.clock)
    _hand_link(visit, secret, person.name)


def _disable(person: PersonView, visit: Visit) -> None:
    administration.disable_person(visit.viewer, person.id, visit.clock)
    words = _("{name} is disabled. Whatever they had open has closed.")
    done(filled(words, name=strong(person.name)))


def _enable(person: PersonView, visit: Visit) -> None:
    administration.enable_person(visit.viewer, person.id, visit.clock)
    words = _("{name} may sign in again. Links of before stay dead: make a new one.")
    done(filled(words, name=strong(person.name)))


def _end(key: str, name: str, visit: Visit) -> None:
    administration.end_session(visit.viewer, key, visit.clock)
    done(filled(_("The session of {name} has ended."), name=strong(name)))


def _end_all(person: PersonView, visit: Visit) -> None:
    number = administration.end_sessions_of(visit.viewer, person.id, visit.clock)
    words = n_("{n} session of {name} has ended.", "{n} sessions of {name} have ended.", number)
    done(filled(words, n=whole(number), name=strong(person.name)))


PAGE = Page("people", N_("People"), ":material/group:", MAY, render)
