"""Twilio's signature, against its own library's: what is signed passes, anything else does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from data.twilio.signature import is_signed, signature

TOKEN, URL = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",  # pragma: allowlist secret
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
PUBLISHED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="  # for these, in Twilio's documentation


def test_the_published_example_is_signed_as_published():
    assert signature(TOKEN, URL, FORM.items()) == PUBLISHED
    assert is_signed(TOKEN, URL, FORM.items(), PUBLISHED)


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=6))
def test_any_form_is_signed_as_by_twilios_library(form):
    assert signature(TOKEN, URL, form.items()) == RequestValidator(TOKEN).compute_signature(
        URL, form
    )


WRONG = {
    "another token": ("54321", URL, FORM, PUBLISHED),
    "another address": (TOKEN, URL.replace("foo=1", "foo=2"), FORM, PUBLISHED),
    "another host": (TOKEN, URL.replace("mycompany", "theircompany"), FORM, PUBLISHED),
    "plain http": (TOKEN, URL.replace("https", "http"), FORM, PUBLISHED),
    "another port": (TOKEN, URL.replace(".com/", ".com:8443/"), FORM, PUBLISHED),
    "a field more": (TOKEN, URL, {**FORM, "x": ""}, PUBLISHED),
    "a field less": (TOKEN, URL, {}, PUBLISHED),
    "a changed field": (TOKEN, URL, {**FORM, "To": "+1"}, PUBLISHED),
    "no signature": (TOKEN, URL, FORM, ""),
    "a signature in letters that are none": (TOKEN, URL, FORM, "ü" * 28),
}


@pytest.mark.parametrize(("token", "url", "form", "signed"), WRONG.values(), ids=WRONG)
def test_anything_else_is_not_signed(token, url, form, signed):
    assert not is_signed(token, url, form.items(), signed)


@pytest.mark.parametrize(("signed", "asked"), [(":443", ""), ("", ":443"), (":443", ":443")])
def test_the_port_of_https_may_be_left_out(signed, asked):
    made = signature(TOKEN, URL.replace(".com/", f".com{signed}/"), FORM.items())
    assert is_signed(TOKEN, URL.replace(".com/", f".com{asked}/"), FORM.items(), made)


def test_of_a_key_given_twice_each_value_counts_once():
    twice = [("b", "2"), ("a", "2"), ("a", "1"), ("a", "2")]
    assert signature(TOKEN, URL, twice) == signature(
        TOKEN, URL, [("a", "1"), ("a", "2"), ("b", "2")]
    )
