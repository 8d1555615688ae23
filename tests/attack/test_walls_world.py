"""Two customers with rows in every tenant table, and the same customers each alone in a store.

They share keys, days and an account that has moved; names, SIDs and figures of one occur nowhere
in the other's rows.
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path
from random import Random

from sqlmodel import col, select, update

from data.identity.audit import VIEWING
from data.models import (
    TABLES,
    Account,
    Alert,
    AuditEntry,
    ChangeRequest,
    Customer,
    LogDay,
    PhoneNumber,
    Subscription,
    SyncCursor,
    Table,
    UsageRecord,
    UsageRevision,
    UsageTrigger,
)
from data.periods import period_of
from data.scope import reading, writing
from data.settings import Settings
from tests.bills import agreed, credit_price, margin, overage
from tests.forecasts import past
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    BETA_SID,
    OPENED,
    SYNCED,
    Store,
    account,
    close_on,
    credit_row,
    money_row,
    on_plan,
    read_on,
    record,
    version,
)

OWNERS = {ACME: ACME_SID, BETA: BETA_SID}
NAMES = {ACME: "acme", BETA: "beta"}
CURRENCIES = {ACME: "USD", BETA: "EUR"}  # in which Twilio charges for them
MOVED, MOVED_ON = "AC" + "c" * 32, date(2026, 3, 1)  # from Acme to Beta
APP = {ACME: "AC" + "d" * 32, BETA: "AC" + "e" * 32}  # of a second subscription
ENDED = {ACME: "AC" + "1" * 32, BETA: "AC" + "2" * 32}  # of one that is over
HELD = (*OWNERS.values(), *APP.values(), *ENDED.values(), MOVED)
MARCH, TODAY, LATER = period_of(date(2026, 3, 1)), date(2026, 3, 20), date(2026, 4, 10)
JANUARY, FEBRUARY = period_of(OPENED), period_of(date(2026, 2, 1))
BUNDLE = agreed(overage("small"), plan="bundle", offered=True)
CREDITS = agreed(credit_price(), plan="credits")
MARGIN = agreed(margin(markup="0.1"), plan="margin")
PLANS = (BUNDLE, CREDITS, MARGIN)


def _agreed(owner: int, random: Random) -> Iterator[Table]:
    name, number = ("Acme", "Beta")[owner - ACME], random.randrange(10**6, 10**7)
    yield Customer(
        id=owner,
        slug=f"{name.lower()}-{number}",
        name=f"{name} {number}",
        email=f"office@{name.lower()}-{number}.test",
        external_id=f"crm-{name}-{number}",
    )
    app = f"app-{name.lower()}"
    yield Subscription(customer_id=owner, key="main", starts_on=OPENED)
    yield Subscription(
        customer_id=owner, key=app, starts_on=OPENED, anchor_day=random.choice([1, 15])
    )
    yield Subscription(customer_id=owner, key="ended", starts_on=OPENED, ends_on=MARCH.start)
    yield account(owner, OWNERS[owner], application=f"{name} shop {number}")
    yield account(owner, APP[owner], subscription=app, name=f"{name} app")
    yield account(owner, ENDED[owner], subscription="ended", name=f"{name} before")
    moved = {"ends_on": MOVED_ON} if owner == ACME else {"starts_on": MOVED_ON}
    yield account(owner, MOVED, name=f"{name} moved", **moved)
    yield on_plan(owner, BUNDLE)
    yield on_plan(owner, CREDITS, random.choice([date(2026, 2, 15), MARCH.start]))
    yield on_plan(owner, random.choice([BUNDLE, MARGIN]), subscription=app)
    yield on_plan(owner, BUNDLE, subscription="ended")
    yield credit_row(owner, "first", date(2026, 2, random.randint(1, 28)), credits=D(9000))
    yield credit_row(owner, f"of {name}", MARCH.start, price=D(random.randrange(1000, 9999)))
    yield money_row(owner, "gift", random.randrange(100, 999), name=f"Gift to {name}")
    yield money_row(owner, f"to {name}", random.randrange(1, 9), subscription=app)


def _used(owner: int, random: Random) -> Iterator[Table]:
    """On some days each has rows of every account: a row is its own by its customer alone."""
    for n in range(48):
        day = FEBRUARY.start + timedelta(days=n)
        mine = random.choice([OWNERS[owner], APP[owner], ENDED[owner]])
        for sid in dict.fromkeys([mine, *random.sample(HELD, 2)]):
            units, cost = random.randrange(1, 900), D(random.randrange(10**6, 10**7)) / 10**6
            other = random.choice(["calls", "mms"])
            for category, usage in (("sms", units), (other, units + 1), ("totalprice", cost)):
                row = record(owner, day, category, usage, cost, sid=sid)
                row.cost_currency = CURRENCIES[owner]
                yield row
    for n in range(24):
        yield past(owner, n, subscription="main", actual=D(random.randrange(60, 180)))


def _read(owner: int, random: Random) -> Iterator[Table]:
    """What the sync writes beside usage."""
    name = ("Acme", "Beta")[owner - ACME]
    read = {"first_day": OPENED, "through": MARCH.start, "read_at": SYNCED}
    yield SyncCursor(account_sid=OWNERS[owner], resource="alerts", **read)
    for n in range(4):
        named = {"customer_id": owner, "account_sid": random.choice([OWNERS[owner], MOVED])}
        day, mark = MARCH.start + timedelta(days=n), f"{owner}{random.randrange(10**8)}"
        figure = D(random.randrange(10**5))
        yield UsageRevision(
            **named, day=day, category="sms", seen_at=SYNCED, old_usage=D(1), new_usage=figure
        )
        yield Alert(**named, sid=f"NO{mark}", day=day, at=SYNCED, code="30003", level="error")
        yield ChangeRequest(
            id=owner * 1000 + n,
            customer_id=owner,
            subscription="main",
            kind="tier",
            wanted=f"Tier {mark}" if n else ("Medium", "Large")[owner - ACME],
            message=f"From {name}",
            asked_by=f"Manager of {name}",
            asked_at=SYNCED,
        )
        yield PhoneNumber(**named, sid=f"PN{mark}", number=f"+1{mark}", name=f"Line of {name}")
        yield AuditEntry(
            id=owner * 1000 + n,
            at=SYNCED,
            customer_id=owner,
            actor=f"staff of {name}",
            action=random.choice(VIEWING),
            detail=mark,
        )
        yield UsageTrigger(
            **named,
            sid=f"UT{mark}",
            name=f"Daily of {name}",
            category="sms",
            trigger_by="count",
            trigger_value=figure,
            current_value=D(0),
        )
        counted = {"kind": "messages", "direction": "inbound", "status": "received"}
        yield LogDay(**named, **counted, day=day, records=n, units=figure)


def fill(store: Store, seed: int, *owners: int) -> Store:
    """Rows of these customers, with two periods closed, one adjusted, and another to adjust."""
    store.put(*(version(plan) for plan in PLANS))
    for owner in owners:
        for part in (_agreed, _used, _read):
            store.put(*part(owner, Random(f"{seed}/{owner}/{part.__name__}")))
    close_on(store, TODAY)
    for day in (FEBRUARY.start, date(2026, 2, 9)):
        _changes(store, day)
        if day == FEBRUARY.start:
            close_on(store, TODAY)
    read_on(store, LATER)
    return store


def _changes(store: Store, since: date) -> None:
    """Twilio counts more than it did, after the month was closed."""
    with writing(store.owner) as session:
        late = (col(UsageRecord.day) >= since, col(UsageRecord.day) < FEBRUARY.end)
        more = {"usage": UsageRecord.usage + 50, "count": UsageRecord.count + 50}
        session.execute(update(UsageRecord).where(*late).values(**more))
        session.execute(update(Account).values(changed_from=since))


def copied(template: Path, path: Path) -> Store:
    shutil.copy(template, path)
    return Store(Settings(database_url=f"sqlite:///{path}", demo=True, _env_file=None))


def filled_files(template: Path, folder: Path, seed: int) -> dict[str, Path]:
    """A store of both customers, and one of each alone."""
    files = {}
    for name, owners in (("both", (ACME, BETA)), ("acme", (ACME,)), ("beta", (BETA,))):
        store = fill(copied(template, folder / name), seed, *owners)
        store.dispose()  # the last to leave folds the log into the file
        files[name] = store.file
    return files


def separate(files: Mapping[str, Path], folder: Path) -> dict[int, Store]:
    return {owner: copied(files[name], folder / name) for owner, name in NAMES.items()}


# Rows, and putting them back


def rows_of(store: Store, owner: int) -> dict[str, list[Table]]:
    with reading(store.owner) as session:
        return {
            table.__tablename__: list(
                session.exec(select(table).where(getattr(table, table.tenant_key) == owner)).all()
            )
            for table in TABLES
            if table.tenant_key
        }


def figures(rows: Mapping[str, list[Table]]) -> dict[str, list[str]]:
    return {name: sorted(map(_figures, found)) for name, found in rows.items()}


def _figures(row: Table) -> str:
    """Without the number that the whole deployment's audit entries are counted by."""
    return repr(row.model_dump(exclude={"id"} if isinstance(row, AuditEntry) else None))


_ASKED = {owner * 1000 + n for owner in OWNERS for n in range(4)}


def put_back(store: Store, before: Mapping[str, list[str]], owner: int) -> None:
    """Delete what a call has added: every call finds the same rows.

    A request that it has withdrawn is open again.
    """
    added = [
        row
        for name, found in rows_of(store, owner).items()
        for row in found
        if _figures(row) not in before[name]
    ]
    with writing(store.owner) as session:
        for row in added:
            if isinstance(row, ChangeRequest) and row.id in _ASKED:
                session.merge(row.model_copy(update={"status": "open", "answered_at": None}))
            else:
                session.delete(row)


def test_both_have_rows_in_every_tenant_table(sqlite_template, tmp_path):
    store = fill(copied(sqlite_template, tmp_path / "both"), 1, ACME, BETA)
    for owner in OWNERS:
        assert {name for name, found in rows_of(store, owner).items() if not found} == set()
