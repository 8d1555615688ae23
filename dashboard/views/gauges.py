"""Small drawings inside cards, as HTML: bars and tracks whose widths are shares of a whole.

Shares are of quantities and amounts that are shown beside them as text, so a drawing is hidden
from screen readers.
"""

from collections.abc import Sequence
from decimal import Decimal

from dashboard.charts.formats import short_quantity
from dashboard.views.markup import Safe, div, span, tag
from data.outlook import Range

HEADROOM = Decimal("1.08")  # beyond the largest value, so that nothing touches the end


def _share(part: Decimal, whole: Decimal) -> float:
    return max(0.0, min(1.0, float(part / whole))) if whole else 0.0


def _width(share: float) -> str:
    return f"width:{share:.2%}"


def bar(
    used: Decimal,
    whole: Decimal,
    *,
    marker: Decimal | None = None,
    settled: Decimal | None = None,
) -> Safe:
    """What is used of a whole; beyond the whole the bar shows where it ended.

    The marker is the share of the period that is gone: a bar left of it is on pace.  What is not
    settled yet is hatched, for pace is taken of settled days.
    """
    longest, within = max(used, whole), min(used, whole)
    sure = within if settled is None else min(settled, within)
    pieces = (
        ("u-fill", sure),
        ("u-fill u-settling", within - sure),
        ("u-fill u-beyond", used - within),
    )
    parts = [span_of(class_, _share(part, longest)) for class_, part in pieces if part]
    mark = None
    if marker is not None and used <= whole:
        mark = tag("span", class_="u-marker", style=f"left:{_share(marker, Decimal(1)):.2%}")
    return tag("div", *parts, mark, class_="u-bar", aria_hidden="true")


def span_of(class_: str, share: float) -> Safe:
    return tag("span", class_=class_, style=_width(share))


def ladder(used: Decimal, edges: Sequence[Decimal]) -> Safe:
    """Price steps side by side, each as long as its units; the last one is open."""
    top = max(used, edges[-1]) * Decimal("1.2")
    steps, floor = [], Decimal(0)
    for edge in (*edges, top):
        filled = _share(used - floor, edge - floor)
        label = span("u-edge", short_quantity(edge)) if edge != top else None
        steps.append(
            tag(
                "span",
                tag("span", span_of("u-fill", filled) if filled else None, class_="u-bar"),
                label,
                class_="u-step",
                style=f"flex-grow:{float((edge - floor) / top):.4f}",
            )
        )
        floor = edge
    return tag("div", *steps, class_="u-ladder", aria_hidden="true")


def range_track(so_far: Decimal, expected: Range) -> Safe:
    """From nothing to the highest end: what there is, and the range it is expected to end in."""
    top = max(expected.high, so_far) * HEADROOM
    low, high = _share(expected.low, top), _share(expected.high, top)
    return tag(
        "div",
        span_of("u-fill", _share(so_far, top)),
        tag("span", class_="u-range", style=f"left:{low:.2%};{_width(max(high - low, 0.012))}"),
        tag("span", class_="u-likely", style=f"left:{_share(expected.likely, top):.2%}"),
        class_="u-bar u-track",
        aria_hidden="true",
    )


def compared_bars(*rows: tuple[str, Decimal]) -> Safe:
    """Values under each other on one scale, the first in the accent."""
    most = max(value for _, value in rows)
    lines = []
    for rank, (label, value) in enumerate(rows):
        fill = span_of("u-fill" if rank == 0 else "u-fill u-quiet", _share(value, most))
        lines.append(
            div(
                "u-compare",
                span("u-key", label),
                tag("span", fill, class_="u-bar", aria_hidden="true"),
                span("u-value", short_quantity(value)),
            )
        )
    return div("u-comparison", *lines)
