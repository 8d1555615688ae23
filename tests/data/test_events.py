"""All meters in one stack, by their events: nothing is lost, however many there are."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from data.overview import Freshness, MeterSeries, Overview
from data.periods import period_of

DAY = date(2026, 3, 20)
NAMES = ("sms", "voice", "mms", "chat", "verify", "lookups", "recordings")


def series(meter: str, *events: int) -> MeterSeries:
    numbers = tuple(D(n) for n in events)
    days = tuple(date(2026, 3, 1 + n) for n in range(len(events)))
    return MeterSeries(
        *(meter, meter.upper(), "units", "events", days, numbers, numbers, numbers, numbers),
        quantity=sum(numbers, D(0)),
        previous_quantity=None,
    )


def overview_of(*found: MeterSeries) -> Overview:
    fresh = Freshness(None, datetime(2026, 3, 20, tzinfo=UTC), DAY, stale=False)
    return Overview("Acme", "Plan", False, period_of(DAY), fresh, found, None)


@pytest.mark.parametrize("many", [1, 2, 5, 6, 7])
def test_a_stack_of_any_number_of_meters_sums_to_all_events(many):
    found = [series(name, 1 + n, 10 * n) for n, name in enumerate(NAMES[:many])]
    parts = overview_of(*found).events
    assert len(parts) == min(many, 5)
    for day in range(2):
        assert sum(part.quantities[day] for part in parts) == sum(s.events[day] for s in found)


def test_the_largest_stands_first_and_the_least_together():
    found = [series(name, 1 + n) for n, name in enumerate(NAMES)]
    parts = overview_of(*found).events
    assert [part.quantity for part in parts] == [7, 6, 5, 4, 6]
    assert parts[-1].label == "MMS, VOICE, SMS"


def test_numbers_charged_by_the_month_do_not_happen_on_a_day():
    view = overview_of(series("sms", 3), series("numbers", 5))
    assert [part.category for part in view.events] == ["sms"]
    assert view.previous_events == (3,)
