"""Forecasts: how good the projections of past periods were, for all staff (Permission.LOOKUP).

Units only: no cost and no amount.  What needs doing stands at the top in one sentence; below it
the figures, by class and by day of the period, and the calibration that new projections are read
with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import streamlit as st

from dashboard.access import Permission
from dashboard.charts import calibration as calibration_chart
from dashboard.charts.formats import day, percent, sentence
from dashboard.exports import Table
from dashboard.views.cards import card, row
from dashboard.views.customers import GOING_TO
from dashboard.views.markup import Part, Safe, div, joined, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, legend, show, show_chart, state
from dashboard.views.sync_lists import nothing, section
from data.backtest.quality import (
    APART,
    Doubtful,
    Qualities,
    Quality,
    doubtful_customers,
    qualities,
)
from data.periods import DAY
from data.projection.calibration import HIGH, LOW, MIDDLE, Calibration
from data.scope import EveryTenant
from data.track_record import calibrations

COMMAND = "python -m data backtest"
COLUMNS = ("Cases", "Inside", "Error", "Run rate", "Skill", "Brier", "Below", "Above")
SEARCH = "customer_search"  # the key of the field on the page Customers
CLASSES = (
    "Regular: use on nine days of ten and more; intermittent: on three and more; sparse: on fewer. "
    "Apart stand cold starts, with under four weeks known, and idle: nothing used for twelve weeks."
)
NOTICEABLE = 0.005  # a level that is read this close to itself is not changed


@dataclass(frozen=True, slots=True)
class Record:
    """What the page shows, read together."""

    found: Qualities
    doubtful: tuple[Doubtful, ...]


def render(visit: Visit) -> None:
    visit.viewer.require(Permission.LOOKUP)
    scope = EveryTenant(visit.settings.database_url)
    in_force = calibrations(scope)
    record = read_record(scope, _version(in_force), visit.today)
    found = record.found
    show(tag("h1", "Forecasts", class_="u-title"))
    if not found.by_case:
        show(_nothing_checked())
        return
    show(_notice(found), _cards(found))
    left, right = st.columns(2)
    with left:
        _reliability(visit, found)
    with right:
        days = _grid("After day", _by_cut_off(found))
        kinds = _grid("Kind of use", _by_class(found))
        words = tag("p", CLASSES, class_="u-foot")
        show(section("By settled days of the period", days))
        show(section("By kind of use", kinds, words))
    show(section("Calibration in force", *_in_force(in_force)))
    csv_button(visit, "CSV of the figures", lambda: figures(found), "forecasts", f"{visit.today}")
    _doubtful(record.doubtful)


@st.cache_data(ttl=600, max_entries=4, show_spinner=False)
def read_record(
    scope: EveryTenant,
    version: str,  # noqa: ARG001  # nothing but a part of the key: every back-test changes it
    today: date,
) -> Record:
    """A second or two for ten thousand customers, so it is kept for a while."""
    return Record(qualities(scope, today=today), doubtful_customers(scope, today=today))


def _version(in_force: dict[str, Calibration]) -> str:
    return "/".join(f"{kind}{one}" for kind, one in sorted(in_force.items()))


# At the top


def _nothing_checked() -> Safe:
    return state(
        "No past period has been checked yet",
        "A period is checked once it is over and settled: it is projected as it stood on six of "
        "its days, and compared with how it ended.",
        hint=joined(("It happens after each sync; ", tag("code", COMMAND), " does it now.")),
    )


def _notice(found: Qualities) -> Safe:
    kinds = [(kind, found.of(kind)) for kind in found.classes if kind not in APART]
    drifting = [(f"of {kind} use", one) for kind, one in kinds if one.drifts]
    if not drifting and found.of().drifts:
        drifting = [("", found.of())]
    if not drifting:
        held = f"{_percent(found.of().coverage)} of past periods ended inside their 80% range."
        return tag("p", strong("The ranges hold."), f" {held}", class_="u-summary")
    first = "; ".join(
        f"{_percent(one.coverage)} of periods {kind}".strip() for kind, one in drifting
    )
    return callout(
        strong(f"{first} ended inside their 80% range."),
        f" It should be 70% to 90%: the ranges were {_fault(drifting[0][1])}. "
        "New projections are read by the calibration below.",
        kind="warning",
    )


def _fault(one: Quality) -> str:
    return "too wide" if (one.coverage or 0) > 0.8 else "too narrow"


def _cards(found: Qualities) -> Safe:
    one = found.of()
    apart = {kind: found.of(kind).cases for kind in APART}
    newest = day(found.newest - DAY, year=True) if found.newest else "–"
    return div(
        "u-cards",
        card(
            "Inside the 80% range",
            _percent(one.coverage),
            div(
                "u-rows",
                row("Ended below it", _percent(_share(one.below, one))),
                row("Ended above it", _percent(_share(one.above, one))),
            ),
            note("70–90% is as it should be."),
        ),
        card(
            "Error of the likely total",
            _percent(one.error),
            div(
                "u-rows",
                row("Of the run rate", _percent(one.run_rate_error)),
                row("Less than that by", _percent(one.skill)),
            ),
            note("On average, of a customer's usual period."),
        ),
        card(
            "Chance of overage (Brier)",
            _figure(one.brier),
            div(
                "u-rows",
                row("Mean chance given", _percent(one.chance)),
                row("Went over", _percent(one.happened)),
            ),
            note("0 is perfect; always saying 50% scores 0.25."),
        ),
        card(
            "Past projections",
            f"{one.cases:,}",
            div(
                "u-rows",
                *(row(f"Apart: {kind}", f"{cases:,}") for kind, cases in apart.items()),
            ),
            note(f"Of periods that ended in the twelve months to {newest}."),
        ),
    )


def _share(part: int, one: Quality) -> float | None:
    return part / one.cases if one.cases else None


def _percent(share: float | None) -> str:
    """A small share keeps a decimal."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < abs(share) < 0.095 else percent(share)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


