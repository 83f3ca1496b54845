"""The Network deck on a tap device, and Linux's own TCP/IP, with clients that nobody here wrote."""

import http.client
import os
import random
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.plugin import Boot
from tests.harness.standing import DEADLINE_S, standing_on
from tests.harness.tap import HOST, NAMES, Tap
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import workflow_file
from tools.kwe import abi
from tools.kwe.errors import EXIT_DONE
from tools.kwe.tree import Build

# A hang detector, not a target.
ANSWER_S = 60.0
MIB = 1 << 20
# `make test-long` makes more.
CONNECTIONS = int(os.environ.get("KWE_CONNECTIONS", "1000"))
BULK_MIB = int(os.environ.get("KWE_BULK_MIB", "16"))
# More than the deck has places for.
CROWD = 1100
RESET = b"\1\0\0\0\0\0\0\0"  # struct linger: closed by a reset
PAGE = b"<p>hello\n"
ASK = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n"


@pytest.fixture
def tap() -> Iterator[Tap]:
    with Tap() as tap:
        yield tap


@pytest.fixture
def web(image: Build, tap: Tap, tmp_path: Path) -> Iterator[str]:
    """Serve a page by the demo's workflow; its address. In the end the server stops in order."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_bytes(PAGE)
    site = f"site={tmp_path}/site"
    with standing_on(image, tap.name, workflow_file("web"), "--input", site) as terminal:
        yield tap.guest
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text
        assert "FAULT" not in terminal.text, terminal.text


@pytest.fixture
def echo(image: Build, tap: Tap) -> Iterator[str]:
    """Send back what comes to port 7; the guest's address."""
    with standing_on(image, tap.name, workflow_file("echo")) as terminal:
        yield tap.guest
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text


def output(command: Sequence[str], given: bytes = b"") -> bytes:
    """Return what a command says that ends well."""
    done = subprocess.run(command, input=given, capture_output=True, timeout=ANSWER_S, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=ANSWER_S)


def receive_all(connection: socket.socket) -> bytes:
    data = bytearray()
    while part := connection.recv(1 << 16):
        data += part
    return bytes(data)


def receive(connection: socket.socket, size: int) -> bytes:
    """Receive so many bytes; less when the other side has closed."""
    data = bytearray()
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return bytes(data)


def held(client: http.client.HTTPConnection) -> dict[str, int]:
    """Return what the deck says that it holds: connections, sockets, memory, buffers."""
    client.request("GET", "/metrics")
    text = client.getresponse().read().decode()
    found = re.findall(r"^kwe_(network_\w+|http_connections) (\d+)$", text, re.MULTILINE)
    return {name: int(value) for name, value in found}


# ---- ordinary clients ---------------------------------------------------------------------------


def test_linux_pings_it_by_both_protocols_and_finds_its_own_address(web: str, tap: Tap) -> None:
    for address in (tap.guest, tap.guest6):
        # Behind the header; the longer one is cut into fragments both ways.
        for size in (56, 1400, 4000):
            said = output(["ping", "-c", "3", "-i", "0.2", "-w", "30", "-s", str(size), address])
            assert b"0% packet loss" in said, said
    with connect(tap.guest6, 80) as connection:
        connection.sendall(ASK)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    neighbours = output(["ip", "-6", "neigh", "show", tap.guest6])
    assert b"52:54:00:12:34:56" in neighbours


@pytest.mark.parametrize("clients", [1, 16, 256])
def test_ab_and_wrk_find_no_failed_request(web: str, clients: int) -> None:
    url = f"http://{web}/index.html"
    count = max(400, 2 * clients)

    for keep in (["-k"], []):
        said = output(["ab", "-q", *keep, "-n", str(count), "-c", str(clients), url]).decode()
        assert re.search(rf"Complete requests: +{count}\nFailed requests: +0\n", said), said
        assert "Non-2xx" not in said, said
    said = output(["wrk", "-d", "1s", "-t", "1", "-c", str(clients), url]).decode()
    assert re.search(r"\d+ requests in", said), said
    assert "Socket errors" not in said, said
    assert "Non-2xx" not in said, said


def test_wrk_sends_ahead_and_gets_all_answers(web: str, tmp_path: Path) -> None:
    script = tmp_path / "pipeline.lua"
    script.write_text(
        'init = function() r = string.rep(wrk.format("GET", "/index.html"), 16) end\n'
        "request = function() return r end\n"
    )

    said = output(
        ["wrk", "-d", "1s", "-t", "1", "-c", "16", "-s", str(script), f"http://{web}/"]
    ).decode()

    assert re.search(r"\d+ requests in", said), said
    assert "Socket errors" not in said, said
    assert "Non-2xx" not in said, said


