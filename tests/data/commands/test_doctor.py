"""`doctor`: each wrong state is named together with its cure."""

from datetime import timedelta

import pytest
from sqlalchemy.engine import make_url

from data.commands.clock import now
from data.identity import Role, add_membership, add_person
from data.models import Customer, SyncRun
from data.scope import writing
from tests.command_line import run
from tests.servers import Canned, account_body, page, refusal, serving
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


def wrongs(said):
    lines = (line.split(maxsplit=1) for line in said.out.splitlines())
    return [text for mark, text in lines if mark == "wrong"]


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
    assert len(found) == 5


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://app:secret@127.0.0.1:9/none", "sqlite:////proc/none/x.sqlite"],
    ids=["no server", "no folder"],
)
def test_a_database_that_cannot_be_reached(environment, twilio, url):
    environment(DEMO=1, DATABASE_URL=url, TWILIO_API_BASE=twilio.base)
    said = run("doctor")
    assert (said.code, "secret" in said.out) == (1, False)
    assert all(text.startswith("The database cannot be used: ") for text in wrongs(said))
