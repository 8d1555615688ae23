"""customers.yaml: who the ISV's customers are, with their accounts, plans and credits by date.

The file is the truth: importing it twice changes nothing, and a dry run says what would change.
What staff agreed on the pages since (data/customer_acts.py) it undoes only when told to.
Accounts not named in it wait under a system customer that only staff see; rows of usage follow
their account to whoever owns it on their day.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlmodel import col, delete, func, select

from data.assignment import keep_waiting, mark_changed, move_rows
from data.customer_checks import granted_lot, problems
from data.customers_file import CustomerEntry, CustomersFile
from data.errors import Conflict, InputError
from data.grants import money_of
from data.identity.audit import Action, note
from data.models import (
    SYSTEM_CUSTOMER,
    Account,
    AccountEvent,
    AuditEntry,
    CreditLot,
    Customer,
    MoneyCredit,
    PlanChange,
    Subscription,
)
from data.money import plain
from data.plans import store_plans
from data.pricing import Plan
from data.scope import EveryTenant, ScopedSession, writing
from data.twilio.service_intake import move_service_rows
from data.yaml_file import YamlFile, read_yaml

# Of an account, whoever owns it: what Twilio says, and whether it may still be read.
TWILIOS_OWN = {"name", "status", "closed_on", "withdrawn_at", "as_of", "synced_at"}

FILE_IMPORT = "customers import"  # who acts, in the audit log


@dataclass(frozen=True)
class ImportReport:
    """A line for each thing that changed (or would)."""

    changes: tuple[str, ...]
    dry_run: bool
    undoes: tuple[str, ...] = ()  # customers changed beside the file since its last import


_Holds = dict[tuple[str, date], int]  # customers by account and first day


class TakeBack(Exception):
    """Ends a transaction of `trying` without a trace."""


@contextmanager
def trying(scope: EveryTenant) -> Iterator[ScopedSession]:
    """A transaction that does all it is asked, and is taken back where that was a dry run."""
    with suppress(TakeBack), writing(scope) as session:
        yield session


def import_customers(
    scope: EveryTenant,
    path: Path,
    plans: Iterable[Plan],
    *,
    now: datetime,
    dry_run: bool = False,
    overwrite: bool = False,
) -> ImportReport:
    """Bring the store in line with the file.  All of it, or nothing.

    InputError lists what is wrong, by line; Conflict says which agreed thing was changed, or whom
    staff changed on the pages since, which only `overwrite` undoes.
    """
    file = read_yaml(path)
    content = file.parsed(CustomersFile)
    changes: list[str] = []
    undoes: list[str] = []
    with trying(scope) as session:
        before, beside = _holds(session), _changed_beside(session)
        changes += store_plans(session, plans)
        _check(session, file, content)
        named = {one.sid for entry in content.customers for one in entry.accounts}
        for entry in content.customers:
            changed = list(store_customer(session, entry, named))
            _note_changes(session, entry.slug, changed, now)
            changes += changed
            undoes += [beside[entry.slug]] if changed and entry.slug in beside else []
        let_go = dict(_let_go(session, {entry.slug for entry in content.customers}))
        changes += let_go.values()
        undoes += [beside[slug] for slug in let_go if slug in beside]
        changes += move_rows(session)
        move_service_rows(session, today=now.date())
        _note_owners(session, before, now)
        if dry_run:
            raise TakeBack
        if undoes and not overwrite:
            raise Conflict(
                "the file would undo what was agreed on the pages:\n"
                + "\n".join(f"  {one}" for one in undoes)
                + "\nTake it over into the file (`customers export` writes what stands), or "
                "import with --overwrite."
            )
    return ImportReport(tuple(changes), dry_run, tuple(undoes))


def _changed_beside(session: ScopedSession) -> dict[str, str]:
    """Customers, by slug, whose agreement was last changed beside the file: by whom, and when."""
    changed = AuditEntry.action == Action.AGREEMENT_CHANGED
    newest = (
        select(func.max(AuditEntry.id))
        .where(changed, col(AuditEntry.customer_id).is_not(None))
        .group_by(col(AuditEntry.customer_id))
    )
    rows = session.exec(
        select(col(Customer.slug), col(AuditEntry.actor), col(AuditEntry.at))
        .where(col(AuditEntry.id).in_(newest), AuditEntry.actor != FILE_IMPORT)
        .where(AuditEntry.customer_id == Customer.id)
    ).all()
    return {
        slug: f"{slug}: changed by {actor} on {at:%Y-%m-%d %H:%M} UTC" for slug, actor, at in rows
    }


def _check(session: ScopedSession, file: YamlFile, content: CustomersFile) -> None:
    found = [f"{file.where(where)}: {what}" for where, what in problems(session, content)]
    if found:
        raise InputError("\n".join(found))


def _holds(session: ScopedSession) -> _Holds:
    rows = session.exec(
        select(col(Account.sid), col(Account.starts_on), col(Account.customer_id))
    ).all()
    return {(sid, starts_on): customer_id for sid, starts_on, customer_id in rows}


def _note_owners(session: ScopedSession, before: _Holds, now: datetime) -> None:
    """Who an account belongs to since this import, among what happened to it."""
    slugs = dict(session.exec(select(Customer.id, Customer.slug)).all())
    known = {sid for sid, _ in before}
    for (sid, starts_on), customer_id in _holds(session).items():
        slug = slugs[customer_id]
        if before.get((sid, starts_on)) != customer_id and slug != SYSTEM_CUSTOMER:
            kind = "moved" if sid in known else "named"
            detail = f"to {slug} from {starts_on}"
            session.add(AccountEvent(account_sid=sid, at=now, kind=kind, detail=detail))


def store_customer(session: ScopedSession, entry: CustomerEntry, named: set[str]) -> Iterator[str]:
    """Bring one customer in line with its entry: a line for each thing that changes.

    `named`: every account that the file names, which no customer's own connecting then holds.
    """
    found = session.exec(select(Customer).where(Customer.slug == entry.slug)).all()
    framed_by = None if entry.embed_origins is None else list(entry.embed_origins)
    values = {
        "name": entry.name,
        "email": entry.email,
        "external_id": entry.external_id,
        "embed_origins": framed_by,
    }
    customer = found[0] if found else Customer(slug=entry.slug, name=entry.name)
    changed = [name for name, value in values.items() if getattr(customer, name) != value]
    customer.sqlmodel_update(values)
    session.add(customer)
    session.flush()
    if not found:
        yield f"customer {entry.slug}: new"
    elif changed:
        yield f"customer {entry.slug}: {', '.join(changed)} changed"
    assert customer.id is not None
    yield from _store_accounts(session, customer.id, entry, named)
    yield from store_subscriptions(session, customer.id, entry)
    yield from store_credits(session, customer.id, entry)
    yield from _store_money(session, customer.id, entry)


def _note_changes(session: ScopedSession, slug: str, changes: list[str], now: datetime) -> None:
    """Into the audit log, without the customer's name before every line."""
    if changes:
        owner = session.exec(select(Customer.id).where(Customer.slug == slug)).one()
        detail = "; ".join(one.removeprefix(f"customer {slug}: ") for one in changes)
        action = Action.AGREEMENT_CHANGED
        note(session, now, action, customer_id=owner, actor=FILE_IMPORT, detail=detail)


