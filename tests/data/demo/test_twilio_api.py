"""The emulator at its HTTP boundary: what it lists, what it refuses, and to whom."""

import time
from datetime import date, timedelta
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from data.demo.twilio_api import twilio_api
from data.demo.usage_listing import SUBRESOURCES
from data.demo.world import AUTH_TOKEN, PARENT_SID, World

TODAY = date(2026, 11, 21)
PARENT = (PARENT_SID, AUTH_TOKEN)
ACCOUNTS = "/2010-04-01/Accounts"


def all_pages(api: TestClient, path: str, auth=PARENT, **query) -> list[dict]:
    rows: list[dict] = []
    answer = api.get(f"{ACCOUNTS}{path}", params=query, auth=auth).json(parse_float=Decimal)
    while True:
        rows += answer["usage_records"]
        assert answer["end"] == max(len(rows) - 1, 0)
        if answer["next_page_uri"] is None:
            return rows
        assert answer["next_page_uri"].startswith("/2010-04-01/")
        answer = api.get(answer["next_page_uri"], auth=auth).json(parse_float=Decimal)


def test_the_account_list_has_the_parent_and_its_subaccounts_only(get, world, sid_of_customer):
    accounts = get(".json", PageSize=1000)["accounts"]
    sids = [account["sid"] for account in accounts]
    assert sids == [PARENT_SID, *world.subaccount_sids]
    assert len(sids) == 10
    assert sid_of_customer["iris-studio"] not in sids
    assert {account["owner_account_sid"] for account in accounts} == {PARENT_SID}
    assert all(account["auth_token"] for account in accounts)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"Status": "closed"}, ["Harbor Events"]),
        ({"FriendlyName": "Birch Bakery"}, ["Birch Bakery"]),
        ({"FriendlyName": "birch bakery"}, []),
        ({"FriendlyName": "Birch Bakery", "Status": "closed"}, []),
        ({"Status": "suspended"}, []),
    ],
)
def test_the_account_list_can_be_filtered(get, query, names):
    assert [each["friendly_name"] for each in get(".json", **query)["accounts"]] == names


def test_the_account_list_pages(get, api, world):
    first = get(".json", PageSize=4)
    second = api.get(first["next_page_uri"], auth=PARENT).json()
    third = api.get(second["next_page_uri"], auth=PARENT).json()
    sids = [a["sid"] for page in (first, second, third) for a in page["accounts"]]
    assert sids == [PARENT_SID, *world.subaccount_sids]
    assert third["next_page_uri"] is None
    assert (third["page"], third["start"], third["end"], third["page_size"]) == (2, 8, 9, 4)


def test_a_page_keeps_the_filters_in_its_addresses(get):
    body = get(f"/{PARENT_SID}/Usage/Records/Daily.json", Category="SMS", StartDate="-9days")
    assert body["uri"] == (
        f"{ACCOUNTS}/{PARENT_SID}/Usage/Records/Daily.json"
        "?Category=SMS&StartDate=-9days&PageSize=50&Page=0"
    )


def test_a_balance_belongs_to_the_parent_alone(get, api, world):
    body = get(f"/{PARENT_SID}/Balance.json")
    assert body["currency"] == "USD"
    assert 0 < Decimal(body["balance"]) < 2500
    answer = api.get(f"{ACCOUNTS}/{world.subaccount_sids[0]}/Balance.json", auth=PARENT)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_daily_rows_come_newest_first_one_day_each(get, sid_of_customer):
    sid = sid_of_customer["birch-bakery"]
    rows = get(
        f"/{sid}/Usage/Records/Daily.json",
        Category="sms",
        StartDate="2026-10-01",
        EndDate="2026-10-31",
    )["usage_records"]
    days = [row["start_date"] for row in rows]
    assert days == sorted(days, reverse=True)
    assert len(days) > 25
    assert {days[0], days[-1]} <= {f"2026-10-{n:02}" for n in range(1, 32)}
    assert all(row["start_date"] == row["end_date"] for row in rows)
    assert {row["category"] for row in rows} == {"sms"}


