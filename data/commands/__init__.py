"""The command line: one Typer app, `python -m data …`; each file here is a group of its verbs.

An edge of the program: the clock is read here, errors become one plain line and exit code 1.
"""
