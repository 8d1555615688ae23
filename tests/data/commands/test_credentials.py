"""`credentials`: a secret goes in by a pipe and is never seen again."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet

from data.secrets import Vault
from tests.command_line import run
from tests.stores import ACME_SID, BETA_SID

KEY_SID = "SK" + "a" * 32
SECRET = "acmes0secret0of0thirtytwo0signs0"  # pragma: allowlist secret
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def keyed(shell):
    shell(SECRETS_KEY=OLD)
    return shell


@pytest.fixture
def piped(monkeypatch):
    def pipe(text):
        monkeypatch.setattr("sys.stdin", StringIO(text))

    return pipe


def add(piped, sid=ACME_SID, secret=SECRET):
    piped(f"{secret}\n")
    return run("credentials", "add", sid, KEY_SID)


def test_a_key_is_added_and_listed_without_its_secret(keyed, piped):
    added, listed = add(piped), run("credentials", "list")
    assert (added.code, listed.code) == (0, 0)
    assert f"{ACME_SID}  {KEY_SID}" in listed.out
    assert SECRET not in added.out + added.err + listed.out + listed.err


def test_a_secret_is_no_argument(keyed, piped):
    assert run("credentials", "add", ACME_SID, KEY_SID, SECRET).code == 2


def test_an_empty_list_says_so(keyed):
    assert run("credentials", "list").out == "No account has a key of its own.\n"


def test_a_wrong_sid_is_named_and_the_secret_is_not(keyed, piped):
    said = add(piped, sid="AC1")
    assert said.code == 1
    assert "account SID: 'AC1'" in said.err
    assert SECRET not in said.err


def test_each_account_has_its_key_and_loses_it_alone(keyed, piped):
    add(piped)
    add(piped, sid=BETA_SID)
    assert "is forgotten here" in run("credentials", "remove", ACME_SID).out
    listed = run("credentials", "list").out
    assert BETA_SID in listed
    assert ACME_SID not in listed
    assert run("credentials", "remove", ACME_SID).code == 1


def test_a_rotation_leaves_the_first_key_alone_in_charge(keyed, piped):
    add(piped)
    keyed(SECRETS_KEY=f"{NEW},{OLD}")
    assert run("credentials", "rotate").out.startswith("1 secrets are under the first key")
    keyed(SECRETS_KEY=OLD)
    refused = run("credentials", "rotate")
    assert refused.code == 1
    assert ACME_SID in refused.err


def test_without_a_key_nothing_is_asked(keyed, piped):
    keyed(SECRETS_KEY=None, DEMO=None)
    refused = add(piped)
    assert refused.code == 1
    assert "SECRETS_KEY is not set" in refused.err


def test_a_printed_key_is_one(shell):
    assert Vault([run("credentials", "key").out.strip()])
