"""The Streamlit script: who looks, which pages they have, run the one they chose.

The clock is read here, once a run.  Sessions follow it; what is shown follows `settings.moment`,
because a demo may stand still on a day of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from dashboard import access
from dashboard.access import Viewer, current_viewer
from dashboard.charts import Mode
from dashboard.logs import record
from dashboard.views import PAGES, Page, Visit, address
from dashboard.views.customers import GOING_TO
from dashboard.views.frame import (
    demo_mark,
    known_language,
    pick_subscription,
    sidebar,
    viewing_banner,
)
from dashboard.views.page import configuration
from dashboard.views.parts import use_mode
from dashboard.views.readings import read_subscriptions
from dashboard.views.states import broken, nothing_connected, signed_out
from dashboard.words import _, language, speak
from data.brand import Brand
from data.errors import AccessError, AppError
from data.settings import Settings
from data.store import data_version

NOTED = "page_noted"


def seen_mode() -> Mode:
    return "dark" if st.context.theme.type == "dark" else "light"


def visit_of(viewer: Viewer, settings: Settings, brand: Brand, clock: datetime) -> Visit:
    now = settings.moment(clock)
    visit = Visit(
        viewer=viewer,
        settings=settings,
        brand=brand,
        clock=clock,
        now=now,
        today=now.date(),
        mode=seen_mode(),
        language=language(),
    )
    if viewer.customer is None:
        return visit
    return replace(visit, version=data_version(viewer.scope))


def with_contract(visit: Visit) -> Visit:
    """The contract looked at: chosen once the page is known, as whatever an address may say."""
    if visit.viewer.customer is None:
        return visit
    own = read_subscriptions(visit.viewer.scope, visit.version)
    return replace(visit, chosen=pick_subscription(visit.viewer, own))


def show_page(page: Page, visit: Visit) -> None:
    """Whoever may not see it gets an error, not the page."""
    try:
        if not visit.viewer.sees(page.path, page.permission):
            raise AccessError("You may not see this page.")
        note_page(visit, page.path)
        if page.needs_contract and visit.chosen is None:
            nothing_connected(visit.brand, visit.viewer.customer)
        else:
            page.render(visit)
    except Exception as error:
        record(error)
        broken(error, visit.brand)


def note_page(visit: Visit, path: str) -> None:
    """Once a page and viewing, however often the page runs."""
    viewing = visit.viewer.viewing
    seen = (viewing.customer.id, viewing.until, path) if viewing else None
    if st.session_state.get(NOTED) != seen:
        st.session_state[NOTED] = seen
        access.note_page(visit.viewer, path, visit.clock)


def run_pages(visit: Visit) -> None:
    """Pages by permission.  The first has the bare address; its own name leads there, too."""
    allowed = [page for page in PAGES if visit.viewer.sees(page.path, page.permission)]

    def shown(page: Page) -> Callable[[], None]:
        def run() -> None:
            show_page(page, visit)  # as it is by then: with its contract

        run.__name__ = page.path
        return run

    pages = {
        page.path: st.Page(
            shown(page),
            title=_(page.title),
            icon=page.icon,
            url_path="home" if page is allowed[0] else page.path,
            default=page is allowed[0],
            visibility="visible" if page.listed(visit) else "hidden",
        )
        for page in allowed
    }
    alias = st.Page(lambda: None, title=_("Home"), url_path=allowed[0].path, visibility="hidden")
    chosen = st.navigation([*pages.values(), alias])
    if (wanted := st.session_state.pop(GOING_TO, None)) in pages:
        st.switch_page(pages[wanted])
    if chosen is alias:  # what is asked of the page stands behind its name: /customers?q=birch
        st.switch_page(pages[allowed[0].path], query_params=st.query_params.to_dict())
    path = next((path for path, one in pages.items() if one is chosen), allowed[0].path)
    address.on_page(path)
    visit = with_contract(visit)
    sidebar(visit.viewer, visit.brand, visit.clock)
    viewing_banner(visit.viewer, visit.clock)
    chosen.run()


def main() -> None:
    settings, brand = configuration()
    clock = datetime.now(UTC)
    st.set_page_config(page_title=brand.title, page_icon=str(brand.logo), layout="wide")
    speak(known_language())
    use_mode(seen_mode())
    st.logo(str(brand.logo), size="large")
    try:
        viewer = current_viewer(settings.database_url, clock)
        speak(known_language(viewer.language if viewer else None))
        if settings.demo:
            demo_mark()
        if viewer is None:
            signed_out(brand)
        else:
            run_pages(visit_of(viewer, settings, brand, clock))
    except AppError as error:
        record(error)
        broken(error, brand)


main()
