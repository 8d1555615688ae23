"""How every chart looks: one accent and neutrals, thin lines, numbers that stand under each other.

A meter is always the accent, because units differ and no chart holds two meters; the parts of a
meter are tints of it, strongest first.  Streamlit's own plotly template is switched off
(`theme=None` where charts are shown), so that everything seen is decided here, for both modes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import plotly.graph_objects as go

from data.periods import BillingPeriod

Mode = Literal["light", "dark"]
FONT = '"Source Sans", system-ui, sans-serif'
TINTS = (1.0, 0.68, 0.46, 0.30, 0.18)  # share of the accent; what remains is the background


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of one mode, all #rrggbb."""

    accent: str
    ink: str
    muted: str
    hairline: str
    ghost: str
    warning: str
    surface: str

    def tint(self, rank: int) -> str:
        """The colour of the part at this rank, 0 the largest; beyond the fifth all are grey."""
        if rank >= len(TINTS):
            return self.hairline
        return mixed(self.accent, self.surface, TINTS[rank])


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and what it says to those who cannot see it."""

    figure: go.Figure
    alt: str


def look(mode: Mode, accent: str) -> Look:
    if mode == "dark":
        return Look(accent, "#e8ebed", "#9aa4ad", "#2a3137", "#69747e", "#f0a15b", "#14191c")
    return Look(accent, "#171b1f", "#59636e", "#e3e6e9", "#98a1aa", "#c2600f", "#ffffff")


def mixed(colour: str, other: str, share: float) -> str:
    """`share` of the colour, the rest of the other; both #rrggbb."""
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def day_axis(period: BillingPeriod) -> dict[str, Any]:
    """The whole period, days to come included, so that every chart of it has the same width.

    A bar stands in the middle of its day, from midnight 12 hours either way.
    """
    return {
        "type": "date",
        "range": [f"{period.start - timedelta(days=1)} 12:00", f"{period.end} 00:00"],
        "tickformat": "%-d %b",
        "nticks": 9,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }


def layout(look: Look, *, height: int, **changes: Any) -> dict[str, Any]:
    """What all charts share; `changes` replace whole entries."""
    base: dict[str, Any] = {
        "template": {},  # plotly's default one is 7 kB that we would only override
        "height": height,
        "margin": {"l": 28, "r": 4, "t": 6, "b": 24},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": look.muted},
        "showlegend": False,
        "bargap": 0.28,
        "dragmode": False,
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": look.surface,
            "bordercolor": look.hairline,
            "font": {"family": FONT, "size": 13, "color": look.ink},
        },
        "yaxis": amount_axis(look),
    }
    return {**base, **changes}


def hatched(settling: Sequence[bool], colour: str) -> dict[str, Any]:
    """Bars whose days may still move are hatched, so that colour alone says nothing."""
    return {
        "shape": ["/" if moving else "" for moving in settling],
        "fillmode": "replace",
        "fgcolor": colour,
        "size": 5,
        "solidity": 0.35,
    }


def ghost(before: Sequence[Decimal], period: BillingPeriod, look: Look) -> dict[str, Any]:
    """The period before by position: its day 1 under day 1."""
    shown = before[: period.days]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Period before",
        "x": [period.start + timedelta(days=i) for i in range(len(shown))],
        "y": [float(value) for value in shown],
        "hovertemplate": "%{y:,.6~f} the period before<extra></extra>",
        "line": {"color": look.ghost, "width": 1.5, "dash": "dot", "shape": "linear"},
    }


def amount_axis(look: Look) -> dict[str, Any]:
    return {
        "rangemode": "tozero",
        "gridcolor": look.hairline,
        "gridwidth": 1,
        "zeroline": True,
        "zerolinecolor": look.hairline,
        "nticks": 5,
        "tickformat": ",~r",
        "ticks": "",
        "side": "left",
        "automargin": True,
        "fixedrange": True,
    }


def note(text: str, look: Look) -> dict[str, Any]:
    """A sentence in the middle of an empty chart."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "font": {"size": 14, "color": look.muted},
    }
