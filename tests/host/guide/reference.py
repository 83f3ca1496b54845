"""What must become of an event, in plain Python: slow, simple, and written apart from the Guide.

Nothing here is incremental: after every change all rules are looked at again until none applies.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.host.guide.graphs import (
    DISK,
    OP_EFFECT,
    PARAMS_BYTES,
    USUAL_ROOM,
    Condition,
    Graph,
    Stage,
)
from tests.host.guide.reference_plan import find_dead, find_early, successors
from tools.kwe import abi

RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class State(Enum):
    WAITING = auto()
    READY = auto()
    IN_HAND = auto()
    LOOPING = auto()
    HELD = auto()  # answered, and what it waits for is not over: it started early
    ABANDONED = auto()  # in hand, and nobody waits for it
    DONE = auto()
    FAILED = auto()
    SKIPPED = auto()


OVER = (State.DONE, State.FAILED, State.SKIPPED)


@dataclass
class Run:
    """One stage; of a body, in one part."""

    stage: int
    part: int = 0
    state: State = State.WAITING
    status: int = 0
    length: int = 0
    values: tuple[int, int] = (0, 0)
    offset: int = 0  # of its output, once it was handed over
    deck: int = 0  # that had it last
    tried: set[int] = field(default_factory=set)  # decks that said something of themselves alone
    winner: int | None = None
    blame: int = abi.NO_STAGE
    deadline_ns: int | None = None


@dataclass
class Loop:
    """One that runs, or did."""

    total: int
    part: int
    count: int
    started: int = 0
    done: int = 0


@dataclass
class Reference:
    """One event."""

    graph: Graph
    codes: dict[str, int]
    input_offset: int
    input_length: int
    runs: dict[tuple[int, int], Run] = field(default_factory=dict)
    loops: dict[int, Loop] = field(default_factory=dict)
    verdict: tuple[int, int] | None = None  # status, stage
    step: int = 0
    now_ns: int = 0
    is_large: bool = False  # it has a place in which each output has the most
    stands: bool = False
    dead: set[int] = field(init=False)
    early: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.dead = find_dead(self.graph)
        self.early = find_early(self.graph, self.dead)
        for index, stage in enumerate(self.graph.stages):
            if stage.loop is None:
                self.runs[index, 0] = Run(index)
        for index in self.dead:
            if (index, 0) in self.runs:
                self._leave_nothing(self.runs[index, 0], State.SKIPPED, self.codes["CANCELLED"])
        for index in self.early:
            self._start(self.runs[index, 0])
        self.settle()

    # ---- the graph ----------------------------------------------------------------------------

    def _live_body(self, loop: int) -> list[int]:
        return [index for index in self.graph.body_of(loop) if index not in self.dead]

    def _run(self, stage: int, part: int) -> Run:
        return self.runs[stage, part if self.graph.stages[stage].loop is not None else 0]

    def _next_runs(self, run: Run) -> Iterator[tuple[Run, bool]]:
        for other, tolerates in successors(self.graph, run.stage):
            if (other, run.part) in self.runs:
                yield self.runs[other, run.part], tolerates

    def _last(self, stage: int) -> Run | None:
        """Return the run that stands for a stage after all; None: its loop did nothing."""
        loop = self.graph.stages[stage].loop
        if loop is None:
            return self.runs[stage, 0]
        if loop not in self.loops or self.loops[loop].started == 0:
            return None
        return self.runs[stage, self.loops[loop].started - 1]

    def _source(self, run: Run, stage: int) -> Run | None:
        index = run.winner if stage == abi.ANY_STAGE else stage
        assert index is not None
        if self.graph.stages[run.stage].loop is not None and (
            self.graph.stages[index].loop is not None
        ):
            return self.runs[index, run.part]
        return self._last(index)

    # ---- ends ---------------------------------------------------------------------------------

    def _leave_nothing(self, run: Run, state: State, status: int) -> None:
        run.state, run.status, run.length, run.values = state, status, 0, (0, 0)
        run.deadline_ns = None

    def _abandon(self, run: Run) -> None:
        run.state = State.ABANDONED
        run.status = run.status or self.codes["CANCELLED"]
        run.deadline_ns = None

    def fail_event(self, status: int, stage: int) -> None:
        if self.needs_room and stage == abi.NO_STAGE:
            self.verdict = (status, stage)  # it was to begin again: now it is not
        if self.verdict is not None:
            return
        self.verdict = (status, stage)
        self.step = self._count_step()
        for run in self.runs.values():
            if run.state == State.IN_HAND:
                self._abandon(run)
            elif run.state not in (*OVER, State.ABANDONED):
                self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])

    def _count_step(self) -> int:
        count = 0
        for index, stage in enumerate(self.graph.stages):
            if stage.loop is None and self.runs[index, 0].state in (*OVER, State.ABANDONED):
                count += 1 + stage.body
        return count

    def _spread_skips(self) -> None:
        """What strictly needs something that failed or was skipped is skipped, and so on."""
        changed = True
        while changed:
            changed = False
            for run in self.runs.values():
                stage = self.graph.stages[run.stage]
                if run.state != State.WAITING or stage.join == abi.JOIN_FIRST:
                    continue
                if any(
                    not ok and self._run(before, run.part).state in (State.FAILED, State.SKIPPED)
                    for before, ok in stage.needs.items()
                ):
                    self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
                    changed = True

    def fail(self, run: Run, status: int, blame: int) -> None:
        if self.verdict is not None:
            return
        if not self._needs_are_over(run):
            self._hold(run, status, blame)
            return
        self._spread_skips()
        if run.state == State.LOOPING:
            self._drop_body(run)
        tolerated = any(
            after.state == State.WAITING
            and (tolerates or self.graph.stages[after.stage].join == abi.JOIN_FIRST)
            for after, tolerates in self._next_runs(run)
        )
        self._leave_nothing(run, State.FAILED, status)
        run.blame = blame
        if not tolerated:
            # The stage that decides it has not ended well enough to be counted.
            run.state = State.WAITING
            self.fail_event(status, blame)
            run.state = State.FAILED

    def _drop_body(self, run: Run) -> None:
        for body in self.runs.values():
            if self.graph.stages[body.stage].loop == run.stage:
                if body.state == State.IN_HAND:
                    self._abandon(body)
                elif body.state not in (*OVER, State.ABANDONED):
                    self._leave_nothing(body, State.SKIPPED, self.codes["CANCELLED"])

    def _drop(self, run: Run) -> None:
        """Give up what nobody needs any more."""
        awaited = any(after.state == State.WAITING for after, _ in self._next_runs(run))
        if run.state in (*OVER, State.ABANDONED) or awaited or run.stage == self.graph.result:
            return
        if run.state == State.IN_HAND:
            early = not self._needs_are_over(run)
            self._abandon(run)
            if not early:
                return
        else:
            if run.state == State.LOOPING:
                self._drop_body(run)
            self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
        for before in self.graph.stages[run.stage].needs:
            self._drop(self._run(before, run.part))

    def _needs_are_over(self, run: Run) -> bool:
        """Only what started early runs before that."""
        stage = self.graph.stages[run.stage]
        if run.stage not in self.early or stage.loop is not None:
            return True
        return all(self.runs[before, 0].state == State.DONE for before in stage.needs)

    def _hold(self, run: Run, status: int, blame: int) -> None:
        run.state, run.status, run.blame = State.HELD, status, blame
        run.deadline_ns = None

    def _look_at_held(self, run: Run) -> bool:
        if not self._needs_are_over(run):
            return False
        if run.status:
            self.fail(run, run.status, run.blame)
        else:
            run.state = State.DONE
        return True

    # ---- beginnings ---------------------------------------------------------------------------

    def _holds(self, source: Run | None, condition: Condition) -> bool:
        if source is None:
            have = 0
        elif condition.what == abi.IF_STATUS:
            have = source.status
        elif condition.what == abi.IF_VALUE:
            have = source.values[condition.index]
        else:
            have = source.length
        return bool(RELATIONS[condition.relation](have, condition.constant))

    def _start(self, run: Run) -> None:
        stage = self.graph.stages[run.stage]
        if stage.kind != abi.STAGE_UNTIL and not all(
            self._holds(self._source(run, c.stage), c) for c in stage.conditions
        ):
            self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
            return
        if stage.timeout_ns:
            run.deadline_ns = self.now_ns + stage.timeout_ns
        if not stage.is_loop:
            run.state = State.READY
            return
        count = -(-stage.total // stage.part) if stage.kind == abi.STAGE_FOR_EACH else stage.bound
        loop = Loop(stage.total, stage.part, count)
        if not self._live_body(run.stage):
            loop.started = loop.done = count
        self.loops[run.stage] = loop
        run.state = State.LOOPING

    def _is_ready(self, run: Run, stage: Stage) -> bool:
        """All that it waits for is over, in its own part and, looking back, in the one before."""
        looked_at = [
            self.runs[b.stage, run.part - 1]
            for b in stage.bindings
            if b.kind in (abi.BIND_INPUT_PREVIOUS, abi.BIND_PARAM_PREVIOUS) and run.part > 0
        ]
        needs = [self._run(before, run.part) for before in stage.needs]
        outside = stage.loop is None
        return all(r.state in OVER for r in looked_at) and all(
            r.state in OVER or (outside and r.state == State.ABANDONED) for r in needs
        )

    def _look_at_waiting(self, run: Run) -> bool:
        stage = self.graph.stages[run.stage]
        needs = [(self._run(before, run.part), ok) for before, ok in stage.needs.items()]
        if stage.join == abi.JOIN_FIRST:
            winner = next((r for r, _ in needs if r.state == State.DONE), None)
            if winner is not None:
                run.winner = winner.stage
                self._start(run)
                self._spread_skips()
                for other, _ in needs:
                    if other is not winner and self.verdict is None:
                        self._drop(other)
                return True
            if all(r.state in OVER for r, _ in needs):
                failed = [r for r, _ in needs if r.state == State.FAILED]
                if failed:
                    self.fail(run, failed[-1].status, failed[-1].blame)
                else:
                    self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
                return True
            return False
        if any(r.state in (State.FAILED, State.SKIPPED) and not ok for r, ok in needs) or any(
            r.state == State.ABANDONED and not ok for r, ok in needs if stage.loop is None
        ):
            self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
            return True
        if self._is_ready(run, stage):
            self._start(run)
            return True
        return False

    def _look_at_loop(self, run: Run) -> bool:
        loop, stage = self.loops[run.stage], self.graph.stages[run.stage]
        while loop.done < loop.started and all(
            self.runs[body, loop.done].state in OVER for body in self._live_body(run.stage)
        ):
            part = loop.done
            loop.done += 1
            if stage.kind == abi.STAGE_UNTIL and all(
                self._holds(self.runs[c.stage, part], c) for c in stage.conditions
            ):
                return self._end_loop(run, loop)
        if loop.done == loop.count:
            if stage.kind == abi.STAGE_FOR_EACH:
                return self._end_loop(run, loop)
            self.fail(run, self.codes["BOUND_REACHED"], run.stage)
            return True
        window = stage.bound if stage.kind == abi.STAGE_FOR_EACH else 1
        if loop.started < min(loop.count, loop.done + window):
            for body in self._live_body(run.stage):
                self.runs[body, loop.started] = Run(body, loop.started)
            loop.started += 1
            return True
        return False

    def _end_loop(self, run: Run, loop: Loop) -> bool:
        run.state, run.values, run.deadline_ns = State.DONE, (loop.done, 0), None
        return True

    def _is_decided(self) -> bool:
        return self.verdict is not None

    def settle(self) -> None:
        """Apply all rules until none does."""
        changed = True
        while changed and not self._is_decided():
            changed = False
            for key in sorted(self.runs):
                run = self.runs[key]
                if run.state == State.WAITING:
                    changed |= self._look_at_waiting(run)
                elif run.state == State.LOOPING:
                    changed |= self._look_at_loop(run)
                elif run.state == State.HELD:
                    changed |= self._look_at_held(run)
                if self._is_decided():
                    return
        top = [run for run in self.runs.values() if self.graph.stages[run.stage].loop is None]
        if not self._is_decided() and all(r.state in (*OVER, State.ABANDONED) for r in top):
            self.verdict = (0, abi.NO_STAGE)
            self.step = self._count_step()

    # ---- what comes from outside --------------------------------------------------------------

    @property
    def in_hand(self) -> int:
        return sum(r.state in (State.IN_HAND, State.ABANDONED) for r in self.runs.values())

    @property
    def is_over(self) -> bool:
        return self.verdict is not None and self.in_hand == 0

    @property
    def needs_room(self) -> bool:
        """Is it on its way to a larger place, where another of these takes its part?"""
        return self.verdict is not None and self.verdict[0] == self.codes["NEED_ROOM"]

    def _may_grow(self, run: Run, needed: int) -> bool:
        """Has nothing of it been seen, and is there more room than it had?"""
        effects = any(
            other.offset and self.graph.stages[other.stage].op == OP_EFFECT
            for other in self.runs.values()
            if not self.graph.stages[other.stage].is_loop
        )
        most = self.graph.most if self.graph.large_slots else 0
        fresh = not (self.is_large or self.stands or effects)
        return fresh and USUAL_ROOM < needed <= most

    def _goes_elsewhere(self, run: Run, status: int) -> bool:
        """Did the deck say something of itself alone, and is there another?"""
        stage = self.graph.stages[run.stage]
        if not stage.is_open or run.deck != DISK or status != self.codes["NO_DEVICE"]:
            return False
        run.tried.add(run.deck)
        return bool(stage.decks - run.tried)

    def ready(self) -> list[Run]:
        return [run for run in self.runs.values() if run.state == State.READY]

    def answer(self, run: Run, status: int, length: int, value: int) -> None:
        if run.state == State.ABANDONED:
            self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
        elif run.status:  # its time was up
            self.fail(run, run.status, run.stage)
        elif status == self.codes["NEED_ROOM"] and self._may_grow(run, value):
            self._leave_nothing(run, State.SKIPPED, self.codes["CANCELLED"])
            self.fail_event(status, run.stage)
        elif status == self.codes["NEED_ROOM"]:
            self.fail(run, self.codes["OUTPUT_TOO_LARGE"], run.stage)
        elif self._goes_elsewhere(run, status):
            run.state = State.READY
        elif status:
            self.fail(run, status, run.stage)
        else:
            run.length, run.values = length, (value, value + 1)
            self._hold(run, 0, abi.NO_STAGE)  # until the next look, or longer: it was early
        self.settle()

    def expire(self, run: Run) -> None:
        """Its timeout has passed."""
        run.deadline_ns = None
        if run.state == State.IN_HAND:
            run.status = self.codes["TIMED_OUT"]
        else:
            self.fail(run, self.codes["TIMED_OUT"], run.stage)
            self.settle()

    # ---- what it is handed over with ----------------------------------------------------------

    def _part_numbers(self, run: Run) -> tuple[int, int, int]:
        loop_index = self.graph.stages[run.stage].loop
        assert loop_index is not None
        loop, stage = self.loops[loop_index], self.graph.stages[loop_index]
        if stage.kind == abi.STAGE_UNTIL:
            return run.part, run.part, 1
        offset = run.part * loop.part
        return run.part, offset, min(loop.part, loop.total - offset)

    def inputs(self, run: Run) -> list[tuple[int, int]]:
        """Return (offset, length) of each; offset 0: it is empty, wherever it lies."""
        found: dict[int, tuple[int, int]] = {}
        for b in self.graph.stages[run.stage].bindings:
            match b.kind:
                case abi.BIND_INPUT_STAGE:
                    source = self._source(run, b.stage)
                    found[b.target] = (source.offset, source.length) if source else (0, 0)
                case abi.BIND_INPUT_EVENT:
                    found[b.target] = (self.input_offset, self.input_length)
                case abi.BIND_INPUT_PREVIOUS:
                    before = self.runs[b.stage, run.part - 1] if run.part else None
                    found[b.target] = (before.offset, before.length) if before else (0, 0)
                case abi.BIND_INPUT_PART:
                    _, offset, _ = self._part_numbers(run)
                    loop = self.loops[self.graph.stages[run.stage].loop or 0]
                    length = max(0, min(loop.part, self.input_length - offset))
                    found[b.target] = (self.input_offset + offset, length)
        return [found[i] if found[i][1] else (0, 0) for i in sorted(found)]

    def params(self, run: Run) -> bytes:
        data = bytearray(PARAMS_BYTES)
        for b in self.graph.stages[run.stage].bindings:
            source = None
            if b.kind in (abi.BIND_PARAM_VALUE, abi.BIND_PARAM_STATUS, abi.BIND_PARAM_LENGTH):
                source = self._source(run, b.stage)
            match b.kind:
                case abi.BIND_PARAM_VALUE:
                    number = source.values[b.index] if source else 0
                case abi.BIND_PARAM_STATUS:
                    number = source.status if source else self.codes["OK"]
                case abi.BIND_PARAM_LENGTH:
                    number = source.length if source else 0
                case abi.BIND_PARAM_PART:
                    number = self._part_numbers(run)[b.index]
                case abi.BIND_PARAM_PREVIOUS if run.part:
                    number = self.runs[b.stage, run.part - 1].values[b.index]
                case _:
                    continue
            data[b.target : b.target + 8] = number.to_bytes(8, "little")
        return bytes(data)
