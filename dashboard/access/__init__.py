"""Who looks and what they may do.  Identity comes from the session alone, on every rerun."""

from dashboard.access import administration
from dashboard.access.permission import MAY, MEANING, Permission
from dashboard.access.viewer import (
    Viewer,
    choose_language,
    choose_role,
    current_viewer,
    note_export,
    note_page,
    own_roles,
    same_viewer,
    sign_out_everywhere,
    start_viewing,
    stop_viewing,
    viewer_of,
)
from data.identity import CustomerName, Member, Role, Viewing

__all__ = [
    "MAY",
    "MEANING",
    "CustomerName",
    "Member",
    "Permission",
    "Role",
    "Viewer",
    "Viewing",
    "administration",
    "choose_language",
    "choose_role",
    "current_viewer",
    "note_export",
    "note_page",
    "own_roles",
    "same_viewer",
    "sign_out_everywhere",
    "start_viewing",
    "stop_viewing",
    "viewer_of",
]
