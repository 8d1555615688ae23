"""`doctor`: each wrong state is named together with its cure."""

import json
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis.strategies import binary
from sqlalchemy.engine import make_url

from data.commands.clock import now
from data.commands.doctor import weakness
from data.identity import Role, add_membership, add_person
from data.models import Customer, SyncRun
from data.scope import writing
from data.secrets import fresh_key
from data.settings import Settings
from tests.command_line import run
from tests.servers import TOKEN, Canned, account_body, page, refusal, serving
from tests.stores import ACME, ACME_SID, account, customers

PARENT = account_body("AC" + "0" * 32)
FINE = page("accounts", [PARENT, account_body(ACME_SID)])


@pytest.fixture
def twilio():
    """Twilio's answers, to be changed by a test."""
    canned = Canned([FINE])
    with serving(canned.app) as base:
        canned.base = base
        yield canned


@pytest.fixture
def well(shell, store, twilio):
    """A demo in which all is right."""
    store.put(*customers(), SyncRun(started_at=now(), status="ok", rows=7))
    add_membership(store.app, add_person(store.app, "sue@isv.test", "Sue"), Role.SUPPORT)
    shell(TWILIO_API_BASE=twilio.base)
    return store


def findings(said):
    return [tuple(line.split(maxsplit=1)) for line in said.out.splitlines()]


def wrongs(said):
    return [text for mark, text in findings(said) if mark == "wrong"]


def notes(said):
    return "\n".join(text for mark, text in findings(said) if mark == "note")


def test_when_all_is_right_nothing_is_wrong(well):
    said = run("doctor")
    assert (said.code, wrongs(said)) == (0, [])


def test_what_is_right_is_said_too(well):
    out = run("doctor").out
    assert "answers: 1 subaccounts." in out
    assert "2 customers." in out


def test_a_password_is_not_shown(well):
    password = make_url(well.settings.database_url).password or "none"
    assert password not in run("doctor").out


def only_wrong(said, *words):
    assert said.code == 1
    assert len(wrongs(said)) == 1
    assert all(word in wrongs(said)[0] for word in words)


def test_no_mode_at_all(well, shell):
    shell(DEMO=None)
    assert wrongs(run("doctor"))[0].startswith("Neither DEMO nor TWILIO_ACCOUNT_SID is set")


def test_a_public_origin_in_the_clear(well, shell, tmp_path):
    shell(DEMO=None, TWILIO_ACCOUNT_SID="AC" + "0" * 32, TWILIO_AUTH_TOKEN="token")
    shell(PUBLIC_ORIGIN="http://usage.isv.test", PLANS_DIR=tmp_path)
    only_wrong(run("doctor"), "PUBLIC_ORIGIN", "is not https")


REAL = {"DEMO": None, "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token"}


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501"])
def test_an_origin_on_this_machine_needs_no_https(well, shell, tmp_path, host):
    shell(**REAL, PUBLIC_ORIGIN=f"http://{host}", PLANS_DIR=tmp_path)
    assert run("doctor").code == 0


@pytest.mark.parametrize("host", ["localhost.isv.test", "127.0.0.1.isv.test"])
def test_an_origin_that_only_looks_like_this_machine(well, shell, tmp_path, host):
    shell(**REAL, PUBLIC_ORIGIN=f"http://{host}", PLANS_DIR=tmp_path)
    only_wrong(run("doctor"), "PUBLIC_ORIGIN", "is not https", "serve it by https")


def test_no_public_origin_is_a_note(well, shell, tmp_path):
    shell(**REAL, PLANS_DIR=tmp_path)
    assert "PUBLIC_ORIGIN is not set" in notes(run("doctor"))


def test_a_demo_with_real_credentials_is_refused(well, shell):
    shell(TWILIO_ACCOUNT_SID="AC" + "0" * 32, TWILIO_AUTH_TOKEN=TOKEN)
    said = run("doctor")
    assert (said.code, said.out) == (1, "")
    assert "DEMO is on and TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is set: unset one" in said.err
    assert TOKEN not in said.err


