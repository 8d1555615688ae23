"""The emulator's answers against Twilio's own OpenAPI description, and its own helper library."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from data.demo.categories import CATEGORIES
from data.demo.twilio_api import twilio_api
from data.demo.usage_listing import SUBRESOURCES
from data.demo.world import AUTH_TOKEN, PARENT_SID, World

FACTS = Path(__file__).parents[4] / "shared" / "twilio"
SPEC_URI = "urn:twilio"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    path = FACTS / "spec" / "twilio_usage_subset.json"
    if not path.exists():
        pytest.skip("Twilio's OpenAPI description is not beside the project: answers unchecked")
    return as_json_schema(json.loads(path.read_text()))


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type; prices may be text, as they are."""
    if isinstance(node, list):
        return [as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    schema = {key: as_json_schema(value) for key, value in node.items()}
    if schema.pop("nullable", False) is True:
        schema["type"] = [schema["type"], "null"]
    properties = schema.get("properties")
    if isinstance(properties, dict) and "price" in properties:
        properties["price"] = {"type": ["string", "number", "null"]}
    return schema


def validator(spec: dict[str, Any], path: str) -> Draft202012Validator:
    answer = spec["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    resource = Resource.from_contents(spec, default_specification=DRAFT202012)
    absolute = json.loads(json.dumps(schema).replace('"#/', f'"{SPEC_URI}#/'))
    return Draft202012Validator(absolute, registry=Registry().with_resource(SPEC_URI, resource))


@pytest.mark.parametrize(
    "path",
    [
        "/2010-04-01/Accounts.json",
        "/2010-04-01/Accounts/{Sid}.json",
        "/2010-04-01/Accounts/{AccountSid}/Balance.json",
        *(
            f"/2010-04-01/Accounts/{{AccountSid}}/Usage/Records{'/' if name else ''}{name}.json"
            for name in SUBRESOURCES
        ),
    ],
)
def test_an_answer_has_the_shape_that_twilio_describes(api, spec, path):
    url = path.replace("{AccountSid}", PARENT_SID).replace("{Sid}", PARENT_SID)
    body = api.get(url, auth=(PARENT_SID, AUTH_TOKEN)).json()
    checker = validator(spec, path)
    assert [error.message for error in checker.iter_errors(body)] == []
    assert not checker.is_valid([body])
    described = spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    names = described["schema"].get("properties")
    if names:
        assert set(body) == set(names)


def test_a_usage_row_has_every_field_that_twilio_describes(api, spec):
    url = f"/2010-04-01/Accounts/{PARENT_SID}/Usage/Records.json"
    row = api.get(url, auth=(PARENT_SID, AUTH_TOKEN)).json()["usage_records"][0]
    schema = spec["components"]["schemas"]["api.v2010.account.usage.usage_record"]
    assert set(row) == set(schema["properties"])


def test_the_shape_check_would_notice_a_wrong_type(api, spec):
    path = "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Daily.json"
    url = path.replace("{AccountSid}", PARENT_SID)
    body = api.get(url, auth=(PARENT_SID, AUTH_TOKEN)).json()
    body["usage_records"][0]["usage"] = 3
    assert not validator(spec, path).is_valid(body)


def test_the_tree_of_categories_is_twilios():
    path = FACTS / "usage_categories.json"
    if not path.exists():
        pytest.skip("Twilio's list of usage categories is not beside the project: tree unchecked")
    known = {each["category"]: each for each in json.loads(path.read_text())["categories"]}
    for category in CATEGORIES.values():
        parents = {link["category"] for link in known[category.id]["parents"]}
        assert parents == ({category.parent} if category.parent else set())
        for unit in ("count_unit", "usage_unit"):
            documented = known[category.id][unit]
            if documented and category.id != "totalprice":
                assert getattr(category, unit) == documented


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    """The official library against the app on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(twilio_api(world), log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield client_on(listening.getsockname()[1], AUTH_TOKEN)
        server.should_exit = True
        thread.join(timeout=10)


def client_on(port: int, token: str) -> Client:
    client = Client(PARENT_SID, token)
    client.api.base_url = f"http://127.0.0.1:{port}"
    return client


def test_the_library_reads_accounts(client, world):
    accounts = client.api.accounts.list()
    assert [account.sid for account in accounts] == [PARENT_SID, *world.subaccount_sids]
    fetched = client.api.accounts(world.subaccount_sids[0]).fetch()
    assert fetched.friendly_name == "Cedar Logistics Dispatch"
    assert fetched.date_created.date() == world.first_day
    assert client.api.account.balance.fetch().currency == "USD"


@pytest.mark.parametrize(
    "name",
    "all_time daily last_month monthly this_month today yearly yesterday".split(),
)
def test_the_library_reads_every_subresource(client, world, name):
    sid = world.subaccount_sids[0]
    rows = getattr(client.api.accounts(sid).usage.records, name).list(limit=1500, page_size=1000)
    assert {row.account_sid for row in rows} == {sid}
    assert all(isinstance(row.price, Decimal) for row in rows)
    assert all(isinstance(row.start_date, date) for row in rows)


def test_the_library_pages_through_more_than_a_thousand_rows(client, world):
    sid = world.subaccount_sids[0]
    records = client.api.accounts(sid).usage.records
    rows = records.daily.list(page_size=1000)
    assert len(rows) > 2000
    whole = records.list(category="totalprice")
    assert sum(row.price for row in rows if row.category == "totalprice") == whole[0].price


def test_the_library_sends_dates_and_the_choice_of_subaccounts(client, world):
    records = client.api.accounts(PARENT_SID).usage.records
    day = date(2026, 11, 10)
    asked = {"category": "totalprice", "start_date": day, "end_date": day}
    (own,) = records.list(**asked, include_subaccounts=False)
    (everything,) = records.list(**asked)
    assert own.price == world.usage_on(PARENT_SID, day)["totalprice"].price
    assert everything.price > own.price
    assert own.start_date == own.end_date == day


def test_the_library_sees_twilios_errors(client, world):
    with pytest.raises(TwilioRestException) as missing:
        client.api.accounts("AC" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    stranger = client_on(int(client.api.base_url.rpartition(":")[2]), "wrong")
    with pytest.raises(TwilioRestException) as refused:
        stranger.api.accounts(PARENT_SID).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioException) as unknown:
        client.api.accounts(PARENT_SID).usage.records.list(category="no-such-category")
    assert unknown.value.args[1].status_code == 400
