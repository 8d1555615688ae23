"""`make bench`: how fast the product is, each figure beside a reference measured in the same run.

`python -m tests.bench` measures everything; `python -m tests.bench engine` (evaluation, projection,
pages, sync) a part.
"""

import sys

from tests.bench.cold import cold
from tests.bench.engine import engine
from tests.bench.evaluation import evaluation
from tests.bench.fleet import fleet_pages
from tests.bench.pages import pages
from tests.bench.projection import projection
from tests.bench.sync import sync

PARTS = {
    "engine": engine,
    "evaluation": evaluation,
    "projection": projection,
    "pages": pages,
    "fleet": fleet_pages,
    "cold": cold,
    "sync": sync,
}


def main(names: list[str]) -> None:
    if unknown := sorted(set(names) - set(PARTS)):
        sys.exit(f"{unknown[0]!r} is none of the parts {', '.join(PARTS)}")
    for name in names or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
