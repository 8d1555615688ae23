"""A provider that signs anything: forged tokens and states are refused alike, good ones enter.

Each forgery stands beside the honest token it differs from in one thing, so that it is that one
thing which is refused.
"""

import hmac
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dashboard.oidc_client import LARGEST_ANSWER, LONGEST_TOKEN, Refused, claims_of
from data.identity import Claims
from tests.oidc import (
    ADA,
    BEN,
    CLIENT,
    CLIENT_SECRET,
    NOW,
    OWN,
    assert_refused,
    hostile_provider,
    hostile_site,
    make_site,
    part,
    people,
    rsa_key,
    settings_of,
    signed,
)
from tests.stores import ACME

SECOND = int(NOW.timestamp())
OTHER = rsa_key()
PUBLIC, SECRET = OWN.as_pem(private=False), CLIENT_SECRET.encode()
CURVE = ECKey.generate_key("P-256", parameters={"kid": "curve"})
BESIDE = CURVE.as_dict(private=False)
EDWARDS = OKPKey.generate_key("Ed25519", parameters={"kid": "edwards"})
SHARED = {"kty": "oct", "kid": "shared", "k": part(SECRET)}


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


def with_claims(**changes):
    return lambda own, _: signed(OWN, own.claims(**changes))


def with_header(key=OWN, **header):
    return lambda _, claims: signed(key, claims, **header)


def with_text(text):
    return lambda *_: text


def tampered(_, claims):
    head, _payload, signature = signed(OWN, claims).split(".")
    return f"{head}.{part(claims | {'email': BEN, 'sub': 'another'})}.{signature}"


def unsigned(alg, signature=""):
    return lambda _, claims: f"{part({'alg': alg, 'kid': 'key-1'})}.{part(claims)}.{signature}"


def with_hmac(key, kid="key-1"):
    """By hand: no library helps with that."""

    def forge(_, claims):
        text = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
        return f"{text}.{part(hmac.digest(key, text.encode(), 'sha256'))}"

    return forge


def encrypted(_, claims):
    key = RSAKey.import_key({**OWN.as_dict(private=False), "use": "enc"})
    head = {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "key-1"}
    return jwe.encrypt_compact(head, json.dumps(claims).encode(), key)


