"""Customers from a CSV: a row for each account of a customer, judged before anything is stored.

Columns (COLUMNS): `slug` names the customer, `name` is needed for a new one; a cell left empty
changes nothing.  A row's plan is agreed from `starts_on`; `plan@2` is its version 2, without one it
is the newest; `tier` picks the plan whose terms differ in the chosen tier only.  The rows become
entries of customers.yaml and are checked and stored as those are: all of them, or none.  Applying
a file twice changes nothing the second time.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from io import StringIO
from typing import TypeVar

from pydantic import ValidationError
from sqlmodel import col, select

from data.assignment import Owner, move_account
from data.customer_acts import cost_currency, standing, with_plan
from data.customer_checks import entry_problems
from data.customers import TakeBack, store_customer, trying
from data.customers_file import AccountEntry, CustomerEntry, CustomersFile, PlanEntry
from data.errors import InputError
from data.identity.audit import Action, By
from data.models import SYSTEM_CUSTOMER, Account, Customer
from data.plans import stored_plans
from data.pricing import Bundles, Plan, field_path, reason
from data.scope import EveryTenant, ScopedSession
from data.twilio.service_intake import move_service_rows
from data.yaml_file import Location

COLUMNS = (
    *("slug", "name", "email", "external_id", "account_sid", "application"),
    *("plan", "tier", "anchor_day", "starts_on"),
)
TEMPLATE = (
    ",".join(COLUMNS) + "\n"
    "acme,Acme Ltd,office@acme.example,C-1001,,,,,1,\n"
    f"beta,Beta GmbH,,C-1002,AC{'0' * 32},Shop,,,1,2026-01-01\n"
)
MOST_ROWS, LONGEST_TEXT = 2_000, 200_000  # characters

COLUMN_OF = {"sid": "account_sid", "from": "starts_on"}  # of a field that is named otherwise

Row = dict[str, str]  # by column
M = TypeVar("M", CustomerEntry, AccountEntry, PlanEntry)
_Plans = Mapping[tuple[str, int], Plan]


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What becomes of a row: `details` are the changes, or what is wrong, with the field first."""

    line: int
    slug: str
    verdict: Verdict
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerImport:
    rows: tuple[RowVerdict, ...]
    stored: bool

    @property
    def errors(self) -> int:
        return sum(row.verdict is Verdict.ERROR for row in self.rows)


@dataclass(slots=True)
class _Group:
    """The rows of one customer by line, and what is wrong with them."""

    rows: dict[int, Row] = field(default_factory=dict)
    errors: dict[int, list[str]] = field(default_factory=dict)
    entry: CustomerEntry | None = None
    known: bool = False

    def wrong(self, line: int, why: str) -> None:
        self.errors.setdefault(line, []).append(why)

    def line_of(self, column: str, value: object) -> int:
        """Where the value was typed; else the customer's first row."""
        found = (line for line, row in self.rows.items() if row[column] == f"{value}")
        return next(found, next(iter(self.rows)))


def import_csv(scope: EveryTenant, text: str, *, by: By, dry_run: bool = False) -> CustomerImport:
    """Judge every row and, unless it is a dry run or one is wrong, store them all.

    InputError for a text that is no such table: no rows, a column that is not known.
    """
    rows = read_rows(text)
    groups: dict[str, _Group] = {}
    with trying(scope) as session:
        plans = stored_plans(session)
        for line, row in rows:
            _add(session, groups, line, row, plans)
        _check(session, groups)
        right = {slug: group for slug, group in groups.items() if not group.errors}
        found = _store(session, right, by)
        stored = not dry_run and len(right) == len(groups)
        if not stored:
            raise TakeBack
    return CustomerImport(tuple(_verdicts(groups, found)), stored)


