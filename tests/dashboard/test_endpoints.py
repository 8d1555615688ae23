"""Sign-in and sign-out, health, and what a person sees of an error."""

from datetime import UTC, datetime

import pytest

from dashboard.endpoints import OUR_FAULT, public_message
from data import identity
from data.demo.people import demo_people, ensure_demo_people
from data.errors import ConfigError, NotFound, ScopeViolation
from data.identity import hashed
from tests.doors import START, make_client, make_door, make_world

HTTPS = "https://usage.owl.test"
OURS = {"origin": "http://localhost:8501"}
HTML = {"accept": "text/html"}


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    ensure_demo_people(world.scope)
    return world


@pytest.fixture
def demo(world):
    return make_client(make_door(world, demo=True))


@pytest.fixture
def real(world):
    return make_client(make_door(world))


def link(world, name="Ada"):
    person = next(m.person_id for m in identity.members(world.scope) if m.name == name)
    return identity.create_link(world.scope, person, datetime.now(UTC))


def demo_member(world, name):
    people = demo_people(world.scope, START)
    return next(p.member.membership_id for p in people if p.member.name == name)


def signed_in(world, client):
    secret = client.cookies.get("dash_session") or ""
    return identity.resolve(world.scope, hashed(secret), datetime.now(UTC))


# Health


def test_a_running_process_is_alive(real):
    assert real.get("/healthz").json() == {"status": "ok"}


