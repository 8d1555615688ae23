"""The ISV's face: name, logo, colours, where to find help and who sends mail, from `brand.toml`.

Checked when it is loaded, because a logo that is missing or an accent that nobody can read
should stop the start and not embarrass a page.  Contrast is WCAG 2.2's: white to black is 21:1.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from xml.etree import ElementTree  # nosec B405 # reads the ISV's own logo only

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from data.errors import ConfigError

Mode = Literal["light", "dark"]
BACKGROUND: dict[str, str] = {"light": "#ffffff", "dark": "#101417"}  # as in .streamlit/config.toml
LEAST_CONTRAST = 3.0  # WCAG 1.4.11, for parts of controls and charts
TEXT_CONTRAST = 4.5  # WCAG 1.4.3
LARGEST_LOGO = 64_000  # bytes


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def as_text(colour: str, mode: Mode) -> str:
    """The colour, lighter or darker where it must be, so that words in it can be read."""
    towards = 0 if mode == "light" else 255
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    for percent in range(0, 101, 4):
        mixed = (round(part + (towards - part) * percent / 100) for part in parts)
        text = "#" + "".join(f"{part:02x}" for part in mixed)
        if contrast(text, BACKGROUND[mode]) >= TEXT_CONTRAST:
            break
    return text


def _luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(colour: str, info: ValidationInfo) -> str:
    background = BACKGROUND[info.field_name or "light"]
    ratio = contrast(colour, background)
    if ratio < LEAST_CONTRAST:
        raise ValueError(
            f"{colour} has a contrast of {ratio:.1f}:1 against {background}; "
            f"at least {LEAST_CONTRAST:.0f}:1 is needed"
        )
    return colour.lower()


def _svg(path: Path, info: ValidationInfo) -> Path:
    """The logo's absolute path; it is seen from the folder of the brand file."""
    folder = (info.context or {}).get("folder", Path())
    logo = Path(folder, path).resolve()
    try:
        drawing = logo.read_bytes()
        root = ElementTree.fromstring(drawing)  # nosec B314 # the ISV's own file
    except OSError:
        raise ValueError(f"{path} cannot be read") from None
    except ElementTree.ParseError:
        raise ValueError(f"{path} is not an SVG drawing") from None
    if not root.tag.endswith("}svg"):
        raise ValueError(f"{path} is not an SVG drawing")
    if len(drawing) > LARGEST_LOGO:
        raise ValueError(f"{path} is larger than {LARGEST_LOGO} bytes")
    return logo


Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$"), AfterValidator(_readable)]
Text = Annotated[str, Field(min_length=1, max_length=60)]


class Accent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    light: Colour
    dark: Colour


class Brand(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Text
    product: Text
    logo: Annotated[Path, AfterValidator(_svg)]
    accent: Accent
    support_email: str = Field("", pattern=r"^([^@\s]+@[^@\s]+)?$")
    support_url: str = Field("", pattern="^(https://.+)?$")
    sender: str = Field("", pattern=r"^([^@\s<>]+@[^@\s<>]+\.[^@\s<>]+)?$")  # of e-mails we send

    @model_validator(mode="after")
    def _offers_help(self) -> "Brand":
        if not self.support:
            raise ValueError("support_email or support_url is needed: people must find help")
        return self

    @property
    def title(self) -> str:
        return f"{self.product} · {self.name}"

    @property
    def mail_from(self) -> str:
        """Who sends our e-mails, as it stands in them: Owl Inc. <usage@owl.example>; "" nobody."""
        address = self.sender or self.support_email
        return f"{self.name} <{address}>" if address else ""

    @property
    def support(self) -> str:
        """Where a link to help leads; the page is preferred to the mailbox."""
        return self.support_url or (self.support_email and f"mailto:{self.support_email}")


def load_brand(file: Path) -> Brand:
    """The brand, or a ConfigError that names the file and each field that is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
        return Brand.model_validate(tomllib.loads(text), context={"folder": file.parent})
    except OSError:
        raise ConfigError(f"BRAND_FILE: {file} cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file.name}: {error}") from None
    except ValidationError as error:
        reasons = (
            f"{'.'.join(str(part) for part in item['loc']) or 'brand'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise ConfigError(f"{file.name}: {'; '.join(reasons)}") from None
