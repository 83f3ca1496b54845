"""The stages of a workflow file, checked against the decks, in an order in which they can run."""

from typing import Any

from tools.kwe import abi
from tools.kwe.arguments import ArgumentReader, bound_stage
from tools.kwe.errors import SpecError
from tools.kwe.flow import Flow, FlowReader
from tools.kwe.nesting import FOR_EACH, LOOP_DECK, UNTIL, unnest
from tools.kwe.sources import (
    FromConstant,
    FromEvent,
    FromFirst,
    FromPiece,
    FromPrevious,
    FromStage,
    Source,
    Stage,
)
from tools.kwe.spec import Workflow, parse_size
from tools.kwe.system import Deck, Op, Port, System
from tools.kwe.variants import KEY, find_op
from tools.kwe.yaml_source import Source as TextSource

# Keys of a stage that are neither an input nor a parameter of its operation.
OWN_KEYS = ("op", "needs", "join", "if", "timeout", "at_most", KEY)
PIECE = "[part]"
PREVIOUS = "previous."


def input_stage(value: object) -> str | None:
    """Return the stage that an input's text names: `load`, `load[part]`, `previous.load`."""
    if not isinstance(value, str) or value.startswith("$"):
        return None
    return value.removeprefix(PREVIOUS).removesuffix(PIECE)


