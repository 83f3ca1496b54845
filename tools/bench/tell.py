"""Rows as a table for the terminal, as JSON, and as docs/benchmarks.md."""

import json
from collections.abc import Sequence
from pathlib import Path

from tools.bench.rows import UNCOUNTED, Key, Row, ratios

PAGE = Path(__file__).with_name("benchmarks.md.in")
# What the design set out to reach, for the columns that have a goal.
AIMS = {
    ("boot", "kwe"): "150 ms",
    ("boot", "kwe-first-result"): "300 ms",
}

HEADINGS = (
    *("bench", "variant", "CPUs", "stages", "record", "batch", "time/op", "min - max"),
    *("insn/op", "ring 3 + 0", "calls/op", "CR3/op", "copied/op"),
)


def write_results(rows: Sequence[Row], path: Path) -> None:
    """Write `results.json`, a list of one object a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the cells of all rows, headings first."""
    return [HEADINGS, *(_cells(row) for row in rows)]


def as_text(rows: Sequence[Row]) -> str:
    """Return a table for the terminal."""
    cells = table(rows)
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_markdown(rows: Sequence[Row], machine: str, peer: str = "") -> str:
    """Return docs/benchmarks.md; `peer` is the part about one, where there was one."""
    cells = table(rows)
    lines = [_row(cells[0]), _row(["---"] * len(HEADINGS)), *(_row(line) for line in cells[1:])]
    overheads = [
        f"- {_size(key.record_bytes)} records, {_cpus(key)}: {ratio:.2f} times the computing alone"
        for key, ratio in ratios(rows, "kwe", "compute").items()
    ]
    return PAGE.read_text().format(
        table="\n".join(lines),
        overheads="\n".join(overheads),
        load="\n".join(_load(rows)),
        web="\n".join(_web(rows)),
        machine=machine,
        peer=peer,
    )


WEB_HEADINGS = (
    *("variant", "CPUs", "file", "connections", "requests/s", "p50", "p99"),
    *("insn/request", "visits", "interrupts alone", "CR3"),
)


def _web(rows: Sequence[Row]) -> list[str]:
    """Return the table of the web servers: what who asks sees, and what it costs."""
    lines = [_row(WEB_HEADINGS), _row(["---"] * len(WEB_HEADINGS))]
    for row in rows:
        key = row.key
        if key.bench == "http":
            lines.append(
                _row(
                    (
                        *(key.variant, str(key.cpus), _size(key.record_bytes), str(key.batch)),
                        "not measured" if not row.ns_op else f"{1e9 / row.ns_op:,.0f}",
                        *(_time(row.p50_ns), _time(row.p99_ns), _count(row.insn_op)),
                        *(_part(row.visits_op), _part(row.interrupt_entries_op), _part(row.cr3_op)),
                    )
                )
            )
    return lines


def _load(rows: Sequence[Row]) -> list[str]:
    """Say what much work does: instructions under overload, and how near graphs come."""
    insn = {row.key: row.insn_op for row in rows if row.key.bench == "overload" and row.insn_op}
    lines = []
    for key, cost in insn.items():
        peak = next(
            (c for k, c in insn.items() if (k.variant, k.cpus) == ("kwe-peak", key.cpus)), 0
        )
        if key.variant == "kwe" and peak:
            lines.append(
                f"- Ten times as many events submitted as there are slots, {_cpus(key)}: "
                f"{cost / peak:.3f} times the instructions an event"
            )
    return [
        *lines,
        *(
            f"- Random graphs, {_cpus(key)}: {ratio:.2f} times the least time"
            for key, ratio in ratios(rows, "kwe", "bound").items()
        ),
    ]


def _cpus(key: Key) -> str:
    return f"{key.cpus} CPU{'s' if key.cpus > 1 else ''}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Row) -> tuple[str, ...]:
    key = row.key
    aim = AIMS.get((key.bench, key.variant))
    rings = (
        ""
        if row.insn_user_op is None or row.insn_kernel_op is None
        else f"{_count(row.insn_user_op)} + {_count(row.insn_kernel_op)}"
    )
    return (
        key.bench,
        f"{key.variant} (aim {aim})" if aim else f"{key.variant} {key.design}".strip(),
        str(key.cpus),
        *(str(key.stages or ""), _size(key.record_bytes), str(key.batch or "")),
        _time(row.ns_op),
        "" if row.min is None or row.max is None else f"{_time(row.min)} - {_time(row.max)}",
        *(_count(row.insn_op), rings, _part(row.crossings_op), _part(row.cr3_op)),
        "" if row.bytes_copied_op is None else _size(round(row.bytes_copied_op)) or "0",
    )


def _time(ns: float | None) -> str:
    if ns is None:
        return "not measured"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}" if ns < 100 * size else f"{ns / size:.0f} {unit}"
    return f"{ns:.0f} ns"


def _size(size_bytes: int) -> str:
    if size_bytes == 0:
        return ""
    return f"{size_bytes / 1024:.3g} KiB" if size_bytes >= 1024 else f"{size_bytes} B"


def _count(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"


def _part(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"


def keys_without(rows: Sequence[Row]) -> list[Key]:
    """Return what has instructions or times only, though both were asked for."""
    return [
        row.key
        for row in rows
        if row.key.bench not in UNCOUNTED and (row.ns_op is None or row.insn_op is None)
    ]
