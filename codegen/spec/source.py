"""YAML files with positions, and the list of what is wrong with them.

A place is the path of keys and indices to a value: ``("ops", "read", "params", "offset")``.
Mistakes are collected, not raised one by one, so that a person sees all of a file's at once.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.kwe.errors import SpecError

Key = str | int
Place = tuple[Key, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: where it stands and what would be right."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return the line that people see."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class Problems:
    """All mistakes found so far, over all files."""

    found: list[Problem] = field(default_factory=list)

    def add(self, path: str, line: int, text: str) -> None:
        """Record one; the same one twice counts once."""
        problem = Problem(path, line, text)
        if problem not in self.found:
            self.found.append(problem)

    def raise_if_any(self) -> None:
        """Stop here when something is wrong.

        Raises:
            SpecError: One line per mistake, in file and line order.
        """
        if self.found:
            raise SpecError("\n".join(str(problem) for problem in sorted(self.found)))


class Source:
    """One YAML file: its plain value, the line of each part, and who it speaks of.

    Args:
        path: As it shall stand in messages.
        text: The file's content.
        problems: Where mistakes go.
        subject: Before every message: ``In deck 'storage': ``.
    """

    def __init__(self, path: str, text: str, problems: Problems, subject: str = "") -> None:
        self.path = path
        self.subject = subject
        self.value: Any = None
        self._problems = problems
        self._key_lines: dict[Place, int] = {}
        self._lines: dict[Place, int] = {}
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                self.value = self._read(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            problems.add(path, line, f"{subject}this is not YAML: {error.problem}")
        except yaml.YAMLError as error:
            problems.add(path, 1, f"{subject}this is not YAML: {error}")
        finally:
            loader.dispose()

    def _read(self, loader: yaml.SafeLoader, node: yaml.Node, place: Place) -> Any:
        self._lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            value: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = loader.construct_object(key_node, deep=True)
                line = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    text = f"this key reads as {key!r}; another word, or quotes, would be right"
                    self._problems.add(self.path, line, self.subject + text)
                    continue
                if key in value:
                    text = f"'{key}' stands here twice; remove one"
                    self._problems.add(self.path, line, self.subject + text)
                    continue
                self._key_lines[(*place, key)] = line
                value[key] = self._read(loader, value_node, (*place, key))
            return value
        if isinstance(node, yaml.SequenceNode):
            return [
                self._read(loader, item, (*place, index)) for index, item in enumerate(node.value)
            ]
        return loader.construct_object(node, deep=True)

    def line(self, place: Place, *, at_key: bool = False) -> int:
        """Return the line of a value (or its key), or of the nearest part around it that exists."""
        while place:
            if at_key and place in self._key_lines:
                return self._key_lines[place]
            if place in self._lines:
                return self._lines[place]
            place = place[:-1]
        return self._lines.get((), 1)

    def problem(self, place: Place, text: str, *, at_key: bool = False) -> None:
        """Record a mistake at a place of this file."""
        self._problems.add(self.path, self.line(place, at_key=at_key), self.subject + text)


def read_source(file: Path, shown_as: str, problems: Problems, subject: str = "") -> Source | None:
    """Read a YAML file; None, with the problem recorded, when it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        problems.add(shown_as, 1, f"cannot be read: {error.strerror}")
        return None
    except UnicodeDecodeError:
        problems.add(shown_as, 1, "cannot be read: it is not UTF-8")
        return None
    before = len(problems.found)
    source = Source(shown_as, text, problems, subject)
    if len(problems.found) == before and not isinstance(source.value, dict):
        source.problem((), "this is no mapping; `key: value` lines are expected")
    return source if isinstance(source.value, dict) else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``'doc' would be right`` for the known word most like it, else the whole list."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    return f"{one_of(close or known)} would be right"


def one_of(words: Iterable[str]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    quoted = [f"'{word}'" for word in words]
    if not quoted:
        return "nothing"
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
