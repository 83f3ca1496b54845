"""`kwe run WORKFLOW.yaml`: real files in, the workflow on the machine, files out."""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.closing import closing_lines
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, KweError, SpecError
from tools.kwe.forward import Forward, parse_forward
from tools.kwe.inputs import parse_assignments
from tools.kwe.job import Job, check_outputs, compile_workflow
from tools.kwe.machine import Machine, MachineConfig, choose_accel
from tools.kwe.pipe import read_pipe
from tools.kwe.progress import Progress
from tools.kwe.report import Report, write_json
from tools.kwe.runner import finish_jobs, make_disk, run_jobs
from tools.kwe.sizing import LEAST_MEMORY_MIB, SYSTEM_MIB
from tools.kwe.spec import Workflow
from tools.kwe.standing import Until
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import System, load_system
from tools.kwe.tap import MOST_QUEUES, tap_queues
from tools.kwe.trace import write_trace
from tools.kwe.tree import find_build

DEFAULT_TIMEOUT_S = 300.0
MOST_CPUS = 8
USUAL_CPUS = 2
# Below it the image itself has no room; above it nobody has tried.
SMALLEST_MEMORY_MIB = 16
LARGEST_MEMORY_MIB = 65536

EXAMPLES = """\
examples:
  kwe run userland/workflows/video.yaml --input clip=frames --output edges
  kwe run userland/workflows/archive.yaml --input files=DIR --output sealed
  kwe run userland/workflows/archive.yaml --input files=DIR --input key=FILE --output sealed
  kwe run userland/workflows/video.yaml --input clip=frames --json - | jq .stages
  kwe run --pipe 'read clip ! jpeg_decode ! convolve kernel=sobel ! jpeg_encode ! write out' \
      --input clip=frames --output edges
  kwe run --pipe 'read files ! sha256' --input files=DIR
  kwe run userland/workflows/echo.yaml --forward 7777:7
  kwe run userland/workflows/web.yaml userland/workflows/stream.yaml --input site=DIR \
      --input clip=DIR --forward 8080:80

the closing table:
  deck ms  from taken to answered, added up over the events: what waits for a device
           at the same time is counted for each; in the JSON it is guest_ns
  MB/s     the larger of in and out by that time

exit status:
  0  all events are done
  1  the workflow ran, and an event failed; the others' outputs are there
  2  a wrong input or workflow file: nothing was run
  3  the machine: no QEMU, a deadline passed, not enough memory
  4  the nucleus panicked
"""


@dataclass(frozen=True)
class RunOptions:
    """What a person may choose for a run."""

    workflow: Path | None  # None: `pipe`
    inputs: Mapping[str, Path]
    output: Path | None = None
    cpus: int = USUAL_CPUS
    timeout_s: float = DEFAULT_TIMEOUT_S
    build: Path | None = None
    memory_mib: int | None = None
    json: str | None = None
    disk: Path | None = None  # where to keep the guest's disk
    append: str = ""
    trace: Path | None = None  # where to write what happened when
    pipe: str = ""  # a workflow in one line
    beside: tuple[Path, ...] = ()  # more of them, in the same guest; all of them stand
    deterministic: bool = False
    forward: tuple[Forward, ...] = ()
    tap: str = ""
    queues: int = 1  # of the card on it
    until: Until = field(default_factory=Until)  # of events that stand
    # Called once they wait for what they are about.
    on_up: Callable[[Machine], None] | None = None
    events: bool = True  # else the workflow is only registered and planned


def _command_line(options: RunOptions) -> str:
    """Return the kernel's command line."""
    words = ["program=agent"]
    words += ["trace"] if options.trace else []
    words += ["deterministic"] if options.deterministic else []
    return " ".join([*words, options.append]).strip()


def run_workflow(options: RunOptions) -> Report:
    """Run one workflow, as run_workflows() does."""
    return run_workflows(options)[0]


