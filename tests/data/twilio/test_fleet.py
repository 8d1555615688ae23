"""The fleet's emulator keeps its word: figures, pages, changes, faults and counters."""

import asyncio
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest
from twilio.rest import Client

from tests.fleet import Fleet, World, fleet
from tests.fleet.faults import HARD, IN_A_ROW, PRESETS, Faults, Rates
from tests.fleet.pages import ROOT, page_of, usage_listing
from tests.fleet.server import Asked, Server, _spoilt

TODAY = date(2026, 3, 20)
FIRST = TODAY - timedelta(days=9)


@pytest.fixture(scope="module")
def twilio():
    with fleet(accounts=12, days=10, today=TODAY, quiet=0.2) as running:
        yield running


@pytest.fixture
def http(twilio):
    with httpx.Client(base_url=twilio.base, auth=(twilio.sid, twilio.token)) as client:
        yield client
    twilio.break_things("none")


@pytest.fixture
def world():
    return World(TODAY, accounts_wanted=3, days=10)


def listed(client: httpx.Client, path: str, key: str = "usage_records", **query) -> list[dict]:
    """Every item of a listing, page by page."""
    answer = client.get(f"{ROOT}/{path}", params=query).raise_for_status().json()
    items = answer[key]
    while answer["next_page_uri"]:
        answer = client.get(answer["next_page_uri"]).raise_for_status().json()
        items += answer[key]
    return items


def figures(bodies: list[dict]) -> dict:
    return {
        (date.fromisoformat(body["start_date"]), body["category"]): (
            None if body["count"] is None else Decimal(body["count"]),
            Decimal(body["usage"]),
            Decimal(body["price"]),
        )
        for body in bodies
    }


def test_daily_listings_are_the_rows_that_the_world_computes(twilio: Fleet, http):
    for sid in twilio.world.sids[:3]:
        bodies = listed(http, f"{sid}/Usage/Records/Daily.json", PageSize=7)
        assert figures(bodies) == twilio.rows(sid, FIRST, TODAY)
        days = [body["start_date"] for body in bodies]
        assert days == sorted(days, reverse=True)
        assert {body["account_sid"] for body in bodies} == {sid}


def test_twilios_own_library_reads_the_fleet(twilio: Fleet):
    client = Client(twilio.sid, twilio.token)
    client.api.base_url = twilio.base
    accounts = client.api.accounts.list(page_size=5)
    assert {each.sid for each in accounts} == {twilio.sid, *twilio.world.sids}
    sid = twilio.world.sids[0]
    daily = client.api.accounts(sid).usage.records.daily
    records = daily.list(start_date=FIRST, end_date=TODAY, page_size=20)
    assert len(records) == len(twilio.rows(sid, FIRST, TODAY))


def test_the_total_is_the_sum_of_what_is_charged(twilio: Fleet):
    rows = twilio.rows(twilio.world.sids[1], FIRST, TODAY)
    charged = {one.id for one in twilio.world.tree.charged}
    for day in {day for day, _ in rows}:
        parts = [row[2] for (on, id), row in rows.items() if on == day and id in charged]
        assert rows[day, "totalprice"][2] == sum(parts)


def test_the_parent_sums_its_subaccounts_unless_told_not_to(twilio: Fleet, http):
    path = f"{twilio.sid}/Usage/Records/Daily.json"
    sums: Counter = Counter()
    for sid in twilio.world.sids:
        for (day, id), row in twilio.rows(sid, FIRST, TODAY).items():
            sums[day, id] += row[2]
    theirs = figures(listed(http, path, PageSize=1000))
    assert {key: row[2] for key, row in theirs.items()} == sums
    assert listed(http, path, IncludeSubaccounts="false") == []


@pytest.mark.parametrize(
    ("subresource", "first", "last"),
    [
        ("Records", FIRST, TODAY),
        ("Records/Monthly", date(2026, 3, 11), TODAY),
        ("Records/ThisMonth", date(2026, 3, 1), TODAY),
        ("Records/Today", TODAY, TODAY),
        ("Records/Yesterday", TODAY - timedelta(days=1), TODAY - timedelta(days=1)),
    ],
)
def test_an_interval_is_the_sum_of_its_days(twilio: Fleet, http, subresource, first, last):
    sid = twilio.world.sids[0]
    sums: Counter = Counter()
    for (_, id), row in twilio.rows(sid, first, last).items():
        sums[id] += row[2]
    bodies = listed(http, f"{sid}/Usage/{subresource}.json", PageSize=1000)
    assert {body["category"]: Decimal(body["price"]) for body in bodies} == sums
    assert {body["end_date"] for body in bodies} <= {last.isoformat()}


