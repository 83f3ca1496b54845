"""The video demo against Pillow and numpy.

Decoding and filtering are exact: the raw bytes of both stages equal the reference's. The encoder
may round otherwise than Pillow's (libjpeg-turbo's fast forward DCT against Pillow's exact one; the
format leaves the choice), so a frame is held to what it loses against the pixels that went in: at
most 2 % more than Pillow's own JPEG of the same quality loses, and half a step for pictures of a
few pixels, where one coefficient is the whole picture.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.harness.plugin import Kwe, RunWorkflow
from tests.harness.workflow import run, workflow_file
from tests.qemu import pictures
from tools.kwe.errors import EXIT_WORKFLOW
from tools.kwe.report import Report
from tools.kwe.tree import ROOT, Build

MORE_LOSS = 1.02
LEAST_LOSS = 0.5

# Sizes that fill no block of 8 or 16 pixels, and every kind of JPEG that there is to decode.
ODD: Mapping[str, dict[str, object]] = {
    "one_pixel.jpg": {"width": 1, "height": 1},
    "tall.jpg": {"width": 3, "height": 5},
    "primes.jpg": {"width": 17, "height": 33},
    "row.jpg": {"width": 200, "height": 1},
    "column.jpg": {"width": 1, "height": 200},
    "grey.jpg": {"width": 61, "height": 47, "mode": "L"},
    "progressive.JPG": {"width": 150, "height": 99, "progressive": True},
    "full_chroma.jpeg": {"width": 40, "height": 40, "subsampling": "4:4:4"},
    "half_chroma.Jpeg": {"width": 41, "height": 23, "subsampling": "4:2:2"},
    "scenes/a b/été ☃.jpg": {"width": 64, "height": 64},
}

STAGES_RAW = """\
workflow: raw
doc: The pixels of two stages as they are, and a JPEG that the accelerator encodes.
inputs: {clip: {kind: files, suffix: [.jpg, .jpeg], media: jpeg}}
outputs:
  pixels: {kind: files, suffix: .pixels}
  filtered: {kind: files, suffix: .filtered}
  picture: {kind: files, suffix: .jpeg}
limits:
  picture: {from: clip.bytes, at_most: 16 MiB}
  frame: {from: clip.rgb8_bytes, at_most: 64 MiB}
event_per: clip
stages:
  load: {op: storage.read, path: $clip, at_most: limits.picture}
  decode: {op: operations.jpeg_decode, needs: load, at_most: limits.frame}
  keep: {op: storage.write, needs: decode, path: $pixels}
  edges:
    op: hardware.convolve
    needs: decode
    weights: [-1, -1, -1, -1, 8, -1, -1, -1, -1]
    divisor: 1
    bias: 0
  save: {op: storage.write, needs: edges, path: $filtered}
  encode: {op: hardware.jpeg_encode, needs: edges, quality: 90}
  show: {op: storage.write, needs: encode, path: $picture}