def run_workflows(options: RunOptions) -> list[Report]:
    """Compile, boot, run, fetch; the JSON document is written whatever end the run comes to.

    Raises:
        KweError: They could not be run; failed events are no error here, but in the reports.
    """
    build = find_build(options.build)
    system = load_system(build.system)
    jobs, outputs = _compile(options, system)
    wanted_mib = jobs[0].sizing.memory_mib + sum(
        job.sizing.memory_mib - SYSTEM_MIB for job in jobs[1:]
    )
    memory_mib = options.memory_mib or wanted_mib
    reports = [
        Report(job, system, choose_accel(), options.cpus, memory_mib, wanted_mib) for job in jobs
    ]
    names = " + ".join(job.spec.workflow for job in jobs)
    progress = Progress(names, sum(len(job.events) for job in jobs))
    for note in (note for job in jobs for note in job.inputs.notes):
        print(f"kwe: {note}", file=sys.stderr)
    try:
        with tempfile.TemporaryDirectory(prefix="kwe-disk-") as scratch:
            image = options.disk or Path(scratch) / "disk.img"
            image.unlink(missing_ok=True)
            progress.say(f"{names}: making the disk")
            make_disk(image, Path(scratch), jobs)
            config = MachineConfig(
                build=build,
                cpus=options.cpus,
                memory_mib=memory_mib,
                window_bytes=max(job.sizing.window_bytes for job in jobs),
                disk=image,
                append=_command_line(options),
                fw_cfg={"opt/kwe/job": b"".join(job.encode() for job in jobs)},
                accel=reports[0].accel,
                icount=options.deterministic,
                forward=options.forward,
                tap=options.tap,
                queues=options.queues,
            )
            progress.say(f"{names}: booting")
            run_jobs(config, reports, options.timeout_s, progress, options.until, options.on_up)
            finish_jobs(reports, image, outputs)
    except KweError as error:
        if not any(report.errors for report in reports):
            reports[0].add_error(error.code, str(error))
        raise
    finally:
        progress.close()
        if options.trace is not None:
            write_trace(reports[0], options.trace)
        if options.json is not None:
            write_json(reports, options.json)
    return reports


def _compile(options: RunOptions, system: System) -> tuple[list[Job], list[Path]]:
    """Compile the workflows; return where the outputs of each go, too."""
    files = [*([options.workflow] if options.workflow else []), *options.beside]
    loaded = [load_workflow(path) for path in files] or [read_pipe(options.pipe, system)]
    specs = [spec for _, spec in loaded]
    _check_together(specs, options)
    jobs, outputs = [], []
    for source, spec in loaded:
        given = {
            name: path
            for name, path in options.inputs.items()
            if len(specs) == 1 or name in spec.inputs
        }
        output = options.output or Path("out") / source.path.stem.lstrip("-")
        job = compile_workflow(source, spec, system, given, output, options.cpus)
        check_outputs(job, output)
        if not options.events:
            job = replace(job, events=(), standing=0, plan_only=True)
        jobs.append(job)
        outputs.append(output)
    return jobs, outputs


def _check_together(specs: Sequence[Workflow], options: RunOptions) -> None:
    """Can they run in one guest, until they are told to end?

    Raises:
        SpecError: They cannot.
    """
    ending = next((spec.workflow for spec in specs if spec.standing is None), None)
    if ending is not None and options.until != Until():
        raise SpecError(
            f"--for and --runs end a workflow that stands; {ending} ends with its events"
        )
    if len(specs) == 1:
        return
    if len(specs) > abi.MAX_JOBS:
        raise SpecError(f"{len(specs)} workflows; at most {abi.MAX_JOBS} would be right")
    if ending is not None and options.events:
        raise SpecError(
            f"{ending} ends with its events, and only workflows that stand run side by side; "
            "a run of its own would be right"
        )
    if options.trace is not None:
        raise SpecError("--trace tells of one workflow; without it, or one alone, would be right")
    names = [spec.workflow for spec in specs]
    if len(set(names)) < len(names):
        raise SpecError(f"{' and '.join(names)}: each workflow once would be right")
    known = {name for spec in specs for name in spec.inputs}
    if unknown := options.inputs.keys() - known:
        raise SpecError(
            f"--input {min(unknown)}: none of the workflows has such an input; "
            f"{' and '.join(sorted(known))} would be right"
        )


