"""Plan versions in the store: they are added, and never change."""

import pytest

from data.errors import Conflict
from data.plans import all_plans, store_plans, stored_plan
from data.scope import reading, writing
from tests.bills import agreed, margin, overage
from tests.stores import customers

THREE, FOUR = agreed(margin(markup="0.03")), agreed(margin(markup="0.04"))


@pytest.fixture
def stored(store):
    store.put(*customers())
    with writing(store.owner) as session:
        store_plans(session, [THREE])
    return store


def test_a_plan_comes_back_as_it_was(stored):
    with reading(stored.owner) as session:
        assert stored_plan(session, "agreed", 1) == THREE


def test_the_same_version_again_changes_nothing(stored):
    with writing(stored.owner) as session:
        assert store_plans(session, [THREE]) == []


def test_a_changed_version_is_a_conflict_that_names_the_next(stored):
    with (
        pytest.raises(Conflict, match=r"version 1 is stored with other terms.*version 2"),
        writing(stored.owner) as session,
    ):
        store_plans(session, [FOUR])


def test_a_new_version_stands_beside_the_old(stored):
    with writing(stored.owner) as session:
        added = store_plans(session, [agreed(margin(markup="0.04"), version=2)])
    assert added == ["plan agreed version 2: new"]
    assert set(all_plans(stored.owner)) == {("agreed", 1), ("agreed", 2)}


def test_both_customers_see_every_plan(stored):
    assert all_plans(stored.acme) == all_plans(stored.beta) == {("agreed", 1): THREE}


def test_an_unknown_version_is_none(stored):
    with reading(stored.owner) as session:
        assert stored_plan(session, "agreed", 9) is None


def test_numbers_written_another_way_are_the_same_plan(store):
    ladder = [{"name": "a", "fee": "49.90", "allowance": 100, "overage_amount": "0.5"}]
    same = [{"name": "a", "fee": "49.9", "allowance": "100.0", "overage_amount": "0.50"}]
    with writing(store.owner) as session:
        store_plans(session, [agreed(overage("a", ladder))])
        assert store_plans(session, [agreed(overage("a", same))]) == []
