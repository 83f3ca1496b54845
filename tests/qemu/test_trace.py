"""`kwe run --trace` on the booted system: what the file says of a run agrees with its report."""

import json
import subprocess
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tools.kwe.tree import ROOT

KWE = ROOT / ".venv/bin/kwe"
FILES = 12


def trace(tmp_path: Path, cpus: int) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    files = tmp_path / "files"
    files.mkdir()
    for i in range(FILES):
        (files / f"{i}.txt").write_bytes(bytes(3000 * i + 1))
    done = subprocess.run(
        [
            *(KWE, "run", ROOT / "userland/workflows/archive.yaml", "--cpus", str(cpus)),
            *("--input", f"files={files}", "--output", tmp_path / "out", "--json", "-"),
            *("--trace", tmp_path / "trace.json"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "trace.json").read_text())
    return json.loads(done.stdout), document["traceEvents"], done.stderr


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_trace_agrees_with_the_report(tmp_path: Path, cpus: int) -> None:
    report, events, told = trace(tmp_path, cpus)

    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    spans = [e for e in events if e["ph"] == "X"]
    stages = [e for e in spans if names[e["pid"]].startswith("deck ")]
    counted = Counter(e["name"] for e in stages)
    assert counted == {stage["name"]: stage["events"] for stage in report["stages"]}
    for stage in report["stages"]:
        operation = f"{stage['deck']}.{stage['op']}"
        mine = [e for e in stages if e["name"] == stage["name"]]
        assert {e["args"]["operation"] for e in mine} == {operation}
        assert {e["args"]["status"] for e in mine} == {"OK"}
    whole = [e for e in spans if names[e["pid"]] == "events"]
    assert sorted(e["name"] for e in whole) == sorted(f"{i}.txt" for i in range(FILES))
    assert {e["args"]["status"] for e in whole} == {"OK"}
    assert "records" in told
    assert "Perfetto" in told
    assert "lost" not in told


@pytest.mark.parametrize("cpus", [1, 2])
def test_spans_of_a_row_follow_each_other_and_arrows_lead_along_every_event(
    tmp_path: Path, cpus: int
) -> None:
    _, events, _ = trace(tmp_path, cpus)

    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            assert event["dur"] >= 0
            rows[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for spans in rows.values():
        spans.sort()
        for (_, end), (begin, _) in pairwise(spans):
            assert begin >= end - 0.001
    cpu_rows = {tid for (pid, tid) in rows if pid == 1}
    assert cpu_rows == set(range(cpus))
    arrows: dict[int, list[str]] = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            arrows[event["id"]].append(event["ph"])
    assert len(arrows) == FILES
    assert all(phases == ["s", "t", "t", "t", "f"] for phases in arrows.values())
