"""`kwe bench`: measure the system in QEMU, and write the figures down."""

import argparse
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.bench.guests import BENCHES, boot_bench, boot_times
from tools.bench.rows import Row, Sample, make_rows
from tools.bench.tell import as_markdown, as_text, keys_without, write_results
from tools.kwe.errors import EXIT_DONE, BuildError, MachineError
from tools.kwe.machine import CPU, QEMU, choose_accel
from tools.kwe.progress import Progress
from tools.kwe.run import MOST_CPUS
from tools.kwe.tree import ROOT, Build, find_build

PLUGIN_SOURCE = ROOT / "tools/plugin/kcount.c"
PAGE = ROOT / "docs/benchmarks.md"
BOOTS = 5
QUICK_BOOTS = 1


def build_plugin(build: Build) -> Path:
    """Compile the counting plugin.

    Raises:
        BuildError: The compiler complains.
    """
    plugin = build.folder / "bench/kcount.so"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"),
            *("-fvisibility=hidden", "-o", str(plugin), str(PLUGIN_SOURCE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{PLUGIN_SOURCE}: {done.stderr.strip()}")
    return plugin


def measure(build: Build, boots: int, cpu_counts: list[int], progress: Progress) -> list[Row]:
    """Boot everything `boots` times in turn, and once more with the plugin."""
    plugin = build_plugin(build)
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="kwe-bench-") as folder:
        scratch = Path(folder)
        for boot in range(boots + 1):
            counting = boot == boots
            for cpus in cpu_counts:
                if not counting:
                    progress.say(f"boot {boot + 1} of {boots}: hello, {cpus} CPUs")
                    samples += boot_times(build, cpus)
                for bench in BENCHES:
                    what = "counting" if counting else f"boot {boot + 1} of {boots}"
                    progress.say(f"{what}: {bench.program}, {cpus} CPUs")
                    samples += boot_bench(build, bench, cpus, scratch, plugin if counting else None)
    return make_rows(samples)


def describe_machine() -> str:
    """Say what it ran on."""
    accel = choose_accel()
    version = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    first = version.stdout.splitlines()[:1] or ["QEMU of an unknown version"]
    return (
        f"{first[0]}, {accel}, `-M q35 -cpu {CPU[accel]}`, on a host with {os.cpu_count()} cores; "
        "IOMMU on."
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print, write."""
    build = find_build(args.build).check()
    boots = args.boots or (QUICK_BOOTS if args.quick else BOOTS)
    cpu_counts = [args.cpus] if args.cpus else [1] if args.quick else list(range(1, MOST_CPUS + 1))
    with contextlib.closing(Progress("bench", 0)) as progress:
        rows = measure(build, boots, cpu_counts, progress)
    write_results(rows, build.folder / "bench/results.json")
    print(as_text(rows))
    if not args.quick:
        PAGE.write_text(as_markdown(rows, describe_machine()))
    if missing := keys_without(rows):
        raise MachineError("not measured in full: " + ", ".join(str(key) for key in missing))
    return EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe bench`."""
    parser = subcommands.add_parser(
        "bench",
        help="measure, and print the figures",
        description="Measure the system in QEMU: figures on the terminal, in "
        "build/bench/results.json and in docs/benchmarks.md. The machine should be quiet.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one boot of each, one CPU; leaves docs alone"
    )
    parser.add_argument("--boots", type=int, metavar="N", help=f"of each bench (default {BOOTS})")
    parser.add_argument("--cpus", type=int, choices=range(1, MOST_CPUS + 1), help="default: both")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.set_defaults(run=run)
