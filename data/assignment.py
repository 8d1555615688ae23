"""Which customer an account belongs to on which day.  Rows of usage carry the owner of their day.

Days before a move stay with the old customer.  An account nobody named belongs to a system
customer that only staff see, so that nothing is lost while it waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, or_, select, tuple_, update

from data.models import SYSTEM_CUSTOMER, Account, Customer, UsageRecord
from data.scope import ScopedSession

FOREVER = date.max
ALWAYS = date(1970, 1, 1)  # from when an account waits


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer's hold on an account: `[starts_on, ends_on)`."""

    customer_id: int
    starts_on: date
    ends_on: date | None

    def on(self, day: date) -> bool:
        return self.starts_on <= day < (self.ends_on or FOREVER)

    def meets(self, other: "Owner") -> bool:
        return self.starts_on < (other.ends_on or FOREVER) and other.starts_on < (
            self.ends_on or FOREVER
        )


def system_customer(session: ScopedSession) -> int:
    """The id of the customer under whom unnamed accounts wait; created when first needed."""
    found = session.exec(select(Customer.id).where(Customer.slug == SYSTEM_CUSTOMER))
    if (known := found.first()) is not None:
        return known
    postgres = session.get_bind().dialect.name == "postgresql"
    statement: Any = (postgres_insert if postgres else sqlite_insert)(Customer)
    values = {"slug": SYSTEM_CUSTOMER, "name": "Unassigned accounts"}
    # Another process may make it in this moment.
    session.execute(statement.values(values).on_conflict_do_nothing(index_elements=["slug"]))
    made = session.exec(select(Customer).where(Customer.slug == SYSTEM_CUSTOMER)).one()
    assert made.id is not None
    return made.id


def owners(session: ScopedSession) -> dict[str, list[Owner]]:
    """Everyone who owns or owned each account, the system customer left out."""
    waiting = system_customer(session)
    rows = session.exec(select(Account).where(Account.customer_id != waiting)).all()
    found: dict[str, list[Owner]] = {}
    for row in rows:
        found.setdefault(row.sid, []).append(Owner(row.customer_id, row.starts_on, row.ends_on))
    return found


def owner_on(day: date, holds: Iterable[Owner], otherwise: int) -> int:
    return next((hold.customer_id for hold in holds if hold.on(day)), otherwise)


def move_rows(session: ScopedSession) -> list[str]:
    """Give every row of usage to the owner of its day, and waiting accounts to their new owners.

    The tenant is part of the key (and what rows are distributed by), so a row is written anew.
    """
    waiting, held = system_customer(session), owners(session)
    moved = []
    for sid, holds in held.items():
        count = _settle(session, sid, holds, waiting)
        if count:
            moved.append(f"account {sid}: {count} rows of usage moved to the owner of their day")
    moved += _release(session, waiting, held)
    session.flush()
    return moved


def move_account(session: ScopedSession, sid: str) -> int:
    """The same for one account that has an owner; how many rows of usage moved."""
    waiting = system_customer(session)
    rows = session.exec(
        select(Account).where(Account.sid == sid, Account.customer_id != waiting)
    ).all()
    holds = [Owner(row.customer_id, row.starts_on, row.ends_on) for row in rows]
    return _settle(session, sid, holds, waiting)


def keep_waiting(session: ScopedSession, row: Account) -> None:
    """Leave a connected account, which its owner loses, with the system customer.

    A subaccount comes back with the next listing; this one no listing of Twilio's names.
    """
    if row.kind != "connected":
        return
    waiting = system_customer(session)
    if session.get(Account, (waiting, row.sid, ALWAYS)) is None:
        kept = row.model_dump(exclude={"customer_id", "starts_on", "ends_on", "subscription"})
        session.add(Account(customer_id=waiting, starts_on=ALWAYS, **kept))
        session.flush()


def _settle(session: ScopedSession, sid: str, holds: list[Owner], waiting: int) -> int:
    for row in session.exec(
        select(Account).where(Account.customer_id == waiting, Account.sid == sid)
    ).all():
        session.delete(row)
    session.flush()
    return _move_account(session, sid, holds, waiting)


def _move_account(session: ScopedSession, sid: str, holds: list[Owner], waiting: int) -> int:
    keys = session.exec(
        select(col(UsageRecord.customer_id), col(UsageRecord.day), col(UsageRecord.category)).where(
            UsageRecord.account_sid == sid
        )
    ).all()
    wrong = [(c, day, cat) for c, day, cat in keys if c != owner_on(day, holds, waiting)]
    for start in range(0, len(wrong), 300):
        chunk = wrong[start : start + 300]
        rows = session.exec(
            select(UsageRecord).where(
                UsageRecord.account_sid == sid,
                tuple_(
                    col(UsageRecord.customer_id), col(UsageRecord.day), col(UsageRecord.category)
                ).in_(chunk),
            )
        ).all()
        values = [row.model_dump() for row in rows]
        for row in rows:
            session.delete(row)
        session.flush()
        for value in values:
            value["customer_id"] = owner_on(value["day"], holds, waiting)
            session.add(UsageRecord(**value))
        session.flush()
    if wrong:
        mark_changed(session, sid, min(day for _, day, _ in wrong))
    return len(wrong)


def mark_changed(session: ScopedSession, sid: str, day: date) -> None:
    """Note the earliest day that reads otherwise now: closed statements are held against it."""
    mark_each_changed(session, {sid: day})


def mark_each_changed(session: ScopedSession, days: Mapping[str, date]) -> None:
    """The same for many accounts at once, by SID."""
    if not days:
        return
    table = Account.__table__  # type: ignore[attr-defined]  # SQLModel leaves it untyped
    session.connection().execute(
        update(table)
        .where(
            table.c.sid == bindparam("account"),
            or_(table.c.changed_from.is_(None), table.c.changed_from > bindparam("first_day")),
        )
        .values(changed_from=bindparam("first_day")),
        [{"account": sid, "first_day": day} for sid, day in days.items()],
    )


def _release(session: ScopedSession, waiting: int, held: dict[str, list[Owner]]) -> list[str]:
    """Usage of accounts that no file names any more goes back to the system customer."""
    sids = session.exec(
        select(UsageRecord.account_sid).where(UsageRecord.customer_id != waiting).distinct()
    ).all()
    released = []
    for sid in sids:
        if sid not in held:
            _move_account(session, sid, [], waiting)
            if session.get(Account, (waiting, sid, ALWAYS)) is None:
                session.add(Account(customer_id=waiting, sid=sid, starts_on=ALWAYS))
            released.append(f"account {sid}: waits for an owner again")
    return released
