"""What the planner may do with a graph, in plain Python: leave stages out, begin some early."""

from collections.abc import Iterator

from tests.host.guide.graphs import Graph, Stage
from tools.kwe import abi


def successors(graph: Graph, index: int) -> Iterator[tuple[int, bool]]:
    """Return those that wait for a stage, in its own body or outside, and do they tolerate it."""
    for other, stage in enumerate(graph.stages):
        if index in stage.needs and stage.loop == graph.stages[index].loop:
            yield other, stage.needs[index]


def find_dead(graph: Graph) -> set[int]:
    """Return the pure stages that nothing is missed of; none, if that is all of them."""
    alive: set[int] = set()
    grows = True
    while grows:
        before = len(alive)
        for index, stage in enumerate(graph.stages):
            body = graph.body_of(index) if stage.is_loop else range(0)
            users = {other for other in alive if index in _uses(graph, other) or other in body}
            shows = not stage.is_loop and not stage.is_pure
            if users or shows or index == graph.result:
                alive.add(index)
        grows = len(alive) > before
    return set(range(len(graph.stages))) - alive if alive else set()


def _uses(graph: Graph, index: int) -> set[int]:
    """Return the stages that it waits for, takes from or asks about."""
    stage = graph.stages[index]
    return {*stage.needs, *(b.stage for b in stage.bindings), *(c.stage for c in stage.conditions)}


def find_early(graph: Graph, dead: set[int]) -> set[int]:
    """Return those that take nothing from what they wait for, which surely comes to pass."""
    certain = _find_certain(graph, dead)
    return {
        index
        for index, stage in enumerate(graph.stages)
        if stage.needs
        and index not in dead
        and _may_be_certain(stage, certain)
        and all(b.kind == abi.BIND_INPUT_EVENT for b in stage.bindings)
    }


def _find_certain(graph: Graph, dead: set[int]) -> set[int]:
    """Return pure stages after nothing but such, none of which may fail without its event."""
    certain: set[int] = set()
    for index, stage in enumerate(graph.stages):
        sole = all(
            not tolerates and graph.stages[after].join != abi.JOIN_FIRST
            for after, tolerates in successors(graph, index)
        )
        if index not in dead and _may_be_certain(stage, certain) and sole:
            certain.add(index)
    return certain


def _may_be_certain(stage: Stage, certain: set[int]) -> bool:
    return (
        stage.is_pure
        and stage.loop is None
        and not stage.conditions
        and stage.join != abi.JOIN_FIRST
        and all(before in certain and not ok for before, ok in stage.needs.items())
    )
