"""One boot of one bench program: its lines become samples."""

import json
import random
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench.noise import Watch, wait_until_quiet
from tools.bench.rows import UNCOUNTED, Key, Sample
from tools.kwe import disk
from tools.kwe.boot import drain
from tools.kwe.errors import MachineError
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.sizing import LEAST_MEMORY_MIB
from tools.kwe.tree import Build

DEADLINE_S = 240.0
BEGIN = re.compile(r"\bbench begin$")
LINE = re.compile(r"\bbench (\{.*\})$")
INPUT_BYTES = 16 << 20
LARGE_BYTES, SMALL_BYTES = 65536, 4096
# What a packed record may take on disk (pipeline.c), and what else lies there.
STRIDES = (LARGE_BYTES + SMALL_BYTES, 2 * SMALL_BYTES)
LEAST_ROOM_BYTES = 64 << 20
MORE_ROOM_BYTES = 16 << 20


@dataclass(frozen=True)
class Bench:
    """A program of userland/programs that prints figures."""

    program: str
    memory_mib: int
    with_disk: bool = False


BENCHES = (
    Bench("nop_bench", 128),
    Bench("hop_bench", 192, with_disk=True),
    Bench("pipeline_bench", 192, with_disk=True),
    Bench("load_bench", 128),
)


