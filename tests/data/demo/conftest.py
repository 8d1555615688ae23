"""The demo world on one day, and a client that asks its API as the ISV does."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, PARENT_SID, World

TODAY = date(2026, 11, 21)

Get = Callable[..., Any]


@pytest.fixture(scope="package")
def world() -> World:
    return World(1, TODAY)


@pytest.fixture(scope="package")
def api(world: World) -> TestClient:
    return TestClient(twilio_api(world), base_url="http://demo.test")


@pytest.fixture(scope="package")
def get(api: TestClient) -> Get:
    """GET with the parent's credentials, below the accounts; numbers parsed as Decimal."""

    def fetch(path: str, auth: tuple[str, str] = (PARENT_SID, AUTH_TOKEN), **query: object) -> Any:
        answer = api.get(f"/2010-04-01/Accounts{path}", params=query, auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    return fetch


@pytest.fixture(scope="package")
def sid_of_customer(world: World) -> dict[str, str]:
    return {customer.slug: customer.accounts[0].sid for customer in world.customers}