def test_a_row_speaks_twilios_types(get, sid_of_customer):
    sid = sid_of_customer["cedar-logistics"]
    rows = get(f"/{sid}/Usage/Records/Yesterday.json")["usage_records"]
    by_category = {row["category"]: row for row in rows}
    for row in rows:
        assert row["account_sid"] == sid
        assert row["price_unit"] == "usd"
        assert row["as_of"] == "2026-11-21T09:30:00+00:00"
        assert all(isinstance(row[name], str) for name in ("usage", "price", "description"))
    total = by_category["totalprice"]
    assert (total["count"], total["count_unit"], total["usage_unit"]) == (None, "", "usd")
    assert total["usage"] == total["price"]
    sms, calls = by_category["sms"], by_category["calls"]
    assert (sms["count_unit"], sms["usage_unit"]) == ("messages", "messages")
    assert (calls["count_unit"], calls["usage_unit"]) == ("calls", "minutes")
    assert Decimal(sms["usage"]) > Decimal(sms["count"])


@pytest.mark.parametrize(
    ("subresource", "first", "last", "intervals"),
    [
        (".json", "2025-09-21", "2026-11-21", 1),
        ("/AllTime.json", "2025-09-21", "2026-11-21", 1),
        ("/Today.json", "2026-11-21", "2026-11-21", 1),
        ("/Yesterday.json", "2026-11-20", "2026-11-20", 1),
        ("/ThisMonth.json", "2026-11-01", "2026-11-21", 1),
        ("/LastMonth.json", "2026-10-01", "2026-10-31", 1),
        ("/Monthly.json", "2026-11-01", "2026-11-21", 15),
        ("/Yearly.json", "2026-01-01", "2026-11-21", 2),
    ],
)
def test_each_subresource_cuts_time_its_own_way(get, world, subresource, first, last, intervals):
    path = f"/{PARENT_SID}/Usage/Records{subresource}"
    rows = get(path, Category="totalprice")["usage_records"]
    assert (rows[0]["start_date"], rows[0]["end_date"]) == (first, last)
    assert len(rows) == intervals
    day = date.fromisoformat
    for row in rows:
        expected = world.usage_between(
            [PARENT_SID, *world.subaccount_sids],
            day(row["start_date"]),
            day(row["end_date"]) + timedelta(days=1),
        )
        assert Decimal(row["price"]) == expected["totalprice"].price


def test_one_request_can_carry_a_whole_day(get, sid_of_customer):
    sid = sid_of_customer["cedar-logistics"]
    query = {"StartDate": "2026-11-10", "EndDate": "2026-11-10", "PageSize": 1000}
    root = get(f"/{sid}/Usage/Records.json", **query)["usage_records"]
    daily = get(f"/{sid}/Usage/Records/Daily.json", **query)["usage_records"]
    figures = ("category", "count", "usage", "price", "start_date", "end_date")
    assert [[row[f] for f in figures] for row in root] == [[r[f] for f in figures] for r in daily]
    assert len({row["category"] for row in root}) == len(root) > 10


def test_the_parent_lists_its_own_usage_plus_all_subaccounts(get, world):
    query = {"StartDate": "2026-09-01", "EndDate": "2026-10-31", "PageSize": 1000}

    def figures(sid: str, **more) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        rows = get(f"/{sid}/Usage/Records.json", **query, **more)["usage_records"]
        return {
            row["category"]: tuple(Decimal(row[k] or 0) for k in ("count", "usage", "price"))
            for row in rows
        }

    own = figures(PARENT_SID, IncludeSubaccounts="false")
    parts = [own, *(figures(sid) for sid in world.subaccount_sids)]
    everything = figures(PARENT_SID)
    assert own
    assert figures(PARENT_SID, IncludeSubaccounts="true") == everything
    for category, total in everything.items():
        listed = [part[category] for part in parts if category in part]
        assert list(total) == [sum(figure) for figure in zip(*listed, strict=True)], category


@pytest.mark.parametrize("asked", ["sms", "SMS", "Sms"])
def test_a_category_is_matched_in_any_case(get, asked):
    rows = get(f"/{PARENT_SID}/Usage/Records.json", Category=asked)["usage_records"]
    assert [row["category"] for row in rows] == ["sms"]


