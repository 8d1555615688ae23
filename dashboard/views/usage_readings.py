"""What the usage page reads, kept for a while: as in readings.py, `scope` comes first.

Keys are days and codes; the spans are made anew, for hashing a hundred of them takes longer.
What is large is kept as it is (`cache_resource`): frozen values need no copy for each reader.
"""
# ruff: noqa: ARG001  # `version` is nothing but a part of the key

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import streamlit as st

from data.explorer import (
    Against,
    Explored,
    Grain,
    edges_before,
    explore,
    spans,
    used_before,
)
from data.scope import Scope
from data.service_rows import AlertCount, IncidentView, alerts_by_day, incidents


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is looked at: the days `[start, end)` by grain, and of what."""

    start: date
    end: date
    grain: Grain
    meter: str | None = None
    category: str | None = None
    account: str | None = None


@st.cache_resource(ttl=3600, max_entries=500, show_spinner=False)
def read_explored(scope: Scope, version: str, subscription: str, of: Chosen) -> Explored:
    return explore(
        *(scope, subscription, spans(of.start, of.end, of.grain)),
        meter=of.meter,
        category=of.category,
        account=of.account,
    )


@st.cache_data(ttl=3600, max_entries=1000, show_spinner=False)
def read_before(
    scope: Scope,
    version: str,
    subscription: str,
    of: Chosen,
    against: Against,
    before: tuple[date, date] | None,
) -> tuple[date, date, tuple[Decimal, ...]]:
    """The first and last day of the earlier range, and its values."""
    edges = edges_before(spans(of.start, of.end, of.grain), against, before)
    values = used_before(
        *(scope, subscription, edges),
        meter=of.meter,
        category=of.category,
        account=of.account,
    )
    return edges[0], edges[-1], values


@st.cache_data(ttl=3600, max_entries=500, show_spinner=False)
def read_marks(
    scope: Scope, version: str, sids: tuple[str, ...], first: date, last: date
) -> tuple[tuple[IncidentView, ...], tuple[AlertCount, ...]]:
    """Twilio's incidents and the accounts' errors of those days, both ends included."""
    found = alerts_by_day(scope, sids, first, last)
    return incidents(scope, first, last), tuple(one for one in found if one.level == "error")
