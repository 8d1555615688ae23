"""A plan as a form: fields made from the models of data/pricing, drafts of text, terms again.

A field of a strategy appears in the form because it stands in its model, so a new strategy needs
nothing here.  A draft holds what was typed, right or wrong; the engine's own types judge it.
`terms_of(draft_of(plan))` are the plan's terms again, for every strategy (tests/data/
test_plan_form.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from data.errors import InvalidTerms
from data.meters import meters_of
from data.money import plain
from data.pricing import Plan, Price, field_path, reason
from data.yaml_file import yaml_text

NONE = "none"  # typed where "no limit" differs from leaving the field empty
Draft = dict[str, Any]  # text, flags, and lists of drafts: what stands in the widgets


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"
    NAMES = "names"  # of meters, written with commas
    RATES = "rates"  # "sms: 5, mms: 2"
    GROUP = "group"  # a model of its own: tax
    TABLE = "table"  # rows of one model: bands, tiers, packs


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as a widget needs it; `fields` are those of a group or of a table's rows."""

    name: str
    kind: FieldKind
    required: bool
    choices: tuple[str, ...] = ()
    fields: tuple["FormField", ...] = ()
    may_be_none: bool = False  # and is not by default: "none" is typed


class WrongTerms(InvalidTerms):
    """Every wrong field by its path: `prices.0.tiers.1.fee`."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {why}" for path, why in problems.items()))
        self.problems = problems


def strategies() -> Mapping[str, type[BaseModel]]:
    """The models of prices by their kind, in the order of the union."""
    union = get_args(Price)[0]
    return {model.model_fields["kind"].default: model for model in get_args(union)}


def form_of(model: type[BaseModel]) -> tuple[FormField, ...]:
    """The model's fields as they are asked for: what must be given comes first."""
    fields = [
        _field(name, info)
        for name, info in model.model_fields.items()
        if name not in ("kind", "prices")
    ]
    return tuple(sorted(fields, key=lambda one: not one.required))