FORGERIES = {
    "payload tampered with": tampered,
    "signed with another key under the same name": with_header(OTHER),
    "signed with an unknown key": with_header(OTHER, kid="unknown"),
    "naming a key that nobody has": with_header(kid="unknown"),
    "signature cut off": lambda _, claims: signed(OWN, claims).rpartition(".")[0] + ".",
    "algorithm none": unsigned("none"),
    "algorithm None": unsigned("None"),
    "algorithm none, with a signature": unsigned("none", "c2lnbmF0dXJl"),
    "algorithm unknown": unsigned("XS256", "c2lnbmF0dXJl"),
    "HS256 with the public key": with_hmac(PUBLIC),
    "HS256 with the client's secret": with_hmac(SECRET),
    "HS256 with a shared key that the provider publishes": with_hmac(SECRET, kid="shared"),
    "PS512, which we do not take": with_header(alg="PS512"),
    "key beside the token": with_header(CURVE, alg="ES256", jwk=BESIDE),
    "key beside the token, and no name": with_header(CURVE, alg="ES256", kid=None, jwk=BESIDE),
    "address of a key beside the token": with_header(OTHER, jku="https://evil.test/keys"),
    "own key by both": with_header(
        CURVE, alg="ES256", kid="curve", jwk=BESIDE, jku="https://evil.test/keys"
    ),
    "expired": with_claims(iat=SECOND - 900, exp=SECOND - 61),
    "never expiring": with_claims(exp=None),
    "expiring in words": with_claims(exp="tomorrow"),
    "expiring at not-a-number": with_claims(exp=float("nan")),
    "issued tomorrow": with_claims(iat=SECOND + 86_400, exp=SECOND + 90_000),
    "issued never": with_claims(iat=None),
    "not yet valid": with_claims(nbf=SECOND + 3600),
    "for another client": with_claims(aud="another-client"),
    "for another client, in our name": with_claims(aud="another-client", azp=CLIENT),
    "for nobody": with_claims(aud=None),
    "for an empty list": with_claims(aud=[]),
    "for several, given to another": with_claims(aud=[CLIENT, "other"], azp="other"),
    "for several, given to nobody": with_claims(aud=[CLIENT, "other"]),
    "for an object": with_claims(aud={CLIENT: True}),
    "given to another client": with_claims(azp="another-client"),
    "of another issuer": with_claims(iss="https://evil.test"),
    "of the issuer with a slash": lambda own, _: signed(OWN, own.claims(iss=f"{own.issuer}/")),
    "of no issuer": with_claims(iss=None),
    "of a list of issuers": lambda own, _: signed(OWN, own.claims(iss=[own.issuer])),
    "without a nonce": with_claims(nonce=None),
    "with an empty nonce": with_claims(nonce=""),
    "with the nonce of another attempt": with_claims(nonce="x" * 20),
    "for another access token": with_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "without a subject": with_claims(sub=None),
    "with an empty subject": with_claims(sub=""),
    "with a number for a subject": with_claims(sub=7),
    "with a list of subjects": with_claims(sub=["subject-of-ada"]),
    "with a huge subject": with_claims(sub="s" * 256),
    "with a subject beyond ASCII": with_claims(sub="subject-of-\u0430da"),
    "with a null byte in the subject": with_claims(sub="subject-of-ada\x00"),
    "with a line break in the subject": with_claims(sub="subject-of-ada\n"),
    "with a lone surrogate": with_claims(sub="\ud800"),
    "huge, by a claim": with_claims(groups="g" * LONGEST_TOKEN),
    "huge, by its text": with_text("e" * 100_000),
    "larger than an answer may be": with_text("e" * (LARGEST_ANSWER + 1)),
    "not a JWT": with_text("token"),
    "empty": with_text(""),
    "dots": with_text(".."),
    "not there": with_text(None),
    "a number": with_text(7),
    "an object": with_text({"sub": "subject-of-ada"}),
    "unicode": with_text("éàü.\u202e.☃"),
    "an array for a payload": lambda *_: signed(OWN, ["subject-of-ada"]),
    "a text for a payload": lambda *_: signed(OWN, "subject-of-ada"),
    "no JSON for a payload": lambda *_: signed(OWN, b"\xff\xfe"),
    "deep JSON for a payload": lambda *_: signed(OWN, b"[" * 9_000),
    "a header that is a list": lambda _, claims: f"{part(['RS256'])}.{part(claims)}.c2ln",
    "a header that asks for more": with_header(crit=["exp"]),
    "encrypted": encrypted,
}


def test_the_honest_token_enters(either, hostile):
    answer = hostile.sign_in(either)
    assert answer.status_code == 303
    assert either.entered(answer).member.customer.id == ACME
    assert either.sessions() == 1


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_no_forgery_enters_and_all_are_answered_alike(site, hostile, forge):
    hostile.published = [SHARED]
    hostile.document = {"id_token_signing_alg_values_supported": ["none", "HS256", "RS256"]}
    hostile.token = forge
    assert_refused(site, hostile.sign_in(site))


HONEST = {
    "an audience in a list": with_claims(aud=[CLIENT]),
    "several audiences, given to us": with_claims(aud=[CLIENT, "other"], azp=CLIENT),
    "a clock that is a little late": with_claims(iat=SECOND - 400, exp=SECOND - 30),
    "a clock that is a little early": with_claims(iat=SECOND + 30, nbf=SECOND + 30),
    "an elliptic curve": with_header(CURVE, alg="ES256", kid="curve"),
    "an Edwards curve": with_header(EDWARDS, alg="EdDSA", kid="edwards"),
    "a longer hash": with_header(alg="RS512"),
    "key and address beside it, though signed as it must be": with_header(
        jwk=BESIDE, jku="https://evil.test/keys"
    ),
    "verified, as text": with_claims(email_verified="true"),
    "letters of both sizes": with_claims(email="Ada@Acme.TEST"),
    "many groups": with_claims(groups=[f"group-{n:04}" for n in range(600)]),
}


@pytest.mark.parametrize("make", HONEST.values(), ids=HONEST)
def test_what_the_standard_allows_enters(site, hostile, make):
    hostile.published = [one.as_dict(private=False) for one in (CURVE, EDWARDS)]
    hostile.token = make
    assert site.entered(hostile.sign_in(site)).member.email == ADA


