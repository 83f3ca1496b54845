"""A stage's parameters: numbers, paths, and what is taken from other stages as they run."""

import math
import re
from collections.abc import Mapping
from typing import Any

from tools.kwe import abi
from tools.kwe.flow import FlowReader, parse_duration
from tools.kwe.nesting import LOOP_DECK, Nest
from tools.kwe.sources import (
    Argument,
    Bound,
    FromEvent,
    FromLength,
    FromOutput,
    FromPart,
    FromPreviousValue,
    FromStage,
    FromStatus,
    FromValue,
    Source,
)
from tools.kwe.spec import Workflow, parse_size
from tools.kwe.system import Deck, Op, Param
from tools.kwe.yaml_source import Key

INTEGER_BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "i32": 32, "i64": 64}
# What a parameter can be bound to: its width is 4 or 8 bytes, and it is one number.
BOUND_ELEMENTS = ("u32", "u64")
PARTS = {"number": abi.PART_NUMBER, "offset": abi.PART_OFFSET, "length": abi.PART_LENGTH}
# An inlined stage has dots in its name: OUTER.INNER.VALUE.
BINDING = re.compile(r"(previous\.)?([a-z][a-z0-9_.]*)\.([a-z][a-z0-9_]*)")


def bound_stage(value: object) -> str | None:
    """Return the stage that a parameter's text takes something of; None: it is no such text."""
    match = BINDING.fullmatch(value) if isinstance(value, str) else None
    return None if match is None or match[2] == "part" else match[2]


