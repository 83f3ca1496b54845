"""From trace records to Perfetto's JSON; what the kernel tells is in tests/qemu/test_trace.py."""

import random
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tools.kwe import abi
from tools.kwe.job import Job, compile_workflow
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import System, load_system
from tools.kwe.trace import CPUS, EVENTS, FIRST_INSTANCE, VISITS, Converter, Rows
from tools.kwe.trace_figures import TraceFigures
from tools.kwe.trace_spans import Count, Record, Span, Trace
from tools.kwe.tree import ROOT, find_build

WORKFLOW = 7
DECK_FAULT = 20  # any but 0
STORAGE, OPERATIONS = 3, 1


def record(kind: int, time_ns: int, **more: int) -> Record:
    return {
        "time_ns": time_ns,
        "value": 0,
        "event": 0,
        "workflow": WORKFLOW if "event" in more else 0,
        "elapsed_ns": 0,
        "stage": abi.NO_STAGE,
        "status": 0,
        "kind": kind,
        "cpu": 0,
        "deck": abi.NO_DECK,
        "instance": 0,
        **more,
    }


def stage_records(event: int, stage: int, *, handed_ns: int, answered_ns: int) -> list[Record]:
    place = {"event": event, "stage": stage, "deck": OPERATIONS}
    return [
        record(abi.TRACE_READY, handed_ns - 10, **place),
        record(abi.TRACE_HANDED, handed_ns, **place),
        record(abi.TRACE_ANSWERED, answered_ns, **place, elapsed_ns=answered_ns - handed_ns),
    ]


# ---- spans ------------------------------------------------------------------------------------


def test_a_stage_was_queued_until_it_was_handed_over() -> None:
    trace = Trace(stage_records(1, 0, handed_ns=100, answered_ns=150), WORKFLOW)

    (span,) = trace.stages()

    assert (span.begin_ns, span.end_ns, span.queued_ns) == (100, 150, 10)
    assert (span.instance, span.status, span.cut) == ((OPERATIONS, 0), 0, False)
    assert trace.ready() == {OPERATIONS: [Count(90, 1), Count(100, 0)]}


def test_a_deck_says_when_it_answered_but_is_not_believed_beyond_the_kernels_records() -> None:
    place = {"event": 1, "stage": 0, "deck": OPERATIONS}
    for answered_ns, elapsed_ns, expected in (
        (170, 20, (150, 170)),
        (170, 9999, (100, 170)),
        (50, 9999, (100, 100)),
        (0, 30, (170, 200)),
    ):
        records = [
            record(abi.TRACE_HANDED, 100, **place),
            record(abi.TRACE_ANSWERED, 200, **place, value=answered_ns, elapsed_ns=elapsed_ns),
        ]

        (span,) = Trace(records, WORKFLOW).stages()

        assert (span.begin_ns, span.end_ns) == expected


def test_rows_forgive_what_rounding_does_but_no_more() -> None:
    rows = Rows()

    assert rows.place(Span(0, 100, cut=False)) == (0, Span(0, 100, cut=False))
    assert rows.place(Span(70, 200, cut=False)) == (0, Span(100, 200, cut=False))
    assert rows.place(Span(190, 195, cut=False)) == (0, Span(200, 200, cut=False))
    assert rows.place(Span(100, 300, cut=False)) == (1, Span(100, 300, cut=False))


def test_a_death_ends_the_visit_and_what_was_in_its_hands() -> None:
    here = {"deck": STORAGE, "instance": 0}
    place = {"event": 1, "stage": 2, **here}
    records = [
        record(abi.TRACE_HANDED, 100, **place),
        record(abi.TRACE_VISIT, 101, value=1, **here),
        record(abi.TRACE_DEATH, 150, **here),
        record(abi.TRACE_FORSAKEN, 160, **place, status=DECK_FAULT),
        record(abi.TRACE_BACK, 200, **here),  # its successor's first call
    ]

    trace = Trace(records, WORKFLOW)

    (stage,) = trace.stages()
    assert (stage.begin_ns, stage.end_ns, stage.status) == (100, 160, DECK_FAULT)
    (visit,) = trace.visits()
    assert (visit.begin_ns, visit.end_ns, visit.work, visit.cut) == (101, 150, 1, False)


