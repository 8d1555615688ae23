"""A first visit with nothing in the browser's cache, over a slow line: when it can be read.

10 Mbit/s and 40 ms, by Chromium's own throttling; seconds from asking for the page to its first
figures and to its first chart, beside those of an empty page of Streamlit.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.bench.pages import EMPTY_APP
from tests.browser.stage import CHROMIUM, READY, WAIT, Live, chromium, sign_in
from tests.demo_app import demo
from tests.streamlit_client import serving

ROUNDS = 3
LINE = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 10_000_000 / 8,
    "uploadThroughput": 10_000_000 / 8,
}
FIGURES, CHART = ".u-figure", ".js-plotly-plot .main-svg"
SECONDS = {FIGURES: 3.0, CHART: 6.0}


def cold() -> None:
    if CHROMIUM is None:
        print("Chromium is not installed; cold visits were not measured.")
        return
    with (
        tempfile.TemporaryDirectory() as name,
        demo(Path(name)) as environment,
        chromium() as browser,
    ):
        folder = Path(name)
        (folder / "empty_app.py").write_text(EMPTY_APP)
        (folder / "empty_main.py").write_text("import streamlit as st\n\nst.write('empty')\n")
        with (
            serving("empty_app:app", folder=folder) as empty,
            serving("streamlit_app:app", **environment) as app,
        ):
            live = Live(app, "", "")
            sign_in(_page(browser, slow=False), live, "Elm Fitness", "overview")
            blank = sorted(_until(_page(browser), empty, READY) for _ in range(ROUNDS))
            print(f"Cold visit at 10 Mbit/s, 40 ms (median of {ROUNDS}), seconds:")
            print(f"  {'an empty page':<24}{blank[ROUNDS // 2]:>6.1f}")
            for what, name in ((FIGURES, "overview, figures"), (CHART, "overview, chart")):
                taken = sorted(_cold_visit(browser, live, what) for _ in range(ROUNDS))
                middle = taken[ROUNDS // 2]
                print(f"  {name:<24}{middle:>6.1f}{'  over' if middle > SECONDS[what] else ''}")


def _page(browser: Browser, *, slow: bool = True) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    if slow:
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", LINE)
    return page


def _cold_visit(browser: Browser, live: Live, what: str) -> float:
    """Signed in elsewhere: the new browser has the cookie and nothing else."""
    other = _page(browser, slow=False)
    sign_in(other, live, "Elm Fitness", "overview")
    page = _page(browser)
    page.context.add_cookies(other.context.cookies())  # type: ignore[arg-type]  # the same shape
    other.context.close()
    taken = _until(page, live.base, what)
    page.context.close()
    return taken


def _until(page: Page, address: str, what: str) -> float:
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(what).first.wait_for(timeout=WAIT)
    return time.perf_counter() - start
