"""Texts of dashboard/ that a person may see and no catalogue knows: what the scan looks for.

A text counts where it reads like words: a capital and small letters, or two words and more.
Names for machines (classes, keys, icons, addresses, log events) do not read like that, or stand
where only machines look.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TRANSLATES = {"_", "n_", "N_", "nN_"}
# First arguments that are names: tag("div"), div("u-pair"), log.info("sign-in refused").
NAMES_FIRST = {"tag", "div", "span", "getattr", "re", "compile", "escape_name"}
FOR_MACHINES = {
    *("key", "icon", "class_", "format", "type", "style", "mime", "media_type", "width", "height"),
    *("href", "url_path", "d", "viewBox", "transform", "points", "role", "hovertemplate", "font"),
    *("showlegend", "anchor", "dash", "xref", "yref", "scope", "reason", "headers", "action"),
    *("tickformat", "family", "name_for_machines", "default", "encoding", "alias", "pattern"),
}
LOGS = {"info", "warning", "error", "debug", "exception", "critical"}
WORDS = re.compile(r"[^\W\d_]+[,;:.]?\s+[^\W\d_]{2,}|^[A-Z][a-z]{2,}|^E-[a-z]|[a-z]{3,}[.!?]$")
MARKUP = re.compile(r"<[^>]*>|\bu-[\w-]+|https?:\S+|\{\w+\}|&\w+;")


def unknown_texts(file: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what looks visible and is not given to `_`, `n_` or `N_`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    yield from _below(tree)


def _below(node: ast.AST) -> Iterator[tuple[int, str]]:
    for child in _visible_children(node):
        if isinstance(child, ast.Constant):
            if isinstance(child.value, str) and reads_like_words(child.value):
                yield child.lineno, child.value
        elif isinstance(child, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) else " 0 " for part in child.values
            )
            if reads_like_words(text, parts=True):
                yield child.lineno, text
            else:
                yield from (found for part in child.values for found in _below(part))
        else:
            yield from _below(child)


def _visible_children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    if isinstance(node, ast.Raise | ast.Compare):
        return  # errors are extracted by themselves; what is compared with is a code
    if isinstance(node, ast.Subscript):
        yield node.value
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield node.value
    elif isinstance(node, ast.Call):
        yield from _arguments(node)
    elif isinstance(node, ast.Dict):
        yield from node.values
    else:
        yield from ast.iter_child_nodes(node)


def _arguments(call: ast.Call) -> Iterator[ast.AST]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in TRANSLATES:
        return
    yield call.func
    if name in LOGS and isinstance(call.func, ast.Attribute):
        return
    skipped = 1 if name in NAMES_FIRST else 0
    yield from call.args[skipped:]
    for keyword in call.keywords:
        if keyword.arg not in FOR_MACHINES:
            yield keyword.value


def reads_like_words(text: str, *, parts: bool = False) -> bool:
    bare = MARKUP.sub(" ", text).strip()
    if parts:  # of an f-string: one word among values is a word people read
        return bool(re.search(r"(^|\s)[^\W\d_]{2,}[.,:;]?(\s|$)", bare))
    return bool(WORDS.search(bare))
