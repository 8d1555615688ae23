"""Settings: what is refused at start, by name, and what follows from what."""

import pytest

from data.errors import ConfigError
from data.settings import TWILIO_API, Settings, load_settings

SID, TOKEN = "AC" + "0" * 32, "secret-token"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)


def loaded(**given):
    return load_settings(_env_file=None, **given)


PROVIDER = {"issuer": "https://id.example", "client_id": "a", "client_secret": "b"}
REFUSALS = {
    "demo with credentials": (
        {"demo": True, "twilio_account_sid": SID, "twilio_auth_token": TOKEN},
        "DEMO is on and TWILIO_ACCOUNT_SID",
    ),
    "demo with a token alone": ({"demo": True, "twilio_auth_token": TOKEN}, "DEMO is on"),
    "a SID without token": ({"twilio_account_sid": SID}, "TWILIO_AUTH_TOKEN is missing"),
    "a token without SID": ({"twilio_auth_token": TOKEN}, "TWILIO_ACCOUNT_SID is missing"),
    "an API that is no address": (
        {"twilio_api_base": "api.twilio.com"},
        "TWILIO_API_BASE: .*must look like https://host",
    ),
    "an origin without host": ({"public_origin": "https://"}, "PUBLIC_ORIGIN: "),
    "an origin with a path": ({"public_origin": "https://a.example/app"}, "PUBLIC_ORIGIN: "),
    "an origin of another kind": ({"public_origin": "ftp://a.example"}, "PUBLIC_ORIGIN: "),
    "a database of another kind": (
        {"database_url": "mysql://localhost/x"},
        "DATABASE_URL: must begin with sqlite:/// or postgresql",
    ),
    "a driver that is not here": (
        {"database_admin_url": "postgresql://localhost/x"},
        r"DATABASE_ADMIN_URL: must begin with .*postgresql\+psycopg://",
    ),
    "a port out of range": ({"port": 65535}, "PORT: "),
    "no port": ({"port": "eighty"}, "PORT: "),
    "a negative window": ({"settling_days": -1}, "SETTLING_DAYS: "),
    "a window too long": ({"settling_days": 31}, "SETTLING_DAYS: "),
    "no such country": ({"holidays": "XX"}, "HOLIDAYS: there is no calendar 'XX'"),
    "no such part of a country": ({"holidays": "DE-XX"}, "HOLIDAYS: DE has no part 'XX'.*BY"),
    "a part of no country": ({"holidays": "-BY"}, "HOLIDAYS: there is no calendar '-BY'"),
    "a country in small letters": ({"holidays": "us"}, "HOLIDAYS: there is no calendar 'us'"),
    "no history": ({"history_days": 0}, "HISTORY_DAYS: "),
    "no session": ({"session_hours": 0}, "SESSION_HOURS: "),
    "a frame for everybody": ({"embed_origins": ["*"]}, "EMBED_ORIGINS: "),
    "a frame that says more": (
        {"embed_origins": ["https://a.test; script-src *"]},
        "EMBED_ORIGINS: ",
    ),
    "a provider without https": (
        {"oidc_providers": {"a": {**PROVIDER, "issuer": "http://id.example"}}},
        "OIDC_PROVIDERS: a: issuer must be https",
    ),
    "a provider without a secret": (
        {"oidc_providers": {"a": {**PROVIDER, "client_secret": None}}},
        "OIDC_PROVIDERS_A_CLIENT_SECRET: ",
    ),
    "a provider with a long name": (
        {"oidc_providers": {"Our Provider": PROVIDER}},
        "OIDC_PROVIDERS: 'Our Provider' is no short name",
    ),
    "no day": ({"demo_today": "yesterday"}, "DEMO_TODAY: "),
    "no seed": ({"demo_seed": "one"}, "DEMO_SEED: "),
}


@pytest.mark.parametrize(("given", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_setting_is_refused_by_name(given, message):
    with pytest.raises(ConfigError, match=message):
        loaded(**given)


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(ConfigError, match=r"PORT.*SETTLING_DAYS"):
        loaded(port=0, settling_days=-1)


def test_a_refusal_does_not_repeat_the_token():
    with pytest.raises(ConfigError) as refusal:
        loaded(twilio_auth_token=TOKEN)
    assert TOKEN not in str(refusal.value)


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("SETTLING_DAYS", "5")
    assert loaded().settling_days == 5


def test_an_empty_setting_is_an_unset_one(monkeypatch):
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "")
    assert loaded().twilio_account_sid is None


def test_the_token_is_not_shown():
    settings = loaded(twilio_account_sid=SID, twilio_auth_token=TOKEN)
    assert TOKEN not in f"{settings!r} {settings}"


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        loaded().port = 1


def test_a_secret_may_stand_in_a_file_and_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "metrics_token").write_text("from a file\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    assert loaded().metrics_token.get_secret_value() == "from a file"
    monkeypatch.setenv("METRICS_TOKEN", "from outside")
    assert loaded().metrics_token.get_secret_value() == "from outside"


def test_a_folder_of_secrets_that_is_missing_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="SECRETS_DIR: there is no folder"):
        loaded()


def test_origins_are_kept_as_browsers_write_them():
    assert loaded(embed_origins=["https://Portal.Test/"]).embed_origins == ("https://portal.test",)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        pytest.param({}, TWILIO_API, id="real"),
        pytest.param({"demo": True, "port": 9000}, "http://127.0.0.1:9001", id="demo"),
        pytest.param({"twilio_api_base": "http://fake:1/"}, "http://fake:1", id="another host"),
    ],
)
def test_where_twilio_is(given, base):
    assert loaded(**given).api_base == base


@pytest.mark.parametrize("calendar", ["", "US", "DE-BY"], ids=["nobody's", "a country", "a part"])
def test_a_calendar_of_holidays_is_read(calendar):
    assert loaded(holidays=calendar).holidays == calendar


def test_the_owner_of_the_tables_is_the_app_unless_another_is_named():
    assert loaded(database_url="sqlite:///a").admin_url == "sqlite:///a"


@pytest.mark.parametrize(
    ("origin", "secure"), [(None, False), ("http://a.example", False), ("https://a.example/", True)]
)
def test_only_https_is_secure(origin, secure):
    assert loaded(public_origin=origin).secure is secure


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())
