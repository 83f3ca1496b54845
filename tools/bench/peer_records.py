"""What the Linux yardstick's records mean in our words. Pure.

Its benches are made in several designs each; a design belongs to one of our variants:

    linux-plain     one process with ordinary system calls, and nothing isolated from anything
    linux-uring     one process with io_uring
    linux-isolated  stages in processes of their own, as our decks are
    linux-spin      two processes that both spin on shared memory, a CPU each
    linux-compute   the computing alone

A web server's requests are counted by the guest and timed by wrk outside it: two records each.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from tools.bench.guests import LARGE_BYTES, SMALL_BYTES, outcome_of, usual_counts
from tools.bench.rows import Key, Sample
from tools.kwe.errors import MachineError

PIPELINE_BATCH = 32
COMPUTE_BYTES = {"compute": LARGE_BYTES, "compute4k": SMALL_BYTES}
PIPELINE_BYTES = {"pipe": LARGE_BYTES, "pipe4k": SMALL_BYTES}
PIPELINE_VARIANTS = {
    "1": "linux-plain",
    "2": "linux-uring",
    "3": "linux-isolated",
    "4": "linux-isolated",
}
# Times of a boot, from QEMU's start: to the first line of the first program, and until its disk is
# mounted and its network up.
BOOT_TIMES = {"init_s": "linux-plain", "ready_s": "linux-ready"}
HTTP_VARIANTS = {"epoll": "linux-plain", "uring": "linux-uring", "iso": "linux-isolated"}
HTTP = re.compile(r"(epoll|uring|iso)_(\d+)k_c(\d+)")
NOP = re.compile(r"(plain|defer|sqpoll)_b(\d+)")
STALLS_ONLY = re.compile(r"|connect 0, read 0, write 0, timeout \d+")
# The counts that its plugin adds to a record.
COUNTED = ("insn_user", "insn_kernel", "syscalls", "to_user", "cr3", "hlt")


def read_records(
    records: Iterable[Mapping[str, object]], round_number: int, *, counting: bool
) -> list[Sample]:
    """Turn the records of one boot into samples; what we have no bench for is passed over.

    Raises:
        MachineError: One of its benches failed.
    """
    samples = []
    for record in records:
        if record.get("variant") in ("FAILED", "BADJSON"):
            raise MachineError(f"the peer's bench {record.get('bench')} failed: {dict(record)}")
        if record.get("bench") == "boot":
            samples += [] if counting else _boot(record, round_number)
        elif record.get("bench") == "wrk":
            samples += [] if counting else _served(record, round_number)
        elif record.get("bench") == "http" and not counting:
            pass  # who asks has timed it
        elif "ops" in record:
            samples += [
                _sample(key, record, round_number, counting=counting) for key in keys_of(record)
            ]
    return samples


def keys_of(record: Mapping[str, object]) -> list[Key]:
    """Return what a record is a figure of: one thing, two, or nothing that we measure."""
    bench, design = str(record["bench"]), str(record["variant"])
    cpus = _integer(record, "smp")

    def key(
        bench: str, variant: str, *, stages: int = 0, record_bytes: int = 0, batch: int = 0
    ) -> Key:
        return Key(bench, variant, cpus, stages, record_bytes, batch, design)

    if bench == "nop":
        if match := NOP.fullmatch(design):
            return [key("nop", "linux-uring", stages=1, batch=int(match[2]))]
        if design == "syscall_getppid":
            return [key("nop", "linux-plain", stages=1, batch=1)]
    elif bench in ("http", "wrk"):
        if match := HTTP.fullmatch(design):
            size, connections = int(match[2]) * 1024, int(match[3])
            variant = HTTP_VARIANTS[match[1]]
            return [key("http", variant, record_bytes=size, batch=connections)]
    elif bench == "hop":
        threads = "_threads_" in design
        spins = design.startswith("shm_spin")
        variant = "linux-plain" if threads else "linux-spin" if spins else "linux-isolated"
        return [key("hop", variant, batch=1)]
    elif bench in COMPUTE_BYTES and design == "both":
        size = COMPUTE_BYTES[bench]
        return [key("pipeline", "linux-compute", record_bytes=size, batch=PIPELINE_BATCH)]
    elif bench in PIPELINE_BYTES:
        return _pipeline_keys(design, key, PIPELINE_BYTES[bench])
    return []


def _pipeline_keys(design: str, key: Callable[..., Key], record_bytes: int) -> list[Key]:
    variant = PIPELINE_VARIANTS[design[0]]
    one_by_one = "_d1_" in design
    found = []
    if not one_by_one:
        found.append(key("pipeline", variant, record_bytes=record_bytes, batch=PIPELINE_BATCH))
    # The plain loop has one record under way, too: its time is also a latency.
    if record_bytes == SMALL_BYTES and (one_by_one or design == "1_plain_warm"):
        found.append(key("latency", variant, record_bytes=record_bytes, batch=1))
    return found


def _sample(key: Key, record: Mapping[str, object], round_number: int, *, counting: bool) -> Sample:
    counts = {name: _integer(record, name) for name in COUNTED} if counting else None
    other = record.get("other_cpu_s")
    return Sample(
        key=key,
        ops=_integer(record, "ops"),
        ns=None if counting else round(_number(record, "wall_s") * 1e9),
        counts=None if counts is None else usual_counts(counts),
        median_ns=_number(record, "p50_ns") if key.bench == "latency" else None,
        round=round_number,
        other_cpu_s=other if isinstance(other, float) else None,
        outcome=outcome_of(record),
    )


def _served(record: Mapping[str, object], round_number: int) -> list[Sample]:
    """Return what wrk has seen of a web server."""
    # A stall is none: QEMU's user network loses a segment now and then, and sends again much later.
    if not STALLS_ONLY.fullmatch(str(record.get("errors", ""))):
        raise MachineError(f"the peer's web server did not answer all: {dict(record)}")
    requests = _integer(record, "requests")
    return [
        Sample(
            key=key,
            ops=requests,
            ns=round(requests / _number(record, "ops_s") * 1e9),
            p50_ns=_number(record, "p50_ns"),
            p99_ns=_number(record, "p99_ns"),
            round=round_number,
        )
        for key in keys_of(record)
    ]


def _boot(record: Mapping[str, object], round_number: int) -> list[Sample]:
    cpus = _integer(record, "smp")
    return [
        Sample(
            Key("boot", variant, cpus),
            ops=1,
            ns=round(_number(record, name) * 1e9),
            round=round_number,
        )
        for name, variant in BOOT_TIMES.items()
    ]


def _number(record: Mapping[str, object], name: str) -> float:
    value = record.get(name)
    if not isinstance(value, int | float):
        raise MachineError(f"the peer's record has no number {name}: {dict(record)}")
    return value


def _integer(record: Mapping[str, object], name: str) -> int:
    return int(_number(record, name))
