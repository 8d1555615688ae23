"""The plan of a listing: the fewest requests, and the same rows whichever way is taken."""

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import TwilioError
from data.twilio.client import Credentials, Transport, TwilioClient
from data.twilio.planner import (
    UNKNOWN,
    USUAL_CATEGORIES,
    USUAL_ROWS,
    Habit,
    Plan,
    Way,
    Window,
    plan,
    plan_again,
    usual_habit,
)
from data.twilio.reading import KnownAccount
from data.twilio.usage import LISTING_ATTEMPTS, Due, read_usage, read_window
from data.twilio.usage_records import ListingMoved
from tests.little_twilio import DAY, TODAY, LittleTwilio, reading_of
from tests.servers import PARENT, TOKEN
from tests.stores import ACME_SID, BETA_SID, customers

SILENT = tuple(f"silent-{n}" for n in range(640))
# Of Twilio's some 650 categories every one fits on a page, and so does a category of two years.
DAYS = st.integers(1, 730).map(lambda n: Window(TODAY - (n - 1) * DAY, TODAY))
HABITS = st.builds(Habit, st.integers(1, 700), st.integers(0, 650))


def costs(window: Window, habit: Habit) -> dict[Way, int]:
    """Each way's requests, counted page by page."""
    rows = [habit.rows_per_day] * ((window.last - window.first).days + 1)
    full = len(range(0, sum(rows), 1000))
    found = {Way.RANGE: full, Way.DAYS: sum(len(range(0, each, 1000)) for each in rows)}
    found[Way.CATEGORIES] = 1 + habit.categories
    return found


@given(DAYS, HABITS)
def test_a_plan_is_the_cheapest_way(window, habit):
    ways = costs(window, habit)
    found = plan(window, habit)
    assert found.requests == ways[found.way] == min(ways.values()) >= 1


@given(DAYS, HABITS)
def test_of_equals_the_plan_takes_answers_without_further_pages(window, habit):
    ways, found = costs(window, habit), plan(window, habit)
    if found.way is Way.RANGE and found.requests > 1:
        assert all(ways[way] > found.requests for way in ways if way is not Way.RANGE)


@given(DAYS)
def test_an_account_never_read_is_planned_like_a_usual_one(window):
    assert plan(window, UNKNOWN) == plan(window, Habit(USUAL_ROWS, 650))


@given(DAYS, HABITS, st.integers(1, 100))
def test_a_plan_made_again_asks_for_less_than_what_is_left(window, habit, read):
    again = plan_again(window, habit, read)
    ways = costs(window, habit)
    cheapest = min(ways[Way.DAYS], 1 + habit.categories)
    if cheapest < ways[Way.RANGE] - read:
        assert again is not None
        assert (again.requests, again.way is Way.RANGE) == (cheapest, False)
    else:
        assert again is None


@pytest.mark.parametrize(
    ("days", "habit", "expected"),
    [
        pytest.param(1, Habit(12, 12), Plan(Way.RANGE, 1), id="a day"),
        pytest.param(90, Habit(12, 12), Plan(Way.RANGE, 2), id="a dozen rows a day"),
        pytest.param(90, Habit(648, 12), Plan(Way.CATEGORIES, 13), id="silent ones are listed"),
        pytest.param(4, Habit(648, 40), Plan(Way.RANGE, 3), id="few days, many categories"),
        pytest.param(2, Habit(648, 40), Plan(Way.DAYS, 2), id="a page a day, or two for both"),
        pytest.param(425, Habit(648, 0), Plan(Way.CATEGORIES, 1), id="nothing ever happened"),
    ],
)
def test_plans_by_example(days, habit, expected):
    assert plan(Window(TODAY - (days - 1) * DAY, TODAY), habit) == expected


@given(st.lists(st.one_of(st.just(UNKNOWN), HABITS)))
def test_the_usual_habit_is_the_middle_of_those_known(habits):
    known = [one for one in habits if one.rows_per_day]
    found = usual_habit(habits)
    if not known:
        assert found == UNKNOWN
        return
    busy = [one for one in known if one.categories]
    if not busy:
        most = max(one.rows_per_day for one in known)
        assert found == Habit(max(most, USUAL_ROWS), USUAL_CATEGORIES)
        return
    rows = sorted(one.rows_per_day for one in busy)
    categories = sorted(one.categories for one in busy)
    assert found == Habit(rows[len(busy) // 2], categories[len(busy) // 2])


TEN = Window(TODAY - 9 * DAY, TODAY)
# What to expect, so that ten days are planned in this way.
FORCED = {
    Way.RANGE: Habit(12, 12),
    Way.DAYS: Habit(1000, 600),
    Way.CATEGORIES: Habit(648, 2),
}


def client(twilio: LittleTwilio) -> TwilioClient:
    hosts = {"api": twilio.base}
    return Transport(hosts, attempts=2, timeout=5).client(Credentials(PARENT, TOKEN))


def figures(twilio: LittleTwilio, sid: str, window: Window) -> dict:
    """What is to be read of the account: what happened, and nothing that did not."""
    return {
        (day, name): values
        for day in window.dates()
        for name, values in twilio.usage[sid].get(day, {}).items()
        if any(values)
    }


def read_figures(found) -> dict:
    return {key: (row.count, row.usage, row.cost) for key, row in found.rows.items()}


def test_each_way_is_forced_by_its_habit():
    assert {plan(TEN, habit).way for habit in FORCED.values()} == set(Way)
    assert all(plan(TEN, habit).way is way for way, habit in FORCED.items())


happened = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["sms", "calls", "mms", "fees"]),
        st.integers(-(10**6), 10**6).map(lambda n: D(n).scaleb(-5)),
    ),
    max_size=20,
)


