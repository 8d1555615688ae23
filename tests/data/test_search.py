"""Customers are found by whatever a caller gives, exact hits first, slips of the pen forgiven."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import Account, Customer, Membership, Person, PhoneNumber
from data.search import Closeness, Field, digits_of, folded, found, indexed
from data.search_index import search_index
from data.search_index import search_version as version_of
from tests.stores import ACME, ACME_SID, BETA, BETA_SID, account, customers

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def put_all(store) -> None:
    store.put(*customers())
    store.put(
        Customer(id=103, slug="baeckerei-oelmann", name="Bäckerei Ölmann", external_id="OWL-103"),
        PhoneNumber(
            customer_id=BETA, sid="PN1", account_sid=BETA_SID, number="+14155550123", name=""
        ),
        Person(id=7, email="zoe@elsewhere.test", name="Zoe Zimmer"),
        Membership(person_id=7, customer_id=ACME, role="manager"),
    )


def hits(store, text):
    return [(one.slug, one.field, one.closeness) for one in found(search_index(store.app), text)]


EXACT, BEGINS, PART = Closeness.EXACT, Closeness.BEGINS, Closeness.PART
WAYS = {
    "a name in any case": ("ACME", "acme", Field.NAME, EXACT),
    "a part of a name, without its accents": ("olman", "baeckerei-oelmann", Field.NAME, None),
    "a slug": ("baeckerei-oelm", "baeckerei-oelmann", Field.SLUG, BEGINS),
    "an external id": ("owl-103", "baeckerei-oelmann", Field.EXTERNAL_ID, EXACT),
    "an account": (BETA_SID, "beta", Field.ACCOUNT, EXACT),
    "the end of an account": ("b" * 12, "beta", Field.ACCOUNT, PART),
    "a number as it is written": ("+1 (415) 555-0123", "beta", Field.PHONE, EXACT),
    "a number as it is dialled": ("0415 555 0123", "beta", Field.PHONE, PART),
    "the customer's e-mail": ("OFFICE@beta.test", "beta", Field.EMAIL, EXACT),
    "a person's e-mail": ("zoe@elsewhere.test", "acme", Field.PERSON_EMAIL, EXACT),
    "a person": ("zimmer", "acme", Field.PERSON, None),
    "a name with a letter swapped": ("Amce", "acme", Field.NAME, Closeness.ALIKE),
    "a name with two slips": ("Bakerei Olmannn", "baeckerei-oelmann", Field.NAME, None),
    "an account with a letter wrong": (BETA_SID[:-1] + "c", "beta", Field.ACCOUNT, None),
    "a number with a digit wrong": ("+1 415 555 0124", "beta", Field.PHONE, Closeness.ALIKE),
}


@pytest.mark.parametrize(("text", "slug", "field", "how"), WAYS.values(), ids=WAYS)
def test_a_customer_is_found_by(store, text, slug, field, how):
    put_all(store)
    first = hits(store, text)[0]
    assert first[:2] == (slug, field)
    assert how is None or first[2] is how


@pytest.mark.parametrize("text", ["zzzzzzzz", "OWL-99999", "+44 20 7946 0000", "%", "__"])
def test_nothing_is_found_for_what_is_nobodys(store, text):
    put_all(store)
    assert hits(store, text) == []


def test_everybody_is_listed_by_name_for_no_text(store):
    put_all(store)
    assert [slug for slug, *_ in hits(store, " ")] == ["acme", "baeckerei-oelmann", "beta"]


def test_customers_of_accounts_without_an_owner_are_found_only_with_one(store):
    put_all(store)
    store.put(Customer(id=1, slug="unassigned", name="Unassigned"))
    assert hits(store, "unassigned") == []
    store.put(account(1, "AC" + "f" * 32))
    [one] = found(search_index(store.app), "AC" + "f" * 32)
    assert one.waiting


def test_exact_hits_come_before_beginnings_and_those_before_parts():
    names = {
        n: (f"c{n}", name, False) for n, name in enumerate(("Old Oak", "Oakley", "Oak", "Soak"))
    }
    index = indexed(names, [(n, Field.NAME, name) for n, (_, name, _w) in names.items()])
    assert [one.name for one in found(index, "oak")] == ["Oak", "Oakley", "Old Oak", "Soak"]


def test_another_number_changes_the_version(store):
    put_all(store)
    before = version_of(store.app)
    store.put(PhoneNumber(customer_id=ACME, sid="PN2", account_sid=ACME_SID, number="+15", name=""))
    assert version_of(store.app) != before


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=12)


@given(st.lists(WORDS, min_size=2, max_size=6, unique=True), st.data())
def test_two_neighbours_swapped_are_always_forgiven(words, data):
    names = {n: (word, word, False) for n, word in enumerate(words)}
    index = indexed(names, [(n, Field.NAME, word) for n, word in enumerate(words)])
    which = data.draw(st.integers(0, len(words) - 1))
    at = data.draw(st.integers(0, len(words[which]) - 2))
    word = words[which]
    misspelt = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert which in {one.customer_id for one in found(index, misspelt)} or any(
        misspelt in other for other in words
    )


@pytest.mark.parametrize(
    ("text", "digits"),
    [("+1 (415) 555", "1415555"), ("030 1234", "301234"), ("OWL-1001", ""), ("123", "")],
)
def test_only_what_may_be_a_number_has_digits(text, digits):
    assert digits_of(text) == digits


def test_folding_forgets_case_accents_and_punctuation():
    assert folded("Bäckerei  ÖLMANN-Süd & Co_7") == "backerei olmann sud co 7"


def test_an_account_table_row_is_enough(store):
    """A name that Twilio gave the account is a name to search by."""
    put_all(store)
    store.put(Account(customer_id=ACME, sid="AC1", starts_on=NOW.date(), name="Night shift"))
    assert hits(store, "night shift")[0][:2] == ("acme", Field.ACCOUNT_NAME)
