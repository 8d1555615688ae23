"""One server for everything that attacks from outside."""

from collections.abc import Iterator

import pytest

from tests.attack.outside import Outside, running


@pytest.fixture(scope="session")
def outside(tmp_path_factory) -> Iterator[Outside]:
    with running(tmp_path_factory.mktemp("outside")) as made:
        yield made
