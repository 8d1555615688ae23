"""A statement as the PDF has it: the lines of the page, in the words of whoever downloads it.

Only what a customer may see goes in: it is made from `Statement`, which has no field for cost.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from dashboard.charts.formats import day, days, moment, money, period_name
from dashboard.exports import file_name
from dashboard.exports.pdf import Paper, Row, as_pdf
from dashboard.views.page import Visit
from dashboard.views.parts import download
from dashboard.views.statement_table import line_name, line_price, step_words
from dashboard.views.wording import line_quantity, worked_out
from dashboard.words import N_, _
from data.overview import Freshness
from data.periods import DAY
from data.statement import Part, Statement, StatementLine, Status
from data.statement_archive import ClosedBill
from data.statement_content import PlanStep

STATUS_ON_PAPER = {
    Status.OPEN: N_("So far, not final"),
    Status.SETTLING: N_("Settling, not final"),
    Status.FINAL: N_("Final"),
}
MEANINGS = {
    Status.OPEN: N_("The period is still running: this is what has been counted until now."),
    Status.SETTLING: N_("The period is over. Late usage may still be added for a few days."),
    Status.FINAL: N_("This statement no longer changes."),
}
TOTALS = {
    Status.OPEN: N_("Total so far"),
    Status.SETTLING: N_("Total so far"),
    Status.FINAL: N_("Total"),
}


def pdf_button(visit: Visit, bill: Statement, fresh: Freshness, closed: ClosedBill | None) -> None:
    name = file_name("statement", f"{bill.period.start}", kind="pdf")
    download(
        visit,
        _("PDF"),
        lambda: as_pdf(statement_paper(visit, bill, fresh, closed), visit.brand),
        name,
        "application/pdf",
        icon=":material/picture_as_pdf:",
    )


def statement_paper(
    visit: Visit, bill: Statement, fresh: Freshness, closed: ClosedBill | None
) -> Paper:
    """A final one depends on nothing but what was frozen, so that it is the same file each time."""
    customer = visit.viewer.customer
    return Paper(
        title=_("Statement"),
        name=customer.name if customer else "",
        period=period_name(bill.period),
        status=_(STATUS_ON_PAPER[bill.status]),
        facts=tuple(_facts(visit, bill, fresh, closed)),
        notes=(_(MEANINGS[bill.status]), *(step_words(one) for one in _steps(bill))),
        columns=(
            _("Line"),
            _("Quantity"),
            _("Price"),
            _("Amount, {currency}").format(currency=bill.currency),
        ),
        rows=tuple(_rows(bill)),
        foot=tuple(_foot(visit, bill)),
        page=_("Page {page} of {pages}"),
        written_at=_written_at(bill, fresh, closed),
        language=visit.language,
    )


def _steps(bill: Statement) -> Iterator[PlanStep]:
    return (one for one in bill.timeline if one.asked_on > bill.period.start or not one.billed)


def _facts(
    visit: Visit, bill: Statement, fresh: Freshness, closed: ClosedBill | None
) -> Iterator[tuple[str, str]]:
    last = bill.period.end - DAY
    yield (
        _("Period"),
        _("{days}, days are UTC").format(days=days(bill.period.start, last, year=True)),
    )
    yield _("Currency"), bill.currency
    yield _total_words(bill), money(bill.total, bill.currency)
    if closed:
        yield _("Closed"), day(closed.closed_at.date(), year=True)
    elif fresh.as_of:
        yield _("Data as of"), moment(fresh.as_of)
    if visit.brand.support_email or visit.brand.support_url:
        yield _("Questions"), visit.brand.support_email or visit.brand.support_url


def _total_words(bill: Statement) -> str:
    return _(TOTALS[bill.status])


def _rows(bill: Statement) -> Iterator[Row]:
    for part in bill.parts:
        yield Row((_stretch(part),), "heading")
        for line in part.lines:
            yield from _line(line, bill.currency)
    if bill.closing:
        yield Row((_("Earlier periods and credits"),), "heading")
        for line in bill.closing:
            yield from _line(line, bill.currency)
    yield Row((_total_words(bill), money(bill.total, bill.currency)), "total")


def _stretch(part: Part) -> str:
    text = f"{part.plan} · {days(part.start, part.end - DAY, year=True)}"
    used = (part.end - part.start).days
    if used == part.full_days:
        return text
    share = _("{days} of {all} days").format(days=used, all=part.full_days)
    return f"{text} · {share}"


def _line(line: StatementLine, currency: str) -> Iterator[Row]:
    notes = [worked_out(line.arithmetic, currency)] if line.arithmetic else []
    if line.noticed_on:
        notes.append(_("noticed on {day}").format(day=day(line.noticed_on, year=True)))
    cells = (
        *(line_name(line), line_quantity(line)),
        *(line_price(line, currency), money(line.amount, currency)),
    )
    yield Row(cells, "line", tuple(notes))
    for part in line.breakdown:
        yield Row((_(part.label), money(part.amount, currency)), "part")


def _foot(visit: Visit, bill: Statement) -> Iterator[str]:
    if bill.content_hash:
        yield _("Fingerprint of the final statement (SHA-256):")
        yield bill.content_hash
    else:
        yield _("So far, not final: figures may still change.")
    yield visit.brand.title


def _written_at(bill: Statement, fresh: Freshness, closed: ClosedBill | None) -> datetime:
    at = closed.closed_at if closed else fresh.as_of
    return at or datetime.combine(bill.period.start, time(), UTC)
