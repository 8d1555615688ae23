"""The command line's clock, the one place where it is read; a demo may fix its day."""

from datetime import UTC, date, datetime

from data.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def today(settings: Settings) -> date:
    """The UTC day; in a demo with DEMO_TODAY, that one."""
    return settings.moment(now()).date()
