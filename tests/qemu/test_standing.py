"""Workflows whose events stand, as people use them: up until Ctrl-C, clients from outside."""

import os
import random
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.harness.plugin import Kwe
from tests.harness.terminal import CTRL_C, Terminal
from tests.harness.workflow import KWE, workflow_file
from tools.kwe.errors import EXIT_DONE
from tools.kwe.tree import Build

# Hang detectors, not targets.
DEADLINE_S = 60.0
ANSWER_S = 30.0
ECHO = workflow_file("echo")


@contextmanager
def standing(image: Build, *words: str | Path) -> Iterator[tuple[Terminal, int]]:
    """Run a workflow until the block is left; give its terminal and the host's port."""
    environment = os.environ | {"KWE_BUILD": str(image.folder)}
    with Terminal([KWE, "run", *words], environment) as terminal:
        found = terminal.wait_for(r"127\.0\.0\.1:(\d+) leads to its tcp port", DEADLINE_S)
        assert found, terminal.text
        yield terminal, int(found[1])


# QEMU's user network listens with a backlog of 1 and the host resets what comes too fast, so
# connections are made one after the other; they talk side by side.
CONNECTING = threading.Lock()


def echo(port: int, data: bytes) -> bytes:
    """Send it, and return what comes back until the other side has closed."""
    with CONNECTING:
        connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
        connection.sendall(data[:1])
        answer = bytearray(connection.recv(1))
    with connection:
        connection.sendall(data[1:])
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(1 << 16):
            answer += part
    return bytes(answer)


def test_a_server_without_a_program_answers_until_ctrl_c(image: Build) -> None:
    said = [random.Random(number).randbytes(1 + 3000 * number) for number in range(20)]

    with standing(image, ECHO, "--forward", "0:7") as (terminal, port):
        for data in said[:4]:
            assert echo(port, data) == data
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(echo, [port] * 16, said[4:])) == said[4:]
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE

    assert "20 runs done, 0 failed" in terminal.text


def test_sigterm_ends_it_as_well(image: Build) -> None:
    with standing(image, ECHO, "--forward", "0:7") as (terminal, port):
        assert echo(port, b"hello") == b"hello"
        children = Path(f"/proc/{terminal.process.pid}/task/{terminal.process.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGTERM)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE

    assert "1 runs done, 0 failed" in terminal.text


def test_it_ends_by_itself_after_a_time(kwe: Kwe) -> None:
    done = kwe("run", ECHO, "--for", "0.5", "--json", "-")

    assert done.status == EXIT_DONE, done.err
    assert done.figures.events.completed == 0
    assert "echo: no --forward leads into the guest" in done.err


def test_it_ends_by_itself_after_so_many_runs(image: Build) -> None:
    with standing(image, ECHO, "--forward", "0:7", "--runs", "3") as (terminal, port):
        for _ in range(3):
            assert echo(port, b"once more") == b"once more"
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE

    assert "3 runs done, 0 failed" in terminal.text


def test_more_than_a_deck_can_hold_are_refused_by_name(kwe: Kwe, tmp_path: Path) -> None:
    text = ECHO.read_text().replace("concurrency: 8", "concurrency: 64")
    path = tmp_path / "twice.yaml"
    path.write_text(
        text.replace("  come:", "  also:  {op: network.tcp_accept, socket: port.socket}\n  come:")
    )

    done = kwe("run", path, "--for", "60")

    assert done.status == 1
    assert "TOO_MANY" in done.out
