"""Import: customers pasted as rows, each judged before any is stored; all of them, or none.

Pasted, because the app takes no files (SECURITY.md): a text area needs no door to be opened.
"""

from functools import partial

import streamlit as st

from dashboard.access import Permission
from dashboard.charts.formats import whole
from dashboard.exports import Table
from dashboard.views.acts import ask, do_what_was_asked, done
from dashboard.views.dialogs import dialog
from dashboard.views.fragments import fragment
from dashboard.views.markup import Safe, div, grid, note, span, strong, tag
from dashboard.views.page import Page, Visit
from dashboard.views.parts import callout, csv_button, must_still, page_title, show
from dashboard.views.plans_readings import forget
from dashboard.words import N_, _, n_
from data.customer_acts import LONGEST_REASON
from data.customer_import import (
    COLUMNS,
    LONGEST_TEXT,
    TEMPLATE,
    CustomerImport,
    RowVerdict,
    Verdict,
    import_csv,
    read_rows,
)
from data.errors import InputError
from data.identity.audit import By
from data.scope import EveryTenant

MAY = Permission.CHANGE_PLANS
SHOWN = "import_shown"  # the text and what was found of it
MOST_SHOWN = 200
WORDS = {
    Verdict.NEW: (N_("New"), "u-good"),
    Verdict.CHANGED: (N_("Changed"), "u-good"),
    Verdict.UNCHANGED: (N_("Unchanged"), "u-quiet"),
    Verdict.ERROR: (N_("Wrong"), "u-bad"),
}
MEANING = {
    "slug": N_("Names the customer for good: small letters, digits, dashes. Always needed."),
    "name": N_("Needed for a new customer."),
    "email": N_("For statements and sign-in."),
    "external_id": N_("The customer's number in your own systems."),
    "account_sid": N_("A Twilio account (AC…). A second row with the same slug adds another."),
    "application": N_("What the account is for, as its customer knows it."),
    "plan": N_("A plan's id; bundle@2 is its version 2, without a number the newest."),
    "tier": N_("The chosen tier, where the plan has tiers."),
    "anchor_day": N_("The day of the month on which periods begin: 1 to 31."),
    "starts_on": N_("From when account and plan count: 2026-03-31."),
}


def render(visit: Visit) -> None:
    visit.viewer.require(MAY)
    with page_title(_("Import customers")):
        csv_button(visit, _("Template (CSV)"), _template, "customers-template")
    do_what_was_asked(visit)
    show(
        note(
            _("Paste rows from a spreadsheet or a CSV file, the columns' names first. "),
            _("A cell left empty changes nothing. Nothing is stored before you have seen it."),
        )
    )
    _pasting(visit)
    show(_columns())


def _template() -> Table:
    rows = [tuple(row[name] for name in COLUMNS) for _line, row in read_rows(TEMPLATE)]
    return Table(COLUMNS, tuple(rows))


def _columns() -> Safe:
    rows = (
        tag("tr", tag("td", tag("code", name)), tag("td", _(MEANING[name]))) for name in COLUMNS
    )
    names = (_("Column"), _("What it means"))
    words = _("What the columns mean")
    return tag("details", tag("summary", words), grid(words, names, rows), class_="u-details")


@fragment
def _pasting(visit: Visit) -> None:
    visit.viewer.require(MAY)
    text = st.text_area(
        _("Rows"),
        placeholder=TEMPLATE,
        height=220,
        max_chars=LONGEST_TEXT,
        key="import_text",
    )
    text = text or ""
    if st.button(_("Check the rows"), disabled=not text.strip(), key="import_check"):
        st.session_state[SHOWN] = (text, _judged(visit, text))
    before, found = st.session_state.get(SHOWN, (None, None))
    if found is None:
        return
    if isinstance(found, str):
        show(callout(strong(_("Not a table.")), " ", found, kind="warning"))
        return
    show(_summary(found), verdicts(found.rows))
    csv_button(visit, _("CSV of the verdicts"), lambda: verdict_rows(found), "import-verdicts")
    changes = any(row.verdict in (Verdict.NEW, Verdict.CHANGED) for row in found.rows)
    if before != text:
        show(note(_("The rows have changed since: check them again.")))
    elif (
        changes
        and not found.errors
        and st.button(_("Store them…"), type="primary", key="import_store")
    ):
        _sure(visit, text, found)


def _judged(visit: Visit, text: str) -> CustomerImport | str:
    by = By(visit.viewer.name, visit.viewer.person_id, "", visit.clock)
    try:
        return import_csv(EveryTenant(visit.settings.database_url), text, by=by, dry_run=True)
    except InputError as error:
        return str(error)


def _summary(found: CustomerImport) -> Safe:
    counts = [(kind, sum(row.verdict is kind for row in found.rows)) for kind in Verdict]
    parts = (
        span("u-fact", span("u-fact-number", whole(number)), _(WORDS[kind][0]).lower())
        for kind, number in counts
        if number
    )
    told = note(_("Nothing can be stored while a row is wrong.")) if found.errors else None
    return div("u-told", div("u-facts", *parts), told)


def verdicts(rows: tuple[RowVerdict, ...]) -> Safe:
    """Those that are wrong come first."""
    ordered = sorted(rows, key=lambda row: (row.verdict is not Verdict.ERROR, row.line))
    names = (_("Row"), _("Customer"), _("Verdict"), _("What changes, or what is wrong"))
    body = (_row(row) for row in ordered[:MOST_SHOWN])
    more = len(rows) - MOST_SHOWN
    words = n_("{n} more row is in the CSV.", "{n} more rows are in the CSV.", more)
    foot = note(words.format(n=more)) if more > 0 else None
    return div("u-panel", grid(_("Verdict"), names, body, "u-verdicts"), foot)


def _row(row: RowVerdict) -> Safe:
    word, dot = WORDS[row.verdict]
    return tag(
        "tr",
        tag("td", f"{row.line}"),
        tag("td", row.slug),
        tag("td", span("u-health", span(f"u-dot {dot}"), _(word))),
        tag("td", "; ".join(row.details), class_="u-wrap"),
    )


def verdict_rows(found: CustomerImport) -> Table:
    columns = ("line", "slug", "verdict", "details")
    rows = ((f"{r.line}", r.slug, str(r.verdict), "; ".join(r.details)) for r in found.rows)
    return Table(columns, tuple(rows))


@dialog(N_("Store these customers"))
def _sure(visit: Visit, text: str, found: CustomerImport) -> None:
    must_still(visit, MAY)
    show(_summary(found), note(_("All rows are stored together, or none.")))
    reason = st.text_input(
        _("Reason"), max_chars=LONGEST_REASON, placeholder=_("Ticket 4711"), key="import_reason"
    )
    if st.button(_("Store them"), type="primary", disabled=not (reason or "").strip()):
        ask(partial(_store, text, reason))


def _store(text: str, reason: str, visit: Visit) -> None:
    visit.viewer.require(MAY)
    by = By(visit.viewer.name, visit.viewer.person_id, reason, visit.clock)
    found = import_csv(EveryTenant(visit.settings.database_url), text, by=by)
    st.session_state[SHOWN] = (text, found)
    if not found.stored:
        raise InputError(_("A row is wrong now: look at the verdicts. Nothing was stored."))
    forget()
    changed = sum(row.verdict in (Verdict.NEW, Verdict.CHANGED) for row in found.rows)
    words = n_("{n} row is stored.", "{n} rows are stored.", changed)
    done(words.format(n=changed))
    st.session_state.pop(SHOWN)


PAGE = Page("import", N_("Import"), ":material/upload_file:", MAY, render)
