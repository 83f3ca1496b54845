"""`kwe run --trace` on the booted system: what the file says of a run agrees with its report."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.harness.plugin import Kwe, RunWorkflow
from tools.kwe.trace import CPUS, EVENTS, FIRST_INSTANCE, VISITS
from tools.kwe.tree import ROOT, Build

FILES = 12
Events = list[dict[str, Any]]

CRASH = """\
workflow: crash
doc: Each event takes the deck down that runs its second stage.
inputs: {files: {kind: files}}
event_per: files
stages:
  load: {op: storage.read, path: $files, at_most: 64 KiB}
  crash: {op: faulty.crash, needs: load, how: 0}
"""


def make_files(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    files.mkdir()
    for i in range(FILES):
        (files / f"{i}.txt").write_bytes(bytes(3000 * i + 1))
    return files


def archive(kwe: Kwe, tmp_path: Path, *words: str) -> tuple[dict[str, Any], Events, str]:
    more: list[str | Path] = [
        *("--input", f"files={make_files(tmp_path)}", "--output", tmp_path / "out"),
        *("--trace", tmp_path / "trace.json", "--json", "-"),
    ]
    done = kwe("run", ROOT / "userland/workflows/archive.yaml", *words, *more)
    assert done.status == 0, done.err
    return json.loads(done.out), read(tmp_path / "trace.json"), done.err


def read(path: Path) -> Events:
    events: Events = json.loads(path.read_text())["traceEvents"]
    return events


def spans(events: Events) -> Events:
    return [e for e in events if e["ph"] == "X"]


def of_stages(events: Events) -> Events:
    return [e for e in spans(events) if e["pid"] >= FIRST_INSTANCE and e["tid"] != VISITS]


def of_visits(events: Events) -> Events:
    return [e for e in spans(events) if e["pid"] >= FIRST_INSTANCE and e["tid"] == VISITS]


def assert_rows_are_in_order(events: Events) -> None:
    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for span in spans(events):
        assert span["dur"] >= 0
        rows[span["pid"], span["tid"]].append((span["ts"], span["ts"] + span["dur"]))
    for row in rows.values():
        row.sort()
        for (_, end), (begin, _) in pairwise(row):
            assert begin >= end - 1e-6


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_trace_agrees_with_the_report(kwe: Kwe, tmp_path: Path, cpus: int) -> None:
    report, events, told = archive(kwe, tmp_path, "--cpus", str(cpus))

    stages = of_stages(events)
    assert Counter(e["name"] for e in stages) == {s["name"]: s["events"] for s in report["stages"]}
    for stage in report["stages"]:
        mine = [e["args"] for e in stages if e["name"] == stage["name"]]
        assert {e["operation"] for e in mine} == {f"{stage['deck']}.{stage['op']}"}
        assert {e["status"] for e in mine} == {"OK"}
        # One that is fused goes along with the one before, without waiting.
        assert sum("queued_us" in e for e in mine) == stage["events"] - stage["fused"]
    whole = [e for e in spans(events) if e["pid"] == EVENTS]
    assert sorted(e["name"] for e in whole) == sorted(f"{i}.txt" for i in range(FILES))
    assert {e["args"]["status"] for e in whole} == {"OK"}
    # Nothing that the report tells of is seen to end only because the trace does.
    assert not [e for e in [*stages, *whole] if "cut" in e["args"]]
    assert_rows_are_in_order(events)
    assert "0 lost" in told
    assert "trace's own cost" in told


@pytest.mark.parametrize("cpus", [1, 2])
def test_tracks_are_the_cpus_and_the_instances(kwe: Kwe, tmp_path: Path, cpus: int) -> None:
    report, events, _ = archive(kwe, tmp_path, "--cpus", str(cpus))

    assert {e["tid"] for e in spans(events) if e["pid"] == CPUS} == set(range(cpus))
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    ran = {names[e["pid"]] for e in of_stages(events)}
    assert ran <= {"deck storage.0", *(f"deck operations.{i}" for i in range(cpus))}
    # Visits hand over all stages that the trace tells of, a sync at the end, and observations.
    handed = Counter(names[e["pid"]] for e in of_stages(events))
    visited: Counter[str] = Counter()
    for visit in of_visits(events):
        visited[names[visit["pid"]]] += visit["args"]["work"]
    for name, count in handed.items():
        assert visited[name] == count + (name == "deck storage.0")
    # A visit of Execution may come after the trace was read.
    working = sum(e["args"]["work"] > 0 for e in of_visits(events))
    assert 0 <= report["guest"]["deck_visits"] - working <= 1


def test_an_arrow_leads_along_every_event(kwe: Kwe, tmp_path: Path) -> None:
    _, events, _ = archive(kwe, tmp_path)

    hops: dict[int, Events] = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            hops[event["id"]].append(event)
    begins = {(e["pid"], e["tid"], e["ts"]): e for e in of_stages(events)}
    assert len(hops) == FILES
    for number, way in hops.items():
        assert [hop["ph"] for hop in way] == ["s", "t", "t", "t", "f"]
        touched = [begins[hop["pid"], hop["tid"], hop["ts"]] for hop in way]
        assert {e["args"]["event"] for e in touched} == {number}
        assert len({e["name"] for e in touched}) == len(way)


def test_what_does_not_fit_is_lost_and_told(kwe: Kwe, tmp_path: Path) -> None:
    report, events, told = archive(kwe, tmp_path, "--append", "trace_room=64")

    gaps = [e for e in events if e["ph"] == "i" and e["name"].endswith("records lost")]
    lost = sum(int(e["name"].split()[0]) for e in gaps)
    assert gaps
    assert 0 < lost <= report["trace"]["lost"]
    assert report["trace"]["send_ns"] > 0
    assert f"{report['trace']['lost']} lost" in told
    assert "gaps are marked" in told
    assert_rows_are_in_order(events)


def test_a_death_is_seen_and_ends_what_was_in_its_hands(
    run_workflow: RunWorkflow, test_image: Build, tmp_path: Path
) -> None:
    (tmp_path / "crash.yaml").write_text(CRASH)

    report = run_workflow(
        tmp_path / "crash.yaml",
        {"files": make_files(tmp_path)},
        tmp_path / "out",
        image=test_image,
        trace=tmp_path / "trace.json",
        expect_faults=["deck faulty.0: FAULT"],
    )

    events = read(tmp_path / "trace.json")
    deaths = [e for e in events if e["ph"] == "i" and e["name"] == "death of deck faulty.0"]
    crashed = [e for e in of_stages(events) if e["name"] == "crash"]
    assert deaths
    assert {e["args"]["status"] for e in crashed} == {"DECK_FAULT"}
    assert len(deaths) <= len(crashed) <= FILES
    assert Counter(e["name"] for e in of_stages(events))["load"] == FILES
    failed = {stage["name"]: stage["failed"] for stage in report.stages()}
    assert failed["crash"] == FILES
    # Some may have failed without a deck to run on: it was down for good.
    whole = [e["args"]["status"] for e in spans(events) if e["pid"] == EVENTS]
    assert len(whole) == FILES
    assert set(whole) <= {"DECK_FAULT", "DECK_DOWN"}
    assert_rows_are_in_order(events)
