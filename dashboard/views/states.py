"""Whole pages for when there is no page: signed out, refused, broken."""

import streamlit as st

from dashboard.views.markup import tag
from dashboard.views.parts import show, state
from dashboard.words import N_, _
from data.brand import Brand
from data.errors import AppError, NotFound, ScopeViolation, StoreUnavailable
from data.identity import CustomerName

TITLES: tuple[tuple[type[AppError], str, str], ...] = (
    (StoreUnavailable, N_("The data cannot be read right now"), N_("Try again in a minute.")),
    (NotFound, N_("There is nothing here"), N_("Go back to the overview.")),
    (AppError, N_("This did not work"), N_("Try again, or ask us for help.")),
)
OUR_FAULT = N_("It has been recorded, and nothing of yours is lost.")


def signed_out(brand: Brand) -> None:
    show(
        state(
            _("You are signed out"),
            _("Your session at {name} has ended. Sign in again to see your usage.").format(
                name=brand.name
            ),
        )
    )
    with st.container(key="state_action", horizontal=True, horizontal_alignment="center"):
        if st.button(_("Sign in"), type="primary"):
            st.logout()  # the sign-out address ends in the sign-in page


def broken(error: Exception, brand: Brand) -> None:
    """What an error says to the person; details are in the log, never on the page."""
    if not isinstance(error, AppError) or isinstance(error, ScopeViolation):
        show(state(_("Something went wrong on our side"), _(OUR_FAULT), _help(brand)))
        return
    title, advice = next((t, a) for kind, t, a in TITLES if isinstance(error, kind))
    code = _("Code: {code}").format(code=error.code)
    show(state(_(title), _(str(error)), _(advice), hint=code))


def _help(brand: Brand) -> str:
    words = brand.support_email or brand.support_url
    return _("Reload the page. If it happens again, tell us: {where}").format(where=words)


def nothing_connected(brand: Brand, customer: CustomerName | None) -> None:
    show(
        state(
            _("No usage to show yet"),
            _("No Twilio account is connected to {name} yet.").format(
                name=customer.name if customer else brand.name
            ),
            hint=tag("span", _ask(brand)),
        )
    )


def _ask(brand: Brand) -> str:
    where = brand.support_email or brand.support_url
    return _("If you expected one, write to {where}.").format(where=where)
