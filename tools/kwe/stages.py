"""The stages of a workflow file, checked against the decks, in an order in which they can run."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.kwe import abi
from tools.kwe.flow import Flow, FlowReader
from tools.kwe.spec import Workflow, parse_size
from tools.kwe.system import Deck, Op, Param, Port, System
from tools.kwe.yaml_source import YamlSource

# Keys of a stage that are neither an input nor a parameter of its operation.
OWN_KEYS = ("op", "needs", "join", "if", "timeout", "at_most")

INTEGER_BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "i32": 32, "i64": 64}


@dataclass(frozen=True)
class FromStage:
    """An input that is the output of an earlier stage."""

    stage: int


@dataclass(frozen=True)
class FromFirst:
    """An input that is the output of whichever of the stages before was the first."""


@dataclass(frozen=True)
class FromConstant:
    """An input that is a constant of the workflow."""

    name: str


@dataclass(frozen=True)
class FromValue:
    """A parameter that is a value of an earlier stage."""

    stage: int
    index: int


@dataclass(frozen=True)
class FromEvent:
    """A path parameter that is the event's own: the path of its input or output file."""

    name: str


Source = FromStage | FromFirst | FromConstant
Literal = int | float | tuple[int, ...] | bytes
Argument = Literal | FromValue | FromEvent


@dataclass(frozen=True)
class Stage:
    """One stage, every name resolved; stages are numbered in the order in which they can run."""

    name: str
    deck: Deck
    op: Op
    needs: tuple[int, ...]
    inputs: tuple[Source, ...]
    arguments: Mapping[str, Argument]  # by parameter
    limit: str | int | None  # the name of a limit, or bytes
    flow: Flow
    tolerates: frozenset[int]


