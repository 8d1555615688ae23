"""Who may enter the demo: each customer's contact, one supporter, one billing manager.

All have addresses under `.example`, which no real person can have (RFC 2606).  Only such people
are ever listed or let in without a secret, even if a demo is pointed at a real database.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from data.identity import Member, Role, add_membership, add_person, members
from data.models import Customer, PlanChange, PlanVersion
from data.scope import EveryTenant, reading

DOMAIN = ".example"
STAFF = (
    ("Sam Support", f"sam.support@owl{DOMAIN}", Role.SUPPORT),
    ("Billie Billing", f"billie.billing@owl{DOMAIN}", Role.BILLING_MANAGER),
    ("Dev Developer", f"dev.developer@owl{DOMAIN}", Role.DEVELOPER),
    ("Alex Admin", f"alex.admin@owl{DOMAIN}", Role.ADMINISTRATOR),
)
NO_PLAN = "Own Twilio account"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """`plan` says in one line what a customer is on; empty for staff."""

    member: Member
    plan: str


def ensure_demo_people(scope: EveryTenant) -> None:
    """Add whoever is missing; part of setting up a demo, never of a request."""
    with reading(scope) as session:
        contacts = session.exec(
            select(Customer.id, Customer.name, Customer.email).where(
                col(Customer.email).endswith(DOMAIN)
            )
        ).all()
    for customer_id, name, email in contacts:
        add_membership(scope, add_person(scope, email or "", name), Role.MANAGER, customer_id)
    for name, email, role in STAFF:
        add_membership(scope, add_person(scope, email, name), role)


def demo_people(scope: EveryTenant, today: date) -> tuple[DemoPerson, ...]:
    """Whom the demo's sign-in page offers: customers by name, then staff."""
    plans = _plan_names(scope, today)
    return tuple(
        DemoPerson(member, plans.get(member.customer.id, NO_PLAN) if member.customer else "")
        for member in members(scope)
        if member.email.endswith(DOMAIN)
    )


def _plan_names(scope: EveryTenant, today: date) -> dict[int, str]:
    """What each customer is on; of several subscriptions, the names side by side."""
    with reading(scope) as session:
        changes = session.exec(
            select(PlanChange, PlanVersion)
            .join(
                PlanVersion,
                (col(PlanVersion.plan) == PlanChange.plan)
                & (col(PlanVersion.version) == PlanChange.version),
            )
            .where(PlanChange.starts_on <= today)
            .order_by(col(PlanChange.starts_on))
        ).all()
    latest = {
        (change.customer_id, change.subscription): str(version.terms.get("name", version.plan))
        for change, version in changes
    }
    names: dict[int, str] = {}
    for (customer_id, _), name in sorted(latest.items()):
        names[customer_id] = f"{names[customer_id]} + {name}" if customer_id in names else name
    return names
