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
from dashboard.charts.formats import day, decimals, sentence, whole
from dashboard.exports import Table
from dashboard.views.calibration_words import (
    calibration_words,
    drift,
    fault,
    kind_of_use,
    percent_or_none,
)
from dashboard.views.cards import card, row
from dashboard.views.customers import GOING_TO
from dashboard.views.markup import (
    Safe,
    div,
    filled,
    grid,
    note,
    number_cell,
    number_head,
    span,
    strong,
    tag,
)
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, legend, short_label, show, show_chart, state
from dashboard.views.sync_lists import nothing, section
from dashboard.words import N_, _, n_
from data.backtest.quality import (
    APART,
    Doubtful,
    Qualities,
    Quality,
    doubtful_customers,
    qualities,
)
from data.periods import DAY
from data.projection.calibration import Calibration
from data.scope import EveryTenant
from data.track_record import calibrations

COMMAND = "python -m data backtest"
COLUMNS = (
    N_("Cases"),
    N_("Inside"),
    N_("Deviation"),
    N_("Run rate"),
    N_("Skill"),
    N_("Brier"),
    N_("Below"),
    N_("Above"),
)
SEARCH = "customer_search"  # the key of the field on the page Customers
CLASSES = N_(
    "Regular: use on nine days of ten and more; intermittent: on three and more; sparse: on fewer. "
    "Apart stand cold starts, with under four weeks known, and idle: nothing used for twelve weeks."
)


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
    show(tag("h1", _("Forecasts"), class_="u-title"))
    if not found.by_case:
        show(_nothing_checked())
        return
    show(_notice(found), _cards(found))
    left, right = st.columns(2)
    with left:
        _reliability(visit, found)
    with right:
        days = _grid(_("After day"), _by_cut_off(found))
        kinds = _grid(_("Kind of use"), _by_class(found))
        words = tag("p", _(CLASSES), class_="u-foot")
        show(section(_("By settled days of the period"), days))
        show(section(_("By kind of use"), kinds, words))
    show(section(_("Calibration in force"), *_in_force(in_force)))
    csv_button(
        visit, _("CSV of the figures"), lambda: figures(found), "forecasts", f"{visit.today}"
    )
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
        _("No past period has been checked yet"),
        _(
            "A period is checked once it is over and settled: it is projected as it stood on six "
            "of its days, and compared with how it ended."
        ),
        hint=filled(
            _("It happens after each sync; {command} does it now."), command=tag("code", COMMAND)
        ),
    )


def _notice(found: Qualities) -> Safe:
    kinds = [(kind, found.of(kind)) for kind in found.classes if kind not in APART]
    drifting = [(drift(one, kind), one) for kind, one in kinds if one.drifts]
    if not drifting and found.of().drifts:
        drifting = [(drift(found.of()), found.of())]
    if not drifting:
        held = _("{share} of past periods ended inside their 80% range.").format(
            share=percent_or_none(found.of().coverage)
        )
        return tag("p", strong(_("The ranges hold.")), f" {held}", class_="u-summary")
    ended = " ".join(words for words, _one in drifting)
    rest = _("New projections are read by the calibration below.")
    return callout(strong(ended), f" {fault(drifting[0][1])} {rest}", kind="warning")


def _cards(found: Qualities) -> Safe:
    one = found.of()
    apart = {kind: found.of(kind).cases for kind in APART}
    newest = day(found.newest - DAY, year=True) if found.newest else "–"
    return div(
        "u-cards",
        card(
            _("Inside the 80% range"),
            percent_or_none(one.coverage),
            div(
                "u-rows",
                row(_("Ended below it"), percent_or_none(_share(one.below, one))),
                row(_("Ended above it"), percent_or_none(_share(one.above, one))),
            ),
            note(_("70–90% is as it should be.")),
        ),
        card(
            _("Error of the likely total"),
            percent_or_none(one.error),
            div(
                "u-rows",
                row(_("Of the run rate"), percent_or_none(one.run_rate_error)),
                row(_("Less than that by"), percent_or_none(one.skill)),
            ),
            note(_("On average, of a customer's usual period.")),
        ),
        card(
            _("Chance of overage (Brier)"),
            _figure(one.brier),
            div(
                "u-rows",
                row(_("Mean chance given"), percent_or_none(one.chance)),
                row(_("Went over"), percent_or_none(one.happened)),
            ),
            note(_("0 is perfect; always saying 50% scores 0.25.")),
        ),
        card(
            _("Past projections"),
            whole(one.cases),
            div(
                "u-rows",
                *(
                    row(_("Apart: {kind}").format(kind=kind_of_use(kind)), whole(cases))
                    for kind, cases in apart.items()
                ),
            ),
            note(_("Of periods that ended in the twelve months to {day}.").format(day=newest)),
        ),
    )


