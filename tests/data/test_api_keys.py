"""API keys and the codes that they fetch: once, soon, for their own customers, from one origin."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from data import identity
from data.errors import AppError, Conflict, InputError, LinkRejected, NotFound, NotSignedIn
from data.identity import Asked, Role, hashed
from data.models import ApiKey, Customer, EmbedCode, LoginSession
from data.scope import reading, writing
from tests.stores import ACME, BETA, customers

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PORTAL = "https://portal.isv.test"


@pytest.fixture
def world(store):
    store.put(*customers())
    return store


def key_of(store, text, now=NOW):
    return identity.authenticate(store.app, text, now)


def asked(customer="acme", **terms):
    given = {"role": Role.VIEWER, "pages": None, "origin": PORTAL, **terms}
    return Asked(customer, **given)


def code_for(store, text, wanted=None, now=NOW):
    key = key_of(store, text, now)
    return identity.issue_code(store.app, key, wanted or asked(), now, origins=[PORTAL])


def enter(store, code, now=NOW, life=HOUR):
    return identity.enter_by_code(store.app, code, now, life=life)


def resolve(store, entered, now=NOW):
    return identity.resolve(store.app, hashed(entered.secret), now)


def test_only_the_hash_of_a_key_is_stored(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    with reading(world.app) as session:
        row = session.exec(select(ApiKey)).one()
    assert row.secret_hash == hashed(text)
    assert text.split("_", 2)[2] not in repr(row)


def test_a_key_is_itself_and_nothing_near_it_is(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    other = identity.create_key(world.app, "other", None, NOW)
    assert key_of(world, text).name == "portal"
    _, number, secret = text.split("_", 2)
    swapped = f"dash_{other.split('_')[1]}_{secret}"
    near = (
        *("", text[:-1], text + "x", text.upper(), f" {text}", text + "\n", swapped, secret),
        *(f"dash_{number}_", "dash_999_" + secret, f"dash_0{number}_{secret}"[:-1], "x" * 100_000),
        *("dash_１_" + secret, "\ud800", "dash_99999999999999999999_" + secret, "Bearer " + text),
    )
    answers = set()
    for wrong in near:
        with pytest.raises(NotSignedIn) as refused:
            key_of(world, wrong)
        answers.add(str(refused.value))
    assert len(answers) == 1


@settings(max_examples=40)
@given(text=st.text(max_size=600))
def test_no_text_is_a_key(world, text):
    with pytest.raises(NotSignedIn):
        key_of(world, text)


def test_a_rotated_key_works_on_for_a_while_beside_the_next(world):
    first = identity.create_key(world.app, "portal", [ACME], NOW)
    second = identity.rotate_key(world.app, "portal", NOW, overlap=HOUR)
    assert {key_of(world, text, NOW + HOUR - SECOND).name for text in (first, second)} == {"portal"}
    assert key_of(world, second, NOW + HOUR).customers == {ACME}
    with pytest.raises(NotSignedIn):
        key_of(world, first, NOW + HOUR)


def test_rotating_twice_does_not_lengthen_the_life_of_the_first(world):
    first = identity.create_key(world.app, "portal", None, NOW)
    identity.rotate_key(world.app, "portal", NOW, overlap=HOUR)
    identity.rotate_key(world.app, "portal", NOW + HOUR / 2, overlap=HOUR)
    with pytest.raises(NotSignedIn):
        key_of(world, first, NOW + HOUR)


def test_a_revoked_key_is_dead_and_so_are_its_codes_and_frames(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    beside = identity.create_key(world.app, "other", None, NOW)
    open_frame, other_frame = (enter(world, code_for(world, one)) for one in (text, beside))
    waiting = code_for(world, text)
    identity.revoke_key(world.app, "portal", NOW)
    assert resolve(world, open_frame) is None
    assert resolve(world, other_frame) is not None
    with pytest.raises(NotSignedIn):
        key_of(world, text)
    with pytest.raises(LinkRejected):
        enter(world, waiting)


def test_keys_are_listed_with_their_last_use_and_never_shown(world):
    text = identity.create_key(world.app, "portal", [ACME, BETA], NOW)
    key_of(world, text, NOW + HOUR)
    (listed,) = identity.api_keys(world.app)
    assert (listed.name, listed.customers, listed.last_used_at) == (
        *("portal", {ACME, BETA}),
        NOW + HOUR,
    )
    assert text not in repr(listed)


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda s: identity.create_key(s.app, "Portal!", None, NOW), InputError),
        (lambda s: identity.create_key(s.app, "portal", [], NOW), InputError),
        (lambda s: identity.create_key(s.app, "portal", [999], NOW), NotFound),
        (lambda s: identity.rotate_key(s.app, "nobody", NOW), NotFound),
        (lambda s: identity.revoke_key(s.app, "nobody", NOW), NotFound),
    ],
    ids=["no name", "no customer", "unknown customer", "rotate nothing", "revoke nothing"],
)
def test_a_key_that_makes_no_sense_is_refused(world, make, refusal):
    with pytest.raises(refusal):
        make(world)
    assert identity.api_keys(world.app) == ()


def test_a_name_has_one_live_key(world):
    identity.create_key(world.app, "portal", None, NOW)
    with pytest.raises(Conflict, match="rotate it"):
        identity.create_key(world.app, "portal", None, NOW)


def test_a_code_opens_a_session_of_its_customer_role_pages_and_origin(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    wanted = asked("beta", role=Role.MANAGER, pages=("usage",), visitor="user 42")
    found = resolve(world, enter(world, code_for(world, text, wanted)))
    assert (found.member.customer.id, found.member.role) == (BETA, Role.MANAGER)
    assert (found.pages, found.origin, found.door) == (("usage",), PORTAL, "embed")
    assert (found.member.name, found.member.person_id) == ("user 42", None)


def test_a_code_works_once_whoever_comes_first(world):
    code = code_for(world, identity.create_key(world.app, "portal", None, NOW))

    def trade(_):
        try:
            return enter(world, code)
        except LinkRejected:
            return None

    with ThreadPoolExecutor(8) as pool:
        entered = [one for one in pool.map(trade, range(8)) if one]
    assert len(entered) == 1


def test_every_code_that_does_not_work_gets_the_same_answer(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    used, old = code_for(world, text), code_for(world, text)
    enter(world, used)
    answers = set()
    for code, now in ((used, NOW), (old, NOW + timedelta(seconds=60)), ("forged", NOW), ("", NOW)):
        with pytest.raises(LinkRejected) as refused:
            enter(world, code, now)
        answers.add(str(refused.value))
    assert len(answers) == 1
    assert enter(world, code_for(world, text), NOW + timedelta(seconds=59))


def test_a_key_asks_for_its_own_customers_only_and_is_told_no_more(world):
    text = identity.create_key(world.app, "portal", [ACME], NOW)
    answers = set()
    for name in ("beta", "nobody", "", "101"):
        with pytest.raises(NotFound) as refused:
            code_for(world, text, asked(name))
        answers.add(str(refused.value))
    assert len(answers) == 1


def test_a_name_that_two_customers_answer_to_opens_neither(world):
    with writing(world.owner) as session:
        session.get(Customer, BETA).external_id = "acme"
    text = identity.create_key(world.app, "portal", None, NOW)
    with pytest.raises(NotFound):
        code_for(world, text)


@pytest.mark.parametrize(
    ("own", "origin", "allowed"),
    [
        (None, PORTAL, True),
        (None, "https://evil.test", False),
        (["https://acme.test"], "https://acme.test", True),
        (["https://acme.test"], PORTAL, False),
        ([], PORTAL, False),
    ],
    ids=["the deployment's", "a stranger's", "its own", "not its own", "nobody may"],
)
def test_a_customer_is_framed_by_whom_it_allows(world, own, origin, allowed):
    with writing(world.owner) as session:
        session.get(Customer, ACME).embed_origins = own
    text = identity.create_key(world.app, "portal", None, NOW)
    if allowed:
        assert code_for(world, text, asked(origin=origin))
        return
    with pytest.raises(InputError) as refused:
        code_for(world, text, asked(origin=origin))
    assert refused.value.params["field"] == "origin"


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_no_frame_is_for_staff(world, role):
    text = identity.create_key(world.app, "portal", None, NOW)
    with pytest.raises(AppError):
        code_for(world, text, asked(role=role))


def test_the_code_for_a_window_takes_the_place_of_the_frame(world):
    frame = enter(world, code_for(world, identity.create_key(world.app, "portal", None, NOW)))
    window = enter(world, frame.again)
    assert resolve(world, frame) is None
    assert resolve(world, window).origin == PORTAL
    assert window.again is None


def test_a_frame_ends_after_its_time(world):
    frame = enter(world, code_for(world, identity.create_key(world.app, "portal", None, NOW)))
    assert resolve(world, frame, NOW + HOUR - SECOND)
    assert resolve(world, frame, NOW + HOUR) is None


def test_only_hashes_of_codes_and_cookies_are_stored(world):
    code = code_for(world, identity.create_key(world.app, "portal", None, NOW))
    frame = enter(world, code)
    with reading(world.app) as session:
        rows = [*session.exec(select(EmbedCode)), *session.exec(select(LoginSession))]
    kept = " ".join(repr(row.model_dump()) for row in rows)
    assert not any(secret in kept for secret in (code, frame.secret, frame.again))


def test_of_many_who_make_a_key_of_one_name_one_does(world):
    def make(_):
        try:
            return identity.create_key(world.app, "portal", None, NOW)
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(make, range(8)) if one]
    assert len(made) == 1
    assert [key.is_live(NOW) for key in identity.api_keys(world.app)] == [True]


def test_a_frame_that_was_ended_does_not_come_back_by_its_second_code(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    frame, other = enter(world, code_for(world, text)), enter(world, code_for(world, text))
    identity.revoke(world.app, hashed(frame.secret), NOW)
    with pytest.raises(LinkRejected):
        enter(world, frame.again)
    assert enter(world, other.again)


def test_signing_everybody_out_takes_waiting_codes_along(world):
    text = identity.create_key(world.app, "portal", None, NOW)
    frame, waiting = enter(world, code_for(world, text)), code_for(world, text)
    assert identity.revoke_all(world.app, NOW, actor="Ada") == 1
    assert resolve(world, frame) is None
    for code in (waiting, frame.again):
        with pytest.raises(LinkRejected):
            enter(world, code)
