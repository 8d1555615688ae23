"""How good a projection is and what it costs: the table of `project --evaluate` on real series.

The CPU of one projection stands beside that of the simplest method that looks back, the mean of 28
days, in the same run.  Importing the method is measured in processes of their own, once numpy is
there.  The series are not part of the project: without them only the import is measured.
"""

import subprocess
import sys

from data.commands.evaluate import OURS, VARIANTS, Benchmark, table
from data.errors import InputError
from tests.bench.measured import ROOT

REFERENCE = "28-day mean"
RUNS = 7
IMPORT = """
import time, numpy, numpy.typing
began = time.process_time()
import data.projection
print(time.process_time() - began)
"""


def import_milliseconds() -> float:
    """CPU of `import data.projection` beyond numpy's own, the least of some runs."""
    command = [sys.executable, "-c", IMPORT]
    runs = [subprocess.check_output(command, cwd=ROOT, text=True) for _ in range(RUNS)]
    return min(map(float, runs)) * 1000


def evaluation() -> None:
    try:
        benchmark = Benchmark()
    except InputError as missing:
        print(f"Not evaluated: {missing}")
    else:
        for variant in VARIANTS:
            found = benchmark.compare(variant)
            print(table(variant, found))
            ratio = found[OURS].cpu / found[REFERENCE].cpu
            print(f"\nCPU of a projection: {ratio:.1f} × that of the {REFERENCE}\n")
    print(f"{'import of data.projection beyond numpy':<38}{import_milliseconds():>8.1f} ms\n")