def print_report(reports: Sequence[Report], json: str | None) -> None:
    """Print the closing tables; to standard error when standard output carries the JSON."""
    stream = sys.stderr if json == "-" else sys.stdout
    for line in closing_lines(reports):
        print(line, file=stream)
    for name, paths in (item for report in reports for item in report.outputs.items()):
        if len(paths) == 1:
            print(f"output {name}: {paths[0]}", file=stream)
        elif paths:
            print(f"output {name}: {len(paths)} files in {Path(paths[0]).parent}", file=stream)


def _check_places(args: argparse.Namespace) -> None:
    """Complain about a place that cannot be written before anything is run."""
    if args.output is not None and args.output.exists() and not args.output.is_dir():
        raise SpecError(f"--output {args.output}: it is no directory")
    if args.disk is not None and (args.disk.is_dir() or not args.disk.parent.is_dir()):
        raise SpecError(f"--disk {args.disk}: a file in a directory that exists would be right")
    if args.trace is not None and (args.trace.is_dir() or not args.trace.parent.is_dir()):
        raise SpecError(f"--trace {args.trace}: a file in a directory that exists would be right")
    if args.json not in (None, "-") and Path(args.json).is_dir():
        raise SpecError(f"--json {args.json}: it is a directory; a file or - would be right")


def options_from(args: argparse.Namespace) -> RunOptions:
    """Read the command line.

    Raises:
        SpecError: An argument is out of range.
    """
    check_machine_arguments(args)
    _check_places(args)
    if bool(args.workflow) == (args.pipe is not None):
        raise SpecError("WORKFLOW.yaml or --pipe '... ! ...', one of them, would be right")
    return RunOptions(
        workflow=args.workflow[0] if args.workflow else None,
        beside=tuple(args.workflow[1:]),
        inputs=parse_assignments(args.input),
        output=args.output,
        cpus=args.cpus,
        timeout_s=args.timeout,
        build=args.build,
        memory_mib=args.memory,
        json=args.json,
        disk=args.disk,
        append=args.append,
        trace=args.trace,
        pipe=args.pipe or "",
        deterministic=args.deterministic,
        forward=tuple(parse_forward(text) for text in args.forward),
        tap=args.tap,
        queues=tap_queues(args.tap, args.queues, args.cpus),
        until=_until_from(args),
    )


def _until_from(args: argparse.Namespace) -> Until:
    """Read when events that stand end by themselves."""
    seconds, runs = args.for_seconds, args.runs
    if seconds is not None and not seconds > 0:
        raise SpecError(f"--for {seconds:g}: a number of seconds above 0 would be right")
    if runs is not None and runs < 1:
        raise SpecError(f"--runs {runs}: a number above 0 would be right")
    return Until(seconds, runs)


def run(args: argparse.Namespace) -> int:
    """Run a workflow, or several that stand; 1 when an event failed."""
    options = options_from(args)
    reports = run_workflows(options)
    print_report(reports, options.json)
    return EXIT_WORKFLOW if any(report.errors for report in reports) else EXIT_DONE


