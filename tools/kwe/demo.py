"""`kwe demo`, which `make run` calls: the demo workflows on real files, with their tables."""

import argparse
from pathlib import Path
from typing import Any

from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW
from tools.kwe.run import MOST_CPUS, USUAL_CPUS, RunOptions, print_report, run_workflow
from tools.kwe.tree import ROOT, find_build

WORKFLOWS = ROOT / "userland/workflows"
CLIP = ROOT / "build/clip"
RECORDINGS = ROOT / "build/recordings"
# A tree of real files that is always there.
FILES = ROOT / "kernel"


def run(args: argparse.Namespace) -> int:
    """Run the demos one after the other."""
    output = args.output or find_build(args.build).folder / "out"
    failed = False
    demos = {
        "video": {"clip": CLIP},
        "archive": {"files": FILES},
        "science": {"recordings": RECORDINGS},
    }
    for name, inputs in demos.items():
        options = RunOptions(
            workflow=WORKFLOWS / f"{name}.yaml",
            inputs=inputs,
            output=output / name,
            cpus=args.cpus,
            build=args.build,
        )
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
