"""What a run has to tell: the JSON document, the closing table, the errors by name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.control import EventResult
from tools.kwe.disk import write_file
from tools.kwe.job import Job
from tools.kwe.session import Session
from tools.kwe.system import System

SHOWN_ERRORS = 20


@dataclass
class Report:
    """Everything that is known of a run; filled as it goes, so that it can be written at any end."""

    job: Job
    system: System
    accel: str
    cpus: int
    memory_mib: int
    session: Session | None = None
    status: str = "not finished"
    outputs: dict[str, list[str]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # console lines, explained
    host_ns: int = 0
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
        self.errors.append(
            {
                "event": event,
                "stage": stages[stage].name if stage < len(stages) else None,
                "deck": None if deck is None else self.system.deck_name(deck),
                "code": code,
                "message": message,
            }
        )

    def add_failed_events(self, results: dict[int, EventResult]) -> None:
        """Record each event that did not end with OK, or has no result at all."""
        for row, event in enumerate(self.job.events):
            result = results.get(row)
            if result is None:
                self.add_error("NO_RESULT", "The event has no result.", event=event.file.name)
            elif result.status:
                self.add_error(
                    self.system.error_name(result.status),
                    self.system.error_sentence(result.status),
                    event=event.file.name,
                    stage=result.stage,
                    deck=None if result.stage == abi.NO_STAGE else result.deck,
                )

    # ---- numbers --------------------------------------------------------------------------

    def events(self) -> dict[str, int]:
        """Return how many events were submitted, completed and failed."""
        results = self.session.results if self.session else {}
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
                }
            )
        return rows

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
        }

    def write_json(self, where: str) -> None:
        """Write the document to a file, or to standard output for ``-``."""
        text = json.dumps(self.document(), indent=2) + "\n"
        if where == "-":
            print(text, end="", flush=True)
        else:
            write_file(Path(where), text.encode())

    # ---- for people -----------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """Yield the closing table."""
        events, guest = self.events(), self.guest()
        wall_s = guest["wall_ns"] / 1e9
        yield (
            f"{self.job.spec.workflow}: {self.status}; "
            f"{events['completed']} of {len(self.job.events)} events done, {events['failed']} failed, in {wall_s:.2f} s of guest time; "
            f"route {list(self.job.route)}"
        )
        yield from _table(
            ("stage", "operation", "events", "failed", "in", "out", "guest ms", "MB/s"),
            [_stage_row(stage) for stage in self.stages()],
        )
        rate = events["completed"] / wall_s if wall_s else 0.0
        yield (
            f"guest: ring 3 after {_ms(guest['boot_ns'])}, "
            f"first result after {_ms(guest['result_ns'])}, {rate:.1f} events/s, "
            f"{guest['program_syscalls']} program calls, {guest['deck_visits']} deck visits"
        )
        copied = guest["bytes_copied_by_kind"]
        yield (
            f"copied: {_size(copied['between_stages'])} between stages, "
            f"{_size(copied['cache'])} cache, "{_size(copied['device'])} device window; IOMMU {'on' if guest['iommu'] else 'OFF'}"
        )
        yield (
            f"machine: {self.accel}, {self.cpus} CPU{'s' if self.cpus > 1 else ''}, "
            f"{self.memory_mib} MiB; "{self.host_ns / 1e9:.2f} s on the host"
        )
        for deck, restarts in guest["deck_restarts"].items():
            yield f"deck {deck} was restarted {restarts} times"
        yield from self.faults
        yield from self._error_lines()

    def _error_lines(self) -> Iterator[str]:
        for error in self.errors[:SHOWN_ERRORS]:
            where = " ".join(
                part
                for part in (
                    printable(error["event"]) if error["event"] is not None else "",
                    f"at stage {error['stage']}" if error["stage"] else "",
                    f"in deck {error['deck']}" if error["deck"] else "",
                )
                if part
            )
            yield f"FAILED {where}: {error['code']}: {error['message']}".replace(
                "FAILED :", "FAILED:"
            )
        if len(self.errors) > SHOWN_ERRORS:
            yield f"... and {len(self.errors) - SHOWN_ERRORS} more; --json lists all"


def printable(name: str) -> str:
    """Return a file name fit for a terminal's line."""
    return name if name.isprintable() else ascii(name)


def _stage_row(stage: dict[str, Any]) -> tuple[str, ...]:
    seconds = stage["guest_ns"] / 1e9
    moved = max(stage["bytes_in"], stage["bytes_out"])
    return (
        stage["name"],
        f"{stage['deck']}.{stage['op']}",
        str(stage["events"]),
        str(stage["failed"]),
        _size(stage["bytes_in"]),
        _size(stage["bytes_out"]),
        f"{seconds * 1e3:.1f}",
        f"{moved / 1e6 / seconds:.1f}" if seconds else "-",
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Lay out columns: the first two to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.0f} ms"


def _size(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 10240:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GiB"
