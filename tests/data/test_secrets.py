"""The vault: keys that rotate, rows that were tampered with, and what no error says."""

import pytest
from cryptography.fernet import Fernet

from data.errors import ConfigError
from data.secrets import DEMO_KEY, Vault, fresh_key, vault
from data.settings import Settings
from tests.stores import ACME_SID, BETA_SID

SECRET = "abcdefghijklmnopqrstuvwxyz012345"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def settings(**given):
    return Settings(_env_file=None, **given)


def test_what_was_locked_opens_again():
    assert Vault([OLD]).open(ACME_SID, Vault([OLD]).lock(ACME_SID, SECRET)) == SECRET


def test_what_is_locked_does_not_show_what_it_holds():
    locked = Vault([OLD]).lock(ACME_SID, SECRET)
    assert SECRET not in locked
    assert Vault([OLD]).lock(ACME_SID, SECRET) != locked


def test_the_first_key_locks_and_every_key_opens():
    before = Vault([OLD]).lock(ACME_SID, SECRET)
    both = Vault([NEW, OLD])
    assert both.open(ACME_SID, before) == SECRET
    assert Vault([NEW]).open(ACME_SID, both.lock(ACME_SID, SECRET)) == SECRET


LOCKED = Vault([OLD]).lock(ACME_SID, SECRET)
SHUT = {
    "no key fits": (Vault([NEW]), ACME_SID, LOCKED),
    "moved to the row of another account": (Vault([OLD]), BETA_SID, LOCKED),
    "changed": (Vault([OLD]), ACME_SID, LOCKED[:-6] + "AAAAA="),
    "nothing that was ever locked": (Vault([OLD]), ACME_SID, SECRET),
    "empty": (Vault([OLD]), ACME_SID, ""),
}


@pytest.mark.parametrize(("own", "sid", "locked"), SHUT.values(), ids=SHUT)
def test_a_secret_that_does_not_open_names_its_account_and_what_to_do(own, sid, locked):
    with pytest.raises(ConfigError) as error:
        own.open(sid, locked)
    assert sid in str(error.value)
    assert "SECRETS_KEY" in str(error.value)
    assert "credentials add" in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


WRONG = {
    "missing": {},
    "empty between commas": {"secrets_key": " , "},
    "too short": {"secrets_key": "c2hvcnQ="},  # pragma: allowlist secret
    "not base64": {"secrets_key": "ä" * 44},
    "one of two": {"secrets_key": f"{OLD},hunter2"},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_key_that_is_missing_or_none_is_named_and_not_repeated(given):
    with pytest.raises(ConfigError, match="SECRETS_KEY") as error:
        vault(settings(**given))
    assert "hunter2" not in str(error.value)
    assert OLD not in str(error.value)


def test_keys_stand_side_by_side_with_commas():
    own = vault(settings(secrets_key=f"{NEW}, {OLD}"))
    assert own.open(ACME_SID, LOCKED) == SECRET


def test_a_demo_needs_no_key_of_its_own():
    locked = vault(settings(demo=True)).lock(ACME_SID, SECRET)
    assert Vault([DEMO_KEY]).open(ACME_SID, locked) == SECRET


def test_a_fresh_key_is_another_each_time_and_fits():
    first, second = fresh_key(), fresh_key()
    assert first != second
    assert Vault([first, second]).lock(ACME_SID, SECRET)


def test_no_key_is_shown_with_the_vault_or_the_settings():
    own = settings(secrets_key=OLD)
    assert OLD not in f"{own!r} {own} {vault(own)!r} {vars(vault(own))!r}"
