"""However `kwe run` is ended, no process is left; on a terminal it shows how far it is."""

import os
import re
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes import wait_gone, with_word
from tests.harness.terminal import CTRL_C, Terminal
from tests.harness.workflow import KWE, workflow_file
from tools.kwe.cli import EXIT_INTERRUPTED, EXIT_TERMINATED
from tools.kwe.errors import EXIT_WORKFLOW
from tools.kwe.tree import ROOT, Build

DEADLINE_S = 30.0


@pytest.fixture
def marker() -> str:
    """A word of the kernel's command line, by which this test's QEMU is found."""
    return f"marker={uuid.uuid4().hex}"


@pytest.fixture
def running(image: Build, tmp_path: Path, marker: str) -> Iterator[Terminal]:
    words = (
        *(KWE, "run", workflow_file("video"), "--input", f"clip={ROOT / 'build/clip'}"),
        *("--output", tmp_path / "out", "--append", marker),
    )
    environment = {**os.environ, "KWE_BUILD": str(image.folder), "TMPDIR": str(tmp_path)}
    with Terminal(words, environment) as terminal:
        # The first events have come back: the guest is in the middle of its work.
        assert terminal.wait_for("/60 events", DEADLINE_S), terminal.text
        yield terminal


def started_by(marker: str) -> dict[int, str]:
    """Return the run's processes below kwe itself: QEMU, and the accelerator's worker."""
    [(qemu, command)] = [
        item for item in with_word(marker).items() if item[1].startswith("qemu-system")
    ]
    folder = command.partition("path=")[2].partition("/console,")[0]
    return {qemu: command} | {
        pid: line for pid, line in with_word(f"{folder}/ivshmem").items() if pid != qemu
    }


def assert_all_gone(processes: dict[int, str]) -> None:
    for pid, command in processes.items():
        assert wait_gone(pid, DEADLINE_S), command


def test_ctrl_c_ends_the_guest_and_leaves_nothing(
    running: Terminal, marker: str, tmp_path: Path
) -> None:
    processes = started_by(marker)
    assert len(processes) == 2

    running.press(CTRL_C)

    assert running.wait_end(DEADLINE_S) == EXIT_INTERRUPTED
    assert "kwe: interrupted" in running.text
    assert "Traceback" not in running.text
    assert_all_gone(processes)
    assert not with_word(marker)
    assert [path.name for path in tmp_path.iterdir() if path.name != "out"] == []


def test_a_termination_leaves_nothing(running: Terminal, marker: str) -> None:
    processes = started_by(marker)
    [kwe] = [pid for pid, line in with_word(marker).items() if "bin/kwe" in line.split()[1]]

    os.kill(kwe, signal.SIGTERM)

    assert running.wait_end(DEADLINE_S) == EXIT_TERMINATED
    assert_all_gone(processes)


def test_a_kill_takes_the_guest_along(running: Terminal, marker: str) -> None:
    processes = started_by(marker)
    [kwe] = [pid for pid, line in with_word(marker).items() if "bin/kwe" in line.split()[1]]

    os.kill(kwe, signal.SIGKILL)

    assert_all_gone(processes)


def test_progress_is_shown_and_cleared(running: Terminal) -> None:
    assert running.wait_end(DEADLINE_S) == 0
    assert "video: booting" in running.text
    assert "events/s" in running.text
    assert running.text.rstrip().splitlines()[-1].startswith("output edges: 60 files")


def test_an_accelerator_that_dies_fails_its_events_by_name(
    running: Terminal, marker: str, tmp_path: Path
) -> None:
    [worker] = [
        pid for pid, line in started_by(marker).items() if "tools.accelerator.worker" in line
    ]

    os.kill(worker, signal.SIGKILL)

    assert running.wait_end(DEADLINE_S) == EXIT_WORKFLOW
    assert "at stage edges in deck hardware: DEVICE_GONE:" in running.text
    done = re.search(r"video: failed; (\d+) of 60 events done, (\d+) failed", running.text)
    assert done is not None
    assert int(done[1]) + int(done[2]) == 60
    assert len(list((tmp_path / "out").glob("*.jpg"))) == int(done[1])