"""


@pytest.fixture(scope="module")
def odd_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = tmp_path_factory.mktemp("odd")
    for name, options in ODD.items():
        pictures.write_jpeg(clip / name, **options)  # type: ignore[arg-type]
    return clip


def assert_edges(frame: Path, made: Path, scratch: Path) -> None:
    """Hold one frame of the demo to the reference."""
    wanted = pictures.edges(pictures.decode(frame))
    got = pictures.decode(made)
    assert got.shape == wanted.shape, made.name
    allowed = MORE_LOSS * pictures.loss(pictures.reencoded(wanted, scratch), wanted) + LEAST_LOSS
    assert pictures.loss(got, wanted) <= allowed, made.name


@pytest.fixture(scope="module")
def odd_run(
    image: Build, odd_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Report, Path]:
    output = tmp_path_factory.mktemp("odd_out")
    return run(image, workflow_file("video"), {"clip": odd_clip}, output), output


def test_frames_of_any_size_and_kind_agree_with_the_reference(
    odd_clip: Path, odd_run: tuple[Report, Path], tmp_path: Path
) -> None:
    report, output = odd_run

    assert report.errors == []
    for name in ODD:
        assert_edges(odd_clip / name, output / name, tmp_path)


def test_frames_keep_their_names_and_folders(odd_run: tuple[Report, Path]) -> None:
    report, output = odd_run

    made = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert made == set(ODD)
    assert sorted(report.outputs["edges"]) == sorted(str(output / name) for name in ODD)


def test_decoded_and_filtered_pixels_are_exactly_the_references(
    run_workflow: RunWorkflow, odd_clip: Path, tmp_path: Path
) -> None:
    workflow = tmp_path / "raw.yaml"
    workflow.write_text(STAGES_RAW)
    output = tmp_path / "out"

    report = run_workflow(workflow, {"clip": odd_clip}, output)

    assert report.errors == []
    for name in ODD:
        pixels = pictures.decode(odd_clip / name)
        # Several outputs of files: each has a folder of its own.
        decoded = np.fromfile(output / f"pixels/{name}.pixels", np.uint8).reshape(pixels.shape)
        filtered = np.fromfile(output / f"filtered/{name}.filtered", np.uint8).reshape(pixels.shape)
        assert np.array_equal(decoded, pixels), name
        assert np.array_equal(filtered, pictures.edges(pixels)), name
        # The accelerator's encoder is Pillow's, so that nothing may differ.
        shown = pictures.decode(output / f"picture/{name}.jpeg")
        assert np.array_equal(shown, pictures.reencoded(pictures.edges(pixels), tmp_path)), name


def test_the_real_clip_comes_out_right_by_the_command(kwe: Kwe, tmp_path: Path) -> None:
    clip = ROOT / "build/clip"
    frames = sorted(clip.glob("*.jpg"))
    output = tmp_path / "out"

    done = kwe(
        *("run", workflow_file("video"), "--input", f"clip={clip}"),
        *("--output", output, "--json", "-"),
    )

    assert done.status == 0, done.err
    figures = done.figures
    assert figures.route == [3, 1, 2, 1, 3, 0]
    assert figures.events.completed == len(frames) == 60
    assert sorted(path.name for path in output.iterdir()) == [path.name for path in frames]
    assert figures.stage("load").bytes_out == sum(path.stat().st_size for path in frames)
    assert figures.guest.iommu
    assert figures.guest.iommu_faults == 0
    for frame in frames[::7]:
        assert_edges(frame, output / frame.name, tmp_path)


def test_frames_that_are_no_jpeg_fail_by_name_and_the_others_are_done(
    kwe: Kwe, tmp_path: Path
) -> None:
    clip = tmp_path / "clip"
    for number in range(6):
        pictures.write_jpeg(clip / f"good_{number}.jpg", 40 + number, 30)
    pictures.write_jpeg(clip / "four_inks.jpg", 40, 30, mode="CMYK")
    whole = (clip / "good_0.jpg").read_bytes()
    (clip / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (clip / "empty.jpg").write_bytes(b"")
    (clip / "text.jpg").write_text("this is no picture\n")
    output = tmp_path / "out"

    done = kwe(
        *("run", workflow_file("video"), "--input", f"clip={clip}"),
        *("--output", output, "--json", "-"),
    )

    assert done.status == EXIT_WORKFLOW
    figures = done.figures
    bad = ["cut.jpg", "empty.jpg", "four_inks.jpg", "text.jpg"]
    assert sorted(error.event or "" for error in figures.errors) == bad
    for error in figures.errors:
        assert (error.stage, error.deck, error.code) == ("decode", "operations", "NOT_A_JPEG")
        assert f"{error.event} at stage decode in deck operations: NOT_A_JPEG" in done.err
    assert (figures.events.submitted, figures.events.completed, figures.events.failed) == (10, 6, 4)
    assert sorted(path.name for path in output.iterdir()) == [f"good_{n}.jpg" for n in range(6)]
    for number in range(6):
        assert_edges(clip / f"good_{number}.jpg", output / f"good_{number}.jpg", tmp_path)


@pytest.mark.parametrize(
    ("limit", "most", "stage", "deck"),
    [
        ("clip.bytes", "8 KiB", "load", "storage"),
        ("clip.rgb8_bytes", "16 KiB", "decode", "operations"),
    ],
    ids=["the file", "its pixels"],
)
def test_a_frame_above_a_limit_is_too_large_by_name(
    run_workflow: RunWorkflow, tmp_path: Path, limit: str, most: str, stage: str, deck: str
) -> None:
    pictures.write_jpeg(tmp_path / "clip/small.jpg", 50, 50)
    pictures.write_jpeg(tmp_path / "clip/large.jpg", 150, 150, quality=95)
    workflow = tmp_path / "video.yaml"
    text, changed = re.subn(
        rf"(from: {limit}, at_most): [^}}]*", rf"\1: {most}", workflow_file("video").read_text()
    )
    assert changed == 1
    workflow.write_text(text)

    report = run_workflow(workflow, {"clip": tmp_path / "clip"}, tmp_path / "out")

    [error] = report.errors
    assert error["event"] == "large.jpg"
    assert (error["stage"], error["deck"], error["code"]) == (stage, deck, "OUTPUT_TOO_LARGE")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small.jpg"]
