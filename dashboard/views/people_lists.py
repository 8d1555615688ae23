"""People, roles and sessions in words, for every page that names them; values → HTML."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dashboard.access import Member, Role
from dashboard.charts.formats import moment, whole
from dashboard.views.markup import Part, Safe, div, span, tag
from dashboard.words import N_, _, n_
from data.identity import EMBED, LiveSession, PersonView

ROLES = {
    Role.VIEWER: N_("Viewer"),
    Role.MANAGER: N_("Manager"),
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.BILLING_MANAGER: N_("Billing manager"),
    Role.DEVELOPER: N_("Developer"),
    Role.SUPPORT: N_("Support"),
}
DOORS = {
    "link": N_("By a personal link"),
    "oidc": N_("By an identity provider"),
    "demo": N_("By the demo's sign-in page"),
    EMBED: N_("In a frame"),
}
MOST_ROLES = 3


def role_in_full(member: Member) -> str:
    """Manager at Birch Bakery, Administrator."""
    role = _(ROLES[member.role])
    if member.customer is None:
        return role
    return _("{role} at {customer}").format(role=role, customer=member.customer.name)


def roles_of(members: Iterable[Member]) -> str:
    words = [role_in_full(one) for one in members]
    return first_few(words, MOST_ROLES) or _("No role: cannot sign in")


def first_few(words: Sequence[str], most: int) -> str:
    """Manager at Birch Bakery, Administrator and 2 more."""
    shown, more = ", ".join(words[:most]), len(words) - most
    if more <= 0:
        return shown
    return n_("{some} and {n} more", "{some} and {n} more", more).format(some=shown, n=whole(more))


def door_of(session: LiveSession) -> str:
    if session.door == EMBED:
        return _("In a frame at {address}").format(address=session.origin)
    return _(DOORS.get(session.door, session.door))


def last_seen(person: PersonView, *, never: str = N_("Never signed in")) -> str:
    if person.last_sign_in_at is None:
        return _(never)
    return _("Signed in {time}").format(time=moment(person.last_sign_in_at))


def person_facts(person: PersonView, sessions: int, *, own: bool) -> Safe:
    return div(
        "u-entry",
        _who(person.name, person.email, _("You") if own else None),
        div("u-pair", span("u-text", roles_of(person.members))),
        div("u-health", *_state(person, sessions)),
    )


def _state(person: PersonView, sessions: int) -> tuple[Safe, Safe]:
    if person.disabled:
        return span("u-dot u-bad"), tag("span", _("Disabled"))
    if sessions:
        words = n_("Signed in now", "Signed in now, {n} times", sessions)
        return span("u-dot u-good"), tag("span", words.format(n=whole(sessions)))
    return span("u-dot"), tag("span", last_seen(person))


def session_facts(session: LiveSession, now: datetime, *, own: bool) -> Safe:
    member = session.member
    where = role_in_full(member)
    if session.viewing:
        words = _("{role}, viewing {customer}")
        where = words.format(role=where, customer=session.viewing.customer.name)
    mark = _("You, here") if own else None
    visitor = _("Visitor of a frame, key {key}").format(key=session.opened_by)
    since = _("Since {time}").format(time=moment(session.created_at))
    return div(
        "u-entry",
        _who(member.name, member.email or visitor, mark),
        div("u-pair", span("u-text", where), span("u-key", door_of(session))),
        div("u-pair", span("u-text", since), _ends(session, now)),
    )


def _who(name: str, below: str, mark: str | None) -> Safe:
    tagged = span("u-tag", mark) if mark else None
    return div(
        "u-pair", div("u-account-name", span("u-name", name), tagged), span("u-key u-wrap", below)
    )


def _ends(session: LiveSession, now: datetime) -> Safe:
    end, idle = until(session.expires_at, now), until(session.idle_until, now)
    words = _("Ends {when}")
    if session.idle_until < session.expires_at:
        words = _("Ends {when}, unused {sooner}")
    return span("u-key", words.format(when=end, sooner=idle))


def until(at: datetime, now: datetime) -> str:
    """in 12 min, in 3 h: how long something lasts yet."""
    minutes = max(int((at - now).total_seconds()) // 60, 0)
    if minutes < 60:
        return _("in {n} min").format(n=minutes)
    hours = minutes // 60
    if hours < 48:
        return _("in {n} h").format(n=hours)
    return n_("in {n} day", "in {n} days", hours // 24).format(n=whole(hours // 24))


def found(text: str, *fields: str) -> bool:
    """Whether all words of a search stand somewhere in the fields."""
    whole = " ".join(fields).lower()
    return all(word in whole for word in text.lower().split())


def listed(title: str, *below: Part) -> Safe:
    return tag("section", tag("h2", title, class_="u-section"), *below, class_="u-listing")