def _let_go(session: ScopedSession, named: set[str]) -> Iterator[tuple[str, str]]:
    """A customer that the file names no more keeps its name and nothing else: slug and line."""
    for customer in session.exec(select(Customer)).all():
        if customer.slug in named or customer.slug == SYSTEM_CUSTOMER:
            continue
        had = 0
        for table in (Account, PlanChange, Subscription):
            for row in session.exec(select(table).where(table.customer_id == customer.id)).all():
                if isinstance(row, Account):
                    keep_waiting(session, row)
                session.delete(row)
                had += 1
        if had:
            yield customer.slug, f"customer {customer.slug}: no longer in the file"
    session.flush()


def _store_accounts(
    session: ScopedSession, owner: int, entry: CustomerEntry, named: set[str]
) -> Iterator[str]:
    rows = session.exec(select(Account).where(Account.customer_id == owner)).all()
    stored = {(row.sid, row.starts_on): row for row in rows if not _beside_the_file(row, named)}
    paid_by = {key: row.subscription for key, row in stored.items()}
    known_before = set(stored)
    for account in entry.accounts:
        key = (account.sid, account.starts_on)
        row = stored.pop(key, None)
        if row is None:
            known = session.exec(select(Account).where(Account.sid == account.sid)).first()
            row = Account(
                customer_id=owner,
                sid=account.sid,
                starts_on=account.starts_on,
                **(known.model_dump(include=TWILIOS_OWN) if known else {}),
            )
            yield f"customer {entry.slug}: account {account.sid} from {account.starts_on}"
        values = account.model_dump(include={"ends_on", "subscription", "application", "kind"})
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        if key in known_before and changed:
            yield f"customer {entry.slug}: account {account.sid}: {', '.join(changed)} changed"
        row.sqlmodel_update({**values, "named_by": "file"})
        session.add(row)
    for sid, starts_on in stored:
        keep_waiting(session, stored[sid, starts_on])
        session.delete(stored[sid, starts_on])
        yield f"customer {entry.slug}: account {sid} no longer named"
    session.flush()
    now = {(one.sid, one.starts_on): one.subscription for one in entry.accounts}
    for (sid, starts_on), subscription in paid_by.items():
        if now.get((sid, starts_on)) != subscription:  # it pays for other accounts now
            _reprice(session, owner, subscription, starts_on)
            mark_changed(session, sid, starts_on)


def _beside_the_file(row: Account, named: set[str]) -> bool:
    """Whether the customer connected the account itself, and the file says nothing of it."""
    return row.named_by == "connect" and row.sid not in named