@dataclass(frozen=True)
class Course:
    """How all guests of a run are booted.

    Attributes:
        plugin: Counts instructions, in boots of their own.
        input: What the pipelines read; at least as long as the records.
        records: How many there are of 64 KiB, and of 4 KiB.
        memory_mib: Of each guest; None: as much as each needs.
        like_a_peer: Every guest has a disk and a network card, and no accelerator.
        quiet_s: Wait so long at most before each boot, until the machine is quiet.
    """

    build: Build
    scratch: Path
    plugin: Path
    input: Path
    records: tuple[int, int] = (INPUT_BYTES // LARGE_BYTES, INPUT_BYTES // SMALL_BYTES)
    memory_mib: int | None = None
    like_a_peer: bool = False
    quiet_s: float = 0.0

    @property
    def input_bytes(self) -> int:
        """How much of the input is read."""
        return max(self.records[0] * LARGE_BYTES, self.records[1] * SMALL_BYTES)


def boot_bench(
    course: Course, bench: Bench, cpus: int, round_number: int, *, counting: bool
) -> list[Sample]:
    """Boot, run to the end, return a sample for each line; with the plugin counts, else times.

    Raises:
        MachineError: The guest did not end well, or marks and lines do not agree.
    """
    counted = course.scratch / "counts.jsonl"
    counted.unlink(missing_ok=True)
    config = MachineConfig(
        build=course.build,
        cpus=cpus,
        memory_mib=course.memory_mib or bench.memory_mib,
        disk=_fresh_disk(course) if bench.with_disk or course.like_a_peer else None,
        accelerator=not course.like_a_peer,
        append=f"program={bench.program}",
        fw_cfg={"opt/kwe/bench": "{} {}".format(*course.records).encode()},
        extra=("-plugin", f"{course.plugin},out={counted}") if counting else (),
    )
    watch = Watch()
    others: list[float] = []

    def note(line: str) -> None:
        if BEGIN.search(line):
            watch.begin(machine.pid)
        elif LINE.search(line):
            others.append(watch.other_cpu_s(machine.pid))

    machine = Machine(config, echo=note)
    lines = _run(course, machine)
    figures = [json.loads(match[1]) for line in lines if (match := LINE.search(line))]
    if not figures or len(others) != len(figures):
        last = "\n".join(f"  | {line}" for line in lines[-5:])
        raise MachineError(f"{bench.program}: {len(figures)} lines of figures\n{last}")
    if not counting:
        return [
            make_sample(figure, cpus, round_number, other_cpu_s=other)
            for figure, other in zip(figures, others, strict=True)
        ]
    counts = [usual_counts(json.loads(line)) for line in counted.read_text().splitlines()]
    if len(counts) != len(figures):
        raise MachineError(
            f"{bench.program}: {len(figures)} lines, and {len(counts)} pairs of marks"
        )
    return [
        make_sample(figure, cpus, round_number, counts=count)
        for figure, count in zip(figures, counts, strict=True)
    ]


def _run(course: Course, machine: Machine) -> Sequence[str]:
    """Boot it and wait for its end; return the console's lines."""
    wait_until_quiet(course.quiet_s)
    with machine:
        drain(machine)
        machine.verdict(machine.wait(DEADLINE_S))
        return machine.console.lines


def usual_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Name a plugin's counts as our own does: a peer's says `insn_user`."""
    return {name.removeprefix("insn_"): count for name, count in counts.items()}


def make_sample(
    figure: Mapping[str, object],
    cpus: int,
    round_number: int,
    *,
    counts: Mapping[str, int] | None = None,
    other_cpu_s: float | None = None,
) -> Sample:
    """Read a bench's line; with counts its time says nothing."""

    def number(name: str) -> int:
        value = figure.get(name, 0)
        assert isinstance(value, int)
        return value

    key = Key(
        bench=str(figure["bench"]),
        variant=str(figure["variant"]),
        cpus=cpus,
        stages=number("stages"),
        record_bytes=number("record_bytes"),
        batch=number("batch"),
    )
    return Sample(
        key=key,
        ops=number("ops"),
        ns=number("ns") if counts is None else None,
        counts=None if key.bench in UNCOUNTED else counts,
        copied=number("copied") if "copied" in figure else None,
        median_ns=number("p50_ns") or None,
        round=round_number,
        other_cpu_s=other_cpu_s,
        outcome=outcome_of(figure),
    )


def outcome_of(figure: Mapping[str, object]) -> str:
    """Return the digest of all digests and the packed size, where the line has them."""
    return "fold {fold}, {out_bytes} bytes".format(**figure) if "fold" in figure else ""


def boot_times(course: Course, cpus: int, round_number: int) -> list[Sample]:
    """Boot `hello`; from QEMU's start to its first line in ring 3, and to its first result."""
    variants = {"kwe": "hello: in ring 3", "kwe-first-result": "hello: sha256("}
    seen: dict[str, float] = {}

    def note(line: str) -> None:
        for variant, words in variants.items():
            if words in line:
                seen.setdefault(variant, time.monotonic())

    config = MachineConfig(
        build=course.build,
        cpus=cpus,
        memory_mib=course.memory_mib or LEAST_MEMORY_MIB,
        disk=_fresh_disk(course) if course.like_a_peer else None,
        network=course.like_a_peer,
        accelerator=False,
        append="program=hello",
    )
    machine = Machine(config, echo=note)
    _run(course, machine)
    if len(seen) != len(variants):
        raise MachineError("hello did not say when it was in ring 3 and had its result")
    return [
        Sample(Key("boot", variant, cpus), 1, int((at - machine.started) * 1e9), round=round_number)
        for variant, at in seen.items()
    ]


def _fresh_disk(course: Course) -> Path:
    """Make a disk with the pipeline's input, anew for each boot."""
    pristine = course.scratch / "pristine.img"
    if not pristine.exists():
        source = course.scratch / "in.dat"
        with course.input.open("rb") as stream:
            source.write_bytes(stream.read(course.input_bytes))
        room = max(count * stride for count, stride in zip(course.records, STRIDES, strict=True))
        staging = course.scratch / "staging"
        staging.mkdir(exist_ok=True)
        disk.make_image(
            pristine,
            staging,
            {b"/in/bench/in.dat": source},
            [b"/out"],
            max(LEAST_ROOM_BYTES, room + MORE_ROOM_BYTES),
        )
    image = course.scratch / "disk.img"
    shutil.copyfile(pristine, image)
    return image


def write_input(path: Path, size_bytes: int = INPUT_BYTES) -> Path:
    """Write the input of a run without a peer; return its path."""
    path.write_bytes(make_input(size_bytes))
    return path


def make_input(size_bytes: int) -> bytes:
    """Make data that LZ4 halves, the same each time: of each 64 KiB 48 are words, 16 noise."""
    source = random.Random(20240607)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [
        "".join(source.choices(letters, k=source.randint(2, 11))).encode() for _ in range(3000)
    ]
    parts = []
    for _ in range(size_bytes // 65536):
        few = source.sample(words, 400)
        text = b" ".join(source.choices(few, k=49152 // 2))[:49152]
        parts.append(text + source.randbytes(16384))
    return b"".join(parts)
