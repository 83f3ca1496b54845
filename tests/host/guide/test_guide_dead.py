"""Stages that nobody misses do not run, in bodies neither; the rest goes on without them."""

from pathlib import Path

import pytest

from tests.host.guide.graphs import (
    DISK,
    OP_EFFECT,
    OP_PURE,
    Binding,
    Condition,
    Graph,
    Stage,
)
from tests.host.guide.guide_host import running
from tests.host.guide.simulation import SLOTS
from tools.kwe import abi


def each(parts: int, body: int) -> Stage:
    return Stage(kind=abi.STAGE_FOR_EACH, op=0, deck=0, body=body, bound=2, total=parts, part=1)


def until(body: int, condition: Condition) -> Stage:
    return Stage(kind=abi.STAGE_UNTIL, op=0, deck=0, body=body, bound=5, conditions=[condition])


def in_body(op: int, **keys: object) -> Stage:
    return Stage(deck=DISK, op=op, loop=0, **keys)  # type: ignore[arg-type]


# What nobody misses of it, and how often the others run.
USELESS_STAGE = (
    [each(3, 2), in_body(OP_EFFECT), in_body(OP_PURE)],
    {1: 3},
)
FEEDS_ITSELF = (
    [
        each(3, 2),
        in_body(OP_PURE, bindings=[Binding(abi.BIND_INPUT_PREVIOUS, 1, 0)]),
        in_body(OP_EFFECT),
    ],
    {2: 3},
)
ONLY_COUNTED = (
    [
        each(60_000, 1),
        in_body(OP_PURE),
        Stage(
            deck=DISK,
            op=OP_EFFECT,
            needs={0: False},
            bindings=[Binding(abi.BIND_PARAM_VALUE, 0, 0)],
        ),
    ],
    {2: 1},
)
WHOLE_LOOP = (
    [
        until(1, Condition(1, abi.IF_VALUE, ">", 0, 9)),
        in_body(OP_PURE),
        Stage(deck=DISK, op=OP_EFFECT),
    ],
    {2: 1},
)
ENDS_THE_LOOP = (
    [
        until(2, Condition(1, abi.IF_VALUE, ">=", 0, 0)),
        in_body(OP_PURE),
        in_body(OP_PURE),
        Stage(deck=DISK, op=OP_EFFECT, needs={0: False}),
    ],
    {1: 1, 3: 1},
)


@pytest.mark.parametrize(
    ("stages", "runs"),
    [USELESS_STAGE, FEEDS_ITSELF, ONLY_COUNTED, WHOLE_LOOP, ENDS_THE_LOOP],
    ids=["useless_stage", "feeds_itself", "only_counted", "whole_loop", "ends_the_loop"],
)
def test_only_what_is_missed_runs(
    program: Path, codes: dict[str, int], stages: list[Stage], runs: dict[int, int]
) -> None:
    graph = Graph(stages, abi.NO_STAGE, 0)
    seen: dict[int, int] = {}
    with running(program) as guide:
        guide.ask("workflow " + graph.encode(SLOTS).hex())
        guide.ask("submit 7 0 0 0 0")
        for _ in range(20):
            guide.ask("take 2 8")
            works, guide.works = guide.works, []
            for work in works:
                seen[work.stage] = seen.get(work.stage, 0) + 1
                guide.ask(f"answer 2 {work.ticket} 0 0 0")

        assert seen == runs
        assert [(r.status, r.step) for r in guide.results] == [(codes["OK"], len(stages))]
        guide.ask("end")


def test_how_many_parts_there_were_is_known_without_a_body(program: Path) -> None:
    stages, _ = ONLY_COUNTED
    with running(program) as guide:
        guide.ask("workflow " + Graph(stages, abi.NO_STAGE, 0).encode(SLOTS).hex())
        guide.ask("submit 7 0 0 0 0")
        guide.ask("take 2 8")

        work = guide.works[0]
        assert int.from_bytes(work.params[:8], "little") == 60_000
        guide.ask(f"answer 2 {work.ticket} 0 0 0")
        guide.ask("end")
