"""A browser's side of Streamlit for tests: a server of one's own, and a websocket that talks to it.

with serving("streamlit_app:app", DATABASE_URL=url) as base:
    with connect(base, cookie=f"dash_session={secret}") as page:
        page.rerun()
        assert "Overview" in page.texts
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

ROOT = Path(__file__).parent.parent
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    app: str, *, folder: Path = ROOT, log: Path | None = None, **environment: str
) -> Iterator[str]:
    """The address of `app` (`module:app`, or a file for `streamlit run`), started here alone."""
    port = free_port()
    base = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", app, "--server.port", str(port)]
    if ":" in app:
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
        command += ["--app-dir", str(folder)]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {**kept, "PYTHONPATH": str(ROOT), "PORT": str(port), **environment}
    with open(log or os.devnull, "w") as lines:
        server = subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=lines, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_alive(base, server)
            yield base
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_until_alive(base: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start (exit code {server.poll()})")


class Page:
    """One open page.  `frames` and `texts` are those of the last run."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[ForwardMsg] = []
        self.raw: list[bytes] = []
        self.session_id = ""
        self.hashes: dict[str, str] = {}  # of the pages on the menu, by their addresses
        self.page_hash = ""  # of the page that is open; empty: the one that `page` names

    def switch(self, path: str, **widgets: Any) -> None:
        """Open another page by the menu that an earlier run has sent."""
        self.page_hash = self.hashes[path]
        self.rerun(**widgets)

    def rerun(
        self,
        page: str = "",
        query: str = "",
        timeout: float = 30,
        fragment: str = "",
        **widgets: Any,
    ) -> None:
        """Run the script; `widgets` are values by widget id, as a browser would send them.

        With the id of a `fragment`: that part alone.
        """
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        message.rerun_script.page_script_hash = self.page_hash
        message.rerun_script.fragment_id = fragment
        for id, value in widgets.items():
            state = message.rerun_script.widget_states.widgets.add(id=id)
            if isinstance(value, list):
                state.string_array_value.data.extend(value)
                continue
            field = {bool: "trigger_value", int: "int_value", float: "double_value"}
            setattr(state, field.get(type(value), "string_value"), value)
        self.connection.send(message.SerializeToString())
        self.frames, self.raw = [], []
        while not self.frames or self.frames[-1].WhichOneof("type") != "script_finished":
            self._receive(timeout)

    def _receive(self, timeout: float) -> None:
        data = self.connection.recv(timeout=timeout)
        assert isinstance(data, bytes)
        frame = ForwardMsg()
        frame.ParseFromString(data)
        self.raw.append(data)
        self.frames.append(frame)
        for page in frame.navigation.app_pages:
            self.hashes[page.url_pathname] = page.page_script_hash
        if frame.WhichOneof("type") == "new_session":
            self.session_id = frame.new_session.initialize.session_id or self.session_id

    def download(self, file_id: str, timeout: float = 30) -> str:
        """The address of a file that is written when its button asks for it."""
        message = BackMsg()
        message.backend_operation_request.request_id = file_id
        message.backend_operation_request.session_id = self.session_id
        message.backend_operation_request.deferred_file.file_id = file_id
        self.connection.send(message.SerializeToString())
        self.frames, self.raw = [], []
        while not self.frames or not self.frames[-1].HasField("backend_operation_response"):
            self._receive(timeout)
        return self.frames[-1].backend_operation_response.deferred_file.url

    def closed_with(self, timeout: float = 10) -> int | None:
        """The code with which the server closes the socket, or None if it stays open."""
        self.frames, self.raw = [], []
        try:
            while True:
                self._receive(timeout)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    @property
    def sent_to(self) -> str:
        """Where the server sent the browser, if it did."""
        return next((f.auth_redirect.url for f in self.frames if f.HasField("auth_redirect")), "")

    @property
    def elements(self) -> list[Any]:
        """The protobuf of every element the last run drew."""
        return [
            getattr(element, element.WhichOneof("type"))
            for frame in self.frames
            if frame.WhichOneof("type") == "delta"
            and frame.delta.WhichOneof("type") == "new_element"
            for element in (frame.delta.new_element,)
            if element.WhichOneof("type")
        ]

    @property
    def texts(self) -> list[str]:
        """The words of every element: its body or label, else the whole of it."""
        return [
            getattr(element, "body", "") or getattr(element, "label", "") or str(element)
            for element in self.elements
        ]


@contextmanager
def connect(
    base: str,
    cookie: str = "",
    origin: str | None = "",
    session_id: str = "",
    headers: dict[str, str] | None = None,
) -> Iterator[Page]:
    """Open a page's socket.  `origin` is our own unless given; None sends no Origin at all."""
    protocols = ["streamlit", "x", session_id] if session_id else ["streamlit"]
    sent = {**({"Cookie": cookie} if cookie else {}), **(headers or {})}
    with open_socket(
        f"{base.replace('http', 'ws', 1)}/_stcore/stream",
        additional_headers=sent,
        origin=base if origin == "" else origin,  # type: ignore[arg-type]  # any text
        subprotocols=protocols,  # type: ignore[arg-type]  # plain text
        max_size=None,
        open_timeout=30,
    ) as connection:
        yield Page(connection)