class ArgumentReader:
    """Reads parameters; every error points at its line."""

    def __init__(
        self,
        reader: FlowReader,
        spec: Workflow,
        nest: Nest,
        ops: Mapping[str, tuple[Deck, Op]],
        number: Mapping[str, int],
    ) -> None:
        self.source = reader.source
        self.at = reader.at
        self.spec = spec
        self.nest = nest
        self.ops = ops
        self.number = number
        self.order = list(number)

    def read(self, stage: str, param: Param, inputs: tuple[Source, ...]) -> Argument:
        """Return one parameter of a stage.

        Raises:
            SpecError: It is missing, or cannot be.
        """
        deck, op = self.ops[stage]
        fields = self.nest.fields[stage]
        if param.name in fields:
            value = fields[param.name]
            if param.element == "path":
                return self._path(stage, op, param, value)
            if isinstance(value, str) and BINDING.fullmatch(value):
                return self._taken(stage, param, value)
            if deck is LOOP_DECK:
                return self._size(stage, param, value)
            return self._number(stage, param, value)
        if param.bound is not None:
            bound = self._bound(op, param, inputs)
            if bound is not None:
                return bound
        if param.default is None:
            why = (
                f" (the stage at input {param.bound.input} gives no {param.bound.value})"
                if param.bound
                else ""
            )
            raise self.source.error(
                self.at(stage), f"stage {stage}: the parameter {param.name!r} is missing{why}"
            )
        if param.element == "path":
            return str(param.default).encode()
        return self._number(stage, param, param.default)

    # ---- from other stages ----------------------------------------------------------------

    def _bound(self, op: Op, param: Param, inputs: tuple[Source, ...]) -> FromValue | None:
        """Find the value that the producer of the input offers."""
        assert param.bound is not None
        port = next(i for i, item in enumerate(op.inputs) if item.name == param.bound.input)
        producer = inputs[port]
        if not isinstance(producer, FromStage):
            return None
        values = self.ops[self.order[producer.stage]][1].values
        index = next((v.index for v in values if v.name == param.bound.value), None)
        return None if index is None else FromValue(producer.stage, index)

    def _taken(self, stage: str, param: Param, text: str) -> Bound:
        place = self.at(stage, param.name)
        match = BINDING.fullmatch(text)
        assert match is not None
        previous, other, what = match.groups()
        if param.element not in BOUND_ELEMENTS or param.count > 1:
            raise self.source.error(
                place,
                f"stage {stage}: {param.name} is {param.type}; only a parameter of "
                f"{' or '.join(BOUND_ELEMENTS)} can be taken from a stage",
            )
        if other == "part" or previous:
            return self._taken_in_loop(stage, param, previous is not None, other, what)
        op = self.ops[other][1]
        if what == "status":
            return FromStatus(self.number[other])
        if what == "length" and op.output is not None:
            return FromLength(self.number[other])
        return FromValue(self.number[other], self._value(stage, param, other, what))

    def _taken_in_loop(
        self, stage: str, param: Param, is_previous: bool, other: str, what: str
    ) -> Bound:
        place = self.at(stage, param.name)
        if stage not in self.nest.loop_of:
            raise self.source.error(
                place, f"stage {stage}: {param.name}: it stands in no loop: no part, none before it"
            )
        if is_previous:
            if self.nest.loop_of.get(other) != self.nest.loop_of[stage]:
                raise self.source.error(
                    place,
                    f"stage {stage}: {param.name}: previous.{other}: a stage of the same loop "
                    "would be right",
                )
            static = param.default if isinstance(param.default, int) else 0
            index = self._value(stage, param, other, what)
            return FromPreviousValue(self.number[other], index, static)
        if what not in PARTS:
            raise self.source.error(
                place,
                f"stage {stage}: {param.name}: a part has no {what!r}; "
                f"{', '.join(f'part.{name}' for name in PARTS)} would be right",
            )
        return FromPart(PARTS[what])

    def _value(self, stage: str, param: Param, other: str, what: str) -> int:
        op = self.ops[other][1]
        values = {v.name: v.index for v in op.values if v.type != "f64"}
        if what not in values:
            known = ["status", *(["length"] if op.output else []), *values]
            raise self.source.error(
                self.at(stage, param.name),
                f"stage {stage}: {param.name}: {other} has no {what!r}; "
                f"{', '.join(f'{other}.{item}' for item in known)} would be right",
            )
        return values[what]

    # ---- said in the file -----------------------------------------------------------------

    def _size(self, stage: str, param: Param, value: Any) -> int:
        try:
            return parse_size(value)
        except ValueError as error:
            raise self.source.error(
                self.at(stage, param.name),
                f"stage {stage}: for_each: {param.name}: {error}; so would STAGE.VALUE",
            ) from error

    def _number(self, stage: str, param: Param, value: Any) -> int | float | tuple[int, ...]:
        place = self.at(stage, param.name)
        if param.element == "f64":
            return self._real(stage, param, value)
        if param.element == "bool" and isinstance(value, bool):
            return int(value)
        if isinstance(value, str) and param.name.split("_")[-1] == "ns":
            value = self._duration(stage, param, value)
        numbers = value if param.count > 1 else [value]
        if not isinstance(numbers, list) or len(numbers) != param.count:
            raise self.source.error(
                place,
                f"stage {stage}: {param.name}: a list of {param.count} numbers would be right",
            )
        bits = INTEGER_BITS.get(param.element, 64)
        signed = param.element.startswith("i")
        low = param.min if param.min is not None else (-(1 << (bits - 1)) if signed else 0)
        high = param.max if param.max is not None else (1 << (bits - signed)) - 1
        for number in numbers:
            if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
                raise self.source.error(
                    place,
                    f"stage {stage}: {param.name}: {number!r} is out of range; "
                    f"a whole number from {low} to {high} would be right",
                )
        return tuple(numbers) if param.count > 1 else int(numbers[0])

    def _duration(self, stage: str, param: Param, value: str) -> int:
        """`period_ns: 100 ms`: a time may be said with its unit."""
        try:
            return parse_duration(value)
        except ValueError as error:
            raise self.source.error(
                self.at(stage, param.name), f"stage {stage}: {param.name}: {error}"
            ) from error

    def _real(self, stage: str, param: Param, value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise self.source.error(
                self.at(stage, param.name),
                f"stage {stage}: {param.name}: {value!r} is no finite number; 0.5 would be right",
            )
        return float(value)

    def _path(self, stage: str, op: Op, param: Param, value: Any) -> FromEvent | FromOutput | bytes:
        place: tuple[Key, ...] = self.at(stage, param.name)
        own = [self.spec.event_per] if self.spec.event_per else []
        files = [f"${name}" for name in (*own, *self._file_outputs())]
        if not isinstance(value, str):
            right = " or ".join([*files, "/a/path"])
            raise self.source.error(place, f"stage {stage}: {right} would be right")
        if value.startswith("$"):
            if value not in files:
                raise self.source.error(
                    place,
                    f"stage {stage}: {value} names no files of an event; "
                    f"{' or '.join([*files, '/a/path'])} would be right",
                )
            if value[1:] in own and "effect" in op.traits:
                raise self.source.error(
                    place,
                    f"stage {stage}: {op.name} would change the input {value}; "
                    f"{' or '.join(files[1:]) or 'an output of kind files'} would be right",
                )
            return FromEvent(value[1:])
        if BINDING.fullmatch(value):
            return self._found_path(stage, param, value)
        encoded = value.encode()
        if not re.fullmatch(r"(/[^/\0]+)+|/", value) or len(encoded) > 254:
            raise self.source.error(
                place,
                f"stage {stage}: {value!r} is no absolute path of at most 254 bytes; "
                f"{' or '.join([*files, '/a/path'])} would be right",
            )
        return encoded

    def _found_path(self, stage: str, param: Param, text: str) -> FromOutput:
        """`route.path`: the output of an earlier stage, which is a path and has that name."""
        other, _, what = text.partition(".")
        output = self.ops[other][1].output if other in self.ops else None
        if output is None or output.type != "path" or output.name != what:
            found = [
                f"{name}.{op.output.name}"
                for name, (_, op) in self.ops.items()
                if op.output is not None and op.output.type == "path"
            ]
            raise self.source.error(
                self.at(stage, param.name),
                f"stage {stage}: {text} is no path that a stage finds; "
                f"{', '.join(found) or 'an absolute path'} would be right",
            )
        if not self.spec.touches:
            raise self.source.error(
                self.at(stage, param.name),
                f"stage {stage}: {text} is only known as it runs; "
                "`touches: [$input]` or [/a/subtree] says where it may lie",
            )
        return FromOutput(self.number[other])

    def _file_outputs(self) -> list[str]:
        return [name for name, item in self.spec.outputs.items() if item.kind == "files"]
