"""The fan over the days to come: it opens from what is known and ends where the projection does."""

from datetime import date, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from data.projection import project
from data.projection.fan import fan

START, LAST, AS_OF = date(2026, 3, 1), date(2026, 3, 31), date(2026, 3, 17)
SINCE = date(2026, 1, 1)


def projected(values, last=LAST, floor=None):
    days = [SINCE + timedelta(days=n) for n in range((AS_OF - SINCE).days + 1)]
    history = [(day, D(values[n % len(values)])) for n, day in enumerate(days)]
    return project(history, START, last, AS_OF, floor=floor)


def test_no_fan_opens_where_no_day_is_to_come():
    assert fan(projected([5], last=AS_OF)) is None


def test_counts_stay_whole():
    found = fan(projected([3, 9, 4, 0, 7]))
    ends = (*found.low, *found.likely, *found.high)
    assert all(one == one.to_integral_value() for one in ends)


def test_a_settling_day_is_never_below_what_it_has_used_already():
    used = {AS_OF + timedelta(days=1): D(1000)}
    one = projected([3, 9, 4], floor=used)
    assert fan(one).low[0] >= D(one.known) + 1000


@given(st.lists(st.integers(0, 90), min_size=5, max_size=40))
def test_a_fan_rises_is_ordered_and_ends_near_the_projections_quantiles(values):
    one = projected(values)
    found = fan(one)
    assert found.days == one.days
    known = D(one.known)
    for edge in (found.low, found.likely, found.high):
        assert known <= edge[0]
        assert list(edge) == sorted(edge)
    ends = zip(found.low, found.likely, found.high, strict=True)
    assert all(low <= likely <= high for low, likely, high in ends)
    near = max(1.0, 0.02 * one.p90)
    for end, quantile in ((found.low[-1], one.p10), (found.high[-1], one.p90)):
        assert abs(float(end) - quantile) <= near
