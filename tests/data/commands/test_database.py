"""`migrate`, `reset` and `people`: tables, an empty demo, and who may sign in."""

import re
from datetime import timedelta

import pytest

from data.commands.clock import now
from data.identity import enter_by_link, members
from data.migrations import current, head
from data.models import SYSTEM_CUSTOMER
from data.store import find_customers
from tests.command_line import run
from tests.stores import ACME, SYNCED, credit_row, customers, sms_days


def test_migrate_makes_the_tables_and_says_the_revision(environment, tmp_path):
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    environment(DATABASE_URL=url)
    assert run("migrate").out == f"Database at revision {head()} (was None)\n"
    assert current(url) == head()


def test_migrate_again_says_where_it_is(shell, store):
    assert run("migrate").out == f"Database at revision {head()}\n"


def test_migrate_without_a_server_is_one_plain_line(environment):
    # pragma: allowlist nextline secret
    environment(DATABASE_URL="postgresql+psycopg://app:secret@127.0.0.1:9/none")
    said = run("migrate")
    assert (said.code, said.err.count("\n"), "secret" in said.err) == (1, 1, False)
    assert "check DATABASE_URL" in said.err


def test_a_wrong_setting_is_one_plain_line(environment):
    environment(PORT="eighty")
    said = run("migrate")
    assert (said.code, said.err.startswith("Error: PORT: ")) == (1, True)


def fill(store):
    store.put(*customers(), *sms_days(ACME, SYNCED.date(), [1]))
    store.put(credit_row(ACME, "first", SYNCED.date()))
    run("people", "add", "sue@isv.test", "--role", "support")


def test_reset_empties_a_demo(shell, store):
    fill(store)
    assert run("reset", "--yes").code == 0
    assert (find_customers(store.owner, ""), members(store.app)) == ((), ())


def test_reset_is_refused_outside_a_demo(shell, store):
    fill(store)
    shell(DEMO=None)
    said = run("reset", "--yes")
    assert (said.code, "reset is for demos only" in said.err) == (1, True)
    assert len(find_customers(store.owner, "")) == 2


def token(said):
    return re.search(r"\?token=(\S+)", said.out)[1]


def test_a_person_added_signs_in_once_with_the_link(shell, store):
    store.put(*customers())
    said = run("people", "add", "pat@acme.test", "--role", "viewer", "--customer", "acme")
    assert said.out.startswith("pat@acme.test is viewer at acme\n")
    secret = enter_by_link(store.app, token(said), now(), life=timedelta(hours=1))
    assert secret


def test_a_person_belongs_to_the_customer_named_only(shell, store):
    store.put(*customers())
    run("people", "add", "pat@acme.test", "--role", "viewer", "--customer", "acme")
    (member,) = members(store.app)
    assert member.customer.id == ACME


def test_another_link_is_another_secret(shell, store):
    first = run("people", "add", "sue@isv.test", "--role", "support")
    assert token(run("people", "link", "SUE@isv.test")) != token(first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("link", "nobody@x.test"), "`people add` adds them", id="nobody"),
        pytest.param(
            ("add", "pat@acme.test", "--role", "viewer", "--customer", "gamma"),
            "import customers.yaml first",
            id="no such customer",
        ),
    ],
)
def test_what_people_cannot_do_names_the_cure(shell, store, arguments, message):
    store.put(*customers())
    said = run("people", *arguments)
    assert (said.code, message in said.err) == (1, True)


def test_people_are_listed_with_their_place(shell, store):
    store.put(*customers())
    run("people", "add", "pat@acme.test", "--role", "viewer", "--customer", "acme")
    run("people", "add", "sue@isv.test", "--role", "support")
    listed = [line.split() for line in run("people", "list").out.splitlines()]
    assert sorted(listed) == [
        ["pat@acme.test", "viewer", "Acme", "never", "signed", "in"],
        ["sue@isv.test", "support", "staff", "never", "signed", "in"],
    ]


def test_customers_are_listed_with_their_accounts(shell, store):
    store.put(*customers())
    out = run("customers", "list", "acme").out
    assert ("acme: Acme (no plan)" in out, "beta" in out, SYSTEM_CUSTOMER in out) == (
        True,
        False,
        False,
    )
