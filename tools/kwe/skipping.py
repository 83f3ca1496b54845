"""Which stages of a workflow may not have run although its event is done."""

from collections.abc import Sequence

from tools.kwe import abi
from tools.kwe.sources import FromEvent, Stage


def may_be_skipped(stages: Sequence[Stage]) -> set[int]:
    """Return the stages that a condition, a tolerated failure or a FIRST join may leave out.

    Args:
        stages: In an order in which they can run.
    """
    # A loop may have no part at all.
    skipped = {
        index
        for index, stage in enumerate(stages)
        if stage.loop is not None or (stage.flow.conditions and stage.kind != abi.STAGE_UNTIL)
    }
    for stage in stages:
        skipped |= stage.tolerates
        if stage.flow.join == abi.JOIN_FIRST:
            skipped |= _all_before(stages, stage)
    for index, stage in enumerate(stages):
        strict = set(stage.needs) - stage.tolerates
        if stage.flow.join == abi.JOIN_ALL and strict & skipped:
            skipped.add(index)
    return skipped


def _all_before(stages: Sequence[Stage], stage: Stage) -> set[int]:
    """Return all that comes before it: the losers of a FIRST join take that along."""
    found = set(stage.needs)
    for before in stage.needs:
        found |= _all_before(stages, stages[before])
    return found


def optional_outputs(stages: Sequence[Stage]) -> set[str]:
    """Return the outputs whose file an event may not have although it is done."""
    skipped = may_be_skipped(stages)
    return {
        argument.name
        for index, stage in enumerate(stages)
        if index in skipped
        for argument in stage.arguments.values()
        if isinstance(argument, FromEvent)
    }
