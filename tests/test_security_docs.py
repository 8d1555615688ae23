"""SECURITY.md can't lie: files, tests, addresses, secrets, commands and figures are the code's."""

import ast
import re
import shlex
from functools import cache
from typing import get_args

import pytest
import typer
from pydantic import SecretStr

from dashboard.edge import LARGEST_BODY
from dashboard.oidc_client import LARGEST_ANSWER, SECONDS
from dashboard.rate_limits import ASKED, ATTEMPTS, FAILURES
from data.commands.app import app
from data.connect import STATE_LIFE
from data.identity import CODE_LIFE
from data.identity.federated import ATTEMPT_LIFE
from data.settings import ROOT, OidcProvider, Settings
from tests.access_tables import addresses, full_door

PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("SECURITY.md", "docs/access.md", "docs/embedding.md", "docs/sign-in.md")
}
PAGE = PAGES["SECURITY.md"]
HELD = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
FILES = sorted(set(re.findall(r"`([\w./]+\.(?:py|toml))`", PAGE)))
POINTS = re.findall(r"^\| (\d+\.\d+\.\d+) \|.*\|$", PAGE, re.MULTILINE)
COMMANDS = sorted(
    {
        (name, command)
        for name, text in PAGES.items()
        for command in re.findall(r"python -m\s+data ([^`\n#)|]+)", text)
    }
)


@cache
def functions_of(file):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), HELD, ids=lambda text: text.rpartition("/")[2])
def test_a_test_that_is_named_exists(file, name):
    assert name in functions_of(file)


def test_ten_points_have_a_test_each():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    assert len(set(POINTS)) == len(rows) == 10
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_exists(file):
    assert (ROOT / file).is_file()


def test_every_address_of_ours_is_in_the_threat_model(tmp_path):
    paths = {one.split(" ", 1)[1] for one in addresses(full_door(tmp_path))}
    heads = "\n".join(re.findall(r"^### .*$", PAGE, re.MULTILINE))
    assert [path for path in sorted(paths) if not re.search(rf"[` ]{path}`", heads)] == []


ENTRIES = re.split(r"^### ", PAGE.partition("\n## Changing")[0], flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: re.split("[:\n]", entry)[0])
def test_every_entry_is_looked_at_from_six_sides(entry):
    letters = "".join(re.findall(r"^\| ([STRIDE, ]+) \|", entry, re.MULTILINE))
    assert set(letters) - set(", ") == set("STRIDE")


def test_there_are_fourteen_entries():
    assert len(ENTRIES) == 14


def secret_settings():
    """Those whose value is a secret, holds one, or is an address with a password."""
    for name, field in Settings.model_fields.items():
        kinds = {field.annotation, *get_args(field.annotation)}
        if kinds & {SecretStr, OidcProvider} or name.endswith("_url"):
            yield name.upper()


def test_every_secret_can_be_changed_by_what_is_written():
    names = list(secret_settings())
    assert {"SECRETS_KEY", "OIDC_PROVIDERS", "DATABASE_ADMIN_URL"} < set(names)
    how = PAGE.partition("## Changing every secret")[2].partition("\n## ")[0]
    assert [name for name in names if f"`{name}`" not in how] == []


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=lambda text: text.strip())
def test_a_command_that_is_named_exists(page, command):
    found, words = typer.main.get_command(app), shlex.split(command.rstrip(".,;"))
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands") or not words, command
    known = {name for one in found.params for name in one.opts}
    assert [one for one in words if one.startswith("--") and one not in known] == []


def test_commands_are_found():
    assert len(COMMANDS) > 25


@pytest.mark.parametrize(
    "words",
    [
        f"{LARGEST_BODY:,} bytes",
        f"{FAILURES.amount} refusals a minute and address",
        f"{ATTEMPTS.amount} attempts a minute and address",
        f"{ASKED.amount} a minute and key",
        f"within {CODE_LIFE.seconds} seconds",
        f"once, {STATE_LIFE.seconds // 60} minutes",
        f"{SECONDS:.0f} s, {LARGEST_ANSWER // 1024} KB",
    ],
)
def test_a_figure_is_the_codes(words):
    assert words in PAGE


def test_an_attempt_at_a_provider_lasts_as_long_as_is_written():
    assert "a cookie of ten minutes" in PAGE
    assert ATTEMPT_LIFE.seconds == 600
