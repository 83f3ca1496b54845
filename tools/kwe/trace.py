"""`kwe run --trace FILE`: what happened when, in the JSON trace format that Perfetto's UI opens.

Tracks: a process for the CPUs, with what each one did; a process for the events, each from its
admission to its verdict, with counts of what is under way; a process for each deck instance, with
its visits on one row, and below them the stages in its hands, on as many rows as were in hand at
once. Arrows lead an event from stage to stage.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tools.kwe import abi
from tools.kwe.disk import write_file
from tools.kwe.job import Job
from tools.kwe.report import Report
from tools.kwe.session import Session
from tools.kwe.system import System
from tools.kwe.trace_figures import TraceFigures
from tools.kwe.trace_spans import Count, Instance, Record, Span, StageSpan, Trace

CPUS, EVENTS, FIRST_INSTANCE = 1, 2, 16
MOST_INSTANCES = 16  # of a deck
VISITS, FIRST_IN_HAND = 0, 1  # rows of an instance
ROUNDING_NS = 2 * abi.ANSWERED_UNIT_NS
MOMENTS = {abi.TRACE_INTERRUPT: "interrupt for", abi.TRACE_DEATH: "death of"}


SomeSpan = TypeVar("SomeSpan", bound=Span)


@dataclass
class Rows:
    """Spans that overlap go on rows of their own: each row's end so far."""

    ends_ns: list[int] = field(default_factory=list)

    def place(self, span: SomeSpan) -> tuple[int, SomeSpan]:
        """Take the first row that is free from its beginning on; return it, and the span there.

        A deck tells when it answered in units: one span may seem to begin before the end of
        another that it really came after. It then begins there.
        """
        for row, busy_until_ns in enumerate(self.ends_ns):
            if busy_until_ns - ROUNDING_NS <= span.begin_ns:
                begin_ns = max(busy_until_ns, span.begin_ns)
                span = replace(span, begin_ns=begin_ns, end_ns=max(begin_ns, span.end_ns))
                self.ends_ns[row] = span.end_ns
                return row, span
        self.ends_ns.append(span.end_ns)
        return len(self.ends_ns) - 1, span


def _name(kind: str, process: int, name: str, row: int = 0) -> Iterator[Record]:
    order = process if kind == "process" else row
    yield {"ph": "M", "name": f"{kind}_name", "pid": process, "tid": row, "args": {"name": name}}
    yield {
        "ph": "M",
        "name": f"{kind}_sort_index",
        "pid": process,
        "tid": row,
        "args": {"sort_index": order},
    }


def _span(name: str, process: int, row: int, span: Span, **args: Any) -> Record:
    if span.cut:
        args["cut"] = "records are missing, or the run ended: it may have been longer"
    return {
        "ph": "X",
        "name": name,
        "pid": process,
        "tid": row,
        "ts": span.begin_ns / 1000,
        "dur": (span.end_ns - span.begin_ns) / 1000,
        "args": {key: value for key, value in args.items() if value is not None},
    }


def _counter(name: str, counts: Sequence[Count]) -> Iterator[Record]:
    for count in counts:
        yield {
            "ph": "C",
            "name": name,
            "pid": EVENTS,
            "ts": count.time_ns / 1000,
            "args": {"count": count.count},
        }


