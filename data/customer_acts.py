"""What staff agree with one customer on a page: a plan from a day on, credits granted or void.

Each act reads what stands as an entry of customers.yaml (`standing`), changes that entry, and lets
the same checks and the same writer judge and store it as an import of the file: there is one way
to agree anything.  The log says who did it and why, in the same transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import col, select

from data.customer_checks import agreed_changes, entry_problems
from data.customers import TakeBack, store_credits, store_subscriptions, trying
from data.customers_file import AccountEntry, CustomerEntry, CustomersFile, PlanEntry
from data.errors import InputError, NotFound, StaleVersion
from data.grants import CreditEntry, MoneyEntry
from data.identity.audit import Action, By
from data.models import (
    SYSTEM_CUSTOMER,
    Account,
    CreditLot,
    Customer,
    MoneyCredit,
    PlanChange,
    Subscription,
    UsageRecord,
)
from data.pricing import TimelineEntry, as_when, field_path, timeline
from data.scope import EveryTenant, ScopedSession, reading

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Changed:
    """A line for each thing that changed (or would); none where all of it stood already."""

    lines: tuple[str, ...]
    before: tuple[TimelineEntry, ...] = ()
    after: tuple[TimelineEntry, ...] = ()


def agreement(scope: EveryTenant, slug: str) -> CustomerEntry:
    """What stands for the customer, as an entry of the file would say it."""
    with reading(scope) as session:
        return standing(session, customer_row(session, slug))


def all_agreements(scope: EveryTenant) -> CustomersFile:
    """The file that an import would find nothing to change in."""
    with reading(scope) as session:
        rows = session.exec(select(Customer).order_by(col(Customer.slug))).all()
        entries = tuple(standing(session, row) for row in rows if row.slug != SYSTEM_CUSTOMER)
        return CustomersFile(cost_currency=cost_currency(session), customers=entries)


def assign_plan(
    scope: EveryTenant,
    slug: str,
    plan: PlanEntry,
    *,
    by: By,
    seen: tuple[PlanEntry, ...] | None = None,
    dry_run: bool = False,
) -> Changed:
    """Agree a version of a plan from a day on; when it takes effect is timeline.py's affair.

    `seen`: the plans as the person saw them; StaleVersion where others were agreed since.
    InputError where it can't follow on what stands, or reaches into a final statement.
    """
    _needs_a_reason(by)
    with trying(scope) as session:
        row = customer_row(session, slug)
        before = standing(session, row)
        if seen is not None and seen != before.plans:
            raise StaleVersion("The plans have changed since you opened them. Look again, please.")
        after = before.model_copy(update={"plans": with_plan(before.plans, plan)})
        check(session, after)
        owner = row.id or 0
        lines = tuple(store_subscriptions(session, owner, after))
        if lines:
            by.note(session, Action.AGREEMENT_CHANGED, _told(lines, slug), customer_id=owner)
        key = plan.subscription
        found = tuple(timeline_of(session, entry, key) for entry in (before, after))
        if dry_run:
            raise TakeBack
    return Changed(lines, *found)


def withdraw_plan(
    scope: EveryTenant, slug: str, plan: PlanEntry, *, by: By, dry_run: bool = False
) -> Changed:
    """Take a change back that is agreed; final statements keep what they were billed by."""
    _needs_a_reason(by)
    with trying(scope) as session:
        row = customer_row(session, slug)
        before = standing(session, row)
        if plan not in before.plans:
            raise StaleVersion("This change is not agreed any more. Look again, please.")
        left = tuple(one for one in before.plans if one != plan)
        after = before.model_copy(update={"plans": left})
        check(session, after)
        owner = row.id or 0
        lines = tuple(store_subscriptions(session, owner, after))
        by.note(session, Action.AGREEMENT_CHANGED, _told(lines, slug), customer_id=owner)
        found = tuple(timeline_of(session, entry, plan.subscription) for entry in (before, after))
        if dry_run:
            raise TakeBack
    return Changed(lines, *found)


def grant_credits(
    scope: EveryTenant, slug: str, grant: CreditEntry, *, by: By, dry_run: bool = False
) -> Changed:
    """Give the lot, once for its key: sent twice it counts once, and the second time is no line.

    Conflict where the key was used for other terms; InputError without a plan of credits.
    """
    _needs_a_reason(by)
    return _credit(scope, slug, grant, Action.CREDITS_GRANTED, by, dry_run=dry_run)


def void_credits(
    scope: EveryTenant, slug: str, grant: CreditEntry, *, by: By, dry_run: bool = False
) -> Changed:
    """Take a lot back from a day on (`voided_on`); what was drawn before stays drawn."""
    _needs_a_reason(by)
    if grant.voided_on is None:
        raise InputError("voided_on: say from which day on", field="voided_on")
    return _credit(scope, slug, grant, Action.CREDITS_VOIDED, by, dry_run=dry_run)


def _credit(
    scope: EveryTenant, slug: str, grant: CreditEntry, action: Action, by: By, *, dry_run: bool
) -> Changed:
    with trying(scope) as session:
        row = customer_row(session, slug)
        entry = standing(session, row).model_copy(update={"credits": (grant,)})
        check(session, entry)
        owner = row.id or 0
        lines = tuple(store_credits(session, owner, entry))
        if lines:
            by.note(session, action, _told(lines, slug), customer_id=owner)
        if dry_run:
            raise TakeBack
    return Changed(lines)


def with_plan(plans: tuple[PlanEntry, ...], plan: PlanEntry) -> tuple[PlanEntry, ...]:
    """The plans with one more; the end of the contract moves to the newest of them."""
    same = [one for one in plans if one.subscription == plan.subscription]
    if any(_is(one, plan) for one in same):
        return plans
    ends_on = max((one.ends_on for one in same if one.ends_on), default=None)
    if ends_on is not None and plan.starts_on >= ends_on:
        raise InputError(f"from: the contract ends on {ends_on}", field="from")
    found = [one.model_copy(update={"ends_on": None}) for one in same]
    found = sorted((*found, plan), key=lambda one: one.starts_on)  # stable: as agreed
    found[-1] = found[-1].model_copy(update={"ends_on": ends_on})
    others = [one for one in plans if one.subscription != plan.subscription]
    return (*others, *found)


def _is(one: PlanEntry, other: PlanEntry) -> bool:
    return one.model_copy(update={"ends_on": other.ends_on}) == other


# What stands


def customer_row(session: ScopedSession, slug: str) -> Customer:
    row = session.exec(select(Customer).where(Customer.slug == slug)).first()
    if row is None or slug == SYSTEM_CUSTOMER:
        raise NotFound("There is no such customer.")
    return row


def standing(session: ScopedSession, row: Customer) -> CustomerEntry:
    """Accounts that the customer connected itself are left out: they are no file's."""
    subscriptions = session.exec(
        select(Subscription).where(Subscription.customer_id == row.id)
    ).all()
    days = {one.anchor_day for one in subscriptions}
    origins = None if row.embed_origins is None else tuple(row.embed_origins)
    return CustomerEntry(
        slug=row.slug,
        name=row.name,
        email=row.email,
        external_id=row.external_id,
        embed_origins=origins,
        anchor_day=min(days, default=1),
        accounts=tuple(_accounts(session, row)),
        plans=tuple(_plans(session, row, {one.key: one for one in subscriptions})),
        credits=tuple(_credits(session, row)),
        money_credits=tuple(_money(session, row)),
    )


