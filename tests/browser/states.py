"""The demo with a state at each customer: what pages show when things are not as usual.

with states(folder) as live, chromium() as browser:
    visit(browser, live, "Grove Vets")  # on its first day
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.stage import Live
from tests.demo_app import TODAY, demo
from tests.streamlit_client import serving

LONG_AGO = "2026-11-17 06:00:00.000000"
REFUSED = "Twilio refused our credentials for this account."
NOBODYS, NEVER_READ = "Jade Nursery", "Kite School"


@dataclass(frozen=True)
class State:
    """At which customer it is shown, and the words that say so on its overview."""

    customer: str
    says: str


STATES: Mapping[str, State] = {
    "stale": State("Birch Bakery", "more than a day old"),
    "partial": State("Cedar Logistics", "Not up to date"),
    "failed": State("Dune Travel", "Not up to date"),
    "no-credits-left": State("Elm Fitness", "Your credits are used up"),
    "suspended": State("Fjord Optik", "Suspended"),
    "first-day": State("Grove Vets", "too early to say"),
    "closed": State("Harbor Events", "This account is closed"),
    "withdrawn": State("Iris Studio", "withdrawn"),
    "empty": State(NOBODYS, "No Twilio account is connected"),
    "never-read": State(NEVER_READ, "No usage has been read yet"),
}


@contextmanager
def states(folder: Path) -> Iterator[Live]:
    """All states at once, each at its customer; one server for all."""
    with demo(folder) as environment:
        file = environment["DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as rows:
            _change(rows)
            rows.commit()
        with serving("streamlit_app:app", **environment) as base:
            yield Live(base, environment["TWILIO_API_BASE"], environment["DATABASE_URL"])


def break_store(live: Live) -> None:
    """From here on usage cannot be read: every page must say so and lose nothing."""
    with closing(sqlite3.connect(live.database.removeprefix("sqlite:///"))) as rows:
        rows.execute("ALTER TABLE account RENAME TO account_gone")
        rows.commit()


def _change(rows: sqlite3.Connection) -> None:
    ids = dict(rows.execute("SELECT name, id FROM customer").fetchall())

    def account(customer: str, change: str, *values: str, only: str = "1 = 1") -> None:
        rows.execute(
            f"UPDATE account SET {change} WHERE customer_id = ? AND {only}",
            [*values, ids[customer]],
        )

    account("Birch Bakery", "as_of = ?, synced_at = ?", LONG_AGO, LONG_AGO)
    failed = "as_of = ?, synced_at = ?, sync_error = ?"
    account("Cedar Logistics", failed, LONG_AGO, LONG_AGO, REFUSED, only="application = 'Dispatch'")
    account("Dune Travel", failed, LONG_AGO, LONG_AGO, REFUSED)
    account("Fjord Optik", "status = 'suspended'")
    account("Iris Studio", "withdrawn_at = ?", LONG_AGO)
    rows.execute(
        "UPDATE credit_lot SET expires_on = MIN(COALESCE(expires_on, '2026-11-08'),"
        " MAX('2026-11-08', DATE(effective_on, '+1 day'))) WHERE customer_id = ?",
        [ids["Elm Fitness"]],
    )
    _begins_today(rows, ids["Grove Vets"])
    _new_customers(rows)


def _begins_today(rows: sqlite3.Connection, customer: int) -> None:
    for table in ("account", "subscription", "plan_change"):
        rows.execute(f"UPDATE {table} SET starts_on = ? WHERE customer_id = ?", [TODAY, customer])
    rows.execute("DELETE FROM usage_record WHERE customer_id = ?", [customer])


def _new_customers(rows: sqlite3.Connection) -> None:
    """One without any account, one whose account was never read."""
    for name in (NOBODYS, NEVER_READ):
        slug = name.lower().replace(" ", "-")
        owner = rows.execute(
            "INSERT INTO customer (slug, name) VALUES (?, ?)", [slug, name]
        ).lastrowid
        person = rows.execute(
            "INSERT INTO person (email, name, disabled) VALUES (?, ?, 0)",
            [f"owner@{slug}.example", name],
        ).lastrowid
        rows.execute(
            "INSERT INTO membership (person_id, customer_id, role) VALUES (?, ?, 'manager')",
            [person, owner],
        )
    begins = [owner, "main", "2026-11-16"]
    rows.execute(
        "INSERT INTO account (customer_id, subscription, starts_on, sid, name, application, kind,"
        " status, named_by) VALUES (?, ?, ?, ?, 'Kite', 'School', 'subaccount', 'active', 'file')",
        [*begins, f"AC{'4e' * 16}"],
    )
    rows.execute(
        'INSERT INTO subscription (customer_id, "key", starts_on, anchor_day) VALUES (?, ?, ?, 1)',
        begins,
    )
    rows.execute(
        "INSERT INTO plan_change (customer_id, subscription, starts_on, plan, version, number)"
        " VALUES (?, ?, ?, 'sms-overage-small', 1, 0)",
        begins,
    )
