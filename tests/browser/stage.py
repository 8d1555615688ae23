"""The whole demo on free ports and a real browser in front of it; for tests and photographs.

with stage(folder) as live, chromium() as browser:
    page = visit(browser, live, "Birch Bakery", "usage")
"""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.demo_app import demo
from tests.streamlit_client import free_port, serving

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
READY = ".stApp[data-test-script-state=notRunning]"
WAIT = 60_000


@dataclass(frozen=True)
class Live:
    """Where the app and the demo's Twilio API answer; the port of a portal that may frame it."""

    base: str
    api: str
    database: str
    portal: int = 0


@contextmanager
def stage(folder: Path) -> Iterator[Live]:
    portal = free_port()
    framing = {"EMBED_ORIGINS": json.dumps([f"http://127.0.0.1:{portal}"])}
    with (
        demo(folder) as environment,
        serving("streamlit_app:app", **environment, **framing) as base,
    ):
        yield Live(base, environment["TWILIO_API_BASE"], environment["DATABASE_URL"], portal)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def visit(
    browser: Browser,
    live: Live,
    person: str,
    path: str = "overview",
    *,
    size: tuple[int, int] = (1440, 900),
    scheme: str = "light",
) -> Page:
    """A page in a browser of its own, signed in; its `complaints` are the console's errors."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]  # a literal to it
    )
    page = context.new_page()
    page.complaints = []  # type: ignore[attr-defined]  # ours, kept on the page
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    return sign_in(page, live, person, path)


def sign_in(page: Page, live: Live, person: str, path: str) -> Page:
    page.goto(f"{live.base}/sign-in?next=/{path}")
    page.get_by_role("button", name=re.compile(person)).click()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until the script has ended and its charts are drawn."""
    expect(page.locator(f"{READY} .u-title, {READY} .u-state").first).to_be_visible(timeout=WAIT)
    # The code of a first chart is still on its way when the script has ended.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT)
    for chart in page.get_by_test_id("stPlotlyChart").all():
        expect(chart.locator(".main-svg").first).to_be_visible(timeout=WAIT)


def go(page: Page, title: str) -> None:
    """Another page by the sidebar."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible(timeout=WAIT)
    settle(page)


def rows_of(page: Page, name: str = "CSV") -> list[list[str]]:
    """The rows of a download, its heads first."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.reader(text.splitlines()))
