"""PostgreSQL's own wall: what raw SQL sees through the app's role, whatever the code forgets."""

from datetime import date
from decimal import Decimal as D

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from data.models import (
    TABLES,
    Alert,
    AuditEntry,
    ChangeRequest,
    ClosedStatement,
    CreditEntry,
    CustomerNote,
    LogDay,
    Membership,
    Person,
    PhoneNumber,
    StatementAdjustment,
    SyncRun,
    UsageRevision,
    UsageTrigger,
)
from data.scope import engine
from tests.bills import agreed, margin
from tests.forecasts import past
from tests.stores import (
    ACME,
    ACME_SID,
    BETA,
    BETA_SID,
    SYNCED,
    credit_row,
    customers,
    money_row,
    on_plan,
    record,
    version,
)

PLAN = agreed(margin(markup="0.1"))
TENANT_TABLES = [table for table in TABLES if table.tenant_key]
OWN_TABLES = [table for table in TABLES if not table.tenant_key and not table.shared]


def names(tables):
    return [table.__tablename__ for table in tables]


def posted(owner):
    """What closing writes, and the log: an entry of each ledger, a final statement, …"""
    named = {"customer_id": owner, "subscription": "main"}
    yield CreditEntry(
        **named,
        number=1,
        key="grant/first/2026-03-01/1",
        kind="grant",
        lot="first",
        day=date(2026, 3, 1),
        credits="100",
        units="0",
        posted_at=SYNCED,
    )
    yield ClosedStatement(
        **named,
        period_start=date(2026, 2, 1),
        period_end=date(2026, 3, 1),
        currency="USD",
        total=D(owner),
        paid={},
        content="{}",
        content_hash="0" * 64,
        closed_at=SYNCED,
    )
    yield AuditEntry(at=SYNCED, customer_id=owner, actor="Sue", action="view_as_start")
    asked = {"kind": "tier", "wanted": "Medium", "asked_by": "Ann", "asked_at": SYNCED}
    yield ChangeRequest(**named, **asked)
    yield CustomerNote(customer_id=owner, author="Sue", written_at=SYNCED, text="Calls on Mondays")
    yield StatementAdjustment(
        **named,
        period_start=date(2026, 2, 1),
        number=1,
        billed_in=date(2026, 3, 1),
        noticed_on=date(2026, 3, 9),
        amount=D(owner),
        currency="USD",
        content="{}",
    )


def read(owner):
    """What the sync writes beside usage."""
    day, sid = date(2026, 3, 1), ACME_SID if owner == ACME else BETA_SID
    named = {"customer_id": owner, "account_sid": sid}
    yield UsageRevision(**named, day=day, category="sms", seen_at=SYNCED, new_count=D(1))
    yield Alert(**named, sid=f"NO{owner}", day=day, at=SYNCED, code="30003", level="error")
    yield PhoneNumber(**named, sid=f"PN{owner}", number=f"+1555{owner}")
    yield UsageTrigger(
        **named,
        sid=f"UT{owner}",
        name="Daily",
        category="sms",
        trigger_by="count",
        trigger_value=D(1),
        current_value=D(0),
    )
    counted = {"kind": "messages", "direction": "inbound", "status": "received"}
    yield LogDay(**named, **counted, day=day, records=1, units=D(1))


@pytest.fixture
def two(postgres_store):
    postgres_store.put(version(PLAN), *customers())
    for owner in (ACME, BETA):
        postgres_store.put(
            record(owner, date(2026, 3, 1), "sms", owner),
            on_plan(owner, PLAN),
            credit_row(owner, "first", date(2026, 3, 1)),
            money_row(owner, "gift", 5),
            *posted(owner),
            *read(owner),
            past(owner),
        )
    person = Person(id=1, email="sue@isv.test", name="Sue")
    postgres_store.put(person, Membership(person_id=1, role="support"))
    postgres_store.put(SyncRun(started_at=SYNCED))
    return postgres_store


@pytest.fixture(params=["app", "owner"])
def connect(request, two):
    """Connections of the app's role, and of the owner of the tables: neither is above the wall."""
    settings = two.settings
    return engine(settings.database_url if request.param == "app" else settings.admin_url).connect


def run(connect, statement, whose=None):
    with connect() as connection:
        if whose is not None:
            connection.execute(text(f"SET LOCAL app.customer_id = '{whose}'"))
        return connection.execute(text(statement)).all()


@pytest.mark.parametrize("table", TENANT_TABLES, ids=names(TENANT_TABLES))
def test_a_connection_that_does_not_say_whose_sees_nothing(connect, table):
    assert run(connect, f"SELECT * FROM {table.__tablename__}") == []


@pytest.mark.parametrize("table", TENANT_TABLES, ids=names(TENANT_TABLES))
def test_a_connection_sees_the_rows_of_its_customer_only(connect, table):
    found = run(connect, f"SELECT {table.tenant_key} FROM {table.__tablename__}", ACME)
    assert {row[0] for row in found} == {ACME}


@pytest.mark.parametrize("table", OWN_TABLES, ids=names(OWN_TABLES))
def test_the_deployments_own_tables_are_empty_to_a_customer(connect, table):
    assert run(connect, f"SELECT * FROM {table.__tablename__}", ACME) == []


def test_the_deployments_own_work_sees_every_row(connect):
    assert len(run(connect, "SELECT * FROM usage_record", "every")) == 2


@pytest.mark.parametrize("whose", ["", "0", "101 ", "-101", "everyone", "null", "101,102"])
def test_a_setting_that_names_nobody_sees_nothing(connect, whose):
    assert run(connect, "SELECT * FROM usage_record", whose) == []


def test_the_setting_ends_with_its_transaction(connect):
    with connect() as connection:
        connection.execute(text(f"SET LOCAL app.customer_id = '{ACME}'"))
        connection.commit()
        assert connection.execute(text("SELECT * FROM usage_record")).all() == []


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            "INSERT INTO usage_record (customer_id, day, category, account_sid, cost_currency) "
            f"VALUES ({BETA}, '2026-03-02', 'sms', '{BETA_SID}', 'USD')",
            id="insert",
        ),
        pytest.param(f"UPDATE usage_record SET customer_id = {BETA}", id="give away"),
    ],
)
def test_a_row_of_another_cannot_be_written(connect, statement):
    with pytest.raises(ProgrammingError, match="row-level security"):
        run(connect, statement, ACME)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage_record SET usage = 0 RETURNING customer_id",
        "DELETE FROM usage_record RETURNING customer_id",
    ],
    ids=["update", "delete"],
)
def test_a_write_reaches_ones_own_rows_only(connect, statement):
    assert {row[0] for row in run(connect, statement, ACME)} == {ACME}


def test_every_table_with_rows_of_its_own_is_behind_the_wall(two):
    statement = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    walled = {row[0] for row in run(engine(two.settings.admin_url).connect, statement)}
    assert walled == set(names(TENANT_TABLES) + names(OWN_TABLES))


def test_the_apps_role_owns_nothing(two):
    statement = "SELECT tablename FROM pg_tables WHERE tableowner = current_user"
    assert run(engine(two.settings.database_url).connect, statement) == []


def test_the_apps_role_cannot_lift_the_wall(two):
    with pytest.raises(ProgrammingError, match="must be owner"):
        run(
            engine(two.settings.database_url).connect,
            "ALTER TABLE usage_record DISABLE ROW LEVEL SECURITY",
        )


def test_accounts_of_both_are_there_to_be_seen(two):
    found = run(engine(two.settings.admin_url).connect, "SELECT sid FROM account", "every")
    assert {row[0] for row in found} == {ACME_SID, BETA_SID}
