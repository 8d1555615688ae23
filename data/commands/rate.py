"""`rate`: price a usage file under a plan file, or a whole case as one document."""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Annotated, Any

import typer

from data.errors import AppError, InputError
from data.money import plain
from data.periods import BillingPeriod
from data.plans import read_plan
from data.pricing import Line
from data.rating import Bill, Bills, Case, answer, bills, case_of_files, document_case
from data.rating.answer import COUNTS_OTHER_THINGS, money_text
from data.rating.case import PaidInAdvance, document_of, read_document
from data.rating.problems import problems_of
from data.rating.usage_file import read_usage
from data.yaml_file import read_yaml

STDIN = Path("-")


def rate_command(
    plan: Annotated[Path | None, typer.Option(help="A plan file (YAML).")] = None,
    usage: Annotated[
        Path | None, typer.Option(help="A CSV of day, category or meter, quantity, cost.")
    ] = None,
    credits: Annotated[
        Path | None, typer.Option(help="A YAML file with the lists `credits`, `money_credits`.")
    ] = None,
    case: Annotated[
        Path | None, typer.Option(help="Instead: all of it as one JSON or YAML file; - reads JSON.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last.")
    ] = None,
    anchor_day: Annotated[
        int | None, typer.Option(min=1, max=31, help="Where periods begin; 1 if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Price usage under plans.  Shows cost: for the ISV's eyes."""
    beside = (plan, usage, credits, start, end, anchor_day)
    as_json = as_json or case == STDIN
    try:
        if case is None:
            days = (start and start.date(), end and end.date())
            given = _case_of_files(plan, usage, credits, days, anchor_day or 1)
        elif any(one is not None for one in beside):
            raise InputError("--case holds the whole case: give it alone, or with --json")
        else:
            given = document_case(_document(case))
        rated = _rated(given)
        if as_json:
            _print_json(answer(rated))
        else:
            print("\n".join(_rows(rated)))
    except AppError as error:
        if not as_json:
            raise
        _print_error(error)
        raise typer.Exit(2) from None


def _case_of_files(
    plan: Path | None,
    usage: Path | None,
    credits: Path | None,
    days: tuple[date | None, date | None],
    anchor_day: int,
) -> Case:
    if plan is None or usage is None:
        raise InputError("--plan and --usage are needed, or --case")
    agreed = read_plan(plan)
    paid = read_yaml(credits).parsed(PaidInAdvance) if credits else PaidInAdvance()
    start, end = days
    return case_of_files(
        agreed, read_usage(usage), paid, start=start, end=end, anchor_day=anchor_day
    )


def _document(path: Path) -> Any:
    if path != STDIN:
        return read_document(path)
    try:
        return document_of(sys.stdin.read().removeprefix("\ufeff"), "standard input")
    except UnicodeDecodeError:
        raise InputError("standard input is not UTF-8 text") from None


def _rated(case: Case) -> Bills:
    try:
        return bills(case)
    except DecimalException:
        raise InputError("a figure of the case is out of all proportion") from None


def _print_error(error: AppError) -> None:
    problems = [{"path": one.path, "message": one.message} for one in problems_of(error)]
    _print_json({"error": {"message": str(error), "problems": problems}})


def _print_json(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    print(text.encode("utf-8", "replace").decode("utf-8"))  # half a character has no UTF-8


def _rows(rated: Bills) -> Iterator[str]:
    currency = rated.case.currency
    for entry in rated.case.timeline if len(rated.case.timeline) > 1 else ():
        billed = f"billed from {entry.starts_on}" if entry.billed else "not billed"
        yield f"{entry.plan.id} asked for on {entry.asked_on}, {billed}"
    for bill in rated.periods:
        yield from _bill_rows(bill, currency)
    if len(rated.periods) > 1:
        yield _sum_row("All periods", rated.total, currency)
    for credit in rated.case.money_credits:
        left = money_text(rated.money_left[credit.key], credit.currency)
        yield f"{credit.name}: {left} {credit.currency} left"
    if rated.case.left_out:
        days = ", ".join(day.isoformat() for day in rated.case.left_out)
        yield f"Usage outside the days billed is left out: {days}"


def _bill_rows(bill: Bill, currency: str) -> Iterator[str]:
    period, parts = bill.rated.period, bill.rated.parts
    yield f"{period.start} – {period.end} (exclusive){_share(period)}, {currency}"
    for part in parts:
        if len(parts) > 1:
            yield f" {part.plan.id}, {part.period.start} – {part.period.end}{_share(part.period)}"
        yield from (_row(line, currency) for line in part.lines)
    yield from (_row(line, currency) for line in bill.payments)
    if bill.tax or bill.payments:
        yield _sum_row("Net", bill.net, currency)
    if bill.tax:
        yield _sum_row("Tax", bill.tax, currency)
    if bill.payments:
        yield _sum_row("Paid by credits", bill.credited, currency)
    yield _sum_row("Total", bill.total, currency)


def _share(period: BillingPeriod) -> str:
    return f", {period.days} of {period.full_days} days" if period.days < period.full_days else ""


def _row(line: Line, currency: str) -> str:
    meter = line.meter if line.meter and line.kind not in COUNTS_OTHER_THINGS else ""
    quantity = "" if line.quantity is None else f"{plain(line.quantity)} {meter}".strip()
    amount = money_text(line.amount, currency)
    row = f"  {line.kind.value:<12} {line.label:<28} {quantity:>14} {amount:>12}"
    if line.arithmetic is not None:
        row += f"  = {line.arithmetic}"
    if line.recognized is not None:
        row += f"  recognises {money_text(line.recognized, currency)}"
    return row


def _sum_row(label: str, amount: Decimal, currency: str) -> str:
    return f"  {label:<57}{money_text(amount, currency):>12}"
