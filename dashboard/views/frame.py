"""What surrounds every page: sidebar, the demo's mark, the banner of staff who look on."""

from datetime import datetime

import streamlit as st

from dashboard.access import Viewer, stop_viewing
from dashboard.brand import Brand
from dashboard.views.markup import span, strong, tag
from dashboard.views.parts import show
from data.store import SubscriptionView


def demo_mark() -> None:
    show(tag("div", "Demo data", class_="u-demo", role="note"))


def sidebar(viewer: Viewer, brand: Brand) -> None:
    """Whose pages these are and the way out; links to pages stand above, Streamlit's own."""
    name = viewer.customer.name if viewer.customer else brand.name
    own = None if viewer.customer and viewer.name == name else span("u-key", viewer.name)
    with st.sidebar, st.container(key="who"):
        show(span("u-who", name), own)
        if st.button("Sign out", type="tertiary", icon=":material/logout:"):
            st.logout()


def pick_subscription(viewer: Viewer, own: tuple[SubscriptionView, ...]) -> SubscriptionView | None:
    """The subscription looked at; a switcher only where there are several."""
    if len(own) < 2:
        return own[0] if own else None
    by_key = {one.key: one for one in own}
    with st.sidebar:
        key = st.selectbox(
            "Contract",
            tuple(by_key),
            format_func=lambda key: subscription_name(by_key[key]),
            key=f"subscription_{viewer.customer.id if viewer.customer else ''}",
            persist_state="session",
        )
    return by_key.get(key or own[0].key, own[0])


def subscription_name(own: SubscriptionView) -> str:
    names = ", ".join(one.application or one.name for one in own.accounts)
    return f"{own.plan or 'Own Twilio account'} · {names}"


def viewing_banner(viewer: Viewer, now: datetime) -> None:
    """Staff always see that they are guests here, why, and until when."""
    viewing = viewer.viewing
    if viewing is None:
        return
    with st.container(
        key="viewing",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        show(
            tag(
                "p",
                *("You are viewing ", strong(viewing.customer.name), f" as {_role(viewer)}"),
                f" · read-only · {viewing.reason} · ends {viewing.until:%H:%M} UTC",
            )
        )
        if st.button("Stop viewing"):
            stop_viewing(viewer, now)
            st.rerun()


def _role(viewer: Viewer) -> str:
    return viewer.role.value.replace("_", " ")
