"""A meter's colour: told from every other by any eye, and from the page it is drawn on."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from dashboard.charts.theme import OWN, look
from data.brand import contrast, load_brand
from data.meters import CATALOGUE, OTHER
from data.settings import ROOT

LEAST_APART = 8.0  # in Oklab × 100; about 2 can just be told apart side by side
LEAST_LIGHTER = 10.0  # of neighbours in the stack, in lightness alone
MODES = pytest.mark.parametrize("mode", ["light", "dark"])

# Machado, Oliveira and Fernandes (2009), table of severity 1.0, for linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Ottosson's Oklab (2020): linear RGB to cones, and their cube roots to lightness and two axes.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
AXES = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def own_look(mode):
    accent = load_brand(ROOT / "brand.toml").accent
    return look(mode, accent.light if mode == "light" else accent.dark)


def oklab(colour: str, eyes) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(eyes) @ linear, 0, 1)
    return 100 * AXES @ np.cbrt(CONES @ seen)


@MODES
@pytest.mark.parametrize("eyes", EYES)
def test_any_two_meters_are_told_apart(mode, eyes):
    drawn = own_look(mode)
    seen = {name: oklab(drawn.meter(name), EYES[eyes]) for name in (*CATALOGUE, OTHER)}
    near = {
        (one, two): np.linalg.norm(seen[one] - seen[two])
        for one, two in combinations(seen, 2)
        if np.linalg.norm(seen[one] - seen[two]) < LEAST_APART
    }
    assert near == {}


@MODES
def test_neighbours_in_the_stack_differ_in_lightness(mode):
    drawn = own_look(mode)
    light = [oklab(drawn.meter(name), EYES["all cones"])[0] for name in (*CATALOGUE, OTHER)]
    assert min(abs(one - two) for one, two in pairwise(light)) >= LEAST_LIGHTER


@MODES
def test_every_meter_stands_out_from_the_card(mode):
    drawn = own_look(mode)
    colours = [*map(drawn.meter, (*CATALOGUE, OTHER)), *OWN[mode]]
    assert min(contrast(colour, drawn.surface) for colour in colours) >= 3


@MODES
def test_a_meters_colour_is_its_own_and_stays(mode):
    drawn = own_look(mode)
    assert drawn.meter("sms") == drawn.accent
    assert drawn.meter("fax") == own_look(mode).meter("fax")
    assert drawn.meter("fax") in OWN[mode]
    assert drawn.meter("fax") not in {drawn.meter(name) for name in (*CATALOGUE, OTHER)}
