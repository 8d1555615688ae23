"""What was asked and noted in the demo before today: a request that waits, one answered, notes.

Written once, through the same acts as a person's, so that the audit log tells it, too.
"""

from datetime import datetime, timedelta

from sqlmodel import select

from data.models import Customer, CustomerNote
from data.requests import answer, ask, ended_requests, open_requests, requests_of
from data.scope import EveryTenant, Scope, reading, writing

WAITS = ("birch-bakery", "tier", "large", "We pass the 100 SMS every month now. From December?")
ANSWERED = ("elm-fitness", "pack", "small", "The last pack will not reach the new term.")
ANSWER = "The pack is yours from today; it stands on your next bill."
NOTES = (
    ("birch-bakery", 34, "Sam Support", "Calls on the 1st about overage. The ladder helps."),
    (
        *("cedar-logistics", 12, "Billie Billing"),
        "Three applications, one bill. Ask for the finance desk, not for the drivers.",
    ),
)


def ensure_demo_desk(scope: EveryTenant, now: datetime) -> None:
    """Part of setting up a demo, never of a request; does nothing where there is something."""
    today = now.date()
    if open_requests(scope, today) or ended_requests(scope, today, limit=1):
        return
    with reading(scope) as session:
        ids = dict(session.exec(select(Customer.slug, Customer.id)).all())
    slug, *asked = WAITS
    _ask(scope, ids.get(slug), asked, now - timedelta(days=3))
    slug, *asked = ANSWERED
    owner = ids.get(slug)
    _ask(scope, owner, asked, now - timedelta(days=21, hours=5))
    if owner is not None:
        (one,) = requests_of(Scope(owner, scope.url))
        by, at = "Billie Billing", now - timedelta(days=20)
        answer(scope, one.id, granted=True, words=ANSWER, by=by, now=at)
    with writing(scope) as session:
        for slug, days, author, text in NOTES:
            if (owner := ids.get(slug)) is not None:
                at = now - timedelta(days=days)
                session.add(
                    CustomerNote(customer_id=owner, author=author, written_at=at, text=text)
                )


def _ask(scope: EveryTenant, owner: int | None, asked: list[str], now: datetime) -> None:
    """By the customer's contact, whose name in a demo is the customer's."""
    if owner is None:
        return
    with reading(scope) as session:
        name = session.exec(select(Customer.name).where(Customer.id == owner)).one()
    kind, wanted, message = asked
    ask(
        *(Scope(owner, scope.url), "main", kind, wanted, message),
        asked_by=name,
        person_id=None,
        now=now,
    )
