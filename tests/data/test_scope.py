"""The guard: a session under one customer's scope neither reads nor writes another's rows."""

from datetime import date

import pytest
from sqlalchemy import (
    bindparam,
    column,
    exists,
    func,
    insert,
    lateral,
    literal_column,
    table,
    text,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col, delete, select, update

from data.errors import ScopeViolation
from data.models import (
    Account,
    Customer,
    Person,
    PlanVersion,
    Subscription,
    SyncRun,
    UsageRecord,
)
from data.scope import reading, writing
from tests.bills import agreed, margin
from tests.stores import ACME, ACME_SID, BETA, account, customers, record, version

DAY = date(2026, 3, 1)
USAGE, CUSTOMER = UsageRecord.__table__, Customer.__table__


@pytest.fixture
def two(store):
    """Each customer used something on one day; there is a plan, a person and a sync run."""
    store.put(
        *customers(),
        record(ACME, DAY, "sms", 1),
        record(BETA, DAY, "sms", 2),
        version(agreed(margin(markup="0.1"))),
        Person(email="sue@isv.test", name="Sue"),
        SyncRun(started_at=account(ACME, ACME_SID).synced_at),
    )
    return store


def everything(store):
    tables = (Customer, Account, Subscription, UsageRecord)
    with reading(store.owner) as session:
        return [
            sorted(str(row.model_dump()) for row in session.exec(select(one)).all())
            for one in tables
        ]


plain = table("usage_record", column("usage"), column("customer_id"))

READS = {
    "text": text("SELECT name FROM customer"),
    "text as a statement of a class": select(Customer).from_statement(
        text("SELECT * FROM customer")
    ),
    "text among the columns": select(Customer.id, text("(SELECT max(name) FROM customer) AS n")),
    "text in a condition": select(Customer).where(text("1 = 1 OR 1 = 1")),
    "text in an order": select(Customer.id).order_by(text("(SELECT max(name) FROM customer)")),
    "a literal column": select(Customer.id, literal_column("(SELECT max(name) FROM customer)")),
    "a core table": select(USAGE),
    "a core column": select(CUSTOMER.c.name),
    "a core column beside a class": select(Customer.id, CUSTOMER.c.name),
    "a core table in FROM": select(Customer.id).select_from(USAGE),
    "an alias of a core table": select(Customer.id, USAGE.alias("u").c.usage),
    "a core table joined": select(Customer.id).join(USAGE, USAGE.c.customer_id > 0),
    "an alias joined": select(Customer.id).join(USAGE.alias("u"), true()),
    "a join of core tables": select(Customer.id).select_from(
        CUSTOMER.join(USAGE, CUSTOMER.c.id == USAGE.c.customer_id)
    ),
    "a core table in exists": select(Customer.id).where(exists().where(CUSTOMER.c.name == "Beta")),
    "a core table in a scalar subquery": select(
        Customer.id, select(func.max(USAGE.c.usage)).scalar_subquery()
    ),
    "a core table in IN": select(Customer.id).where(
        col(Customer.id).in_(select(USAGE.c.customer_id))
    ),
    "a core table in a CTE": select(Customer.id, select(USAGE).cte("c").c.usage),
    "a core table in a subquery": select(Customer.id, select(USAGE).subquery().c.usage),
    "a core table in a union": select(Customer.id).union(select(USAGE.c.customer_id)),
    "a sample of a core table": select(Customer.id, USAGE.tablesample(100).c.usage),
    "a lateral core table": select(Customer.id, lateral(select(USAGE)).c.usage),
    "a table without metadata": select(Customer.id, plain.c.usage),
    "an alias of one": select(Customer.id, plain.alias("p").c.usage),
    "a table without metadata in exists": select(Customer.id).where(
        exists().where(plain.c.usage > 1)
    ),
    "a count of a core table": select(func.count()).select_from(USAGE),
    "no class at all": select(func.count()),
    "text as a subquery": select(
        Customer.id, text("SELECT name FROM customer").columns(column("name")).subquery().c.name
    ),
    "text at the end": select(Customer.name).suffix_with(text("UNION SELECT name FROM customer")),
    "text at the front": select(Customer.name).prefix_with(text("name, ")),
    "text as a hint": select(Customer.name).with_statement_hint("UNION SELECT name FROM customer"),
    "a lookup by key, which is built of core columns": select(Customer).where(
        CUSTOMER.c.id == BETA
    ),
    "a bare exists": select(exists().where(CUSTOMER.c.name == "Beta")),
}


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("statement", READS.values(), ids=READS)
def test_what_the_filters_do_not_reach_is_refused(two, statement):
    with pytest.raises(ScopeViolation), reading(two.acme) as session:
        session.execute(statement).all()


foreign = record(BETA, DAY, "mms", 9).model_dump()
mine = record(ACME, DAY, "mms", 9).model_dump()

WRITES = {
    "insert": lambda s: s.execute(insert(UsageRecord).values(**foreign)),
    "insert of own rows": lambda s: s.execute(insert(UsageRecord).values(**mine)),
    "insert of many": lambda s: s.execute(insert(UsageRecord), [foreign]),
    "insert into a core table": lambda s: s.execute(USAGE.insert().values(**foreign)),
    "insert from a select": lambda s: s.execute(
        insert(UsageRecord).from_select(["category"], select(UsageRecord.category))
    ),
    "text": lambda s: s.execute(text("UPDATE customer SET name = 'Mine'")),
    "update of a core table": lambda s: s.execute(USAGE.update().values(usage=0)),
    "delete from a core table": lambda s: s.execute(USAGE.delete()),
    "a key given away": lambda s: s.execute(update(Account).values(customer_id=BETA)),
    "a key given away by column": lambda s: s.execute(
        update(Account).values({col(Account.customer_id): BETA})
    ),
    "a key given away in order": lambda s: s.execute(
        update(Account).ordered_values((col(Account.customer_id), BETA))
    ),
    "a key given away by parameter": lambda s: s.execute(update(Account), {"customer_id": BETA}),
    "a key given away by a named parameter": lambda s: s.execute(
        update(Account).values(customer_id=bindparam("to")), {"to": BETA}
    ),
    "rows of another by key": lambda s: s.execute(update(Customer), [{"id": BETA, "name": "Mine"}]),
    "another's name written to one's own row": lambda s: s.execute(
        update(Customer).values(name=select(func.max(CUSTOMER.c.name)).scalar_subquery())
    ),
    "a condition on a core table": lambda s: s.execute(
        delete(UsageRecord).where(exists().where(CUSTOMER.c.name == "Beta"))
    ),
    "the customer's own key": lambda s: s.execute(update(Customer).values(id=999)),
    "bulk save": lambda s: s.bulk_save_objects([record(BETA, DAY, "mms", 9)]),
    "bulk insert": lambda s: s.bulk_insert_mappings(UsageRecord, [foreign]),
    "bulk update": lambda s: s.bulk_update_mappings(Customer, [{"id": BETA, "name": "Mine"}]),
    "a bare connection": lambda s: s.connection(),
    "a new row of another": lambda s: s.add(record(BETA, DAY, "mms", 9)),
    "a row without owner": lambda s: s.add(Person(email="mallory@x.test", name="M")),
    "a new customer": lambda s: s.add(Customer(id=103, slug="gamma", name="Gamma")),
    "a plan": lambda s: s.add(version(agreed(margin(markup="0.2"), version=2))),
    "a row merged": lambda s: s.merge(record(BETA, DAY, "sms", 0)),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_the_guard_cannot_confine_is_refused(two, write):
    before = everything(two)
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        write(session)
    assert everything(two) == before


def test_a_row_cannot_be_moved_to_another(two):
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        session.exec(select(UsageRecord)).one().customer_id = BETA


def _given(row, owner):
    row.customer_id = owner
    return row


def test_a_row_of_another_cannot_be_taken_over(two):
    with reading(two.owner) as session:
        theirs = session.exec(select(UsageRecord).where(UsageRecord.customer_id == BETA)).one()
        session.expunge(theirs)
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        session.add(_given(theirs, ACME))


def test_a_row_of_another_cannot_be_deleted(two):
    with reading(two.owner) as session:
        theirs = session.exec(select(UsageRecord).where(UsageRecord.customer_id == BETA)).one()
        session.expunge(theirs)
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        session.delete(theirs)


inner = select(UsageRecord).subquery()
cte = select(UsageRecord.customer_id, UsageRecord.usage).cte()
CONFINED = {
    "a class": select(UsageRecord.customer_id),
    "another's id asked for": select(UsageRecord.customer_id).where(
        UsageRecord.customer_id == BETA
    ),
    "either asked for": select(UsageRecord.customer_id).where(
        (UsageRecord.customer_id == ACME) | (UsageRecord.customer_id == BETA)
    ),
    "an alias": select(aliased(UsageRecord).customer_id),
    "a join": select(UsageRecord.customer_id).join(Account, true()),
    "an outer join": select(Account.customer_id).join(
        UsageRecord, UsageRecord.account_sid != Account.sid, isouter=True
    ),
    "a subquery": select(aliased(UsageRecord, inner).customer_id),
    "a subquery's columns": select(inner.c.customer_id),
    "a CTE": select(cte.c.customer_id),
    "a union": union(select(UsageRecord.customer_id), select(Account.customer_id)),
    "a union of all": union_all(select(UsageRecord.customer_id), select(Account.customer_id)),
    "a union as a statement": select(UsageRecord.customer_id).from_statement(
        union(select(UsageRecord.customer_id), select(Account.customer_id))
    ),
    "exists": select(Customer.id).where(
        exists().where(col(UsageRecord.customer_id) == Customer.id)
    ),
}


@pytest.mark.parametrize("statement", CONFINED.values(), ids=CONFINED)
def test_what_the_filters_reach_stays_confined(two, statement):
    for scope, others in ((two.acme, BETA), (two.beta, ACME)):
        with reading(scope) as session:
            found = {row[0] for row in session.execute(statement).all()}
        assert found <= {scope.customer_id}, f"{others} seen"


SCALARS = {
    "a scalar subquery": select(Customer.id, select(func.max(UsageRecord.usage)).scalar_subquery()),
    "the largest of an alias": select(Customer.id, func.max(aliased(UsageRecord).usage)).group_by(
        col(Customer.id)
    ),
}


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("statement", SCALARS.values(), ids=SCALARS)
def test_a_figure_is_of_ones_own_rows(two, statement):
    with reading(two.acme) as session:
        assert [value for _, value in session.execute(statement).all()] == [1]


def test_exists_does_not_see_anothers_row(two):
    statement = select(Customer.id).where(exists().where(col(UsageRecord.usage) == 2))
    with reading(two.acme) as session:
        assert session.execute(statement).all() == []


def test_a_lookup_by_key_is_refused(two):
    with pytest.raises(ScopeViolation), reading(two.acme) as session:
        session.get(Customer, BETA)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_old_query_is_confined_too(two):
    with reading(two.acme) as session:
        assert [row.id for row in session.query(Customer).all()] == [ACME]


def test_an_update_reaches_only_ones_own(two):
    with writing(two.acme) as session:
        session.execute(update(Customer).values(name="Changed"))
    with reading(two.owner) as session:
        assert session.get(Customer, BETA).name == "Beta"


def test_a_delete_reaches_only_ones_own(two):
    with writing(two.acme) as session:
        session.execute(delete(UsageRecord))
    with reading(two.owner) as session:
        assert session.exec(select(UsageRecord.customer_id)).all() == [BETA]


def test_a_delete_is_not_told_of_anothers_rows(two):
    seen = exists().where(col(Customer.name) == "Beta")
    statement = delete(UsageRecord).where(seen)
    with writing(two.acme) as session:
        session.execute(statement, execution_options={"synchronize_session": False})
    with reading(two.owner) as session:
        assert len(session.exec(select(UsageRecord)).all()) == 2


def test_an_update_cannot_copy_anothers_value(two):
    theirs = select(Customer.name).where(Customer.name == "Beta").scalar_subquery()
    statement = update(UsageRecord).values(cost_currency=func.coalesce(theirs, "USD"))
    with writing(two.acme) as session:
        session.execute(statement, execution_options={"synchronize_session": False})
    with reading(two.acme) as session:
        assert session.exec(select(UsageRecord.cost_currency)).all() == ["USD"]


def test_the_deployments_own_tables_are_empty_to_a_customer(two):
    with reading(two.acme) as session:
        assert session.exec(select(Person)).all() == []
        assert session.exec(select(SyncRun)).all() == []


def test_plans_are_read_by_all(two):
    with reading(two.acme) as session:
        assert len(session.exec(select(PlanVersion)).all()) == 1


def test_ones_own_rows_can_be_written(two):
    with writing(two.acme) as session:
        session.add(record(ACME, DAY, "mms", 9))
    with reading(two.acme) as session:
        assert len(session.exec(select(UsageRecord)).all()) == 2


def test_two_scopes_take_turns_on_one_statement(two):
    statement = select(Customer.name)
    found = []
    for scope in (two.acme, two.beta, two.acme):
        with reading(scope) as session:
            found += session.exec(statement).all()
    assert found == ["Acme", "Beta", "Acme"]


def test_a_violation_stores_nothing_of_its_transaction(two):
    before = everything(two)
    with pytest.raises(ScopeViolation), writing(two.acme) as session:
        session.add_all([record(ACME, DAY, "mms", 9), record(BETA, DAY, "mms", 9)])
    assert everything(two) == before


def test_a_scope_does_not_show_its_password(two):
    assert "url" not in repr(two.acme)
