"""Everything by which staff find a customer, read into the index that data/search.py searches.

It spans all customers: under no customer's scope is it ever asked for.
"""

from typing import Any

from sqlmodel import col, func, select

from data.models import SYSTEM_CUSTOMER, Account, Customer, Membership, Person, PhoneNumber
from data.scope import EveryTenant, reading
from data.search import Field, Index, folded, indexed


def search_version(scope: EveryTenant) -> str:
    """Changes when customers, accounts, numbers or people come or go, and with each sync."""
    counts = (
        select(func.count()).select_from(table).scalar_subquery()
        for table in (Customer, PhoneNumber, Membership)
    )
    asked: Any = select(func.count(), func.max(Account.synced_at), *counts).select_from(Account)
    with reading(scope) as session:
        return "/".join(str(value) for value in session.execute(asked).one())


def search_index(scope: EveryTenant) -> Index:
    """Read anew; keep it for as long as `search_version` stays the same."""
    with reading(scope) as session:
        customers = session.execute(
            _columns(Customer, "id", "slug", "name", "email", "external_id")
        )
        rows = sorted(customers, key=lambda row: (folded(row.name), row.id))
        accounts = session.execute(_columns(Account, "customer_id", "sid", "name", "application"))
        held = accounts.all()
        numbers = session.execute(_columns(PhoneNumber, "customer_id", "number")).all()
        people: Any = select(col(Membership.customer_id), col(Person.email), col(Person.name))
        people = people.join(Person, col(Person.id) == Membership.person_id).where(
            col(Membership.customer_id).is_not(None), col(Person.disabled).is_(False)
        )
        members = session.execute(people).all()
    owning = {row.customer_id for row in held}
    shown = [row for row in rows if row.slug != SYSTEM_CUSTOMER or row.id in owning]
    entries = [
        *((row.id, Field.NAME, row.name) for row in shown),
        *((row.id, Field.SLUG, row.slug) for row in shown),
        *((row.id, Field.EXTERNAL_ID, row.external_id) for row in shown),
        *((row.id, Field.EMAIL, row.email) for row in shown),
        *((row.customer_id, Field.ACCOUNT, row.sid) for row in held),
        *((row.customer_id, Field.ACCOUNT_NAME, row.name) for row in held),
        *((row.customer_id, Field.ACCOUNT_NAME, row.application) for row in held),
        *((row.customer_id, Field.PHONE, row.number) for row in numbers),
        *((owner, Field.PERSON_EMAIL, email) for owner, email, _ in members),
        *((owner, Field.PERSON, name) for owner, _, name in members),
    ]
    names = {row.id: (row.slug, row.name, row.slug == SYSTEM_CUSTOMER) for row in shown}
    return indexed(names, entries)


def _columns(table: Any, *names: str) -> Any:
    return select(*(col(getattr(table, name)) for name in names))
