"""A real browser signs in through real identity providers, in the whole app."""

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from data import identity
from data.migrations import migrate
from data.settings import Settings
from tests.browser.stage import WAIT, settle
from tests.oidc import ADA, people, real_provider, settings_of
from tests.stores import Store
from tests.streamlit_client import serving

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('oidc') / 'store.sqlite'}"
    store = Store(Settings(database_url=url, _env_file=None))
    migrate(store.settings)
    people(store)
    yield store
    store.dispose()


@pytest.fixture(scope="module")
def base(store):
    with real_provider() as google, real_provider() as owl:
        google.put("ada", email=ADA, email_verified=True)
        google.put("stranger", email="stranger@else.test", email_verified=True)
        providers = settings_of(google=google.issuer, owl=owl.issuer)
        providers["owl"]["label"] = "Owl single sign-on"
        given = {"OIDC_PROVIDERS": json.dumps(providers), "SYNC_EVERY": "off"}
        url = store.settings.database_url
        with serving("streamlit_app:app", DATABASE_URL=url, **given) as address:
            yield address


@pytest.fixture
def new_page(browser):
    """Pages in a browser of their own; the provider's style would be fetched from far away."""

    def make(**given):
        context = browser.new_context(**given)
        context.route("**://cdn.jsdelivr.net/**", lambda route: route.abort())
        return context.new_page()

    return make


def enter(page, base, subject, path="/usage"):
    page.goto(f"{base}{path}")
    page.get_by_role("link", name="Continue with Google").click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def test_a_person_comes_in_lands_on_the_page_asked_for_and_leaves(new_page, base):
    page = new_page()
    enter(page, base, "ada")
    expect(page.get_by_role("heading", name="Usage", level=1)).to_be_visible(timeout=WAIT)
    settle(page)
    assert page.url == f"{base}/usage"
    assert {cookie["name"] for cookie in page.context.cookies(base)} >= {"dash_session"}
    assert "dash_attempt" not in {cookie["name"] for cookie in page.context.cookies(base)}
    page.goto(f"{base}/auth/logout")
    page.wait_for_url(f"{base}/sign-in")
    page.goto(f"{base}/usage")
    assert page.url == f"{base}/sign-in?next=/usage"


def test_a_person_disabled_meanwhile_is_led_out(new_page, base, store):
    page = new_page()
    enter(page, base, "ada")
    expect(page.get_by_role("heading", name="Usage", level=1)).to_be_visible(timeout=WAIT)
    ada = next(one for one in identity.people(store.owner) if one.email == ADA)
    now = datetime.now(UTC)
    identity.disable_person(store.owner, ada.id, now)
    try:
        page.wait_for_url(f"{base}/sign-in**", timeout=WAIT)
        enter(page, base, "ada")
        expect(page.get_by_role("heading", name="No dashboard for this account")).to_be_visible()
    finally:
        identity.enable_person(store.owner, ada.id, now)


def test_who_is_unknown_sees_a_friendly_page_and_may_use_another_account(new_page, base):
    page = new_page()
    enter(page, base, "stranger")
    expect(page.get_by_role("heading", name="No dashboard for this account")).to_be_visible()
    expect(page.get_by_text("stranger@else.test")).to_be_visible()
    assert not page.context.cookies(base)
    page.get_by_role("link", name="Use another account").click()
    assert "prompt=select_account" in page.url
    page.get_by_placeholder("sub").fill("ada")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{base}/")


def test_who_changes_their_mind_is_back_at_the_sign_in_page(new_page, base):
    page = new_page()
    page.goto(f"{base}/usage")
    page.get_by_role("link", name="Continue with Google").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()


def test_signing_in_needs_no_script(new_page, base):
    page = new_page(java_script_enabled=False)
    enter(page, base, "ada")
    assert page.url == f"{base}/usage"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_pages_fit_their_window_and_their_buttons_a_finger(new_page, base, size, scheme):
    viewport = {"width": size[0], "height": size[1]}
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(f"{base}/sign-in?next=/usage")
    _fits(page, size[0], ".providers a", 2)
    enter(page, base, "stranger")
    _fits(page, size[0], ".button", 2)


def _fits(page, width, buttons, count):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.eval_on_selector_all(buttons, "all => all.map(one => one.offsetHeight)")
    assert len(heights) == count
    assert min(heights) >= 44
