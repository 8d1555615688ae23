"""A small world for tests of identity, edge and endpoints: two customers and the people in it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from dashboard.door import Door
from dashboard.edge import Edge
from dashboard.endpoints import handlers, routes
from data.brand import load_brand
from data.errors import ScopeViolation
from data.identity import Role, add_membership, add_person, open_session
from data.models import Customer, PlanChange, PlanVersion, Subscription, Table
from data.scope import EveryTenant, engine, writing
from data.settings import ROOT, Settings

ACME, BETA = 1, 2
START = date(2026, 1, 1)
LIFE = timedelta(hours=12)


@dataclass(frozen=True)
class World:
    """Membership ids by first name: Ada at Acme, Ben at Beta, Sue in support, Bill in billing."""

    scope: EveryTenant
    ada: int
    ben: int
    sue: int
    bill: int

    def sign_in(self, membership_id: int, now: datetime | None = None) -> str:
        now = now or datetime.now(UTC)
        return open_session(self.scope, membership_id, "link", now, life=LIFE)


def make_world(folder: Path) -> World:
    url = f"sqlite:///{folder / 'world.sqlite'}"
    Table.metadata.create_all(engine(url))
    scope = EveryTenant(url)
    with writing(scope) as session:
        session.add(PlanVersion(plan="basic", version=1, terms={"name": "Basic"}))
        for id, slug, name in ((ACME, "acme", "Acme"), (BETA, "beta", "Beta & Sons")):
            session.add(Customer(id=id, slug=slug, name=name, email=f"office@{slug}.example"))
            session.flush()
        session.add(Subscription(customer_id=ACME, key="main", starts_on=START))
        session.add(
            PlanChange(
                customer_id=ACME, subscription="main", starts_on=START, plan="basic", version=1
            )
        )
    return World(
        scope,
        ada=_member(scope, "Ada", Role.VIEWER, ACME),
        ben=_member(scope, "Ben", Role.MANAGER, BETA),
        sue=_member(scope, "Sue", Role.SUPPORT),
        bill=_member(scope, "Bill", Role.BILLING_MANAGER),
    )


def _member(scope: EveryTenant, name: str, role: Role, customer_id: int | None = None) -> int:
    person = add_person(scope, f"{name}@real.test", name)
    return add_membership(scope, person, role, customer_id)


def make_door(
    world: World, pages: tuple[str, ...] = ("overview", "usage"), **settings: Any
) -> Door:
    given = {"database_url": world.scope.url, "_env_file": None, **settings}
    return Door(Settings(**given), load_brand(ROOT / "brand.toml"), pages)


async def _echo(request: Request) -> JSONResponse:
    """What stands in for Streamlit: it tells which headers reached it."""
    return JSONResponse({"path": request.url.path, "headers": dict(request.headers)})


async def _echo_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json(dict(socket.headers))
    await socket.close()


async def _explode(_: Request) -> Response:
    raise RuntimeError("SELECT secret FROM person")


async def _leak(_: Request) -> Response:
    raise ScopeViolation("a UsageRecord of another tenant")


async def _read(request: Request) -> Response:
    return JSONResponse({"fields": len(await request.form())})


def make_client(door: Door, **options: Any) -> TestClient:
    """The edge and the endpoints before an app that echoes; options are the client's."""
    ours = [
        *routes(door),
        Route("/explode", _explode),
        Route("/leak", _leak),
        Route("/read", _read, methods=["POST"]),
    ]
    everything = Route("/{path:path}", _echo, methods=["GET", "POST", "PUT", "DELETE"])
    app = Starlette(
        routes=[*ours, WebSocketRoute("/{path:path}", _echo_socket), everything],
        middleware=[Middleware(Edge, door=door, routes=ours)],
        exception_handlers=handlers(door),
    )
    options = {"base_url": door.settings.origin, "follow_redirects": False, **options}
    return TestClient(app, raise_server_exceptions=False, **options)


APP = """
from pathlib import Path
import streamlit as st
from starlette.middleware import Middleware
from data.brand import load_brand
from dashboard.door import Door
from dashboard.edge import Edge
from dashboard.endpoints import handlers, routes
from data.settings import load_settings

settings = load_settings()
door = Door(settings, load_brand(settings.brand_file), ("overview",))
ours = routes(door)
app = st.App(
    Path(__file__).parent / "probe_main.py",
    routes=ours,
    middleware=[Middleware(Edge, door=door, routes=ours)],
    exception_handlers=handlers(door),
)
"""


def write_app(folder: Path, main: str) -> Path:
    """`probe_app:app`, the door before a script of the test's own."""
    (folder / "probe_app.py").write_text(APP)
    (folder / "probe_main.py").write_text(main)
    return folder
