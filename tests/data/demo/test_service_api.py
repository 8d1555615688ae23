"""The emulated endpoints beside usage: who may ask, their shapes, and logs that explain usage."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from data.demo.connect_api import connectable
from data.demo.records import KEPT_DAYS, numbers
from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, PARENT_SID, World
from data.errors import TwilioRefused
from data.models import Alert, Incident, LogDay, PhoneNumber, UsageTrigger
from data.twilio.alerts import ALERTS
from data.twilio.balance import balance
from data.twilio.client import Credentials
from data.twilio.logs import CALL_LOG, MESSAGE_LOG
from data.twilio.phone_numbers import PHONE_NUMBERS
from data.twilio.status import incidents
from data.twilio.usage_triggers import USAGE_TRIGGERS
from tests.data.demo.test_contract import FACTS, as_json_schema, validator
from tests.readings import read, reading, rows_of
from tests.stores import ACME, BETA, account, customers

TODAY = date(2026, 11, 21)
PARENT = (PARENT_SID, AUTH_TOKEN)
ROOT = "/2010-04-01/Accounts"
LISTINGS = {
    "Usage/Triggers": "usage_triggers",
    "IncomingPhoneNumbers": "incoming_phone_numbers",
    "Messages": "messages",
    "Calls": "calls",
}
FICTITIOUS = r"(whatsapp:)?\+1\d{3}55501\d\d"


def key_of(world, sid):
    return world.keys[sid].sid, world.keys[sid].secret


@pytest.fixture(scope="module")
def sids(world):
    named = {account.friendly_name: sid for sid, account in world.accounts.items()}
    return SimpleNamespace(
        dispatch=named["Cedar Logistics Dispatch"],
        support=named["Cedar Logistics Support Line"],
        birch=named["Birch Bakery"],
        dune=named["Dune Travel"],
        iris=named["Iris Studio"],
        harbor=named["Harbor Events"],
    )


def listed(api, path, auth=PARENT, **query):
    """All items of a listing, in pages of a thousand unless the query says otherwise."""
    found, key = [], LISTINGS.get(path.rpartition("/Accounts/")[2][35:].removesuffix(".json"))
    params = {"PageSize": 1000, **query}
    while True:
        answer = api.get(path, params=params, auth=auth)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body[key or "alerts"]
        path, params = body.get("next_page_uri") or body.get("meta", {}).get("next_page_url"), None
        if path is None:
            return found


def of(sid, resource):
    return f"{ROOT}/{sid}/{resource}.json"


def day_query(name, first, last):
    return {f"{name}>": str(first), f"{name}<": str(last + timedelta(days=1))}


@pytest.mark.parametrize("resource", ["Usage/Triggers", "Messages", "Calls"])
def test_an_answer_has_the_shape_that_twilio_describes(api, sids, resource):
    path = FACTS / "spec" / "twilio_usage_subset.json"
    if not path.exists():
        pytest.skip("Twilio's OpenAPI description is not beside the project: answers unchecked")
    spec = as_json_schema(json.loads(path.read_text()))
    body = api.get(of(sids.support, resource), params={"PageSize": 1000}, auth=PARENT).json()
    checker = validator(spec, f"{ROOT}/{{AccountSid}}/{resource}.json")
    assert [error.message for error in checker.iter_errors(body)][:3] == []
    rows = body[LISTINGS[resource]]
    name = {"Usage/Triggers": "usage.usage_trigger", "Messages": "message", "Calls": "call"}
    described = spec["components"]["schemas"][f"api.v2010.account.{name[resource]}"]
    assert set(rows[0]) == set(described["properties"])
    broken = {**body, LISTINGS[resource]: [{**rows[0], "sid": "AC1"}]}
    assert not checker.is_valid(broken)


@pytest.mark.parametrize("resource", LISTINGS)
def test_a_parents_token_reads_subaccounts_and_a_key_its_own_account_only(
    api, world, sids, resource
):
    parent, own = PARENT, key_of(world, sids.birch)
    may = [(parent, sids.birch), (own, sids.birch), ((sids.iris, AUTH_TOKEN), sids.iris)]
    may_not = [
        (own, sids.dune),
        (own, PARENT_SID),
        (parent, sids.iris),
        ((own[0], "wrong"), sids.birch),
        ((own[0], world.keys[sids.dune].secret), sids.birch),
        (("SK" + "0" * 32, own[1]), sids.birch),
    ]
    for auth, sid in may:
        assert api.get(of(sid, resource), auth=auth).status_code == 200
    for auth, sid in may_not:
        answer = api.get(of(sid, resource), auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/Usage/Records/Daily.json", 200, id="usage"),
        pytest.param(".json", 401, id="the account itself"),
        pytest.param("/Balance.json", 401, id="its balance"),
    ],
)
def test_a_key_reads_usage_but_nothing_of_the_account_itself(api, world, sids, path, status):
    auth = key_of(world, sids.birch)
    assert api.get(f"{ROOT}/{sids.birch}{path}", auth=auth).status_code == status
    assert api.get(f"{ROOT}.json", auth=auth).status_code == 401


def test_keys_are_one_an_account_and_the_same_in_every_world(world):
    other = World(2, TODAY + timedelta(days=40))
    assert other.keys == world.keys
    assert set(world.keys) == set(world.accounts) - {PARENT_SID}
    assert len({key.secret for key in world.keys.values()}) == len(world.keys)


def test_alerts_are_the_callers_own(api, world, sids):
    for sid in (sids.birch, sids.dune):
        token = (sid, world.accounts[sid].auth_token)
        rows = listed(api, "/v1/Alerts", key_of(world, sid))
        assert {row["account_sid"] for row in rows} == {sid}
        assert listed(api, "/v1/Alerts", token) == rows
    assert {row["account_sid"] for row in listed(api, "/v1/Alerts", PARENT)} == {PARENT_SID}
    assert api.get("/v1/Alerts", auth=(sids.birch, AUTH_TOKEN)).status_code == 401


def test_alerts_come_in_pages_with_absolute_addresses(api, world, sids):
    auth = key_of(world, sids.dispatch)
    whole = listed(api, "/v1/Alerts", auth)
    assert len(whole) > 50
    assert listed(api, "/v1/Alerts", auth, PageSize=20) == whole
    meta = api.get("/v1/Alerts", auth=auth).json()["meta"]
    assert meta["next_page_url"].startswith("http://demo.test/v1/Alerts?")
    assert (meta["key"], meta["page_size"], meta["previous_page_url"]) == ("alerts", 50, None)


def test_alerts_are_cut_by_moments_and_no_older_than_thirty_days(api, world, sids):
    auth = key_of(world, sids.dispatch)
    some = listed(api, "/v1/Alerts", auth, StartDate="2026-11-17", EndDate="2026-11-19T00:00:00Z")
    assert {row["date_created"][:10] for row in some} == {"2026-11-17", "2026-11-18"}
    errors = listed(api, "/v1/Alerts", auth, LogLevel="error")
    assert {row["error_code"] for row in errors} == {"11200"}
    assert api.get("/v1/Alerts", params={"StartDate": "2026-10-20"}, auth=auth).status_code == 400
    assert api.get("/v1/Alerts", params={"StartDate": "soon"}, auth=auth).status_code == 400


def test_every_failed_message_has_its_alert(api, world, sids):
    auth = key_of(world, sids.dispatch)
    start = TODAY - timedelta(days=20)
    messages = listed(api, of(sids.dispatch, "Messages"), **{"DateSent>": str(start)})
    failed = {(row["sid"], str(row["error_code"])) for row in messages if row["error_code"]}
    alerts = listed(api, "/v1/Alerts", auth, StartDate=str(start), LogLevel="warning")
    assert {(row["resource_sid"], row["error_code"]) for row in alerts} == failed
    assert len(failed) > 50


def tallied(world, sid, day, roots):
    tallies = world.usage_on(sid, day)
    found = [tallies[root] for root in roots if root in tallies]
    return sum(one.count for one in found), sum(one.usage for one in found)


@pytest.mark.parametrize("account", ["dispatch", "dune", "birch", "iris"])
def test_messages_agree_with_usage_but_for_those_that_failed(api, world, sids, account):
    sid, first = getattr(sids, account), TODAY - timedelta(days=9)
    auth = key_of(world, sid)
    rows = listed(api, of(sid, "Messages"), auth, **day_query("DateSent", first, TODAY))
    for age in range(10):
        day = TODAY - timedelta(days=age)
        on_it = [row for row in rows if f"{day:%d %b %Y}" in row["date_sent"]]
        billed = [row for row in on_it if row["status"] != "failed"]
        expected = tallied(world, sid, day, ("sms", "mms", "channels"))
        assert (len(billed), sum(int(row["num_segments"]) for row in billed)) == expected
        if age:  # prices are settled
            cost = tallied_price(world, sid, day, ("sms", "mms", "channels"))
            fees = tallied_price(world, sid, day, ("sms-messages-carrierfees",))
            assert -sum(Decimal(row["price"]) for row in billed) == cost + fees
        assert all(row["price"] is None for row in (on_it if not age else []))
    assert all(row["price"] is None for row in rows if row["status"] == "failed")


def tallied_price(world, sid, day, roots):
    tallies = world.usage_on(sid, day)
    return sum(tallies[root].price for root in roots if root in tallies)


@pytest.mark.parametrize("account", ["dispatch", "support", "iris"])
def test_calls_agree_with_usage_which_rounds_each_up_to_minutes(api, world, sids, account):
    sid, first = getattr(sids, account), TODAY - timedelta(days=9)
    rows = listed(api, of(sid, "Calls"), key_of(world, sid), **day_query("StartTime", first, TODAY))
    for age in range(10):
        day = TODAY - timedelta(days=age)
        on_it = [row for row in rows if f"{day:%d %b %Y}" in row["start_time"]]
        seconds = [int(row["duration"]) for row in on_it if row["status"] == "completed"]
        minutes = sum(-(-one // 60) for one in seconds)
        assert (len(seconds), minutes) == tallied(world, sid, day, ("calls",))
        assert sum(seconds) < minutes * 60 or not seconds
    statuses = Counter(row["status"] for row in rows)
    assert statuses["completed"] > 10 * (statuses.total() - statuses["completed"])
    assert {row["duration"] for row in rows if row["status"] != "completed"} <= {"0"}


def test_records_are_filtered_by_their_ends_and_status(api, sids):
    path = of(sids.support, "Calls")
    rows = listed(api, path)
    one = rows[0]
    assert one in listed(api, path, From=one["from"], To=one["to"])
    assert len(listed(api, path, From=one["from"])) < len(rows)
    assert {row["status"] for row in listed(api, path, Status="busy")} == {"busy"}
    day = listed(api, path, StartTime="2026-11-11")
    assert {row["start_time"][5:16] for row in day} == {"11 Nov 2026"}


def test_logs_go_back_as_far_as_they_are_kept(api, world, sids):
    days = {row["date_sent"][5:16] for row in listed(api, of(sids.birch, "Messages"))}
    assert KEPT_DAYS - 10 < len(days) <= KEPT_DAYS + 1
    old = day_query("DateSent", date(2026, 1, 1), date(2026, 3, 1))
    assert listed(api, of(sids.birch, "Messages"), **old) == []


def test_all_numbers_are_fictitious_and_no_account_has_anothers(world, api, sids):
    own = [one for sid in world.accounts for one in numbers(world, sid)]
    assert len({one.number for one in own}) == len({one.sid for one in own}) == len(own) == 31
    for path in (of(sids.dispatch, "Messages"), of(sids.support, "Calls")):
        ends = {row[end] for row in listed(api, path) for end in ("from", "to")}
        assert [end for end in ends if not re.fullmatch(FICTITIOUS, end)] == []
    held = listed(api, of(sids.support, "IncomingPhoneNumbers"))
    assert Counter(row["phone_number"][:5] == "+1800" for row in held) == {False: 3, True: 2}
    assert listed(api, of(sids.harbor, "IncomingPhoneNumbers")) == []


def test_triggers_stand_where_usage_does(api, world, sids):
    rows = {row["friendly_name"]: row for row in listed(api, of(sids.support, "Usage/Triggers"))}
    month = world.usage_between([sids.support], date(2026, 11, 1), date(2026, 11, 22))
    half, more = rows["Half of a usual month"], rows["More than a usual month"]
    for row in (half, more):
        value = Decimal(row["current_value"])
        assert value == month["totalprice"].price
        assert (row["date_fired"] is not None) == (value >= Decimal(row["trigger_value"]))
    today = world.usage_on(sids.support, TODAY).get("calls")
    busy = rows["Busy day on the phone"]
    assert Decimal(busy["current_value"]) == (today.usage if today else 0)
    assert listed(api, of(sids.support, "Usage/Triggers"), Recurring="daily") == [busy]
    assert listed(api, of(sids.harbor, "Usage/Triggers")) == []


def test_incidents_are_open_to_everyone_and_those_to_come_are_not_told(api, world):
    body = api.get("/api/v2/incidents.json").json()
    statuses = [one["status"] for one in body["incidents"]]
    assert statuses == ["monitoring", "resolved", "resolved", "resolved"]
    earlier = TestClient(twilio_api(replace(world, seen_on=TODAY - timedelta(days=12))))
    then = earlier.get("/api/v2/incidents.json").json()["incidents"]
    assert then == body["incidents"][2:]


def test_accounts_that_connect_later_answer_like_the_others():
    world = World(1, TODAY)
    api = TestClient(twilio_api(world, app_origin="http://localhost:8501"))
    for sid in (one.sid for one in connectable(world)):
        assert listed(api, of(sid, "IncomingPhoneNumbers"), (sid, AUTH_TOKEN))
        assert api.get("/v1/Alerts", auth=(sid, AUTH_TOKEN)).status_code == 200


@pytest.mark.parametrize("resource", ["Messages", "Calls", "IncomingPhoneNumbers"])
def test_the_same_world_answers_the_same_and_another_seed_otherwise(world, sids, resource):
    def ask(seed):
        api = TestClient(twilio_api(World(seed, TODAY)))
        return listed(api, of(sids.support, resource))

    assert ask(1) == ask(1)
    assert (ask(1) == ask(2)) is (resource == "IncomingPhoneNumbers")


def test_a_sync_of_the_world_stores_all_of_it(store, world, sids):
    """Two customers of the world as ours; what they hold is what the world says."""
    held = {ACME: sids.support, BETA: sids.birch}
    store.put(*customers(), *(account(owner, sid) for owner, sid in held.items()))
    keys = {
        sid: Credentials(sid, world.keys[sid].secret, world.keys[sid].sid) for sid in held.values()
    }
    run = {"credentials": Credentials(*PARENT), "today": TODAY, "logs": True, "keys": keys}
    app = twilio_api(world)
    for resource in (ALERTS, PHONE_NUMBERS, USAGE_TRIGGERS, MESSAGE_LOG, CALL_LOG):
        first, second = read(store, app, resource, *held.values(), **run)
        assert first > 0
        assert second > 0 or resource is CALL_LOG
    for table in (Alert, PhoneNumber, UsageTrigger, LogDay):
        stored = set(rows_of(store, table, "customer_id", "account_sid"))
        assert stored == set(held.items())
    minutes = sum(
        units
        for kind, day, units in rows_of(store, LogDay, "kind", "day", "units")
        if kind == "calls" and day == date(2026, 11, 10)
    )
    assert minutes == world.usage_on(sids.support, date(2026, 11, 10))["calls"].usage
    with reading(store, app, **run) as whole:
        assert incidents(whole) == len(rows_of(store, Incident, "sid")) == 4
        assert balance(whole) is not None


def test_another_accounts_key_is_refused(store, world, sids):
    store.put(*customers(), account(ACME, sids.birch))
    strange = world.keys[sids.dune]
    keys = {sids.birch: Credentials(sids.birch, strange.secret, strange.sid)}
    run = {"today": TODAY, "keys": keys}
    with pytest.raises(TwilioRefused):
        read(store, twilio_api(world), PHONE_NUMBERS, sids.birch, **run)
