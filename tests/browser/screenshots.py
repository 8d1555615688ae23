"""Photographs every page and fails on what no one should see: cut text, overlaps, sideways scroll.

python -m tests.browser.screenshots OUTDIR [--tour] [PART-OF-A-NAME …]

The demo stands still on one day, so that a page changes only when its code does; `--tour` takes the
README's pictures alone, a page each.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from dashboard.access import MAY, Role
from dashboard.views import PAGES
from tests.browser.stage import CHROMIUM, Live, chromium, settle, sign_in, stage
from tests.browser.states import STATES, states

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
FULL = ("Cedar Logistics", "Elm Fitness")  # every page; the others' pages differ in these
TELLING = ("overview", "plan", "spend")
CUSTOMERS = (
    *("Birch Bakery", "Dune Travel", "Fjord Optik", "Grove Vets", "Harbor Events", "Iris Studio"),
    *FULL,
)
ADMINISTRATOR = "Alex Admin"
# The README's tour: who opens which page; the staff's pages as the administrator.
TOUR = {
    "overview": "Birch Bakery",
    "usage": "Elm Fitness",
    "plan": "Birch Bakery",
    "spend": "Birch Bakery",
    "credits": "Elm Fitness",
    "what-if": "Birch Bakery",
    "service": "Cedar Logistics",
    "company": "Cedar Logistics",
    "accounts": "Iris Studio",
    "access": "Birch Bakery",
}
# Pages that show something only when they are told what.
ASKED = {"customer": "?customer=birch-bakery", "agreements": "?customer=birch-bakery"}

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
    '.u-title, .u-demo, [class*=_card], .st-key-viewing, .u-foot')]
    // What is scrolled away passes under the head of the page, where the demo's mark is.
    .filter((element) => !main.scrollTop || !element.matches('.u-demo'))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height);
  for (const [one, a] of cards) for (const [two, b] of cards)
    if (one !== two && !one.contains(two) && !two.contains(one) &&
        one.closest('[role=dialog]') === two.closest('[role=dialog]') &&  // it lies over the page
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


def main(out: Path, wanted: set[str], *, tour: bool = False) -> int:
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
        for name, page in (_tour if tour else _scenes)(browser, live):
            if not wanted or any(word in name for word in wanted):
                found += _photograph(page, out / f"{name}.png")
        if not tour:
            found += _states(browser, out, wanted)
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


def paths(role: Role) -> list[str]:
    """The pages that a role sees, in the order of the menu."""
    return [page.path for page in PAGES if page.permission in MAY[role]]


def _tour(browser: Browser, live: Live) -> Iterator[tuple[str, Page]]:
    """(name, the page as it stands): each page once."""
    for path in (page.path for page in PAGES):
        page = _window(browser, *SIZES["desktop"], "light")
        sign_in(page, live, TOUR.get(path, ADMINISTRATOR), "")
        _open(page, live, path)
        yield path, page
        page.context.close()


def _scenes(browser: Browser, live: Live) -> Iterator[tuple[str, Page]]:
    """Every page at both widths in both themes, as customers and as staff see it."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            for person in (*CUSTOMERS, ADMINISTRATOR):
                slug = person.lower().replace(" ", "-")
                role = Role.ADMINISTRATOR if person == ADMINISTRATOR else Role.MANAGER
                page = _window(browser, width, height, scheme)
                sign_in(page, live, person, "")
                for path in paths(role):
                    if person in FULL or path in TELLING or role.is_staff:
                        _open(page, live, path)
                        yield f"{path}-{slug}-{size}-{scheme}", page
                page.context.close()
            page = _window(browser, width, height, scheme)
            yield from ((f"{name}-{size}-{scheme}", page) for name in _as_staff(page, live))
            page.context.close()


def _open(page: Page, live: Live, path: str) -> None:
    page.goto(f"{live.base}/{path}{ASKED.get(path, '')}")
    settle(page)


def _states(browser: Browser, out: Path, wanted: set[str]) -> int:
    """What pages show when things are not as usual: each state on every page of its customer."""
    found = 0
    with tempfile.TemporaryDirectory() as folder, states(Path(folder)) as live:
        for size, (width, height) in SIZES.items():
            for state, one in STATES.items():
                page = _window(browser, width, height, "light")
                sign_in(page, live, one.customer, "")
                for path in paths(Role.MANAGER):
                    name = f"state-{state}-{path}-{size}"
                    if not wanted or any(word in name for word in wanted):
                        _open(page, live, path)
                        found += _photograph(page, out / f"{name}.png")
                page.context.close()
    return found


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
    words = sys.argv[2:]
    sys.exit(main(Path(sys.argv[1]), set(words) - {"--tour"}, tour="--tour" in words))