class Converter:
    """Makes the trace of one run."""

    def __init__(self, job: Job, system: System, workflow: int, records: Sequence[Record]) -> None:
        self.job = job
        self.system = system
        self.trace = Trace(records, workflow)

    def convert(self) -> Iterator[Record]:
        """Yield the events of the JSON trace format."""
        yield from _name("process", CPUS, "CPUs")
        yield from _name("process", EVENTS, f"events of {self.job.spec.workflow}")
        yield from self._gaps()
        yield from self._cpus()
        yield from self._moments()
        yield from self._events()
        yield from self._instances()

    def _instance_name(self, instance: Instance) -> str:
        return f"deck {self.system.deck_name(instance[0])}.{instance[1]}"

    @staticmethod
    def _process(instance: Instance) -> int:
        return FIRST_INSTANCE + instance[0] * MOST_INSTANCES + instance[1]

    def _status(self, status: int | None) -> str | None:
        return None if status is None else self.system.error_name(status)

    # ---- CPUs -----------------------------------------------------------------------------

    def _gaps(self) -> Iterator[Record]:
        for gap in self.trace.gaps:
            span = Span(gap.from_ns, gap.until_ns, cut=False)
            yield {
                "ph": "i",
                "s": "g",
                "name": f"{gap.lost} records lost",
                "pid": CPUS,
                "tid": 0,
                "ts": span.begin_ns / 1000,
                "args": {"until_us": span.end_ns / 1000},
            }

    def _cpus(self) -> Iterator[Record]:
        spans = self.trace.cpus()
        for cpu in sorted({span.cpu for span in spans}):
            yield from _name("thread", CPUS, f"CPU {cpu}", cpu)
        for span in spans:
            yield _span(self._doing(span.record), CPUS, span.cpu, span)

    def _doing(self, record: Record) -> str:
        if record["kind"] == abi.TRACE_IDLE:
            return "idle"
        if record["deck"] == abi.NO_DECK:
            return f"program {record['value']}"
        return self._instance_name((record["deck"], record["instance"]))

    def _moments(self) -> Iterator[Record]:
        for record in self.trace.records:
            if record["kind"] in MOMENTS:
                instance = self._instance_name((record["deck"], record["instance"]))
                yield {
                    "ph": "i",
                    "s": "t",
                    "name": f"{MOMENTS[record['kind']]} {instance}",
                    "pid": CPUS,
                    "tid": record["cpu"],
                    "ts": record["time_ns"] / 1000,
                    "args": {"bit": record["value"]}
                    if record["kind"] == abi.TRACE_INTERRUPT
                    else {},
                }

    # ---- events ---------------------------------------------------------------------------

    def _events(self) -> Iterator[Record]:
        rows = Rows()
        for event in self.trace.events():
            row, span = rows.place(event)
            name, status = self._event_name(span.cookie), self._status(span.status)
            yield _span(name, EVENTS, row, span, event=span.event, status=status)
        for row in range(len(rows.ends_ns)):
            yield from _name("thread", EVENTS, "event", row)
        yield from _counter("events in flight", self.trace.in_flight())
        for deck, counts in sorted(self.trace.ready().items()):
            yield from _counter(f"ready for {self.system.deck_name(deck)}", counts)

    def _event_name(self, cookie: int) -> str:
        row = cookie & 0xFFFFFFFF  # the agent's cookie has the row below
        return self.job.events[row].file.name if row < len(self.job.events) else f"event {row}"

    # ---- decks ----------------------------------------------------------------------------

    def _instances(self) -> Iterator[Record]:
        stages = self.trace.stages()
        visits = self.trace.visits()
        seen = {stage.instance for stage in stages} | {visit.instance for visit in visits}
        for instance in sorted(seen):
            process = self._process(instance)
            yield from _name("process", process, self._instance_name(instance))
            yield from _name("thread", process, "visits", VISITS)
        for visit in visits:
            name = f"visit for {visit.work}" if visit.work else "nothing to do"
            yield _span(name, self._process(visit.instance), VISITS, visit, work=visit.work)
        yield from self._stages(stages)

    def _stages(self, spans: Sequence[StageSpan]) -> Iterator[Record]:
        rows: dict[Instance, Rows] = defaultdict(Rows)
        hops: dict[int, list[tuple[StageSpan, int]]] = defaultdict(list)
        for begun in spans:
            place, span = rows[begun.instance].place(begun)
            row = FIRST_IN_HAND + place
            hops[span.event].append((span, row))
            stage = self.job.stages[span.stage]
            yield _span(
                stage.name,
                self._process(span.instance),
                row,
                span,
                operation=f"{stage.deck.name}.{stage.op.name}",
                event=span.event,
                queued_us=None if span.queued_ns is None else span.queued_ns / 1000,
                status=self._status(span.status),
            )
        for instance, used in rows.items():
            for row in range(len(used.ends_ns)):
                process = self._process(instance)
                yield from _name("thread", process, "in hand", FIRST_IN_HAND + row)
        for event, way in hops.items():
            yield from self._arrows(event, way)

    def _arrows(self, event: int, way: Sequence[tuple[StageSpan, int]]) -> Iterator[Record]:
        """Lead from stage to stage, in the order in which they began."""
        if len(way) < 2:
            return
        for index, (span, row) in enumerate(way):
            phase = "s" if index == 0 else "f" if index == len(way) - 1 else "t"
            yield {
                "ph": phase,
                "id": event,
                "name": "event",
                "cat": "event",
                "pid": self._process(span.instance),
                "tid": row,
                "ts": span.begin_ns / 1000,
                **({"bp": "e"} if phase == "f" else {}),
            }


def write_trace(report: Report, path: Path) -> None:
    """Write the trace of a run, whatever end it came to, if the guest told one."""
    session = report.session
    if session is None or session.info is None or not session.trace:
        return
    converter = Converter(report.job, report.system, session.info["workflow"], session.trace)
    document = {"displayTimeUnit": "ns", "traceEvents": list(converter.convert())}
    text = json.dumps(document, separators=(",", ":")).encode()
    write_file(path, text)
    report.trace = _figures(session, path, len(text))


def _figures(session: Session, path: Path, file_bytes: int) -> TraceFigures:
    head, done = session.trace_head, session.done
    assert head is not None
    return TraceFigures(
        file=str(path),
        records=len(session.trace),
        lost=head["lost"],
        record_bytes=len(session.trace) * abi.TRACE_RECORD.size,
        file_bytes=file_bytes,
        record_ns=head["record_ns"],
        keep_ns=head["kept"] * head["record_ns"],
        read_ns=head["read_ns"],
        send_ns=done["trace_ns"] if done else 0,
        wall_ns=done["finished_ns"] - done["started_ns"] if done else 0,
    )
