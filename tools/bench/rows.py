"""From samples, one a timed part of one boot, to rows, one a figure. Pure."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

# Benches of which there is a time only.
UNCOUNTED = frozenset({"boot", "makespan"})


@dataclass(frozen=True, order=True)
class Key:
    """What was measured; `design` tells apart what a variant does in more than one way."""

    bench: str
    variant: str
    cpus: int
    stages: int = 0  # 0: does not apply, as below
    record_bytes: int = 0
    batch: int = 0
    design: str = ""

    @property
    def of_any_design(self) -> "Key":
        """The same without the design."""
        return replace(self, design="")

    @property
    def name(self) -> str:
        """What distinguishes it, in a few words."""
        parts = (
            *(self.bench, self.variant, self.design),
            f"{self.stages} stages" if self.stages else "",
            f"{self.record_bytes // 1024} KiB" if self.record_bytes else "",
            f"batch {self.batch}" if self.batch else "",
            f"on {self.cpus} CPUs",
        )
        return " ".join(part for part in parts if part)

    def by(self, variant: str) -> "Key":
        """Return what another variant has to do to be compared with this."""
        return replace(self, variant=variant, design="")


@dataclass(frozen=True)
class Sample:
    """One timed part of one boot, or the counts of the same part under the plugin.

    Attributes:
        ops: Events, or boots.
        ns: Time of all, by the clock that the bench names; None under the plugin, which slows it.
        counts: Of all: instructions by ring, crossings, CR3 writes; None without the plugin.
        copied: Bytes copied inside decks; None where the bench does not say.
        median_ns: Of one operation, where the bench has timed each; then this is the figure.
        p50_ns: Of one operation, as who asked for it has seen it; ns stays the figure.
        p99_ns: The same.
        visits: Entries of all decks that handed work over.
        interrupt_entries: Those that only brought interrupts.
        round: Boots of the same round are neighbours in time, and compared with each other.
        other_cpu_s: CPU time that the machine spent elsewhere meanwhile; None: nobody looked.
        outcome: What the work has yielded; "" where the bench does not say.
    """

    key: Key
    ops: int
    ns: int | None = None
    counts: Mapping[str, int] | None = None
    copied: int | None = None
    median_ns: float | None = None
    p50_ns: float | None = None
    p99_ns: float | None = None
    visits: int | None = None
    interrupt_entries: int | None = None
    round: int = 0
    other_cpu_s: float | None = None
    outcome: str = ""

    @property
    def ns_op(self) -> float | None:
        """Time of an operation."""
        if self.ns is None:
            return None
        return self.median_ns or self.ns / self.ops


@dataclass(frozen=True)
class Row:
    """A figure: medians over boots, with the smallest and largest time. None: not measured."""

    key: Key
    reps: int
    ns_op: float | None
    min: float | None
    max: float | None
    insn_user_op: float | None
    insn_kernel_op: float | None
    crossings_op: float | None
    cr3_op: float | None
    bytes_copied_op: float | None
    p50_ns: float | None = None
    p99_ns: float | None = None
    visits_op: float | None = None
    interrupt_entries_op: float | None = None

    @property
    def insn_op(self) -> float | None:
        """Guest instructions of both rings."""
        if self.insn_user_op is None or self.insn_kernel_op is None:
            return None
        return self.insn_user_op + self.insn_kernel_op

    def as_json(self) -> dict[str, object]:
        """Return the row as `results.json` has it."""
        return {
            **vars(self.key),
            "ops_s": None if not self.ns_op else 1e9 / self.ns_op,
            "ns_op": self.ns_op,
            "insn_op": self.insn_op,
            "insn_user_op": self.insn_user_op,
            "insn_kernel_op": self.insn_kernel_op,
            "crossings_op": self.crossings_op,
            "cr3_op": self.cr3_op,
            "bytes_copied_op": self.bytes_copied_op,
            "p50_ns": self.p50_ns,
            "p99_ns": self.p99_ns,
            "visits_op": self.visits_op,
            "interrupt_entries_op": self.interrupt_entries_op,
            "reps": self.reps,
            "min": self.min,
            "max": self.max,
        }


def make_rows(samples: Iterable[Sample]) -> list[Row]:
    """Gather samples by key, in the order in which keys first come."""
    by_key: dict[Key, list[Sample]] = {}
    for sample in samples:
        by_key.setdefault(sample.key, []).append(sample)
    return [_row(key, found) for key, found in by_key.items()]


def _row(key: Key, samples: list[Sample]) -> Row:
    times = [sample.ns_op for sample in samples if sample.ns_op is not None]

    def count(name: str) -> float | None:
        return _median(s.counts[name] / s.ops for s in samples if s.counts is not None)

    return Row(
        key=key,
        reps=len(times),
        ns_op=_median(times),
        min=min(times, default=None),
        max=max(times, default=None),
        insn_user_op=count("user"),
        insn_kernel_op=count("kernel"),
        crossings_op=count("syscalls"),
        cr3_op=count("cr3"),
        bytes_copied_op=_median(s.copied / s.ops for s in samples if s.copied is not None),
        p50_ns=_median(s.p50_ns for s in samples if s.p50_ns is not None),
        p99_ns=_median(s.p99_ns for s in samples if s.p99_ns is not None),
        visits_op=_median(s.visits / s.ops for s in samples if s.visits is not None),
        interrupt_entries_op=_median(
            s.interrupt_entries / s.ops for s in samples if s.interrupt_entries is not None
        ),
    )


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def best_designs(rows: Iterable[Row]) -> list[Row]:
    """Keep of each variant the fastest design; rows without a time give way to those with one."""
    best: dict[Key, Row] = {}
    for row in rows:
        key = row.key.of_any_design
        known = best.get(key)
        if known is None or (row.ns_op is not None and row.ns_op < (known.ns_op or float("inf"))):
            best[key] = row
    return list(best.values())


def ratios(rows: Iterable[Row], over: str, under: str) -> dict[Key, float]:
    """Return time of variant `over` divided by that of `under`, by the key of `over`."""
    times = {row.key: row.ns_op for row in rows if row.ns_op}
    found = {}
    for key, ns in times.items():
        base = times.get(key.by(under))
        if key.variant == over and base:
            found[key] = ns / base
    return found
