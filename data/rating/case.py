"""A whole case as one document (JSON or YAML): plans with their days, usage, credits, dates.

Validated before anything is priced.  Every figure may be text or a number: JSON's numbers are read
as decimals, so that nothing passes through a float.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from data.errors import Conflict, InputError
from data.grants import CreditEntry, Entry, MoneyEntry, lot_of, money_of
from data.meters import meters_of
from data.pricing import (
    CreditLot,
    CreditLots,
    MoneyCredit,
    Plan,
    PlanChange,
    PlanStretch,
    TimelineEntry,
    stretches,
    timeline,
)
from data.pricing.ledger import unique_grants
from data.pricing.timeline import When
from data.rating.bills import Case, billed_days
from data.rating.problems import Problem, disproportionate, problem, problems_in, refused
from data.rating.usage import (
    CaseDay,
    Currency,
    Located,
    UsageRow,
    checked_rows,
)
from data.yaml_file import read_yaml


class PlanReference(Entry):
    """A version whose terms stand in an earlier entry."""

    plan: str
    version: int


def _terms_or_reference(value: Any) -> str:
    refers = isinstance(value, PlanReference) or (
        isinstance(value, Mapping) and set(value) <= set(PlanReference.model_fields)
    )
    return "reference" if refers else "terms"


class PlanEntry(Entry):
    """A plan asked for on a day; `when` overrules the rule for up- and downgrades."""

    from_: CaseDay = Field(alias="from")
    plan: Annotated[
        Annotated[Plan, Tag("terms")] | Annotated[PlanReference, Tag("reference")],
        Discriminator(_terms_or_reference),
    ]
    when: When | None = None


class LotEntry(CreditEntry):
    bought_on: CaseDay
    expires_on: CaseDay | None = None
    voided_on: CaseDay | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires_on is not None and self.expires_on <= self.bought_on:
            raise ValueError(f"expires_on: {self.expires_on} must come after bought_on")
        if self.voided_on is not None and self.voided_on < self.bought_on:
            raise ValueError(f"voided_on: {self.voided_on} must not come before bought_on")
        return self


class MoneyCreditEntry(MoneyEntry):
    """Without a currency it is in the plan's."""

    currency: Currency = ""
    effective_on: CaseDay
    expires_on: CaseDay | None = None


class PaidInAdvance(Entry):
    """Credits and money credits: a file of their own beside a CSV."""

    credits: tuple[LotEntry, ...] = ()
    money_credits: tuple[MoneyCreditEntry, ...] = ()


class CaseDocument(PaidInAdvance):
    plan: Plan | None = None
    plans: tuple[PlanEntry, ...] = ()
    ends_on: CaseDay | None = None
    usage: tuple[UsageRow, ...] = ()
    from_: CaseDay | None = Field(default=None, alias="from")
    to: CaseDay | None = None
    anchor_day: Annotated[int, Field(ge=1, le=31)] = 1
    cost_currency: Currency | None = None

    @model_validator(mode="after")
    def _plan_or_plans(self) -> Self:
        if (self.plan is None) == (not self.plans):
            raise ValueError("plan: give either plan, or a list plans with the day of each")
        return self


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice!r} is given twice in one object")
    return found


def _no_constant(text: str) -> Any:
    raise InputError(f"{text} is not a number that can be priced")


def document_of(text: str, source: str) -> Any:
    """JSON with exact numbers and no name twice; InputError names the line that is not JSON."""
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        raise InputError(f"{source}, line {error.lineno}: is not JSON ({error.msg})") from None
    except (RecursionError, ValueError):
        raise InputError(f"{source}: is nested too deeply, or holds too long a number") from None


def read_document(path: Path) -> Any:
    """What a file of a case holds; .yaml and .yml are YAML, all else is JSON."""
    if path.suffix in (".yaml", ".yml"):
        return read_yaml(path).value
    try:
        return document_of(path.read_text(encoding="utf-8-sig"), path.name)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8 text") from None


def document_case(value: Any) -> Case:
    """The case in a document; InputError's `problems` name every wrong field by its path."""
    if problems := tuple(disproportionate(value)):
        raise refused(problems)
    try:
        document = CaseDocument.model_validate(value)
    except ValidationError as error:
        raise refused(problems_in(error)) from None
    located = [Located(f"usage.{n}", row) for n, row in enumerate(document.usage)]
    changes = _changes(document)
    paths = [f"plans.{n}.plan" for n in range(len(changes))] or ["plan"]
    plans = [change.plan for change in changes] or [p for p in (document.plan,) if p]
    return _case(
        dict(zip(paths, plans, strict=True)),
        changes,
        located,
        document,
        dates=(document.from_, document.to, document.ends_on),
        anchor_day=document.anchor_day,
        cost_currency=document.cost_currency,
    )