def test_netcat_hears_its_echo(echo: str, tap: Tap) -> None:
    for number in range(4):
        data = random.Random(number).randbytes(1 + 20_000 * number)
        for address in (echo, tap.guest6):
            assert output(["nc", "-N", address, "7"], data) == data


def test_sixteen_talk_at_once_to_a_workflow_that_stands(
    image: Build, tap: Tap, tmp_path: Path
) -> None:
    text = workflow_file("echo").read_text()
    (tmp_path / "echo.yaml").write_text(text.replace("concurrency: 8", "concurrency: 16"))

    with (
        standing_on(image, tap.name, tmp_path / "echo.yaml", "--runs", "16") as terminal,
        ExitStack() as stack,
    ):
        talks = [stack.enter_context(connect(tap.guest, 7)) for _ in range(16)]
        for size in (1, 1000, 60_000):
            data = [random.Random(number).randbytes(size) for number in range(16)]
            for connection, part in zip(talks, data, strict=True):
                connection.sendall(part)
            for connection, part in zip(talks, data, strict=True):
                assert receive(connection, size) == part
        stack.close()
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text
        assert "16 runs done, 0 failed" in terminal.text


def test_dig_and_the_deck_find_the_same_names(boot: Boot, tap: Tap) -> None:
    name = "elsewhere.example"
    found = output(["dig", "+short", f"@{HOST}", name]).decode().split()
    assert found == [str(NAMES[name])]
    assert output(["dig", "+short", f"@{HOST}", "nowhere.example"]) == b""

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        output(["ip", "addr", "add", f"{NAMES['there.example']}/32", "dev", tap.name])
        peer.bind((output(["dig", "+short", f"@{HOST}", "there.example"]).decode().strip(), 9))
        peer.settimeout(ANSWER_S)
        with boot("network", files={"what": b"resolve"}, tap=tap.name) as guest:
            assert peer.recvfrom(100)[0] == b"found"
            assert guest.exit_code == abi.EXIT_DONE


def test_bulk_comes_back_as_it_was_by_both_protocols(boot: Boot, tap: Tap) -> None:
    files = {"what": b"bulk", "mib": b"%d" % BULK_MIB}
    with boot("network", files=files, tap=tap.name, memory_mib=512, deadline_s=ANSWER_S) as guest:
        for number, address in enumerate((tap.guest, tap.guest6)):
            data = random.Random(number).randbytes(BULK_MIB * MIB)
            guest.wait_for(f"ready {number}$")
            with connect(address, 7) as connection:
                connection.sendall(data)
                assert receive_all(connection) == data
        guest.wait_for("ready 2$")
        with connect(tap.guest, 7):
            pass  # it has seen all
        assert guest.exit_code == abi.EXIT_DONE


# ---- crowds -------------------------------------------------------------------------------------


def test_a_thousand_whole_requests_at_once_are_all_answered(web: str) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(web, 80)) for _ in range(1000)]
        for connection in crowd:
            connection.sendall(ASK[:-1])
        client = http.client.HTTPConnection(web, timeout=ANSWER_S)
        assert held(client)["http_connections"] == 1001

        for connection in crowd:
            connection.sendall(ASK[-1:])

        for connection in crowd:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_requests_that_never_end_keep_nobody_out(web: str) -> None:
    with ExitStack() as stack:
        for _ in range(CROWD):
            connection = stack.enter_context(connect(web, 80))
            connection.sendall(ASK[:-2])

        for _ in range(20):
            with connect(web, 80) as connection:
                connection.sendall(ASK)
                assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_connections_held_open_keep_nobody_out(web: str) -> None:
    with ExitStack() as stack:
        for _ in range(CROWD):
            connection = stack.enter_context(connect(web, 80))
            connection.sendall(ASK)
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        with ThreadPoolExecutor(4) as pool:
            said = pool.map(output, [["curl", "-sS", f"http://{web}/"]] * 20)
            assert list(said) == [PAGE] * 20


def test_connects_and_closes_leave_nothing_behind(web: str) -> None:
    client = http.client.HTTPConnection(web, timeout=ANSWER_S)
    before = held(client)
    closed_there = 0

    for number in range(CONNECTIONS):
        with connect(web, 80) as connection:
            if number % 8 == 0:  # answered, closed by the server
                connection.sendall(ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                assert receive_all(connection).endswith(PAGE)
                closed_there += 1
            elif number % 3 == 0:  # reset in the middle of a request
                connection.sendall(ASK[:-2])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif number % 3 == 1:  # gone before the answer comes
                connection.sendall(ASK)

    # The last of them may still be on their way through the workflow.
    deadline = time.monotonic() + ANSWER_S
    now = held(client)
    while now["http_connections"] > before["http_connections"] and time.monotonic() < deadline:
        now = held(client)
    # Whose side closes first has it in TIME_WAIT.
    assert now.pop("network_connections") <= before.pop("network_connections") + closed_there
    assert now == before
