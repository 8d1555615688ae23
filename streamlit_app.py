"""The door: what `streamlit run streamlit_app.py` and `uvicorn streamlit_app:app` both start.

`app` is a literal `st.App(...)`, because Streamlit finds it by reading this file.  Settings and
brand are checked on import, so that a wrong one ends the start with a sentence that names it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from streamlit import config

from dashboard.access import Permission
from dashboard.brand import theme_options
from dashboard.door import Door
from dashboard.edge import Edge
from dashboard.endpoints import handlers, public_message, routes
from dashboard.entrance import SESSION_HEADER
from dashboard.logs import record, set_up_logs
from dashboard.sync_task import kept_synced
from dashboard.warm import warm_up
from data.brand import Brand, load_brand
from data.errors import ConfigError
from data.settings import load_settings


def open_door() -> Door:
    from dashboard.views import PAGES  # not sooner: its caches have something to say to the log

    try:
        # Streamlit looks for its config where it is started; without ours nobody could sign in.
        if SESSION_HEADER not in config.get_option("server.trustedUserHeaders"):
            raise ConfigError(".streamlit/config.toml was not found: start in the app's folder")
        settings = load_settings()
        return Door(
            settings,
            load_brand(settings.brand_file),
            pages=tuple(page.path for page in PAGES),
            customer_pages=tuple(p.path for p in PAGES if p.permission is Permission.VIEW_OWN),
        )
    except ConfigError as error:
        raise SystemExit(f"The dashboard cannot start. {error}") from None


def set_theme(brand: Brand) -> None:
    """The brand's accent into Streamlit's theme, again whenever config.toml is read again."""

    def apply() -> None:
        for name, value in theme_options(brand, config.get_option).items():
            config.set_option(name, value)

    apply()
    config.on_config_parsed(apply, force_connect=True)


def on_script_error(error: Exception) -> bool:
    """A sentence instead of a stack trace; the details go to the log."""
    record(error)
    st.error(public_message(error), icon=":material/error:")
    return True


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    await run_in_threadpool(warm_up, door.settings.database_url, door.now())
    async with kept_synced(door):
        yield {}


set_up_logs()
door = open_door()
set_theme(door.brand)
endpoints = routes(door)
app = st.App(
    Path(__file__).parent / "dashboard" / "main.py",
    routes=endpoints,
    middleware=[Middleware(Edge, door=door, routes=endpoints)],
    lifespan=lifespan,
    exception_handlers=handlers(door),
    on_script_error=on_script_error,
)
