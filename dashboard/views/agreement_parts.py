"""What the acts of the page Agreements share: who acts, why, and what would come of it."""

from collections.abc import Iterable
from functools import partial

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import day
from dashboard.views.markup import Safe, div, grid, note, strong, tag
from dashboard.views.page import Visit
from dashboard.views.parts import callout, show
from dashboard.words import N_, _
from data.customer_acts import LONGEST_REASON, Changed
from data.customers_file import CustomerEntry, PlanEntry
from data.errors import AppError
from data.identity.audit import By
from data.periods import DAY
from data.pricing import TimelineEntry

MAY = Permission.CHANGE_PLANS
HEADS = (N_("Plan"), N_("Asked for"), N_("Billed from"), N_("Until"))


def acting(visit: Visit, reason: str) -> By:
    visit.viewer.require(MAY)
    return By(visit.viewer.name, visit.viewer.person_id, reason, visit.clock)


def reason_box(key: str) -> str:
    text = st.text_input(
        _("Reason"), max_chars=LONGEST_REASON, placeholder=_("Ticket 4711"), key=f"{key}_reason"
    )
    return text or ""


def section(title: str) -> None:
    show(tag("h2", title, class_="u-section"))


def plans_of(entry: CustomerEntry, key: str) -> list[PlanEntry]:
    return [one for one in entry.plans if one.subscription == key]


def tried(act: "partial[Changed]", visit: Visit) -> bool:
    """What the act would do, shown before and after; whether it can be done."""
    try:
        found = act(by=acting(visit, _("a trial")), dry_run=True)
    except AppError as error:
        show(callout(strong(_("Not possible.")), " ", str(error), kind="warning"))
        return False
    if not found.lines:
        show(note(_("That is agreed already.")))
        return False
    if found.after:
        columns = st.columns(2)
        for column, title, agreed in zip(
            columns, (_("Now"), _("Then")), (found.before, found.after), strict=True
        ):
            with column:
                show(tag("h3", title, class_="u-section"), timeline_table(title, agreed))
    return True


def timeline_table(label: str, agreed: Iterable[TimelineEntry]) -> Safe:
    heads = (_(name) for name in HEADS)
    return div("u-panel", grid(label, heads, (_change(one) for one in agreed)))


def _change(one: TimelineEntry) -> Safe:
    until = day(one.ends_on - DAY, year=True) if one.ends_on else _("open")
    days = (day(one.starts_on, year=True), until) if one.billed else (_("never billed"), "")
    words = f"{one.plan.name} · {_('version {v}').format(v=one.plan.version)}"
    return tag(
        "tr",
        tag("td", words),
        tag("td", day(one.asked_on, year=True)),
        *(tag("td", text) for text in days),
        class_=None if one.billed else "u-part",
    )
