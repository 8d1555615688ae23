"""Parts of a page that redraw alone: a widget inside sends nothing but its own part again.

The page above does not run with them, so each asks again who looks and says what went wrong.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import streamlit as st

from dashboard.logs import record
from dashboard.views.page import Visit
from dashboard.views.parts import still_here
from dashboard.views.states import broken
from dashboard.words import speak

P = ParamSpec("P")


def fragment(
    render: Callable[Concatenate[Visit, P], None],
) -> Callable[Concatenate[Visit, P], None]:
    """Decorates `render(visit, …)`; inside, choices go through `address.pick` as on a page."""

    @wraps(render)
    def run(visit: Visit, /, *args: P.args, **kwargs: P.kwargs) -> None:
        speak(visit.language)
        try:
            still_here(visit)
            render(visit, *args, **kwargs)
        except Exception as error:
            record(error)
            broken(error, visit.brand)

    return st.fragment(run)