def test_parameter_names_are_case_sensitive(get):
    rows = get(f"/{PARENT_SID}/Usage/Records.json", category="sms")["usage_records"]
    assert len(rows) > 1


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("-2days", "-1days", ["2026-11-20", "2026-11-19"]),
        ("-1days", "+5days", ["2026-11-21", "2026-11-20"]),
        ("2026-11-19", "2026-11-19", ["2026-11-19"]),
        ("2031-01-01", "2031-01-02", []),
    ],
)
def test_dates_are_inclusive_absolute_or_offsets_from_today(get, start, end, days):
    path = f"/{PARENT_SID}/Usage/Records/Daily.json"
    rows = get(path, Category="totalprice", StartDate=start, EndDate=end)["usage_records"]
    assert [row["start_date"] for row in rows] == days


def test_a_plus_that_was_not_encoded_still_means_plus(api):
    path = f"{ACCOUNTS}/{PARENT_SID}/Usage/Records/Daily.json?Category=totalprice"
    answer = api.get(f"{path}&StartDate=-0days&EndDate=+1days", auth=PARENT)
    assert len(answer.json()["usage_records"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"Category": "no-such-category"}, 20001),
        ({"StartDate": "yesterday"}, 20001),
        ({"EndDate": "2026-02-30"}, 20001),
        ({"StartDate": "20261101"}, 20001),
        ({"StartDate": "2026-11-02", "EndDate": "2026-11-01"}, 20001),
        ({"PageSize": "0"}, 20007),
        ({"PageSize": "1001"}, 20007),
        ({"PageSize": "many"}, 20001),
        ({"Page": "-1"}, 20001),
        ({"Page": "1", "PageToken": "forged"}, 21481),
    ],
)
def test_a_bad_parameter_is_refused_in_twilios_words(api, query, code):
    answer = api.get(f"{ACCOUNTS}/{PARENT_SID}/Usage/Records/Daily.json", params=query, auth=PARENT)
    assert answer.status_code == 400
    assert answer.json() | {"message": ""} == {
        "code": code,
        "message": "",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": 400,
    }


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(None, id="nobody"),
        pytest.param((PARENT_SID, "wrong"), id="wrong token"),
        pytest.param(("AC" + "0" * 32, AUTH_TOKEN), id="unknown account"),
        pytest.param((PARENT_SID, "tökèn"), id="not ASCII"),
        pytest.param(("", ""), id="empty"),
    ],
)
def test_wrong_credentials_are_refused(api, auth):
    answer = api.get(f"{ACCOUNTS}/{PARENT_SID}/Usage/Records.json", auth=auth)
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003


@pytest.mark.parametrize("header", ["Basic ///", "Basic äö", "Bearer x", "Basic", "Basic /w=="])
def test_a_broken_authorization_header_is_refused(api, header):
    answer = api.get(f"{ACCOUNTS}.json", headers={"Authorization": header.encode()})
    assert answer.status_code == 401


def test_a_subaccount_reads_itself_and_nobody_else(api, get, world):
    own, other = (world.accounts[sid] for sid in world.subaccount_sids[:2])
    auth = (own.sid, own.auth_token)
    assert [each["sid"] for each in get(".json", auth=auth)["accounts"]] == [own.sid]
    assert get(f"/{own.sid}.json", auth=auth)["sid"] == own.sid
    assert get(f"/{own.sid}/Usage/Records.json", auth=auth)["usage_records"]
    for sid in (other.sid, PARENT_SID):
        for path in (f"/{sid}.json", f"/{sid}/Usage/Records/Daily.json", f"/{sid}/Balance.json"):
            answer = api.get(f"{ACCOUNTS}{path}", auth=auth)
            assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_a_subaccount_is_not_opened_by_the_parents_token(api, world):
    sid = world.subaccount_sids[0]
    answer = api.get(f"{ACCOUNTS}/{sid}.json", auth=(sid, AUTH_TOKEN))
    assert answer.status_code == 401


