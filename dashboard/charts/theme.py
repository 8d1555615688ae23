"""How every chart looks: one accent and neutrals, thin lines, numbers that stand under each other.

A meter has one colour on every page (`Look.meter`); its parts are tints of that, strongest first.
Streamlit's own plotly template is switched off (`theme=None` where charts are shown), so that
everything seen is decided here, for both modes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal
from zlib import crc32

import plotly.graph_objects as go
from babel.core import Locale

from dashboard.words import LOCALES, _, language
from data.meters import OTHER
from data.periods import BillingPeriod

_DE = Locale.parse(LOCALES["de"])

Mode = Literal["light", "dark"]
FONT = '"Source Sans", system-ui, sans-serif'
TINTS = (1.0, 0.68, 0.46, 0.30, 0.18)  # share of the colour; what remains is the background

# Found by search: with the accent, any two differ also for eyes without red, green or blue cones,
# and those next to each other in a stack differ in lightness (tests/dashboard/test_theme.py).
METERS: dict[Mode, dict[str, str]] = {
    "light": {
        "mms": "#4b0918",
        "chat": "#c77539",
        "voice": "#314298",
        "trunking": "#0999df",
        "recordings": "#792360",
        "numbers": "#25164b",
        "verify": "#7f57be",
        "lookups": "#484509",
        OTHER: "#8a9299",
    },
    "dark": {
        "mms": "#beab00",
        "chat": "#ac4829",
        "voice": "#37bbff",
        "trunking": "#6f57af",
        "recordings": "#92f9aa",
        "numbers": "#47ab81",
        "verify": "#ffc639",
        "lookups": "#bc7a0a",
        OTHER: "#c3c9cf",
    },
}
# plotly.js knows English alone; what a page needs of another language comes with its charts.
PLOTLY_LOCALES: dict[str, Any] = {
    "de": {
        "dictionary": {},
        "format": {
            "days": list(_DE.days["format"]["wide"].values()),
            "shortDays": list(_DE.days["format"]["short"].values()),
            "months": list(_DE.months["format"]["wide"].values()),
            "shortMonths": list(_DE.months["stand-alone"]["abbreviated"].values()),
            "date": "%d.%m.%Y",
            "decimal": ",",
            "thousands": ".",
        },
    }
}
SEPARATORS = {"en": ".,", "de": ",."}  # of decimals, of thousands
DAY_TICK = {"en": "%-d %b", "de": "%-d. %b"}
DAY_HOVER = {"en": "%a %-d %b %Y", "de": "%a %-d. %b %Y"}
OWN: dict[Mode, tuple[str, ...]] = {  # of meters that an ISV has defined
    "light": ("#8f5c16", "#b0316f", "#5f6b00"),
    "dark": ("#9381cd", "#e98894", "#f9edcf"),
}


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
    mode: Mode = "light"

    def meter(self, name: str) -> str:
        """The meter's colour wherever it is drawn; SMS has the brand's, an own one keeps its own.

        3:1 or more against the surface.
        """
        if name == "sms":
            return self.accent
        own = OWN[self.mode]
        return METERS[self.mode].get(name) or own[crc32(name.encode()) % len(own)]

    def tint(self, rank: int, of: str = "") -> str:
        """The colour of the part at this rank, 0 the largest; beyond the fifth all are grey."""
        if rank >= len(TINTS):
            return self.hairline
        return mixed(of or self.accent, self.surface, TINTS[rank])


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and what it says to those who cannot see it."""

    figure: go.Figure
    alt: str


def figure_of(traces: Sequence[Any], shape: Any) -> go.Figure:
    """Plotly looks each property up in its schema, which takes longer than all else in a chart.

    Ours never change with the data: tests/dashboard/test_charts.py has them all looked up.
    """
    return go.Figure(traces, shape, _validate=False)


def look(mode: Mode, accent: str) -> Look:
    if mode == "dark":
        neutrals = ("#e8ebed", "#9aa4ad", "#2a3137", "#69747e")
        return Look(accent, *neutrals, "#f0a15b", "#14191c", mode)
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
        "tickformat": DAY_TICK[language()],
        "hoverformat": DAY_HOVER[language()],
        "nticks": 7,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
    }


def layout(look: Look, *, height: int, **changes: Any) -> dict[str, Any]:
    """What all charts share; `changes` replace whole entries."""
    base: dict[str, Any] = {
        "separators": SEPARATORS[language()],
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
        "name": _("Period before"),
        "x": [period.start + timedelta(days=i) for i in range(len(shown))],
        "y": [float(value) for value in shown],
        "hovertemplate": _("%{y:,.6~f} the period before") + "<extra></extra>",
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