def test_a_token_that_entered_once_enters_no_second_time(either, hostile):
    kept = []
    hostile.token = lambda own, claims: kept.append(signed(OWN, claims)) or kept[0]
    assert hostile.sign_in(either).status_code == 303
    again = hostile.sign_in(either, browser=either.another_browser())
    assert again.status_code == 400
    assert either.sessions() == 1


def test_a_key_made_since_is_looked_up(site, hostile):
    assert hostile.sign_in(site).status_code == 303
    hostile.key = rsa_key("key-2")
    hostile.token = lambda own, claims: signed(own.key, claims, kid="key-2")
    assert hostile.sign_in(site).status_code == 303


def test_a_key_withdrawn_counts_an_hour_longer_at_most(sqlite_store, hostile):
    moment = [NOW]
    people(sqlite_store)
    site = make_site(
        sqlite_store, now=lambda: moment[0], oidc_providers=settings_of(hostile=hostile.issuer)
    )
    hostile.token = lambda own, _: signed(OWN, own.claims(exp=SECOND + 86_400))
    assert hostile.sign_in(site).status_code == 303
    hostile.sign_in(site)
    assert hostile.reads == 1
    hostile.key, moment[0] = OTHER, NOW + timedelta(hours=1)
    assert hostile.sign_in(site).status_code == 400
    assert hostile.reads == 2


# Addresses


@pytest.mark.parametrize(
    "email",
    [
        *("", None, 7, [ADA], "a" * 5_000 + "@acme.test", f" {ADA}", f"{ADA}\n", f"{ADA}\x00"),
        *("ad\u0430@acme.test", "ada@\u212acme.test", "\u0130@acme.test", f"{ADA}\u200b"),
    ],
    ids=ascii,
)
def test_a_strange_address_finds_nobody(site, hostile, email):
    hostile.token = with_claims(sub="a-stranger", email=email)
    answer = hostile.sign_in(site)
    assert answer.status_code == 403
    assert site.sessions() == 0


def test_letters_that_only_look_the_same_in_lower_case_are_another_address():
    """The Kelvin sign becomes a k: "Kim" with it would be let in as Kim."""
    said = {"sub": "s", "email": "\u212aim@acme.test", "email_verified": True}
    assert "\u212aim@acme.test".lower() == "kim@acme.test"
    assert claims_of("https://id.test", said) == Claims("https://id.test", "s")


@pytest.mark.parametrize(
    ("issuer", "said", "verified"),
    [
        ("https://login.microsoftonline.com/1/v2.0", {"xms_edov": True}, True),
        ("https://login.microsoftonline.com/1/v2.0", {"xms_edov": "1"}, True),
        ("https://login.microsoftonline.com/1/v2.0", {"xms_edov": False}, False),
        ("https://login.microsoftonline.com/1/v2.0", {"xms_edov": "0"}, False),
        ("https://login.microsoftonline.com/1/v2.0", {}, False),
        (
            "https://login.microsoftonline.com/1/v2.0",
            {"xms_edov": True, "email_verified": False},
            False,
        ),
        ("https://login.microsoftonline.com.evil.test/", {"xms_edov": True}, False),
        ("https://id.test", {"xms_edov": True}, False),
    ],
)
def test_microsoft_has_a_word_of_its_own_for_verified(issuer, said, verified):
    found = claims_of(issuer, {"sub": "s", "email": ADA, **said})
    assert found == Claims(issuer, "s", ADA, verified)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {"sub": st.text(min_size=1) | st.just("s")},
        optional={"email": ANYTHING | st.just(ADA), "email_verified": ANYTHING},
    )
)
def test_whatever_is_claimed_only_true_makes_an_address_count(said):
    try:
        found = claims_of("https://id.test", said)
    except Refused:
        assert not (said["sub"].isascii() and said["sub"].isprintable() and len(said["sub"]) < 256)
        return
    assert (found.issuer, found.subject) == ("https://id.test", said["sub"])
    assert found.email in ("", said.get("email"))
    assert found.email.isascii()
    assert not found.email_verified or said["email_verified"] in (True, "true")
