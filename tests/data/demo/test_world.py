"""The generated usage: exact sums, stable history, and shapes that look like people."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from data.demo.cast import months_before
from data.demo.categories import CATEGORIES, TOTAL, Tally
from data.demo.rhythm import is_holiday
from data.demo.service import alerts, incidents
from data.demo.world import AUTH_TOKEN, PARENT_SID, World
from data.periods import DAY, days_between

HOUR, FAR = timedelta(hours=1), datetime(2100, 1, 1, tzinfo=UTC)
ZERO = Tally(Decimal(0), Decimal(0), Decimal(0))


def every_day(world: World):
    for sid in world.accounts:
        for day in days_between(world.first_day, world.today + DAY):
            yield sid, day, world.usage_on(sid, day)


def test_a_parent_is_the_sum_of_its_children_on_every_day(world):
    for sid, day, tallies in every_day(world):
        children = defaultdict(lambda: ZERO)
        for id, tally in tallies.items():
            if id != TOTAL:
                children[CATEGORIES[id].parent] += tally
        for parent, expected in children.items():
            if parent != TOTAL:
                assert tallies[parent] == expected, (sid, day, parent)


def test_totalprice_is_the_sum_of_the_roots_and_has_no_count(world):
    for sid, day, tallies in every_day(world):
        if not tallies:
            continue
        roots = sum(t.price for id, t in tallies.items() if CATEGORIES[id].parent == TOTAL)
        assert tallies[TOTAL] == Tally(None, roots, roots), (sid, day)


def test_billed_units_are_never_fewer_than_events(world):
    counts = [t for _, _, tallies in every_day(world) for id, t in tallies.items() if id != TOTAL]
    assert all(tally.usage >= tally.count > 0 for tally in counts)


def test_every_leaf_of_the_tree_is_used_by_somebody(world):
    used = {id for _, _, tallies in every_day(world) for id in tallies}
    assert used == set(CATEGORIES)


def corrected(*worlds: World) -> set[tuple[str, date]]:
    """Days that Twilio counts anew once they have settled."""
    return {
        (sid, late.day)
        for world in worlds
        for sid, account in world.accounts.items()
        for late in account.corrections
    }


def test_a_settled_day_is_the_same_on_every_later_day_unless_it_is_corrected(world):
    sooner = World(world.seed, world.today - timedelta(days=30))
    late = corrected(sooner, world)
    standing = {
        sid
        for sid, account in sooner.accounts.items()
        if account.opened_on == sooner.first_day and account.closed_on is None
    }
    settled = list(days_between(world.first_day, sooner.today - 2 * DAY))
    assert len(standing) == 8
    for sid in standing:
        for day in settled:
            same = sooner.usage_on(sid, day) == world.usage_on(sid, day)
            assert same is ((sid, day) not in late)


@pytest.mark.parametrize(("age", "percent"), [(0, 40), (1, 95), (2, 99), (3, 100)])
def test_the_last_days_are_counted_in_part(world, sid_of_customer, age, percent):
    sid = sid_of_customer["cedar-logistics"]
    day = world.today - age * DAY
    settled = World(world.seed, world.today + 9 * DAY).usage_on(sid, day)["sms"].usage
    counted = world.usage_on(sid, day)["sms"].usage
    assert settled > 100
    assert 0 <= counted - settled * percent / 100 < 3  # started units of three leaves


def test_a_day_only_ever_rises_as_it_settles(world):
    for later in range(1, 4):
        other = World(world.seed, world.today + later * DAY)
        for sid in world.subaccount_sids:
            for age in range(4):
                day = world.today - age * DAY
                before, after = world.usage_on(sid, day), other.usage_on(sid, day)
                assert all(after[id].usage >= tally.usage for id, tally in before.items())


def test_another_seed_has_the_same_accounts_and_other_usage(world):
    other = World(world.seed + 1, world.today)
    assert list(other.accounts) == list(world.accounts)
    assert [a.auth_token for a in other.accounts.values()] == [
        a.auth_token for a in world.accounts.values()
    ]
    for sid in world.accounts:
        days = list(days_between(world.today - 12 * DAY, world.today))
        closed = world.accounts[sid].closed_on is not None
        assert closed or [other.usage_on(sid, d) for d in days] != [
            world.usage_on(sid, d) for d in days
        ]


def test_the_same_seed_and_day_give_the_same_world(world):
    again = World(world.seed, world.today)
    assert again == world
    assert all(again.usage_on(sid, day) == tallies for sid, day, tallies in every_day(world))


def test_nothing_is_used_before_the_history_or_after_today(world):
    for sid in world.accounts:
        assert world.usage_on(sid, world.first_day - DAY) == {}
        assert world.usage_on(sid, world.today + DAY) == {}


def test_offices_rest_at_weekends_and_on_holidays(world, sid_of_customer):
    sid = sid_of_customer["cedar-logistics"]

    def segments(day: date) -> Decimal:
        return world.usage_on(sid, day)["sms"].usage

    wednesday, sunday = date(2026, 10, 14), date(2026, 10, 18)
    assert segments(sunday) < segments(wednesday) / 3
    assert segments(date(2025, 12, 25)) < segments(date(2025, 12, 18)) / 2


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        pytest.param(date(2026, 11, 26), True, id="Thanksgiving"),
        pytest.param(date(2026, 11, 27), True, id="the Friday after"),
        pytest.param(date(2024, 11, 29), True, id="a Friday after on the 29th"),
        pytest.param(date(2026, 11, 19), False, id="the Thursday before"),
        pytest.param(date(2026, 9, 7), True, id="Labor Day"),
        pytest.param(date(2028, 12, 25), True, id="Christmas"),
        pytest.param(date(2026, 3, 17), False, id="a working day"),
    ],
)
def test_holidays(day, holiday):
    assert is_holiday(day) is holiday


def test_phone_numbers_are_charged_whole_on_one_day_a_month(world, sid_of_customer):
    sid = sid_of_customer["cedar-logistics"]
    charged = [
        (day, tallies["phonenumbers-local"])
        for day in days_between(date(2025, 10, 1), date(2026, 11, 1))
        if "phonenumbers-local" in (tallies := world.usage_on(sid, day))
    ]
    assert {day.day for day, _ in charged} == {world.accounts[sid].charge_day}
    assert len(charged) == 13
    assert {tally for _, tally in charged} == {Tally(Decimal(12), Decimal(12), Decimal("13.8"))}


def test_sids_look_like_twilios_and_the_token_is_plainly_not_real(world):
    assert len(set(world.accounts)) == 11
    assert next(iter(world.accounts)) == PARENT_SID
    assert all(len(sid) == 34 and sid.startswith("AC") for sid in world.accounts)
    assert all(set(sid[2:]) <= set("0123456789abcdef") for sid in world.accounts)
    assert "demo" in AUTH_TOKEN
    assert all("demo" in account.auth_token for account in world.accounts.values())


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 11, 21), 14, date(2025, 9, 21)),
        (date(2026, 4, 30), 14, date(2025, 2, 28)),
        (date(2024, 2, 29), 14, date(2022, 12, 29)),
        (date(2026, 3, 1), 3, date(2025, 12, 1)),
    ],
)
def test_months_before_keeps_the_day_where_the_month_has_it(day, months, earlier):
    assert months_before(day, months) == earlier


def test_nothing_is_told_of_a_later_moment_than_the_one_asked_at(world):
    early = datetime.combine(world.today, time(2, 37), UTC)
    asked = replace(world, asked_at=early)
    assert asked.counted_at == early
    assert world.counted_at == datetime.combine(world.today, time(9, 30), UTC)
    assert replace(world, asked_at=early + 9 * HOUR).counted_at == world.counted_at
    assert max(one.started_at for one in incidents(asked)) < early
    told = [alert for sid in asked.accounts for alert in alerts(asked, sid, early - DAY, FAR)]
    assert told
    assert all(alert.at <= early for alert in told)
