"""Servers on loopback that stand in for Twilio: the demo world, or answers given word for word."""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PARENT, TOKEN = "AC" + "0" * 32, "token-that-must-not-leak"


class PromptServer(uvicorn.Server):
    """Leaves when it is told to: Uvicorn's own pauses, 0.2 s a server, make minutes of a suite."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def main_loop(self) -> None:
        self.loop, self.told = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)  # the headers of every answer
        self.ready.set()
        await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.tasks:  # who is being answered is waited for, a second at most
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self.lifespan.shutdown()

    def leave(self) -> None:
        self.should_exit = True
        self.loop.call_soon_threadsafe(self.told.set)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app on a free port of loopback; the port is ours before the server starts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = PromptServer(config)
        thread = Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        assert server.ready.wait(timeout=30)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.leave()
            thread.join()


@dataclass
class Canned:
    """Answers in the order given, the last one for ever; remembers what it was asked."""

    answers: list[Response]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    seconds: float = 0  # that it hangs before each answer

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, dict(request.query_params)))
        await asyncio.sleep(self.seconds)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer)])


def page(items: str, rows: Iterable[dict[str, Any]], next_page: object = None) -> Response:
    """A page of a listing as Twilio sends it."""
    return JSONResponse({items: list(rows), "next_page_uri": next_page, "page": 0})


def refusal(status: int, code: int = 20003, message: str = "Authenticate", **headers) -> Response:
    body = {"code": code, "message": message, "status": status}
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return JSONResponse(body, status, headers=named)


def account_body(sid: str, status: str = "active", owner: str = PARENT) -> dict[str, Any]:
    return {
        "sid": sid,
        "friendly_name": f"Account {sid[-3:]}",
        "status": status,
        "owner_account_sid": owner,
        "auth_token": f"secret-of-{sid[-3:]}",
    }


def usage_body(sid: str, day: str, category: str = "sms", **figures: Any) -> dict[str, Any]:
    return {
        "account_sid": sid,
        "category": category,
        "start_date": day,
        "end_date": day,
        "count": "1",
        "usage": "2",
        "price": "0.03",
        "price_unit": "usd",
        "as_of": f"{day}T09:30:00+00:00",
        **figures,
    }
