"""Access: who of a customer may sign in, and who of the ISV's staff looked at its pages.

People are shown to managers and to staff who look on.  The log of who looked is read under the
customer's own scope, and only where the ISV wants it seen (SHOW_VIEWINGS).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dashboard.access import Permission, Viewer, administration
from dashboard.charts.formats import clock, moment
from dashboard.views.markup import Safe, div, note, span, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import show, state
from dashboard.views.people_lists import ROLES, last_seen, listed
from dashboard.words import N_, _
from data.identity import VIEWING_LIFE, Action, Entry, PersonView

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Look:
    """One time that staff looked at this customer's pages; `ended_at` None: still looking."""

    who: str
    reason: str
    began_at: datetime
    ended_at: datetime | None = None
    pages: tuple[str, ...] = field(default=())


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.VIEW_OWN)
    show(tag("h1", _("Access"), class_="u-title"))
    show(_people(visit))
    if visit.settings.show_viewings:
        show(_looks(visit, looks(administration.own_viewings(visit.viewer), visit.clock)))


# People


def _people(visit: Visit) -> Safe:
    viewer = visit.viewer
    if viewer.person_id is None:
        words = _("You see this page inside another product: who may sign in there sees it, too.")
        return state(_("Nobody signs in here"), words)
    if not administration.sees_people(viewer):
        return listed(_("Your access"), div("u-panel", own_entry(viewer)), _foot(visit, own=True))
    people = administration.own_people(viewer)
    if not people:
        return state(
            _("Nobody may sign in yet"), _("{name} invites people.").format(name=visit.brand.name)
        )
    entries = (person_entry(one, own=one.id == viewer.person_id) for one in people)
    return listed(_("Who may sign in"), div("u-panel u-entries", *entries), _foot(visit, own=False))


def _foot(visit: Visit, *, own: bool) -> Safe:
    words = _("To add or remove somebody, ask {name}.")
    if own:
        words = _("Who else may sign in, your managers see. To add or remove somebody, ask {name}.")
    return tag("p", words.format(name=visit.brand.name.rstrip(".")), class_="u-foot")


def person_entry(person: PersonView, *, own: bool) -> Safe:
    role = _(ROLES[person.members[0].role]) if person.members else ""
    seen = last_seen(person, never=_("No sign-in recorded"))
    return _entry(person.name, person.email, role, seen, own=own)


def own_entry(viewer: Viewer) -> Safe:
    return _entry(viewer.name, viewer.email, _(ROLES[viewer.role]), _("Signed in now"), own=True)


def _entry(name: str, email: str, role: str, seen: str, *, own: bool) -> Safe:
    you = span("u-tag", _("You")) if own else None
    return div(
        "u-entry",
        div(
            "u-pair",
            div("u-account-name", span("u-name", name), you),
            span("u-key u-wrap", email) if email != name else None,
        ),
        div("u-pair", span("u-text", role)),
        div("u-pair", span("u-key", seen)),
    )


# Who looked


def _looks(visit: Visit, found: tuple[Look, ...]) -> Safe:
    title = _("Who looked at your pages")
    name = visit.brand.name
    if not found:
        none = note(_("Nobody of {name} has looked at your pages.").format(name=name))
        return listed(title, div("u-panel u-none", none))
    entries = (_look(one) for one in found[:MOST_SHOWN])
    about = _(
        "People of {name} may look at these pages to help you; they can change nothing."
    ).format(name=name)
    return listed(title, div("u-panel u-entries", *entries), tag("p", about, class_="u-foot"))


def _look(one: Look) -> Safe:
    pages = ", ".join(page_name(path) for path in one.pages)
    end = clock(one.ended_at) if one.ended_at else _("still looking")
    return div(
        "u-entry",
        div("u-pair", span("u-name", one.who), span("u-key", f"{moment(one.began_at)} – {end}")),
        div("u-pair", span("u-text u-wrap", one.reason)),
        div("u-pair", span("u-key", pages or _("No page opened"))),
    )


def page_name(path: str) -> str:
    """A page's title by its address: plan-and-overage -> Plan and overage, as it is called here."""
    return _(path.replace("-", " ").capitalize())


def looks(entries: Sequence[Entry], now: datetime) -> tuple[Look, ...]:
    """Entries put together, both newest first; pages whose beginning is cut off are left out.

    Viewing ends after VIEWING_LIFE even where nothing was noted, because nothing happened then.
    """
    running: dict[str, Look] = {}
    over: list[Look] = []
    for entry in reversed(entries):
        one = running.get(entry.actor)
        if entry.action == Action.VIEW_AS_START:
            if one is not None:
                over.append(_ended(one, entry.at))
            running[entry.actor] = Look(entry.actor, _reason(entry), entry.at)
        elif one is not None and entry.action == Action.VIEW_AS_PAGE:
            pages = one.pages if entry.detail in one.pages else (*one.pages, entry.detail)
            running[entry.actor] = replace(one, pages=pages)
        elif one is not None and entry.action == Action.VIEW_AS_STOP:
            over.append(_ended(running.pop(entry.actor), entry.at))
    over += (
        one if now < one.began_at + VIEWING_LIFE else _ended(one, now) for one in running.values()
    )
    return tuple(sorted(over, key=lambda one: one.began_at, reverse=True))


def _ended(one: Look, at: datetime) -> Look:
    return replace(one, ended_at=min(at, one.began_at + VIEWING_LIFE))


def _reason(entry: Entry) -> str:
    """`until 14:03 UTC unless stopped: why`, as it is written."""
    return entry.detail.partition(" unless stopped: ")[2] or entry.detail


PAGE = Page(
    "access",
    N_("Access"),
    ":material/lock_person:",
    Permission.VIEW_OWN,
    render,
    without_contract=True,
)
