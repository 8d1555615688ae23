"""Usage by day, week and month: what is added up by the database is what the rows say."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal as D
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InvalidPeriod, NotFound
from data.explorer import (
    LONGEST,
    Against,
    Grain,
    edges_before,
    explore,
    grains_for,
    spans,
    used_before,
)
from data.money import total
from data.periods import DAY
from tests.stores import ACME, ACME_SID, BETA, account, customers, record

FIRST, END = date(2025, 11, 20), date(2026, 3, 21)
SECOND_SID = "AC" + "c" * 32
CATEGORIES = ("sms", "sms-inbound", "sms-outbound", "calls", "phonenumbers", "voice-insights")
GRAINS = pytest.mark.parametrize("grain", Grain)
ANY_RANGE = st.tuples(
    st.dates(date(2023, 1, 1), date(2027, 1, 1)), st.integers(1, 800), st.sampled_from(Grain)
)


def rows_of(owner: int, sid: str | None = None, *, seed: int = 1):
    """Every category on every second day; in and outbound make up SMS."""
    for n in range(0, (END - FIRST).days, 2):
        day, base = FIRST + n * DAY, seed * 7 + n % 13
        parts = {"sms-inbound": base, "sms-outbound": 2 * base, "sms": 3 * base}
        for category in CATEGORIES:
            units = D(parts.get(category, base + 1))
            yield record(owner, day, category, units * 2, count=units, sid=sid)


@pytest.fixture
def filled(store):
    store.put(*customers(), account(ACME, SECOND_SID, name="Second"))
    store.put(*rows_of(ACME), *rows_of(ACME, SECOND_SID, seed=3), *rows_of(BETA, seed=5))
    return store


def expected(owner_rows, category: str, field: str, shown) -> list[D]:
    """By rows one by one, in nothing but Python."""
    by_day: dict[date, D] = defaultdict(D)
    for row in owner_rows:
        if row.category == category:
            by_day[row.day] += getattr(row, field)
    return [
        sum((by_day[one.start + n * DAY] for n in range((one.end - one.start).days)), D(0))
        for one in shown
    ]


@GRAINS
@pytest.mark.parametrize("owner", ["acme", "beta"])
def test_sums_of_every_level_are_those_of_the_rows(filled, grain, owner):
    shown = spans(date(2026, 1, 7), END, grain)
    scope = getattr(filled, owner)
    both = [*rows_of(ACME), *rows_of(ACME, SECOND_SID, seed=3)]
    rows = both if owner == "acme" else list(rows_of(BETA, seed=5))
    everything = {one.name: one for one in explore(scope, "main", shown).parts}
    for meter, category in (("sms", "sms"), ("voice", "calls"), ("numbers", "phonenumbers")):
        assert list(everything[meter].quantities) == expected(rows, category, "usage", shown)
        assert list(everything[meter].events) == expected(rows, category, "count", shown)
    sms = explore(scope, "main", shown, meter="sms")
    assert sms.stacks
    assert {one.name for one in sms.parts} == {"sms-inbound", "sms-outbound"}
    for one in sms.parts:
        assert list(one.quantities) == expected(rows, one.name, "usage", shown)
    inbound = explore(scope, "main", shown, meter="sms", category="sms-inbound")
    assert {one.name for one in inbound.parts} == {row.account_sid for row in rows}
    assert total(one.quantity for one in inbound.parts) == inbound.whole.quantity
    assert list(inbound.whole.events) == expected(rows, "sms-inbound", "count", shown)


@GRAINS
def test_one_account_is_a_part_of_all(filled, grain):
    shown = spans(date(2026, 1, 7), END, grain)
    each = [
        explore(filled.acme, "main", shown, meter="sms", account=sid).whole.quantities
        for sid in (ACME_SID, SECOND_SID)
    ]
    whole = explore(filled.acme, "main", shown, meter="sms").whole.quantities
    assert tuple(map(sum, zip(*each, strict=True))) == whole


def test_what_no_meter_names_is_listed_and_not_added_up(filled):
    view = explore(filled.acme, "main", spans(FIRST, END, Grain.MONTH))
    assert [one.name for one in view.other] == ["voice-insights"]
    assert "other" not in {one.name for one in view.parts}


def test_categories_that_miss_some_of_their_product_do_not_stack(filled):
    filled.put(record(ACME, date(2026, 1, 10), "sms", 5))  # without the categories below it
    shown = spans(date(2026, 1, 1), date(2026, 2, 1), Grain.DAY)
    assert not explore(filled.acme, "main", shown, meter="sms").stacks
    assert explore(filled.beta, "main", shown, meter="sms").stacks


def test_the_range_before_is_summed_like_the_range_itself(filled):
    shown = spans(date(2026, 2, 1), date(2026, 3, 1), Grain.DAY)
    edges = edges_before(shown, Against.BEFORE)
    assert (edges[0], edges[-1]) == (date(2026, 1, 1), date(2026, 1, 29))
    earlier = spans(edges[0], edges[-1], Grain.DAY)
    for meter in ("sms", None):
        view = explore(filled.acme, "main", earlier, meter=meter)
        parts = (
            view.whole.quantities
            if view.whole
            else [
                total(at)
                for at in zip(
                    *(one.events for one in view.parts if one.name != "numbers"), strict=True
                )
            ]
        )
        assert list(used_before(filled.acme, "main", edges, meter=meter)) == list(parts)


@pytest.mark.parametrize(
    "asked",
    [
        {"meter": "fax"},
        {"meter": "sms", "category": "calls"},
        {"meter": "sms", "account": "AC" + "b" * 32},
    ],
    ids=["meter", "category of another meter", "account of another customer"],
)
def test_what_is_not_ones_own_is_not_found(filled, asked):
    with pytest.raises(NotFound):
        explore(filled.acme, "main", spans(FIRST, END, Grain.MONTH), **asked)


@given(ANY_RANGE)
def test_spans_cover_each_day_once(asked):
    start, many, grain = asked
    end = start + timedelta(days=many)
    shown = spans(start, end, grain)
    assert (shown[0].start, shown[-1].end) == (start, end)
    assert all(one.end == after.start for one, after in pairwise(shown))
    assert all(one.whole for one in shown[1:-1])
    if grain is Grain.WEEK:
        assert all(one.start.weekday() == 0 for one in shown[1:])
    if grain is Grain.MONTH:
        assert all(one.start.day == 1 for one in shown[1:])


@given(ANY_RANGE, st.sampled_from([Against.BEFORE, Against.YEAR]))
def test_the_range_before_has_a_span_under_each_and_no_day_twice(asked, against):
    start, many, grain = asked
    shown = spans(start, start + timedelta(days=many), grain)
    edges = edges_before(shown, against)
    assert len(edges) == len(shown) + 1
    assert list(edges) == sorted(edges)
    assert edges[-1] <= shown[0].start or against is Against.YEAR


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**6)), max_size=40),
    st.integers(1, 401),
)
def test_totals_foot_over_grains(days, many):
    """Whatever the days hold, days, weeks and months of a range add up to the same."""
    start = date(2025, 12, 30)
    used: dict[date, int] = defaultdict(int)
    for offset, units in days:
        used[start + offset * DAY] += units
    sums = {
        sum(
            used[one.start + n * DAY]
            for one in spans(start, start + many * DAY, grain)
            for n in range((one.end - one.start).days)
        )
        for grain in Grain
    }
    assert len(sums) == 1


def test_months_lie_under_months_and_a_period_under_the_one_before():
    year = spans(date(2025, 12, 1), date(2026, 3, 18), Grain.MONTH)
    assert edges_before(year, Against.BEFORE) == (
        *(date(2025, month, 1) for month in (8, 9, 10, 11)),
        date(2025, 11, 18),
    )
    march = spans(date(2026, 3, 1), date(2026, 4, 1), Grain.DAY)
    edges = edges_before(march, Against.BEFORE, (date(2026, 2, 1), date(2026, 3, 1)))
    assert (edges[0], edges[27], edges[28], edges[31]) == (
        date(2026, 2, 1),
        date(2026, 2, 28),
        *[date(2026, 3, 1)] * 2,
    )


def test_a_range_without_a_day_is_refused_and_a_long_one_has_no_days():
    with pytest.raises(InvalidPeriod):
        spans(FIRST, FIRST, Grain.DAY)
    assert grains_for(30) == tuple(Grain)
    assert grains_for(LONGEST["day"] + 1) == (Grain.WEEK, Grain.MONTH)
    assert grains_for(10**4) == (Grain.MONTH,)
