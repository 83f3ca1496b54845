"""Our rows against the peer's. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.bench.rows import Key, Row, Sample, best_designs

OURS = "kwe"
THEIRS = ("linux-plain", "linux-uring", "linux-isolated")


@dataclass(frozen=True)
class Ratio:
    """Their time divided by ours: above 1 we are faster.

    Attributes:
        ratio: Of the medians.
        low, high: The smallest and largest of single rounds.
        rounds: How many rounds have both.
        insn: The same of instructions; None: not counted.
    """

    ours: Key
    theirs: Key
    ratio: float
    low: float | None
    high: float | None
    rounds: int
    insn: float | None


def compare(rows: Sequence[Row], samples: Iterable[Sample]) -> list[Ratio]:
    """Compare each of our rows with the fastest design of each of the peer's variants."""
    best = best_designs(rows)
    by_key = {row.key.of_any_design: row for row in best}
    times: dict[Key, dict[int, float]] = {}
    for sample in samples:
        if sample.ns_op is not None:
            times.setdefault(sample.key, {})[sample.round] = sample.ns_op
    found = []
    for ours in best:
        if ours.key.variant != OURS or not ours.ns_op:
            continue
        for variant in THEIRS:
            theirs = by_key.get(ours.key.by(variant))
            if theirs is None or not theirs.ns_op:
                continue
            pairs = _pairs(times.get(ours.key, {}), times.get(theirs.key, {}))
            found.append(
                Ratio(
                    ours=ours.key,
                    theirs=theirs.key,
                    ratio=theirs.ns_op / ours.ns_op,
                    low=min(pairs, default=None),
                    high=max(pairs, default=None),
                    rounds=len(pairs),
                    insn=(
                        theirs.insn_op / ours.insn_op if theirs.insn_op and ours.insn_op else None
                    ),
                )
            )
    return found


def _pairs(ours: dict[int, float], theirs: dict[int, float]) -> list[float]:
    return [theirs[number] / ns for number, ns in ours.items() if number in theirs]
