"""YAML that people write: exact numbers, no key twice, and an error on its own line."""

from decimal import Decimal as D

import pytest

from data.errors import InputError
from data.plans import read_plan, read_plans
from data.yaml_file import read_yaml

PLAN = """\
plan: texts
version: 1
name: Texts
currency: USD
prices:
  - kind: graduated_margin
    meter: sms
    bands:
      - up_to: 100
        gross_margin: 0.05
      - up_to: 300
        gross_margin: 0.03
"""


@pytest.fixture
def write(tmp_path):
    def written(text, name="texts.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def test_numbers_with_a_point_stay_exact(write):
    plan = read_plan(write(PLAN))
    assert plan.prices[0].bands[0].gross_margin == D("0.05")


def test_days_stay_text(write):
    assert read_yaml(write("from: 2026-03-31")).value == {"from": "2026-03-31"}


REFUSALS = {
    "a key given twice": (PLAN + "name: Other\n", "line 13: 'name' is given twice"),
    "a key twice deep inside": (
        PLAN.replace("        gross_margin: 0.05", "        up_to: 1"),
        "line 10: 'up_to' is given twice",
    ),
    "a typo in a band": (
        PLAN.replace("gross_margin: 0.03", "gros_margin: 0.03"),
        r"line 12: prices\.0\.bands\.1\.gros_margin: .*typo",
    ),
    "a wrong number in a band": (
        PLAN.replace("gross_margin: 0.03", "gross_margin: 3"),
        r"line 12: prices\.0\.bands\.1\.gross_margin: ",
    ),
    "a missing field": (PLAN.replace("    meter: sms\n", ""), r"line 6: prices\.0\.meter: .*req"),
    "an unknown currency": (PLAN.replace("USD", "DOLLARS"), "line 4: currency: "),
    "an unknown meter": (PLAN.replace("meter: sms", "meter: smss"), "line 6: .*'smss' is unknown"),
    "no YAML": (PLAN + "  - [\n", "line 1[34]: "),
    "a list as a key": ("? [a, b]\n: 1\n", "line 1: a key must be plain text"),
    "another charset": ("name: Müller".encode("latin-1"), "is not UTF-8 text"),
    "control characters": ("name: \x00", "holds characters that are not text"),
    "an empty file": ("", "line 1: "),
    "a list": ("- 1\n", "line 1: "),
}


@pytest.mark.parametrize(("text", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_file_is_refused_on_its_line(write, text, message):
    with pytest.raises(InputError, match=rf"^texts\.yaml(:|,) ?{message}"):
        read_plan(write(text))


def test_a_missing_file_is_named_with_its_place(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read .*expected .*gone\.yaml"):
        read_plan(tmp_path / "gone.yaml")


def test_every_wrong_field_is_listed(write):
    text = PLAN.replace("version: 1", "version: 0").replace("up_to: 100", "up_to: 0")
    with pytest.raises(InputError) as refusal:
        read_plan(write(text))
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == [
        "texts.yaml, line 2",
        "texts.yaml, line 9",
    ]


def test_a_folder_of_plans_is_read_by_name(write, tmp_path):
    write(PLAN, "b.yaml")
    write(PLAN.replace("version: 1", "version: 2"), "a.yaml")
    assert [plan.id for plan in read_plans(tmp_path)] == ["texts@2", "texts@1"]


def test_two_files_of_one_version_are_refused(write, tmp_path):
    write(PLAN, "a.yaml")
    write(PLAN, "b.yaml")
    with pytest.raises(InputError, match=r"b\.yaml: plan texts version 1 stands in a\.yaml too"):
        read_plans(tmp_path)


def test_no_folder_of_plans_is_a_setting_to_change(tmp_path):
    with pytest.raises(InputError, match="PLANS_DIR"):
        read_plans(tmp_path / "none")