def test_a_connected_account_takes_its_own_sid_and_the_isvs_token(api, get, sid_of_customer):
    iris = sid_of_customer["iris-studio"]
    auth = (iris, AUTH_TOKEN)
    assert get(f"/{iris}/Usage/Records.json", auth=auth)["usage_records"]
    assert get(f"/{iris}.json", auth=auth)["owner_account_sid"] != PARENT_SID
    assert api.get(f"{ACCOUNTS}/{iris}.json", auth=PARENT).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"{ACCOUNTS}/AC{'0' * 32}.json",
        f"{ACCOUNTS}/AC{'0' * 32}/Usage/Records/Daily.json",
        f"{ACCOUNTS}/{PARENT_SID}/Usage/Records/Hourly.json",
        f"{ACCOUNTS}/{PARENT_SID}/Usage/Records/.json",
        f"{ACCOUNTS}/{PARENT_SID}/Conferences.json",
        f"{ACCOUNTS}/{PARENT_SID}",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(api, path):
    answer = api.get(path, auth=PARENT)
    assert answer.status_code == 404
    assert answer.json() == {
        "code": 20404,
        "message": f"The requested resource {path} was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }


def test_nothing_can_be_written(api):
    answer = api.post(f"{ACCOUNTS}.json", auth=PARENT)
    assert (answer.status_code, answer.json()["code"]) == (405, 20004)


def test_every_answer_has_twilios_headers_and_an_id_of_its_own(api):
    answers = [
        api.get(f"{ACCOUNTS}{path}", auth=PARENT) for path in (".json", ".json", "/none.json")
    ]
    assert len({answer.headers["Twilio-Request-Id"] for answer in answers}) == 3
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Twilio-Request-Id"].startswith("RQ")
        assert int(answer.headers["Twilio-Concurrent-Requests"]) >= 1
        assert Decimal(answer.headers["Twilio-Request-Duration"]) > 0


def test_unused_categories_have_no_row_unless_asked_for(world):
    ids = ("sms", "fax", "Usage-RCS-Messages", "totalprice")
    api = TestClient(twilio_api(world, zero_rows=ids))
    sid = world.subaccount_sids[0]
    query = {"StartDate": "2026-11-01", "EndDate": "2026-11-10", "PageSize": 1000}
    rows = all_pages(api, f"/{sid}/Usage/Records/Daily.json", **query)
    faxes = [row for row in rows if row["category"] == "fax"]
    assert len(faxes) == 10
    assert {(row["count"], row["usage"], row["price"]) for row in faxes} == {("0", "0", "0")}
    assert len([row for row in rows if row["category"] == "sms"]) == 10
    asked = {"Category": "usage-rcs-messages", "StartDate": "-1days"}
    rcs = all_pages(api, f"/{sid}/Usage/Records.json", **asked)
    assert [row["category"] for row in rcs] == ["Usage-RCS-Messages"]


@pytest.mark.parametrize("size", [50, 1000])
def test_more_rows_than_a_page_holds_page_through_without_loss(api, world, size):
    sid = world.subaccount_sids[0]
    rows = all_pages(api, f"/{sid}/Usage/Records/Daily.json", PageSize=size)
    assert len(rows) > 2000
    keys = [(row["start_date"], row["category"]) for row in rows]
    assert len(set(keys)) == len(keys)
    spent = sum(Decimal(row["price"]) for row in rows if row["category"] == "totalprice")
    expected = world.usage_between([sid], world.first_day, world.today + timedelta(days=1))
    assert spent == expected["totalprice"].price


@pytest.mark.parametrize("subresource", SUBRESOURCES)
def test_an_account_with_no_usage_in_the_interval_has_an_empty_page(get, world, subresource):
    harbor = next(a.sid for a in world.accounts.values() if a.closed_on)
    path = f"/{harbor}/Usage/Records{'/' if subresource else ''}{subresource}.json"
    body = get(path, StartDate="-20days", EndDate="-10days")
    if subresource != "LastMonth":  # fixed intervals take no dates; last month it was still open
        assert body["usage_records"] == []
        assert (body["start"], body["end"], body["next_page_uri"]) == (0, 0, None)


def test_the_whole_history_of_an_account_reads_in_well_under_a_second():
    api = TestClient(twilio_api(World(7, TODAY)))
    sid = World(7, TODAY).subaccount_sids[0]
    started = time.perf_counter()
    assert all_pages(api, f"/{sid}/Usage/Records/Daily.json", PageSize=1000)
    assert time.perf_counter() - started < 3  # usually a quarter; other tests run beside it