class _Resolver:
    """Resolves one workflow file; every error points at its line."""

    def __init__(self, source: TextSource, spec: Workflow, system: System) -> None:
        self.source = source
        self.spec = spec
        self.system = system
        self.nest = unnest(source, spec.stages)
        self.fields = self.nest.fields
        self.open: set[str] = set()  # any variant may run
        self.ops = {name: self._find_op(name) for name in self.fields}
        ops = {name: op for name, (_, op) in self.ops.items()}
        self.reader = FlowReader(source, self.fields, self.nest.places, ops, system)
        self.at = self.reader.at
        for name in self.fields:
            self._use_presets(name)
        self.flows = {name: self._flow(name) for name in self.fields}
        self.needs = self._all_needs()
        self.order = self._sort()
        self.number = {name: index for index, name in enumerate(self.order)}
        self.arguments = ArgumentReader(self.reader, spec, self.nest, self.ops, self.number)

    # ---- which operation ------------------------------------------------------------------

    def _find_op(self, stage: str) -> tuple[Deck, Op]:
        loop = self.nest.loops.get(stage)
        if loop is not None:
            return LOOP_DECK, FOR_EACH if loop.kind == abi.STAGE_FOR_EACH else UNTIL
        place = self.nest.places[stage]

        def complain(key: str, text: str) -> SpecError:
            at = (*place, key) if key else place
            return self.source.error(at, f"stage {stage}: {text}")

        deck, op, is_open = find_op(self.system, self.fields[stage], complain)
        if is_open:
            self.open.add(stage)
        return deck, op

    def _use_presets(self, stage: str) -> None:
        """`kernel: sobel` stands for the parameters that the deck's file has under that name."""
        fields = self.fields[stage]
        for key, choices in self.ops[stage][1].presets.items():
            if key not in fields:
                continue
            choice = fields.pop(key)
            if not isinstance(choice, str) or choice not in choices:
                raise self.source.error(
                    self.at(stage, key),
                    f"stage {stage}: {key}: {choice!r}; {', '.join(choices)} would be right",
                )
            self.fields[stage] = fields = {**choices[choice], **fields}

    # ---- in which order -------------------------------------------------------------------

    def _flow(self, stage: str) -> Flow:
        flow = self.reader.read(stage)
        loop = self.nest.loops.get(stage)
        if loop is None or loop.kind != abi.STAGE_UNTIL:
            return flow
        conditions = self.reader.conditions(stage, "until", loop.conditions)
        for condition in conditions:
            if condition.stage not in loop.body:
                raise self.source.error(
                    self.at(stage, "until"),
                    f"stage {stage}: until: {condition.stage} is not in the loop; "
                    f"{' or '.join(loop.body)} would be right",
                )
        return Flow(flow.needs, flow.tolerates, flow.join, conditions, flow.timeout_ns)

    def _named(self, stage: str) -> list[str]:
        """Stages that it needs or takes something of, but for the part before."""
        names = list(self.flows[stage].needs)
        fields, (_, op) = self.fields[stage], self.ops[stage]
        for port in op.inputs:
            value = fields.get(port.name)
            other = input_stage(value)
            if other is None:
                continue
            if str(value).startswith(PREVIOUS):
                self._check_previous(stage, port.name, other)
                continue
            self.reader.check_stage(stage, other, self.at(stage, port.name))
            names.append(other)
        for param in op.params:
            other = bound_stage(fields.get(param.name))
            if other is None or (param.element == "path" and other not in self.fields):
                continue
            is_previous = str(fields[param.name]).startswith(PREVIOUS)
            if other not in self.fields or not is_previous:
                self.reader.check_stage(stage, other, self.at(stage, param.name))
            if not is_previous:
                names.append(other)
        return list(dict.fromkeys(names))

    def _check_previous(self, stage: str, port: str, other: str) -> None:
        loop = self.nest.loop_of.get(stage)
        if loop is None or self.nest.loop_of.get(other) != loop:
            raise self.source.error(
                self.at(stage, port),
                f"stage {stage}: {port}: previous.{other}: a stage of the same loop, "
                "the part before, would be right",
            )

    def _all_needs(self) -> dict[str, list[str]]:
        """Whom each waits for: a body's stages within it, its loop for what lies outside."""
        needs: dict[str, list[str]] = {name: [] for name in self.fields}
        for stage in self.fields:
            loop = self.nest.loop_of.get(stage)
            for other in self._named(stage):
                others_loop = self.nest.loop_of.get(other)
                if loop == others_loop:
                    needs[stage].append(other)
                elif loop is None:
                    assert others_loop is not None
                    needs[stage].append(others_loop)
                elif other == loop or others_loop is not None:
                    raise self.source.error(
                        self.at(stage),
                        f"stage {stage}: it cannot wait for {other}, "
                        f"{'its own loop' if other == loop else 'which is in another loop'}",
                    )
                else:
                    needs[loop].append(other)
        return {stage: list(dict.fromkeys(names)) for stage, names in needs.items()}

    def _sort(self) -> list[str]:
        """Order the stages so that each comes after what it needs, a body right behind its loop."""
        top = [name for name in self.fields if name not in self.nest.loop_of]
        order: list[str] = []
        for name in self._sorted(top):
            order.append(name)
            if name in self.nest.loops:
                order += self._sorted(list(self.nest.loops[name].body))
        return order

    def _sorted(self, names: list[str]) -> list[str]:
        order: list[str] = []
        waiting = {name: set(self.needs[name]) for name in names}
        while waiting:
            ready = next((n for n, before in waiting.items() if before <= set(order)), None)
            if ready is None:
                first = next(iter(waiting))
                raise self.source.error(
                    self.at(first, "needs"),
                    f"stages {', '.join(waiting)} wait for each other in a circle",
                )
            order.append(ready)
            del waiting[ready]
        return order

    # ---- one stage ------------------------------------------------------------------------

    def stage(self, name: str) -> Stage:
        """Resolve one stage."""
        deck, op = self.ops[name]
        loop = self.nest.loops.get(name)
        self._check_keys(name, deck, op)
        inputs = self._inputs(name, op)
        outer = self.nest.loop_of.get(name)
        return Stage(
            name=name,
            deck=deck,
            op=op,
            needs=tuple(sorted(self.number[other] for other in self.needs[name])),
            inputs=inputs,
            arguments={param.name: self.arguments.read(name, param, inputs) for param in op.params},
            limit=self._limit(name, deck, op),
            flow=self.flows[name],
            tolerates=frozenset(self.number[other] for other in self.flows[name].tolerates),
            loop=None if outer is None else self.number[outer],
            kind=0 if loop is None else loop.kind,
            body=0 if loop is None else len(loop.body),
            bound=0 if loop is None else loop.bound,
            is_open=name in self.open,
        )

    def _check_keys(self, name: str, deck: Deck, op: Op) -> None:
        known = [*OWN_KEYS, *(p.name for p in op.inputs), *(p.name for p in op.params), *op.presets]
        for key in self.fields[name]:
            if key not in known:
                raise self.source.error(
                    self.at(name, key),
                    f"stage {name}: {deck.name}.{op.name} has no {key!r}; "
                    f"{', '.join(known)} would be right",
                    at_key=True,
                )

    def _inputs(self, stage: str, op: Op) -> tuple[Source, ...]:
        fields = self.fields[stage]
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
                self.at(stage),
                f"stage {stage}: input {wanted} has to come from one stage each, `needs` offers "
                f"{have}; `{open_ports[0].name}: STAGE` would be right",
            )
        if len(open_ports) > 1:
            raise self.source.error(
                self.at(stage, "needs"),
                f"stage {stage}: which stage is which input? "
                f"`{open_ports[0].name}: {offered[0]}` and so on would be right",
            )
        named |= {port.name: other for port, other in zip(open_ports, offered, strict=False)}
        bound = [port for port in op.inputs if port.name in named]
        for port, expected in zip(bound, op.inputs, strict=False):
            if port != expected:
                raise self.source.error(
                    self.at(stage, port.name),
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
        place = self.at(stage, port)
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
        other = input_stage(value)
        if other is None:
            raise self.source.error(place, f"stage {stage}: {port}: a stage would be right")
        output = self.ops[other][1].output
        if output is None:
            raise self.source.error(
                place, f"stage {stage}: {port}: stage {other!r} has no output to take"
            )
        if wanted not in ("bytes", output.type):
            producers = [
                n for n, (_, op) in self.ops.items() if op.output and op.output.type == wanted
            ]
            raise self.source.error(
                place,
                f"stage {stage}: input {port} takes {wanted}, stage {other!r} gives {output.type}; "
                f"{', '.join(producers) or f'a stage that gives {wanted}'} would be right",
            )
        if value.startswith(PREVIOUS):
            return FromPrevious(self.number[other])
        if value.endswith(PIECE):
            if stage not in self.nest.loop_of or other in self.nest.loop_of:
                raise self.source.error(
                    place,
                    f"stage {stage}: {port}: in a loop, a stage before it would be right: only "
                    "there are parts of it",
                )
            return FromPiece(self.number[other])
        return FromStage(self.number[other])

    # ---- limits ---------------------------------------------------------------------------

    def _limit(self, stage: str, deck: Deck, op: Op) -> str | int | None:
        value = self.fields[stage].get("at_most")
        place = self.at(stage, "at_most")
        known = [f"limits.{name}" for name in self.spec.limits]
        would_be = f"{' or '.join([*known, '16 MiB'])} would be right"
        if value is None:
            if op.output is not None and op.output.at_most.limit:
                raise self.source.error(
                    self.at(stage),
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


def resolve_stages(source: TextSource, spec: Workflow, system: System) -> list[Stage]:
    """Check the stages against the decks.

    Raises:
        SpecError: ``path:line:column: what is wrong, what would be right``.
    """
    resolver = _Resolver(source, spec, system)
    stages = [resolver.stage(name) for name in resolver.order]
    _check_result(source, spec, list(resolver.fields))
    _check_uses(source, spec, stages)
    return stages


def _check_result(source: TextSource, spec: Workflow, names: list[str]) -> None:
    if spec.result is not None and spec.result not in names:
        raise source.error(
            ("result",),
            f"result: there is no stage {spec.result!r}; {' or '.join(names)} would be right",
        )


def _is_files(spec: Workflow, name: str) -> bool:
    return name in spec.inputs and spec.inputs[name].kind == "files"


def _check_uses(source: TextSource, spec: Workflow, stages: list[Stage]) -> None:
    """Each input is taken, each output made."""
    paths = {a.name for s in stages for a in s.arguments.values() if isinstance(a, FromEvent)}
    constants = {i.name for s in stages for i in s.inputs if isinstance(i, FromConstant)}
    touched = {name[1:] for name in spec.touches if name.startswith("$")}
    for index, name in enumerate(spec.touches):
        if name.startswith("$") and not _is_files(spec, name[1:]):
            raise source.error(
                ("touches", index), f"touches: {name} is no input of kind files; /a/path is another"
            )
    for name in spec.inputs:
        if name not in paths | constants | touched:
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
