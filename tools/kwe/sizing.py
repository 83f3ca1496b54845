"""How much room a workflow takes: its limits, each stage's output, the slots, the guest's memory.

The Guide lays the arena out; what is worked out here only has to be no less than what it will ask
for, so that the guest is given enough memory and the disk enough blocks.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.kwe import abi
from tools.kwe.errors import SpecError
from tools.kwe.inputs import Inputs
from tools.kwe.sources import FromConstant, FromFirst, FromPiece, FromPrevious, FromStage, Stage
from tools.kwe.spec import Workflow

PAGE = 4096
MIB = 1 << 20

# Enough for full vectors to every deck, and small enough to stay warm.
MOST_SLOTS = 64
# Fewer would leave the disk or a CPU idle while an event is elsewhere.
WANTED_SLOTS = 8
LEAST_MEMORY_MIB = 128
# What the nucleus, the decks with their heaps, and the payload take beside the arena.
SYSTEM_MIB = 72
# Above this, q35 splits the memory around the PCI hole.
MOST_MEMORY_MIB = 2048
RING_SLOTS = 256
ACCELERATOR_DECK = "hardware"
# The accelerator's shared memory: room for some requests at once, if they are not huge.
LEAST_WINDOW_BYTES = 16 * MIB
WANTED_REQUESTS = 4
# Control pages, and what staggers buffers.
REQUEST_SLACK_BYTES = 64 << 10
ENOUGH_WINDOW_BYTES = 64 * MIB
# Large events get fewer slots rather than a large guest: its frames all have to be mapped.
ENOUGH_ARENA_BYTES = 512 * MIB
LEAST_SLOTS = 2
# Beside them, when a limit says what is expected: for events that turn out larger.
LARGE_SLOTS = 2


@dataclass(frozen=True)
class Sizing:
    """The numbers of one run."""

    limits: Mapping[str, int]  # by name, in bytes
    out_limits: tuple[int, ...]  # by stage, 0: by the operation's own rule
    out_mosts: tuple[int, ...]  # by stage: the same in a large slot, 0: no more
    rooms: tuple[int, ...]  # by stage: the most that its output can have
    slots: int
    large_slots: int
    ring_slots: int
    memory_mib: int
    window_bytes: int  # of the accelerator's shared memory


def up(number: int, step: int) -> int:
    """Round up to a multiple of `step`."""
    return (number + step - 1) // step * step


def work_out_limits(spec: Workflow, inputs: Inputs) -> dict[str, int]:
    """Give each limit its bytes: what the largest input needs, up to the limit's most."""
    measured = (
        {}
        if spec.standing
        else {
            f"{spec.event_per}.bytes": max((file.size_bytes for file in inputs.files), default=0),
            f"{spec.event_per}.rgb8_bytes": max(
                (file.rgb8_bytes for file in inputs.files), default=0
            ),
        }
    )
    limits = {}
    for name, limit in spec.limits.items():
        most = limit.at_most or limit.expect or 0
        wanted = most if limit.source is None else measured[limit.source]
        limits[name] = min(most, max(wanted, 1))
    return limits


