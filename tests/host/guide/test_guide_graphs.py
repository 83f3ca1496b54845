"""Graphs that Hypothesis makes and shrinks, good and bad, through checker, plan and Guide."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host.guide.graphs import DISK, OP_PURE, OP_WORK, Binding, Graph, Stage, make_graph
from tests.host.guide.guide_host import running
from tests.host.guide.simulation import SLOTS, Simulation
from tools.kwe import abi

GRAPHS = st.builds(make_graph, st.randoms(use_true_random=False))
# The program is started for each example: one that ended it must not end those that come after.
settings.register_profile("guide", max_examples=120, deadline=None, derandomize=True)
settings.load_profile("guide")


@given(graph=GRAPHS, seed=st.integers(0, 1 << 32))
def test_each_event_is_answered_once_as_the_reference_says(
    program: Path, codes: dict[str, int], graph: Graph, seed: int
) -> None:
    """In order, without a leak, and no output where another is still written or read."""
    with running(program) as guide:
        assert Simulation(guide, codes, seed, graph).run() == 6


def plan(program: Path, graph: Graph) -> str:
    with running(program) as guide:
        answer = guide.ask("workflow " + graph.encode(SLOTS).hex())
        guide.ask("end")
    return answer


# ---- one mistake each -------------------------------------------------------------------------


def waits_for_itself(graph: Graph, at: int) -> None:
    graph.stages[at].needs = {at: False}


def waits_for_none_there(graph: Graph, at: int) -> None:
    graph.stages[at].needs = {len(graph.stages): False}


def takes_of_none_before(graph: Graph, at: int) -> None:
    graph.stages[at].bindings = [Binding(abi.BIND_INPUT_STAGE, at, 0)]


def has_no_such_operation(graph: Graph, at: int) -> None:
    graph.stages[at].op = 77


def has_no_such_deck(graph: Graph, at: int) -> None:
    graph.stages[at].deck = 9


def takes_no_such_value(graph: Graph, at: int) -> None:
    graph.stages.append(Stage(needs={at: False}))
    graph.stages[-1].bindings = [Binding(abi.BIND_PARAM_VALUE, at, 0, 7)]


MISTAKES: dict[Callable[[Graph, int], None], str] = {
    waits_for_itself: "BAD_CYCLE",
    waits_for_none_there: "BAD_WORKFLOW",
    takes_of_none_before: "BAD_BINDING",
    has_no_such_operation: "UNKNOWN_OP",
    has_no_such_deck: "UNKNOWN_DECK",
    takes_no_such_value: "BAD_BINDING",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
@settings(max_examples=20)
@given(graph=GRAPHS, random=st.randoms(use_true_random=False))
def test_a_graph_with_a_mistake_is_refused_at_its_stage(
    program: Path,
    codes: dict[str, int],
    mistake: Callable[[Graph, int], None],
    graph: Graph,
    random: Random,
) -> None:
    outside = [
        i for i, stage in enumerate(graph.stages) if not stage.is_loop and stage.loop is None
    ]
    graph.stages.append(Stage())  # there is one outside
    at = random.choice([*outside, len(graph.stages) - 1])

    mistake(graph, at)
    answer = plan(program, graph)

    wrong = len(graph.stages) - 1 if mistake is takes_no_such_value else at
    assert answer == f"refused {codes[MISTAKES[mistake]]} {wrong}"


# ---- found by a fuzzer ------------------------------------------------------------------------


def test_what_waits_for_an_early_stage_waits_for_what_that_waits_for(
    program: Path, codes: dict[str, int]
) -> None:
    """It was fused to the early one, and ran, effect and all, while the first had yet to end."""
    first = Stage(deck=DISK, op=OP_PURE)
    early = Stage(deck=DISK, op=OP_PURE, needs={0: False})
    behind = Stage(deck=DISK, op=OP_WORK, needs={1: False})
    graph = Graph([first, early, behind], abi.NO_STAGE, 0)

    with running(program) as guide:
        guide.ask("workflow " + graph.encode(SLOTS).hex())
        guide.ask("submit 0 0 0 0 0")
        guide.ask("take 2 8")
        works = {work.stage: work for work in guide.works}
        guide.works = []
        assert set(works) == {0, 1}, "the second is early"
        guide.ask(f"answer 2 {works[1].ticket} 0 0 0")
        assert guide.works == [], "the third began before the first was over"
        guide.ask(f"answer 2 {works[0].ticket} {codes['IO_ERROR']} 0 0")
        guide.ask("take 2 8")
        assert guide.works == []
        assert [result.status for result in guide.results] == [codes["IO_ERROR"]]
        guide.ask("end")
