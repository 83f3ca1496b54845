"""The document of `kwe run --json`: the fields that are promised, each of its type."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    # More fields may come; those here may not go.
    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Events(_Part):
    """How many events went in and came out."""

    submitted: int
    completed: int
    failed: int


class StageFigures(_Part):
    """One stage's counters."""

    name: str
    deck: str
    op: str
    events: int
    bytes_in: int
    bytes_out: int
    guest_ns: int


class GuestFigures(_Part):
    """The guest's own figures."""

    boot_ns: int
    wall_ns: int
    result_ns: int
    program_syscalls: int
    deck_visits: int
    bytes_copied: int
    iommu: bool
    iommu_faults: int
    deck_restarts: dict[str, int]
    frames_total: int
    frames_free: int


class QemuFigures(_Part):
    """The machine."""

    accel: str
    cpus: int


class ErrorFigures(_Part):
    """One failed event, or one thing that went wrong with the whole run."""

    event: str | None
    stage: str | None
    deck: str | None
    code: str
    message: str


class Figures(_Part):
    """The document."""

    workflow: str
    status: str
    route: list[int]
    events: Events
    stages: list[StageFigures]
    outputs: dict[str, list[str]]
    guest: GuestFigures
    qemu: QemuFigures
    errors: list[ErrorFigures]

    def stage(self, name: str) -> StageFigures:
        """Return the stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)


def read_figures(document: Path | str) -> Figures:
    """Read a --json document from a file, or from the text itself.

    Raises:
        ValidationError: A promised field is missing or of another type.
    """
    text = document.read_text() if isinstance(document, Path) else document
    return Figures.model_validate(json.loads(text))
