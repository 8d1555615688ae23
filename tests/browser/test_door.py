"""A real browser at the door: the strict policy breaks nothing; sign-in works without script."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from data import identity
from data.demo.people import STAFF, ensure_demo_people
from tests.doors import make_world, write_app
from tests.streamlit_client import serving

MAIN = """
from datetime import UTC, datetime
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from dashboard.access import current_viewer
from data.settings import load_settings

viewer = current_viewer(load_settings().database_url, datetime.now(UTC))
if viewer is None:
    st.logout()
    st.stop()
st.title(viewer.name)
st.plotly_chart(go.Figure(go.Bar(x=[1, 2], y=[3, 4])), key="chart")
st.dataframe(pd.DataFrame({"a": [1, 2]}))
st.metric("Units", 3, 1, chart_data=[1, 2, 3])
st.download_button("Download", "a,b", "a.csv")
if st.button("Sign out"):
    st.logout()
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("world"))
    ensure_demo_people(world.scope)
    return world


@pytest.fixture(scope="module")
def base(world, tmp_path_factory):
    folder = write_app(tmp_path_factory.mktemp("app"), MAIN)
    with serving("probe_app:app", folder=folder, DATABASE_URL=world.scope.url, DEMO="1") as address:
        yield address


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    yield page
    context.close()


def enter(page, base, name="Acme"):
    page.goto(f"{base}/overview")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=30_000)


def test_the_page_loads_under_the_strict_policy_without_a_complaint(page, base):
    enter(page, base)
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stMetric")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    assert Path(download.value.path()).read_text() == "a,b"
    assert page.url == f"{base}/overview"
    assert page.complaints == []


def test_signing_out_leads_back_to_the_sign_in_page(page, base):
    enter(page, base)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{base}/sign-in")
    page.goto(f"{base}/")
    assert page.url == f"{base}/sign-in"


def test_revocation_leads_an_open_page_to_the_sign_in_page_by_itself(page, base, world):
    enter(page, base, "Beta")
    for session in identity.sessions(world.scope, datetime.now(UTC)):
        identity.revoke(world.scope, session.key, datetime.now(UTC))
    # By its own script, or by a reload that the door turns away and that comes back afterwards.
    page.wait_for_url(re.compile(rf"^{base}/sign-in(\?next=/overview)?$"))


def test_signing_in_needs_no_script(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/sign-in?next=/overview")
    page.get_by_role("button", name="Sam Support").click()
    assert page.url == f"{base}/overview"
    names = {cookie["name"]: cookie for cookie in context.cookies()}
    assert names["dash_session"]["httpOnly"]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_sign_in_page_fits_its_window_in_light_and_dark(browser, base, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{base}/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(245, 246, 247)", "dark": "rgb(12, 16, 18)"}[scheme]
    heights = page.eval_on_selector_all("button", "all => all.map(one => one.offsetHeight)")
    assert len(heights) == 2 + len(STAFF)  # two customers
    assert min(heights) >= 44
    context.close()
