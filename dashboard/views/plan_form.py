"""The form of a plan: its widgets are made from the fields of the models that price it.

What is typed is kept in a draft of this session, right or wrong; the engine's own types judge it on
every change, and what is wrong is said by the name of its field.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import streamlit as st

from dashboard.access import Permission
from dashboard.views import address
from dashboard.views.fragments import fragment
from dashboard.views.markup import Safe, div, note, strong, tag
from dashboard.views.page import Visit
from dashboard.views.parts import page_title, show
from dashboard.views.plan_preview import compare
from dashboard.views.plan_words import field_help, field_name, kind_name, place_in_words
from dashboard.words import _
from data.errors import InputError
from data.meters import CATALOGUE
from data.plan_form import (
    Draft,
    FieldKind,
    FormField,
    WrongTerms,
    as_yaml,
    draft_of,
    empty_row,
    example_price,
    form_of,
    from_yaml,
    judged,
    strategies,
    terms_of,
)
from data.pricing import Plan

NEW = "new"
EDITING = "plan_editing"
WHICH = "plan_staff"  # where address.pick keeps the plan that is edited
FORM, TEXT = "form", "text"
FIRST = ("plan", "name", "currency", "monthly_fee")
_ids = count(1)


@dataclass
class Editing:
    """What one person is typing: `after` is the version it was opened on, 0 for a new plan."""

    code: str
    before: Plan | None
    draft: Draft
    number: int = field(default_factory=lambda: next(_ids))  # keys of widgets are never used twice
    text: str | None = None  # of the terms, where they are typed as text
    plan: Plan | None = None  # the terms typed, where they are right
    problems: dict[str, str] = field(default_factory=dict)
    saving: bool = False

    @property
    def after(self) -> int:
        return self.before.version if self.before else 0

    def key(self, path: str) -> str:
        return f"plan_{self.number}_{path}"


def open_editor(code: str) -> None:
    """What was typed for another plan is given up."""
    st.session_state.pop(EDITING, None)
    st.session_state[WHICH] = code


def close_editor() -> None:
    open_editor("")


def editing_of(code: str, *, saving: bool = False) -> Editing | None:
    """What is typed for this plan; with `saving` only once, after its button was pressed."""
    found: Editing | None = st.session_state.get(EDITING)
    if found is None or found.code != code or (saving and not found.saving):
        return None
    if saving:
        found.saving = False
    return found


def _opened(code: str, before: Plan | None) -> Editing:
    found = editing_of(code)
    if found is None:
        draft = draft_of(before) if before else _blank()
        found = Editing(code, before, draft)
        st.session_state[EDITING] = found
    return found


def _blank() -> Draft:
    draft = empty_row(form_of(Plan))
    return {**draft, "version": "1", "currency": "USD", "prorate": "days", "prices": []}


@fragment
def editor(visit: Visit, code: str, before: Plan | None) -> None:
    visit.viewer.require(Permission.CHANGE_PLANS)
    editing = _opened(code, before)
    _head(editing)
    how = address.pick("as", (FORM, TEXT), FORM, _how, whose="plan")
    if how == TEXT:
        _text(editing)
    else:
        _form(editing)
    _judged(editing, how)
    show(_problems(editing))
    compare(visit, editing.number, editing.plan)
    _foot(editing)


def _head(editing: Editing) -> None:
    name = editing.before.name if editing.before else _("New plan")
    with page_title(name):
        if st.button(_("Back to all plans"), type="tertiary", icon=":material/arrow_back:"):
            close_editor()
            st.rerun()
    if editing.before:
        words = _("You are writing version {next}. Version {last} stays as it is.")
        show(note(words.format(next=editing.after + 1, last=editing.after)))


def _how(key: str) -> str | None:
    names = {FORM: _("Form"), TEXT: _("Text (YAML)")}
    return st.segmented_control(
        _("How to write the terms"),
        tuple(names),
        format_func=lambda one: names[one],
        required=True,
        key=key,
        label_visibility="collapsed",
    )


# As text


def _text(editing: Editing) -> None:
    key = editing.key("text")
    if key not in st.session_state:
        st.session_state[key] = editing.text or as_yaml(terms_of(editing.draft))
    editing.text = st.text_area(_("Terms"), key=key, height=420)
    show(note(_("The same terms as a plan file has them; the version is set when you save.")))


def _judged(editing: Editing, how: str) -> None:
    """The draft follows a text that is right; a wrong one is kept for when the text comes back."""
    editing.plan, editing.problems = None, {}
    try:
        if how == TEXT:
            editing.plan = from_yaml(editing.text or "")
            editing.draft = draft_of(editing.plan)
            editing.text = None
        else:
            editing.plan = judged(terms_of(editing.draft))
    except WrongTerms as error:
        editing.problems = dict(error.problems)
    except InputError as error:
        editing.problems = {"": str(error)}
    if editing.plan and editing.before and editing.plan.plan != editing.before.plan:
        editing.problems = {"plan": _("A version keeps its plan's id.")}
        editing.plan = None


# As a form


def _form(editing: Editing) -> None:
    if editing.text is not None:
        words = _("The text has a mistake: the form shows the terms before it. The text is kept.")
        show(note(words))
    fields = {one.name: one for one in form_of(Plan)}
    with st.container(border=True, key="plan_terms"):
        for column, name in zip(st.columns(len(FIRST)), FIRST, strict=True):
            with column:
                _widget(editing, fields[name], editing.draft, name)
        rest = [one for one in fields.values() if one.name not in (*FIRST, "version")]
        _more(editing, rest, editing.draft, "")
    show(tag("h2", _("Prices"), class_="u-section"))
    for at, price in enumerate(editing.draft["prices"]):
        _price(editing, at, price)
    _add_price(editing)


def _more(editing: Editing, fields: list[FormField], draft: Draft, path: str) -> None:
    with st.expander(_("More terms"), key=editing.key(f"{path}more")):
        simple = [one for one in fields if one.kind not in (FieldKind.TABLE, FieldKind.GROUP)]
        _grid(editing, simple, draft, path)
        for one in fields:
            if one.kind in (FieldKind.TABLE, FieldKind.GROUP):
                _widget(editing, one, draft, f"{path}{one.name}")


def _grid(editing: Editing, fields: list[FormField], draft: Draft, path: str) -> None:
    for start in range(0, len(fields), 4):
        for column, one in zip(st.columns(4), fields[start : start + 4], strict=False):
            with column:
                _widget(editing, one, draft, f"{path}{one.name}")


def _price(editing: Editing, at: int, price: Draft) -> None:
    path = f"prices.{_id(price)}."
    fields = form_of(strategies()[price["kind"]])
    first = [one for one in fields if one.required or one.name in _ALWAYS]
    with st.container(border=True, key=editing.key(f"{path}box")):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            show(tag("h3", f"{at + 1}. {kind_name(price['kind'])}", class_="u-section"))
            label = _("Remove price {n}").format(n=at + 1)
            st.button(
                label,
                type="tertiary",
                key=editing.key(f"{path}remove"),
                on_click=_remove,
                args=(editing.draft["prices"], price),
            )
        _grid(editing, [one for one in first if one.kind is not FieldKind.TABLE], price, path)
        for one in first:
            if one.kind is FieldKind.TABLE:
                _table(editing, one, price, f"{path}{one.name}")
        _more(editing, [one for one in fields if one not in first], price, path)


_ALWAYS = ("meters", "gross_margin", "markup", "packs", "free_units")


def _add_price(editing: Editing) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="plan_add_price"):
        kind = st.selectbox(
            _("Strategy"), tuple(strategies()), format_func=kind_name, key=editing.key("kind")
        )
        st.button(
            _("Add a price"),
            icon=":material/add:",
            key=editing.key("add"),
            on_click=_add,
            args=(editing.draft["prices"], lambda: example_price(kind)),
        )


def _add(rows: list[Draft], make: Any) -> None:
    rows.append(make())


def _remove(rows: list[Draft], row: Draft) -> None:
    rows[:] = [one for one in rows if one is not row]


def _id(row: Draft) -> int:
    """A row keeps its widgets when another is removed."""
    if "_id" not in row:
        row["_id"] = next(_ids)
    return int(row["_id"])


def _widget(editing: Editing, one: FormField, draft: Draft, path: str) -> None:
    if one.kind is FieldKind.TABLE:
        _table(editing, one, draft, path)
    elif one.kind is FieldKind.GROUP:
        show(tag("h4", field_name(one.name), class_="u-section"))
        _grid(editing, list(one.fields), draft[one.name], f"{path}.")
    else:
        draft[one.name] = _asked(editing, one, draft, path)


def _asked(editing: Editing, one: FormField, draft: Draft, path: str) -> Any:
    key, label, help = editing.key(path), field_name(one.name), field_help(one.name)
    if key not in st.session_state:
        st.session_state[key] = draft.get(one.name, "")
    if one.kind is FieldKind.FLAG:
        return st.checkbox(label, key=key, help=help)
    if choices := _choices(editing, one, draft):
        if st.session_state[key] not in choices:
            st.session_state[key] = choices[0]
        return st.selectbox(label, choices, key=key, help=help)
    fixed = one.name == "plan" and editing.before is not None
    return st.text_input(label, key=key, help=help, disabled=fixed)


def _choices(editing: Editing, one: FormField, draft: Draft) -> tuple[str, ...]:
    """What a field may hold, where that is known."""
    if one.name == "meter":
        own = [row.get("key", "") for row in editing.draft.get("meters", ())]
        return tuple(dict.fromkeys((*CATALOGUE, *filter(None, own), draft.get("meter") or "sms")))
    if one.name == "chosen":
        return tuple(dict.fromkeys(row.get("name", "") for row in draft.get("tiers", ())))
    if one.kind is FieldKind.CHOICE:
        return one.choices
    return ()


def _table(editing: Editing, one: FormField, draft: Draft, path: str) -> None:
    rows: list[Draft] = draft[one.name]
    name = field_name(one.name)
    show(tag("h4", name, class_="u-section"))
    for at, row in enumerate(rows):
        inner = f"{path}.{_id(row)}."
        with st.container(
            horizontal=True, vertical_alignment="bottom", key=editing.key(f"{inner}row")
        ):
            for column in one.fields:
                _widget(editing, column, row, f"{inner}{column.name}")
            label = _("Remove row {n} of {table}").format(n=at + 1, table=name)
            st.button(
                label,  # for screen readers: the sheet shows the cross alone
                icon=":material/close:",
                type="tertiary",
                help=label,
                key=editing.key(f"{inner}remove"),
                on_click=_remove,
                args=(rows, row),
            )
    label = _("Add a row to {table}").format(table=name)
    st.button(
        label,
        type="tertiary",
        icon=":material/add:",
        key=editing.key(f"{path}.add"),
        on_click=_add,
        args=(rows, lambda: empty_row(one.fields)),
    )


# What is wrong, and saving


def _problems(editing: Editing) -> Safe | None:
    if not editing.problems:
        return None
    rows = (
        tag("li", strong(place_in_words(path)) if path else None, " ", why)
        for path, why in editing.problems.items()
    )
    return div("u-callout u-warning", tag("p", _("Before this can be saved:")), tag("ul", *rows))


def _foot(editing: Editing) -> None:
    label = _("Save as version {version}…").format(version=editing.after + 1)
    if st.button(label, type="primary", disabled=editing.plan is None, key=editing.key("save")):
        editing.saving = True
        st.rerun()
