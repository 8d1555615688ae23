"""Whole pages for when there is no page: signed out, refused, broken."""

import streamlit as st

from dashboard.brand import Brand
from dashboard.views.markup import tag
from dashboard.views.parts import show, state
from data.errors import AppError, NotFound, ScopeViolation, StoreUnavailable
from data.identity import CustomerName

TITLES: tuple[tuple[type[AppError], str, str], ...] = (
    (StoreUnavailable, "The data cannot be read right now", "Try again in a minute."),
    (NotFound, "There is nothing here", "Go back to the overview."),
    (AppError, "This did not work", "Try again, or ask us for help."),
)
OUR_FAULT = "It has been recorded, and nothing of yours is lost."


def signed_out(brand: Brand) -> None:
    show(
        state(
            "You are signed out",
            f"Your session at {brand.name} has ended. Sign in again to see your usage.",
        )
    )
    with st.container(key="state_action", horizontal=True, horizontal_alignment="center"):
        if st.button("Sign in", type="primary"):
            st.logout()  # the sign-out address ends in the sign-in page


def broken(error: Exception, brand: Brand) -> None:
    """What an error says to the person; details are in the log, never on the page."""
    if not isinstance(error, AppError) or isinstance(error, ScopeViolation):
        show(state("Something went wrong on our side", OUR_FAULT, _help(brand)))
        return
    title, advice = next((t, a) for kind, t, a in TITLES if isinstance(error, kind))
    show(state(title, str(error), advice, hint=f"Code: {error.code}"))


def _help(brand: Brand) -> str:
    words = brand.support_email or brand.support_url
    return f"Reload the page. If it happens again, tell us: {words}"


def nothing_connected(brand: Brand, customer: CustomerName | None) -> None:
    show(
        state(
            "No usage to show yet",
            f"No Twilio account is connected to {customer.name if customer else brand.name} yet.",
            hint=tag("span", _ask(brand)),
        )
    )


def _ask(brand: Brand) -> str:
    return f"If you expected one, write to {brand.support_email or brand.support_url}."
