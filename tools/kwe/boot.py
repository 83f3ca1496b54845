"""`kwe boot`: boot programs of the image and show the console. `kwe debug`: the same, under gdb."""

import argparse
import contextlib
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tools.kwe import abi, kpak
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, SpecError
from tools.kwe.forward import parse_forward
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.run import add_machine_arguments, check_machine_arguments
from tools.kwe.sizing import LEAST_MEMORY_MIB
from tools.kwe.symbolize import symbolize_line
from tools.kwe.tap import tap_queues
from tools.kwe.tree import ROOT, find_build

EXAMPLES = """\
examples:
  kwe boot                               the smallest program, on two CPUs
  kwe boot edges --disk disk.img         a program with a disk
  kwe boot hello --append debug          with fault injection allowed
  kwe boot --build build/test PROGRAM    from the image that the tests boot
"""


def _words(args: argparse.Namespace) -> str:
    return f"deterministic {args.append}" if args.deterministic else str(args.append)


def config_from(args: argparse.Namespace, *, gdb: bool) -> MachineConfig:
    """Read the command line.

    Raises:
        SpecError: An argument is out of range, or a file is not there.
    """
    check_machine_arguments(args)
    if args.disk is not None and not args.disk.is_file():
        raise SpecError(f"--disk {args.disk}: an ext4 image would be right")
    build = find_build(args.build).check()
    known = [
        name.removeprefix("program/")
        for name in kpak.names(build.payload)
        if name.startswith("program/")
    ]
    for program in args.programs:
        if program not in known:
            raise SpecError(f"there is no program {program}; {', '.join(known)} would be right")
    fw_cfg = {}
    for item in args.file:
        name, _, path = item.partition("=")
        if not Path(path).is_file():
            raise SpecError(f"--file {item}: NAME=PATH of a file would be right")
        fw_cfg[f"opt/kwe/{name}"] = Path(path).read_bytes()
    return MachineConfig(
        build=build,
        cpus=args.cpus,
        memory_mib=args.memory or LEAST_MEMORY_MIB,
        disk=args.disk,
        append=f"program={','.join(args.programs)} {_words(args)}".strip(),
        fw_cfg=fw_cfg,
        gdb=gdb,
        icount=args.deterministic,
        forward=tuple(parse_forward(text) for text in args.forward),
        tap=args.tap,
        queues=tap_queues(args.tap, args.queues, args.cpus),
    )


def drain(machine: Machine) -> None:
    """Read the control channel for nobody, so that the guest never waits for us."""

    def read() -> None:
        try:
            while machine.control.recv(65536):
                pass
        except OSError:
            pass

    threading.Thread(target=read, name="control", daemon=True).start()


def _reader_gone(_number: int, _frame: object) -> None:
    # The console is written by a thread of its own; whoever waits for the guest has to know. QEMU's
    # sockets go without a reader, too, when it ends.
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if any(event & select.POLLERR for _, event in poll.poll(0)):
        raise BrokenPipeError


def run(args: argparse.Namespace) -> int:
    """Boot, show the console, end with the guest; 1 when a program failed."""
    config = config_from(args, gdb=False)

    def show(line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # which the main thread gets as well
            print("\n".join([line, *symbolize_line(config.build.folder, line)]), flush=True)

    signal.signal(signal.SIGPIPE, _reader_gone)

    with Machine(config, echo=show) as machine:
        if args.verbose:
            print(" ".join(machine.command), file=sys.stderr)
        drain(machine)
        code = machine.verdict(machine.wait(args.timeout))
    return EXIT_DONE if code == abi.EXIT_DONE else EXIT_WORKFLOW


def debug(args: argparse.Namespace) -> int:
    """Boot stopped, with gdb attached to the nucleus."""
    config = config_from(args, gdb=True)
    with Machine(config) as machine:
        drain(machine)
        kernel = config.build.kernel
        command = [
            *("gdb", "-q", str(kernel)),
            *("-ex", f"target remote {machine.folder}/gdb", "-ex", "hbreak arch_early_main"),
            *("-ex", f"directory {ROOT}"),
        ]
        print(f"console: tail -f {machine.folder}/console.log", flush=True)
        # Ctrl-C is for gdb, to stop the guest. (A handler, unlike ignoring it, is not inherited.)
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        return subprocess.run(command, check=False).returncode


def register(subcommands: Any) -> None:
    """Add `kwe boot` and `kwe debug`."""
    for name, action, text in (
        ("boot", run, "boot programs of the image and show the debug console"),
        ("debug", debug, "boot stopped at the first instruction, under gdb"),
    ):
        parser = subcommands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=EXAMPLES.replace("kwe boot", f"kwe {name}"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "programs",
            nargs="*",
            default=["hello"],
            metavar="PROGRAM",
            help="of the image's payload, started in this order (default hello)",
        )
        parser.add_argument("--disk", type=Path, metavar="FILE", help="the guest's disk, ext4")
        parser.add_argument(
            "--file",
            action="append",
            default=[],
            metavar="NAME=PATH",
            help="what the guest finds as opt/kwe/NAME",
        )
        add_machine_arguments(parser)
        parser.set_defaults(run=action)