def read_rows(text: str) -> list[tuple[int, Row]]:
    """Each row with its line; separated by commas, semicolons or tabs."""
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise InputError("Paste the rows, the columns' names first.")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"{len(text):,} characters: at most {LONGEST_TEXT:,} at a time")
    first = text.splitlines()[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(StringIO(text), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputError(f"line 1: {error}") from None
    if unknown := [name for name in names if name not in COLUMNS]:
        raise InputError(f"line 1: {unknown[0]!r} is not a column; known are {', '.join(COLUMNS)}")
    if "slug" not in names:
        raise InputError("line 1: the column slug is missing")
    if twice := [name for n, name in enumerate(names) if name in names[:n]]:
        raise InputError(f"line 1: the column {twice[0]} stands there twice")
    reader.fieldnames = names
    rows = []
    try:
        for row in reader:
            if None in row:
                raise InputError(f"line {reader.line_num}: more cells than columns")
            cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
            if any(cells.values()):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from None
    if len(rows) > MOST_ROWS:
        raise InputError(f"{len(rows):,} rows: at most {MOST_ROWS:,} at a time")
    return rows


# A row into its customer's entry


def _add(
    session: ScopedSession, groups: dict[str, _Group], line: int, row: Row, plans: _Plans
) -> None:
    slug = row["slug"]
    if (group := groups.get(slug)) is None:
        group = groups[slug] = _Group()
        found = session.exec(select(Customer).where(Customer.slug == slug)).first()
        if found is not None and slug != SYSTEM_CUSTOMER:
            entry = standing(session, found)
            group.known = True
            group.entry = entry.model_copy(update={"credits": (), "money_credits": ()})
    try:
        _not_twice(groups, row)
        group.entry = _with_row(group, row, plans)
    except InputError as error:
        group.wrong(line, str(error))
    group.rows[line] = row


def _not_twice(groups: Mapping[str, _Group], row: Row) -> None:
    for group in groups.values():
        for line, other in group.rows.items():
            if row["account_sid"] and other["account_sid"] == row["account_sid"]:
                raise InputError(f"account_sid: stands in line {line} already")
            if not row["account_sid"] and other["slug"] == row["slug"]:
                raise InputError(f"slug: stands in line {line} already; a second row is an account")


def _with_row(group: _Group, row: Row, plans: _Plans) -> CustomerEntry:
    entry = group.entry
    if entry is None:
        for name in ("slug", "name"):
            if not row[name]:
                raise InputError(f"{name}: needed for a new customer")
        entry = _valid(CustomerEntry, {"slug": row["slug"], "name": row["name"]})
    own = {name: row[name] for name in ("name", "email", "external_id", "anchor_day") if row[name]}
    if group.rows:
        _must_agree(entry, own)
    stated = entry.model_dump(exclude={"accounts", "plans", "credits", "money_credits"})
    merged = _valid(CustomerEntry, {**stated, **own})
    accounts, agreed = entry.accounts, entry.plans
    if row["account_sid"] or row["application"]:
        accounts = _with_account(entry, row)
    if row["plan"] or row["tier"]:
        plan = picked(plans, row["plan"], row["tier"])
        change = {"plan": plan.plan, "version": plan.version, "from": _starts_on(row, "a plan")}
        agreed = _with_change(entry, _valid(PlanEntry, change))
    return merged.model_copy(update={"accounts": accounts, "plans": agreed})


def _valid(model: type[M], given: Mapping[str, object]) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = (f"{COLUMN_OF.get(f, f)}: {why}" for f, why in _reasons(error))
        raise InputError("; ".join(found)) from None


def _reasons(error: ValidationError) -> Iterator[tuple[str, str]]:
    for item in error.errors():
        yield field_path(item["loc"]), reason(item)


def _must_agree(entry: CustomerEntry, own: Mapping[str, str]) -> None:
    for name, value in own.items():
        if str(getattr(entry, name)) != value:
            raise InputError(
                f"{name}: an earlier row of {entry.slug} says {getattr(entry, name)!r}"
            )


def _with_account(entry: CustomerEntry, row: Row) -> tuple[AccountEntry, ...]:
    sid = row["account_sid"]
    if not sid:
        raise InputError("account_sid: needed with an application")
    held = [one for one in entry.accounts if one.sid == sid]
    starts_on = row["starts_on"] if row["starts_on"] or not held else f"{held[-1].starts_on}"
    same = [one for one in held if f"{one.starts_on}" == starts_on]
    if held and not same:  # it has been this customer's since another day: only its name is new
        same = [held[-1]]
    if same:
        application = row["application"] or same[0].application
        named = same[0].model_copy(update={"application": application})
        return tuple(named if one == same[0] else one for one in entry.accounts)
    given = {"sid": sid, "application": row["application"], "from": _starts_on(row, "account")}
    return (*entry.accounts, _valid(AccountEntry, given))


def _with_change(entry: CustomerEntry, change: PlanEntry) -> tuple[PlanEntry, ...]:
    """One more plan, unless that version is what was last agreed by its day."""
    before = [one for one in entry.plans if one.subscription == change.subscription]
    last = [one for one in before if one.starts_on <= change.starts_on]
    if last and (last[-1].plan, last[-1].version) == (change.plan, change.version):
        return entry.plans
    return with_plan(entry.plans, change)


def _starts_on(row: Row, what: str) -> date:
    try:
        return date.fromisoformat(row["starts_on"])
    except ValueError:
        given = repr(row["starts_on"]) if row["starts_on"] else "nothing"
        raise InputError(
            f"starts_on: {given} is not a day; with {what} write it as 2026-03-31"
        ) from None


def picked(plans: _Plans, name: str, tier: str) -> Plan:
    """The version that a row names; InputError says what there is instead."""
    if not name:
        raise InputError("plan: needed with a tier")
    match = re.fullmatch(r"([a-z0-9][a-z0-9-]*)(?:@(\d+))?", name)
    versions = {v: one for (plan, v), one in plans.items() if match and plan == match[1]}
    if match is None or not versions:
        known = ", ".join(sorted({plan for plan, _ in plans})) or "none"
        raise InputError(f"plan: there is no {name!r}; there are {known}")
    version = int(match[2]) if match[2] else max(versions)
    if version not in versions:
        raise InputError(f"plan: {match[1]} has no version {version}")
    return with_tier(plans, versions[version], tier) if tier else versions[version]


def with_tier(plans: _Plans, plan: Plan, tier: str) -> Plan:
    """The plan of the same terms on which this tier is chosen: a tier is part of a version."""
    bundles = [price for price in plan.prices if isinstance(price, Bundles)]
    if not bundles:
        raise InputError(f"tier: the plan {plan.id} has no tiers")
    if all(one.chosen == tier for one in bundles):
        return plan
    wanted = _but_for_its_names(plan, tier)
    for key in sorted(plans, reverse=True):
        if _but_for_its_names(plans[key]) == wanted:
            return plans[key]
    known = ", ".join(one.name for one in bundles[0].ladder)
    raise InputError(f"tier: no plan like {plan.id} is on {tier!r} (its ladder: {known})")


def _but_for_its_names(plan: Plan, tier: str | None = None) -> Plan:
    prices = tuple(
        price.model_copy(update={"chosen": tier}) if tier and isinstance(price, Bundles) else price
        for price in plan.prices
    )
    return plan.model_copy(update={"plan": "", "version": 0, "name": "", "prices": prices})


# All of them


def _check(session: ScopedSession, groups: Mapping[str, _Group]) -> None:
    named = [(group, group.entry) for group in groups.values() if group.entry is not None]
    content = CustomersFile(
        cost_currency=cost_currency(session), customers=tuple(entry for _, entry in named)
    )
    for where, why in entry_problems(session, content):
        group, entry = named[int(where[1])]
        line, column = _place(group, entry, where[2:])
        group.wrong(line, f"{column}: {why}")
    for group, entry in named:
        for sid, slug in _owned_by_others(session, entry):
            group.wrong(group.line_of("account_sid", sid), f"account_sid: {sid} belongs to {slug}")


def _place(group: _Group, entry: CustomerEntry, where: Location) -> tuple[int, str]:
    """The line and the column of a problem that stands at a place of the entry."""
    if where[:1] == ("accounts",) and len(where) > 1:
        return group.line_of("account_sid", entry.accounts[int(where[1])].sid), "account_sid"
    if where[:1] == ("plans",):
        at = entry.plans[int(where[1])].starts_on if len(where) > 1 else entry.plans[-1].starts_on
        return group.line_of("starts_on", at), "plan"
    return next(iter(group.rows)), field_path(where)


def _owned_by_others(session: ScopedSession, entry: CustomerEntry) -> Iterator[tuple[str, str]]:
    """Accounts that another customer holds on one of the same days: SID and slug."""
    rows = session.exec(
        select(Account, col(Customer.slug)).where(
            Account.customer_id == Customer.id,
            col(Account.sid).in_([one.sid for one in entry.accounts]),
            col(Customer.slug).not_in([SYSTEM_CUSTOMER, entry.slug]),
        )
    ).all()
    for one in entry.accounts:
        wanted = Owner(0, one.starts_on, one.ends_on)
        for row, slug in rows:
            held = Owner(row.customer_id, row.starts_on, row.ends_on)
            if row.sid == one.sid and held.meets(wanted):
                yield one.sid, slug


def _store(
    session: ScopedSession, groups: Mapping[str, _Group], by: By
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for slug, group in groups.items():
        assert group.entry is not None
        named = {one.sid for one in group.entry.accounts}
        lines = tuple(store_customer(session, group.entry, named))
        for sid in sorted(named) if any("account" in line for line in lines) else ():
            move_account(session, sid)
            move_service_rows(session, today=by.at.date(), only=sid)
        found[slug] = tuple(line.removeprefix(f"customer {slug}: ") for line in lines)
        if lines:
            owner = session.exec(select(Customer.id).where(Customer.slug == slug)).one()
            by.note(session, Action.AGREEMENT_CHANGED, "; ".join(found[slug]), customer_id=owner)
    return found


def _verdicts(
    groups: Mapping[str, _Group], found: Mapping[str, tuple[str, ...]]
) -> list[RowVerdict]:
    rows = []
    for slug, group in groups.items():
        for line in group.rows:
            if line in group.errors:
                kind, details = Verdict.ERROR, tuple(dict.fromkeys(group.errors[line]))
            elif not found.get(slug):
                kind, details = Verdict.UNCHANGED, ()
            else:
                kind = Verdict.CHANGED if group.known else Verdict.NEW
                details = found[slug]
            rows.append(RowVerdict(line, slug, kind, details))
    return sorted(rows, key=lambda row: row.line)
