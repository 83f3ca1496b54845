"""userland/programs/edges: the video workflow as a C program makes the very same frames."""

from pathlib import Path

import pytest

from tests.harness.plugin import Boot, Kwe, RunWorkflow
from tests.qemu import guest_disk, pictures
from tools.kwe import abi
from tools.kwe.tree import Build


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    # More than one batch of the program's.
    for number in range(70):
        pictures.write_jpeg(tmp_path / f"clip/{number:02}.jpg", 20 + number, 90 - number)
    return tmp_path / "clip"


def test_a_program_and_the_workflow_file_make_the_same_frames(
    boot: Boot, kwe: Kwe, run_workflow: RunWorkflow, image: Build, clip: Path, tmp_path: Path
) -> None:
    disk, fetched, output = tmp_path / "frames.img", tmp_path / "fetched", tmp_path / "out"
    made = kwe("disk", "make", disk, f"clip={clip}")
    assert made.status == 0, made.err

    with boot("edges", image=image, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        assert any("70 frames done, 0 failed" in line for line in guest.lines)

    guest_disk.assert_clean(disk)
    assert kwe("disk", "fetch", disk, "/out/edges", fetched).status == 0
    report = run_workflow("video", {"clip": clip}, output)
    assert report.errors == []
    for frame in clip.iterdir():
        assert (fetched / "edges" / frame.name).read_bytes() == (output / frame.name).read_bytes()


def test_a_frame_that_is_no_picture_is_named(
    boot: Boot, kwe: Kwe, image: Build, clip: Path, tmp_path: Path
) -> None:
    (clip / "text.jpg").write_text("no picture")
    disk = tmp_path / "frames.img"
    assert kwe("disk", "make", disk, f"clip={clip}").status == 0

    with boot("edges", image=image, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED
        assert any("/in/clip/text.jpg: stage 1: " in line for line in guest.lines)
        assert any("70 frames done, 1 failed" in line for line in guest.lines)

    guest_disk.assert_clean(disk)
