"""Answers to a sign-in that never was, was another's, or was used; providers that misbehave."""

import gzip
import json

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from dashboard.oidc_client import LARGEST_ANSWER
from tests.oidc import (
    ADA,
    CLIENT_SECRET,
    OWN,
    assert_refused,
    hostile_provider,
    hostile_site,
    rsa_key,
    signed,
)

SHARED = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}


@pytest.fixture(scope="module")
def server():
    with hostile_provider() as hostile:
        yield hostile


@pytest.fixture
def hostile(server):
    return server.honest_again()


@pytest.fixture
def site(sqlite_store, hostile):
    return hostile_site(sqlite_store, hostile)


@pytest.fixture
def either(store, hostile):
    """A site on SQLite, and one on PostgreSQL, for what the database decides."""
    return hostile_site(store, hostile)


# States


def test_an_answer_counts_once(either, hostile):
    hostile.sign_in(either)
    state = hostile.asked.state
    kept = either.browser.cookies
    again = either.another_browser()
    again.cookies = kept
    assert either.back("hostile", code="code", state=state, browser=again).status_code == 400
    assert either.sessions() == 1


def test_the_cookie_of_a_used_attempt_is_worth_nothing(either, hostile):
    hostile.asked = either.start("hostile")
    stolen = dict(either.browser.cookies)
    answers = [
        either.another_browser().get(
            "/auth/oidc/hostile/callback",
            params={"code": "code", "state": hostile.asked.state},
            headers={"cookie": f"dash_attempt={stolen['dash_attempt']}"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 400]
    assert either.sessions() == 1


STATES = {
    "none": lambda state: {"code": "code"},
    "empty": lambda state: {"code": "code", "state": ""},
    "tampered with": lambda state: {"code": "code", "state": state[:-1] + "~"},
    "cut off": lambda state: {"code": "code", "state": state[:-1]},
    "huge": lambda state: {"code": "code", "state": state * 500},
    "unicode": lambda state: {"code": "code", "state": "\u202e☃"},
    "an error under another state": lambda state: {"error": "access_denied", "state": "x"},
    "of another provider's answer": lambda state: {
        "code": "code",
        "state": state,
        "iss": "https://evil.test",
    },
    "with an empty issuer": lambda state: {"code": "code", "state": state, "iss": ""},
}


@pytest.mark.parametrize("query", STATES.values(), ids=STATES)
def test_no_answer_but_the_one_to_this_attempt_counts(site, hostile, query):
    hostile.asked = site.start("hostile")
    assert_refused(site, site.back("hostile", **query(hostile.asked.state)))
    assert hostile.token_requests == []


def test_an_answer_in_another_browser_counts_for_nothing(either, hostile):
    hostile.asked = either.start("hostile")
    other = either.another_browser()
    query = {"code": "code", "state": hostile.asked.state}
    assert_refused(either, either.back("hostile", browser=other, **query))
    either.start("hostile", browser=other)  # nor with an attempt of its own
    assert_refused(either, either.back("hostile", browser=other, **query))
    assert either.back("hostile", **query).status_code == 303


def test_an_answer_at_the_address_of_another_provider_counts_for_nothing(either, hostile):
    hostile.asked = either.start("hostile")
    assert_refused(either, either.back("other", code="code", state=hostile.asked.state))
    assert hostile.token_requests == []


def test_a_provider_that_names_itself_must_do_so(site, hostile):
    hostile.document = {"authorization_response_iss_parameter_supported": True}
    assert_refused(site, hostile.sign_in(site))
    assert hostile.sign_in(site, iss=hostile.issuer).status_code == 303


# What a provider answers


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"error": "invalid_grant", "error_description": "code used"}, 400),
        JSONResponse({"error": "invalid_client"}, 401),
        JSONResponse([]),
        PlainTextResponse("<html>"),
    ],
    ids=["code used", "client refused", "a list", "a page"],
)
def test_an_answer_without_a_token_is_refused_as_a_forgery_is(site, hostile, answer):
    hostile.answer = answer
    assert_refused(site, hostile.sign_in(site))


def test_an_honest_answer_that_is_compressed_is_refused(site, hostile):
    """A thousandth of it would pass for small."""
    hostile.asked = site.start("hostile")
    token = {"access_token": "access", "id_token": signed(OWN, hostile.claims())}
    packed = gzip.compress(json.dumps(token).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    hostile.answer = Response(packed, headers=headers)
    assert_refused(site, site.back("hostile", code="code", state=hostile.asked.state))


@pytest.mark.parametrize(
    "trouble",
    [PlainTextResponse("later", 503), RedirectResponse("https://evil.test/token")],
    ids=["out of order", "elsewhere"],
)
def test_a_provider_in_trouble_is_said_so_and_the_page_is_kept(site, hostile, trouble):
    hostile.answer = trouble
    hostile.asked = site.start("hostile", "?next=/usage")
    answer = site.back("hostile", code="code", state=hostile.asked.state)
    assert answer.status_code == 503
    assert "Hostile does not answer" in answer.text
    assert 'href="/sign-in?next=/usage"' in answer.text
    assert site.sessions() == 0


def test_a_provider_that_is_too_slow_is_not_waited_for(site, hostile, monkeypatch):
    browser = site.browser  # whose HTTP client waits ten seconds for every single piece
    monkeypatch.setattr("dashboard.oidc_client.SECONDS", 0.0)
    assert browser.get("/auth/oidc/hostile").status_code == 503


DOCUMENTS = {
    "of another issuer": {"issuer": "https://evil.test"},
    "of no issuer": {"issuer": None},
    "without an address": {"token_endpoint": None},
    "too large": {"claims_supported": "c" * LARGEST_ANSWER},
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_not_the_issuers_begins_nothing(site, hostile, document):
    hostile.document = document
    answer = site.browser.get("/auth/oidc/hostile?next=/usage")
    assert 'href="/sign-in?next=/usage"' in answer.text
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers


def test_a_document_decides_nothing_but_addresses(site, hostile):
    """Authlib would hand these on to its HTTP client, or to the flow."""
    connection = {"proxy": "http://127.0.0.1:9", "verify": False, "timeout": None, "base_url": "x"}
    flow = {"code_challenge_method": None, "scope": "email", "jwks": {"keys": [SHARED]}}
    hostile.document = connection | flow
    answer = hostile.sign_in(site)
    assert hostile.asked.query["code_challenge_method"] == "S256"
    assert hostile.asked.query["scope"] == "openid email profile"
    assert site.entered(answer).member.email == ADA


def test_neither_codes_nor_tokens_nor_secrets_reach_the_log(site, hostile, capfd, caplog):
    caplog.set_level("INFO")
    kept = []
    hostile.token = lambda own, claims: kept.append(signed(rsa_key(), claims)) or kept[-1]
    hostile.asked = site.start("hostile")
    site.back("hostile", code="the-code-itself", state=hostile.asked.state)
    hostile.token = lambda own, claims: kept.append(signed(OWN, claims)) or kept[-1]
    hostile.sign_in(site)
    ours = [line for line in caplog.messages if site.door.settings.origin not in line]
    said = "".join((*capfd.readouterr(), *ours))
    assert "sign-in refused" in said
    for secret in (*kept, "the-code-itself", hostile.asked.state, CLIENT_SECRET):
        assert secret not in said
