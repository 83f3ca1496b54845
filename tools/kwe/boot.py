"""`kwe boot`: boot programs of the image and show the console. `kwe debug`: the same, under gdb."""

import argparse
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, SpecError
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.run import MOST_CPUS, add_machine_arguments
from tools.kwe.sizing import LEAST_MEMORY_MIB
from tools.kwe.symbolize import symbolize_line
from tools.kwe.tree import ROOT, find_build


def config_from(args: argparse.Namespace, *, gdb: bool) -> MachineConfig:
    """Read the command line.

    Raises:
        SpecError: An argument is out of range, or a file is not there.
    """
    if not 1 <= args.cpus <= MOST_CPUS:
        raise SpecError(f"--cpus {args.cpus}: 1 or {MOST_CPUS} would be right")
    fw_cfg = {}
    for item in args.file:
        name, _, path = item.partition("=")
        if not Path(path).is_file():
            raise SpecError(f"--file {item}: NAME=PATH of a file would be right")
        fw_cfg[f"opt/kwe/{name}"] = Path(path).read_bytes()
    return MachineConfig(
        build=find_build(args.build),
        cpus=args.cpus,
        memory_mib=args.memory or LEAST_MEMORY_MIB,
        disk=args.disk,
        append=f"program={','.join(args.program)} {args.append}".strip(),
        fw_cfg=fw_cfg,
        gdb=gdb,
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


def run(args: argparse.Namespace) -> int:
    """Boot, show the console, end with the guest; 1 when a program failed."""
    config = config_from(args, gdb=False)

    def show(line: str) -> None:
        print("\n".join([line, *symbolize_line(config.build.folder, line)]), flush=True)

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
            *("-ex", f"target remote {machine.folder}/gdb", "-ex", "hbreak nucleus_main"),
            *("-ex", f"directory {ROOT}"),
        ]
        print(f"console: tail -f {machine.folder}/console.log")
        return subprocess.run(command, check=False).returncode


def register(subcommands: Any) -> None:
    """Add `kwe boot` and `kwe debug`."""
    for name, action, text in (
        ("boot", run, "boot programs of the image and show the debug console"),
        ("debug", debug, "boot stopped at the first instruction, under gdb"),
    ):
        parser = subcommands.add_parser(name, help=text, description=text)
        parser.add_argument(
            "--program",
            action="append",
            metavar="NAME",
            help="a program of the payload, several times for several (default hello)",
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
        parser.set_defaults(run=lambda args, action=action: action(_with_program(args)))


def _with_program(args: argparse.Namespace) -> argparse.Namespace:
    args.program = args.program or ["hello"]
    return args