def check_machine_arguments(args: argparse.Namespace) -> None:
    """Check what add_machine_arguments() added.

    Raises:
        SpecError: One is out of range.
    """
    if not 1 <= args.cpus <= MOST_CPUS:
        raise SpecError(f"--cpus {args.cpus}: 1 to {MOST_CPUS} would be right")
    if args.memory is not None and not SMALLEST_MEMORY_MIB <= args.memory <= LARGEST_MEMORY_MIB:
        raise SpecError(
            f"--memory {args.memory}: {SMALLEST_MEMORY_MIB} to {LARGEST_MEMORY_MIB} MiB "
            f"would be right, {LEAST_MEMORY_MIB} is usual"
        )
    if args.tap and args.forward:
        raise SpecError("--tap and --forward: one of them, the device has all of the guest's ports")
    if args.tap and not re.fullmatch(r"[^\s,/]{1,15}", args.tap):
        raise SpecError(f"--tap {args.tap}: the name of a tap device, as tap0, would be right")
    if not args.timeout > 0:
        raise SpecError(f"--timeout {args.timeout:g}: a number of seconds above 0 would be right")


def add_machine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run`, `boot` and `debug` have in common."""
    parser.add_argument(
        "--cpus", type=int, default=USUAL_CPUS, metavar="N", help="1 to 8 (default 2)"
    )
    parser.add_argument(
        "--memory",
        type=int,
        metavar="MIB",
        help=f"guest memory (default: what it takes, at least {LEAST_MEMORY_MIB})",
    )
    parser.add_argument(
        "--build", type=Path, metavar="DIR", help="where the image was built (default build/)"
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same way each time: time counts instructions, CPUs run one after the other, a "
        "stage always on the same one (disk, network and accelerator still have their own time)",
    )
    parser.add_argument(
        "--forward",
        action="append",
        default=[],
        metavar="[PROTO:]HOST:GUEST",
        help="let this port of the host (127.0.0.1) lead to that of the guest; tcp unless udp is "
        "named; may be given several times",
    )
    parser.add_argument(
        "--tap",
        default="",
        metavar="NAME",
        help="connect the guest's card to this tap device of the host (`ip tuntap add`), instead "
        "of to QEMU's own network",
    )
    parser.add_argument(
        "--queues",
        type=int,
        metavar="N",
        help=f"queues each way of the card on the tap device, 1 to {MOST_QUEUES} (default: as many "
        "as CPUs where the device was made for several, `ip tuntap add ... multi_queue`, else 1)",
    )
    parser.add_argument(
        "--append", default="", metavar="WORDS", help="more words for the kernel's command line"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_S,
        metavar="S",
        help="seconds for the whole guest; of a workflow that stands: to come up, and to end "
        f"(default {DEFAULT_TIMEOUT_S:.0f})",
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` and `explain` have in common."""
    parser.add_argument(
        "workflow",
        type=Path,
        nargs="*",
        metavar="WORKFLOW.yaml",
        help="as those in userland/workflows/; several that stand run side by side",
    )
    parser.add_argument(
        "--pipe",
        metavar="'OP ! OP ...'",
        help="the workflow in one line; a word alone is the name of files, others are KEY=VALUE",
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="an input of the workflow: a directory of files, or a file; once for each",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where outputs go (default out/WORKFLOW/); files of the same names are replaced",
    )
    parser.add_argument(
        "--json",
        metavar="PATH",
        help="write the figures as JSON; - is standard output, the table goes to standard error",
    )
    parser.add_argument(
        "--disk", type=Path, metavar="FILE", help="keep the guest's disk, an ext4 image, there"
    )
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write what happened when, by CPU, deck and event, for Perfetto's UI",
    )
    add_machine_arguments(parser)
    parser.add_argument(
        "--for",
        dest="for_seconds",
        type=float,
        metavar="S",
        help="a workflow that stands: end it after so many seconds (default: by Ctrl-C)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help="a workflow that stands: end it after so many runs of its events",
    )


def register(subcommands: Any) -> None:
    """Add `kwe run`."""
    parser = subcommands.add_parser(
        "run",
        help="run a workflow on real files",
        description="Run a workflow on real files: boot the image with a disk made from the "
        "inputs, run one event for each file, bring the outputs back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_run_arguments(parser)
    parser.set_defaults(run=run)