@pytest.mark.parametrize("silent", [(), ("owls", "moons", "sms")], ids=["left out", "listed"])
@settings(max_examples=12)
@given(happened=happened)
def test_all_ways_read_the_same_rows(twilio, silent, happened):
    twilio.forget().lists_all = silent
    for back, name, price in happened:
        twilio.use(ACME_SID, TODAY - back * DAY, price, name)
    expected = figures(twilio, ACME_SID, TEN)
    for habit in FORCED.values():
        found, _ = read_window(client(twilio), ACME_SID, TEN, habit)
        assert read_figures(found) == expected


def steady(twilio: LittleTwilio, window: Window, active: int, silent: int) -> None:
    """The same categories every day."""
    twilio.lists_all = SILENT[:silent]
    for day in window.dates():
        twilio.usage[ACME_SID][day] = {f"active-{n}": (D(1), D(1), D("0.5")) for n in range(active)}


@pytest.mark.parametrize(
    ("days", "active", "silent"),
    [
        pytest.param(4, 12, 0, id="some days of a dozen"),
        pytest.param(200, 12, 0, id="a range of pages"),
        pytest.param(100, 10, 0, id="a page to the last row"),
        pytest.param(4, 3, 640, id="few days of all categories"),
        pytest.param(2, 9, 640, id="two days of all categories"),
        pytest.param(60, 5, 640, id="many days of all categories"),
        pytest.param(60, 0, 640, id="nothing but silence"),
        pytest.param(60, 0, 0, id="nothing at all"),
    ],
)
def test_as_many_requests_are_sent_as_planned(twilio, days, active, silent):
    window = Window(TODAY - (days - 1) * DAY, TODAY)
    steady(twilio, window, active, silent)
    one = client(twilio)
    found, habit = read_window(one, ACME_SID, window, UNKNOWN)
    twilio.asked.clear()
    again, same = read_window(one, ACME_SID, window, habit)
    assert len(twilio.asked) == plan(window, habit).requests
    assert read_figures(found) == read_figures(again) == figures(twilio, ACME_SID, window)
    assert same == habit


def test_a_range_that_lists_silence_is_left_for_a_cheaper_way(twilio):
    window = Window(TODAY - 59 * DAY, TODAY)
    steady(twilio, window, 5, 640)
    read_window(client(twilio), ACME_SID, window, UNKNOWN)
    assert len(twilio.asked) == 1 + plan(window, Habit(645, 5)).requests


@pytest.fixture
def long(twilio, store):
    """Two customers, and of Acme's account a listing of two pages."""
    store.put(*customers())
    window = Window(TODAY - 119 * DAY, TODAY)
    steady(twilio, window, 10, 0)
    due = Due(KnownAccount(ACME_SID, "Acme"), Habit(10, 10), window, None, whole=True)
    return reading_of(store, twilio), due


def test_a_listing_that_shifts_between_pages_is_read_again(twilio, long):
    twilio.shifts = 2
    found = read_usage(*long)
    assert len(found.rows) == 1200
    assert len(twilio.asked) == 2 * 3


def test_a_listing_that_always_shifts_is_refused(twilio, long):
    twilio.shifts = 99
    with pytest.raises(ListingMoved):
        read_usage(*long)
    assert len(twilio.asked) == 2 * LISTING_ATTEMPTS


SPOILT = {
    "another account": {"account_sid": BETA_SID},
    "another day": {"start_date": "2026-02-01", "end_date": "2026-02-01"},
    "more than a day": {"end_date": "2026-03-31"},
    "another category": {"category": "owls"},
}
# A range or a day is asked for with all categories; the totals of a range are of no single day.
READ = [(way, name) for way in Way for name in SPOILT if way is Way.CATEGORIES or "cat" not in name]


@pytest.mark.parametrize(("way", "name"), READ, ids=[f"{way}: {name}" for way, name in READ])
def test_a_row_that_was_not_asked_for_is_refused(twilio, way, name):
    twilio.use(ACME_SID, TODAY, "0.5")
    of_range = TEN.first.isoformat()

    def spoil(body):
        totals = way is Way.CATEGORIES and body["start_date"] == of_range
        return body if totals else {**body, **SPOILT[name]}

    twilio.spoil = spoil
    with pytest.raises(TwilioError, match="Twilio sent"):
        read_window(client(twilio), ACME_SID, TEN, FORCED[way])


def test_totals_of_another_account_are_refused(twilio):
    twilio.use(ACME_SID, TODAY, "0.5")
    twilio.spoil = lambda body: {**body, "account_sid": BETA_SID}
    with pytest.raises(TwilioError, match=f"a usage row of {BETA_SID}"):
        read_window(client(twilio), ACME_SID, TEN, FORCED[Way.CATEGORIES])
