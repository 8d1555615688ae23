"""The stored ledger of credits: what settled days drew, appended and never edited.

The replay of grants and usage (billed.py) says what the ledger ought to hold; what differs is
posted as corrections, so that posting again, in whatever order or thread, changes nothing.
Days that still settle are provisional: pages show them, the ledger does not hold them yet.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sqlmodel import col, select

from data.agreements import credit_lots
from data.billed import credit_history
from data.errors import NotFound
from data.models import CreditEntry, Subscription
from data.money import plain
from data.periods import DAY
from data.pricing import EntryKind, LedgerEntry
from data.pricing.posting import corrections
from data.scope import Scope, ScopedSession, reading, writing


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An entry with what it left behind; `number` is None while its day still settles."""

    number: int | None
    entry: LedgerEntry
    credits: Fraction  # into the lot, or out of it: negative
    left: Fraction  # in the entry's lot, after it
    balance: Fraction  # in all lots, after it


def ledger_lines(scope: Scope, key: str, *, through: date) -> tuple[LedgerLine, ...]:
    """The posted entries and what the days since, up to and with `through`, would post.

    Oldest first.  The last one's balance is what all lots hold at the end of `through`.
    """
    posted = posted_entries(scope, key)
    last = max((through, *(entry.day for entry in posted)))
    to_come = corrections(posted, credit_history(scope, key, last + DAY).entries)
    left: dict[str, Fraction] = defaultdict(Fraction)
    balance, found = Fraction(0), []
    for at, entry in enumerate((*posted, *to_come), start=1):
        into = 1 if entry.counts_as is EntryKind.GRANT else -1
        credits = into * entry.sign * entry.credits
        left[entry.lot] += credits
        balance += credits
        number = at if at <= len(posted) else None
        found.append(LedgerLine(number, entry, credits, left[entry.lot], balance))
    return tuple(found)


class LotState(StrEnum):
    LATER = "later"  # not valid yet
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class LotStory:
    """A lot from its grant on; credits, exact."""

    key: str
    name: str
    state: LotState
    granted: Fraction
    drawn: Fraction
    expired: Fraction
    voided: Fraction
    effective_on: date
    expires_on: date | None = None  # exclusive
    price: Decimal | None = None  # of a lot bought; what comes with a plan has none of its own

    @property
    def left(self) -> Fraction:
        return self.granted - self.drawn - self.expired - self.voided


def lot_stories(
    scope: Scope, key: str, lines: Sequence[LedgerLine], *, through: date
) -> tuple[LotStory, ...]:
    """Every lot of the ledger and those bought for later, newest first."""
    sums: dict[str, dict[EntryKind, Fraction]] = {}
    for line in lines:
        of_lot = sums.setdefault(line.entry.lot, defaultdict(Fraction))
        of_lot[line.entry.counts_as] += line.entry.sign * line.entry.credits
    first = {line.entry.lot: line.entry.day for line in reversed(lines)}
    bought = {lot.key: lot for lot in credit_lots(scope, key)}
    found = []
    for name in dict.fromkeys((*sums, *bought)):
        own, of_lot = bought.get(name), sums.get(name, {})
        granted = Fraction(own.credits) if own and name not in sums else None
        story = LotStory(
            key=name,
            name=own.name if own else name.rpartition(":")[0],  # as recurring.py makes them
            state=LotState.OPEN,
            granted=of_lot.get(EntryKind.GRANT, Fraction(0)) if granted is None else granted,
            drawn=of_lot.get(EntryKind.DRAW, Fraction(0)),
            expired=of_lot.get(EntryKind.EXPIRE, Fraction(0)),
            voided=of_lot.get(EntryKind.VOID, Fraction(0)),
            effective_on=own.effective_on if own else first[name],
            expires_on=own.expires_on if own else None,
            price=own.price if own else None,
        )
        found.append(replace(story, state=_state(story, through)))
    return tuple(sorted(found, key=lambda one: (one.effective_on, one.key), reverse=True))


def _state(story: LotStory, through: date) -> LotState:
    if story.effective_on > through:
        return LotState.LATER
    if story.left:
        return LotState.OPEN
    if story.voided:
        return LotState.VOIDED
    return LotState.EXPIRED if story.expired else LotState.USED


def balances(lines: Sequence[LedgerLine], days: Sequence[date]) -> tuple[Fraction, ...]:
    """What all lots held at the end of each of the days, which are in order.

    By the day that an entry is of: a correction counts on the day that it corrects.
    """
    moved = sorted((line.entry.day, line.credits) for line in lines)
    left, at, found = Fraction(0), 0, []
    for day in days:
        while at < len(moved) and moved[at][0] <= day:
            left += moved[at][1]
            at += 1
        found.append(left)
    return tuple(found)


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
