"""YAML with positions: every value knows its line and column, so that an error can point at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tools.kwe.errors import SpecError

Key = str | int
Place = tuple[Key, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Mark:
    """Line and column, both from 1."""

    line: int
    column: int


class Source:
    """A plain value, and where each part of it stands in a text."""

    def __init__(self, path: Path, text: str, value: Any = None) -> None:
        self.path = path
        self.value = value
        self._lines = text.splitlines()
        self._keys: dict[Place, Mark] = {}
        self._values: dict[Place, Mark] = {}

    def error(self, place: Sequence[Key], what: str, *, at_key: bool = False) -> SpecError:
        """Make the error that points at `place`, or at the nearest part around it that exists."""
        known = tuple(place)
        if at_key and known in self._keys:
            return self.error_at(self._keys[known], what)
        while known and known not in self._values:
            known = known[:-1]
        return self.error_at(self._values.get(known, Mark(1, 1)), what)

    def error_at(self, mark: Mark, what: str) -> SpecError:
        """Make the error that points at a place in the text, and shows its line."""
        text = f"{self.path}:{mark.line}:{mark.column}: {what}"
        if mark.line <= len(self._lines):
            line = self._lines[mark.line - 1].replace("\t", " ")
            text += f"\n  {mark.line:>4} | {line}\n       | {' ' * (mark.column - 1)}^"
        return SpecError(text)


class YamlSource(Source):
    """One YAML file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(path, text)
        try:
            loader = yaml.SafeLoader(text)
            try:
                node = loader.get_single_node()
                self.value = self._read(loader, node, ()) if node else None
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
            raise self.error_at(place, f"this is not YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise SpecError(f"{path}:1:1: this is not YAML: {error}") from error

    def _read(self, loader: yaml.SafeLoader, node: yaml.Node, place: Place) -> Any:
        mark = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        self._values[place] = mark
        if isinstance(node, yaml.MappingNode):
            value: dict[Key, Any] = {}
            for key_node, value_node in node.value:
                key = loader.construct_object(key_node, deep=True)
                at = Mark(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
                if not isinstance(key, str | int):
                    raise self.error_at(at, f"{key!r} cannot be a key; a word would be right")
                if key in value:
                    raise self.error_at(at, f"{key!r} stands here twice; remove one")
                self._keys[(*place, key)] = at
                value[key] = self._read(loader, value_node, (*place, key))
            return value
        if isinstance(node, yaml.SequenceNode):
            return [
                self._read(loader, item, (*place, index)) for index, item in enumerate(node.value)
            ]
        return loader.construct_object(node, deep=True)


def load_yaml(path: Path) -> YamlSource:
    """Read a YAML file.

    Raises:
        SpecError: It cannot be read, is no YAML, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError(f"{path}: cannot be read: {reason}") from error
    return YamlSource(path, text)


def validate(source: Source, model: type[Model]) -> Model:
    """Check a file against a pydantic model.

    Raises:
        SpecError: The first thing that is wrong, with its position.
    """
    if not isinstance(source.value, dict):
        raise source.error((), "a mapping of keys is expected here")
    try:
        return model.model_validate(source.value)
    except ValidationError as error:
        # A misspelt key is unknown, and missing as well: the misspelling is what to point at.
        found = error.errors()
        first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
        place = tuple(first["loc"])
        name = place[-1] if place else "file"
        match first["type"]:
            case "extra_forbidden":
                what = f"unknown key {str(name)!r}{_known(model, source, place)}"
                raise source.error(place, what, at_key=True) from error
            case "missing":
                raise source.error(place, f"the key {str(name)!r} is missing") from error
            case "value_error":
                what = str(first["ctx"]["error"])
            case _:
                what = first["msg"][0].lower() + first["msg"][1:]
        raise source.error(place, f"{name}: {what}") from error


def _known(model: type[BaseModel], source: Source, place: Place) -> str:
    """Name the keys that would be right, when the unknown one stands at the top."""
    if len(place) != 1:
        return ""
    return f"; known here are {', '.join(model.model_fields)}"