def test_what_has_no_end_ends_with_the_trace_and_says_so() -> None:
    here = {"deck": STORAGE, "instance": 0}
    records = [
        record(abi.TRACE_ADMITTED, 10, event=1),
        record(abi.TRACE_RUN, 20, cpu=1, **here),
        record(abi.TRACE_HANDED, 30, event=1, stage=0, **here),
        record(abi.TRACE_VISIT, 40, **here),
        record(abi.TRACE_INTERRUPT, 90, **here),
    ]

    trace = Trace(records, WORKFLOW)

    for spans in (trace.events(), trace.cpus(), trace.stages(), trace.visits()):
        (span,) = spans
        assert span.end_ns == 90
        assert span.cut


def test_a_gap_ends_what_it_may_hide_the_end_of() -> None:
    records = [
        record(abi.TRACE_ADMITTED, 5, event=1, value=0),
        record(abi.TRACE_RUN, 10, value=3),
        record(abi.TRACE_HANDED, 20, event=1, stage=0, deck=OPERATIONS),
        record(abi.TRACE_GAP, 100, value=12),
        record(abi.TRACE_IDLE, 110),
        record(abi.TRACE_ENDED, 120, event=2, value=1),
    ]

    trace = Trace(records, WORKFLOW)

    (gap,) = trace.gaps
    assert (gap.from_ns, gap.until_ns, gap.lost) == (20, 100, 12)
    assert [(s.begin_ns, s.end_ns, s.cut) for s in trace.cpus()] == [
        (10, 20, True),
        (110, 120, True),
    ]
    assert [(s.event, s.begin_ns, s.end_ns, s.cut) for s in trace.events()] == [
        (1, 5, 20, True),
        (2, 100, 120, True),
    ]
    assert [(s.begin_ns, s.end_ns, s.cut) for s in trace.stages()] == [(20, 20, True)]


def test_what_nobody_needs_any_more_counts_as_ready_until_its_event_ends() -> None:
    records = [
        record(abi.TRACE_ADMITTED, 10, event=1),
        record(abi.TRACE_READY, 11, event=1, stage=0, deck=STORAGE),
        record(abi.TRACE_READY, 12, event=1, stage=1, deck=STORAGE),
        record(abi.TRACE_HANDED, 20, event=1, stage=0, deck=STORAGE),
        record(abi.TRACE_ENDED, 30, event=1),
    ]

    counts = Trace(records, WORKFLOW).ready()[STORAGE]

    assert counts == [Count(11, 1), Count(12, 2), Count(20, 1), Count(30, 0)]


# ---- a whole run ------------------------------------------------------------------------------