def test_ready_means_that_the_database_is_migrated(world, real, tmp_path):
    assert real.get("/readyz").status_code == 200
    empty = make_door(world, database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    answer = make_client(empty).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert "sqlite" not in answer.text


# The demo's door


def test_the_demo_lists_its_people_and_says_that_it_is_one(demo):
    page = demo.get("/sign-in").text
    for text in ("Demo data.", "Acme", "Basic", "Beta &amp; Sons", "Sam Support", "Billie Billing"):
        assert text in page


def test_the_sign_in_page_needs_no_script(demo):
    assert "<script" not in demo.get("/sign-in").text


def test_real_people_are_neither_listed_nor_entered_in_a_demo(demo, world):
    page = demo.get("/sign-in").text
    assert "Ada" not in page
    assert "Sue" not in page
    answer = demo.post("/auth/demo", data={"member": str(world.ada)}, headers=OURS)
    assert answer.status_code == 404
    assert signed_in(world, demo) is None


def test_one_click_enters_the_demo_as_that_person(demo, world):
    member = demo_member(world, "Beta & Sons")
    answer = demo.post("/auth/demo", data={"member": member, "next": "/usage"}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/usage")
    session = signed_in(world, demo)
    assert (session.member.customer.slug, session.door) == ("beta", "demo")


@pytest.mark.parametrize("next_path", ["//evil.test", "https://evil.test", "/nope", "usage", ""])
def test_a_sign_in_leads_to_our_own_pages_only(demo, world, next_path):
    assert (
        f'value="{next_path or "?"}"' not in demo.get("/sign-in", params={"next": next_path}).text
    )
    form = {"member": demo_member(world, "Acme"), "next": next_path}
    assert demo.post("/auth/demo", data=form, headers=OURS).headers["location"] == "/"


@pytest.mark.parametrize("member", ["", "x", "-1", "999", "1 or 1=1"])
def test_nobody_is_entered_by_guessing(demo, member):
    answer = demo.post("/auth/demo", data={"member": member}, headers=OURS)
    assert answer.status_code == 404


def test_entering_again_ends_the_session_before(demo, world):
    demo.post("/auth/demo", data={"member": demo_member(world, "Acme")}, headers=OURS)
    first = demo.cookies["dash_session"]
    demo.post("/auth/demo", data={"member": demo_member(world, "Sam Support")}, headers=OURS)
    assert identity.resolve(world.scope, hashed(first), datetime.now(UTC)) is None
    assert signed_in(world, demo).member.name == "Sam Support"


def test_outside_the_demo_nobody_is_listed_and_the_door_is_shut(real, world):
    page = real.get("/sign-in").text
    for text in ("Demo", "Acme", "Beta", "Ada", "Sam Support"):
        assert text not in page
    assert "mailto:support@owl.example" in page
    answer = real.post("/auth/demo", data={"member": str(world.ada)}, headers=OURS)
    assert answer.status_code == 404


# Links


def test_opening_a_link_does_not_use_it_up(real, world):
    token = link(world)
    for _ in range(2):
        page = real.get("/auth/link", params={"token": token})
        assert f'value="{token}"' in page.text
        assert page.headers["cache-control"] == "no-store"
    assert real.post("/auth/link", data={"token": token}, headers=OURS).status_code == 303
    assert signed_in(world, real).member.name == "Ada"


def test_a_link_works_once(real, world):
    token = link(world)
    assert real.post("/auth/link", data={"token": token}, headers=OURS).status_code == 303
    answer = real.post("/auth/link", data={"token": token}, headers=OURS)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "link_rejected"


def test_a_token_cannot_break_out_of_its_page(real):
    page = real.get("/auth/link", params={"token": '"><script>alert(1)</script>'}).text
    assert "<script" not in page


def test_a_rejected_link_answers_a_browser_with_a_page(real):
    answer = real.post("/auth/link", data={"token": "x"}, headers={**OURS, **HTML})
    assert answer.status_code == 403
    assert "Please ask for a new link" in answer.text


# Cookies


def cookie_set(answer):
    """The parts of the one cookie that is given a value; those of before are taken back."""
    given = [one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" not in one]
    assert len(given) == 1
    return given[0].split("; ")


def test_on_this_machine_the_cookie_is_plain_but_closed_to_scripts(real, world):
    answer = real.post("/auth/link", data={"token": link(world)}, headers=OURS)
    name, *flags = cookie_set(answer)
    assert name.startswith("dash_session=")
    assert {flag.lower() for flag in flags} == {
        *("httponly", "max-age=43200", "path=/", "samesite=lax")
    }


def test_in_public_the_cookie_belongs_to_this_host_and_to_https(world):
    client = make_client(make_door(world, public_origin=HTTPS))
    answer = client.post("/auth/link", data={"token": link(world)}, headers={"origin": HTTPS})
    name, *flags = cookie_set(answer)
    assert name.startswith("__Host-dash_session=")
    assert {flag.lower() for flag in flags} == {
        *("httponly", "max-age=43200", "path=/", "samesite=lax", "secure")
    }


# Signing out


def test_signing_out_revokes_and_returns_to_the_sign_in_page(real, world):
    real.post("/auth/link", data={"token": link(world)}, headers=OURS)
    secret = real.cookies["dash_session"]
    answer = real.get("/auth/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "dash_session" not in real.cookies
    assert identity.resolve(world.scope, hashed(secret), datetime.now(UTC)) is None


def test_another_site_cannot_sign_anyone_out(real, world):
    real.post("/auth/link", data={"token": link(world)}, headers=OURS)
    real.get("/auth/logout", headers={"sec-fetch-site": "cross-site"})
    assert signed_in(world, real).member.name == "Ada"


# Errors


@pytest.mark.parametrize("path", ["/explode", "/leak"], ids=["a bug", "a scope violation"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_our_own_bugs_show_nothing_of_the_inside(real, path, accept):
    answer = real.get(path, headers={"accept": accept})
    assert answer.status_code == 500
    assert OUR_FAULT in answer.text
    for word in ("SELECT", "UsageRecord", "tenant", "Traceback", "RuntimeError"):
        assert word not in answer.text


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NotFound("There is no such customer."), "There is no such customer."),
        (ScopeViolation("rows of another tenant"), OUR_FAULT),
        (ConfigError("TWILIO_AUTH_TOKEN is missing"), OUR_FAULT),
        (ValueError("inside"), OUR_FAULT),
    ],
    ids=["ours to tell", "our bug", "the operator's", "unexpected"],
)
def test_only_what_people_may_read_is_shown(error, message):
    assert public_message(error) == message


# A page whose session has ended


def test_a_page_that_is_over_ends_nothing_and_goes_where_the_browser_now_is(real, world):
    assert real.get("/auth/over").headers["location"] == "/sign-in"
    real.post("/auth/link", data={"token": link(world)}, headers=OURS)
    first = real.cookies["dash_session"]
    real.post("/auth/link", data={"token": link(world, "Ben")}, headers=OURS)
    second = real.cookies["dash_session"]
    assert real.get("/auth/over").headers["location"] == "/"
    now = datetime.now(UTC)
    alive = [identity.resolve(world.scope, hashed(one), now) is not None for one in (first, second)]
    assert alive == [False, True]
