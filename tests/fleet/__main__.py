"""`python -m tests.fleet --accounts 10000 …`: serve a fleet; prints one line of JSON, then serves.

The line holds the address and the credentials.  It listens on loopback only and ends with the
process that started it.
"""

import argparse
import asyncio
import json
import os
from datetime import UTC, date, datetime

import uvloop

from tests.fleet.faults import PRESETS, Faults
from tests.fleet.server import Connection, Server
from tests.fleet.world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    add = parser.add_argument
    add("--accounts", type=int, default=100)
    add("--days", type=int, default=90, help="of history, today included")
    add("--categories", type=int, default=12, help="rows that a day of an account has")
    add("--latency", type=float, default=0.0, help="seconds before each answer")
    add("--zero-rows", action="store_true", help="every known category on every day")
    add("--quiet", type=float, default=0.0, help="share of days on which an account rests")
    add("--no-lag", action="store_true", help="today's figures are complete")
    add("--faults", choices=PRESETS, default="none")
    add("--hang", type=float, default=30.0, help="seconds of an answer that never comes")
    add("--seed", type=int, default=1)
    add("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    add("--port", type=int, default=0)
    return parser.parse_args()


async def serve(given: argparse.Namespace) -> None:
    world = World(
        given.today,
        accounts_wanted=given.accounts,
        days=given.days,
        categories=given.categories,
        seed=given.seed,
        lag=not given.no_lag,
        zero_rows=given.zero_rows,
        quiet=given.quiet,
    )
    faults = Faults(PRESETS[given.faults], given.seed)
    server = Server(world, faults, given.latency, given.hang)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", given.port)
    port = listening.sockets[0].getsockname()[1]
    said = {"base": f"http://127.0.0.1:{port}", "sid": world.parent, "token": world.token}
    print(json.dumps(said), flush=True)  # noqa: T201  # whoever starts it reads it
    starter = os.getppid()
    while os.getppid() == starter:
        await asyncio.sleep(0.5)


def main() -> None:
    try:
        uvloop.run(serve(arguments()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
