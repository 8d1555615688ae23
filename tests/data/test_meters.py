"""Meters over Twilio's categories: they never overlap, and a break-down foots to the total."""

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.meters import (
    CATALOGUE,
    OTHER,
    TOTAL,
    ancestors,
    category,
    category_ids,
    children,
    is_known,
    meter_of,
    overlapping,
    roots,
    shown_meters,
)
from data.pricing import ALL_USAGE, Meter
from data.usage import measured
from data.usage_rows import DayTotals
from tests.bills import agreed, graduated, margin

DAY = date(2026, 3, 1)


def test_no_two_meters_of_the_catalogue_overlap():
    names = sorted(CATALOGUE)
    clashes = {
        (one, two): overlapping(CATALOGUE[one], CATALOGUE[two])
        for one in names
        for two in names
        if one < two
    }
    assert {pair: clash for pair, clash in clashes.items() if clash} == {}


def test_no_meter_of_the_catalogue_overlaps_itself():
    for meter in CATALOGUE.values():
        singles = [Meter(unit="x", categories=(id,)) for id in meter.categories]
        assert [overlapping(a, b) for a in singles for b in singles if a != b] == [None] * (
            len(singles) * (len(singles) - 1)
        )


def test_every_category_of_the_catalogue_is_documented():
    assert [id for meter in CATALOGUE.values() for id in meter.categories if not is_known(id)] == []


def test_no_category_contains_itself():
    assert [id for id in category_ids() if id in ancestors(id)] == []


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("sms-outbound-longcode", "sms"),
        ("calls-inbound-local", "calls"),
        ("phonenumbers-local", "phonenumbers"),
        ("channels-whatsapp-outbound", "channels"),
    ],
)
def test_a_category_knows_what_contains_it(child, parent):
    assert parent in ancestors(child)


def test_the_total_is_nobodys_ancestor():
    assert not any(TOTAL in ancestors(id) for id in category_ids())


def test_a_category_knows_its_parts():
    assert {"calls-inbound", "calls-outbound"} <= set(children("calls"))


def test_an_unknown_category_is_kept_under_its_id():
    assert category("moon-calls").label == "Moon calls"


def test_a_category_is_known_in_any_case():
    assert is_known("Usage-RCS-Messages")


def test_roots_are_those_that_no_other_contains():
    given = ["sms", "sms-outbound", "mms-outbound", "moon-calls", TOTAL]
    assert roots(given) == {"sms", "mms-outbound", "moon-calls"}


def test_a_plans_meter_takes_the_place_of_those_it_overlaps():
    plan = agreed(
        graduated(meter="texts"), meters={"texts": {"unit": "x", "categories": ["sms-outbound"]}}
    )
    assert {"texts", "sms"} & set(shown_meters(plan)) == {"texts"}


def test_a_plan_over_all_usage_shows_the_catalogue():
    assert list(shown_meters(agreed(margin(markup="0")))) == list(CATALOGUE)


def test_a_meter_written_in_capitals_finds_its_rows():
    meters = {"rcs": Meter(unit="x", categories=("Usage-RCS-Messages",))}
    assert list(meter_of(["usage-rcs-messages"], meters)) == [("usage-rcs-messages", "rcs")]


rows = st.lists(
    st.tuples(
        st.sampled_from([*category_ids()[:120], "sms", "calls", "mms", "moon-calls", TOTAL]),
        st.decimals("0", "1000", places=3),
        st.decimals("-5", "50", places=5),
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)


def day_of(found):
    return [DayTotals(DAY, id, usage, usage, cost) for id, usage, cost in found]


@given(rows)
def test_meters_and_other_foot_to_the_total(found):
    shown = measured(day_of(found), CATALOGUE)
    parts = [shown.cost[name].get(DAY, D(0)) for name in (*CATALOGUE, OTHER)]
    assert sum(parts) == shown.cost[ALL_USAGE].get(DAY, D(0))


@given(rows)
def test_the_total_is_twilios_own_where_there_is_one(found):
    totals = [cost for id, _, cost in found if id == TOTAL]
    if totals:
        assert measured(day_of(found), CATALOGUE).cost[ALL_USAGE][DAY] == totals[0]


@given(rows)
def test_a_category_is_counted_in_one_meter_at_most(found):
    named = [id for id, _ in meter_of((id for id, _, _ in found), CATALOGUE)]
    assert len(named) == len(set(named))


def test_parents_and_children_are_not_added():
    found = [("sms", D(10), D(1)), ("sms-outbound", D(7), D("0.7")), ("sms-inbound", D(3), D(0))]
    assert measured(day_of(found), CATALOGUE).quantity["sms"][DAY] == 10


def test_without_a_total_the_roots_are_added():
    found = [("sms", D(10), D(1)), ("sms-outbound", D(7), D("0.7")), ("moon-calls", D(1), D(2))]
    assert measured(day_of(found), CATALOGUE).cost[ALL_USAGE][DAY] == 3


def test_a_meter_says_which_figure_is_billed():
    meters = {"calls": Meter(unit="calls", categories=("calls",), quantity="count")}
    found = [DayTotals(DAY, "calls", D(3), D(44), D(1))]
    assert measured(found, meters).quantity["calls"][DAY] == 3
