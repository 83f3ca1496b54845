"""`kwe run --trace FILE`: what happened when, in the JSON trace format that Perfetto's UI opens.

Tracks: a process for the CPUs, with what each one did; a process for each deck instance, with the
stages in its hands, on as many rows as were in hand at once; a process for the events, each from
its admission to its verdict. Arrows lead an event from stage to stage.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.disk import write_file
from tools.kwe.job import Job
from tools.kwe.report import Report
from tools.kwe.system import System

CPUS, EVENTS, FIRST_INSTANCE = 1, 2, 16
MOMENTS = {
    abi.TRACE_VISIT: "work for",
    abi.TRACE_INTERRUPT: "interrupt for",
    abi.TRACE_DEATH: "death of",
}
Record = dict[str, Any]


@dataclass
class Rows:
    """Spans that overlap go on rows of their own: each row's end so far."""

    ends_ns: list[int] = field(default_factory=list)

    def place(self, begin_ns: int, end_ns: int) -> int:
        """Return the first row that is free from `begin_ns` on, and take it."""
        for row, busy_until_ns in enumerate(self.ends_ns):
            if busy_until_ns <= begin_ns:
                self.ends_ns[row] = end_ns
                return row
        self.ends_ns.append(end_ns)
        return len(self.ends_ns) - 1


@dataclass(frozen=True)
class Span:
    """A stage in a deck's hands."""

    record: Record  # the answer
    begin_ns: int
    end_ns: int


def _name(kind: str, process: int, name: str, row: int = 0) -> Record:
    return {"ph": "M", "name": f"{kind}_name", "pid": process, "tid": row, "args": {"name": name}}


def _span(name: str, process: int, row: int, begin_ns: int, end_ns: int, **args: Any) -> Record:
    return {
        "ph": "X",
        "name": name,
        "pid": process,
        "tid": row,
        "ts": begin_ns / 1000,
        "dur": (end_ns - begin_ns) / 1000,
        "args": args,
    }


