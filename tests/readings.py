"""A run of the sync in parts: a reading of accounts against answers given by path."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.scope import reading as session_of
from data.twilio.client import Credentials, Transport
from data.twilio.reading import KnownAccount, Reading, Resource
from tests.servers import PARENT, TOKEN, serving
from tests.stores import ACME_SID, BETA_SID

TODAY, NOW = date(2026, 3, 20), datetime(2026, 3, 20, 12, tzinfo=UTC)
KEYS = {
    ACME_SID: Credentials(ACME_SID, "acme-secret", "SK" + "a" * 32),
    BETA_SID: Credentials(BETA_SID, "beta-secret", "SK" + "b" * 32),
}
Answer = Response | Callable[[Request], Response]


@dataclass
class Twilio:
    """Answers by the user who asks; one for everybody stands under ""."""

    answers: dict[str, Answer]
    asked: list[Request] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        users = (sid for sid in self.answers if sid and sid in request.url.path)
        found = self.answers[next(users, "")]
        return found(request) if callable(found) and not isinstance(found, Response) else found

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(request.query_params) for request in self.asked]


@contextmanager
def reading(store, twilio: Any, **terms):
    """A reading of the store's accounts from a `Twilio` or an app."""
    app = twilio
    if isinstance(twilio, Twilio):
        app = Starlette(routes=[Route("/{path:path}", twilio.answer)])
    with serving(app) as base:
        given: dict[str, Any] = {
            "scope": store.owner,
            "credentials": Credentials(PARENT, TOKEN),
            "transport": Transport(
                dict.fromkeys(("api", "monitor", "status"), base), attempts=2, timeout=5
            ),
            "today": TODAY,
            "clock": lambda: NOW,
            "settling_days": 3,
            "history_days": 30,
            **terms,
        }
        yield Reading(**given)


def read(store, twilio: Any, resource: Resource, *sids: str, **terms) -> list[int]:
    """How many rows the resource stored of each account; an error is raised as it is."""
    with reading(store, twilio, **terms) as run:
        accounts = [KnownAccount(sid, sid[-4:]) for sid in sids or (ACME_SID, BETA_SID)]
        return [resource.read(run, one) for one in accounts if resource.applies(run, one)]


def alerts_page(rows: list[dict[str, Any]], next_page: str | None = None) -> Response:
    return JSONResponse({"alerts": rows, "meta": {"key": "alerts", "next_page_url": next_page}})


def rows_of(store, table, *names: str) -> list[tuple]:
    """Some columns of all rows, whoever owns them, in order."""
    with session_of(store.owner) as session:
        rows = session.exec(select(table)).all()
    return sorted((tuple(getattr(row, name) for name in names) for row in rows), key=str)