class _Resolver:
    """Resolves one workflow file; every error points at its line."""

    def __init__(self, source: YamlSource, spec: Workflow, system: System) -> None:
        self.source = source
        self.spec = spec
        self.system = system
        self.ops = {name: self._find_op(name) for name in spec.stages}
        ops = {name: op for name, (_, op) in self.ops.items()}
        self.reader = FlowReader(source, spec.stages, ops, system)
        self.flows = {name: self.reader.read(name) for name in spec.stages}
        self.order = self._sort({name: self._dependencies(name) for name in spec.stages})
        self.number = {name: index for index, name in enumerate(self.order)}

    # ---- which operation ------------------------------------------------------------------

    def _find_op(self, stage: str) -> tuple[Deck, Op]:
        value = self.spec.stages[stage].get("op")
        place = ("stages", stage, "op")
        if value is None:
            raise self.source.error(
                ("stages", stage), f"stage {stage}: `op` is missing; `op: deck.operation` is right"
            )
        deck_name, _, op_name = str(value).partition(".")
        deck = self.system.decks.get(deck_name)
        if deck is None:
            raise self.source.error(
                place,
                f"stage {stage}: there is no deck {deck_name!r}; "
                f"{', '.join(self.system.decks)} would be right",
            )
        op = deck.op(op_name)
        if op is None:
            raise self.source.error(
                place,
                f"stage {stage}: deck {deck_name} has no operation {op_name!r}; "
                f"{', '.join(op.name for op in deck.ops)} would be right",
            )
        return deck, op

    # ---- in which order -------------------------------------------------------------------

    def _dependencies(self, stage: str) -> list[str]:
        """Stages that come before: those of `needs` and those named as an input."""
        names = list(self.flows[stage].needs)
        for port in self.ops[stage][1].inputs:
            value = self.spec.stages[stage].get(port.name)
            if isinstance(value, str) and not value.startswith("$"):
                self.reader.check_stage(stage, value, ("stages", stage, port.name))
                names.append(value)
        return list(dict.fromkeys(names))

    def _sort(self, needs: Mapping[str, list[str]]) -> list[str]:
        """Order the stages so that each comes after what it needs; else as in the file."""
        order: list[str] = []
        waiting = dict(needs)
        while waiting:
            ready = next((n for n, before in waiting.items() if set(before) <= set(order)), None)
            if ready is None:
                first = next(iter(waiting))
                raise self.source.error(
                    ("stages", first, "needs"),
                    f"stages {', '.join(waiting)} wait for each other in a circle",
                )
            order.append(ready)
            del waiting[ready]
        self.needs = needs
        return order

    # ---- one stage ------------------------------------------------------------------------

    def stage(self, name: str) -> Stage:
        """Resolve one stage."""
        deck, op = self.ops[name]
        known = [*OWN_KEYS, *(p.name for p in op.inputs), *(p.name for p in op.params)]
        for key in self.spec.stages[name]:
            if key not in known:
                raise self.source.error(
                    ("stages", name, key),
                    f"stage {name}: {deck.name}.{op.name} has no {key!r}; "
                    f"{', '.join(known)} would be right",
                    at_key=True,
                )
        inputs = self._inputs(name, op)
        return Stage(
            name=name,
            deck=deck,
            op=op,
            needs=tuple(sorted(self.number[other] for other in self.needs[name])),
            inputs=inputs,
            arguments={param.name: self._argument(name, op, param, inputs) for param in op.params},
            limit=self._limit(name, deck, op),
            flow=self.flows[name],
            tolerates=frozenset(self.number[other] for other in self.flows[name].tolerates),
        )

    def _inputs(self, stage: str, op: Op) -> tuple[Source, ...]:
        fields = self.spec.stages[stage]
        named = {port.name: fields[port.name] for port in op.inputs if port.name in fields}
        open_ports = [p for p in op.inputs if p.name not in named and not p.optional]
        offered = [
            other
            for other in self.flows[stage].needs
            if self.ops[other][1].output is not None and other not in named.values()
        ]
        if self.flows[stage].join == abi.JOIN_FIRST and len(open_ports) == 1:
            return (*self._first(stage, open_ports[0]),)
        if len(open_ports) > len(offered) or (open_ports and len(offered) > len(open_ports)):
            wanted = ", ".join(f"{port.name} ({port.type})" for port in open_ports)
            have = ", ".join(offered) or "nothing"
            raise self.source.error(
                ("stages", stage),
                f"stage {stage}: input {wanted} has to come from one stage each, `needs` offers "
                f"{have}; `{open_ports[0].name}: STAGE` would be right",
            )
        if len(open_ports) > 1:
            raise self.source.error(
                ("stages", stage, "needs"),
                f"stage {stage}: which stage is which input? "
                f"`{open_ports[0].name}: {offered[0]}` and so on would be right",
            )
        named |= {port.name: other for port, other in zip(open_ports, offered, strict=False)}
        bound = [port for port in op.inputs if port.name in named]
        for port, expected in zip(bound, op.inputs, strict=False):
            if port != expected:
                raise self.source.error(
                    ("stages", stage, port.name),
                    f"stage {stage}: input {port.name} without the one before it; "
                    f"`{expected.name}: STAGE` would be right",
                )
        return tuple(self._input(stage, port.name, port.type, named[port.name]) for port in bound)

    def _first(self, stage: str, port: Port) -> tuple[Source, ...]:
        """Check that whichever comes first gives what the one input takes."""
        for other in self.flows[stage].needs:
            self._input(stage, port.name, port.type, other)
        return (FromFirst(),)

    def _input(self, stage: str, port: str, wanted: str, value: Any) -> Source:
        place = ("stages", stage, port)
        if isinstance(value, str) and value.startswith("$"):
            item = self.spec.inputs.get(value[1:])
            if item is None or item.kind != "bytes":
                constants = [f"${n}" for n, i in self.spec.inputs.items() if i.kind == "bytes"]
                raise self.source.error(
                    place,
                    f"stage {stage}: {value} is no input of kind bytes; "
                    f"a stage{''.join(f' or {name}' for name in constants)} would be right",
                )
            return FromConstant(value[1:])
        if not isinstance(value, str):
            raise self.source.error(place, f"stage {stage}: {port}: a stage would be right")
        output = self.ops[value][1].output
        if output is None:
            raise self.source.error(
                place, f"stage {stage}: {port}: stage {value!r} has no output to take"
            )
        if wanted not in ("bytes", output.type):
            producers = [
                n for n, (_, op) in self.ops.items() if op.output and op.output.type == wanted
            ]
            raise self.source.error(
                place,
                f"stage {stage}: input {port} takes {wanted}, stage {value!r} gives {output.type}; "
                f"{', '.join(producers) or f'a stage that gives {wanted}'} would be right",
            )
        return FromStage(self.number[value])

    # ---- parameters -----------------------------------------------------------------------

    def _argument(self, stage: str, op: Op, param: Param, inputs: tuple[Source, ...]) -> Argument:
        fields = self.spec.stages[stage]
        if param.name in fields:
            value = fields[param.name]
            return (
                self._path(stage, op, param, value)
                if param.element == "path"
                else self._number(stage, param, value)
            )
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
                ("stages", stage), f"stage {stage}: the parameter {param.name!r} is missing{why}"
            )
        return self._number(stage, param, param.default)

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

    def _number(self, stage: str, param: Param, value: Any) -> int | float | tuple[int, ...]:
        place = ("stages", stage, param.name)
        if param.element == "f64":
            return self._real(stage, param, value)
        if param.element == "bool" and isinstance(value, bool):
            return int(value)
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

    def _real(self, stage: str, param: Param, value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise self.source.error(
                ("stages", stage, param.name),
                f"stage {stage}: {param.name}: {value!r} is no finite number; 0.5 would be right",
            )
        return float(value)

    def _path(self, stage: str, op: Op, param: Param, value: Any) -> FromEvent | bytes:
        place = ("stages", stage, param.name)
        files = [f"${name}" for name in (self.spec.event_per, *self._file_outputs())]
        if not isinstance(value, str):
            raise self.source.error(place, f"stage {stage}: {' or '.join(files)} would be right")
        if value.startswith("$"):
            if value not in files:
                raise self.source.error(
                    place,
                    f"stage {stage}: {value} names no files; {' or '.join(files)} would be right",
                )
            if value == files[0] and "effect" in op.traits:
                raise self.source.error(
                    place,
                    f"stage {stage}: {op.name} would change the input {value}; "
                    f"{' or '.join(files[1:]) or 'an output of kind files'} would be right",
                )
            return FromEvent(value[1:])
        encoded = value.encode()
        if not re.fullmatch(r"(/[^/\0]+)+|/", value) or len(encoded) > 254:
            raise self.source.error(
                place,
                f"stage {stage}: {value!r} is no absolute path of at most 254 bytes; "
                f"{' or '.join(files)} or /a/path would be right",
            )
        return encoded

    def _file_outputs(self) -> list[str]:
        return [name for name, item in self.spec.outputs.items() if item.kind == "files"]

    # ---- limits ---------------------------------------------------------------------------

    def _limit(self, stage: str, deck: Deck, op: Op) -> str | int | None:
        value = self.spec.stages[stage].get("at_most")
        place = ("stages", stage, "at_most")
        known = [f"limits.{name}" for name in self.spec.limits]
        would_be = f"{' or '.join([*known, '16 MiB'])} would be right"
        if value is None:
            if op.output is not None and op.output.at_most.limit:
                raise self.source.error(
                    ("stages", stage),
                    f"stage {stage}: how large {deck.name}.{op.name}'s output may be is not said; "
                    f"`at_most:` with {would_be}",
                )
            return None
        if op.output is None:
            raise self.source.error(place, f"stage {stage}: {op.name} has no output to limit")
        if isinstance(value, str) and value.startswith("limits."):
            if value not in known:
                raise self.source.error(place, f"stage {stage}: there is no {value}; {would_be}")
            return value.removeprefix("limits.")
        try:
            return parse_size(value)
        except ValueError as error:
            raise self.source.error(place, f"stage {stage}: at_most: {error}") from error


def resolve_stages(source: YamlSource, spec: Workflow, system: System) -> list[Stage]:
    """Check the stages against the decks.

    Raises:
        SpecError: ``path:line:column: what is wrong, what would be right``.
    """
    resolver = _Resolver(source, spec, system)
    stages = [resolver.stage(name) for name in resolver.order]
    paths = {a.name for s in stages for a in s.arguments.values() if isinstance(a, FromEvent)}
    constants = {i.name for s in stages for i in s.inputs if isinstance(i, FromConstant)}
    for name in spec.inputs:
        if name not in paths | constants:
            raise source.error(
                ("inputs", name),
                f"{name}: no stage takes it; `${name}` would be right",
                at_key=True,
            )
    for name, output in spec.outputs.items():
        written = {
            a.name
            for s in stages
            if "effect" in s.op.traits
            for a in s.arguments.values()
            if isinstance(a, FromEvent)
        }
        if output.kind == "files" and name not in written:
            raise source.error(
                ("outputs", name),
                f"{name}: no stage writes it; `path: ${name}` at a storage.write would be right",
                at_key=True,
            )
    return stages
