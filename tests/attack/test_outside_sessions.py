"""Stolen, dead and planted cookies; links and codes used again, by somebody else, or made up.

Whatever is not good is refused in the very words in which nonsense is refused.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from data import identity
from data.connect import Asker, begin
from data.identity import Role, hashed
from tests.attack.concurrent import marks_in
from tests.attack.outside import (
    EVERYBODY,
    FRAME,
    HOUR,
    METRICS_TOKEN,
    NOBODY,
    SESSION,
    Outside,
    download_of,
    operation,
)
from tests.streamlit_client import connect

# Stolen cookies


def revoked(outside: Outside) -> str:
    secret = outside.secret("viewer")
    identity.revoke(outside.store.app, hashed(secret), datetime.now(UTC))
    return f"{SESSION}={secret}"


def session_of(outside: Outside, member: int, **terms: timedelta) -> str:
    now = datetime.now(UTC) - 2 * HOUR
    return identity.open_session(
        outside.store.app, member, "link", now, **{"life": 9 * HOUR, **terms}
    )


def expired(outside: Outside) -> str:
    return f"{SESSION}={session_of(outside, outside.members['viewer'], life=HOUR)}"


def idle(outside: Outside) -> str:
    return f"{SESSION}={session_of(outside, outside.members['viewer'], idle=HOUR)}"


def disabled(outside: Outside) -> str:
    app = outside.store.app
    person = identity.add_person(app, f"{datetime.now(UTC).timestamp()}@people.test", "Gone")
    member = identity.add_membership(app, person, Role.VIEWER, outside.mine.id)
    secret = session_of(outside, member)
    identity.disable_person(app, person, datetime.now(UTC), actor="test")
    return f"{SESSION}={secret}"


def without_role(outside: Outside) -> str:
    app = outside.store.app
    person = identity.add_person(app, f"{datetime.now(UTC).timestamp()}@people.test", "Was")
    member = identity.add_membership(app, person, Role.MANAGER, outside.mine.id)
    secret = session_of(outside, member)
    identity.remove_membership(app, member, datetime.now(UTC), actor="test")
    return f"{SESSION}={secret}"


def of_a_revoked_key(outside: Outside) -> str:
    app, now = outside.store.app, datetime.now(UTC)
    text = identity.create_key(app, f"gone-{int(now.timestamp() * 1000)}", None, now)
    key = identity.authenticate(app, text, now)
    asked = identity.Asked(outside.mine.words[0], Role.VIEWER, None, "https://a.test")
    code = identity.issue_code(app, key, asked, now, origins=("https://a.test",))
    secret = identity.enter_by_code(app, code, now, life=HOUR).secret
    identity.revoke_key(app, key.name, now)
    return f"{FRAME}={secret}"


DEAD: dict[str, Callable[[Outside], str]] = {
    "revoked": revoked,
    "too old": expired,
    "idle for too long": idle,
    "of somebody disabled": disabled,
    "of a role taken away": without_role,
    "of a frame whose key is revoked": of_a_revoked_key,
    "the hash of a live one": lambda outside: f"{SESSION}={hashed(outside.secret('viewer'))}",
    "never ours": lambda _: f"{SESSION}={'A' * 43}",
}


@pytest.mark.parametrize("steal", DEAD.values(), ids=DEAD)
def test_a_dead_cookie_opens_what_none_opens(outside, steal):
    cookie = steal(outside)
    with connect(outside.base, cookie) as page:
        assert page.closed_with() == 1012
        assert [frame.WhichOneof("type") for frame in page.frames] == ["auth_redirect"]
    for method, path in (("GET", "/connect/callback"), ("POST", "/connect/start")):
        answer, plain = outside.ask(method, path, cookie), outside.ask(method, path)
        assert (answer.status, answer.without()) == (401, plain.without())
    assert outside.ask("GET", "/usage", cookie).status == 303


def test_without_a_cookie_or_from_elsewhere_no_socket_is_opened(outside):
    with connect(outside.base, outside.cookie(NOBODY)) as page:
        assert page.closed_with() == 1012
        assert marks_in(b"".join(page.raw)) == set()
    for origin in (None, "null", "http://evil.test"):
        refused = connect(outside.base, outside.cookie("viewer"), origin=origin)
        with pytest.raises(InvalidStatus), refused:
            pass


def test_who_is_shut_out_amid_a_page_gets_nothing_more(outside):
    secret = outside.secret("viewer")
    with connect(outside.base, f"{SESSION}={secret}") as page:
        page.rerun("usage")
        file = download_of(page)
        identity.revoke(outside.store.app, hashed(secret), datetime.now(UTC))
        try:
            asked = operation(page, "deferred_file", file_id=file)
            page.connection.send(asked.SerializeToString())
            page.rerun("usage")
        except ConnectionClosed:
            pass
        assert not marks_in(b"".join(page.raw)) & {*outside.mine.counts.values()}
        assert b"/media/" not in b"".join(page.raw)


# Links and codes

FORM = ("Content-Type", "application/x-www-form-urlencoded")


def by_link(outside: Outside, secret: str, who: str = NOBODY):
    body = f"token={secret}".encode()
    return outside.ask("POST", "/auth/link", outside.cookie(who), FORM, body=body)


def given(answer) -> str:
    """The cookie that an answer sets."""
    kept = [value for name, value in answer.headers if name == "set-cookie"]
    return next(one.split(";")[0] for one in kept if "Max-Age=0" not in one)


def test_the_cookie_of_a_sign_in_is_never_one_that_was_there_before(outside):
    """Whoever has planted a cookie, dead or alive, has nothing of the session that follows."""
    planted = outside.secret("another customer's viewer")
    for before in (f"{SESSION}={planted}", f"{SESSION}=planted"):
        body = f"token={outside.link()}".encode()
        answer = outside.ask("POST", "/auth/link", before, FORM, body=body)
        assert answer.status == 303
        assert given(answer) not in (before, "")
        assert outside.ask("GET", "/usage", before).status == 303
        assert outside.ask("GET", "/usage", given(answer)).status == 200


def used_link(outside: Outside) -> str:
    link = outside.link()
    assert by_link(outside, link).status == 303
    return link


def old_link(outside: Outside) -> str:
    app, person = outside.store.app, identity.members(outside.store.app)[0].person_id
    return identity.create_link(app, person, datetime.now(UTC) - 25 * HOUR)


LINKS: dict[str, Callable[[Outside], str]] = {
    "used": used_link,
    "too old": old_link,
    "a session's secret": partial(Outside.secret, who="viewer"),
    "a frame's code": Outside.code,
    "its own hash": lambda outside: hashed(outside.link()),
    "cut": lambda outside: outside.link()[:-1],
    "with a space": lambda outside: f"{outside.link()}+",
    "nothing": lambda _: "",
    "NUL": lambda _: "%00",
    "a field too many": lambda outside: f"x&token={outside.link()}&token=y",
    "long": lambda _: "x" * 10_000,
}


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_a_link_that_is_not_good_is_refused_alike_for_everybody(outside, make):
    plain = by_link(outside, "forged")
    for who in (NOBODY, "viewer", "another customer's viewer", "administrator"):
        answer = by_link(outside, make(outside), who)
        assert (answer.status, answer.without()) == (403, plain.without())
    code = outside.ask("GET", f"/embed?code={make(outside)}") if make is not Outside.code else plain
    assert code.status == 403


def test_a_code_opens_once_and_only_its_own_customers_frame(outside):
    code = outside.code()
    answer = outside.ask("GET", f"/embed?code={code}", outside.cookie("another customer's viewer"))
    assert answer.status == 303
    assert given(answer).startswith(f"{FRAME}=")
    again = parse_qs(urlsplit(answer["location"]).query)["again"][0]
    for who in (NOBODY, "viewer", "frame", "administrator"):
        refused = outside.ask("GET", f"/embed?code={code}", outside.cookie(who))
        forged = outside.ask("GET", "/embed?code=forged", outside.cookie(who))
        assert (refused.status, refused.body) == (403, forged.body)
        assert "set-cookie" not in dict(refused.headers)
    window = outside.ask("GET", f"/embed?code={again}")
    assert window.status == 303
    assert outside.ask("GET", "/usage", given(answer)).status == 303
    with connect(outside.base, given(window)) as page:
        page.rerun()
        assert marks_in(b"".join(page.raw)) & outside.mine.shown
        assert not marks_in(b"".join(page.raw)) & outside.other.marks


def test_a_consent_that_another_began_is_like_one_that_nobody_began(outside):
    """States of the other customer's manager, of one's own used one, and of nobody."""
    members = {one.membership_id: one for one in identity.members(outside.store.app)}
    person = members[outside.members["another customer's manager"]].person_id
    asker = Asker(outside.other.id, person)
    theirs = begin(outside.store.app, asker, now=datetime.now(UTC))
    cookie, sid = outside.cookie("manager"), outside.other.sids[0]
    asked = [f"/connect/callback?state={one}&AccountSid={sid}" for one in (theirs, "A" * 43)]
    got, absent = (outside.ask("GET", path, cookie) for path in asked)
    assert (got.status, got.without()) == (403, absent.without())


def test_a_key_asks_for_its_own_customer_alone(outside):
    """Somebody else's slug, one that is nobody's, and what a database might stumble over."""
    bearer = ("Authorization", f"Bearer {outside.key}")
    json = '{"customer": "%s", "origin": "https://portal.isv.test"}'
    names = (outside.other.words[0], "qzxxxxxxxxzq", str(outside.other.id), "' OR 1=1 --", "%")
    asked = [
        outside.ask("POST", "/embed/codes", "", bearer, body=(json % name).encode())
        for name in names
    ]
    assert {(one.status, one.without()) for one in asked} == {(404, asked[0].without())}
    own = outside.ask(
        "POST", "/embed/codes", "", bearer, body=(json % outside.mine.words[0]).encode()
    )
    assert own.status == 201


def test_a_person_of_the_demo_is_entered_by_its_list_alone(outside):
    """There is nobody on it here: every membership is like one that does not exist."""
    for number in (*outside.members.values(), 999, -1, "x"):
        body = f"member={number}".encode()
        answer = outside.ask("POST", "/auth/demo", "", FORM, body=body)
        assert answer.status == 404
        assert answer.without() == outside.ask("POST", "/auth/demo", "", FORM).without()


def test_a_refused_link_leaves_whoever_was_signed_in_signed_in(outside):
    secret = outside.secret("viewer")
    outside.ask("POST", "/auth/link", f"{SESSION}={secret}", FORM, body=b"token=forged")
    assert outside.ask("GET", "/usage", f"{SESSION}={secret}").status == 200


def test_metrics_are_for_the_token_alone(outside: Outside):
    wrong = ("", "Bearer", "Bearer ", f"Basic {METRICS_TOKEN}", f"Bearer {METRICS_TOKEN}x")
    answers = [outside.ask("GET", "/metrics", "", ("Authorization", one)) for one in wrong]
    answers += [outside.ask("GET", "/metrics", outside.cookie(who)) for who in EVERYBODY]
    assert {one.without() for one in answers} == {answers[0].without()}
    assert answers[0].status == 401
