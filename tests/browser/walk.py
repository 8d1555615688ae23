"""Walks a page as a curious visitor: changes every control once, opens folds, takes every file.

What a control does is its page's own affair; here it must do it without an error on the page, a
line in the console or a part that lies on another.
"""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.screenshots import FAULTS
from tests.browser.stage import READY, WAIT

MAIN = ".stMain"
BROKEN = (
    *("Something went wrong on our side", "This did not work", "There is nothing here"),
    *("The data cannot be read right now", "Your session has ended"),
)
MOST_FOLDS = 3  # of a page


def faults(page: Page) -> list[str]:
    """What no one should see on the page as it stands."""
    text = page.locator(MAIN).inner_text()
    broken = [words for words in BROKEN if words in text]
    complaints = list(page.complaints)  # type: ignore[attr-defined]  # ours, see stage.visit
    page.complaints.clear()  # type: ignore[attr-defined]  # ours
    return [*broken, *complaints, *page.evaluate(FAULTS), *violations(page)]


def walk(page: Page) -> list[str]:
    """Faults of the page and of every change made in it, each with what was done before."""
    found = [f"as opened: {fault}" for fault in faults(page)]
    for done in _changes(page):
        still(page)
        found += [f"{done}: {fault}" for fault in faults(page)]
    return found


def still(page: Page) -> None:
    """Until the script and the drawing have come to rest."""
    page.wait_for_timeout(150)
    expect(page.locator(READY)).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT)


def _changes(page: Page) -> Iterator[str]:
    yield from _choices(page)
    yield from _selections(page)
    yield from _sliders(page)
    yield from _folds(page)
    yield from _files(page)


def _choices(page: Page) -> Iterator[str]:
    """Segmented controls: another segment of each."""
    groups = page.locator(f"{MAIN} [data-testid=stButtonGroup]")
    for at in range(groups.count()):
        other = groups.nth(at).locator("button:not([data-selected=true]):not([disabled])")
        if at < groups.count() and other.count():
            words = _words(other.last)
            other.last.click()
            yield f"chose “{words}”"


def _selections(page: Page) -> Iterator[str]:
    """Boxes with a list: its last entry."""
    boxes = page.locator(f"{MAIN} [data-testid=stSelectbox]")
    for at in range(boxes.count()):
        if at >= boxes.count():
            return
        box = boxes.nth(at).get_by_role("combobox")
        if not box.count() or not box.is_enabled():
            continue
        box.click()
        options = page.get_by_role("option")
        if not options.count():
            page.keyboard.press("Escape")
            continue
        words = _words(options.last)
        options.last.click()
        yield f"selected “{words}”"


def _sliders(page: Page) -> Iterator[str]:
    sliders = page.locator(f"{MAIN} [data-testid=stSlider]").get_by_role("slider")
    for at in range(sliders.count()):
        sliders.nth(at).focus()
        page.keyboard.press("ArrowRight")
        yield "moved a slider"


def _folds(page: Page) -> Iterator[str]:
    folds = page.locator(f"{MAIN} details:not([open]) > summary")
    for _ in range(min(folds.count(), MOST_FOLDS)):
        if folds.first.is_visible():
            words = _words(folds.first)
            folds.first.click()
            yield f"opened “{words}”"


def _files(page: Page) -> Iterator[str]:
    buttons = page.locator(f"{MAIN} [data-testid=stDownloadButton] button")
    for at in range(buttons.count()):
        words = _words(buttons.nth(at))
        with page.expect_download() as taken:
            buttons.nth(at).click()
        size = Path(taken.value.path()).stat().st_size
        assert size > 20, f"the file of “{words}” is empty"
        yield f"took “{words}” ({size} bytes)"


def _words(element: Locator) -> str:
    return " ".join(element.inner_text().split())[:60]
