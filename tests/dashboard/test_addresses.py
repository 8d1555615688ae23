"""A link to a page opens that page after sign-in, as it was asked for, and leads nowhere else."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote

import pytest

from data import identity
from data.demo.people import demo_people, ensure_demo_people
from tests.doors import START, make_client, make_door, make_world

OURS = {"origin": "http://localhost:8501"}
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.8", "accept": "text/html"}


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    ensure_demo_people(world.scope)
    return world


@pytest.fixture
def door(world):
    return make_door(world, demo=True)


@pytest.fixture
def client(door):
    return make_client(door)


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/usage?meter=sms&period=2026-11-01", "/usage?meter=sms&period=2026-11-01"),
        ("/?lang=de", "/?lang=de"),
        ("/usage?q=%2B43 660", "/usage?q=%2B43+660"),
        ("/usage?meter=sms&evil=1", "/usage?meter=sms"),
        ("/usage?embed=true", "/usage"),
        ("/usage?meter=https://evil.test", "/usage"),
        ("/usage?meter=//evil.test", "/usage"),
        ("/usage?meter=a%0d%0aset-cookie:x", "/usage"),
        (f"/usage?meter={'a' * 81}", "/usage"),
        (f"/usage?meter={'a' * 2000}", "/usage"),
        ("/usage?meter=<script>", "/usage"),
        ("//evil.test?meter=sms", "/"),
        ("https://evil.test/usage?meter=sms", "/"),
        ("/\\evil.test?meter=sms", "/"),
        ("/usage/../auth/logout?meter=sms", "/"),
        ("/auth/logout?meter=sms", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_leads_to_a_page_of_ours_with_what_pages_know(door, asked, leads_to):
    assert door.page_path(asked) == leads_to


def test_a_stranger_with_a_link_comes_to_it_by_way_of_the_sign_in(client, world):
    turned = client.get("/usage?meter=sms&evil=http://x")
    assert turned.headers["location"] == f"/sign-in?next={quote('/usage?meter=sms')}"
    page = client.get(turned.headers["location"])
    assert 'name="next" value="/usage?meter=sms"' in page.text
    form = {"member": member(world), "next": "/usage?meter=sms"}
    entered = client.post("/auth/demo", data=form, headers=OURS)
    assert entered.headers["location"] == "/usage?meter=sms"


def test_the_form_of_the_sign_in_page_is_no_way_out_either(client, world):
    form = {"member": member(world), "next": "https://evil.test/usage"}
    entered = client.post("/auth/demo", data=form, headers=OURS)
    assert entered.headers["location"] == "/"


def test_a_session_that_ends_on_a_page_leads_back_to_it(client):
    before = {"referer": "http://localhost:8501/usage?meter=sms", "host": "localhost:8501"}
    answer = client.get("/auth/over", headers=before)
    assert answer.headers["location"] == f"/sign-in?next={quote('/usage?meter=sms')}"


@pytest.mark.parametrize(
    "before", ["http://evil.test/usage", "", "nonsense", "javascript:1", "http://[", "//[::1"]
)
def test_where_somebody_came_from_elsewhere_is_no_way_back(client, before):
    assert client.get("/auth/over", headers={"referer": before}).headers["location"] == "/sign-in"


def test_pages_before_a_sign_in_speak_the_browsers_language(client):
    page = client.get("/sign-in", headers=GERMAN).text
    assert '<html lang="de">' in page
    assert "Bei Owl Usage anmelden" in page
    assert "Sign in to" not in page
    assert '<html lang="en">' in client.get("/sign-in", headers={"accept-language": "fr"}).text


def test_the_address_may_ask_for_another_language_than_the_browser(client):
    assert '<html lang="en">' in client.get("/sign-in?lang=en", headers=GERMAN).text
    assert '<html lang="de">' in client.get("/sign-in?lang=xx", headers=GERMAN).text


def test_errors_before_a_page_speak_the_browsers_language(client):
    assert "Diese Seite gibt es nicht." in client.get("/nope", headers=GERMAN).text


def test_the_apps_own_page_says_its_language_and_brings_the_style_sheet_once(client, world):
    client.post("/auth/demo", data={"member": member(world)}, headers=OURS)
    page = client.get("/usage", headers=GERMAN).text
    assert '<html lang="de">' in page
    path = page.rpartition('<link rel="stylesheet" href="')[2].partition('"')[0]
    sheet = client.get(path)
    assert ".u-card" in sheet.text
    assert "immutable" in sheet.headers["cache-control"]
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert plain.text == sheet.text
    assert client.get("/brand/app-000000000000.css").status_code == 404


def test_a_person_is_remembered_with_a_language(world):
    ada = next(one for one in identity.members(world.scope) if one.name == "Ada")
    assert ada.language is None
    identity.choose_language(world.scope, ada.person_id, "de")
    known = {one.name: one.language for one in identity.members(world.scope)}
    assert known.pop("Ada") == "de"
    assert set(known.values()) == {None}
    now = datetime.now(UTC)
    secret = identity.enter_by_link(
        world.scope,
        identity.create_link(world.scope, ada.person_id, now),
        now,
        life=identity.LINK_LIFE,
    )
    session = identity.resolve(world.scope, identity.hashed(secret), now)
    assert session.member.language == "de"


def member(world):
    people = demo_people(world.scope, START)
    return str(next(one.member.membership_id for one in people if one.member.customer))


def test_the_sign_in_page_offers_the_other_languages_each_in_its_own_name(client, world):
    english = client.get("/sign-in?next=/usage?meter=sms").text
    href = unescape(re.search('<a href="([^"]+)" lang="de" hreflang="de">Deutsch</a>', english)[1])
    german = client.get(href).text
    assert '<html lang="de">' in german
    assert 'value="/usage?meter=sms&amp;lang=de"' in german  # what is opened after it, too
    assert 'hreflang="en">English</a>' in german
    assert "hreflang" not in re.sub('hreflang="en"', "", german)


def test_outside_the_demo_the_languages_are_offered_too(world):
    real = make_client(make_door(world))
    assert 'hreflang="de">Deutsch</a>' in real.get("/sign-in").text
