"""`backtest`: projections of periods that are over, checked against what happened."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.clock import now, today
from data.errors import NotFound
from data.scope import EveryTenant
from data.settings import Settings, load_settings
from data.store import find_customers

if TYPE_CHECKING:
    from data.backtest.quality import Qualities, Quality
    from data.backtest.run import BackTest

HEAD = (
    f"{'':<14}{'cases':>7}{'error':>8}{'run rate':>10}{'skill':>8}"
    f"{'inside':>9}{'below':>8}{'above':>8}{'Brier':>8}"
)


def backtest_command(
    customer: Annotated[
        str | None, typer.Option(help="A customer's slug; default: everyone.")
    ] = None,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Check all periods anew, for a changed method.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Project past periods as they stood then, and count how often the range was right."""
    from data.backtest.quality import qualities  # numpy: 20 MB other commands do not need

    settings = load_settings()
    scope = EveryTenant(settings.admin_url)
    if customer and customer not in {one.slug for one in find_customers(scope, customer)}:
        raise NotFound(f"There is no customer {customer!r}.")
    done = check_past(settings, customer=customer, again=again)
    found = qualities(scope, today=today(settings))
    print(json.dumps(_document(done, found), indent=2) if as_json else _text(done, found))
    for line in done.failed:
        print(f"  {line}", file=sys.stderr)
    if done.failed:
        raise typer.Exit(1)


def check_past(
    settings: Settings, *, customer: str | None = None, again: bool = False
) -> "BackTest":
    """The step after a sync: check the periods that have settled since the last one."""
    from data.backtest.run import back_test

    return back_test(
        EveryTenant(settings.admin_url),
        today=today(settings),
        now=settings.moment(now()),
        settling_days=settings.settling_days,
        calendar=settings.holidays,
        customer=customer,
        again=again,
    )


def tell(done: "BackTest") -> None:
    """One line, and why some could not be checked."""
    if done.cases:
        print(_done(done))
    for line in done.failed:
        print(f"  {line}", file=sys.stderr)


def _done(done: "BackTest") -> str:
    return f"Checked {done.cases} projections of {done.periods} past periods."


def _text(done: "BackTest", found: "Qualities") -> str:
    from data.backtest.quality import APART

    lines = [_done(done)]
    if not found.by_case:
        return f"{lines[0]}  No past period has settled yet."
    lines += ["Of the periods that ended in the last twelve months, all customers:", HEAD]
    lines += [_row(kind, found.of(kind)) for kind in found.classes]
    lines.append(_row("all", found.of()))
    lines += [_row(f"after day {days}", found.of(cut_off=days)) for days in found.cut_offs]
    lines.append(
        "error: of the median, over the usual period; skill: part of the run rate's error saved;"
    )
    lines.append("inside: ended in the 80% range; cold start and idle are counted apart.")
    shown = [(kind, found.of(kind)) for kind in found.classes if kind not in APART]
    lines += [
        f"Warning: {kind}: {_percent(one.coverage)} ended inside the range; 70% to 90% should."
        for kind, one in [*shown, ("all", found.of())]
        if one.drifts
    ]
    return "\n".join(lines)


def _row(name: str, one: "Quality") -> str:
    share = [count / one.cases if one.cases else None for count in (one.below, one.above)]
    return (
        f"{name:<14}{one.cases:>7}{_figure(one.error):>8}{_figure(one.run_rate_error):>10}"
        f"{_percent(one.skill):>8}{_percent(one.coverage):>9}{_percent(share[0]):>8}"
        f"{_percent(share[1]):>8}{_figure(one.brier):>8}"
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _document(done: "BackTest", found: "Qualities") -> dict[str, object]:
    return {
        "checked": {"customers": done.customers, "periods": done.periods, "cases": done.cases},
        "failed": list(done.failed),
        "all": _sums(found.of()),
        "classes": {kind: _sums(found.of(kind)) for kind in found.classes},
        "cut_offs": {str(days): _sums(found.of(cut_off=days)) for days in found.cut_offs},
    }


def _sums(one: "Quality") -> dict[str, float | int | bool | None]:
    return {
        "cases": one.cases,
        "error": one.error,
        "run_rate_error": one.run_rate_error,
        "skill": one.skill,
        "coverage": one.coverage,
        "below": one.below,
        "above": one.above,
        "brier": one.brier,
        "drifts": one.drifts,
    }
