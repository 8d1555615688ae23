"""HTML from values: every text is escaped unless it came out of `tag` itself.

Streamlit cleans what `st.html` shows once more in the browser; this is the first wall, and keeps
a customer's name such as <b>A & B</b> looking like itself.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape

Part = str | None  # None is left out, so that a condition may stand where a part is wanted


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *parts: Part, **attributes: str | None) -> Safe:
    """An element.  `class_` is class, `aria_label` is aria-label; None leaves either out."""
    given = _written(tuple(attributes.items())) if attributes else ""
    return Safe(f"<{name}{given}>{joined(parts)}</{name}>")


@lru_cache(maxsize=2048)  # the thousand cells of a page have a handful between them
def _written(attributes: tuple[tuple[str, str | None], ...]) -> str:
    return "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes
        if value is not None
    )


def joined(parts: Iterable[Part]) -> Safe:
    return Safe("".join(p if isinstance(p, Safe) else escape(p) for p in parts if p is not None))


def filled(template: str, **parts: Part) -> Safe:
    """A sentence with parts in it: filled(_("You used {share} so far."), share=strong("61%"))."""
    pieces = re.split(r"\{(\w+)\}", template)
    return joined(parts[piece] if at % 2 else piece for at, piece in enumerate(pieces))


MARKDOWN = re.compile(r"([\\`*_\[\]<>~$:!|#])")


def unmarked(text: str) -> str:
    """A name in the label of a widget, where Streamlit would read Markdown into it."""
    return MARKDOWN.sub(r"\\\1", text)


def strong(text: str) -> Safe:
    return tag("strong", text)


def div(class_: str, *parts: Part) -> Safe:
    return tag("div", *parts, class_=class_)


def span(class_: str, *parts: Part) -> Safe:
    return tag("span", *parts, class_=class_)


def framed(label: str, table: Part, class_: str = "") -> Safe:
    """A table that scrolls where it is wider than the page: named, and reached by the keyboard."""
    inside = f"u-table-frame {class_}".strip()
    return tag("div", table, class_=inside, role="region", aria_label=label, tabindex="0")


def grid(
    label: str, heads: Iterable[Part], rows: Iterable[Part], class_: str = "", *, around: str = ""
) -> Safe:
    """The one table: heads are names, or what `number_head` makes of them; rows are `tr`s."""
    names = (one if isinstance(one, Safe) else tag("th", one, scope="col") for one in heads)
    top, inside = tag("thead", tag("tr", *names)), f"u-table {class_}".strip()
    return framed(label, tag("table", top, tag("tbody", *rows), class_=inside), around)


def number_head(name: Part) -> Safe:
    """The name of a column of figures, which stand on its right."""
    return tag("th", name, scope="col", class_="u-number")


def number_cell(text: Part) -> Safe:
    return tag("td", text, class_="u-number")


def note(*parts: Part) -> Safe:
    return tag("p", *parts, class_="u-note")
