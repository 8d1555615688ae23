"""`python -m data brand`: is the brand file right, and what does it look like?

The preview is one HTML page with everything in it: it can be mailed to whoever decides on colours.
"""

import re
import tomllib
from base64 import b64encode
from html import escape
from pathlib import Path

import typer

from data.brand import BACKGROUND, Brand, Mode, as_text, contrast, load_brand
from data.settings import ROOT, load_settings

THEME = ROOT / ".streamlit" / "config.toml"
INK = {"light": "#171b1f", "dark": "#e8ebed"}
STYLE = """
body{margin:0;font:15px/1.5 system-ui,sans-serif}
section{padding:24px 32px 32px}
header{display:flex;align-items:center;gap:12px;font-size:20px;font-weight:650}
img{height:40px}
.row{display:flex;flex-wrap:wrap;gap:12px;align-items:center;margin:16px 0}
.button{padding:8px 16px;border-radius:8px;border:1px solid;font-weight:600}
.card{border:1px solid #8886;border-radius:10px;padding:16px;max-width:300px}
.figure{font-size:26px;font-weight:650}
.bar{height:8px;border-radius:4px;background:#8883;overflow:hidden}
.bar i{display:block;height:100%;width:61%}
.swatch{width:44px;height:44px;border-radius:6px}
td{padding:2px 16px 2px 0}
"""


def brand_command(
    file: Path | None = typer.Argument(None, help="The brand file; without one, BRAND_FILE's."),
    out: Path | None = typer.Option(None, help="Write a preview here: one HTML page."),
) -> None:
    """Check the brand file; --out writes a page that shows it in light and dark."""
    brand = load_brand(file or load_settings().brand_file)
    for name, value in _facts(brand):
        print(f"{name:<16}{value}")
    for mode in ("light", "dark"):
        for name, ratio in contrasts(brand, mode):
            print(f"{mode:<6}{name:<34}{ratio:5.1f}:1")
    if out is not None:
        out.write_text(preview(brand), encoding="utf-8")
        print(f"Preview written to {out}.")


def contrasts(brand: Brand, mode: Mode) -> tuple[tuple[str, float], ...]:
    """WCAG ratios of what people read and see in this mode: 4.5 for words, 3 for shapes."""
    accent = _accent(brand, mode)
    return (
        ("accent on the background", contrast(accent, BACKGROUND[mode])),
        ("links on the background", contrast(as_text(accent, mode), BACKGROUND[mode])),
        ("white words on the accent", contrast("#ffffff", accent)),
    )


def preview(brand: Brand) -> str:
    """The page: logo, name, buttons, a card, chart colours and contrasts, in both modes."""
    both = "".join(_mode(brand, mode) for mode in ("light", "dark"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(brand.title)}: the brand</title><style>{STYLE}</style></head>"
        f"<body><main>{both}</main></body></html>\n"
    )


def _facts(brand: Brand) -> tuple[tuple[str, str], ...]:
    return (
        ("name", brand.name),
        ("product", brand.product),
        ("logo", str(brand.logo)),
        ("support", brand.support),
        ("e-mails from", brand.mail_from or "nobody: set sender or support_email"),
    )


def _accent(brand: Brand, mode: Mode) -> str:
    return brand.accent.dark if mode == "dark" else brand.accent.light


def _mode(brand: Brand, mode: Mode) -> str:
    accent, ground = _accent(brand, mode), BACKGROUND[mode]
    drawing = re.sub(rb"^<\?xml.*?\?>\s*", b"", brand.logo.read_bytes())
    logo = f"data:image/svg+xml;base64,{b64encode(drawing).decode()}"
    swatches = "".join(
        f'<span class="swatch" style="background:{escape(colour)}" title="{escape(colour)}"></span>'
        for colour in (accent, *_chart_colours(mode)[1:])
    )
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{ratio:.1f}:1</td></tr>"
        for name, ratio in (*contrasts(brand, mode),)
    )
    filled = f"background:{accent};border-color:{accent};color:#fff"
    plain = f"border-color:{accent};color:{as_text(accent, mode)}"
    return f"""<section style="background:{ground};color:{INK[mode]}">
<header><img src="{logo}" alt="">{escape(brand.product)}</header>
<p>{escape(brand.title)}, {mode}. Help: <a style="color:{as_text(accent, mode)}"
href="{escape(brand.support)}">{escape(brand.support)}</a>.
E-mails from: {escape(brand.mail_from or "nobody")}</p>
<div class="row"><span class="button" style="{filled}">Sign in</span>
<span class="button" style="{plain}">Ask {escape(brand.name)}</span></div>
<div class="card"><div>Used and left</div><div class="figure">122 <small>of 200 SMS</small></div>
<div class="bar"><i style="background:{accent}"></i></div></div>
<div class="row">{swatches}</div>
<table><tbody>{rows}</tbody></table>
</section>"""


def _chart_colours(mode: Mode) -> list[str]:
    theme = tomllib.loads(THEME.read_text(encoding="utf-8"))["theme"]
    return list(theme[mode]["chartCategoricalColors"])
