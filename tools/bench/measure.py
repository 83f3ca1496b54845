"""All boots of a run, in turn: ours, the peer's, ours, the peer's; never two at once."""

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.bench.guests import BENCHES, Course, boot_bench, boot_times, write_input
from tools.bench.peer import MEMORY_MIB, Peer, build_image
from tools.bench.rows import Sample
from tools.bench.web import boot_web
from tools.kwe.errors import BuildError
from tools.kwe.tree import ROOT, Build

PLUGIN_SOURCE = ROOT / "tools/plugin/kcount.c"


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        boots: Rounds that are timed; one more counts instructions.
        cpu_counts: Each round is made with each of them.
    """

    boots: int
    cpu_counts: Sequence[int]


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


@contextlib.contextmanager
def open_course(build: Build, peer: Peer | None) -> Iterator[Course]:
    """Make ready what all guests of a run share; its files are gone after the block."""
    with tempfile.TemporaryDirectory(prefix="kwe-bench-") as folder:
        scratch = Path(folder)
        if peer is None:
            plugin = build_plugin(build)
            yield Course(build, scratch, plugin, write_input(scratch / "made.dat"))
        else:
            course = Course(build_image(build, peer), scratch, peer.plugin, peer.input)
            yield replace(
                course,
                records=peer.records,
                memory_mib=MEMORY_MIB,
                like_a_peer=True,
                quiet_s=peer.quiet_s,
            )


def measure(
    course: Course, peer: Peer | None, plan: Plan, say: Callable[[str], None]
) -> Iterator[Sample]:
    """Boot everything `plan.boots` times in turn, and once more with the plugin."""
    for number in range(plan.boots + 1):
        counting = number == plan.boots
        what = "counting" if counting else f"round {number + 1} of {plan.boots}"
        for cpus in plan.cpu_counts:
            if not counting:
                say(f"{what}: hello, {cpus} CPUs")
                yield from boot_times(course, cpus, number)
            for bench in BENCHES:
                say(f"{what}: {bench.program}, {cpus} CPUs")
                yield from boot_bench(course, bench, cpus, number, counting=counting)
            say(f"{what}: the web server, {cpus} CPUs")
            yield from boot_web(course, cpus, number, counting=counting)
            if peer is not None:
                say(f"{what}: the peer, {cpus} CPUs")
                yield from peer.boot(cpus, number, counting=counting)
