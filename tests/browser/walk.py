"""Walks a page as a curious visitor: changes every control once, opens folds and dialogs, takes
every file.

What a control does is its page's own affair; here it must do it without an error on the page, a
line in the console or a part that lies on another.  Dialogs are looked at and closed again, so
that a walk stores nothing.
"""

from collections import Counter
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
# What a screen reader calls each button that can be seen; the arrow of a box is part of the box.
NAMES = """() => [...document.querySelectorAll('.stMain button')]
  .filter((button) => button.checkVisibility() && !button.closest(
    '[data-testid=stSelectbox], [data-testid=stMultiSelect], [data-testid=stDateInput]'))
  .map((button) => button.ariaLabel || button.textContent.trim())"""
MOST_FOLDS = 3  # of a page
MOST_DIALOGS = 3
TYPED = "birch"
# What ends a session or a view at once, without a dialog in between.
_XPATH = "contains(@class, 'st-key-end_') or contains(@class, 'st-key-viewing')"


def faults(page: Page, *, axe: bool = True) -> list[str]:
    """What no one should see on the page as it stands."""
    text = page.locator(MAIN).inner_text()
    broken = [words for words in BROKEN if words in text]
    names = Counter(page.evaluate(NAMES))
    twins = [f"two buttons are called “{name}”" for name, count in names.items() if count > 1]
    complaints = list(page.complaints)  # type: ignore[attr-defined]  # ours, see stage.visit
    page.complaints.clear()  # type: ignore[attr-defined]  # ours
    grave = violations(page) if axe else []
    return [*broken, *twins, *complaints, *page.evaluate(FAULTS), *grave]


def walk(page: Page, *, thorough: bool = True) -> list[str]:
    """Faults of the page and of every change made in it, each with what was done before.

    axe takes longer than all else: if not thorough, it looks only at what a change has opened.
    """
    found = [f"as opened: {fault}" for fault in faults(page)]
    for done in _changes(page):
        still(page)
        axe = thorough or done.startswith("opened")
        found += [f"{done}: {fault}" for fault in faults(page, axe=axe)]
    return found


def still(page: Page) -> None:
    """Until the script and the drawing have come to rest."""
    page.wait_for_timeout(150)
    expect(page.locator(READY)).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT)


def _changes(page: Page) -> Iterator[str]:
    yield from _choices(page)
    yield from _ticks(page)
    yield from _selections(page)
    yield from _sliders(page)
    yield from _folds(page)
    yield from _files(page)
    yield from _dialogs(page)
    yield from _fields(page)


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


def _ticks(page: Page) -> Iterator[str]:
    for kind in ("stRadio", "stCheckbox"):
        groups = page.locator(f"{MAIN} [data-testid={kind}]")
        for at in range(groups.count()):
            other = groups.nth(at).locator("label:has(input:not(:checked):not([disabled]))")
            if at < groups.count() and other.count() and other.last.is_visible():
                words = _words(other.last)
                other.last.click()
                yield f"ticked “{words}”"


def _dialogs(page: Page) -> Iterator[str]:
    """Each kind of button that asks before it acts: what opens is closed again."""
    tried: set[str] = set()
    buttons = page.locator(f"{MAIN} [data-testid=stButton] button:not([disabled])")
    at = 0
    while at < buttons.count() and len(tried) < MOST_DIALOGS:
        button, at = buttons.nth(at), at + 1
        words = _words(button)
        kind = words.split(" ")[0]
        apart = button.locator(f"xpath=ancestor::*[{_XPATH}]").count()
        if kind in tried or apart or not button.is_visible():
            continue
        tried.add(kind)
        button.click()
        still(page)
        dialog = page.get_by_role("dialog")
        if not dialog.count():
            yield f"pressed “{words}”"
            continue
        yield f"opened the dialog of “{words}”"
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def _fields(page: Page) -> Iterator[str]:
    """Last, because a search may leave nothing on the page."""
    days = page.locator(f"{MAIN} [data-testid=stDateInput]")
    for at in range(days.count()):
        days.nth(at).get_by_role("spinbutton").first.press("ArrowDown")
        yield "changed a day"
    fields = page.locator(f"{MAIN} [data-testid=stTextInput] input:not([disabled])")
    for at in range(min(fields.count(), 2)):
        if at < fields.count() and fields.nth(at).is_visible():
            fields.nth(at).fill(TYPED)
            fields.nth(at).press("Enter")
            yield f"typed “{TYPED}”"


def _words(element: Locator) -> str:
    return " ".join(element.inner_text().split())[:60]
