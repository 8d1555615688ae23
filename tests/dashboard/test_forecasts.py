"""The staff's page Forecasts: who gets it, what it says, and its chart."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts import calibration, look
from dashboard.views.customers import GOING_TO
from dashboard.views.forecasts import calibration_words, figures, read_record
from dashboard.views.markup import joined
from dashboard.views.page import configuration
from data.backtest.quality import Qualities, Quality
from data.identity import hashed, open_session
from data.models import ForecastCalibration, Membership, Person
from data.projection.calibration import Calibration
from data.settings import ROOT
from tests.forecasts import past
from tests.stores import ACME, BETA, customers

ACCENT = {"light": "#0b7a75", "dark": "#1fa598"}
STAFF = ("administrator", "billing_manager", "developer", "support")
OUTSIDE = D(500)
CHANCES = {
    "none": (),
    "one": (Quality(chances=5, sum_of_chances=2.5, went_over=2),),
    "many": tuple(
        Quality(chances=n * n, sum_of_chances=n * n * n / 10, went_over=n) for n in range(1, 10)
    ),
}


@pytest.fixture
def store(sqlite_store, monkeypatch):
    """Acme and Beta, and a member of the staff in each role."""
    sqlite_store.put(*customers())
    for number, role in enumerate(STAFF, 1):
        sqlite_store.put(Person(id=number, email=f"{role}@isv.test", name=role))
        sqlite_store.put(Membership(id=number, person_id=number, role=role))
    sqlite_store.put(Person(id=9, email="office@acme.test", name="Acme"))
    sqlite_store.put(Membership(id=9, person_id=9, role="viewer", customer_id=ACME))
    given = {"DEMO": "1", "DEMO_TODAY": "2026-06-20"}
    for name, value in {**given, "DATABASE_URL": sqlite_store.settings.database_url}.items():
        monkeypatch.setenv(name, value)
    configuration.cache_clear()
    read_record.clear()
    yield sqlite_store
    configuration.cache_clear()


def opened(store, member: int = 4) -> AppTest:
    """The page as a member of the staff gets it; by default support."""
    now, life = datetime.now(UTC), timedelta(hours=1)
    test = AppTest.from_file(ROOT / "dashboard" / "main.py", default_timeout=30)
    test.user = {"session": hashed(open_session(store.app, member, "demo", now, life=life))}
    test.run()
    test.session_state[GOING_TO] = "forecasts"
    return test.run()


def text_of(test: AppTest) -> str:
    assert not test.exception
    return "\n".join(str(getattr(one, "proto", "")) for one in _nodes(test._tree))


def _nodes(node):
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def filled(store, *, outside: int, owner: int = ACME) -> None:
    rows = (past(owner, n, actual=OUTSIDE if n < outside else D(110)) for n in range(30))
    store.put(*rows)


@pytest.mark.parametrize("member", range(1, 5), ids=STAFF)
def test_every_role_of_the_staff_gets_the_page(store, member):
    filled(store, outside=6)
    text = text_of(opened(store, member))
    assert "Inside the 80% range" in text
    assert not re.search(r"\$\d|Margin|\bcost\b", text)


def test_a_customer_does_not_get_it(store):
    filled(store, outside=6)
    assert "Inside the 80% range" not in text_of(opened(store, 9))


def test_before_the_first_check_it_says_what_to_do(store):
    text = text_of(opened(store))
    assert "No past period has been checked yet" in text
    assert "python -m data backtest" in text


def test_ranges_that_hold_are_said_to(store):
    filled(store, outside=6)
    text = text_of(opened(store))
    assert "The ranges hold." in text
    assert "Every customer with twelve cases or more lies within." in text


@pytest.mark.parametrize(
    ("outside", "fault"),
    [pytest.param(15, "too narrow", id="half"), pytest.param(0, "too wide", id="all inside")],
)
def test_a_drift_is_warned_of(store, outside, fault):
    filled(store, outside=outside)
    text = text_of(opened(store))
    assert f"the ranges were {fault}" in text
    assert f"{1 - outside / 30:.0%} of periods of regular use" in text


def test_a_customer_outside_is_listed_and_leads_to_the_customers_page(store):
    filled(store, outside=6)
    filled(store, outside=20, owner=BETA)
    test = opened(store)
    assert "10 of 30 cases ended inside" in text_of(test)
    next(one for one in test.button if one.label.startswith("Show ")).click()
    text = text_of(test.run())
    assert test.text_input[0].value == "beta"
    assert "Beta" in text
    assert "acme.test" not in text


def test_the_calibration_in_force_is_said_in_words(store):
    filled(store, outside=15)
    found = {"low": 0.04, "middle": 0.5, "high": 0.95, "cases": 400}
    store.put(ForecastCalibration(usage_class="regular", computed_on=date(2026, 6, 1), **found))
    text = text_of(opened(store))
    assert "Regular use is read wider:" in text
    assert "the 4% and 95% points" in text


@pytest.mark.parametrize(
    ("calibration", "words"),
    [
        pytest.param(Calibration(cases=9), "read as it is.", id="identity"),
        pytest.param(Calibration(0.05, 0.5, 0.95, 9), "read wider:", id="wider"),
        pytest.param(Calibration(0.2, 0.5, 0.8, 9), "read narrower:", id="narrower"),
        pytest.param(Calibration(0.15, 0.6, 0.95, 9), "read as wide, but shifted:", id="shifted"),
    ],
)
def test_a_calibration_is_wider_narrower_shifted_or_nothing(calibration, words):
    assert f"Sparse use is {words}" in joined(calibration_words("sparse", calibration))


def test_the_download_has_a_row_for_each_class_and_day():
    groups = {("regular", 3, 0): Quality(cases=4, above=1), ("sparse", 5, 2): Quality(cases=2)}
    table = figures(Qualities(groups, date(2026, 6, 1)))
    assert [row[:4] for row in table.rows] == [
        ("Regular", D(3), D(4), D("0.7500")),
        ("Regular", D(5), D(0), None),
        ("Sparse", D(3), D(0), None),
        ("Sparse", D(5), D(2), D("1.0000")),
    ]
    assert {len(row) for row in table.rows} == {len(table.columns)}


# The chart


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("groups", CHANCES.values(), ids=CHANCES)
def test_a_chart_draws_any_number_of_groups_and_says_them(groups, mode):
    chart = calibration(groups, look(mode, ACCENT[mode]))
    drawn = json.loads(chart.figure.to_json())
    go.Figure(chart.figure.to_dict())  # ValueError names a property that plotly does not know
    diagonal, points = drawn["data"]
    assert (diagonal["x"], diagonal["y"]) == ([0, 1], [0, 1])
    assert len(points["x"]) == len(groups)
    assert chart.alt.endswith(".")
    assert drawn["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"


def test_a_points_area_is_its_cases():
    groups = (
        Quality(chances=100, sum_of_chances=10, went_over=20),
        Quality(chances=400, sum_of_chances=200, went_over=100),
    )
    points = calibration(groups, look("light", ACCENT["light"])).figure.to_plotly_json()["data"][1]
    small, large = points["marker"]["size"]
    assert (large / small) ** 2 == pytest.approx(4)
    assert (list(points["x"]), list(points["y"])) == ([0.1, 0.5], [0.2, 0.25])


def test_a_chart_without_a_chance_says_so():
    shape = calibration((), look("light", ACCENT["light"])).figure.to_plotly_json()["layout"]
    assert shape["annotations"][0]["text"] == "No chance of overage was given yet"
