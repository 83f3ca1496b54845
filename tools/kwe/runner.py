"""Runs a compiled workflow on the machine: makes its disk, boots, listens, judges the end."""

import os
import time
from pathlib import Path

from tools.kwe import abi, disk
from tools.kwe.errors import KweError, MachineError, SpecError
from tools.kwe.job import Job, folder_of
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.outputs import fetch_outputs
from tools.kwe.progress import Progress
from tools.kwe.report import Report
from tools.kwe.session import Session
from tools.kwe.standing import Until, listen_standing, up_lines

STOP_S = 20.0
# For what events that stand write.
STANDING_ROOM_BYTES = 64 << 20

# A refused registration is a wrong input, except for these, where the guest lacks something.
_MACHINE_CODES = ("NO_MEMORY", "TOO_MANY", "DECK_DOWN")


def make_disk(image: Path, scratch: Path, job: Job) -> None:
    """Make the guest's disk: the inputs, and room for all outputs at their largest.

    Args:
        image: The file to make.
        scratch: A directory for the links that mke2fs reads.
        job: The compiled workflow.
    """
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
    staging = scratch / "staging"
    staging.mkdir()
    disk.make_image(image, staging, files, [b"/in", b"/out", *_folders(job)], room)


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


def run_job(
    job: Job,
    config: MachineConfig,
    report: Report,
    output: Path,
    timeout_s: float,
    progress: Progress,
    until: Until,
) -> None:
    """Boot, run all events, fetch the outputs; the report then has everything.

    Args:
        job: The compiled workflow.
        config: The machine; its disk has been made.
        report: Filled as the run goes.
        output: The host's directory for the outputs.
        timeout_s: For the whole guest.
        progress: Told how far it is.
        until: Of events that stand: when they end by themselves.

    Raises:
        SpecError: The guest refused the workflow.
        MachineError: The deadline passed, or the machine lacks something.
        PanicError: The nucleus panicked.
    """
    assert config.disk is not None
    session = Session(progress.update)
    report.session = session
    started = time.monotonic()
    with Machine(config) as machine:
        report.command = tuple(machine.command)
        try:
            if job.standing:
                listen_standing(
                    machine,
                    session,
                    timeout_s,
                    until,
                    lambda: _say_up(machine, job, config, progress),
                )
            else:
                listen(machine, session, started + timeout_s)
            machine.verdict(machine.wait(STOP_S))
            _check_end(session, machine, report)
        except KweError as error:
            log = machine.keep_log(f"{job.spec.workflow}-{os.getpid()}")
            raise type(error)(f"{error}\nThe guest's log: {log}") from error
        finally:
            report.console = tuple(machine.console.lines)
            report.faults = machine.faults()
    report.host_ns = round((time.monotonic() - started) * 1e9)
    report.add_failed_events(session.results)
    _check_disk(config.disk, report)
    fetch_outputs(job, config.disk, report, output)
    report.status = "failed" if report.errors else "done"


def _say_up(machine: Machine, job: Job, config: MachineConfig, progress: Progress) -> None:
    for line in up_lines(machine, job.spec.workflow, config.forward):
        progress.tell(line)


def listen(machine: Machine, session: Session, deadline: float) -> None:
    """Read the control channel until the agent is done or the guest has ended.

    Raises:
        MachineError: The deadline passed.
    """
    while session.done is None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise MachineError(
                f"the deadline passed with {session.progress[1] + session.progress[2]} results; "
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
        session.feed(data)


def _check_end(session: Session, machine: Machine, report: Report) -> None:
    """Did the agent come to its end?"""
    if session.error is not None:
        code, stage, text = session.error
        name = report.system.error_name(code)
        stages = report.job.stages
        where = f"stage {stages[stage].name}: " if stage < len(stages) else ""
        report.add_error(name, text, stage=stage)
        error = MachineError if name in _MACHINE_CODES else SpecError
        memory = ""
        if name == "NO_MEMORY":
            memory = (
                f"\nThe guest has {report.memory_mib} MiB; --memory gives more, "
                f"{report.job.sizing.memory_mib} would be right"
            )
        raise error(f"the guest refused {report.job.spec.workflow}: {where}{name}: {text}{memory}")
    if session.done is None:
        raise MachineError(f"the agent ended before it was done\n{machine.last_lines()}")
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
