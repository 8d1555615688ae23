"""The stored ledger of credits: what settled days drew, appended and never edited.

The replay of grants and usage (billed.py) says what the ledger ought to hold; what differs is
posted as corrections, so that posting again, in whatever order or thread, changes nothing.
Days that still settle are provisional: pages show them, the ledger does not hold them yet.
"""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlmodel import col, select

from data.billed import credit_history
from data.errors import NotFound
from data.models import CreditEntry, Subscription
from data.money import plain
from data.periods import DAY
from data.pricing import EntryKind, LedgerEntry
from data.pricing.posting import corrections
from data.scope import Scope, ScopedSession, reading, writing


def posted_entries(scope: Scope, key: str) -> tuple[LedgerEntry, ...]:
    """The subscription's ledger, in the order of posting."""
    with reading(scope) as session:
        return tuple(_entry(row) for row in _rows(session, scope, key))


def post_credits(scope: Scope, key: str, *, through: date, now: datetime) -> int:
    """Post what the days up to and with `through` have drawn; returns how many entries were new.

    Days once posted stay posted, though a late reading may call fewer of them settled.
    One poster at a time: the subscription's row is locked meanwhile.
    """
    with writing(scope) as session:
        lock_subscription(session, scope, key)
        rows = _rows(session, scope, key)
        through = max((through, *(row.day for row in rows)))
        wanted = credit_history(scope, key, through + DAY).entries
        new = corrections((_entry(row) for row in rows), wanted)
        times: dict[str, int] = {}
        for row in rows:
            name = row.key.rpartition("/")[0]
            times[name] = times.get(name, 0) + 1
        for number, entry in enumerate(new, start=len(rows) + 1):
            name = _name(entry)
            times[name] = times.get(name, 0) + 1
            session.add(_row(scope, key, number, f"{name}/{times[name]}", entry, now))
    return len(new)


def lock_subscription(session: ScopedSession, scope: Scope, key: str) -> Subscription:
    """Take the subscription for this transaction; on SQLite every writer is alone anyway."""
    row = session.exec(
        select(Subscription)
        .where(Subscription.customer_id == scope.customer_id, Subscription.key == key)
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound("There is no such subscription.")
    return row


def _rows(session: ScopedSession, scope: Scope, key: str) -> list[CreditEntry]:
    return list(
        session.exec(
            select(CreditEntry)
            .where(CreditEntry.customer_id == scope.customer_id, CreditEntry.subscription == key)
            .order_by(col(CreditEntry.number))
        ).all()
    )


def _name(entry: LedgerEntry) -> str:
    parts = (entry.kind, entry.returns, entry.lot, entry.day.isoformat(), entry.meter)
    return "/".join(str(part) for part in parts if part)


def _row(
    scope: Scope, key: str, number: int, name: str, entry: LedgerEntry, now: datetime
) -> CreditEntry:
    return CreditEntry(
        customer_id=scope.customer_id,
        subscription=key,
        number=number,
        key=name,
        kind=entry.kind.value,
        returns=entry.returns.value if entry.returns else None,
        lot=entry.lot,
        day=entry.day,
        meter=entry.meter,
        credits=str(entry.credits),
        units=plain(entry.units),
        posted_at=now,
    )


def _entry(row: CreditEntry) -> LedgerEntry:
    return LedgerEntry(
        EntryKind(row.kind),
        row.lot,
        row.day,
        Fraction(row.credits),
        row.meter,
        Decimal(row.units),
        EntryKind(row.returns) if row.returns else None,
    )
