"""The comparison with a peer as a part of docs/benchmarks.md, and as a plot."""

from collections.abc import Sequence
from pathlib import Path

from tools.bench.compare import Ratio
from tools.bench.drop import Kept
from tools.bench.plot import Bar, draw
from tools.bench.rows import Key

PART = Path(__file__).with_name("benchmarks_peer.md.in")
HEADINGS = (
    *("bench", "CPUs", "record", "batch", "against", "its design"),
    *("Linux / KWE", "single rounds", "rounds", "instructions: Linux / KWE"),
)
# Nearer to 1 than this nobody has won.
EVEN = 1.05
TITLE = "Time of an operation, Linux / KWE: right of 1 KWE is faster, left of it Linux"


def part(ratios: Sequence[Ratio], kept: Kept, settings: str) -> str:
    """Return the part of the page."""
    lines = [_line(HEADINGS), _line(["---"] * len(HEADINGS))]
    lines += [_line(_cells(ratio)) for ratio in ratios]
    return PART.read_text().format(
        settings=settings,
        dropped=_dropped(kept),
        ratios="\n".join(lines),
        losses="\n".join(_losses(ratios)),
        wins="\n".join(_wins(ratios)),
    )


def ratios_as_text(ratios: Sequence[Ratio], kept: Kept) -> str:
    """Return the ratios for the terminal."""
    lines = [
        f"{_where(r.ours):32} {r.theirs.variant:15} {r.theirs.design:26} {r.ratio:7.2f} x"
        for r in ratios
    ]
    return "\n".join(["time of an operation, Linux / KWE", *lines, _dropped(kept)])


def plot(ratios: Sequence[Ratio]) -> str:
    """Return the SVG of all ratios."""
    bars = [
        Bar(
            label=_where(ratio.ours),
            variant=ratio.theirs.variant,
            ratio=ratio.ratio,
            low=ratio.low or ratio.ratio,
            high=ratio.high or ratio.ratio,
        )
        for ratio in ratios
    ]
    return draw(bars, TITLE)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(ratio: Ratio) -> tuple[str, ...]:
    ours = ratio.ours
    known = ratio.low is not None and ratio.high is not None
    return (
        *(ours.bench, str(ours.cpus), _size(ours.record_bytes), str(ours.batch or "")),
        *(ratio.theirs.variant, ratio.theirs.design or "its boot"),
        f"**{ratio.ratio:.2f}**" if ratio.ratio > EVEN else f"{ratio.ratio:.2f}",
        f"{ratio.low:.2f} - {ratio.high:.2f}" if known else "",
        str(ratio.rounds),
        "" if ratio.insn is None else f"{ratio.insn:.2f}",
    )


def _dropped(kept: Kept) -> str:
    rounds = ", ".join(f"{number + 1} on {cpus} CPUs" for cpus, number in kept.moved_rounds)
    return (
        f"Of {kept.timed} timed samples {kept.noisy} were dropped because something else used more "
        f"than {kept.rules.noise_part:.0%} of their time, and {kept.moved} of rounds whose "
        f"computing alone had moved by more than {kept.rules.canary_part:.0%} "
        f"(rounds: {rounds or 'none'})."
    )


def _losses(ratios: Sequence[Ratio]) -> list[str]:
    lost = sorted((r for r in ratios if r.ratio < 1 / EVEN), key=lambda r: r.ratio)
    return [
        f"- {_where(r.ours)}: {r.theirs.variant} ({r.theirs.design or 'its boot'}) takes "
        f"{r.ratio:.2f} of KWE's time, KWE {1 / r.ratio:.1f} times as long"
        for r in lost
    ] or ["- In none of the rows above."]


def _wins(ratios: Sequence[Ratio]) -> list[str]:
    won = sorted((r for r in ratios if r.ratio > EVEN), key=lambda r: -r.ratio)
    return [
        f"- {_where(r.ours)}: {r.ratio:.1f} times as fast as {r.theirs.variant} "
        f"({r.theirs.design or 'its boot'})"
        for r in won
    ] or ["- In none of the rows above."]


def _where(key: Key) -> str:
    batch = f", batch {key.batch}" if key.batch and not key.record_bytes else ""
    size = f", {_size(key.record_bytes)}" if key.record_bytes else ""
    return f"{key.bench}{size}{batch}, {key.cpus} CPU{'s' if key.cpus > 1 else ''}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes // 1024} KiB" if size_bytes else ""