def case_of_files(
    plan: Plan,
    located: Sequence[Located],
    paid: PaidInAdvance,
    *,
    start: date | None = None,
    end: date | None = None,
    anchor_day: int = 1,
) -> Case:
    """A plan with the rows of a CSV."""
    return _case({"plan": plan}, [], located, paid, dates=(start, end, None), anchor_day=anchor_day)


def _case(
    plans: Mapping[str, Plan],
    changes: Sequence[PlanChange],
    located: Sequence[Located],
    paid: PaidInAdvance,
    *,
    dates: tuple[date | None, date | None, date | None],
    anchor_day: int,
    cost_currency: str | None = None,
) -> Case:
    _check_meters(plans)
    usage = checked_rows(located, list(plans.values()), cost_currency)
    start, end, ends_on = dates
    entries = _timeline(changes, ends_on, anchor_day)
    first, last = billed_days(
        usage.days,
        start=start,
        end=end,
        signed_up=min((one.starts_on for one in entries), default=None),
        ends_on=ends_on,
        anchor_day=anchor_day,
    )
    if not entries:
        (plan,) = plans.values()
        entries = _timeline([PlanChange(plan, first, "at_once")], ends_on, anchor_day)
    agreed = stretches(entries)
    lots = _lots(paid.credits, agreed)
    money = _money_credits(paid.money_credits, entries[0].plan.currency)
    return Case(entries, usage, first, last, anchor_day, lots, money)


def _changes(document: CaseDocument) -> list[PlanChange]:
    """The plans of the list, references resolved; a version may not say two things."""
    known: dict[tuple[str, int], tuple[int, Plan]] = {}
    changes: list[PlanChange] = []
    for number, entry in enumerate(document.plans):
        path, name = f"plans.{number}.plan", (entry.plan.plan, entry.plan.version)
        earlier, plan = known.get(name, (number, None))
        if isinstance(entry.plan, Plan):
            if plan is not None and plan != entry.plan:
                message = (
                    f"{plan.id} has other terms in plans.{earlier}, and a version never changes"
                )
                raise refused([Problem(path, message)])
            plan = entry.plan
        if plan is None:
            raise refused([Problem(path, f"no earlier entry has the terms of {name[0]}@{name[1]}")])
        known.setdefault(name, (number, plan))
        changes.append(PlanChange(plan, entry.from_, entry.when))
    return changes


def _check_meters(plans: Mapping[str, Plan]) -> None:
    for path, plan in plans.items():
        try:
            meters_of(plan)
        except InputError as error:
            raise refused([problem(path, str(error))]) from None


def _timeline(
    changes: Iterable[PlanChange], ends_on: date | None, anchor_day: int
) -> tuple[TimelineEntry, ...]:
    try:
        return timeline(changes, ends_on=ends_on, anchor_day=anchor_day)
    except InputError as error:
        raise refused([Problem("plans", str(error))]) from None


def _lots(entries: Sequence[LotEntry], agreed: Sequence[PlanStretch]) -> tuple[CreditLot, ...]:
    lots: list[CreditLot] = []
    for number, entry in enumerate(entries):
        path = f"credits.{number}"
        try:
            lots.append(lot_of(entry, _price_for(entry, agreed), number))
        except InputError as error:
            raise refused([problem(path, str(error))]) from None
    return _once_each(lots)


def _once_each(lots: Sequence[CreditLot]) -> tuple[CreditLot, ...]:
    """A lot given twice counts once, and may not differ."""
    try:
        return unique_grants(lots)
    except Conflict as error:
        again = max(number for number, lot in enumerate(lots) if lot.key == error.params["lot"])
        raise refused([Problem(f"credits.{again}", str(error))]) from None


def _price_for(entry: LotEntry, agreed: Sequence[PlanStretch]) -> CreditLots:
    """That of the plan on the day of the purchase, which bills it; before all plans, the first."""
    day = max(entry.bought_on, agreed[0].starts_on) if agreed else entry.bought_on
    for stretch in agreed:
        if stretch.starts_on <= day < (stretch.ends_on or date.max):
            for price in stretch.plan.prices:
                if isinstance(price, CreditLots):
                    return price
            raise InputError(f"plan {stretch.plan.id} has no credit_lots price to use credits with")
    raise InputError(f"bought_on: no plan is in force on {entry.bought_on}")


def _money_credits(entries: Iterable[MoneyCreditEntry], currency: str) -> tuple[MoneyCredit, ...]:
    found: list[MoneyCredit] = []
    for number, entry in enumerate(entries):
        path = f"money_credits.{number}"
        if any(one.key == entry.key for one in found):
            raise refused([Problem(f"{path}.key", f"{entry.key!r} is given twice")])
        try:
            given = entry.model_copy(update={"currency": entry.currency or currency})
            found.append(money_of(given, number))
        except InputError as error:
            raise refused([problem(path, str(error))]) from None
    return tuple(found)
