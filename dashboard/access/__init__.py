"""Who looks and what they may do.  Identity comes from the session alone, on every rerun."""

from dashboard.access.permission import MAY, Permission
from dashboard.access.viewer import (
    Viewer,
    current_viewer,
    start_viewing,
    stop_viewing,
    viewer_of,
)
from data.identity import CustomerName, Role, Viewing

__all__ = [
    "MAY",
    "CustomerName",
    "Permission",
    "Role",
    "Viewer",
    "Viewing",
    "current_viewer",
    "start_viewing",
    "stop_viewing",
    "viewer_of",
]
