"""The staff's own pages over ten thousand customers: a page of the fleet's list, and a search.

Rows are generated; a plain SELECT of as many rows stands beside each figure of the list.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlmodel import select

from data.fleet import Reason, Wanted, fleet, fleet_counts, margins, matching
from data.migrations import migrate
from data.models import Account, Customer, CustomerHealth, PhoneNumber, Subscription
from data.scope import EveryTenant, reading, writing
from data.search import found
from data.search_index import search_index
from data.settings import Settings

CUSTOMERS, A_PAGE, ROUNDS = 10_000, 25, 15
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIRST = ("Birch", "Cedar", "Dune", "Elm", "Fjord", "Grove", "Harbor", "Iris", "Juniper", "Maple")
SECOND = ("Bakery", "Logistics", "Travel", "Fitness", "Optik", "Vets", "Events", "Studio", "Books")


def fleet_pages() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'fleet.sqlite'}"
        settings = Settings(database_url=url, _env_file=None)  # type: ignore[call-arg]  # pydantic's own
        migrate(settings)
        scope = EveryTenant(url)
        _fill(scope)
        print(f"{CUSTOMERS:,} customers, ms (median of {ROUNDS})")
        plain = _tell(f"plain SELECT of {A_PAGE} rows", lambda: _plain(scope))
        overage = Wanted(Reason.OVERAGE)
        for name, ask in (
            ("most urgent page", lambda: fleet(scope, now=NOW, limit=A_PAGE)),
            (
                "last page by name",
                lambda: fleet(scope, now=NOW, sort="name", limit=A_PAGE, offset=9975),
            ),
            ("one reason", lambda: fleet(scope, now=NOW, wanted=overage, limit=A_PAGE)),
            ("its count", lambda: matching(scope, now=NOW, wanted=overage)),
            ("all counts", lambda: fleet_counts(scope, now=NOW)),
            ("thinnest margins", lambda: margins(scope, limit=A_PAGE)),
        ):
            took = _tell(name, ask)
            print(f"{'':<28}{took / plain:>9.1f} times the plain SELECT")
        index = search_index(scope)
        for text in ("birch bakery 77", "brich bakrey", "AC00ff", "+1 (415) 000-12", "zzzzzz"):
            _tell(f"search {text!r}", lambda text=text: found(index, text))


def _tell(name: str, ask: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    middle = statistics.median(took)
    print(f"{name:<28}{middle:>9.1f}")
    return middle


def _plain(scope: EveryTenant) -> object:
    with reading(scope) as session:
        return session.exec(select(CustomerHealth).limit(A_PAGE)).all()


def _fill(scope: EveryTenant) -> None:
    chance = random.Random(1)
    with writing(scope) as session:
        for n in range(1, CUSTOMERS + 1):
            name = f"{chance.choice(FIRST)} {chance.choice(SECOND)} {n}"
            slug = name.lower().replace(" ", "-")
            mail = f"office@{slug}.example"
            session.add(Customer(id=n, slug=slug, name=name, email=mail, external_id=f"OWL-{n}"))
        session.flush()
        for n in range(1, CUSTOMERS + 1):
            sid, start = f"AC{chance.getrandbits(128):032x}", NOW.date()
            session.add(Subscription(customer_id=n, key="main", starts_on=start))
            session.add(Account(customer_id=n, sid=sid, starts_on=start, synced_at=NOW))
            number = f"+1415{n:07d}"
            session.add(PhoneNumber(customer_id=n, sid=f"PN{n}", account_sid=sid, number=number))
            session.add(_health(n, chance))


def _health(n: int, chance: random.Random) -> CustomerHealth:
    return CustomerHealth(
        customer_id=n,
        subscription="main",
        reasons=chance.choice((0, 0, 0, 2, 4, 8, 32, 36, 64)),
        plan=f"Plan {n % 7}",
        synced_at=NOW - timedelta(hours=chance.choice((1, 2, 30))),
        currency="USD",
        amount=Decimal(n),
        overage=Decimal(n % 300),
        chance=n % 101,
        earned=Decimal(n),
        cost=Decimal(n) * chance.randint(1, 12) / 10,
        cost_currency="USD",
        computed_on=NOW.date(),
        computed_at=NOW,
    )
