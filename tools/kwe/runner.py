"""Runs a compiled workflow on the machine: makes its disk, boots, listens, judges the end."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.kwe import abi, disk
from tools.kwe.errors import KweError, MachineError, SpecError
from tools.kwe.job import Job, folder_of
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.outputs import fetch_outputs
from tools.kwe.progress import Progress
from tools.kwe.report import Report
from tools.kwe.session import Channel, Session
from tools.kwe.standing import Until, listen_standing, up_lines

STOP_S = 20.0
# For what events that stand write.
STANDING_ROOM_BYTES = 64 << 20

# A refused registration is a wrong input, except for these, where the guest lacks something.
_MACHINE_CODES = ("NO_MEMORY", "TOO_MANY", "DECK_DOWN")


def make_disk(image: Path, scratch: Path, jobs: Sequence[Job]) -> None:
    """Make the guest's disk: the inputs, and room for all outputs at their largest.

    Args:
        image: The file to make.
        scratch: A directory for the links that mke2fs reads.
        jobs: The compiled workflows.
    """
    files: dict[bytes, Path] = {}
    folders = [b"/in", b"/out"]
    room = 0
    for job in jobs:
        own, own_room = _files(job)
        files |= own
        room += own_room
        folders += [folder for folder in _folders(job) if folder not in folders]
    staging = scratch / "staging"
    staging.mkdir()
    disk.make_image(image, staging, files, folders, room)


def _files(job: Job) -> tuple[dict[bytes, Path], int]:
    """Return a job's files by their places on the guest's disk, and the room that it needs."""
    variables = [name for event in job.events[:1] for name in event.paths]
    files = (
        _standing_files(job)
        if job.spec.standing
        else {
            path: event.file.path
            for event in job.events
            for name, path in event.paths.items()
            if name in job.spec.inputs
        }
    )
    outputs = sum(name in job.spec.outputs for name in variables)
    room = len(job.events) * outputs * max((*job.sizing.rooms, disk.BLOCK))
    room += STANDING_ROOM_BYTES if job.spec.standing else 0
    return files, room


def _standing_files(job: Job) -> dict[bytes, Path]:
    """Return all files of the input, by their places on the guest's disk.

    Raises:
        SpecError: A name is too long for a path there.
    """
    name = next((name for name, item in job.spec.inputs.items() if item.kind == "files"), "")
    files = {}
    for file in job.inputs.files:
        path = folder_of(job.spec, name) + b"/" + os.fsencode(file.name)
        if len(path) > abi.MAX_PATH_BYTES:
            raise SpecError(
                f"input {name}: {file.name}: its path in the guest would have {len(path)} bytes; "
                f"at most {abi.MAX_PATH_BYTES} would be right"
            )
        files[path] = file.path
    return files


def _folders(job: Job) -> list[bytes]:
    kinds: dict[str, str] = {name: item.kind for name, item in job.spec.inputs.items()}
    kinds |= {name: item.kind for name, item in job.spec.outputs.items()}
    return [folder_of(job.spec, name) for name, kind in kinds.items() if kind == "files"]


def run_jobs(
    config: MachineConfig,
    reports: Sequence[Report],
    timeout_s: float,
    progress: Progress,
    until: Until,
    on_up: Callable[[Machine], None] | None = None,
) -> None:
    """Boot, and run all events of all jobs; the reports then have everything but the outputs.

    Args:
        config: The machine; its disk has been made.
        reports: One for each job, filled as the run goes. When there are several, all jobs
            stand, or none has events.
        timeout_s: For the whole guest.
        progress: Told how far it is.
        until: Of events that stand: when they end by themselves.
        on_up: Called once they wait for what they are about.

    Raises:
        SpecError: The guest refused a workflow.
        MachineError: The deadline passed, or the machine lacks something.
        PanicError: The nucleus panicked.
    """
    channel = Channel([Session() for _ in reports], progress.update)
    names = " + ".join(report.job.spec.workflow for report in reports)
    for report, session in zip(reports, channel.sessions, strict=True):
        report.session = session
    started = time.monotonic()
    with Machine(config) as machine:
        try:
            if reports[0].job.standing:
                listen_standing(
                    machine,
                    names,
                    channel,
                    timeout_s,
                    until,
                    lambda: _come_up(machine, names, config, progress, on_up),
                )
            else:
                listen(machine, channel, started + timeout_s)
            machine.verdict(machine.wait(STOP_S))
            for report in reports:
                _check_refused(report)
            _check_end(machine, reports[0])
        except KweError as error:
            log = machine.keep_log(f"{reports[0].job.spec.workflow}-{os.getpid()}")
            raise type(error)(f"{error}\nThe guest's log: {log}") from error
        finally:
            for report in reports:
                report.command = tuple(machine.command)
                report.console = tuple(machine.console.lines)
                report.faults = machine.faults()
    for report in reports:
        report.host_ns = round((time.monotonic() - started) * 1e9)
        report.add_failed_events()


def finish_jobs(reports: Sequence[Report], image: Path, outputs: Sequence[Path]) -> None:
    """Look at the disk, and fetch each job's outputs."""
    _check_disk(image, reports[0])
    for report, output in zip(reports, outputs, strict=True):
        fetch_outputs(report.job, image, report, output)
        report.status = "failed" if report.errors else "done"


