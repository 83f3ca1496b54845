"""Random graphs of every kind that the wire format has, and their blobs."""

from dataclasses import dataclass, field
from random import Random

from tools.kwe import abi
from tools.kwe.layout import align8

COMPUTE, DISK = 1, 3
OP_WORK, OP_PURE, OP_EFFECT = 1, 2, 3
EITHER = {COMPUTE: 4, DISK: 5}  # an operation that both have
PARAMS_BYTES = 32
USUAL_ROOM, MOST_ROOM = 100, 5000  # bytes of each output


@dataclass
class Binding:
    kind: int
    stage: int = abi.NO_STAGE
    target: int = 0
    index: int = 0


@dataclass
class Condition:
    stage: int
    what: int
    relation: str
    index: int
    constant: int


@dataclass
class Stage:
    kind: int = abi.STAGE_OP
    deck: int = COMPUTE
    op: int = OP_WORK
    join: int = abi.JOIN_ALL
    needs: dict[int, bool] = field(default_factory=dict)  # stage: does it tolerate that one's end?
    bindings: list[Binding] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    timeout_ns: int = 0
    is_open: bool = False  # either deck may run it
    # loops
    body: int = 0  # stages right behind it
    bound: int = 0
    total: int = 0
    part: int = 1
    # a body's stages
    loop: int | None = None

    @property
    def is_loop(self) -> bool:
        return self.kind != abi.STAGE_OP

    @property
    def is_pure(self) -> bool:
        return not self.is_loop and self.op in (OP_PURE, EITHER[self.deck])

    @property
    def decks(self) -> set[int]:
        """Return those that may run it."""
        return set(EITHER) if self.is_open else {self.deck}


