"""What `make run` does: bring the database up to date, fill it, serve the app, stop it all again.

In demo mode it shows the demo world: the emulator of Twilio's API runs beside the app, and
the database is filled through the very code that syncs Twilio.  With credentials it serves the
real data.  Demo and credentials together are refused (data/settings.py).
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from data.errors import AppError, ConfigError
from data.migrations import current, head, migrate
from data.settings import Settings, load_settings

ROOT = Path(__file__).parent
START_SECONDS = 60
started: list[subprocess.Popen[bytes]] = []


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _interrupted)
    settings = load_settings()
    if not settings.has_credentials and not settings.demo:
        raise ConfigError("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or DEMO=1 for the demo.")
    os.environ["PORT"] = str(settings.port)
    try:
        return _demo(settings) if settings.demo else _real(settings)
    finally:
        for process in reversed(started):
            _stop(process)


def _demo(settings: Settings) -> int:
    _say("Demo mode: Owl Inc. and its eight customers; nothing here is real.")
    filled = current(settings.admin_url) == head()
    if settings.twilio_api_base is None:
        _start("-m", "data", "demo", "serve", quiet=True)
    # A demo that was filled before opens at once and catches up meanwhile.
    app = _serve(settings) if filled else None
    _say("Preparing the database …")
    _run("-m", "data", "demo", "prepare")
    _await(settings.api_base, "the demo's Twilio API")
    _say("Reading usage from the demo's Twilio API …")
    _run("-m", "data", "sync")
    return _wait(settings, app or _serve(settings))


def _real(settings: Settings) -> int:
    migrate(settings)
    app = _serve(settings)
    _say(f"Real data of {settings.twilio_account_sid}; `make sync` reads what is new.")
    return _wait(settings, app)


def _serve(settings: Settings) -> subprocess.Popen[bytes]:
    return _start(
        "-m",
        "streamlit",
        "run",
        "streamlit_app.py",
        f"--server.port={settings.port}",
        quiet=True,
    )


def _wait(settings: Settings, app: subprocess.Popen[bytes]) -> int:
    _await(f"http://localhost:{settings.port}/healthz", "the app", app)
    _say(f"Open http://localhost:{settings.port}  (Ctrl-C stops it)")
    return app.wait()


def _start(*arguments: str, quiet: bool) -> subprocess.Popen[bytes]:
    # A group of its own: what the terminal sends to us is not sent to it a second time.
    process = subprocess.Popen(  # nosec B603 # our own words, no shell
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
    )
    started.append(process)
    return process


def _run(*arguments: str) -> None:
    process = _start(*arguments, quiet=False)
    if process.wait() != 0:
        raise ConfigError(f"`python {' '.join(arguments)}` failed; its message stands above.")


def _await(url: str, what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise ConfigError(f"{what} stopped at once; is its port taken?  PORT=… gives another.")
        try:
            with urlopen(url, timeout=2):  # nosec B310 # an address of ours, by http
                return
        except HTTPError:
            return  # it answers
        except (URLError, OSError):
            time.sleep(0.1)
    raise ConfigError(f"{what} does not answer at {url}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()


def _interrupted(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("Stopped.")
        sys.exit(0)
