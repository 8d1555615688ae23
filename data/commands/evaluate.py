"""`project --evaluate`: the projection beside simple methods, on real daily series.

The series and the rules of the comparison are other people's and stand in a folder of their own:
evaluate.py there projects past months by a method and scores it, baselines.py has the simple
methods.  What is measured is the very function that the pages call.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from data.errors import InputError

VARIABLE = "PROJECTION_BENCHMARK"
BESIDE = Path(__file__).parents[3] / "shared" / "projection"  # beside the project's own folder
VARIANTS = {"h1": "a month of history or more", "cold": "the first month"}
BASELINES = {
    "run rate": "run_rate",
    "28-day mean": "mean28",
    "exponentially weighted mean": "ewma",
}
OURS = "ours"
CLASSES = ("regular", "intermittent", "sparse")

Method = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Scores:
    """Of some cases; errors are over the mean month of a series."""

    cases: int
    pinball: float  # mean over the levels .1, .5 and .9
    error: float  # |median − total|, the benchmark's sMAE
    skill: float  # part of the run rate's error saved
    coverage: float  # ended between p10 and p90
    below: float
    above: float
    brier: float | None  # of P(a twentieth more than last month); None: there was none


@dataclass(frozen=True, slots=True)
class Tenth:
    """The cases whose chance lay in one tenth of 0–1."""

    cases: int
    chance: float  # given, on average
    happened: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A method on all cases of a variant."""

    cpu: float  # microseconds a projection
    all: Scores
    classes: Mapping[str, Scores]
    cut_offs: Mapping[str, Scores]  # by the day of the month up to which usage was known
    reliability: tuple[Tenth, ...]


class _Unwritten(SourceFileLoader):
    """Leaves no byte code behind in a folder that is not ours."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None: ...


class Benchmark:
    """The folder's evaluator and its simple methods; InputError where they are not there."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ.get(VARIABLE) or BESIDE)
        self._evaluator = self._module("evaluate")
        baselines = self._module("baselines")
        self.methods: dict[str, Method] = {
            name: getattr(baselines, function) for name, function in BASELINES.items()
        }

    def _module(self, name: str) -> ModuleType:
        path = self.folder / f"{name}.py"
        if not path.exists():
            raise InputError(
                f"there is no {path}.  The series that projections are measured on are not part "
                f"of this project: give their folder, or set {VARIABLE}"
            )
        module = ModuleType(f"projection_benchmark_{name}")
        module.__file__ = str(path)  # beside which the evaluator finds its series
        _Unwritten(module.__name__, str(path)).exec_module(module)
        return module

    def compare(self, variant: str, *, sample: int = 0) -> dict[str, Measured]:
        """The simple methods and ours, on all cases of a variant or on some (always the same)."""
        from data.projection import project  # numpy: 20 MB that other commands do not need

        methods = {**self.methods, OURS: project}
        return {name: self.measure(one, variant, sample=sample) for name, one in methods.items()}

    def measure(self, method: Method, variant: str, *, sample: int = 0) -> Measured:
        score = self._evaluator
        try:
            rows, cost = score.run(method, variant=variant, sample=sample)
        except FileNotFoundError as missing:
            raise InputError(f"the series are not there: {missing.filename}") from None
        overall, kinds = score.summary(rows), score.grouped(rows, "cls")
        tenths = overall.get("reliability", ())
        return Measured(
            cost["cpu_us"],
            _scores(overall),
            {kind: _scores(kinds[kind]) for kind in CLASSES if kind in kinds},
            {day: _scores(one) for day, one in score.grouped(rows, "d").items()},
            tuple(Tenth(cases, chance, happened) for _, cases, chance, happened in tenths),
        )


def _scores(given: Mapping[str, Any]) -> Scores:
    return Scores(
        cases=given["n"],
        pinball=given["pinball"],
        error=given["sMAE"],
        skill=given["skill"],
        coverage=given["cover"],
        below=given["below"],
        above=given["above"],
        brier=given.get("brier"),
    )


def evaluate(folder: Path | None, *, as_json: bool = False) -> str:
    """What the command prints; InputError where the folder is not there."""
    benchmark = Benchmark(folder)
    found = {variant: benchmark.compare(variant) for variant in VARIANTS}
    if as_json:
        return json.dumps(
            {
                variant: {name: asdict(one) for name, one in methods.items()}
                for variant, methods in found.items()
            },
            indent=2,
        )
    return "\n\n".join(table(variant, methods) for variant, methods in found.items())


def table(variant: str, methods: Mapping[str, Measured]) -> str:
    """The methods, then ours by class, by day and by the chance it gave."""
    ours = methods[OURS]
    lines = [
        f"Real daily series, {VARIANTS[variant]} ({variant}): {ours.all.cases:,} projections",
        _head("", "CPU, µs"),
        *(_row(name, one.all, f"{one.cpu:>9.0f}") for name, one in methods.items()),
        "",
        _head("ours by", "cases"),
        *(_row(kind, one, f"{one.cases:>9,}") for kind, one in ours.classes.items()),
        *(_row(f"after day {day}", one, f"{one.cases:>9,}") for day, one in ours.cut_offs.items()),
    ]
    return "\n".join([*lines, *_reliability(ours.reliability)])


def _head(first: str, last: str) -> str:
    names = ("pinball", "sMAE", "skill", "coverage", "below", "above", "Brier")
    return f"{first:<28}{''.join(f'{name:>9}' for name in names)}{last:>9}"


def _row(name: str, one: Scores, last: str) -> str:
    brier = f"{one.brier:>9.4f}" if one.brier is not None else f"{'–':>9}"
    shares = "".join(f"{share:>9.1%}" for share in (one.skill, one.coverage, one.below, one.above))
    return f"{name:<28}{one.pinball:>9.4f}{one.error:>9.4f}{shares}{brier}{last}"


def _reliability(tenths: Iterable[Tenth]) -> list[str]:
    """Where a chance was given at all."""
    rows = [
        f"{one.chance:>22.1%}{one.happened:>13.1%}{one.cases:>9,}" for one in tenths if one.cases
    ]
    head = f"{'ours: chance given':>22}{'came true':>13}{'cases':>9}"
    return ["", head, *rows] if rows else []
