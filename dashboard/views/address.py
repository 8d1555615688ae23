"""What of a view stands in the address: period, meter, account, … so that a link shows the same.

An address is a wish, never a right: a code that is not among the viewer's own choices is passed
over.  What is chosen in the page is written back; the first choice of each needs no mention.
"""

from collections.abc import Callable, Sequence

import streamlit as st

PAGE = "address_page"


def on_page(path: str) -> None:
    """Called once a run: a page just opened without a mention keeps what was chosen before."""
    st.session_state["address_fresh"] = st.session_state.get(PAGE) != path
    st.session_state[PAGE] = path


def pick(
    name: str, codes: Sequence[str], first: str, draw: Callable[[str], str | None], *, whose: str
) -> str:
    """The code chosen, by the address or in the widget that `draw` draws under the key given.

    The widget's options are `codes`; it must name no default of its own.
    """
    key, written = f"{name}_{whose}", f"address_{name}_{whose}"
    asked, state = st.query_params.get(name), st.session_state
    if asked != state.get(written):
        fresh = state.get("address_fresh", True)
        if asked in codes:
            state[key] = asked
        elif asked is None and not fresh:
            state[key] = first
    if state.get(key) not in codes:
        state[key] = first
    chosen = draw(key)
    code = chosen if chosen and chosen in codes else first
    write(name, None if code == first else code)
    state[written] = None if code == first else code
    return code


def write(name: str, code: str | None) -> None:
    """Into the address, where it is not there already."""
    if code is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != code:
        st.query_params[name] = code
