"""YAML files that people write, read so that an error can name its line.

Numbers with a point stay text and become exact Decimals in the models; a key given twice is an
error, where plain YAML would silently keep the last one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from data.errors import InputError
from data.pricing import as_written, field_path, reason

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be plain text", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, regexp) for tag, regexp in resolvers if not tag.endswith((":float", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class YamlFile:
    path: Path
    value: Any
    root: yaml.Node | None

    def line(self, location: Location) -> int:
        """The line of the field, or of the closest one around it that exists."""
        node = self.root
        for part in as_written(location):
            inner = _child(node, part)
            if inner is None:
                break
            node = inner
        return node.start_mark.line + 1 if node is not None else 1

    def where(self, location: Location) -> str:
        return f"{self.path.name}, line {self.line(location)}: {field_path(location)}"

    def parsed(self, model: type[M]) -> M:
        """The file as a model; InputError lists every wrong field with its line."""
        try:
            return model.model_validate(self.value)
        except ValidationError as error:
            reasons = [f"{self.where(item['loc'])}: {reason(item)}" for item in error.errors()]
            raise InputError("\n".join(reasons)) from None


def _child(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    return None


def read_yaml(path: Path) -> YamlFile:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path.name}: cannot be read ({error.strerror}); expected {path}"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8 text") from None
    return yaml_text(text, path.name)


def yaml_text(text: str, name: str) -> YamlFile:
    """The same of a text that somebody typed; `name` stands before what is wrong."""
    path = Path(name)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return YamlFile(path, loader.construct_document(root) if root else None, root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path.name}, line {line}: {error.problem}") from None
    except yaml.YAMLError:
        raise InputError(f"{path.name}: holds characters that are not text") from None
