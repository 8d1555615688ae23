"""Both modes from Twilio's API to the page, with nothing but commands, as their README says."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from data.demo.world import AUTH_TOKEN, PARENT_SID, PLANS_DIR, World
from tests.demo_app import TODAY, command, demo, twilio_api
from tests.streamlit_client import connect, free_port, serving

CUSTOMERS = """
cost_currency: USD
customers:
  - slug: heron-freight
    name: Heron Freight
    accounts: [{{sid: {trucks}, application: Trucks, from: 2026-01-10}}]
    plans: [{{plan: pay-as-you-go, from: 2026-01-10}}]
  - slug: swift-couriers
    name: Swift Couriers
    accounts: [{{sid: {bikes}, application: Bikes, from: 2026-01-10}}]
    plans: [{{plan: sms-overage-small, from: 2026-01-10}}]
"""


def cookie_of(browser: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def page_text(base: str, cookie: str) -> str:
    with connect(base, cookie=cookie) as page:
        page.rerun()
        return "\n".join(page.texts)


def demo_cookie(base: str, customer: str) -> str:
    with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
        page = browser.get("/sign-in").text
        member = re.search(rf'value="(\d+)">(?:(?!<button).)*<b>{customer}</b>', page)
        assert member, f"{customer} is not on the sign-in page"
        browser.post("/auth/demo", data={"member": member[1]})
        return cookie_of(browser)


@pytest.fixture
def another_world(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Real mode's environment: credentials, another host, files of another ISV."""
    accounts = [
        a for a in World(77, date.fromisoformat(TODAY)).accounts.values() if a.status == "active"
    ]
    named = {account.friendly_name: account.sid for account in accounts}
    file = tmp_path / "customers.yaml"
    trucks, bikes = named["Cedar Logistics Dispatch"], named["Birch Bakery"]
    file.write_text(CUSTOMERS.format(trucks=trucks, bikes=bikes))
    port = free_port()
    environment = {
        "TWILIO_ACCOUNT_SID": PARENT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'real.sqlite'}",
        "CUSTOMERS_FILE": str(file),
        "PLANS_DIR": str(PLANS_DIR),
    }
    with twilio_api(port, {}, "--seed", "77"):
        yield environment


def test_a_sync_alone_changes_what_the_page_of_a_demo_shows(tmp_path):
    with demo(tmp_path, seed=1) as environment, serving("streamlit_app:app", **environment) as base:
        birch, fjord = demo_cookie(base, "Birch Bakery"), demo_cookie(base, "Fjord Optik")
        before = page_text(base, birch), page_text(base, fjord)
        port = free_port()
        elsewhere = {**environment, "TWILIO_API_BASE": f"http://127.0.0.1:{port}"}
        with twilio_api(port, environment, "--seed", "2"):
            command("sync", environment=elsewhere)
        after = page_text(base, birch), page_text(base, fjord)
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_with_credentials_another_isvs_customers_appear_and_the_demo_is_shut(another_world):
    command("migrate", environment=another_world)
    command("customers", "import", "--apply", environment=another_world)
    assert "Synced 9 accounts" in command("sync", environment=another_world)
    links = {
        slug: re.search(
            r"token=(\S+)",
            command(
                *("people", "add", f"boss@{slug}.example.org", "--role", "manager"),
                *("--customer", slug),
                environment=another_world,
            ),
        )
        for slug in ("heron-freight", "swift-couriers")
    }
    with serving("streamlit_app:app", **another_world) as base:
        with httpx.Client(base_url=base, headers={"Origin": base}) as nobody:
            assert nobody.post("/auth/demo", data={"member": "1"}).status_code == 404
        shown = {slug: _signed_in_page(base, link[1]) for slug, link in links.items() if link}
    assert "Heron Freight" in shown["heron-freight"]
    assert "Swift Couriers" not in shown["heron-freight"]
    assert "Swift Couriers" in shown["swift-couriers"]
    assert "Demo data" not in "".join(shown.values())


def _signed_in_page(base: str, token: str) -> str:
    with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
        browser.post("/auth/link", data={"token": token})
        return page_text(base, cookie_of(browser))