def _come_up(
    machine: Machine,
    names: str,
    config: MachineConfig,
    progress: Progress,
    on_up: Callable[[Machine], None] | None,
) -> None:
    for line in up_lines(machine, names, config.forward):
        progress.tell(line)
    if on_up is not None:
        on_up(machine)


def listen(machine: Machine, channel: Channel, deadline: float) -> None:
    """Read the control channel until the agent is done or the guest has ended.

    Raises:
        MachineError: The deadline passed.
    """
    while not channel.is_done:
        left = deadline - time.monotonic()
        if left <= 0:
            raise MachineError(
                f"the deadline passed with {sum(channel.progress[1:])} results; "
                f"--timeout gives more time\n{machine.last_lines()}"
            )
        machine.control.settimeout(left)
        try:
            data = machine.control.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return
        if not data:
            return
        channel.feed(data)


def _check_refused(report: Report) -> None:
    """Did the guest take the workflow?"""
    session = report.session
    if session is not None and session.error is not None:
        code, stage, text = session.error
        name = report.system.error_name(code)
        stages = report.job.stages
        where = f"stage {stages[stage].name}: " if stage < len(stages) else ""
        report.add_error(name, text, stage=stage)
        error = MachineError if name in _MACHINE_CODES else SpecError
        hint = f"\n{report.memory_hint()}" if name == "NO_MEMORY" else ""
        raise error(f"the guest refused {report.job.spec.workflow}: {where}{name}: {text}{hint}")


def _check_end(machine: Machine, report: Report) -> None:
    """Did the agent come to its end?"""
    session = report.session
    if session is None or session.done is None:
        lines = machine.last_lines()
        hint = f"\n{report.memory_hint()}" if " memory for it" in lines else ""
        raise MachineError(f"the agent ended before it was done\n{lines}{hint}")
    for field, what in (("status", "the run"), ("sync_status", "the closing sync")):
        if session.done[field]:
            report.add_error(
                report.system.error_name(session.done[field]),
                f"{what}: {report.system.error_sentence(session.done[field])}",
            )


def _check_disk(image: Path, report: Report) -> None:
    """Ask for a clean file system; only a Storage that died may leave it otherwise."""
    storage = report.system.decks.get("storage")
    if wrong := disk.check_image(image):
        restarts = report.guest()["deck_restarts"].get(storage.name, 0) if storage else 0
        if not restarts:
            report.add_error("CORRUPT_FILESYSTEM", f"e2fsck: {wrong}")
