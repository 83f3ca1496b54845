"""How a guest may end otherwise than well, and what `kwe` makes of it."""

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.harness.plugin import Boot, Kwe
from tests.harness.workflow import workflow_file
from tests.qemu import pictures
from tools.kwe import abi
from tools.kwe.errors import EXIT_MACHINE, EXIT_PANIC, MachineError, PanicError
from tools.kwe.tree import Build


def test_a_guest_that_resets_is_believed_to_have_panicked(boot: Boot) -> None:
    # As a triple fault under -no-reboot: QEMU ends with status 0 and nobody has said why.
    with boot("forever") as guest:
        guest.wait_for("program forever: here")
        guest.machine.monitor.execute("system_reset")

        ending = guest.wait_end()

        assert ending.status == 0
        with pytest.raises(PanicError, match="without the agreed last line"):
            guest.machine.verdict(ending.status)


def test_a_qemu_that_was_killed_is_the_machines_error(boot: Boot) -> None:
    with boot("forever") as guest:
        guest.wait_for("program forever: here")
        os.kill(guest.machine.pid, signal.SIGKILL)

        ending = guest.wait_end()

        with pytest.raises(MachineError, match="QEMU was killed by signal 9"):
            guest.machine.verdict(ending.status)


def test_a_panic_says_where_and_ends_the_guest_as_agreed(boot: Boot) -> None:
    with boot("forever", cpus=1) as guest:
        guest.expect_fault("PANIC")
        guest.wait_for("program forever: here")
        # Out of the blue: nobody but the nucleus is there to blame.
        guest.machine.monitor.execute("inject-nmi")

        assert guest.exit_code == abi.EXIT_PANIC

        assert guest.lines[-1] == "KWE: exit 32 panic"
        assert any("kernel/" in frame for frame in guest.backtrace("PANIC"))
        with pytest.raises(PanicError, match=r"the nucleus panicked: .*NMI") as panic:
            guest.machine.verdict(guest.wait_end().status)
        assert panic.value.exit_code == EXIT_PANIC


def test_a_program_that_fails_is_told_by_the_exit_code(boot: Boot) -> None:
    with boot("null_store") as guest:
        guest.expect_fault("program null_store: FAULT")
        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED
        assert guest.lines[-1] == "KWE: exit 17 a program failed"


def test_a_guest_that_does_not_end_is_ended_at_its_deadline(kwe: Kwe, test_image: Build) -> None:
    done = kwe("boot", "forever", "--timeout", "1", image=test_image)

    assert done.status == EXIT_MACHINE
    assert "program forever: here" in done.out
    assert done.err == "kwe: the guest did not end within 1 s\n"


def test_without_qemu_the_machine_is_at_fault(kwe: Kwe, tmp_path: Path) -> None:
    pictures.write_jpeg(tmp_path / "clip/a.jpg", 8, 8)
    (tmp_path / "bin").mkdir()

    done = kwe(
        *("run", workflow_file("video"), "--input", f"clip={tmp_path / 'clip'}"),
        *("--output", tmp_path / "out"),
        path=tmp_path / "bin",
    )

    assert done.status == EXIT_MACHINE
    assert done.err.startswith("kwe: qemu-system-x86_64 is missing: install qemu-system-x86")


def room_of_a_socket() -> int:
    """Return how many bytes, written one by one, a socket takes that nobody reads."""
    count = 0
    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.suppress(BlockingIOError):
        ours.setblocking(False)
        while True:
            count += ours.send(b"w")
    return count


def test_what_was_said_last_comes_through_however_late_it_is_read(
    boot: Boot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last bytes are in the serial port's own buffer when the program has ended.
    said = room_of_a_socket() + 8
    guest = boot("last_words", files={"words": bytes(said)})
    monkeypatch.setattr(guest, "_drain", lambda: None)
    with guest:
        guest.wait_for("program last_words: exit 0")

        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while data := guest.machine.control.recv(65536):
                heard += data

        assert len(heard) == said
        assert guest.exit_code == abi.EXIT_DONE
