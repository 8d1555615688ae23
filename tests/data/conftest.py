"""A small Twilio that a test writes by hand, behind one server for all of them."""

from collections.abc import Iterator

import pytest

from tests.little_twilio import LittleTwilio


@pytest.fixture(scope="session")
def served_twilio() -> Iterator[LittleTwilio]:
    with LittleTwilio().served() as twilio:
        yield twilio


@pytest.fixture
def twilio(served_twilio: LittleTwilio) -> LittleTwilio:
    """As it was at first, whatever the test before has made of it."""
    return served_twilio.forget()
