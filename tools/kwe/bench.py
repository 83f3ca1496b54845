"""`kwe bench`: measure the system in QEMU, and write the figures down."""

import argparse
import contextlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.bench.compare import compare
from tools.bench.drop import (
    CANARY_PART,
    NOISE_PART,
    Kept,
    Rules,
    check_outcomes,
    keep_all,
    keep_believed,
)
from tools.bench.measure import Plan, measure, open_course
from tools.bench.peer import MEMORY_MIB, Peer, find_peer
from tools.bench.rows import Key, best_designs, make_rows
from tools.bench.store import Measured, read_measured, write_measured
from tools.bench.tell import as_markdown, as_text, keys_without, write_results
from tools.bench.tell_peer import part, plot, ratios_as_text
from tools.kwe.errors import EXIT_DONE, MachineError, SpecError
from tools.kwe.machine import CPU, QEMU, choose_accel
from tools.kwe.progress import Progress
from tools.kwe.run import USUAL_CPUS
from tools.kwe.tree import ROOT, Build, find_build

PAGE = ROOT / "docs/benchmarks.md"
PICTURE = ROOT / "docs/benchmarks.svg"
BOOTS = 5
BOOTS_WITH_PEER = 8
QUICK_BOOTS = 1
QUICK_SCALE = 5
QUIET_S = 20.0

DESCRIPTION = """\
Measure the system in QEMU: figures on the terminal, in build/bench/results.json and in
docs/benchmarks.md. The machine should be quiet.

benches:
  boot       from QEMU's start to ring 3, and to the first result
  nop        events whose stages do nothing, in batches of 1, 32, 64 and 256
  hop        from one isolated deck into the next, in batches of 1 and 64
  pipeline   read, sha256, lz4, write of records of 64 and 4 KiB, 32 under way
  latency    the same with one record of 4 KiB at a time
  overload   ten times as many events submitted as there are slots, against as many
  http       the web server (userland/workflows/web.yaml) under wrk: files of 1 KiB and 64 KiB,
             1 connection and 16
  makespan   random graphs, against their longest way or their work divided by the CPUs
Each boot is timed; one more of each counts instructions.

with --peer DIR:
  DIR is a yardstick of Linux (run.py with fetch, build and bench; guest/sha256.c). Its packages
  are fetched with apt-get and lie with its images in build/bench/peer (about 1 GB). The systems
  boot in turn, on one machine line (1 GiB, IOMMU, the same devices), with the same records, the
  same SHA-256 and LZ4, counted by the same plugin. Dropped: samples during which something else
  used more than 15 % of their time; rounds in which the computing alone moved by more than 10 %.
  The page gets a comparison and docs/benchmarks.svg; every single sample is in
  build/bench/samples.json. A round takes about four minutes for each number of CPUs.
"""
EPILOG = """\
examples:
  kwe bench                          about ten minutes
  kwe bench --quick                  one boot of each; leaves docs alone
  kwe bench --peer DIR               both systems, 8 rounds (`make bench PEER=DIR`)
  kwe bench --peer DIR --boots 2 --cpus 1 --scale 10
  kwe bench --again build/bench/samples.json --canary 20
"""


def describe_machine(peer: Peer | None) -> str:
    """Say what it ran on."""
    accel = choose_accel()
    version = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    first = version.stdout.splitlines()[:1] or ["QEMU of an unknown version"]
    memory = "" if peer is None else f" -m {MEMORY_MIB}M"
    return (
        f"{first[0]}, {accel}, `-M q35 -cpu {CPU[accel]}{memory}`, "
        f"on a host with {os.cpu_count()} cores; IOMMU on."
    )


def describe_peer(peer: Peer) -> str:
    """Say what the two were given."""
    large, small = peer.records
    return (
        f"Each pipeline works on {large} records of 64 KiB and {small} of 4 KiB; both guests have "
        "a virtio disk (`cache=writeback`) and a virtio network card behind the IOMMU."
    )


