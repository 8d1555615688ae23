"""The brand file: what it says reaches the theme, and what is wrong in it stops the start."""

import shutil
import tomllib

import pytest
from typer.testing import CliRunner

from dashboard.brand import theme_options
from data.brand import BACKGROUND, as_text, contrast, load_brand
from data.commands.app import app
from data.errors import ConfigError
from data.settings import ROOT

GOOD = (ROOT / "brand.toml").read_text()
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.fixture
def brand_file(tmp_path):
    shutil.copytree(ROOT / "dashboard" / "assets", tmp_path / "dashboard" / "assets")
    (tmp_path / "brand.toml").write_text(GOOD)
    return tmp_path / "brand.toml"


def configured(name):
    value = CONFIG
    for part in name.split("."):
        value = value[part]
    return value


def test_the_shipped_brand_is_the_demo_one():
    brand = load_brand(ROOT / "brand.toml")
    assert brand.title == "Owl Usage · Owl Inc."
    assert brand.support == "mailto:support@owl.example"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'light = "#0b7a75"',
            'light = "#9be5e0"',
            r"accent.light: #9be5e0 has a contrast of 1\.\d",
        ),
        ('dark = "#11837a"', 'dark = "#10302d"', "accent.dark: .* at least 3:1"),
        ('light = "#0b7a75"', 'light = "teal"', "accent.light"),
        ("owl.svg", "none.svg", "logo: .* cannot be read"),
        ("owl.svg", "sign_in.css", "logo: .* is not an SVG"),
        ('name = "Owl Inc."', 'name = ""', "name: .*at least 1 character"),
        ("support@owl.example", "", "support_email or support_url is needed"),
        ('support_url = ""', 'support_url = "http://x"', "support_url"),
        ("usage@owl.example", "usage at owl", "sender: "),
        ("product =", "produce =", "product: Field required"),
        ("[accent]", "[accent", "brand.toml: "),
    ],
    ids=[
        *("pale", "dim", "no colour", "no logo", "no drawing", "no name"),
        *("no help", "plain http", "no sender", "misspelt", "broken file"),
    ],
)
def test_a_wrong_brand_names_file_and_field(brand_file, old, new, message):
    brand_file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_brand(brand_file)
    assert "brand.toml" in str(caught.value)


def test_mails_come_from_the_sender_or_else_from_support(brand_file):
    assert load_brand(brand_file).mail_from == "Owl Inc. <usage@owl.example>"
    brand_file.write_text(GOOD.replace('sender = "usage@owl.example"', ""))
    assert load_brand(brand_file).mail_from == "Owl Inc. <support@owl.example>"


def test_the_command_checks_the_file_and_writes_a_page_that_needs_no_other(brand_file, tmp_path):
    brand_file.write_text(GOOD.replace('"Owl Inc."', '"Owl <b> Inc."'))
    out = tmp_path / "preview.html"
    said = CliRunner().invoke(app, ["brand", str(brand_file), "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert "white words on the accent" in said.output
    page = out.read_text()
    assert "Owl &lt;b&gt; Inc." in page
    assert "<b>" not in page
    assert "data:image/svg+xml;base64," in page
    assert 'src="http' not in page
    assert page.count('class="swatch"') == 20


def test_the_command_refuses_a_brand_that_would_stop_the_start(brand_file):
    brand_file.write_text(GOOD.replace("#0b7a75", "#9be5e0"))
    said = CliRunner().invoke(app, ["brand", str(brand_file)])
    assert said.exit_code == 1
    assert "accent.light" in str(said.exception)


def test_a_missing_brand_file_names_its_setting(tmp_path):
    with pytest.raises(ConfigError, match="BRAND_FILE"):
        load_brand(tmp_path / "none.toml")


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_the_theme_has_ten_colours_of_which_the_first_is_the_accent():
    options = theme_options(load_brand(ROOT / "brand.toml"), configured)
    for mode, accent in (("light", "#0b7a75"), ("dark", "#11837a")):
        colours = options[f"theme.{mode}.chartCategoricalColors"]
        assert len(colours) == len(set(colours)) == 10
        assert colours[0] == options[f"theme.{mode}.primaryColor"] == accent


def test_white_words_can_be_read_on_the_shipped_accents():
    accent = load_brand(ROOT / "brand.toml").accent
    assert min(contrast(colour, "#ffffff") for colour in (accent.light, accent.dark)) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", ["#0b7a75", "#11837a", "#ff8800", "#808080"])
def test_words_in_any_accent_can_be_read(mode, colour):
    assert contrast(as_text(colour, mode), BACKGROUND[mode]) >= 4.5


def test_an_accent_that_can_be_read_stays_as_it_is():
    assert as_text("#0b7a75", "light") == "#0b7a75"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_checked_background_is_the_configured_one(mode):
    assert configured(f"theme.{mode}.backgroundColor") == BACKGROUND[mode]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_of_the_theme_can_be_read(mode):
    theme = configured(f"theme.{mode}")
    grounds = (theme["backgroundColor"], theme["secondaryBackgroundColor"])
    assert min(contrast(theme["textColor"], ground) for ground in grounds) > 7
    named = [theme[f"{name}Color"] for name in ("red", "orange", "green", "blue", "gray")]
    assert min(contrast(colour, grounds[0]) for colour in named) > 4
