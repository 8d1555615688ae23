"""The viewer: who looks, in which role, at whose pages.

Resolved through the database on every rerun, so that a revoked session, a changed role or the end
of view-as takes effect at once.  Fragments and callbacks run without the top of the script: each
asks `current_viewer` itself.
"""

from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from dashboard.access.permission import MAY, WHILE_VIEWING, Permission
from data import identity
from data.errors import AccessError
from data.identity import CustomerName, LiveSession, Member, Role, Viewing
from data.scope import EveryTenant, Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """`customer` is the one whose pages are seen: the viewer's own, or the one staff view."""

    key: str = field(repr=False)  # of the session
    membership_id: int | None
    person_id: int | None  # None in a frame of the ISV's own product
    name: str
    email: str
    role: Role
    customer: CustomerName | None
    viewing: Viewing | None
    expires_at: datetime
    pages: tuple[str, ...] | None  # None: all that the role may see
    url: str = field(repr=False)
    language: str | None = None  # chosen by the person at any time, in any browser
    seen_before_at: datetime | None = None  # the person's visit before; None: not known

    @property
    def permissions(self) -> frozenset[Permission]:
        return WHILE_VIEWING if self.viewing else MAY[self.role]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """AccessError unless the viewer may: the first line of whatever acts or shows."""
        if not self.may(permission):
            raise AccessError("You may not do this.", permission=permission.value)

    def sees(self, page: str, permission: Permission) -> bool:
        """Whether this page is the viewer's to see, which in a frame may be some pages only."""
        return self.may(permission) and (self.pages is None or page in self.pages)

    @property
    def scope(self) -> Scope:
        """The one customer's rows, for reading only unless the viewer may change them."""
        if self.customer is None:
            raise AccessError("Choose a customer first.")
        return Scope(self.customer.id, self.url, read_only=not self.may(Permission.CHANGE_OWN))


def current_viewer(url: str, now: datetime) -> Viewer | None:
    """Who looks at this page, or None: the edge puts the key of a live session into `st.user`."""
    key = st.user.get("session")
    session = identity.resolve(EveryTenant(url), key, now) if isinstance(key, str) else None
    if session is None:
        return None
    _note_seen(session, url, now)
    return _viewer(session, url)


def viewer_of(key: str, url: str, now: datetime) -> Viewer | None:
    session = identity.resolve(EveryTenant(url), key, now)
    return _viewer(session, url) if session else None


def _note_seen(session: LiveSession, url: str, now: datetime) -> None:
    """A person looks at pages of their own; a look at a customer's is no visit of anybody's."""
    member, last = session.member, session.last_seen_at
    if member.membership_id is None or session.viewing is not None:
        return
    if last is None or now - last >= identity.SEEN_EVERY:
        identity.saw(EveryTenant(url), member.membership_id, now)


def _viewer(session: LiveSession, url: str) -> Viewer:
    member, viewing = session.member, session.viewing
    if Permission.VIEW_AS not in MAY[member.role]:
        viewing = None  # a role taken away ends the view with it
    return Viewer(
        key=session.key,
        membership_id=member.membership_id,
        person_id=member.person_id,
        name=member.name,
        email=member.email,
        role=member.role,
        customer=viewing.customer if viewing else member.customer,
        viewing=viewing,
        expires_at=session.expires_at,
        pages=session.pages,
        url=url,
        language=member.language,
        seen_before_at=None if viewing else session.seen_before_at,
    )


def same_viewer(viewer: Viewer, now: datetime) -> Viewer:
    """The viewer as of now, for what runs after its page; AccessError if anything has ended."""
    again = viewer_of(viewer.key, viewer.url, now)
    if again is None or (again.customer, again.role) != (viewer.customer, viewer.role):
        raise AccessError("Your session has ended. Reload the page.")
    return again


def start_viewing(viewer: Viewer, customer_id: int, reason: str, now: datetime) -> Viewing:
    """View a customer's own pages for 30 minutes; the reason goes into the audit log."""
    viewer.require(Permission.VIEW_AS)
    return identity.start_viewing(EveryTenant(viewer.url), viewer.key, customer_id, reason, now)


def stop_viewing(viewer: Viewer, now: datetime) -> None:
    identity.stop_viewing(EveryTenant(viewer.url), viewer.key, now)


def note_page(viewer: Viewer, page: str, now: datetime) -> None:
    """Staff who look at a customer's page leave a trace of it."""
    if viewer.viewing is not None:
        identity.note_page(EveryTenant(viewer.url), viewer.key, page, now)


def note_export(viewer: Viewer, what: str, now: datetime) -> None:
    """Log a download.  AccessError, and so no file, for whoever may not export."""
    viewer.require(Permission.EXPORT)
    identity.record(
        EveryTenant(viewer.url),
        now,
        identity.Action.EXPORT,
        person_id=viewer.person_id,
        customer_id=viewer.customer.id if viewer.customer else None,
        actor="" if viewer.person_id else viewer.name,
        detail=what,
    )


def own_roles(viewer: Viewer) -> tuple[Member, ...]:
    """Every role of the person, at whichever customer; none in a frame."""
    if viewer.person_id is None:
        return ()
    return identity.memberships_of(EveryTenant(viewer.url), viewer.person_id)


def choose_role(viewer: Viewer, membership_id: int, now: datetime) -> None:
    identity.choose_membership(EveryTenant(viewer.url), viewer.key, membership_id, now)


def choose_language(viewer: Viewer, language: str) -> None:
    """Remembered for a person; who looks through a frame is nobody in particular."""
    if viewer.person_id is not None:
        identity.choose_language(EveryTenant(viewer.url), viewer.person_id, language)


def sign_out_everywhere(viewer: Viewer, now: datetime) -> None:
    """End every session of this person, in whichever browser."""
    if viewer.person_id is not None:
        identity.revoke_person(EveryTenant(viewer.url), viewer.person_id, now)