class Converter:
    """Makes the trace of one run."""

    def __init__(self, job: Job, system: System, workflow: int, records: Sequence[Record]) -> None:
        self.job = job
        self.system = system
        self.workflow = workflow
        self.records = sorted(records, key=lambda record: record["time_ns"])
        self.rows: dict[int, Rows] = {}

    def convert(self) -> Iterator[Record]:
        """Yield the events of the JSON trace format."""
        yield _name("process", CPUS, "CPUs")
        yield _name("process", EVENTS, "events")
        yield from self._cpus()
        yield from self._events()
        yield from self._stages()

    def _instance(self, record: Record) -> tuple[int, str]:
        deck = self.system.deck_name(record["deck"])
        process = FIRST_INSTANCE + record["deck"] * 16 + record["instance"]
        return process, f"deck {deck}.{record['instance']}"

    # ---- CPUs -----------------------------------------------------------------------------

    def _cpus(self) -> Iterator[Record]:
        """Yield what each CPU did, one thing after the other, and moments."""
        doing: dict[int, tuple[str, int]] = {}  # since when
        for record in self.records:
            cpu, now_ns = record["cpu"], record["time_ns"]
            match record["kind"]:
                case abi.TRACE_RUN | abi.TRACE_IDLE:
                    if cpu in doing:
                        name, since_ns = doing[cpu]
                        yield _span(name, CPUS, cpu, since_ns, now_ns)
                    else:
                        yield _name("thread", CPUS, f"CPU {cpu}", cpu)
                    doing[cpu] = self._thread_name(record), now_ns
                case abi.TRACE_INTERRUPT | abi.TRACE_DEATH | abi.TRACE_VISIT:
                    yield {
                        "ph": "i",
                        "s": "t",
                        "name": f"{MOMENTS[record['kind']]} {self._instance(record)[1]}",
                        "pid": CPUS,
                        "tid": cpu,
                        "ts": now_ns / 1000,
                        "args": {"value": record["value"]},
                    }

    def _thread_name(self, record: Record) -> str:
        if record["kind"] == abi.TRACE_IDLE:
            return "idle"
        if record["deck"] == abi.NO_DECK:
            return f"program {record['value']}"
        return self._instance(record)[1]

    # ---- events ---------------------------------------------------------------------------

    def _is_ours(self, record: Record) -> bool:
        return bool(record["event"]) and record["workflow"] == self.workflow

    def _events(self) -> Iterator[Record]:
        admitted: dict[int, Record] = {}
        rows = Rows()
        for record in self.records:
            if not self._is_ours(record):
                continue
            if record["kind"] == abi.TRACE_ADMITTED:
                admitted[record["event"]] = record
            elif record["kind"] == abi.TRACE_ENDED and record["event"] in admitted:
                begin = admitted.pop(record["event"])
                row = rows.place(begin["time_ns"], record["time_ns"])
                yield _span(
                    self._event_name(record),
                    EVENTS,
                    row,
                    begin["time_ns"],
                    record["time_ns"],
                    event=record["event"],
                    status=self.system.error_name(record["status"]),
                )

    def _event_name(self, record: Record) -> str:
        row = record["value"] & 0xFFFFFFFF  # the agent's cookie has the row below
        return self.job.events[row].file.name if row < len(self.job.events) else f"event {row}"

    # ---- stages ---------------------------------------------------------------------------

    def _spans(self) -> list[Span]:
        handed: dict[tuple[int, int, int, int], list[int]] = {}
        spans = []
        for record in self.records:
            if not self._is_ours(record):
                continue
            key = record["event"], record["stage"], record["deck"], record["instance"]
            if record["kind"] == abi.TRACE_HANDED:
                handed.setdefault(key, []).append(record["time_ns"])
            elif record["kind"] == abi.TRACE_ANSWERED and handed.get(key):
                handed_ns = handed[key].pop(0)
                end_ns = record["value"] or record["time_ns"]
                begin_ns = max(handed_ns, end_ns - record["elapsed_ns"])
                spans.append(Span(record, min(begin_ns, end_ns), end_ns))
        return sorted(spans, key=lambda span: span.begin_ns)

    def _stages(self) -> Iterator[Record]:
        named: set[int] = set()
        flow: dict[int, list[tuple[Span, int, int]]] = {}
        for span in self._spans():
            process, name = self._instance(span.record)
            if process not in named:
                named.add(process)
                yield _name("process", process, name)
            row = self.rows.setdefault(process, Rows()).place(span.begin_ns, span.end_ns)
            stage = self.job.stages[span.record["stage"]]
            yield _span(
                stage.name,
                process,
                row,
                span.begin_ns,
                span.end_ns,
                operation=f"{stage.deck.name}.{stage.op.name}",
                event=span.record["event"],
                status=self.system.error_name(span.record["status"]),
            )
            flow.setdefault(span.record["event"], []).append((span, process, row))
        for event, hops in flow.items():
            yield from self._arrows(event, hops)

    @staticmethod
    def _arrows(event: int, hops: Sequence[tuple[Span, int, int]]) -> Iterator[Record]:
        for index, (span, process, row) in enumerate(hops):
            phase = "s" if index == 0 else "f" if index == len(hops) - 1 else "t"
            yield {
                "ph": phase,
                "id": event,
                "name": "event",
                "cat": "event",
                "pid": process,
                "tid": row,
                "ts": span.begin_ns / 1000,
                **({"bp": "e"} if phase == "f" else {}),
            }


def write_trace(report: Report, path: Path) -> list[str]:
    """Write the trace of a run, and return what there is to say about it."""
    session = report.session
    if session is None or session.trace_head is None or session.info is None:
        return ["the guest told no trace"]
    head = session.trace_head
    converter = Converter(report.job, report.system, session.info["workflow"], session.trace)
    document = {"displayTimeUnit": "ns", "traceEvents": list(converter.convert())}
    text = json.dumps(document, separators=(",", ":")).encode()
    write_file(path, text)
    wall_ns = max(report.guest()["wall_ns"], 1)
    cost_ns = head["kept"] * head["record_ns"]
    lines = [
        f"trace {path}: {head['kept']} records, {len(text) / 1e6:.1f} MB; keeping them took "
        f"{cost_ns / 1e6:.2f} ms ({head['record_ns']} ns each), {cost_ns / wall_ns:.1%} of the "
        "run; it opens in Perfetto's UI",
    ]
    if head["lost"]:
        lines.append(f"trace: {head['lost']} records more were lost: the guest made them too fast")
    return lines
