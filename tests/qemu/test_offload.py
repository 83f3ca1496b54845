"""What the Network deck leaves to a card on a tap device: sums, cutting and merging, queues."""

import http.client
import random
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.standing import DEADLINE_S, standing_on
from tests.harness.tap import Tap
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import workflow_file
from tools.kwe.errors import EXIT_DONE, SpecError
from tools.kwe.tap import tap_queues
from tools.kwe.tree import Build

# A hang detector, not a target.
ANSWER_S = 60.0
MIB = 1 << 20
BULK_BYTES = 16 * MIB
MOST_IN_A_PACKET = 1460
OFFLOADS = (
    *("csum", "guest_csum", "host_tso4", "host_tso6", "guest_tso4", "guest_tso6"),
    *("mrg_rxbuf", "event_idx"),
)
CONNECTIONS = 16


@dataclass(frozen=True)
class Served:
    """A guest that sends back what comes to port 7, and says at port 80 what its card does."""

    address: str
    address6: str

    def card(self) -> dict[str, int]:
        """Return what the deck says of its card."""
        client = http.client.HTTPConnection(self.address, timeout=ANSWER_S)
        client.request("GET", "/metrics")
        text = client.getresponse().read().decode()
        client.close()
        found = re.findall(r'^kwe_card_(?:feature\{name="(\w+)"\}|(\w+)) (\d+)$', text, re.M)
        return {feature or name: int(value) for feature, name, value in found}


@contextmanager
def served(image: Build, tap: Tap, folder: Path, *words: str) -> Iterator[Served]:
    (folder / "site").mkdir()
    (folder / "site/index.html").write_bytes(b"<p>hello\n")
    text = workflow_file("echo").read_text()
    whole = "at_most: limits.message"
    assert text.count(whole) == 1
    (folder / "echo.yaml").write_text(text.replace(whole, f"{whole}, at_least: 65536"))
    files = workflow_file("web"), folder / "echo.yaml"
    site = f"site={folder}/site"
    with standing_on(image, tap.name, *files, "--input", site, *words) as terminal:
        yield Served(tap.guest, tap.guest6)
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text
        assert "FAULT" not in terminal.text, terminal.text


def echoed(address: str, data: bytes) -> bytes:
    """Send, and receive at the same time."""
    back = bytearray()
    with socket.create_connection((address, 7), timeout=ANSWER_S) as connection:

        def send() -> None:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        while part := connection.recv(1 << 18):
            back += part
        sender.join()
    return bytes(back)


@contextmanager
def captured(tap: Tap, path: Path) -> Iterator[None]:
    """Write what passes the device into a file."""
    command = ["dumpcap", "-q", "-i", tap.name, "-w", str(path), "-B", "64"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(line.startswith("File:") for line in process.stderr), "no capture"
            yield
        finally:
            process.terminate()


def tshark(capture: Path, wanted: str) -> list[str]:
    """Return the frames that a display filter picks, each in a line; IP's sums are checked."""
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, "-oip.check_checksum:TRUE", "-Y", wanted],
        capture_output=True,
        text=True,
        timeout=ANSWER_S,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("queues", [1, 2])
def test_bulk_goes_both_ways_in_large_frames(image: Build, tmp_path: Path, queues: int) -> None:
    with Tap(multi_queue=queues > 1) as tap, served(image, tap, tmp_path) as guest:
        for number, address in enumerate((guest.address, guest.address6)):
            data = random.Random(number).randbytes(BULK_BYTES)
            before = guest.card()

            assert echoed(address, data) == data

            after = guest.card()
            passed = {name: after[name] - before[name] for name in after}
            least_packets = BULK_BYTES // MOST_IN_A_PACKET
            assert passed["packets_sent_total"] > least_packets
            assert passed["merged_sent_total"] > 0
            assert passed["frames_sent_total"] < passed["packets_sent_total"] / 2, passed
            assert passed["merged_received_total"] > 0
            assert passed["frames_received_total"] < least_packets / 2, passed
            assert passed["frames_dropped_total"] == 0
        assert {name: after[name] for name in OFFLOADS} == dict.fromkeys(OFFLOADS, 1)
        assert after["mq"] == (1 if queues > 1 else 0)
        assert after["queue_pairs"] == queues


def test_connections_by_all_queues_are_served(image: Build, tmp_path: Path) -> None:
    with Tap(multi_queue=True) as tap, served(image, tap, tmp_path, "--queues", "2") as guest:
        # That all of them take one queue: once in four billion times.
        for number in range(CONNECTIONS):
            data = random.Random(number).randbytes(1 + 9000 * number)
            for address in (guest.address, guest.address6):
                assert echoed(address, data) == data
        assert guest.card()["queue_pairs"] == 2


def test_what_passes_is_well_formed(image: Build, tmp_path: Path) -> None:
    for tool in ("dumpcap", "tshark"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: `make setup` installs it")
    capture = tmp_path / "passed.pcapng"
    with Tap() as tap, served(image, tap, tmp_path) as guest:
        with captured(tap, capture):
            for address in (guest.address, guest.address6):
                data = random.Random(7).randbytes(MIB)
                assert echoed(address, data) == data

        # TCP's sums are the host's business, which does not compute what it does not send on.
        complaints = "_ws.malformed || _ws.short || ip.checksum.status == 0"
        assert tshark(capture, complaints) == []
        for own in (f"ip.src == {guest.address}", f"ipv6.src == {guest.address6}"):
            assert tshark(capture, f"{own} && frame.len > 1514") != []
            assert tshark(capture, f"{own} && tcp.analysis.out_of_order") == []


def test_a_device_says_how_many_queues_it_can_have() -> None:
    with Tap() as tap:
        assert tap_queues(tap.name, None, 2) == 1
        assert tap_queues(tap.name, 1, 2) == 1
        with pytest.raises(SpecError, match="--queues 2: kwe0 has one"):
            tap_queues(tap.name, 2, 2)
    with Tap(multi_queue=True) as tap:
        # Linux does not open it for a single one.
        assert [tap_queues(tap.name, None, cpus) for cpus in (1, 2, 4)] == [2, 2, 4]
        assert tap_queues(tap.name, 8, 2) == 8
        with pytest.raises(SpecError, match="--queues 1: kwe0 was made for several"):
            tap_queues(tap.name, 1, 2)
    assert tap_queues("nowhere", None, 8) == 1
