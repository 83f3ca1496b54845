"""One boot of one bench program: its lines become samples."""

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench.rows import Key, Sample
from tools.kwe import disk
from tools.kwe.boot import drain
from tools.kwe.errors import MachineError
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.tree import Build

DEADLINE_S = 240.0
LINE = re.compile(r"\bbench (\{.*\})$")
INPUT_BYTES = 16 << 20
ROOM_BYTES = 64 << 20


@dataclass(frozen=True)
class Bench:
    """A program of userland/programs that prints figures."""

    program: str
    memory_mib: int
    with_disk: bool = False


BENCHES = (Bench("nop_bench", 128), Bench("pipeline_bench", 192, with_disk=True))


def boot_bench(
    build: Build, bench: Bench, cpus: int, scratch: Path, plugin: Path | None
) -> list[Sample]:
    """Boot, run to the end, return a sample for each line; with the plugin counts, else times.

    Raises:
        MachineError: The guest did not end well, or marks and lines do not agree.
    """
    counted = scratch / "counts.jsonl"
    image = _fresh_disk(scratch) if bench.with_disk else None
    extra = () if plugin is None else ("-plugin", f"{plugin},out={counted}")
    config = MachineConfig(
        build=build,
        cpus=cpus,
        memory_mib=bench.memory_mib,
        disk=image,
        append=f"program={bench.program}",
        extra=extra,
    )
    with Machine(config) as machine:
        drain(machine)
        machine.verdict(machine.wait(DEADLINE_S))
        lines = machine.console.lines
    figures = [json.loads(match[1]) for line in lines if (match := LINE.search(line))]
    _check_folds(bench, figures)
    if plugin is None:
        return [_sample(figure, cpus, None) for figure in figures]
    counts = [json.loads(line) for line in counted.read_text().splitlines()]
    if len(counts) != len(figures) or not figures:
        raise MachineError(
            f"{bench.program}: {len(figures)} lines, and {len(counts)} pairs of marks"
        )
    return [_sample(figure, cpus, count) for figure, count in zip(figures, counts, strict=True)]


def _check_folds(bench: Bench, figures: Sequence[Mapping[str, object]]) -> None:
    """All variants have worked on the same records, with the same outcome."""
    folds: dict[object, set[object]] = {}
    for figure in figures:
        folds.setdefault(figure.get("record_bytes"), set()).add(figure.get("fold"))
    if any(len(found) > 1 for found in folds.values()):
        raise MachineError(f"{bench.program}: the variants' digests differ: {folds}")


def _sample(figure: Mapping[str, object], cpus: int, counts: Mapping[str, int] | None) -> Sample:
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
        counts=counts,
        copied=number("copied") if "copied" in figure else None,
    )


def boot_times(build: Build, cpus: int) -> list[Sample]:
    """Boot `hello`; from QEMU's start to its first line in ring 3, and to its first result."""
    seen: dict[str, float] = {}

    def note(line: str) -> None:
        for what, words in (("ring 3", "hello: in ring 3"), ("first result", "hello: sha256(")):
            if words in line:
                seen.setdefault(what, time.monotonic())

    config = MachineConfig(
        build=build, cpus=cpus, append="program=hello", network=False, accelerator=False
    )
    with Machine(config, echo=note) as machine:
        drain(machine)
        machine.verdict(machine.wait(DEADLINE_S))
        started = machine.started
    if len(seen) != 2:
        raise MachineError("hello did not say when it was in ring 3 and had its result")
    return [
        Sample(Key("boot", what, cpus), 1, int((at - started) * 1e9)) for what, at in seen.items()
    ]


def _fresh_disk(scratch: Path) -> Path:
    """Make a disk with the pipeline's input, anew for each boot."""
    source = scratch / "in.dat"
    if not source.exists():
        source.write_bytes(make_input(INPUT_BYTES))
    image = scratch / "disk.img"
    image.unlink(missing_ok=True)
    staging = scratch / "staging"
    if staging.exists():
        for path in sorted(staging.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    staging.mkdir(exist_ok=True)
    disk.make_image(image, staging, {b"/in/bench/in.dat": source}, [b"/out"], ROOM_BYTES)
    return image


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
