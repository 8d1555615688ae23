"""A fleet of Twilio accounts on loopback: fast, large, faulty, and known to the last figure.

    with fleet(accounts=12, days=30) as twilio:
        twilio.break_things("usual", seed=3)
        … python -m data sync, with twilio.environment …
        twilio.rows(sid, first, last)      # what a store must hold

The emulator is a process of its own; this side computes the same world (world.py).
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.fleet.world import Account, Rows, World

ROOT = Path(__file__).parents[2]

__all__ = ["Account", "Fleet", "World", "fleet"]


@dataclass(frozen=True)
class Fleet:
    """The emulator's address, and the world as it is there."""

    base: str
    sid: str
    token: str
    world: World
    process: int

    @property
    def environment(self) -> dict[str, str]:
        """What the command line needs to read this fleet as a deployment does, today."""
        return {
            "TWILIO_ACCOUNT_SID": self.sid,
            "TWILIO_AUTH_TOKEN": self.token,
            "TWILIO_API_BASE": self.base,
            "STATUS_BASE": self.base,
        }

    @property
    def on_its_day(self) -> dict[str, str]:
        """The same with the fleet's day for today: the demo's credentials open it, too."""
        return {
            "DEMO": "1",
            "DEMO_TODAY": self.world.today.isoformat(),
            "TWILIO_API_BASE": self.base,
            "STATUS_BASE": self.base,
        }

    def rows(self, sid: str, first: date, last: date) -> Rows:
        return self.world.rows(sid, first, last)

    def counters(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.base}/_counters", timeout=30) as answer:
            return dict(json.load(answer))

    def reset_counters(self) -> None:
        self._control("reset")

    def break_things(self, preset: str, seed: int = 1) -> None:
        """From now on with these faults ("none", "usual", "hard")."""
        self._control("faults", preset=preset, seed=str(seed))

    def slow_down(self, seconds: float) -> None:
        self._control("latency", seconds=str(seconds))

    def change(self, what: str, **details: object) -> str:
        """`today` (day), `correct` (sid, day, category, factor), `add`, `rename` (sid, name).

        Also `suspend` and `close` (sid).  There and here; returns the SID it is about.
        """
        given = {name: str(value) for name, value in details.items()}
        self._control(what, **given)
        return self.world.change(what, **given)

    def _control(self, what: str, **details: str) -> None:
        body = json.dumps({"what": what, **details}).encode()
        request = urllib.request.Request(f"{self.base}/_control", body, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()


@contextmanager
def fleet(
    *,
    accounts: int = 10,
    days: int = 90,
    categories: int = 12,
    latency: float = 0.0,
    faults: str = "none",
    hang: float = 30.0,
    seed: int = 1,
    today: date | None = None,
    zero_rows: bool = False,
    lag: bool = True,
    quiet: float = 0.0,
) -> Iterator[Fleet]:
    """The emulator in a process of its own, for as long as the block lasts; today is UTC's."""
    today = today or datetime.now(UTC).date()
    world = World(today, accounts, days, categories, seed, lag, zero_rows, quiet)
    options = {
        "accounts": accounts, "days": days, "categories": categories, "latency": latency,
        "faults": faults, "hang": hang, "seed": seed, "today": today, "quiet": quiet,
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in options.items()]
    words += ["--zero-rows"] * zero_rows + ["--no-lag"] * (not lag)
    command = [sys.executable, "-m", "tests.fleet", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield Fleet(said["base"], said["sid"], said["token"], world, process.pid)
        finally:
            process.kill()
