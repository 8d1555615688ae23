"""Phone numbers: a copy of what Twilio has, replaced as a whole; they may change accounts."""

from base64 import b64decode

import pytest

from data.errors import NotFound, TwilioError
from data.models import PhoneNumber
from data.twilio.phone_numbers import PHONE_NUMBERS
from data.twilio.reading import KnownAccount
from tests.readings import KEYS, Twilio, read, reading, rows_of
from tests.servers import PARENT, TOKEN, page, refusal
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers


def number(sid, last, **terms):
    return {
        "sid": f"PN{last:032}",
        "account_sid": sid,
        "phone_number": f"+120255501{last:02}",
        "friendly_name": "Front desk",
        **terms,
    }


def answers(acme, beta=()):
    found = {ACME_SID: page("incoming_phone_numbers", acme)}
    found[BETA_SID] = page("incoming_phone_numbers", beta)
    return Twilio(found)


@pytest.fixture
def two(store):
    store.put(*customers())
    return store


def test_numbers_are_stored_for_whoever_owns_the_account(two):
    twilio = answers([number(ACME_SID, 1), number(ACME_SID, 2)], [number(BETA_SID, 3)])
    assert read(two, twilio, PHONE_NUMBERS) == [2, 1]
    assert rows_of(two, PhoneNumber, "customer_id", "account_sid", "number", "name") == [
        (ACME, ACME_SID, "+12025550101", "Front desk"),
        (ACME, ACME_SID, "+12025550102", "Front desk"),
        (BETA, BETA_SID, "+12025550103", "Front desk"),
    ]


def test_a_number_given_back_is_gone_and_the_other_customers_stay(two):
    read(two, answers([number(ACME_SID, 1)], [number(BETA_SID, 3)]), PHONE_NUMBERS)
    assert read(two, answers([]), PHONE_NUMBERS, ACME_SID) == [0]
    assert rows_of(two, PhoneNumber, "customer_id", "number") == [(BETA, "+12025550103")]


@pytest.mark.parametrize(
    "owner", [pytest.param(ACME, id="same customer"), pytest.param(BETA, id="another customer")]
)
def test_a_number_that_has_moved_to_another_account_is_there_only(two, owner):
    other = "AC" + "c" * 32
    two.put(account(owner, other))
    read(two, answers([number(ACME_SID, 1)]), PHONE_NUMBERS, ACME_SID)
    moved = Twilio({other: page("incoming_phone_numbers", [number(other, 1)])})
    assert read(two, moved, PHONE_NUMBERS, other) == [1]
    assert rows_of(two, PhoneNumber, "customer_id", "account_sid") == [(owner, other)]


def test_more_numbers_than_one_statement_takes_move_at_once(two):
    def held(sid):
        rows = [{**number(sid, 1), "sid": f"PN{n:032}"} for n in range(1, 1102)]
        return Twilio({sid: page("incoming_phone_numbers", rows)})

    assert read(two, held(BETA_SID), PHONE_NUMBERS, BETA_SID) == [1101]
    assert read(two, held(ACME_SID), PHONE_NUMBERS, ACME_SID) == [1101]
    assert set(rows_of(two, PhoneNumber, "customer_id")) == {(ACME,)}


@pytest.mark.parametrize(
    ("known", "terms", "user"),
    [
        pytest.param(KnownAccount(ACME_SID, ""), {}, (PARENT, TOKEN), id="the parent's token"),
        pytest.param(
            KnownAccount(ACME_SID, ""),
            {"keys": KEYS},
            ("SK" + "a" * 32, "acme-secret"),
            id="the account's key",
        ),
        pytest.param(
            KnownAccount(ACME_SID, "", "connected"), {}, (ACME_SID, TOKEN), id="a connected one"
        ),
    ],
)
def test_numbers_are_asked_for_with_what_opens_the_account(two, known, terms, user):
    twilio = answers([number(ACME_SID, 1)], [number(BETA_SID, 2)])
    with reading(two, twilio, **terms) as run:
        PHONE_NUMBERS.read(run, known)
    sent = twilio.asked[0].headers["Authorization"].split()[1]
    assert tuple(b64decode(sent).decode().split(":")) == user


@pytest.mark.parametrize("field", ["sid", "phone_number", "account_sid"])
def test_a_number_without_a_place_is_left_out(two, field):
    rows = [{**number(ACME_SID, 1), field: ""}, number(ACME_SID, 2, friendly_name=None)]
    assert read(two, answers(rows), PHONE_NUMBERS, ACME_SID) == [1]
    assert rows_of(two, PhoneNumber, "number", "name") == [("+12025550102", "")]


FAULTS = {
    "another account's number": page("incoming_phone_numbers", [number(BETA_SID, 1)]),
    "an account unknown": refusal(404),
    "refused credentials": refusal(401),
    "no list": page("numbers", []),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_listing_that_cannot_be_read_leaves_what_was(two, fault):
    read(two, answers([number(ACME_SID, 1)], [number(BETA_SID, 3)]), PHONE_NUMBERS)
    with pytest.raises((TwilioError, NotFound)):
        read(two, Twilio({"": fault}), PHONE_NUMBERS, ACME_SID)
    assert rows_of(two, PhoneNumber, "customer_id") == [(ACME,), (BETA,)]
