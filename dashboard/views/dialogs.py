"""Dialogs whose titles are in the language of whoever opens them."""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

import streamlit as st

from dashboard.words import _

P = ParamSpec("P")


def dialog(
    title: str,
    *,
    width: Literal["small", "medium", "large"] = "small",
    dismissible: bool = True,
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """As st.dialog, which takes its title when the module is read; `title` is marked N_("…")."""

    def opens(body: Callable[P, None]) -> Callable[P, None]:
        @wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            st.dialog(_(title), width=width, dismissible=dismissible)(body)(*args, **kwargs)

        return run

    return opens
