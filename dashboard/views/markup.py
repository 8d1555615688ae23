"""HTML from values: every text is escaped unless it came out of `tag` itself.

Streamlit cleans what `st.html` shows once more in the browser; this is the first wall, and keeps
a customer's name such as <b>A & B</b> looking like itself.
"""

import re
from collections.abc import Iterable
from html import escape

Part = str | None  # None is left out, so that a condition may stand where a part is wanted


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *parts: Part, **attributes: str | None) -> Safe:
    """An element.  `class_` is class, `aria_label` is aria-label; None leaves either out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Safe(f"<{name}{given}>{joined(parts)}</{name}>")


def joined(parts: Iterable[Part]) -> Safe:
    return Safe("".join(p if isinstance(p, Safe) else escape(p) for p in parts if p is not None))


def filled(template: str, **parts: Part) -> Safe:
    """A sentence with parts in it: filled(_("You used {share} so far."), share=strong("61%"))."""
    pieces = re.split(r"\{(\w+)\}", template)
    return joined(parts[piece] if at % 2 else piece for at, piece in enumerate(pieces))


def strong(text: str) -> Safe:
    return tag("strong", text)


def div(class_: str, *parts: Part) -> Safe:
    return tag("div", *parts, class_=class_)


def span(class_: str, *parts: Part) -> Safe:
    return tag("span", *parts, class_=class_)


def note(*parts: Part) -> Safe:
    return tag("p", *parts, class_="u-note")
