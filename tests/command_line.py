"""The command line, called as a shell calls it: arguments in, an exit code and two texts out."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

import structlog

from data.commands.app import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def run(*arguments: object) -> Said:
    """`python -m data …` in this process."""
    out, err = StringIO(), StringIO()
    command = ["data", *(str(each) for each in arguments)]
    with patch.object(sys, "argv", command), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            structlog.reset_defaults()
    return Said(code, out.getvalue(), err.getvalue())
