"""Calls that nobody has thought of: any question, any arguments, the other customer's among them.

2,000 in the suite and 100,000 in the long run, shared between the walls; each answer is that of a
store in which the other customer has no row, and holds no value that is only the other's.
"""

import os
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.attack.test_walls import WALLS
from tests.attack.test_walls_questions import QUESTIONS, Alone, World, choices
from tests.attack.test_walls_world import OWNERS, copied, fill, filled_files, separate
from tests.stores import ACME, BETA

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
CALLS, WORLDS = (100_000, range(2, 12)) if LONG else (2_000, range(2, 3))
PER_WORLD = -(-CALLS // (len(WORLDS) * len(WALLS)))
# They ask the questions of the store many times over, and calculate: fewer of them do.
CALCULATED = ("billed", "closing", "explanation", "overview", "simulation", "statement")
OFTEN = [one for one in sorted(QUESTIONS) if one.split(".")[1] not in CALCULATED]


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, int, Mapping[str, Any]]:
    question = draw(st.sampled_from([*OFTEN * 8, *sorted(QUESTIONS)]))
    chosen = {name: draw(st.sampled_from(values)) for name, values in choices(question).items()}
    return question, draw(st.sampled_from(list(OWNERS))), chosen


@pytest.fixture(scope="module", params=WORLDS)
def filled(request, sqlite_template, tmp_path_factory):
    """A world: the seed of its rows, a file of both customers, and each alone."""
    folder = tmp_path_factory.mktemp("world")
    files = filled_files(sqlite_template, folder, request.param)
    return request.param, files["both"], Alone(separate(files, tmp_path_factory.mktemp("alone")))


@pytest.mark.parametrize(("database", "taken"), WALLS.values(), ids=WALLS)
def test_no_call_tells_of_another_customer(request, filled, tmp_path, database, taken):
    seed, both, alone = filled
    if database == "sqlite":
        store = copied(both, tmp_path / "both")
    else:
        store = fill(request.getfixturevalue("postgres_store"), seed, ACME, BETA)
    world = World(store, alone, *taken)
    counted = 0

    @settings(max_examples=PER_WORLD, phases=[Phase.generate, Phase.shrink])
    @given(call=calls())
    def check(call):
        nonlocal counted
        counted += 1
        assert not world.leaks(*call)

    check()
    assert counted >= PER_WORLD
