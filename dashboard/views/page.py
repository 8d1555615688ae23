"""What a page is, and what it is given: one visit of one viewer on one day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from dashboard.access import Permission, Viewer
from dashboard.charts import Look, Mode, look
from data.brand import Brand, load_brand
from data.errors import NotFound
from data.scope import Scope
from data.settings import Settings, load_settings
from data.store import SubscriptionView


@lru_cache(maxsize=1)
def configuration() -> tuple[Settings, Brand]:
    """Read once a process; the door has refused to open if either is wrong."""
    settings = load_settings()
    return settings, load_brand(settings.brand_file)


@dataclass(frozen=True, slots=True)
class Visit:
    """`clock` is for sessions; `now` and its day `today` are for data: a demo may stand still.

    `version` changes with every sync: it is part of the key of all cached readings.
    """

    viewer: Viewer
    settings: Settings
    brand: Brand
    clock: datetime
    now: datetime
    today: date
    mode: Mode
    language: str = "en"
    version: str = ""
    chosen: SubscriptionView | None = None

    @property
    def scope(self) -> Scope:
        return self.viewer.scope

    @property
    def subscription(self) -> SubscriptionView:
        if self.chosen is None:
            raise NotFound("No Twilio account is connected to this customer yet.")
        return self.chosen

    @property
    def look(self) -> Look:
        accent = self.brand.accent
        return look(self.mode, accent.dark if self.mode == "dark" else accent.light)


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    title: str
    icon: str
    permission: Permission
    render: Callable[[Visit], None]
    without_contract: bool = False  # a customer without any subscription sees it, too
    listed: Callable[[Visit], bool] = lambda _visit: True  # in the navigation; its address stands

    @property
    def needs_contract(self) -> bool:
        return self.permission is Permission.VIEW_OWN and not self.without_contract
