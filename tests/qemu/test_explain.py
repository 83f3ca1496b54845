"""`kwe explain` on the booted system: the kernel's own plan, and what was measured beside it."""

import json
import subprocess
from pathlib import Path

from tools.kwe.tree import ROOT

KWE = ROOT / ".venv/bin/kwe"


def explain(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [KWE, "explain", *words], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_plan_names_the_longest_way_and_who_takes_whose_place(tmp_path: Path) -> None:
    workflow = ROOT / "userland/workflows/video.yaml"

    done = explain(
        str(workflow), "--input", f"clip={ROOT / 'build/clip'}", "--json", "-", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert [stage["level"] for stage in document["stages"]] == [0, 1, 2, 3, 4]
    assert all(stage["critical"] for stage in document["stages"])
    # The decoded frame has been filtered before the edges are encoded by the same deck.
    assert stages["encode"]["takes_place_of"] == "decode"
    assert document["plan"]["shared_bytes"] < document["plan"]["outputs_bytes"]
    assert all(stage["events"] == 0 for stage in document["stages"])
    assert "as large as it may be" in done.stderr
    assert not (tmp_path / "out").exists(), "nothing was run"


def test_analyze_runs_it_and_measures(tmp_path: Path) -> None:
    workflow = ROOT / "userland/workflows/archive.yaml"
    files = tmp_path / "files"
    files.mkdir()
    for i in range(5):
        (files / f"{i}.txt").write_bytes(bytes(1000 * i))

    done = explain(
        str(workflow),
        *("--input", f"files={files}", "--output", str(tmp_path / "out")),
        *("--analyze", "--json", str(tmp_path / "plan.json")),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "plan.json").read_text())
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert all(stage["events"] == 5 for stage in document["stages"])
    assert all(stage["measured_ns"] > 0 for stage in document["stages"])
    assert stages["pack"]["critical"]
    assert not stages["digest"]["critical"]
    assert len(list((tmp_path / "out").glob("*.sealed"))) == 5


def test_several_are_planned_side_by_side_whether_they_stand_or_end(tmp_path: Path) -> None:
    names = ("video", "stream", "echo")
    words = [str(ROOT / f"userland/workflows/{name}.yaml") for name in names]

    done = explain(
        *words, "--input", f"clip={ROOT / 'build/clip'}", "--json", "plans.json", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    documents = json.loads((tmp_path / "plans.json").read_text())
    assert tuple(document["workflow"] for document in documents) == names
    for name, document in zip(names, documents, strict=True):
        assert f"{name}: {len(document['stages'])} stages, at most" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_what_cannot_be_explained_is_refused_before_boot(tmp_path: Path) -> None:
    done = explain(str(tmp_path / "none.yaml"), cwd=tmp_path)

    assert done.returncode == 2
    assert "none.yaml: cannot be read" in done.stderr
