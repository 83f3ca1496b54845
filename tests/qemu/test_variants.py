"""Operations that two decks have: the same pixels whoever runs them, one when the other cannot."""

import os
import signal
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.harness.plugin import RunWorkflow
from tests.harness.processes import with_word
from tests.harness.terminal import Terminal
from tests.harness.workflow import KWE
from tests.qemu import pictures
from tools.kwe.choices import choice_lines
from tools.kwe.explain import plan_document
from tools.kwe.tree import ROOT, Build

DEADLINE_S = 60.0
SIZES: Mapping[str, tuple[int, int]] = {
    f"{width}x{height}_{i}.jpg": (width, height)
    for i in range(4)
    for width, height in ((1, 1), (17, 33), (150, 99), (320, 200))
}
WORKFLOW = """\
workflow: any
doc: The edges of each picture, by whichever deck is expected to be done first.
inputs: {clip: {kind: files, suffix: .jpg, media: jpeg}}
outputs: {filtered: {kind: files, suffix: .filtered}, picture: {kind: files, suffix: .jpeg}}
limits:
  picture: {from: clip.bytes, at_most: 16 MiB}
  frame: {from: clip.rgb8_bytes, at_most: 64 MiB}
event_per: clip
stages:
  load: {op: storage.read, path: $clip, at_most: limits.picture}
  decode: {op: operations.jpeg_decode, needs: load, at_most: limits.frame}
  edges: {op: convolve, needs: decode, kernel: edges}
  save: {op: storage.write, needs: edges, path: $filtered}
  encode: {op: jpeg_encode, needs: edges, quality: 90}
  show: {op: storage.write, needs: encode, path: $picture}
"""


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    file = tmp_path / "any.yaml"
    file.write_text(WORKFLOW)
    return file


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    for name, (width, height) in SIZES.items():
        pictures.write_jpeg(folder / name, width=width, height=height)
    return folder


def assert_same_pixels(clip: Path, output: Path, scratch: Path) -> None:
    """Hold what was made to the reference: exactly, and pictures to what an encoder may lose."""
    for name in SIZES:
        wanted = pictures.edges(pictures.decode(clip / name))
        filtered = np.fromfile(output / f"filtered/{name}.filtered", np.uint8)
        assert np.array_equal(filtered.reshape(wanted.shape), wanted), name
        shown = pictures.decode(output / f"picture/{name}.jpeg")
        allowed = 1.02 * pictures.loss(pictures.reencoded(wanted, scratch), wanted) + 0.5
        assert pictures.loss(shown, wanted) <= allowed, name


def test_both_run_and_make_the_same_pixels(
    run_workflow: RunWorkflow, workflow: Path, clip: Path, tmp_path: Path
) -> None:
    report = run_workflow(workflow, {"clip": clip}, tmp_path / "out")

    assert report.errors == []
    assert_same_pixels(clip, tmp_path / "out", tmp_path)
    for name in ("edges", "encode"):
        [stage] = [one for one in report.stages() if one["name"] == name]
        counts = {deck: one["events"] for deck, one in stage["ran_on"].items()}
        assert set(counts) == {"operations", "hardware"}
        assert sum(counts.values()) == len(SIZES)
        assert min(counts.values()) > 0, "each is looked at"
    document = plan_document(report)
    told = "\n".join(choice_lines(document, analyze=True))
    assert "on whichever is expected to be done first: operations, estimated" in told
    assert "ran on operations" in told


def test_a_deterministic_run_always_takes_the_first(
    run_workflow: RunWorkflow, workflow: Path, clip: Path, tmp_path: Path
) -> None:
    report = run_workflow(workflow, {"clip": clip}, tmp_path / "out", deterministic=True)

    assert report.errors == []
    for name in ("edges", "encode"):
        [stage] = [one for one in report.stages() if one["name"] == name]
        counts = {deck: one["events"] for deck, one in stage["ran_on"].items()}
        assert counts == {"operations": len(SIZES), "hardware": 0}
    assert_same_pixels(clip, tmp_path / "out", tmp_path)


def test_a_deck_that_is_named_is_the_only_one(
    run_workflow: RunWorkflow, workflow: Path, clip: Path, tmp_path: Path
) -> None:
    text = WORKFLOW.replace("op: convolve,", "op: convolve, variant: hardware,")
    workflow.write_text(text.replace("op: jpeg_encode", "op: operations.jpeg_encode"))

    report = run_workflow(workflow, {"clip": clip}, tmp_path / "out")

    assert report.errors == []
    assert [(one["deck"], one["ran_on"]) for one in report.stages()][2] == ("hardware", {})
    told = "\n".join(choice_lines(plan_document(report), analyze=True))
    assert "rejected: operations, estimated" in told
    assert "rejected: hardware, estimated" in told


def test_events_go_on_without_the_accelerator(image: Build, workflow: Path, tmp_path: Path) -> None:
    marker = f"marker={uuid.uuid4().hex}"
    words = (
        *(KWE, "run", workflow, "--input", f"clip={ROOT / 'build/clip'}"),
        *("--output", tmp_path / "out", "--append", marker),
    )
    environment = {**os.environ, "KWE_BUILD": str(image.folder), "TMPDIR": str(tmp_path)}
    with Terminal(words, environment) as running:
        assert running.wait_for("/60 events", DEADLINE_S), running.text
        [command] = [line for line in with_word(marker).values() if line.startswith("qemu-system")]
        folder = command.partition("path=")[2].partition("/console,")[0]
        [worker] = [
            pid
            for pid, line in with_word(f"{folder}/ivshmem").items()
            if "tools.accelerator.worker" in line
        ]

        os.kill(worker, signal.SIGKILL)

        assert running.wait_end(DEADLINE_S) == 0, running.text
    assert len(list((tmp_path / "out/picture").glob("*.jpeg"))) == 60
