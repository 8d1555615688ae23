"""The brand in Streamlit's theme: its accent, wherever the theme has one."""

from collections.abc import Callable
from typing import Any

from data.brand import Brand, Mode, as_text


def theme_options(brand: Brand, option: Callable[[str], Any]) -> dict[str, Any]:
    """What the brand changes in Streamlit's theme; `option` reads the theme as configured."""
    options: dict[str, Any] = {}
    accents: tuple[tuple[Mode, str], ...] = (
        ("light", brand.accent.light),
        ("dark", brand.accent.dark),
    )
    for mode, accent in accents:
        colours = f"theme.{mode}.chartCategoricalColors"
        options[colours] = [accent, *option(colours)[1:]]
        for part in (f"theme.{mode}", f"theme.{mode}.sidebar"):
            options[f"{part}.primaryColor"] = accent
            options[f"{part}.linkColor"] = as_text(accent, mode)
    return options
