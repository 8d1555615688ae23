"""The columns that must not lose anything: exact numbers and moments, on both databases."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import func, select

from data.errors import InputError
from data.models import SyncRun, UsageRecord
from data.scope import reading, writing
from tests.stores import ACME, ACME_SID, BETA, customers, record

DAY = date(2026, 3, 1)


@pytest.fixture
def two(store):
    store.put(*customers())
    store.put(record(BETA, DAY, "sms", 7, 7))
    return store


def kept(store, **figures):
    with writing(store.owner) as session:
        found = session.get(UsageRecord, (ACME, DAY, "sms", ACME_SID))
        row = found or record(ACME, DAY, "sms")
        for name, value in figures.items():
            setattr(row, name, value)
        session.add(row)
    with reading(store.acme) as session:
        return session.exec(select(UsageRecord)).one()


@settings(max_examples=20)
@given(value=st.decimals("-9e9", "9e9", places=9))
def test_a_cost_comes_back_as_it_went(two, value):
    assert kept(two, cost=value).cost == value


@pytest.mark.parametrize(
    "value", ["98765432.10", "0.000001", "999999999999.999999", "-0.000001", "0"]
)
def test_a_quantity_comes_back_as_it_went(two, value):
    assert kept(two, usage=D(value)).usage == D(value)


def test_nothing_comes_back_as_nothing(two):
    assert kept(two, count=None).count is None


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"usage": D("0.0000001")}, id="seven decimals of a quantity"),
        pytest.param({"cost": D("0.0000000001")}, id="ten decimals of a cost"),
        pytest.param({"usage": D("1e13")}, id="a quantity too large"),
        pytest.param({"cost": D("1e10")}, id="a cost too large"),
    ],
)
def test_what_does_not_fit_is_refused_and_not_rounded(two, figures):
    with pytest.raises(InputError, match="does not fit"):
        kept(two, **figures)


def test_sums_are_exact(two):
    two.put(*(record(ACME, DAY, f"c{n}", "0.1", "0.000000001") for n in range(3)))
    with reading(two.acme) as session:
        found = session.exec(select(func.sum(UsageRecord.usage), func.sum(UsageRecord.cost))).one()
    assert found == (D("0.3"), D("0.000000003"))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
        datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
    ids=["in UTC", "in another zone"],
)
def test_a_moment_comes_back_in_utc(store, moment):
    store.put(SyncRun(started_at=moment))
    with reading(store.owner) as session:
        found = session.exec(select(SyncRun.started_at)).one()
    assert (found, found.utcoffset()) == (moment, timedelta(0))