def test_a_filter_leaves_one_category(twilio: Fleet, http):
    bodies = listed(http, f"{twilio.world.sids[0]}/Usage/Records/Daily.json", Category="sms")
    assert {body["category"] for body in bodies} == {"sms"}


def test_with_zero_rows_a_day_lists_every_known_category():
    world = World(TODAY, accounts_wanted=1, days=3, zero_rows=True)
    query = {"PageSize": "1000", "StartDate": TODAY.isoformat()}
    listing = usage_listing(world, world.sids[0], "Daily", query)
    rows = json.loads(page_of(listing, "/x", query))["usage_records"]
    assert len({row["category"] for row in rows}) == len(rows) == listing.size > 640
    assert {key for key, row in figures(rows).items() if row[1]} == set(
        world.rows(world.sids[0], TODAY, TODAY)
    )


def test_recent_days_are_counted_in_part_and_rise(world):
    sid, before = world.sids[0], {}
    for day in (0, 1, 2, 3):
        world.change("today", day=(TODAY + timedelta(days=day)).isoformat())
        price = world.rows(sid, TODAY, TODAY)[TODAY, "totalprice"][2]
        assert price > before.get("price", 0)
        before["price"] = price
    world.change("today", day=(TODAY + timedelta(days=4)).isoformat())
    assert world.rows(sid, TODAY, TODAY)[TODAY, "totalprice"][2] == before["price"]


def test_a_correction_changes_its_day_and_no_other(world):
    sid, day = world.sids[0], FIRST + timedelta(days=2)
    before = world.rows(sid, FIRST, TODAY)
    world.change("correct", sid=sid, day=day.isoformat(), category="totalprice", factor="2")
    after = world.rows(sid, FIRST, TODAY)
    assert {on for (on, id) in before if before[on, id] != after[on, id]} == {day}
    assert after[day, "totalprice"][2] == 2 * before[day, "totalprice"][2]


def test_accounts_come_go_and_change_their_names():
    with fleet(accounts=3, days=5, today=TODAY) as twilio:
        twilio.change("rename", sid=twilio.world.sids[0], name="Elm")
        twilio.change("suspend", sid=twilio.world.sids[1])
        twilio.change("close", sid=twilio.world.sids[2])
        added = twilio.change("add", name="Oak")
        with httpx.Client(base_url=twilio.base, auth=(twilio.sid, twilio.token)) as client:
            accounts = client.get(f"{ROOT}.json").json()["accounts"]
        told = {(each["friendly_name"], each["status"]) for each in accounts}
        assert {("Elm", "active"), ("Account 1", "suspended"), ("Oak", "active")} <= told
        assert ("Account 2", "closed") in told
        assert twilio.rows(added, TODAY, TODAY)
        assert not twilio.rows(twilio.world.sids[2], TODAY, TODAY)


@pytest.mark.parametrize(
    ("path", "auth", "status"),
    [
        ("{sid}/Usage/Records.json", ("AC0", "wrong"), 401),
        ("AC" + "0" * 31 + "f/Usage/Records.json", None, 404),
        ("{sid}/Usage/Records.json?PageSize=1001", None, 400),
        ("{sid}/Usage/Records.json?Page=1&PageToken=mine", None, 400),
        ("{sid}/Usage/Records.json?Category=owls", None, 400),
    ],
    ids=["a wrong token", "no such account", "a page too large", "a token made up", "no category"],
)
def test_what_twilio_refuses_is_refused(twilio: Fleet, path, auth, status):
    address = f"{twilio.base}{ROOT}/{path.format(sid=twilio.world.sids[0])}"
    answer = httpx.get(address, auth=auth or (twilio.sid, twilio.token))
    assert answer.status_code == answer.json()["status"] == status


def test_an_answer_says_how_long_it_took_and_who_else_asks(http, twilio: Fleet):
    headers = http.get(f"{ROOT}/{twilio.sid}/Balance.json").headers
    assert headers["Twilio-Request-Id"].startswith("RQ")
    assert float(headers["Twilio-Request-Duration"]) >= 0
    assert int(headers["Twilio-Concurrent-Requests"]) >= 1


