"""Photographs every page and fails on what no one should see: cut text, overlaps, sideways scroll.

python -m tests.browser.screenshots OUTDIR [PAGE-SLUG …]
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import CHROMIUM, Live, chromium, settle, sign_in, stage

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
CUSTOMERS = {
    "Birch Bakery": ("overview", "usage", "spend", "access"),
    "Cedar Logistics": ("overview", "usage", "spend", "accounts"),
    "Dune Travel": ("overview", "spend"),
    "Elm Fitness": ("overview", "spend"),
    "Fjord Optik": ("overview", "spend"),
    "Grove Vets": ("overview", "spend"),
    "Harbor Events": ("overview", "spend"),
    "Iris Studio": ("overview", "usage", "spend", "accounts"),
}
STAFF = ("sync", "people", "keys", "audit", "forecasts")

# Text that is wider than its box, unless it may be scrolled to; cards that lie on each other.
FAULTS = """() => {
  const faults = [];
  const scrolls = (element) => {
    for (let at = element; at; at = at.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX) && at.className !== 'stMain'
          && !at.matches('.stMain, .stApp, [data-testid=stSidebarContent]')) return true;
    return false;
  };
  const main = document.querySelector('.stMain');
  if (main.scrollWidth > main.clientWidth || document.body.scrollWidth > innerWidth)
    faults.push('the page scrolls sideways');
  const texts = [...document.querySelectorAll('.stMain *, .stSidebar *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
    element.clientWidth > 1 && element.getBoundingClientRect().right > 0 &&
    !element.closest('svg, style, [data-testid=stIconMaterial]'));
  for (const element of texts)
    if (element.scrollWidth > element.clientWidth + 1 && !scrolls(element))
      faults.push(`cut: “${element.textContent.trim().slice(0, 60)}”`);
  const cards = [...document.querySelectorAll('.u-card, .u-panel, .u-callout, .u-summary, ' +
    '.u-title, .u-demo, .st-key-chart_card, .st-key-statement_card, .st-key-viewing, .u-foot')]
    .map((element) => [element, element.getBoundingClientRect()]);
  for (const [one, a] of cards) for (const [two, b] of cards)
    if (one !== two && !one.contains(two) && !two.contains(one) &&
        a.left < b.right - 1 && b.left < a.right - 1 &&
        a.top < b.bottom - 1 && b.top < a.bottom - 1)
      faults.push(`overlap: ${one.className} and ${two.className}`);
  const inside = document.querySelectorAll('.u-card *, .u-panel *');
  for (const element of inside) {
    const card = element.closest('.u-card, .u-panel').getBoundingClientRect();
    const box = element.getBoundingClientRect();
    if (box.right > card.right + 1 && !scrolls(element))
      faults.push(`outside its card: “${element.textContent.trim().slice(0, 60)}”`);
  }
  return [...new Set(faults)];
}"""


def main(out: Path, wanted: set[str]) -> int:
    if CHROMIUM is None:
        print("Chromium is not installed; no photographs were taken.")
        return 1
    out.mkdir(parents=True, exist_ok=True)
    found = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder)) as live,
        chromium() as browser,
    ):
        for size, scheme, name, page in _scenes(browser, live):
            file = f"{name}-{size}-{scheme}.png"
            if wanted and not any(word in file for word in wanted):
                continue
            found += _photograph(page, out / file)
    print(f"{found} faults" if found else "No faults.")
    return 1 if found else 0


def _photograph(page: Page, file: Path) -> int:
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)  # charts and fonts come to rest
    page.screenshot(path=file)
    faults = [*page.evaluate(FAULTS), *page.complaints]  # type: ignore[attr-defined]  # ours
    page.complaints.clear()  # type: ignore[attr-defined]  # ours
    print(file.name, *(f"\n  {fault}" for fault in faults))
    return len(faults)


def _scenes(browser: Browser, live: Live) -> Iterator[tuple[str, str, str, Page]]:
    """(size, scheme, name, the page as it stands), one after the other."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            for person, paths in CUSTOMERS.items():
                slug = person.lower().replace(" ", "-")
                page = _window(browser, width, height, scheme)
                sign_in(page, live, person, paths[0])
                for path in paths:
                    page.goto(f"{live.base}/{path}")
                    settle(page)
                    yield size, scheme, f"{path}-{slug}", page
                page.context.close()
            page = _window(browser, width, height, scheme)
            yield from ((size, scheme, name, page) for name in _as_staff(page, live))
            page.context.close()
            page = _window(browser, width, height, scheme)
            sign_in(page, live, "Alex Admin", STAFF[0])
            for path in STAFF:
                page.goto(f"{live.base}/{path}")
                settle(page)
                yield size, scheme, path, page
            page.context.close()


def _window(browser: Browser, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]  # a literal to it
    )
    page = context.new_page()
    page.complaints = []  # type: ignore[attr-defined]  # ours, kept on the page
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    return page


def _as_staff(page: Page, live: Live) -> Iterator[str]:
    """The list, a search without a match, margin, the reason asked for, the customer's page."""
    sign_in(page, live, "Billie Billing", "customers")
    yield "customers"
    row = page.locator("[class*=st-key-customer_]", has_text="Birch")
    row.get_by_role("button", name="Margin").click()
    expect(page.get_by_text("Twilio costs us")).to_be_visible()
    yield "customers-margin"
    page.get_by_role("dialog").get_by_label("Close").click()
    search = page.get_by_label("Search")
    search.fill("nobody")
    search.press("Enter")
    expect(page.get_by_text("No customer matches")).to_be_visible()
    yield "customers-none"
    search.fill("OWL-1004")
    search.press("Enter")
    row.get_by_role("button", name="Open").click()
    reason = page.get_by_label("Reason")
    reason.fill("Ticket 4711: the bill is higher than last month")
    reason.press("Enter")
    yield "customers-open"
    page.get_by_role("button", name="Open read-only").click()
    expect(page.locator(".st-key-viewing")).to_be_visible()
    settle(page)
    yield "overview-viewed-by-staff"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), set(sys.argv[2:])))
