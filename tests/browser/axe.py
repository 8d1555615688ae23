"""axe-core on a page: what it finds serious or critical, less what is Streamlit's own to mend."""

from functools import lru_cache
from importlib.resources import files

from playwright.sync_api import Page

GRAVE = ("serious", "critical")
# (rule, what every node of Streamlit's own violation matches): where its makers hear of it.
STREAMLITS_OWN: dict[tuple[str, str], str] = {}


@lru_cache(maxsize=1)
def _script() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """A line for each: rule, gravity, where."""
    page.evaluate(_script())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {target} {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
        for target in (" ".join(map(str, node["target"])),)
        if not _is_streamlits(page, rule["id"], node["target"])
    ]


def _is_streamlits(page: Page, rule: str, target: list[str]) -> bool:
    return any(
        rule == name and page.locator(str(target[0])).and_(page.locator(matching)).count()
        for name, matching in STREAMLITS_OWN
    )