def plan_of(args: argparse.Namespace) -> Plan:
    """Read how much is to be measured.

    Raises:
        SpecError: A number is out of range.
    """
    for name in ("boots", "scale"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise SpecError(f"--{name} {value}: a number above 0 would be right")
    if args.scale is not None and (args.peer is None or args.scale > 100):
        raise SpecError(f"--scale {args.scale}: percent of a peer's work, at most 100, with --peer")
    usual = BOOTS if args.peer is None else BOOTS_WITH_PEER
    boots = args.boots or (QUICK_BOOTS if args.quick else usual)
    cpu_counts = [args.cpus] if args.cpus else [1] if args.quick else list(range(1, USUAL_CPUS + 1))
    return Plan(boots, cpu_counts)


def peer_of(args: argparse.Namespace, build: Build) -> Peer | None:
    """Return the peer that was named.

    Raises:
        SpecError: It is none, or it cannot be compared with.
    """
    if args.peer is None:
        return None
    if choose_accel() != "tcg":
        raise SpecError("--peer: both systems run under tcg; no KWE_ACCEL would be right")
    scale = args.scale or (QUICK_SCALE if args.quick else 100)
    return find_peer(args.peer, build.folder / "bench/peer", scale, args.quiet)


def collect(build: Build, peer: Peer | None, plan: Plan) -> Measured:
    """Measure; what has come is kept in samples.json, however it ends."""
    measured = Measured(describe_machine(peer), "" if peer is None else describe_peer(peer))
    with contextlib.closing(Progress("bench", 0)) as progress:
        if peer is not None:
            progress.say("setting up the peer")
            peer.prepare()
        try:
            with open_course(build, peer) as course:
                for sample in measure(course, peer, plan, progress.say):
                    measured.samples.append(sample)
        finally:
            write_measured(measured, build.folder / "bench/samples.json")
    return measured


def write_page(measured: Measured, kept: Kept) -> None:
    """Write docs/benchmarks.md, and with a peer its picture."""
    rows = make_rows(kept.samples)
    about_peer = ""
    if measured.peer:
        ratios = compare(rows, kept.samples)
        about_peer = part(ratios, kept, measured.peer)
        PICTURE.write_text(plot(ratios))
    PAGE.write_text(as_markdown(best_designs(rows), measured.machine, about_peer))


def not_measured(missing: Sequence[Key], kept: Kept) -> str:
    """Say which figures lack a time or a count, and why."""
    dropped = kept.noisy + kept.moved
    names = ", ".join(key.name for key in missing)
    if not dropped:
        return f"not measured in full: {names}"
    return (
        f"not measured in full, since {dropped} of {kept.timed} samples were dropped (a quiet "
        f"machine or more --boots would be right): {names}"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, or take what was measured; print, write."""
    build = find_build(args.build)
    rules = Rules(args.noise / 100, args.canary / 100)
    if args.again is not None:
        measured = read_measured(args.again)
    else:
        plan = plan_of(args)
        peer = peer_of(args, build.check())
        measured = collect(build, peer, plan)
    check_outcomes(measured.samples)
    kept = keep_believed(measured.samples, rules) if measured.peer else keep_all(measured.samples)
    rows = best_designs(make_rows(kept.samples))
    write_results(rows, build.folder / "bench/results.json")
    print(as_text(rows))
    if measured.peer:
        print("\n" + ratios_as_text(compare(rows, kept.samples), kept))
    if not args.quick:
        write_page(measured, kept)
    if missing := keys_without(rows):
        raise MachineError(not_measured(missing, kept))
    return EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe bench`."""
    parser = subcommands.add_parser(
        "bench",
        help="measure, and print the figures",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="one boot of each, one CPU; leaves docs alone"
    )
    parser.add_argument(
        "--boots",
        type=int,
        metavar="N",
        help=f"of each bench (default {BOOTS}, with a peer {BOOTS_WITH_PEER})",
    )
    parser.add_argument("--cpus", type=int, choices=range(1, USUAL_CPUS + 1), help="default: both")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.add_argument("--peer", type=Path, metavar="DIR", help="compare with this yardstick")
    parser.add_argument(
        "--scale",
        type=int,
        metavar="PERCENT",
        help=f"of the peer's work (default 100, with --quick {QUICK_SCALE})",
    )
    parser.add_argument(
        "--quiet",
        type=float,
        default=QUIET_S,
        metavar="SECONDS",
        help="with --peer: wait at most so long before each boot, until the machine is quiet "
        f"(default {QUIET_S:.0f})",
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=100 * NOISE_PART,
        metavar="PERCENT",
        help="with --peer: drop samples during which something else used more of their time "
        f"(default {NOISE_PART:.0%})".replace("%", "%%"),
    )
    parser.add_argument(
        "--canary",
        type=float,
        default=100 * CANARY_PART,
        metavar="PERCENT",
        help="with --peer: drop rounds in which the computing alone moved by more "
        f"(default {CANARY_PART:.0%})".replace("%", "%%"),
    )
    parser.add_argument(
        "--again",
        type=Path,
        metavar="FILE",
        help="measure nothing: tell again what is in a samples.json, by these --noise and --canary",
    )
    parser.set_defaults(run=run)
