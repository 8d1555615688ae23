"""A live socket and the session behind it: neither outlives the other, and nothing is given twice.

One poll of the database asks for all open sockets of the process whether their sessions still
live, so that an end anywhere (another process, the command line) closes them within about a tenth
of a second.  The same place sees every frame: it knows which files a session was shown, when its
people last did something, and lets nothing through that our own pages never ask for.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import structlog
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.door import Door
from data import identity

log = structlog.get_logger()

POLL_SECONDS = 0.1
PAUSE_SECONDS = 2.0  # after a database that does not answer
TOUCH_SECONDS = 20.0  # how exactly the idle time is known
# Streamlit's ForwardMsg.auth_redirect, as st.logout() sends it: the browser leaves the page.  Not
# for the sign-out address: another tab may have signed in anew, with another cookie.
LEAVE = b"\xc2\x01\x0c\n\n/auth/over"
# Also the random name of a download yet to be written: field 12 of a button, 32 characters long.
TOLD = re.compile(rb"(?:/media/|\x62\x20)[0-9a-f]{32}")
# Where Streamlit itself puts such names; anywhere else it may repeat what a browser has sent.
OWN_FIELDS = ("url", "deferred_file_id", "image", "icon_image", "favicon")
OWN_NAME = re.compile(r"(?:/media/)?([0-9a-f]{32})(?:\.[0-9A-Za-z]{1,10})?")
# All that our pages ask for.  Whoever asks Streamlit (1.67) for more may empty everybody's caches,
# learn the branch and the names of changed files in the server's folder, or write into it.
ASKED = ("rerun_script", "stop_script", "app_heartbeat")
LARGEST = 1_000_000  # bytes of a message: what people have chosen on a page is far less
LONGEST_NOTICE = 2_000  # bytes of a frame that tells of a download
MOST_SOCKETS = 20  # of one session: pages open at once in one browser
MOST_SESSIONS, MOST_FILES = 10_000, 2_000  # of which files are remembered
FILE_HEADERS = ("content-type", "content-disposition")
MOST_WRITTEN, MOST_BYTES = 20, 5_000_000  # downloads held, and the size of the largest


class Watch:
    """Holds no loop: everything tied to one is made while a socket is open."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.open: dict[str, set[asyncio.Event]] = {}
        self.poll: asyncio.Task[None] | None = None
        self.acting: set[str] = set()
        self.shown: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self.written: OrderedDict[tuple[str, str], Response] = OrderedDict()

    @contextmanager
    def over(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set when the session has ended, for as long as a socket is open."""
        event = asyncio.Event()
        self.open.setdefault(key, set()).add(event)
        if self.poll is None or self.poll.done():
            self.poll = asyncio.create_task(self._poll())
        try:
            yield event
        finally:
            self.open[key].discard(event)
            if not self.open[key]:
                del self.open[key]

    def is_full(self, key: str) -> bool:
        """Whether a session has all the sockets that one may have: each holds memory."""
        return len(self.open.get(key, ())) >= MOST_SOCKETS

    def may_fetch(self, key: str, path: str) -> bool:
        """Whether this very session was given the address of a file.

        Streamlit names a file by a hash of its content and hands it to whoever asks: a guess, or
        an address seen over a shoulder, must not be enough.
        """
        name = OWN_NAME.fullmatch(path)
        return name is not None and name[1] in self.shown.get(key, ())

    def sees(self, key: str, frame: bytes) -> None:
        """Remember the files that a frame tells a session of."""
        if not TOLD.search(frame):  # few frames have any, and charts are large
            return
        found = tuple(_own_names(_parsed(frame)))
        if not found:
            return
        files = self.shown.setdefault(key, OrderedDict())
        self.shown.move_to_end(key)
        for name in found:
            files[name] = None
            files.move_to_end(name)
        while len(files) > MOST_FILES:
            files.popitem(last=False)
        while len(self.shown) > MOST_SESSIONS:
            self.shown.popitem(last=False)

    async def keep(self, key: str, app: ASGIApp, frame: bytes) -> None:
        """Hold on to a download that has just been written.

        Streamlit (1.67) ties such a file to no session and drops it when two runs of anybody have
        ended, which on a busy server is before the browser asks for it.
        """
        path = _written_file(frame)
        if path is None or not self.may_fetch(key, path):
            return
        answer = await _fetched(app, path)
        if answer.status_code == 200 and len(answer.body) <= MOST_BYTES:
            self.written[key, path] = answer
            self.written.move_to_end((key, path))
        while len(self.written) > MOST_WRITTEN:
            self.written.popitem(last=False)

    def hears(self, key: str, frame: bytes) -> bool:
        """Whether the app shall hear it, too; what is no message at all it refuses itself.

        Somebody acts, unless it is what a page repeats by itself: that keeps no session alive.
        """
        message = BackMsg()
        try:
            message.ParseFromString(frame)
        except DecodeError:
            return True
        kind = message.WhichOneof("type")
        if kind == "rerun_script" and not message.rerun_script.is_auto_rerun:
            self.acting.add(key)
        if kind == "backend_operation_request":
            wanted = message.backend_operation_request.deferred_file.file_id
            return wanted in self.shown.get(key, ())
        return kind in ASKED

    async def _poll(self) -> None:
        """Until no socket is open; one may open while the last act is written down."""
        while self.open:
            await self._watch()
            await self._touch()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        touched, touching = loop.time(), None
        while self.open:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._end_sockets()
            except Exception as error:  # the poll must outlive a database that is away
                log.warning("sessions not checked", error=type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS)
            if loop.time() - touched >= TOUCH_SECONDS and (touching is None or touching.done()):
                touched = loop.time()
                # Beside the poll: a database that is being written to must not delay an end.
                touching = asyncio.create_task(self._touch())

    async def _end_sockets(self) -> None:
        asked = tuple(self.open)
        door = self.door
        live = await run_in_threadpool(identity.live_keys, door.scope, asked, door.now())
        for key in set(asked) - live:
            self.shown.pop(key, None)
            for kept in [one for one in self.written if one[0] == key]:
                del self.written[kept]
            for event in self.open.get(key, ()):
                event.set()

    async def _touch(self) -> None:
        acting, self.acting = self.acting, set()
        if not acting:
            return
        try:
            await run_in_threadpool(identity.touch, self.door.scope, acting, self.door.now())
        except Exception as error:
            log.warning("sessions not touched", error=type(error).__name__)
            self.acting |= acting


def _written_file(frame: bytes) -> str | None:
    """The path of a file that this frame says was written for a download."""
    if len(frame) > LONGEST_NOTICE or not TOLD.search(frame):
        return None
    return _parsed(frame).backend_operation_response.deferred_file.url or None


def _parsed(frame: bytes) -> ForwardMsg:
    message = ForwardMsg()
    with suppress(DecodeError):
        message.ParseFromString(frame)
    return message


def _own_names(message: ProtobufMessage) -> Iterator[str]:
    """The names of files that stand where only Streamlit writes."""
    for field, value in message.ListFields():
        if isinstance(value, str):
            name = OWN_NAME.fullmatch(value) if field.name in OWN_FIELDS else None
            if name is not None:
                yield name[1]
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in (value,) if isinstance(value, ProtobufMessage) else value:
                yield from _own_names(part)


async def _fetched(app: ASGIApp, path: str) -> Response:
    """What the app behind the edge answers for this path."""
    inside = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=inside, base_url="http://localhost") as client:
        found = await client.get(path)
    kept = {name: found.headers[name] for name in FILE_HEADERS if name in found.headers}
    return Response(found.content, found.status_code, kept)


async def serve(
    watch: Watch, key: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a socket until its session is over: then the browser leaves, the app disconnects."""
    with watch.over(key) as over:
        await _Socket(watch, key, over, app, receive, send).serve(scope)


class _Socket:
    def __init__(
        self,
        watch: Watch,
        key: str,
        over: asyncio.Event,
        app: ASGIApp,
        receive: Receive,
        send: Send,
    ) -> None:
        self.watch, self.key, self.over, self.app = watch, key, over, app
        self.receive, self.send = receive, send
        self.ending: asyncio.Task[Any] = asyncio.create_task(over.wait())
        self.pending: asyncio.Task[Message] | None = None

    async def serve(self, scope: Scope) -> None:
        try:
            await self.app(scope, self._receive, self._send)
        finally:
            for task in (self.ending, self.pending):
                if task is not None:
                    task.cancel()

    async def _receive(self) -> Message:
        while True:
            self.pending = self.pending or asyncio.create_task(_next(self.receive))
            await asyncio.wait({self.pending, self.ending}, return_when=asyncio.FIRST_COMPLETED)
            if self.over.is_set():
                await part(self.send)
                return {"type": "websocket.disconnect", "code": 1012}
            message = self.pending.result()
            self.pending = None
            frame = message.get("bytes") or b""
            if len(frame) > LARGEST:
                await self.send({"type": "websocket.close", "code": 1009})
                return {"type": "websocket.disconnect", "code": 1009}
            if not frame or self.watch.hears(self.key, frame):
                return message
            log.warning("message refused")

    async def _send(self, message: Message) -> None:
        if not self.over.is_set():
            frame = message.get("bytes") or b""
            self.watch.sees(self.key, frame)
            await self.watch.keep(self.key, self.app, frame)
            await self.send(message)


async def dismiss(scope: Scope, receive: Receive, send: Send) -> None:
    """No session, no Streamlit: a page that outlived its session is led to the sign-in page.

    A refusal would leave it standing, retrying in silence.
    """
    await receive()
    offered = scope.get("subprotocols") or [None]
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    await part(send)


async def part(send: Send) -> None:
    await send({"type": "websocket.send", "bytes": LEAVE})
    await send({"type": "websocket.close", "code": 1012, "reason": "session ended"})


async def refuse(receive: Receive, send: Send) -> None:
    """Closing before accepting is answered as 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def _next(receive: Receive) -> Message:
    return await receive()