GUESSABLE = {
    "short": ("s3cret", "has 6 characters"),
    "long, and nothing but the same": ("ab" * 20, "has 2 different characters"),
}


@pytest.mark.parametrize(("token", "why"), GUESSABLE.values(), ids=GUESSABLE)
def test_a_token_that_can_be_guessed(well, shell, token, why):
    shell(METRICS_TOKEN=token)
    said = run("doctor")
    only_wrong(said, "METRICS_TOKEN", why, "openssl rand")
    assert token not in said.out


def test_a_clients_secret_that_can_be_guessed(well, shell):
    client = {"issuer": "https://id.isv.test", "client_id": "usage", "client_secret": "hunter2"}
    shell(OIDC_PROVIDERS=json.dumps({"isv": client}))
    only_wrong(run("doctor"), "OIDC_PROVIDERS", "isv", "has 7 characters")


def test_secrets_that_nobody_guesses(well, shell):
    shell(METRICS_TOKEN=token_hex(16), SECRETS_KEY=fresh_key())
    assert run("doctor").code == 0


@given(binary(min_size=16, max_size=48))
def test_chance_alone_makes_no_weak_secret(seed):
    assert weakness(sha256(seed).hexdigest()) == ""


def test_a_key_that_is_none(well, shell):
    shell(SECRETS_KEY="too-short")  # pragma: allowlist secret
    only_wrong(run("doctor"), "SECRETS_KEY", "44 characters", "`python -m data credentials key`")


@pytest.mark.parametrize(
    ("mode", "real", "mark"),
    [(0o644, True, "wrong"), (0o644, False, "note"), (0o640, True, ""), (0o600, True, "")],
    ids=["everybody's, real", "everybody's, a demo", "the group's", "the owner's"],
)
def test_who_may_read_the_env_file(well, shell, tmp_path, monkeypatch, mode, real, mark):
    file = tmp_path / ".env"
    file.write_text(f"PLANS_DIR={tmp_path}\n")
    file.chmod(mode)
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    shell(**(REAL if real else {}))
    marks = [one for one, text in findings(run("doctor")) if f"`chmod 600 {file}`" in text]
    assert marks == ([mark] if mark else [])


def test_sqlite_alone_has_one_wall_less(well):
    alone = "the app's own guard alone keeps customers apart" in notes(run("doctor"))
    assert alone == well.settings.database_url.startswith("sqlite")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o646])
def test_who_may_read_the_sqlite_file(sqlite_store, environment, mode):
    environment(DEMO=1, DATABASE_URL=sqlite_store.settings.database_url)
    sqlite_store.file.chmod(mode)
    said = notes(run("doctor"))
    assert (f"(mode {mode:04o}): `chmod 600 {sqlite_store.file}*`" in said) == bool(mode & 0o006)


@pytest.fixture
def in_postgres(well, shell, postgres_server):
    """Runs doctor with another role in DATABASE_URL, or after a statement about the app's own."""
    app = postgres_server.app

    def doctor(*, role: str = "", given: str = "", taken: str = ""):
        if role:
            url = {"owner": well.settings.admin_url, "superuser": superuser(postgres_server, well)}
            shell(DATABASE_URL=url[role])
        if given:
            postgres_server.run(given.format(app=app, owner=postgres_server.owner))
        try:
            return run("doctor")
        finally:
            if taken:
                postgres_server.run(taken.format(app=app, owner=postgres_server.owner))

    return doctor


def superuser(server, store) -> str:
    database = make_url(store.settings.database_url).database
    return server.superuser.set(database=database).render_as_string(hide_password=False)


ROLES = {
    "a superuser": ({"role": "superuser"}, "is a superuser"),
    "the owner": ({"role": "owner"}, "tables and can switch row-level security off"),
    "one that is not bound": (
        {"given": "ALTER ROLE {app} BYPASSRLS", "taken": "ALTER ROLE {app} NOBYPASSRLS"},
        "has BYPASSRLS",
    ),
    "a member of the owner": (
        {"given": "GRANT {owner} TO {app}", "taken": "REVOKE {owner} FROM {app}"},
        "tables and can switch row-level security off",
    ),
}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("change", "why"), ROLES.values(), ids=ROLES)
def test_a_role_that_lifts_row_level_security(in_postgres, change, why):
    only_wrong(in_postgres(**change), "DATABASE_URL", why, "DATABASE_ADMIN_URL")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_role_that_cannot_lift_it(in_postgres):
    assert "Row-level security binds the app's role" in in_postgres().out