def _share(part: int, one: Quality) -> float | None:
    return part / one.cases if one.cases else None


def _figure(value: float | None) -> str:
    return "–" if value is None else decimals(value, 3)


# The figures


def _reliability(visit: Visit, found: Qualities) -> None:
    groups = found.reliability
    with st.container(border=True, key="chart_card"):
        show(
            tag("h2", _("Chance of overage against what happened"), class_="u-section"),
            legend((visit.look.accent, _("A tenth of the chances; its area is the cases"))),
        )
        show_chart(calibration_chart(groups, visit.look), "calibration")
        if groups:
            show(_folded(_("The same as a table"), _reliability_table(groups)))


def _folded(summary: str, grid: Safe) -> Safe:
    return tag("details", tag("summary", summary), grid, class_="u-details")


def _reliability_table(groups: Sequence[Quality]) -> Safe:
    rows = (
        (
            percent_or_none(one.chance),
            percent_or_none(one.happened),
            whole(one.chances),
            _figure(one.brier),
        )
        for one in groups
    )
    return _table((_("Chance given"), _("Went over"), _("Cases"), _("Brier")), rows)


def _by_class(found: Qualities) -> list[tuple[str, Quality]]:
    kinds = [(sentence(kind_of_use(kind)), found.of(kind)) for kind in found.classes]
    return [*kinds, (_("All"), found.of())]


def _by_cut_off(found: Qualities) -> list[tuple[str, Quality]]:
    return [(f"{days}", found.of(cut_off=days)) for days in found.cut_offs]


def _grid(first: str, rows: Iterable[tuple[str, Quality]]) -> Safe:
    return div(
        "u-panel",
        _table(
            (first, *(_(name) for name in COLUMNS)), ((name, *_cells(one)) for name, one in rows)
        ),
    )


def _cells(one: Quality) -> tuple[str, ...]:
    return (
        whole(one.cases),
        percent_or_none(one.coverage),
        percent_or_none(one.error),
        percent_or_none(one.run_rate_error),
        percent_or_none(one.skill),
        _figure(one.brier),
        percent_or_none(_share(one.below, one)),
        percent_or_none(_share(one.above, one)),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Safe:
    """A table of figures with their names in the first column."""
    top = (heads[0], *(number_head(name) for name in heads[1:]))
    body = (tag("tr", tag("td", one[0]), *(number_cell(text) for text in one[1:])) for one in rows)
    return grid(", ".join(heads[:2]), top, body)


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
            rows.append((sentence(kind_of_use(kind)), Decimal(days), Decimal(one.cases), *shares))
    return Table((_("Kind of use"), _("After day"), *(_(name) for name in COLUMNS)), tuple(rows))


# Calibration and customers


def _in_force(in_force: dict[str, Calibration]) -> list[Safe]:
    if not in_force:
        return [
            nothing(_("None: no class has a past projection yet, so all are read as they are."))
        ]
    lines = [
        tag("p", *calibration_words(kind, one), class_="u-text")
        for kind, one in sorted(in_force.items())
    ]
    rule = note(
        _(
            "The rule: a range's ends are moved to where they would have been right in the last "
            "twelve months, by a weight that grows with the cases and within fixed bounds. It is "
            "taken anew after each check, never by hand."
        )
    )
    return [div("u-panel u-none", div("u-rows", *lines, rule))]


def _doubtful(found: Sequence[Doubtful]) -> None:
    with st.container(key="doubtful"):
        show(tag("h2", _("Customers outside 70–90%"), class_="u-section"))
        if not found:
            show(nothing(_("Every customer with twelve cases or more lies within.")))
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
        inside = n_(
            "{inside} of {n} case ended inside", "{inside} of {n} cases ended inside", one.cases
        ).format(inside=whole(one.inside), n=whole(one.cases))
        outside = _("{below} below, {above} above").format(
            below=whole(one.below), above=whole(one.above)
        )
        show(
            div(
                "u-entry",
                div("u-pair", tag("h2", one.name), span("u-key", one.slug)),
                div(
                    "u-pair",
                    span("u-text", inside),
                    span("u-key", outside),
                ),
                div(
                    "u-health",
                    span("u-dot u-quiet" if wide else "u-dot u-bad"),
                    _("Ranges too wide") if wide else _("Ranges too narrow"),
                ),
            )
        )
        label = short_label(_("Show"), one.name)
        st.button(label, key=f"show_{one.customer_id}", on_click=_go_to, args=(one.slug,))


def _go_to(slug: str) -> None:
    """Only notes where to go: the page Customers asks who looks when it runs."""
    st.session_state[GOING_TO] = "customers"
    st.session_state[SEARCH] = slug


PAGE = Page("forecasts", N_("Forecasts"), ":material/insights:", Permission.LOOKUP, render)
