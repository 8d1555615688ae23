"""Twilio Connect: whose answer counts, which account is believed, and what an import leaves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount

from data.connect import (
    STATE_LIFE,
    Asker,
    ConnectedAccount,
    begin,
    connect,
    decline,
    own_accounts,
    proven,
    use,
    withdraw,
)
from data.demo.connect_api import connect_routes, connectable
from data.demo.twilio_api import twilio_api
from data.demo.world import AUTH_TOKEN, PARENT_SID, World
from data.errors import AccessError, LinkRejected, TwilioError
from data.models import (
    SYSTEM_CUSTOMER,
    Account,
    AccountEvent,
    AuditEntry,
    ConnectRequest,
    Customer,
    Person,
    Subscription,
    UsageRecord,
)
from data.scope import reading
from data.store import periods, subscriptions
from data.twilio.client import Credentials
from tests.customer_files import FILE, importer, scope_of
from tests.servers import Canned, account_body, refusal, serving
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers, record

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
OPENED = date(2026, 2, 10)
SID = "AC" + "c" * 32
ANN, ART, BOB = 11, 12, 21
BY_ANN, BY_ART, BY_BOB = Asker(ACME, ANN), Asker(ACME, ART), Asker(BETA, BOB)
FOUND = ConnectedAccount(SID, "Acme's own", "active", OPENED)
PARENT = Credentials(PARENT_SID, AUTH_TOKEN)


@pytest.fixture
def filled(store):
    people = ((ANN, "ann"), (ART, "art"), (BOB, "bob"))
    store.put(
        *customers(),
        *(Person(id=id, email=f"{name}@x.test", name=name) for id, name in people),
    )
    return store


def rows(store, table, *where):
    with reading(store.owner) as session:
        return session.exec(select(table).where(*where)).all()


def audit(store):
    return [(e.action, e.customer_id, e.person_id, e.detail) for e in rows(store, AuditEntry)]


def connected(store, asker=BY_ANN, found=FOUND, now=NOW):
    connect(store.app, asker, found, now=now, today=now.date())


# The state


def test_a_state_is_good_once(filled):
    state = begin(filled.app, BY_ANN, now=NOW)
    use(filled.app, BY_ANN, state, now=NOW)
    with pytest.raises(LinkRejected):
        use(filled.app, BY_ANN, state, now=NOW)


def test_only_the_hash_of_a_state_is_kept(filled):
    state = begin(filled.app, BY_ANN, now=NOW)
    (row,) = rows(filled, ConnectRequest)
    assert state not in str(row.model_dump())
    assert state not in str(audit(filled))


def test_of_many_answers_at_once_one_counts(filled):
    state = begin(filled.app, BY_ANN, now=NOW)

    def answer(_):
        try:
            use(filled.app, BY_ANN, state, now=NOW)
        except LinkRejected:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(answer, range(8))) == 1


REJECTED = {
    "forged": (BY_ANN, "forged", timedelta(0)),
    "empty": (BY_ANN, "", timedelta(0)),
    "a quarter of an hour old": (BY_ANN, None, STATE_LIFE),
    "a colleague's": (BY_ART, None, timedelta(0)),
    "another customer's": (BY_BOB, None, timedelta(0)),
}


@pytest.mark.parametrize(("asker", "state", "later"), REJECTED.values(), ids=REJECTED)
def test_a_state_that_is_not_this_persons_fresh_one_is_refused_and_noted(
    filled, asker, state, later
):
    own = begin(filled.app, BY_ANN, now=NOW)
    with pytest.raises(LinkRejected):
        use(filled.app, asker, own if state is None else state, now=NOW + later)
    assert audit(filled)[-1] == ("connect_rejected", asker.customer_id, asker.person_id, "")


def test_a_state_refused_to_another_is_still_good_for_its_owner(filled):
    state = begin(filled.app, BY_ANN, now=NOW)
    with pytest.raises(LinkRejected):
        use(filled.app, BY_BOB, state, now=NOW)
    use(filled.app, BY_ANN, state, now=NOW + STATE_LIFE - timedelta(seconds=1))


def test_old_states_are_cleared_away(filled):
    begin(filled.app, BY_ANN, now=NOW)
    begin(filled.app, BY_BOB, now=NOW + STATE_LIFE)
    assert [row.customer_id for row in rows(filled, ConnectRequest)] == [BETA]


def test_a_refusal_at_twilio_is_noted(filled):
    decline(filled.app, BY_ANN, "unauthorized_client", now=NOW)
    assert audit(filled) == [("connect_declined", ACME, ANN, "unauthorized_client")]


# The proof


@pytest.fixture(scope="module")
def world():
    return World(1, TODAY)


@pytest.fixture(scope="module")
def twilio(world):
    routes = connect_routes(world, "http://localhost:8501")
    with serving(Starlette(routes=[*routes, Mount("/", twilio_api(world))])) as base:
        yield base


def test_an_account_that_our_token_opens_is_described_by_twilio(twilio, world):
    ready = connectable(world)[0]
    assert proven(PARENT, twilio, ready.sid, today=TODAY) == ConnectedAccount(
        ready.sid, "Juniper Shop", "active", ready.opened_on
    )


def sids(world):
    subaccount = world.subaccount_sids[0]
    return {
        "a subaccount of the ISV": subaccount,
        "the ISV's own": PARENT_SID,
        "unknown to Twilio": SID,
        "in capitals": subaccount.upper(),
        "a path": f"{subaccount}/Usage",
        "nothing": "",
    }


@pytest.mark.parametrize("name", sids(World(1, TODAY)))
def test_an_account_that_is_not_a_connected_one_is_refused(twilio, world, name):
    with pytest.raises(AccessError, match="cannot be connected here"):
        proven(PARENT, twilio, sids(world)[name], today=TODAY)


BODIES = {
    "of the ISV": account_body(SID, owner=PARENT_SID),
    "a parent of its own": account_body(SID, owner=SID),
    "another than asked for": account_body(ACME_SID, owner=BETA_SID),
    "without an owner": {"sid": SID},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_answer_that_proves_nothing_is_refused(body):
    with (
        serving(Canned([JSONResponse(body)]).app) as base,
        pytest.raises(AccessError, match="cannot be connected here"),
    ):
        proven(PARENT, base, SID, today=TODAY)


DATES = {
    "its day in UTC": ("Tue, 10 Feb 2026 23:30:00 -0800", date(2026, 2, 11)),
    "none": (None, TODAY),
    "no date": ("recently", TODAY),
}


@pytest.mark.parametrize(("text", "day"), DATES.values(), ids=DATES)
def test_an_account_is_as_old_as_twilio_says(text, day):
    body = {**account_body(SID, owner=BETA_SID), "date_created": text}
    with serving(Canned([JSONResponse(body)]).app) as base:
        assert proven(PARENT, base, SID, today=TODAY).opened_on == day


def test_when_twilio_does_not_answer_it_is_said_so():
    with (
        serving(Canned([refusal(503)]).app) as base,
        pytest.raises(TwilioError, match="Nothing was connected; try again"),
    ):
        proven(PARENT, base, SID, today=TODAY)


# The account


def test_a_connected_account_is_its_customers_with_all_its_days(filled):
    connected(filled)
    (row,) = rows(filled, Account, Account.sid == SID)
    assert (row.customer_id, row.kind, row.named_by) == (ACME, "connected", "connect")
    assert (row.name, row.starts_on, row.ends_on) == ("Acme's own", OPENED, None)
    assert audit(filled) == [("account_connected", ACME, ANN, SID)]
    assert [(e.account_sid, e.kind, e.at) for e in rows(filled, AccountEvent)] == [
        (SID, "connected", NOW)
    ]


def test_it_stands_on_a_subscription_of_its_own_that_nothing_is_billed_on(filled):
    connected(filled)
    main, own = subscriptions(filled.acme)
    assert (own.key, own.plan, own.starts_on) == ("connected", None, OPENED)
    assert [one.sid for one in own.accounts] == [SID]
    assert [one.sid for one in main.accounts] == [ACME_SID]
    assert len(periods(filled.acme, "connected", today=TODAY)) == 2


def test_the_other_customer_sees_nothing_of_it(filled):
    connected(filled)
    assert [one.sid for one in own_accounts(filled.beta)] == [BETA_SID]
    assert {one.sid for one in own_accounts(filled.acme)} == {ACME_SID, SID}
    assert len(subscriptions(filled.beta)) == 1


def test_connected_again_it_stays_one_account_and_its_consent_is_back(filled):
    connected(filled)
    withdraw(filled.app, SID, now=NOW)
    connected(filled, BY_ART)
    (row,) = rows(filled, Account, Account.sid == SID)
    assert row.withdrawn_at is None
    assert audit(filled)[-1] == ("account_connected", ACME, ART, SID)


def test_an_account_of_another_customer_is_refused_and_stays_as_it_is(filled):
    connected(filled)
    withdraw(filled.app, SID, now=NOW)
    before = rows(filled, Account)
    with pytest.raises(AccessError) as error:
        connected(filled, BY_BOB)
    assert "Acme" not in str(error.value)
    assert rows(filled, Account) == before
    assert audit(filled)[-1] == ("connect_refused", BETA, BOB, SID)
    assert len(rows(filled, Subscription, Subscription.customer_id == BETA)) == 1


def test_an_account_that_another_had_before_counts_from_the_day_it_left(filled):
    filled.put(account(BETA, SID, ends_on=date(2026, 3, 1), kind="connected"))
    connected(filled)
    owners = {row.customer_id: row.starts_on for row in rows(filled, Account, Account.sid == SID)}
    assert owners[ACME] == date(2026, 3, 1)
    assert owners[BETA] < OPENED


def test_an_account_that_waits_for_the_isv_to_say_whose_it_is_is_refused(filled):
    filled.put(Customer(id=900, slug=SYSTEM_CUSTOMER, name="Unassigned"), account(900, SID))
    with pytest.raises(AccessError, match="cannot be connected here"):
        connected(filled)
    assert [row.customer_id for row in rows(filled, Account, Account.sid == SID)] == [900]


def test_who_connected_it_before_takes_a_waiting_account_back_with_its_usage(filled):
    filled.put(
        Customer(id=900, slug=SYSTEM_CUSTOMER, name="Unassigned"),
        account(900, SID, starts_on=date(1970, 1, 1), kind="connected"),
        record(900, date(2026, 3, 1), "sms", 5, sid=SID),
        AuditEntry(at=NOW, action="account_connected", customer_id=ACME, person_id=ANN, detail=SID),
    )
    with pytest.raises(AccessError):
        connected(filled, BY_BOB)
    connected(filled)
    assert [row.customer_id for row in rows(filled, Account, Account.sid == SID)] == [ACME]
    assert [row.customer_id for row in rows(filled, UsageRecord)] == [ACME]


# Consent taken back


def test_withdrawn_consent_is_noted_once_and_what_was_read_stays(filled):
    connected(filled)
    filled.put(record(ACME, date(2026, 3, 1), "sms", 5, sid=SID))
    assert withdraw(filled.app, SID, now=NOW)
    assert not withdraw(filled.app, SID, now=NOW + timedelta(hours=1))
    (one,) = [one for one in own_accounts(filled.acme) if one.sid == SID]
    assert one.withdrawn_at == NOW
    assert len(rows(filled, UsageRecord)) == 1
    assert audit(filled)[-1] == ("account_withdrawn", ACME, None, SID)
    assert [event.kind for event in rows(filled, AccountEvent)] == ["connected", "withdrawn"]


def test_only_an_account_that_was_connected_can_be_withdrawn(filled):
    connected(filled)
    before = rows(filled, Account)
    for sid in (ACME_SID, BETA_SID, "AC" + "d" * 32, ""):
        assert not withdraw(filled.app, sid, now=NOW)
    assert rows(filled, Account) == before


# customers.yaml


@pytest.fixture
def imported(store, tmp_path):
    """The file's two customers; the first one has connected an account beside the file."""
    run = importer(store, tmp_path)
    run()
    run.acme, run.beta = (scope_of(store, slug).customer_id for slug in ("acme", "beta"))
    store.put(Person(id=ANN, email="ann@x.test", name="ann"))
    connected(store, Asker(run.acme, ANN))
    store.put(record(run.acme, date(2026, 3, 1), "sms", 5, sid=SID))
    return run