@dataclass
class Graph:
    stages: list[Stage]
    result: int
    timeout_ns: int
    large_slots: int = 0
    most: int = 0  # of each output in these

    def body_of(self, loop: int) -> range:
        return range(loop + 1, loop + 1 + self.stages[loop].body)

    def encode(self, slots: int) -> bytes:
        """Return the blob."""
        records: list[bytes] = []
        needs: list[bytes] = []
        bindings: list[bytes] = []
        conditions: list[bytes] = []
        params = b""
        for index, stage in enumerate(self.stages):
            static = bytes(PARAMS_BYTES)
            if stage.kind == abi.STAGE_FOR_EACH:
                static = abi.PARTS.pack(total_bytes=stage.total, part_bytes=stage.part)
            elif stage.kind == abi.STAGE_UNTIL:
                static = b""
            records.append(
                abi.STAGE.pack(
                    kind=stage.kind,
                    join=stage.join,
                    deck=0 if stage.is_loop else stage.deck,
                    flags=abi.STAGE_ANY_VARIANT if stage.is_open else 0,
                    op=0 if stage.is_loop else stage.op,
                    dependency_first=len(needs),
                    dependency_count=len(stage.needs),
                    binding_first=len(bindings),
                    binding_count=len(stage.bindings),
                    condition_first=len(conditions),
                    condition_count=len(stage.conditions),
                    body_first=index + 1 if stage.is_loop else 0,
                    body_count=stage.body,
                    fallback=abi.NO_STAGE,
                    compensation=abi.NO_STAGE,
                    params_offset=len(params),
                    params_bytes=len(static),
                    bound=stage.bound,
                    timeout_ns=stage.timeout_ns,
                    out_most=0 if stage.is_loop else self.most,
                )
            )
            params += static
            needs += [
                abi.DEPENDENCY.pack(stage=before, flags=int(tolerates))
                for before, tolerates in stage.needs.items()
            ]
            bindings += [
                abi.BINDING.pack(
                    kind=b.kind, width=8, stage=b.stage, target=b.target, source_index=b.index
                )
                for b in stage.bindings
            ]
            conditions += [
                abi.CONDITION.pack(
                    stage=c.stage,
                    what=c.what,
                    relation=abi.RELATIONS[c.relation],
                    source_index=c.index,
                    constant=c.constant,
                )
                for c in stage.conditions
            ]
        parts = [
            b"".join(records),
            b"".join(needs),
            b"".join(bindings),
            b"".join(conditions),
            params,
            bytes(8),
        ]
        body = b"".join(align8(part) for part in parts)
        header = abi.WORKFLOW.pack(
            magic=abi.WORKFLOW_MAGIC,
            version=abi.WORKFLOW_VERSION,
            total_bytes=abi.WORKFLOW.size + len(body),
            stage_count=len(self.stages),
            result_stage=self.result,
            dependency_count=len(needs),
            binding_count=len(bindings),
            condition_count=len(conditions),
            params_bytes=len(params),
            names_bytes=8,
            slots=slots,
            large_slots=self.large_slots,
            program_bytes=4096,
            timeout_ns=self.timeout_ns,
        )
        return header + body


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.stages: list[Stage] = []

    def chance(self, of: int) -> bool:
        return self.random.randrange(of) == 0

    def outside(self) -> list[int]:
        return [i for i, stage in enumerate(self.stages) if stage.loop is None]

    def choose_needs(self, stage: Stage, among: list[int]) -> None:
        density = self.random.randint(1, 4)
        chosen = [i for i in among if self.chance(density)][-5:]
        if stage.loop is None and not stage.is_loop and len(chosen) >= 2 and self.chance(4):
            stage.join = abi.JOIN_FIRST
        stage.needs = {i: self.chance(6) for i in chosen}

    def sources(self, stage: Stage) -> list[int]:
        """Stages that are over when this one runs; of a loop that it needs, the body too."""
        direct = list(stage.needs)
        if stage.loop is not None:
            return direct + list(self.stages[stage.loop].needs)
        bodies = [
            k
            for i in direct
            if self.stages[i].is_loop
            for k in range(i + 1, i + 1 + self.stages[i].body)
        ]
        return direct + bodies

    def add_bindings(self, index: int, stage: Stage) -> None:
        sources = self.sources(stage)
        with_output = [i for i in sources if not self.stages[i].is_loop]
        target = 0
        if stage.join == abi.JOIN_FIRST:
            if all(not self.stages[i].is_loop for i in stage.needs) and self.chance(2):
                stage.bindings.append(Binding(abi.BIND_INPUT_STAGE, abi.ANY_STAGE, 0))
                stage.bindings.append(Binding(abi.BIND_PARAM_VALUE, abi.ANY_STAGE, 0, 1))
            return
        for source in self.random.sample(with_output, min(len(with_output), 2)):
            stage.bindings.append(Binding(abi.BIND_INPUT_STAGE, source, target))
            target += 1
        if self.chance(4):
            stage.bindings.append(Binding(abi.BIND_INPUT_EVENT, target=target))
            target += 1
        for offset, kind in ((0, abi.BIND_PARAM_VALUE), (8, abi.BIND_PARAM_STATUS)):
            if sources and self.chance(2):
                stage.bindings.append(Binding(kind, self.random.choice(sources), offset))
        if with_output and self.chance(3):
            stage.bindings.append(
                Binding(abi.BIND_PARAM_LENGTH, self.random.choice(with_output), 16)
            )
        if stage.loop is not None:
            self.add_body_bindings(stage, target)

    def add_body_bindings(self, stage: Stage, target: int) -> None:
        assert stage.loop is not None
        body = range(stage.loop + 1, stage.loop + 1 + self.stages[stage.loop].body)
        stage.bindings.append(
            Binding(abi.BIND_PARAM_PART, target=24, index=self.random.randrange(3))
        )
        if self.chance(3):
            stage.bindings.append(
                Binding(abi.BIND_INPUT_PREVIOUS, self.random.choice(body), target)
            )
            target += 1
        elif self.chance(4):
            stage.bindings.append(Binding(abi.BIND_PARAM_PREVIOUS, self.random.choice(body), 0, 1))
        if self.stages[stage.loop].kind == abi.STAGE_FOR_EACH and self.chance(3) and target < 4:
            stage.bindings.append(Binding(abi.BIND_INPUT_PART, abi.NO_STAGE, target))

    def add_conditions(self, stage: Stage) -> None:
        for source in self.sources(stage):
            if not self.chance(8):
                continue
            what = self.random.choice((abi.IF_STATUS, abi.IF_VALUE, abi.IF_LENGTH))
            if self.stages[source].is_loop and what == abi.IF_LENGTH:
                what = abi.IF_VALUE
            relation = self.random.choice(list(abi.RELATIONS))
            constant = self.random.choice((0, 1, 2, 50))
            stage.conditions.append(Condition(source, what, relation, 0, constant))

    def add_op(self, among: list[int], loop: int | None) -> None:
        random = self.random
        stage = Stage(deck=random.choice((COMPUTE, COMPUTE, DISK)), loop=loop)
        stage.op = random.choice((OP_PURE, OP_WORK, OP_WORK, OP_WORK, OP_EFFECT))
        if self.chance(4):
            stage.op = EITHER[stage.deck]
            stage.is_open = not self.chance(4)
        self.stages.append(stage)
        self.choose_needs(stage, among)

    def add_loop(self) -> None:
        random = self.random
        each = self.chance(2)
        loop = Stage(kind=abi.STAGE_FOR_EACH if each else abi.STAGE_UNTIL, op=0, deck=0)
        self.choose_needs(loop, self.outside())
        loop.body = random.randint(1, 3)
        at = len(self.stages)
        self.stages.append(loop)
        if each:
            loop.bound = random.randint(1, 3)
            loop.part = random.randint(1, 40)
            loop.total = random.choice((0, 1, loop.part, loop.part * random.randint(1, 7) + 1))
        else:
            loop.bound = random.randint(1, 5)
        for i in range(loop.body):
            self.add_op(list(range(at + 1, at + 1 + i)), at)
        if not each:
            for stage in random.sample(range(at + 1, at + 1 + loop.body), 1):
                relation = random.choice(("<", ">", ">="))
                loop.conditions.append(Condition(stage, abi.IF_VALUE, relation, 0, 50))


def make_graph(random: Random) -> Graph:
    """Return a graph that the kernel takes."""
    maker = _Maker(random)
    for _ in range(random.randint(1, 8)):
        if random.randrange(5) == 0:
            maker.add_loop()
        else:
            maker.add_op(maker.outside(), None)
    for index, stage in enumerate(maker.stages):
        if not stage.is_loop:
            maker.add_bindings(index, stage)
        if stage.kind != abi.STAGE_UNTIL and stage.loop is None:
            maker.add_conditions(stage)
        if random.randrange(12) == 0 and stage.loop is None:
            stage.timeout_ns = random.choice((1_000, 100_000, 3_000_000))
    ops = [i for i, stage in enumerate(maker.stages) if not stage.is_loop]
    result = random.choice([abi.NO_STAGE, *ops])
    timeout = random.choice((0, 0, 0, 0, 2_000_000))
    large_slots = random.choice((0, 0, 1, 2))
    return Graph(maker.stages, result, timeout, large_slots, MOST_ROOM if large_slots else 0)