# The figures


def _reliability(visit: Visit, found: Qualities) -> None:
    groups = found.reliability
    with st.container(border=True, key="chart_card"):
        show(
            tag("h2", "Chance of overage against what happened", class_="u-section"),
            legend((visit.look.accent, "A tenth of the chances; its area is the cases")),
        )
        show_chart(calibration_chart(groups, visit.look), "calibration")
        if groups:
            show(_folded("The same as a table", _reliability_table(groups)))


def _folded(summary: str, grid: Safe) -> Safe:
    return tag("details", tag("summary", summary), grid, class_="u-details")


def _reliability_table(groups: Sequence[Quality]) -> Safe:
    rows = (
        (_percent(one.chance), _percent(one.happened), f"{one.chances:,}", _figure(one.brier))
        for one in groups
    )
    return _table(("Chance given", "Went over", "Cases", "Brier"), rows)


def _by_class(found: Qualities) -> list[tuple[str, Quality]]:
    kinds = [(sentence(kind), found.of(kind)) for kind in found.classes]
    return [*kinds, ("All", found.of())]


def _by_cut_off(found: Qualities) -> list[tuple[str, Quality]]:
    return [(f"{days}", found.of(cut_off=days)) for days in found.cut_offs]


def _grid(first: str, rows: Iterable[tuple[str, Quality]]) -> Safe:
    return div("u-panel", _table((first, *COLUMNS), ((name, *_cells(one)) for name, one in rows)))