def test_no_folder_of_plans(well, shell, tmp_path):
    shell(DEMO=None, TWILIO_ACCOUNT_SID="AC" + "0" * 32, TWILIO_AUTH_TOKEN="token")
    shell(PLANS_DIR=tmp_path / "none")
    only_wrong(run("doctor"), "PLANS_DIR", "put your plan files there")


def test_refused_credentials(well, twilio):
    twilio.answers = [refusal(401)]
    only_wrong(run("doctor"), "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


def test_no_answer_from_twilio(well, shell):
    shell(TWILIO_API_BASE="http://127.0.0.1:9")
    only_wrong(run("doctor"), "Twilio at http://127.0.0.1:9 does not answer")


def test_an_account_that_could_not_be_read(well):
    well.put(account(ACME, "AC" + "d" * 32, sync_error="Twilio answers 500."))
    only_wrong(run("doctor"), "Acme, AC", "Twilio answers 500.")


def test_accounts_that_wait_are_a_note(well):
    well.put(
        Customer(id=99, slug="unassigned", name="Unassigned accounts"),
        account(99, "AC" + "e" * 32),
    )
    said = run("doctor")
    assert (said.code, "1 accounts wait for an owner in customers.yaml" in said.out) == (0, True)


def test_nobody_of_the_staff(shell, store, twilio):
    store.put(*customers(), SyncRun(started_at=now(), status="ok"))
    shell(TWILIO_API_BASE=twilio.base)
    only_wrong(run("doctor"), "run `python -m data people add`")


def test_no_customers(shell, store, twilio):
    store.put(SyncRun(started_at=now(), status="ok"))
    shell(TWILIO_API_BASE=twilio.base)
    add_membership(store.app, add_person(store.app, "sue@isv.test", "Sue"), Role.SUPPORT)
    only_wrong(run("doctor"), "run `python -m data customers import`")


def latest_run(store, **changes):
    with writing(store.owner) as session:
        run_row = session.get(SyncRun, 1)
        for name, value in changes.items():
            setattr(run_row, name, value)


def test_a_sync_that_is_late(well):
    latest_run(well, started_at=now() - timedelta(hours=30))
    only_wrong(run("doctor"), "began 30 h ago")


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_a_sync_that_did_not_end_well(well, status):
    latest_run(well, status=status)
    only_wrong(run("doctor"), f"ended {status}")


def test_no_sync_yet(shell, store, twilio):
    store.put(*customers())
    add_membership(store.app, add_person(store.app, "sue@isv.test", "Sue"), Role.SUPPORT)
    shell(TWILIO_API_BASE=twilio.base)
    only_wrong(run("doctor"), "run `make sync`")


def test_tables_that_are_missing(environment, twilio, tmp_path):
    environment(DEMO=1, DATABASE_URL=f"sqlite:///{tmp_path / 'new.sqlite'}")
    environment(TWILIO_API_BASE=twilio.base)
    found = wrongs(run("doctor"))
    assert all("run `python -m data migrate`" in text for text in found)
    assert len(found) == 2


@pytest.mark.parametrize(
    "url",
    # pragma: allowlist nextline secret
    ["postgresql+psycopg://app:secret@127.0.0.1:9/none", "sqlite:////proc/none/x.sqlite"],
    ids=["no server", "no folder"],
)
def test_a_database_that_cannot_be_reached(environment, twilio, url):
    environment(DEMO=1, DATABASE_URL=url, TWILIO_API_BASE=twilio.base)
    said = run("doctor")
    assert (said.code, "secret" in said.out) == (1, False)
    assert all(text.startswith("The database cannot be used: ") for text in wrongs(said))
