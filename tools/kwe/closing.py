"""The closing table of a run, for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from tools.kwe.report import Report

SHOWN_ERRORS = 20


def closing_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Yield what a person wants to know of workflows that came to their end in one guest."""
    for report in reports:
        yield from _workflow_lines(report)
    yield from _machine_lines(reports)
    yield from trouble_lines(reports[0])
    for report in reports[1:]:
        yield from error_lines(report)


def _workflow_lines(report: Report) -> Iterator[str]:
    events = report.events()
    wall_s = report.guest()["wall_ns"] / 1e9
    total = "runs" if report.job.standing else f"of {len(report.job.events)} events"
    yield (
        f"{report.job.spec.workflow}: {report.status}; "
        f"{events['completed']} {total} done, "
        f"{events['failed']} failed, in {wall_s:.2f} s of guest time; "
        f"route {list(report.job.route)}"
    )
    yield from table_lines(
        ("stage", "operation", "events", "failed", "in", "out", "deck ms", "MB/s"),
        [_stage_row(stage) for stage in report.stages()],
    )


def _machine_lines(reports: Sequence[Report]) -> Iterator[str]:
    report = reports[0]
    guest, copied = report.guest(), report.guest()["bytes_copied_by_kind"]
    wall_s = guest["wall_ns"] / 1e9
    completed = sum(one.events()["completed"] for one in reports)
    rate = completed / wall_s if wall_s else 0.0
    yield (
        f"guest: ring 3 after {_ms(guest['boot_ns'])}, "
        f"first result after {_ms(guest['result_ns'])}, {rate:.1f} events/s, "
        f"{guest['program_syscalls']} program calls, {guest['deck_visits']} deck visits"
    )
    yield (
        f"copied: {size_words(copied['between_stages'])} between stages, "
        f"{size_words(copied['cache'])} cache, {size_words(copied['device'])} device window; "
        f"IOMMU {'on' if guest['iommu'] else 'OFF'}"
    )
    yield (
        f"machine: {report.accel}, {report.cpus} CPU{'s' if report.cpus > 1 else ''}, "
        f"{report.memory_mib} MiB; {report.host_ns / 1e9:.2f} s on the host"
    )
    if report.trace is not None:
        yield from report.trace.lines()


def trouble_lines(report: Report) -> Iterator[str]:
    """Yield what went wrong: restarts, faults with their backtraces, failed events."""
    for deck, restarts in report.guest()["deck_restarts"].items():
        yield f"deck {deck} was restarted {restarts} times"
    if any(error["code"] == "NO_MEMORY" for error in report.errors):
        yield report.memory_hint()
    yield from report.faults
    yield from error_lines(report)


def error_lines(report: Report) -> Iterator[str]:
    """Yield the errors, the first of many."""
    for error in report.errors[:SHOWN_ERRORS]:
        where = [
            *([printable(error["event"])] if error["event"] is not None else []),
            *([f"at stage {error['stage']}"] if error["stage"] else []),
            *([f"in deck {error['deck']}"] if error["deck"] else []),
        ]
        yield f"{' '.join(['FAILED', *where])}: {error['code']}: {error['message']}"
    if len(report.errors) > SHOWN_ERRORS:
        yield f"... and {len(report.errors) - SHOWN_ERRORS} more; --json lists all"


def printable(name: str) -> str:
    """Return a file name fit for a terminal's line."""
    return name if name.isprintable() else ascii(name)


def _stage_row(stage: dict[str, Any]) -> tuple[str, ...]:
    seconds = stage["guest_ns"] / 1e9
    moved = max(stage["bytes_in"], stage["bytes_out"])
    return (
        stage["name"],
        _ran(stage),
        str(stage["events"]),
        str(stage["failed"]),
        size_words(stage["bytes_in"]),
        size_words(stage["bytes_out"]),
        f"{seconds * 1e3:.1f}",
        f"{moved / 1e6 / seconds:.1f}" if seconds else "-",
    )


def _ran(stage: dict[str, Any]) -> str:
    """Name the operation, and what each deck did of one that several may run."""
    ran = [f"{deck} {one['events']}" for deck, one in stage["ran_on"].items() if one["events"]]
    return f"{stage['op']}: {', '.join(ran)}" if ran else f"{stage['deck']}.{stage['op']}"


def table_lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 2
) -> Iterator[str]:
    """Lay out columns: the first `left` of them to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.0f} ms"


def size_words(count: int) -> str:
    """Return ``12 MiB`` for a number of bytes, rounded down."""
    for unit in ("B", "KiB", "MiB"):
        if count < 10240:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GiB"