def _cells(one: Quality) -> tuple[str, ...]:
    return (
        f"{one.cases:,}",
        _percent(one.coverage),
        _percent(one.error),
        _percent(one.run_rate_error),
        _percent(one.skill),
        _figure(one.brier),
        _percent(_share(one.below, one)),
        _percent(_share(one.above, one)),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Safe:
    """A table of figures with their names in the first column."""
    top = (
        tag("th", name, scope="col", class_="u-number" if n else None)
        for n, name in enumerate(heads)
    )
    body = (
        tag(
            "tr", *(tag("td", text, class_="u-number" if n else None) for n, text in enumerate(one))
        )
        for one in rows
    )
    grid = tag("table", tag("thead", tag("tr", *top)), tag("tbody", *body), class_="u-table")
    return div("u-table-frame", grid)


def figures(found: Qualities) -> Table:
    """For a download: every class after every day."""
    rows = []
    for kind in found.classes:
        for days in found.cut_offs:
            one = found.of(kind, days)
            values = (
                *(one.coverage, one.error, one.run_rate_error, one.skill, one.brier),
                *(_share(one.below, one), _share(one.above, one)),
            )
            shares = (None if each is None else Decimal(f"{each:.4f}") for each in values)
            rows.append((sentence(kind), Decimal(days), Decimal(one.cases), *shares))
    return Table(("Kind of use", "After day", *COLUMNS), tuple(rows))


# Calibration and customers


def _in_force(in_force: dict[str, Calibration]) -> list[Safe]:
    if not in_force:
        return [nothing("None: no class has a past projection yet, so all are read as they are.")]
    lines = [
        tag("p", *calibration_words(kind, one), class_="u-text")
        for kind, one in sorted(in_force.items())
    ]
    rule = note(
        "The rule: a range's ends are moved to where they would have been right in the last "
        "twelve months, by a weight that grows with the cases and within fixed bounds. It is "
        "taken anew after each check, never by hand."
    )
    return [div("u-panel u-none", div("u-rows", *lines, rule))]


def calibration_words(kind: str, one: Calibration) -> tuple[Part, ...]:
    """Regular use is read narrower: the ends of its 80% range are its 18% and 82% points."""
    since = f" From {one.cases:,} past projections" + (
        f", {day(one.computed_on)}." if one.computed_on else "."
    )
    shifts = (abs(one.low - LOW), abs(one.middle - MIDDLE), abs(one.high - HIGH))
    if max(shifts) < NOTICEABLE:
        return strong(f"{sentence(kind)} use is read as it is."), since
    width = (one.high - one.low) - (HIGH - LOW)
    how = (
        "as wide, but shifted" if abs(width) < NOTICEABLE else "wider" if width > 0 else "narrower"
    )
    return (
        strong(f"{sentence(kind)} use is read {how}:"),
        f" the ends of its 80% range are the {percent(one.low)} and {percent(one.high)} points "
        f"of the method's own forecast, the likely total its {percent(one.middle)} point.",
        since,
    )


def _doubtful(found: Sequence[Doubtful]) -> None:
    with st.container(key="doubtful"):
        show(tag("h2", "Customers outside 70–90%", class_="u-section"))
        if not found:
            show(nothing("Every customer with twelve cases or more lies within."))
        for one in found:
            _entry(one)


def _entry(one: Doubtful) -> None:
    frame = st.container(
        border=True,
        key=f"customer_{one.customer_id}",
        horizontal=True,
        vertical_alignment="center",
    )
    with frame:
        wide = one.coverage > 0.8
        show(
            div(
                "u-entry",
                div("u-pair", tag("h2", one.name), span("u-key", one.slug)),
                div(
                    "u-pair",
                    span("u-text", f"{one.inside} of {one.cases} cases ended inside"),
                    span("u-key", f"{one.below} below, {one.above} above"),
                ),
                div(
                    "u-health",
                    span("u-dot u-quiet" if wide else "u-dot u-bad"),
                    "Ranges too wide" if wide else "Ranges too narrow",
                ),
            )
        )
        st.button("Show", key=f"show_{one.customer_id}", on_click=_go_to, args=(one.slug,))


def _go_to(slug: str) -> None:
    """Only notes where to go: the page Customers asks who looks when it runs."""
    st.session_state[GOING_TO] = "customers"
    st.session_state[SEARCH] = slug


PAGE = Page("forecasts", "Forecasts", ":material/insights:", Permission.LOOKUP, render)
