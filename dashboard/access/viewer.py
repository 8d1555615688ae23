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
from data.identity import CustomerName, Role, Viewing
from data.scope import EveryTenant, Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """`customer` is the one whose pages are seen: the viewer's own, or the one staff view."""

    key: str = field(repr=False)  # of the session
    person_id: int
    name: str
    email: str
    role: Role
    customer: CustomerName | None
    viewing: Viewing | None
    expires_at: datetime
    url: str = field(repr=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        return WHILE_VIEWING if self.viewing else MAY[self.role]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """AccessError unless the viewer may: the first line of whatever acts or shows."""
        if not self.may(permission):
            raise AccessError("You may not do this.", permission=permission.value)

    @property
    def scope(self) -> Scope:
        """The one customer's rows; staff who view nobody have none."""
        if self.customer is None:
            raise AccessError("Choose a customer first.")
        return Scope(self.customer.id, self.url)


def current_viewer(url: str, now: datetime) -> Viewer | None:
    """Who looks at this page, or None: the edge puts the key of a live session into `st.user`."""
    key = st.user.get("session")
    return viewer_of(key, url, now) if isinstance(key, str) else None


def viewer_of(key: str, url: str, now: datetime) -> Viewer | None:
    session = identity.resolve(EveryTenant(url), key, now)
    if session is None:
        return None
    member, viewing = session.member, session.viewing
    if Permission.VIEW_AS not in MAY[member.role]:
        viewing = None  # a role taken away ends the view with it
    return Viewer(
        key=session.key,
        person_id=member.person_id,
        name=member.name,
        email=member.email,
        role=member.role,
        customer=viewing.customer if viewing else member.customer,
        viewing=viewing,
        expires_at=session.expires_at,
        url=url,
    )


def start_viewing(viewer: Viewer, customer_id: int, reason: str, now: datetime) -> Viewing:
    """View a customer's own pages for 30 minutes; the reason goes into the audit log."""
    viewer.require(Permission.VIEW_AS)
    return identity.start_viewing(EveryTenant(viewer.url), viewer.key, customer_id, reason, now)


def stop_viewing(viewer: Viewer, now: datetime) -> None:
    identity.stop_viewing(EveryTenant(viewer.url), viewer.key, now)