def work_out_sizes(
    spec: Workflow, stages: Sequence[Stage], inputs: Inputs, cpus: int, block_bytes: int
) -> Sizing:
    """Choose slots and memory.

    Raises:
        SpecError: Not even one event fits the most memory that a guest is given here.
    """
    limits = work_out_limits(spec, inputs)
    out_limits = tuple(
        limits[stage.limit] if isinstance(stage.limit, str) else stage.limit or 0
        for stage in stages
    )
    out_mosts = tuple(
        (spec.limits[stage.limit].most or 0) if isinstance(stage.limit, str) else 0
        for stage in stages
    )
    large_slots = LARGE_SLOTS if any(out_mosts) else 0
    rooms = _rooms(stages, inputs, out_limits)
    slot_bytes = _slot_bytes(stages, rooms, cpus)
    if large_slots:
        most = [large or usual for large, usual in zip(out_mosts, out_limits, strict=True)]
        rooms = _rooms(stages, inputs, most)
    large_bytes = large_slots * _slot_bytes(stages, rooms, cpus)
    affordable = max(LEAST_SLOTS, ENOUGH_ARENA_BYTES // max(slot_bytes, 1))
    events = spec.standing.concurrency if spec.standing else len(inputs.files)
    wanted = events if spec.standing else max(1, min(WANTED_SLOTS, affordable, events))
    fixed_mib = SYSTEM_MIB + up(RING_SLOTS * block_bytes + large_bytes, MIB) // MIB
    most_mib = _most_memory_mib()
    memory_mib = max(LEAST_MEMORY_MIB, up(fixed_mib + up(wanted * slot_bytes, MIB) // MIB, 32))
    memory_mib = min(memory_mib, most_mib)
    slots = (memory_mib - fixed_mib) * MIB // max(slot_bytes, 1)
    if slots < (events if spec.standing else 1):
        raise SpecError(
            f"one event of {spec.workflow} takes {up(slot_bytes, MIB) // MIB} MiB, and a guest has "
            f"{most_mib - fixed_mib} MiB for events at most; lower `limits`"
            f"{', or less concurrency,' if spec.standing else ''} would be right"
        )
    return Sizing(
        limits,
        out_limits,
        out_mosts,
        rooms,
        min(slots, MOST_SLOTS),
        large_slots,
        RING_SLOTS,
        memory_mib,
        _window(stages, rooms),
    )


def _slot_bytes(stages: Sequence[Stage], rooms: Sequence[int], cpus: int) -> int:
    """Return what an event takes.

    An output is reserved in the segment of each instance that may run the stage; an odd page
    staggers it.
    """
    return sum(
        _lanes(stages, stage)
        * (up(room, PAGE) + PAGE)
        * (cpus if stage.deck.instances == "per_cpu" else 1)
        for stage, room in zip(stages, rooms, strict=True)
        if room
    )


def _lanes(stages: Sequence[Stage], stage: Stage) -> int:
    """Return how often a stage's output is there at once: a body's parts, and the one before."""
    if stage.loop is None:
        return 1
    loop = stages[stage.loop]
    return 1 + (loop.bound if loop.kind == abi.STAGE_FOR_EACH else 1)


def _rooms(stages: Sequence[Stage], inputs: Inputs, out_limits: Sequence[int]) -> tuple[int, ...]:
    rooms: list[int] = []
    for stage, out_limit in zip(stages, out_limits, strict=True):
        output = stage.op.output
        if output is None:
            rooms.append(0)
            continue
        if out_limit:
            rooms.append(out_limit)
            continue
        rule = output.at_most
        room = rule.base
        if rule.of is not None:
            port = next(i for i, item in enumerate(stage.op.inputs) if item.name == rule.of)
            match stage.inputs[port]:
                case FromConstant(name):
                    size = len(inputs.constants[name])
                case FromFirst():
                    size = max(rooms[before] for before in stage.needs)
                case FromStage(producer) | FromPiece(producer):
                    size = rooms[producer]
                case FromPrevious(producer):
                    size = rooms[producer] if producer < len(rooms) else 0
            room += up(up(size, PAGE) * rule.numerator, rule.denominator) // rule.denominator
        rooms.append(room)
    return tuple(rooms)


def _window(stages: Sequence[Stage], rooms: Sequence[int]) -> int:
    """Size the accelerator's shared memory, a power of two, for its stages' inputs and outputs."""
    request = max(
        (
            room + sum(rooms[item.stage] for item in stage.inputs if isinstance(item, FromStage))
            for stage, room in zip(stages, rooms, strict=True)
            if stage.deck.name == ACCELERATOR_DECK
        ),
        default=0,
    )
    request += REQUEST_SLACK_BYTES
    wanted = max(request, min(WANTED_REQUESTS * request, ENOUGH_WINDOW_BYTES))
    return int(max(LEAST_WINDOW_BYTES, 1 << (wanted - 1).bit_length()))


def _most_memory_mib() -> int:
    """Half of the host's memory, and no more than a guest can use in one piece."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
    return max(LEAST_MEMORY_MIB, min(MOST_MEMORY_MIB, total // 2))
