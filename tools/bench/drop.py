"""Which samples are not believed, and whether all have done the same work. Pure.

A sample is dropped when the machine was busy with something else meanwhile. A round, the boots of
both systems that are neighbours in time, is dropped when its computing alone took another time than
usual: the same code now and then takes twice as long for a whole boot.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.bench.rows import Key, Sample
from tools.kwe.errors import MachineError

# CPU time spent elsewhere, as a part of the sample's, and what is too little to be measured.
NOISE_PART = 0.15
NOISE_S = 0.03
CANARIES = ("compute", "linux-compute")
CANARY_PART = 0.10


@dataclass(frozen=True)
class Rules:
    """When a sample is dropped: parts of its time, and of a canary's."""

    noise_part: float = NOISE_PART
    canary_part: float = CANARY_PART


@dataclass(frozen=True)
class Kept:
    """What is believed, and how much is not."""

    samples: tuple[Sample, ...]
    rules: Rules
    timed: int  # samples with a time, before
    noisy: int
    moved: int  # of rounds whose canary moved
    moved_rounds: tuple[tuple[int, int], ...]  # CPUs, round


def is_noisy(sample: Sample, rules: Rules) -> bool:
    """Was the machine busy with something else meanwhile?"""
    if sample.ns is None or sample.other_cpu_s is None:
        return False
    return sample.other_cpu_s > max(rules.noise_part * sample.ns / 1e9, NOISE_S)


def find_moved_rounds(samples: Iterable[Sample], rules: Rules) -> set[tuple[int, int]]:
    """Return CPUs and number of rounds in which a canary was not near its own median."""
    canaries: dict[Key, list[tuple[int, float]]] = {}
    for sample in samples:
        if sample.key.variant in CANARIES and sample.ns_op is not None:
            canaries.setdefault(sample.key, []).append((sample.round, sample.ns_op))
    moved = set()
    for key, found in canaries.items():
        usual = statistics.median(ns for _, ns in found)
        most = rules.canary_part
        moved |= {(key.cpus, number) for number, ns in found if abs(ns / usual - 1) > most}
    return moved


def keep_believed(samples: Sequence[Sample], rules: Rules) -> Kept:
    """Drop noisy samples, then rounds whose canary moved. Counts are not touched by either."""
    timed = [sample for sample in samples if sample.ns is not None]
    quiet = [sample for sample in timed if not is_noisy(sample, rules)]
    moved = find_moved_rounds(quiet, rules)
    believed = [sample for sample in quiet if (sample.key.cpus, sample.round) not in moved]
    counted = [sample for sample in samples if sample.ns is None]
    return Kept(
        samples=(*believed, *counted),
        rules=rules,
        timed=len(timed),
        noisy=len(timed) - len(quiet),
        moved=len(quiet) - len(believed),
        moved_rounds=tuple(sorted(moved)),
    )


def keep_all(samples: Sequence[Sample]) -> Kept:
    """Drop nothing: alone, a bench's own range says how quiet it was."""
    timed = sum(sample.ns is not None for sample in samples)
    return Kept(tuple(samples), Rules(), timed, noisy=0, moved=0, moved_rounds=())


def check_outcomes(samples: Iterable[Sample]) -> None:
    """All variants have worked on the same records, with the same outcome.

    Raises:
        MachineError: Two have not; names both.
    """
    first: dict[int, Sample] = {}
    for sample in samples:
        if not sample.outcome:
            continue
        known = first.setdefault(sample.key.record_bytes, sample)
        if known.outcome != sample.outcome:
            raise MachineError(
                f"records of {sample.key.record_bytes} bytes: {_name(known.key)} yields "
                f"{known.outcome}, {_name(sample.key)} {sample.outcome}"
            )


def _name(key: Key) -> str:
    return f"{key.variant} {key.design}".strip()
