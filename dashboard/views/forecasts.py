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
from dashboard.charts.formats import day, decimals, fine_percent, percent, sentence, whole
from dashboard.exports import Table
from dashboard.views.cards import card, row
from dashboard.views.customers import GOING_TO
from dashboard.views.markup import Part, Safe, div, filled, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, legend, show, show_chart, state
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
from data.projection.calibration import HIGH, LOW, MIDDLE, Calibration
from data.scope import EveryTenant
from data.track_record import calibrations

COMMAND = "python -m data backtest"
COLUMNS = (
    N_("Cases"),
    N_("Inside"),
    N_("Error"),
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
KINDS = {  # of use, as the back-test names them
    "regular": N_("regular"),
    "intermittent": N_("intermittent"),
    "sparse": N_("sparse"),
    "cold start": N_("cold start"),
    "idle": N_("idle"),
}
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
    drifting = [(_drift(one, kind), one) for kind, one in kinds if one.drifts]
    if not drifting and found.of().drifts:
        drifting = [(_drift(found.of()), found.of())]
    if not drifting:
        held = _("{share} of past periods ended inside their 80% range.").format(
            share=_percent(found.of().coverage)
        )
        return tag("p", strong(_("The ranges hold.")), f" {held}", class_="u-summary")
    ended = " ".join(words for words, _one in drifting)
    rest = _("New projections are read by the calibration below.")
    return callout(strong(ended), f" {_fault(drifting[0][1])} {rest}", kind="warning")


def _drift(one: Quality, kind: str | None = None) -> str:
    share = _percent(one.coverage)
    if kind is None:
        return _("{share} of periods ended inside their 80% range.").format(share=share)
    words = _("{share} of periods of {kind} use ended inside their 80% range.")
    return words.format(share=share, kind=_kind(kind))


def _kind(kind: str) -> str:
    return _(KINDS.get(kind, kind))


def _fault(one: Quality) -> str:
    if (one.coverage or 0) > 0.8:
        return _("It should be 70% to 90%: the ranges were too wide.")
    return _("It should be 70% to 90%: the ranges were too narrow.")


def _cards(found: Qualities) -> Safe:
    one = found.of()
    apart = {kind: found.of(kind).cases for kind in APART}
    newest = day(found.newest - DAY, year=True) if found.newest else "–"
    return div(
        "u-cards",
        card(
            _("Inside the 80% range"),
            _percent(one.coverage),
            div(
                "u-rows",
                row(_("Ended below it"), _percent(_share(one.below, one))),
                row(_("Ended above it"), _percent(_share(one.above, one))),
            ),
            note(_("70–90% is as it should be.")),
        ),
        card(
            _("Error of the likely total"),
            _percent(one.error),
            div(
                "u-rows",
                row(_("Of the run rate"), _percent(one.run_rate_error)),
                row(_("Less than that by"), _percent(one.skill)),
            ),
            note(_("On average, of a customer's usual period.")),
        ),
        card(
            _("Chance of overage (Brier)"),
            _figure(one.brier),
            div(
                "u-rows",
                row(_("Mean chance given"), _percent(one.chance)),
                row(_("Went over"), _percent(one.happened)),
            ),
            note(_("0 is perfect; always saying 50% scores 0.25.")),
        ),
        card(
            _("Past projections"),
            whole(one.cases),
            div(
                "u-rows",
                *(
                    row(_("Apart: {kind}").format(kind=_kind(kind)), whole(cases))
                    for kind, cases in apart.items()
                ),
            ),
            note(_("Of periods that ended in the twelve months to {day}.").format(day=newest)),
        ),
    )


def _share(part: int, one: Quality) -> float | None:
    return part / one.cases if one.cases else None


def _percent(share: float | None) -> str:
    """A small share keeps a decimal."""
    if share is None:
        return "–"
    return fine_percent(share)


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
        (_percent(one.chance), _percent(one.happened), whole(one.chances), _figure(one.brier))
        for one in groups
    )
    return _table((_("Chance given"), _("Went over"), _("Cases"), _("Brier")), rows)


def _by_class(found: Qualities) -> list[tuple[str, Quality]]:
    kinds = [(sentence(_kind(kind)), found.of(kind)) for kind in found.classes]
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
            rows.append((sentence(_kind(kind)), Decimal(days), Decimal(one.cases), *shares))
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


def calibration_words(kind: str, one: Calibration) -> tuple[Part, ...]:
    """Regular use is read narrower: the ends of its 80% range are its 18% and 82% points."""
    since = n_("From {n} past projection.", "From {n} past projections.", one.cases)
    if one.computed_on:
        since = n_(
            "From {n} past projection, {day}.", "From {n} past projections, {day}.", one.cases
        )
    on = day(one.computed_on) if one.computed_on else ""
    since = f" {since.format(n=whole(one.cases), day=on)}"
    use = sentence(_kind(kind))
    shifts = (abs(one.low - LOW), abs(one.middle - MIDDLE), abs(one.high - HIGH))
    if max(shifts) < NOTICEABLE:
        return strong(_("{kind} use is read as it is.").format(kind=use)), since
    width = (one.high - one.low) - (HIGH - LOW)
    if abs(width) < NOTICEABLE:
        how = _("{kind} use is read as wide, but shifted:")
    elif width > 0:
        how = _("{kind} use is read wider:")
    else:
        how = _("{kind} use is read narrower:")
    rule = _(
        "the ends of its 80% range are the {low} and {high} points of the method's own forecast, "
        "the likely total its {middle} point."
    ).format(low=percent(one.low), high=percent(one.high), middle=percent(one.middle))
    return strong(how.format(kind=use)), f" {rule}", since


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
        st.button(_("Show"), key=f"show_{one.customer_id}", on_click=_go_to, args=(one.slug,))


def _go_to(slug: str) -> None:
    """Only notes where to go: the page Customers asks who looks when it runs."""
    st.session_state[GOING_TO] = "customers"
    st.session_state[SEARCH] = slug


PAGE = Page("forecasts", N_("Forecasts"), ":material/insights:", Permission.LOOKUP, render)
