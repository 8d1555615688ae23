"""Sign-in through two real identity providers at once: who enters, as whom, and who never does."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from data import identity
from data.identity import hashed
from tests.oidc import ADA, BEN, Site, make_site, people, real_provider, settings_of
from tests.stores import ACME, BETA


@pytest.fixture(scope="module")
def providers():
    with real_provider() as red, real_provider() as blue:
        yield {"red": red, "blue": blue}


@pytest.fixture
def red(providers, request):
    return providers["red"]


@pytest.fixture
def blue(providers):
    return providers["blue"]


@pytest.fixture
def site(sqlite_store, providers):
    return site_on(sqlite_store, providers)


@pytest.fixture
def either(store, providers):
    """A site on SQLite, and one on PostgreSQL, for what the database decides."""
    return site_on(store, providers)


def site_on(store, providers):
    people(store)
    issuers = {name: provider.issuer for name, provider in providers.items()}
    return make_site(store, oidc_providers=settings_of(**issuers))


def replica(site, now=None, **changes):
    """Another process of the same dashboard, on the same database."""
    settings = site.door.settings.model_copy(update=changes)
    return Site(replace(site.door, settings=settings, now=now or site.door.now))


@pytest.fixture
def subject(request):
    """No test sees the people of another."""
    return re.sub(r"\W+", "-", request.node.name)


def refused_as_unknown(site, answer):
    assert answer.status_code == 403
    assert "No dashboard for this account" in answer.text
    assert site.door.cookie not in answer.headers.get("set-cookie", "")
    assert site.sessions() == 0
    return answer


def ada(site):
    return identity.add_person(site.scope, ADA, "Ada")  # known already: her id


# Who enters


def test_a_verified_address_enters_as_the_person_who_was_waiting_for_it(either, red, blue, subject):
    red.put(subject, email="Ada@Acme.test", email_verified=True)
    blue.put(subject, email=BEN, email_verified=True)
    answer = red.sign_in(either, "red", subject)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert either.entered(answer).member.customer.id == ACME
    beta = blue.sign_in(either, "blue", subject)
    assert either.entered(beta).member.customer.id == BETA


def test_who_was_here_before_is_known_by_subject_whatever_the_address(either, red, subject):
    red.put(subject, email=ADA, email_verified=True)
    red.sign_in(either, "red", subject)
    red.put(subject, email=BEN, email_verified=True)  # now the address of somebody else
    answer = red.sign_in(either, "red", subject)
    assert either.entered(answer).member.email == ADA
    red.put(subject, email_verified=False)
    assert either.entered(red.sign_in(either, "red", subject)).member.email == ADA


def test_one_person_may_come_by_both_providers(either, red, blue, subject):
    for provider, name in ((red, "red"), (blue, "blue")):
        provider.put(f"{subject}-{name}", email=ADA, email_verified=True)
        answer = provider.sign_in(either, name, f"{subject}-{name}")
        assert either.entered(answer).member.email == ADA


def test_any_replica_takes_the_answer(either, red, subject):
    red.put(subject, email=ADA, email_verified=True)
    other = replica(either)
    asked = either.start("red", "?next=/usage")
    other.browser.cookies = either.browser.cookies
    answer = other.back("red", **red.authorize(asked, subject))
    assert answer.headers["location"] == "/usage"
    assert other.entered(answer).member.email == ADA


# Who does not


@pytest.mark.parametrize("said", [False, None, "True", "yes", 1, "1", ["true"]], ids=repr)
def test_an_address_that_is_not_verified_counts_for_nothing(either, red, subject, said):
    red.put(subject, email=ADA, email_verified=said)
    refused_as_unknown(either, red.sign_in(either, "red", subject))


def test_an_address_given_to_somebody_else_at_the_provider_opens_nothing(either, red, subject):
    red.put(f"{subject}-first", email=ADA, email_verified=True)
    first = red.sign_in(either, "red", f"{subject}-first")
    identity.revoke(either.scope, hashed(first.cookies[either.door.cookie]), either.door.now())
    red.put(f"{subject}-second", email=ADA, email_verified=True)
    refused_as_unknown(either, red.sign_in(either, "red", f"{subject}-second"))


def test_the_same_subject_at_another_provider_is_another_person(either, red, blue, subject):
    red.put(subject, email=ADA, email_verified=True)
    blue.put(subject, email="nobody@else.test", email_verified=True)
    first = red.sign_in(either, "red", subject)
    identity.revoke(either.scope, hashed(first.cookies[either.door.cookie]), either.door.now())
    refused_as_unknown(either, blue.sign_in(either, "blue", subject))


def test_the_disabled_see_what_strangers_see(either, red, subject):
    red.put(subject, email=ADA, email_verified=True)
    red.put(f"{subject}-stranger", email=ADA, email_verified=False)
    entered = red.sign_in(either, "red", subject)
    identity.disable_person(either.scope, ada(either), either.door.now())
    assert either.entered(entered) is None
    disabled = refused_as_unknown(either, red.sign_in(either, "red", subject))
    stranger = refused_as_unknown(either, red.sign_in(either, "red", f"{subject}-stranger"))
    assert disabled.text == stranger.text
    assert dict(disabled.headers) == dict(stranger.headers)


def test_the_disabled_cannot_come_back_by_another_provider(either, red, subject):
    identity.disable_person(either.scope, ada(either), either.door.now())
    red.put(subject, email=ADA, email_verified=True)
    refused_as_unknown(either, red.sign_in(either, "red", subject))


# What the way there and back says


def test_the_provider_is_asked_with_pkce_state_nonce_and_our_own_address(site):
    query = site.start("red").query
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == f"{site.door.settings.origin}/auth/oidc/red/callback"
    assert query["response_type"] == "code"
    assert query["scope"] == "openid email profile"
    assert "prompt" not in query
    other = site.start("red").query
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name]) >= 20
        assert query[name] != other[name]


def test_the_address_to_come_back_to_is_never_taken_from_the_request(site):
    answer = site.browser.get("/auth/oidc/red", headers={"host": "evil.test"})
    assert "evil.test" not in answer.headers["location"]


def test_a_provider_without_openid_in_its_scopes_is_asked_for_it_all_the_same(sqlite_store, red):
    given = settings_of(red=red.issuer)
    given["red"]["scopes"] = "email"
    query = make_site(sqlite_store, oidc_providers=given).start("red").query
    assert query["scope"] == "openid email"
    assert query["nonce"]


def test_another_account_is_asked_for_where_the_last_one_was_unknown(site, red, subject):
    red.put(subject, email="nobody@else.test", email_verified=True)
    page = red.sign_in(site, "red", subject).text
    assert 'href="/auth/oidc/red?another"' in page
    assert site.start("red", "?another").query["prompt"] == "select_account"


@pytest.mark.parametrize(
    ("asked", "lands"),
    [
        ("", "/"),
        ("?next=/usage", "/usage"),
        ("?next=https://evil.test/", "/"),
        ("?next=//evil.test", "/"),
        ("?next=/\\evil.test", "/"),
        ("?next=/usage%0d%0aset-cookie:a=b", "/"),
        ("?next=/auth/logout", "/"),
        ("?next=javascript:alert(1)", "/"),
    ],
)
def test_a_sign_in_leads_to_a_page_of_ours_or_to_the_first(site, red, subject, asked, lands):
    red.put(subject, email=ADA, email_verified=True)
    answer = red.sign_in(site, "red", subject, asked)
    assert answer.headers["location"] == lands


def test_pages_and_redirects_are_kept_by_nobody(site, red, subject):
    red.put(subject, email="nobody@else.test", email_verified=True)
    there = site.browser.get("/auth/oidc/red")
    back = site.back("red", **red.authorize(site.start("red"), subject))
    for answer in (there, back):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in back.headers["content-security-policy"]


def test_the_cookie_of_an_attempt_is_short_and_out_of_reach(site):
    site = replica(site, public_origin="https://usage.owl.test")
    there = site.browser.get("/auth/oidc/red").headers["set-cookie"]
    name, *terms = there.lower().split("; ")
    assert name.startswith("__host-dash_attempt=")
    assert set(terms) == {"httponly", "max-age=600", "path=/", "samesite=lax", "secure"}
    back = site.back("red", code="x", state="y").headers["set-cookie"]
    assert back.startswith('__Host-dash_attempt=""; HttpOnly; Max-Age=0')


def test_no_answer_counts_after_ten_minutes(either, red, subject):
    red.put(subject, email=ADA, email_verified=True)
    asked = either.start("red")
    moment = either.door.now() + timedelta(minutes=10)
    late = replica(either, now=lambda: moment)
    late.browser.cookies = either.browser.cookies
    assert late.back("red", **red.authorize(asked, subject)).status_code == 400
    assert either.sessions() == 0


# What goes wrong at the provider


def test_who_changes_their_mind_may_try_again_and_lands_where_they_wanted(site, red):
    asked = site.start("red", "?next=/usage")
    answer = site.back("red", **red.deny(asked), state=asked.state)
    assert answer.status_code == 400
    assert 'href="/sign-in?next=/usage"' in answer.text
    assert site.sessions() == 0


def test_a_provider_that_is_down_is_said_so(sqlite_store):
    site = make_site(sqlite_store, oidc_providers=settings_of(red="http://127.0.0.1:9"))
    answer = site.browser.get("/auth/oidc/red?next=/usage")
    assert answer.status_code == 503
    assert "Red does not answer" in answer.text
    assert 'href="/sign-in?next=/usage"' in answer.text
    assert "set-cookie" not in answer.headers


def test_there_are_no_addresses_but_those_of_the_settings(site):
    assert site.browser.get("/auth/oidc/green").status_code == 404
    assert site.browser.get("/auth/oidc/green/callback").status_code == 404
    assert site.browser.post("/auth/oidc/red").status_code == 405