def test_a_persistent_client_gets_through_the_hardest_faults(http, twilio: Fleet):
    sid = twilio.world.sids[0]
    before = http.get(f"{ROOT}/{sid}/Usage/Records/Daily.json", params={"PageSize": 1000}).json()
    twilio.reset_counters()
    twilio.break_things("hard", seed=5)
    for n in range(40):
        query = {"PageSize": 1000, "StartDate": FIRST.isoformat(), "n": n}
        assert (
            persistent(http, f"{ROOT}/{sid}/Usage/Records/Daily.json", query)
            == before["usage_records"]
        )
    counted = twilio.counters()
    assert counted["retries"] > 5
    assert counted["repeats"] == 0
    assert counted["requests"] == 40 + counted["retries"]
    assert len(counted["faults"]) >= 6


def persistent(http: httpx.Client, path: str, query: dict) -> list[dict]:
    for _ in range(IN_A_ROW + 1):
        try:
            answer = http.get(path, params=query, timeout=0.2)
            page = answer.json() if answer.status_code == 200 else {}
        except (httpx.TransportError, ValueError):
            continue
        if isinstance(page, dict) and isinstance(page.get("usage_records"), list):
            return page["usage_records"]
    raise AssertionError("more faults in a row than promised")


def test_faults_are_the_same_again_with_the_same_seed():
    drawn = [[Faults(HARD, seed).meet(f"/{n}")[0] for n in range(200)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_faults_come_as_often_as_their_rates_say():
    faults = Faults(PRESETS["usual"], seed=3)
    drawn = Counter(faults.meet(f"/{n}")[0] for n in range(10_000))
    assert 900 < drawn["too_many"] < 1100
    assert 8000 - 200 < drawn[""] < 8000 + 200


def test_no_address_fails_more_than_eight_times_in_a_row():
    faults = Faults(Rates(server_error=1.0))
    met = [bool(faults.meet("/x")[0]) for _ in range(2 * (IN_A_ROW + 1))]
    assert met == 2 * [*[True] * IN_A_ROW, False]


@pytest.mark.parametrize(
    "fault", ["too_many", "server_error", "truncated", "html", "empty", "shape"]
)
def test_a_spoilt_answer_cannot_be_taken_for_a_whole_one(world, fault):
    server = Server(world, Faults(Rates()), 0, 0)
    address = f"{ROOT}/{world.sids[0]}/Usage/Records.json"
    asked = Asked("GET", address, address, {}, server.parent_login)
    chance = Faults(HARD).meet("/x")[1]
    for _ in range(20):
        answer = _spoilt(server.answer(asked), fault, chance)
        text = answer.text[: int(len(answer.text) * answer.break_off)]
        assert answer.status != 200 or not whole(text)


def whole(text: str) -> bool:
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("usage_records"), list)


def test_a_row_at_the_head_shifts_later_pages_by_one(world):
    query = {"PageSize": "5", "Page": "1"}
    listing = usage_listing(world, world.sids[0], "Daily", query)
    first = json.loads(page_of(listing, "/x", {**query, "Page": "0"}))["usage_records"]
    shifted = json.loads(page_of(listing, "/x", query, shift=1))["usage_records"]
    assert shifted[0] == first[-1]
    assert len(shifted) == 5


def test_a_loop_leads_back_to_the_first_page(world):
    query = {"PageSize": "5", "Page": "1"}
    page = page_of(usage_listing(world, world.sids[0], "Daily", query), "/x", query, loop=True)
    assert "Page=0" in json.loads(page)["next_page_uri"]


def test_the_counters_see_a_request_that_was_not_needed(http, twilio: Fleet):
    twilio.reset_counters()
    for _ in range(3):
        http.get(f"{ROOT}/{twilio.sid}/Balance.json")
    counted = twilio.counters()
    assert counted["repeats"] == 2
    assert counted["by_kind"] == {"Balance": 3}
    assert counted["by_status"] == {"200": 3}


def test_the_most_requests_at_once_are_counted():
    async def ask(twilio: Fleet) -> None:
        async with httpx.AsyncClient(auth=(twilio.sid, twilio.token)) as client:
            addresses = [f"{twilio.base}{ROOT}/{sid}.json" for sid in twilio.world.sids]
            await asyncio.gather(*(client.get(address) for address in addresses))

    with fleet(accounts=6, days=2, latency=0.3, today=TODAY) as twilio:
        # In a thread: a browser test of the same process may have left its loop in this one.
        with ThreadPoolExecutor() as aside:
            aside.submit(asyncio.run, ask(twilio)).result()
        assert twilio.counters()["most_concurrent"] == 6