def _field(name: str, info: FieldInfo) -> FormField:
    inner, optional = _bare(info.annotation)
    kind, choices, model = _kind(inner)
    return FormField(
        name,
        kind,
        info.is_required(),
        choices,
        (*_keyed(inner), *form_of(model)) if model else (),
        may_be_none=optional and info.default is not None and not info.is_required(),
    )


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Without Annotated and Optional; whether it may be None."""
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            optional = True
            annotation = next(one for one in get_args(annotation) if one is not NoneType)
        else:
            return annotation, optional


def _kind(inner: Any) -> tuple[FieldKind, tuple[str, ...], type[BaseModel] | None]:
    origin = get_origin(inner)
    if origin is Literal:
        return FieldKind.CHOICE, tuple(get_args(inner)), None
    if origin in (tuple, dict):
        item = _bare(get_args(inner)[-1 if origin is dict else 0])[0]
        if isinstance(item, type) and issubclass(item, BaseModel):
            return FieldKind.TABLE, (), item
        return (FieldKind.RATES if origin is dict else FieldKind.NAMES), (), None
    if inner is bool:
        return FieldKind.FLAG, (), None
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return FieldKind.GROUP, (), inner
    return (FieldKind.TEXT if inner is str else FieldKind.NUMBER), (), None


KEY = "key"  # of a row that stands under a name of its own: a plan's meters


def _keyed(inner: Any) -> tuple[FormField, ...]:
    if get_origin(inner) is not dict:
        return ()
    return (FormField(KEY, FieldKind.TEXT, required=True),)


# Terms into a draft


def draft_of(plan: Plan) -> Draft:
    """What the form shows for terms that are agreed already."""
    return {
        **_draft(Plan, plan),
        "prices": [{"kind": price.kind, **_draft(type(price), price)} for price in plan.prices],
    }


def example_price(kind: str) -> Draft:
    """A price of the strategy with terms that a person could agree to."""
    model = strategies()[kind]
    example = model.example  # type: ignore[attr-defined]  # every strategy has one
    return {"kind": kind, **_draft(model, model.model_validate(example))}


def empty_row(fields: tuple[FormField, ...]) -> Draft:
    return {one.name: _empty(one) for one in fields}


def _empty(field: FormField) -> Any:
    if field.kind is FieldKind.FLAG:
        return False
    if field.kind is FieldKind.TABLE:
        return []
    if field.kind is FieldKind.GROUP:
        return empty_row(field.fields)
    return ""


def _draft(model: type[BaseModel], value: BaseModel) -> Draft:
    return {one.name: _shown(one, getattr(value, one.name), value) for one in form_of(model)}


def _shown(field: FormField, value: Any, owner: BaseModel) -> Any:
    if field.kind is FieldKind.TABLE:
        rows = value.items() if isinstance(value, Mapping) else ((None, row) for row in value)
        return [_row(key, row) for key, row in rows]
    if field.kind is FieldKind.GROUP:
        return _draft(type(value), value) if value else empty_row(field.fields)
    if value is None:
        return NONE if field.may_be_none else ""
    default = type(owner).model_fields[field.name].default
    if field.kind is FieldKind.FLAG:
        return value
    if field.kind is FieldKind.NAMES:
        return "" if value == default else ", ".join(value)
    if field.kind is FieldKind.RATES:
        return ", ".join(f"{name}: {plain(rate)}" for name, rate in value.items())
    if field.kind is FieldKind.NUMBER:
        return "" if value == default else (str(value) if isinstance(value, int) else plain(value))
    return str(value)


def _row(key: str | None, row: BaseModel) -> Draft:
    return {**({} if key is None else {KEY: key}), **_draft(type(row), row)}


# A draft into terms


def terms_of(draft: Draft) -> dict[str, Any]:
    """The terms that were typed, as a plan file would write them; empty fields are left out."""
    prices = []
    for price in draft.get("prices", ()):
        model = strategies()[price["kind"]]
        prices.append({"kind": price["kind"], **_given(form_of(model), price)})
    return {**_given(form_of(Plan), draft), "prices": prices}


def _given(fields: tuple[FormField, ...], draft: Draft) -> dict[str, Any]:
    found = ((one.name, _typed(one, draft.get(one.name))) for one in fields)
    return {name: value for name, value in found if value is not _LEFT_OUT}


_LEFT_OUT = object()


def _typed(field: FormField, value: Any) -> Any:
    """As terms have it; left out where nothing was given."""
    if field.kind is FieldKind.FLAG:
        return True if value else _LEFT_OUT
    if field.kind is FieldKind.TABLE:
        rows = [_given(field.fields, row) for row in value or ()]
        if field.fields and field.fields[0].name == KEY:
            return {row.pop(KEY, ""): row for row in rows} or _LEFT_OUT
        return rows if rows or field.required else _LEFT_OUT
    if field.kind is FieldKind.GROUP:
        return _given(field.fields, value or {}) or _LEFT_OUT
    text = str(value or "").strip()
    if not text:
        return _LEFT_OUT
    if field.may_be_none and text == NONE:
        return None
    if field.kind is FieldKind.NAMES:
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.kind is FieldKind.RATES:
        return {name.strip(): rate.strip() for name, rate in _pairs(text)}
    return text


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, rate = part.partition(":")
        if part.strip():
            yield name, rate


# Terms into a plan


def judged(terms: Any) -> Plan:
    """The plan, or WrongTerms with every wrong field: what saving and the preview ask first."""
    try:
        plan = Plan.model_validate(terms)
    except ValidationError as error:
        found = {field_path(item["loc"]): reason(item) for item in error.errors()}
        raise WrongTerms(found) from None
    try:
        meters_of(plan)
    except InvalidTerms as error:
        path, _, why = str(error).partition(": ")
        raise WrongTerms({path: why}) from None
    return plan


def as_yaml(terms: Mapping[str, Any]) -> str:
    """The terms as a plan file has them."""
    return yaml.safe_dump(dict(terms), sort_keys=False, allow_unicode=True, width=100)


def from_yaml(text: str) -> Plan:
    """The plan in a text that is a plan file; InvalidTerms names line and field."""
    plan = yaml_text(text, "terms").parsed(Plan)
    return judged(plan.model_dump(mode="json"))
