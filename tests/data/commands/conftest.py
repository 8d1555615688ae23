"""A shell around a store: the settings that the commands read from the environment."""

import pytest

from data.settings import Settings


@pytest.fixture
def environment(monkeypatch):
    """Sets a name in the environment, or unsets it with None; nothing else is set."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def change(**names):
        for name, value in names.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(value))

    return change


@pytest.fixture
def shell(environment, store):
    """A demo's shell on the store of each database."""
    environment(
        DEMO=1,
        DATABASE_URL=store.settings.database_url,
        DATABASE_ADMIN_URL=store.settings.admin_url,
    )
    return environment
