"""docs/rating.md can't lie: each of its shell blocks is run and compared with what follows it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from data.meters import CATALOGUE
from data.pricing import LineKind, Price

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "rating.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```\n\s*^```(text|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
IDS = [
    " ".join(re.findall(r"[\w-]+(?=\.(?:yaml|json|csv)\b)", block[0])) or f"stdin {number}"
    for number, block in enumerate(BLOCKS)
]


def said(script):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize(("script", "kind", "output"), BLOCKS, ids=IDS)
def test_a_block_says_what_the_page_shows(script, kind, output):
    found = said(script)
    if kind == "json":
        assert json.loads(found) == json.loads(output)
    else:
        assert found.rstrip() == output.rstrip()


def test_every_shell_block_is_followed_by_its_output():
    assert PAGE.count("```sh\n") == len(BLOCKS) > 10


def test_every_strategy_kind_of_line_and_meter_is_told():
    kinds = {price.model_fields["kind"].default for price in get_args(get_args(Price)[0])}
    assert [kind for kind in kinds if f"### {kind}\n" not in PAGE] == []
    named = [f"`{name}`" for name in (*LineKind, *CATALOGUE)]
    assert [name for name in named if name not in PAGE] == []


def test_every_example_is_on_the_page():
    names = [path.name for path in (ROOT / "examples" / "rating").iterdir()]
    assert [name for name in names if f"examples/rating/{name}" not in PAGE] == []
