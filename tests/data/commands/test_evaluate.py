"""`project --evaluate`: on real series the projection keeps its word and beats simpler methods.

Facts about fixed data and code, so each has a bound.  The series are other people's and stand
beside the project; where they are missing the tests that need them say so and skip.
"""

import csv
import gzip
import json
import sys
from dataclasses import asdict
from functools import cache

import pytest

from data.commands.evaluate import BASELINES, CLASSES, OURS, VARIABLE, Benchmark, Measured
from data.errors import InputError
from data.projection import project
from tests.command_line import run

SAMPLE = 900
CUT_OFFS = (3, 5, 10, 15, 20, 25)


@pytest.fixture
def benchmark():
    try:
        return Benchmark()
    except InputError as missing:
        pytest.skip(f"Projection benchmark: {missing}")


@cache
def sampled() -> dict[str, Measured]:
    return Benchmark().compare("h1", sample=SAMPLE)


@cache
def ours(variant: str) -> Measured:
    return Benchmark().measure(project, variant)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("kind", CLASSES)
def test_on_a_sample_no_simple_method_loses_less(benchmark, kind, baseline):
    found = sampled()
    best = found[baseline].classes[kind].pinball
    assert found[OURS].classes[kind].pinball <= best


def test_with_a_month_of_history_all_cases_keep_the_bounds(benchmark):
    found = ours("h1").all
    assert found.cases == 13_780
    assert found.pinball <= 0.111
    assert found.error <= 0.310
    assert found.brier <= 0.130
    assert 0.78 <= found.coverage <= 0.83


def test_in_the_first_month_all_cases_keep_the_bounds(benchmark):
    found = ours("cold").all
    assert found.cases == 829
    assert found.pinball <= 0.102
    assert found.error <= 0.285


def test_four_periods_of_five_end_inside_by_class_and_by_cut_off(benchmark):
    found = ours("h1")
    inside = {name: one.coverage for name, one in [*found.classes.items(), *found.cut_offs.items()]}
    assert set(inside) == {*CLASSES, *map(str, CUT_OFFS)}
    assert {name: share for name, share in inside.items() if not 0.75 <= share <= 0.87} == {}


@pytest.mark.parametrize("kind", CLASSES)
def test_in_every_class_as_many_end_below_as_above_or_nearly(benchmark, kind):
    found = ours("h1").classes[kind]
    assert 0.04 <= found.below <= 0.16
    assert 0.04 <= found.above <= 0.16


def test_chances_come_true_as_often_as_they_say(benchmark):
    many = [one for one in ours("h1").reliability if one.cases >= 200]
    assert len(many) == 10
    assert [one for one in many if abs(one.chance - one.happened) > 0.08] == []


@pytest.fixture
def little(benchmark, tmp_path):
    """The same evaluator in a folder of its own, with one series of each class."""
    for name in ("evaluate.py", "baselines.py"):
        (tmp_path / name).symlink_to((benchmark.folder / name).resolve())
    (tmp_path / "data").mkdir()
    with open(benchmark.folder / "data" / "open_meta.csv", newline="") as file:
        about = {row["cls"]: row for row in csv.DictReader(file)}
    with open(tmp_path / "data" / "open_meta.csv", "w", newline="") as file:
        rows = csv.DictWriter(file, fieldnames=list(about["regular"]))
        rows.writeheader()
        rows.writerows(about.values())
    chosen = {row["series_id"] for row in about.values()}
    with (
        gzip.open(benchmark.folder / "data" / "open.csv.gz", "rt") as given,
        gzip.open(tmp_path / "data" / "open.csv.gz", "wt") as kept,
    ):
        kept.write(next(given))
        kept.writelines(line for line in given if line.rsplit(",", 2)[0] in chosen)
    return tmp_path


def test_the_table_has_every_method_every_class_and_every_cut_off(little):
    said = run("project", "--evaluate", little)
    assert (said.code, said.err) == (0, "")
    began = {line.partition("  ")[0] for line in said.out.splitlines()}
    assert began >= {*BASELINES, OURS, *CLASSES, *(f"after day {day}" for day in CUT_OFFS)}


def test_as_json_it_has_the_same_figures(little):
    found = json.loads(run("project", "--evaluate", little, "--json").out)
    assert set(found) == {"h1", "cold"}
    assert set(found["h1"]) == {*BASELINES, OURS}
    measured = Benchmark(little).measure(project, "h1")
    assert found["h1"][OURS]["all"] == asdict(measured.all)
    assert set(found["h1"][OURS]["classes"]) == set(CLASSES)


def test_the_folder_may_stand_in_the_environment(little, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(little))
    assert Benchmark().folder == little


def test_the_folder_is_left_as_it_was_and_so_are_the_modules(little):
    before = set(little.rglob("*")), list(sys.path)
    run("project", "--evaluate", little)
    assert (set(little.rglob("*")), list(sys.path)) == before
    assert [name for name in sys.modules if "projection_benchmark" in name] == []


@pytest.mark.parametrize("missing", ["evaluate.py", "baselines.py", "data/open.csv.gz"])
def test_what_is_missing_is_named_and_ends_with_2(little, missing):
    (little / missing).unlink()
    said = run("project", "--evaluate", little)
    assert (said.code, said.out) == (2, "")
    assert str(little / missing) in said.err


def test_a_folder_without_the_benchmark_ends_with_2(tmp_path):
    said = run("project", "--evaluate", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert f"or set {VARIABLE}" in said.err


def test_without_a_customer_and_without_evaluate_the_customer_is_asked_for():
    said = run("project")
    assert (said.code, said.out) == (2, "")
    assert "CUSTOMER" in said.err
