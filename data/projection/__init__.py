"""Where a period's usage will end, as a distribution: what is known, and draws of the rest."""

from data.projection.paths import DRAWS, Floats
from data.projection.projection import (
    HISTORY_DAYS,
    LITTLE_HISTORY_DAYS,
    WEEKDAY_DAYS,
    Components,
    Projection,
    joint_paths,
    project,
)

__all__ = [
    "DRAWS",
    "HISTORY_DAYS",
    "LITTLE_HISTORY_DAYS",
    "WEEKDAY_DAYS",
    "Components",
    "Floats",
    "Projection",
    "joint_paths",
    "project",
]
