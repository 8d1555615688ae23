"""What surrounds every page: sidebar, the demo's mark, the banner of staff who look on."""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from dashboard.access import (
    Role,
    Viewer,
    choose_language,
    choose_role,
    own_roles,
    sign_out_everywhere,
    stop_viewing,
)
from dashboard.views import address
from dashboard.views.markup import filled, span, strong, tag
from dashboard.views.parts import show
from dashboard.words import LANGUAGES, N_, _, best_language, language
from data.brand import Brand
from data.store import SubscriptionView

GUESTS = {  # as whom staff look at a customer's pages
    Role.SUPPORT: N_("support"),
    Role.BILLING_MANAGER: N_("billing manager"),
    Role.DEVELOPER: N_("developer"),
    Role.ADMINISTRATOR: N_("administrator"),
}


def known_language(remembered: str | None = None) -> str:
    """As the address says, as chosen here, as the person once chose, or as the browser prefers."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES and asked != st.session_state.get("lang_written"):
        st.session_state["lang"] = st.session_state["lang_written"] = asked
    chosen: str = st.session_state.get("lang") or remembered or ""
    return chosen if chosen in LANGUAGES else best_language(st.context.locale)


def _pick_language(viewer: Viewer) -> None:
    """Every name in its own language, so that it is found by who cannot read the page."""
    chosen = st.selectbox(
        _("Language"),
        tuple(LANGUAGES),
        index=tuple(LANGUAGES).index(language()),
        format_func=lambda code: LANGUAGES[code],
        key=f"language_{language()}",
    )
    if chosen in LANGUAGES and chosen != language():  # what is sent may be no option at all
        st.session_state["lang"] = st.session_state["lang_written"] = chosen
        address.write("lang", chosen)
        choose_language(viewer, chosen)
        st.rerun()


def demo_mark() -> None:
    show(tag("div", _("Demo data"), class_="u-demo", role="note"))


def sidebar(viewer: Viewer, brand: Brand, now: datetime) -> None:
    """Whose pages these are and the way out; links to pages stand above, Streamlit's own."""
    name = viewer.customer.name if viewer.customer else brand.name
    own = None if viewer.customer and viewer.name == name else span("u-key", viewer.name)
    with st.sidebar, st.container(key="who"):
        show(span("u-who", name), own)
        _pick_role(viewer, now)
        _pick_language(viewer)
        if viewer.person_id is None:
            return  # in a frame the page around it is where people sign in and out
        if st.button(_("Sign out"), type="tertiary", icon=":material/logout:"):
            st.logout()
        if st.button(_("End all my sessions"), type="tertiary", icon=":material/devices:"):
            sign_out_everywhere(viewer, now)
            st.logout()


def _pick_role(viewer: Viewer, now: datetime) -> None:
    """A switcher for people who belong to several customers; who looks on stays there."""
    if viewer.viewing is not None or len(roles := own_roles(viewer)) < 2:
        return
    names = {one.membership_id: one.customer.name if one.customer else _("Staff") for one in roles}
    current = viewer.membership_id
    chosen = st.selectbox(
        _("Signed in at"),
        tuple(names.keys()),
        index=tuple(names.keys()).index(current),
        format_func=lambda id: names[id],
        key=f"signed_in_at_{current}",
    )
    if chosen is not None and chosen != current:
        spoken = language()
        st.session_state.clear()  # nothing chosen at one customer is carried to another
        st.session_state["lang"] = spoken
        choose_role(viewer, chosen, now)
        st.rerun()


def pick_subscription(viewer: Viewer, own: tuple[SubscriptionView, ...]) -> SubscriptionView | None:
    """The subscription looked at; a switcher only where there are several."""
    if len(own) < 2:
        return own[0] if own else None
    by_key = {one.key: one for one in own}
    with st.sidebar:
        code = address.pick(
            "contract",
            tuple(by_key),
            own[0].key,
            lambda key: _contract_box(by_key, key),
            whose=str(viewer.customer.id if viewer.customer else ""),
        )
    return by_key[code]


def _contract_box(by_key: Mapping[str, SubscriptionView], key: str) -> str | None:
    return st.selectbox(
        _("Contract"),
        tuple(by_key),
        format_func=lambda code: subscription_name(by_key[code]),
        key=key,
        persist_state="session",
    )


def subscription_name(own: SubscriptionView) -> str:
    names = ", ".join(one.application or one.name for one in own.accounts)
    return f"{own.plan or _('Own Twilio account')} · {names}"


def viewing_banner(viewer: Viewer, now: datetime) -> None:
    """Staff can't miss that they are guests here: who looks, at whom, why, and until when."""
    viewing = viewer.viewing
    if viewing is None:
        return
    words = _(
        "You are viewing {customer} as {role} · read-only · {reason} · ends {time} UTC · "
        "signed in as {name}"
    )
    with st.container(
        key="viewing",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        wrap=False,
    ):
        show(
            tag(
                "p",
                filled(
                    words,
                    customer=strong(viewing.customer.name),
                    role=_(GUESTS.get(viewer.role, viewer.role.value)),
                    reason=viewing.reason,
                    time=f"{viewing.until:%H:%M}",
                    name=viewer.name,
                ),
                role="status",
            )
        )
        if st.button(_("Stop viewing")):
            stop_viewing(viewer, now)
            st.rerun()
