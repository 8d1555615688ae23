"""The ledger of credits, a page at a time: what came in, what went out, what it left."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import streamlit as st

from dashboard.charts.formats import counted, day, decimals, quantity, sentence, whole
from dashboard.exports import Table
from dashboard.exports.statement_tables import credit_ledger
from dashboard.views import address
from dashboard.views.credit_words import entry_words
from dashboard.views.fragments import fragment
from dashboard.views.markup import Safe, grid, note, number_head, span, tag
from dashboard.views.page import Visit
from dashboard.views.parts import csv_button, show
from dashboard.views.spend_readings import LedgerPage, read_credit_past, read_ledger_page
from dashboard.words import _
from data.credit_ledger import LedgerLine, ledger_lines

EVERY = "all"
LEDGER_PAGE = "entries"  # in the address


def lots_of(visit: Visit, through: date) -> dict[str, str]:
    """The lots' names by key, newest first; lots of one name are told apart by their day."""
    own = visit.subscription
    past = read_credit_past(visit.scope, visit.version, own.key, own.starts_on, through)
    return {
        lot.key: _("{name}, from {day}").format(
            name=sentence(lot.name), day=day(lot.effective_on, year=True)
        )
        for lot in past.lots
    }


@fragment
def ledger(visit: Visit, through: date, units: dict[str, str]) -> None:
    own, lots = visit.subscription, lots_of(visit, through)
    if not lots:
        return
    whose = f"{visit.scope.customer_id}_{own.key}"
    with st.container(border=True, key="ledger_card"):
        with st.container(key="ledger_head", horizontal=True, vertical_alignment="center"):
            show(tag("h2", _("Ledger"), class_="u-section"))
            csv_button(
                visit,
                _("Ledger (CSV)"),
                lambda: _whole(visit, through, lots),
                *("credit-ledger", f"{visit.today}"),
            )
        codes = (EVERY, *lots)
        lot = address.pick("lot", codes, EVERY, lambda key: _lot_box(lots, key), whose=whose)
        chosen = None if lot == EVERY else lot
        page = read_ledger_page(
            visit.scope, visit.version, own.key, through, chosen, _number(whose, lot)
        )
        show(_table(page, lots, units, of_lot=chosen is not None), _settling(page))
        _turn(page, whose, lot)


def _whole(visit: Visit, through: date, lots: dict[str, str]) -> Table:
    lines = ledger_lines(visit.scope, visit.subscription.key, through=through)
    return credit_ledger(lines, lots)


def _lot_box(lots: dict[str, str], key: str) -> str | None:
    return st.selectbox(
        _("Lot"),
        (EVERY, *lots),
        format_func=lambda code: lots.get(code, _("All lots")),
        key=key,
        width=320,
    )


def _number(whose: str, lot: str) -> int:
    """The page asked for in the address; another lot begins at its first one."""
    asked, of_lot = st.query_params.get(LEDGER_PAGE, "1"), f"ledger_lot_{whose}"
    if st.session_state.get(of_lot, lot) != lot:
        asked = "1"
        address.write(LEDGER_PAGE, None)
    st.session_state[of_lot] = lot
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 6 else 1


def _table(page: LedgerPage, lots: dict[str, str], units: dict[str, str], *, of_lot: bool) -> Safe:
    left = _("Left in the lot") if of_lot else _("Balance")
    figures = (number_head(name) for name in (_("Units"), _("Credits"), left))
    rows = (_line(line, lots, units, of_lot=of_lot) for line in page.lines)
    return grid(_("Ledger"), (_("Day"), _("Entry"), _("Lot"), *figures), rows)


def _line(line: LedgerLine, lots: dict[str, str], units: dict[str, str], *, of_lot: bool) -> Safe:
    entry = line.entry
    settling = span("u-tag", _("settling")) if line.number is None else None
    unit = units.get(entry.meter or "")
    used = counted(entry.units, unit) if unit else quantity(entry.units)
    return tag(
        "tr",
        tag("td", day(entry.day, year=True)),
        tag("td", entry_words(entry), " ", settling),
        tag("td", lots.get(entry.lot, entry.lot)),
        tag("td", used if entry.meter else "", class_="u-number"),
        _credits(line.credits, signed=True),
        _credits(line.left if of_lot else line.balance),
    )


def _credits(value: Fraction, *, signed: bool = False) -> Safe:
    """To the hundredth, with the fraction itself where that is not exact."""
    text = decimals(abs(Decimal(round(value * 100)) / 100), 2)
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    inexact = (value * 100).denominator != 1
    title = _("exactly {fraction}").format(fraction=str(value)) if inexact else None
    return tag("td", tag("span", f"{sign}{text}", title=title), class_="u-number")


def _settling(page: LedgerPage) -> Safe | None:
    if all(line.number is not None for line in page.lines):
        return None
    said = _("Entries of days that still settle may change; they are posted once the day is final.")
    return note(said)


def _turn(page: LedgerPage, whose: str, lot: str) -> None:
    if page.pages < 2:
        return
    with st.container(key="ledger_turn", horizontal=True, vertical_alignment="center"):
        newer, older = _("Newer entries"), _("Older entries")
        place = f"{whose}_{lot}"
        _step(newer, f"newer_{place}", page.number - 1, within=page.number > 1)
        show(
            note(
                _("Page {page} of {pages}, {entries} entries").format(
                    page=whole(page.number), pages=whole(page.pages), entries=whole(page.entries)
                )
            )
        )
        _step(older, f"older_{place}", page.number + 1, within=page.number < page.pages)


def _step(label: str, key: str, number: int, *, within: bool) -> None:
    st.button(label, key=key, type="tertiary", on_click=_go, args=(number,), disabled=not within)


def _go(number: int) -> None:
    address.write(LEDGER_PAGE, None if number == 1 else str(number))