def _accounts(session: ScopedSession, row: Customer) -> Iterator[AccountEntry]:
    held = session.exec(
        select(Account)
        .where(Account.customer_id == row.id, Account.named_by != "connect")
        .order_by(col(Account.starts_on), col(Account.sid))
    ).all()
    for one in held:
        yield AccountEntry.model_validate(
            {
                **one.model_dump(include={"sid", "application", "kind", "subscription"}),
                "from": one.starts_on,
                "to": one.ends_on,
            }
        )


def _plans(
    session: ScopedSession, row: Customer, subscriptions: dict[str, Subscription]
) -> Iterator[PlanEntry]:
    order = (PlanChange.subscription, PlanChange.starts_on, PlanChange.number)
    changes = session.exec(
        select(PlanChange)
        .where(PlanChange.customer_id == row.id)
        .order_by(*(col(one) for one in order))
    ).all()
    last = {one.subscription: one for one in changes}
    for one in changes:
        own = subscriptions.get(one.subscription)
        ends_on = own.ends_on if own and last[one.subscription] is one else None
        yield PlanEntry.model_validate(
            {
                **one.model_dump(include={"plan", "version", "subscription"}),
                "from": one.starts_on,
                "to": ends_on,
                "when": as_when(one.takes_effect),
            }
        )


def _credits(session: ScopedSession, row: Customer) -> Iterator[CreditEntry]:
    lots = session.exec(
        select(CreditLot)
        .where(CreditLot.customer_id == row.id)
        .order_by(col(CreditLot.effective_on), col(CreditLot.key))
    ).all()
    own = {"key", "subscription", "name", "credits", "price", "units_per_credit"}
    for one in lots:
        terms = one.model_dump(include=own | {"expires_on", "voided_on", "priority"})
        yield CreditEntry.model_validate({**terms, "bought_on": one.effective_on})


def _money(session: ScopedSession, row: Customer) -> Iterator[MoneyEntry]:
    given = session.exec(
        select(MoneyCredit)
        .where(MoneyCredit.customer_id == row.id)
        .order_by(col(MoneyCredit.effective_on), col(MoneyCredit.key))
    ).all()
    for one in given:
        yield MoneyEntry.model_validate(one.model_dump(exclude={"customer_id"}))


def cost_currency(session: ScopedSession) -> str:
    """In which Twilio bills the ISV, where any usage was read."""
    found = session.exec(select(col(UsageRecord.cost_currency)).limit(1)).first()
    return found or "USD"


def check(session: ScopedSession, *entries: CustomerEntry) -> None:
    """InputError with every reason why these can't be agreed."""
    content = CustomersFile(cost_currency=cost_currency(session), customers=entries)
    found = [f"{field_path(where[2:])}: {why}" for where, why in entry_problems(session, content)]
    if found:
        raise InputError("; ".join(found))


def timeline_of(
    session: ScopedSession, entry: CustomerEntry, key: str
) -> tuple[TimelineEntry, ...]:
    """Every change of the entry's subscription, with the days on which it is billed."""
    changes, ends_on = agreed_changes(session, entry, key)
    return timeline(changes, ends_on=ends_on, anchor_day=entry.anchor_day)


def _needs_a_reason(by: By) -> None:
    if not by.reason.strip():
        raise InputError("Say why: the reason stands in the log.", field="reason")
    if len(by.reason) > LONGEST_REASON:
        raise InputError(f"At most {LONGEST_REASON} characters.", field="reason")


def _told(lines: tuple[str, ...], slug: str) -> str:
    """Without the customer's name, which the entry bears already."""
    return "; ".join(line.removeprefix(f"customer {slug}: ") for line in lines)
