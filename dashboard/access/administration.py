"""What staff do to people, sessions and keys, and what a customer learns of its own.

Every function takes the viewer and asks for the permission first; all that is done goes into the
audit log under the viewer's name.  Nobody shuts themself out.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from dashboard.access.permission import Permission
from dashboard.access.viewer import Viewer
from data import identity
from data.errors import AccessError, Conflict, InputError
from data.identity import (
    EMBED,
    Entry,
    Key,
    LiveSession,
    PersonView,
    Role,
)
from data.scope import EveryTenant

OWN_ROLE = "You cannot give up your own administrator role: another administrator can take it."


def _administering(viewer: Viewer) -> EveryTenant:
    viewer.require(Permission.ADMINISTER)
    return EveryTenant(viewer.url)


def _managing_keys(viewer: Viewer) -> EveryTenant:
    viewer.require(Permission.MANAGE_KEYS)
    return EveryTenant(viewer.url)


# People


def everybody(viewer: Viewer) -> tuple[PersonView, ...]:
    """All people ever added, with their roles; by name."""
    return identity.people(_administering(viewer))


def live_sessions(viewer: Viewer, now: datetime) -> tuple[LiveSession, ...]:
    """Who is signed in now, people and frames, newest first."""
    return identity.sessions(_administering(viewer), now)


def invite(
    viewer: Viewer, email: str, name: str, role: Role, customer_id: int | None, now: datetime
) -> str:
    """The secret of a link to hand over.  InputError names the field that is wrong."""
    scope = _administering(viewer)
    if not role.is_staff and customer_id is None:
        raise InputError("Choose at which customer.", field="customer")
    known = next((p for p in identity.people(scope) if p.email == email.strip().lower()), None)
    if known is not None:
        _must_stay_administrator(viewer, known.id, role, customer_id)
    return identity.invite(
        scope, email, role, customer_id, now, name=" ".join(name.split()), actor=viewer.name
    )


def give_role(
    viewer: Viewer, person_id: int, role: Role, customer_id: int | None, now: datetime
) -> None:
    """One more role; at a customer where the person has one already, in its place."""
    scope = _administering(viewer)
    if not role.is_staff and customer_id is None:
        raise InputError("Choose at which customer.", field="customer")
    _must_stay_administrator(viewer, person_id, role, customer_id)
    identity.give_role(scope, person_id, role, customer_id, now, actor=viewer.name)


def take_role(viewer: Viewer, membership_id: int, now: datetime) -> None:
    """Sessions in this role end at once."""
    scope = _administering(viewer)
    if membership_id == viewer.membership_id:
        raise Conflict(OWN_ROLE)
    identity.remove_membership(scope, membership_id, now, actor=viewer.name)


def new_link(viewer: Viewer, person_id: int, now: datetime) -> str:
    """The secret of another one-time link."""
    return identity.create_link(_administering(viewer), person_id, now, actor=viewer.name)


def disable_person(viewer: Viewer, person_id: int, now: datetime) -> None:
    """Shut out at once: sessions and unused links are dead."""
    scope = _administering(viewer)
    if person_id == viewer.person_id:
        raise Conflict("You cannot disable yourself: another administrator can.")
    identity.disable_person(scope, person_id, now, actor=viewer.name)


def enable_person(viewer: Viewer, person_id: int, now: datetime) -> None:
    identity.enable_person(_administering(viewer), person_id, now, actor=viewer.name)


def end_session(viewer: Viewer, key: str, now: datetime) -> None:
    """`key` is a LiveSession's; the page behind it closes within a moment."""
    identity.revoke(_administering(viewer), key, now, actor=viewer.name)


def end_sessions_of(viewer: Viewer, person_id: int, now: datetime) -> int:
    """How many ended."""
    return identity.revoke_person(_administering(viewer), person_id, now, actor=viewer.name)


def _must_stay_administrator(
    viewer: Viewer, person_id: int, role: Role, customer_id: int | None
) -> None:
    """A staff role replaces the one before it."""
    own = person_id == viewer.person_id and customer_id is None
    if own and role is not Role.ADMINISTRATOR:
        raise Conflict(OWN_ROLE, field="role")


# Keys


def keys(viewer: Viewer) -> tuple[Key, ...]:
    """All keys ever made, newest first."""
    return identity.api_keys(_managing_keys(viewer))


def frames(viewer: Viewer, now: datetime) -> tuple[LiveSession, ...]:
    """The frames open now in the ISV's own product, newest first."""
    every = identity.sessions(_managing_keys(viewer), now)
    return tuple(one for one in every if one.door == EMBED)


def create_key(viewer: Viewer, name: str, customers: Collection[int] | None, now: datetime) -> str:
    """The key itself, which is seen this once; `customers` None: for all."""
    return identity.create_key(_managing_keys(viewer), name, customers, now, actor=viewer.name)


def rotate_key(viewer: Viewer, name: str, overlap: timedelta, now: datetime) -> str:
    """The next key of this name; the one before works on for `overlap`."""
    scope = _managing_keys(viewer)
    return identity.rotate_key(scope, name, now, overlap=overlap, actor=viewer.name)


def revoke_key(viewer: Viewer, name: str, now: datetime) -> None:
    """Every key of this name and every frame it opened ends at once."""
    identity.revoke_key(_managing_keys(viewer), name, now, actor=viewer.name)


def end_frame(viewer: Viewer, key: str, now: datetime) -> None:
    """One frame alone.  Whoever manages keys ends no session of a person with this."""
    scope = _managing_keys(viewer)
    session = identity.resolve(scope, key, now)
    if session is not None and session.door != EMBED:
        raise AccessError("This is no frame.")
    identity.revoke(scope, key, now, actor=viewer.name)


# The log


def audit_entries(
    viewer: Viewer,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    customer_id: int | None = None,
    action: str | None = None,
    limit: int | None = None,
) -> Iterator[Entry]:
    """The log, newest first, `since` included and `until` not."""
    return identity.entries(
        _administering(viewer),
        since=since,
        until=until,
        customer_id=customer_id,
        action=action,
        limit=limit,
    )


# A customer's own


def sees_people(viewer: Viewer) -> bool:
    """Managers see who else may sign in, and staff who look on; a frame's visitor is nobody."""
    signed_in = viewer.person_id is not None and viewer.role is not Role.VIEWER
    return signed_in and viewer.customer is not None and viewer.may(Permission.VIEW_OWN)


def own_people(viewer: Viewer) -> tuple[PersonView, ...]:
    """Who may sign in at the customer whose pages are seen; none for who may not see them."""
    viewer.require(Permission.VIEW_OWN)
    if viewer.customer is None or not sees_people(viewer):
        return ()
    return identity.members_at(EveryTenant(viewer.url), viewer.customer.id)


def own_viewings(viewer: Viewer) -> tuple[Entry, ...]:
    """When the ISV's staff looked at this customer's pages; newest first."""
    viewer.require(Permission.VIEW_OWN)
    return identity.viewings(viewer.scope)
