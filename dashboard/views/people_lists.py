"""People, roles and sessions in words, for every page that names them; values → HTML."""

from collections.abc import Iterable
from datetime import datetime

from dashboard.access import Member, Role
from dashboard.charts.formats import moment
from dashboard.views.markup import Part, Safe, div, span, tag
from data.identity import EMBED, LiveSession, PersonView

ROLES = {
    Role.VIEWER: "Viewer",
    Role.MANAGER: "Manager",
    Role.ADMINISTRATOR: "Administrator",
    Role.BILLING_MANAGER: "Billing manager",
    Role.DEVELOPER: "Developer",
    Role.SUPPORT: "Support",
}
DOORS = {
    "link": "By a personal link",
    "oidc": "By an identity provider",
    "demo": "By the demo's sign-in page",
    EMBED: "In a frame",
}
MOST_ROLES = 3


def role_in_full(member: Member) -> str:
    """Manager at Birch Bakery, Administrator."""
    where = f" at {member.customer.name}" if member.customer else ""
    return ROLES[member.role] + where


def roles_of(members: Iterable[Member]) -> str:
    words = [role_in_full(one) for one in members]
    more = len(words) - MOST_ROLES
    shown = ", ".join(words[:MOST_ROLES]) + (f" and {more} more" if more > 0 else "")
    return shown or "No role: cannot sign in"


def door_of(session: LiveSession) -> str:
    if session.door == EMBED:
        return f"In a frame at {session.origin}"
    return DOORS.get(session.door, f"By {session.door}")


def last_seen(person: PersonView, *, never: str = "Never signed in") -> str:
    return f"Signed in {moment(person.last_sign_in_at)}" if person.last_sign_in_at else never


def person_facts(person: PersonView, sessions: int, *, own: bool) -> Safe:
    return div(
        "u-entry",
        _who(person.name, person.email, "You" if own else None),
        div("u-pair", span("u-text", roles_of(person.members))),
        div("u-health", *_state(person, sessions)),
    )


def _state(person: PersonView, sessions: int) -> tuple[Safe, Safe]:
    if person.disabled:
        return span("u-dot u-bad"), tag("span", "Disabled")
    if sessions:
        places = "" if sessions == 1 else f", {sessions} times"
        return span("u-dot u-good"), tag("span", f"Signed in now{places}")
    return span("u-dot"), tag("span", last_seen(person))


def session_facts(session: LiveSession, now: datetime, *, own: bool) -> Safe:
    member = session.member
    where = role_in_full(member)
    if session.viewing:
        where += f", viewing {session.viewing.customer.name}"
    mark = "You, here" if own else None
    return div(
        "u-entry",
        _who(member.name, member.email or f"Visitor of a frame, key {session.opened_by}", mark),
        div("u-pair", span("u-text", where), span("u-key", door_of(session))),
        div("u-pair", span("u-text", f"Since {moment(session.created_at)}"), _ends(session, now)),
    )


def _who(name: str, below: str, mark: str | None) -> Safe:
    tagged = span("u-tag", mark) if mark else None
    return div(
        "u-pair", div("u-account-name", span("u-name", name), tagged), span("u-key u-wrap", below)
    )


def _ends(session: LiveSession, now: datetime) -> Safe:
    end, idle = until(session.expires_at, now), until(session.idle_until, now)
    unused = f", unused {idle}" if session.idle_until < session.expires_at else ""
    return span("u-key", f"Ends {end}{unused}")


def until(at: datetime, now: datetime) -> str:
    """in 12 min, in 3 h: how long something lasts yet."""
    minutes = max(int((at - now).total_seconds()) // 60, 0)
    if minutes < 60:
        return f"in {minutes} min"
    hours = minutes // 60
    return f"in {hours} h" if hours < 48 else f"in {hours // 24} days"


def found(text: str, *fields: str) -> bool:
    """Whether all words of a search stand somewhere in the fields."""
    whole = " ".join(fields).lower()
    return all(word in whole for word in text.lower().split())


def listed(title: str, *below: Part) -> Safe:
    return tag("section", tag("h2", title, class_="u-section"), *below, class_="u-listing")
