"""A workflow in one line.

    read clip ! jpeg_decode ! convolve kernel=sobel ! jpeg_encode ! write out

Each word between the marks is an operation, then what it takes: `key=value`, or the name of the
files that it reads or writes. Its short name is enough where only one deck has it, or where several
have it as variants: any of these may run it then. Each stage takes the output of the one before it.
What a workflow file says beside that is worked out: inputs, outputs, limits.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tools.kwe.spec import Workflow, check_workflow
from tools.kwe.system import Deck, Op, System
from tools.kwe.variants import offered
from tools.kwe.yaml_source import Mark, Source

NAME = "pipe"
MARK = "!"
JPEG_SUFFIXES = [".jpg", ".jpeg"]
MOST_FILE, MOST_PICTURE, MOST_ELSE = "256 MiB", "512 MiB", "64 MiB"
DIGEST = "sha256"


class PipeSource(Source):
    """The line, and the workflow that it stands for."""

    def __init__(self, text: str, system: System) -> None:
        super().__init__(Path("--pipe"), text)
        self.system = system
        self.stages: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.limits: dict[str, Any] = {}
        self.ops: list[Op] = []
        for words in self._split(text):
            self._add(words)
        self._finish()
        self.value = {
            "workflow": NAME,
            "doc": text,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "limits": self.limits,
            "event_per": next(iter(self.inputs)),
            "stages": self.stages,
            **({"result": list(self.stages)[-1]} if self.ops[-1].name == DIGEST else {}),
        }

    def _split(self, text: str) -> list[list[tuple[int, str]]]:
        """Return each stage's words with their columns."""
        stages: list[list[tuple[int, str]]] = [[]]
        for match in re.finditer(r"\S+", text):
            if match[0] == MARK:
                stages.append([])
            else:
                stages[-1].append((match.start() + 1, match[0]))
        if not all(stages):
            column = text.find(MARK) + 1
            raise self.error_at(
                Mark(1, max(column, 1)), "an operation on each side of every ! would be right"
            )
        return stages

    # ---- operations -----------------------------------------------------------------------

    def _find(self, column: int, word: str) -> tuple[tuple[Deck, Op], str]:
        """Return the operation, one of them where several decks offer it, and what `op:` says."""
        deck_name, _, op_name = word.rpartition(".")
        decks = [deck for deck in self.system.decks.values() if deck_name in ("", deck.name)]
        found = [(deck, op) for deck in decks if (op := deck.op(op_name)) and op.number != 0]
        if not found:
            known = sorted({op.name for deck in decks for op in deck.ops if op.number != 0})
            raise self.error_at(
                Mark(1, column),
                f"there is no operation {word!r}; {', '.join(known) or 'deck.operation'} "
                "would be right",
            )
        offers = offered(self.system, word)
        if len(offers) == len(found) > 1:
            return offers[0], word  # which of them runs is left to the kernel
        if len(found) > 1:
            names = [f"{deck.name}.{op.name}" for deck, op in found]
            raise self.error_at(
                Mark(1, column), f"which {word!r}? {' or '.join(names)} would be right"
            )
        [(deck, op)] = found
        return (deck, op), f"{deck.name}.{op.name}"

    def _add(self, words: list[tuple[int, str]]) -> None:
        column, word = words[0]
        (_, op), named = self._find(column, word)
        name = op.name
        while name in self.stages:
            name = f"{op.name}_{len(self.stages) + 1}"
        place = ("stages", name)
        self._values[place] = Mark(1, column)
        self._values[*place, "op"] = Mark(1, column)
        fields: dict[str, Any] = {"op": named}
        if self.stages and op.inputs:
            fields["needs"] = list(self.stages)[-1]
        for at, item in words[1:]:
            key, equals, text = item.partition("=")
            if not equals:
                key, value = self._files(at, op, item)
            else:
                value = self._value(at + len(key) + 1, text)
            if key in fields:
                raise self.error_at(Mark(1, at), f"{key!r} stands here twice; remove one")
            fields[key] = value
            self._keys[*place, key] = self._values[*place, key] = Mark(1, at)
        self._limit(op, fields)
        self.stages[name] = fields
        self.ops.append(op)

    def _value(self, column: int, text: str) -> Any:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise self.error_at(Mark(1, column), f"{text!r} is no value") from error

    def _files(self, column: int, op: Op, name: str) -> tuple[str, str]:
        """Take a word alone: the files that the operation reads or writes."""
        paths = [param.name for param in op.params if param.element == "path"]
        if len(paths) != 1 or not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
            raise self.error_at(
                Mark(1, column),
                f"{name!r}: {op.name} takes KEY=VALUE"
                f"{' and the name of files, of a-z, 0-9 and _' if paths else ''}; "
                f"its keys are {', '.join(_keys(op)) or 'none'}",
            )
        if "effect" in op.traits:
            self.outputs[name] = {"kind": "files"}
        else:
            self.inputs[name] = {"kind": "files"}
        return paths[0], f"${name}"

    def _limit(self, op: Op, fields: dict[str, Any]) -> None:
        if op.output is None or not op.output.at_most.limit or "at_most" in fields:
            return
        files = next(iter(self.inputs), None)
        if files is None:
            fields["at_most"] = MOST_ELSE
        elif op.output.type == "rgb8":
            self.inputs[files] |= {"media": "jpeg", "suffix": JPEG_SUFFIXES}
            self.limits["picture"] = {"from": f"{files}.rgb8_bytes", "at_most": MOST_PICTURE}
            fields["at_most"] = "limits.picture"
        elif not self.stages:
            self.limits["file"] = {"from": f"{files}.bytes", "at_most": MOST_FILE}
            fields["at_most"] = "limits.file"
        else:
            fields["at_most"] = MOST_ELSE

    def _finish(self) -> None:
        if not self.inputs:
            raise self.error(
                ("stages", next(iter(self.stages))),
                "nothing is read; `read NAME ! ...` with --input NAME=DIR would be right",
            )
        if self.ops[-1].name == DIGEST:
            self.outputs["digests"] = {"kind": "sha256sum"}
        elif "effect" not in self.ops[-1].traits:
            raise self.error(
                ("stages", list(self.stages)[-1]),
                "what comes out here goes nowhere; `! write NAME` behind it would be right",
            )


def _keys(op: Op) -> list[str]:
    return [*op.presets, *(param.name for param in op.params)]


def read_pipe(text: str, system: System) -> tuple[Source, Workflow]:
    """Return the workflow that the line stands for.

    Raises:
        SpecError: ``--pipe:1:column: what is wrong, what would be right``.
    """
    source = PipeSource(text, system)
    return source, check_workflow(source)
