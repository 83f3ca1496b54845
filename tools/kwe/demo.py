"""`kwe demo`, which `make run` calls: the demo workflows on real files, with their tables."""

import argparse
import socket
from pathlib import Path
from typing import Any

from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, MachineError
from tools.kwe.forward import Forward
from tools.kwe.machine import Machine
from tools.kwe.run import MOST_CPUS, USUAL_CPUS, RunOptions, print_report, run_workflow
from tools.kwe.standing import Until
from tools.kwe.tree import ROOT, find_build

WORKFLOWS = ROOT / "userland/workflows"
CLIP = ROOT / "build/clip"
RECORDINGS = ROOT / "build/recordings"
# A tree of real files that is always there.
FILES = ROOT / "kernel"
# The echo server's port in the guest, and how long it may take to answer.
ECHO_PORT = 7
ANSWER_S = 30.0


def ask_echo(machine: Machine) -> None:
    """Say something to the echo server, and hear it.

    Raises:
        MachineError: It says something else, or nothing.
    """
    said = b"what no program has seen\n" * 4096
    heard = bytearray()
    try:
        place = ("127.0.0.1", machine.forwarded(ECHO_PORT))
        with socket.create_connection(place, timeout=ANSWER_S) as connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                heard += part
    except OSError as error:
        raise MachineError(f"the echo server did not answer: {error}") from error
    if heard != said:
        raise MachineError(f"the echo server answered {len(heard)} bytes for {len(said)}, others")
    print(f"echo: {len(said)} bytes came back as they went in")


def run(args: argparse.Namespace) -> int:
    """Run the demos one after the other."""
    output = args.output or find_build(args.build).folder / "out"
    demos = {
        "video": {"clip": CLIP},
        "archive": {"files": FILES},
        "science": {"recordings": RECORDINGS},
    }
    runs = [
        RunOptions(
            workflow=WORKFLOWS / f"{name}.yaml",
            inputs=inputs,
            output=output / name,
            cpus=args.cpus,
            build=args.build,
        )
        for name, inputs in demos.items()
    ]
    runs.append(
        RunOptions(
            workflow=WORKFLOWS / "echo.yaml",
            inputs={},
            output=output / "echo",
            cpus=args.cpus,
            build=args.build,
            forward=(Forward("tcp", 0, ECHO_PORT),),
            until=Until(runs=1),
            on_up=ask_echo,
        )
    )
    failed = False
    for options in runs:
        report = run_workflow(options)
        print_report(report, None)
        print()
        failed |= bool(report.errors)
    return EXIT_WORKFLOW if failed else EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe demo`."""
    parser = subcommands.add_parser("demo", help="run the demo workflows on real files")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default build/out")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.add_argument("--cpus", type=int, choices=range(1, MOST_CPUS + 1), default=USUAL_CPUS)
    parser.set_defaults(run=run)