def holders(imported):
    return [row.customer_id for row in rows(imported.store, Account, Account.sid == SID)]


def users(imported):
    return [row.customer_id for row in rows(imported.store, UsageRecord)]


def test_an_import_leaves_an_account_that_it_does_not_name(imported):
    before = rows(imported.store, Account), rows(imported.store, Subscription)
    assert imported() == ()
    assert (rows(imported.store, Account), rows(imported.store, Subscription)) == before
    assert (holders(imported), users(imported)) == ([imported.acme], [imported.acme])


NAMED = f"      - {{sid: {SID}, kind: connected, application: Own, subscription: own, from: "


def named(customer_sid, day):
    return FILE.replace(
        f"{{sid: {customer_sid}, from: {'2026-01-01' if customer_sid == ACME_SID else '2026-02-10'}"
        + ("}\n" if customer_sid == ACME_SID else ", application: Shop}\n"),
        f"{{sid: {customer_sid}, from: "
        + ("2026-01-01}\n" if customer_sid == ACME_SID else "2026-02-10, application: Shop}\n")
        + f"{NAMED}{day}}}\n",
    )


@pytest.mark.parametrize("day", [OPENED, date(2026, 1, 15)], ids=["same day", "another day"])
def test_an_account_that_the_file_names_becomes_the_files(imported, day):
    withdraw(imported.store.app, SID, now=NOW)
    imported(named(ACME_SID, day))
    (row,) = rows(imported.store, Account, Account.sid == SID)
    assert (row.customer_id, row.named_by, row.starts_on) == (imported.acme, "file", day)
    assert (row.application, row.withdrawn_at) == ("Own", NOW)
    assert imported(named(ACME_SID, day)) == ()


def test_the_file_may_give_the_account_to_another_customer(imported):
    imported(named(BETA_SID, OPENED))
    assert (holders(imported), users(imported)) == ([imported.beta], [imported.beta])


def test_a_customer_that_the_file_drops_lets_go_of_it_and_it_waits(imported):
    withdraw(imported.store.app, SID, now=NOW)
    imported(FILE[: FILE.index("  - slug: acme")] + FILE[FILE.index("  - slug: beta") :])
    (row,) = rows(imported.store, Account, Account.sid == SID)
    (waiting,) = rows(imported.store, Customer, Customer.slug == SYSTEM_CUSTOMER)
    assert (row.customer_id, row.kind, row.withdrawn_at) == (waiting.id, "connected", NOW)
    assert users(imported) == [waiting.id]
    assert own_accounts(scope_of(imported.store, "acme")) == ()
    assert len(own_accounts(scope_of(imported.store, "beta"))) == 1
