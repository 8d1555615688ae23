"""What was agreed with a customer: its plans by day, its credits in units and in money."""

from decimal import Decimal

from sqlmodel import col, select

from data.models import CreditLot, MoneyCredit, PlanChange, Subscription
from data.money import rounded
from data.plans import stored_plans
from data.pricing import CreditLot as Lot
from data.pricing import MoneyCredit as Money
from data.pricing import PlanChange as Change
from data.pricing import PlanStretch, TimelineEntry, as_when, stretches, timeline
from data.scope import Scope, reading


def plan_timeline(scope: Scope, key: str) -> tuple[TimelineEntry, ...]:
    """Every plan change of the subscription, those that were never billed included."""
    with reading(scope) as session:
        owner = scope.customer_id
        changes = session.exec(
            select(PlanChange)
            .where(PlanChange.customer_id == owner, PlanChange.subscription == key)
            .order_by(col(PlanChange.starts_on), col(PlanChange.number))
        ).all()
        row = session.exec(
            select(Subscription).where(Subscription.customer_id == owner, Subscription.key == key)
        ).first()
        plans = stored_plans(session)
    if row is None:
        return ()
    asked = (
        Change(plans[one.plan, one.version], one.starts_on, as_when(one.takes_effect))
        for one in changes
    )
    return timeline(asked, ends_on=row.ends_on, anchor_day=row.anchor_day)


def plan_stretches(scope: Scope, key: str) -> tuple[PlanStretch, ...]:
    """The versions in force, oldest first, each with the days that it is billed for."""
    return stretches(plan_timeline(scope, key))


def credit_lots(scope: Scope, key: str) -> tuple[Lot, ...]:
    with reading(scope) as session:
        rows = session.exec(
            select(CreditLot)
            .where(CreditLot.customer_id == scope.customer_id, CreditLot.subscription == key)
            .order_by(col(CreditLot.effective_on), col(CreditLot.key))
        ).all()
    return tuple(
        Lot(
            row.key,
            row.name,
            row.credits,
            {meter: Decimal(rate) for meter, rate in row.units_per_credit.items()},
            row.price,
            row.effective_on,
            row.expires_on,
            row.priority,
            created,
            row.voided_on,
        )
        for created, row in enumerate(rows)
    )


def money_credits(scope: Scope, key: str) -> tuple[Money, ...]:
    with reading(scope) as session:
        rows = session.exec(
            select(MoneyCredit)
            .where(MoneyCredit.customer_id == scope.customer_id, MoneyCredit.subscription == key)
            .order_by(col(MoneyCredit.effective_on), col(MoneyCredit.key))
        ).all()
    return tuple(
        Money(
            row.key,
            row.name,
            rounded(row.amount, row.currency),
            row.currency,
            row.effective_on,
            row.expires_on,
            created,
        )
        for created, row in enumerate(rows)
    )