def store_subscriptions(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    """The plans of the entry in the place of those that are stored."""
    before = _agreed(session, owner)
    session.execute(delete(PlanChange).where(col(PlanChange.customer_id) == owner))
    found = session.exec(select(Subscription).where(Subscription.customer_id == owner)).all()
    stored = {row.key: row for row in found}  # kept in place: who closes or posts locks them
    held = session.exec(select(Account).where(Account.customer_id == owner)).all()
    keys = {plan.subscription for plan in entry.plans} | {row.subscription for row in held}
    for key in sorted(keys):
        plans = sorted(
            (plan for plan in entry.plans if plan.subscription == key),
            key=lambda plan: plan.starts_on,
        )
        accounts = [row for row in held if row.subscription == key]
        first = min(one.starts_on for one in (plans or accounts))
        row = stored.pop(key, None) or Subscription(customer_id=owner, key=key, starts_on=first)
        ends_on = plans[-1].ends_on if plans else None
        row.sqlmodel_update(
            {"anchor_day": entry.anchor_day, "starts_on": first, "ends_on": ends_on}
        )
        session.add(row)
        for number, plan in enumerate(plans):
            session.add(
                PlanChange(
                    customer_id=owner,
                    subscription=key,
                    starts_on=plan.starts_on,
                    number=number,
                    plan=plan.plan,
                    version=plan.version,
                    takes_effect=plan.when,
                )
            )
    for row in stored.values():
        session.delete(row)
    session.flush()
    after = _agreed(session, owner)
    if before != after:
        yield f"customer {entry.slug}: plans are now {', '.join(after) or 'none'}"


def _agreed(session: ScopedSession, owner: int) -> list[str]:
    subscriptions = session.exec(
        select(Subscription).where(Subscription.customer_id == owner)
    ).all()
    changes = session.exec(select(PlanChange).where(PlanChange.customer_id == owner)).all()
    lines = [
        f"{change.plan} v{change.version} from {change.starts_on} ({change.subscription})"
        + (f", {change.takes_effect}" if change.takes_effect else "")
        for change in sorted(changes, key=lambda one: (one.subscription, one.starts_on, one.number))
    ]
    ends = {s.key: s.ends_on for s in subscriptions}
    return lines + [f"{key} until {end}" for key, end in sorted(ends.items()) if end]


def store_credits(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    """The entry's grants that are new or void; lots that it does not name stay as they are."""
    rows = session.exec(select(CreditLot).where(CreditLot.customer_id == owner)).all()
    stored = {row.key: row for row in rows}
    for grant in entry.credits:
        granted, currency = granted_lot(session, entry, grant)
        lot = CreditLot(
            customer_id=owner,
            key=granted.key,
            subscription=grant.subscription,
            name=granted.name,
            credits=granted.credits,
            units_per_credit={m: f"{rate:f}" for m, rate in granted.units_per_credit.items()},
            price=granted.price,
            currency=currency,
            effective_on=granted.effective_on,
            expires_on=granted.expires_on,
            priority=granted.priority,
            voided_on=granted.voided_on,
        )
        before = stored.get(grant.key)
        if before is None:
            session.add(lot)
            _reprice(session, owner, lot.subscription, lot.effective_on)
            yield f"customer {entry.slug}: {plain(lot.credits)} credits ({grant.key})"
        elif before.voided_on is None and lot.voided_on is not None and _same_terms(before, lot):
            before.voided_on = lot.voided_on
            session.add(before)
            _reprice(session, owner, lot.subscription, lot.voided_on)
            yield f"customer {entry.slug}: credits {grant.key} void from {lot.voided_on}"
        elif before.model_dump() != lot.model_dump():
            raise Conflict(
                f"customer {entry.slug}: credits {grant.key} were granted with other terms; "
                "give a new grant a key of its own"
            )
    session.flush()


def _same_terms(before: CreditLot, after: CreditLot) -> bool:
    return before.model_dump(exclude={"voided_on"}) == after.model_dump(exclude={"voided_on"})


def _store_money(session: ScopedSession, owner: int, entry: CustomerEntry) -> Iterator[str]:
    rows = session.exec(select(MoneyCredit).where(MoneyCredit.customer_id == owner)).all()
    stored = {row.key: row for row in rows}
    for grant in entry.money_credits:
        money = money_of(grant)
        row = MoneyCredit(
            customer_id=owner,
            key=money.key,
            subscription=grant.subscription,
            name=money.name,
            amount=money.amount,
            currency=money.currency,
            effective_on=money.effective_on,
            expires_on=money.expires_on,
        )
        before = stored.get(grant.key)
        if before is None:
            session.add(row)
            figure = f"{plain(money.amount)} {money.currency}"
            yield f"customer {entry.slug}: {figure} of credit ({grant.key})"
        elif before.model_dump() != row.model_dump():
            raise Conflict(
                f"customer {entry.slug}: money credit {grant.key} was granted with other terms; "
                "give a new grant a key of its own"
            )
    session.flush()


def _reprice(session: ScopedSession, owner: int, subscription: str, day: date) -> None:
    """Closed statements from this day on are held against what they would be now."""
    sids = session.exec(
        select(Account.sid).where(
            Account.customer_id == owner, Account.subscription == subscription
        )
    ).all()
    for sid in sids:
        mark_changed(session, sid, day)
