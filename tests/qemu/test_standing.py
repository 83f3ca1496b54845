"""Workflows whose events stand, as people use them: up until Ctrl-C, clients from outside."""

import http.client
import os
import random
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.harness.plugin import Kwe
from tests.harness.standing import DEADLINE_S, standing
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import workflow_file
from tools.kwe.errors import EXIT_DONE, EXIT_MACHINE
from tools.kwe.tree import Build

# A hang detector, not a target.
ANSWER_S = 30.0
ECHO = workflow_file("echo")


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


TICKS = """\
workflow: ticks
doc: Something, again and again.
standing: {}
stages:
  tick: {op: hardware.tick, period_ns: 10000000}
  rest: {op: hardware.wait, needs: tick, ns: 1000000}
  seen: {op: execution.counters, needs: rest}
"""


def test_a_timer_starts_one_run_a_period_and_none_between(kwe: Kwe, tmp_path: Path) -> None:
    (tmp_path / "ticks.yaml").write_text(TICKS)

    done = kwe("run", tmp_path / "ticks.yaml", "--runs", "20", "--json", "-")

    assert done.status == EXIT_DONE, done.err
    events = done.figures.events
    assert events.completed >= 20
    assert events.failed <= 1  # the one that the end cuts off
    # The first and the last tick are so many periods apart at least.
    assert done.figures.guest.wall_ns >= (events.completed - 1) * 10_000_000


ROUNDS = """\
workflow: rounds
doc: A timer in a loop, behind the one that begins the run.
standing: {concurrency: 16}
timeout: 50 ms
stages:
  tick: {op: hardware.tick, period_ns: 20 ms}
  loop:
    until: again.number == 0
    rounds: 300
    needs: tick
    do:
      again: {op: hardware.tick, period_ns: 1 ms}
  seen: {op: execution.counters, needs: [{stage: loop, tolerate: true}]}
"""


def test_a_timer_in_a_loop_neither_takes_a_place_nor_gives_new_time(
    kwe: Kwe, tmp_path: Path
) -> None:
    (tmp_path / "rounds.yaml").write_text(ROUNDS)

    done = kwe("run", tmp_path / "rounds.yaml", "--runs", "32", "--json", "-")

    assert done.status == EXIT_DONE, done.err  # 16 wait; were the loop's counted, it would be 32
    events = done.figures.events
    assert (events.completed, events.failed >= 32) == (0, True)


TWO = """\
workflow: {name}
doc: What is asked below a path.
standing: {{}}
inputs:
  routes: {{kind: bytes, text: "GET /... text text/plain"}}
  words: {{kind: bytes, text: "{name} answers"}}
stages:
  receive: {{op: network.http_receive, port: 80, below: {below}, at_most: 16 KiB}}
  page:
    op: operations.http_render
    question: receive
    routes: $routes
    text: $words
    at_most: 4 KiB
  send:
    op: network.http_send
    page: page
    connection: receive.connection
    status: page.answer
    head_bytes: page.head_bytes
    length: page.body_bytes
"""


def test_workflows_side_by_side_share_a_port_by_paths(image: Build, tmp_path: Path) -> None:
    below = {"all": "/", "some": "/some", "few": "/some/few"}
    paths = [tmp_path / f"{name}.yaml" for name in below]
    for path in paths:
        path.write_text(TWO.format(name=path.stem, below=below[path.stem]))
    asked = {
        "/": "all",
        "/something": "all",
        "/some": "some",
        "/some/": "some",
        "/some/fewer?/some/few": "some",
        "/some/few": "few",
        "/some/few/x/y": "few",
    }

    with standing(image, *paths, "--forward", "0:80", "--runs", str(2 * len(asked))) as (
        terminal,
        port,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        for target in [*asked, *reversed(asked)]:  # all on one connection
            connection.request("GET", target)
            assert connection.getresponse().read().decode() == f"{asked[target]} answers"
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    for name in below:
        runs = 2 * list(asked.values()).count(name)
        assert f"{name}: done; {runs} runs done, 0 failed" in terminal.text


def test_two_workflows_for_the_same_path_do_not_come_up(kwe: Kwe, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / f"{name}.yaml").write_text(TWO.format(name=name, below="/"))

    done = kwe("run", tmp_path / "one.yaml", tmp_path / "other.yaml", "--timeout", "5")

    assert done.status == EXIT_MACHINE
    assert "one + other did not come up" in done.err


def test_more_than_a_deck_can_hold_are_refused_by_name(kwe: Kwe, tmp_path: Path) -> None:
    text = ECHO.read_text().replace("concurrency: 8", "concurrency: 64")
    path = tmp_path / "twice.yaml"
    path.write_text(
        text.replace("  come:", "  also:  {op: network.tcp_accept, socket: port.socket}\n  come:")
    )

    done = kwe("run", path, "--for", "60")

    assert done.status == 1
    assert "TOO_MANY" in done.out
