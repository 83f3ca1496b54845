"""What a trace holds, and what it has cost."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TraceFigures:
    """What a trace holds and what it cost."""

    file: str
    records: int
    lost: int
    record_bytes: int  # as the guest sent them
    file_bytes: int
    record_ns: int  # keeping one
    keep_ns: int  # keeping all
    read_ns: int  # copying them out, in the nucleus
    send_ns: int  # reading and sending while the run went on
    wall_ns: int  # the run; 0: it did not end

    def document(self) -> dict[str, Any]:
        """Return what --json writes."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield what a person wants to know."""
        yield (
            f"trace {self.file}: {self.records} records, {self.lost} lost, "
            f"{self.record_bytes / 1e3:.0f} kB, as JSON {self.file_bytes / 1e6:.1f} MB; "
            "it opens in Perfetto's UI"
        )
        share = (
            f": {(self.keep_ns + self.send_ns) / self.wall_ns:.2%} of the run"
            if self.wall_ns
            else ""
        )
        yield (
            f"trace's own cost: {self.keep_ns / 1e6:.2f} ms for keeping them "
            f"({self.record_ns} ns each), {self.send_ns / 1e6:.2f} ms for sending them while the "
            f"run went on{share}"
        )
        if self.lost:
            yield "trace: the guest made them faster than they could be sent; gaps are marked in it"
