"""The conversation with the agent: what its frames have told so far, job by job."""

from collections.abc import Callable, Sequence
from typing import Any

from tools.kwe import abi
from tools.kwe.control import (
    EventResult,
    Frame,
    FrameReader,
    parse_error,
    parse_plan,
    parse_results,
    parse_stages,
    parse_statistics,
    parse_trace,
)
from tools.kwe.errors import MachineError

# Of the system; all other frames are about one job.
_COMMON = (
    *(abi.CONTROL_HELLO, abi.CONTROL_STATISTICS, abi.CONTROL_TRACE),
    abi.CONTROL_DONE,
)


class Session:
    """What was told about one job, and about the system.

    Attributes:
        info: The answer to the registration (struct kwe_workflow_info), once it came.
        plan: How the kernel means to carry it out; `plan_stages` each of its stages.
        results: By row.
        progress: Events (submitted, completed, failed).
        armed: Events that stand and wait for what they are about.
        stages: The stages' counters, in the workflow's order.
        statistics: The system's counters; `decks` those of each deck, by prefix.
        trace_head: The newest of the trace's heads; `trace` all its records.
        done: The last frame, once it came.
        error: (code, stage, text) of an ERROR.
    """

    def __init__(self) -> None:
        self.info: dict[str, Any] | None = None
        self.plan: dict[str, Any] | None = None
        self.plan_stages: list[dict[str, Any]] = []
        self.results: dict[int, EventResult] = {}
        self.progress = (0, 0, 0)
        self.armed = 0
        self.stages: list[dict[str, Any]] = []
        self.status: dict[str, Any] | None = None
        self.statistics: dict[str, Any] | None = None
        self.decks: list[dict[str, Any]] = []
        self.trace_head: dict[str, Any] | None = None
        self.trace: list[dict[str, Any]] = []
        self.done: dict[str, Any] | None = None
        self.error: tuple[int, int, str] | None = None

    def take(self, frame: Frame) -> None:
        """Take a frame that is about this job, or about the system.

        Raises:
            ValueError: It makes no sense.
            MachineError: The agent speaks another version.
        """
        match frame.type:
            case abi.CONTROL_HELLO:
                version = abi.HELLO.unpack(frame.payload)["version"]
                if version != abi.CONTROL_VERSION:
                    raise MachineError(
                        f"the agent speaks version {version} of the control channel, this kwe "
                        f"{abi.CONTROL_VERSION}: run `make`"
                    )
            case abi.CONTROL_REGISTERED:
                self.info = abi.WORKFLOW_INFO.unpack(frame.payload)
            case abi.CONTROL_PLAN:
                self.plan, self.plan_stages = parse_plan(frame.payload)
            case abi.CONTROL_PROGRESS:
                fields = abi.PROGRESS.unpack(frame.payload)
                self.progress = fields["submitted"], fields["completed"], fields["failed"]
                self.armed = fields["armed"]
            case abi.CONTROL_RESULTS:
                for result in parse_results(frame.payload):
                    if result.row in self.results:
                        raise ValueError(f"event {result.row} has two results")
                    self.results[result.row] = result
            case abi.CONTROL_STAGES:
                self.status, self.stages = parse_stages(frame.payload)
            case abi.CONTROL_STATISTICS:
                self.statistics, self.decks = parse_statistics(frame.payload)
            case abi.CONTROL_TRACE:
                self.trace_head, records = parse_trace(frame.payload)
                self.trace += records
            case abi.CONTROL_DONE:
                self.done = abi.DONE.unpack(frame.payload)
            case abi.CONTROL_ERROR:
                self.error = parse_error(frame.payload)
            case _:
                pass  # a newer agent's


class Channel:
    """Takes the control channel's bytes, and hands each frame to the session of its job."""

    def __init__(
        self,
        sessions: Sequence[Session],
        on_progress: Callable[[int, int, int], None] | None = None,
    ) -> None:
        self.sessions = tuple(sessions)
        self._on_progress = on_progress
        self._reader = FrameReader()
        self._current = self.sessions[0]

    @property
    def is_done(self) -> bool:
        """The last frame has come."""
        return self._current.done is not None

    @property
    def is_up(self) -> bool:
        """Of workflows that stand: each waits for what it is about."""
        return all(session.armed > 0 for session in self.sessions)

    @property
    def progress(self) -> tuple[int, int, int]:
        """Events of all jobs: submitted, completed, failed."""
        submitted, completed, failed = zip(
            *(session.progress for session in self.sessions), strict=True
        )
        return sum(submitted), sum(completed), sum(failed)

    def feed(self, data: bytes) -> None:
        """Take bytes as they arrive.

        Raises:
            MachineError: A whole frame makes no sense, or the agent speaks another version.
        """
        for frame in self._reader.feed(data):
            try:
                self._take(frame)
            except ValueError as error:
                raise MachineError(f"control channel: frame {frame.type}: {error}") from error

    def _take(self, frame: Frame) -> None:
        if frame.type == abi.CONTROL_JOB:
            index = abi.CONTROL_JOB_HEAD.unpack(frame.payload)["index"]
            if index >= len(self.sessions):
                raise ValueError(f"there is no job {index}")
            self._current = self.sessions[index]
            return
        for session in self.sessions if frame.type in _COMMON else (self._current,):
            session.take(frame)
        if frame.type == abi.CONTROL_PROGRESS and self._on_progress is not None:
            self._on_progress(*self.progress)
