"""Who is it?  Every look-up made before a tenant is known: person, link, key, code, session.

Nearly all take `EveryTenant`, and this is the one room a stranger's request reaches; everything
after it works under a customer's `Scope`.  Secrets are 256 random bits shown once; only their
SHA-256 is kept, so that a copy of the database signs nobody in.  The clock is always an argument.
"""

from data.identity.api_keys import (
    Key,
    api_keys,
    authenticate,
    create_key,
    revoke_key,
    rotate_key,
)
from data.identity.audit import Action, Entry, entries, record, record_stranger, viewings
from data.identity.departures import (
    disable_person,
    enable_person,
    forget_identities,
    remove_membership,
)
from data.identity.embedding import (
    CODE_LIFE,
    Asked,
    Entered,
    code_origin,
    drop_code,
    enter_by_code,
    issue_code,
)
from data.identity.federated import Claims, enter_by_identity, start_attempt, take_attempt
from data.identity.links import LINK_LIFE, create_link, enter_by_link, invite
from data.identity.people import (
    CustomerName,
    Member,
    PersonView,
    Role,
    add_membership,
    add_person,
    give_role,
    members,
    members_at,
    memberships_of,
    people,
)
from data.identity.secrets import hashed
from data.identity.sessions import (
    EMBED,
    LiveSession,
    Viewing,
    choose_membership,
    live_keys,
    open_session,
    origin_of,
    resolve,
    revoke,
    revoke_all,
    revoke_person,
    sessions,
    touch,
)
from data.identity.viewing import (
    LONGEST_REASON,
    VIEWING_LIFE,
    note_page,
    start_viewing,
    stop_viewing,
)

__all__ = [
    "CODE_LIFE",
    "EMBED",
    "LINK_LIFE",
    "LONGEST_REASON",
    "VIEWING_LIFE",
    "Action",
    "Asked",
    "Claims",
    "CustomerName",
    "Entered",
    "Entry",
    "Key",
    "LiveSession",
    "Member",
    "PersonView",
    "Role",
    "Viewing",
    "add_membership",
    "add_person",
    "api_keys",
    "authenticate",
    "choose_membership",
    "code_origin",
    "create_key",
    "create_link",
    "disable_person",
    "drop_code",
    "enable_person",
    "enter_by_code",
    "enter_by_identity",
    "enter_by_link",
    "entries",
    "forget_identities",
    "give_role",
    "hashed",
    "invite",
    "issue_code",
    "live_keys",
    "members",
    "members_at",
    "memberships_of",
    "note_page",
    "open_session",
    "origin_of",
    "people",
    "record",
    "record_stranger",
    "remove_membership",
    "resolve",
    "revoke",
    "revoke_all",
    "revoke_key",
    "revoke_person",
    "rotate_key",
    "sessions",
    "start_attempt",
    "start_viewing",
    "stop_viewing",
    "take_attempt",
    "touch",
    "viewings",
]
