"""Accounts' own keys: stored encrypted, replaced, rotated; their secrets are nowhere in clear."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from data.account_credentials import add, keys, remove, rotate, stored_keys
from data.errors import ConfigError, InputError, NotFound
from data.models import AccountCredential
from data.scope import reading
from data.secrets import Vault
from data.twilio.client import Credentials
from tests.stores import ACME_SID, BETA_SID

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
VAULT = Vault([OLD])
ACME_KEY, BETA_KEY = "SK" + "a" * 32, "SK" + "b" * 32
# pragma: allowlist nextline secret
ACME_SECRET, BETA_SECRET = "acmes0secret0of0thirtytwo0signs0", "betas0secret0of0thirtytwo0signs0"


@pytest.fixture
def filled(store):
    add(store.owner, VAULT, ACME_SID, ACME_KEY, ACME_SECRET, now=NOW)
    add(store.owner, VAULT, BETA_SID, BETA_KEY, BETA_SECRET, now=NOW)
    return store


def test_each_account_is_read_with_its_own_key(filled):
    found = keys(filled.owner, VAULT)
    assert found == {
        ACME_SID: Credentials(ACME_SID, ACME_SECRET, ACME_KEY),
        BETA_SID: Credentials(BETA_SID, BETA_SECRET, BETA_KEY),
    }
    assert ACME_SECRET not in repr(found)


def test_a_list_has_no_secrets(filled):
    found = stored_keys(filled.owner)
    assert [(one.account_sid, one.key_sid, one.added_at) for one in found] == [
        (ACME_SID, ACME_KEY, NOW),
        (BETA_SID, BETA_KEY, NOW),
    ]
    assert ACME_SECRET not in repr(found)


def test_a_key_added_again_takes_the_place_of_the_old_one(filled):
    add(filled.owner, VAULT, ACME_SID, BETA_KEY, BETA_SECRET, now=NOW)
    found = keys(filled.owner, VAULT)[ACME_SID]
    assert (found.key_sid, found.secret) == (BETA_KEY, BETA_SECRET)
    assert len(stored_keys(filled.owner)) == 2


def test_a_key_that_is_removed_is_gone_and_the_other_stays(filled):
    remove(filled.owner, ACME_SID)
    assert [one.account_sid for one in stored_keys(filled.owner)] == [BETA_SID]
    with pytest.raises(NotFound):
        remove(filled.owner, ACME_SID)


WRONG = {
    "account SID": ("AC123", ACME_KEY, ACME_SECRET),
    "account SID ": ("SK" + "a" * 32, ACME_KEY, ACME_SECRET),
    "key SID": (ACME_SID, ACME_SID, ACME_SECRET),
    "key SID ": (ACME_SID, ACME_KEY + "0", ACME_SECRET),
    "secret": (ACME_SID, ACME_KEY, ""),
    "secret ": (ACME_SID, ACME_KEY, "with a space in the middle"),
    "secret  ": (ACME_SID, ACME_KEY, "sh0rt"),
}


@pytest.mark.parametrize(("field", "given"), WRONG.items(), ids=WRONG)
def test_what_is_no_key_is_refused_by_field(store, field, given):
    with pytest.raises(InputError, match=field.strip()) as error:
        add(store.owner, VAULT, *given, now=NOW)
    assert not given[2] or given[2] not in str(error.value)
    assert stored_keys(store.owner) == ()


def locked(store):
    with reading(store.owner) as session:
        return [session.get(AccountCredential, sid).secret for sid in (ACME_SID, BETA_SID)]


def test_after_a_rotation_the_old_key_is_needed_no_more(filled):
    assert rotate(filled.owner, Vault([NEW, OLD])) == 2
    assert keys(filled.owner, Vault([NEW]))[BETA_SID].secret == BETA_SECRET
    with pytest.raises(ConfigError, match=ACME_SID):
        keys(filled.owner, VAULT)


def test_a_rotation_without_the_old_key_changes_nothing(filled):
    before = locked(filled)
    with pytest.raises(ConfigError, match="AC"):
        rotate(filled.owner, Vault([NEW]))
    assert locked(filled) == before


def test_the_database_holds_no_secret_in_clear(filled):
    assert all(ACME_SECRET not in text and BETA_SECRET not in text for text in locked(filled))
    if filled.settings.database_url.startswith("sqlite"):
        written = b"".join(path.read_bytes() for path in filled.file.parent.glob("store.sqlite*"))
        assert ACME_KEY.encode() in written
        assert ACME_SECRET.encode() not in written
        assert BETA_SECRET.encode() not in written


def test_a_row_shown_by_mistake_does_not_show_what_is_locked(filled):
    with reading(filled.owner) as session:
        row = session.get(AccountCredential, ACME_SID)
    assert row.secret not in repr(row)