class FakeKernel:
    """Makes the records of a run of `archive` by a seed: vectors, deaths, others' events."""

    STAGES = (STORAGE, OPERATIONS, OPERATIONS, OPERATIONS, STORAGE)
    INSTANCES = ((STORAGE, 0), (OPERATIONS, 0), (OPERATIONS, 1))

    def __init__(self, seed: int, event_count: int) -> None:
        self.random = random.Random(seed)
        self.now_ns = 1000
        self.records: list[Record] = []
        self.at = dict.fromkeys(range(1, event_count + 1), 0)  # event: its next stage
        self.run()

    def tell(self, kind: int, **more: int) -> None:
        self.now_ns += self.random.randrange(1, 500)
        self.records.append(record(kind, self.now_ns, cpu=self.random.randrange(2), **more))

    def run(self) -> None:
        for event in self.at:
            self.tell(abi.TRACE_ADMITTED, event=event, value=event - 1)
            self.ready(event)
        self.tell(abi.TRACE_ADMITTED, event=1000, workflow=WORKFLOW + 1)
        while any(stage < len(self.STAGES) for stage in self.at.values()):
            self.turn(*self.random.choice(self.INSTANCES))

    def ready(self, event: int) -> None:
        self.tell(
            abi.TRACE_READY, event=event, stage=self.at[event], deck=self.STAGES[self.at[event]]
        )

    def turn(self, deck: int, instance: int) -> None:
        here = {"deck": deck, "instance": instance}
        self.tell(abi.TRACE_RUN, **here)
        self.tell(abi.TRACE_BACK, **here)
        mine = [
            e
            for e, stage in self.at.items()
            if stage < len(self.STAGES) and self.STAGES[stage] == deck
        ]
        vector = self.random.sample(mine, min(len(mine), self.random.randrange(4)))
        for event in vector:
            self.tell(abi.TRACE_HANDED, event=event, stage=self.at[event], **here)
        self.tell(abi.TRACE_VISIT, value=len(vector), **here)
        dies = self.random.randrange(10) == 0
        if dies:
            self.tell(abi.TRACE_DEATH, **here)
        else:
            self.tell(abi.TRACE_BACK, **here)
        for event in vector:
            self.answer(event, here, dies=dies)
        self.tell(abi.TRACE_IDLE)

    def answer(self, event: int, here: dict[str, int], *, dies: bool) -> None:
        place = {"event": event, "stage": self.at[event], **here}
        if dies:
            self.tell(abi.TRACE_FORSAKEN, **place, status=DECK_FAULT)
            self.at[event] = len(self.STAGES)
        else:
            self.tell(abi.TRACE_ANSWERED, **place, elapsed_ns=self.random.randrange(300))
            self.at[event] += 1
        if self.at[event] == len(self.STAGES):
            status = DECK_FAULT if dies else 0
            self.tell(abi.TRACE_ENDED, event=event, value=event - 1, status=status)
        else:
            self.ready(event)


EVENT_COUNT = 20


@pytest.fixture(scope="module")
def system() -> System:
    return load_system(find_build().system)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, system: System) -> Job:
    files = tmp_path_factory.mktemp("files")
    for i in range(EVENT_COUNT):
        (files / f"{i:02}.txt").write_text("x")
    source, spec = load_workflow(ROOT / "userland/workflows/archive.yaml")
    return compile_workflow(source, spec, system, {"files": files}, Path("out"), 2)


def convert(job: Job, system: System, records: list[Record]) -> list[dict[str, Any]]:
    return list(Converter(job, system, WORKFLOW, records).convert())


