"""`kwe run` as people use it: CPUs, places, the disk that it leaves, deadlines, two at a time."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.figures import read_figures
from tests.harness.plugin import Kwe
from tests.harness.workflow import workflow_file
from tests.qemu import guest_disk, pictures, seals
from tools.kwe.errors import EXIT_DONE, EXIT_MACHINE, EXIT_WORKFLOW
from tools.kwe.tree import ROOT

VIDEO = workflow_file("video")
ARCHIVE = workflow_file("archive")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    for number in range(5):
        pictures.write_jpeg(tmp_path / f"clip/{number}.jpg", 60 + number, 40)
    return tmp_path / "clip"


@pytest.mark.parametrize("cpus", [1, 2])
def test_one_and_two_cpus_give_the_same_frames(
    kwe: Kwe, clip: Path, tmp_path: Path, cpus: int
) -> None:
    done = kwe(
        *("run", VIDEO, "--input", f"clip={clip}", "--output", tmp_path / "out"),
        *("--cpus", str(cpus), "--json", "-"),
    )

    assert done.status == EXIT_DONE, done.err
    assert done.figures.qemu.model_dump(include={"accel", "cpus"}) == {"accel": "tcg", "cpus": cpus}
    for frame in clip.iterdir():
        got = pictures.decode(tmp_path / "out" / frame.name)
        wanted = pictures.edges(pictures.decode(frame))
        allowed = 1.02 * pictures.loss(pictures.reencoded(wanted, tmp_path), wanted) + 0.5
        assert pictures.loss(got, wanted) <= allowed


def test_the_json_document_has_all_that_is_promised(kwe: Kwe, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "new folder/figures.json"

    done = kwe(
        *("run", VIDEO, "--input", f"clip={clip}", "--output", tmp_path / "out", "--json", path)
    )

    assert done.status == EXIT_DONE, done.err
    figures = read_figures(path)
    assert (figures.workflow, figures.status, figures.errors) == ("video", "done", [])
    assert [stage.name for stage in figures.stages] == ["load", "decode", "edges", "encode", "save"]
    for stage in figures.stages:
        assert stage.events == 5
        assert stage.guest_ns > 0
    guest = figures.guest
    assert 0 < guest.boot_ns < guest.result_ns
    assert guest.wall_ns > 0
    assert guest.program_syscalls > 0
    assert guest.deck_visits > 0
    # Into the accelerator's window and out of it, each pixel once.
    pixels = sum(pictures.decode(frame).size for frame in clip.iterdir())
    assert guest.bytes_copied >= 2 * pixels
    assert "video: done; 5 of 5 events done" in done.out


def test_json_on_standard_output_is_all_that_is_there(kwe: Kwe, clip: Path, tmp_path: Path) -> None:
    done = kwe(
        *("run", VIDEO, "--input", f"clip={clip}", "--output", tmp_path / "out", "--json", "-")
    )

    assert json.loads(done.out)["status"] == "done"
    assert "video: done; 5 of 5 events done" in done.err


def test_the_output_goes_to_a_folder_named_after_the_workflow(
    kwe: Kwe, clip: Path, tmp_path: Path
) -> None:
    done = kwe("run", VIDEO, "--input", "clip=clip", cwd=tmp_path)

    assert done.status == EXIT_DONE, done.err
    assert len(list((tmp_path / "out/video").iterdir())) == 5


def test_what_else_lies_in_the_output_folder_stays(kwe: Kwe, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "mine.txt").write_text("keep me")
    (output / "0.jpg").write_text("an older frame")

    done = kwe("run", VIDEO, "--input", f"clip={clip}", "--output", output)

    assert done.status == EXIT_DONE, done.err
    assert (output / "mine.txt").read_text() == "keep me"
    assert pictures.decode(output / "0.jpg").shape == (40, 60, 3)
    assert len(list(output.iterdir())) == 6


def test_the_disk_is_clean_and_holds_what_was_written(kwe: Kwe, tmp_path: Path) -> None:
    files, output, disk = tmp_path / "files", tmp_path / "out", tmp_path / "disk.img"
    (files / "deep").mkdir(parents=True)
    contents = {"a": b"a" * 10_000, "deep/b": b"", "deep/c": bytes(range(256)) * 5000}
    for name, content in contents.items():
        (files / name).write_bytes(content)

    done = kwe(*("run", ARCHIVE, "--input", f"files={files}", "--output", output, "--disk", disk))

    assert done.status == EXIT_DONE, done.err
    guest_disk.assert_clean(disk)
    assert guest_disk.names(disk, "/out/sealed/deep") == ["b.zst.sealed", "c.zst.sealed"]
    key = (output / "key").read_bytes()
    for name, content in contents.items():
        written = guest_disk.content(disk, f"/out/sealed/{name}.zst.sealed")
        assert written == (output / f"{name}.zst.sealed").read_bytes()
        assert seals.unpacked(seals.opened(written, key)) == content
        assert guest_disk.content(disk, f"/in/files/{name}") == content


def test_a_disk_stays_clean_when_events_fail(kwe: Kwe, clip: Path, tmp_path: Path) -> None:
    (clip / "text.jpg").write_text("no picture")

    done = kwe(
        *("run", VIDEO, "--input", f"clip={clip}", "--output", tmp_path / "out"),
        *("--disk", tmp_path / "disk.img"),
    )

    assert done.status == EXIT_WORKFLOW
    assert done.out.count("FAILED text.jpg at stage decode") == 1
    guest_disk.assert_clean(tmp_path / "disk.img")
    assert guest_disk.names(tmp_path / "disk.img", "/out/edges") == [f"{n}.jpg" for n in range(5)]


def test_a_deadline_that_passes_is_the_machines_error(kwe: Kwe, tmp_path: Path) -> None:
    done = kwe(
        *("run", VIDEO, "--input", f"clip={ROOT / 'build/clip'}", "--output", tmp_path / "out"),
        *("--timeout", "0.4", "--json", tmp_path / "figures.json"),
    )

    assert done.status == EXIT_MACHINE
    assert "the deadline passed with" in done.err
    assert "--timeout gives more time" in done.err
    figures = read_figures(tmp_path / "figures.json")
    assert figures.status == "not finished"
    assert [error.code for error in figures.errors] == ["MACHINE"]
    [log] = re.findall(r"The guest's log: (\S+)", done.err)
    assert "qemu-system-x86_64" in Path(log).read_text()


def test_an_arena_that_the_memory_cannot_hold_is_refused(kwe: Kwe, tmp_path: Path) -> None:
    # One event's pixels alone, decoded and filtered, are more than all of the guest's memory.
    pictures.write_jpeg(tmp_path / "clip/large.jpg", 2400, 1600)

    done = kwe(
        *("run", VIDEO, "--input", f"clip={tmp_path / 'clip'}", "--output", tmp_path / "out"),
        *("--memory", "18"),
    )

    assert done.status == EXIT_MACHINE
    assert "the guest refused video: NO_MEMORY" in done.err
    assert re.search(r"The guest had 18 MiB; --memory gives more, \d+ would be right", done.err)


def test_too_little_memory_is_said_whatever_runs_short(kwe: Kwe, tmp_path: Path) -> None:
    # The arena and the decks' own memory do not fit both, and they are taken side by side: either
    # the workflow is refused, or it is taken and Storage, which comes second, fails its events.
    done = kwe(
        *("run", VIDEO, "--input", f"clip={ROOT / 'build/clip'}", "--output", tmp_path / "out"),
        *("--memory", "18"),
    )

    said = {EXIT_MACHINE: done.err, EXIT_WORKFLOW: done.out}[done.status]
    assert "NO_MEMORY" in said
    assert "The guest had 18 MiB; --memory gives more, 128 would be right" in said


def test_two_runs_side_by_side_do_not_meet(kwe: Kwe, clip: Path, tmp_path: Path) -> None:
    def start(number: int) -> int:
        done = kwe(
            *("run", VIDEO, "--input", f"clip={clip}", "--output", tmp_path / f"out{number}")
        )
        return done.status

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(start, range(2))) == [EXIT_DONE, EXIT_DONE]

    for frame in clip.iterdir():
        first, second = ((tmp_path / f"out{n}" / frame.name).read_bytes() for n in range(2))
        assert first == second


def test_a_name_of_255_bytes_comes_through(kwe: Kwe, tmp_path: Path) -> None:
    # The guest's paths end at 254 bytes; what the host sees does not.
    name = "é" * 125 + "n.jpg"
    pictures.write_jpeg(tmp_path / "clip" / name, 20, 20)
    assert len(name.encode()) == 255

    done = kwe("run", VIDEO, "--input", f"clip={tmp_path / 'clip'}", "--output", tmp_path / "out")

    assert done.status == EXIT_DONE, done.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_the_doctor_finds_this_machine_fit(kwe: Kwe) -> None:
    done = kwe("doctor")

    assert done.status == EXIT_DONE, done.out
    assert "This machine can build and run KWE." in done.out


def test_boot_shows_the_console_and_the_programs_end(kwe: Kwe) -> None:
    done = kwe("boot", "hello", "--cpus", "1")

    assert done.status == EXIT_DONE, done.err
    assert done.out.splitlines()[-1] == "KWE: exit 16 done"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    done = subprocess.run(
        "set -o pipefail; .venv/bin/kwe stats | true",
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
