"""A demo for tests: its Twilio API on a port of its own, its database migrated, filled and synced.

with demo(tmp_path) as environment, serving("streamlit_app:app", **environment) as base:
    ...
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.streamlit_client import ROOT, START_SECONDS, free_port

TODAY = "2026-11-21"


@contextmanager
def demo(folder: Path, *, seed: int = 1, today: str = TODAY) -> Iterator[dict[str, str]]:
    """The environment in which the demo's app and commands run; the API answers meanwhile."""
    port = free_port()
    environment = {
        "DEMO": "1",
        "DEMO_SEED": str(seed),
        "DEMO_TODAY": today,
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite'}",
        "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
    }
    with twilio_api(port, environment):
        command("demo", "prepare", environment=environment)
        command("sync", environment=environment)
        yield environment


@contextmanager
def twilio_api(port: int, environment: dict[str, str], *options: str) -> Iterator[None]:
    """The demo's Twilio API as a process of its own."""
    words = [sys.executable, "-m", "data", "demo", "serve", "--port", str(port), *options]
    process = subprocess.Popen(words, cwd=ROOT, env=_full(environment), stdout=subprocess.DEVNULL)
    try:
        _await_answer(f"http://127.0.0.1:{port}/")
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def command(*words: str, environment: dict[str, str]) -> str:
    """What `python -m data …` prints; fails loudly where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "data", *words],
        cwd=ROOT,
        env=_full(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr or done.stdout}"
    return done.stdout


def _full(environment: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # A sync by the app itself would change what a test has just looked at.
    return {**kept, "PYTHONPATH": str(ROOT), "SYNC_EVERY": "off", **environment}


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except urllib.error.HTTPError:
            return  # it answers, if only to say who it doesn't know
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")