def assert_rows_are_in_order(events: list[dict[str, Any]]) -> None:
    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            assert event["dur"] >= 0
            rows[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for spans in rows.values():
        spans.sort()
        for (_, end), (begin, _) in pairwise(spans):
            assert begin >= end - 1e-6


def stage_spans(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        e for e in events if e["ph"] == "X" and e["pid"] >= FIRST_INSTANCE and e["tid"] != VISITS
    ]


def assert_arrows_touch_each_stage_once(events: list[dict[str, Any]]) -> None:
    stages: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    arrows: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    phases: dict[int, str] = defaultdict(str)
    for span in stage_spans(events):
        stages[span["args"]["event"]].append((span["ts"], span["pid"], span["tid"]))
    for event in events:
        if event["ph"] in "stf":
            arrows[event["id"]].append((event["ts"], event["pid"], event["tid"]))
            phases[event["id"]] += event["ph"]
    for event_number, spans in stages.items():
        if len(spans) > 1:
            assert sorted(arrows.pop(event_number)) == sorted(spans)
            assert phases[event_number] == "s" + "t" * (len(spans) - 2) + "f"
    assert not arrows


@pytest.mark.parametrize("seed", range(20))
def test_all_of_a_run_is_there_once(job: Job, system: System, seed: int) -> None:
    kernel = FakeKernel(seed, EVENT_COUNT)
    told = Counter(r["kind"] for r in kernel.records)
    answers = Counter(r["stage"] for r in kernel.records if r["kind"] == abi.TRACE_ANSWERED)

    events = convert(job, system, kernel.records)

    spans = [e for e in events if e["ph"] == "X"]
    assert_rows_are_in_order(events)
    assert_arrows_touch_each_stage_once(events)
    stages = stage_spans(events)
    assert len(stages) == told[abi.TRACE_HANDED]
    good = Counter(e["name"] for e in stages if e["args"]["status"] == "OK")
    assert good == {job.stages[stage].name: count for stage, count in answers.items()}
    whole = [e for e in spans if e["pid"] == EVENTS]
    assert sorted(e["name"] for e in whole) == [f"{i:02}.txt" for i in range(EVENT_COUNT)]
    visits = [e for e in spans if e["pid"] >= FIRST_INSTANCE and e["tid"] == VISITS]
    assert sum(e["args"]["work"] for e in visits) == len(stages)
    assert len(visits) == told[abi.TRACE_VISIT]
    deaths = [e for e in events if e["ph"] == "i" and e["name"].startswith("death of deck")]
    assert len(deaths) == told[abi.TRACE_DEATH]
    assert not [e for e in spans if "cut" in e["args"] and e["pid"] != CPUS]
    last: dict[str, int] = {}
    for e in events:
        if e["ph"] == "C":
            last[e["name"]] = e["args"]["count"]
            assert e["args"]["count"] >= 0
    assert set(last) == {"events in flight", "ready for storage", "ready for operations"}
    assert set(last.values()) == {0}


@pytest.mark.parametrize("seed", range(20))
def test_with_gaps_rows_and_arrows_still_hold(job: Job, system: System, seed: int) -> None:
    records = FakeKernel(seed, EVENT_COUNT).records
    draw = random.Random(seed)
    for _ in range(3):
        begin = draw.randrange(len(records) - 60)
        count = draw.randrange(1, 50)
        at_ns = records[begin + count]["time_ns"]
        records[begin : begin + count] = [record(abi.TRACE_GAP, at_ns, value=count)]

    events = convert(job, system, records)

    assert_rows_are_in_order(events)
    assert_arrows_touch_each_stage_once(events)
    gaps = [e for e in events if e["ph"] == "i" and e["name"].endswith("records lost")]
    assert len(gaps) == len([r for r in records if r["kind"] == abi.TRACE_GAP])
    assert all(e["args"]["count"] >= 0 for e in events if e["ph"] == "C")


def test_tracks_have_the_names_of_cpus_and_instances(job: Job, system: System) -> None:
    events = convert(job, system, FakeKernel(1, EVENT_COUNT).records)

    named = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert list(named.values()) == [
        "CPUs",
        "events of archive",
        "deck operations.0",
        "deck operations.1",
        "deck storage.0",
    ]
    assert {e["pid"] for e in events} == set(named)
    cpus = {e["args"]["name"] for e in events if e["name"] == "thread_name" and e["pid"] == CPUS}
    assert cpus == {"CPU 0", "CPU 1"}


# ---- figures ----------------------------------------------------------------------------------


def figures(**more: Any) -> TraceFigures:
    return TraceFigures(
        **{
            **{"file": "t.json", "records": 1500, "lost": 0, "record_bytes": 60_000},
            **{"file_bytes": 200_000, "record_ns": 100, "keep_ns": 150_000, "read_ns": 40_000},
            **{"send_ns": 850_000, "wall_ns": 100_000_000},
            **more,
        }
    )


def test_the_cost_is_that_of_keeping_and_sending() -> None:
    lines = list(figures().lines())

    assert len(lines) == 2
    assert "1500 records, 0 lost, 60 kB" in lines[0]
    assert "0.15 ms for keeping them (100 ns each), 0.85 ms for sending" in lines[1]
    assert "1.00% of the run" in lines[1]


def test_lost_records_are_told_and_a_run_without_an_end_has_no_share() -> None:
    assert "gaps are marked" in list(figures(lost=3).lines())[-1]
    assert "% of" not in "".join(figures(wall_ns=0).lines())
