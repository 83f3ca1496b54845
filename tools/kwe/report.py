"""What is known of a run: the figures, the errors by name, the JSON document."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.control import EventResult
from tools.kwe.disk import write_file
from tools.kwe.job import Job
from tools.kwe.session import Session
from tools.kwe.system import System
from tools.kwe.trace_figures import TraceFigures


@dataclass
class Report:
    """Everything that is known of a run; filled as it goes, so that any end can be told."""

    job: Job
    system: System
    accel: str
    cpus: int
    memory_mib: int
    wanted_mib: int  # what it takes, given or not
    session: Session | None = None
    status: str = "not finished"
    outputs: dict[str, list[str]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # console lines, explained
    host_ns: int = 0
    trace: TraceFigures | None = None  # it was written
    command: tuple[str, ...] = ()  # QEMU's
    console: tuple[str, ...] = ()  # all of the guest's lines

    # ---- errors ---------------------------------------------------------------------------

    def add_error(
        self,
        code: str,
        message: str,
        *,
        event: str | None = None,
        stage: int = abi.NO_STAGE,
        deck: int | None = None,
    ) -> None:
        """Record what went wrong."""
        stages = self.job.stages
        if stage < len(stages):
            deck = stages[stage].deck.prefix
        if deck == abi.NO_DECK:  # a loop is no deck's
            deck = None
        self.errors.append(
            {
                "event": event,
                "stage": stages[stage].name if stage < len(stages) else None,
                "deck": None if deck is None else self.system.deck_name(deck),
                "code": code,
                "message": message,
            }
        )

    def add_failed_events(self) -> None:
        """Record each event that did not end with OK, or has no result at all."""
        results: dict[int, EventResult] = self.session.results if self.session else {}
        for row, result in results.items() if self.job.standing else ():
            if self.system.error_name(result.status) != "CANCELLED":  # else it was told to end
                self.add_error(
                    self.system.error_name(result.status),
                    f"event {row}, which ought to stand: "
                    f"{self.system.error_sentence(result.status)}",
                    stage=result.stage,
                    deck=None if result.stage == abi.NO_STAGE else result.deck,
                )
        for row, event in enumerate(self.job.events):
            ended = results.get(row)
            if ended is None:
                self.add_error("NO_RESULT", "The event has no result.", event=event.file.name)
            elif ended.status:
                self.add_error(
                    self.system.error_name(ended.status),
                    self.system.error_sentence(ended.status),
                    event=event.file.name,
                    stage=ended.stage,
                    deck=None if ended.stage == abi.NO_STAGE else ended.deck,
                )

    def memory_hint(self) -> str:
        """Return what to do about NO_MEMORY."""
        return (
            f"The guest had {self.memory_mib} MiB; "
            f"--memory gives more, {self.wanted_mib} would be right"
        )

    # ---- numbers --------------------------------------------------------------------------

    def events(self) -> dict[str, int]:
        """Return how many events were submitted, completed, failed; of those that stand, runs."""
        results = self.session.results if self.session else {}
        if self.job.standing and self.session:
            _, runs, failed = self.session.progress
            return {"submitted": self.job.standing, "completed": runs, "failed": failed}
        completed = sum(result.status == 0 for result in results.values())
        submitted = max(self.session.progress[0] if self.session else 0, len(results))
        return {
            "submitted": submitted,
            "completed": completed,
            "failed": len(results) - completed,
        }

    def stages(self) -> list[dict[str, Any]]:
        """Return each stage with its counters."""
        counters = self.session.stages if self.session else []
        rows = []
        for index, stage in enumerate(self.job.stages):
            counted = counters[index] if index < len(counters) else {}
            rows.append(
                {
                    "name": stage.name,
                    "deck": stage.deck.name,
                    "op": stage.op.name,
                    "events": counted.get("events", 0),
                    "failed": counted.get("failed", 0),
                    "bytes_in": counted.get("bytes_in", 0),
                    "bytes_out": counted.get("bytes_out", 0),
                    "guest_ns": counted.get("busy_ns", 0),
                    "queued_ns": counted.get("queued_ns", 0),
                    "visits": counted.get("visits", 0),
                    "fused": counted.get("fused", 0),
                    "ran_on": self._ran_on(index, counted),
                }
            )
        return rows

    def _ran_on(self, index: int, counted: dict[str, Any]) -> dict[str, dict[str, int]]:
        """Return, of a stage that several decks could run, what each of them did."""
        stage = self.job.stages[index]
        if not stage.is_open or "other" not in counted:
            return {}
        events, busy_ns = counted["events"], counted["busy_ns"]
        decks = {}
        for at, deck in enumerate(self.variant_decks(index)):
            its_events, its_ns = counted["other"][2 * at : 2 * at + 2]
            decks[deck] = {"events": its_events, "guest_ns": its_ns}
            events, busy_ns = events - its_events, busy_ns - its_ns
        return {stage.deck.name: {"events": events, "guest_ns": busy_ns}, **decks}

    def variant_decks(self, index: int) -> list[str]:
        """Return the other decks that have a stage's operation, in the kernel's order."""
        return self.job.stages[index].op.variants

    def guest(self) -> dict[str, Any]:
        """Return the guest's own figures."""
        session = self.session
        statistics = (session.statistics if session else None) or {}
        decks = session.decks if session else []
        done = (session.done if session else None) or {}
        by_kind = {
            "between_stages": 0,
            "cache": sum(deck["copied_cache"] for deck in decks),
            "device": sum(deck["copied_device"] for deck in decks),
        }
        return {
            "boot_ns": statistics.get("first_program_ns", 0),
            "wall_ns": done.get("finished_ns", 0) - done.get("started_ns", 0),
            "result_ns": statistics.get("first_result_ns", 0),
            "program_syscalls": statistics.get("program_syscalls", 0),
            "notify_calls": statistics.get("notify_calls", 0),
            "deck_visits": sum(deck["visits"] for deck in decks),
            "deck_restarts": {
                self.system.deck_name(prefix): deck["restarts"]
                for prefix, deck in enumerate(decks)
                if deck["restarts"]
            },
            "bytes_copied": sum(by_kind.values()),
            "bytes_copied_by_kind": by_kind,
            "iommu": bool(statistics.get("iommu_present", 0)),
            "iommu_faults": statistics.get("iommu_faults", 0),
            "idle_ns": statistics.get("idle_ns", 0),
            "frames_total": statistics.get("frames_total", 0),
            "frames_free": statistics.get("frames_free", 0),
        }

    def document(self) -> dict[str, Any]:
        """Return what --json writes."""
        return {
            "workflow": self.job.spec.workflow,
            "status": self.status,
            "route": list(self.job.route),
            "events": self.events(),
            "stages": self.stages(),
            "outputs": self.outputs,
            "guest": self.guest(),
            "qemu": {"accel": self.accel, "cpus": self.cpus, "memory_mib": self.memory_mib},
            "host_ns": self.host_ns,
            "limits": dict(self.job.sizing.limits),
            "errors": self.errors,
            "faults": self.faults,
            **({"trace": self.trace.document()} if self.trace else {}),
        }


def write_json(reports: Sequence[Report], where: str) -> None:
    """Write the document to a file, or to standard output for ``-``; of several reports a list."""
    documents = [report.document() for report in reports]
    text = json.dumps(documents if len(documents) > 1 else documents[0], indent=2) + "\n"
    if where == "-":
        print(text, end="", flush=True)
    else:
        write_file(Path(where), text.encode())
